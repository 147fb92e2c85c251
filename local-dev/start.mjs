// `npm start`: sets up what is missing, builds, and runs all of it on this machine. Works on a fresh clone.
//
//   npm start -- --gateway    with a stand-in for AI Gateway between the Worker and the models
//
// The running itself is in run.mjs, under the Node 22 that set-up has installed.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { setUp } from "./setup/index.mjs";
import { node22, root } from "./setup/paths.mjs";
import { program } from "./setup/process.mjs";

await program(async () => {
  const { values } = parseArgs({ options: { gateway: { type: "boolean", default: false } } });
  await build({ ready: await setUp() });

  // The channel tells run.mjs when this process is gone, however it went. Ctrl-C reaches both from the terminal.
  const child = spawn(node22, [join(root, "local-dev", "run.mjs"), ...(values.gateway ? ["--gateway"] : [])], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.removeAllListeners(signal);
    process.on(signal, () => child.connected && child.send("stop"));
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
});
