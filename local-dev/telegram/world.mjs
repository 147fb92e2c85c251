// Who and what exists in the emulated Telegram: bots, users, dialogs with their messages, drafts and topics.
// Deliberately not here: rules of the Bot API (methods.mjs) and the sending of updates (delivery.mjs).

import { extname } from 'node:path';

export const DRAFT_LIFE_MS = 30_000;

const DEFAULT_USERS = [
  { id: 1001, first_name: 'You', username: 'you_owner', language_code: 'en' },
  { id: 1002, first_name: 'Guest', username: 'guest_person', language_code: 'en' },
];
const DEFAULT_GROUPS = [
  { id: -1001000000001, title: 'Family', is_forum: true, topics: { 2: 'Kitchen' }, members: [1001, 1002] },
  { id: -1001000000002, title: 'Small team', members: [1001, 1002] },
  { id: -1001000000003, title: 'Book club', members: [1001, 1002], bots: [] },
];

/** A bot of the emulator: `id` is our name for it ("main"), `user` the Telegram account. */
function makeBot(options, index) {
  const number = Number(/^\d+/.exec(options.token)?.[0] ?? 700_000_001 + index);
  return {
    id: options.id,
    token: options.token,
    user: { id: number, is_bot: true, first_name: options.name ?? options.username, username: options.username },
    privacy: options.privacy ?? true,
    topics: options.topics ?? false,
    webhook: { url: options.webhookUrl ?? '', secret: options.secret ?? '', allowed: options.allowedUpdates ?? [], maxConnections: 40 },
    commands: new Map(),
    // Grows from start to start: the Worker keeps its state meanwhile and drops ids it has seen.
    nextUpdateId: Math.floor(Date.now() / 100) + index * 1_000_000,
  };
}

export class World {
  /** @param {{bots: object[], users?: object[], groups?: object[], now: () => number, emit: (type: string, data: object) => void}} options */
  constructor({ bots, users = DEFAULT_USERS, groups = DEFAULT_GROUPS, now, emit }) {
    this.now = now;
    this.emit = emit;
    this.bots = new Map();
    this.users = new Map();
    this.dialogs = new Map();
    this.files = new Map();
    this.callbacks = new Map();
    this.nextPrivateMessageId = 1;
    this.nextSerial = 1;
    bots.forEach((bot, i) => this.bots.set(bot.id, makeBot(bot, i)));
    for (const user of users) this.addUser(user);
    for (const group of groups) this.addGroup(group);
  }

  serial() {
    return this.nextSerial++;
  }

  /** Seconds, as in every date of the Bot API. */
  date() {
    return Math.floor(this.now() / 1000);
  }

  bot(id) {
    const bot = id === undefined ? this.bots.values().next().value : this.bots.get(id);
    if (!bot) throw new RangeError(`no bot ${id}`);
    return bot;
  }

  addUser(user) {
    const known = this.users.get(user.id) ?? { is_bot: false, first_name: `Person ${user.id}`, language_code: 'en' };
    this.users.set(user.id, { ...known, ...user });
    return this.users.get(user.id);
  }

  user(id) {
    const user = this.users.get(id);
    if (!user) throw new RangeError(`no user ${id}`);
    return user;
  }

  /** @param {{id: number, title: string, type?: string, is_forum?: boolean, topics?: object, members?: number[], bots?: string[], username?: string}} group */
  addGroup({ id, title, type = 'supergroup', is_forum, topics = {}, members = [], bots, username }) {
    const chat = { id, type, title, ...(username && { username }), ...(is_forum && { is_forum: true }) };
    const dialog = this.#addDialog(String(id), chat);
    dialog.members = new Set(members);
    for (const botId of bots ?? this.bots.keys()) dialog.bots.set(botId, 'member');
    for (const [topic, name] of Object.entries(topics)) dialog.topics.set(Number(topic), { name, closed: false });
    this.emit('chat', { chat });
    return dialog;
  }

  #addDialog(key, chat) {
    const dialog = { key, chat, bots: new Map(), members: new Set(), topics: new Map(), messages: new Map(), drafts: new Map(), typing: new Map(), nextId: 1, started: false, blocked: false };
    this.dialogs.set(key, dialog);
    return dialog;
  }

  /** The private dialog of a user with a bot; made on first use. */
  privateDialog(bot, userId) {
    const key = `${bot.id}:${userId}`;
    const known = this.dialogs.get(key);
    if (known) return known;
    const { id, first_name, last_name, username } = this.user(userId);
    const dialog = this.#addDialog(key, { id, type: 'private', first_name, ...(last_name && { last_name }), ...(username && { username }) });
    dialog.bots.set(bot.id, 'member');
    dialog.members.add(userId);
    return dialog;
  }

  /** What a bot means by a chat id, or undefined. A private dialog exists once the user is known. */
  dialogFor(bot, chatId) {
    if (typeof chatId === 'string' && chatId.startsWith('@')) {
      return [...this.dialogs.values()].find((d) => d.chat.type !== 'private' && d.chat.username === chatId.slice(1));
    }
    const id = Number(chatId);
    if (this.users.has(id)) return this.privateDialog(bot, id);
    return this.dialogs.get(String(id));
  }

  nextMessageId(dialog) {
    return dialog.chat.type === 'private' ? this.nextPrivateMessageId++ : dialog.nextId++;
  }

  /** Stores a message and shows it. `message` has no message_id, chat or date yet. */
  post(dialog, message, extra = {}) {
    const full = { message_id: this.nextMessageId(dialog), ...message, chat: dialog.chat, date: this.date() };
    const record = { message: full, deleted: false, reactions: {}, history: [], at: this.now(), ...extra };
    dialog.messages.set(full.message_id, record);
    this.emit('message', { chat: dialog.key, message: full });
    return full;
  }

  change(dialog, record, fields) {
    record.history.push({ text: record.message.text, until: this.now() });
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) delete record.message[name];
      else record.message[name] = value;
    }
    this.emit('edit', { chat: dialog.key, message: record.message });
    return record.message;
  }

  remove(dialog, record) {
    record.deleted = true;
    this.emit('delete', { chat: dialog.key, message_id: record.message.message_id });
  }

  live(dialog, messageId) {
    const record = dialog.messages.get(messageId);
    return record && !record.deleted ? record : undefined;
  }

  setDraft(dialog, draft) {
    const key = `${draft.message_thread_id ?? 0}:${draft.draft_id}`;
    clearTimeout(dialog.drafts.get(key)?.timer);
    const known = dialog.drafts.get(key);
    const timer = setTimeout(() => this.dropDraft(dialog, key), DRAFT_LIFE_MS);
    timer.unref();
    const stored = { frames: 0, ...known, ...draft, timer, at: this.now() };
    stored.frames += 1;
    dialog.drafts.set(key, stored);
    this.emit('draft', { chat: dialog.key, draft: shownDraft(stored) });
  }

  dropDraft(dialog, key) {
    const draft = dialog.drafts.get(key);
    if (!draft) return;
    clearTimeout(draft.timer);
    dialog.drafts.delete(key);
    this.emit('draftGone', { chat: dialog.key, draft_id: draft.draft_id, message_thread_id: draft.message_thread_id });
  }

  /** A bot's message ends its drafts and its typing sign in the same topic. */
  endPreviews(dialog, bot, threadId) {
    for (const [key, draft] of dialog.drafts) {
      if (draft.bot === bot.id && (draft.message_thread_id ?? 0) === (threadId ?? 0)) this.dropDraft(dialog, key);
    }
    dialog.typing.delete(bot.id);
    this.emit('typing', { chat: dialog.key, action: null, message_thread_id: threadId });
  }

  addFile({ bytes, name = 'file.bin', mime = 'application/octet-stream', size }) {
    const serial = this.serial();
    const file_id = `file-${serial}-${Math.random().toString(36).slice(2, 10)}`;
    const file = { file_id, file_unique_id: `unique-${serial}`, file_size: size ?? bytes.length, file_path: `documents/file_${serial}${extname(name)}`, name, mime, bytes };
    this.files.set(file_id, file);
    return file;
  }

  close() {
    for (const dialog of this.dialogs.values()) for (const draft of dialog.drafts.values()) clearTimeout(draft.timer);
  }
}

export const shownDraft = ({ timer, ...draft }) => draft;
