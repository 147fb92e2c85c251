// The network between a relay and the Worker, as a TCP proxy: it can go dead without a word (frozen), cut, refuse, be far
// away or narrow. Deliberately not here: what is spoken through it.
//
// Frozen is what a pulled cable is: neither data nor a close gets through, and new connections are taken by nobody. What was
// sent meanwhile arrives afterwards, if both ends still have the connection: TCP sends it again.

import { createServer, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const MOST_HELD = 256 * 1024;

/** Until the socket has taken what there is, or is gone. */
function taken(socket) {
  return new Promise((resolve) => {
    const go = () => (socket.off("drain", go), socket.off("close", go), resolve());
    socket.on("drain", go).on("close", go);
  });
}

/** One way of a connection: reads from `from`, writes to `to`, as the network of now lets it. */
async function pump(network, pair, from, to) {
  const clock = { free: 0 };
  try {
    for await (const bytes of from.iterator({ destroyOnReturn: false })) {
      if (pair.stranded) return;
      const due = performance.now() + network.delayMs;
      await network.thawed();
      if (network.delayMs > 0) await sleep(Math.max(0, due - performance.now()));
      if (network.bytesPerSecond < Infinity) {
        clock.free = Math.max(clock.free, performance.now()) + (bytes.length / network.bytesPerSecond) * 1000;
        await sleep(Math.max(0, clock.free - performance.now()));
      }
      await network.thawed();
      if (pair.stranded) return;
      // Nobody is there any more: as a real host would say.
      if (to.destroyed) return void from.resetAndDestroy();
      network.passed += bytes.length;
      if (!to.write(bytes)) await taken(to);
    }
    await network.thawed();
    if (!pair.stranded) to.end();
  } catch {
    // Reset by one side: the other hears of it once the network is there.
    await network.thawed();
    if (!pair.stranded) to.resetAndDestroy();
  }
}

/**
 * A way to `target` (an http: address). Resolves to
 *   `url`                  where to dial instead
 *   `freeze()`, `thaw()`   nothing gets through, in both directions, and nobody is told; as before
 *   `strand()`             connections of now are forgotten: nothing passes on them ever again; new ones work
 *   `cut()`                every connection ends with a reset, at both ends
 *   `refuse(true|false)`   new connections are reset at once
 *   `delay(ms)`, `slow(bytesPerSecond)`   for each way of each connection; 0 and Infinity are as before
 *   `connections()`, `made()`, `passed()`  open now; made so far; bytes that got through
 *   `close()`
 */
export async function startCut(target) {
  const { hostname, port } = new URL(target);
  const pairs = new Set();
  const ends = new Set();
  const known = (socket) => ends.add(socket.once("close", () => ends.delete(socket)).on("error", () => {}));
  let waiting = [];
  let refusing = false;
  let made = 0;
  const network = {
    frozen: false,
    delayMs: 0,
    bytesPerSecond: Infinity,
    passed: 0,
    thawed: () => (network.frozen ? new Promise((resolve) => waiting.push(resolve)) : undefined),
  };
  const options = { allowHalfOpen: true, noDelay: true, highWaterMark: MOST_HELD };
  const server = createServer({ ...options }, async (near) => {
    made += 1;
    known(near);
    if (refusing) return near.resetAndDestroy();
    const pair = { near };
    pairs.add(pair);
    near.once("close", () => pairs.delete(pair));
    await network.thawed();
    if (near.destroyed) return undefined;
    const far = connect({ host: hostname, port: Number(port), ...options });
    pair.far = far;
    known(far);
    // Nobody listens there: as if nobody listened here.
    far.once("error", () => far.connecting || near.resetAndDestroy());
    pump(network, pair, near, far);
    pump(network, pair, far, near);
    return undefined;
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const thaw = () => {
    network.frozen = false;
    for (const resolve of waiting.splice(0)) resolve();
  };
  const cut = () => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy();
      far?.resetAndDestroy();
    }
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    freeze: () => void (network.frozen = true),
    thaw,
    strand() {
      for (const pair of pairs) pair.stranded = true;
    },
    cut,
    refuse: (yes) => void (refusing = yes),
    delay: (ms) => void (network.delayMs = ms),
    slow: (bytesPerSecond) => void (network.bytesPerSecond = bytesPerSecond),
    connections: () => pairs.size,
    made: () => made,
    passed: () => network.passed,
    async close() {
      refusing = true;
      cut();
      for (const socket of ends) socket.destroy();
      thaw();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
