// What operators see of a relay, on the built Worker with the real relay: API, pages, doctor, metrics, a test call, before it
// comes, while it is there and after it went.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Ajv2020 from "ajv/dist/2020.js";
import { main } from "../../local-dev/operate/doctor.mjs";
import { startHome } from "./support/relay.mjs";
import { startWorld } from "./support/world.mjs";

const METRICS = "metrics-token-0123456789";
/** Longest wait for the hub to notice. */
const NOTICED_MS = 20_000;

describe("a relay at the desk", { concurrency: 1 }, () => {
  let world;
  let home;
  before(async () => {
    world = await startWorld({ access: true, relay: true, vars: { METRICS_TOKEN: METRICS, DEFAULT_MODEL: "relay/qwen3:8b", FALLBACK_MODELS: "ollama/plain:1b" } });
  });
  after(async () => {
    await home?.close();
    await world?.close();
  });

  const ask = async (path) => {
    const { status, json, text } = await world.admin(path);
    assert.equal(status, 200, text);
    assert.ok(!text.includes("relay-token-"), "no secret is shown");
    return json ?? text;
  };
  const relays = () => ask("/api/relays");
  async function doctor() {
    const { findings } = await ask("/api/doctor");
    return (id, subject) => findings.find((finding) => finding.id === id && finding.subject === subject)?.severity;
  }
  const metrics = async () => (await fetch(`${world.worker.url}/metrics`, { headers: { authorization: `Bearer ${METRICS}` } })).text();

  test("nobody came yet: said everywhere, with how to start one", async () => {
    assert.deepEqual({ ...(await relays()), instance: "" }, { set_up: true, relays: [], queued: 0, instance: "" });
    const severity = await doctor();
    assert.deepEqual([severity("relay_token"), severity("relay_connected"), severity("relay_models")], ["ok", "warning", "error"]);
    assert.match(await ask("/_admin"), /No relay was ever connected/);
    assert.match(await metrics(), /^tideclaw_relay_calls_queued 0$/m);
  });

  test("it is there: name, release, models, latency, on every page and in numbers", async () => {
    home = await startHome(world);
    const view = await relays();
    const [relay] = view.relays;
    assert.deepEqual([relay.name, relay.connected, relay.draining, relay.in_flight, relay.max_parallel], ["home", true, false, 0, 2]);
    assert.deepEqual(relay.models.map(({ name }) => name).sort(), ["gemma4:12b", "qwen3:8b"]);
    const document = await ask("/api/openapi.json");
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema({ $id: "https://tideclaw.example/api", ...document });
    for (const [schema, value] of [["Relays", view], ["Overview", await ask("/api/overview")], ["Models", await ask("/api/models")], ["Doctor", await ask("/api/doctor")]]) {
      const validate = ajv.compile({ $ref: `https://tideclaw.example/api#/components/schemas/${schema}` });
      assert.ok(validate(value), `${schema}: ${ajv.errorsText(validate.errors)}`);
    }
    const severity = await doctor();
    for (const id of ["relay_connected", "relay_ollama", "relay_release"]) assert.equal(severity(id, "home"), "ok", id);
    assert.equal(severity("relay_models"), "ok");
    for (const page of ["/_admin", "/_admin/models"]) assert.match(await ask(page), /home[^]*connected[^]*0 of 2 in use[^]*qwen3:8b/, page);
    assert.match(await ask("/_admin/models?lang=ru"), /Реле[^]*на связи/);
    assert.match(await metrics(), /^tideclaw_relay_connected\{relay="home"\} 1$/m);
    const provider = (await ask("/api/models")).providers.find(({ name }) => name === "relay");
    assert.deepEqual(provider, { name: "relay", has_key: true, host: null, route: "relay", rests_until: null });
  });

  test("a test call goes through it and costs nothing", async () => {
    for (const model of ["relay/qwen3:8b", "relay:home/qwen3:8b"]) {
      const { status, json, text } = await world.admin("/api/models/ping", { body: { model } });
      assert.deepEqual([status, json.ok, json.nano_usd], [200, true, 0], text);
    }
    assert.equal(home.asked("test of the connection").length, 2);
    for (const limit = Date.now() + NOTICED_MS; (await relays()).relays[0].calls < 2; await sleep(100)) assert.ok(Date.now() < limit, "the calls were counted");
    assert.match(await metrics(), /^tideclaw_relay_calls_total\{relay="home",outcome="ok"\} 2$/m);
    const away = await world.admin("/api/models/ping", { body: { model: "relay:elsewhere/qwen3:8b" } });
    assert.deepEqual([away.status, away.json.ok], [200, false], away.text);
  });

  test("npm run doctor shows it", async () => {
    let text = "";
    await main({ argv: ["--url", world.worker.url], env: { LANG: "C" }, output: { write: (part) => (text += part) }, packages: async () => {} });
    assert.match(text, /✓ relay_open +The way in for relays is reachable and asks for its token\./);
  });

  test("it is killed: away, said by the doctor and counted", async () => {
    await home.relay.kill("SIGKILL");
    for (const limit = Date.now() + NOTICED_MS; (await relays()).relays[0].connected; await sleep(100)) assert.ok(Date.now() < limit, "it was noticed");
    const severity = await doctor();
    // Not yet for ten minutes.
    assert.deepEqual([severity("relay_connected", "home"), severity("relay_models")], ["info", "error"]);
    assert.match(await ask("/_admin"), /home[^]*away/);
    assert.match(await metrics(), /^tideclaw_relay_connected\{relay="home"\} 0$/m);
  });
});
