// Rows 12 to 14: what the relay adds to a model call. The same light Ollama is asked directly and through the real relay, by
// the same Worker (its debug route), in turns; a line's delay is from its writing there to its reading here.
//
// Row 12: one stream at a fast model's pace. Row 13: 50 MB as fast as they go. Row 14: 20 streams at once, and the most memory
// the relay has held by then.

import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OWNER_EMAIL, startIssuer } from "../../../local-dev/access/issuer.mjs";
import { relayProgram } from "../../../local-dev/relay.mjs";
import { cache } from "../../../local-dev/setup/paths.mjs";
import { freePort } from "../../../local-dev/worker/ports.mjs";
import { startRelay } from "../../../local-dev/worker/relay.mjs";
import { limitRow, median, noteRow, percentile } from "../figures.mjs";
import { now } from "../world.mjs";

const TOKENS = { RELAY_TOKEN: "bench-relay-token-0123456789", DEBUG_TOKEN: "bench-debug-token" };
const WAYS = ["ollama", "relay"];
const STREAMS = 20;
const MB = 1_000_000;
const LINE = 16_000;
const METRICS_PORT = 12_950;
const ADDED_MS = 5;
const MEMORY_MB = 20;

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

/** Starts all of it; resolves to a function that asks, the relay's process id and the end. */
async function open(bench) {
  const ollama = fork(fileURLToPath(new URL("../ollama.mjs", import.meta.url)));
  const port = await new Promise((resolve, reject) => ollama.once("message", (message) => resolve(message.port)).once("exit", reject));
  const upstream = `http://127.0.0.1:${port}`;
  const issuer = await startIssuer();
  const worker = await bench.start("ours", { vars: { ...issuer.vars, ...TOKENS, OLLAMA_BASE_URL: upstream } });
  const relay = startRelay({
    program: relayProgram("use"),
    url: worker.webhook.origin,
    token: TOKENS.RELAY_TOKEN,
    tokenFile: join(cache, "bench", "relay-token"),
    ollama: upstream,
    metrics: await freePort(METRICS_PORT),
    args: ["--max-parallel", STREAMS],
    log: "ollama-relay-bench",
  });
  const close = async () => {
    await relay.close();
    await worker.close();
    await issuer.close();
    ollama.disconnect();
  };
  if (!(await relay.untilHealthy())) {
    await close();
    throw new Error(`the relay does not connect; its log: ${relay.logFile}`);
  }
  return { ask: (way, plan) => ask({ url: new URL(`/debug/model/${way}`, worker.webhook), token: issuer.user(OWNER_EMAIL), plan }), pid: relay.pid, close };
}

/** One answer, read to its end: `{ delays, bytes, ms }`, where `ms` is from the first byte to the last. */
function ask({ url, token, plan }) {
  const body = JSON.stringify({ model: "bench:1b", stream: true, truncate: false, options: { num_ctx: 4_096 }, messages: [{ role: "user", content: JSON.stringify(plan) }] });
  const headers = { "content-type": "application/json", "sec-fetch-site": "same-origin", authorization: `Bearer ${TOKENS.DEBUG_TOKEN}`, "cf-access-jwt-assertion": token };
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, method: "POST", headers }, (response) => {
      const delays = [];
      let [bytes, lines, first] = [0, 0, 0];
      response.on("data", (chunk) => {
        const at = now();
        first ||= at;
        bytes += chunk.length;
        // Lines of bulk are not whole in a chunk, and their delay is no figure of interest.
        if (plan.everyMs === 0) return;
        for (const [, written] of chunk.toString("latin1").matchAll(/"at":([\d.]+)/g)) delays.push(at - Number(written));
        lines = delays.length;
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode !== 200) return reject(new Error(`${url.pathname} answered ${response.statusCode}`));
        if (plan.everyMs > 0 && lines !== plan.chunks + 1) return reject(new Error(`${url.pathname}: ${lines} lines of ${plan.chunks + 1}`));
        return resolve({ delays, bytes, ms: now() - first });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

/** Delays of both ways, of so many streams at a time, asked in turns. */
async function delays(ask, { rounds, streams, plan }) {
  const seen = { ollama: [], relay: [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of WAYS) {
      const answers = await Promise.all(Array.from({ length: streams }, () => ask(way, plan)));
      seen[way].push(...answers.flatMap((answer) => answer.delays));
    }
  }
  const at = (share) => WAYS.map((way) => percentile(seen[way], share));
  return { p50: at(0.5), p95: at(0.95) };
}

const added = (what, [direct, relayed], mark) => {
  const row = `${what} (directly ${direct.toFixed(2)} ms)`;
  return mark === undefined ? noteRow(row, relayed - direct) : limitRow(row, relayed - direct, mark);
};

export async function relay(bench) {
  const { quick, rows } = bench;
  const { ask, pid, close } = await open(bench);
  const found = [];
  try {
    // Everything has run once before it counts.
    for (const way of WAYS) await ask(way, { chunks: 50, everyMs: 2, bytes: 20 });
    if (rows.includes(12)) {
      const { p50, p95 } = await delays(ask, { rounds: quick ? 1 : 4, streams: 1, plan: { chunks: 500, everyMs: 10, bytes: 20 } });
      found.push(added("12. added by the relay to a chunk, p50", p50, ADDED_MS), added("12. … p95", p95));
    }
    if (rows.includes(13)) {
      const rates = { ollama: [], relay: [] };
      const chunks = Math.round((50 * MB) / LINE);
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        for (const way of WAYS) {
          const { bytes, ms } = await ask(way, { chunks, everyMs: 0, bytes: LINE });
          if (bytes < 50 * MB) throw new Error(`${bytes} bytes of 50 MB came by ${way}`);
          rates[way].push(bytes / MB / (ms / 1_000));
        }
      }
      found.push(noteRow("13. a stream of 50 MB through the relay; floor: directly", median(rates.relay), { floor: median(rates.ollama), unit: "MB/s" }));
    }
    if (rows.includes(14)) {
      const { p50, p95 } = await delays(ask, { rounds: quick ? 1 : 2, streams: STREAMS, plan: { chunks: 200, everyMs: 40, bytes: 20 } });
      found.push(added(`14. added to a chunk with ${STREAMS} streams, p50`, p50), added("14. … p95", p95));
      const most = Number(/^VmHWM:\s+(\d+)/m.exec(status(pid))?.[1] ?? NaN) / 1_000;
      found.push(limitRow("14. the relay's memory, at most", most, MEMORY_MB, { unit: "MB" }));
    }
    return found;
  } finally {
    await close();
  }
}

/** What Linux knows of a process; nothing elsewhere. */
function status(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
