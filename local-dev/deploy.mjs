// `npm run deploy`: builds and deploys with the pinned wrangler under Node 22. Further arguments go to wrangler.

import { spawn } from "node:child_process";
import { build, checkSize } from "./build.mjs";
import { setUp } from "./setup/index.mjs";
import { node22, root, wrangler } from "./setup/paths.mjs";
import { program } from "./setup/process.mjs";

await program(async () => {
  checkSize(await build({ ready: await setUp() }));
  const child = spawn(node22, [wrangler, "deploy", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
});
