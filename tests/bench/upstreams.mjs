// Telegram and Ollama as light as they can be, in a process of their own so that their work is nobody's CPU time.
// Forked by world.mjs; told what to do, and asked what it saw, over the IPC channel.
//
// Whose call it is stands first in the path: http://127.0.0.1:PORT/<contender>/bot<token>/<method> and
// …/<contender>/api/chat. Which chat a model request belongs to stands in the question: "… of chat <id>?".
// Times are milliseconds of the machine's monotonic clock, which all processes share.
//
// Deliberately not here: checks of what is sent. local-dev/telegram and local-dev/models have them.

import { createServer } from "node:http";

const now = () => Number(process.hrtime.bigint()) / 1e6;

const plan = {
  /** Milliseconds each Telegram call takes. */
  telegramMs: 0,
  /** Milliseconds to the first token, and tokens a second after it; 0: at once. */
  firstTokenMs: 0,
  tokensPerSecond: 0,
  tokens: 12,
  /** Model requests wait until this is false again. */
  hold: false,
  /** Milliseconds between two messages of a chat that Telegram accepts, and between two drafts; 0: no limit. */
  spacingMs: 0,
};

const WORDS = "The tide turns twice a day and the harbour wakes with it while boats lean on the mud waiting for water".split(" ");
const word = (index) => `${WORDS[index % WORDS.length]} `;
const line = (content, done) =>
  `${JSON.stringify({
    model: "bench",
    created_at: "2026-11-20T10:00:00Z",
    message: { role: "assistant", content },
    done,
    ...(done && { done_reason: "stop", total_duration: 1e9, prompt_eval_count: 300, eval_count: 150 }),
  })}\n`;

/** What happened since a chat's last answer, by `<contender>:<chat>`. */
const turns = new Map();
/** When a chat's next message or draft is welcome. */
const welcome = new Map();
/** Held model requests. */
let held = [];
let lastEvent = now();
let messageId = 1_000;
let instant;

function turnOf(key) {
  let turn = turns.get(key);
  if (!turn) turns.set(key, (turn = { requestAt: 0, firstTokenAt: 0, lastByteAt: 0, promptBytes: 0, firstDraftAt: 0, drafts: 0, refused: 0 }));
  return turn;
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    lastEvent = now();
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    const [, contender, door, method] = request.url.split("/");
    if (door === "api") serveModel(contender, body, response);
    else serveTelegram(contender, method, body, response);
  });
});
server.keepAliveTimeout = 60_000;

function serveModel(contender, body, response) {
  const at = body.lastIndexOf("of chat ") + 8;
  const turn = turnOf(`${contender}:${Number.parseInt(body.toString("latin1", at, at + 16), 10)}`);
  turn.requestAt = now();
  turn.promptBytes = body.length;
  if (plan.hold) held.push(() => answer(turn, response));
  else answer(turn, response);
}

function answer(turn, response) {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  if (!plan.tokensPerSecond) {
    turn.firstTokenAt = now();
    response.end(instant);
    turn.lastByteAt = now();
    return;
  }
  response.flushHeaders();
  const { firstTokenMs, tokensPerSecond, tokens } = plan;
  const begin = now() + firstTokenMs;
  let sent = 0;
  const step = () => {
    const due = Math.min(tokens, 1 + Math.floor(((now() - begin) * tokensPerSecond) / 1_000));
    for (; sent < due; sent++) {
      if (sent === 0) turn.firstTokenAt = now();
      response.write(line(word(sent), false));
    }
    if (sent < tokens) return setTimeout(step, Math.max(1, begin + (sent * 1_000) / tokensPerSecond - now()));
    response.end(line("", true));
    turn.lastByteAt = now();
  };
  setTimeout(step, firstTokenMs);
}

function serveTelegram(contender, method, body, response) {
  const at = now();
  const text = body.toString("latin1");
  const chat = Number(/"chat_id":"?(-?\d+)/.exec(text)?.[1] ?? 0);
  const key = `${contender}:${chat}`;
  const isDraft = method === "sendMessageDraft" || method === "sendRichMessageDraft";
  const isMessage = !isDraft && method !== "sendChatAction" && /^(send|edit)/.test(method);
  const turn = turnOf(key);
  if (isDraft && !turn.firstDraftAt && turn.firstTokenAt) turn.firstDraftAt = at;
  if (isDraft) turn.drafts += 1;
  if (plan.spacingMs && (isDraft || isMessage) && tooEarly(`${isDraft ? "draft" : "message"}:${key}`, at)) {
    turn.refused += 1;
    return later(response, 429, {
      ok: false,
      error_code: 429,
      description: "Too Many Requests: retry after 1",
      parameters: { retry_after: 1 },
    });
  }
  if (method !== "sendMessage") return later(response, 200, { ok: true, result: method === "getMe" ? ME : true });
  if (turn.lastByteAt) {
    turns.delete(key);
    process.send({ kind: "answered", contender, chat, at, turn });
  } else {
    process.send({ kind: "notice", contender, chat, at });
  }
  later(response, 200, { ok: true, result: { message_id: ++messageId, date: 1_795_168_800, chat: { id: chat, type: "private" }, text: "…" } });
}

const ME = { id: 700_000_001, is_bot: true, first_name: "Bench", username: "bench_bot" };

function tooEarly(key, at) {
  if (at < (welcome.get(key) ?? 0)) return true;
  welcome.set(key, at + plan.spacingMs);
  return false;
}

function later(response, status, value) {
  const text = JSON.stringify(value);
  const send = () => {
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
    response.end(text);
  };
  if (plan.telegramMs) setTimeout(send, plan.telegramMs);
  else send();
}

function setPlan(change) {
  Object.assign(plan, change);
  instant = Array.from({ length: plan.tokens }, (_, index) => line(word(index), false)).join("") + line("", true);
  welcome.clear();
  if (!plan.hold) {
    for (const go of held) go();
    held = [];
  }
}

/** Resolves when nobody has called for `ms`. */
async function quiet(ms) {
  while (now() - lastEvent < ms) await new Promise((resolve) => setTimeout(resolve, 10));
}

process.on("message", async ({ id, set, quietFor }) => {
  if (set) setPlan(set);
  if (quietFor) await quiet(quietFor);
  process.send({ kind: "done", id });
});
process.on("disconnect", () => process.exit(0));

setPlan({});
server.listen(0, "127.0.0.1", () => process.send({ kind: "ready", port: server.address().port }));
