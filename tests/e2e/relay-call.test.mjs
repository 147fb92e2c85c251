// A conversation's call through the hub on the built Worker, with the relay's side spoken by the test: what the caller
// sends and when, how it goes on when the relay's link breaks, and that it gives up cleanly. Deliberately not here: the
// real relay and faults of the network (relay*.test.mjs beside this), the rules one by one (src/relay/caller).

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { connectRelay, hex, WINDOW } from "./support/relay-wire.mjs";
import { TOKEN } from "./support/relay.mjs";
import { startWorld } from "./support/world.mjs";

const png = (size) => Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), randomBytes(size - 8)]);
const say = (text) => Buffer.from(`${JSON.stringify({ message: { role: "assistant", content: text }, done: false })}\n`);
const DONE = Buffer.from(`${JSON.stringify({ message: { role: "assistant", content: "" }, done: true, done_reason: "stop", prompt_eval_count: 5, eval_count: 5 })}\n`);

describe("a conversation's call through the hub", { concurrency: 1 }, () => {
  let world;
  let next = 5001;
  before(async () => {
    world = await startWorld({ owners: Array.from({ length: 7 }, (_, n) => 5001 + n), relay: true, vars: { DEFAULT_MODEL: "relay/m", MODEL_CATALOGUE: JSON.stringify({ "relay/m": { accepts: ["image"] } }) } });
  });
  after(() => world?.close());

  /** A relay that the hub knows. */
  async function relayAt(hello) {
    const relay = await connectRelay(world.worker, TOKEN, hello);
    await relay.take("WELCOME");
    return relay;
  }

  /** A relay whose call of a chat is taken with its whole body; `/api/show` is refused. */
  async function serve(relay) {
    for (;;) {
      const open = await relay.take("OPEN");
      if (open.path !== "/api/chat") {
        await relay.take("DATA");
        relay.send({ kind: "FAIL", call: open.call, code: "refused", message: "not here" });
        continue;
      }
      const parts = [];
      for (let got = 0; got < open.length; got += parts.at(-1).length) {
        const data = await relay.take("DATA");
        assert.equal(data.offset, got);
        assert.ok(data.bytes.length <= 64 * 1024);
        parts.push(data.bytes);
        relay.send({ kind: "CREDIT", call: open.call, received: got + data.bytes.length, limit: got + data.bytes.length + WINDOW });
      }
      return { ...open, body: JSON.parse(Buffer.concat(parts).toString()) };
    }
  }

  const head = (relay, call, status = 200) => relay.send({ kind: "HEAD", call, status });
  const data = (relay, call, offset, bytes) => relay.send({ kind: "DATA", call, offset, bytes });

  /** The whole answer, from byte 0 of it. */
  function answer(relay, call, text) {
    const bytes = Buffer.concat([say(text), DONE]);
    head(relay, call);
    data(relay, call, 0, bytes);
    relay.send({ kind: "END", call, length: bytes.length });
  }

  test("a question goes there and the answer comes back", async () => {
    const relay = await relayAt();
    const person = world.person(next++);
    person.send("Good morning, relay");
    const asked = await serve(relay);
    assert.equal(asked.method, "POST");
    assert.equal(asked.model, "m");
    assert.equal(asked.body.model, "m");
    assert.equal(asked.body.truncate, false);
    assert.equal(asked.body.options.num_ctx, 32_768);
    assert.match(asked.body.messages.at(-1).content, /Good morning, relay/);
    answer(relay, asked.call, "Good morning to you.");
    await person.until("Good morning to you.");
    await relay.close();
  });

  test("a picture goes there by credit, from storage, and arrives whole", async () => {
    const relay = await relayAt();
    const person = world.person(next++);
    const bytes = png(3_000_001);
    person.send({ photo: { bytes }, text: "What is it?" });
    const asked = await serve(relay);
    assert.ok(asked.length > 4_000_000, `${asked.length} bytes`);
    assert.equal(Buffer.compare(Buffer.from(asked.body.messages.at(-1).images[0], "base64"), bytes), 0);
    answer(relay, asked.call, "A picture.");
    await person.until("A picture.");
    await relay.close();
  });

  test("a relay that is back within its grace goes on where it was", async () => {
    let relay = await relayAt({ instance: "kept" });
    const person = world.person(next++);
    person.send("Tell me a story");
    const asked = await serve(relay);
    const whole = Buffer.concat([say("Once upon "), say("a time."), DONE]);
    const half = say("Once upon ").length;
    head(relay, asked.call);
    data(relay, asked.call, 0, whole.subarray(0, half));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await relay.cut();
    relay = await relayAt({ instance: "kept", calls: [hex(asked.call)] });
    const resume = await relay.take("RESUME");
    assert.equal(resume.received, half);
    relay.send({ kind: "RESUMED", call: asked.call, received: asked.length, limit: asked.length + WINDOW });
    head(relay, asked.call);
    data(relay, asked.call, half, whole.subarray(half));
    relay.send({ kind: "END", call: asked.call, length: whole.length });
    await person.until("Once upon a time.");
    await relay.close();
  });

  test("a relay that is killed in mid-answer fails the call, which is made again", async () => {
    let relay = await relayAt({ instance: "old" });
    const person = world.person(next++);
    person.send("Sing a song");
    const first = await serve(relay);
    head(relay, first.call);
    data(relay, first.call, 0, say("La la "));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await relay.cut();
    relay = await relayAt({ instance: "new" });
    const again = await serve(relay);
    assert.notEqual(again.call, first.call);
    answer(relay, again.call, "La la la.");
    const said = await person.until("La la la.");
    assert.equal(said.text, "La la la.");
    await relay.close();
  });

  test("a model that is loaded for long is told of while it is", async () => {
    const relay = await relayAt();
    const person = world.person(next++);
    person.send("Are you awake?");
    const asked = await serve(relay);
    const waits = setInterval(() => relay.send({ kind: "WAIT", call: asked.call, phase: "loading" }), 2_000);
    try {
      await world.telegram.waitFor(() => person.calls("sendMessageDraft").find(({ params }) => params.text === "⏳ Loading m on the relay… 10 s"), 20_000);
    } finally {
      clearInterval(waits);
    }
    answer(relay, asked.call, "Now I am.");
    assert.equal((await person.until("Now I am.")).text, "Now I am.");
    await relay.close();
  });

  test("stop cancels the call", async () => {
    const relay = await relayAt();
    const person = world.person(next++);
    person.send("Count to a million");
    const asked = await serve(relay);
    head(relay, asked.call);
    data(relay, asked.call, 0, say("One, "));
    await new Promise((resolve) => setTimeout(resolve, 500));
    person.send("/stop");
    assert.equal((await relay.take("CANCEL")).call, asked.call);
    await person.until("Stopped.");
    await relay.close();
  });

  test("without a relay the person hears so, and /model and /status know those that are there", async () => {
    const person = world.person(next++);
    person.send("Anybody?");
    await person.until("is not connected", 20_000);
    const relays = [await relayAt({ name: "den", models: ["a"] }), await relayAt({ models: ["a", { name: "b", loaded: true }] })];
    person.send("/status");
    await person.until("Relay home: connected since");
    await person.until("loaded: b");
    person.send("/model");
    const menu = await person.until("Current model: relay/m");
    for (const name of ["relay/a", "relay/b", "relay:den/a"]) assert.ok(JSON.stringify(menu).includes(`"${name}"`), `${name} in ${JSON.stringify(menu)}`);
    person.send("/model relay:home/a");
    await person.until("✓ relay:home/a answers from now on.");
    person.send("Who is it?");
    const asked = await serve(relays[1]);
    assert.equal(asked.relay, "home");
    answer(relays[1], asked.call, "Home, and not den.");
    await person.until("Home, and not den.");
    await Promise.all(relays.map((relay) => relay.close()));
  });
});
