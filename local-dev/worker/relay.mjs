// `ollama-relay` as a child: started with arguments, its output in a log file, its health asked of its metrics port, ended
// by a signal. Deliberately not here: building it (../relay.mjs), what is on both sides of it.

import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { logs, root } from "../setup/paths.mjs";

/** Longest wait for a clean stop; what runs then is not waited for. */
const STOP_MS = 3_000;

/**
 * Starts the relay.
 *
 * - `program`: its path; `url`: the Worker's; `token`: written to `tokenFile`, which only its owner can read.
 * - `ollama`, `name`: what it stands for; `metrics`: a port for its metrics; `args`: what else it is given.
 * - `log`: the name of its log in `.cache/logs/`.
 * - `onExit(reason)`: called if it ends by itself.
 *
 * Returns `{ pid, command, logFile, untilHealthy, close }`; `command` is what a person would type.
 */
export function startRelay({ program, url, token, tokenFile, ollama, name = "home", metrics, args: more = [], log: logName = "ollama-relay", onExit = () => {} }) {
  mkdirSync(dirname(tokenFile), { recursive: true });
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const address = `127.0.0.1:${metrics}`;
  const args = ["--url", `${url.replace(/^http/, "ws")}/relay`, "--token-file", relative(root, tokenFile), "--ollama", ollama, "--name", name, "--metrics", address, ...more.map(String)];
  const logFile = join(logs, `${logName}.log`);
  mkdirSync(logs, { recursive: true });
  const log = createWriteStream(logFile, { mode: 0o600 });
  const child = spawn(program, args, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", (line) => log.write(`${line}\n`));
  let closing = false;
  let ended = false;
  const exited = new Promise((resolve) => {
    child.on("error", (error) => resolve(`could not start: ${error.message}`));
    child.on("exit", (code, signal) => resolve(signal ? `was killed (${signal})` : `ended with code ${code}`));
  });
  exited.then((reason) => {
    ended = true;
    if (!closing) onExit(reason);
  });
  const signal = (name) => !ended && child.kill(name);
  const lastResort = () => signal("SIGKILL");
  process.on("exit", lastResort);
  return {
    pid: child.pid,
    command: [relative(root, program), ...args].join(" "),
    logFile,
    /** True once it is connected; false if that takes longer, or it has ended. */
    async untilHealthy(timeoutMs = 15_000) {
      for (const limit = Date.now() + timeoutMs; Date.now() < limit && !ended; await sleep(100)) {
        const response = await fetch(`http://${address}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
        await response?.body?.cancel();
        if (response?.ok) return true;
      }
      return false;
    },
    async close() {
      closing = true;
      signal("SIGTERM");
      await Promise.race([exited, sleep(STOP_MS, undefined, { ref: false })]);
      lastResort();
      process.off("exit", lastResort);
    },
  };
}
