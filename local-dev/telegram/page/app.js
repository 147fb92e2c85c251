// The page: which chat is open, its messages kept in step with the events, and what clicks on them do.
// Deliberately not here: how a message looks (render.js), the lower part (composer.js), what is known (store.js).

import { bubble, draftBubble, el, lengthOf } from './render.js';
import { ask, call, conversations, draftsOf, follow, messagesOf, state, threadOf } from './store.js';
import { makeComposer } from './composer.js';

const $ = (id) => document.getElementById(id);
const messages = $('messages');
const unread = new Map();
const draftLengths = new Map();
const nodes = new Map();
let openId = decodeURIComponent(location.hash.slice(1)) || null;
let speakerId = null;
let toastTimer;

const current = () => conversations().find((c) => c.id === openId) ?? conversations()[0];
const speaker = () => (current().isPrivate ? current().chat : (speakerId ?? state.users[0].id));
const fail = (error) => toast(error.message);
const composer = makeComposer({ conversation: current, speaker, fail });

function toast(text) {
  clearTimeout(toastTimer);
  $('toast').textContent = text;
  $('toast').hidden = false;
  toastTimer = setTimeout(() => ($('toast').hidden = true), 3500);
}

const atBottom = () => messages.scrollHeight - messages.scrollTop - messages.clientHeight < 80;
function toBottom() {
  messages.scrollTop = messages.scrollHeight;
  $('down').hidden = true;
}

const handlers = {
  command: (text) => composer.command(text),
  jump(id) {
    const node = nodes.get(id);
    node?.scrollIntoView({ block: 'center', behavior: 'smooth' });
    node?.classList.add('flash');
    setTimeout(() => node?.classList.remove('flash'), 1200);
  },
  async press(message, button, row, col, node) {
    if (button.url) return /^https?:/i.test(button.url) ? window.open(button.url, '_blank', 'noopener') : toast(button.url);
    if (button.copy_text) return navigator.clipboard?.writeText(button.copy_text.text).then(() => toast('Copied'));
    if (button.callback_data === undefined) return toast('Nothing to do for this button here');
    node.classList.add('waiting');
    try {
      const { bot, chat } = current();
      const { callback_query_id } = await call('press', { bot, chat, from: speaker(), message_id: message.message_id, row, col });
      node.dataset.query = callback_query_id;
      setTimeout(() => node.classList.remove('waiting'), 10_000);
      if ((await ask('callback', { callback_query_id }))?.answer) node.classList.remove('waiting');
    } catch (error) {
      node.classList.remove('waiting');
      fail(error);
    }
    return undefined;
  },
  actions: openActions,
};

function openActions(message, event) {
  event.preventDefault();
  event.stopPropagation();
  const { bot, chat } = current();
  const own = message.from.id === speaker();
  const selected = getSelection().toString();
  const quote = selected && (message.text ?? '').includes(selected) ? selected : undefined;
  const target = { bot, chat, from: speaker(), message_id: message.message_id };
  const rows = [
    [quote ? 'Quote and reply' : 'Reply', () => composer.reply(message, quote)],
    ...(message.text ? [['Copy text', () => navigator.clipboard?.writeText(message.text)]] : []),
    ...(own && (message.text || message.caption) ? [['Edit', () => composer.startEdit(message)]] : []),
    ['React 👍', () => call('react', { ...target, emoji: '👍' }).catch(fail)],
    ['Delete', () => call('remove', target).catch(fail)],
    ...(current().isPrivate ? [['Block bot', () => call('block', target).catch(fail)]] : [['Remove bot from group', () => call('removeBot', target).catch(fail)]]),
  ];
  const box = $('actions');
  box.replaceChildren(...rows.map(([label, run]) => {
    const row = el('button', 'popup-row', label);
    row.addEventListener('click', () => {
      box.hidden = true;
      run();
    });
    return row;
  }));
  box.hidden = false;
  box.style.left = `${Math.max(8, Math.min(event.clientX, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${Math.max(8, Math.min(event.clientY, innerHeight - box.offsetHeight - 8))}px`;
}
document.addEventListener('click', (event) => {
  if (!$('actions').contains(event.target)) $('actions').hidden = true;
});

const preview = (message) => message?.text ?? message?.caption ?? (message?.rich_message ? 'Rich message' : message ? (message.photo ? 'Photo' : message.voice ? 'Voice message' : 'Attachment') : '');

function drawChats() {
  $('chats').replaceChildren(...conversations().map((row) => {
    const last = messagesOf(row).at(-1);
    const count = unread.get(row.id) ?? 0;
    const writing = draftsOf(row).length > 0;
    const line = writing ? el('span', 'writing', 'typing…') : last ? preview(last) : row.about;
    const node = el('button', `chat ${row.id === current().id ? 'open' : ''} ${row.topic === undefined ? '' : 'sub'}`, el('span', `avatar tone${Math.abs(row.chat) % 6}`, row.initial), el('span', 'chat-text', el('strong', '', row.name), el('small', '', line)), count ? el('span', 'badge', String(count)) : null);
    node.addEventListener('click', () => open(row.id, true));
    return node;
  }));
}

function drawHeader() {
  const here = current();
  const bot = state.bots.find((b) => b.id === here.bot);
  const dialog = state.chats.get(here.key);
  const typing = dialog?.typing && dialog.typingThread === here.topic;
  const writing = draftsOf(here).length > 0;
  $('title').textContent = here.isPrivate ? `${bot.user.first_name}${here.topic === undefined ? '' : ` ${here.name}`}` : here.name;
  const idle = here.isPrivate ? `bot · you are ${here.name}` : here.gone ? 'the bot is not here' : here.about;
  $('status').textContent = typing || writing ? (dialog.typing && dialog.typing !== 'typing' ? dialog.typing.replace('_', ' ') : 'typing…') : idle;
  $('status').classList.toggle('writing', Boolean(typing || writing));
  $('avatar').textContent = (here.isPrivate ? bot.user.first_name : here.initial)[0];
  $('avatar').className = `avatar tone${here.isPrivate ? 2 : Math.abs(here.chat) % 6}`;
  $('speaker').hidden = here.isPrivate;
  $('speaker').replaceChildren(...state.users.map((user) => {
    const option = el('option', '', user.first_name);
    option.value = user.id;
    option.selected = user.id === speaker();
    return option;
  }));
  $('language').value = state.users.find((u) => u.id === speaker())?.language_code ?? 'en';
}

/** Consecutive items of one album or one sender sit closer. */
function node(message) {
  const own = message.from.id === speaker();
  return bubble(message, { own, showName: !current().isPrivate && !own, handlers });
}

function drawDrafts() {
  const stick = atBottom();
  for (const old of messages.querySelectorAll('.draft')) old.remove();
  for (const draft of draftsOf(current())) {
    const key = `${current().id}|${draft.draft_id}`;
    const drawn = draftBubble(draft, draftLengths.get(key) ?? 0, (d) => call('stopDraft', { bot: current().bot, chat: current().chat, draft_id: d.draft_id }).catch(fail));
    draftLengths.set(key, lengthOf(draft));
    messages.append(drawn);
  }
  if (stick) toBottom();
}

function drawMessages() {
  nodes.clear();
  let day = '';
  const children = [];
  for (const message of messagesOf(current())) {
    const date = new Date(message.date * 1000).toLocaleDateString([], { day: 'numeric', month: 'long' });
    if (date !== day) children.push(el('div', 'day', (day = date)));
    const drawn = node(message);
    nodes.set(message.message_id, drawn);
    children.push(drawn);
  }
  if (children.length === 0) children.push(el('div', 'empty', current().isPrivate ? 'No messages here yet. Press START.' : 'No messages here yet.'));
  messages.replaceChildren(...children);
  drawDrafts();
  toBottom();
}

function drawAll() {
  drawChats();
  drawHeader();
  drawMessages();
  composer.refresh();
}

function open(id, show) {
  openId = id;
  history.replaceState(null, '', `#${encodeURIComponent(id)}`);
  unread.delete(id);
  composer.close();
  $('frame').classList.toggle('in-chat', show);
  drawAll();
}

function isHere({ chat, message }) {
  return chat === current().key && (message === undefined || threadOf(message) === current().topic);
}

function heardMessage(data) {
  if (!isHere(data)) {
    const row = conversations().find((c) => c.key === data.chat && c.topic === threadOf(data.message));
    if (row && data.message.from.is_bot) unread.set(row.id, (unread.get(row.id) ?? 0) + 1);
    return;
  }
  const own = data.message.from.id === speaker();
  const stick = own || atBottom();
  messages.querySelector('.empty')?.remove();
  const drawn = node(data.message);
  drawn.classList.add('new');
  nodes.set(data.message.message_id, drawn);
  messages.insertBefore(drawn, messages.querySelector('.draft'));
  if (stick) toBottom();
  else $('down').hidden = false;
}

function redraw(id) {
  const message = state.chats.get(current().key)?.messages.get(id);
  if (!message || !nodes.has(id)) return;
  const stick = atBottom();
  const drawn = node(message);
  nodes.get(id).replaceWith(drawn);
  nodes.set(id, drawn);
  if (stick) toBottom();
}

const heard = {
  reload: drawAll,
  message: heardMessage,
  edit: (data) => isHere(data) && redraw(data.message.message_id),
  reaction: (data) => isHere(data) && redraw(data.message_id),
  delete(data) {
    if (!isHere(data)) return;
    const gone = nodes.get(data.message_id);
    gone?.classList.add('leaving');
    setTimeout(() => gone?.remove(), 250);
    nodes.delete(data.message_id);
  },
  draft: (data) => data.chat === current().key && drawDrafts(),
  draftGone: (data) => data.chat === current().key && drawDrafts(),
  typing() {},
  commands() {},
  callbackAnswer(data) {
    document.querySelector(`[data-query="${CSS.escape(data.callback_query_id)}"]`)?.classList.remove('waiting');
    for (const key of document.querySelectorAll('.key.waiting:not([data-query])')) key.classList.remove('waiting');
    if (data.from !== speaker() || !data.text) return;
    if (!data.show_alert) return void toast(data.text);
    $('alert-text').textContent = data.text;
    $('alert').showModal();
  },
};

follow(
  (type, data) => {
    heard[type]?.(data);
    if (type === 'reload' || type === 'callbackAnswer' || type === 'commands') return;
    drawChats();
    drawHeader();
    composer.refresh();
  },
  (linked) => {
    $('link').classList.toggle('on', linked);
    $('note').textContent = linked ? `Bot API ${state.version}. ${state.bots.every((b) => b.hasWebhook) ? 'Messages go to the bot’s webhook.' : 'No webhook set yet: messages wait.'}` : 'The emulator does not answer. Trying again…';
  },
);

$('back').addEventListener('click', () => $('frame').classList.remove('in-chat'));
$('down').addEventListener('click', toBottom);
messages.addEventListener('scroll', () => atBottom() && ($('down').hidden = true));
$('speaker').addEventListener('change', (event) => ((speakerId = Number(event.target.value)), drawAll()));
$('language').addEventListener('change', (event) => call('setUser', { id: speaker(), language_code: event.target.value }).then(() => (state.users.find((u) => u.id === speaker()).language_code = event.target.value)).catch(fail));
if (openId || new URL(location.href).searchParams.has('start')) $('frame').classList.add('in-chat');
