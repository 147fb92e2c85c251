// The API against its own description, on real workerd: every GET and POST of the document is called in a deployment that
// has lived a little, and status, content type and body are held to the schemas. Wrong input of every kind is refused in
// the documented shape. That routes and document name the same paths: src/admin/openapi/tests.rs.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import Ajv2020 from "ajv/dist/2020.js";
import { BLOCKED, GROUP, INVITED, OWNER, WAITING, backUp, live, until } from "./support/life.mjs";
import { failure, startWorld } from "./support/world.mjs";

const METRICS = "metrics-token";
const MODEL = "ollama/plain:1b";
/** Ours, for whoever is let in by a service token. */
const SERVICE = "0123456789abcdef.access";

/** The parts of a path, with `values` for its parameters. */
const filled = (path, values) => path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] ?? assert.fail(`${path}: no value for ${name}`)));

describe("the API's description", { concurrency: 1 }, () => {
  let world;
  let life;
  let manifest;
  let document;
  let ajv;
  /** What a successful answer was seen of: `GET /api/x`. */
  const seen = new Set();

  before(async () => {
    world = await startWorld({
      access: true,
      owners: [OWNER],
      groups: [],
      gemini: true,
      vars: { METRICS_TOKEN: METRICS, CF_ACCESS_SERVICE_TOKENS: SERVICE, MODEL_CATALOGUE: JSON.stringify({ [MODEL]: { input_usd: 10, output_usd: 10 } }) },
    });
    life = await live(world);
    manifest = await backUp(life);
    const { status, json, headers } = await world.admin("/api/openapi.json");
    assert.deepEqual([status, headers.get("content-type")], [200, "application/json"]);
    document = json;
    ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTuples: false, allErrors: true });
    ajv.addVocabulary(["openapi", "info", "security", "paths", "components"]);
    ajv.addSchema({ $id: "https://tideclaw.example/api", ...document });
  });
  after(() => world?.close());

  /** Throws unless `value` is as the schema at `pointer` of the document says. */
  function fits(pointer, value, what) {
    const path = pointer.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
    const schema = `https://tideclaw.example/api#/${path}`;
    const validate = ajv.getSchema(schema) ?? ajv.compile({ $ref: schema });
    assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)?.slice(0, 2_000)}`);
  }

  /** Throws unless the answer is one the document allows for this route. `refused`: it has to be an error. */
  function judged(path, method, answer, what, refused = false) {
    const { status, headers, json, text } = answer;
    const kind = headers.get("content-type").replace(/; charset=utf-8$/, "");
    if (status === 200) {
      assert.ok(!refused, `${what}: was not refused: ${text.slice(0, 300)}`);
      const { content } = document.paths[path][method].responses["200"];
      assert.ok(content[kind.split(";")[0]], `${what}: ${kind}`);
      const body = kind === "application/json" ? json : text;
      fits(["paths", path, method, "responses", "200", "content", kind.split(";")[0], "schema"], body, what);
      seen.add(`${method.toUpperCase()} ${path}`);
    } else {
      assert.ok(status >= 400 && status < 500, `${what}: ${status} ${text.slice(0, 300)}`);
      assert.equal(kind, "application/json", what);
      fits(["components", "schemas", "Error"], json, what);
    }
    if (path.startsWith("/api/")) assert.equal(headers.get("x-content-type-options"), "nosniff", what);
    return answer;
  }

  const routes = (wanted) =>
    Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).filter(([method]) => method === wanted).map(([, operation]) => [path, operation]));
  const parameters = (operation) => (operation.parameters ?? []).map((parameter) => (parameter.$ref ? document.components.parameters[parameter.$ref.split("/").at(-1)] : parameter));
  /** What stands for the parameters of a path here. */
  const values = (path) => ({
    session: life.session,
    id: path.includes("/turns/") ? life.answered : path.includes("/invites/") ? life.invite : path.includes("/agents/") ? "tutor" : INVITED,
    version: life.version,
    bot: "main",
    chat: GROUP,
  });
  /** What is asked with each parameter of a query, beside nothing at all; `[]` for none that would find something. */
  const queries = { q: ["tide", "%<\"'"], page: ["1", "2"], before: ["5"], limit: ["1"], level: ["warning"], what: ["model_call"], session: ["main"], who: ["owner"], days: ["1", "366"], lang: ["ru"], form: ["markdown", "jsonl"], bot: ["main", "nobody"] };

  test("what every GET answers is as described, with and without its parameters", async () => {
    for (const [path, operation] of routes("get").filter(([path]) => path.startsWith("/api/"))) {
      const at = filled(path, values(path));
      const inQuery = parameters(operation).filter((parameter) => parameter.in === "query");
      const needed = path === "/api/agents/resolve" ? `bot=main&chat=${GROUP}` : "";
      const asked = [needed, ...inQuery.flatMap(({ name }) => (queries[name] ?? (needed ? [] : assert.fail(`${path}: ${name}`))).map((value) => `${name}=${encodeURIComponent(value)}`))];
      for (const query of needed ? [needed, `${needed}&topic=7`] : asked) {
        const answer = judged(path, "get", await world.admin(query ? `${at}?${query}` : at), `GET ${at}?${query}`);
        // A `before` that no page gave may be refused; everything else has an answer.
        if (!query.startsWith("before=")) assert.equal(answer.status, 200, `GET ${at}?${query}: ${answer.text}`);
      }
    }
    const missed = routes("get").map(([path]) => `GET ${path}`).filter((route) => route.includes("/api/") && !seen.has(route));
    assert.deepEqual(missed, []);
  });

  test("lists in those answers are not empty: the schemas of their entries were put to the test", async () => {
    const filledLists = {
      conversations: ["conversations"],
      [`conversations/${life.session}/messages`]: ["messages"],
      [`conversations/${life.session}/turns`]: ["turns"],
      [`conversations/${life.session}/turns/${life.answered}`]: ["messages", "updates", "steps", "deliveries"],
      [`conversations/${life.session}/updates`]: ["updates"],
      [`conversations/${life.session}/files`]: ["files"],
      people: ["bots", "waiting", "owners", "people"],
      groups: ["groups"],
      invites: ["invites"],
      refusals: ["refusals"],
      models: ["models", "providers", "overrides", "of_agents"],
      usage: ["by_day", "by_model", "by_person"],
      agents: ["agents", "places"],
      settings: ["environment", "secrets"],
      logs: ["events", "words"],
      audit: ["entries", "words"],
      doctor: ["findings"],
      backups: ["runs", "manifests"],
      overview: ["bots", "webhooks", "providers"],
    };
    for (const [path, lists] of Object.entries(filledLists)) {
      const view = await life.api(path);
      for (const list of lists) assert.ok(view[list].length > 0, `${list} of ${path} is empty`);
    }
    assert.ok((await life.api("settings/versions")).some((version) => version.restores !== undefined && version.changes.length > 0));
  });

  test("the configuration that is live is as its own schema says", async () => {
    const [schema, { document: config }] = [await life.api("settings/schema"), await life.api("settings")];
    const validate = new Ajv2020({ strict: false }).compile({ ...schema, $id: "https://tideclaw.example/settings" });
    assert.ok(validate(config), JSON.stringify(validate.errors));
    assert.ok(!validate({ ...config, budget: { day: 1 } }), "it refuses something");
  });

  /** For each POST: bodies that are good, in an order in which all of them work. */
  const posts = () => {
    const { session, invite, failed } = life;
    const base = life.version;
    return [
      ["/api/backups/restore", {}, { what: "conversation", session, manifest }],
      ["/api/settings/check", {}, { document: { budget: { day_usd: 3 }, agents: { main: { persona: "a\nb" } } } }],
      ["/api/settings/check", {}, { document: '{"budget":{"day_usd":-1},"access":{"private":"nobody"}}' }],
      ["/api/settings/check", {}, { document: "not json" }],
      ["/api/settings", {}, { base, document: { agents: { tutor: { name: "Tutor", persona: `${"long line\n".repeat(20)}end` } } }, note: "from a test" }],
      ["/api/settings/rollback", {}, { base: base + 1, version: base }],
      ["/api/agents/{id}", { id: "cook" }, { base: base + 2, new: true, name: "Cook", model: MODEL, fallbacks: [], thinking: "off" }],
      ["/api/bindings", {}, { base: base + 3, bot: "main", agent: "cook" }],
      ["/api/bindings/delete", {}, { base: base + 4, bot: "main" }],
      ["/api/agents/{id}/delete", { id: "cook" }, { base: base + 5 }],
      ["/api/models/caps", {}, { base: base + 6, day_usd: 1.5, month_usd: null, person_day_usd: "0.25" }],
      ["/api/models/rest/clear", {}, { provider: "ollama", model: "plain:1b" }],
      ["/api/models/rest/clear", {}, { provider: "ollama" }],
      ["/api/models/ping", {}, { model: MODEL }],
      ["/api/invites", {}, { bot: "main", note: "one more", uses: 3, days: 1 }],
      ["/api/invites/{id}/revoke", { id: invite }, {}],
      ["/api/people/{bot}/{id}/cap", { bot: "main", id: INVITED }, { usd: 0.5 }],
      ["/api/people/{bot}/{id}/cap", { bot: "main", id: INVITED }, { usd: null }],
      ["/api/people/{bot}/{id}/{act}", { bot: "main", id: BLOCKED, act: "unblock" }, {}],
      ["/api/people/{bot}/{id}/{act}", { bot: "main", id: WAITING, act: "deny" }, {}],
      ["/api/people/{bot}/{id}/{act}", { bot: "main", id: WAITING, act: "approve" }, {}],
      ["/api/people/{bot}/{id}/{act}", { bot: "main", id: INVITED, act: "promote" }, {}],
      ["/api/people/{bot}/{id}/{act}", { bot: "main", id: INVITED, act: "demote" }, {}],
      ["/api/people/{bot}/{id}/{act}", { bot: "main", id: INVITED, act: "remove" }, {}],
      ["/api/people/{bot}/{id}/{act}", { bot: "main", id: INVITED, act: "block" }, {}],
      ["/api/groups/{bot}/{chat}/mention", { bot: "main", chat: GROUP }, { on: false }],
      ...["leave", "block", "forget"].map((act) => ["/api/groups/{bot}/{chat}/{act}", { bot: "main", chat: GROUP, act }, {}]),
      ["/api/conversations/{session}/stop", { session }, {}],
      ["/api/conversations/{session}/retry", { session }, { turn: failed }],
      ["/api/backups", {}, {}],
      // Nothing was sent of which nobody knows whether it arrived: an error, in the shape of all others.
      ["/api/conversations/{session}/send-again", { session }, { delivery: 1 }, true],
      ["/api/conversations/{session}/delete", { session: life.group }, { confirm: life.group }],
    ];
  };

  /** Values of a type that no field takes, and some that are only odd. */
  const ODD = [{ x: [1] }, [], true, "\u0000", "<script>", -1, 1e300, 2 ** 53, "9".repeat(400), "ж".repeat(20_000), null];

  test("whatever is wrong with a POST, it is refused in the documented shape, and nothing breaks", async () => {
    let asked = 0;
    for (const [path, operation] of routes("post")) {
      const [, given, good] = posts().find(([known]) => known === path) ?? assert.fail(`${path}: no example`);
      const at = filled(path, given);
      const schema = operation.requestBody?.content["application/json"].schema;
      const post = async (body, what, refused, where = at) => {
        asked += 1;
        return judged(path, "post", await world.admin(where, { method: "POST", body }), `POST ${where} ${what}`, refused);
      };
      for (const body of ["{", "[1]", "1", '"text"', "null", '{"a":1}}', "\u0000", "{".repeat(5_000)]) await post(body, body.slice(0, 20), true);
      // What changes something with an empty body is left alone.
      if (schema?.required) {
        await post({}, "without fields", true);
        for (const name of schema.required) await post({ ...good, [name]: undefined }, `without ${name}`, true);
      }
      for (const name of schema?.required ?? []) await post({ ...good, [name]: { x: [1] } }, `${name} of another type`, path !== "/api/settings/check" && name !== "document" && !(name === "on"));
      if (schema?.properties?.base) {
        for (const odd of ODD) {
          const { status, json } = await post({ ...good, base: odd }, `base ${JSON.stringify(odd).slice(0, 30)}`);
          // What is live already may be saved again, whatever it was made from.
          assert.ok(status >= 400 || (Number.isInteger(odd) && json.changed === false), `${at}: base ${odd} was taken`);
        }
      }
      // Names and numbers of nothing.
      for (const name of Object.keys(given)) {
        for (const odd of ["none", "0", "-", "..%2Fx", "%00", "99999999999999999999", "%F0%9F%90%88", "x".repeat(300)]) {
          if (name === "act" || name === "bot" || path.includes("conversations")) await post(good, `${name} ${odd}`, true, at.replace(encodeURIComponent(given[name]), odd));
        }
      }
    }
    assert.ok(asked > 300, `${asked} were asked`);
    assert.equal(world.logged("panicked").length, 0);
  });

  test("odd parameters of every GET are an answer or an error as described, never a failure", async () => {
    const odd = ["", "-1", "0", "99999999999999999999", "1e9", "\u0000", "'; DROP TABLE session;--", "<script>", "%", "ж".repeat(500), "-9223372036854775808", "9223372036854775807", "NaN", "a:b:c"];
    for (const [path, operation] of routes("get").filter(([path]) => path.startsWith("/api/"))) {
      const at = filled(path, values(path));
      for (const { name } of parameters(operation).filter((parameter) => parameter.in === "query")) {
        // Each look of the doctor asks everybody.
        for (const value of name === "lang" ? odd.slice(0, 2) : odd) {
          const query = `${path === "/api/agents/resolve" ? `bot=main&chat=1&` : ""}${name}=${encodeURIComponent(value)}`;
          judged(path, "get", await world.admin(`${at}?${query}`), `GET ${at}?${query.slice(0, 60)}`);
        }
      }
      for (const { name } of parameters(operation).filter((parameter) => parameter.in === "path")) {
        for (const value of ["none", "0", "-1", "99999999999999999999", "%00", "..%2F", "x".repeat(300)]) {
          const where = at.replace(`/${encodeURIComponent(values(path)[name])}`, `/${value}`);
          judged(path, "get", await world.admin(where), `GET ${where}`, true);
        }
      }
    }
  });

  /** A POST that says how long its body is and waits for the answer: a large one is refused unread. */
  const declared = (path, length) =>
    new Promise((resolve, reject) => {
      const headers = { "cf-access-jwt-assertion": world.issuer.user("owner@example.com"), "sec-fetch-site": "same-origin", "content-type": "application/json", "content-length": length };
      const request = httpRequest(`${world.worker.url}${path}`, { method: "POST", headers, timeout: 20_000 }, async (response) => {
        const text = Buffer.concat(await response.toArray()).toString();
        request.destroy();
        resolve({ status: response.statusCode, text, json: JSON.parse(text) });
      });
      request.on("error", reject);
      request.flushHeaders();
    });

  test("every route refuses strangers, other sites, other methods and bodies that are too large, in the same shape", async () => {
    const error = (answer, status, code, what) => {
      assert.deepEqual([answer.status, answer.json?.error?.code], [status, code], `${what}: ${answer.text}`);
      fits(["components", "schemas", "Error"], answer.json, what);
    };
    for (const method of ["get", "post"]) {
      for (const [path] of routes(method).filter(([path]) => path.startsWith("/api/"))) {
        const at = filled(path, { ...values(path), act: "leave" });
        const what = `${method} ${at}`;
        const body = method === "post" ? {} : undefined;
        error(await world.admin(at, { body, token: null }), 401, "unauthorized", what);
        error(await world.admin(at, { body, token: "a.b.c" }), 401, "unauthorized", what);
        error(await world.admin(at, { body, service: "ffffffffffffffff.access" }), 401, "unauthorized", what);
        if (body) error(await world.admin(at, { body, headers: { "sec-fetch-site": "cross-site" } }), 403, "not_same_origin", what);
        error(await world.admin(at, { method: "DELETE" }), 405, "method_not_allowed", what);
      }
    }
    error(await declared("/api/settings/check", 1024 * 1024 + 1), 413, "too_large", "a large body");
    error(await world.admin("/api/nowhere"), 404, "not_found", "no route");
    error(await world.admin("/api/people/main/1/approve", { headers: { "accept-language": "ru" } }), 404, "not_found", "no route");
    assert.match((await world.admin("/api/people/main/1/marry", { body: {}, headers: { "accept-language": "ru" } })).json.error.message, /^[ -~]+$/, "errors of the API are English");
  });

  test("a service token on the list asks and does the same", async () => {
    const answer = judged("/api/whoami", "get", await world.admin("/api/whoami", { service: SERVICE }), "as a service");
    assert.deepEqual(answer.json, { name: SERVICE, service: true });
    judged("/api/settings/check", "post", await world.admin("/api/settings/check", { service: SERVICE, body: { document: {} } }), "as a service");
  });

  test("what stands beside the API is as described", async () => {
    const outside = async (path, headers) => {
      const response = await fetch(`${world.worker.url}${path}`, { headers });
      const text = await response.text();
      let json;
      try { json = JSON.parse(text); } catch {}
      return { status: response.status, headers: response.headers, text, json };
    };
    assert.equal(judged("/healthz", "get", await outside("/healthz"), "/healthz").status, 200);
    assert.equal(judged("/metrics", "get", await outside("/metrics", { authorization: `Bearer ${METRICS}` }), "/metrics").status, 200);
    assert.equal(judged("/metrics", "get", await outside("/metrics"), "/metrics", true).status, 401);
  });

  test("so is what is said of a provider that rests", async () => {
    world.ollama.script(failure("auth", { match: "test of the connection" }));
    const ping = judged("/api/models/ping", "post", await world.admin("/api/models/ping", { body: { model: MODEL } }), "a failing ping");
    assert.equal(ping.json.trouble.code, "auth");
    for (const path of ["/api/models", "/api/overview", "/api/doctor", "/api/logs"]) judged(path, "get", await world.admin(path), path);
    const { resting, models } = await life.api("models");
    assert.deepEqual([resting.length, models[0].rests.class], [1, "auth"]);
    assert.deepEqual(await life.api("models/rest/clear", { provider: "ollama" }), { changed: true });
  });

  // Last: this deletes and restores.
  test("what every POST answers is as described", async () => {
    const examples = posts();
    for (const [path, given, body, refused = false] of examples) {
      const at = filled(path, given);
      const schema = document.paths[path].post.requestBody?.content["application/json"].schema;
      if (schema) fits(["paths", path, "post", "requestBody", "content", "application/json", "schema"], body, `the body of ${at}`);
      const ask = () => world.admin(at, { body });
      let answer = await ask();
      // One backup or restore at a time.
      if (path.startsWith("/api/backups") && answer.status === 409) answer = await until(async () => [await ask()].find(({ status }) => status !== 409), at);
      judged(path, "post", answer, `POST ${at} ${JSON.stringify(body)}`, refused);
      if (!refused) assert.equal(answer.status, 200, `POST ${at}: ${answer.text}`);
    }
    const missed = routes("post").map(([path]) => path).filter((path) => !examples.some(([known]) => known === path));
    assert.deepEqual(missed, []);
    const restored = await until(async () => [await life.api("backups/restore")].find(({ state }) => state !== "open"), "the restore");
    assert.equal(restored.state, "done", JSON.stringify(restored));
    for (const path of ["/api/backups", "/api/backups/restore", "/api/people", "/api/groups", "/api/models", "/api/audit", "/api/logs"]) {
      assert.equal(judged(path, "get", await world.admin(path), path).status, 200);
    }
  });
});
