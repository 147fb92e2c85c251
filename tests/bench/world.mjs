// The outside of all contenders: the fake upstreams (a process of their own) and the person who posts updates and waits.

import { fork } from "node:child_process";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";

export const SECRET = "bench-webhook-secret";
export const TOKEN = "700000001:bench-token";

const ANSWER_MS = 30_000;
/** Private chats: the chat's id is the person's id. */
const FIRST_CHAT = 910_000_001;
const MOST_CHATS = 300;

export const now = () => Number(process.hrtime.bigint()) / 1e6;
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ids of `count` chats that are admitted everywhere. `from` sets rows of one run apart. */
export const chats = (count, from = 0) => Array.from({ length: count }, (_, index) => FIRST_CHAT + ((from + index) % MOST_CHATS));
export const owners = () => chats(MOST_CHATS).join(",");

/** Starts the upstreams. */
export async function startWorld() {
  const child = fork(fileURLToPath(new URL("./upstreams.mjs", import.meta.url)));
  const waiting = new Map();
  const asked = new Map();
  let asks = 0;
  const surplus = {};
  const port = await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the upstreams ended with code ${code}`)));
    child.on("message", (message) => {
      if (message.kind === "ready") return resolve(message.port);
      if (message.kind === "done") return asked.get(message.id)?.();
      const key = `${message.contender}:${message.chat}`;
      const take = message.kind === "answered" ? waiting.get(key) : undefined;
      if (!take) return void (surplus[message.contender] = (surplus[message.contender] ?? 0) + 1);
      waiting.delete(key);
      take(message);
    });
  });
  const tell = (what) =>
    new Promise((resolve) => {
      const id = ++asks;
      asked.set(id, () => (asked.delete(id), resolve()));
      child.send({ id, ...what });
    });
  return {
    base: (contender) => `http://127.0.0.1:${port}/${contender}`,
    /** Changes what the upstreams do; upstreams.mjs lists the settings. */
    set: (settings) => tell({ set: settings }),
    /** Resolves when no contender has called for `ms`. */
    quiet: (ms) => tell({ quietFor: ms }),
    /** The next answer to a chat: `{ at, turn }`. */
    answer(contender, chat) {
      const key = `${contender}:${chat}`;
      return new Promise((resolve, reject) => {
        const late = () => reject(new Error(`${contender} has not answered chat ${chat} within ${ANSWER_MS / 1000} s`));
        const timer = setTimeout(late, ANSWER_MS);
        waiting.set(key, (message) => (clearTimeout(timer), resolve(message)));
      });
    },
    /** Messages sent that nobody waited for, by contender. Not zero where one message a question is due: figures are worthless. */
    surplus,
    close: () => child.disconnect(),
  };
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const began = Date.now();
let updates = 500_000;

function updateOf(chat) {
  const id = ++updates;
  const person = { id: chat, is_bot: false, first_name: "Ann", last_name: "Bench", username: `ann${chat}`, language_code: "en" };
  return JSON.stringify({
    update_id: id,
    message: {
      message_id: id,
      from: person,
      chat: { id: chat, first_name: "Ann", last_name: "Bench", username: `ann${chat}`, type: "private" },
      date: Math.floor(began / 1000),
      text: `What is the tide doing today, and is that usual? Question ${id} of chat ${chat}?`,
    },
  });
}

/** Posts one message to a contender's webhook. Resolves to `{ postedAt, ackMs }` when the 200 is complete. */
export function post(contender, chat) {
  const body = updateOf(chat);
  const options = {
    agent,
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "x-telegram-bot-api-secret-token": SECRET,
    },
  };
  return new Promise((resolve, reject) => {
    const postedAt = now();
    const call = request(contender.webhook, options, (response) => {
      response.resume().on("end", () => {
        const ackMs = now() - postedAt;
        if (response.statusCode === 200) resolve({ postedAt, ackMs });
        else reject(new Error(`${contender.name} answered an update with ${response.statusCode}`));
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

/** Posts a message and waits for its answer. */
export async function exchange(world, contender, chat) {
  const answered = world.answer(contender.name, chat);
  // Its failure is reported by `post`, if that failed first.
  answered.catch(() => {});
  const { postedAt, ackMs } = await post(contender, chat);
  const { at, turn } = await answered;
  return { postedAt, ackMs, answeredAt: at, turn };
}
