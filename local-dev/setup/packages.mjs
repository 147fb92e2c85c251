// The npm packages of package-lock.json, Node 22 among them.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprint, readRecord, writeRecord } from "./cache.mjs";
import { esbuild, node22, root, wasmOpt, wrangler } from "./paths.mjs";
import { Failure, run } from "./process.mjs";

const platform = `${process.platform}-${process.arch}`;

/** Makes `node_modules/` what the lock file says. */
export async function setUpPackages() {
  const lock = fingerprint(readFileSync(join(root, "package-lock.json")), platform);
  const complete = () => [node22, wrangler, wasmOpt, esbuild()].every((file) => existsSync(file));
  if (readRecord("packages")?.lock === lock && complete()) return;

  console.log("Installing npm packages (about 30 s)…");
  await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { name: "npm ci", deadline: 15 * 60_000 });
  if (!existsSync(node22)) await installNode();
  if (!complete()) throw new Failure("npm ci left out programs that are needed. Delete node_modules and try again.");
  writeRecord("packages", { lock });
}

/** The package `node` fetches its program in an install script, which npm may have been told to block: do it here. */
async function installNode() {
  const cwd = join(root, "node_modules", "node");
  const name = "installing Node 22";
  await run(process.execPath, ["installArchSpecificPackage.js"], { cwd, name, deadline: 10 * 60_000 });
}
