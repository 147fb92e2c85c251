// The relays' hub on the built Worker, with both ends of the protocol spoken by the test: who may connect, what is sent
// on, what closes a socket, and that it sleeps while its sockets stay open. Every rule one by one is in src/relay/hub;
// deliberately not here: the real relay, a conversation that calls.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { connect, connectRelay, encode, hex, MAX_FRAME, newCall } from "../support/relay-wire.mjs";
import { SOON_MS, startWorld } from "../support/world.mjs";

const TOKEN = "relay-token";
/** The platform lets an object sleep after about 10 s without an event; an alarm set before may be one, 5 s on. */
const ASLEEP_MS = 17_000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

describe("the relays' hub", { concurrency: 1 }, () => {
  let world;
  const open = [];
  before(async () => {
    world = await startWorld({ owners: [1001], probe: true, vars: { RELAY_TOKEN: TOKEN } });
  });
  after(async () => {
    await Promise.all(open.map((end) => end.cut()));
    await world?.close();
  });

  const keep = (end) => (open.push(end), end);
  const relay = async (hello, token = TOKEN) => keep(await connectRelay(world.worker, token, hello));
  const caller = async () => keep(await connect(`${world.worker.url}/test/hub/call`));
  const view = async () => (await fetch(`${world.worker.url}/test/hub/view`, { method: "POST" })).json();
  const seen = async (name) => (await view()).relays.find((relay) => relay.name === name);
  const log = () => world.worker.logs.map(({ message }) => message);
  const logged = async (line) => {
    for (const began = Date.now(); Date.now() - began < SOON_MS; await sleep(50)) if (log().includes(line)) return;
    assert.fail(`${line} is not among ${log().filter((entry) => entry.startsWith("relay")).join("\n")}`);
  };

  /** A relay that was welcomed. */
  async function welcomed(hello) {
    const end = await relay(hello);
    await end.take("WELCOME");
    return end;
  }

  /** A caller whose call `relay` has. */
  async function placed(relay, model = "m") {
    const end = await caller();
    const call = newCall();
    end.send({ kind: "OPEN", call, version: 1, method: "POST", path: "/api/chat", length: 10, model });
    assert.equal((await end.take("PLACED")).relay, relay.hello.name);
    assert.equal((await relay.take("OPEN")).call, call);
    return { ...end, call };
  }

  /** Bytes go both ways. */
  async function talks(caller, relay) {
    const [asked, answered] = [randomBytes(64 * 1024), randomBytes(64 * 1024)];
    caller.send({ kind: "DATA", call: caller.call, offset: 0, bytes: asked });
    relay.send({ kind: "DATA", call: caller.call, offset: 0, bytes: answered });
    assert.deepEqual((await relay.take("DATA")).bytes, asked);
    assert.deepEqual((await caller.take("DATA")).bytes, answered);
  }

  test("only a relay with the token gets in", async () => {
    const get = (headers, method = "GET", query = "") => fetch(`${world.worker.url}/relay${query}`, { method, headers });
    const wrong = [{}, { authorization: "Bearer wrong" }, { authorization: TOKEN }, { authorization: `bearer ${TOKEN}` }, { authorization: `Bearer ${TOKEN}x` }];
    for (const headers of wrong) {
      const response = await get(headers);
      assert.equal(response.status, 401);
      assert.equal((await response.json()).error.code, "unauthorized");
      await assert.rejects(connect(`${world.worker.url}/relay`, headers), { status: 401 });
    }
    assert.equal((await get({}, "GET", `?token=${TOKEN}`)).status, 401);
    const bearer = { authorization: `Bearer ${TOKEN}` };
    assert.equal((await get(bearer)).status, 426);
    assert.equal((await (await get(bearer, "GET", "?upgrade=websocket")).json()).error.code, "upgrade_required");
    for (const method of ["POST", "HEAD", "DELETE"]) assert.equal((await get(bearer, method)).status, 405, method);
    assert.equal((await fetch(`${world.worker.url}/relay/`, { headers: bearer })).status, 404);
    // The way of a conversation is not open to the outside.
    for (const path of ["/call", "/view", "/relay/call"]) assert.equal((await fetch(`${world.worker.url}${path}`, { headers: bearer })).status, 404, path);
  });

  test("a call passes through, and everybody can see it", async () => {
    const home = await welcomed({ models: [{ name: "m", size: 5, loaded: true }], slots: 2, latency_ms: 7, ollama: "0.9.1" });
    await logged("relay: relay home connected");
    const call = await placed(home);
    await talks(call, home);
    const { in_flight, connected, max_parallel, latency_ms, ollama, models } = await seen("home");
    assert.deepEqual({ in_flight, connected, max_parallel, latency_ms, ollama }, { in_flight: 1, connected: true, max_parallel: 2, latency_ms: 7, ollama: "0.9.1" });
    assert.deepEqual(models, [{ name: "m", size: 5, loaded: true }]);
    home.send({ kind: "HEAD", call: call.call, status: 200 });
    home.send({ kind: "END", call: call.call, length: 65_536 });
    assert.equal((await call.take("HEAD")).status, 200);
    await call.take("END");
    const { in_flight: left, calls, failed } = await seen("home");
    assert.deepEqual({ left, calls, failed }, { left: 0, calls: 1, failed: 0 });
    await home.close();
    assert.equal((await seen("home")).connected, false);
  });

  test("those who wait are placed when a slot is free, and hear until then that they wait", async () => {
    const home = await welcomed({ slots: 1 });
    const first = await placed(home);
    const second = await caller();
    const call = newCall();
    second.send({ kind: "OPEN", call, version: 1, method: "POST", path: "/api/chat", length: 10, model: "m" });
    for (let n = 0; n < 2; n++) assert.equal((await second.take("WAIT")).phase, "queued");
    assert.equal((await view()).queued, 1);
    await first.cut();
    assert.equal((await home.take("CANCEL")).call, first.call);
    assert.equal((await home.take("OPEN")).call, call);
    await second.take("PLACED");
    await home.close();
    assert.equal((await second.take("FAIL")).code, "lost");
  });

  test("what is no frame of the protocol closes the link, and harms nobody else", async () => {
    const good = await welcomed({ name: "good", models: ["good"] });
    const call = await placed(good, "good");
    const hello = (change) => ({ kind: "HELLO", version: 1, oldest: 1, name: "odd", instance: "x", software: "", takeover: true, max_parallel: 1, ...change });
    const spoilt = {
      empty: Buffer.alloc(0),
      short: Buffer.from([0x12, 0, 0]),
      unknown: Buffer.from([0x55, 0, 0, 0, 0, 0, 0, 0, 1]),
      random: Buffer.concat([Buffer.from([0x01]), randomBytes(1_000)]),
      oversized: Buffer.concat([encode({ kind: "DATA", call: 5n, offset: 0 }), Buffer.alloc(MAX_FRAME)]),
      huge: Buffer.alloc(4 * 1024 * 1024, 0x12),
      "before HELLO": encode({ kind: "STATE", max_parallel: 1 }),
      "a name that is none": encode(hello({ name: "../x" })),
    };
    for (const [what, bytes] of Object.entries(spoilt)) {
      const end = keep(await connect(`${world.worker.url}/relay`, { authorization: `Bearer ${TOKEN}` }));
      end.send(bytes);
      assert.equal(await end.code(), 4400, what);
    }
    const texter = keep(await connect(`${world.worker.url}/relay`, { authorization: `Bearer ${TOKEN}` }));
    texter.socket.send("ping");
    assert.equal(await texter.code(), 4400);
    const ordered = await welcomed({ name: "odd", instance: "y" });
    ordered.send(encode(hello()));
    assert.equal(await ordered.code(), 4400, "HELLO twice");
    const foreign = await welcomed({ name: "odd", instance: "y" });
    foreign.send({ kind: "DATA", call: call.call, offset: 0, bytes: Buffer.from("not mine") });
    assert.equal(await foreign.code(), 4400, "a call of another relay");
    await logged("relay: relay odd broke the protocol: a frame out of place");
    const newer = keep(await connect(`${world.worker.url}/relay`, { authorization: `Bearer ${TOKEN}` }));
    newer.send(encode(hello({ version: 9, oldest: 2 })));
    assert.equal(await newer.code(), 4426);
    const both = await welcomed({ name: "both", version: 9, unheard: { of: true } });
    both.send(Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
    await talks(call, good);
    assert.deepEqual([both.frames, call.frames], [[], []]);
    await Promise.all([good.close(), both.close()]);
  });

  test("a caller that breaks the rules loses its call alone", async () => {
    const home = await welcomed();
    const [bad, good] = [await placed(home), await placed(home)];
    bad.send({ kind: "DATA", call: good.call, offset: 0, bytes: Buffer.from("x") });
    assert.equal((await bad.take("FAIL")).code, "protocol");
    assert.equal(await bad.code(), 4400);
    assert.equal((await home.take("CANCEL")).call, bad.call);
    await talks(good, home);
    await home.close();
  });

  test("of two relays of one name the one that may stays", async () => {
    const first = await welcomed();
    const call = await placed(first);
    const shy = await relay({ instance: "two", takeover: false, wait: false });
    assert.equal(await shy.code(), 4409);
    const second = await welcomed({ instance: "two" });
    assert.equal(await first.code(), 4409);
    assert.equal((await call.take("FAIL")).code, "lost");
    await logged("relay: relay home was refused: another one of its name is connected");
    await logged("relay: relay home was replaced by another one of its name");
    // The same one on a new link keeps what it has.
    const kept = await placed(second);
    const third = await welcomed({ instance: "two", takeover: false, calls: [hex(kept.call)] });
    assert.equal(await second.code(), 4409);
    await kept.take("BACK");
    kept.send({ kind: "RESUME", call: kept.call, relay: "home", received: 0, limit: 9 });
    assert.equal((await third.take("RESUME")).call, kept.call);
    await third.close();
  });

  test("a hub that is put out of memory goes on with the next frame", async () => {
    const home = await welcomed({ slots: 1 });
    const call = await placed(home);
    const waits = await caller();
    waits.send({ kind: "OPEN", call: newCall(), version: 1, method: "POST", path: "/api/chat", length: 10, model: "m" });
    await waits.take("WAIT");
    const { instance } = await view();
    await world.worker.evict("RelayHub", "hub");
    await talks(call, home);
    const after = await view();
    assert.notEqual(after.instance, instance);
    assert.deepEqual([after.queued, after.relays.find(({ name }) => name === "home").in_flight], [1, 1]);
    // A socket that closes while the hub is out of memory.
    await world.worker.evict("RelayHub", "hub");
    await call.cut();
    assert.equal((await home.take("CANCEL")).call, call.call);
    await waits.take("PLACED");
    await world.worker.evict("RelayHub", "hub");
    await home.cut();
    await waits.take("AWAY");
    assert.equal((await seen("home")).connected, false);
  });

  test("it sleeps while relays ping and callers wait, and nobody notices", async () => {
    const home = await welcomed();
    const call = await placed(home);
    await talks(call, home);
    const { instance, relays } = await view();
    const pings = setInterval(() => home.socket.ping(), 2_000);
    await sleep(ASLEEP_MS);
    clearInterval(pings);
    assert.ok(home.pongs() >= 5, `${home.pongs()} pings were answered`);
    const after = await view();
    assert.notEqual(after.instance, instance, "it slept");
    assert.deepEqual(after.relays, relays, "and knows what it knew");
    await talks(call, home);
    await home.close();
  });

  test("a link that came with another token is closed when the hub wakes", async () => {
    const stale = keep(await connect(`${world.worker.url}/test/hub/relay`, { "x-tideclaw-relay-token": "0".repeat(32) }));
    stale.send({ kind: "HELLO", version: 1, oldest: 1, name: "stale", instance: "x", software: "", takeover: true, max_parallel: 1 });
    await stale.take("WELCOME");
    const home = await welcomed();
    await world.worker.evict("RelayHub", "hub");
    await view();
    assert.equal(await stale.code(), 4401);
    await logged("relay: relay stale came with a token that is no longer valid");
    await talks(await placed(home), home);
    await home.close();
  });

  test("another token, or none, shuts the door to the one before", async () => {
    await welcomed();
    await world.worker.restart({ RELAY_TOKEN: "another" });
    assert.equal((await seen("home")).connected, false, "a hub that lost its sockets knows");
    await assert.rejects(relay(), { status: 401 });
    await (await relay({}, "another")).take("WELCOME");
    assert.equal((await seen("home")).connected, true);
    await world.worker.restart({ RELAY_TOKEN: "" });
    for (const authorization of ["Bearer ", "Bearer another", `Bearer ${TOKEN}`, ""]) {
      await assert.rejects(connect(`${world.worker.url}/relay`, { authorization }), { status: 404 });
    }
    assert.equal((await fetch(`${world.worker.url}/relay`, { method: "POST" })).status, 404);
    assert.equal((await seen("home")).connected, false);
  });
});
