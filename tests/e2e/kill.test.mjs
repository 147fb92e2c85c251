// The runtime killed with SIGKILL in the middle of everything, and started again on the same state: the person sees the
// one complete answer, nothing twice, nothing left over, and is told where Telegram itself left it open.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chatObject } from "./support/objects.mjs";
import { SOON_MS, startWorld } from "./support/world.mjs";

/** The watchdog alarm is at most 10 s away; the machine may be busy. */
const AGAIN_MS = 30_000;
const WORDS = Array.from({ length: 120 }, (_, i) => `word${i}`).join(" ");
const PIECES = Array.from({ length: 5 }, (_, i) => `Piece ${i} ${"filler ".repeat(250)}end ${i}.`).join("\n\n");

/** Runs a test in a world of its own, with a person whom the bot knows. */
const inWorld = (options, work) => async (t) => {
  const world = await startWorld(options);
  try {
    const person = world.person(1001);
    await person.talk("Before all this");
    await work({ world, person, t, began: () => world.asked("The question").length });
  } finally {
    await world.close();
  }
};

/** The bot's messages after the greeting. */
const since = (person) => person.texts().slice(1);

/** That every part of PIECES is in the chat exactly once and in order. */
function assertPieces(texts) {
  const all = texts.join("\n");
  let at = -1;
  for (let i = 0; i < 5; i++) {
    assert.equal(all.split(`Piece ${i} `).length, 2, `piece ${i} once`);
    assert.equal(all.split(`end ${i}.`).length, 2, `end of piece ${i} once`);
    const next = all.indexOf(`Piece ${i} `);
    assert.ok(next > at);
    at = next;
  }
}

describe("killed", { concurrency: 5 }, () => {
  test(
    "right after the 200: answered by the alarm",
    inWorld({}, async ({ world, person }) => {
      world.ollama.script({ match: "The question", answer: "The answer.", firstTokenMs: 1_000, times: 2 });
      const { update_ids } = person.send("The question");
      await world.telegram.waitFor(() => world.telegram.deliveries().some((d) => d.update_id === update_ids[0] && d.status === 200));
      await world.worker.kill();
      await world.worker.restart();
      await person.until("The answer.", AGAIN_MS);
      await person.settled();
      assert.deepEqual(since(person).filter((text) => text.includes("answer")), ["The answer."]);
    }),
  );

  test(
    "while an album is still being gathered: answered as one",
    inWorld({}, async ({ world, person }) => {
      world.ollama.script({ match: "The question", answer: "The answer.", times: 5 });
      const { update_ids } = person.send({ text: "The question", album: [{ photo: true }, { photo: true }] });
      await world.telegram.waitFor(() => update_ids.every((id) => world.telegram.deliveries().some((d) => d.update_id === id && d.status === 200)));
      await world.worker.kill();
      assert.equal(world.asked("The question").length, 0, "nobody asked yet");
      await world.worker.restart();
      await person.until("The answer.", AGAIN_MS);
      await person.settled();
      assert.equal(world.asked("The question").length, 1);
      assert.equal(since(person).filter((text) => text === "The answer.").length, 1);
    }),
  );

  test(
    "during the model's stream, with drafts: asked again, one complete answer",
    inWorld({}, async ({ world, person }) => {
      world.ollama.script({ match: "The question", answer: WORDS, tokensPerSecond: 60 }, { match: "The question", answer: WORDS });
      person.send("The question");
      await world.telegram.waitFor(() => person.drafts().some((draft) => draft.text.includes("word2")), SOON_MS);
      await world.worker.kill();
      await world.worker.restart();
      await person.until(WORDS, AGAIN_MS);
      await person.settled();
      assert.equal(since(person).filter((text) => text.includes("word")).length, 1);
      assert.equal(world.asked("The question").length, 2);
      assert.deepEqual(person.drafts(), []);
      const steps = chatObject(world.persistTo, "main:1001").all("SELECT state FROM step ORDER BY id").map((row) => row.state);
      assert.deepEqual(steps, ["done", "cut", "done"], "the journal knows of the cut call");
    }),
  );

  test(
    "during an edit of the placeholder: one answer, no placeholder left",
    inWorld({ vars: { STREAM_MODE: "edit" } }, async ({ world, person }) => {
      world.ollama.script({ match: "The question", answer: WORDS, tokensPerSecond: 30 }, { match: "The question", answer: WORDS });
      world.telegram.faults.add({ method: "editMessageText", action: { hangMs: 60_000, acts: true } });
      person.send("The question");
      const placeholder = await person.until((m) => m.reply_markup);
      await world.telegram.waitFor(() => person.calls("editMessageText").length === 1, SOON_MS);
      await world.worker.kill();
      await world.worker.restart();
      await person.until(WORDS, AGAIN_MS);
      await person.settled();
      assert.equal(since(person).filter((text) => text.includes("word")).length, 1);
      assert.deepEqual(person.view().deleted.map((m) => m.message_id), [placeholder.message_id]);
      assert.ok(person.replies().every((m) => !m.reply_markup));
    }),
  );

  test(
    "between two pieces of an answer: the rest comes, the first is not repeated, the model not asked again",
    inWorld({}, async ({ world, person }) => {
      world.ollama.script({ match: "The question", answer: PIECES });
      world.telegram.faults.add({ method: "sendMessage", skip: 1, action: { retryAfter: 2 } });
      person.send("The question");
      await person.until("Piece 0");
      // Until the Worker knows of the pause.
      const waits = () => chatObject(world.persistTo, "main:1001").all("SELECT 1 FROM setting WHERE value LIKE '%\"flood_until\":1%'").length;
      await world.telegram.waitFor(waits, SOON_MS);
      await world.worker.kill();
      await world.worker.restart();
      await person.until("end 4.", AGAIN_MS);
      await person.settled();
      assertPieces(since(person));
      assert.equal(world.asked("The question").length, 1);
      assert.ok(!since(person).some((text) => text.includes("⚠️")));
    }),
  );

  for (const acts of [true, false]) {
    test(
      `during the sending of a piece that ${acts ? "arrived" : "did not arrive"}: not repeated, the rest comes, Send again is offered`,
      inWorld({}, async ({ world, person }) => {
        world.ollama.script({ match: "The question", answer: PIECES });
        world.telegram.faults.add({ method: "sendMessage", skip: 1, action: { hangMs: 60_000, acts } });
        person.send("The question");
        await world.telegram.waitFor(() => person.calls("sendMessage").length >= 3, SOON_MS);
        await world.worker.kill();
        await world.worker.restart();
        await person.until("end 4.", AGAIN_MS);
        const notice = await person.until("did not confirm", AGAIN_MS);
        const count = () => person.texts().join("\n").split("end 2.").length - 1;
        if (acts) {
          assertPieces(since(person).filter((text) => !text.includes("⚠️")));
          return;
        }
        const [row] = chatObject(world.persistTo, "main:1001").all("SELECT call FROM outbox WHERE state = 'ambiguous'");
        const lost = JSON.parse(row.call).params.text;
        assert.ok(!person.texts().includes(lost.trim()));
        assert.equal(await person.press(notice, "🔁 Send again"), "Sending again");
        await person.until(lost.slice(0, 30));
        await person.settled();
        assert.equal(count(), 1);
        assert.ok(!person.texts().some((text) => text.includes("did not confirm")), "the notice is gone");
      }),
    );
  }

  test(
    "while twenty people write at once, three times over: everybody is answered, nobody twice",
    inWorld({}, async ({ world }) => {
      const people = Array.from({ length: 20 }, (_, i) => world.person(1010 + i));
      // Long enough for the kill to come before any answer leaves: then nothing may be doubtful.
      for (const { id } of people) world.ollama.script({ match: `Question ${id}`, answer: `Answer ${id}.`, firstTokenMs: 500, times: 9 });
      for (const [round, afterMs] of [5, 30, 90].entries()) {
        const asking = people.filter((_, i) => i % 3 === round);
        for (const person of asking) person.send(`Question ${person.id}`);
        await sleep(afterMs);
        await world.worker.restart();
      }
      await Promise.all(people.map((person) => person.until(`Answer ${person.id}.`, AGAIN_MS)));
      await Promise.all(people.map((person) => person.settled()));
      for (const person of people) {
        assert.deepEqual(person.texts().filter((text) => !text.includes("Your id")), [`Answer ${person.id}.`]);
        const stored = () => world.telegram.deliveries().filter((d) => d.queue === `main|chat:${person.id}` && d.status === 200);
        await world.telegram.waitFor(() => new Set(stored().map((d) => d.update_id)).size === 2, SOON_MS);
      }
    }),
  );

  test(
    "three times in the same answer: given up, said so, and the next message works",
    inWorld({}, async ({ world, person }) => {
      world.ollama.script({ match: "The question", hangBefore: true, times: 3 });
      person.send("The question");
      for (let i = 1; i <= 3; i++) {
        await world.ollama.waitFor(() => world.asked("The question").length === i, SOON_MS);
        await world.worker.restart();
        // Any update wakes the conversation; the alarm would, a few seconds later.
        person.send("/status");
      }
      await person.until("interrupted three times", AGAIN_MS);
      await person.talk("Something else");
      assert.equal(world.asked("The question").length, 3);
    }),
  );

  test(
    "with a stop already asked for: it stays stopped",
    inWorld({}, async ({ world, person }) => {
      world.ollama.script({ match: "The question", hangBefore: true, times: 2 });
      person.send("The question");
      await world.ollama.waitFor(() => world.asked("The question").length === 1, SOON_MS);
      await world.worker.kill();
      chatObject(world.persistTo, "main:1001").run("UPDATE turn SET stop_requested = 1 WHERE state = 'running'");
      await world.worker.restart();
      await person.until("Stopped", AGAIN_MS);
      assert.equal(world.asked("The question").length, 1);
    }),
  );

  test(
    "while owners are being asked about a stranger: the question still comes, nobody is told twice",
    inWorld({ owners: [1001, 1002] }, async ({ world, person }) => {
      const second = world.person(1002);
      await second.talk("I own it too");
      world.telegram.faults.add({ method: "sendMessage", chat: 1001, action: { hangMs: 60_000, acts: true } });
      world.person(3001).send("Hello?");
      await person.until("id 3001");
      await world.worker.kill();
      await world.worker.restart();
      await second.until("id 3001", AGAIN_MS);
      for (const owner of [person, second]) assert.equal(owner.texts().filter((text) => text.includes("id 3001")).length, 1);
    }),
  );
});
