// What people and the world do, as functions: send, edit, press, stop, block, add the bot …, and what tests look at.
// Every function takes one plain object, so that POST /emulator/<name> is the same thing (routes.mjs).
// Deliberately not here: what bots do (methods.mjs).

import { checkObject } from './schema.mjs';
import { contentOf, splitLikeApp } from './compose.mjs';
import { menuFor } from './methods-bot.mjs';
import { badRequest } from './errors.mjs';
import { makeWaiting } from './waiting.mjs';
import { shownDraft } from './world.mjs';

const MAX_APP_MESSAGE = 4096;

/** @param {import('./emulator.mjs').Emulator} emulator */
export function makeControl(emulator) {
  const { world, delivery, faults, limits } = emulator;

  /** The dialog a person means. A positive id is their private dialog with the bot; a new one is a new person. */
  function dialogOf({ bot, chat, from }) {
    const theBot = world.bot(bot);
    for (const id of [chat, from]) if (Number.isInteger(id) && id > 0 && !world.users.has(id)) world.addUser({ id });
    const dialog = chat === undefined || chat > 0 ? world.privateDialog(theBot, chat ?? from) : world.dialogs.get(String(chat));
    if (!dialog) throw badRequest(`no chat ${chat}`);
    return { theBot, dialog };
  }

  const sender = (dialog, from) => world.user(from ?? (dialog.chat.type === 'private' ? dialog.chat.id : [...dialog.members][0]));

  /** Whether privacy mode lets a group message through to a bot. */
  function sees(bot, dialog, message) {
    if (dialog.chat.type === 'private' || !bot.privacy || dialog.bots.get(bot.id) === 'administrator') return true;
    if (message.reply_to_message?.from.id === bot.user.id) return true;
    const text = message.text ?? message.caption ?? '';
    const name = `@${bot.user.username}`.toLowerCase();
    return (message.entities ?? message.caption_entities ?? []).some((e) => {
      const part = text.slice(e.offset, e.offset + e.length).toLowerCase();
      if (e.type === 'bot_command') return part.endsWith(name) || !part.includes('@');
      return (e.type === 'mention' && part === name) || (e.type === 'text_mention' && e.user.id === bot.user.id);
    });
  }

  /** Pushes an update to each bot of the dialog that may see it; returns the update ids. */
  function tell(dialog, body, visible = () => true) {
    const ids = [];
    for (const [botId, status] of dialog.bots) {
      const bot = world.bot(botId);
      if (status === 'left' || status === 'kicked' || !visible(bot)) continue;
      const update = delivery.push(bot, body);
      if (!update) continue;
      const wrong = checkObject('Update', update);
      if (wrong) throw new Error(`the emulator made a wrong update: ${wrong}`);
      ids.push(update.update_id);
    }
    return ids;
  }

  function replyFields(dialog, { reply_to, quote }) {
    if (reply_to === undefined) return {};
    const record = world.live(dialog, reply_to);
    if (!record) throw badRequest(`no message ${reply_to} to reply to`);
    const { reply_to_message, ...message } = record.message;
    if (quote === undefined) return { reply_to_message: message };
    const text = typeof quote === 'string' ? quote : quote.text;
    const position = quote.position ?? Math.max(0, (message.text ?? message.caption ?? '').indexOf(text));
    return { reply_to_message: message, quote: { text, position, is_manual: true } };
  }

  function sendOne(spec) {
    const { dialog } = dialogOf(spec);
    const from = sender(dialog, spec.from);
    if (dialog.chat.type === 'private') {
      if (dialog.blocked) throw badRequest('the user has blocked the bot');
      dialog.started = true;
    }
    if (spec.topic !== undefined && !dialog.topics.has(spec.topic)) throw badRequest(`no topic ${spec.topic}`);
    const topic = spec.topic === undefined ? {} : { message_thread_id: spec.topic, is_topic_message: true };
    const message = world.post(dialog, { from, ...topic, ...replyFields(dialog, spec), ...contentOf(world, spec) });
    return { message, update_ids: tell(dialog, { message }, (bot) => sees(bot, dialog, message)) };
  }

  const together = (results) => ({ message: results[0].message, messages: results.map((r) => r.message), update_ids: results.flatMap((r) => r.update_ids) });

  /**
   * A person sends a message. Long texts are split as the apps do; `album: [{photo: true}, …]` sends one media group.
   * @param {{bot?: string, chat?: number, from?: number, topic?: number, text?: string, caption?: string, entities?: object[],
   *   photo?: any, voice?: any, document?: any, reply_to?: number, quote?: any, forward?: any, media_group_id?: string,
   *   album?: object[], message?: object}} spec
   */
  function send(spec) {
    const { album, ...rest } = spec;
    if (album) {
      const media_group_id = spec.media_group_id ?? `album-${world.serial()}`;
      return together(album.map((item, i) => sendOne({ ...rest, caption: i === 0 ? spec.text : undefined, text: undefined, media_group_id, ...item })));
    }
    const isMedia = ['photo', 'voice', 'document'].some((kind) => spec[kind]);
    if (!isMedia && (spec.text?.length ?? 0) > MAX_APP_MESSAGE) return together(splitLikeApp(spec.text).map((text) => sendOne({ ...spec, text })));
    return together([sendOne(spec)]);
  }

  /** A person edits their message. `silent: true` leaves the content and only resends the update, as hidden changes do. */
  function edit({ message_id, text, silent = false, ...spec }) {
    const { dialog } = dialogOf(spec);
    const record = world.live(dialog, message_id);
    if (!record) throw badRequest(`no message ${message_id}`);
    if (!silent) {
      const { text: newText, entities } = contentOf(world, { text });
      const isCaption = record.message.text === undefined;
      world.change(dialog, record, { [isCaption ? 'caption' : 'text']: newText, [isCaption ? 'caption_entities' : 'entities']: entities, edit_date: world.date() });
    }
    const message = record.message;
    return { message, update_ids: tell(dialog, { edited_message: message }, (bot) => sees(bot, dialog, message)) };
  }

  /** A person deletes a message; bots hear nothing of it. */
  function remove({ message_id, ...spec }) {
    const { dialog } = dialogOf(spec);
    const record = world.live(dialog, message_id);
    if (record) world.remove(dialog, record);
    return { removed: Boolean(record) };
  }

  /** Presses an inline button, named by data, by text or by row and col. `data` alone may also be one no button has, if `force`. */
  function press({ message_id, data, text, row, col, from, force = false, ...spec }) {
    const { dialog } = dialogOf({ ...spec, from });
    const record = dialog.messages.get(message_id);
    if (!record) throw badRequest(`no message ${message_id}`);
    const rows = record.message.reply_markup?.inline_keyboard ?? [];
    const button = row !== undefined ? rows[row]?.[col ?? 0] : rows.flat().find((b) => (data !== undefined ? b.callback_data === data : b.text === text));
    const pressed = button?.callback_data ?? (force ? data : undefined);
    if (pressed === undefined) throw badRequest(`message ${message_id} has no such callback button`);
    const owner = [...world.bots.values()].find((b) => b.user.id === record.message.from.id);
    if (!owner) throw badRequest(`message ${message_id} is not from a bot`);
    const user = sender(dialog, from);
    const id = String(4_000_000_000 + world.serial());
    world.callbacks.set(id, { bot: owner.id, chat: dialog.key, from: user.id, at: world.now(), answer: null });
    const { reply_to_message, ...message } = record.message;
    const shown = record.deleted ? { chat: dialog.chat, message_id, date: 0 } : message;
    const callback_query = { id, from: user, message: shown, chat_instance: `instance-${dialog.key}`, data: pressed };
    return { callback_query_id: id, update_ids: tell(dialog, { callback_query }, (bot) => bot === owner) };
  }

  /** The native Stop button of a draft. Without draft_id: the newest draft that can be stopped. */
  function stopDraft({ draft_id, ...spec }) {
    const { theBot, dialog } = dialogOf(spec);
    const entry = [...dialog.drafts].findLast(([, d]) => d.can_stop && d.bot === theBot.id && (draft_id === undefined || d.draft_id === draft_id));
    if (!entry) throw badRequest('no draft that can be stopped');
    const [key, draft] = entry;
    if (!draft.keep_on_stop) world.dropDraft(dialog, key);
    const topic = draft.message_thread_id === undefined ? {} : { message_thread_id: draft.message_thread_id };
    const stopped_message_generation = { chat: dialog.chat, ...topic, draft_id: draft.draft_id };
    return { draft_id: draft.draft_id, text: draft.text ?? null, update_ids: tell(dialog, { stopped_message_generation }, (bot) => bot === theBot) };
  }

  function membership(spec, oldStatus, newStatus) {
    const { theBot, dialog } = dialogOf(spec);
    const member = (status) => (status === 'kicked' ? { status, user: theBot.user, until_date: 0 } : { status, user: theBot.user });
    const from = sender(dialog, spec.from);
    const update = delivery.push(theBot, { my_chat_member: { chat: dialog.chat, from, date: world.date(), old_chat_member: member(oldStatus), new_chat_member: member(newStatus) } });
    emulator.emit('chat', { chat: dialog.chat });
    return { update_ids: update ? [update.update_id] : [] };
  }

  function addBot(spec) {
    const { theBot, dialog } = dialogOf(spec);
    const before = dialog.bots.get(theBot.id) ?? 'left';
    dialog.bots.set(theBot.id, 'member');
    return membership(spec, before, 'member');
  }

  function removeBot(spec) {
    const { theBot, dialog } = dialogOf(spec);
    dialog.bots.set(theBot.id, 'kicked');
    return membership(spec, 'member', 'kicked');
  }

  const setBlocked = (blocked) => (spec) => {
    dialogOf(spec).dialog.blocked = blocked;
    return membership(spec, blocked ? 'member' : 'kicked', blocked ? 'kicked' : 'member');
  };

  /** A person reacts; the update reaches only bots that asked for it. */
  function react({ message_id, emoji, from, ...spec }) {
    const { dialog } = dialogOf({ ...spec, from });
    const user = sender(dialog, from);
    const record = world.live(dialog, message_id);
    if (!record) throw badRequest(`no message ${message_id}`);
    const old_reaction = record.reactions[user.id] ?? [];
    const new_reaction = emoji ? [{ type: 'emoji', emoji }] : [];
    record.reactions[user.id] = new_reaction;
    emulator.emit('reaction', { chat: dialog.key, message_id, reactions: record.reactions });
    return { update_ids: tell(dialog, { message_reaction: { chat: dialog.chat, message_id, user, date: world.date(), old_reaction, new_reaction } }) };
  }

  /** Posts any JSON (or string) to the webhook once; no queue, no retry. `secret: null` leaves the header out. */
  async function raw({ bot, update, url, secret, headers }) {
    const theBot = world.bot(bot);
    const began = performance.now();
    const answer = await delivery.post(theBot, update, { url: url ?? theBot.webhook.url, secret: secret === undefined ? theBot.webhook.secret : secret, headers });
    return { ...answer, ms: performance.now() - began };
  }

  /** A chat as people see it. */
  function chat(spec) {
    const { dialog } = dialogOf(typeof spec === 'object' ? spec : { chat: Number(spec) });
    return show(dialog);
  }

  function show(dialog) {
    const records = [...dialog.messages.values()];
    const full = (r) => ({ ...r.message, reactions: r.reactions, history: r.history, silent: r.silent ?? false });
    return {
      key: dialog.key,
      chat: dialog.chat,
      topics: Object.fromEntries(dialog.topics),
      messages: records.filter((r) => !r.deleted).map(full),
      deleted: records.filter((r) => r.deleted).map(full),
      drafts: [...dialog.drafts.values()].map(shownDraft),
      typing: [...dialog.typing.values()].find((t) => t.until > world.now())?.action ?? null,
      blocked: dialog.blocked,
      bots: Object.fromEntries(dialog.bots),
    };
  }

  /** Everything, for the chat page. */
  function state() {
    return {
      version: emulator.version,
      bots: [...world.bots.values()].map(({ id, user, topics, privacy, webhook }) => ({ id, user, topics, privacy, hasWebhook: webhook.url !== '' })),
      users: [...world.users.values()],
      chats: [...world.dialogs.values()].map(show),
      limits: limits.options,
      latencyMs: emulator.latencyMs,
    };
  }

  /** The command menu a person sees. */
  function menu({ from, ...spec }) {
    const { theBot, dialog } = dialogOf({ ...spec, from });
    return menuFor(theBot, dialog.chat, sender(dialog, from));
  }

  const { calls, waitFor, waitForCall } = makeWaiting(emulator);

  return {
    send,
    edit,
    remove,
    press,
    stopDraft,
    addBot,
    removeBot,
    block: setBlocked(true),
    unblock: setBlocked(false),
    react,
    raw,
    chat,
    state,
    menu,
    calls,
    waitFor,
    waitForCall,
    /** Attempts to deliver updates, oldest first. */
    deliveries: () => delivery.log.slice(),
    callback: ({ callback_query_id }) => world.callbacks.get(callback_query_id) ?? null,
    setUser: (user) => world.addUser(user),
    addGroup: (group) => world.addGroup(group).chat,
    setMemberStatus: ({ status, ...spec }) => {
      const { theBot, dialog } = dialogOf(spec);
      dialog.bots.set(theBot.id, status);
      return { status };
    },
    setTopic: ({ topic, name, closed = false, removed = false, ...spec }) => {
      const { dialog } = dialogOf(spec);
      if (removed) dialog.topics.delete(topic);
      else dialog.topics.set(topic, { name: name ?? dialog.topics.get(topic)?.name ?? `Topic ${topic}`, closed });
      return Object.fromEntries(dialog.topics);
    },
    migrate: ({ to, ...spec }) => {
      const { dialog } = dialogOf(spec);
      dialog.migratedTo = to;
      world.addGroup({ id: to, title: dialog.chat.title, members: [...dialog.members], bots: [...dialog.bots.keys()] });
      return { to };
    },
    setBot: ({ bot, privacy, topics, webhookUrl, secret, allowedUpdates }) => {
      const theBot = world.bot(bot);
      if (privacy !== undefined) theBot.privacy = privacy;
      if (topics !== undefined) theBot.topics = topics;
      if (secret !== undefined) theBot.webhook.secret = secret;
      if (allowedUpdates !== undefined) theBot.webhook.allowed = allowedUpdates;
      if (webhookUrl !== undefined) theBot.webhook.url = webhookUrl;
      delivery.wake(theBot);
      return { id: theBot.id, privacy: theBot.privacy, topics: theBot.topics };
    },
    addFile: ({ base64, content, ...file }) => {
      const { bytes, ...made } = world.addFile({ ...file, bytes: Buffer.from(base64 ?? content ?? '', base64 === undefined ? 'utf8' : 'base64') });
      return made;
    },
    setLimits: (options) => limits.set(options),
    setLatency: ({ ms }) => ({ ms: (emulator.latencyMs = ms) }),
    faults: {
      add: (...rules) => faults.add(...rules),
      list: () => faults.list(),
      clear: () => faults.clear(),
    },
  };
}
