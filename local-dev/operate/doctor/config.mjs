// Without any address: what wrangler.toml says and what is set at Cloudflare, through wrangler. Nothing is changed.

import { Failure } from "../../setup/process.mjs";

const REQUIRED = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];
const MODELS = ["OLLAMA_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY", "OLLAMA_BASE_URL", "OPENAI_BASE_URL", "AI_GATEWAY_BASE_URL", "RELAY_TOKEN"];
/** What the Worker cannot do without (DESIGN §4), as it stands in the file. */
const NEEDED = [
  ["CHAT", /^name = "CHAT"$/m],
  ["DIRECTORY", /^name = "DIRECTORY"$/m],
  ["RELAY", /^name = "RELAY"$/m],
  ["WEBHOOK_LIMIT", /^name = "WEBHOOK_LIMIT"$/m],
  ["crons", /^crons = \["\*\/5 \* \* \* \*"\]$/m],
  ["preview_urls = false", /^preview_urls = false$/m],
  ["keep_vars = true", /^keep_vars = true$/m],
];

/** Findings about the configuration `{ text, name }`. */
export async function lookAtConfiguration({ wrangler, config, words, accountId }) {
  const findings = [];
  const add = (id, severity, name, values) => findings.push({ id, group: "configuration", severity, ...words(name, values) });
  const either = (id, isGood, good, severity, bad, values) => (isGood ? add(id, "ok", good, values) : add(id, severity, bad, values));

  const missing = NEEDED.filter(([, pattern]) => !pattern.test(config.text)).map(([name]) => name);
  either("toml", missing.length === 0, "tomlFine", "error", "tomlMissing", { names: missing.join(", ") });
  const [, vars = ""] = /^\[vars\]\n((?:(?!\[).*\n?)*)/m.exec(config.text) ?? [];
  const own = [...vars.matchAll(/^([A-Z][A-Z0-9_]*)\s*=/gm)].map(([, name]) => name);
  if (own.length > 0) add("toml_vars", "info", "tomlVars", { names: own.join(", ") });

  try {
    const user = await wrangler.whoami();
    if (!user) return add("login", "error", "loggedOut"), findings;
    const account = user.accounts?.find(({ id }) => id === accountId) ?? user.accounts?.[0];
    if (account) wrangler.useAccount(account.id);
    add("login", "ok", "loggedIn", { name: account?.name ?? user.email });
    const secrets = await wrangler.secrets();
    if (!secrets) return add("deployed", "error", "notDeployed", { name: config.name }), findings;
    const deployed = await wrangler.deployed();
    const has = (name) => secrets.includes(name) || Boolean(deployed?.vars[name]) || own.includes(name);
    const unset = REQUIRED.filter((name) => !has(name));
    either("secrets", unset.length === 0, "secretsSet", "error", "secretsMissing", { names: unset.join(", ") });
    either("models", MODELS.some(has), "modelSet", "error", "modelMissing");
    either("owner", has("OWNER_TELEGRAM_IDS") || has("CLAIM_CODE"), "ownerSet", "error", "ownerMissing");
    either("access", has("CF_ACCESS_TEAM_DOMAIN") && has("CF_ACCESS_AUD"), "accessSet", "warning", "accessMissing");
    either("debug_token", !has("DEBUG_TOKEN"), "debugUnset", "warning", "debugSet");
    either("relay", has("RELAY_TOKEN"), "relayTokenSet", "ok", "relayTokenUnset");
    either("bucket", deployed?.bucket, "bucketBound", "warning", "bucketUnbound");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    add("login", "error", "wranglerFailed", { reason: error.message.split("\n")[0] });
  }
  return findings;
}
