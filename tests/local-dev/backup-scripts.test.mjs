// `npm run backup` and `npm run restore` against a Worker's API that is scripted here: what is asked with which token, when they
// wait, what they say, and how they end. The real API: tests/e2e/backup.test.mjs.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { main as backup } from "../../local-dev/operate/backup.mjs";
import { main as restore } from "../../local-dev/operate/restore.mjs";

const KEY = "backups/2026-11-20/manifest-1795132800123.ndjson.gz";
const run = (state, fields = {}) => ({ id: 4, state, done: 2, failed: 0, deleted: 1, error: null, ...fields });
const view = (fields = {}) => ({ looked: true, runs: [], failures: [], manifests: [{ key: KEY, at: 1_795_132_800_123, objects: 3, bytes: 999, found: false }], usual_manifest: KEY, ...fields });
const restoring = (state, fields = {}) => ({ id: 9, state, total: 3, done: 1, failed: 0, error: null, failures: [], ...fields });

describe("backup and restore from a terminal", () => {
  let server, url, asked, answers;
  const script = (path, ...list) => answers.set(path, list);
  before(async () => {
    server = createServer(async (request, response) => {
      const body = (await request.toArray()).join("");
      asked.push({ path: `${request.method} ${request.url}`, body: body && JSON.parse(body), id: request.headers["cf-access-client-id"], secret: request.headers["cf-access-client-secret"] });
      const list = answers.get(`${request.method} ${request.url}`) ?? [{ status: 404, json: { error: { code: "not_found", message: "No such route." } } }];
      const answer = list.length > 1 ? list.shift() : list[0];
      response.writeHead(answer.status ?? 200, { "content-type": "application/json" }).end(answer.text ?? JSON.stringify(answer.json ?? answer));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => server.close());
  beforeEach(() => {
    asked = [];
    answers = new Map();
  });

  const env = () => ({ TIDECLAW_URL: `${url}/x`, CF_ACCESS_CLIENT_ID: "id.access", CF_ACCESS_CLIENT_SECRET: "secret" });
  async function say(program, argv, options = {}) {
    let text = "";
    const code = await program({ argv, env: env(), output: { write: (more) => (text += more) }, everyMs: 5, ...options });
    return { code, text };
  }

  test("a backup is begun with the service token and waited for", async () => {
    script("POST /api/backups", view({ runs: [run("open", { done: 0 })] }));
    script("GET /api/backups", view({ runs: [run("open", { done: 1 })] }), view({ runs: [run("open")] }), view({ runs: [run("done")] }));
    const { code, text } = await say(backup, []);
    assert.equal(code, 0);
    assert.match(text, /1 done[^]*done: 2 backed up, 0 failed, 1 old files deleted[^]*manifest-1795132800123/);
    assert.deepEqual(asked[0], { path: "POST /api/backups", body: {}, id: "id.access", secret: "secret" });
    assert.equal(asked.length, 4);
    assert.ok(!text.includes("secret"));
  });

  test("what could not be backed up is named, and the exit code says so", async () => {
    script("POST /api/backups", view({ runs: [run("open")] }));
    script("GET /api/backups", view({ runs: [run("done", { failed: 1 })], failures: [{ object: "main:5", error: "the conversation did not answer" }] }));
    const { code, text } = await say(backup, []);
    assert.equal(code, 1);
    assert.match(text, /main:5: the conversation did not answer/);
  });

  test("a restore changes nothing without --yes", async () => {
    script("GET /api/backups", view());
    const { code, text } = await say(restore, ["--all"]);
    assert.equal(code, 0);
    assert.match(text, /every conversation and the Directory as of 2026-11-20 00:00 UTC\nNothing was changed/);
    assert.deepEqual(asked.map(({ path }) => path), ["GET /api/backups"]);
  });

  test("a restore of one conversation, with its progress; storage is waited for", async () => {
    script("GET /api/backups", view({ looked: false, manifests: [], usual_manifest: null }), view());
    script("POST /api/backups/restore", restoring("open", { done: 0, total: 0 }));
    script("GET /api/backups/restore", restoring("open"), restoring("done", { done: 3 }));
    const { code, text } = await say(restore, ["--conversation", "main:5", "--yes"]);
    assert.equal(code, 0);
    assert.match(text, /1 of 3[^]*done: 3 of 3 put back/);
    assert.deepEqual(asked.find(({ path }) => path.startsWith("POST")).body, { what: "conversation", manifest: KEY, session: "main:5" });
  });

  test("what was refused is said, and the exit code too", async () => {
    script("GET /api/backups", view());
    script("POST /api/backups/restore", restoring("open"));
    script("GET /api/backups/restore", restoring("partly", { failures: [{ object: "main:7", error: "the checksum is wrong: the backup was altered" }] }));
    const { code, text } = await say(restore, ["--directory", "--manifest", KEY, "--yes"]);
    assert.equal(code, 1);
    assert.match(text, /partly: 1 of 3[^]*main:7: the checksum is wrong/);
  });

  test("the list, after a loss", async () => {
    script("GET /api/backups", view({ manifests: [{ key: KEY, at: 1_795_132_800_123, objects: 0, bytes: 0, found: true }] }));
    assert.equal((await say(restore, ["--list"])).text, `2026-11-20 00:00 UTC  ${KEY}  before the loss\n`);
  });

  test("errors are the API's own words, and say what to do about the token", async () => {
    script("POST /api/backups", { status: 409, json: { error: { code: "conflict", message: "A restore is under way. Back up when it is over." } } });
    await assert.rejects(say(backup, []), { message: "A restore is under way. Back up when it is over. (conflict)" });
    script("POST /api/backups", { status: 302, text: "<html>" });
    await assert.rejects(say(backup, []), /does not let this service token in \(302\)/);
    script("GET /api/backups", view());
    await assert.rejects(say(restore, ["--all", "--manifest", "backups/x", "--yes"]), /no restore point/);
    await assert.rejects(say(restore, []), /Usage: npm run restore/);
    await assert.rejects(say(restore, ["--all", "--directory"]), /Usage: npm run restore/);
    await assert.rejects(say(backup, ["--all"]), /Usage: npm run backup/);
    await assert.rejects(say(backup, [], { env: { TIDECLAW_URL: url } }), /CF_ACCESS_CLIENT_ID/);
    await assert.rejects(say(backup, [], { env: { TIDECLAW_URL: "nowhere" } }), /TIDECLAW_URL/);
  });

  test("without an address the local `npm start` is meant, by the token it wrote down", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tideclaw-"));
    const signInFile = join(folder, "access.json");
    await assert.rejects(say(restore, ["--list"], { env: {}, signInFile }), /npm start/);
    writeFileSync(signInFile, JSON.stringify({ url, id: "tideclaw-local.access", secret: "local" }));
    script("GET /api/backups", view());
    assert.equal((await say(restore, ["--list"], { env: {}, signInFile })).code, 0);
    assert.deepEqual([asked[0].id, asked[0].secret], ["tideclaw-local.access", "local"]);
    rmSync(folder, { recursive: true });
  });
});
