// A model that is slow, silent, broken or refuses: the person hears why within the deadline, is answered once where an
// answer comes, and the next message works.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chatObject } from "./support/objects.mjs";
import { SOON_MS, startWorld } from "./support/world.mjs";

const [FIRST, IDLE, TOTAL] = [3, 2, 8];
const SLOW_MS = [12_000, 65_000];

/** The people here are owners too, and all of them hear of a refused key. */
const answers = (person) => person.replies().filter((m) => !m.text.startsWith("🔑"));

describe("models", { concurrency: 2 }, () => {
  describe("failures", { concurrency: 20 }, () => {
    let world;
    let next = 1001;
    before(async () => (world = await startWorld({ vars: { MODEL_DEADLINES: [FIRST, IDLE, TOTAL].join() } })));
    after(() => world?.close());

    /** Asks a model that behaves so; resolves with the message that tells of the trouble. Then all must work again. */
    async function trouble(t, behaviour, expected, { calls = 1, withinMs = SOON_MS } = {}) {
      const person = world.person(next++);
      const question = `Question ${person.id}`;
      const began = performance.now();
      person.ask(question, { times: 9, ...behaviour });
      const message = await person.until((m) => m.text.includes("⚠️"), withinMs + SOON_MS);
      const ms = performance.now() - began;
      t.diagnostic(`told after ${Math.round(ms)} ms`);
      assert.match(message.text, expected);
      assert.ok(ms < withinMs, `${ms} ms`);
      await person.talk(`After that, ${person.id}`);
      assert.equal(world.asked(question).filter((r) => r.lastUser === question).length, calls, "model calls");
      assert.equal(answers(person).length, 2, "one message about it, one answer");
      return { person, message };
    }

    test("silence before the first byte ends at the first deadline, the request is aborted", async (t) => {
      const { person } = await trouble(t, { hangBefore: true }, /did not answer within 3 s/, { withinMs: FIRST * 1000 + 2_000 });
      assert.ok(world.asked(`Question ${person.id}`)[0].aborted);
    });

    test("silence in mid-stream ends at the idle deadline, the partial answer is kept", async (t) => {
      const { message } = await trouble(t, { answer: "Half of an answer that goes on", hangAfter: 3 }, /did not answer within 2 s/, { withinMs: IDLE * 1000 + 2_000 });
      assert.match(message.text, /^Half of/);
      assert.match(message.text, /broke off here/);
    });

    test("a model that drips for ever ends at the total deadline", async (t) => {
      await trouble(t, { answer: "drip ".repeat(500), tokensPerSecond: 5 }, /^drip drip .*did not answer within 8 s/s, { withinMs: TOTAL * 1000 + 2_000 });
    });

    test("a reset connection is tried again, then told", async (t) => {
      await trouble(t, { resetAfter: 0, answer: "x" }, /keeps failing/, { calls: 3, withinMs: 8_000 });
    });

    test("a stream cut in the middle is tried again from the start, and the answer comes once", async () => {
      const person = world.person(next++);
      const question = `Cut once ${person.id}`;
      world.ollama.script({ match: question, answer: "The beginning and", resetAfter: 2 }, { match: question, answer: "The whole answer." });
      person.send(question);
      await person.until("The whole answer.");
      await person.settled();
      assert.equal(answers(person).length, 2);
      assert.ok(!person.texts().some((text) => text.includes("beginning")));
      assert.equal(world.asked(question).length, 2);
    });

    test("a stream that ends without its last line is not taken for an answer", async (t) => {
      await trouble(t, { answer: "Seems complete", endWithoutDone: true }, /keeps failing|broke off/, { calls: 3, withinMs: 8_000 });
    });

    test("an error in mid-stream", async (t) => {
      await trouble(t, { answer: "Some words first", errorLineAfter: 2 }, /⚠️/, { calls: 3, withinMs: 8_000 });
    });

    test("an empty answer is asked for once more, then told", async (t) => {
      await trouble(t, { empty: true }, /empty answer/, { calls: 2 });
    });

    const REFUSALS = [
      [{ status: 401, body: { error: "unauthorized" } }, /refuses the bot's key/, 1],
      [{ status: 403, body: { error: "this model requires a subscription, upgrade for access: https://ollama.com/upgrade" } }, /not available/, 1],
      [{ status: 404, body: { error: "model 'plain:1b' not found" } }, /not available/, 1],
      [{ status: 429, body: { error: "you have reached your weekly usage limit, upgrade for higher limits: https://ollama.com/upgrade" } }, /usage limit/, 1],
      [{ status: 429, body: { error: "too many requests" }, headers: { "retry-after": "1" } }, /overloaded/, 3],
      [{ status: 429, body: { error: "too many requests" }, headers: { "retry-after": "3600" } }, /overloaded/, 1],
      [{ status: 500, body: "<html><body>Internal Server Error</body></html>", headers: { "content-type": "text/html" } }, /keeps failing/, 3],
      [{ status: 502, body: "" }, /keeps failing/, 3],
      [{ status: 400, body: { error: "invalid option provided: x" } }, /did not accept the request/, 1],
    ];
    for (const [behaviour, expected, calls] of REFUSALS) {
      const what = `${behaviour.status}${behaviour.headers?.["retry-after"] ? ` after ${behaviour.headers["retry-after"]} s` : ""} ${JSON.stringify(behaviour.body).slice(0, 50)}`;
      test(`HTTP ${what}`, async (t) => {
        const { message } = await trouble(t, behaviour, expected, { calls, withinMs: 10_000 });
        assert.doesNotMatch(message.text, /html|https?:|plain:1b/, "the server's words stay in the log");
      });
    }

    test("a server that is not there", async (t) => {
      const dead = await startWorld({ vars: { OLLAMA_BASE_URL: "http://127.0.0.1:9" } });
      try {
        const person = dead.person(1001);
        const began = performance.now();
        person.send("Anybody?");
        await person.until(/keeps failing/);
        t.diagnostic(`told after ${Math.round(performance.now() - began)} ms`);
      } finally {
        await dead.close();
      }
    });
  });

  describe("slow models", { concurrency: 4 }, () => {
    let world;
    before(async () => (world = await startWorld()));
    after(() => world?.close());

    for (const ms of SLOW_MS) {
      test(`first word after ${ms / 1000} s: asked once, answered once, typing meanwhile`, async () => {
        const person = world.person(1001 + SLOW_MS.indexOf(ms));
        person.ask(`Slow ${ms}`, { answer: `At last ${ms}.`, firstTokenMs: ms });
        await person.until(`At last ${ms}.`, ms + SOON_MS);
        await person.settled();
        assert.equal(world.asked(`Slow ${ms}`).length, 1);
        assert.equal(person.replies().length, 2);
        const typing = person.calls("sendChatAction");
        assert.ok(typing.length >= Math.floor(ms / 5_000), `${typing.length} signs of typing`);
        const [turn] = chatObject(world.persistTo, `main:${person.id}`).all("SELECT state, attempts FROM turn");
        assert.deepEqual(turn, { state: "answered", attempts: 1 });
      });
    }
  });
});
