// Rust for this machine: native tests, lints, the relay and the cargo tools. Any stable Rust new enough will do.

import { fileState, readRecord, writeRecord } from "./cache.mjs";
import * as debian from "./debian.mjs";
import { onPath } from "./paths.mjs";
import { Failure, run } from "./process.mjs";

/** `rust-version` of Cargo.toml. */
const OLDEST = [1, 91];

const HELP = `Rust ${OLDEST.join(".")} or newer is needed and could not be set up. Install rustup (https://rustup.rs), then run:
  rustup toolchain install stable`;

/** Finds or installs native Rust. `lint` also asks for rustfmt and clippy. Returns `{ cargo, env }`. */
export async function setUpNativeRust({ lint = false } = {}) {
  const known = readRecord("native-rust");
  if (known && fileState(known.cargo) === known.state && (known.lint || !lint)) return known;

  const found = (await usable(onPath("cargo"))) ?? (await fromRustup()) ?? (await fromDebian());
  if (!found) throw new Failure(HELP);
  if (lint) await setUpLints(found);
  const record = { ...found, lint, state: fileState(found.cargo) };
  writeRecord("native-rust", record);
  return record;
}

async function usable(cargo, env = {}) {
  if (!cargo) return undefined;
  const { code, stdout } = await run(cargo, ["--version"], { check: false, deadline: 60_000, env: { ...process.env, ...env } });
  const [, major, minor] = /^cargo (\d+)\.(\d+)/.exec(stdout) ?? [];
  const newEnough = code === 0 && (major > OLDEST[0] || (+major === OLDEST[0] && minor >= OLDEST[1]));
  return newEnough ? { cargo, env } : undefined;
}

async function fromRustup() {
  const rustup = onPath("rustup");
  if (!rustup) return undefined;
  console.log("Installing stable Rust with rustup (about 1 min)…");
  const args = ["toolchain", "install", "stable", "--profile", "minimal", "-c", "clippy", "-c", "rustfmt", "--no-self-update"];
  const { code } = await run(rustup, args, { check: false, deadline: 15 * 60_000 });
  return code === 0 ? usable(onPath("cargo"), { RUSTUP_TOOLCHAIN: "stable" }) : undefined;
}

async function fromDebian() {
  if (!debian.hasApt()) return undefined;
  const direct = await usable("/usr/bin/cargo");
  if (direct) return direct;
  await debian.install(["rustc-web", "cargo-web"], "Rust");
  return usable("/usr/bin/cargo");
}

async function setUpLints(rust) {
  const env = { ...process.env, ...rust.env };
  const works = async (tool) => (await run(rust.cargo, [tool, "--version"], { check: false, env })).code === 0;
  const missing = [];
  for (const tool of ["clippy", "fmt"]) if (!(await works(tool))) missing.push(tool);
  if (missing.length === 0) return;

  const rustup = onPath("rustup");
  if (rustup && rust.cargo !== "/usr/bin/cargo") {
    console.log("Installing clippy and rustfmt with rustup…");
    await run(rustup, ["component", "add", "clippy", "rustfmt"], { check: false, deadline: 5 * 60_000, env });
  } else if (rust.cargo === "/usr/bin/cargo" && (await debian.installed(["cargo-web"]))) {
    await debian.install(["rust-web-clippy", "rustfmt-web"], "lints");
  }
  for (const tool of missing) {
    if (!(await works(tool))) throw new Failure(`\`cargo ${tool}\` is missing. With rustup: rustup component add clippy rustfmt`);
  }
}
