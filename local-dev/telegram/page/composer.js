// The lower part of the page: typing, commands, attachments, reply and edit, START.
// Deliberately not here: drawing of messages (render.js) and choosing a chat (app.js).

import { ask, call, messagesOf, state } from './store.js';
import { el } from './render.js';

const $ = (id) => document.getElementById(id);
const LONG = 'Please keep this in mind for later. '.repeat(140).trim();
const ATTACHMENTS = [
  ['🖼', 'Photo', { photo: true, text: 'What is in this picture?' }],
  ['🎙', 'Voice', { voice: true }],
  ['📄', 'Document', { document: true, text: 'Summarise this' }],
  ['🗂', 'Album of three', { album: [{ photo: { hue: 0 } }, { photo: { hue: 60 } }, { photo: { hue: 120 } }], text: 'Our three days by the sea' }],
  ['📜', 'Long text (two messages)', { text: LONG }],
  ['↪', 'Forward from a channel', { forward: 'channel', text: 'Ferry to the island will not sail on Friday, see https://example.org/ferry' }],
  ['😀', 'Sticker', { sticker: true }],
  ['📍', 'Location', { location: true }],
];

/** A file of this computer as Telegram's apps would send it. */
async function fileSpec(file) {
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  const base64 = url.slice(url.indexOf(',') + 1);
  if (/^image\/(jpeg|png|webp)$/.test(file.type)) return { photo: { base64 } };
  if (file.type === 'audio/ogg') return { voice: { base64 } };
  return { document: { base64, file_name: file.name, mime_type: file.type || 'application/octet-stream' } };
}

/** @param {{conversation: () => object, speaker: () => number, fail: (error: Error) => void}} page */
export function makeComposer({ conversation, speaker, fail }) {
  const input = $('input');
  let context = null;
  const startCode = new URL(location.href).searchParams.get('start');
  let startPending = startCode !== null;

  const target = () => {
    const { bot, chat, topic } = conversation();
    return { bot, chat, topic, from: speaker() };
  };

  function setContext(next) {
    context = next;
    $('context').hidden = !next;
    if (next) {
      $('context-title').textContent = next.kind === 'edit' ? 'Edit message' : `Reply to ${next.message.from.first_name}`;
      $('context-text').textContent = next.quote ?? next.message.text ?? next.message.caption ?? 'Media';
      input.focus();
    }
  }

  function grow() {
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
    $('send').classList.toggle('ready', input.value.trim() !== '');
  }

  async function submit() {
    const text = input.value.trim();
    if (!text) return;
    const was = context;
    input.value = '';
    grow();
    setContext(null);
    $('commands').hidden = true;
    try {
      if (was?.kind === 'edit') await call('edit', { ...target(), message_id: was.message.message_id, text });
      else await call('send', { ...target(), text, ...(was && { reply_to: was.message.message_id, quote: was.quote }) });
    } catch (error) {
      fail(error);
    }
  }

  async function showCommands(filter = '') {
    const { bot, chat } = conversation();
    const commands = (await ask('menu', { bot, chat, from: speaker() }).catch(() => [])).filter((c) => c.command.startsWith(filter));
    $('attachments').hidden = true;
    $('commands').hidden = commands.length === 0;
    $('commands').replaceChildren(...commands.map(({ command, description }) => {
      const row = el('button', 'popup-row', el('strong', '', `/${command}`), el('span', '', description));
      row.addEventListener('click', () => {
        input.value = `/${command}`;
        submit();
      });
      return row;
    }));
    return commands.length;
  }

  /** Asks for a file and sends it, with what is typed as its caption. */
  function pickFile() {
    const picker = el('input');
    picker.type = 'file';
    picker.addEventListener('change', async () => {
      const [file] = picker.files;
      if (!file) return;
      const text = input.value.trim();
      input.value = '';
      grow();
      try {
        await call('send', { ...target(), ...(await fileSpec(file)), ...(text && { text }) });
      } catch (error) {
        fail(error);
      }
    });
    picker.click();
  }

  function showAttachments() {
    $('commands').hidden = true;
    const box = $('attachments');
    box.hidden = !box.hidden;
    const pick = el('button', 'popup-row', el('span', 'popup-icon', '📎'), el('span', '', 'A file of this computer…'));
    pick.addEventListener('click', () => {
      box.hidden = true;
      pickFile();
    });
    box.replaceChildren(pick, ...ATTACHMENTS.map(([icon, label, spec]) => {
      const row = el('button', 'popup-row', el('span', 'popup-icon', icon), el('span', '', label));
      row.addEventListener('click', () => {
        box.hidden = true;
        call('send', { ...target(), ...spec }).catch(fail);
      });
      return row;
    }));
  }

  function refresh() {
    const here = conversation();
    const fresh = here?.isPrivate && messagesOf(here).length === 0;
    const blocked = state.chats.get(here?.key)?.blocked;
    $('start').hidden = !(fresh || blocked || here?.gone || (startPending && here?.isPrivate));
    $('start').textContent = here?.gone ? 'ADD THE BOT TO THIS GROUP' : blocked ? 'UNBLOCK BOT' : 'START';
    $('composer').hidden = !$('start').hidden;
  }

  $('start').addEventListener('click', async () => {
    const here = conversation();
    try {
      if (here.gone) return void (await call('addBot', target()));
      if (state.chats.get(here.key)?.blocked) await call('unblock', target());
      else await call('send', { ...target(), text: startPending ? `/start ${startCode}` : '/start' });
      startPending = false;
    } catch (error) {
      fail(error);
    }
    refresh();
  });
  $('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === 'Escape') setContext(null);
    else if (event.key === 'ArrowUp' && input.value === '') {
      const own = messagesOf(conversation()).findLast((m) => m.from.id === speaker() && m.text);
      if (own) startEdit(own);
    }
  });
  input.addEventListener('input', () => {
    grow();
    const typed = /^\/([a-z0-9_]*)$/.exec(input.value);
    if (typed) showCommands(typed[1]);
    else $('commands').hidden = true;
  });
  $('menu').addEventListener('click', async () => {
    if ($('commands').hidden) {
      if ((await showCommands()) === 0) fail(new Error('This bot has no commands for this person'));
    } else $('commands').hidden = true;
  });
  $('attach').addEventListener('click', showAttachments);
  $('context-close').addEventListener('click', () => setContext(null));

  function startEdit(message) {
    input.value = message.text ?? message.caption ?? '';
    grow();
    setContext({ kind: 'edit', message });
  }

  return {
    refresh,
    reply: (message, quote) => setContext({ kind: 'reply', message, quote }),
    startEdit,
    command: (text) => call('send', { ...target(), text }).catch(fail),
    close: () => (($('commands').hidden = true), ($('attachments').hidden = true), setContext(null)),
  };
}
