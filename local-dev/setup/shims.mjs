// Three wrappers that stand first on PATH while worker-build runs. It calls `cargo +nightly`, `rustc +nightly` and
// `rustup`, and wants a folder with a ready-made std for Wasm, though `-Zbuild-std` rebuilds it and reads none of it.

import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeFileSafely } from "./cache.mjs";
import { cache, shims } from "./paths.mjs";

/** Writes the wrappers for `toolchain` (`cargo`, `rustc`, `clippy`: absolute paths). */
export function writeShims({ cargo, rustc, clippy }) {
  const emptyStd = join(cache, "wasm-std");
  mkdirSync(emptyStd, { recursive: true });
  shim("cargo", `[ "$1" = "+nightly" ] && shift\nexec ${quote(cargo)} "$@"`);
  shim("cargo-clippy", `exec ${quote(clippy)} "$@"`);
  shim(
    "rustc",
    `[ "$1" = "+nightly" ] && shift
if [ "$*" = "--target wasm32-unknown-unknown --print target-libdir" ]; then
  echo ${quote(emptyStd)}
  exit 0
fi
exec ${quote(rustc)} "$@"`,
  );
  shim(
    "rustup",
    `[ "$1 $2" = "component list" ] && echo "rust-src (installed)" && exit 0
echo "rustup $*: not available while the Worker is built" >&2
exit 1`,
  );
}

function shim(name, body) {
  const file = join(shims, name);
  writeFileSafely(file, `#!/bin/sh\n${body}\n`, 0o755);
  chmodSync(file, 0o755);
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
