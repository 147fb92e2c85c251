// Rows 6 and 7: what messages cost. 2,000 messages over 200 chats, ten chats at a time, in two fresh processes.
//
// CPU time is the runtime's own (user and system), without the first message of each chat, which is its admission.

import { cpuMs, memoryMb, noteRow, ratioRow } from "../figures.mjs";
import { chats, exchange, sleep } from "../world.mjs";

const AT_ONCE = 10;
const REST_MS = 1_500;

export async function cost({ world, start, quick, rows: wanted }) {
  const contenders = [await start("ours"), await start("bot")];
  const list = chats(quick ? 40 : 200);
  const rounds = quick ? 4 : 10;
  const used = { ours: 0, bot: 0 };
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 ? [...contenders].reverse() : contenders) {
      const before = cpuMs(contender.pid);
      const queue = [...list];
      const worker = async () => {
        for (let chat = queue.pop(); chat; chat = queue.pop()) await exchange(world, contender, chat);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      await world.quiet(50);
      if (round > 0) used[contender.name] += cpuMs(contender.pid) - before;
    }
  }
  const thousands = ((rounds - 1) * list.length) / 1_000;
  await sleep(REST_MS);
  const [mine, floor] = contenders.map(({ pid }) => memoryMb(pid));
  return [
    ratioRow("6. CPU time per 1,000 messages", used.ours / thousands, used.bot / thousands, 1.6),
    ratioRow(`7. memory after ${rounds * list.length} messages in ${list.length} chats, RSS`, mine.rss, floor.rss, 1.3, { unit: "MB" }),
    noteRow("7. … PSS", mine.pss, { floor: floor.pss, unit: "MB" }),
  ].filter(({ row }) => wanted.includes(Number(row[0])));
}
