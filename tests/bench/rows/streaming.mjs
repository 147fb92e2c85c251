// Rows 3 and 4: a model at a usual pace, Telegram at a usual distance, without and with Telegram's limit for one chat.
//
// Times are arrivals at Telegram, so the 50 ms a call takes are not in them. Floor (b) runs along for comparison: it has
// no drafts to get in its way.

import { limitRow, median } from "../figures.mjs";
import { chats, exchange, sleep } from "../world.mjs";

const USUAL = { telegramMs: 50, firstTokenMs: 400, tokensPerSecond: 60, tokens: 150 };
/** Apart, so that the chats of a round do not all do the same thing at the same moment. */
const STAGGER_MS = 150;

async function measure({ world, start, quick }, settings) {
  const contenders = [await start("ours"), await start("bot")];
  const list = chats(quick ? 3 : 6);
  for (const contender of contenders) for (const chat of list) await exchange(world, contender, chat);
  await world.set({ ...USUAL, ...settings });
  const seen = { ours: [], bot: [] };
  for (let round = 0; round < (quick ? 1 : 4); round++) {
    const turns = list.flatMap((chat, index) =>
      contenders.map(async (contender) => {
        await sleep(index * STAGGER_MS);
        seen[contender.name].push(await exchange(world, contender, chat));
      }),
    );
    await Promise.all(turns);
    await world.quiet(1_100);
  }
  await world.set({ telegramMs: 0, firstTokenMs: 0, tokensPerSecond: 0, tokens: 12, spacingMs: 0 });
  const finals = (name) => median(seen[name].map(({ answeredAt, turn }) => answeredAt - turn.lastByteAt));
  const first = median(seen.ours.map(({ turn }) => (turn.firstDraftAt || Infinity) - turn.firstTokenAt));
  const sum = (field) => seen.ours.reduce((total, { turn }) => total + turn[field], 0) / seen.ours.length;
  return { first, ours: finals("ours"), bot: finals("bot"), drafts: sum("drafts"), refused: sum("refused") };
}

export async function unlimited(bench) {
  const { first, ours, bot, drafts } = await measure(bench, {});
  return [
    limitRow(`3. first words after the first token (${drafts.toFixed(1)} drafts a turn)`, first, 50),
    limitRow("3. final message after the model's last byte", ours, 20, { floor: bot }),
  ];
}

/** One message a second in a chat: sends and edits share it; drafts have an equal one of their own. */
export async function limited(bench) {
  const { first, ours, bot, drafts, refused } = await measure(bench, { spacingMs: 1_000 });
  const what = `one message a second (${drafts.toFixed(1)} drafts a turn, ${refused.toFixed(1)} calls refused)`;
  return [
    limitRow(`4. final message after the model's last byte, ${what}`, ours, 100, { floor: bot }),
    limitRow("4. first words after the first token", first, 50),
  ];
}
