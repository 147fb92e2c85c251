// Models that fail: another one stands in, the answer says who and why, what failed rests and is called again afterwards.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { classesOf } from "../../local-dev/models/errors.mjs";
import { PROVIDERS, counter, directory, eventually, say, use } from "./support/models.mjs";
import { SOON_MS, failure, startWorld } from "./support/world.mjs";

/** Seconds. What answers must do so within them, on a busy machine too. */
const [FIRST, IDLE, TOTAL] = [8, 8, 40];
const DEADLINES = { MODEL_DEADLINES: [FIRST, IDLE, TOTAL].join() };
/** Behind a gateway everything has a price. */
const RICH = { DAILY_BUDGET_USD: "1000", MONTHLY_BUDGET_USD: "1000" };
const DAY = 86_400_000;

/** How a stand-in calls a model of our own making. */
const made = {
  ollama: (name) => ({ name, context: 131_072, capabilities: ["completion", "tools"] }),
  gemini: (name) => ({ name, levels: ["low", "medium", "high"] }),
  openai: (id) => ({ id }),
};

/** The line below an answer that another model gave. */
const stoodIn = (speaker, model, why) => `↪️ ${speaker} answered: ${model} ${why}.`;
const DOWN = "does not answer";
const LIMIT = "is out of its limit";
const GONE = "is not available";
const REFUSED = "could not answer this";
const RESTING = "is resting";

/** Calls of the failing model, then how the turn ends: why another answered; that it answered itself; or what is told. */
const MENDED = { calls: 2, mended: true };
const DECLINED = { calls: 1, told: /declined to answer this/ };
const COMMON = {
  html: [3, DOWN],
  html524: [3, DOWN],
  network: [3, DOWN],
  cut: [3, DOWN],
  endless: [3, DOWN],
  silent: [1, DOWN],
  stall: [1, DOWN],
  midStream: [3, DOWN],
  empty: [2, REFUSED],
  thoughtsOnly: [2, REFUSED],
  truncated: { calls: 1, told: /^This is where the length\n+.*(length|long|cut)/s },
  server: [3, DOWN],
  overloaded: [3, DOWN],
  // Nothing to fold in a conversation of one message.
  overflow: [1, REFUSED],
  badRequest: [1, REFUSED],
  badThinking: MENDED,
  badTools: MENDED,
  badMedia: MENDED,
  auth: [1, GONE],
  retired: [1, GONE],
  quota: [1, LIMIT],
  rate: [3, LIMIT],
};
const OUTCOMES = {
  ollama: { ...COMMON, plan: [1, GONE], upstream: [3, DOWN], memory: [3, DOWN], oldDaemon: MENDED },
  gemini: {
    ...COMMON,
    permission: [1, GONE],
    region: [1, GONE],
    plan: [1, GONE],
    deadline: [3, DOWN],
    arrayWrapped: [3, DOWN],
    badSignature: MENDED,
    missingSignature: MENDED,
    malformedCall: [2, REFUSED],
    blocked: DECLINED,
    blockedPrompt: DECLINED,
  },
  openai: {
    ...COMMON,
    permission: [1, GONE],
    plan: [1, LIMIT],
    arrayWrapped: [3, LIMIT],
    errorUnder200: [3, LIMIT],
    errorAfterFinish: [3, DOWN],
    toolUseFailed: [3, DOWN],
    badStreamOptions: MENDED,
    blocked: DECLINED,
  },
};

/** What is left of a failure for everybody: what rests. Provider-wide rests end with the next success there. */
const MODEL_RESTS = { quota: ["gemini"], plan: ["ollama", "gemini"], retired: PROVIDERS, server: PROVIDERS, silent: PROVIDERS, rate: ["gemini"] };
const WITHOUT = { badThinking: "thinking", oldDaemon: "thinking", badTools: "tools", badMedia: "media", badStreamOptions: "stream_usage" };

describe("failover", { concurrency: 3 }, () => {
  for (const provider of PROVIDERS) {
    describe(`${provider}, every class of failure`, { concurrency: 40 }, () => {
      let world;
      const next = counter();
      const [steady, model] = ["steady", (name) => `case-${name}`.toLowerCase()];
      before(async () => {
        // The fallback is of the same provider: what rests all of it then rests nobody's way out, and ends with success.
        world = await startWorld({ [provider]: true, vars: { ...DEADLINES, DEFAULT_MODEL: `${provider}/${steady}` } });
        world[provider].setModels([steady, ...Object.keys(OUTCOMES[provider]).map(model)].map(made[provider]));
      });
      after(() => world?.close());

      test("no class is left out", () => assert.deepEqual(Object.keys(OUTCOMES[provider]).sort(), classesOf(provider).sort()));

      for (const [name, outcome] of Object.entries(OUTCOMES[provider])) {
        const { calls, why, mended, told } = Array.isArray(outcome) ? { calls: outcome[0], why: outcome[1] } : outcome;
        test(`${name}: ${told ?? why ?? "asked again without what was refused"}`, async () => {
          const person = world.person(next());
          const failing = model(name);
          await use(person, `${provider}/${failing}`);
          const question = `Question ${person.id}`;
          const match = question;
          world[provider].script(failure(name, { match, model: failing, times: mended ? 1 : 9 }), { match, model: failing, answer: "Mended." }, { match, model: steady, answer: "Steady." });
          const expected = mended ? "Mended." : why ? "Steady." : told;
          const message = await say(person, question, expected, SOON_MS + TOTAL * 1000);
          await person.settled();
          if (why) assert.equal(message.text, `Steady.\n\n${stoodIn(`${provider}/${steady}`, `${provider}/${failing}`, why)}`);
          if (mended) assert.equal(message.text, "Mended.");
          const asked = world.asked(question, provider).map((request) => request.model);
          assert.deepEqual(asked, [...Array(calls).fill(failing), ...(why ? [steady] : [])]);
          assert.equal(person.replies().filter((m) => !m.text.startsWith("🔑")).length, 3, "one answer");
          assert.deepEqual(person.drafts(), [], "nothing is left of what was cut");
          if (MODEL_RESTS[name]?.includes(provider)) {
            const [rest] = directory(world, "SELECT * FROM model_health WHERE provider = ? AND model = ?", provider, failing);
            assert.ok(rest?.until > rest?.failed_at, JSON.stringify(rest));
          }
          if (WITHOUT[name]) assert.deepEqual(directory(world, "SELECT feature FROM model_without WHERE model = ?", `${provider}/${failing}`), [{ feature: WITHOUT[name] }]);
        });
      }
    });
  }

  describe("AI Gateway's own failures", { concurrency: 20 }, () => {
    const CASES = {
      auth: [1, GONE],
      noGateway: [1, REFUSED],
      noProvider: [1, REFUSED],
      credentials: [1, REFUSED],
      rate: [3, LIMIT],
      server: [3, DOWN],
      html: [3, DOWN],
      html524: [3, DOWN],
      network: [3, DOWN],
      cut: [3, DOWN],
      silent: [1, DOWN],
      stall: [1, DOWN],
    };
    test("no class is left out", () => assert.deepEqual(Object.keys(CASES).sort(), classesOf("gateway").sort()));

    let world;
    const next = counter();
    before(async () => {
      world = await startWorld({ gateway: true, gemini: true, vars: { ...DEADLINES, ...RICH, DEFAULT_MODEL: "gemini/steady" } });
      world.gemini.setModels(["steady", ...Object.keys(CASES).map((name) => `case-${name.toLowerCase()}`)].map(made.gemini));
    });
    after(() => world?.close());

    for (const [name, [calls, why]] of Object.entries(CASES)) {
      test(`${name}: ${why}`, async () => {
        const person = world.person(next());
        const failing = `case-${name.toLowerCase()}`;
        const path = `google-ai-studio/v1beta/models/${failing}:`;
        await use(person, `gemini/${failing}`);
        const question = `Question ${person.id}`;
        world.gateway.script(failure(name, { match: path, times: 9 }));
        world.gemini.script({ match: question, model: failing, answer: "word ".repeat(30), tokensPerSecond: 50, times: 9 }, { match: question, model: "steady", answer: "Steady." });
        const message = await say(person, question, "Steady.", SOON_MS + TOTAL * 1000);
        assert.equal(message.text, `Steady.\n\n${stoodIn("gemini/steady", `gemini/${failing}`, why)}`);
        const passed = world.gateway.requests().filter((request) => `${request.provider}${request.path}`.startsWith(path));
        assert.equal(passed.length, calls);
      });
    }
  });

  describe("what failed rests, then it is called again", { concurrency: 1 }, () => {
    let world;
    const calls = (text, of, model) => world.asked(text, of).filter((request) => request.model === model).length;
    const rest = (provider, model) => directory(world, "SELECT * FROM model_health WHERE provider = ? AND model = ?", provider, model)[0];

    /** Failure, who is called, how often, why the other answered, and what then rests. */
    const CASES = [
      { name: "overloaded", provider: "gemini", model: "down", calls: 3, why: DOWN, rests: ["gemini", "down", "transient"] },
      { name: "silent", provider: "gemini", model: "mute", calls: 1, why: DOWN, rests: ["gemini", "mute", "transient"] },
      { name: "network", provider: "openai", model: "cut", calls: 3, why: DOWN, rests: ["openai", "cut", "transient"] },
      { name: "quota", provider: "gemini", model: "daily", calls: 1, why: LIMIT, rests: ["gemini", "daily", "quota"] },
      { name: "quota", provider: "openai", model: "poor", calls: 1, why: LIMIT, rests: ["openai", "", "quota"], last: true },
      { name: "quota", provider: "ollama", model: "weekly", calls: 1, why: LIMIT, rests: ["ollama", "", "quota"] },
    ];
    const STEADY = "gemini/steady";

    before(async () => {
      world = await startWorld({ gemini: true, openai: true, vars: { ...DEADLINES, DEFAULT_MODEL: STEADY, FALLBACK_MODELS: "openai/steady" } });
      for (const provider of PROVIDERS) world[provider].setModels(["steady", "mid", ...CASES.filter((one) => one.provider === provider).map((one) => one.model)].map(made[provider]));
    });
    after(() => world?.close());

    /** Asks the model of a case; resolves with the answer. */
    const ask = async (one, text, behaviour) => {
      const question = `${text} ${one.person.id}`;
      if (behaviour) world[one.provider].script({ match: question, model: one.model, ...behaviour });
      world.gemini.script({ match: question, model: "steady", answer: "Steady." });
      const began = performance.now();
      const { text: answer } = await say(one.person, question, /Steady\.|Back\./, SOON_MS + TOTAL * 1000);
      return { answer, calls: calls(question, one.provider, one.model), ms: performance.now() - began };
    };

    /** One that rests all of a provider waits for those of the same provider. */
    async function all(work) {
      await Promise.all(CASES.filter((one) => !one.last).map(work));
      await Promise.all(CASES.filter((one) => one.last).map(work));
    }

    test("it fails: the other answers at once and says so", async (t) => {
      const next = counter();
      for (const one of CASES) one.person = world.person(next());
      await all(async (one) => {
        await use(one.person, `${one.provider}/${one.model}`);
        const { answer, calls, ms } = await ask(one, "First", failure(one.name, { times: 9 }));
        assert.equal(answer, `Steady.\n\n${stoodIn(STEADY, `${one.provider}/${one.model}`, one.why)}`);
        assert.equal(calls, one.calls);
        t.diagnostic(`${one.provider} ${one.name}: ${Math.round(ms)} ms`);
        assert.ok(ms < TOTAL * 1000, `${ms} ms`);
        const [provider, model, kind] = one.rests;
        assert.equal(rest(provider, model)?.class, kind);
      });
    });

    test("a day's quota of Gemini rests until midnight in California, the others for about an hour", () => {
      const { until } = rest("gemini", "daily");
      const pacific = new Intl.DateTimeFormat("en-GB", { timeZone: "America/Los_Angeles", timeStyle: "medium" }).format(until);
      assert.equal(pacific, "00:00:00");
      assert.ok(until > Date.now() && until <= Date.now() + DAY + 3_600_000);
      for (const provider of ["openai", "ollama"]) {
        const { until, failed_at } = rest(provider, "");
        assert.equal(until - failed_at, 3_600_000);
      }
    });

    test("while it rests the next question goes straight to the other; /usage shows what rests", async () => {
      // Trouble that passes rests for half a minute, and the machine may be slow: longer, as if it had failed often.
      await world.worker.kill();
      world.objects("Directory")[0].run("UPDATE model_health SET until = until + 600000 WHERE class = 'transient'");
      await world.worker.restart();
      await all(async (one) => {
        const { answer, calls } = await ask(one, "Second");
        assert.equal(answer, `Steady.\n\n${stoodIn(STEADY, `${one.provider}/${one.model}`, RESTING)}`);
        assert.equal(calls, 0);
      });
      const usage = await say(CASES[0].person, "/usage", "Resting after failures");
      for (const name of ["gemini/down", "gemini/mute", "gemini/daily", "openai", "ollama"]) assert.match(usage.text, new RegExp(`^· ${name}: \\d+ (min|h)$`, "m"));
    });

    test("after the rest it answers again, without a word about it", async () => {
      await world.worker.kill();
      world.objects("Directory")[0].run("UPDATE model_health SET until = ?", Date.now() - 1);
      await world.worker.restart();
      for (const one of CASES) world[one.provider].script({ match: `Third ${one.person.id}`, model: one.model, answer: "Back." });
      await all(async (one) => {
        const { answer, calls } = await ask(one, "Third");
        assert.deepEqual([answer, calls], ["Back.", 1]);
      });
      await eventually(() => directory(world, "SELECT 1 FROM model_health").length === 0, "nothing to rest");
    });

    /** A model calls a tool and then fails, so often as it is asked again. */
    const failAfterTool = (provider, match, model) =>
      world[provider].script({ match, model, toolCalls: [{ name: "current_time", arguments: {} }] }, failure("server", { match, model, times: 3 }));

    for (const provider of ["ollama", "gemini"]) {
      test(`${provider} fails between a tool's result and the answer: a Gemini takes the turn over, foreign call and all`, async () => {
        const person = world.person(provider === "ollama" ? 1017 : 1018);
        const question = `Midway ${person.id}`;
        await use(person, `${provider}/mid`);
        failAfterTool(provider, question, "mid");
        world.gemini.script({ match: question, model: "steady", answer: "Taken over." });
        const { text } = await say(person, question, "Taken over.", SOON_MS + TOTAL * 1000);
        assert.equal(text, `Taken over.\n\n${stoodIn(STEADY, `${provider}/mid`, DOWN)}`);
        const taken = world.asked(question, "gemini").filter((request) => request.model === "steady");
        assert.deepEqual(taken.map((request) => [request.status, request.dummies]), [[200, 1]]);
      });
    }

    test("the whole chain is walked; when all of it rests, the one soonest free is tried all the same", async () => {
      const person = world.person(1019);
      await use(person, "ollama/weekly");
      failAfterTool("ollama", "Two fail 1019", "weekly");
      world.gemini.script(failure("server", { match: "Two fail 1019", model: "steady", times: 3 }));
      world.openai.script({ match: "Two fail 1019", model: "steady", answer: "The third." });
      const third = await say(person, "Two fail 1019", "The third.", SOON_MS + TOTAL * 1000);
      assert.equal(third.text, `The third.\n\n${stoodIn("openai/steady", "ollama/weekly", DOWN)}`);
      assert.deepEqual([calls("Two fail 1019", "ollama", "weekly"), calls("Two fail 1019", "gemini", "steady")], [4, 3]);
      world.openai.script(failure("server", { match: "All fail 1019", model: "steady", times: 3 }));
      world.ollama.script({ match: "All fail 1019", model: "weekly", answer: "Awake." });
      assert.equal((await say(person, "All fail 1019", "Awake.", SOON_MS + TOTAL * 1000)).text, "Awake.");
      assert.equal(calls("All fail 1019", "openai", "steady"), 3);
      assert.equal(calls("All fail 1019", "gemini", "steady"), 0, "its rest ends later");
    });

    test("a server that is not there any more", async () => {
      const person = world.person(1020);
      await use(person, "openai/poor");
      await world.openai.close();
      world.gemini.script({ match: "Gone 1020", model: "steady", answer: "Steady." });
      const message = await say(person, "Gone 1020", "Steady.", SOON_MS + TOTAL * 1000);
      assert.equal(message.text, `Steady.\n\n${stoodIn(STEADY, "openai/poor", DOWN)}`);
      assert.equal(rest("openai", "poor").class, "transient");
    });
  });
});
