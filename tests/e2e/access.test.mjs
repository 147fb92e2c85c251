// Who may talk in private: strangers, pairing by an owner's tap, and the first owner.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SOON_MS, startWorld } from "./support/world.mjs";

const STRANGER = 3001;

describe("pairing", () => {
  let world;
  let owner;
  before(async () => {
    world = await startWorld({ owners: [1001, 1002] });
    owner = world.person(1001);
    await Promise.all([owner.talk("One owner"), world.person(1002).talk("Another owner")]);
  });
  after(() => world?.close());

  const newcomer = async (id, user = {}) => {
    world.telegram.setUser({ id, first_name: `Stranger ${id}`, ...user });
    const person = world.person(id);
    person.send("Hello?");
    const prompt = await person.until(/code/i);
    const [, code] = /code is (\w{4} \w{4})/.exec(prompt.text);
    const [asked] = await Promise.all([owner, world.person(1002)].map((one) => one.until((m) => m.text.includes(code))));
    const [directory] = world.objects("Directory");
    // Until the Directory knows of both: it edits what it knows.
    const known = () => directory.all("SELECT 1 FROM outbox WHERE about = ? AND state = 'sent'", `pair:${code.replace(" ", "")}`).length;
    await world.telegram.waitFor(() => known() === 2, SOON_MS);
    return { person, prompt, code, asked };
  };
  const sessions = () => world.objects("Chat").map((object) => object.session);

  test("a stranger gets one line, the owners one question; nothing else happens", async () => {
    const { person, prompt, asked } = await newcomer(STRANGER, { username: "strange" });
    assert.match(prompt.text, /Your Telegram id: 3001/);
    assert.match(asked.text, /Stranger 3001\n@strange\nid 3001/);
    assert.deepEqual(asked.reply_markup.inline_keyboard.flat().map((b) => b.text), ["Approve", "Deny", "Block"]);
    await world.person(1002).until("Stranger 3001");

    for (let i = 0; i < 20; i++) person.send(`Still here ${i}`);
    person.send("/status");
    person.send({ photo: true, text: "Look" });
    person.send({ text: "x", forward: true });
    await world.telegram.waitFor(() => world.telegram.deliveries().filter((d) => d.queue === `main|chat:${STRANGER}`).length >= 24);
    await owner.settled();
    assert.equal(person.replies().length, 1);
    assert.equal(owner.texts().filter((text) => text.includes("3001")).length, 1);
    assert.equal(world.asked("Still here").length, 0, "no model call");
    const [directory] = world.objects("Directory");
    const knocks = directory.all("SELECT * FROM refusal WHERE user_id = ?", STRANGER);
    assert.equal(knocks.length, 1, "one call of the Directory for all of it");
    assert.ok(!sessions().includes(`main:${STRANGER}`) && !sessions().includes(undefined), "no Chat object");
  });

  test("nor does a new isolate, which asks the Directory again, prompt again within the hour", async () => {
    await world.worker.restart();
    const person = world.person(STRANGER);
    person.send("And now?");
    const [directory] = world.objects("Directory");
    await world.telegram.waitFor(() => directory.all("SELECT * FROM refusal WHERE user_id = ?", STRANGER).length === 2, 10_000);
    await owner.settled();
    assert.equal(person.replies().length, 1);
    assert.equal(owner.texts().filter((text) => text.includes("3001")).length, 1);
    assert.ok(!sessions().includes(`main:${STRANGER}`));
  });

  test("Approve lets the person talk at once", async () => {
    const { person, asked } = await newcomer(3002);
    assert.equal(await owner.press(asked, "Approve"), "Approved.");
    await person.until("You're in!");
    await person.talk("Thank you");
    await owner.until((m) => m.message_id === asked.message_id && m.text.includes("✅ Approved") && !m.reply_markup);
    const other = world.person(1002);
    await other.until((m) => m.text.includes("id 3002") && m.text.includes("✅ Approved") && !m.reply_markup);
  });

  test("Deny keeps silent towards the person", async () => {
    const { person, asked } = await newcomer(3003);
    assert.equal(await owner.press(asked, "Deny"), "Denied.");
    await owner.until((m) => m.message_id === asked.message_id && m.text.includes("Denied"));
    person.send("Please");
    await owner.settled();
    assert.equal(person.replies().length, 1);
    assert.ok(!sessions().includes("main:3003"));
  });

  test("Block is for good, also in a new isolate; a second press changes nothing", async () => {
    const { person, asked } = await newcomer(3004);
    const second = world.person(1002);
    const same = await second.until("id 3004");
    assert.equal(await owner.press(asked, "Block"), "Blocked.");
    // The other owner's buttons may be gone by now; a press that was under way is answered all the same.
    const late = world.telegram.press({ from: 1002, chat: 1002, message_id: same.message_id, data: same.reply_markup.inline_keyboard[0][0].callback_data, force: true });
    const { answer } = await world.telegram.waitFor(() => [world.telegram.callback(late)].find((press) => press?.answer));
    assert.equal(answer.text, "Already blocked.");
    await world.worker.restart();
    person.send("Hello again");
    await owner.settled();
    assert.equal(person.replies().length, 1);
    assert.equal(owner.texts().filter((text) => text.includes("3004")).length, 1);
    assert.ok(!sessions().includes("main:3004"));
  });

  test("only an owner decides: a stranger's press of a stolen button does nothing", async () => {
    const { person, asked } = await newcomer(3005);
    const stolen = asked.reply_markup.inline_keyboard.flat()[0].callback_data;
    const mine = person.replies()[0];
    const press = world.telegram.press({ from: 3005, chat: 3005, message_id: mine.message_id, data: stolen, force: true });
    const { answer } = await world.telegram.waitFor(() => [world.telegram.callback(press)].find((p) => p?.answer));
    assert.equal(answer.text, "Only an owner can decide this.");
    person.send("In?");
    await owner.settled();
    assert.equal(person.replies().length, 1);
  });
});

describe("the first owner", () => {
  const CODE = "Tide-Claim-42";
  let world;
  before(async () => (world = await startWorld({ owners: [], vars: { CLAIM_CODE: CODE } })));
  after(() => world?.close());

  test("whoever writes first is told where the code is, once; a wrong code is told apart", async () => {
    const person = world.person(4001);
    person.send("Hello");
    await person.until("I have no owner yet");
    person.send("/start");
    person.send("Tide-Claim-43");
    await person.until("not the claim code");
    person.send("/start Tide-Claim-44");
    await world.telegram.waitFor(() => person.replies().length === 3);
    assert.equal(world.objects("Chat").length, 0);
  });

  test("five wrong codes in an hour and even the right one is refused, for that person", async () => {
    const person = world.person(4002);
    for (let i = 0; i < 5; i++) {
      person.send(`Tide-Claim-0${i}`);
      await world.telegram.waitFor(() => person.replies().length === i + 1);
    }
    person.send(CODE);
    await person.until("Too many wrong codes");
    assert.equal(world.objects("Chat").length, 0);
  });

  test("the right code makes an owner, and is dead from then on", async () => {
    const person = world.person(4003);
    person.send(`/start ${CODE}`);
    await person.until("I am yours now");
    await person.talk("My first question");
    const late = world.person(4004);
    late.send(`/start ${CODE}`);
    await late.until(/Your code is/);
    await person.until("Somebody would like to talk to me");
    await world.worker.restart();
    await person.talk("Still mine");
  });
});
