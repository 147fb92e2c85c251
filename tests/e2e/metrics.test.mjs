// `/metrics`: who may read it, that it is Prometheus' text format, and that its numbers add up to what happened.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { directory } from "./support/models.mjs";
import { SOON_MS, startWorld } from "./support/world.mjs";

const TOKEN = "metrics-token";
const MODEL = "ollama/paid:1b";
/** Dollars per million tokens. */
const CATALOGUE = { [MODEL]: { input_usd: 1, output_usd: 2 } };
const MODELS = ["paid:1b", "plain:1b"].map((name) => ({ name, context: 131_072, capabilities: ["completion", "tools"] }));

/** Samples by name and labels, as `name{a="b"}`; throws at what Prometheus would not take. */
function parse(page) {
  const samples = new Map();
  const types = new Map();
  let family;
  for (const line of page.trimEnd().split("\n")) {
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    if (type) {
      family = type[1];
      assert.ok(!types.has(family), `two of ${family}`);
      types.set(family, type[2]);
      continue;
    }
    if (/^# HELP [a-z_]+ \S/.test(line)) continue;
    const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\d+(?:\.\d+)?)$/.exec(line);
    assert.ok(sample, `not a sample: ${line}`);
    const [, name, labels = "", value] = sample;
    assert.ok(name === family || (types.get(family) === "histogram" && name.replace(/_(bucket|sum|count)$/, "") === family), line);
    assert.ok(!samples.has(name + labels), `twice: ${line}`);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

describe("metrics", { concurrency: 1 }, () => {
  let world;
  let owner;
  before(async () => {
    world = await startWorld({
      owners: [1001],
      ollama: { models: MODELS },
      vars: { METRICS_TOKEN: TOKEN, DEFAULT_MODEL: MODEL, MODEL_CATALOGUE: JSON.stringify(CATALOGUE), DAILY_BUDGET_USD: "1" },
    });
    owner = world.person(1001);
    await owner.settled();
  });
  after(() => world?.close());

  const get = (headers) => fetch(`${world.worker.url}/metrics`, { headers });

  /** The page, once `enough` of it is there: conversations tell within seconds. */
  async function scrape(enough = () => true) {
    for (const began = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 200))) {
      const response = await get({ authorization: `Bearer ${TOKEN}` });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
      const page = await response.text();
      const samples = parse(page);
      if (enough(samples)) return samples;
      assert.ok(Date.now() - began < SOON_MS, page);
    }
  }

  const turns = (samples) => ["answered", "failed"].reduce((sum, outcome) => sum + (samples.get(`tideclaw_turns_total{outcome="${outcome}"}`) ?? 0), 0);

  test("only with the bearer", async () => {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: TOKEN }, { authorization: `bearer ${TOKEN} ` }]) {
      const response = await get(headers);
      assert.equal(response.status, 401);
      assert.ok(!(await response.text()).includes("tideclaw_"));
    }
  });

  test("numbers add up to what happened", async () => {
    for (const [n, output] of [[1, 1_000], [2, 500]]) {
      world.ollama.script({ match: `Question ${n}`, answer: `Answer ${n}.`, promptTokens: 100 * n, outputTokens: output });
      owner.send(`Question ${n}`);
      await owner.until(`Answer ${n}.`);
    }
    world.ollama.script({ match: "Broken", status: 400, body: { error: "no" }, times: 9 });
    const { message } = owner.send("Broken");
    await owner.until((m) => m.message_id > message.message_id);
    const samples = await scrape((samples) => turns(samples) === 3 && samples.get("tideclaw_updates_total") >= 4);
    const value = (name, labels = "") => samples.get(`tideclaw_${name}${labels}`);
    assert.deepEqual([value("turns_total", '{outcome="answered"}'), value("turns_total", '{outcome="failed"}')], [2, 1]);
    // /whoami came first.
    assert.equal(value("updates_total"), 4);
    assert.equal(value("updates_dropped_total"), 0);
    assert.deepEqual([value("turn_seconds_count"), value("first_words_seconds_count")], [3, 2]);
    assert.equal(value("turn_seconds_bucket", '{le="+Inf"}'), 3);
    const [ledger] = directory(world, "SELECT sum(calls) calls, sum(failures) failures, sum(input) input, sum(output) output, sum(nano_usd) nano FROM model_usage");
    const of = (name, label) => value(name, `{model="${MODEL}",${label}}`);
    assert.deepEqual(
      [of("model_calls_total", 'outcome="ok"') + of("model_calls_total", 'outcome="failed"'), of("model_calls_total", 'outcome="failed"')],
      [ledger.calls, ledger.failures],
    );
    assert.deepEqual([of("model_tokens_total", 'kind="input"'), of("model_tokens_total", 'kind="output"')], [ledger.input, ledger.output]);
    assert.equal(of("model_tokens_total", 'kind="output"'), 1_500);
    assert.equal(value("model_cost_usd_total", `{model="${MODEL}"}`), ledger.nano / 1e9);
    assert.equal(value("budget_spent_usd", '{span="day"}'), ledger.nano / 1e9);
    assert.equal(value("budget_cap_usd", '{span="day"}'), 1);
    assert.equal(value("provider_errors_total", '{provider="ollama",class="bad_request"}'), ledger.failures);
    assert.equal(value("conversations"), 1);
    assert.equal(value("outbox_waiting", '{of="conversations"}'), 0);
    assert.ok([...samples.keys()].some((name) => name.startsWith('tideclaw_build_info{version="')));
  });

  test("they outlive the process, and an eviction", async () => {
    const before = await scrape();
    await world.worker.evict("Directory", "directory");
    assert.deepEqual(await scrape(), before);
    await world.worker.restart();
    assert.deepEqual(await scrape(), before);
  });

  test("without a token there is no such route", async () => {
    await world.worker.restart({ METRICS_TOKEN: "" });
    assert.equal((await get({ authorization: "Bearer " })).status, 404);
    assert.equal((await get({ authorization: `Bearer ${TOKEN}` })).status, 404);
  });
});
