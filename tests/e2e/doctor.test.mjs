// The doctor on the built Worker: it asks Telegram, itself, Access, the models, storage and the Directory, for real.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { expected } from "../../local-dev/operate/telegram.mjs";
import { main } from "../../local-dev/operate/doctor.mjs";
import { startProxy } from "../../local-dev/access/proxy.mjs";
import { startWorld } from "./support/world.mjs";

const ROBOT = "f1e2d3c4b5a697887766554433221100.access";
let world;
before(async () => {
  world = await startWorld({ access: true, vars: { CF_ACCESS_SERVICE_TOKENS: ROBOT, DEFAULT_MODEL: "ollama/plain:1b", FALLBACK_MODELS: "" } });
  world.telegram.setBot({ bot: "main", allowedUpdates: expected.allowed_updates });
});
after(() => world?.close());

async function look(path = "/api/doctor") {
  const began = Date.now();
  const { status, json, text } = await world.admin(path);
  assert.equal(status, 200, text);
  assert(Date.now() - began < 20_000, "the whole doctor within 20 s");
  // No secret in a report.
  for (const secret of ["main-secret", "main-token", "700000001:"]) assert(!text.includes(secret), text);
  return { ...json, severity: (id) => json.findings.find((finding) => finding.id === id)?.severity, finding: (id) => json.findings.find((finding) => finding.id === id) };
}

test("a deployment that is well, but for what was left out on purpose", async () => {
  const report = await look();
  const ids = ["bot_token", "webhook_set", "webhook_secret", "webhook_updates", "webhook_pending", "webhook_errors", "privacy", "access_configured",
    "access_keys", "guarded_paths", "open_paths", "default_model", "caps", "budget", "cooldowns", "provider_answers", "storage", "owner", "claim_code", "clock", "versions", "config", "outbox", "debug_token"];
  for (const id of ids) assert.equal(report.severity(id), "ok", JSON.stringify(report.finding(id)));
  assert.equal(report.severity("fallbacks"), "info");
  assert.equal(report.severity("public_url"), "info");
  assert.notEqual(report.worst, "error");
});

test("trouble is found, with the action that mends it", async () => {
  world.telegram.setBot({ bot: "main", allowedUpdates: ["message"] });
  world.telegram.faults.add({ method: "getMe", action: { unauthorized: true } });
  const report = await look();
  assert.equal(report.worst, "error");
  assert.equal(report.severity("webhook_updates"), "error");
  assert.match(report.finding("webhook_updates").action, /npm run setup/);
  assert.equal(report.severity("bot_token"), "error");
  world.telegram.setBot({ bot: "main", allowedUpdates: expected.allowed_updates });
});

test("somebody who does not answer costs the report a line, not its time", async () => {
  world.telegram.faults.add({ method: "getMe", action: { hangMs: 60_000 } });
  const report = await look();
  assert.equal(report.severity("bot_token"), "warning");
  assert.equal(report.severity("webhook_set"), "ok");
});

test("the page, and what the command finds through the local proxy", async () => {
  const { status, text } = await world.admin("/_admin/doctor?lang=ru");
  assert.equal(status, 200, text);
  assert.match(text, /Диагностика[^]*Токен действует/);
  const service = { id: ROBOT, secret: "a-secret-of-the-proxy" };
  const proxy = await startProxy({ port: 0, target: world.worker.url, issuer: world.issuer, service });
  try {
    let output = "";
    const env = { CF_ACCESS_CLIENT_ID: service.id, CF_ACCESS_CLIENT_SECRET: service.secret, LANG: "C" };
    const code = await main({ argv: ["--url", proxy.url, "--json"], env, output: { write: (part) => (output += part) } });
    const { findings } = JSON.parse(output);
    const severity = (id) => findings.find((finding) => finding.id === id)?.severity;
    assert.equal(code, findings.some((finding) => finding.severity === "error") ? 1 : 0);
    for (const id of ["reachable", "release", "tricks", "webhook_open", "storage", "guarded_paths"]) assert.equal(severity(id), "ok", output);
    assert.equal(severity("api"), undefined);
  } finally {
    await proxy.close();
  }
});
