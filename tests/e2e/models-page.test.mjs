// Models and spend on the admin page: a test call of a model that works and of one that does not, rests shown and cleared,
// caps saved from there.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { say } from "./support/models.mjs";
import { failure, startWorld } from "./support/world.mjs";

const MODEL = "ollama/plain:1b";
const OTHER = "gemini/gemini-3.8-flash";
/** What a test call says to a model. */
const ASKED = "test of the connection";

describe("models on the admin page", { concurrency: 1 }, () => {
  let world;
  let owner;
  before(async () => {
    world = await startWorld({
      access: true,
      owners: [1001],
      gemini: true,
      vars: {
        FALLBACK_MODELS: OTHER,
        MODEL_CATALOGUE: JSON.stringify({ [MODEL]: { input_usd: 10, output_usd: 10 }, [OTHER]: { input_usd: 0, output_usd: 0 } }),
      },
    });
    owner = world.person(1001);
    await owner.talk("I own this");
  });
  after(() => world?.close());

  const ok = async (path, options) => {
    const answer = await world.admin(path, options);
    assert.ok(answer.status < 400, `${path}: ${answer.status} ${answer.text}`);
    return answer;
  };
  const ping = async (model) => (await ok("/api/models/ping", { body: { model } })).json;
  const models = async () => (await ok("/api/models")).json;
  /** Calls of nobody in particular: test calls are. */
  const calls = async () => (await ok("/api/usage?days=1")).json.by_person.find((one) => one.user_id === 0)?.calls ?? 0;

  test("a working model answers a test call, which is counted", async () => {
    const before = await calls();
    world.ollama.script({ match: ASKED, answer: "pong", outputTokens: 3 });
    const answer = await ping(MODEL);
    assert.equal(answer.ok, true, JSON.stringify(answer));
    assert.ok(answer.first_ms >= 0 && answer.total_ms >= answer.first_ms && answer.total_ms < 20_000);
    assert.ok(answer.nano_usd > 0 && answer.output === 3);
    assert.equal(world.asked(ASKED).length, 1, "one request");
    assert.equal(await calls(), before + 1);
    const { text: html } = await ok("/_admin/models");
    assert.ok(html.includes(MODEL) && html.includes("By day") && html.includes("nobody in particular"));
    assert.ok(!html.includes("gemini-key") && !html.includes(" style="));
  });

  test("a broken one says why in plain words, rests, and another stands in; the rest can be ended on the page", async () => {
    world.ollama.script(failure("auth", { match: ASKED }));
    const { text: html } = await ok("/_admin/models/ping", { form: { model: MODEL } });
    assert.ok(html.includes("The key is missing, wrong or refused."), html);
    const { resting } = await models();
    assert.deepEqual([resting[0].provider, resting[0].model, resting[0].class], ["ollama", null, "auth"]);

    world.gemini.script({ match: "Who is there", answer: "Gemini is." });
    await say(owner, "Who is there?", "Gemini is.");

    const cleared = await world.admin("/_admin/models/rest/clear", { form: { provider: "ollama", model: "" } });
    assert.deepEqual([cleared.status, cleared.headers.get("location")], [303, "/_admin/models?done=1"]);
    assert.deepEqual((await models()).resting, []);
    world.ollama.script({ match: "And now", answer: "The first one again." });
    await say(owner, "And now?", "The first one again.");
  });

  test("a model nobody has set up is refused before any call", async () => {
    for (const [model, status] of [["openai/gpt", 400], ["nonsense", 400]]) {
      assert.equal((await world.admin("/api/models/ping", { body: { model } })).status, status);
    }
    world.ollama.script(failure("retired", { match: ASKED }));
    assert.equal((await ping("ollama/no-such:1b")).trouble.code, "retired");
  });

  test("caps are saved from the page and hold at once", async () => {
    const { config } = await models();
    const saved = await world.admin("/_admin/models/caps", { form: { base: String(config), day_usd: "0.000001", month_usd: "5", person_day_usd: "" } });
    assert.equal(saved.status, 303, saved.text);
    const answer = await ping(MODEL);
    assert.deepEqual([answer.ok, answer.trouble.code], [false, "capped_day"]);
    assert.equal((await world.admin("/api/models/caps", { body: { base: config, day_usd: 1 } })).status, 409);
    assert.equal((await models()).caps.day_nano_usd, 1_000);
    // What costs nothing is not held back.
    world.gemini.script({ match: ASKED, answer: "pong" });
    assert.equal((await ping(OTHER)).ok, true);
  });
});
