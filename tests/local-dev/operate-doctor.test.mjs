// `npm run doctor`: what it sees from outside, what it hands on from the Worker, the configuration, and its exit code.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { main, table } from "../../local-dev/operate/doctor.mjs";
import { all } from "../../local-dev/operate/doctor/words.mjs";
import { root } from "../../local-dev/setup/paths.mjs";

const VERSION = /^version = "(.+)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"))[1];
const folder = mkdtempSync(join(tmpdir(), "tideclaw-doctor-"));
const SERVICE = { CF_ACCESS_CLIENT_ID: "id.access", CF_ACCESS_CLIENT_SECRET: "secret-service" };
const finding = (id, severity, more = {}) => ({ id, group: "system", severity, reason: `${id} is ${severity}.`, ...more });
let server, url, answers, seen;

/** As a Worker behind Access answers a stranger: by path, or with 404. */
const usual = () => ({
  "GET /healthz": { json: { status: "ok", version: VERSION } },
  ...Object.fromEntries(["/_admin", "/api", "/debug"].map((path) => [`GET ${path}`, { status: 302, headers: { location: "https://team.cloudflareaccess.com/cdn-cgi/access/login/x" } }])),
  "POST /telegram/main": { status: 401, json: { error: { code: "unauthorized", message: "Unauthorized." } } },
  "GET /relay": { status: 401, json: { error: { code: "unauthorized", message: "Unauthorized." } } },
  "GET /api/doctor?lang=en": { json: { worst: "ok", findings: [finding("clock", "ok")] } },
});

before(async () => {
  server = createServer((request, response) => {
    const name = `${request.method} ${request.url}`;
    seen.push({ name, headers: request.headers });
    const { status = 200, json, text = "", headers = {} } = answers[name] ?? { status: 404, json: { error: { code: "not_found", message: "No such route." } } };
    response.writeHead(status, { "content-type": json ? "application/json" : "text/html", ...headers }).end(json ? JSON.stringify(json) : text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
beforeEach(() => ((answers = usual()), (seen = [])));
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function doctor(argv, { env = SERVICE, ...more } = {}) {
  let text = "";
  const code = await main({ argv, env: { LANG: "C", ...env }, output: { write: (part) => (text += part) }, packages: async () => {}, signInFile: join(folder, "absent"), deadlineMs: 2_000, ...more });
  assert.doesNotMatch(text, /secret-/);
  return { code, text };
}
const json = async (argv, more) => {
  const { code, text } = await doctor([...argv, "--json"], more);
  const report = JSON.parse(text);
  return { code, report, severity: (id, subject) => report.findings.find((one) => one.id === id && (!subject || one.subject === subject))?.severity };
};

test("all is well", async () => {
  const { code, text } = await doctor(["--url", `${url}/`]);
  assert.equal(code, 0, text);
  assert.match(text, /✓ reachable .*It answers/);
  assert.match(text, /✓ access_covers \(\/_admin\) .*Access stands before it/);
  assert.match(text, /✓ clock .*clock is ok\./);
  assert.match(text, /\n\d+ ok\n$/);
  const asked = seen.find(({ name }) => name.startsWith("GET /api/doctor"));
  assert.equal(asked.headers["cf-access-client-secret"], "secret-service");
  assert(seen.filter(({ name }) => !name.startsWith("GET /api/doctor")).every(({ headers }) => !("cf-access-client-secret" in headers)), "the token goes nowhere else");
});

test("what the Worker finds decides the exit code", async () => {
  answers["GET /api/doctor?lang=en"].json.findings = [finding("clock", "warning", { action: "Set it." })];
  const warned = await doctor(["--url", url]);
  assert.equal(warned.code, 0);
  assert.match(warned.text, /! clock .*\n +→ Set it\./);
  answers["GET /api/doctor?lang=en"].json.findings.push(finding("storage", "error", { action: "Mend it." }));
  const failed = await doctor(["--url", url]);
  assert.equal(failed.code, 1);
  assert.match(failed.text, /✗ storage/);
  assert.match(failed.text, /1 error, 1 warning/);
});

test("what only shows from outside", async () => {
  const cases = [
    ["GET /healthz", { status: 302, headers: { location: "https://team.cloudflareaccess.com/" } }, "reachable", "error"],
    ["GET /healthz", { json: { status: "ok", version: "0.0.1" } }, "release", "warning"],
    ["GET /_admin", { status: 200, text: "<h1>Welcome</h1>" }, "access_covers", "error"],
    ["GET /debug", { status: 401, json: { error: { code: "unauthorized", message: "x" } } }, "access_covers", "warning"],
    ["GET /api", { status: 503, json: { error: { code: "access_not_configured", message: "x" } } }, "access_covers", "error"],
    ["GET /api", { status: 302, headers: { location: "https://elsewhere.example/" } }, "access_covers", "error"],
    ["GET /_ADMIN", { status: 200, text: "in" }, "tricks", "error"],
    ["GET //_admin", { status: 200, text: "in" }, "tricks", "error"],
    ["GET /%5Fadmin", { status: 200, text: "in" }, "tricks", "error"],
    ["POST /telegram/main", { status: 302 }, "webhook_open", "error"],
    ["POST /telegram/main", { status: 403, text: "Forbidden" }, "webhook_open", "error"],
    ["POST /telegram/main", { status: 404, json: { error: { code: "not_found", message: "No such bot." } } }, "webhook_open", "error"],
    ["GET /relay", { status: 302, headers: { location: "https://team.cloudflareaccess.com/" } }, "relay_open", "error"],
    ["GET /relay", { status: 404, text: "nginx" }, "relay_open", "error"],
    ["GET /relay", { status: 404, json: { error: { code: "not_found", message: "No relay is set up." } } }, "relay_open", "ok"],
  ];
  for (const [name, answer, id, severity] of cases) {
    answers = { ...usual(), [name]: answer };
    const path = id === "access_covers" ? name.split(" ")[1] : undefined;
    const { code, severity: of } = await json(["--url", url]);
    assert.equal(of(id, path), severity, name);
    assert.equal(code, severity === "error" ? 1 : 0, name);
  }
});

test("the service token: none, refused, Access unset, an odd answer", async () => {
  const without = await json(["--url", url], { env: {} });
  assert.equal(without.severity("api"), "info");
  assert.equal(without.code, 0);
  for (const [answer, pattern] of [
    [{ status: 403, text: "Forbidden" }, /Service Auth/],
    [{ status: 302 }, /Service Auth/],
    [{ status: 503, json: { error: { code: "access_not_configured", message: "x" } } }, /npm run setup/],
    [{ status: 500, text: "oops" }, /wrangler tail/],
  ]) {
    answers["GET /api/doctor?lang=en"] = answer;
    const { code, report } = await json(["--url", url]);
    assert.equal(code, 1);
    assert.match(report.findings.find(({ id }) => id === "api").action, pattern);
  }
});

test("nobody there; no address", async () => {
  const gone = createServer();
  await new Promise((resolve) => gone.listen(0, "127.0.0.1", resolve));
  const { port } = gone.address();
  await new Promise((resolve) => gone.close(resolve));
  const { code, text } = await doctor(["--url", `http://127.0.0.1:${port}`]);
  assert.equal(code, 1);
  assert.match(text, /cannot be reached: ECONNREFUSED/);
  await assert.rejects(doctor(["--url", "tideclaw"]), /is not an address/);
  await assert.rejects(doctor(["--sideways"]), /Usage: npm run doctor/);
});

test("the address from the environment, and the local one while `npm start` runs", async () => {
  const named = await json([], { env: { ...SERVICE, TIDECLAW_URL: url } });
  assert.equal(named.report.url, url);
  const signInFile = join(folder, "access.json");
  writeFileSync(signInFile, JSON.stringify({ url, id: "local.access", secret: "secret-local" }));
  const local = await json([], { env: {}, signInFile });
  assert.equal(local.report.url, url);
  assert.equal(local.severity("clock"), "ok");
  assert.equal(seen.find(({ name }) => name.startsWith("GET /api/doctor") && name)?.headers["cf-access-client-id"], "id.access");
  assert.equal(seen.findLast(({ name }) => name.startsWith("GET /api/doctor"))?.headers["cf-access-client-id"], "local.access");
});

test("in Russian", async () => {
  answers["GET /api/doctor?lang=ru"] = { json: { findings: [finding("clock", "ok", { reason: "Часы верны." })] } };
  const { text } = await doctor(["--url", url, "--lang", "ru"]);
  assert.match(text, /Перед ним стоит Access[^]*Часы верны\./);
  for (const [name, [en, ru]] of Object.entries(all)) {
    assert.equal(en.length, ru.length, name);
    const values = (texts) => texts.join().match(/\{\w+\}/g)?.sort();
    assert.deepEqual(values(en), values(ru), name);
  }
});

test("colours only in a terminal", () => {
  const findings = [finding("a", "ok"), finding("b", "error", { subject: "main", action: "Do." })];
  assert.deepEqual(table(findings, { colour: false }), ["✗ b (main)  b is error.", "            → Do.", "✓ a         a is ok."]);
  assert.match(table(findings, { colour: true })[0], /^\u001b\[31m✗\u001b\[0m b/);
});

test("without an address: the configuration, through wrangler", async () => {
  const file = join(folder, "account.json");
  const wranglerCommand = [process.execPath, fileURLToPath(new URL("fake-wrangler.mjs", import.meta.url))];
  const look = async (account) => {
    writeFileSync(file, JSON.stringify({ user: { email: "me@example.com", accounts: [{ id: "a", name: "Home" }] }, worker: null, buckets: [], ...account }));
    return json(["--config"], { env: { FAKE_WRANGLER: file, PATH: process.env.PATH }, wranglerCommand });
  };
  const worker = (secrets, vars = {}) => ({ secrets: Object.fromEntries(secrets.map((name) => [name, "secret-x"])), vars, bucket: "tideclaw-files", versions: [{ id: "1", annotations: {}, metadata: {} }] });
  const required = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];
  const well = await look({ worker: worker([...required, "OLLAMA_API_KEY", "CLAIM_CODE"], { CF_ACCESS_TEAM_DOMAIN: "t", CF_ACCESS_AUD: "a" }) });
  assert.equal(well.code, 0, JSON.stringify(well.report));
  assert.equal(well.report.worst, "ok");
  assert.match(well.report.findings.find(({ id }) => id === "relay").reason, /No relay is used/);
  const relayed = await look({ worker: worker([...required, "RELAY_TOKEN", "CLAIM_CODE"], { CF_ACCESS_TEAM_DOMAIN: "t", CF_ACCESS_AUD: "a" }) });
  assert.equal(relayed.report.worst, "ok", "a relay is a provider like any other");
  assert.match(relayed.report.findings.find(({ id }) => id === "relay").reason, /relays may connect/);
  for (const [account, id, severity] of [
    [{ user: null }, "login", "error"],
    [{ worker: null }, "deployed", "error"],
    [{ worker: worker([required[0], "OLLAMA_API_KEY", "CLAIM_CODE"]) }, "secrets", "error"],
    [{ worker: worker([...required, "CLAIM_CODE"]) }, "models", "error"],
    [{ worker: worker([...required, "OLLAMA_API_KEY"]) }, "owner", "error"],
    [{ worker: worker([...required, "OLLAMA_API_KEY", "CLAIM_CODE"]) }, "access", "warning"],
    [{ worker: worker([...required, "DEBUG_TOKEN"]) }, "debug_token", "warning"],
    [{ worker: { ...worker(required), bucket: null } }, "bucket", "warning"],
    [{ fail: { whoami: { code: 1, output: "boom" } } }, "login", "error"],
  ]) {
    const { severity: of, code } = await look(account);
    assert.equal(of(id), severity, id);
    if (severity === "error") assert.equal(code, 1, id);
  }
});
