// Two bots with two personas and two models on one deployment, a third agent in one topic of a group, on real workerd:
// what is saved on the page holds at the next message. Rules one by one: tests/chat/agents.rs, src/directory/config/resolve/.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newer, say } from "./support/models.mjs";
import { startWorld } from "./support/world.mjs";

const OWNER = 1001;
const FORUM = -1001000000001;
const [KITCHEN, TRIPS] = [2, 7];

const TUTOR = { name: "Tutor", emoji: "🎓", persona: "You teach patiently, in small steps.", model: "gemini/gemini-3.8-flash", fallbacks: "-", tools: "none" };
const COOK = { name: "Cook", persona: "You only talk about food.", model: "ollama/qwen3:8b" };

const GROUP = { id: FORUM, title: "Family", is_forum: true, topics: { [KITCHEN]: "Kitchen", [TRIPS]: "Trips" }, members: [OWNER], bots: [] };

describe("agents", { concurrency: 1 }, () => {
  let world;
  let main;
  let work;
  before(async () => {
    world = await startWorld({ owners: [OWNER], access: true, gemini: true, bots: ["main", "work"], groups: [GROUP] });
    main = world.person(OWNER);
    work = world.person(OWNER, "work");
    await main.talk("I own this");
    world.telegram.addBot({ chat: FORUM, from: OWNER });
    await main.press(await main.until("“Family”"), "Admit");
  });
  after(() => world?.close());

  /** Fills a form of the page and sends it, as a person would without script. */
  async function post(path, fields) {
    const { json } = await world.admin("/api/agents");
    const answer = await world.admin(`/_admin/agents${path}`, { form: { base: String(json.version), ...fields } });
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/_admin/agents?done=1"], answer.text);
  }

  /** Asks in a topic of the group; resolves with the answer. */
  async function askInTopic(topic, text) {
    world.ollama.script({ match: text, answer: `Answer to ${text}` });
    const { message } = world.telegram.send({ chat: FORUM, from: OWNER, topic, text: `@tide_main_bot ${text}` });
    return newer(world.group(FORUM), message.message_id, `Answer to ${text}`);
  }

  const toOllama = (text) => world.asked(text).map(({ body }) => [body.model, body.messages[0].content]);
  const toGemini = (text) => world.asked(text, "gemini").map(({ body }) => body.systemInstruction.parts[0].text);

  test("two bots have two personas and two models, and the change holds at the next message", async () => {
    await main.talk("Before");
    await work.talk("Before at work");
    await post("", { id: "tutor", ...TUTOR });
    await post("/bind", { agent: "tutor", bot: "work", chat: "", topic: "" });
    await post("/agent/main", { name: "Tide", persona: "You are calm as the sea." });
    await work.talk("Lesson one", undefined, "gemini");
    await main.talk("Weather");
    const [lesson] = toGemini("Lesson one");
    assert.match(lesson, /outside this conversation\.\nYour name is Tutor, your emoji 🎓\.\nThe operator of this bot says about you:\nYou teach patiently, in small steps\.\nToday is /);
    assert.deepEqual(world.asked("Lesson one", "gemini")[0].body.tools ?? [], []);
    const [[model, system]] = toOllama("Weather");
    assert.equal(model, "plain:1b");
    assert.match(system, /Your name is Tide\.\n.*\nYou are calm as the sea\./);
    assert.doesNotMatch(system, /teach/);
    assert.match((await say(work, "/status", "Model:")).text, /^Agent: 🎓 Tutor \(tutor\)\nModel: gemini\/gemini-3\.8-flash$/m);
    assert.match((await say(main, "/status", "Model:")).text, /^Agent: Tide \(main\)\nModel: ollama\/plain:1b$/m);
  });

  test("a topic of a forum has a third one, and its neighbours do not", async () => {
    await post("", { id: "cook", ...COOK });
    await post("/bind", { agent: "cook", bot: "main", chat: String(FORUM), topic: String(KITCHEN) });
    await askInTopic(KITCHEN, "Soup");
    await askInTopic(TRIPS, "Alps");
    const [[cooks, cook]] = toOllama("Soup");
    assert.equal(cooks, "qwen3:8b");
    assert.match(cook, /Your name is Cook\.\n.*\nYou only talk about food\./);
    const [[others, other]] = toOllama("Alps");
    assert.equal(others, "plain:1b");
    assert.match(other, /calm as the sea/);
    const { json } = await world.admin(`/api/agents/resolve?bot=main&chat=${FORUM}&topic=${KITCHEN}`);
    assert.deepEqual([json.agent, json.by], ["cook", { bot: "main", chat: FORUM, topic: KITCHEN, agent: "cook" }]);
    const page = await world.admin(`/_admin/agents?bot=main&chat=${FORUM}&topic=${TRIPS}`);
    assert.match(page.text, /No binding is about this place, so main answers\./);
    assert.match(page.text, new RegExp(`<option value="${FORUM}">Family`), "the group is offered by its name");
  });

  test("a running answer ends as it began", async () => {
    world.gemini.script({ match: "Long lesson", answer: "One, two, three, four, five, six, seven.", tokensPerSecond: 8 });
    const { message } = work.send("Long lesson");
    await world.gemini.waitFor((requests) => requests.some(({ lastUser }) => lastUser?.includes("Long lesson")));
    await post("/agent/tutor", { ...TUTOR, persona: "You teach in riddles." });
    await newer(work, message.message_id, "six, seven.");
    await work.talk("Lesson two", undefined, "gemini");
    assert.match(toGemini("Long lesson")[0], /patiently/);
    assert.match(toGemini("Lesson two")[0], /in riddles/);
  });

  test("a deleted agent goes with its bindings, and who was bound to it is answered by main", async () => {
    await post("/agent/tutor/delete", {});
    await work.talk("Who are you");
    assert.match(toOllama("Who are you")[0][1], /calm as the sea/);
    const { json } = await world.admin("/api/agents");
    assert.deepEqual(json.agents.map(({ id, bindings }) => [id, bindings.length]), [["main", 0], ["cook", 1]]);
  });

  test("a mistake is named, nothing is saved, and what holds survives a killed process", async () => {
    const { json: before } = await world.admin("/api/agents");
    const wrong = await world.admin("/_admin/agents/agent/cook", { form: { base: String(before.version), ...COOK, model: "soup", persona: "Kept words" } });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /agents\.cook\.model/);
    assert.match(wrong.text, /Kept words/);
    const late = await world.admin("/api/agents/cook", { body: { base: before.version - 1, ...COOK, fallbacks: [] } });
    assert.deepEqual([late.status, late.json.error.code], [409, "conflict"]);
    assert.deepEqual((await world.admin("/api/agents")).json, before);
    await world.worker.restart();
    await askInTopic(KITCHEN, "Bread");
    assert.equal(toOllama("Bread")[0][0], "qwen3:8b");
  });

  test("without a token nobody reads or changes an agent", async () => {
    for (const path of ["/_admin/agents", "/api/agents", "/api/agents/resolve?bot=main&chat=1"]) {
      assert.equal((await world.admin(path, { token: null })).status, 401, path);
    }
    assert.equal((await world.admin("/api/bindings", { body: { base: 1, agent: "main" }, token: null })).status, 401);
    const forged = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    assert.equal((await world.admin("/_admin/agents", { form: { base: "1", id: "x" }, headers: forged })).status, 403);
  });
});
