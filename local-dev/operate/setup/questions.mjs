// What the wizard asks, one question a value that is missing. Not here: what is done with the answers (steps.mjs).
//
// `given` has the values from the environment, the file and earlier answers; `set` says whether the deployment has one already.

import { Failure } from "../../setup/process.mjs";
import { botName, fits, isLocalAddress, newClaimCode, newSecret, tidy } from "../values.mjs";

const PROVIDERS = [
  { name: "OLLAMA_API_KEY", what: "Ollama Cloud", where: "https://ollama.com/settings/keys", model: "ollama/gpt-oss:120b" },
  { name: "GEMINI_API_KEY", what: "Gemini", where: "https://aistudio.google.com/apikey", model: "gemini/gemini-3.8-flash" },
  { name: "OPENAI_API_KEY", what: "OpenAI", where: "https://platform.openai.com/api-keys" },
];
/** Beside a key, an address of one's own server is a provider too, and so is what comes in through a relay. */
const ADDRESSES = ["OLLAMA_BASE_URL", "OPENAI_BASE_URL", "RELAY_TOKEN"];
/** What is proposed where nothing but a relay is there; docs/relay.md pulls it. */
const RELAY_MODEL = "relay/qwen3:8b";
/** The Worker's own defaults: src/edge/config.rs and src/directory. */
export const DEFAULTS = { DEFAULT_MODEL: "ollama/gpt-oss:120b", DAILY_BUDGET_USD: "1", MONTHLY_BUDGET_USD: "10" };

/** A question until its answer fits. Blank is an answer where `optional`. */
async function insist({ terminal, say }, name, question, { optional = false, hidden = false } = {}) {
  for (;;) {
    const text = tidy(name, await terminal.ask(question, { hidden }));
    if (!text && optional) return undefined;
    // A blank team is no team.
    if (name === "CF_ACCESS_TEAM_DOMAIN" && text.startsWith(".")) return undefined;
    if (fits(name, text)) return text;
    say("bad", { name });
  }
}

/** Yes or no; blank is `otherwise`. */
export async function confirm({ terminal, words }, question, otherwise) {
  const text = await terminal.ask(`${question} ${words(otherwise ? "yes" : "no")}`);
  return text ? /^(?:y|д)/i.test(text) : otherwise;
}

/** Refuses what was given and cannot be right; warns of what cannot work. */
export function checkGiven({ say, words }, given) {
  for (const [name, value] of Object.entries(given)) {
    if (!fits(name, value)) throw new Failure(words("badGiven", { name }));
    if (/_(?:BASE|BASE_URL)$/.test(name) && isLocalAddress(value)) say("local", { name });
  }
}

/** Completes `given` for bot `main` and the deployment as a whole, asking unless `quiet`. */
export async function askDeployment(context, given, set, { quiet, metrics, relay, replace, newClaim }) {
  const { terminal, words } = context;
  const has = (name) => name in given || set(name);

  if (newClaim || (!has("OWNER_TELEGRAM_IDS") && !has("CLAIM_CODE"))) {
    const ids = quiet || newClaim ? undefined : await insist(context, "OWNER_TELEGRAM_IDS", words("askOwner"), { optional: true });
    if (ids) given.OWNER_TELEGRAM_IDS = ids;
    else given.CLAIM_CODE = newClaim || !given.CLAIM_CODE ? newClaimCode() : given.CLAIM_CODE;
  }

  const makeRelayToken = () => (given.RELAY_TOKEN = context.relayToken = newSecret());
  const offerRelay = async () => {
    if (!has("RELAY_TOKEN") && (await confirm(context, words("askRelay"), false))) makeRelayToken();
  };
  // A token that is given is somebody's own; one that is set cannot be read back.
  if (relay && !("RELAY_TOKEN" in given) && (!set("RELAY_TOKEN") || replace)) makeRelayToken();
  else if (relay && set("RELAY_TOKEN") && !replace) context.say("relaySet");

  const anyModel = () => [...PROVIDERS.map(({ name }) => name), ...ADDRESSES].some(has);
  if (!anyModel() && !quiet) {
    while (!anyModel()) {
      for (const { name, what, where } of PROVIDERS) {
        const key = await insist(context, name, words("askKey", { what, where, optional: words("optional") }), { optional: true, hidden: true });
        if (key) given[name] = key;
      }
      await offerRelay();
      if (!anyModel()) context.say("noModel", { names: PROVIDERS.map(({ name }) => name).join(", ") });
    }
  } else if (context.fresh && !quiet) await offerRelay();
  if (!anyModel()) throw new Failure(words("noModel", { names: [...PROVIDERS.map(({ name }) => name), ...ADDRESSES].join(", ") }));

  if (!has("DEFAULT_MODEL") && context.fresh) {
    const onlyRelay = [...PROVIDERS.map(({ name }) => name), ...ADDRESSES].every((name) => has(name) === (name === "RELAY_TOKEN"));
    const first = PROVIDERS.find(({ name, model }) => model && has(name))?.model ?? (onlyRelay ? RELAY_MODEL : DEFAULTS.DEFAULT_MODEL);
    const model = quiet ? undefined : await insist(context, "DEFAULT_MODEL", words("askModel", { value: first }), { optional: true });
    if ((model ?? first) !== DEFAULTS.DEFAULT_MODEL) given.DEFAULT_MODEL = model ?? first;
    const others = PROVIDERS.filter(({ name, model }) => model && model !== (given.DEFAULT_MODEL ?? DEFAULTS.DEFAULT_MODEL) && has(name));
    if (!has("FALLBACK_MODELS") && others.length > 0) given.FALLBACK_MODELS = others.map(({ model }) => model).join(",");
  }
  for (const [name, question] of [["DAILY_BUDGET_USD", "askDay"], ["MONTHLY_BUDGET_USD", "askMonth"]]) {
    if (has(name) || quiet || !context.fresh) continue;
    const amount = await insist(context, name, words(question, { value: DEFAULTS[name] }), { optional: true });
    if (amount && amount !== DEFAULTS[name]) given[name] = amount;
  }
  if (!has("CF_ACCESS_TEAM_DOMAIN") && !quiet) {
    context.say("accessWhere");
    const team = await insist(context, "CF_ACCESS_TEAM_DOMAIN", words("askTeam"), { optional: true });
    if (team) given.CF_ACCESS_TEAM_DOMAIN = team;
  }
  if (has("CF_ACCESS_TEAM_DOMAIN") && !has("CF_ACCESS_AUD")) {
    if (quiet) throw new Failure(words("missing", { names: "CF_ACCESS_AUD" }));
    given.CF_ACCESS_AUD = await insist(context, "CF_ACCESS_AUD", words("askAud"));
  }
  if (!has("METRICS_TOKEN")) {
    const wanted = metrics || (!quiet && context.fresh && (await confirm(context, words("askMetrics"), false)));
    if (wanted) given.METRICS_TOKEN = context.shownOnce = newSecret();
  }
}

/** The token of `bot`, checked by Telegram: `{ token, me, telegram }`, or undefined if its side is to be left alone. */
export async function askBot(context, given, set, { bot, quiet }) {
  const { say, words, terminal } = context;
  const name = botName("TELEGRAM_BOT_TOKEN", bot);
  for (let asked = false; ; asked = true) {
    let token = asked ? undefined : given[name];
    if (!token && quiet) {
      if (!asked && set(name)) return undefined;
      throw new Failure(words("missing", { names: name }));
    }
    token ??= await insist(context, name, words(set(name) ? "askTokenAgain" : "askToken", { bot }), { optional: set(name), hidden: true });
    if (!token) return undefined;
    context.hide(token);
    const telegram = context.openTelegram(token, given.TELEGRAM_API_BASE);
    try {
      const me = await telegram.me();
      say("bot", { bot, username: me.username });
      given[name] = token;
      return { token, me, telegram };
    } catch (error) {
      if (![400, 401, 404].includes(error.status)) throw error;
      const text = words("badToken", { reason: error.description });
      if (quiet) throw new Failure(text);
      terminal.say(text);
      delete given[name];
    }
  }
}
