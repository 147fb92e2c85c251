// Rows 3 and 4: a model at a usual pace, Telegram at a usual distance, without and with Telegram's limit for one chat.
//
// Times are arrivals at Telegram, so the 50 ms a call takes are not in them. Floor (b) runs along for comparison: it has
// no drafts to get in its way.

import { limitRow, median, noteRow } from "../figures.mjs";
import { chats, exchange, sleep } from "../world.mjs";

const USUAL = { telegramMs: 50, firstTokenMs: 400, tokensPerSecond: 60 };
/** Tokens of an answer by round: how an answer's end meets the pace of the drafts must not be left to one length. */
const LENGTHS = [150, 110, 190, 130, 170];
const INSTANT = { telegramMs: 0, firstTokenMs: 0, tokensPerSecond: 0, tokens: 12, spacingMs: 0 };
/** Apart, so that the chats of a round do not all do the same thing at the same moment. */
const STAGGER_MS = 150;

async function measure({ world, start, quick }, settings) {
  const contenders = [await start("ours"), await start("bot")];
  const list = chats(quick ? 3 : 6);
  for (const contender of contenders) for (const chat of list) await exchange(world, contender, chat);
  const seen = { ours: [], bot: [] };
  for (const tokens of quick ? LENGTHS.slice(0, 2) : LENGTHS) {
    await world.set({ ...USUAL, ...settings, tokens });
    const turns = list.flatMap((chat, index) =>
      contenders.map(async (contender) => {
        await sleep(index * STAGGER_MS);
        seen[contender.name].push(await exchange(world, contender, chat));
      }),
    );
    await Promise.all(turns);
    await world.quiet(1_100);
  }
  await world.set(INSTANT);
  const finals = (name, pick) => pick(seen[name].map(({ answeredAt, turn }) => answeredAt - turn.lastByteAt));
  const slowest = (values) => Math.max(...values);
  const first = median(seen.ours.map(({ turn }) => (turn.firstDraftAt || Infinity) - turn.firstTokenAt));
  const sum = (field) => seen.ours.reduce((total, { turn }) => total + turn[field], 0) / seen.ours.length;
  return {
    first,
    ours: finals("ours", median),
    bot: finals("bot", median),
    oursSlowest: finals("ours", slowest),
    botSlowest: finals("bot", slowest),
    drafts: sum("drafts"),
    refused: sum("refused"),
  };
}

export async function unlimited(bench) {
  const { first, ours, bot, oursSlowest, botSlowest, drafts } = await measure(bench, {});
  return [
    limitRow(`3. first words after the first token (${drafts.toFixed(1)} drafts a turn)`, first, 50),
    limitRow("3. final message after the model's last byte", ours, 20, { floor: bot }),
    noteRow("3. … slowest", oursSlowest, { floor: botSlowest }),
  ];
}

/** One message a second in a chat: sends and edits share it; drafts have an equal one of their own. */
export async function limited(bench) {
  const { first, ours, bot, oursSlowest, botSlowest, drafts, refused } = await measure(bench, { spacingMs: 1_000 });
  const what = `one message a second (${drafts.toFixed(1)} drafts a turn, ${refused.toFixed(1)} calls refused)`;
  return [
    limitRow(`4. final message after the model's last byte, ${what}`, ours, 100, { floor: bot }),
    noteRow("4. … slowest", oursSlowest, { floor: botSlowest }),
    limitRow("4. first words after the first token", first, 50),
  ];
}
