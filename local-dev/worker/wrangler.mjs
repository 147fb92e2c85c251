// `wrangler dev` as a child: started with given variables, its output in a log file, errors shown, ended with all it started.
//
// It reads a copy of wrangler.toml in `.cache/dev/` with a `.dev.vars` of its own beside it. The copy has no list of
// required secrets: with that list wrangler would drop every other name in `.dev.vars`, API keys among them.

import { spawn } from "node:child_process";
import { chmodSync, createWriteStream, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { cache, logs, node22, root, wrangler } from "../setup/paths.mjs";
import { Failure, killGroup } from "../setup/process.mjs";
import { freePort } from "./ports.mjs";
import { formatVars } from "./vars.mjs";

const READY_MS = 90_000;
const STOP_MS = 5_000;
const TAIL_LINES = 30;
const ATTEMPTS = 3;

/**
 * Starts the Worker and waits until it answers.
 *
 * - `vars(url)`: the variables, once the address is known.
 * - `onExit(reason)`: called if it ends by itself after it was ready.
 * - `closeLater(close)`: takes the function that ends it, as soon as there is something to end.
 *
 * Resolves to `{ url, runCron, close }`.
 */
export async function startWorker({ firstPort, persistTo = join(root, ".wrangler", "state"), vars, onExit, closeLater = () => {} }) {
  let port = firstPort;
  let values;
  for (let attempt = 1; ; attempt++) {
    port = await freePort(port);
    const url = `http://127.0.0.1:${port}`;
    values = await vars(url);
    const worker = launch({ port, persistTo, values });
    closeLater(worker.close);
    const failure = await untilReady(url, worker);
    if (!failure) {
      worker.exited.then(onExit);
      return { url, close: worker.close, runCron: () => runCron(url) };
    }
    await worker.close();
    // Somebody took the port between the look and the start.
    if (attempt < ATTEMPTS && /EADDRINUSE|[Aa]ddress already in use/.test(worker.tail())) continue;
    throw new Failure(`The Worker ${failure}. The end of its log (.cache/logs/wrangler.log):\n${worker.tail()}`);
  }
}

function launch({ port, persistTo, values }) {
  const folder = writeConfig(values);
  const args = ["dev", "--ip", "127.0.0.1", "--port", port, "--inspector-port", 0, "--persist-to", persistTo];
  const child = spawn(node22, [wrangler, ...args.map(String), "--show-interactive-dev-session=false"], {
    cwd: folder,
    // A group of its own: Ctrl-C is ours to handle, and it starts further processes.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", FORCE_COLOR: "0", CI: "1" },
  });
  const tail = logOutput(child);
  const exited = new Promise((resolve) => {
    child.on("error", (error) => resolve(`could not start: ${error.message}`));
    child.on("exit", (code, signal) => resolve(signal ? `was killed (${signal})` : `ended with code ${code}`));
  });
  let ended = false;
  exited.then(() => (ended = true));
  const lastResort = () => killGroup(child, "SIGKILL");
  process.on("exit", lastResort);
  const close = async () => {
    if (!ended) killGroup(child, "SIGTERM");
    await Promise.race([exited, sleep(STOP_MS, undefined, { ref: false })]);
    lastResort();
    process.off("exit", lastResort);
  };
  return { exited, close, tail, ended: () => ended };
}

/** Writes the configuration and the variables; returns their folder. */
function writeConfig(values) {
  const folder = join(cache, "dev");
  mkdirSync(folder, { recursive: true });
  const text = readFileSync(join(root, "wrangler.toml"), "utf8")
    .replace(/^\[secrets\]\n(?:(?!\[).*\n?)*/m, "")
    .replace(/^main = .*$/m, `main = ${JSON.stringify(join(root, "build", "index.js"))}`)
    .replace(/^\[build\]$/m, `[build]\ncwd = ${JSON.stringify(root)}`)
    .replace(/^watch_dir = .*$/m, `watch_dir = ${JSON.stringify(["src", "migrations"].map((name) => relative(folder, join(root, name))))}`);
  writeFileSync(join(folder, "wrangler.toml"), text);
  const file = join(folder, ".dev.vars");
  writeFileSync(file, formatVars(values), { mode: 0o600 });
  chmodSync(file, 0o600);
  return folder;
}

/** Sends the output to the log file, and what a person must see to the terminal. Returns a reader of the last lines. */
function logOutput(child) {
  mkdirSync(logs, { recursive: true });
  const file = createWriteStream(join(logs, "wrangler.log"), { mode: 0o600 });
  const last = [];
  let showing = false;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      file.write(`${line}\n`);
      last.push(line);
      if (last.length > TAIL_LINES) last.shift();
      // An error and the lines that belong to it.
      showing = /\[ERROR\]|\[wrangler:error\]|\[custom build\] (?:Building|error)|panicked at/.test(line) || (showing && line.trim() !== "");
      if (showing) console.error(line);
    });
  }
  return () => last.map((line) => `  ${line}`).join("\n");
}

/** Undefined once /healthz answers 200, else why it never will. */
async function untilReady(url, worker) {
  const limit = Date.now() + READY_MS;
  while (Date.now() < limit) {
    if (worker.ended()) return worker.exited;
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return undefined;
    await sleep(150);
  }
  return `did not answer within ${READY_MS / 1000} s`;
}

/** Runs the cron handler, which does not fire by itself locally. False if it failed. */
async function runCron(url) {
  const address = `${url}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent("*/5 * * * *")}`;
  const response = await fetch(address, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}
