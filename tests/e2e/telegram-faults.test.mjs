// Telegram says wait, refuses, falls silent or is cut off: nothing is lost, nothing is sent twice, no storm.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { chatObject } from "./support/objects.mjs";
import { SOON_MS, startWorld } from "./support/world.mjs";

const LATER_MS = 400_000;

describe("telegram", { concurrency: 20 }, () => {
  let world;
  let next = 1001;
  before(async () => (world = await startWorld()));
  after(() => world?.close());

  /** A person with the bot, whose next calls meet `faults`. */
  async function meeting(...faults) {
    const person = world.person(next++);
    await person.talk(`Hello from ${person.id}`);
    world.telegram.faults.add(...faults.map((fault) => ({ method: "sendMessage", chat: person.id, ...fault })));
    return person;
  }
  const sends = (person) => person.calls("sendMessage").slice(1);
  const outbox = (person) => chatObject(world.persistTo, `main:${person.id}`).all("SELECT state, not_before, error FROM outbox WHERE slot = 'answer' ORDER BY id").slice(1);

  test("429 with retry_after 1: waited out, sent once", async () => {
    const person = await meeting({ action: { retryAfter: 1 } });
    await person.talk("One second");
    const [refused, sent] = sends(person);
    assert.equal(refused.status, 429);
    assert.ok(sent.at - refused.endedAt >= 1_000, `after ${sent.at - refused.endedAt} ms`);
    assert.equal(sends(person).length, 2);
  });

  test("a flood wait holds everything for that chat, and nobody else's", async () => {
    const [person, other] = [await meeting({ action: { retryAfter: 3 } }), await meeting()];
    person.ask("Held back", { answer: "Held answer." });
    const refused = await world.telegram.waitFor(() => sends(person).find((call) => call.status === 429), SOON_MS);
    await world.telegram.waitFor(() => outbox(person)[0].state === "queued", SOON_MS);
    person.send("/whoami");
    await other.talk("Meanwhile");
    await person.until("Your id");
    const [, first, second] = sends(person);
    assert.ok(first.at - refused.endedAt >= 3_000);
    assert.deepEqual([first, second].map((call) => call.params.text.slice(0, 8)), ["Held ans", "Your id:"], "in order");
    assert.ok(other.calls("sendMessage").at(-1).at < first.at);
  });

  test("a 500 is tried again, a page of HTML from somebody else is not", async () => {
    const person = await meeting({ action: { status: 500 } });
    await person.talk("Server error");
    assert.deepEqual(sends(person).map((call) => call.status), [500, 200]);
    const second = await meeting({ action: { status: 502, body: "<html>Bad Gateway</html>" } });
    second.ask("Gateway", { answer: "Perhaps lost." });
    await second.until("did not confirm");
    assert.equal(sends(second).filter((call) => call.params.text === "Perhaps lost.").length, 1);
  });

  test("cut after Telegram took it: not repeated, recorded as ambiguous, Send again is offered and works once", async () => {
    const person = await meeting({ action: "cutAfter" });
    person.ask("Cut after", { answer: "Taken all the same." });
    const notice = await person.until("did not confirm");
    assert.equal(person.texts().filter((text) => text === "Taken all the same.").length, 1);
    assert.deepEqual(outbox(person).map((row) => row.state), ["ambiguous"]);
    assert.equal(await person.press(notice, "🔁 Send again"), "Sending again");
    await world.telegram.waitFor(() => person.texts().filter((text) => text === "Taken all the same.").length === 2, SOON_MS);
    await person.settled();
    assert.ok(!person.texts().some((text) => text.includes("did not confirm")));
    assert.deepEqual(outbox(person).map((row) => row.state), ["resent", "sent"]);
  });

  test("cut before Telegram took it: the same, and Send again brings it", async () => {
    const person = await meeting({ action: "cutBefore" });
    person.ask("Cut before", { answer: "Never arrived." });
    const notice = await person.until("did not confirm");
    assert.ok(!person.texts().includes("Never arrived."));
    await person.press(notice, "🔁 Send again");
    await person.until("Never arrived.");
    person.send("/status");
    assert.doesNotMatch((await person.until("Model:")).text, /did not confirm/);
  });

  test("cut drafts do no harm", async () => {
    const person = await meeting();
    world.telegram.faults.add({ method: "sendMessageDraft", chat: person.id, times: 2, action: "cutBefore" }, { method: "sendMessageDraft", chat: person.id, times: 1, action: { status: 500 } });
    const answer = "many words here ".repeat(20).trim();
    person.ask("Drafts", { answer, tokensPerSecond: 60 });
    await person.until(answer);
    await person.settled();
    assert.equal(person.replies().length, 3);
  });

  test("a 429 of a draft pauses the drafts, and the answer waits no shorter than told", async () => {
    const person = await meeting();
    world.telegram.faults.add({ method: "sendMessageDraft", chat: person.id, action: { retryAfter: 2 } });
    const answer = "some words here ".repeat(10).trim();
    person.ask("Draft flood", { answer, tokensPerSecond: 60 });
    await person.until(answer);
    const draft = person.calls("sendMessageDraft")[0];
    const [sent] = sends(person);
    assert.ok(sent.at - draft.endedAt >= 2_000, `${sent.at - draft.endedAt} ms`);
  });

  test("refused formatting: the same text plain", async () => {
    const person = await meeting({ action: { status: 400, body: { ok: false, error_code: 400, description: "Bad Request: can't parse entities: unexpected end" } } });
    person.ask("Format", { answer: "This is **bold** and `code`." });
    const message = await person.until("This is bold");
    assert.deepEqual(message.entities ?? [], []);
    assert.equal(message.text, "This is bold and code.");
    assert.deepEqual(sends(person).map((call) => call.status), [400, 200]);
    person.send("/status");
    await person.until("Sent without formatting: 1");
  });

  test("a person who blocked the bot: given up quietly; after unblocking it works again", async () => {
    const person = await meeting({ action: { status: 403 } });
    person.ask("Blocked", { answer: "Nobody hears this." });
    await world.telegram.waitFor(() => outbox(person)[0]?.state === "failed", SOON_MS);
    await person.talk("Back again");
    assert.equal(sends(person).length, 2);
  });

  test("429 for 400 s: no call before, the alarm and the row say when; it is delivered when the time has come", async () => {
    const own = await startWorld();
    try {
      const person = own.person(1001);
      await person.talk("Hello there");
      own.telegram.faults.add({ method: "sendMessage", chat: 1001, action: { retryAfter: 400 } });
      person.ask("Long wait", { answer: "After the flood." });
      const refused = await own.telegram.waitFor(() => person.calls("sendMessage").find((call) => call.status === 429), SOON_MS);
      const object = chatObject(own.persistTo, "main:1001");
      const row = await own.telegram.waitFor(() => object.all("SELECT state, not_before FROM outbox WHERE state = 'queued'")[0], SOON_MS);
      assert.ok(Math.abs(row.not_before - (refused.wall + LATER_MS)) < 5_000, `${row.not_before - refused.wall} ms`);
      await own.telegram.waitFor(() => Math.abs(object.alarm - row.not_before) < 1_000, SOON_MS);
      await own.worker.restart();
      person.send("/whoami");
      assert.equal(person.texts().length, 1);
      await own.telegram.waitFor(() => object.all("SELECT 1 FROM outbox WHERE state = 'queued'").length === 2, SOON_MS);
      await sleep(2_000);
      assert.equal(person.calls().filter((call) => call.n > refused.n && call.method.startsWith("sendMessage")).length, 0, "no call before its time");

      // As if the time had passed.
      await own.worker.kill();
      object.run("UPDATE outbox SET not_before = not_before - ? WHERE not_before > 0", LATER_MS);
      const [{ value }] = object.all("SELECT value FROM setting WHERE key = 'settings'");
      const settings = JSON.parse(value);
      assert.ok(Math.abs(settings.flood_until - row.not_before) < 1_000);
      object.run("UPDATE setting SET value = ? WHERE key = 'settings'", JSON.stringify({ ...settings, flood_until: settings.flood_until - LATER_MS }));
      object.alarm -= LATER_MS;
      await own.worker.restart();
      await person.until("Your id");
      assert.deepEqual(person.texts().slice(1).map((text) => text.slice(0, 9)), ["After the", "Your id: "], "all of it, in order, once");
      assert.equal(own.asked("Long wait").length, 1);
    } finally {
      await own.close();
    }
  });

  test("a refused token: one line in the log, then silence", async () => {
    const own = await startWorld();
    try {
      const person = own.person(1001);
      await person.talk("Hello there");
      const before = person.calls().length;
      own.telegram.faults.add({ chat: 1001, times: 1_000, action: { unauthorized: true } });
      person.ask("Token", { answer: "word ".repeat(80), tokensPerSecond: 40 });
      for (let i = 0; i < 5; i++) person.send("/status");
      await own.telegram.waitFor(() => own.logged("ALARM").length > 0, SOON_MS);
      await sleep(10_000);
      const calls = person.calls().slice(before).filter((call) => !call.viaWebhook);
      assert.ok(calls.length <= 3, `${calls.length} calls: ${calls.map((call) => call.method)}`);
      assert.equal(own.logged("ALARM").length, 1);
      assert.ok(!JSON.stringify(own.worker.logs).includes("main-token"), "no token in the log");
      const waiting = chatObject(own.persistTo, "main:1001").all("SELECT 1 FROM outbox WHERE state = 'queued'").length;
      assert.ok(waiting >= 6, `all of it waits: ${waiting}`);
    } finally {
      await own.close();
    }
  });
});
