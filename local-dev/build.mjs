// Builds the Worker into `build/`, unless what is there was made from the same inputs.
//
//   node local-dev/build.mjs [--check-size] [--verbose]
//
// TIDECLAW_PREBUILT=1 takes `build/` as it is: for machines that deploy a Worker built elsewhere.

import { existsSync, readFileSync, readdirSync, renameSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { fileState, fingerprint, readRecord, withLock, writeRecord } from "./setup/cache.mjs";
import { toolsId } from "./setup/cargo-tools.mjs";
import { setUp } from "./setup/index.mjs";
import { buildDir, envWith, esbuild, node22, root, shims, wasmBindgen, wasmOpt, workerBuild } from "./setup/paths.mjs";
import { Failure, program, run } from "./setup/process.mjs";

/** Bytes after gzip. Startup time grows with size; the platform's own limit is far off. */
export const SIZE_LIMIT = 1_400_000;

const INPUTS = ["src", "migrations", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo", "local-dev/build.mjs"];
const OUTPUTS = ["index.js", "index_bg.wasm"].map((name) => join(buildDir, name));

/**
 * Builds if needed. `ready` is what `setUp` returned; without it set-up runs first.
 * Returns `{ raw, gzip, fresh }`: bytes of what is deployed, and whether this call built it.
 */
export async function build({ ready, verbose = false } = {}) {
  if (process.env.TIDECLAW_PREBUILT === "1") {
    if (!OUTPUTS.every((file) => existsSync(file))) throw new Failure("TIDECLAW_PREBUILT=1, but build/ is not there.");
    return { ...sizes(), fresh: false };
  }
  const { wasm } = ready ?? (await setUp());
  return withLock("build", async () => {
    const inputs = fingerprint(wasm.id, toolsId, ...INPUTS.flatMap((name) => contents(join(root, name))));
    const known = readRecord("build");
    const outputs = () => OUTPUTS.map(fileState).join(" ");
    if (known?.inputs === inputs && known.outputs === outputs()) return { ...known.sizes, fresh: false };

    console.log("Building the Worker (10–30 s; the first time about 2 min)…");
    await run(workerBuild, ["--release", "--panic-unwind"], {
      name: "worker-build",
      deadline: 30 * 60_000,
      show: verbose,
      env: buildEnv(wasm),
    });
    await shrink({ verbose });
    const record = { inputs, outputs: outputs(), sizes: sizes() };
    writeRecord("build", record);
    return { ...record.sizes, fresh: true };
  });
}

/** What rustc and wasm-bindgen put into the file and wasm-opt must let stand. */
const WASM_FEATURES = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
];

/**
 * Makes the Wasm small and drops the functions' names: the panic hook logs file and line without them. wasm-opt does not
 * inline: rustc has, and more of it makes a file that is a little smaller but packs far worse.
 */
async function shrink({ verbose }) {
  const [file] = OUTPUTS.filter((path) => path.endsWith(".wasm"));
  const small = `${file}.small`;
  const features = WASM_FEATURES.map((feature) => `--enable-${feature}`);
  await run(wasmOpt, [file, "-o", small, "-Oz", "--skip-pass=inlining-optimizing", "--strip-producers", ...features], {
    name: "wasm-opt",
    deadline: 10 * 60_000,
    show: verbose,
    env: envWith([join(node22, "..")]),
  });
  renameSync(small, file);
}

/** The environment of everything that compiles for Wasm: the wrappers first, all helpers local. */
export function buildEnv(wasm) {
  return envWith([shims, join(node22, "..")], {
    ...wasm.env,
    CARGO_TARGET_DIR: join(root, "target", "wasm"),
    // The small variants in std, such as its sorts. Naming one replaces the defaults, of which unwinding is needed.
    CARGO_UNSTABLE_BUILD_STD_FEATURES: "panic-unwind,optimize_for_size",
    // A panic tells file and line; columns are 3 kB. One that leaves a destructor traps instead of unwinding: none of
    // ours can panic, and the code that would prepare for it is 34 kB (decision 008).
    RUSTFLAGS: "-Zlocation-detail=file,line -Zpanic-in-drop=abort",
    // A backtrace of worker-build would push the compiler's message out of the excerpt.
    RUST_BACKTRACE: "0",
    WASM_BINDGEN_BIN: wasmBindgen,
    ESBUILD_BIN: esbuild(),
  });
}

function sizes() {
  const files = OUTPUTS.map((file) => readFileSync(file));
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  return { raw: sum(files.map((file) => file.length)), gzip: sum(files.map((file) => gzipSync(file).length)) };
}

/** Path and content of each file under `path`, in a stable order. */
export function contents(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [relative(root, path), readFileSync(path)];
  return readdirSync(path).sort().flatMap((name) => contents(join(path, name)));
}

export const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;

/** Prints the sizes; a `Failure` if the Worker has outgrown `SIZE_LIMIT`. */
export function checkSize({ raw, gzip }) {
  const text = `The Worker is ${kilobytes(raw)}, ${kilobytes(gzip)} gzipped (limit ${kilobytes(SIZE_LIMIT)}).`;
  if (gzip > SIZE_LIMIT) throw new Failure(`${text} It is too large.`);
  console.log(text);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await program(async () => {
    const result = await build({ verbose: process.argv.includes("--verbose") });
    if (process.argv.includes("--check-size")) return checkSize(result);
    const state = result.fresh ? "Built" : "Up to date";
    console.log(`${state}: build/, ${kilobytes(result.raw)}, ${kilobytes(result.gzip)} gzipped.`);
  });
}
