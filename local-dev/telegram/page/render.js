// Messages as DOM: text with entities, rich blocks, media, keyboards, reactions. Only text nodes and createElement, never
// markup from strings; links only with a safe scheme. Deliberately not here: what clicks do (passed in as handlers).

export function el(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const SAFE = /^(?:https?|tg|ton|mailto|tel):/i;

function link(url, children) {
  const address = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `https://${url}`;
  if (!SAFE.test(address)) return el('span', '', ...children);
  const node = el('a', '', ...children);
  node.href = address;
  node.target = '_blank';
  node.rel = 'noopener noreferrer';
  node.title = address;
  return node;
}

function spoiler(children) {
  const node = el('span', 'spoiler', ...children);
  node.tabIndex = 0;
  node.addEventListener('click', () => node.classList.add('open'));
  return node;
}

function quote(children, expandable) {
  const node = el('blockquote', expandable ? 'folded' : '', ...children);
  if (expandable) node.addEventListener('click', () => node.classList.toggle('folded'));
  return node;
}

function codeBlock(children, language) {
  const node = el('pre', '', el('code', '', ...children));
  node.dataset.language = language || 'code';
  node.addEventListener('click', () => navigator.clipboard?.writeText(node.textContent).catch(() => {}));
  return node;
}

function wrap(entity, children, text, handlers) {
  const whole = text.slice(entity.offset, entity.offset + entity.length);
  switch (entity.type) {
    case 'bold': return el('strong', '', ...children);
    case 'italic': return el('em', '', ...children);
    case 'underline': return el('u', '', ...children);
    case 'strikethrough': return el('s', '', ...children);
    case 'spoiler': return spoiler(children);
    case 'code': return el('code', '', ...children);
    case 'pre': return codeBlock(children, entity.language);
    case 'blockquote': return quote(children, false);
    case 'expandable_blockquote': return quote(children, true);
    case 'text_link': return link(entity.url, children);
    case 'url': return link(whole, children);
    case 'email': return link(`mailto:${whole}`, children);
    case 'bot_command': {
      const node = el('button', 'as-link', ...children);
      node.addEventListener('click', () => handlers.command?.(whole));
      return node;
    }
    default: return el('span', `entity ${entity.type}`, ...children);
  }
}

const isBlock = (entity) => ['pre', 'blockquote', 'expandable_blockquote'].includes(entity?.type);

/** Text with properly nested entities as nodes. */
export function richText(text, entities = [], handlers = {}) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const build = (from, to, list) => {
    const out = [];
    let at = from;
    for (let i = 0; i < list.length; ) {
      const entity = list[i];
      const end = entity.offset + entity.length;
      let next = i + 1;
      while (next < list.length && list[next].offset < end) next += 1;
      // A block takes the line break on either side of it with it.
      if (entity.offset > at) out.push(text.slice(at, entity.offset).replace(isBlock(entity) ? /\n$/ : /$^/, ''));
      out.push(wrap(entity, build(entity.offset, end, list.slice(i + 1, next)), text, handlers));
      at = end;
      if (isBlock(entity) && text[at] === '\n') at += 1;
      i = next;
    }
    if (at < to) out.push(text.slice(at, to));
    return out;
  };
  return el('div', 'text', ...build(0, text.length, sorted));
}

/** Fades in the text after the first `known` characters. */
export function fadeIn(root, known) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let seen = 0;
  const fresh = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const start = seen;
    seen += node.length;
    if (seen > known) fresh.push(start >= known ? node : node.splitText(known - start));
  }
  for (const node of fresh) {
    const span = el('span', 'fresh');
    node.replaceWith(span);
    span.append(node);
  }
}

const INLINE_TAGS = { bold: 'strong', italic: 'em', underline: 'u', strikethrough: 's', marked: 'mark', subscript: 'sub', superscript: 'sup', code: 'code' };

function inline(rich) {
  if (rich === undefined || rich === null) return [];
  if (typeof rich === 'string') return [rich];
  if (Array.isArray(rich)) return rich.flatMap(inline);
  if (INLINE_TAGS[rich.type]) return [el(INLINE_TAGS[rich.type], '', ...inline(rich.text))];
  if (rich.type === 'spoiler') return [spoiler(inline(rich.text))];
  if (rich.type === 'url') return [link(rich.url, inline(rich.text))];
  if (rich.type === 'mathematical_expression') return [el('code', 'math', rich.expression)];
  return inline(rich.text);
}

function richTable(block) {
  const rows = block.cells.map((row) => el('tr', '', ...row.map((cell) => {
    const node = el(cell.is_header ? 'th' : 'td', `${cell.align}`, ...inline(cell.text));
    if (cell.colspan) node.colSpan = cell.colspan;
    if (cell.rowspan) node.rowSpan = cell.rowspan;
    return node;
  })));
  return el('div', 'table-scroll', el('table', block.is_striped ? 'striped' : '', ...rows));
}

function richList(block) {
  const items = block.items.map((item) => {
    const box = item.has_checkbox ? el('span', 'checkbox', item.is_checked ? '☑ ' : '☐ ') : null;
    const node = el('li', item.has_checkbox ? 'task' : '', box, ...item.blocks.map(richBlock));
    if (item.value !== undefined) node.value = item.value;
    return node;
  });
  const numbered = block.items.some((item) => item.value !== undefined || item.type !== undefined);
  return el(numbered ? 'ol' : 'ul', '', ...items);
}

function richBlock(block) {
  switch (block.type) {
    case 'heading': return el(`h${Math.min(6, block.size + 1)}`, '', ...inline(block.text));
    case 'pre': return codeBlock(inline(block.text), block.language);
    case 'divider': return el('hr', '');
    case 'mathematical_expression': return el('p', '', el('code', 'math', block.expression));
    case 'list': return richList(block);
    case 'table': return richTable(block);
    case 'blockquote': return quote(block.blocks.map(richBlock), false);
    case 'expandable_blockquote': return quote(inline(block.text), true);
    case 'details': {
      const node = el('details', '', el('summary', '', ...inline(block.summary)), ...block.blocks.map(richBlock));
      node.open = block.is_open ?? false;
      return node;
    }
    case 'thinking': return el('p', 'thinking', ...inline(block.text));
    case 'footer': return el('footer', '', ...inline(block.text));
    default: return el('p', '', ...(block.text === undefined ? [`[${block.type}]`] : inline(block.text)));
  }
}

export const richMessage = (rich) => el('div', 'text rich', ...rich.blocks.map(richBlock));

const size = (bytes) => (bytes > 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : bytes > 1000 ? `${Math.round(bytes / 1000)} kB` : `${bytes} B`);
const fileUrl = (id) => `/emulator/file/${encodeURIComponent(id)}`;

function media(message) {
  if (message.photo || message.sticker) {
    const image = el('img', message.sticker ? 'sticker' : 'photo');
    image.src = fileUrl((message.photo?.at(-1) ?? message.sticker).file_id);
    image.alt = message.photo ? 'Photo' : message.sticker.emoji;
    return image;
  }
  if (message.voice) return el('div', 'file', el('span', 'file-icon', '▶'), el('span', 'wave', '▁▃▅▂▆▃▇▅▂▄▁▃'), el('small', '', `0:${String(message.voice.duration).padStart(2, '0')}`));
  if (message.document) {
    const name = link(new URL(fileUrl(message.document.file_id), location.href).href, [message.document.file_name ?? 'file']);
    return el('div', 'file', el('span', 'file-icon', '📄'), el('div', '', name, el('small', '', size(message.document.file_size ?? 0))));
  }
  if (message.location) return el('div', 'file', el('span', 'file-icon', '📍'), el('span', '', `${message.location.latitude}, ${message.location.longitude}`));
  const other = ['video', 'audio', 'video_note', 'contact', 'dice', 'poll'].find((kind) => message[kind]);
  return other ? el('div', 'file', el('span', 'file-icon', '◧'), el('span', '', other.replace('_', ' '))) : null;
}

function forwarded(origin) {
  const name = origin.sender_user?.first_name ?? origin.sender_user_name ?? origin.sender_chat?.title ?? origin.chat?.title;
  return el('div', 'forwarded', `Forwarded from ${name}`);
}

function replied(message, handlers) {
  const { reply_to_message: to, quote: part } = message;
  const text = part?.text ?? to.text ?? to.caption ?? (to.rich_message ? 'Message' : 'Media');
  const node = el('button', 'replied', el('strong', '', to.from.first_name), el('span', '', `${part ? '❝ ' : ''}${text}`));
  node.addEventListener('click', () => handlers.jump(to.message_id));
  return node;
}

function keyboard(message, handlers) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  return el('div', 'keyboard', ...rows.map((row, r) => el('div', 'keyboard-row', ...row.map((button, c) => {
    const node = el('button', `key ${button.style ?? ''}`, button.text, button.url ? el('span', 'corner', '↗') : null, button.copy_text ? el('span', 'corner', '⧉') : null);
    node.disabled = button.disabled !== undefined;
    node.addEventListener('click', () => handlers.press(message, button, r, c, node));
    return node;
  }))));
}

function reactionsOf(message) {
  const counts = new Map();
  for (const list of Object.values(message.reactions ?? {})) for (const { emoji } of list) if (emoji) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
  return counts.size ? el('div', 'reactions', ...[...counts].map(([emoji, n]) => el('span', 'reaction', `${emoji} ${n}`))) : null;
}

const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

/** @param {object} message @param {{own: boolean, showName: boolean, handlers: object}} options */
export function bubble(message, { own, showName, handlers }) {
  const body = message.rich_message ? richMessage(message.rich_message) : richText(message.text ?? message.caption ?? '', message.entities ?? message.caption_entities, handlers);
  const meta = el('small', 'meta', message.edit_date ? 'edited ' : null, clock(message.date), own ? el('span', 'ticks', ' ✓✓') : null);
  const more = el('button', 'more', '⋯');
  more.setAttribute('aria-label', 'Message actions');
  more.addEventListener('click', (event) => handlers.actions(message, event));
  // Beside the last line of plain text, below anything else.
  const beside = !message.rich_message && body.textContent !== '';
  if (beside) body.append(meta);
  const inner = el('div', 'bubble', showName ? el('div', `name ${message.from.is_bot ? 'bot' : ''}`, message.from.first_name) : null, message.forward_origin ? forwarded(message.forward_origin) : null, message.reply_to_message ? replied(message, handlers) : null, media(message), body, beside ? null : meta, more);
  const node = el('article', `message ${own ? 'own' : 'theirs'}`, inner, keyboard(message, handlers), reactionsOf(message));
  node.dataset.id = message.message_id;
  node.addEventListener('contextmenu', (event) => {
    if (getSelection().toString() === '') handlers.actions(message, event);
  });
  return node;
}

/** The preview of an answer being written. `known`: characters that were there before. */
export function draftBubble(draft, known, stop) {
  const body = draft.rich_message ? richMessage(draft.rich_message) : richText(draft.text ?? '', draft.entities ?? []);
  const empty = !draft.rich_message && !draft.text;
  if (empty) body.append(el('span', 'thinking', 'Thinking…'));
  else fadeIn(body, known);
  const stopButton = draft.can_stop ? el('button', 'stop', el('span', 'square'), 'Stop') : null;
  stopButton?.addEventListener('click', () => stop(draft));
  const node = el('article', 'message theirs draft', el('div', 'bubble', body, el('small', 'meta', el('span', 'pen', '✎'))), stopButton);
  node.dataset.draft = `${draft.message_thread_id ?? 0}:${draft.draft_id}`;
  return node;
}

export const lengthOf = (draft) => (draft.rich_message ? richMessage(draft.rich_message).textContent.length : (draft.text ?? '').length);
