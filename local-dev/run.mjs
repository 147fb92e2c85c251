// Runs the Worker with an emulated Telegram and stand-ins for the models, until Ctrl-C. Started by start.mjs.
//
// What `.dev.vars` sets wins: with TELEGRAM_BOT_TOKEN in it, the real Telegram is used instead of the emulated one, and
// with a model provider's key or address in it, that provider answers (models/local.mjs). So does Cloudflare Access with its
// team in it (access/local.mjs), and with OLLAMA_URL the Ollama behind the relay (models/local-relay.mjs).

import { randomBytes, randomInt } from "node:crypto";
import { startAccess } from "./access/local.mjs";
import { prepareRelay, runRelay } from "./models/local-relay.mjs";
import { startModels } from "./models/local.mjs";
import { expected, openTelegram } from "./operate/telegram.mjs";
import { relayProgram } from "./relay.mjs";
import { takeLock } from "./setup/cache.mjs";
import { Failure } from "./setup/process.mjs";
import { startTelegram } from "./telegram/emulator.mjs";
import { onFreePort } from "./worker/ports.mjs";
import { readUserVars } from "./worker/vars.mjs";
import { startWorker } from "./worker/wrangler.mjs";

const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CLAIM_LENGTH = 8;
const FIRST_PORT = { worker: 8787, telegram: 8081 };

/** What is to be closed at the end, last opened first. */
const open = [];
let stopping = false;

async function stop(code) {
  if (stopping) return;
  stopping = true;
  for (const close of open.reverse()) await close().catch((error) => console.error(error.message));
  process.exit(code);
}

async function start() {
  // Two would share one state folder, which SQLite does not survive.
  await takeLock("run", { busy: "Tideclaw is already running from this folder. Stop that one first (Ctrl-C in its terminal)." });
  const user = readUserVars();
  const secret = user.values.TELEGRAM_WEBHOOK_SECRET ?? randomBytes(24).toString("base64url");
  const claim = user.values.CLAIM_CODE ?? Array.from({ length: CLAIM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  const vars = { TELEGRAM_WEBHOOK_SECRET: secret, CLAIM_CODE: claim };
  const realTelegram = "TELEGRAM_BOT_TOKEN" in user.values;

  const closeLater = (close) => open.push(close);
  const models = await startModels({ user: user.values, gateway: process.argv.includes("--gateway"), closeLater });
  const access = await startAccess({ user: user.values, closeLater });
  const relay = process.argv.includes("--relay") && (await prepareRelay({ user: user.values, closeLater }));
  Object.assign(vars, models.vars, access.vars, relay?.vars);

  let telegram;
  const emulate = async (workerUrl) => {
    if (realTelegram) return {};
    const token = `700000001:${randomBytes(24).toString("base64url")}`;
    const webhookUrl = `${workerUrl}/telegram/main`;
    const bots = [{ id: "main", token, username: "tideclaw_bot", name: "Tideclaw", webhookUrl, secret, allowedUpdates: expected.allowed_updates }];
    // Called again when the Worker had to take another port.
    await telegram?.close();
    telegram = await onFreePort(FIRST_PORT.telegram, (port) => startTelegram({ port, bots }));
    open.push(() => telegram.close());
    // As set-up would: the Directory may remember having set the menus of an emulator that is gone.
    await openTelegram({ token, base: telegram.url }).setCommands();
    return { TELEGRAM_API_BASE: telegram.url, TELEGRAM_BOT_TOKEN: token };
  };

  console.log("Starting the Worker (about 5 s)…");
  const worker = await startWorker({
    firstPort: FIRST_PORT.worker,
    vars: async (url) => ({ ...vars, ...(await emulate(url)), ...user.values }),
    onExit: (reason) => {
      if (stopping) return;
      console.error(`\nThe Worker's runtime ${reason}. Stopping everything. Its log: .cache/logs/wrangler.log`);
      stop(1);
    },
    closeLater,
  });

  const cron = await worker.runCron();
  if (!cron) console.error("The cron handler failed: the bot's command menu may be missing. See .cache/logs/wrangler.log");
  const relayLines = relay ? await runRelay({ prepared: relay, program: relayProgram("use"), worker, closeLater }) : ["none (npm start -- --relay: a relay, with an Ollama of its own behind it)"];
  tell({ worker, telegram, claim, models, relayLines, admin: await access.standBefore(worker.url) });
}

function tell({ worker, telegram, claim, models, relayLines, admin }) {
  const lines = telegram
    ? [`Chat page    ${telegram.url}/?start=${claim}`, `Become owner send  /start ${claim}  (once; it is kept between starts)`]
    : [
        "Telegram     the real one, with the token of .dev.vars. It finds this machine only through a tunnel:",
        `             set the webhook to <your tunnel>/telegram/main, and the tunnel to ${worker.url}`,
        `Become owner send the bot  /start ${claim}`,
      ];
  const under = (heading, texts) => texts.map((line, i) => `${(i === 0 ? heading : "").padEnd(13)}${line}`);
  lines.push(
    `Admin page   ${admin}`,
    ...under("Models", models.lines),
    ...under("Relay", relayLines),
    `Worker       ${worker.url}   log: .cache/logs/wrangler.log   state: .wrangler/state`,
    "Stop         Ctrl-C",
  );
  console.log(`\nTideclaw is running.\n\n${lines.map((line) => `  ${line}`).join("\n")}\n`);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));
process.on("message", (message) => message === "stop" && stop(0));
process.on("disconnect", () => stop(0));

try {
  await start();
} catch (error) {
  if (!stopping) console.error(`\n${error instanceof Failure ? error.message : error.stack}`);
  await stop(1);
}
