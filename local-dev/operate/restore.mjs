// `npm run restore`: put everything, the Directory or one conversation back from a restore point.
//
//   npm run restore -- --list
//   npm run restore -- --all | --directory | --conversation main:5 [--manifest KEY] --yes
//
// Without --yes it says what would be replaced and changes nothing. Without --manifest: the newest restore point, after a loss
// the newest from before it. The Worker is found as by `npm run backup`. Exit code 1 if something was not put back.

import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Failure, program } from "../setup/process.mjs";
import { openApi } from "./api.mjs";

const LOOK_EVERY_MS = 1_000;
const PATIENCE_MS = 60 * 60_000;
const USAGE = "Usage: npm run restore -- --list | (--all | --directory | --conversation main:5) [--manifest KEY] --yes";

function options(argv) {
  const flag = { type: "boolean", default: false };
  try {
    const { values } = parseArgs({ args: argv, options: { list: flag, all: flag, directory: flag, conversation: { type: "string" }, manifest: { type: "string" }, yes: flag } });
    const chosen = [values.list, values.all, values.directory, values.conversation !== undefined].filter(Boolean);
    if (chosen.length !== 1) throw new Error("Say what to do.");
    return values;
  } catch (error) {
    throw new Failure(`${error.message}\n${USAGE}`);
  }
}

/** The view, once storage has been looked through. */
async function looked(ask, everyMs) {
  for (let tries = 0; tries < 120; tries++) {
    const view = await ask("/backups");
    if (view.looked) return view;
    await sleep(everyMs);
  }
  throw new Failure("The Worker cannot look through its storage. Is the bucket bound?");
}

const when = (at) => new Date(at).toISOString().slice(0, 16).replace("T", " ");

/** @returns {Promise<number>} the exit code */
export async function main({ argv, env = process.env, output = process.stdout, signInFile, everyMs = LOOK_EVERY_MS }) {
  const values = options(argv);
  const { url, ask } = openApi({ env, ...(signInFile && { signInFile }) });
  const say = (line) => output.write(`${line}\n`);
  const view = await looked(ask, everyMs);
  if (values.list) {
    for (const point of view.manifests) {
      const size = point.objects > 0 ? `  ${point.objects} objects, ${point.bytes} bytes` : "";
      say(`${when(point.at)} UTC  ${point.key}${size}${point.found ? "  before the loss" : ""}`);
    }
    if (view.manifests.length === 0) say(`${url}: there is no backup.`);
    return 0;
  }
  const manifest = values.manifest ?? view.usual_manifest;
  if (!manifest) throw new Failure("There is no backup to restore from.");
  const point = view.manifests.find(({ key }) => key === manifest);
  if (!point) throw new Failure(`${manifest} is no restore point. See: npm run restore -- --list`);
  const what = values.all ? "all" : values.directory ? "directory" : "conversation";
  const subject = { all: "every conversation and the Directory", directory: "the Directory", conversation: `conversation ${values.conversation}` }[what];
  say(`${url}: ${subject} as of ${when(point.at)} UTC`);
  if (!values.yes) {
    say("Nothing was changed. To replace what is there now, add --yes.");
    return 0;
  }
  const { id } = await ask("/backups/restore", { what, manifest, ...(what === "conversation" && { session: values.conversation }) });
  const until = Date.now() + PATIENCE_MS;
  let told = 0;
  for (;;) {
    const restore = await ask("/backups/restore");
    if (restore?.id !== id) throw new Failure("Another restore was begun.");
    if (restore.done !== told && restore.state === "open") say(`  ${restore.done} of ${restore.total}`);
    told = restore.done;
    if (restore.state !== "open") {
      say(`${restore.state}: ${restore.done} of ${restore.total} put back${restore.error ? ` (${restore.error})` : ""}`);
      for (const { object, error } of restore.failures) say(`  ${object}: ${error}`);
      return restore.state === "done" ? 0 : 1;
    }
    if (Date.now() > until) throw new Failure("It is still under way. Look at the admin page, Backups.");
    await sleep(everyMs);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await program(() => main({ argv: process.argv.slice(2) }));
