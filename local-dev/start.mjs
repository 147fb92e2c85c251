// `npm start`: sets up what is missing, builds, and runs all of it on this machine. Works on a fresh clone.
//
// The running itself is in run.mjs, under the Node 22 that set-up has installed.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { build } from "./build.mjs";
import { setUp } from "./setup/index.mjs";
import { node22, root } from "./setup/paths.mjs";
import { program } from "./setup/process.mjs";

await program(async () => {
  await build({ ready: await setUp() });

  // The channel tells run.mjs when this process is gone, however it went. Ctrl-C reaches both from the terminal.
  const child = spawn(node22, [join(root, "local-dev", "run.mjs")], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.removeAllListeners(signal);
    process.on(signal, () => child.connected && child.send("stop"));
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
});
