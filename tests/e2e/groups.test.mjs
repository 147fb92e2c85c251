// Groups: closed until an owner admits them, silent until addressed, left when told.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SOON_MS, startWorld } from "./support/world.mjs";

const [OWNER, MEMBER] = [1001, 5001];
const NAME = "@tide_main_bot";

describe("groups", () => {
  let world;
  let owner;
  before(async () => {
    world = await startWorld({ owners: [OWNER], groups: [], users: [{ id: OWNER, first_name: "Owner" }, { id: MEMBER, first_name: "Mia" }] });
    world.telegram.setBot({ bot: "main", privacy: false });
    owner = world.person(OWNER);
    await owner.talk("I own this");
  });
  after(() => world?.close());

  const makeGroup = (id, title, extra = {}) => world.telegram.addGroup({ id, title, members: [OWNER, MEMBER], bots: [], ...extra });
  const say = (chat, text, extra = {}) => world.telegram.send({ chat, from: MEMBER, text, ...extra });
  /** A group that an owner admitted. */
  const admitted = async (id, title, extra) => {
    makeGroup(id, title, extra);
    world.telegram.addBot({ chat: id, from: OWNER });
    const prompt = await owner.until((m) => m.text.includes(`“${title}”`) && m.reply_markup);
    assert.equal(await owner.press(prompt, "Admit"), "Group admitted.");
    await owner.until((m) => m.message_id === prompt.message_id && m.text.includes("Admitted"));
    return world.group(id);
  };

  test("a stranger adds the bot: silence there, a question to the owner, who admits it with a tap", async () => {
    const id = -1002000000001;
    makeGroup(id, "Strangers");
    world.telegram.addBot({ chat: id, from: MEMBER });
    const prompt = await owner.until("I was added to the group “Strangers”");
    assert.match(prompt.text, /Mia/);
    const group = world.group(id);
    say(id, `${NAME} early question`);
    await owner.settled();
    assert.deepEqual(world.telegram.calls({ chat: id }), [], "not one call about this chat, not even typing");
    assert.equal(world.asked("early question").length, 0);
    assert.ok(!world.objects("Chat").some((object) => object.session?.includes("1002000000001")));

    assert.equal(await owner.press(prompt, "Admit"), "Group admitted.");
    world.ollama.script({ match: "are you there", answer: "I am here." });
    const question = say(id, `${NAME} are you there?`).message;
    const answer = await group.until("I am here.");
    assert.equal(answer.reply_to_message.message_id, question.message_id);
    const [request] = world.asked("are you there");
    assert.equal(request.lastUser, "Mia: are you there?", "with the name of who asks, without ours");
  });

  test("in a group it answers mentions, replies and commands, and nothing else", async () => {
    const group = await admitted(-1002000000002, "Quiet ones");
    say(group.id, "just chatting among us");
    say(group.id, "/status@another_bot");
    world.ollama.script({ match: "a mention", answer: "To the mention." }, { match: "a reply", answer: "To the reply." });
    say(group.id, `Hey ${NAME.toUpperCase()}, a mention`);
    const first = await group.until("To the mention.");
    say(group.id, "a reply", { reply_to: first.message_id });
    await group.until("To the reply.");
    say(group.id, "/status");
    await group.until("Model: ollama/plain:1b");
    say(group.id, `/whoami${NAME}`);
    await group.until(`Your id: ${MEMBER}`);
    assert.equal(group.replies().length, 4);
    assert.equal(world.asked("chatting").length, 0);
    const rows = world.objects("Chat").find((o) => o.session === `main:${group.id}`).all("SELECT outcome, detail FROM inbox ORDER BY seq LIMIT 2");
    assert.deepEqual(rows, Array(2).fill({ outcome: "dropped", detail: "not addressed to the bot" }));
  });

  test("a long answer in a group is edited into place and ends as a new message", async () => {
    const group = await admitted(-1002000000003, "Slow ones");
    world.ollama.script({ match: "take your time", answer: "word ".repeat(60), tokensPerSecond: 60 });
    say(group.id, `${NAME} take your time`);
    await group.until((m) => m.text.trim() === "word ".repeat(60).trim() && !m.reply_markup);
    await world.telegram.waitFor(() => group.replies().length === 1);
    assert.deepEqual(world.telegram.calls({ chat: group.id, method: "sendMessageDraft" }), []);
  });

  test("Leave makes the bot leave, and leave again when brought back", async () => {
    const id = -1002000000004;
    makeGroup(id, "Unwanted");
    world.telegram.addBot({ chat: id, from: MEMBER });
    const prompt = await owner.until("“Unwanted”");
    assert.equal(await owner.press(prompt, "Leave"), "Leaving the group.");
    await world.telegram.waitForCall({ method: "leaveChat", chat: id, timeoutMs: 10_000 });
    const after = world.telegram.calls().length;
    world.telegram.addBot({ chat: id, from: MEMBER });
    await world.telegram.waitForCall({ method: "leaveChat", chat: id, after, timeoutMs: 10_000 });
    assert.deepEqual(world.telegram.calls({ chat: id }).map((call) => call.method), ["leaveChat", "leaveChat"]);
  });

  test("removed from a group and added again, it goes on", async () => {
    const group = await admitted(-1002000000005, "Come and go");
    const [directory] = world.objects("Directory");
    const { telegram } = world;
    for (const change of [telegram.removeBot, telegram.addBot]) {
      const { update_ids } = change({ chat: group.id, from: OWNER });
      await telegram.waitFor(() => telegram.deliveries().some((d) => d.update_id === update_ids[0] && d.status === 200), SOON_MS);
      await telegram.waitFor(() => directory.all("SELECT 1 FROM push").length === 0, SOON_MS);
    }
    world.ollama.script({ match: "back again", answer: "Welcome back." });
    say(group.id, `${NAME} back again`);
    await group.until("Welcome back.");
  });

  /** The group becomes a supergroup while the bot writes an answer there. */
  async function grow(id, to, title) {
    const group = await admitted(id, title, { type: "group" });
    world.ollama.script({ match: `before ${id}`, answer: `Answer to ${id}.`, firstTokenMs: 500 });
    say(id, `${NAME} before ${id}`);
    await world.ollama.waitFor(() => world.asked(`before ${id}`).length === 1, SOON_MS);
    world.telegram.migrate({ chat: id, to });
    world.telegram.send({ chat: id, from: MEMBER, message: { migrate_to_chat_id: to } });
    return group;
  }

  test("a group that becomes a supergroup while an answer is written gets it there", async () => {
    const grown = world.group(-1002000000107);
    await grow(-2000007, grown.id, "Growing");
    const answer = await grown.until("Answer to -2000007.");
    assert.equal(answer.chat.id, grown.id);
  });

  test("and stays admitted there", async () => {
    const grown = world.group(-1002000000108);
    await grow(-2000008, grown.id, "Growing too");
    await grown.until("Answer to -2000008.");
    world.ollama.script({ match: "after the move", answer: "Still here." });
    say(grown.id, `${NAME} after the move`);
    await grown.until("Still here.", 3_000);
  });
});
