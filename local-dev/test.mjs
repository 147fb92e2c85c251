// `npm test`: sets up what is missing and runs all checks. Works on a fresh clone.
//
//   node local-dev/test.mjs [--fast] [--only name,…] [--verbose]
//
// `--fast` leaves out lints and end-to-end tests. The last line has the totals of all tests; a check that is not a
// test (format, lints, size) and fails, counts as one failed.

import { parseArgs } from "node:util";
import { CHECKS } from "./checks.mjs";
import { setUp } from "./setup/index.mjs";
import { Failure, program } from "./setup/process.mjs";

/** Most lines of a failed check's output that are shown. */
const SHOWN_LINES = 300;

await program(async () => {
  const { values } = parseArgs({
    options: { fast: { type: "boolean" }, only: { type: "string" }, verbose: { type: "boolean" } },
  });
  const checks = choose(values);
  const began = Date.now();
  console.log("Set-up");
  const use = { ...(await setUp({ lint: checks.some(({ name }) => /fmt|clippy/.test(name)) })), verbose: values.verbose };
  console.log(`  ready, ${since(began)}`);

  const totals = { passed: 0, failed: 0, skipped: 0 };
  const broken = [];
  for (const check of checks) {
    const result = await perform(check, use);
    for (const key of Object.keys(totals)) totals[key] += result[key] ?? 0;
    if (result.failed) broken.push(check.name);
  }
  console.log(`\nAll checks took ${since(began)}.`);
  if (broken.length) console.log(`Failed: ${broken.join(", ")}. One alone: npm test -- --only ${broken[0]}`);
  console.log(`${totals.passed} passed, ${totals.failed} failed${totals.skipped ? `, ${totals.skipped} skipped` : ""}`);
  return totals.failed ? 1 : 0;
});

function choose({ fast, only }) {
  if (!only) return CHECKS.filter(({ slow }) => !(fast && slow));
  const names = only.split(",");
  const unknown = names.filter((name) => !CHECKS.some((check) => check.name === name));
  if (unknown.length) throw new Failure(`--only: there is no ${unknown.join(", ")}. Known: ${CHECKS.map(({ name }) => name).join(", ")}`);
  return CHECKS.filter(({ name }) => names.includes(name));
}

/** Runs one check and prints how it went. */
async function perform({ heading, work }, use) {
  console.log(`\n${heading}`);
  const began = Date.now();
  let result;
  try {
    result = (await work(use)) ?? {};
  } catch (error) {
    result = { failed: 1, output: error instanceof Failure ? error.message : error.stack };
  }
  if (result.failed && result.output && !use.verbose) {
    const lines = result.output.trimEnd().split("\n");
    if (lines.length > SHOWN_LINES) console.log(`  … ${lines.length - SHOWN_LINES} lines before these`);
    console.log(lines.slice(-SHOWN_LINES).join("\n"));
  }
  const counted = result.passed === undefined ? (result.note ?? "ok") : `${result.passed} passed`;
  console.log(`  ${result.failed ? `FAILED (${result.failed})` : counted}, ${since(began)}`);
  return result;
}

function since(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}
