// `npm run setup -- --dry-run`: the commands a run on an empty account would give, secrets masked. Calls nothing, asks nothing.

import { expected } from "../telegram.mjs";
import { botName, isSecret } from "../values.mjs";

const HIDDEN = "••••••";
const quote = (text) => (/^[\w./:=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** The commands as lines. `given` has the values that are known. */
export function dryRun(given, { bot, name, relay }) {
  const own = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"].map((base) => botName(base, bot));
  const secrets = [...own, ...(bot !== "main" || given.OWNER_TELEGRAM_IDS ? [] : ["CLAIM_CODE"]), ...(relay ? ["RELAY_TOKEN"] : []), ...Object.keys(given).filter(isSecret)];
  const masked = Object.fromEntries([...new Set(secrets)].map((secret) => [secret, HIDDEN]));
  const vars = Object.entries(given).filter(([key]) => !isSecret(key)).flatMap(([key, value]) => ["--var", quote(`${key}:${value}`)]);
  const base = given.TELEGRAM_API_BASE ?? "https://api.telegram.org";
  const call = (method, params) => `curl -sS ${base}/bot${HIDDEN}/${method}${params ? ` -H 'content-type: application/json' -d ${quote(JSON.stringify(params))}` : ""}`;
  const webhook = { url: `https://${name}.<subdomain>.workers.dev/telegram/${bot}`, secret_token: HIDDEN, allowed_updates: expected.allowed_updates, max_connections: expected.max_connections };
  return [
    "npx wrangler whoami --json",
    "npx wrangler secret list",
    "npx wrangler deployments status --json",
    "npx wrangler r2 bucket list",
    call("getMe"),
    "npm run build",
    `echo ${quote(JSON.stringify(masked))} | npx wrangler secret bulk`,
    ["npx wrangler deploy --tag <build>", ...vars].join(" "),
    `curl -sS https://${name}.<subdomain>.workers.dev/healthz`,
    call("setWebhook", webhook),
    ...Object.entries(expected.commands).map(([language, commands]) => call("setMyCommands", { commands, ...(language && { language_code: language }) })),
    call("getWebhookInfo"),
  ];
}
