// `npm run doctor`: is all well, and what is to be done if not.
//
//   npm run doctor -- [--url URL] [--json] [--lang en|ru] [--config]
//
// With an address (--url, or TIDECLAW_URL): what the Worker finds (GET /api/doctor, with the service token in CF_ACCESS_CLIENT_ID
// and CF_ACCESS_CLIENT_SECRET), and what only shows from outside. Without: the local `npm start` if it is running, else the
// configuration. Exit code 1 if anything is an error.

import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { SIGN_IN_FILE } from "../access/local.mjs";
import { setUpPackages } from "../setup/packages.mjs";
import { root } from "../setup/paths.mjs";
import { Failure, program } from "../setup/process.mjs";
import { lookAtConfiguration } from "./doctor/config.mjs";
import { askWorker, lookFromOutside } from "./doctor/outside.mjs";
import { words as wordsOf } from "./doctor/words.mjs";
import { readConfig } from "./setup/steps.mjs";
import { language } from "./terminal.mjs";
import { openWrangler } from "./wrangler.mjs";

const ORDER = ["error", "warning", "info", "ok"];
const MARKS = { error: ["✗", 31], warning: ["!", 33], info: ["i", 36], ok: ["✓", 32] };

function readOptions(argv) {
  const options = { url: { type: "string" }, json: { type: "boolean", default: false }, lang: { type: "string" }, config: { type: "boolean", default: false } };
  try {
    return parseArgs({ args: argv, options }).values;
  } catch (error) {
    throw new Failure(`${error.message}\nUsage: npm run doctor -- [--url URL] [--json] [--lang en|ru] [--config]`);
  }
}

/** Where to look, and with which service token; undefined: nowhere. */
function target(values, env, signInFile) {
  const url = values.url ?? env.TIDECLAW_URL;
  if (values.config) return undefined;
  if (url) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Failure(`${url} is not an address such as https://tideclaw.example.workers.dev.`);
    return { url: new URL(url).origin, service: { id: env.CF_ACCESS_CLIENT_ID, secret: env.CF_ACCESS_CLIENT_SECRET } };
  }
  if (!existsSync(signInFile)) return undefined;
  const { url: local, id, secret } = JSON.parse(readFileSync(signInFile, "utf8"));
  return { url: local, service: { id, secret } };
}

/** Findings as lines, the worst first. */
export function table(findings, { colour }) {
  const paint = (text, code) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  const name = ({ id, subject }) => (subject ? `${id} (${subject})` : id);
  const width = Math.max(...sorted.map((finding) => name(finding).length));
  return sorted.flatMap((finding) => {
    const [mark, code] = MARKS[finding.severity] ?? MARKS.info;
    const line = `${paint(mark, code)} ${name(finding).padEnd(width)}  ${finding.reason}`;
    return finding.action && finding.severity !== "ok" ? [line, `${" ".repeat(width + 4)}→ ${finding.action}`] : [line];
  });
}

/**
 * @param {{argv: string[], env?: object, output?: NodeJS.WriteStream, wranglerCommand?: string[], packages?: () => Promise<unknown>,
 *   signInFile?: string, deadlineMs?: number}} world
 * @returns {Promise<number>} the exit code
 */
export async function main({ argv, env = process.env, output = process.stdout, wranglerCommand, packages = setUpPackages, signInFile = SIGN_IN_FILE, deadlineMs }) {
  const values = readOptions(argv);
  const lang = language(values.lang, env);
  const words = wordsOf(lang);
  const where = target(values, env, signInFile);
  let findings;
  if (where) {
    const [inside, outside] = await Promise.all([askWorker(where.url, { words, lang, service: where.service }), lookFromOutside(where.url, { words, deadlineMs })]);
    findings = [...outside, ...inside];
  } else {
    await packages();
    const wrangler = openWrangler({ ...(wranglerCommand && { command: wranglerCommand }), env });
    findings = await lookAtConfiguration({ wrangler, config: readConfig(root), words, accountId: env.CLOUDFLARE_ACCOUNT_ID });
  }
  const worst = ORDER.find((severity) => findings.some((finding) => finding.severity === severity));
  if (values.json) output.write(`${JSON.stringify({ url: where?.url ?? null, worst, findings }, null, 2)}\n`);
  else {
    const colour = Boolean(output.isTTY) && !env.NO_COLOR;
    const counts = ORDER.map((severity) => [severity, findings.filter((finding) => finding.severity === severity).length]).filter(([, count]) => count > 0);
    output.write(`${where?.url ?? "wrangler.toml"}\n\n${table(findings, { colour }).join("\n")}\n\n${counts.map(([severity, count]) => `${count} ${severity}`).join(", ")}\n`);
  }
  return worst === "error" ? 1 : 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await program(() => main({ argv: process.argv.slice(2) }));
