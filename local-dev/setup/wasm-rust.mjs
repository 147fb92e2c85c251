// Rust for the Worker: a compiler that can rebuild std with panic=unwind for Wasm.
//
// That takes unstable compiler features and the sources of std. Two ways to get them, tried in this order:
//   rustup  a nightly pinned by date, with rust-src
//   debian  the distribution's packages, with RUSTC_BOOTSTRAP=1 and the lld that matches rustc's LLVM
// TIDECLAW_RUST=rustup or =debian takes only that way.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileState, fingerprint, readRecord, writeRecord } from "./cache.mjs";
import * as debian from "./debian.mjs";
import { onPath } from "./paths.mjs";
import { Failure, run } from "./process.mjs";
import { writeShims } from "./shims.mjs";

const NIGHTLY = "nightly-2026-10-01";
const DEBIAN_RUST = ["rustc-web", "cargo-web", "rust-web-src"];

const HELP = `A Rust that can build for Wasm is needed and could not be set up. Either
  install rustup (https://rustup.rs) and run: rustup toolchain install ${NIGHTLY} --profile minimal -c rust-src -c clippy
or, on Debian 12: sudo apt-get update && sudo apt-get install ${DEBIAN_RUST.join(" ")}`;

/**
 * Finds or installs the toolchain and puts the wrappers worker-build calls into `.cache/shims`.
 * Returns `{ id, env }`: what identifies it in build fingerprints, and the variables a build needs.
 */
export async function setUpWasmRust({ lint = false } = {}) {
  const wanted = process.env.TIDECLAW_RUST ?? "any";
  const known = readRecord("wasm-rust");
  const intact = (record) => record.files.every(([file, state]) => fileState(file) === state);
  if (known?.wanted === wanted && known.nightly === NIGHTLY && intact(known) && (known.lint || !lint)) {
    writeShims(known.toolchain);
    return known;
  }

  const toolchain = (wanted !== "debian" && (await fromRustup())) || (wanted !== "rustup" && (await fromDebian(lint)));
  if (!toolchain) throw new Failure(HELP);
  writeShims(toolchain);
  const { stdout: version } = await run(toolchain.rustc, ["-vV"]);
  const record = {
    wanted,
    nightly: NIGHTLY,
    lint,
    toolchain,
    id: fingerprint(version, toolchain.linker ?? ""),
    env: environment(toolchain),
    files: [toolchain.cargo, toolchain.rustc, toolchain.linker].filter(Boolean).map((file) => [file, fileState(file)]),
  };
  writeRecord("wasm-rust", record);
  return record;
}

function environment({ linker, bootstrap }) {
  return {
    ...(bootstrap && { RUSTC_BOOTSTRAP: "1" }),
    ...(linker && { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: linker }),
  };
}

async function fromRustup() {
  const rustup = onPath("rustup");
  if (!rustup) return undefined;
  const ready = await rustupToolchain(rustup);
  if (ready) return ready;

  console.log(`Installing Rust ${NIGHTLY} with rustup, for the Worker (about 1 min)…`);
  const components = ["-c", "rust-src", "-c", "clippy"];
  const { code, output, timedOut } = await run(
    rustup,
    ["toolchain", "install", NIGHTLY, "--profile", "minimal", ...components, "--no-self-update"],
    {
      check: false,
      deadline: 10 * 60_000,
      progress: { pattern: /latest update|downloading|unchanged|installed/, deadline: 15_000, what: "no answer" },
      env: { ...process.env, RUST_BACKTRACE: "0" },
    },
  );
  const installed = code === 0 && (await rustupToolchain(rustup));
  if (installed) return installed;
  const reason = timedOut ?? /^error: .*/m.exec(output)?.[0] ?? "the installation is incomplete";
  console.log(`rustup could not install it (${reason}).`);
  return undefined;
}

/** The pinned nightly, if it and its std sources are installed. */
async function rustupToolchain(rustup) {
  const env = { ...process.env, RUSTUP_AUTO_INSTALL: "0" };
  const { code, stdout } = await run(rustup, ["which", "--toolchain", NIGHTLY, "rustc"], { check: false, env });
  if (code !== 0) return undefined;
  const bin = dirname(stdout.trim());
  const sources = join(bin, "../lib/rustlib/src/rust/library/Cargo.lock");
  const files = [sources, join(bin, "cargo"), join(bin, "cargo-clippy")];
  if (!files.every((file) => existsSync(file))) return undefined;
  return { cargo: join(bin, "cargo"), rustc: join(bin, "rustc"), clippy: join(bin, "cargo-clippy") };
}

async function fromDebian(lint) {
  if (!debian.hasApt()) return undefined;
  const clippy = lint ? ["rust-web-clippy"] : [];
  await debian.install([...DEBIAN_RUST, ...clippy], "building the Worker");
  const rustc = "/usr/bin/rustc";
  const { stdout } = await run(rustc, ["-vV"]);
  const llvm = /^LLVM version: (\d+)/m.exec(stdout)?.[1];
  const linker = `/usr/bin/wasm-ld-${llvm}`;
  if (!existsSync(linker)) await debian.install([`lld-${llvm}`], "linking the Worker");
  return { cargo: "/usr/bin/cargo", rustc, clippy: "/usr/bin/cargo-clippy", linker, bootstrap: true };
}
