// `npm run setup`: the first deployment, another bot, or a look whether everything is still as it should be.
//
//   npm run setup -- [--yes] [--from FILE] [--bot ID] [--url URL] [--replace] [--metrics] [--relay] [--new-claim-code] [--lang en|ru] [--dry-run]
//
// Values come from the environment, then from the file given with --from (as .dev.vars), then from answers. README, "Deploy",
// has the same steps by hand.

import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { readRecord, writeRecord } from "../setup/cache.mjs";
import { setUpPackages } from "../setup/packages.mjs";
import { root } from "../setup/paths.mjs";
import { Failure, program } from "../setup/process.mjs";
import { buildToDeploy } from "../worker/deployment.mjs";
import { readUserVars } from "../worker/vars.mjs";
import { dryRun } from "./setup/dry-run.mjs";
import { readConfig, runSetup } from "./setup/steps.mjs";
import { words as wordsOf } from "./setup/words.mjs";
import { openTelegram } from "./telegram.mjs";
import { language, openTerminal } from "./terminal.mjs";
import { isBotId, isKnown, isSecret, masker, tidy } from "./values.mjs";
import { openWrangler } from "./wrangler.mjs";

const OPTIONS = {
  yes: { type: "boolean", short: "y", default: false },
  from: { type: "string" },
  bot: { type: "string", default: "main" },
  url: { type: "string" },
  replace: { type: "boolean", default: false },
  metrics: { type: "boolean", default: false },
  relay: { type: "boolean", default: false },
  "new-claim-code": { type: "boolean", default: false },
  lang: { type: "string" },
  "dry-run": { type: "boolean", default: false },
};

function readOptions(argv) {
  try {
    return parseArgs({ args: argv, options: OPTIONS }).values;
  } catch (error) {
    throw new Failure(`${error.message}\nUsage: npm run setup -- ${Object.keys(OPTIONS).map((name) => `[--${name}]`).join(" ")}`);
  }
}

/** Values by name; the environment wins over the file. */
function readGiven(from, env) {
  if (from && !existsSync(from)) throw new Failure(`${from}: no such file.`);
  const all = { ...(from ? readUserVars(from).values : {}), ...Object.fromEntries(Object.entries(env).filter(([, value]) => value)) };
  return Object.fromEntries(Object.entries(all).filter(([name]) => isKnown(name)).map(([name, value]) => [name, tidy(name, value)]));
}

/** What is remembered between runs: where the Worker is. Nothing depends on it being there. */
export const RECORDS = { read: () => readRecord("deployment"), write: (record) => writeRecord("deployment", record) };

/**
 * @param {{argv: string[], env?: object, input?: object, output?: object, wranglerCommand?: string[], build?: () => Promise<string>,
 *   packages?: () => Promise<unknown>, records?: typeof RECORDS, pauses?: {healthyMs?: number, hostPauseMs?: number}}} world
 */
export async function main({ argv, env = process.env, input = process.stdin, output = process.stdout, wranglerCommand, build = buildToDeploy, packages = setUpPackages, records = RECORDS, pauses = {} }) {
  const values = readOptions(argv);
  const words = wordsOf(language(values.lang, env));
  const given = readGiven(values.from, env);
  const hidden = new Set(Object.entries(given).filter(([name]) => isSecret(name)).map(([, value]) => value));
  const mask = masker(() => hidden);
  const terminal = openTerminal({ input, output, mask });
  const say = (name, fields) => terminal.say(words(name, fields));
  if (!isBotId(values.bot)) throw new Failure(words("bad", { name: "--bot" }));
  const config = readConfig(root);
  if (values["dry-run"]) {
    say("dryRun");
    for (const line of dryRun(given, { bot: values.bot, name: config.name, relay: values.relay })) terminal.say(`  ${line}`);
    return 0;
  }
  say("intro");
  process.prependOnceListener("SIGINT", () => say("interrupted"));
  await packages();
  const context = {
    terminal,
    words,
    say,
    config,
    root,
    build,
    records,
    hide: (value) => hidden.add(value),
    wrangler: openWrangler({ ...(wranglerCommand && { command: wranglerCommand }), env, mask }),
    openTelegram: (token, base) => openTelegram({ token, base, hostPauseMs: pauses.hostPauseMs }),
    healthyMs: pauses.healthyMs,
  };
  const options = { quiet: values.yes, bot: values.bot, url: values.url?.replace(/\/$/, ""), replace: values.replace, metrics: values.metrics, relay: values.relay, newClaim: values["new-claim-code"], env };
  try {
    await runSetup(context, given, options);
  } catch (error) {
    // Whatever an error quotes, no secret leaves.
    throw error instanceof Failure ? new Failure(mask(error.message)) : error;
  } finally {
    terminal.close();
  }
  return 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await program(() => main({ argv: process.argv.slice(2) }));
