// The wizard's steps, in order. Each looks first and acts only if something differs, so that a run may end anywhere and the
// next one goes on. Not here: questions (questions.mjs), what a value is (../values.mjs).
//
// Order: everything that can fail without a trace (login, token, build) comes before the first secret is put; secrets before
// the deployment, which refuses to go without the required ones; the webhook last, when there is somebody to answer it.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../setup/process.mjs";
import { webhookFaults } from "../telegram.mjs";
import { botName, isSecret, newClaimCode, newSecret } from "../values.mjs";
import { askBot, askDeployment, checkGiven, confirm } from "./questions.mjs";

/** A new address may take a while until the world knows it. */
const HEALTHY_MS = 90_000;
const PAUSE_MS = 2_000;
const PROBE_MS = 15_000;

/** The Cloudflare account to use: the one there is, the one named, or the one chosen. */
async function chooseAccount(context, { quiet, env }) {
  const { wrangler, say, words, terminal } = context;
  const user = await wrangler.whoami();
  if (!user) throw new Failure(words("notLoggedIn"));
  const accounts = user.accounts ?? [];
  if (accounts.length === 0) throw new Failure(words("noAccount"));
  const named = env.CLOUDFLARE_ACCOUNT_ID;
  let account = accounts.length === 1 ? accounts[0] : accounts.find(({ id }) => id === named);
  const list = accounts.map(({ id, name }, i) => `  ${i + 1}  ${name}  ${id}`).join("\n");
  if (!account && quiet) throw new Failure(words("accountNeeded", { list }));
  if (!account) say("accounts");
  if (!account) terminal.say(list);
  while (!account) account = accounts[Number(await terminal.ask(words("whichAccount"))) - 1];
  wrangler.useAccount(account.id);
  say("account", { name: account.name });
}

/** The bucket of the binding FILES: what wrangler will do about it, and the configuration that makes it use one that is there. */
async function lookAtBucket(context, deployed) {
  const { wrangler, say, words, config } = context;
  if (deployed?.bucket || !/^\[\[r2_buckets\]\]/m.test(config.text) || /^bucket_name\s*=/m.test(config.text)) return undefined;
  // The name wrangler makes of Worker and binding when it creates one by itself; it fails if that name is taken.
  const name = `${config.name}-files`;
  try {
    const there = (await wrangler.buckets()).includes(name);
    say(there ? "bucketThere" : "bucketNew", { name });
    return there ? name : undefined;
  } catch (error) {
    if (/\[code: 10042\]|enable R2/i.test(error.output ?? "")) throw new Failure(words("r2Off"));
    throw error;
  }
}

/** What goes up as secrets and what as variables, given what is there. */
function sort(given, { secrets, vars, replaced }) {
  const put = {};
  const change = {};
  for (const [name, value] of Object.entries(given)) {
    // A name has one binding: what was once put as a secret stays one.
    if (isSecret(name) || secrets.includes(name)) {
      if (!secrets.includes(name) || replaced.has(name)) put[name] = value;
    } else if (vars[name] !== value) change[name] = value;
  }
  return { put, change };
}

/** Which of the secrets that were given and are there already are to be replaced. */
async function chooseReplaced(context, fromOutside, secrets, { quiet, replace, bot }) {
  const again = fromOutside.filter((name) => secrets.includes(name) && isSecret(name));
  if (replace) return new Set(again);
  // The token is needed in each run to speak with Telegram; giving it does not mean another one.
  const other = again.filter((name) => name !== botName("TELEGRAM_BOT_TOKEN", bot));
  if (quiet && other.length > 0) context.say("kept", { names: other.join(", ") });
  const chosen = new Set();
  if (!quiet) for (const name of other) if (await confirm(context, context.words("replace", { name }), false)) chosen.add(name);
  return chosen;
}

async function deploy(context, change, tag, bucket) {
  const { wrangler, root, config } = context;
  const args = ["--tag", tag, ...Object.entries(change).flatMap(([name, value]) => ["--var", `${name}:${value}`])];
  if (!bucket) return wrangler.deploy(args);
  // Only for this one time: from then on the binding is inherited from version to version.
  const file = join(root, ".setup.wrangler.toml");
  const remove = () => rmSync(file, { force: true });
  process.once("exit", remove);
  writeFileSync(file, config.text.replace(/^binding = "FILES"$/m, `binding = "FILES"\nbucket_name = ${JSON.stringify(bucket)}`));
  try {
    return await wrangler.deploy(["--config", file, ...args]);
  } finally {
    remove();
    process.off("exit", remove);
  }
}

/** Waits until `url` answers as this Worker; then makes sure that nothing stands before the webhook. */
async function lookAtWorker({ say, words, healthyMs = HEALTHY_MS }, url, bot) {
  const limit = Date.now() + healthyMs;
  for (let reason = ""; ; await sleep(PAUSE_MS)) {
    try {
      const response = await fetch(`${url}/healthz`, { redirect: "manual", signal: AbortSignal.timeout(PROBE_MS) });
      const body = await response.json().catch(() => undefined);
      if (response.status === 200 && body?.status === "ok") {
        say("healthy", { version: body.version });
        break;
      }
      reason = `HTTP ${response.status}`;
    } catch (error) {
      reason = error.cause?.code ?? error.name;
    }
    if (Date.now() > limit) throw new Failure(words("unhealthy", { url, reason }));
  }
  const hook = `${url}/telegram/${bot}`;
  const response = await fetch(hook, { method: "POST", body: "{}", redirect: "manual", signal: AbortSignal.timeout(PROBE_MS) });
  await response.body?.cancel();
  if ([302, 303, 307, 403].includes(response.status)) throw new Failure(words("accessBlocks", { status: response.status, url: hook }));
}

/** Points the bot at the Worker. `secret`: the webhook secret if this run put one. Returns whether anything changed. */
async function connect(context, { telegram, bot, url, secret }) {
  const { say, words, wrangler, hide } = context;
  const hook = `${url}/telegram/${bot}`;
  let changed = false;
  const before = await telegram.webhook();
  if (secret === undefined && webhookFaults(before, hook).length === 0) say("webhookSame", { url: hook });
  else {
    // Only when the deployment turned out to be at another address than the one the bot knew.
    if (secret === undefined) {
      hide((secret = newSecret()));
      await wrangler.putSecrets({ [botName("TELEGRAM_WEBHOOK_SECRET", bot)]: secret });
    }
    try {
      await telegram.setWebhook(hook, secret);
    } catch (error) {
      throw new Failure(words("webhookRefused", { reason: error.message }));
    }
    changed = true;
    const faults = webhookFaults(await telegram.webhook(), hook).filter((fault) => fault !== "refused");
    if (faults.length > 0) throw new Failure(words("webhookWrong", { faults: faults.join(", ") }));
    say("webhookSet", { url: hook });
  }
  if (before.pending_update_count > 0) say("pending", { count: before.pending_update_count });
  if (before.last_error_message) say("lastError", { text: before.last_error_message });
  const menus = await telegram.setCommands();
  say(menus > 0 ? "commandsSet" : "commandsSame");
  return changed || menus > 0;
}

/**
 * Runs the wizard.
 *
 * - `options`: `{ quiet, bot, url, replace, metrics, relay, newClaim, env }`.
 * - `given`: values from the environment and the file, by name. Answers are added to it.
 * - `context`: `{ terminal, wrangler, words, say, hide, openTelegram, build, config, records, root }`; `records` remembers
 *   the address between runs.
 */
export async function runSetup(context, given, options) {
  const { wrangler, say, words, hide, terminal } = context;
  const { quiet, bot } = options;
  checkGiven(context, given);
  const fromOutside = Object.keys(given);
  await chooseAccount(context, options);
  const secrets = (await wrangler.secrets()) ?? [];
  const deployed = await wrangler.deployed();
  const vars = deployed?.vars ?? {};
  context.fresh = !deployed?.tag;
  say(secrets.length > 0 ? "known" : "fresh", { names: secrets.join(", ") });
  if (bot !== "main" && !secrets.includes("TELEGRAM_BOT_TOKEN")) throw new Failure(words("noWorker"));
  const bucket = await lookAtBucket(context, deployed);
  const replaced = await chooseReplaced(context, fromOutside, secrets, options);

  const set = (name) => secrets.includes(name) || name in vars;
  const link = await askBot(context, given, set, options);
  const secretName = botName("TELEGRAM_WEBHOOK_SECRET", bot);
  const path = `/telegram/${bot}`;
  const hook = await link?.telegram.webhook();
  // The address of the Worker, if it is not deployed now: said, or found in the bot's own webhook.
  let url = options.url ?? (hook?.url.endsWith(path) ? hook.url.slice(0, -path.length) : context.records.read()?.url);
  const connectedWell = !link || (url && webhookFaults(hook, url + path).length === 0);
  if (!set(secretName) || !connectedWell) {
    // The stored one cannot be read back, and setWebhook needs it: one that is known goes to both sides.
    given[secretName] ??= newSecret();
    replaced.add(secretName);
  }
  if (link && options.replace) replaced.add(botName("TELEGRAM_BOT_TOKEN", bot));
  if (bot === "main") {
    await askDeployment(context, given, set, options);
    if (options.newClaim) replaced.add("CLAIM_CODE");
    if (context.relayToken) replaced.add("RELAY_TOKEN");
    // An earlier run ended before the bot was connected: nobody can have used its code, and nobody has seen it.
    if (link && !hook.url.endsWith(path) && secrets.includes("CLAIM_CODE") && !given.CLAIM_CODE && !set("OWNER_TELEGRAM_IDS")) {
      given.CLAIM_CODE = newClaimCode();
      replaced.add("CLAIM_CODE");
    }
  }
  for (const [name, value] of Object.entries(given)) if (isSecret(name)) hide(value);

  const { put, change } = sort(given, { secrets, vars, replaced });
  say("building");
  const tag = await context.build();
  const due = !deployed || deployed.tag !== tag || Object.keys(change).length > 0 || !url;
  const changesAnything = Object.keys(put).length > 0 || due;
  if (changesAnything && !quiet) {
    say("plan");
    if (Object.keys(put).length > 0) say("planSecrets", { names: Object.keys(put).join(", ") });
    if (due) say("planDeploy", { with: Object.keys(change).length > 0 ? words("planWith", { names: Object.keys(change).join(", ") }) : "" });
    if (link) say("planWebhook", { bot });
    if (!(await confirm(context, words("go"), true))) return say("stopped");
  }

  if (Object.keys(put).length > 0) {
    await wrangler.putSecrets(put);
    say("secretsPut", { names: Object.keys(put).join(", ") });
  } else say("secretsSame");
  if (due) {
    say("deploying");
    const found = await deploy(context, change, tag, bucket);
    url = options.url ?? found[0] ?? url;
    if (!url) throw new Failure(words("noUrl"));
    say("deployed", { url });
  } else say("deploySame", { url });
  context.records.write({ url });
  await lookAtWorker(context, url, bot);

  let connected = false;
  if (link) connected = await connect(context, { ...link, bot, url, secret: put[secretName] });
  else say("unchecked", { bot });

  say(changesAnything || connected ? "done" : "nothing");
  farewell(context, { given, put, link, url, bot, set });
}

/** What the person does next. */
function farewell({ terminal, words, say, shownOnce, relayToken }, { given, put, link, url, bot, set }) {
  terminal.say();
  const username = link?.me.username;
  if (put.CLAIM_CODE && username) terminal.say(words("claim", { username, code: put.CLAIM_CODE }), { raw: true });
  else if (bot !== "main" && username) say("startBot", { username });
  else if ((given.OWNER_TELEGRAM_IDS || set("OWNER_TELEGRAM_IDS")) && username) say("owners", { username });
  else if (set("CLAIM_CODE")) say("claimUnknown");
  if (shownOnce) terminal.say(words("metrics", { token: shownOnce }), { raw: true });
  if (relayToken) terminal.say(words("relayToken", { token: relayToken, url: url.replace(/^http/, "ws") }), { raw: true });
  if (given.CF_ACCESS_TEAM_DOMAIN || set("CF_ACCESS_TEAM_DOMAIN")) say("admin", { url });
  else say("adminLater", { url });
  say("doctorNext", { url });
}

/** The name and the text of wrangler.toml. */
export function readConfig(root) {
  const text = readFileSync(join(root, "wrangler.toml"), "utf8");
  return { text, name: /^name\s*=\s*"([^"]+)"/m.exec(text)?.[1] ?? "tideclaw" };
}
