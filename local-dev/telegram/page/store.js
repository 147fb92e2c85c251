// What the page knows: chats, messages, drafts, as told by /emulator/state and then by the event stream.
// Deliberately not here: the DOM.

export async function call(name, body) {
  const response = await fetch(`/emulator/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!answer.ok) throw new Error(answer.description);
  return answer.result;
}

export async function ask(name, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const answer = await (await fetch(`/emulator/${name}?${new URLSearchParams(given)}`)).json();
  if (!answer.ok) throw new Error(answer.description);
  return answer.result;
}

export const state = { bots: [], users: [], chats: new Map() };

/** One row of the chat list: a private dialog, a group, or a topic of a forum. */
export function conversations() {
  const rows = [];
  for (const bot of state.bots) {
    for (const user of state.users) {
      const key = `${bot.id}:${user.id}`;
      const several = state.bots.length > 1 ? ` @${bot.user.username}` : '';
      const topics = Object.entries(state.chats.get(key)?.topics ?? {});
      rows.push({ id: key, key, bot: bot.id, chat: user.id, isPrivate: true, name: user.first_name, about: `private chat with ${bot.user.first_name}${several}`, initial: user.first_name[0] });
      for (const [topic, { name }] of topics) rows.push({ id: `${key}#${topic}`, key, bot: bot.id, chat: user.id, topic: Number(topic), isPrivate: true, name: `# ${name}`, about: `topic of ${user.first_name}`, initial: '#' });
    }
  }
  for (const dialog of state.chats.values()) {
    if (dialog.chat.type === 'private') continue;
    const base = { key: dialog.key, bot: Object.keys(dialog.bots)[0] ?? state.bots[0].id, chat: dialog.chat.id, isPrivate: false, initial: dialog.chat.title[0] };
    const gone = Object.values(dialog.bots).every((status) => status === 'left' || status === 'kicked');
    rows.push({ ...base, id: dialog.key, name: dialog.chat.is_forum ? `${dialog.chat.title} · General` : dialog.chat.title, about: gone ? 'group without the bot' : dialog.chat.is_forum ? 'forum' : 'group', gone });
    for (const [topic, { name }] of Object.entries(dialog.topics)) rows.push({ ...base, id: `${dialog.key}#${topic}`, topic: Number(topic), name: `${dialog.chat.title} · ${name}`, about: 'topic', initial: '#', gone });
  }
  return rows;
}

export const threadOf = (message) => (message.is_topic_message ? message.message_thread_id : undefined);

export function messagesOf(conversation) {
  const dialog = state.chats.get(conversation.key);
  return dialog ? [...dialog.messages.values()].filter((m) => threadOf(m) === conversation.topic) : [];
}

export function draftsOf(conversation) {
  return (state.chats.get(conversation.key)?.drafts ?? []).filter((d) => d.message_thread_id === conversation.topic);
}

function dialogOf(key) {
  return state.chats.get(key);
}

function adopt(fresh) {
  Object.assign(state, { bots: fresh.bots, users: fresh.users, version: fresh.version });
  state.chats = new Map(fresh.chats.map((chat) => [chat.key, { ...chat, messages: new Map(chat.messages.map((m) => [m.message_id, m])) }]));
}

export async function load() {
  adopt(await ask('state'));
}

const changes = {
  message: (dialog, { message }) => dialog.messages.set(message.message_id, { reactions: {}, ...message }),
  edit: (dialog, { message }) => dialog.messages.set(message.message_id, { reactions: dialog.messages.get(message.message_id)?.reactions ?? {}, ...message }),
  delete: (dialog, { message_id }) => dialog.messages.delete(message_id),
  draft(dialog, { draft }) {
    const same = (d) => d.draft_id === draft.draft_id && d.message_thread_id === draft.message_thread_id;
    dialog.drafts = dialog.drafts.some(same) ? dialog.drafts.map((d) => (same(d) ? draft : d)) : [...dialog.drafts, draft];
  },
  draftGone: (dialog, { draft_id, message_thread_id }) => (dialog.drafts = dialog.drafts.filter((d) => d.draft_id !== draft_id || d.message_thread_id !== message_thread_id)),
  typing(dialog, { action, message_thread_id }) {
    clearTimeout(dialog.typingTimer);
    Object.assign(dialog, { typing: action, typingThread: message_thread_id });
  },
  reaction(dialog, { message_id, reactions }) {
    const message = dialog.messages.get(message_id);
    if (message) message.reactions = reactions;
  },
};

/**
 * Follows the event stream; `heard(type, data)` runs after the state has taken the event in. Events are taken one after
 * another, and those that arrive during a reload after it, so that an older snapshot never covers a newer event.
 */
export function follow(heard, linked) {
  const events = new EventSource('/emulator/events');
  let last = Promise.resolve();
  const inTurn = (run) => (last = last.then(run).catch((error) => console.error(error)));
  const reload = async () => {
    await load();
    heard('reload', {});
  };
  events.onopen = () => inTurn(async () => {
    await load();
    linked(true);
    heard('reload', {});
  });
  events.onerror = () => linked(false);
  const listen = (type, run) => events.addEventListener(type, (event) => inTurn(() => run(JSON.parse(event.data))));
  for (const [type, change] of Object.entries(changes)) {
    listen(type, async (data) => {
      if (!dialogOf(data.chat)) await load();
      const dialog = dialogOf(data.chat);
      if (!dialog) return;
      change(dialog, data);
      if (type === 'typing' && data.action) dialog.typingTimer = setTimeout(() => ((dialog.typing = null), heard('typing', data)), 5000);
      heard(type, data);
    });
  }
  for (const type of ['callbackAnswer', 'commands']) listen(type, (data) => heard(type, data));
  listen('chat', reload);
}
