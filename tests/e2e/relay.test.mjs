// A conversation through the real relay to an Ollama of somebody's own: what is on offer, what gets there and how, what the
// person sees while they wait. Deliberately not here: what breaks (waiting/).

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { until } from "./support/life.mjs";
import { pick, say, use } from "./support/models.mjs";
import { startHome, startRelay } from "./support/relay.mjs";
import { SOON_MS, startWorld } from "./support/world.mjs";

const MB = 1024 * 1024;
const WORDS = Array.from({ length: 120 }, (_, i) => `word${i}`).join(" ");
const MISTRAL = [{ name: "mistral:7b", context: 32_768, capabilities: ["completion", "tools"] }];
/** A line about the load comes after 10 s of it. */
const LOAD_MS = 13_000;

const photo = (size) => Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), randomBytes(size - 8)]);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

describe("relay", { concurrency: 8 }, () => {
  let world;
  const homes = {};
  const open = async (name, settings) => (homes[name] = await startHome(world, { name, ...settings }));
  /** What the hub says of a relay. */
  const seen = async (name) => (await world.admin("/api/relays")).json.relays.find((relay) => relay.name === name);

  before(async () => {
    world = await startWorld({ relay: true, access: true });
    await Promise.all([open("home"), open("den", { models: MISTRAL }), open("one", { args: ["--max-parallel", 1] }), open("late"), open("stop", { args: ["--max-parallel", 1] })]);
  });
  after(async () => {
    await Promise.all(Object.values(homes).map((home) => home.close()));
    await world?.close();
  });

  test("/model lists what relays have; one is picked, answers, and calls a tool", async () => {
    const person = world.person(1001);
    assert.match(await pick(world, person, "relay/mistral:7b"), /relay\/mistral:7b/);
    homes.den.ask(person, "Who is there", { answer: "It is me, in the den." });
    await person.until("It is me, in the den.");
    const [request] = homes.den.asked("Who is there");
    assert.equal(request.model, "mistral:7b");
    assert.ok(request.body.options.num_ctx >= 4_096, "a local server is told how long its context has to be");
    assert.deepEqual([request.body.truncate, request.authorization], [false, null]);
    for (const name of ["cf-worker", "cookie", "x-tideclaw-session"]) assert.ok(!(name in request.headers), name);
    assert.match((await say(person, "What time is it?", /The tool says/)).text, /20\d\d/);
    assert.equal(homes.den.asked("What time").length, 2);
  });

  test("a photo of some MB arrives byte for byte", async () => {
    const person = world.person(1002);
    await use(person, "relay:home/gemma4:12b");
    const bytes = photo(6 * MB);
    homes.home.ollama.script({ match: "What is this", answer: "A picture of the sea." });
    person.send({ photo: { bytes }, text: "What is this?" });
    await person.until("A picture of the sea.");
    assert.deepEqual(homes.home.asked("What is this").map(({ media }) => media.map((one) => one.sha256)), [[sha256(bytes)]]);
  });

  test("a picture too large for a relay is left out, and the model hears of it", async () => {
    const person = world.person(1003);
    await use(person, "relay:home/gemma4:12b");
    homes.home.ask(person, "And this", { answer: "I cannot see it." });
    person.send({ document: { bytes: photo(14 * MB), file_name: "huge.png", mime_type: "image/png" }, text: "And this?" });
    assert.equal((await person.until("I cannot see it.")).text, "I cannot see it.");
    const [asked] = homes.home.asked("And this");
    assert.deepEqual(asked.media ?? [], []);
    // Nobody else goes without because of it.
    const other = world.person(1012);
    await use(other, "relay:home/gemma4:12b");
    homes.home.ask(other, "And without", { answer: "Gladly." });
    assert.equal((await other.until("Gladly.")).text, "Gladly.");
  });

  test("each relay has its own models: by model, by name, and none", async () => {
    const person = world.person(1004);
    await use(person, "relay:home/qwen3:8b");
    homes.home.ask(person, "At home", { answer: "Home it is." });
    await person.until("Home it is.");
    await use(person, "relay/mistral:7b");
    homes.den.ask(person, "In the den", { answer: "Den it is." });
    await person.until("Den it is.");
    assert.deepEqual([homes.home, homes.den].map((home) => home.asked("the den").length + home.asked("At home").length), [1, 1]);
    await use(person, "relay:den/qwen3:8b");
    world.ollama.script({ match: "Is anybody there", answer: "I stand in." });
    const { text } = await say(person, "Is anybody there", "I stand in.");
    assert.match(text, /↪️ .*relay:den\/qwen3:8b/);
    homes.home.ask(person, "Still", { answer: "Nobody rests for that." });
    await use(person, "relay:home/qwen3:8b");
    assert.equal((await say(person, "Still there", "Nobody rests")).text, "Nobody rests for that.");
  });

  test("who finds the relay busy reads so, and is answered in turn", async () => {
    const [first, second] = [world.person(1005), world.person(1006)];
    for (const person of [first, second]) await use(person, "relay:one/qwen3:8b");
    homes.one.ask(first, "The long one", { answer: WORDS, tokensPerSecond: 16 });
    await world.telegram.waitFor(() => first.drafts().some((draft) => draft.text.includes("word2")), SOON_MS);
    homes.one.ask(second, "The short one", { answer: "In turn." });
    await world.telegram.waitFor(() => [...second.drafts(), ...second.replies()].some((m) => /⏳ Waiting for a free place/.test(m.text)), SOON_MS);
    assert.equal((await world.admin("/api/relays")).json.queued, 1);
    assert.equal(homes.one.asked("The short one").length, 0);
    await first.until(WORDS, SOON_MS + 15_000);
    await second.until("In turn.");
    const [long] = homes.one.asked("The long one");
    const [short] = homes.one.asked("The short one");
    assert.ok(short.at >= long.endedAt - 50, "one at a time");
    assert.deepEqual(second.texts().filter((text) => /⏳/.test(text)), [], "the line is gone");
  });

  test("a model that takes long to load: a line after 10 s, then the answer", async () => {
    const person = world.person(1007);
    await use(person, "relay:late/qwen3:8b");
    homes.late.ask(person, "Wake up", { answer: "I was asleep.", loadMs: LOAD_MS });
    const began = performance.now();
    const line = () => [...person.drafts(), ...person.replies()].find((m) => /⏳/.test(m.text));
    await world.telegram.waitFor(line, LOAD_MS);
    const told = performance.now() - began;
    assert.ok(told >= 9_000, `told after ${told} ms`);
    assert.match(line().text, /qwen3:8b/);
    await person.until("I was asleep.");
    assert.equal(homes.late.asked("Wake up").length, 1, "not asked again meanwhile");
    await world.telegram.waitFor(() => !person.texts().some((text) => /⏳/.test(text)), SOON_MS);
    await until(async () => (await seen("late")).models.some((model) => model.loaded && model.name === "qwen3:8b"), "the loaded model");
  });

  test("a stop in mid-answer ends Ollama's work and frees the slot", async (t) => {
    const person = world.person(1008);
    await use(person, "relay:stop/qwen3:8b");
    homes.stop.ask(person, "A long story", { answer: WORDS, tokensPerSecond: 10 });
    await world.telegram.waitFor(() => person.drafts().some((draft) => draft.text.includes("word3")), SOON_MS);
    const began = performance.now();
    person.send("/stop");
    const request = await homes.stop.ollama.waitFor(() => homes.stop.asked("A long story")[0].aborted && homes.stop.asked("A long story")[0], SOON_MS);
    t.diagnostic(`Ollama's request ended ${Math.round(request.abortedAt - began)} ms after the stop`);
    assert.ok(request.abortedAt - began < 2_000);
    await person.until(/Stopped/);
    homes.stop.ask(person, "And now", { answer: "Here I am." });
    await person.until("Here I am.");
    assert.equal((await seen("stop")).in_flight, 0);
  });

  test("a stop while a model loads ends the wait, and Ollama's", async () => {
    const person = world.person(1009);
    const home = await open("sleepy");
    await use(person, home.model);
    home.ask(person, "Load for ever", { loadMs: 60_000 });
    await home.ollama.waitFor(() => home.asked("Load for ever").length === 1, SOON_MS);
    person.send("/stop");
    await person.until(/Stopped/);
    await home.ollama.waitFor(() => home.asked("Load for ever")[0].aborted, SOON_MS);
  });

  test("told to stop, it finishes what runs, says so, and ends with 0", async () => {
    const home = await open("leaving");
    const person = world.person(1010);
    await use(person, home.model);
    home.ask(person, "One more", { answer: WORDS, tokensPerSecond: 40 });
    await world.telegram.waitFor(() => person.drafts().some((draft) => draft.text.includes("word3")), SOON_MS);
    const ended = home.relay.kill("SIGTERM");
    await until(async () => (await seen("leaving")).draining, "the hub to know");
    await person.until(WORDS);
    assert.deepEqual(await ended, { code: 0, signal: null });
    assert.equal(home.asked("One more").length, 1);
    await until(async () => !(await seen("leaving")).connected, "the hub to know that it is gone");
  });

  test("a wrong token ends it with 3 and a word on why", async () => {
    const relay = (homes.stranger = await startRelay(world, { name: "stranger", ollama: homes.home.ollama, token: "wrong-0123456789", wait: false }));
    assert.deepEqual(await relay.exited, { code: 3, signal: null });
    assert.match(relay.logs(), /token/i);
    assert.ok(!relay.logs().includes("wrong-0123456789"));
    assert.equal(await seen("stranger"), undefined);
  });

  test("a second relay of the same name takes the place of the first, and both say so", async () => {
    const home = await open("twin");
    const person = world.person(1011);
    await use(person, home.model);
    const second = (homes.second = await startRelay(world, { name: "twin", ollama: home.ollama }));
    await until(() => /replaced|another relay/i.test(home.relay.logs()), "the first one's word");
    assert.equal(home.relay.ended(), undefined, "it stays, for when the other one leaves");
    assert.equal(await home.relay.healthy(), false);
    assert.equal((await world.admin("/api/relays")).json.relays.filter((relay) => relay.name === "twin").length, 1);
    home.ask(person, "Who answers", { answer: "The second." });
    await person.until("The second.");
    await until(async () => (await second.metrics())['ollama_relay_calls_total{outcome="complete"}'] === 1, "the count");
    assert.ok(world.logged("twin").some(({ message }) => /replaced/i.test(message)), "the hub's word");
  });
});
