// Relays that break the protocol, or speak a newer one, while a conversation waits on them: the person is answered by another
// model or told, and everybody else's answers come whole. Deliberately not here: honest relays (relay*.test.mjs).

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { until } from "../support/life.mjs";
import { say, use } from "../support/models.mjs";
import { startHome } from "../support/relay.mjs";
import { KIND, MAX_FRAME, encode } from "../support/relay-wire.mjs";
import { answer, data, end, frame, head, startRogue } from "../support/rogue.mjs";
import { startWorld } from "../support/world.mjs";

const WORDS = Array.from({ length: 150 }, (_, i) => `word${i}`).join(" ");
const TOLD_MS = 50_000;
const BROKEN = 4400;
const NO_VERSION = 4426;
/** The beginning of an answer. */
const SHORT = answer("Half of ").subarray(0, 60);

/** What a rogue does in the middle of an answer, and the code its link is closed with; null: its link stays. */
const MISDEEDS = {
  "a frame of an unknown kind": [(call) => [frame(0x7f, call)], BROKEN],
  "random bytes": [() => [Buffer.concat([Buffer.from([0x00]), randomBytes(1_000)])], BROKEN],
  "an empty frame": [() => [Buffer.alloc(0)], BROKEN],
  "half a header": [() => [Buffer.from([KIND.DATA, 0, 0])], BROKEN],
  "a frame that is too long": [(call) => [data(call, 0, Buffer.alloc(MAX_FRAME))], BROKEN],
  "a frame of 8 MB": [(call) => [data(call, 0, Buffer.alloc(8_000_000))], BROKEN],
  "text": [() => ["hello"], BROKEN],
  "JSON that is none": [(call) => [frame(KIND.HEAD, call, "{")], BROKEN],
  "a frame of the other side": [(call) => [encode({ kind: "OPEN", call, version: 1, method: "POST", path: "/api/chat", length: 0 })], BROKEN],
  "HELLO once more": [() => [encode({ kind: "HELLO", version: 1, oldest: 1, name: "x", instance: "y", software: "z", takeover: true, max_parallel: 1 })], BROKEN],
  "a call where none belongs": [(call) => [encode({ kind: "STATE", call, max_parallel: 1 })], BROKEN],
  "credit for what was never sent": [(call) => [encode({ kind: "CREDIT", call, received: 1e12, limit: 2e12 })], null],
  "bytes out of order": [(call) => [head(call), data(call, 7, SHORT)], null],
  "bytes twice": [(call) => [head(call), data(call, 0, SHORT), data(call, 0, SHORT)], null],
  "bytes beyond the limit": [(call) => [head(call), ...Array.from({ length: 40 }, (_, i) => data(call, i * 64_000, Buffer.alloc(64_000, "x")))], null],
  "bytes before the head": [(call) => [data(call, 0, SHORT)], null],
  "two heads": [(call) => [head(call), head(call, 404)], null],
  "an end after another length": [(call) => [head(call), data(call, 0, SHORT), end(call, 5)], null],
  "an end before its beginning": [(call) => [end(call, 0)], null],
  "a status that is none": [(call) => [head(call, 7)], null],
  "an answer that is no Ollama's": [(call) => [head(call), data(call, 0, "<html>"), end(call, 6)], null],
  "a failure of an unknown sort": [(call) => [encode({ kind: "FAIL", call, code: "made_up", message: "x".repeat(5_000) })], null],
};

// The hub takes 16 relays at a time.
describe("rogue relays", { concurrency: 7 }, () => {
  let world;
  let home;
  let next = 1001;
  before(async () => {
    world = await startWorld({ relay: true, access: true });
    home = await startHome(world);
  });
  after(async () => {
    await home?.close();
    await world?.close();
  });

  /** A person whose question has just reached a rogue of their own. */
  const meet = async (settings) => {
    const id = next++;
    const person = world.person(id);
    const rogue = await startRogue(world, { name: `rogue-${id}`, ...settings });
    await rogue.take("WELCOME");
    await use(person, `relay:rogue-${id}/rogue:1b`);
    return { person, rogue };
  };

  for (const [name, [deed, code]] of Object.entries(MISDEEDS)) {
    test(`${name}: ${code ? "its link is closed" : "the call ends"}, another model answers`, async () => {
      const { person, rogue } = await meet({ onCall: (wire, call) => wire.send(...deed(call)) });
      world.ollama.script({ match: `Question ${person.id}`, answer: "I stand in." });
      const { text } = await say(person, `Question ${person.id}`, "I stand in.", TOLD_MS);
      assert.match(text, /^I stand in\.\n\n↪️ /);
      if (code) assert.equal(await rogue.code(), code);
      else rogue.close();
      await person.settled();
      assert.equal(person.texts().filter((one) => /Half of|🔌|⚠️/.test(one)).length, 0);
    });
  }

  test("frames of another relay's call harm nobody but their sender", async () => {
    let theirs;
    const { person, rogue } = await meet({ onCall: (wire, call) => ((theirs = call), wire.send(head(call))) });
    person.send(`Question ${person.id}`);
    await until(async () => theirs, "the call");
    const thief = await startRogue(world, { name: "thief" });
    thief.send(data(theirs, 0, answer("Stolen.")), end(theirs, answer("Stolen.").length));
    assert.equal(await thief.code(), BROKEN);
    const whole = answer("My own.");
    rogue.send(data(theirs, 0, whole), end(theirs, whole.length));
    assert.equal((await person.until("My own.")).text, "My own.");
    rogue.close();
  });

  test("a newer version that still speaks ours: unknown kinds, fields and words are read over", async () => {
    const whole = answer("From the future.");
    const { person, rogue } = await meet({
      version: 9,
      colour: "blue",
      onCall: (wire, call) =>
        wire.send(
          frame(0x80, call, "anything"),
          frame(0xff, 0, randomBytes(50)),
          { kind: "WAIT", call, phase: "dreaming", of: "sheep" },
          { kind: "HEAD", call, status: 200, mood: "good" },
          data(call, 0, whole),
          end(call, whole.length),
        ),
    });
    assert.equal((await say(person, `Question ${person.id}`, "From the future.")).text, "From the future.");
    rogue.close();
  });

  test("a version that has nothing in common with ours is refused", async () => {
    const rogue = await startRogue(world, { name: "far-future", version: 9, oldest: 5, wait: false });
    assert.equal(await rogue.code(), NO_VERSION);
  });

  test("HELLO that is none, a name that is none, and a frame before HELLO", async () => {
    for (const hello of [{ name: "No Name" }, { name: "" }, { instance: "" }, { version: "one" }, { max_parallel: -1 }]) {
      const rogue = await startRogue(world, { name: "odd", ...hello, wait: false });
      assert.equal(await rogue.code(), BROKEN, JSON.stringify(hello));
    }
  });

  test("a relay that stops reading in the middle of a request does not hold anybody else", async () => {
    const { person, rogue } = await meet({});
    rogue.socket.pause();
    world.ollama.script({ match: `Question ${person.id}`, answer: "I stand in." });
    await say(person, `Question ${person.id}`, "I stand in.", TOLD_MS);
    rogue.cut();
  });

  test("meanwhile an honest relay's long answers come whole", async () => {
    const person = world.person(1060);
    await use(person, "relay:home/qwen3:8b");
    for (const round of [1, 2, 3]) {
      home.ask(person, `Round ${round}`, { answer: `${round} ${WORDS}`, tokensPerSecond: 60 });
      await person.until(`${round} ${WORDS}`, TOLD_MS);
      assert.equal(home.asked(`Round ${round}`).length, 1);
    }
    assert.equal((await home.relay.metrics()).ollama_relay_reconnects_total ?? 0, 0);
  });
});
