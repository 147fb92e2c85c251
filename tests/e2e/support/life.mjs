// A little of everything an operator can see, in words of the caller's choosing: conversations that went well and badly, a
// file, a group, people who were turned away, an invite that was used, an agent, versions of the configuration, a backup.
// Deliberately not here: what is looked at afterwards.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { SOON_MS } from "./world.mjs";

export const [OWNER, WAITING, BLOCKED, INVITED, MEMBER] = [1001, 4001, 4002, 4003, 5001];
export const GROUP = -1002000000042;

const WORDS = {
  question: "What is the tide?",
  answer: "It is high.",
  trouble: "no such tool",
  person: "Ben",
  surname: "Lee",
  username: "ben_lee",
  group: "Sea and Sand",
  file: "list.txt",
  note: "for Nina",
  agent: { name: "Tutor", persona: "You teach.\nIn small steps." },
};

/** Polls until `look` gives something. */
export async function until(look, what, timeoutMs = 60_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    assert.ok(Date.now() < end, `waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(100);
  }
}

/**
 * Lives in `world`, which has to have `access: true, owners: [OWNER], groups: []`. `words`: instead of `WORDS`.
 * Resolves to names and numbers of what came to be.
 */
export async function live(world, words = {}) {
  const say = { ...WORDS, ...words };
  const api = async (path, body) => {
    const { status, json, text } = await world.admin(`/api/${path}`, body && { body });
    assert.equal(status, 200, `${path}: ${text}`);
    return json;
  };
  const stranger = (id) => {
    world.telegram.setUser({ id, first_name: say.person, last_name: say.surname, username: `${say.username}${id}`, language_code: "en" });
    return world.person(id);
  };
  world.telegram.setBot({ bot: "main", privacy: false });

  const owner = world.person(OWNER);
  // What is Markdown in an answer is none any more in the chat.
  await owner.ask(say.question, { answer: say.answer });
  await owner.until(say.answer.slice(0, 7));
  world.ollama.script({ match: "list of mine", answer: "A list." });
  owner.send({ document: { content: "tea\n", file_name: say.file, mime_type: "text/plain" }, text: "This list of mine" });
  await owner.until("A list.");
  world.ollama.script({ match: "Please fail", status: 400, body: { error: say.trouble }, times: 9 });
  owner.send(`Please fail: ${say.question}`);
  await owner.until("⚠️");

  stranger(WAITING).send("Hello?");
  await owner.until((m) => m.reply_markup && m.text.includes(`id ${WAITING}`));
  const blocked = stranger(BLOCKED);
  blocked.send("Hello?");
  await owner.until((m) => m.reply_markup && m.text.includes(`id ${BLOCKED}`));
  await api(`people/main/${BLOCKED}/block`, {});
  blocked.send("Hello again?");
  await until(async () => (await api("refusals")).refusals.some((one) => one.user_id === BLOCKED && one.reason === "blocked"), "the refusal");

  const invite = await api("invites", { bot: "main", note: say.note, uses: 2 });
  stranger(INVITED).send(`/start ${new URL(invite.link).searchParams.get("start")}`);
  await until(async () => (await api("invites")).invites[0].used === 1, "the guest");

  world.telegram.setUser({ id: MEMBER, first_name: say.person, language_code: "en" });
  world.telegram.addGroup({ id: GROUP, title: say.group, members: [OWNER, MEMBER], bots: [] });
  world.telegram.addBot({ chat: GROUP, from: OWNER });
  await until(async () => (await api("groups")).groups.length, "the group");
  await api(`groups/main/${GROUP}/admit`, {});
  world.ollama.script({ match: "are you there", answer: say.answer });
  world.telegram.send({ chat: GROUP, from: MEMBER, text: `@tide_main_bot are you there? ${say.question}` });
  await until(() => world.group(GROUP).texts().length, "an answer in the group", SOON_MS);
  world.telegram.send({ chat: GROUP, from: MEMBER, text: "not for the bot" });

  const { version: base } = await api("settings");
  await api("agents/tutor", { base, ...say.agent, emoji: "🎓", model: "ollama/plain:1b", fallbacks: [], thinking: "low", tools: "none" });
  await api("bindings", { base: base + 1, bot: "main", chat: GROUP, agent: "tutor" });
  const { document } = await api("settings");
  await api("settings", { base: base + 2, document: { ...document, budget: { day_usd: 2.5 } }, note: say.note });
  await api("settings/rollback", { base: base + 3, version: base + 2 });

  const session = `main:${OWNER}`;
  const group = `main:${GROUP}`;
  const below = (what) => api(`conversations/${encodeURIComponent(session)}/${what}`);
  const { turns } = await until(async () => [await below("turns")].find(({ turns }) => turns[0].state === "failed"), "the failed turn");
  await until(async () => (await api("conversations")).conversations.length === 2, "the index");
  await until(async () => (await api("logs")).events.length, "the log");
  return { session, group, api, failed: turns[0].id, answered: turns.at(-1).id, invite: invite.id, version: base + 4, owner };
}

/** Backs up; resolves to the manifest's key. */
export async function backUp({ api }) {
  const { runs } = await api("backups", {});
  const view = await until(async () => [await api("backups")].find((view) => view.runs.find((run) => run.id === runs[0].id).state !== "open"), "the backup");
  assert.equal(view.runs[0].state, "done");
  return view.usual_manifest;
}
