// Troubles that owners hear of by themselves. Times are set back in the tables; the state machine itself is tested in
// virtual time (src/directory/alerts/).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { directory, say } from "./support/models.mjs";
import { startWorld } from "./support/world.mjs";

const TEN_MINUTES = 600_000;

describe("alerts", { concurrency: 1 }, () => {
  let world;
  let owner;
  let other;
  before(async () => {
    world = await startWorld({
      owners: [1001, 1002],
      users: [
        { id: 1001, first_name: "Ann", language_code: "en" },
        { id: 1002, first_name: "Аня", language_code: "ru" },
      ],
    });
    [owner, other] = [world.person(1001), world.person(1002)];
    await Promise.all([owner.settled(), other.settled()]);
  });
  after(() => world?.close());

  const told = (person, text) => person.texts().filter((line) => line.includes(text)).length;

  /** The Directory as it would be after a while: the runtime is stopped meanwhile. */
  async function later(statement) {
    await world.worker.kill();
    world.objects("Directory")[0].run(statement);
    await world.worker.restart();
  }

  async function tick() {
    assert.equal(await world.worker.cron(), 200);
  }

  test("a provider that is down is told to all owners in their language, once, and its end", async () => {
    world.ollama.script({ match: "Are you there", status: 503, body: { error: "server busy" }, times: 9 });
    const { message } = owner.send("Are you there");
    await owner.until((m) => m.message_id > message.message_id);
    await tick();
    assert.equal(told(owner, "has not answered"), 0, "not yet five minutes");
    await later(`UPDATE model_health SET since = since - ${TEN_MINUTES}, until = until + ${TEN_MINUTES}`);
    await tick();
    await owner.until(/⚠️ “ollama” has not answered for 1\d min/);
    await other.until(/⚠️ «ollama» не отвечает уже 1\d мин/);
    await tick();
    assert.equal(told(owner, "has not answered"), 1);
    // Its rest is over, and it answers.
    await later(`UPDATE model_health SET until = until - 2 * ${TEN_MINUTES}`);
    world.ollama.script({ match: "And now", answer: "Here I am." });
    await say(owner, "And now", "Here I am.");
    // The report rides for a while.
    for (const began = Date.now(); directory(world, "SELECT 1 FROM model_health").length > 0; ) {
      assert.ok(Date.now() - began < 20_000, "the success is not heard");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await tick();
    await owner.until("✅ “ollama” is no longer failing.");
    await other.until("✅ У «ollama» больше нет сбоев.");
    assert.deepEqual(directory(world, "SELECT kind FROM alert WHERE ended_at IS NULL"), []);
  });

  test("a webhook that fails is told", async () => {
    world.telegram.setBot({ bot: "main", webhookUrl: "http://127.0.0.1:9/telegram/main" });
    owner.send("Lost for now");
    const info = async () => (await (await fetch(`${world.telegram.url}/bot700000001:main-token/getWebhookInfo`)).json()).result;
    for (const began = Date.now(); !(await info()).last_error_date; await new Promise((resolve) => setTimeout(resolve, 100))) {
      assert.ok(Date.now() - began < 10_000, "Telegram saw no error");
    }
    // Telegram is asked at most every five minutes by one instance.
    await world.worker.restart();
    await tick();
    const line = await owner.until("⚠️ Telegram cannot deliver to the bot “main”");
    assert.match(line.text, /Updates waiting: \d+\.$/);
  });
});
