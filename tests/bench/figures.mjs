// Numbers: percentiles, what a process has used, and rows of the table.

import { readFileSync } from "node:fs";

/** The kernel's unit of CPU time on every platform Node supports. */
const TICKS_PER_SECOND = 100;

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  return sorted[low] + ((sorted[low + 1] ?? sorted[low]) - sorted[low]) * (at - low);
}

export const median = (values) => percentile(values, 0.5);

/** Milliseconds of CPU time (user and system) a process has used so far; NaN where there is no /proc. */
export function cpuMs(pid) {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}

/** Megabytes of memory: resident, and its share of what processes have in common. */
export function memoryMb(pid) {
  const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? NaN) / 1_000;
  return { rss: of("Rss"), pss: of("Pss") };
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** A row with a mark on the ratio of ours to the floor: at most, or at least with `atLeast`. */
export function ratioRow(row, ours, floor, mark, { unit = "ms", atLeast = false } = {}) {
  const ratio = ours / floor;
  const ok = atLeast ? ratio >= mark : ratio <= mark;
  return { row, ours, floor, unit, ratio, mark: `${atLeast ? "≥" : "≤"} ${mark} ×`, ok };
}

/** A row with a mark on our own figure; the floor's is for information. */
export function limitRow(row, ours, mark, { floor, unit = "ms" } = {}) {
  return { row, ours, floor, unit, ratio: floor === undefined ? undefined : ours / floor, mark: `≤ ${mark} ${unit}`, ok: ours <= mark };
}

/** A row without a mark. */
export function noteRow(row, ours, { floor, unit = "ms" } = {}) {
  return { row, ours, floor, unit, ratio: floor === undefined ? undefined : ours / floor, mark: "" };
}
