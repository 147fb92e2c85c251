// Whether Telegram would take a text with its entities, as a pure function, and what it makes of the text on the way
// in. Where Telegram repairs (illegal nesting, over 100 entities: parts vanish without a word) this refuses, so that
// what a test sees is what a person sees. Deliberately not here: parse modes, which the emulator does not have.
//
// Rules: Bot API "Formatting options"; TDLib td/telegram/MessageEntity.cpp (are_entities_valid, clean_input_string).

import { checkUrl } from './check-url.mjs';

export const MAX_TEXT = 4096;
export const MAX_CAPTION = 1024;
const MAX_RAW_BYTES = 32768;
const MAX_ENTITIES = 100;
/** Beyond about this size of all entities the server answers ENTITIES_TOO_LONG. */
const MAX_ENTITIES_BYTES = 9500;

const SPLITTABLE = new Set(['bold', 'italic', 'underline', 'strikethrough', 'spoiler']);
const QUOTES = new Set(['blockquote', 'expandable_blockquote']);
const PRE = new Set(['code', 'pre']);
/** Found by the server itself in any text; allowed on input, neither counted nor needed. */
const AUTOMATIC = new Set(['mention', 'hashtag', 'cashtag', 'bot_command', 'url', 'email', 'phone_number', 'bank_card_number']);
const CONTINUOUS = new Set([...AUTOMATIC, 'text_link', 'text_mention', 'custom_emoji', 'date_time']);
const KNOWN = new Set([...SPLITTABLE, ...QUOTES, ...PRE, ...CONTINUOUS]);
/** Text of nothing but these is empty to the server. */
const INVISIBLE = /^[\s\u115f\u180e\u200b-\u200f\u2060-\u2064\u2800\ufeff]*$/;
const UNCOUNTED = new Set([...AUTOMATIC, 'custom_emoji']);

/** Fields an entity of a type may carry besides type, offset and length; "!" = must. */
const EXTRAS = {
  text_link: ['url!'],
  text_mention: ['user!'],
  pre: ['language'],
  custom_emoji: ['custom_emoji_id!'],
  date_time: ['unix_time!', 'date_time_format'],
};

const insidePair = (text, at) =>
  at > 0 && at < text.length && (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;

function checkShape(entity, text) {
  const { type, offset, length } = entity;
  if (!KNOWN.has(type)) return `can't parse MessageEntity: unsupported type ${JSON.stringify(type)}`;
  if (!Number.isInteger(offset) || offset < 0) return `can't parse MessageEntity: wrong offset ${offset}`;
  if (!Number.isInteger(length) || length <= 0) return `can't parse MessageEntity: wrong length ${length}`;
  const extras = EXTRAS[type] ?? [];
  for (const extra of extras) {
    if (extra.endsWith('!') && entity[extra.slice(0, -1)] === undefined) return `can't parse MessageEntity: field "${extra.slice(0, -1)}" of ${type} is missing`;
  }
  for (const field of Object.keys(entity)) {
    const known = ['type', 'offset', 'length'].includes(field) || extras.some((extra) => extra.replace('!', '') === field);
    if (!known) return `can't parse MessageEntity: ${type} has no field "${field}"`;
  }
  if (offset + length > text.length) return `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${offset + length}`;
  if (insidePair(text, offset)) return `entity begins in a middle of a UTF-16 symbol at UTF-16 offset ${offset}`;
  if (insidePair(text, offset + length)) return `entity ends in a middle of a UTF-16 symbol at UTF-16 offset ${offset + length}`;
  if (type === 'text_link') {
    const wrong = checkUrl(entity.url);
    if (wrong) return `entity URL '${entity.url}' is invalid: ${wrong}`;
  }
  return null;
}

/** TDLib's order: by offset, longer first, then quotations before styles before code. */
const rank = (type) => (QUOTES.has(type) ? 0 : CONTINUOUS.has(type) ? 1 : SPLITTABLE.has(type) ? 2 : 3);
const byNesting = (a, b) => a.offset - b.offset || b.length - a.length || rank(a.type) - rank(b.type);

function checkNesting(entities) {
  const stack = [];
  const lastEnd = {};
  for (const entity of [...entities].sort(byNesting)) {
    const end = entity.offset + entity.length;
    const at = `at UTF-16 offset ${entity.offset}`;
    while (stack.length && entity.offset >= stack.at(-1).offset + stack.at(-1).length) stack.pop();
    const parent = stack.at(-1);
    if (parent) {
      if (end > parent.offset + parent.length) return `can't parse entities: ${entity.type} ${at} overlaps ${parent.type} without being inside it`;
      if (PRE.has(parent.type)) return `can't parse entities: ${entity.type} ${at} is inside ${parent.type}`;
      const outer = stack.map((e) => e.type);
      const bad = outer.find((type) => {
        if (type === entity.type) return true;
        if (PRE.has(entity.type) || entity.type === 'date_time') return !QUOTES.has(type);
        if (QUOTES.has(entity.type)) return QUOTES.has(type) || CONTINUOUS.has(type);
        return type === 'date_time' || (CONTINUOUS.has(entity.type) && CONTINUOUS.has(type));
      });
      if (bad) return `can't parse entities: ${entity.type} ${at} is inside ${bad}`;
    }
    if (lastEnd[entity.type] > entity.offset) return `can't parse entities: two ${entity.type} overlap ${at}`;
    lastEnd[entity.type] = end;
    stack.push(entity);
  }
  return null;
}

/** How many of the 100 the server counts: styles are split wherever another style begins or ends inside them. */
export function countEntities(entities) {
  const styles = entities.filter((e) => SPLITTABLE.has(e.type));
  let count = 0;
  for (const entity of entities) {
    if (UNCOUNTED.has(entity.type)) continue;
    count += 1;
    if (!SPLITTABLE.has(entity.type)) continue;
    const cuts = new Set();
    for (const other of styles) {
      for (const edge of [other.offset, other.offset + other.length]) {
        if (edge > entity.offset && edge < entity.offset + entity.length) cuts.add(edge);
      }
    }
    count += cuts.size;
  }
  return count;
}

/** What one UTF-16 unit of incoming text becomes: null = dropped. */
function cleanUnit(code) {
  if (code === 0x0d || (code >= 0x2028 && code <= 0x202e) || code === 0x030a || code === 0x0333 || code === 0x033f) return null;
  if (code < 0x20 && code !== 0x0a) return ' ';
  return String.fromCharCode(code);
}

/**
 * The text as Telegram stores it: controls and line separators replaced or dropped, ends trimmed, entities moved along
 * and those left without text dropped.
 * @param {string} text @param {object[]} [entities] @returns {{text: string, entities: object[]}}
 */
export function cleanText(text, entities = []) {
  const moved = new Array(text.length + 1);
  let out = '';
  for (let i = 0; i < text.length; i++) {
    moved[i] = out.length;
    out += cleanUnit(text.charCodeAt(i)) ?? '';
  }
  moved[text.length] = out.length;
  const start = out.length - out.trimStart().length;
  const trimmed = out.trim();
  const clip = (at) => Math.min(Math.max((moved[at] ?? out.length) - start, 0), trimmed.length);
  const kept = entities
    .map((e) => ({ ...e, offset: clip(e.offset), length: clip(e.offset + e.length) - clip(e.offset) }))
    .filter((e) => e.length > 0);
  return { text: trimmed, entities: kept };
}

/**
 * @param {{text: string, entities?: object[]}} message
 * @param {{maxLength?: number, mayBeEmpty?: boolean, what?: string}} [options]
 * @returns {string|null} the error description ("Bad Request: …"), or null if Telegram takes it and shows all of it
 */
export function checkMessage({ text, entities = [] }, { maxLength = MAX_TEXT, mayBeEmpty = false, what = 'message' } = {}) {
  const wrong = findFault(text, entities, maxLength, mayBeEmpty, what);
  return wrong === null ? null : `Bad Request: ${wrong}`;
}

function findFault(text, entities, maxLength, mayBeEmpty, what) {
  if (typeof text !== 'string') return 'parameter "text" must be String';
  if (!Array.isArray(entities)) return `can't parse entities: must be an Array`;
  if (!text.isWellFormed()) return 'strings must be encoded in UTF-8';
  if (Buffer.byteLength(text) > MAX_RAW_BYTES) return 'text is too long';
  for (const entity of entities) {
    const wrong = checkShape(entity, text);
    if (wrong) return wrong;
  }
  const clean = cleanText(text, entities);
  if (INVISIBLE.test(clean.text) && !mayBeEmpty) return `${what} text is empty`;
  // Code points never outnumber UTF-16 units, so this holds both ways of counting.
  if (clean.text.length > maxLength) return what === 'message' ? 'message is too long' : `${what} is too long`;
  const count = countEntities(entities);
  if (count > MAX_ENTITIES) return `too many entities: ${count} of ${MAX_ENTITIES} (Telegram drops the rest in silence)`;
  if (Buffer.byteLength(JSON.stringify(entities)) > MAX_ENTITIES_BYTES) return 'ENTITIES_TOO_LONG';
  return checkNesting(entities);
}
