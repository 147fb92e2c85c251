// People and groups from the admin page: what an operator decides there holds in Telegram at once.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { directory } from "./support/models.mjs";
import { SOON_MS, startWorld } from "./support/world.mjs";

const OWNER = 1001;
const PRICE = 100;
const MODEL = "ollama/paid:1b";

describe("people on the admin page", { concurrency: 1 }, () => {
  let world;
  let owner;
  before(async () => {
    world = await startWorld({
      access: true,
      owners: [OWNER],
      groups: [],
      ollama: { models: [{ name: "paid:1b", context: 131_072, capabilities: ["completion", "tools"] }] },
      vars: { DEFAULT_MODEL: MODEL, MODEL_CATALOGUE: JSON.stringify({ [MODEL]: { input_usd: 0, output_usd: PRICE } }), DAILY_BUDGET_USD: "20", MONTHLY_BUDGET_USD: "50" },
    });
    world.telegram.setBot({ bot: "main", privacy: false });
    owner = world.person(OWNER);
    await owner.talk("I own this");
  });
  after(() => world?.close());

  const stranger = (id, user = {}) => {
    world.telegram.setUser({ id, first_name: `Stranger ${id}`, language_code: "en", ...user });
    return world.person(id);
  };
  const ok = async (path, options) => {
    const answer = await world.admin(path, options);
    assert.ok(answer.status < 400, `${path}: ${answer.status} ${answer.text}`);
    return answer;
  };
  const invite = async (fields = {}) => {
    const { json } = await ok("/api/invites", { body: { bot: "main", ...fields } });
    return { ...json, code: new URL(json.link).searchParams.get("start") };
  };
  /** At most three wait for a decision at a time. */
  const deny = (...ids) => Promise.all(ids.map((id) => ok(`/api/people/main/${id}/deny`, { body: {} })));
  /** Everything stored of a code, in any object. */
  const stored = (code) =>
    ["Directory", "Chat"].flatMap((kind) => world.objects(kind)).filter((object) =>
      object
        .all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
        .some(({ name }) => JSON.stringify(object.all(`SELECT * FROM "${name}"`)).includes(code)),
    );

  test("approved on the page, a person is answered at once, and the owner's prompt is closed", async () => {
    const person = stranger(4001);
    person.send("Hello?");
    await person.until(/code is/);
    const asked = await owner.until((m) => m.reply_markup && m.text.includes("id 4001"));
    const { json } = await ok("/api/people?q=4001");
    assert.equal(json.waiting[0].user_id, 4001);
    const { text: html } = await ok("/_admin/people");
    assert.ok(html.includes('action="/_admin/people/main/4001/approve"'));
    const answer = await world.admin("/_admin/people/main/4001/approve", { form: { code: json.waiting[0].code, back: "q=4001" } });
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/_admin/people?done=1&q=4001"]);
    await person.until("You're in!");
    await person.talk("At last");
    await owner.until((m) => m.message_id === asked.message_id && m.text.includes("✅ Approved") && !m.reply_markup);
    const [entry] = directory(world, "SELECT who, what, subject FROM audit ORDER BY id DESC LIMIT 1");
    assert.deepEqual({ ...entry }, { who: "admin:owner@example.com", what: "approve", subject: "4001" });
  });

  test("without a token, or from another site, nothing is decided", async () => {
    const person = stranger(4002);
    person.send("Hello?");
    await person.until(/code is/);
    assert.ok((await world.admin("/_admin/people", { token: null })).status >= 400);
    const forged = { form: {}, headers: { "sec-fetch-site": "cross-site", origin: "https://evil.example" } };
    assert.equal((await world.admin("/_admin/people/main/4002/approve", forged)).status, 403);
    assert.equal((await ok("/api/people?q=4002")).json.waiting.length, 1);
    await deny(4002);
  });

  test("an invite link opens at once, once, and its code is stored nowhere", async () => {
    const { code, link, id } = await invite({ note: "for Nina" });
    assert.match(link, /^https:\/\/t\.me\/tide_main_bot\?start=[0-9a-f]{32}$/);
    const nina = stranger(4101, { first_name: "Nina" });
    // Turned away a moment ago: the link passes all the same.
    nina.send("Hello?");
    await nina.until(/code is/);
    nina.send(`/start ${code}`);
    await nina.until("You came in with an invitation");
    await nina.talk("My first question");
    await owner.until((m) => m.text.includes("Nina") && m.text.includes("Came in with an invite link: for Nina"));

    const late = stranger(4102);
    late.send(`/start ${code}`);
    await late.until(/Your code is/);
    assert.ok(!late.texts().some((text) => text.includes("invit")), "as if they had said anything");
    // Who is in already may open it again: a greeting, and nothing of the code in the conversation.
    nina.send(`/start ${code}`);
    await nina.settled();
    const { json } = await ok("/api/invites");
    const made = json.invites.find((one) => one.id === id);
    assert.deepEqual([made.state, made.used, made.people.map((one) => one.name)], ["used_up", 1, ["Nina"]]);
    assert.deepEqual(stored(code), []);
    assert.equal(world.logged(code).length, 0);
    await deny(4102);
  });

  test("of two who race for one place, one comes in", async () => {
    const { code } = await invite();
    const both = [stranger(4111), stranger(4112)];
    for (const one of both) one.send(`/start ${code}`);
    await Promise.all(both.map((one) => one.until(/You came in|Your code is/)));
    const inside = both.filter((one) => one.texts().some((text) => text.includes("You came in")));
    assert.equal(inside.length, 1);
    await deny(4111, 4112);
  });

  test("a revoked link opens nothing", async () => {
    const { code, id } = await invite({ uses: 5 });
    await ok(`/_admin/invites/${id}/revoke`, { form: {} });
    const person = stranger(4121);
    person.send(`/start ${code}`);
    await person.until(/Your code is/);
    await deny(4121);
  });

  test("a person's own cap holds and is shown to them", async () => {
    const { code } = await invite();
    const person = stranger(4201);
    person.send(`/start ${code}`);
    await person.until("You came in");
    await ok("/api/people/main/4201/cap", { body: { usd: 0.5 } });
    world.ollama.script({ match: "Cheap enough", answer: "Yes, this is.", outputTokens: 2_000 });
    person.send("Cheap enough");
    await person.until("Yes, this is.");
    person.send("/usage");
    await person.until((m) => m.text.includes("Your usage") && m.text.includes("of $0.50"));
    await ok("/api/people/main/4201/cap", { body: { usd: 0.3 } });
    person.send("Too dear now");
    await person.until("Your own spending cap");
    assert.equal(world.asked("Too dear now").length, 0, "no call was made");
    await ok("/api/people/main/4201/cap", { body: { usd: null } });
    await person.talk("And again");
  });

  test("a group is admitted and told to answer everything, from the page", async () => {
    const id = -1002000000042;
    world.telegram.addGroup({ id, title: "Page group", members: [OWNER, 4001], bots: [] });
    world.telegram.addBot({ chat: id, from: OWNER });
    await owner.until((m) => m.text.includes("“Page group”") && m.reply_markup);
    await ok(`/_admin/groups/main/${id}/admit`, { form: {} });
    const group = world.group(id);
    const say = (text) => world.telegram.send({ chat: id, from: 4001, text });
    world.ollama.script({ match: "are you there", answer: "I am here." }, { match: "to nobody", answer: "I heard that." });
    say("@tide_main_bot are you there?");
    await group.until("I am here.");
    say("said to nobody");
    await ok(`/api/groups/main/${id}/mention`, { body: { on: false } });
    // The change travels to the conversation by itself.
    const [chat] = world.objects("Chat").filter((object) => object.session === `main:${id}`);
    const told = () => JSON.stringify(chat.all("SELECT * FROM setting")).includes('\\"require_mention\\":false');
    await world.telegram.waitFor(told, SOON_MS);
    say("this too is said to nobody in particular");
    await group.until("I heard that.");
    assert.equal(world.asked("said to nobody").length, 1, "what came before the switch stayed unanswered");
  });

  test("removed on the page, a person is a stranger again", async () => {
    await ok("/api/people/main/4001/remove", { body: {} });
    const person = world.person(4001);
    const before = person.replies().length;
    person.send("Still there?");
    const refused = () => directory(world, "SELECT reason FROM refusal WHERE user_id = 4001 ORDER BY id DESC LIMIT 1")[0]?.reason;
    // Asked within the hour: nothing is said again.
    await world.telegram.waitFor(() => refused() === "pairing_waiting", SOON_MS);
    await owner.settled();
    assert.equal(person.replies().length, before);
    assert.equal(world.asked("Still there?").length, 0);
  });
});
