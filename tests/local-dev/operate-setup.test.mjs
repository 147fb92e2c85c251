// The set-up wizard against a stand-in for wrangler and the emulated Telegram: what it does, what it leaves alone, and that no
// secret is ever an argument or printed.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { expected } from "../../local-dev/operate/telegram.mjs";
import { both, names } from "../../local-dev/operate/setup/words.mjs";
import { fits, isSecret, tidy } from "../../local-dev/operate/values.mjs";
import { root } from "../../local-dev/setup/paths.mjs";
import { startTelegram } from "../../local-dev/telegram/emulator.mjs";

const TOKEN = "700000001:AAbbCCddEEffGGhhIIjjKKllMMnnOOpp-12";
const SECRETS = { TELEGRAM_BOT_TOKEN: TOKEN, OLLAMA_API_KEY: "secret-ollama-key", GEMINI_API_KEY: "secret-gemini-key" };
const folder = mkdtempSync(join(tmpdir(), "tideclaw-setup-"));
const script = fileURLToPath(new URL("operate-run.mjs", import.meta.url));
const accounts = [{ id: "a".repeat(32), name: "Home" }];
let worker, workerUrl;
/** What the stand-in Worker answers to a POST without the secret. */
let webhookStatus = 401;

before(async () => {
  worker = createServer((request, response) => {
    if (request.url === "/healthz") return response.writeHead(200, { "content-type": "application/json" }).end('{"status":"ok","version":"0.1.0"}');
    response.writeHead(webhookStatus, webhookStatus === 302 ? { location: "https://team.cloudflareaccess.com/" } : {}).end();
  });
  await new Promise((resolve) => worker.listen(0, "127.0.0.1", resolve));
  workerUrl = `http://127.0.0.1:${worker.address().port}`;
});
after(() => {
  worker.closeAllConnections();
  worker.close();
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
/** An empty account and a bot nobody has set up yet. */
async function world(change = {}) {
  const file = join(folder, `account-${count++}.json`);
  const state = { user: { email: "me@example.com", accounts }, worker: null, url: workerUrl, buckets: [], ...change };
  const save = () => writeFileSync(file, JSON.stringify(state));
  save();
  const telegram = await startTelegram({ bots: [{ id: "main", token: TOKEN, username: "tideclaw_bot" }, { id: "work", token: "700000002:WWbbCCddEEffGGhhIIjjKKllMMnnOOpp-12", username: "work_bot" }] });
  const calls = () => (existsSync(`${file}.calls`) ? readFileSync(`${file}.calls`, "utf8").trim().split("\n").map((line) => JSON.parse(line)) : []);

  /** Runs the wizard; `answers` go in through a pipe. Nothing it prints and no argument holds a secret. */
  function start(args, { env = SECRETS, answers } = {}) {
    const child = spawn(process.execPath, [script, ...args], {
      env: { PATH: process.env.PATH, HOME: folder, LANG: "C", FAKE_WRANGLER: file, TELEGRAM_API_BASE: telegram.url, ...env },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    if (answers) child.stdin.end(answers.map((line) => `${line}\n`).join(""));
    else if (args.includes("--yes")) child.stdin.end();
    const done = new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
    return { child, output: () => output, done };
  }
  async function setup(args = ["--yes"], options) {
    const before = calls().length;
    const { code, output } = await start(args, options).done;
    const fresh = calls().slice(before);
    const given = Object.entries({ ...SECRETS, ...options?.env }).filter(([name]) => isSecret(name)).map(([, value]) => value);
    for (const secret of [...given, ...Object.values(account().worker?.secrets ?? {})].filter((value) => value.length > 8)) {
      // The claim code is in the link, for the owner to open; the relay's token stands alone on its line, once.
      const shown = output.replaceAll(/https:\/\/t\.me\/\S+/g, "").replace(/(?<=(?:shown once|показан один раз):\n\n {2})[0-9a-f]{64}(?=\n)/, "");
            assert(!shown.includes(secret), `printed a secret:\n${output}`);
      assert(fresh.every((call) => !call.args.join(" ").includes(secret)), "a secret as an argument");
      assert(fresh.every((call) => !Object.values(call.env).includes(secret)), "a secret in the environment");
    }
    return { code, output, calls: fresh, names: fresh.map((call) => call.args.slice(0, 2).join(" ")) };
  }
  const account = () => JSON.parse(readFileSync(file, "utf8"));
  const change_ = (more) => (Object.assign(state, account(), more), save());
  return { telegram, setup, start, account, change: change_, close: () => telegram.close() };
}

const methods = (telegram) => telegram.calls().map(({ method }) => method);

test("a fresh account: secrets, deployment, webhook, commands, and the claim link", async () => {
  const { telegram, setup, account, close } = await world();
  const { code, output, calls, names } = await setup();
  assert.equal(code, 0, output);
  assert.deepEqual(names, ["whoami --json", "secret list", "deployments status", "r2 bucket", "secret bulk", "deploy --tag"]);
  const put = JSON.parse(calls[4].input);
  assert.deepEqual(Object.keys(put).sort(), ["CLAIM_CODE", "GEMINI_API_KEY", "OLLAMA_API_KEY", "TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"]);
  assert.match(put.TELEGRAM_WEBHOOK_SECRET, /^[0-9a-f]{64}$/);
  assert.deepEqual(account().worker.vars, { TELEGRAM_API_BASE: telegram.url, FALLBACK_MODELS: "gemini/gemini-3.8-flash" });

  const [set] = telegram.calls().filter(({ method }) => method === "setWebhook");
  assert.deepEqual(set.params, { url: `${workerUrl}/telegram/main`, secret_token: put.TELEGRAM_WEBHOOK_SECRET, allowed_updates: expected.allowed_updates, max_connections: 20 });
  assert.equal(telegram.menu({ from: 1001 })[0].command, "new");
  assert.match(output, new RegExp(`https://t\\.me/tideclaw_bot\\?start=${put.CLAIM_CODE}\n`));
  assert.match(output, /answers 503 until Access is set up/);
  await close();
});

test("a second run changes nothing and says so", async () => {
  const { telegram, setup, close } = await world();
  await setup();
  const before = methods(telegram).length;
  const { code, output, names } = await setup();
  assert.equal(code, 0, output);
  assert.match(output, /Nothing had to be changed/);
  assert(!names.some((name) => /bulk|deploy --/.test(name)), names.join());
  assert.deepEqual([...new Set(methods(telegram).slice(before))].sort(), ["getMe", "getMyCommands", "getWebhookInfo"]);
  assert.match(output, /a claim code is set; its value cannot be read back/i);

  const unseen = await setup(["--yes"], { env: {} });
  assert.match(unseen.output, /was not checked: no token given/);
  assert(!unseen.names.some((name) => /bulk|deploy --/.test(name)), unseen.output);
  await close();
});

test("new code or another setting is deployed, and the rest left alone", async () => {
  const { setup, account, close } = await world();
  await setup();
  const code = await setup(["--yes"], { env: { ...SECRETS, FAKE_BUILD: "tideclaw-0002" } });
  assert(code.names.includes("deploy --tag") && !code.names.includes("secret bulk"), code.output);
  const setting = await setup(["--yes"], { env: { ...SECRETS, FAKE_BUILD: "tideclaw-0002", DAILY_BUDGET_USD: "2.5" } });
  assert.deepEqual(setting.calls.at(-1).args, ["deploy", "--tag", "tideclaw-0002", "--var", "DAILY_BUDGET_USD:2.5"]);
  assert.equal(account().worker.vars.FALLBACK_MODELS, "gemini/gemini-3.8-flash");
  // A secret put by hand makes a version without a tag.
  const kept = await setup(["--yes"], { env: { ...SECRETS, OPENAI_API_KEY: "secret-openai-key", FAKE_BUILD: "tideclaw-0002" } });
  assert(kept.names.includes("secret bulk") && !kept.names.includes("deploy --tag"), kept.output);
  assert.match((await setup(["--yes"], { env: { ...SECRETS, FAKE_BUILD: "tideclaw-0002" } })).output, /Nothing had to be changed/);
  await close();
});

test("a secret that is set is replaced only when asked to", async () => {
  const { setup, account, close } = await world();
  await setup();
  const env = { ...SECRETS, GEMINI_API_KEY: "secret-gemini-new" };
  const kept = await setup(["--yes"], { env });
  assert.match(kept.output, /Kept as they are: OLLAMA_API_KEY, GEMINI_API_KEY/);
  assert.equal(account().worker.secrets.GEMINI_API_KEY, "secret-gemini-key");
  await setup(["--yes", "--replace"], { env });
  assert.equal(account().worker.secrets.GEMINI_API_KEY, "secret-gemini-new");
  const claim = await setup(["--yes", "--new-claim-code"]);
  assert.match(claim.output, new RegExp(`start=${account().worker.secrets.CLAIM_CODE}`));
  await close();
});

test("asked for what is missing, in Russian", async () => {
  const { setup, account, close } = await world();
  const answers = ["not a token", TOKEN, "1001", "", "", "", "", "", "secret-gemini-key", "", "", "", "zero", "2", "", "team", "short", "f".repeat(64), "n", "д"];
  const { code, output } = await setup(["--lang", "ru"], { env: {}, answers });
  assert.equal(code, 0, output);
  assert.match(output, /Токен бота «main» от @BotFather/);
  assert.match(output, /TELEGRAM_BOT_TOKEN: похоже, здесь ошибка/);
  assert.match(output, /Без ключа поставщика моделей/);
  const { vars, secrets } = account().worker;
  assert.deepEqual({ ...vars, TELEGRAM_API_BASE: "" }, { TELEGRAM_API_BASE: "", OWNER_TELEGRAM_IDS: "1001", DEFAULT_MODEL: "gemini/gemini-3.8-flash", DAILY_BUDGET_USD: "2", CF_ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com", CF_ACCESS_AUD: "f".repeat(64) });
  assert.deepEqual(Object.keys(secrets).sort(), ["GEMINI_API_KEY", "TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"]);
  assert.match(output, /Владельцы заданы по id/);
  await close();
});

test("no at the end: nothing is done; no more answers: said so", async () => {
  const { setup, account, close } = await world();
  const answers = ["", "", "", "", "", "", "n", "n"];
  const { code, output } = await setup([], { answers });
  assert.equal(code, 0, output);
  assert.match(output, /Nothing was changed/);
  assert.equal(account().worker, null);
  const ended = await setup([], { answers: [] });
  assert.equal(ended.code, 1);
  assert.match(ended.output, /the input has ended. With --yes/);
  await close();
});

test("values from a file; the environment wins; what cannot be right is refused", async () => {
  const { setup, account, close } = await world();
  const file = join(folder, "values");
  writeFileSync(file, `TELEGRAM_BOT_TOKEN=${TOKEN}\nOLLAMA_API_KEY='secret-from-file'\nDEBUG_TOKEN=secret-debug-token\nCF_ACCESS_TEAM_DOMAIN=https://Team.cloudflareaccess.com/\nCF_ACCESS_AUD=${"a".repeat(64)}\nUNKNOWN=1\n`);
  const { code, output } = await setup(["--yes", "--from", file], { env: { OWNER_TELEGRAM_IDS: "1001" } });
  assert.equal(code, 0, output);
  const { vars, secrets } = account().worker;
  assert.equal(vars.CF_ACCESS_TEAM_DOMAIN, "team.cloudflareaccess.com");
  assert.equal(vars.OWNER_TELEGRAM_IDS, "1001");
  assert(!("DEBUG_TOKEN" in secrets) && !("UNKNOWN" in vars) && !("CLAIM_CODE" in secrets));
  assert.match(output, /Admin page: http/);
  const wrong = await setup(["--yes"], { env: { ...SECRETS, DAILY_BUDGET_USD: "one dollar" } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /DAILY_BUDGET_USD: the value given does not look right/);
  assert.match((await setup(["--yes", "--from", "absent"])).output, /no such file/);
  assert.match((await setup(["--yes", "--sideways"])).output, /Usage: npm run setup/);
  await close();
});

test("not logged in, a wrong token, nothing given: said with the step that mends it, and nothing is left behind", async () => {
  const { setup, account, change, close } = await world({ user: null });
  const loggedOut = await setup();
  assert.equal(loggedOut.code, 1);
  assert.match(loggedOut.output, /npx wrangler login/);
  change({ user: { email: "me@example.com", accounts } });
  const wrong = await setup(["--yes"], { env: { ...SECRETS, TELEGRAM_BOT_TOKEN: "700000009:wrong-token-wrong-token" } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /Telegram does not know this token: Unauthorized/);
  assert.match((await setup(["--yes"], { env: {} })).output, /Missing: TELEGRAM_BOT_TOKEN/);
  assert.match((await setup(["--yes"], { env: { TELEGRAM_BOT_TOKEN: TOKEN } })).output, /Without a key of a model provider/);
  assert.equal(account().worker, null);
  await close();
});

test("several accounts: the one named, else a list", async () => {
  const several = [...accounts, { id: "b".repeat(32), name: "Work" }];
  const { setup, close } = await world({ user: { email: "me@example.com", accounts: several } });
  const asked = await setup();
  assert.equal(asked.code, 1);
  assert.match(asked.output, /set CLOUDFLARE_ACCOUNT_ID to one of\n {2}1 {2}Home/);
  const named = await setup(["--yes"], { env: { ...SECRETS, CLOUDFLARE_ACCOUNT_ID: "b".repeat(32) } });
  assert.equal(named.code, 0, named.output);
  assert(named.calls.slice(1).every(({ env }) => env.CLOUDFLARE_ACCOUNT_ID === "b".repeat(32)));
  await close();
});

test("a bucket that is there is used; R2 switched off is said before anything is put", async () => {
  const { setup, account, change, close } = await world({ buckets: ["tideclaw-files"], fail: { "r2 bucket": { code: 1, output: "A request to the Cloudflare API (/accounts/x/r2/buckets) failed.\n\n  Please enable R2 through the Cloudflare Dashboard. [code: 10042]" } } });
  const off = await setup();
  assert.equal(off.code, 1);
  assert.match(off.output, /R2 is not switched on/);
  assert.equal(account().worker, null);
  change({ fail: {} });
  const { code, output } = await setup();
  assert.equal(code, 0, output);
  assert.match(output, /bucket "tideclaw-files" is there already/);
  assert.equal(account().worker.bucket, "tideclaw-files");
  assert(!existsSync(join(root, ".setup.wrangler.toml")));
  await close();
});

test("the deployment fails: its words are shown, masked; the next run goes on", async () => {
  const { telegram, setup, change, close } = await world({ fail: { deploy: { code: 1, output: `Worker exceeded the size limit. ${SECRETS.OLLAMA_API_KEY} [code: 10027]` } } });
  const failed = await setup();
  assert.equal(failed.code, 1);
  assert.match(failed.output, /wrangler deploy --tag failed[^]*exceeded the size limit\. ••••••/);
  assert(!methods(telegram).includes("setWebhook"));
  change({ fail: {} });
  const { code, output } = await setup();
  assert.equal(code, 0, output);
  assert.match(output, /https:\/\/t\.me\/tideclaw_bot\?start=/);
  await close();
});

test("Telegram refuses the webhook; Access stands before it", async () => {
  const { telegram, setup, close } = await world();
  telegram.faults.add({ method: "setWebhook", action: { status: 400, body: { ok: false, error_code: 400, description: "Bad Request: bad webhook: An HTTPS URL must be provided for webhook" } } });
  const refused = await setup();
  assert.equal(refused.code, 1, refused.output);
  assert.match(refused.output, /Telegram refused setWebhook: Bad Request: bad webhook[^]*The Worker is deployed/);
  const again = await setup();
  assert.equal(again.code, 0, again.output);
  assert.match(again.output, /start=/);

  webhookStatus = 302;
  const blocked = await setup();
  webhookStatus = 401;
  assert.equal(blocked.code, 1);
  assert.match(blocked.output, /Cloudflare Access stands before the webhook \(302/);
  await close();
});

test("Ctrl-C in the middle: killed, said, and the next run finishes", async () => {
  const { telegram, setup, start, account, change, close } = await world({ fail: { deploy: { hangMs: 60_000 } } });
  const { child, output, done } = start(["--yes"]);
  while (!/Deploying/.test(output())) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGINT");
  const { code } = await done;
  assert.equal(code, 130);
  assert.match(output(), /Interrupted\. Run `npm run setup` again/);
  const { CLAIM_CODE } = account().worker.secrets;
  change({ fail: {} });
  const again = await setup();
  assert.equal(again.code, 0, again.output);
  // Nobody has seen the first code, so there is another one, in the link.
  assert.notEqual(account().worker.secrets.CLAIM_CODE, CLAIM_CODE);
  assert.match(again.output, new RegExp(`start=${account().worker.secrets.CLAIM_CODE}`));
  const set = telegram.calls().findLast(({ method }) => method === "setWebhook");
  assert.equal(set.params.secret_token, account().worker.secrets.TELEGRAM_WEBHOOK_SECRET);
  await close();
});

test("another webhook, other updates, a refused secret: connected anew", async () => {
  const { telegram, setup, account, close } = await world();
  await setup();
  telegram.setBot({ bot: "main", allowedUpdates: ["message"] });
  const { code, output } = await setup();
  assert.equal(code, 0, output);
  assert.match(output, /webhook set: http/);
  const set = telegram.calls().findLast(({ method }) => method === "setWebhook");
  assert.deepEqual(set.params.allowed_updates, expected.allowed_updates);
  assert.equal(set.params.secret_token, account().worker.secrets.TELEGRAM_WEBHOOK_SECRET);
  assert.match((await setup()).output, /Nothing had to be changed/);
  await close();
});

test("a further bot", async () => {
  const { telegram, setup, account, close } = await world();
  const env = { TELEGRAM_BOT_TOKEN_WORK: "700000002:WWbbCCddEEffGGhhIIjjKKllMMnnOOpp-12" };
  assert.match((await setup(["--yes", "--bot", "work"], { env })).output, /no deployment to add a bot to/);
  assert.match((await setup(["--yes", "--bot", "Work!"], { env })).output, /--bot: this does not look right/);
  await setup();
  const { code, output, calls } = await setup(["--yes", "--bot", "work"], { env });
  assert.equal(code, 0, output);
  assert.deepEqual(Object.keys(JSON.parse(calls.find(({ args }) => args[1] === "bulk").input)).sort(), ["TELEGRAM_BOT_TOKEN_WORK", "TELEGRAM_WEBHOOK_SECRET_WORK"]);
  assert(!calls.some(({ args }) => args[0] === "deploy"));
  const set = telegram.calls().findLast(({ method }) => method === "setWebhook");
  assert.equal(set.params.url, `${workerUrl}/telegram/work`);
  assert.equal(set.params.secret_token, account().worker.secrets.TELEGRAM_WEBHOOK_SECRET_WORK);
  assert.match(output, /Open https:\/\/t\.me\/work_bot and press START/);
  await close();
});

test("an Ollama of one's own: a token is made, put, and shown once with what to do", async () => {
  const { setup, account, close } = await world();
  const { code, output, calls } = await setup(["--yes", "--relay"]);
  assert.equal(code, 0, output);
  const { RELAY_TOKEN } = account().worker.secrets;
  assert.match(RELAY_TOKEN, /^[0-9a-f]{64}$/);
  assert("RELAY_TOKEN" in JSON.parse(calls.find(({ args }) => args[1] === "bulk").input));
  assert.equal(output.split(RELAY_TOKEN).length, 2, "shown once");
  assert(output.includes(`ollama-relay check --url ${workerUrl.replace("http", "ws")}/relay --token-file relay.token`), output);
  assert.match(output, /\(umask 077; cat > relay\.token\)/);

  const again = await setup(["--yes", "--relay"]);
  assert.match(again.output, /RELAY_TOKEN is set already/);
  assert.equal(account().worker.secrets.RELAY_TOKEN, RELAY_TOKEN);
  assert(!again.names.includes("secret bulk"), again.output);
  const other = await setup(["--yes", "--relay", "--replace"]);
  assert.notEqual(account().worker.secrets.RELAY_TOKEN, RELAY_TOKEN);
  assert(other.output.includes(account().worker.secrets.RELAY_TOKEN));
  const given = await setup(["--yes", "--relay", "--replace"], { env: { ...SECRETS, RELAY_TOKEN: "my-own-secret-token-of-the-relay" } });
  assert.equal(account().worker.secrets.RELAY_TOKEN, "my-own-secret-token-of-the-relay");
  assert.doesNotMatch(given.output, /shown once/);
  assert.match((await setup(["--yes"], { env: { ...SECRETS, RELAY_TOKEN: "short" } })).output, /RELAY_TOKEN: the value given does not look right/);
  assert.match((await setup(["--yes", "--relay", "--dry-run"])).output, /"RELAY_TOKEN":"••••••"/);
  await close();
});

test("nothing but an Ollama of one's own", async () => {
  const { setup, account, close } = await world();
  const env = { TELEGRAM_BOT_TOKEN: TOKEN };
  // Owner, three keys, the relay, its model, budgets, Access, metrics, go.
  const { code, output } = await setup(["--lang", "ru"], { env, answers: ["1001", "", "", "", "д", "", "", "", "", "n", "д"] });
  assert.equal(code, 0, output);
  assert.equal(account().worker.vars.DEFAULT_MODEL, "relay/qwen3:8b");
  assert.deepEqual(Object.keys(account().worker.secrets).sort(), ["RELAY_TOKEN", "TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"]);
  assert.match(output, /Токен реле, показан один раз/);
  await close();
});

test("a dry run prints the commands, no secret, and calls nothing", async () => {
  const { telegram, setup, close } = await world();
  const env = { ...SECRETS, DEFAULT_MODEL: "gemini/gemini-3.8-flash" };
  const { code, output, calls } = await setup(["--dry-run"], { env });
  assert.equal(code, 0, output);
  assert.equal(calls.length, 0);
  assert.equal(telegram.calls().length, 0);
  assert.match(output, /"TELEGRAM_BOT_TOKEN":"••••••"[^\n]*\| npx wrangler secret bulk/);
  assert.match(output, /npx wrangler deploy --tag <build> --var [^\n]*DEFAULT_MODEL:gemini\/gemini-3\.8-flash/);
  assert.match(output, /setWebhook[^\n]*"allowed_updates":\["message","edited_message"/);
  await close();
});

test("what goes where, and the spelling of values", () => {
  for (const name of ["TELEGRAM_BOT_TOKEN_WORK", "CLAIM_CODE", "METRICS_TOKEN", "OPENAI_API_KEY", "CLOUDFLARE_API_TOKEN"]) assert(isSecret(name) === true, name);
  for (const name of ["OWNER_TELEGRAM_IDS", "DEFAULT_MODEL", "CF_ACCESS_AUD", "CF_ACCESS_SERVICE_TOKENS"]) assert.equal(isSecret(name), false, name);
  assert.equal(tidy("CF_ACCESS_TEAM_DOMAIN", " https://Team.cloudflareaccess.com/x "), "team.cloudflareaccess.com");
  assert.equal(tidy("CF_ACCESS_TEAM_DOMAIN", "team"), "team.cloudflareaccess.com");
  assert(!fits("OLLAMA_BASE_URL", "https://user:pass@example.com") && !fits("OLLAMA_API_KEY", "a\nb") && fits("OPENAI_BASE_URL", "https://example.com/v1"));
  for (const name of names) assert.deepEqual(both(name)[0].match(/\{\w+\}/g)?.sort(), both(name)[1].match(/\{\w+\}/g)?.sort(), `${name}: both languages name the same values`);
});

test("the documents give the same list of updates as the wizard", () => {
  const list = JSON.stringify(expected.allowed_updates).replaceAll(",", ", ");
  for (const file of ["README.md", "README.ru.md", "docs/operations.md"]) assert(readFileSync(join(root, file), "utf8").includes(list), file);
});
