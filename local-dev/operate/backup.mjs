// `npm run backup`: back up now what changed, and wait until it is in storage.
//
//   npm run backup -- [--no-wait]
//
// The Worker at TIDECLAW_URL, with the service token in CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET, or the local `npm
// start`. Exit code 1 if something could not be backed up. Deliberately not here: the copy itself, which the Worker makes.

import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Failure, program } from "../setup/process.mjs";
import { openApi } from "./api.mjs";

const LOOK_EVERY_MS = 1_000;
/** Thousands of conversations take minutes. */
const PATIENCE_MS = 30 * 60_000;

/** @returns {Promise<number>} the exit code */
export async function main({ argv, env = process.env, output = process.stdout, signInFile, everyMs = LOOK_EVERY_MS }) {
  const { values } = options(argv);
  const { url, ask } = openApi({ env, ...(signInFile && { signInFile }) });
  const say = (line) => output.write(`${line}\n`);
  const [{ id }] = (await ask("/backups", {})).runs;
  say(`${url}: backup ${id} has begun.`);
  if (values["no-wait"]) return 0;
  const until = Date.now() + PATIENCE_MS;
  let told = -1;
  for (;;) {
    const view = await ask("/backups");
    const run = view.runs.find((one) => one.id === id);
    if (!run) throw new Failure(`Backup ${id} is not known any more.`);
    if (run.done !== told && run.state === "open") say(`  ${run.done} done`);
    told = run.done;
    if (run.state !== "open") {
      say(`${run.state}: ${run.done} backed up, ${run.failed} failed, ${run.deleted} old files deleted${run.error ? ` (${run.error})` : ""}`);
      for (const { object, error } of view.failures) say(`  ${object}: ${error}`);
      if (view.usual_manifest) say(`Restore point: ${view.manifests[0].key}`);
      return run.state === "done" && run.failed === 0 ? 0 : 1;
    }
    if (Date.now() > until) throw new Failure("It is still under way. Look at the admin page, Backups.");
    await sleep(everyMs);
  }
}

function options(argv) {
  try {
    return parseArgs({ args: argv, options: { "no-wait": { type: "boolean", default: false } } });
  } catch (error) {
    throw new Failure(`${error.message}\nUsage: npm run backup -- [--no-wait]`);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await program(() => main({ argv: process.argv.slice(2) }));
