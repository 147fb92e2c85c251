// The names a deployment knows: which are secrets, which plain variables, and what a value of each must look like.
// Meanings: README, "Settings".

import { randomBytes, randomInt } from "node:crypto";

/** Variables of one bot; further bots have `_<ID>` after them. */
export const BOT_NAMES = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];

const SECRETS = [
  "CLAIM_CODE",
  "OLLAMA_API_KEY",
  "GEMINI_API_KEY",
  "OPENAI_API_KEY",
  "AI_GATEWAY_TOKEN",
  "TRANSCRIBE_API_KEY",
  "METRICS_TOKEN",
  "GATEWAY_TOKEN",
  "RELAY_TOKEN",
];
const PLAIN = [
  "TELEGRAM_API_BASE",
  "OWNER_TELEGRAM_IDS",
  "DEFAULT_MODEL",
  "FALLBACK_MODELS",
  "OLLAMA_BASE_URL",
  "GEMINI_BASE_URL",
  "OPENAI_BASE_URL",
  "AI_GATEWAY_BASE_URL",
  "TRANSCRIBE_MODEL",
  "TRANSCRIBE_BASE_URL",
  "MODEL_CATALOGUE",
  "MODEL_DEADLINES",
  "STREAM_MODE",
  "DAILY_BUDGET_USD",
  "MONTHLY_BUDGET_USD",
  "PERSON_DAILY_BUDGET_USD",
  "CF_ACCESS_TEAM_DOMAIN",
  "CF_ACCESS_AUD",
  "CF_ACCESS_CERTS_URL",
  "CF_ACCESS_SERVICE_TOKENS",
];

const ofBot = (name) => BOT_NAMES.some((base) => name === base || name.startsWith(`${base}_`));

/** Whether set-up takes it at all. `DEBUG_TOKEN` is not: it has no place in a deployment. */
export const isKnown = (name) => SECRETS.includes(name) || PLAIN.includes(name) || ofBot(name);

/** Whether a value under this name must not be seen. Also of names we do not know. */
export const isSecret = (name) => SECRETS.includes(name) || ofBot(name) || /(?:_TOKEN|_KEY|_SECRET)(?:_[A-Z0-9_]+)?$/.test(name);

/** The variable of bot `bot`. */
export const botName = (base, bot) => (bot === "main" ? base : `${base}_${bot.toUpperCase()}`);

/** As the Worker reads ids of bots (src/edge/bots.rs). */
export const isBotId = (bot) => /^[a-z0-9_]{1,32}$/.test(bot);

const MODEL = /^(?:ollama|gemini|openai|relay(?::[a-z0-9-]{1,32})?)\/\S+$/;
const url = (text) => {
  try {
    const { protocol, search, username } = new URL(text);
    return /^https?:$/.test(protocol) && !search && !username;
  } catch {
    return false;
  }
};
const FORMS = {
  TELEGRAM_BOT_TOKEN: (text) => /^\d{3,20}:[A-Za-z0-9_-]{10,100}$/.test(text),
  TELEGRAM_WEBHOOK_SECRET: (text) => /^[A-Za-z0-9_-]{16,256}$/.test(text),
  CLAIM_CODE: (text) => /^[A-Za-z0-9_-]{8,64}$/.test(text),
  OWNER_TELEGRAM_IDS: (text) => /^\s*\d{1,20}(?:\s*,\s*\d{1,20})*\s*$/.test(text),
  DEFAULT_MODEL: (text) => MODEL.test(text),
  FALLBACK_MODELS: (text) => text.split(",").every((name) => MODEL.test(name.trim())),
  DAILY_BUDGET_USD: (text) => /^\d{1,6}(?:\.\d+)?$/.test(text),
  MONTHLY_BUDGET_USD: (text) => /^\d{1,6}(?:\.\d+)?$/.test(text),
  PERSON_DAILY_BUDGET_USD: (text) => /^\d{1,6}(?:\.\d+)?$/.test(text),
  CF_ACCESS_TEAM_DOMAIN: (text) => /^[a-z0-9][a-z0-9-]*\.cloudflareaccess\.com$/.test(text),
  CF_ACCESS_AUD: (text) => /^[0-9a-f]{64}$/.test(text),
  METRICS_TOKEN: (text) => /^\S{16,}$/.test(text),
  // The relay reads it from a line of a file; shorter ones can be guessed.
  RELAY_TOKEN: (text) => /^[!-~]{24,}$/.test(text),
};

/** Whether `text` can be a value of `name`. */
export function fits(name, text) {
  const base = BOT_NAMES.find((base) => name === base || name.startsWith(`${base}_`)) ?? name;
  if (!text || /[\r\n]/.test(text)) return false;
  if (FORMS[base]) return FORMS[base](text);
  return /_(?:BASE|BASE_URL|CERTS_URL)$/.test(base) ? url(text) : true;
}

/** The spelling the Worker wants: a team is named by its host. */
export function tidy(name, text) {
  const value = text.trim();
  if (name !== "CF_ACCESS_TEAM_DOMAIN") return value;
  const host = value.replace(/^https?:\/\//i, "").replace(/\/.*$/, "").toLowerCase();
  return host.includes(".") ? host : `${host}.cloudflareaccess.com`;
}

/** An address that only this machine can reach: of no use to a Worker at Cloudflare. */
export function isLocalAddress(text) {
  return url(text) && /^(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|\[::1\]|.*\.local$)/.test(new URL(text).hostname);
}

/** A secret nobody chooses. */
export const newSecret = () => randomBytes(32).toString("hex");

const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CLAIM_LENGTH = 16;

/** A claim code: 80 bits, fit for a link and for typing. */
export const newClaimCode = () => Array.from({ length: CLAIM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");

/** A function that replaces every one of `values` in a text. Short ones stay: they would tear other words apart. */
export function masker(values) {
  return (text) => {
    let masked = text;
    for (const value of values()) if (value && value.length >= 6) masked = masked.replaceAll(value, "••••••");
    return masked;
  };
}
