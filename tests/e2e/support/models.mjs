// What tests of several models have in common: picking one, asking it, and a look at what the Directory keeps about them.
// Deliberately not here: how the stand-ins behave (local-dev/models/).

import { SOON_MS } from "./world.mjs";

export const PROVIDERS = ["ollama", "gemini", "openai"];

/** Who owns the bots where people are told apart by their numbers. */
export const counter = (first = 1001) => () => first++;

/** Picks a model by its name. */
export async function use(person, model) {
  person.send(`/model ${model}`);
  await person.until(`✓ ${model} answers from now on.`);
}

/** Picks a model by its button, on whichever page of the menu it is. */
export async function pick(world, person, model) {
  person.send("/model");
  const menu = await person.until((m) => m.reply_markup);
  const buttons = () => person.replies().find((m) => m.message_id === menu.message_id).reply_markup.inline_keyboard.flat();
  const page = () => buttons().at(-2).text;
  const [, pages] = /^1\/(\d+)$/.exec(page()) ?? [0, 1];
  for (let turned = 1; turned < Number(pages) && !buttons().some((b) => b.text === model); turned++) {
    await person.press(menu, "›");
    await world.telegram.waitFor(() => page() === `${turned + 1}/${pages}`, SOON_MS);
  }
  return person.press(menu, model);
}

/** Says `text` and resolves with the newest message that came since and fits. */
export async function say(person, text, wanted, timeoutMs = SOON_MS) {
  const { message } = person.send(text);
  return newer(person, message.message_id, wanted, timeoutMs);
}

/** The newest message after that one that fits. */
export const newer = (person, id, wanted, timeoutMs = SOON_MS) =>
  person.until((m) => m.message_id > id && (typeof wanted === "string" ? m.text?.includes(wanted) : wanted.test(m.text)), timeoutMs);

/** Every request to a stand-in whose question has `text` in it, of all providers, in the order they came. */
export const askedAnywhere = (world, text) =>
  PROVIDERS.filter((name) => world[name])
    .flatMap((name) => world.asked(text, name).map((request) => ({ ...request, provider: name })))
    .sort((a, b) => a.at - b.at);

/** Rows of the Directory. */
export const directory = (world, query, ...params) => world.objects("Directory")[0].all(query, ...params);

/** A person's lines in the ledger, once `enough` of them. */
export async function ledger(world, person, enough = (rows) => rows.length > 0) {
  const rows = () => directory(world, "SELECT * FROM model_usage WHERE person = ? ORDER BY model", person.id);
  return eventually(() => [rows()].find(enough), `the ledger of ${person.id}`);
}

/** Polls until `look` returns something. */
export async function eventually(look, what, timeoutMs = SOON_MS) {
  for (const began = Date.now(); Date.now() - began < timeoutMs; ) {
    const found = look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
}
