// `npm run check:gateway`: asks AI Gateway for each provider's list of models, as the Worker would, and says for each
// what works, or what is wrong and the step that mends it. Asks no model anything, so it costs nothing.
//
//   AI_GATEWAY_BASE_URL, AI_GATEWAY_TOKEN, OLLAMA_API_KEY, GEMINI_API_KEY, OPENAI_API_KEY from the environment or .dev.vars
//
// Exit code 1 if anything that is configured does not work. Prints no secret. Rules: Cloudflare's pages on provider
// endpoints, authentication and custom providers of AI Gateway.

import { pathToFileURL } from "node:url";
import { readUserVars } from "./worker/vars.mjs";

const DEADLINE_MS = 10_000;
/** Enough of an error to tell what it is. */
const MAX_BODY = 64 * 1024;
const API = "https://api.cloudflare.com/client/v4/accounts";
/** What the Worker sends beside the keys. */
const HEADERS = {
  "cf-aig-no-wholesale": "true",
  "cf-aig-skip-cache": "true",
  "cf-aig-max-attempts": "1",
  "cf-aig-collect-log-payload": "false",
  "cf-aig-metadata": '{"check":true}',
};
const CHECKS = [
  { name: "Ollama Cloud", path: "custom-ollama/api/tags", key: "OLLAMA_API_KEY", custom: true, headers: (key) => ({ authorization: `Bearer ${key}` }), list: (body) => body.models, keys: "https://ollama.com/settings/keys" },
  { name: "Gemini", path: "google-ai-studio/v1beta/models", key: "GEMINI_API_KEY", headers: (key) => ({ "x-goog-api-key": key }), list: (body) => body.models, keys: "https://aistudio.google.com/apikey" },
  { name: "OpenAI", path: "openai/models", key: "OPENAI_API_KEY", headers: (key) => ({ authorization: `Bearer ${key}` }), list: (body) => body.data, keys: "https://platform.openai.com/api-keys" },
];

/** The parts of the base URL, or what is wrong with it. */
function readBase(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return { wrong: "AI_GATEWAY_BASE_URL is not a URL." };
  }
  const [, account, gateway] = /^\/v1\/([^/]+)\/([^/]+)\/?$/.exec(url.pathname) ?? [];
  if (!account) return { wrong: "AI_GATEWAY_BASE_URL must be https://gateway.ai.cloudflare.com/v1/<account>/<gateway>, with nothing after it." };
  if (url.search || url.username) return { wrong: "AI_GATEWAY_BASE_URL must hold neither a key nor a query." };
  return { base: text.replace(/\/$/, ""), account, gateway };
}

const customProvider = (account) => [
  "The custom provider does not exist, or is not enabled. Make it with a token that has the right \"AI Gateway: Edit\":",
  `  curl -X POST ${API}/${account}/ai-gateway/custom-providers \\`,
  '    -H "Authorization: Bearer $CLOUDFLARE_API_TOKEN" -H "Content-Type: application/json" \\',
  `    -d '{"name":"Ollama Cloud","slug":"ollama","base_url":"https://ollama.com","enable":true}'`,
  `Or in the dashboard: AI > AI Gateway > Custom Providers > Add, slug "ollama", base URL https://ollama.com, enabled.`,
];
const gatewayToken = (given) => [
  given ? "The gateway refuses AI_GATEWAY_TOKEN." : "The gateway asks for a token, and AI_GATEWAY_TOKEN is not set.",
  'Make one in the dashboard: My Profile > API Tokens > Create Token > Custom, with the right "Account: AI Gateway: Run" for this account.',
  "Then put it into AI_GATEWAY_TOKEN (deployed: npx wrangler secret put AI_GATEWAY_TOKEN).",
];

/** Codes of the gateway's own errors, wherever in the body they are; an empty list when the provider itself answered. */
function gatewayCodes(body) {
  if (body === null || typeof body !== "object") return [];
  const entries = [body.error, body.errors].flat().filter((entry) => entry && typeof entry === "object");
  const own = body.success === false || body.name === "AiGatewayError";
  return own ? [body.internalCode, ...entries.map((entry) => entry.code)].filter((code) => code !== undefined) : [];
}

/** What is wrong and the step that mends it, as lines. */
function diagnose({ status, body, text }, check, { account, gateway, token }) {
  const codes = gatewayCodes(body);
  const own = codes.length > 0;
  if (codes.includes(2009) || (own && status === 401)) return gatewayToken(token);
  if (codes.includes(2001)) return [`There is no gateway "${gateway}" in this account. Make it in the dashboard (AI > AI Gateway > Create gateway), or mend AI_GATEWAY_BASE_URL.`];
  if (check.custom && (codes.includes(2008) || (own && [400, 404].includes(status) && !/credential|byok/i.test(text)))) return customProvider(account);
  if (own && /credential|byok/i.test(text)) return [`The gateway found no key for ${check.name} in the request: look whether ${check.key} is blank.`];
  if (status === 429) return [own ? "The gateway's own rate limit is reached. Raise it in its settings, or wait." : `${check.name} says that its limit is reached. The way through the gateway works.`];
  // Google answers 400 to a wrong key.
  if ([401, 403].includes(status) || /API_KEY_INVALID|API key not valid/.test(text)) return [`The gateway works, but ${check.name} refuses ${check.key}. Make a new key at ${check.keys}.`];
  if (status >= 500) return [`${own ? "The gateway" : `The gateway or ${check.name}`} answers ${status}. Try again later; https://www.cloudflarestatus.com.`];
  if (check.custom && status === 404) return ['The custom provider\'s base_url is probably not https://ollama.com: it must have nothing after the domain. Mend it in the dashboard: AI > AI Gateway > Custom Providers.'];
  return [`Unexpected answer: HTTP ${status}${own ? `, gateway code ${codes.join(", ")}` : ""}.`];
}

async function readSome(response) {
  const chunks = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    chunks.push(chunk);
    // A long list of models that is cut is still a list.
    if (size > MAX_BODY) break;
  }
  return { text: Buffer.concat(chunks).toString("utf8"), whole: size <= MAX_BODY };
}

async function ask(check, where, key, deadlineMs) {
  let status, text, whole;
  try {
    const headers = { ...HEADERS, ...(where.token && { "cf-aig-authorization": `Bearer ${where.token}` }), ...check.headers(key) };
    const response = await fetch(`${where.base}/${check.path}`, { headers, redirect: "manual", signal: AbortSignal.timeout(deadlineMs) });
    status = response.status;
    ({ text, whole } = await readSome(response));
  } catch (error) {
    const reason = error.name === "TimeoutError" ? `no answer within ${deadlineMs / 1000} s` : (error.cause?.code ?? error.cause?.message ?? error.name);
    return { ok: false, lines: [`The gateway cannot be reached: ${reason}. Look at AI_GATEWAY_BASE_URL and at this machine's network.`] };
  }
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // HTML of an error page, or a list that was cut.
  }
  const models = status === 200 && body && check.list(body);
  if (Array.isArray(models)) return { ok: true, lines: [`works, ${models.length} models`] };
  if (status === 200 && !whole) return { ok: true, lines: ["works"] };
  return { ok: false, lines: status === 200 ? ["answers 200, but not with a list of models: is AI_GATEWAY_BASE_URL really AI Gateway?"] : diagnose({ status, body, text }, check, where) };
}

/**
 * @param {Record<string, string|undefined>} values  variables
 * @param {{say?: (line: string) => void, deadlineMs?: number}} [options]
 * @returns {Promise<number>} the exit code
 */
export async function checkGateway(values, { say = console.log, deadlineMs = DEADLINE_MS } = {}) {
  if (!values.AI_GATEWAY_BASE_URL) {
    say("AI_GATEWAY_BASE_URL is not set: models are called directly. To use AI Gateway, make a gateway in the dashboard");
    say("(AI > AI Gateway) and set AI_GATEWAY_BASE_URL=https://gateway.ai.cloudflare.com/v1/<account>/<gateway>.");
    return 1;
  }
  const { base, account, gateway, wrong } = readBase(values.AI_GATEWAY_BASE_URL);
  if (wrong) {
    say(wrong);
    return 1;
  }
  const where = { base, account, gateway, token: values.AI_GATEWAY_TOKEN };
  const configured = CHECKS.filter(({ key }) => values[key]);
  const results = await Promise.all(configured.map((check) => ask(check, where, values[check.key], deadlineMs)));
  for (const check of CHECKS) {
    const result = results[configured.indexOf(check)];
    const [first, ...rest] = result?.lines ?? [`not checked, ${check.key} is not set`];
    say(`${result ? (result.ok ? "ok  " : "FAIL") : "--  "} ${check.name.padEnd(13)}${first}`);
    for (const line of rest) say(`${" ".repeat(18)}${line}`);
  }
  if (configured.length === 0) say("Nothing to check: set a provider's key in .dev.vars.");
  say("");
  say('Recommended in the gateway\'s settings: "Require provider credentials", so that a request without a key is never');
  say("billed to Cloudflare credits, and \"Authenticated Gateway\", so that only this token may use it.");
  return configured.length > 0 && results.every(({ ok }) => ok) ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = readUserVars();
  const set = Object.entries(process.env).filter(([name, value]) => value && /^(AI_GATEWAY|OLLAMA|GEMINI|OPENAI)_/.test(name));
  process.exitCode = await checkGateway({ ...values, ...Object.fromEntries(set) });
}
