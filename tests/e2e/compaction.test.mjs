// /compact: what is old becomes a summary by the model, the last three exchanges stay word for word, nothing is deleted.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { directory, eventually, say, use } from "./support/models.mjs";
import { chatObject } from "./support/objects.mjs";
import { failure, startWorld } from "./support/world.mjs";

const EXCHANGES = 6;
const KEPT = 3;
/** About 1,500 tokens, unlike any other. */
const long = (i) => `Chapter ${i}. ${`The tide of chapter ${i} comes in slowly and goes out again. `.repeat(100)}End of chapter ${i}.`;
const SUMMARY = "The user is reading a book about tides. Chapters 1 to 3 were told. The cat is called Vasya.";
const ASKS = "Write the new summary now.";

/** Each provider's conversation as text, what is said by itself, and what stands above it. */
const MODELS = {
  ollama: ["ollama/gpt-oss:120b", ({ messages }) => messages],
  gemini: ["gemini/gemini-3.6-flash", ({ contents }) => contents],
};

describe("compaction", { concurrency: 4 }, () => {
  let world;
  before(async () => (world = await startWorld({ gemini: true })));
  after(() => world?.close());

  /** A conversation of some long exchanges. */
  async function conversation(person, provider) {
    await use(person, MODELS[provider][0]);
    for (let i = 1; i <= EXCHANGES; i++) {
      world[provider].script({ match: `Tell chapter ${i} to ${person.id}`, answer: long(i) });
      await say(person, `Tell chapter ${i} to ${person.id}`, `End of chapter ${i}.`);
    }
  }

  for (const [i, provider] of Object.keys(MODELS).entries()) {
    test(`${provider}: /compact, and the next question goes with the summary and the last exchanges`, async () => {
      const person = world.person(1001 + i);
      await conversation(person, provider);
      world[provider].script({ match: ASKS, answer: SUMMARY });
      const done = await say(person, "/compact the cat", "🗜");
      assert.match(done.text, new RegExp(`^🗜 Folded into a summary: ${(EXCHANGES - KEPT) * 2} messages\\. About [\\d\\s]+ → [\\d\\s]+ tokens\\.$`));
      const [, before, after] = /About (.+) → (.+) tokens/.exec(done.text).map((figure) => Number(figure.replace(/\D/g, "")));
      assert.ok(after < before * 0.7, done.text);

      const [asked] = world.asked(ASKS, provider).filter((request) => request.lastUser.includes(`to ${person.id}`));
      const material = asked.lastUser;
      for (const kept of ["End of chapter 1.", "End of chapter 3.", "Keep above all what concerns: the cat"]) assert.ok(material.includes(kept), kept);
      assert.ok(!material.includes("chapter 4"), "what stays word for word is not summarised");

      world[provider].script({ match: `Now what, ${person.id}`, answer: "On we go." });
      await say(person, `Now what, ${person.id}`, "On we go.");
      const [request] = world.asked(`Now what, ${person.id}`, provider);
      const said = MODELS[provider][1](request.body).filter((message) => message.role !== "system");
      const texts = said.map((message) => JSON.stringify(message));
      assert.equal(texts.filter((text) => text.includes(SUMMARY)).length, 1, "the summary, once");
      assert.ok(texts[0].includes(SUMMARY), "it stands first");
      for (let n = 1; n <= EXCHANGES; n++) {
        const whole = texts.filter((text) => text.includes(JSON.stringify(long(n)).slice(1, -1))).length;
        assert.equal(whole, n > EXCHANGES - KEPT ? 1 : 0, `chapter ${n}`);
      }

      const chat = chatObject(world.persistTo, `main:${person.id}`);
      const [{ kept }] = chat.all("SELECT count(*) AS kept FROM message");
      assert.equal(kept, (EXCHANGES + 1) * 2, "no message is deleted");
      const [step] = chat.all("SELECT state, model FROM step WHERE kind = 'compact'");
      assert.deepEqual(step, { state: "done", model: MODELS[provider][0] });
      // It is a call like any other: in the ledger, on whoever asked.
      await eventually(() => directory(world, "SELECT sum(calls) AS n FROM model_usage WHERE person = ?", person.id)[0].n === EXCHANGES + 2, "the ledger");
    });
  }

  test("nothing to fold yet; and when no summary can be written nothing has changed", async () => {
    const person = world.person(1005);
    await say(person, "/compact", "Nothing to compact yet");
    await conversation(person, "gemini");
    world.gemini.script(failure("badRequest", { match: `to ${person.id}`, times: 9 }));
    const failed = await say(person, "/compact", "Could not compact the conversation; nothing has changed.");
    assert.match(failed.text, /⚠️/);
    const [wrote] = chatObject(world.persistTo, `main:${person.id}`).all("SELECT count(*) AS n FROM summary");
    assert.equal(wrote.n, 0);
  });
});
