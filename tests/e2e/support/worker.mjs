// The built Worker on real workerd, on a folder of state that outlives it: started in a second, killed with SIGKILL as
// a machine dies, started again at the same address. Its outgoing requests are workerd's own, so that a peer's reset or
// cut arrives as it does in production. Deliberately not here: what it talks to (world.mjs).

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDir, root } from "../../../local-dev/setup/paths.mjs";

const HOST = fileURLToPath(new URL("worker-host.mjs", import.meta.url));
const START_MS = 30_000;
const MODULES = { "index.js": "esm", "index_bg.wasm": "wasm" };
/** Stands before the Worker, and lets a test reach the hub as a conversation does. */
const PROBE = fileURLToPath(new URL("hub-probe.js", import.meta.url));
const OBJECTS = { CHAT: "Chat", DIRECTORY: "Directory", RELAY: "RelayHub" };

/** The configuration as in wrangler.toml; `vars` are its variables and secrets. */
function optionsFor({ vars, persistTo, port, probe }) {
  const setting = (name) => new RegExp(`^${name} = (.+)$`, "m").exec(readFileSync(join(root, "wrangler.toml"), "utf8"))[1];
  const [, limit, period] = /limit = (\d+), period = (\d+)/.exec(setting("simple"));
  const modules = Object.entries(MODULES).map(([name, type]) => [name, { type, contents: contentsOf(name, type) }]);
  if (probe) modules.push(["hub-probe.js", { type: "esm", contents: readFileSync(PROBE, "utf8") }]);
  const objects = Object.entries(OBJECTS);
  const texts = Object.entries(vars).map(([name, value]) => [name, { type: "text", value: String(value) }]);
  const config = {
    name: "tideclaw",
    compatibilityDate: JSON.parse(setting("compatibility_date")),
    manifest: { mainModule: probe ? "hub-probe.js" : "index.js", modulesRoot: buildDir, modules: Object.fromEntries(modules) },
    exports: Object.fromEntries(objects.map(([, name]) => [name, { type: "durable-object", storage: "sqlite" }])),
    env: {
      ...Object.fromEntries(objects.map(([name, exportName]) => [name, { type: "durable-object", worker: "tideclaw", exportName }])),
      FILES: { type: "r2", name: "files" },
      WEBHOOK_LIMIT: { type: "rate-limit", namespace: "1001", simple: { limit: Number(limit), period: Number(period) } },
      ...Object.fromEntries(texts),
    },
  };
  return { host: "127.0.0.1", port, cf: false, unsafeTriggerHandlers: true, resourcePersistencePath: persistTo, workers: [{ config }] };
}

function contentsOf(name, type) {
  const bytes = readFileSync(join(buildDir, name));
  return type === "wasm" ? new Uint8Array(bytes) : bytes.toString("utf8");
}

/** One life of the runtime. */
async function launch(options, onLog) {
  const child = spawn(process.execPath, [HOST], {
    // Its own group: the runtime is its child, and one signal reaches both.
    detached: true,
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    cwd: root,
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const kill = async () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Already gone.
    }
    await exited;
  };
  process.once("exit", kill);
  exited.then(() => process.off("exit", kill));
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("workerd did not start in time")), START_MS);
    child.on("message", ({ url, error, log }) => {
      if (log) return onLog(log);
      clearTimeout(timer);
      return error ? reject(new Error(error)) : resolve(url);
    });
    exited.then((code) => reject(new Error(`workerd's host ended with ${code}`)));
    child.send(options);
  });
  let evictions = 0;
  const evict = (className, name, webSockets) =>
    new Promise((resolve, reject) => {
      const id = ++evictions;
      const heard = ({ evicted, error }) => {
        if (evicted !== id) return;
        child.off("message", heard);
        if (error) reject(new Error(error));
        else resolve();
      };
      child.on("message", heard);
      child.send({ evict: { id, className, name, webSockets } });
    });
  return { url, kill, evict, pid: child.pid };
}

/**
 * @param {{vars: Record<string, string>, persistTo: string, port?: number, probe?: boolean}} options
 * @returns {Promise<{url: string, logs: {level: string, message: string}[], kill: () => Promise<void>,
 *   restart: (change?: object) => Promise<void>, close: () => Promise<void>, cron: () => Promise<number>,
 *   evict: (className: string, name: string, webSockets?: "hibernate"|"close") => Promise<void>}>}
 *   `probe`: `/test/hub/…` leads into the RelayHub object (hub-probe.js). `kill` is SIGKILL; `restart` starts again on the
 *   same state and port, with `change` over the variables; `evict` puts one object out of memory. Its WebSockets stay open,
 *   as when the platform lets it sleep; with "close" they end, as when it moves to another machine.
 */
export async function startWorker({ vars, persistTo, port = 0, probe = false }) {
  const logs = [];
  const onLog = (log) => logs.push(log);
  let life = await launch(optionsFor({ vars, persistTo, port, probe }), onLog);
  const { url } = life;
  return {
    url,
    logs,
    /** Of the runtime's host; the runtime is its child. */
    pid: () => life.pid,
    kill: () => life.kill(),
    async restart(change = {}) {
      await life.kill();
      life = await launch(optionsFor({ vars: { ...vars, ...change }, persistTo, port: Number(new URL(url).port), probe }), onLog);
    },
    close: () => life.kill(),
    evict: (className, name, webSockets = "hibernate") => life.evict(className, name, webSockets),
    async cron() {
      const response = await fetch(`${url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent("*/5 * * * *")}`);
      await response.arrayBuffer();
      return response.status;
    },
  };
}
