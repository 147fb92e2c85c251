// Builds `ollama-relay` for this machine, unless what is there was made from the same inputs.
//
//   node local-dev/relay.mjs [--tests] [--verbose]
//
// For use: `target/relay/ollama-relay`, as it is installed. With --tests `target/debug/ollama-relay`, which `cargo test` has
// built with everything else: asked for in cargo's own words, so that nothing is compiled a second time.
// TIDECLAW_RELAY names a program built elsewhere, which is taken as it is; so is what is there with TIDECLAW_PREBUILT=1.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { contents } from "./build.mjs";
import { fileState, fingerprint, readRecord, withLock, writeRecord } from "./setup/cache.mjs";
import { setUp } from "./setup/index.mjs";
import { root } from "./setup/paths.mjs";
import { Failure, program, run } from "./setup/process.mjs";

const NAME = "ollama-relay";
const INPUTS = ["src", "migrations", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo", "local-dev/relay.mjs"];
/** Folder below `target/`, cargo's words, and what a person reads meanwhile. */
const FOR = {
  use: { folder: "relay", args: ["build", "--locked", "--profile", "relay", "--bin", NAME], told: "Building the relay (about 1 min; the first time 3 min)…" },
  // An integration test brings the program along, with the very features that all tests have it with.
  tests: { folder: "debug", args: ["test", "--locked", "--no-run", "--test", "architecture"], told: "Building the relay for tests…" },
};

/** Where the program is, once it is built. */
export const relayProgram = (purpose) => process.env.TIDECLAW_RELAY ?? join(root, "target", FOR[purpose].folder, NAME);

/**
 * Builds if needed. `purpose`: `use` or `tests`; `ready`: what `setUp` returned, without it set-up runs first.
 * Resolves to `{ program, fresh }`: its path, and whether this call built it.
 */
export async function buildRelay(purpose, { ready, verbose = false } = {}) {
  const file = relayProgram(purpose);
  const { TIDECLAW_RELAY: elsewhere, TIDECLAW_PREBUILT: prebuilt } = process.env;
  if (elsewhere !== undefined || prebuilt === "1") {
    if (!existsSync(file)) throw new Failure(`${elsewhere === undefined ? "TIDECLAW_PREBUILT=1" : "TIDECLAW_RELAY"}: there is no ${file}.`);
    return { program: file, fresh: false };
  }
  const { native } = ready ?? (await setUp());
  const { args, told } = FOR[purpose];
  return withLock("build", async () => {
    const record = `relay-${purpose}`;
    const inputs = fingerprint(native.cargo, native.state, ...INPUTS.flatMap((name) => contents(join(root, name))));
    const known = readRecord(record);
    if (known?.inputs === inputs && known.output === fileState(file)) return { program: file, fresh: false };

    console.log(told);
    await run(native.cargo, args, {
      name: `cargo ${args[0]} (${NAME})`,
      deadline: 30 * 60_000,
      show: verbose,
      env: { ...process.env, ...native.env, CARGO_TARGET_DIR: join(root, "target"), CARGO_TERM_COLOR: "never" },
    });
    writeRecord(record, { inputs, output: fileState(file) });
    return { program: file, fresh: true };
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await program(async () => {
    const purpose = process.argv.includes("--tests") ? "tests" : "use";
    const built = await buildRelay(purpose, { verbose: process.argv.includes("--verbose") });
    console.log(`${built.fresh ? "Built" : "Up to date"}: ${built.program}`);
  });
}
