// Child processes with a deadline and an error a person can act on.

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { logs, root } from "./paths.mjs";

const TAIL_LINES = 30;

/** An expected failure: its message is all a person needs, no stack. */
export class Failure extends Error {}

const running = new Set();

/** Kills whatever `run` has under way, with its children. */
export function killAll(signal = "SIGKILL") {
  for (const child of running) killGroup(child, signal);
}

/** Signals a child started with `detached: true`, and all it started. */
export function killGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Already gone.
  }
}

process.on("exit", () => killAll());

/**
 * Runs a program to its end.
 *
 * - `name`: what it is called in messages.
 * - `deadline`: milliseconds until it is killed.
 * - `progress`: `{ pattern, deadline, what }`: killed unless the output matches within the deadline.
 * - `show`: pass its output through; otherwise it is kept, and its end shown on failure.
 * - `check`: reject on a failure (default). With `false` the caller reads `code`.
 *
 * Resolves to `{ code, stdout, output, timedOut }`.
 */
export function run(command, args, options = {}) {
  const { name = command, deadline = 600_000, progress, show = false, check = true, input, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const stdin = input === "inherit" ? "inherit" : "ignore";
    // A group of its own, so that a deadline also ends its children. Not with a terminal as input: only the
    // terminal's own group may read from it (sudo asking for a password).
    const detached = stdin === "ignore";
    const child = spawn(command, args, { cwd: root, detached, ...spawnOptions, stdio: [stdin, "pipe", "pipe"] });
    if (detached) running.add(child);
    const stop = () => (detached ? killGroup(child, "SIGKILL") : child.kill("SIGKILL"));
    let stdout = "";
    let output = "";
    let timedOut;
    const timer = setTimeout(() => ((timedOut = `took longer than ${seconds(deadline)}`), stop()), deadline);
    let progressTimer;
    if (progress) {
      const late = () => ((timedOut = `${progress.what} within ${seconds(progress.deadline)}`), stop());
      progressTimer = setTimeout(late, progress.deadline);
    }
    const take = (stream, text) => {
      output += text;
      if (progressTimer && progress.pattern.test(output)) clearTimeout(progressTimer);
      if (show) stream.write(text);
    };
    child.stdout.setEncoding("utf8").on("data", (text) => ((stdout += text), take(process.stdout, text)));
    child.stderr.setEncoding("utf8").on("data", (text) => take(process.stderr, text));
    const finish = (code, cause) => {
      clearTimeout(timer);
      clearTimeout(progressTimer);
      running.delete(child);
      if (!check || (code === 0 && !timedOut)) return resolve({ code, stdout, output, timedOut });
      const reason = cause ?? timedOut ?? `ended with code ${code}`;
      reject(new Failure(`${name}: ${reason}.${show ? "" : excerpt(name, output)}`));
    };
    child.on("error", (error) => finish(-1, error.code === "ENOENT" ? "not found" : error.message));
    child.on("close", (code, signal) => finish(code ?? signal));
  });
}

/** The last lines of a failed program's output, and where to read all of it. */
function excerpt(name, output) {
  if (!output.trim()) return "";
  const lines = output.trimEnd().split("\n");
  const tail = lines.slice(-TAIL_LINES).map((line) => `  ${line}`);
  let where = "";
  if (lines.length > TAIL_LINES) {
    const file = join(logs, `${name.replace(/[^\w.-]+/g, "-")}.log`);
    mkdirSync(logs, { recursive: true });
    writeFileSync(file, output);
    where = `\nAll of its output: ${relative(root, file)}`;
  }
  return ` The end of its output:\n${tail.join("\n")}${where}`;
}

function seconds(ms) {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** Runs `main` as a program: a `Failure` becomes its message, anything else its stack; both exit with 1. */
export async function program(main) {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
    process.once(signal, () => process.exit(code));
  }
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(`\n${error instanceof Failure ? error.message : error.stack}`);
    process.exitCode = 1;
  }
}
