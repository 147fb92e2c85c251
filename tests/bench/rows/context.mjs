// Row 8: does a long conversation make a turn slower? From the post to the arrival of the model request, end to end, in a
// chat with 12 and in one with 10,000 messages, written into their SQLite files by the schema of migrations/chat/.
//
// The mark is on conversations of long messages: 12 of about 1,150 tokens, or 10,000 such. Both are compacted in the
// first exchanges, before anything is measured, and after that the prompts are of one size: only the size of the store
// differs. With short messages 10,000 are compacted and 12 are not: that row has no mark.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { limitRow, median, noteRow } from "../figures.mjs";
import { chats, exchange, sleep } from "../world.mjs";

const PAUSE_MS = 5;
/** Enough long messages to be compacted. */
const FEW = 12;

export async function context({ world, start, newFolder, quick }) {
  const folder = newFolder();
  const [shortFull, longFull, shortSmall, longSmall] = chats(4);
  const many = quick ? 2_000 : 10_000;
  const fills = new Map([
    [shortFull, { messages: FEW, words: 920 }],
    [longFull, { messages: many, words: 920 }],
    [shortSmall, { messages: FEW, words: 24 }],
    [longSmall, { messages: many, words: 24 }],
  ]);
  let ours = await start("ours", { folder });
  for (const chat of fills.keys()) await exchange(world, ours, chat);
  await world.quiet(200);
  await ours.close();
  await fill(join(folder, "do", "bench-Chat"), fills);

  ours = await start("ours", { folder });
  for (const chat of fills.keys()) for (let index = 0; index < 3; index++) await exchange(world, ours, chat);
  // Compactions run when nobody waits.
  await world.quiet(300);
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
  const [fullFew, fullMany, smallFew, smallMany] = [...fills.keys()].map(of);
  const growth = limitRow(`8. turn start: ${many} messages beside ${FEW}, both compacted`, fullMany.ms / fullFew.ms, 1.2, { unit: "×" });
  return [
    growth,
    noteRow(`8. … post to model request, ${many} messages (floor: ${FEW}), prompts of ${fullMany.kb} and ${fullFew.kb} kB`, fullMany.ms, { floor: fullFew.ms }),
    noteRow(`8. … short messages, prompts of ${smallMany.kb} and ${smallFew.kb} kB`, smallMany.ms, { floor: smallFew.ms }),
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
