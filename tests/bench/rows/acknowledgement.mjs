// Row 1: how soon an update is acknowledged, beside floor (a). Never the first update of a chat: that one asks the
// Directory who is there.
//
// Contenders take turns at every message. Ours answers each message in full before the next is posted, so that the turn
// of one does not weigh on the acknowledgement of the other; while the model hangs there is nothing to wait for.

import { median, percentile, ratioRow } from "../figures.mjs";
import { chats, exchange, post, sleep } from "../world.mjs";

const PAUSE_MS = 8;

export async function acknowledgement({ world, start, quick }) {
  const [ours, floor] = [await start("ours"), await start("ack")];
  const many = chats(quick ? 20 : 100);
  const one = chats(1, 150);
  const count = quick ? 40 : 250;
  for (const chat of [...many, ...one]) {
    await exchange(world, ours, chat);
    await post(floor, chat);
  }

  const measure = async (list, answered) => {
    const took = { ours: [], ack: [] };
    for (let index = 0; index < count; index++) {
      const chat = list[index % list.length];
      const first = async () => took.ours.push((await (answered ? exchange(world, ours, chat) : post(ours, chat))).ackMs);
      const second = async () => took.ack.push((await post(floor, chat)).ackMs);
      for (const turn of index % 2 ? [second, first] : [first, second]) {
        await turn();
        await sleep(PAUSE_MS);
      }
    }
    return took;
  };

  const rows = [];
  const report = (what, { ours: mine, ack }) => {
    rows.push(ratioRow(`1. acknowledgement p50, ${what}`, median(mine), median(ack), 1.5));
    rows.push(ratioRow(`1. acknowledgement p95, ${what}`, percentile(mine, 0.95), percentile(ack, 0.95), 1.5));
  };
  report("different chats", await measure(many, true));
  report("one chat", await measure(one, true));
  await world.set({ hold: true });
  report("different chats, model hangs", await measure(many, false));
  report("one chat, model hangs", await measure(one, false));
  await world.set({ hold: false });
  await world.quiet(300);
  return rows;
}
