// Everything that `npm run setup` and `npm run doctor` do to Cloudflare, through the pinned wrangler. Values of secrets go
// in by stdin and never as arguments; what wrangler prints is masked before it is shown.
//
// Shapes are those of wrangler 4.164: `whoami --json`, `secret list` (JSON by default), `deployments status --json`,
// `versions view --json`, and the line that `deploy` appends to WRANGLER_OUTPUT_FILE_PATH.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { node22, root, wrangler as wranglerProgram } from "../setup/paths.mjs";
import { Failure } from "../setup/process.mjs";
import { isKnown, isSecret } from "./values.mjs";

const DEADLINE_MS = 120_000;
const DEPLOY_MS = 600_000;
const TAIL_LINES = 30;
/** Colours, which its errors have even where none are wanted. */
const ANSI = /\u001b\[[0-9;]*m/g;
const NOT_FOUND = /\[code: (?:10007|10090)\]|Worker "[^"]*"[^\n]* not found|This Worker does not exist/;

/** What wrangler answered when it did not do what it was told; `output` is all it printed. */
export class WranglerFailure extends Failure {
  constructor(what, output, mask) {
    const tail = mask(output.trim()).split("\n").slice(-TAIL_LINES).map((line) => `  ${line}`).join("\n");
    super(`wrangler ${what} failed.${tail.trim() ? ` The end of its output:\n${tail}` : ""}`);
    this.output = output;
  }
}

/**
 * A door to wrangler.
 *
 * - `command`: program and first arguments; by default the pinned one.
 * - `mask`: makes a text fit to be shown.
 * - `env`: environment of the children; the Worker's secrets are taken out of it.
 */
export function openWrangler({ command = [node22, wranglerProgram], env = process.env, mask = (text) => text, cwd = root } = {}) {
  const base = Object.fromEntries(Object.entries(env).filter(([name]) => !(isKnown(name) && isSecret(name))));
  const settings = { WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", FORCE_COLOR: "0" };
  let account = {};
  const running = new Set();
  process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

  function run(args, { input = "", extra = {}, deadline = DEADLINE_MS } = {}) {
    return new Promise((resolve, reject) => {
      const [program, ...first] = command;
      const child = spawn(program, [...first, ...args], { cwd, stdio: ["pipe", "pipe", "pipe"], env: { ...base, ...settings, ...account, ...extra } });
      running.add(child);
      const timer = setTimeout(() => child.kill("SIGKILL"), deadline);
      let stdout = "";
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text) => ((stdout += text), (output += text)));
      child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
      // Ended before it read its input: its output says why.
      child.stdin.on("error", () => {}).end(input);
      child.on("error", (error) => reject(new Failure(`wrangler could not be started: ${error.message}`)));
      child.on("close", (code) => {
        clearTimeout(timer);
        running.delete(child);
        resolve({ code, stdout: stdout.replace(ANSI, ""), output: output.replace(ANSI, "") });
      });
    });
  }

  async function must(args, options) {
    const answer = await run(args, options);
    if (answer.code !== 0) throw new WranglerFailure(args.slice(0, 2).join(" "), answer.output, mask);
    return answer;
  }

  /** JSON behind a banner or a warning, if there is one. */
  function parse(args, stdout) {
    const from = stdout.search(/^[[{]/m);
    try {
      return JSON.parse(stdout.slice(from));
    } catch {
      throw new Failure(`wrangler ${args.slice(0, 2).join(" ")} did not answer with JSON.`);
    }
  }

  /** The tag of a version; one that only changed a secret has the code and the tag of the one before it. */
  async function tagOf(version) {
    const own = ({ annotations }) => annotations?.["workers/tag"];
    const bySecret = ({ annotations }) => annotations?.["workers/triggered_by"] === "secret";
    if (own(version) || !bySecret(version)) return own(version);
    const args = ["versions", "list", "--json"];
    const created = ({ metadata }) => Date.parse(metadata?.created_on ?? 0);
    const older = parse(args, (await must(args)).stdout).filter((one) => created(one) < created(version)).sort((a, b) => created(b) - created(a));
    const from = older.find((one) => own(one) || !bySecret(one));
    return from && own(from);
  }

  return {
    /** `{ email, accounts: [{ id, name }] }`, or undefined if nobody is logged in. */
    async whoami() {
      const args = ["whoami", "--json"];
      const answer = await run(args);
      if (answer.code !== 0 && /"loggedIn":\s*false/.test(answer.stdout)) return undefined;
      if (answer.code !== 0) throw new WranglerFailure("whoami", answer.output, mask);
      return parse(args, answer.stdout);
    },

    /** Further commands speak of this account; needed if there are several. */
    useAccount(id) {
      account = { CLOUDFLARE_ACCOUNT_ID: id };
    },

    /** Names of the Worker's secrets; undefined if there is no such Worker yet. */
    async secrets() {
      const args = ["secret", "list"];
      const answer = await run(args);
      if (answer.code !== 0 && NOT_FOUND.test(answer.output)) return undefined;
      if (answer.code !== 0) throw new WranglerFailure("secret list", answer.output, mask);
      return parse(args, answer.stdout).map(({ name }) => name);
    },

    /** What is deployed: `{ tag, vars, bucket }`; undefined if nothing is. `bucket` is whether FILES is bound. */
    async deployed() {
      const status = ["deployments", "status", "--json"];
      const answer = await run(status);
      if (answer.code !== 0 && (NOT_FOUND.test(answer.output) || /has no deployments/.test(answer.output))) return undefined;
      if (answer.code !== 0) throw new WranglerFailure("deployments status", answer.output, mask);
      const [newest] = parse(status, answer.stdout).versions ?? [];
      if (!newest) return undefined;
      const view = ["versions", "view", newest.version_id, "--json"];
      const version = parse(view, (await must(view)).stdout);
      const bindings = version.resources?.bindings ?? [];
      const vars = bindings.filter(({ type }) => type === "plain_text").map(({ name, text }) => [name, text]);
      return { tag: await tagOf(version), vars: Object.fromEntries(vars), bucket: bindings.some(({ type, name }) => type === "r2_bucket" && name === "FILES") };
    },

    /** Names of the account's R2 buckets. */
    async buckets() {
      const { stdout } = await must(["r2", "bucket", "list"]);
      return [...stdout.matchAll(/^name:\s+(\S+)\s*$/gm)].map(([, name]) => name);
    },

    /** Puts `values`, by stdin. Creates the Worker, empty, if there is none. */
    async putSecrets(values) {
      await must(["secret", "bulk"], { input: JSON.stringify(values) });
    },

    /** Deploys; returns the addresses it was deployed to. */
    async deploy(args) {
      const folder = mkdtempSync(join(tmpdir(), "tideclaw-deploy-"));
      const file = join(folder, "output.ndjson");
      try {
        await must(["deploy", ...args], { deadline: DEPLOY_MS, extra: { WRANGLER_OUTPUT_FILE_PATH: file } });
        return addresses(readFileSync(file, "utf8"));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Addresses in what `deploy` wrote: workers.dev with its scheme, routes as patterns, schedules in words. */
function addresses(text) {
  const entries = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const targets = entries.findLast(({ type }) => type === "deploy")?.targets ?? [];
  return targets.flatMap((target) => {
    if (/^https?:\/\//.test(target)) return [target.replace(/\/$/, "")];
    const [, host] = /^([a-z0-9.-]+\.[a-z]{2,})(?:\/\*)?(?: \(.*\))?$/i.exec(target) ?? [];
    return host ? [`https://${host}`] : [];
  });
}
