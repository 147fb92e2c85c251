// The two cargo tools a Worker build needs, compiled once into `.cache/tools`.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readRecord, writeRecord } from "./cache.mjs";
import { cache, root, tools, wasmBindgen, workerBuild } from "./paths.mjs";
import { run } from "./process.mjs";

/** wasm-bindgen's version is the one Cargo.toml pins: program and crate must match exactly. */
const TOOLS = [
  { crate: "worker-build", version: "0.8.7", program: workerBuild },
  { crate: "wasm-bindgen-cli", version: "0.2.129", program: wasmBindgen },
];

/** They run for a second a build: optimizing them would cost more than it ever saves. */
const QUICK = { CARGO_PROFILE_RELEASE_OPT_LEVEL: "1", CARGO_PROFILE_RELEASE_LTO: "off", CARGO_PROFILE_RELEASE_DEBUG: "0" };

export const toolsId = TOOLS.map(({ crate, version }) => `${crate}@${version}`).join(" ");

/** Installs what is missing with the native `rust`. */
export async function setUpCargoTools(rust) {
  const have = readRecord("cargo-tools") ?? {};
  const missing = TOOLS.filter(({ crate, version, program }) => have[crate] !== version || !existsSync(program));
  if (missing.length === 0) return;

  const target = join(cache, "tools-target");
  for (const { crate, version } of missing) {
    console.log(`Compiling ${crate} ${version} (1–5 min, once)…`);
    const args = ["install", "--locked", "--force", "--root", tools, "--version", version, crate];
    await run(rust.cargo, args, {
      name: `cargo install ${crate}`,
      cwd: root,
      deadline: 30 * 60_000,
      env: { ...process.env, ...rust.env, ...QUICK, CARGO_TARGET_DIR: target },
    });
    have[crate] = version;
    writeRecord("cargo-tools", have);
  }
  rmSync(target, { recursive: true, force: true });
}
