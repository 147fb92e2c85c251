// The log: what goes wrong is on the page and on the live socket, without secrets and without anybody's words; who may
// watch; what a flood of rubbish leaves; who did what.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { upgradeStatus, watchLog } from "./support/live-log.mjs";
import { directory, eventually } from "./support/models.mjs";
import { startWorld } from "./support/world.mjs";

/** Looks like a provider's key, and is not cut by any clean-up of white space. */
const FAKE_KEY = "sk-proj-Abcdef0123456789Ghijkl";
const FAKE_TOKEN = "123456789:AAFakeTokenFakeTokenFakeTokenFakeT";
const EVIL = "<script>alert(1)</script>";
const SECRET_WORDS = "my secret diary";

describe("logs", { concurrency: 1 }, () => {
  let world;
  let owner;
  before(async () => {
    world = await startWorld({ owners: [1001, 1002], access: true });
    owner = world.person(1001);
    await owner.settled();
  });
  after(() => world?.close());

  const logs = async (query = "") => (await world.admin(`/api/logs${query}`)).json;

  /** A model call that fails for good; resolves when the person was told. */
  async function fail(text, error) {
    world.ollama.script({ match: text, status: 400, body: { error }, times: 9 });
    const { message } = owner.send(text);
    await owner.until((m) => m.message_id > message.message_id);
  }

  test("a failing model is on the page, in the API and on the live socket, without keys and without anybody's words", async () => {
    const watcher = await watchLog(world);
    await fail(`Tell ${SECRET_WORDS}`, `bad key ${FAKE_KEY} at https://x.example/v1?key=${FAKE_KEY} bot${FAKE_TOKEN} ${EVIL}`);
    const line = await watcher.until((line) => line.what === "model_call" && line.level === "error");
    assert.equal(line.session, "main:1001");
    assert.match(line.text, /^model call failed: BadRequest Some\(400\): bad key \[…\].* \(ollama\/plain:1b\)$/);
    const { events } = await logs("?level=error&session=main:1001");
    assert.deepEqual(events.find((event) => event.id === line.id), line);
    const page = (await world.admin("/_admin/logs")).text;
    assert.ok(page.includes("model call failed") && page.includes("&lt;script&gt;"), "as text");
    const stored = JSON.stringify(directory(world, "SELECT * FROM event"));
    const consoles = world.worker.logs.map(({ message }) => message).join("\n");
    for (const [where, text] of Object.entries({ page, stored, consoles, api: JSON.stringify(await logs()), live: watcher.texts.join("\n") })) {
      for (const secret of [FAKE_KEY, FAKE_TOKEN, "AAFake", SECRET_WORDS]) assert.ok(!text.includes(secret), `${secret} in ${where}`);
    }
    assert.ok(!page.includes(EVIL));
    watcher.close();
  });

  test("nobody watches from another site or without a token", async () => {
    const token = world.issuer.user("owner@example.com");
    const own = world.worker.url;
    const from = (origin, more = {}) => upgradeStatus(world, { "cf-access-jwt-assertion": token, ...(origin && { origin }), ...more });
    assert.equal(await from(own), 101);
    for (const origin of ["https://evil.example", "null", `${own}.evil.example`, "http://127.0.0.1:1", undefined]) {
      assert.equal(await from(origin), 403, `${origin}`);
    }
    assert.equal(await from(own, { "sec-fetch-site": "cross-site" }), 403);
    const without = await upgradeStatus(world, { origin: own });
    assert.ok(without === 401 || without === 403, `${without}`);
    assert.equal((await world.admin("/_admin/logs/live")).status, 426, "no WebSocket was asked for");
  });

  test("pings are answered and the socket outlives the object's memory", async () => {
    const watcher = await watchLog(world);
    watcher.socket.send("ping");
    await eventually(() => watcher.texts.includes("pong"), "a pong");
    await world.worker.evict("Directory", "directory");
    watcher.socket.send("ping");
    await eventually(() => watcher.texts.filter((text) => text === "pong").length === 2, "a pong while it sleeps");
    await fail("After the eviction", "no such thing today");
    await watcher.until((line) => line.text.includes("no such thing today"));
    watcher.socket.send("Anything else");
    assert.equal(await watcher.closed, 1008, "whoever talks is shown out");
  });

  test("whoever comes back gets what was missed", async () => {
    const newest = (await logs()).events[0].id;
    await fail("While nobody watched", "missed this one");
    await eventually(() => directory(world, "SELECT 1 FROM event WHERE id > ?", newest).length > 0, "an event");
    const watcher = await watchLog(world, { after: newest });
    await watcher.until((line) => line.text.includes("missed this one"));
    assert.ok(watcher.lines().every((line) => line.id > newest));
    watcher.close();
  });

  test("a killed runtime ends the socket, and the next one goes on", async () => {
    const before = await watchLog(world);
    await world.worker.restart();
    assert.equal(await before.closed, 1006);
    const watcher = await watchLog(world);
    await fail("After the restart", "after the restart");
    await watcher.until((line) => line.text.includes("after the restart"));
    watcher.close();
  });

  test("the twenty-first watcher is asked to come later", async () => {
    const watchers = await Promise.all(Array.from({ length: 20 }, () => watchLog(world)));
    const late = await watchLog(world);
    assert.equal(await late.closed, 1013);
    watchers.forEach((watcher) => watcher.close());
    await Promise.all(watchers.map((watcher) => watcher.closed));
  });

  test("a flood at the webhook leaves one line", async () => {
    const knock = (secret, body) =>
      fetch(`${world.worker.url}/telegram/main`, { method: "POST", body, headers: { "x-telegram-bot-api-secret-token": secret } });
    const statuses = await Promise.all(Array.from({ length: 40 }, () => knock("wrong", "{}").then(({ status }) => status)));
    assert.ok(statuses.every((status) => status === 401));
    assert.equal((await knock("main-secret", "rubbish")).status, 400);
    const { events } = await logs("?what=webhook");
    assert.deepEqual(events.map(({ level, text }) => [level, text]), [
      ["error", "bot main: an update could not be read"],
      ["warning", "bot main: a request with a wrong secret"],
    ]);
  });

  test("decisions are listed with who made them", async () => {
    world.telegram.setUser({ id: 2001, first_name: `Eve ${EVIL}`, language_code: "en" });
    world.person(2001).send("Hello?");
    const asked = await owner.until((m) => m.reply_markup && m.text.includes("id 2001"));
    assert.equal(await owner.press(asked, "Approve"), "Approved.");
    const { entries } = (await world.admin("/api/audit?who=tg:1001&what=approve")).json;
    assert.equal(entries.length, 1);
    assert.match(entries[0].subject, /2001/);
    const page = (await world.admin("/_admin/logs/audit?lang=ru")).text;
    assert.ok(page.includes("Кто что сделал") && page.includes("tg:1001") && !page.includes(EVIL));
    const { words } = await logs("?level=error");
    assert.ok(words.includes("model_call") && words.includes("webhook"));
    assert.equal((await world.admin("/api/logs?level=loud")).status, 400);
  });
});
