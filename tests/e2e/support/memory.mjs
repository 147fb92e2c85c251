// Memory of the runtime's process, from Linux's /proc. Deliberately not here: what is too much.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const KB = 1024;

/** Process ids of the runtime itself below its host. */
function runtimes(host) {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const [, name, ppid] = /^\d+ \((.*)\) \S+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
      return [{ pid: Number(pid), name, ppid: Number(ppid) }];
    } catch {
      // Gone meanwhile.
      return [];
    }
  });
  const below = (pid) => all.filter((one) => one.ppid === pid).flatMap((one) => [one, ...below(one.pid)]);
  return below(host).filter((one) => one.name.startsWith("workerd"));
}

function field(pid, name) {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * KB;
}

/** True if this machine can tell. */
export const canMeasure = process.platform === "linux";

/** Bytes the runtime holds now, and a function that says the most it has held since. */
export function watchMemory(worker) {
  const found = runtimes(worker.pid());
  if (found.length === 0) throw new Error("no runtime below its host");
  // 5 starts the count of the peak anew (man 5 proc).
  for (const { pid } of found) writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const sum = (name) => found.reduce((total, { pid }) => total + field(pid, name), 0);
  return { now: sum("VmRSS"), peak: () => sum("VmHWM") };
}
