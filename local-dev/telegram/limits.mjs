// Telegram's flood limits per chat, off unless switched on. Sends and edits share one bucket, drafts have their own,
// groups add a count per minute. Deliberately not here: the limit over all chats, which replies to users do not meet.

import { tooMany } from './errors.mjs';

export const DEFAULT_LIMITS = {
  enabled: false,
  messagesPerSecond: 1,
  messageBurst: 3,
  draftsPerSecond: 2,
  draftBurst: 4,
  groupPerMinute: 20,
  minRetryAfter: 1,
};

const DRAFTS = new Set(['sendMessageDraft', 'sendRichMessageDraft']);
const isMessage = (method) => (/^(send|edit|forward|copy)/.test(method) && !DRAFTS.has(method) && method !== 'sendChatAction') && !/Topic|Invite/.test(method);

export class Limits {
  #buckets = new Map();
  #groups = new Map();

  constructor(now, options) {
    this.now = now;
    this.options = { ...DEFAULT_LIMITS, ...(options === true ? { enabled: true } : options || {}) };
  }

  set(options) {
    Object.assign(this.options, options);
    this.#buckets.clear();
    this.#groups.clear();
    return this.options;
  }

  /** Throws 429 if the call comes too early; else counts it. */
  check(method, dialog) {
    const o = this.options;
    if (!o.enabled || !dialog) return;
    const waits = [];
    let bucket = null;
    if (DRAFTS.has(method)) bucket = this.#level(`draft:${dialog.key}`, o.draftsPerSecond, o.draftBurst, waits);
    else if (isMessage(method)) bucket = this.#level(`message:${dialog.key}`, o.messagesPerSecond, o.messageBurst, waits);
    else return;
    const recent = dialog.chat.type !== 'private' && isMessage(method) ? this.#recent(dialog.key, o.groupPerMinute, waits) : null;
    const wait = Math.max(0, ...waits);
    if (wait > 0) throw tooMany(Math.max(o.minRetryAfter, Math.ceil(wait / 1000)));
    bucket.level += 1;
    recent?.push(this.now());
  }

  #level(key, perSecond, burst, waits) {
    const now = this.now();
    const bucket = this.#buckets.get(key) ?? { level: 0, at: now };
    bucket.level = Math.max(0, bucket.level - ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    if (bucket.level + 1 > burst + 1e-9) waits.push(((bucket.level + 1 - burst) / perSecond) * 1000);
    return bucket;
  }

  #recent(key, perMinute, waits) {
    const now = this.now();
    const times = (this.#groups.get(key) ?? []).filter((at) => at > now - 60_000);
    this.#groups.set(key, times);
    if (times.length >= perMinute) waits.push(times[0] + 60_000 - now);
    return times;
  }
}
