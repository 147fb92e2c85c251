// What `npm run deploy` and `npm run setup` share: the build that is deployed, and the tag that tells one from another.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, checkSize } from "../build.mjs";
import { fingerprint } from "../setup/cache.mjs";
import { setUp } from "../setup/index.mjs";
import { buildDir, root } from "../setup/paths.mjs";

/** Sets up what is missing, builds, checks the size; returns the tag of what came out. */
export async function buildToDeploy() {
  checkSize(await build({ ready: await setUp() }));
  return deploymentTag();
}

/** Changes with the Worker's code and configuration. Cloudflare keeps it with the version, so that set-up sees whether it is current. */
export function deploymentTag() {
  const files = [join(buildDir, "index.js"), join(buildDir, "index_bg.wasm"), join(root, "wrangler.toml")];
  return `tideclaw-${fingerprint(...files.map((file) => readFileSync(file)))}`;
}
