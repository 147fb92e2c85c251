// What `npm test` runs, one check each. A check resolves to counts of tests, or throws a `Failure`.

import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, buildEnv, checkSize } from "./build.mjs";
import { buildRelay } from "./relay.mjs";
import { envWith, node22, root, shims } from "./setup/paths.mjs";
import { Failure, run } from "./setup/process.mjs";

const MINUTE = 60_000;

/**
 * Name, heading, whether `--fast` leaves it out, and the work: given `{ native, wasm, verbose }`.
 * Order matters: the cheapest first, and the Worker is built before the tests that run it.
 */
export const CHECKS = [
  { name: "fmt", heading: "Format (cargo fmt)", work: (use) => cargo(use, ["fmt", "--check", "--", "--color", "never"]) },
  {
    name: "clippy",
    heading: "Lints (cargo clippy)",
    slow: true,
    work: (use) => cargo(use, ["clippy", "--locked", "--all-targets", "--", "-D", "warnings"]),
  },
  { name: "wasm-clippy", heading: "Lints of the Worker's edge (cargo clippy for Wasm)", slow: true, work: clippyForWasm },
  {
    name: "rust",
    heading: "Rust tests (cargo test)",
    work: async (use) => countCargo(await cargo(use, ["test", "--locked", "--no-fail-fast"], { check: false })),
  },
  { name: "wasm", heading: "The Worker and its size", work: async (use) => checkSize(await build({ ready: use, verbose: use.verbose })) },
  { name: "node", heading: "Tests of the local tools (node --test)", work: (use) => nodeTests("tests/local-dev", use) },
  {
    name: "e2e",
    heading: "End-to-end tests (node --test)",
    slow: true,
    work: endToEnd,
  },
];

function cargo({ native, verbose }, args, options) {
  const env = { ...process.env, ...native.env, CARGO_TARGET_DIR: join(root, "target"), CARGO_TERM_COLOR: "never" };
  return run(native.cargo, args, { name: `cargo ${args[0]}`, deadline: 40 * MINUTE, env, show: verbose, ...options });
}

/**
 * Only the lints Cargo.toml denies: the compiler here differs from machine to machine, and so do its warnings.
 * Without this check nothing would enforce them in code that is compiled for Wasm alone.
 */
function clippyForWasm({ wasm, verbose }) {
  const env = { ...buildEnv(wasm), WASM_BINDGEN_USE_JS_SYS: "1", CARGO_TERM_COLOR: "never" };
  env.RUSTFLAGS += " -Cpanic=unwind";
  const target = ["--lib", "--release", "--target", "wasm32-unknown-unknown", "-Zbuild-std=std,panic_unwind"];
  const name = "cargo clippy for Wasm";
  return run(join(shims, "cargo"), ["clippy", "--locked", ...target], { name, deadline: 40 * MINUTE, env, show: verbose });
}

/** Tests that mostly wait for something to be given up; a folder of the end-to-end tests. */
const WAITING = "tests/e2e/waiting";
/** Longer than others may take; ended when the last test is over, because timers of minutes can be left then. */
const WAITS = ["--test-concurrency=1", "--test-timeout=600000", "--test-force-exit"];

/** One file at a time, because each runs Workers of its own, and beside them the files that mostly wait. */
async function endToEnd(use) {
  await buildRelay("tests", { ready: use, verbose: use.verbose });
  const one = ["--test-concurrency=1"];
  const results = await Promise.all([nodeTests("tests/e2e", use, one, (file) => !file.startsWith(join(root, WAITING))), nodeTests(WAITING, use, WAITS)]);
  const sum = (key) => results.reduce((total, result) => total + (result[key] ?? 0), 0);
  const output = results.map((result) => result.output ?? "").join("");
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped"), output: output || undefined };
}

async function nodeTests(folder, { verbose }, flags = [], wanted = () => true) {
  const files = testFiles(join(root, folder)).filter(wanted);
  if (files.length === 0) return { note: `none in ${folder}` };
  const env = envWith([dirname(node22)], { TIDECLAW_PREBUILT: "1", WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" });
  // Set when this runs inside a test itself, and then the reporter below would not be used.
  delete env.NODE_TEST_CONTEXT;
  const args = ["--test", "--test-reporter=spec", "--test-timeout=300000", ...flags, ...files];
  const name = `node --test ${folder}`;
  return countNode(await run(node22, args, { name, check: false, deadline: 40 * MINUTE, env, show: verbose }));
}

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return testFiles(join(folder, entry.name));
    return entry.name.endsWith(".test.mjs") ? [join(folder, entry.name)] : [];
  });
}

/** Sums cargo's `test result:` lines. A run that failed otherwise (it does not compile, was killed) counts as one failure. */
export function countCargo({ code, output, timedOut }) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  for (const [, passed, failed, ignored] of results) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(ignored);
  }
  return settled(counts, results.length > 0, { code, output, timedOut });
}

/** Reads the summary at the end of node's `spec` report. */
export function countNode({ code, output, timedOut }) {
  const count = (word) => Number([...output.matchAll(new RegExp(`^ℹ ${word} (\\d+)$`, "gm"))].at(-1)?.[1] ?? 0);
  const counts = {
    passed: count("pass"),
    failed: count("fail") + count("cancelled"),
    skipped: count("skipped") + count("todo"),
  };
  return settled(counts, /^ℹ tests \d+$/m.test(output), { code, output, timedOut });
}

function settled(counts, reported, { code, output, timedOut }) {
  const bad = code !== 0 || Boolean(timedOut);
  if (bad && counts.failed === 0) counts.failed = 1;
  if (!bad && !reported) throw new Failure("The tests ended well but without a report: has its form changed?");
  return { ...counts, output: bad ? `${output}${timedOut ? `\nIt ${timedOut}.\n` : ""}` : undefined };
}
