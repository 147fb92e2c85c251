// A deliberate panic in one conversation while others stream: nobody else notices, and the one works again.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startWorld } from "./support/world.mjs";

const WORDS = Array.from({ length: 100 }, (_, i) => `word${i}`).join(" ");

describe("panic", () => {
  let world;
  before(async () => (world = await startWorld({ access: true, vars: { DEBUG_TOKEN: "debug-token" } })));
  after(() => world?.close());

  const panic = (session, token = "debug-token") => world.admin(`/debug/panic/${session}`, { method: "POST", headers: { authorization: `Bearer ${token}` } });

  test("without the token there is no such route", async () => {
    for (const token of ["", "wrong", "debug-token2"]) assert.equal((await panic("main:1001", token)).status, 404);
  });

  test("the neighbours' streams go on, the panicking conversation works again", async () => {
    const neighbours = [1001, 1002, 1003].map((id) => world.person(id));
    const unlucky = world.person(1004);
    await unlucky.talk("Before");
    for (const neighbour of neighbours) neighbour.ask(`Stream ${neighbour.id}`, { answer: `${neighbour.id} ${WORDS}`, tokensPerSecond: 40 });
    await world.telegram.waitFor(() => neighbours.every((neighbour) => neighbour.drafts().length > 0));
    for (let i = 0; i < 3; i++) {
      const { status } = await panic("main:1004");
      assert.equal(status, 500, "an answer, not a hang");
      await unlucky.talk(`After panic ${i}`);
    }
    for (const neighbour of neighbours) {
      await neighbour.until(`${neighbour.id} ${WORDS}`);
      assert.equal(neighbour.replies().length, 1);
      assert.equal(world.asked(`Stream ${neighbour.id}`).length, 1, "not asked again");
    }
    assert.ok(world.logged("a deliberate panic").length >= 1, "it is in the log");
    assert.match(JSON.stringify(world.asked("After panic 2")[0].body.messages), /Before/, "its memory is whole");
  });

  test("a panic in a conversation whose own answer streams: the answer comes, once", async () => {
    const person = world.person(1005);
    person.ask("My own", { answer: WORDS, tokensPerSecond: 40, times: 3 });
    await world.telegram.waitFor(() => person.drafts().length > 0);
    assert.equal((await panic("main:1005")).status, 500);
    await person.until(WORDS, 30_000);
    await person.settled();
    assert.equal(person.texts().filter((text) => text === WORDS).length, 1);
  });
});
