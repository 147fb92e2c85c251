// Sets up all that is missing on a fresh clone. Cheap when nothing is: it compares records in `.cache/` with files.

import { withLock } from "./cache.mjs";
import { setUpCargoTools } from "./cargo-tools.mjs";
import { setUpNativeRust } from "./native-rust.mjs";
import { setUpPackages } from "./packages.mjs";
import { Failure } from "./process.mjs";
import { setUpWasmRust } from "./wasm-rust.mjs";

const OLDEST_NODE = 18;

/**
 * Runs every step that is due. `lint` also sets up clippy and rustfmt.
 * Returns `{ native: { cargo, env }, wasm: { id, env } }`.
 */
export async function setUp({ lint = false } = {}) {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
    throw new Failure(`Node ${OLDEST_NODE} or newer is needed to begin with; this is ${process.version}.`);
  }
  if (process.platform === "win32") {
    throw new Failure("Windows is supported through WSL: open a WSL terminal and run this there.");
  }
  return withLock("setup", async () => {
    await setUpPackages();
    const native = await setUpNativeRust({ lint });
    const wasm = await setUpWasmRust({ lint });
    await setUpCargoTools(native);
    return { native, wasm };
  });
}
