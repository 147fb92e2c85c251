// Where things live. Everything set-up makes is inside the repository: `node_modules/`, `.cache/`, `target/`, `build/`.

import { existsSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const cache = join(root, ".cache");
export const logs = join(cache, "logs");
export const shims = join(cache, "shims");
export const tools = join(cache, "tools");
export const buildDir = join(root, "build");

const modules = join(root, "node_modules");
const bin = (name) => join(modules, ".bin", name);

/** Node 22 from npm: wrangler needs it, and the system's Node may be older. */
export const node22 = join(modules, "node", "bin", "node");
export const wrangler = join(modules, "wrangler", "bin", "wrangler.js");
export const wasmOpt = bin("wasm-opt");
export const workerBuild = join(tools, "bin", "worker-build");
export const wasmBindgen = join(tools, "bin", "wasm-bindgen");

/** esbuild's own program: the launcher in `.bin` is only replaced by it where install scripts may run. */
export function esbuild() {
  const direct = join(modules, "@esbuild", `${process.platform}-${process.arch}`, "bin", "esbuild");
  return existsSync(direct) ? direct : bin("esbuild");
}

/** The first executable called `name` on PATH, without the folders in `except`. */
export function onPath(name, except = [shims]) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder && !except.includes(folder))
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

/** `process.env` with `folders` first on PATH and `extra` on top. */
export function envWith(folders, extra = {}) {
  return { ...process.env, PATH: [...folders, process.env.PATH ?? ""].join(delimiter), ...extra };
}
