// Packages of the Debian family, for machines where rustup is absent or cannot reach its server.
//
// Nothing the person has is removed: where a package would replace an installed one, apt stops and says so.

import { existsSync } from "node:fs";
import { onPath } from "./paths.mjs";
import { Failure, run } from "./process.mjs";

export const hasApt = () => Boolean(onPath("apt-get"));

/** True if each of `packages` is installed. */
export async function installed(packages) {
  const query = ["-W", "-f=${db:Status-Status}\n", ...packages];
  const { code, stdout } = await run("dpkg-query", query, { check: false });
  return code === 0 && stdout.trim().split("\n").every((status) => status === "installed");
}

/** Installs what is missing of `packages`. `why` completes "Installing … for". */
export async function install(packages, why) {
  if (await installed(packages)) return;
  const list = packages.join(" ");
  const byHand = `  sudo apt-get update && sudo apt-get install ${list}`;
  const root = await rootPrefix();
  if (!root) throw new Failure(`${why} needs Debian packages, and this account may not install any. Run:\n${byHand}`);

  console.log(`Installing Debian packages for ${why}: ${list} (1–3 min)…`);
  const apt = (args, deadline) => {
    const options = ["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::http::Timeout=30", "-o", "Acquire::Retries=2"];
    const [command, ...rest] = [...root.command, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...options, ...args];
    return run(command, rest, { name: `apt-get ${args[0]}`, deadline, input: root.input });
  };
  await apt(["update"], 5 * 60_000);
  await apt(["install", "-y", "--no-install-recommends", "--no-remove", ...packages], 20 * 60_000);
}

/** How to run a command as root: directly, by sudo without a password, or by sudo asking at the terminal. */
async function rootPrefix() {
  if (process.getuid?.() === 0) return { command: [] };
  if (!existsSync("/usr/bin/sudo") && !onPath("sudo")) return undefined;
  const silent = await run("sudo", ["-n", "true"], { check: false, deadline: 10_000 });
  if (silent.code === 0) return { command: ["sudo", "-n"] };
  if (!process.stdin.isTTY) return undefined;
  console.log("Administrator rights are needed; sudo may ask for your password.");
  return { command: ["sudo"], input: "inherit" };
}
