// Commands, their menu, the choice of a model, and the language.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SOON_MS, startWorld } from "./support/world.mjs";

describe("commands", { concurrency: 8 }, () => {
  let world;
  before(async () => {
    world = await startWorld();
    // From here on the bot knows its own name.
    await world.worker.cron();
  });
  after(() => world?.close());

  test("commands are answered without the model, also with @bot and in capitals; another bot's are not ours", async () => {
    const person = world.person(1001);
    const pairs = [["/start", "I am your assistant"], ["/help", "/whoami"], ["/HELP@Tide_Main_Bot", "In groups I answer"], ["/whoami", "Your id: 1001"], ["/nonsense", "I do not know /nonsense"], ["/status", "Model: ollama/plain:1b"]];
    for (const [command, answer] of pairs) {
      person.send(command);
      await person.until(answer);
    }
    assert.equal(world.ollama.requests().filter((r) => r.lastUser.startsWith("/")).length, 0);
    person.ask("/new@someone_else", { answer: "For the model." });
    await person.until("For the model.");
  });

  test("/new starts with an empty memory and says what was archived", async () => {
    const person = world.person(1002);
    await person.talk("My cat is called Vasya");
    await person.talk("Still know it?");
    assert.match(JSON.stringify(world.asked("Still know it?")[0].body.messages), /Vasya/);
    person.send("/new");
    await person.until("archived (4 messages)");
    await person.talk("And now?");
    assert.doesNotMatch(JSON.stringify(world.asked("And now?")[0].body.messages), /Vasya/);
  });

  test("/status while an answer runs tells for how long and what waits", async () => {
    const person = world.person(1003);
    person.ask("Long work", { hangBefore: true });
    await world.ollama.waitFor(() => world.asked("Long work").length === 1);
    person.send("waits");
    await person.until("I will answer this together");
    person.send("/status");
    const status = await person.until("Model:");
    assert.match(status.text, /Answering for \d+ s; waiting messages: 1/);
    person.send("/stop");
    await person.until("⏹ Stopped.");
    person.send("/status");
    await person.until(/Idle\nAnswers so far: 0/);
  });

  test("/model lists the live models, a tap picks one, and the next call uses it", async () => {
    const person = world.person(1004);
    person.send("/model");
    const menu = await person.until("Current model: ollama/plain:1b");
    const labels = menu.reply_markup.inline_keyboard.flat().map((b) => b.text);
    assert.equal(labels[0], "✓ ollama/plain:1b");
    for (const name of ["gpt-oss:120b", "qwen3:8b", "gemma4:31b"]) assert.ok(labels.includes(`ollama/${name}`), name);
    assert.equal(await person.press(menu, "ollama/qwen3:8b"), "✓ ollama/qwen3:8b answers from now on.");
    const changed = await person.until((m) => m.message_id === menu.message_id && m.text.includes("qwen3"));
    assert.ok(changed.reply_markup.inline_keyboard.flat().some((b) => b.text === "✓ ollama/qwen3:8b"));
    await person.talk("Who are you?");
    assert.equal(world.asked("Who are you?")[0].body.model, "qwen3:8b");
    const other = world.person(1005);
    await other.talk("And here?");
    assert.equal(world.asked("And here?")[0].body.model, "plain:1b", "one conversation's choice is not another's");
  });

  test("/model by name, and a provider that is not there", async () => {
    const person = world.person(1006);
    person.send("/model gemma4:31b");
    await person.until("✓ ollama/gemma4:31b answers from now on.");
    await person.talk("By name");
    assert.equal(world.asked("By name")[0].body.model, "gemma4:31b");
    person.send("/model nowhere/some-model");
    await person.until("provider is not set up");
  });

  test("a Russian reads Russian, also in buttons and errors; German reads English", async () => {
    world.telegram.setUser({ id: 1007, language_code: "ru" });
    world.telegram.setUser({ id: 1008, language_code: "de" });
    const [russian, german] = [world.person(1007), world.person(1008)];
    for (const command of ["/start", "/help", "/status", "/whoami", "/new", "/model", "/nonsense"]) russian.send(command);
    await world.telegram.waitFor(() => russian.replies().length === 7, SOON_MS);
    for (const text of russian.texts()) assert.match(text, /[а-яё]{3}/i, text);
    russian.ask("Ошибка?", { status: 401 });
    await russian.until("не принимает ключ");
    german.send("/help");
    await german.until("I answer what you write");
  });
});

test("more models than a page has: pages turn, and an old menu's button does not pick another model", async () => {
  const world = await startWorld();
  try {
    const named = (names) => world.ollama.setModels([{ name: "plain:1b", context: 8192, capabilities: ["completion", "tools"] }, ...names.map((name) => ({ name, context: 8192, capabilities: ["completion", "tools"] }))]);
    named(Array.from({ length: 20 }, (_, i) => `m${String(i).padStart(2, "0")}:1b`));
    const person = world.person(1001);
    person.send("/model");
    const menu = await person.until("Current model");
    const labels = () => person.replies().find((m) => m.message_id === menu.message_id).reply_markup.inline_keyboard.flat().map((b) => b.text);
    assert.deepEqual(labels().slice(-3), ["‹", "1/3", "›"]);
    person.press(menu, "›");
    await world.telegram.waitFor(() => labels().at(-2) === "2/3", SOON_MS);
    const stale = person.replies().find((m) => m.message_id === menu.message_id).reply_markup.inline_keyboard[0][0].callback_data;
    named(["other:1b"]);
    person.send("/model");
    await person.until((m) => m.message_id > menu.message_id && m.reply_markup);
    assert.equal(await person.press(menu, { data: stale, force: true }), "This button is no longer of use.");
    await person.talk("Unchanged?");
    assert.equal(world.asked("Unchanged?")[0].body.model, "plain:1b");
  } finally {
    await world.close();
  }
});

test("the live list does not load: the configured models are offered and it is said", async () => {
  const world = await startWorld({ vars: { FALLBACK_MODELS: "ollama/qwen3:8b", OLLAMA_BASE_URL: "http://127.0.0.1:9" } });
  try {
    const person = world.person(1001);
    person.send("/model");
    const menu = await person.until("did not load");
    assert.deepEqual(menu.reply_markup.inline_keyboard.flat().map((b) => b.text), ["✓ ollama/plain:1b", "ollama/qwen3:8b"]);
  } finally {
    await world.close();
  }
});

test("the command menu is set once in both languages, and not again after a restart", async () => {
  const world = await startWorld();
  try {
    const set = () => world.telegram.calls({ method: "setMyCommands" });
    assert.equal(await world.worker.cron(), 200);
    await world.telegram.waitFor(() => set().length === 2, SOON_MS);
    assert.ok(world.telegram.menu({ from: 1001 }).some((entry) => entry.command === "new" && /fresh/.test(entry.description)));
    world.telegram.setUser({ id: 1002, language_code: "ru" });
    assert.ok(world.telegram.menu({ from: 1002 }).some((entry) => /[а-я]/.test(entry.description)));
    await world.worker.cron();
    await world.worker.restart();
    await world.worker.cron();
    // As if a day had passed: the profile is looked at again, the menu is as it was.
    await world.worker.kill();
    world.objects("Directory")[0].run("UPDATE bot SET profile_checked_at = 0");
    await world.worker.restart();
    await world.worker.cron();
    await world.telegram.waitFor(() => world.telegram.calls({ method: "getMe" }).length === 2, SOON_MS);
    await world.person(1001).talk("Still there?");
    assert.equal(set().length, 2);
  } finally {
    await world.close();
  }
});
