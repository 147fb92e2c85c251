// The real `ollama-relay` between a world's Worker and an Ollama: started, killed, asked for its metrics and its log. The
// program is the one `cargo test` builds; TIDECLAW_RELAY names another. Deliberately not here: the network in between
// (cut.mjs), relays that break the protocol (relay-wire.mjs).

import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { startOllama } from "../../../local-dev/models/ollama.mjs";
import { relayProgram } from "../../../local-dev/relay.mjs";
import { freePort } from "../../../local-dev/worker/ports.mjs";
import { startCut } from "./cut.mjs";

export const TOKEN = "relay-token-0123456789abcdef";

/** Longest wait for a link that nothing stands in the way of. Generous: the machine may be busy. */
const CONNECTED_MS = 20_000;
/** Ports for metrics: away from those of `npm start`, and from those the system gives out. Anywhere, because tests run side by side. */
const somePort = () => freePort(randomInt(14_000, 32_000));

/** Relays that run; none outlives this process. */
const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** An Ollama of somebody's own, that says what it is told as fast as it can. */
export const startLocalOllama = (options = {}) => startOllama({ firstTokenMs: 0, tokensPerSecond: 0, local: true, ...options });

/**
 * Starts a relay.
 *
 * - `ollama`: a stand-in or an address; `name`: "home";
 * - `via`: where it dials (the address of a `startCut`), else the Worker itself;
 * - `token`: null sends none of ours; `args`, `env`: what else it is given;
 * - `wait`: false returns before it is connected.
 *
 * Resolves to `{ pid, name, logs(), kill(signal), exited, ended(), untilConnected(), healthy(), metrics(), memory(), again(), close() }`.
 * `exited` resolves to `{ code, signal }`; `again()` starts it with the same settings and resolves to the new one.
 */
export async function startRelay(world, settings) {
  const { name = "home", ollama, via, token = TOKEN, args = [], env = {}, wait = true } = settings;
  const program = relayProgram("tests");
  if (!existsSync(program)) throw new Error(`there is no ${program}: npm test builds it, or node local-dev/relay.mjs --tests`);
  const folder = mkdtempSync(join(tmpdir(), "tideclaw-relay-"));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const metrics = `127.0.0.1:${await somePort()}`;
  const url = `${(via ?? world.worker.url).replace(/^http/, "ws")}/relay`;
  const child = spawn(
    program,
    ["--url", url, "--token-file", tokenFile, "--ollama", ollama.url ?? ollama, "--name", name, "--metrics", metrics, "--log-format", "json", ...args.map(String)],
    { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH, RUST_BACKTRACE: "1", RELAY_LOG: "debug", ...env } },
  );
  const lines = [];
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", (line) => lines.push(line));
  let ended;
  const exited = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve((ended = { code, signal })));
  });
  running.add(child);
  exited.finally(() => running.delete(child)).catch(() => {});
  const ask = async (path) => {
    const response = await fetch(`http://${metrics}${path}`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    return response && { status: response.status, text: await response.text() };
  };
  const relay = {
    pid: child.pid,
    name,
    /** Everything it has logged, one text. */
    logs: () => lines.join("\n"),
    /** Resolves to its end. */
    kill(signal = "SIGKILL") {
      child.kill(signal);
      return exited;
    },
    exited,
    ended: () => ended,
    healthy: async () => (await ask("/healthz"))?.status === 200,
    /** Its metrics: `{ "ollama_relay_connected": 1, 'ollama_relay_calls_total{outcome="ok"}': 3 }`. */
    async metrics() {
      const { text = "" } = (await ask("/metrics")) ?? {};
      const found = text.matchAll(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/gm);
      return Object.fromEntries([...found].map(([, key, value]) => [key, Number(value)]));
    },
    async untilConnected(timeoutMs = CONNECTED_MS) {
      for (const limit = Date.now() + timeoutMs; Date.now() < limit && !ended; await sleep(50)) if (await relay.healthy()) return;
      throw new Error(`${name} did not connect within ${timeoutMs} ms${ended ? ` and ended with ${ended.code ?? ended.signal}` : ""}; it says:\n${relay.logs()}`);
    },
    again: () => startRelay(world, settings),
    async close() {
      await relay.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  if (!wait) return relay;
  try {
    await relay.untilConnected();
  } catch (error) {
    await relay.close();
    throw error;
  }
  return relay;
}

/**
 * Somebody's home: an Ollama, a relay before it, and with `net: true` a network between that relay and the Worker.
 *
 * Resolves to `{ name, model, ollama, relay, net, ask, asked, close }`: `model` is what /model calls its first model;
 * `ask(person, text, behaviour)` says it, and the Ollama how to behave; `asked(text)` has the requests. `relay` is the one
 * of now: `home.relay = await home.relay.again()`.
 */
export async function startHome(world, { name = "home", models, net = false, ollama: forOllama, ...settings } = {}) {
  const ollama = await startLocalOllama({ ...(models && { models }), ...forOllama });
  const network = net ? await startCut(world.worker.url) : undefined;
  const home = {
    name,
    model: `relay:${name}/${models?.[0].name ?? "qwen3:8b"}`,
    ollama,
    net: network,
    ask(person, text, behaviour = {}) {
      home.ollama.script({ match: text, ...behaviour });
      return person.send(text);
    },
    asked: (text) => home.ollama.requests().filter((request) => request.lastUser?.includes(text)),
    async close() {
      await home.relay?.close();
      await Promise.all([home.ollama.close(), network?.close()]);
    },
  };
  try {
    home.relay = await startRelay(world, { name, ollama, via: network?.url, ...settings });
  } catch (error) {
    await home.close();
    throw error;
  }
  return home;
}
