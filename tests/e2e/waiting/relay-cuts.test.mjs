// The network between a relay and the Worker is gone for 5, 60 and 200 s, in the middle of an answer and between two: nobody
// is told, nothing is closed, and then it is back. All six at once, on one Worker, each with a home of its own. Also the
// hub asleep. Deliberately not here: what takes no waiting (relay-faults.test.mjs).
//
// This folder is run beside the other end-to-end tests: it takes minutes and next to no work.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { use } from "../support/models.mjs";
import { startHome, startRelay } from "../support/relay.mjs";
import { SOON_MS, startWorld } from "../support/world.mjs";

const WORDS = Array.from({ length: 150 }, (_, i) => `word${i}`).join(" ");
const CUTS_S = [5, 60, 200];
/** By then the person has an answer, or knows why not. */
const TOLD_MS = 50_000;
/** By then a relay is back after its network is. */
const BACK_MS = 40_000;
/** An idle hub sleeps after 10 s; a relay pings every 30 s. */
const IDLE_MS = 45_000;

// All at once: there is little to do.
describe("waiting", { concurrency: 2 }, () => {
  describe("the network is cut", { concurrency: 12 }, () => {
    let world;
    const homes = [];
    before(async () => (world = await startWorld({ relay: true, access: true })));
    after(async () => {
      await Promise.all(homes.map((home) => home.close()));
      await world?.close();
    });

    const homeOf = async (id, name, settings) => {
      const home = await startHome(world, { name, net: true, ...settings });
      homes.push(home);
      const person = world.person(id);
      await use(person, home.model);
      return { home, person };
    };
    /** The network is gone for so long; then it is as it was. */
    const outage = async (home, seconds) => {
      home.net.freeze();
      await sleep(seconds * 1000);
      home.net.thaw();
      return performance.now();
    };
    /** Asks until the relay itself answers, and how long after the network was back. */
    const usable = async (t, home, person, backAt) => {
      await home.relay.untilConnected(BACK_MS);
      home.ask(person, "And now", { answer: "Here I am." });
      const { text } = await person.until("Here I am.", SOON_MS);
      const took = performance.now() - backAt;
      t.diagnostic(`usable ${(took / 1000).toFixed(1)} s after the network was back`);
      assert.equal(text, "Here I am.");
      assert.ok(took < BACK_MS);
    };

    for (const [at, seconds] of CUTS_S.entries()) {
      test(`${seconds} s, in mid-answer`, async (t) => {
        const { home, person } = await homeOf(1001 + at, `mid-${seconds}`);
        world.ollama.script({ match: `The question of ${person.id}`, answer: "I stand in." });
        home.ask(person, `The question of ${person.id}`, { answer: WORDS, tokensPerSecond: 40 });
        await world.telegram.waitFor(() => person.drafts().some((draft) => draft.text.includes("word3")), SOON_MS);
        const began = performance.now();
        const back = outage(home, seconds);
        const { text } = await person.until((m) => m.text?.includes("word149") || /↪️|🔌|⚠️/.test(m.text), TOLD_MS);
        t.diagnostic(`after ${((performance.now() - began) / 1000).toFixed(1)} s: ${text.slice(-90)}`);
        if (seconds === 5) {
          assert.equal(text, WORDS);
          assert.equal(home.asked("The question").length, 1, "the same call, to its end");
        } else {
          assert.match(text, new RegExp(`^I stand in\\.\\n\\n↪️ .*${home.model}`));
        }
        await usable(t, home, person, await back);
        await person.settled();
        const finals = person.texts().filter((one) => /word|stand in|🔌|⚠️/.test(one));
        assert.deepEqual(finals, [text], "one answer, and nothing else");
        await home.ollama.waitFor(() => home.asked("The question").every((request) => request.endedAt), BACK_MS);
      });

      test(`${seconds} s, between two answers`, async (t) => {
        const { home, person } = await homeOf(1011 + at, `between-${seconds}`);
        home.ask(person, "Before", { answer: "Yes, before." });
        await person.until("Yes, before.");
        await usable(t, home, person, await outage(home, seconds));
        await person.settled();
        assert.deepEqual(person.texts().slice(1, 3), ["Yes, before.", "Here I am."]);
      });
    }
  });

  describe("relays that wait", { concurrency: 2 }, () => {
    test("an idle hub sleeps though its relays ping, and wakes with the same links", async (t) => {
      const world = await startWorld({ relay: true, access: true });
      const home = await startHome(world);
      try {
        const look = async () => (await world.admin("/api/relays")).json;
        const [before, { ollama_relay_reconnects_total: reconnects }] = [await look(), await home.relay.metrics()];
        const logged = home.relay.logs().length;
        await sleep(IDLE_MS);
        assert.ok(await home.relay.healthy(), "a ping was answered within the last minute");
        const after = await look();
        assert.notEqual(after.instance, before.instance, "it was put out of memory meanwhile");
        assert.equal(after.relays[0].since, before.relays[0].since, "the link is the same");
        assert.equal(after.relays[0].connected, true);
        assert.equal((await home.relay.metrics()).ollama_relay_reconnects_total, reconnects);
        t.diagnostic(`instance ${before.instance} before, ${after.instance} after ${IDLE_MS / 1000} s; the relay logged ${home.relay.logs().length - logged} characters meanwhile`);
        const person = world.person(1001);
        await use(person, "relay/qwen3:8b");
        home.ask(person, "Good morning", { answer: "Good morning." });
        await person.until("Good morning.");
      } finally {
        await home.close();
        await world.close();
      }
    });

    test("a relay that was replaced takes its place again when the other one is gone", async () => {
      const world = await startWorld({ relay: true, access: true });
      const home = await startHome(world);
      try {
        const second = await startRelay(world, { ollama: home.ollama });
        await second.kill("SIGTERM");
        await home.relay.untilConnected(BACK_MS);
        const person = world.person(1001);
        await use(person, "relay/qwen3:8b");
        home.ask(person, "Who is it", { answer: "The first." });
        await person.until("The first.");
        await second.close();
      } finally {
        await home.close();
        await world.close();
      }
    });
  });
});
