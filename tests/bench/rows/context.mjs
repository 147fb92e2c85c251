// Row 8: does a long conversation make a turn slower? From the post to the arrival of the model request, end to end, in a
// chat with 10 and in one with 10,000 messages, written into their SQLite files by the schema of migrations/chat/.
//
// The mark is on conversations that fill the history budget either way: 10 messages of about 1,150 tokens, or the newest
// of 10,000 such. The prompts are then of one size, and only the size of the store differs. With short messages 10,000
// fill the prompt with up to 200 messages where 10 make 10: that row costs what a larger prompt costs, and has no mark.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { limitRow, median, noteRow } from "../figures.mjs";
import { chats, exchange, sleep } from "../world.mjs";

const PAUSE_MS = 5;

export async function context({ world, start, newFolder, quick }) {
  const folder = newFolder();
  const [shortFull, longFull, shortSmall, longSmall] = chats(4);
  const many = quick ? 2_000 : 10_000;
  const fills = new Map([
    [shortFull, { messages: 10, words: 920 }],
    [longFull, { messages: many, words: 920 }],
    [shortSmall, { messages: 10, words: 24 }],
    [longSmall, { messages: many, words: 24 }],
  ]);
  let ours = await start("ours", { folder });
  for (const chat of fills.keys()) await exchange(world, ours, chat);
  await world.quiet(200);
  await ours.close();
  await fill(join(folder, "do", "bench-Chat"), fills);

  ours = await start("ours", { folder });
  for (const chat of fills.keys()) for (let index = 0; index < 3; index++) await exchange(world, ours, chat);
  const took = new Map([...fills.keys()].map((chat) => [chat, { ms: [], bytes: 0 }]));
  const rounds = quick ? 10 : 30;
  for (let round = 0; round < rounds; round++) {
    for (const chat of round % 2 ? [...fills.keys()].reverse() : fills.keys()) {
      const { postedAt, turn } = await exchange(world, ours, chat);
      took.get(chat).ms.push(turn.requestAt - postedAt);
      took.get(chat).bytes = turn.promptBytes;
      await sleep(PAUSE_MS);
    }
  }
  const of = (chat) => ({ ms: median(took.get(chat).ms), kb: Math.round(took.get(chat).bytes / 1_000) });
  const [full10, fullMany, small10, smallMany] = [...fills.keys()].map(of);
  const growth = limitRow(`8. turn start: ${many} messages beside 10, budget full`, fullMany.ms / full10.ms, 1.2, { unit: "×" });
  return [
    growth,
    noteRow(`8. … post to model request, ${many} messages (floor: 10), prompts of ${fullMany.kb} and ${full10.kb} kB`, fullMany.ms, { floor: full10.ms }),
    noteRow(`8. … short messages, prompts of ${smallMany.kb} and ${small10.kb} kB`, smallMany.ms, { floor: small10.ms }),
  ];
}

/** Writes a conversation into the file of each chat, which exists and has had one turn. */
async function fill(objects, fills) {
  const { DatabaseSync } = await import("node:sqlite");
  const open = new Set(fills.keys());
  for (const file of readdirSync(objects).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))) {
    const store = new DatabaseSync(join(objects, file));
    const settings = JSON.parse(store.prepare("SELECT value FROM setting WHERE key = 'settings'").get().value);
    const chat = Number(settings.session.split(":")[1]);
    const { messages, words } = fills.get(chat);
    const insert = store.prepare("INSERT INTO message (epoch, turn_id, tokens, body, created_at) VALUES (?, ?, ?, ?, ?)");
    store.exec("BEGIN");
    for (let index = 0; index < messages; index++) {
      const role = index % 2 ? "assistant" : "user";
      const text = `${index} ${"tide ".repeat(words)}`;
      // Four bytes a token, as the transcript estimates.
      insert.run(settings.epoch, 1_000 + (index >> 1), Math.ceil(text.length / 4) + 4, bodyLike(store, role, text), 1_790_000_000_000 + index);
    }
    store.exec("COMMIT");
    store.close();
    open.delete(chat);
  }
  if (open.size > 0) throw new Error("a chat's SQLite file was not found");
}

/** A stored message in the form the Worker has just stored one of that role. */
function bodyLike(store, role, text) {
  const { body } = store.prepare("SELECT body FROM message WHERE json_extract(body, '$.role') = ? LIMIT 1").get(role);
  const message = JSON.parse(body);
  const part = message.parts.find((each) => "text" in each);
  message.parts = [{ ...part, text }];
  return JSON.stringify(message);
}
