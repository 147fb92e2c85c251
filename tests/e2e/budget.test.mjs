// Money: caps hold before a call, owners hear of thresholds once, the ledger counts each call once whatever dies.
// Models here have prices by MODEL_CATALOGUE; a server of one's own costs nothing otherwise.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { directory, eventually, ledger, say, use } from "./support/models.mjs";
import { chatObject } from "./support/objects.mjs";
import { SOON_MS, startWorld } from "./support/world.mjs";

const NANO = 1_000_000_000;
/** Dollars per million tokens of output; input is free, so that sums are round. */
const PRICE = 100;
const MODEL = "ollama/paid:1b";
const CATALOGUE = {
  [MODEL]: { input_usd: 0, output_usd: PRICE },
  "openai/plain-chat": { input_usd: PRICE, output_usd: PRICE },
};
/** What the Worker expects a call to cost at most: an answer of 4,096 tokens. */
const ESTIMATE = 0.4096;
const tokens = (usd) => Math.round((usd * 1_000_000) / PRICE);
const MODELS = ["paid:1b", "plain:1b"].map((name) => ({ name, context: 131_072, capabilities: ["completion", "tools"] }));
const VARS = { DEFAULT_MODEL: MODEL, MODEL_CATALOGUE: JSON.stringify(CATALOGUE), DAILY_BUDGET_USD: "1", MONTHLY_BUDGET_USD: "100" };

const spentOf = (world) => directory(world, "SELECT coalesce(sum(nano_usd), 0) AS sum FROM model_usage")[0].sum / NANO;

/** Asks for an answer that costs so many dollars, and resolves with it. */
function buy(world, person, text, usd) {
  world.ollama.script({ match: text, answer: `Answer to ${text}.`, outputTokens: tokens(usd) });
  return say(person, text, `Answer to ${text}.`);
}

describe("caps", { concurrency: 1 }, () => {
  let world;
  let owner;
  let other;
  before(async () => {
    world = await startWorld({ owners: [1001, 1002], openai: true, ollama: { models: MODELS }, vars: VARS });
    [owner, other] = [world.person(1001), world.person(1002)];
    await other.settled();
  });
  after(() => world?.close());

  /** A person whom the owner let in. */
  async function admitted(id, name) {
    world.telegram.setUser({ id, first_name: name, language_code: "en" });
    const guest = world.person(id);
    guest.send("Hello?");
    const asked = await owner.until((m) => m.reply_markup && m.text.includes(`id ${id}`));
    assert.equal(await owner.press(asked, "Approve"), "Approved.");
    await guest.until("You're in!");
    return guest;
  }

  const heard = (sign) => [owner, other].map((person) => person.texts().filter((text) => text.includes(sign)).length);

  test("the day's cap is reached in mid-conversation: no call is made, the person is told, owners hear each threshold once", async () => {
    await buy(world, owner, "First", 0.55);
    for (const person of [owner, other]) await person.until("💸 Today's model budget: 50 % is spent, $0.55 of $1.00.");
    await buy(world, owner, "Second", 0.3);
    for (const person of [owner, other]) await person.until("💸 Today's model budget: 80 % is spent, $0.85 of $1.00.");
    const told = await say(owner, "Third", "💰");
    assert.match(told.text, /^💰 Today's spending cap is reached\. I answer again from \S+ 00:00 UTC/);
    for (const person of [owner, other]) await person.until("⛔ Today's model budget is used up: $0.85 of $1.00.");
    await say(owner, "Fourth", "💰");
    await Promise.all([owner.settled(), other.settled()]);
    assert.deepEqual([heard("50 %"), heard("80 %"), heard("⛔")], [[1, 1], [1, 1], [1, 1]]);
    assert.equal(world.asked("Third").length + world.asked("Fourth").length, 0);
    const turns = chatObject(world.persistTo, "main:1001").all("SELECT state FROM turn ORDER BY id");
    assert.deepEqual(turns.map((turn) => turn.state), ["answered", "answered", "failed", "failed"]);
  });

  test("/usage shows an owner the day, the month, models and people", async () => {
    const { text } = await say(owner, "/usage", "📊 Usage");
    assert.match(text, /^Today: \$0\.85 of \$1\.00\n {3}2 calls · /m);
    assert.match(text, /^This month: \$0\.85 of \$100\.00$/m);
    assert.match(text, /^Models this month\n· ollama\/paid:1b: \$0\.85 · 2 calls$/m);
    assert.match(text, /^People this month\n· Owner 1001: \$0\.85 · 2 calls$/m);
  });

  test("a model that costs nothing answers in its place, and by itself", async () => {
    await world.worker.restart({ FALLBACK_MODELS: "ollama/plain:1b" });
    world.ollama.script({ match: "Fifth", model: "plain:1b", answer: "For nothing." });
    const { text } = await say(owner, "Fifth", "For nothing.");
    assert.equal(text, `For nothing.\n\n↪️ ollama/plain:1b answered: ${MODEL} is resting.`);
    await use(other, "ollama/plain:1b");
    world.ollama.script({ match: "Sixth", model: "plain:1b", answer: "Free." });
    assert.equal((await say(other, "Sixth", "Free.")).text, "Free.");
    for (const person of [owner, other]) await ledger(world, person, (rows) => rows.some((row) => row.model === "ollama/plain:1b"));
    assert.equal(spentOf(world), 0.85);
    assert.deepEqual(heard("⛔"), [1, 1], "nothing new for owners");
  });

  test("a person's own cap stops them and no owner", async () => {
    await world.worker.restart({ DAILY_BUDGET_USD: "100", PERSON_DAILY_BUDGET_USD: "0.6" });
    const guest = await admitted(3001, "Guest");
    await buy(world, guest, "From a guest", 0.3);
    const told = await say(guest, "Another of a guest", "💰");
    assert.match(told.text, /^💰 Your own spending cap for today is reached/);
    assert.equal(world.asked("Another of a guest").length, 0);
    await buy(world, owner, "The owner goes on", 0.2);
    const own = (await say(guest, "/usage", "📊 Your usage")).text;
    assert.match(own, /^Today: \$0\.30 of \$0\.60$/m);
    assert.doesNotMatch(own, /People|1001|of \$100/);
    const all = (await say(owner, "/usage", "📊 Usage")).text;
    assert.match(all, /^Today: \$1\.35 of \$100\.00$/m);
    assert.match(all, /^People this month\n· Owner 1001: \$1\.05 · 4 calls\n· Guest: \$0\.30 · 1 call\n· Owner 1002: \$0 · 1 call$/m);
  });

  test("a cap reached between two calls of one turn keeps what was said", async () => {
    const guest = await admitted(3002, "Second guest");
    world.ollama.script({ match: "The time, please", answer: "Let me look.", toolCalls: [{ name: "current_time", arguments: {} }], outputTokens: tokens(0.3) });
    const { text } = await say(guest, "The time, please", "💰");
    assert.match(text, /^Let me look\.\n[\s\S]*\n💰 Your own spending cap for today is reached/);
    assert.equal(world.asked("The time, please").length, 1);
    const [row] = await ledger(world, guest);
    assert.deepEqual([row.calls, row.nano_usd], [1, 0.3 * NANO]);
  });

  test("what the server itself bills goes before the price we know", async () => {
    await use(other, "openai/plain-chat");
    world.openai.script({ match: "On the bill", answer: "Billed.", flavour: "openrouter", cost: 0.0123, promptTokens: 1_000, outputTokens: 1_000 });
    await say(other, "On the bill", "Billed.");
    const rows = await ledger(world, other, (rows) => rows.some((row) => row.model === "openai/plain-chat"));
    const [row] = rows.filter((row) => row.model === "openai/plain-chat");
    assert.deepEqual([row.calls, row.input, row.nano_usd, row.assumed_nano_usd], [1, 1_000, 12_300_000, 0]);
  });

  test("a footer says what an answer took", async () => {
    await say(owner, "/footer", "⚙️");
    const { text } = await buy(world, owner, "With a footer", 0.05);
    assert.match(text, /^Answer to With a footer\.\n\n⚙️ ollama\/paid:1b · ↑\S+ ↓500 · \$0\.050 · \d+\.\d s$/);
  });
});

describe("many at once, and death", { concurrency: 1 }, () => {
  const PEOPLE = Array.from({ length: 20 }, (_, i) => 1001 + i);
  let world;
  let people;
  before(async () => {
    world = await startWorld({ owners: PEOPLE, ollama: { models: MODELS }, vars: VARS });
    people = PEOPLE.map((id) => world.person(id));
    // Nobody's first message: all ask at the same moment.
    await Promise.all(people.map((person) => person.settled()));
  });
  after(() => world?.close());

  const stepsOf = (id, where) => chatObject(world.persistTo, `main:${id}`).all(`SELECT * FROM step WHERE kind = 'model' AND ${where} ORDER BY id`);
  const callsOf = (id) => directory(world, "SELECT * FROM model_call WHERE session = ? ORDER BY step", `main:${id}`);

  test("20 people ask at once: what is granted never passes the cap", async () => {
    world.ollama.script({ match: "At once", model: "paid:1b", answer: "Paid.", outputTokens: tokens(0.3), firstTokenMs: 1_500, times: 20 });
    const answers = await Promise.all(people.map(async (person) => (await say(person, `At once ${person.id}`, /^(Paid\.|💰)/)).text));
    const paid = answers.filter((text) => text === "Paid.").length;
    // Two estimates fit beside each other; what they really cost leaves no room for a third.
    assert.equal(paid, Math.floor(1 / ESTIMATE));
    assert.equal(world.asked("At once").length, paid);
    await eventually(() => spentOf(world) > 0.59, "two reports");
    assert.equal(Math.round(spentOf(world) * 100), 60);
    assert.equal(directory(world, "SELECT count(*) AS n FROM model_call WHERE state != 'reported'")[0].n, 0);
  });

  test("killed in mid-call: each finished call is counted once, each cut one stays reserved", async (t) => {
    await world.worker.restart({ DAILY_BUDGET_USD: "100" });
    const unheard = () => PEOPLE.filter((id) => stepsOf(id, "report IS NOT NULL").length > 0);
    const before = Object.fromEntries(PEOPLE.map((id) => [id, stepsOf(id, "state = 'done'").length]));
    // They end one after the other, 200 ms apart; the machine dies the moment the sixth answer is there, which is too soon
    // for its report.
    people.forEach((person, i) => {
      const match = `To be cut ${person.id}`;
      world.ollama.script({ match, answer: `Whole ${person.id}.`, outputTokens: tokens(0.1), firstTokenMs: 300 + i * 200 });
      world.ollama.script({ match, answer: `Whole ${person.id}.`, outputTokens: tokens(0.1) });
      person.send(match);
    });
    await world.telegram.waitFor(() => people.filter((person) => person.texts().some((text) => text.startsWith("Whole"))).length >= 6, SOON_MS * 2);
    await world.worker.kill();
    const cut = PEOPLE.filter((id) => stepsOf(id, "state = 'begun'").length > 0);
    const late = unheard().length;
    await world.worker.restart({ DAILY_BUDGET_USD: "100" });
    t.diagnostic(`${cut.length} calls were cut, ${late} were finished and not reported`);
    assert.ok(cut.length > 0 && cut.length < PEOPLE.length - 4, `${cut.length} cut`);

    for (const person of people) await person.until(`Whole ${person.id}.`, SOON_MS * 3);
    await eventually(() => unheard().length === 0, "all reports", SOON_MS * 2);
    for (const person of people) {
      const done = stepsOf(person.id, "state = 'done'");
      assert.equal(done.length - before[person.id], 1, "one finished call");
      const calls = callsOf(person.id);
      assert.deepEqual(calls.filter((call) => call.state === "reported").map((call) => call.step), done.map((step) => step.id));
      assert.deepEqual(calls.filter((call) => call.state !== "reported").map((call) => call.step), stepsOf(person.id, "state = 'cut'").map((step) => step.id));
      const [row] = await ledger(world, person);
      assert.deepEqual([row.calls, row.failures, row.nano_usd], [done.length, 0, (before[person.id] * 0.3 + 0.1).toFixed(1) * NANO]);
      assert.equal(person.texts().filter((text) => text.startsWith("Whole")).length, 1, "answered once");
    }
    assert.deepEqual(PEOPLE.filter((id) => callsOf(id).some((call) => call.state === "open")), cut);
  });

  test("after its time a cut call is counted at its estimate, once", async () => {
    const open = directory(world, "SELECT * FROM model_call WHERE state = 'open'");
    const spent = spentOf(world);
    await world.worker.kill();
    world.objects("Directory")[0].run("UPDATE model_call SET at = at - ? WHERE state = 'open'", 21 * 60_000);
    await world.worker.restart({ DAILY_BUDGET_USD: "100" });
    const { text } = await say(people[0], "/usage", "📊 Usage");
    assert.match(text, /^Today: ≈\$/m);
    assert.equal(directory(world, "SELECT count(*) AS n FROM model_call WHERE state = 'presumed'")[0].n, open.length);
    const expected = spent + open.length * ESTIMATE;
    assert.equal(spentOf(world).toFixed(4), expected.toFixed(4));
    const sums = "SELECT sum(calls) AS calls, sum(assumed_nano_usd) AS assumed FROM model_usage";
    const [{ calls, assumed }] = directory(world, sums);
    assert.equal(calls, PEOPLE.length + 2 + open.length);
    assert.equal((assumed / NANO).toFixed(4), (open.length * ESTIMATE).toFixed(4));
    await say(people[1], "/usage", "📊 Usage");
    assert.equal(spentOf(world).toFixed(4), expected.toFixed(4), "and not again");
  });
});
