// Ollama, Gemini and an OpenAI-compatible server, each directly and through AI Gateway: picked from the menu, asked,
// with tools, with thoughts, and one after the other in the same conversation. The stand-ins are as strict as the real
// ones, so an answer without a second request says that the first was right.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PROVIDERS, askedAnywhere, counter, ledger, pick, say, use } from "./support/models.mjs";
import { chatObject } from "./support/objects.mjs";
import { startWorld } from "./support/world.mjs";

const MODELS = { ollama: "ollama/gpt-oss:120b", gemini: "gemini/gemini-3.6-flash", openai: "openai/gpt-5-mini" };
const WORDS = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
/** What a stand-in thinks unless told (canned.mjs). */
const THOUGHT = "Let me answer briefly";
const TOLD = /The tool says: \w+ .*\(UTC/;
const nameOf = (model) => model.slice(model.indexOf("/") + 1);

/** What a request says about thinking, by model: `/think off`, then `/think high`. */
const LEVELS = {
  "ollama/gpt-oss:120b": ["low", "high"],
  "ollama/qwen3:8b": [false, true],
  "gemini/gemini-3.8-flash": ["low", "high"],
  "gemini/gemini-3.6-flash": ["minimal", "high"],
  "gemini/gemini-3.5-flash-lite": ["minimal", "high"],
  "gemini/gemini-3.1-pro-preview": ["low", "high"],
  "openai/gpt-5-mini": ["minimal", "high"],
  "openai/gpt-5.1": ["none", "high"],
  "openai/gpt-4.1-mini": [undefined, undefined],
  "openai/plain-chat": [undefined, undefined],
};
const levelIn = {
  ollama: ({ think }) => think,
  gemini: ({ generationConfig }) => generationConfig?.thinkingConfig?.thinkingLevel,
  openai: ({ reasoning_effort }) => reasoning_effort,
};

const ROUTES = [
  ["directly", {}],
  // Behind a gateway nothing counts as a server of one's own, so everything has a price.
  ["through AI Gateway", { gateway: true, vars: { DAILY_BUDGET_USD: "1000", MONTHLY_BUDGET_USD: "1000" } }],
];

for (const [route, options] of ROUTES) {
  describe(route, { concurrency: 20 }, () => {
    let world;
    const next = counter();
    const someone = () => world.person(next());
    before(async () => (world = await startWorld({ gemini: true, openai: true, ...options })));
    after(() => world?.close());

    /** All requests of this person's questions went through at the first try; returns them. */
    function accepted(person) {
      const requests = askedAnywhere(world, `, ${person.id}`);
      assert.deepEqual(requests.filter((r) => r.status !== 200).map((r) => [r.model, r.error]), []);
      return requests;
    }

    for (const provider of PROVIDERS) {
      test(`${provider}: picked from the menu, it streams, calls a tool, and remembers the call`, async () => {
        const person = someone();
        assert.equal(await pick(world, person, MODELS[provider]), `✓ ${MODELS[provider]} answers from now on.`);
        person.ask(`Hello, ${person.id}`, { answer: WORDS, tokensPerSecond: 60 }, provider);
        await person.until(WORDS);
        assert.ok(person.calls("sendMessageDraft").length >= 1, "it was seen growing");
        await say(person, `What time is it, ${person.id}?`, TOLD);
        await say(person, `And which time is it now, ${person.id}?`, TOLD);
        await person.settled();
        assert.equal(person.texts().filter((text) => text.includes("word0")).length, 1, "the answer came once");
        assert.equal(person.texts().filter((text) => TOLD.test(text)).length, 2);
        const requests = accepted(person);
        assert.deepEqual(requests.map((r) => r.model), Array(5).fill(nameOf(MODELS[provider])));
        if (provider === "gemini") {
          assert.ok(requests.every((r) => r.dummies === 0), "its own calls carry their own signatures");
          assert.match(JSON.stringify(requests.at(-1).body.contents), /"functionCall":.*"thoughtSignature":/);
        }
      });

      test(`${provider}: /reasoning shows the thought folded above the answer`, async () => {
        const person = someone();
        await use(person, MODELS[provider]);
        const behaviour = { thinking: "First this, then that.", answer: "So it is." };
        const shown = async (question) => {
          world[provider].script({ match: question, ...behaviour });
          return say(person, question, "So it is.");
        };
        assert.equal((await shown(`Unasked, ${person.id}`)).text, "So it is.");
        await say(person, "/reasoning", "folded");
        const message = await shown(`And why, ${person.id}`);
        // OpenAI itself keeps its thoughts; the stand-in behind the gateway speaks as OpenAI does.
        if (provider === "openai" && options.gateway) return assert.equal(message.text, "So it is.");
        assert.match(message.text, /^First this, then that\.\n+So it is\.$/);
        const [{ type, offset, length }] = message.entities;
        assert.deepEqual([type, message.text.slice(offset, offset + length)], ["expandable_blockquote", "First this, then that."]);
        await say(person, "/reasoning off", "hidden");
        assert.equal((await shown(`Once more, ${person.id}`)).text, "So it is.");
      });

      test(`${provider}: a model that calls the same tool for ever is asked to do without, then told of`, async () => {
        const person = someone();
        await use(person, MODELS[provider]);
        // Without tools on offer, what they said goes to an OpenAI-style server as the user's words.
        const lastRound = "use the results there are";
        for (const match of [`For ever, ${person.id}`, lastRound]) world[provider].script({ match, toolCalls: [{ name: "current_time", arguments: {} }], times: 50 });
        await say(person, `For ever, ${person.id}`, "⚠️ The model kept calling tools");
        const requests = new Set([...accepted(person).map((r) => r.body), ...world.asked(lastRound, provider).map((r) => r.body)]);
        assert.deepEqual([...requests].map((body) => Boolean(body.tools)), [true, true, true, true, false]);
        await say(person, `Never mind, ${person.id}`, "You said");
        accepted(person);
      });

      test(`${provider}: /think off and /think high go to each model as it takes them`, async () => {
        const person = someone();
        const models = Object.keys(LEVELS).filter((model) => model.startsWith(`${provider}/`));
        for (const model of models) {
          await use(person, model);
          for (const level of ["off", "high"]) {
            await say(person, `/think ${level}`, `🧠 Thinking: ${level}.`);
            world[provider].script({ match: `${model} at ${level}, ${person.id}`, answer: `Thought ${level} in ${model}.` });
            await say(person, `${model} at ${level}, ${person.id}`, `Thought ${level} in ${model}.`);
          }
        }
        const sent = models.map((model) => [model, accepted(person).filter((r) => r.model === nameOf(model)).map((r) => levelIn[provider](r.body))]);
        // A server of unknown make is told nothing: it might refuse the word.
        const silent = provider === "openai" && !options.gateway;
        assert.deepEqual(sent, models.map((model) => [model, silent ? [undefined, undefined] : LEVELS[model]]));
      });

      for (const other of PROVIDERS.filter((name) => name !== provider)) {
        test(`from ${provider} to ${other} and back after a tool's result`, async () => {
          const person = someone();
          await use(person, MODELS[provider]);
          await say(person, `What time is it here, ${person.id}?`, TOLD);
          await use(person, MODELS[other]);
          await say(person, `What time is it there, ${person.id}?`, TOLD);
          await use(person, MODELS[provider]);
          await say(person, `And the time once more, ${person.id}?`, TOLD);
          const requests = accepted(person);
          assert.deepEqual(requests.map((r) => r.provider), [provider, provider, other, other, provider, provider]);
          const [first, result] = requests.slice(2);
          assert.ok(!JSON.stringify(first.body).includes(THOUGHT), "another model's thoughts stay out");
          assert.match(JSON.stringify(first.body), /current_time.*The tool says/, "its call and its words do not");
          if (other === "gemini") assert.deepEqual([first.dummies, result.dummies], [1, 1], "a placeholder on the foreign call only");
          else assert.doesNotMatch(JSON.stringify([first.body, result.body]), /signature/i);
          if (provider === "gemini") assert.deepEqual(requests.slice(4).map((r) => r.dummies), [1, 1]);
        });
      }
    }

    for (const provider of ["gemini", "openai"]) {
      test(`${provider}: tokens read from its cache stand in the ledger`, async () => {
        const person = someone();
        await use(person, MODELS[provider]);
        world[provider].script({ match: `Cached, ${person.id}`, answer: "Read.", thinking: "", promptTokens: 5_000, cachedTokens: 4_200, outputTokens: 7 });
        await say(person, `Cached, ${person.id}`, "Read.");
        const [row] = await ledger(world, person);
        assert.deepEqual([row.model, row.calls, row.failures, row.input, row.cached_input, row.output], [MODELS[provider], 1, 0, 5_000, 4_200, 7]);
      });
    }

    if (options.gateway) {
      test("each call carries what the gateway is to be told and nobody's id; its log id is kept with the step", async () => {
        const people = [someone(), someone(), someone()];
        await Promise.all(PROVIDERS.map(async (provider, i) => {
          await use(people[i], MODELS[provider]);
          await say(people[i], `The time, ${people[i].id}?`, TOLD);
        }));
        const calls = world.gateway.requests().filter((request) => request.method === "POST" && !request.path.endsWith("/api/show"));
        assert.ok(calls.length >= 6);
        for (const { wrong, authorization, metadata, status } of world.gateway.requests()) assert.deepEqual([wrong, authorization, status, typeof metadata], [[], "present", 200, "object"]);
        for (const { metadata } of calls) assert.deepEqual(Object.keys(metadata), ["step", "turn"]);
        const ids = new Set(calls.map((call) => call.logId));
        for (const person of people) {
          const steps = chatObject(world.persistTo, `main:${person.id}`).all("SELECT id, turn_id, detail FROM step WHERE kind = 'model' AND state = 'done'");
          assert.equal(steps.length, 2);
          for (const { id, turn_id, detail } of steps) {
            const { log_id } = JSON.parse(detail);
            assert.ok(ids.has(log_id), detail);
            assert.deepEqual(calls.find((call) => call.logId === log_id).metadata, { step: id, turn: turn_id });
          }
        }
      });
    }
  });
}
