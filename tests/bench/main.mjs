// The bench: runs the rows and prints them as one table. Started by local-dev/bench.mjs under Node 22; options are there.

import { readFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { SIZE_LIMIT } from "../../local-dev/build.mjs";
import { buildDir, root } from "../../local-dev/setup/paths.mjs";
import { start } from "./contenders.mjs";
import { limitRow } from "./figures.mjs";
import { acknowledgement } from "./rows/acknowledgement.mjs";
import { context } from "./rows/context.mjs";
import { conversations } from "./rows/conversations.mjs";
import { cost } from "./rows/cost.mjs";
import { prompt } from "./rows/prompt.mjs";
import { latency, throughput } from "./rows/instant.mjs";
import { relay } from "./rows/relay.mjs";
import { limited, unlimited } from "./rows/streaming.mjs";
import { startWorld } from "./world.mjs";

/** What is measured together, by the numbers of its rows. `talkative`: other messages than answers are due. */
const GROUPS = [
  { rows: [1], name: "acknowledgement", work: acknowledgement, talkative: true },
  { rows: [2], name: "whole turn", work: latency },
  { rows: [3], name: "streaming", work: unlimited },
  { rows: [4], name: "streaming, limited", work: limited },
  { rows: [5], name: "throughput", work: throughput },
  { rows: [6, 7], name: "CPU time and memory", work: cost },
  { rows: [8], name: "context", work: context },
  { rows: [9], name: "size", work: size },
  { rows: [10], name: "prompt tokens", work: prompt },
  { rows: [11], name: "control plane", work: conversations },
  { rows: [12, 13, 14], name: "relay", work: relay },
];

function size() {
  const bytes = gzipSync(readFileSync(join(buildDir, "index_bg.wasm"))).length;
  return [limitRow("9. Wasm, gzipped", bytes / 1_000, SIZE_LIMIT / 1_000, { unit: "kB" })];
}

/** Runs one group in a world of its own, and closes whatever it started. */
async function run(group, options) {
  const world = await startWorld();
  const closing = [];
  const startOne = async (name, settings) => {
    const contender = await start(name, world, settings);
    let open = true;
    const close = async () => {
      if (open) await contender.close();
      open = false;
    };
    closing.push(close);
    return { ...contender, close };
  };
  const newFolder = () => {
    const folder = mkdtempSync(join(tmpdir(), "tideclaw-bench-"));
    closing.unshift(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };
  try {
    const rows = await group.work({ world, start: startOne, newFolder, ...options });
    const surplus = Object.entries(world.surplus).map(([name, count]) => `${count} by ${name}`);
    if (surplus.length > 0 && !group.talkative) console.log(`  ! ${group.name}: messages sent that answer nothing: ${surplus.join(", ")}`);
    return rows;
  } finally {
    for (const close of closing.reverse()) await close();
    world.close();
  }
}

const figure = (value, unit) => {
  if (value === undefined || Number.isNaN(value)) return "";
  const digits = value < 10 && unit !== "kB" ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
};

function table(rows) {
  const cells = rows.map(({ row, ours, floor, unit, ratio, mark, ok }) => [
    row,
    figure(ours, unit),
    figure(floor, unit),
    ratio === undefined || Number.isNaN(ratio) ? "" : `${ratio.toFixed(2)} ×`,
    mark,
    ok === undefined || Number.isNaN(ours) ? "" : ok ? "✓" : "✗",
  ]);
  const head = ["row", "ours", "floor", "ratio", "mark", "ok"];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((line) => line[column].length)));
  const write = (line) => `| ${line.map((text, column) => text.padEnd(widths[column])).join(" | ")} |`;
  return [write(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...cells.map(write)].join("\n");
}

function about(quick) {
  const version = (name) => createRequire(join(root, "package.json"))(`${name}/package.json`).version;
  return {
    date: new Date().toISOString(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${Math.round(totalmem() / 1e9)} GB, ${process.platform} ${release()}`,
    load: loadavg().map((value) => Number(value.toFixed(1))),
    versions: { node: process.versions.node, miniflare: version("miniflare"), workerd: version("workerd") },
    quick,
  };
}

const { values } = parseArgs({ options: { rows: { type: "string" }, quick: { type: "boolean", default: false }, json: { type: "string" } } });
const wanted = values.rows ? values.rows.split(",").map(Number) : GROUPS.flatMap((group) => group.rows);
const facts = about(values.quick);
console.log(`${facts.date}  ${facts.machine}  load ${facts.load.join(" ")}`);
console.log(`node ${facts.versions.node}, miniflare ${facts.versions.miniflare}, workerd ${facts.versions.workerd}${values.quick ? "  (quick)" : ""}`);

const rows = [];
for (const group of GROUPS.filter((each) => each.rows.some((row) => wanted.includes(row)))) {
  const began = Date.now();
  try {
    rows.push(...(await run(group, { quick: values.quick, rows: wanted })));
  } catch (error) {
    // One row that cannot be measured does not take the others with it.
    console.error(`${group.name}: ${error.stack}`);
    rows.push(...group.rows.map((row) => ({ row: `${row}. ${group.name}: not measured (${error.message})`, unit: "", mark: "", ok: false, ours: 0 })));
  }
  console.log(`  ${group.name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
}
rows.sort((a, b) => Number.parseInt(a.row, 10) - Number.parseInt(b.row, 10));
console.log(`\n${table(rows)}\n`);
console.log("ours: build/. Floors: 1 (a) a plain JavaScript Worker that stores an update, sets an alarm and answers; others (b) the");
console.log("smallest durable bot, which then asks the model from the alarm and sends one message. Load at the end: " + loadavg()[0].toFixed(1));
if (values.json) writeFileSync(values.json, `${JSON.stringify({ ...facts, rows }, null, 2)}\n`);
process.exit(0);
