// The door to wrangler, with the real, pinned wrangler behind it and an API of our own behind that: what we read is what it
// prints, and what we tell it is what it does. Keeps the stand-in (fake-wrangler.mjs) honest when wrangler is updated.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openWrangler } from "../../local-dev/operate/wrangler.mjs";
import { root } from "../../local-dev/setup/paths.mjs";
import { ACCOUNT, startCloudflare } from "./cloudflare-api.mjs";

const folder = mkdtempSync(join(tmpdir(), "tideclaw-wrangler-"));
const REQUIRED = { TELEGRAM_BOT_TOKEN: "secret-token", TELEGRAM_WEBHOOK_SECRET: "secret-webhook" };
let cloudflare, wrangler;

before(async () => {
  // Our wrangler.toml, with a Worker that needs no build.
  const config = readFileSync(join(root, "wrangler.toml"), "utf8").replace(/^main = .*$/m, 'main = "index.js"').replace(/^\[build\]\n(?:(?!\[).*\n?)*/m, "");
  writeFileSync(join(folder, "wrangler.toml"), config);
  const classes = ["Chat", "Directory", "RelayHub"].map((name) => `export class ${name} extends DurableObject {}`);
  writeFileSync(join(folder, "index.js"), ['import { DurableObject } from "cloudflare:workers";', ...classes, "export default { fetch() {}, scheduled() {} };"].join("\n"));
  cloudflare = await startCloudflare();
  const env = { PATH: process.env.PATH, HOME: folder, CLOUDFLARE_API_BASE_URL: cloudflare.url, CLOUDFLARE_API_TOKEN: "a-token-of-cloudflare", CI: "1" };
  wrangler = openWrangler({ cwd: folder, env, mask: (text) => text });
});
after(() => {
  cloudflare.close();
  rmSync(folder, { recursive: true, force: true });
});

test("from nothing to a deployment, and what is kept", { timeout: 240_000 }, async () => {
  assert.deepEqual((await wrangler.whoami()).accounts, [{ id: ACCOUNT, name: "Home" }]);
  wrangler.useAccount(ACCOUNT);
  assert.equal(await wrangler.secrets(), undefined, "no Worker yet");

  // The first secret makes an empty Worker.
  await wrangler.putSecrets(REQUIRED);
  assert.deepEqual(await wrangler.secrets(), Object.keys(REQUIRED));

  const addresses = await wrangler.deploy(["--tag", "tideclaw-0001", "--var", "OLLAMA_BASE_URL:https://ollama.example:8443/x", "--var", "FALLBACK_MODELS:a/b,c/d"]);
  assert.deepEqual(addresses, ["https://tideclaw.me.workers.dev"]);
  const [metadata] = cloudflare.uploads;
  assert.deepEqual(metadata.keep_bindings.filter((kind) => kind !== "json").sort(), ["plain_text", "secret_key", "secret_text"]);
  // Without a name in the configuration wrangler makes a bucket of its own and asks nobody.
  assert.deepEqual(cloudflare.state.buckets, ["tideclaw-files"]);
  assert.deepEqual(await wrangler.buckets(), ["tideclaw-files"]);
  const vars = { OLLAMA_BASE_URL: "https://ollama.example:8443/x", FALLBACK_MODELS: "a/b,c/d" };

  // A plain deployment keeps what was chosen; a secret put later does not hide what is deployed.
  await wrangler.deploy(["--tag", "tideclaw-0002"]);
  await wrangler.putSecrets({ CLAIM_CODE: "secret-claim" });
  assert.deepEqual(await wrangler.deployed(), { tag: "tideclaw-0002", vars, bucket: true });
  assert.deepEqual(cloudflare.unknown, []);
});

test("a bucket of that name is in the way: wrangler fails, and says so in the words we look for", { timeout: 120_000 }, async () => {
  const other = await startCloudflare({ buckets: ["tideclaw-files"] });
  const env = { PATH: process.env.PATH, HOME: folder, CLOUDFLARE_API_BASE_URL: other.url, CLOUDFLARE_API_TOKEN: "x", CLOUDFLARE_ACCOUNT_ID: ACCOUNT, CI: "1" };
  const door = openWrangler({ cwd: folder, env });
  await door.putSecrets(REQUIRED);
  await assert.rejects(door.deploy([]), (error) => /\[code: 10004\]/.test(error.output));
  const file = join(folder, ".setup.wrangler.toml");
  writeFileSync(file, readFileSync(join(folder, "wrangler.toml"), "utf8").replace(/^binding = "FILES"$/m, 'binding = "FILES"\nbucket_name = "tideclaw-files"'));
  await door.deploy(["--config", file]);
  assert(other.uploads.at(-1).bindings.some(({ name, bucket_name }) => name === "FILES" && bucket_name === "tideclaw-files"));
  other.close();
});

test("nobody is logged in", { timeout: 60_000 }, async () => {
  const door = openWrangler({ cwd: folder, env: { PATH: process.env.PATH, HOME: folder, CI: "1" } });
  assert.equal(await door.whoami(), undefined);
});
