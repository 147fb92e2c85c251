// Everything a test needs around one Worker: an emulated Telegram, stand-ins for the models, a folder of state, and
// people who talk. The stand-in for Ollama is always there; the others are asked for:
//   startWorld({ gemini: true, openai: { flavour: "deepseek" }, gateway: true })
//     world.gemini, world.openai, world.gateway: script, requests, waitFor, clear, … as world.ollama has them
//     (openai is "generic" unless asked otherwise: the Worker knows OpenAI and others by their host, which is not here)
//     the Worker gets their base URLs and keys; with `gateway`, AI_GATEWAY_BASE_URL and AI_GATEWAY_TOKEN too
//   startWorld({ relay: true }): the Worker takes relays; they and what is behind them: relay.mjs, cut.mjs
//   startWorld({ access: true }): an issuer of signed tokens, as Access would be in front of the admin page
//     world.admin(path, …): a request of the signed-in owner (admin.mjs); world.issuer: other tokens, key rotation, faults
//   world.gemini.script(failure("quota", { match: "Hi" })): every class of failure by name (local-dev/models/errors.mjs)
// Deliberately not here: the runtime (worker.mjs), a look into the objects' tables (objects.mjs).

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "../../../local-dev/models/gateway.mjs";
import { startGemini } from "../../../local-dev/models/gemini.mjs";
import { DEFAULT_MODELS, startOllama } from "../../../local-dev/models/ollama.mjs";
import { startOpenAI } from "../../../local-dev/models/openai.mjs";
import { startTelegram } from "../../../local-dev/telegram/emulator.mjs";
import { makeAdmin, startAccess } from "./admin.mjs";
import { objectsIn } from "./objects.mjs";
import { TOKEN as RELAY_TOKEN } from "./relay.mjs";
import { startWorker } from "./worker.mjs";

export { failure } from "../../../local-dev/models/errors.mjs";

/** Longest wait for something that takes no time of its own. Generous: the machine may be busy. */
export const SOON_MS = 20_000;
/** Who owns the bots unless a test says otherwise: enough people for one each. */
export const OWNERS = Array.from({ length: 60 }, (_, i) => 1001 + i);

const TOKENS = { main: "700000001:main-token", work: "700000002:work-token" };
/** A key each, so that one sent to the wrong provider is refused. */
const KEYS = { ollama: "key", gemini: "gemini-key", openai: "openai-key", gateway: "gateway-token" };
const SECRETS = { main: "main-secret", work: "work-secret" };

/** The plain model takes tools here: without, each Worker would be refused once before it knows. */
const MODELS = DEFAULT_MODELS.map((model) => (model.name === "plain:1b" ? { ...model, capabilities: ["completion", "tools"] } : model));

/** The stand-ins asked for and the variables that point the Worker at them. `true` takes one as it is, an object sets it. */
async function startModels({ ollama: forOllama, gemini: forGemini, openai: forOpenAI, gateway: forGateway, owners }) {
  const pace = { firstTokenMs: 0, tokensPerSecond: 0 };
  const ollama = await startOllama({ ...pace, models: MODELS, apiKey: KEYS.ollama, ...forOllama });
  const gemini = forGemini && (await startGemini({ ...pace, apiKey: KEYS.gemini, ...forGemini }));
  const openai = forOpenAI && (await startOpenAI({ ...pace, apiKey: KEYS.openai, flavour: forGateway ? "openai" : "generic", ...forOpenAI }));
  const upstreams = { "custom-ollama": ollama.url, ...(gemini && { "google-ai-studio": gemini.url }), ...(openai && { openai: openai.url }) };
  const gateway = forGateway && (await startGateway({ token: KEYS.gateway, upstreams, neverInMetadata: owners, ...forGateway }));
  const vars = {
    // The Worker goes through the gateway to the vendors' own addresses only.
    OLLAMA_BASE_URL: gateway ? "https://ollama.com" : ollama.url,
    OLLAMA_API_KEY: KEYS.ollama,
    ...(gemini && { ...(!gateway && { GEMINI_BASE_URL: gemini.url }), GEMINI_API_KEY: KEYS.gemini }),
    ...(openai && { ...(!gateway && { OPENAI_BASE_URL: `${openai.url}/v1` }), OPENAI_API_KEY: KEYS.openai }),
    ...(gateway && { AI_GATEWAY_BASE_URL: gateway.base(), AI_GATEWAY_TOKEN: KEYS.gateway }),
  };
  const models = Object.fromEntries(Object.entries({ ollama, gemini, openai, gateway }).filter(([, model]) => model));
  const close = () => Promise.all(Object.values(models).map((model) => model.close()));
  return { models, vars, close };
}

/**
 * @param {{vars?: object, owners?: number[], bots?: string[], users?: object[], groups?: object[], ollama?: object,
 *   gemini?: true|object, openai?: true|object, gateway?: true|object, relay?: boolean, topics?: boolean,
 *   access?: true|object, probe?: boolean}} [options]
 */
export async function startWorld({ vars = {}, owners = OWNERS, bots = ["main"], users, groups, ollama = {}, gemini, openai, gateway, relay, topics, access, probe } = {}) {
  const persistTo = mkdtempSync(join(tmpdir(), "tideclaw-e2e-"));
  const made = bots.map((id) => ({ id, token: TOKENS[id], secret: SECRETS[id], username: `tide_${id}_bot`, name: `Tide ${id}`, topics }));
  users ??= owners.map((id) => ({ id, first_name: `Owner ${id}`, language_code: "en" }));
  const telegram = await startTelegram({ bots: made, users, groups, webhook: { retryScale: 0.1 } });
  const { models, vars: modelVars, close: closeModels } = await startModels({ ollama, gemini, openai, gateway, owners });
  const { issuer, vars: accessVars, close: closeAccess } = await startAccess(access);
  const secrets = bots.flatMap((id) => {
    const suffix = id === "main" ? "" : `_${id.toUpperCase()}`;
    return [[`TELEGRAM_BOT_TOKEN${suffix}`, TOKENS[id]], [`TELEGRAM_WEBHOOK_SECRET${suffix}`, SECRETS[id]]];
  });
  const all = {
    TELEGRAM_API_BASE: telegram.url,
    ...modelVars,
    ...accessVars,
    DEFAULT_MODEL: "ollama/plain:1b",
    OWNER_TELEGRAM_IDS: owners.join(),
    ...Object.fromEntries(secrets),
    ...(relay && { RELAY_TOKEN }),
    ...vars,
  };
  let worker;
  try {
    worker = await startWorker({ vars: all, persistTo, probe });
    // The first request compiles the Worker, which takes long on a busy machine: nobody's patience is for that.
    await (await fetch(`${worker.url}/healthz`)).text();
  } catch (error) {
    await Promise.all([worker?.close(), telegram.close(), closeModels(), closeAccess()]);
    throw error;
  }
  for (const bot of bots) telegram.setBot({ bot, webhookUrl: `${worker.url}/telegram/${bot}` });
  const world = {
    telegram,
    ...models,
    worker,
    persistTo,
    ...(issuer && { issuer, admin: makeAdmin({ issuer, url: () => worker.url }) }),
    /** Requests to a model (`of` which stand-in) whose last user message has `text` in it. */
    asked: (text, of = "ollama") => models[of].requests().filter((request) => request.lastUser?.includes(text)),
    person: (id, bot = "main") => person(world, id, bot),
    group: (id) => place(world, id, "main"),
    objects: (kind) => objectsIn(persistTo, kind),
    /** Log lines with `text` in them. */
    logged: (text) => worker.logs.filter(({ message }) => message.includes(text)),
    async close() {
      await worker.close();
      await Promise.all([telegram.close(), closeModels(), closeAccess()]);
      rmSync(persistTo, { recursive: true, force: true });
    },
  };
  return world;
}

/** A chat as a test sees it: what the bot wrote there, and waiting for it. */
function place(world, chat, bot) {
  const { telegram } = world;
  const view = () => telegram.chat({ chat, bot });
  const replies = (topic) => view().messages.filter((m) => m.from.is_bot && (topic === undefined || m.message_thread_id === topic));
  const fits = (wanted) => (typeof wanted === "string" ? (m) => m.text?.includes(wanted) : wanted instanceof RegExp ? (m) => wanted.test(m.text) : wanted);
  return {
    id: chat,
    view,
    replies,
    texts: () => replies().map((m) => m.text),
    calls: (method) => telegram.calls({ method, chat }).filter((call) => call.bot === bot),
    /** The newest message of the bot that fits (a part of its text, or a predicate), once there is one. */
    until: (wanted, timeoutMs = SOON_MS) =>
      telegram.waitFor(() => replies().findLast(fits(wanted)), timeoutMs).catch((error) => {
        throw new Error(`${error.message}; wanted ${wanted}; have ${JSON.stringify(view().messages.map((m) => m.text))}`);
      }),
    drafts: () => view().drafts,
  };
}

async function pressed({ telegram }, where, button) {
  const { callback_query_id } = telegram.press({ ...where, ...(typeof button === "string" ? { text: button } : button) });
  const { answer } = await telegram.waitFor(() => [telegram.callback({ callback_query_id })].find((press) => press?.answer), SOON_MS);
  return answer.text;
}

/** A person in a private chat with the bot. `of` says which stand-in is told how to behave. */
function person(world, id, bot) {
  const { telegram } = world;
  const chat = place(world, id, bot);
  const send = (spec) => telegram.send({ bot, from: id, ...(typeof spec === "string" ? { text: spec } : spec) });
  return {
    ...chat,
    send,
    /** Says `text`, for which the model is told how to behave. */
    ask(text, behaviour = {}, of = "ollama") {
      world[of].script({ match: text, ...behaviour });
      return send(text);
    },
    /** Asks, and resolves with the message that has the whole `answer`. */
    async talk(text, answer = `Answer to ${text}`, of = "ollama") {
      world[of].script({ match: text, answer });
      send(text);
      return chat.until(answer);
    },
    /** Presses the button with this text, or `{ data }`; resolves with the toast. */
    press: (message, button) => pressed(world, { bot, from: id, chat: id, message_id: message.message_id }, button),
    /** Resolves when all that was queued for this chat before has been sent. */
    async settled() {
      const { message } = send("/whoami");
      const fits = (m) => m.message_id > message.message_id && /(Your|Ваш) id: /.test(m.text);
      await telegram.waitFor(() => chat.replies().some(fits), SOON_MS);
    },
  };
}
