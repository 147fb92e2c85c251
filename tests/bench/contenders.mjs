// Starts the Workers that are compared, each in a workerd process of its own with its own folder of SQLite files.
//
// Miniflare is used directly and without its entry Worker in front (a direct socket): what is measured is the contender.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildDir, root } from "../../local-dev/setup/paths.mjs";
import { SECRET, TOKEN, owners } from "./world.mjs";

const { Log, LogLevel, Miniflare } = createRequire(join(root, "package.json"))("miniflare");

const compatibilityDate = /^compatibility_date = "(.*)"$/m.exec(readFileSync(join(root, "wrangler.toml"), "utf8"))[1];
const sqlite = { type: "durable-object", storage: "sqlite" };
const object = (exportName) => ({ type: "durable-object", worker: "bench", exportName });
const esm = (file) => ({ type: "esm", contents: readFileSync(file, "utf8") });

/** For all: Miniflare starts Workers of its own behind these, which would else weigh on ours alone. */
const common = () => ({
  FILES: { type: "r2", name: "files" },
  WEBHOOK_LIMIT: { type: "rate-limit", namespace: "1001", simple: { limit: 20, period: 60 } },
});

/** As in wrangler.toml. */
const ours = () => ({
  modules: {
    "index.js": esm(join(buildDir, "index.js")),
    "index_bg.wasm": { type: "wasm", contents: readFileSync(join(buildDir, "index_bg.wasm")) },
  },
  exports: { Chat: sqlite, Directory: sqlite, RelayHub: sqlite },
  env: {
    CHAT: object("Chat"),
    DIRECTORY: object("Directory"),
    RELAY: object("RelayHub"),
  },
});

const floor = (name) => () => ({
  modules: { "index.js": esm(join(root, "tests", "bench", "floors", `${name}.mjs`)) },
  exports: { Chat: sqlite },
  env: { CHAT: object("Chat") },
});

const KINDS = { ours, ack: floor("ack"), bot: floor("bot") };

/**
 * Starts a contender: `ours`, `ack` (floor a) or `bot` (floor b). `folder`: where its files are; none: a new one, removed
 * at the end. Resolves to `{ name, webhook, pid, folder, close }`.
 */
export async function start(name, world, { folder, vars = {} } = {}) {
  const home = folder ?? mkdtempSync(join(tmpdir(), "tideclaw-bench-"));
  const { modules, exports, env: own } = KINDS[name]();
  const env = { ...own, ...common() };
  const texts = {
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    TELEGRAM_API_BASE: world.base(name),
    OLLAMA_BASE_URL: world.base(name),
    OLLAMA_API_KEY: "bench",
    DEFAULT_MODEL: "ollama/bench",
    OWNER_TELEGRAM_IDS: owners(),
    ...vars,
  };
  for (const [key, value] of Object.entries(texts)) env[key] = { type: "text", value };
  const before = runtimes();
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    logRequests: false,
    enableDevRegistry: false,
    log: new Log(process.env.BENCH_VERBOSE ? LogLevel.INFO : LogLevel.NONE),
    handleStructuredLogs: ({ message }) => process.env.BENCH_VERBOSE && console.error(`${name}: ${message}`),
    resourcePersistencePath: home,
    workers: [
      {
        config: { name: "bench", compatibilityDate, manifest: { mainModule: "index.js", modulesRoot: "/", modules }, env, exports },
        dev: { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] },
      },
    ],
  });
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL("bench");
  return {
    name,
    webhook: new URL("/telegram/main", url),
    pid: runtimes().find((pid) => !before.includes(pid)),
    folder: home,
    async close() {
      await miniflare.dispose();
      if (!folder) rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Process ids of the workerd processes this one has started; none where there is no /proc. */
function runtimes() {
  try {
    return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && isOurRuntime(entry));
  } catch {
    return [];
  }
}

function isOurRuntime(pid) {
  try {
    const [, name, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return name.startsWith("workerd") && Number(parent) === process.pid;
  } catch {
    // Gone meanwhile.
    return false;
  }
}
