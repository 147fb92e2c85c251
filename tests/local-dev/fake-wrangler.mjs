// Stands in for the wrangler program: answers in the shapes of wrangler 4.164 and keeps a small account in a JSON file, so that a
// second run finds what the first did. Each call is recorded with its arguments, its input and its environment.
//
//   FAKE_WRANGLER=<file> node fake-wrangler.mjs <arguments>
//
// The file has: `user` (null: not logged in), `worker` (null: none), `url`, `buckets`, and `fail` (by command: code and output,
// or `hangMs`).

import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const file = process.env.FAKE_WRANGLER;
const account = JSON.parse(readFileSync(file, "utf8"));
const args = process.argv.slice(2);
const save = () => writeFileSync(file, JSON.stringify(account));
const print = (text) => process.stdout.write(`${text}\n`);

async function readInput() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  return text;
}

/** As wrangler prints an error of the API, on stderr. */
function fail(text, code = 1) {
  process.stderr.write(`\n✘ [ERROR] ${text}\n\n`);
  process.exit(code);
}

function addVersion(more) {
  const { worker } = account;
  const number = worker.versions.length + 1;
  const created_on = new Date(Date.UTC(2026, 10, 22) + number * 60_000).toISOString();
  const id = `0000000${number}-0000-4000-8000-000000000000`;
  worker.versions.push({ id, number, metadata: { created_on, source: "wrangler" }, annotations: {}, ...more });
}

function bindings(worker) {
  return [
    ...Object.entries(worker.vars).map(([name, text]) => ({ type: "plain_text", name, text })),
    ...Object.keys(worker.secrets).map((name) => ({ type: "secret_text", name })),
    ...(worker.bucket ? [{ type: "r2_bucket", name: "FILES", bucket_name: worker.bucket }] : []),
    { type: "durable_object_namespace", name: "CHAT", class_name: "Chat" },
  ];
}

const NOT_FOUND = 'Worker "tideclaw" not found.\n\n  If this is a new Worker, run `wrangler deploy` first to create it.\n  Otherwise, check that the Worker name is correct and you\'re logged into the right account.';

function deploy() {
  const required = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"].filter((name) => !(name in (account.worker?.secrets ?? {})));
  if (required.length > 0) return fail(`The following required secrets have not been set: ${required.join(", ")}\nThis Worker does not exist yet, so secrets cannot be set in advance with \`wrangler secret put\`.`);
  const value = (name) => args.flatMap((arg, i) => (args[i - 1] === name ? [arg] : []));
  const config = value("--config").map((path) => readFileSync(path, "utf8"))[0];
  const { worker } = account;
  const named = config && /^bucket_name = "(.*)"$/m.exec(config)?.[1];
  if (!worker.bucket) {
    if (!named && account.buckets.includes("tideclaw-files")) return fail("A request to the Cloudflare API failed.\n\n  The bucket you tried to create already exists, and you own it. [code: 10004]");
    worker.bucket = named ?? "tideclaw-files";
    if (!account.buckets.includes(worker.bucket)) account.buckets.push(worker.bucket);
  }
  for (const pair of value("--var")) {
    const [name, ...rest] = pair.split(":");
    if (name in worker.secrets) return fail(`Binding name '${name}' already in use. [code: 10053]`);
    worker.vars[name] = rest.join(":");
  }
  addVersion({ annotations: { "workers/tag": value("--tag")[0], "workers/triggered_by": "upload" } });
  save();
  print(`Uploaded tideclaw (2.11 sec)\nDeployed tideclaw triggers (0.33 sec)\n  ${account.url}\n  schedule: */5 * * * *`);
  const entry = { type: "deploy", version: 1, worker_name: "tideclaw", worker_tag: "t", version_id: "v", targets: [account.url, "schedule: */5 * * * *"], worker_name_overridden: false };
  appendFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, `${JSON.stringify({ type: "wrangler-session", version: 1 })}\n${JSON.stringify({ ...entry, timestamp: "2026-11-22T00:00:00Z" })}\n`);
}

function putSecrets(input) {
  const values = JSON.parse(input);
  if (!account.worker) {
    print('🌀 Creating new Worker "tideclaw"...');
    account.worker = { secrets: {}, vars: {}, versions: [], bucket: null };
    addVersion({ annotations: { "workers/triggered_by": "upload" } });
  }
  Object.assign(account.worker.secrets, values);
  addVersion({ annotations: { "workers/triggered_by": "secret" } });
  save();
  for (const key of Object.keys(values)) print(`✨ Successfully created secret for key: ${key}`);
}

const COMMANDS = {
  whoami() {
    print("");
    if (!account.user) {
      print('{"loggedIn":false}');
      process.exit(1);
    }
    print(JSON.stringify({ loggedIn: true, authType: "OAuth Token", ...account.user }, null, 2));
  },
  "secret list"() {
    if (!account.worker) return fail(NOT_FOUND);
    print(JSON.stringify(Object.keys(account.worker.secrets).map((name) => ({ name, type: "secret_text" })), null, 2));
  },
  "secret bulk": putSecrets,
  "deployments status"() {
    if (!account.worker) return fail("A request to the Cloudflare API failed.\n\n  This Worker does not exist on your account. [code: 10007]");
    const newest = account.worker.versions.at(-1);
    print(JSON.stringify({ id: "d", source: "wrangler", strategy: "percentage", versions: [{ version_id: newest.id, percentage: 100 }] }, null, 2));
  },
  "versions view"() {
    const version = account.worker.versions.find(({ id }) => id === args[2]);
    print(JSON.stringify({ ...version, resources: { script: { handlers: ["fetch", "scheduled"] }, bindings: bindings(account.worker) } }, null, 2));
  },
  "versions list": () => print(JSON.stringify(account.worker.versions.slice(-10), null, 2)),
  "r2 bucket": () => print(`Listing buckets...\n${account.buckets.map((name) => `name:           ${name}\ncreation_date:  2026-11-22T00:00:00.000Z\n`).join("\n")}`),
  deploy,
};

const input = args[0] === "secret" && args[1] === "bulk" ? await readInput() : "";
appendFileSync(`${file}.calls`, `${JSON.stringify({ args, input, env: process.env })}\n`);
const name = args[0] in COMMANDS ? args[0] : args.slice(0, 2).join(" ");
const trouble = account.fail?.[name];
if (trouble?.hangMs) await sleep(trouble.hangMs);
else if (trouble) fail(trouble.output, trouble.code);
else if (!COMMANDS[name]) fail(`Unknown command: ${args.join(" ")}`);
else await COMMANDS[name](input);
