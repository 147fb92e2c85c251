// The configuration document on real workerd: what is saved on the page holds at the next call, of two who save at once
// one wins, and a rollback brings back what was. Rules one by one: src/directory/tests/config/, pages: src/admin/settings/.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { directory, eventually, say } from "./support/models.mjs";
import { startWorld } from "./support/world.mjs";

/** Dollars per million tokens of output. */
const PRICE = 100;
const MODELS = [{ name: "paid:1b", context: 131_072, capabilities: ["completion", "tools"] }];
const VARS = {
  DEFAULT_MODEL: "ollama/paid:1b",
  MODEL_CATALOGUE: JSON.stringify({ "ollama/paid:1b": { input_usd: 0, output_usd: PRICE } }),
  DAILY_BUDGET_USD: "5",
  MONTHLY_BUDGET_USD: "100",
};

const plain = (html) => html.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** The form of a page that posts to `action`: its hidden fields, as a browser would send them. */
function formOf(page, action) {
  const [, inside] = new RegExp(`<form[^>]*action="${action}"[^>]*>(.*?)</form>`, "s").exec(page) ?? assert.fail(`no form ${action}`);
  const hidden = [...inside.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  return Object.fromEntries(hidden.map(([, name, value]) => [name, plain(value)]));
}

describe("settings", { concurrency: 1 }, () => {
  let world;
  let owner;
  before(async () => {
    world = await startWorld({ owners: [1001], access: true, ollama: { models: MODELS }, vars: VARS });
    owner = world.person(1001);
    await owner.settled();
  });
  after(() => world?.close());

  /** Fills fields on the page, looks at the difference and saves, as a person would without script. */
  async function edit(fields, expected) {
    const page = await world.admin("/_admin/settings");
    assert.equal(page.status, 200);
    const review = await world.admin("/_admin/settings/review", { form: { ...formOf(page.text, "/_admin/settings/review"), ...fields } });
    assert.equal(review.status, 200, review.text);
    for (const [path, after] of Object.entries(expected)) {
      assert.match(review.text, new RegExp(`<code>${path}</code>`));
      assert.ok(review.text.includes(`<ins dir="auto">${after}</ins>`), review.text);
    }
    const saved = await world.admin("/_admin/settings/save", { form: { ...formOf(review.text, "/_admin/settings/save"), note: "By the page" } });
    assert.deepEqual([saved.status, saved.headers.get("location")], [303, "/_admin/settings?done=1"]);
  }

  const live = async () => (await world.admin("/api/settings")).json;

  test("a cap edited on the page refuses the next call, and raised again grants it", async () => {
    world.ollama.script({ match: "First", answer: "Answer to First.", outputTokens: 3_000 });
    await say(owner, "First", "Answer to First.");
    await eventually(() => directory(world, "SELECT 1 FROM model_usage WHERE nano_usd = 300000000").length, "the first call's bill");
    // A call is expected to cost an answer of 4,096 tokens at most, $0.4096: with the $0.30 just too much.
    await edit({ "budget.day_usd": "0.7095" }, { "budget.day_usd": "0.7095" });
    assert.match((await say(owner, "Second", "💰")).text, /^💰 Today's spending cap is reached/);
    assert.equal(world.asked("Second").length, 0);
    assert.match((await say(owner, "/usage", "📊 Usage")).text, /^Today: \$0\.30 of \$0\.71$/m);
    await edit({ "budget.day_usd": "0.75" }, { "budget.day_usd": "0.75" });
    await owner.talk("Third");
    assert.equal(world.asked("Third").length, 1);
    const view = await live();
    assert.deepEqual([view.version, view.saved.author, view.saved.note, view.document], [2, "admin:owner@example.com", "By the page", { budget: { day_usd: 0.75 } }]);
  });

  test("a broken change is refused with its places and leaves the live one", async () => {
    const before = await live();
    const document = { budget: { day_usd: -1 }, agents: { tutor: { model: "gpt" } } };
    const { status, json } = await world.admin("/api/settings", { body: { base: before.version, document } });
    assert.equal(status, 400);
    assert.deepEqual(json.error.problems.map(({ path }) => path), ["agents.tutor.model", "budget.day_usd"]);
    assert.deepEqual(await live(), before);
  });

  test("of many who save at once one wins, and the others are told", async () => {
    const { version } = await live();
    const documents = Array.from({ length: 8 }, (_, n) => ({ budget: { day_usd: 10 + n } }));
    const answers = await Promise.all(documents.map((document, n) => world.admin("/api/settings", { email: `p${n}@example.com`, body: { base: version, document } })));
    const won = answers.flatMap(({ status }, n) => (status === 200 ? [n] : []));
    assert.equal(won.length, 1);
    for (const { status, json } of answers.filter((_, n) => n !== won[0])) {
      assert.deepEqual([status, json.error.code], [409, "conflict"]);
      assert.match(json.error.message, new RegExp(`^admin:p${won[0]}@example\\.com saved version ${version + 1} `));
    }
    const now = await live();
    assert.deepEqual([now.version, now.document], [version + 1, documents[won[0]]]);
  });

  test("turning private messages off closes open conversations; a rollback opens them", async () => {
    world.telegram.setUser({ id: 3001, first_name: "Guest", language_code: "en" });
    const guest = world.person(3001);
    guest.send("Hello?");
    const asked = await owner.until((m) => m.reply_markup && m.text.includes("id 3001"));
    assert.equal(await owner.press(asked, "Approve"), "Approved.");
    await guest.until("You're in!");
    await guest.talk("Am I in");
    const { version } = await live();
    await edit({ "access.private": "disabled" }, { "access.private": "disabled" });
    await eventually(() => directory(world, "SELECT count(*) AS n FROM push")[0].n === 0, "the change to be told");
    const known = guest.replies().length;
    guest.send("Anybody there");
    await eventually(() => directory(world, "SELECT 1 FROM refusal WHERE user_id = 3001 AND reason = 'dm_disabled'").length, "a refusal");
    await owner.talk("Still here");
    assert.equal(world.asked("Anybody there").length, 0);
    assert.equal(guest.replies().length, known);

    const page = await world.admin("/_admin/settings");
    const rolled = await world.admin("/_admin/settings/rollback", { form: { base: String(version + 1), version: String(version) } });
    assert.ok(page.text.includes(`Roll back to version ${version}<`));
    assert.equal(rolled.status, 303);
    // A refused sender is not asked about again for a minute, by the isolate that was told.
    await world.worker.restart();
    await guest.talk("And now");
    assert.equal((await live()).saved.restores, version);
  });

  test("it is all there after the process was killed", async () => {
    const before = await live();
    await world.worker.restart();
    assert.deepEqual(await live(), before);
    const history = (await world.admin("/api/settings/versions?limit=20")).json;
    assert.deepEqual(history.map(({ version }) => version), Array.from({ length: before.version }, (_, n) => before.version - n));
    const audit = directory(world, "SELECT what, subject FROM audit WHERE what LIKE 'config_%' ORDER BY id");
    assert.equal(audit.length, before.version);
    assert.deepEqual(audit.at(-1), { what: "config_rollback", subject: `version ${before.version}, as version ${before.version - 2}` });
  });

  test("a form of another site saves nothing, and neither does somebody without a token", async () => {
    const before = await live();
    const form = { base: String(before.version), document: "{}" };
    const forged = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    assert.equal((await world.admin("/_admin/settings/save", { form, headers: forged })).status, 403);
    assert.equal((await world.admin("/_admin/settings/save", { form, token: null })).status, 401);
    assert.equal((await world.admin("/api/settings", { token: null })).status, 401);
    assert.deepEqual(await live(), before);
  });
});
