// `npm start`: sets up what is missing, builds, and runs all of it on this machine. Works on a fresh clone.
//
//   npm start -- --gateway    with a stand-in for AI Gateway between the Worker and the models
//   npm start -- --relay      also with the relay, and an Ollama of its own behind it
//
// The running itself is in run.mjs, under the Node 22 that set-up has installed.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { buildRelay } from "./relay.mjs";
import { setUp } from "./setup/index.mjs";
import { node22, root } from "./setup/paths.mjs";
import { program } from "./setup/process.mjs";

await program(async () => {
  const flag = { type: "boolean", default: false };
  const { values } = parseArgs({ options: { gateway: flag, relay: flag } });
  const ready = await setUp();
  await build({ ready });
  if (values.relay) await buildRelay("use", { ready });

  const flags = Object.keys(values).filter((name) => values[name]).map((name) => `--${name}`);
  // The channel tells run.mjs when this process is gone, however it went. Ctrl-C reaches both from the terminal.
  const child = spawn(node22, [join(root, "local-dev", "run.mjs"), ...flags], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.removeAllListeners(signal);
    process.on(signal, () => child.connected && child.send("stop"));
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
});
