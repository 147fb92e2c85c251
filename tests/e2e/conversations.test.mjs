// Conversations in the control plane on real workerd: what people wrote is seen in all its steps, found, stopped, tried
// again, exported and deleted. Rules one by one: tests/chat/desk.rs, tests/chat/erasing.rs, src/admin/conversations/tests.rs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SOON_MS, failure, startWorld } from "./support/world.mjs";

const MEMBER = 5001;
const EVIL = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe("conversations in the control plane", () => {
  let world;
  let next = 1001;
  before(async () => {
    world = await startWorld({ access: true, groups: [], users: [...Array.from({ length: 20 }, (_, i) => ({ id: 1001 + i, first_name: `Owner ${1001 + i}`, language_code: "en" })), { id: MEMBER, first_name: "Mia" }] });
    world.telegram.setBot({ bot: "main", privacy: false });
  });
  after(() => world?.close());

  const path = (person, below = "") => `conversations/${encodeURIComponent(`main:${person.id}`)}${below}`;
  const get = async (at) => {
    const { status, json, text } = await world.admin(`/api/${at}`);
    assert.equal(status, 200, `${at}: ${text}`);
    return json;
  };
  const page = async (at) => {
    const { status, text, headers } = await world.admin(`/_admin/${at}`);
    assert.equal(status, 200, text);
    assert.match(headers.get("content-security-policy"), /default-src 'none'/);
    assert.ok(!text.includes("<script>alert") && !text.includes("<img") && !/ style=/.test(text), "inert");
    return text;
  };
  /** What `look` gives once it is something. */
  const until = async (look, what) => {
    const deadline = Date.now() + SOON_MS;
    for (;;) {
      const seen = await look();
      if (seen) return seen;
      assert.ok(Date.now() < deadline, `not in time: ${what}`);
      await sleep(100);
    }
  };
  const listed = (search) => until(async () => (await get(`conversations?q=${encodeURIComponent(search)}`)).conversations[0], `${search} in the list`);

  test("a conversation made in the chat is listed within seconds, found, and seen in all of its steps", async () => {
    const person = world.person(next++);
    await person.talk("Где растёт ЁЛКА?", "In the forest.");
    const row = await listed("ёлка растёт");
    assert.equal(row.session, `main:${person.id}`);
    assert.equal(row.title, `Owner ${person.id}`);
    await until(async () => (await listed("ёлка растёт")).outcome === "answered", "the outcome");
    assert.equal((await listed("forest")).newest, "In the forest.");
    assert.equal((await listed(`owner ${person.id}`)).session, row.session);

    const one = await get(path(person));
    assert.deepEqual({ session: one.now.session, messages: one.now.messages, running: one.now.running }, { session: row.session, messages: 2, running: null });
    const { messages } = await get(path(person, "/messages?q=%D1%91%D0%BB%D0%BA%D0%B0"));
    assert.deepEqual(messages.map(({ role, text }) => [role, text]), [["user", "Где растёт ЁЛКА?"]]);

    const { turns } = await get(path(person, "/turns"));
    const turn = await get(path(person, `/turns/${turns[0].id}`));
    assert.deepEqual(turn.messages.map((message) => message.text), ["Где растёт ЁЛКА?", "In the forest."]);
    assert.deepEqual(turn.updates.map((update) => update.outcome), ["turn"]);
    assert.deepEqual(turn.steps.map(({ kind, state, model }) => [kind, state, model]), [["model", "done", "ollama/plain:1b"]]);
    assert.deepEqual(turn.deliveries.map(({ state, text }) => [state, text]), [["sent", "In the forest."]]);
    assert.equal(turn.deliveries[0].message_id, person.replies()[0].message_id);

    for (const below of ["", "/turns", `/turns/${turns[0].id}`, "/updates", "/files"]) await page(path(person, below));
    const html = await page(path(person, `/turns/${turns[0].id}`));
    assert.match(html, /<rect class="done" x="\d+"/);
    assert.match(html, /In the forest\./);
  });

  test("what people write is inert wherever it is shown", async () => {
    const person = world.person(next++);
    await person.talk(EVIL, `You said ${EVIL}`);
    await listed("onerror alert");
    const { turns } = await get(path(person, "/turns"));
    for (const at of ["conversations", `conversations?q=${encodeURIComponent(EVIL)}`, path(person), path(person, `?q=${encodeURIComponent(EVIL)}`), path(person, "/turns"), path(person, `/turns/${turns[0].id}`), path(person, "/updates")]) await page(at);
  });

  test("drops are seen with their reasons", async () => {
    const owner = world.person(next++);
    const id = -1002000000077;
    world.telegram.addGroup({ id, title: "Sea & Sand", members: [owner.id, MEMBER], bots: [] });
    await owner.talk("hello");
    world.telegram.addBot({ chat: id, from: owner.id });
    const prompt = await owner.until((m) => m.text.includes("Sea & Sand") && m.reply_markup).catch(() => null);
    if (prompt) await owner.press(prompt, "Admit");
    const group = world.group(id);
    world.ollama.script({ match: "are you there", answer: "I am here." });
    await until(async () => {
      world.telegram.send({ chat: id, from: MEMBER, text: "@tide_main_bot are you there?" });
      await sleep(500);
      return group.texts().some((text) => text.includes("I am here."));
    }, "an answer in the group");
    world.telegram.send({ chat: id, from: MEMBER, text: "not for the bot" });
    const row = await until(async () => (await get("conversations?q=sea%20sand")).conversations.find((each) => each.dropped > 0), "the drop");
    assert.equal(row.title, "Sea & Sand");
    const { updates } = await get(`conversations/${encodeURIComponent(row.session)}/updates`);
    const drop = updates.find((update) => update.outcome === "dropped");
    assert.equal(drop.detail, "not addressed to the bot");
    assert.match(await page(`conversations/${encodeURIComponent(row.session)}/updates`), /not addressed to the bot/);
  });

  test("a failed turn is tried again from its page, once", async () => {
    const person = world.person(next++);
    world.ollama.script(failure("server", { match: "Please mend", times: 3 }));
    person.send("Please mend");
    await person.until("⚠️");
    const { turns } = await until(async () => [await get(path(person, "/turns"))].find((view) => view.turns[0]?.state === "failed"), "the failure");
    const html = await page(path(person, `/turns/${turns[0].id}`));
    assert.match(html, /Try again/);
    world.ollama.script({ match: "Please mend", answer: "Mended." });
    const { status, headers } = await world.admin(`/_admin/${path(person, "/retry")}`, { form: { turn: String(turns[0].id) } });
    assert.equal(status, 303);
    await person.until("Mended.");
    await until(() => !person.texts().some((text) => text.startsWith("⚠️")), "the failure leaves the chat");
    assert.match(headers.get("location"), /\/turns\/1000000001\?done=1$/);
    const again = await world.admin(`/api/${path(person, "/retry")}`, { body: { turn: turns[0].id } });
    assert.deepEqual([again.status, again.json.error.code], [409, "conflict"]);
    assert.equal(person.texts().filter((text) => text === "Mended.").length, 1);
  });

  test("a running answer is stopped", async () => {
    const person = world.person(next++);
    person.ask("Count on and on", { answer: Array.from({ length: 400 }, (_, i) => `w${i}`).join(" "), tokensPerSecond: 40 });
    const request = await world.ollama.waitFor(() => world.asked("Count on and on")[0], SOON_MS);
    await sleep(500);
    const { json } = await world.admin(`/api/${path(person, "/stop")}`, { body: {} });
    assert.deepEqual(json, { stopped: true, dropped: 0 });
    await world.ollama.waitFor(() => request.aborted, SOON_MS);
    await person.until(/Stopped/);
  });

  test("an export is the whole conversation, in both forms, and nothing is sent to the chat", async () => {
    const person = world.person(next++);
    for (const n of [1, 2, 3]) await person.talk(`Question ${n} of the export`);
    await person.settled();
    const sent = person.replies().length;
    const markdown = await world.admin(`/_admin/${path(person, "/export?form=markdown")}`);
    assert.match(markdown.headers.get("content-disposition"), /^attachment; filename="main_\d+\.md"$/);
    for (const n of [1, 2, 3]) assert.ok(markdown.text.includes(`Answer to Question ${n} of the export`));
    const jsonl = await world.admin(`/api/${path(person, "/export?form=jsonl")}`);
    const lines = jsonl.text.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map((line) => line.role), ["user", "assistant", "user", "assistant", "user", "assistant"]);
    assert.equal(person.replies().length, sent);
  });

  test("a deleted conversation leaves no word behind and starts afresh", async () => {
    const person = world.person(next++);
    await person.talk("my deepest secret", "I keep your secret.");
    await listed("deepest secret");
    const asks = await page(path(person, "/delete"));
    assert.match(asks, /name="confirm"/);
    assert.equal((await world.admin(`/api/${path(person, "/delete")}`, { body: {} })).status, 400, "not without confirmation");
    const { json } = await world.admin(`/api/${path(person, "/delete")}`, { body: { confirm: `main:${person.id}` } });
    assert.deepEqual(json, { wiped: true });
    assert.equal((await get("conversations?q=deepest%20secret")).conversations.length, 0);
    const object = world.objects("Chat").find((each) => each.session === `main:${person.id}`);
    for (const table of ["inbox", "message", "outbox", "turn", "step", "setting"]) {
      assert.ok(!JSON.stringify(object.all(`SELECT * FROM ${table}`)).includes("secret"), table);
    }
    await person.talk("A new beginning");
    const context = JSON.stringify(world.asked("A new beginning")[0].body.messages);
    assert.ok(!context.includes("secret"));
    await listed("new beginning");
    const directory = world.objects("Directory")[0];
    const audit = directory.all("SELECT who, what, subject FROM audit WHERE what LIKE 'conversation_%'");
    assert.ok(audit.some((line) => line.who === "admin:owner@example.com" && line.what === "conversation_delete" && line.subject === `main:${person.id}`));
  });

  test("what is told survives a killed process and is counted once", async () => {
    const person = world.person(next++);
    await person.talk("Before the storm");
    await world.worker.restart?.();
    await until(async () => (await listed("before the storm")).turns === 1, "the turn");
    await sleep(500);
    const row = await listed("before the storm");
    assert.deepEqual([row.updates, row.turns], [1, 1]);
  });
});
