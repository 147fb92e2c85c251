// Rows 2 and 5: upstreams that answer at once. What is left is our own time, and how much of it fits into a second.

import { median, percentile, noteRow, ratioRow } from "../figures.mjs";
import { chats, exchange, now } from "../world.mjs";

/** Row 2: from the post to the arrival of the final message, less what the model took. */
export async function latency({ world, start, quick }) {
  const contenders = [await start("ours"), await start("bot")];
  const list = chats(20);
  const rounds = quick ? 40 : 250;
  const took = { ours: [], bot: [] };
  for (let round = -list.length; round < rounds; round++) {
    const chat = list[(round + list.length) % list.length];
    for (const contender of round % 2 ? contenders : [...contenders].reverse()) {
      const { postedAt, answeredAt, turn } = await exchange(world, contender, chat);
      // The first round through all chats is warm-up.
      if (round >= 0) took[contender.name].push(answeredAt - postedAt - (turn.lastByteAt - turn.requestAt));
    }
  }
  const p95 = (values) => percentile(values, 0.95);
  return [
    ratioRow("2. whole turn, instant upstreams, p50", median(took.ours), median(took.bot), 1.5),
    noteRow("2. … p95", p95(took.ours), { floor: p95(took.bot) }),
  ];
}

/** Row 5: 40 people who write again as soon as they are answered. */
export async function throughput({ world, start, quick }) {
  const contenders = [await start("ours"), await start("bot")];
  const list = chats(40);
  const [rounds, each] = quick ? [1, 5] : [4, 10];
  const rates = { ours: [], bot: [] };
  const burst = async (contender, times) => {
    const began = now();
    const person = async (chat) => {
      for (let index = 0; index < times; index++) await exchange(world, contender, chat);
    };
    await Promise.all(list.map(person));
    return (list.length * times * 1_000) / (now() - began);
  };
  for (const contender of contenders) await burst(contender, 2);
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 ? [...contenders].reverse() : contenders) {
      rates[contender.name].push(await burst(contender, each));
    }
  }
  return [ratioRow("5. 40 chats at once", median(rates.ours), median(rates.bot), 0.7, { unit: "messages/s", atLeast: true })];
}
