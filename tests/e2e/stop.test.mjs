// Stop: by command, word, inline button and Telegram's own button, before the first byte and in mid-stream. Within a
// second the model's request is gone, what was written is kept, and the next message works.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SOON_MS, startWorld } from "./support/world.mjs";

const WITHIN_MS = 1_000;
const LONG = Array.from({ length: 400 }, (_, i) => `w${i}`).join(" ");

const MODELS = {
  "a model that never says a byte": { hangBefore: true },
  "a model in mid-stream": { answer: LONG, tokensPerSecond: 40 },
  "a model that fell silent in mid-stream": { answer: LONG, hangAfter: 60, tokensPerSecond: 200 },
};

/** Stops a running answer and checks all that must be true then. `stop` acts as the person. */
async function stopping(t, { world, person, behaviour, stop }) {
  const question = `Question of ${person.id}`;
  person.ask(question, behaviour);
  const speaks = behaviour.answer !== undefined;
  const request = await world.ollama.waitFor(() => world.asked(question)[0], SOON_MS);
  const seen = () => [...person.drafts(), ...person.replies()].some((m) => m.text.includes("w3"));
  if (speaks) await world.telegram.waitFor(seen, SOON_MS);
  const shown = await stop.ready?.();
  const began = performance.now();
  stop.act(shown);
  await world.ollama.waitFor(() => request.aborted, SOON_MS);
  const aborted = request.abortedAt - began;
  const message = await person.until(/Stopped|Остановлено/);
  const told = performance.now() - began;
  t.diagnostic(`model request aborted after ${Math.round(aborted)} ms, person told after ${Math.round(told)} ms`);
  assert.ok(aborted < WITHIN_MS, `aborted after ${aborted} ms`);
  assert.ok(told < WITHIN_MS, `told after ${told} ms`);
  if (speaks) assert.ok(message.text.startsWith("w0 w1 w2 w3"), `what was written is kept: ${message.text.slice(0, 50)}`);
  const next = `Next one of ${person.id}`;
  await person.talk(next);
  await world.telegram.waitFor(() => person.replies().every((m) => !m.reply_markup), SOON_MS);
  assert.equal(world.asked(question).length, 1, "not asked again");
  assert.equal(person.texts().filter((text) => /Stopped|Остановлено/.test(text)).length, 1);
  if (speaks) {
    const context = JSON.stringify(world.asked(next)[0].body.messages);
    assert.match(context, /w0 w1 w2/, "the model knows what it had said");
  }
}

describe("stop while drafts are shown", { concurrency: 6 }, () => {
  let world;
  let next = 1001;
  before(async () => (world = await startWorld()));
  after(() => world?.close());

  for (const [name, behaviour] of Object.entries(MODELS)) {
    for (const words of ["/stop", "стоп", "STOP!", "/stop@tide_main_bot"]) {
      test(`${words}: ${name}`, async (t) => {
        const person = world.person(next++);
        await stopping(t, { world, person, behaviour, stop: { act: () => person.send(words) } });
      });
    }
    if (!behaviour.answer) continue;
    test(`Telegram's own Stop button: ${name}`, async (t) => {
      const person = world.person(next++);
      const ready = () => world.telegram.waitFor(() => person.drafts().length > 0, SOON_MS);
      await stopping(t, { world, person, behaviour, stop: { ready, act: () => world.telegram.stopDraft({ chat: person.id }) } });
    });
  }

  test("a stop word in Russian is answered in Russian", async (t) => {
    const id = next++;
    world.telegram.setUser({ id, language_code: "ru" });
    const person = world.person(id);
    await stopping(t, { world, person, behaviour: { hangBefore: true }, stop: { act: () => person.send("Стоп.") } });
    assert.ok(person.texts().some((text) => text.includes("Остановлено")));
  });

  test("/stop also drops what waits; without anything running it says so, and “stop” alone is just a word", async () => {
    const person = world.person(next++);
    person.ask("A long story", { hangBefore: true });
    await world.ollama.waitFor(() => world.asked("A long story").length === 1);
    person.send("And this waits");
    await person.until("I will answer this together");
    person.send("/stop");
    await person.until("⏹ Stopped.");
    person.send("/stop");
    await person.until("Nothing is running");
    person.ask("stop", { answer: "Stop what?" });
    await person.until("Stop what?");
    assert.equal(world.asked("And this waits").length, 0);
  });

  test("what is still being gathered is dropped before the model hears of it", async () => {
    const person = world.person(next++);
    const text = `${"long ".repeat(800)}tail-of-${person.id}`;
    person.send(text);
    person.send("стоп");
    await person.settled();
    await person.talk(`Instead ${person.id}`);
    assert.equal(world.asked(`tail-of-${person.id}`).length, 0);
    assert.equal(person.replies().length, 2);
  });

  test("/new in mid-stream ends the answer and starts with an empty memory", async () => {
    const person = world.person(next++);
    person.ask("Remember 4711", { answer: LONG, tokensPerSecond: 40 });
    const request = await world.ollama.waitFor(() => world.asked("Remember 4711").find((r) => r.chunksSent > 5));
    person.send("/new");
    await world.ollama.waitFor(() => request.aborted, WITHIN_MS);
    await person.until("A fresh conversation");
    await person.talk("What was it?");
    assert.ok(!JSON.stringify(world.asked("What was it?")[0].body.messages).includes("4711"));
  });
});

describe("stop in edit mode", { concurrency: 4 }, () => {
  let world;
  before(async () => (world = await startWorld({ vars: { STREAM_MODE: "edit" } })));
  after(() => world?.close());

  for (const [i, name] of ["a model in mid-stream", "a model that fell silent in mid-stream"].entries()) {
    test(`the inline button: ${name}`, async (t) => {
      const person = world.person(1001 + i);
      const ready = () => person.until((m) => m.reply_markup);
      let toast;
      const act = (message) => (toast = person.press(message, "⏹ Stop"));
      await stopping(t, { world, person, behaviour: MODELS[name], stop: { ready, act } });
      assert.equal(await toast, "Stopping…");
      assert.equal(person.view().deleted.length, 1, "the placeholder is gone");
    });
  }

  test("the button of a finished answer says that there is nothing to stop", async () => {
    const person = world.person(1010);
    person.ask("Slow then done", { answer: LONG.slice(0, 300), tokensPerSecond: 60 });
    const placeholder = await person.until((m) => m.reply_markup);
    const { callback_data } = placeholder.reply_markup.inline_keyboard[0][0];
    const answer = await person.until(LONG.slice(250, 300));
    await world.telegram.waitFor(() => person.replies().length === 1, SOON_MS);
    const press = world.telegram.press({ from: person.id, chat: person.id, message_id: answer.message_id, data: callback_data, force: true });
    const { answer: toast } = await world.telegram.waitFor(() => [world.telegram.callback(press)].find((p) => p?.answer));
    assert.equal(toast.text, "Nothing is running.");
  });
});
