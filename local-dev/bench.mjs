// `npm run bench`: sets up what is missing, builds, and measures the Worker beside the least that could do its job.
//
//   node local-dev/bench.mjs [--rows 1,2] [--quick] [--json out.json]
//
// Ends with 0 also where a mark is missed: it is a bench, not a test. What is measured, and how: tests/bench/.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { buildRelay } from "./relay.mjs";
import { setUp } from "./setup/index.mjs";
import { node22, root } from "./setup/paths.mjs";
import { program } from "./setup/process.mjs";

/** Those that need the relay built. */
const RELAY_ROWS = ["12", "13", "14"];

await program(async () => {
  const ready = process.env.TIDECLAW_PREBUILT === "1" ? undefined : await setUp();
  await build({ ready });
  const { values } = parseArgs({ options: { rows: { type: "string" } }, strict: false });
  if (RELAY_ROWS.some((row) => !values.rows || values.rows.split(",").includes(row))) await buildRelay("use", { ready });
  const args = ["--disable-warning=ExperimentalWarning", join(root, "tests", "bench", "main.mjs"), ...process.argv.slice(2)];
  const child = spawn(node22, args, { stdio: "inherit" });
  process.on("exit", () => child.kill());
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
});
