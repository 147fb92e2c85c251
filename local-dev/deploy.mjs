// `npm run deploy`: builds and deploys with the pinned wrangler under Node 22. Further arguments go to wrangler.

import { spawn } from "node:child_process";
import { node22, root, wrangler } from "./setup/paths.mjs";
import { program } from "./setup/process.mjs";
import { buildToDeploy } from "./worker/deployment.mjs";

await program(async () => {
  const given = process.argv.slice(2);
  const tag = await buildToDeploy();
  const args = given.some((arg) => /^--tag(=|$)/.test(arg)) ? given : ["--tag", tag, ...given];
  const child = spawn(node22, [wrangler, "deploy", ...args], { cwd: root, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
});
