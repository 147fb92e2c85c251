// Whatever is between a conversation and somebody's Ollama breaks: the relay, the Ollama, the hub, the Worker, the network,
// each in the middle of an answer and between two. The person gets the whole answer once, or reads what happened.
// Deliberately not here: long cuts of the network (relay-cuts.test.mjs), relays that break the protocol (relay-rogue.test.mjs).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../support/life.mjs";
import { say, use } from "../support/models.mjs";
import { startHome, startLocalOllama, startRelay } from "../support/relay.mjs";
import { SOON_MS, startWorld } from "../support/world.mjs";

const WORDS = Array.from({ length: 150 }, (_, i) => `word${i}`).join(" ");
/** 300 tokens: about 8 s. */
const PACE = { answer: WORDS, tokensPerSecond: 40 };
/** What is lost is given up after 20 s, and tried again. */
const TOLD_MS = 50_000;
/** After a kill of the Worker the alarm goes off within 10 s. */
const AGAIN_MS = 60_000;
const TROUBLE = /🔌|⚠️/;

/** Resolves once the person sees the answer grow. */
const begun = (world, person) => world.telegram.waitFor(() => person.drafts().some((draft) => draft.text.includes("word3")), SOON_MS);

/** That the whole answer is there once, and no word of trouble. */
function assertWhole(person, wholes = 1) {
  const texts = person.texts().filter((text) => text.includes("word"));
  assert.deepEqual(texts, Array(wholes).fill(WORDS));
  assert.deepEqual(person.texts().filter((text) => TROUBLE.test(text)), []);
}

/** A world with homes, closed after the tests of the block. */
function inWorld(options, name, work, { concurrency = 14 } = {}) {
  describe(name, { concurrency }, () => {
    const it = { next: 1001, homes: [] };
    // Nobody has the default model: what a person has picked is all there is.
    before(async () => (it.world = await startWorld({ relay: true, access: true, ...options, vars: { DEFAULT_MODEL: "relay/nobody:1b", ...options.vars } })));
    after(async () => {
      await Promise.all(it.homes.map((home) => home.close()));
      await it.world?.close();
    });
    /** A home of the test's own and a person who talks through it. */
    it.home = async (settings) => {
      const id = it.next++;
      const home = await startHome(it.world, { name: `h${id}`, ...settings });
      it.homes.push(home);
      const person = it.world.person(id);
      await use(person, home.model);
      return { home, person, world: it.world };
    };
    /** What the hub says of a home's relay. */
    it.seen = async (home) => (await it.world.admin("/api/relays")).json.relays.find((relay) => relay.name === home.name);
    work(it);
  });
}

/** The same with a person whose answer has just begun. */
async function midStream(it, settings) {
  const all = await it.home(settings);
  all.home.ask(all.person, "The question", PACE);
  await begun(all.world, all.person);
  return all;
}

inWorld({}, "without another model", (it) => {
  for (const [lang, wanted] of [["en", /🔌 .*relay/], ["ru", /🔌 .*[Рр]еле/]]) {
    test(`the relay is killed in mid-answer: said so (${lang}), and the next answer comes once it is back`, async (t) => {
      const { home, person, world } = await it.home();
      world.telegram.setUser({ id: person.id, language_code: lang });
      home.ask(person, "The question", PACE);
      await begun(world, person);
      const began = performance.now();
      await home.relay.kill();
      const { text } = await person.until(wanted, TOLD_MS);
      t.diagnostic(`told after ${Math.round((performance.now() - began) / 100) / 10} s: ${text}`);
      home.relay = await home.relay.again();
      home.ask(person, "And now", { answer: "Back again." });
      await person.until("Back again.", TOLD_MS);
    });
  }

  test("the relay is killed in mid-answer and started again at once: the whole answer, once", async () => {
    const { home, person } = await midStream(it);
    await home.relay.kill();
    home.ollama.script({ match: "The question", answer: WORDS });
    home.relay = await home.relay.again();
    await person.until(WORDS, TOLD_MS);
    await person.settled();
    assertWhole(person);
    assert.equal(home.asked("The question").length, 2);
  });

  test("the relay is killed between two answers: not noticed once it is back", async () => {
    const { home, person } = await it.home();
    home.ask(person, "Before", { answer: "Yes, before." });
    await person.until("Yes, before.");
    await home.relay.kill();
    home.relay = await home.relay.again();
    home.ask(person, "After", PACE);
    await person.until(WORDS, SOON_MS);
    assertWhole(person);
    assert.match(JSON.stringify(home.asked("After")[0].body.messages), /Yes, before/, "it remembers");
  });

  test("Ollama is gone before the answer: said so, the relay stays, and works with it again", async () => {
    const { home, person } = await it.home();
    const port = Number(new URL(home.ollama.url).port);
    await home.ollama.close();
    const { text } = await say(person, "Are you there", TROUBLE, TOLD_MS);
    assert.ok(text.length > 20, text);
    await until(async () => (await it.seen(home)).trouble, "the relay to say that Ollama is gone");
    assert.equal((await it.seen(home)).connected, true);
    home.ollama = await startLocalOllama({ port });
    await until(async () => !(await it.seen(home)).trouble, "the relay to see that it is back");
    home.ollama.script({ match: "And now", answer: "Here I am." });
    person.send("And now");
    await person.until("Here I am.", TOLD_MS);
  });

  test("Ollama dies in mid-answer: said so; once it is back, it answers", async () => {
    const { home, person } = await midStream(it);
    const port = Number(new URL(home.ollama.url).port);
    await home.ollama.close();
    assert.match((await person.until(TROUBLE, TOLD_MS)).text, /🔌 .*Ollama/);
    home.ollama = await startLocalOllama({ port });
    await until(async () => !(await it.seen(home)).trouble, "the relay to see that it is back");
    home.ask(person, "And now", PACE);
    await person.until(WORDS, TOLD_MS);
    assert.equal(person.texts().filter((text) => text.includes("word")).length, 1);
  });

  test("Ollama breaks off in mid-answer, then does better: the whole answer, once", async () => {
    const { home, person } = await it.home();
    home.ollama.script({ match: "The question", answer: WORDS, tokensPerSecond: 200, resetAfter: 100 }, { match: "The question", answer: WORDS });
    person.send("The question");
    await person.until(WORDS, TOLD_MS);
    await person.settled();
    assertWhole(person);
    assert.equal(home.asked("The question").length, 2);
  });

  test("Ollama says an error in mid-answer, then does better", async () => {
    const { home, person } = await it.home();
    home.ollama.script({ match: "The question", answer: WORDS, errorLineAfter: 40 }, { match: "The question", answer: WORDS });
    person.send("The question");
    await person.until(WORDS, TOLD_MS);
    await person.settled();
    assertWhole(person);
    assert.equal(home.asked("The question").length, 2);
  });

  test("the link is reset again and again in mid-answer: it goes on where it was", async () => {
    const { home, person } = await midStream(it, { net: true });
    for (let i = 0; i < 3; i++) {
      home.net.cut();
      await sleep(1_500);
    }
    await person.until(WORDS, TOLD_MS);
    await person.settled();
    assertWhole(person);
    assert.equal(home.asked("The question").length, 1, "the same call, to its end");
    assert.ok(home.net.made() >= 3);
  });

  test("the link is reset between two answers: not noticed", async () => {
    const { home, person } = await it.home({ net: true });
    home.net.cut();
    home.ask(person, "After", PACE);
    await person.until(WORDS, TOLD_MS);
    assertWhole(person);
    assert.equal(home.asked("After").length, 1);
  });

  test("a socket that is half open in mid-answer: the whole answer, once", async (t) => {
    const { home, person } = await midStream(it, { net: true });
    home.ollama.script({ match: "The question", answer: WORDS });
    home.net.strand();
    const began = performance.now();
    await person.until(WORDS, TOLD_MS + 20_000);
    t.diagnostic(`whole after ${Math.round((performance.now() - began) / 1000)} s, in ${home.asked("The question").length} calls`);
    await person.settled();
    assertWhole(person);
  });

  test("far away and narrow: a long answer comes whole", async () => {
    const { home, person } = await it.home({ net: true });
    home.net.delay(120);
    home.net.slow(60_000);
    const long = Array.from({ length: 1_500 }, (_, i) => `word${i}`).join(" ");
    home.ask(person, "Tell me everything", { answer: long, tokensPerSecond: 2_000 });
    await person.until("word1499", TOLD_MS);
    const joined = person.texts().filter((text) => text.includes("word")).join(" ").replace(/\s+/g, " ");
    assert.equal(joined, long);
  });

  test("a home that is slow to answer but lives is waited for", async () => {
    const { home, person } = await it.home();
    home.ask(person, "Think long", { answer: "Thought.", hangBefore: 28_000 });
    await person.until("Thought.", TOLD_MS);
    assert.equal(home.asked("Think long").length, 1);
  });
});

inWorld({ vars: { DEFAULT_MODEL: "ollama/plain:1b" } }, "with another model", (it) => {
  test("the relay is killed in mid-answer: the other one answers", async (t) => {
    const { home, person, world } = await midStream(it);
    world.ollama.script({ match: "The question", answer: "I stand in." });
    const began = performance.now();
    await home.relay.kill();
    const { text } = await person.until("I stand in.", TOLD_MS);
    t.diagnostic(`answered after ${Math.round((performance.now() - began) / 1000)} s`);
    assert.match(text, new RegExp(`^I stand in\\.\\n\\n↪️ .*${home.model}`));
    assert.equal(person.texts().filter((one) => one.includes("word")).length, 0, "half an answer is not left standing");
  });

  test("no relay is there: waited for while it may come back, then the other one answers at once", async () => {
    const { home, person, world } = await it.home();
    await home.relay.kill();
    const ask = async (text) => {
      world.ollama.script({ match: text, answer: "I stand in." });
      const began = performance.now();
      await say(person, text, "I stand in.", TOLD_MS);
      return performance.now() - began;
    };
    assert.ok((await ask("Anybody there")) < 30_000);
    assert.ok((await ask("And now")) < 5_000);
  });
});

inWorld({}, "the hub is evicted", (it) => {
  for (const sockets of ["hibernate", "close"]) {
    const what = sockets === "hibernate" ? "its sockets stay" : "its sockets end";
    test(`in mid-answer, three times, ${what}: nothing lost, nothing doubled`, async () => {
      const { home, person, world } = await midStream(it);
      for (let i = 0; i < 3; i++) {
        await world.worker.evict("RelayHub", "hub", sockets);
        await sleep(1_200);
      }
      await person.until(WORDS, TOLD_MS);
      await person.settled();
      assertWhole(person);
      assert.equal(home.asked("The question").length, 1, "the same call, to its end");
    });

    test(`between two answers, ${what}: not noticed`, async () => {
      const { home, person, world } = await it.home();
      await world.worker.evict("RelayHub", "hub", sockets);
      home.ask(person, "After", PACE);
      await person.until(WORDS, TOLD_MS);
      assertWhole(person);
      assert.equal(home.asked("After").length, 1);
    });
  }

  test("while a call waits in line, and while its body is on the way", async () => {
    const { home, person, world } = await it.home({ args: ["--max-parallel", 1] });
    const other = world.person(1050);
    await use(other, home.model);
    home.ask(person, "The question", PACE);
    await begun(world, person);
    home.ask(other, "In line", { answer: "My turn." });
    await until(async () => (await world.admin("/api/relays")).json.queued === 1, "the line");
    await world.worker.evict("RelayHub", "hub");
    await person.until(WORDS, TOLD_MS);
    await other.until("My turn.", TOLD_MS);
    assertWhole(person);
    assert.equal(home.asked("In line").length, 1);
  });
}, { concurrency: 1 });

inWorld({}, "the Worker is killed", (it) => {
  test("in mid-answer: the whole answer, once; Ollama's first work is given up", async () => {
    const { home, person, world } = await midStream(it);
    home.ollama.script({ match: "The question", answer: WORDS });
    await world.worker.restart();
    await person.until(WORDS, AGAIN_MS);
    await person.settled();
    assertWhole(person);
    assert.equal(home.asked("The question").length, 2);
    await home.ollama.waitFor(() => home.asked("The question").every((request) => request.endedAt), TOLD_MS);
  });

  test("between two answers: not noticed once the relay is back", async () => {
    const { home, person, world } = await it.home();
    await world.worker.restart();
    await home.relay.untilConnected(40_000);
    home.ask(person, "After", PACE);
    await person.until(WORDS, TOLD_MS);
    assertWhole(person);
  });

  test("with another token: the relay ends with 3, one with the new token works", async () => {
    const { home, person, world } = await it.home();
    await world.worker.restart({ RELAY_TOKEN: "another-token-0123456789" });
    assert.deepEqual(await home.relay.exited, { code: 3, signal: null });
    home.relay = await startRelay(world, { name: home.name, ollama: home.ollama, token: "another-token-0123456789" });
    home.ask(person, "After", PACE);
    await person.until(WORDS, TOLD_MS);
    assertWhole(person);
  });
}, { concurrency: 1 });
