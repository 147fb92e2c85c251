// Delivers updates to webhooks as Telegram does: one at a time per queue (messages per chat, callbacks per user), the
// next only after 2xx, else again with growing pauses until the update expires; a method in the answer's body is run.
// Deliberately not here: getUpdates. Whether `stopped_message_generation` shares the chat's queue is not known; here it
// has its own, so that Stop is seen at once.

const OPT_IN = new Set(['chat_member', 'message_reaction', 'message_reaction_count']);
const NOT_FROM_BODY = /^(get.*|setWebhook|deleteWebhook|close|logOut)$/i;
const LIFE_MS = { callback_query: 150_000, inline_query: 30_000 };
const DAY_MS = 86_400_000;

export const kindOfUpdate = (update) => Object.keys(update).find((key) => key !== 'update_id');

function queueOf(kind, update) {
  const body = update[kind];
  if (kind === 'callback_query') return `callback:${body.from.id}`;
  if (kind === 'stopped_message_generation') return `stop:${body.chat.id}`;
  if (kind === 'message_reaction') return `reaction:${body.chat.id}`;
  if (kind === 'my_chat_member' || kind === 'chat_member') return `member:${body.chat.id}`;
  return body.chat ? `chat:${body.chat.id}` : `other:${kind}`;
}

export class Delivery {
  #queues = new Map();
  #closing = new AbortController();

  /**
   * @param {{now: () => number, emit: Function, call: Function, timeoutMs?: number, retryBaseMs?: number, retryMaxMs?: number, retryScale?: number}} options
   * `call(bot, method, params)` runs a method that came in an answer's body.
   */
  constructor({ now, emit, call, timeoutMs = 60_000, retryBaseMs = 1000, retryMaxMs = 60_000, retryScale = 1 }) {
    Object.assign(this, { now, emit, call, timeoutMs, retryBaseMs, retryMaxMs, retryScale });
    /** Every attempt, oldest first. */
    this.log = [];
    this.lastError = null;
  }

  allows(bot, kind) {
    const { allowed } = bot.webhook;
    return allowed.length === 0 ? !OPT_IN.has(kind) : allowed.includes(kind);
  }

  /** @returns {object|null} the update with its id, or null if the bot did not ask for its kind */
  push(bot, body) {
    const kind = Object.keys(body)[0];
    if (!this.allows(bot, kind)) return null;
    // A copy: what the bot gets is what was true when it happened.
    const update = structuredClone({ update_id: bot.nextUpdateId++, ...body });
    const key = `${bot.id}|${queueOf(kind, update)}`;
    const queue = this.#queues.get(key) ?? { key, bot, items: [], running: false };
    this.#queues.set(key, queue);
    queue.items.push({ update, kind, expires: this.now() + (LIFE_MS[kind] ?? DAY_MS) });
    this.emit('queued', { bot: bot.id, update });
    this.#run(queue);
    return update;
  }

  pending(bot) {
    let count = 0;
    for (const queue of this.#queues.values()) if (queue.bot === bot) count += queue.items.length;
    return count;
  }

  /** Takes up queues again, after a webhook was set. */
  wake(bot) {
    for (const queue of this.#queues.values()) if (queue.bot === bot) this.#run(queue);
  }

  drop(bot) {
    for (const queue of this.#queues.values()) if (queue.bot === bot) queue.items.length = 0;
  }

  close() {
    this.#closing.abort();
    this.#queues.clear();
  }

  async #run(queue) {
    if (queue.running) return;
    queue.running = true;
    let attempt = 0;
    while (queue.items.length > 0 && queue.bot.webhook.url !== '' && !this.#closing.signal.aborted) {
      const item = queue.items[0];
      if (item.expires <= this.now()) {
        queue.items.shift();
        this.#record(queue, item, { attempt, error: 'expired' });
        continue;
      }
      const outcome = await this.#attempt(queue.bot, item.update);
      this.#record(queue, item, { attempt, ...outcome });
      if (outcome.status >= 200 && outcome.status < 300) {
        if (queue.items[0] === item) queue.items.shift();
        attempt = 0;
        continue;
      }
      const pause = outcome.retryAfterMs ?? Math.min(this.retryBaseMs * 2 ** attempt, this.retryMaxMs);
      attempt += 1;
      await this.#sleep(pause * this.retryScale);
    }
    queue.running = false;
  }

  async #attempt(bot, update) {
    const began = performance.now();
    const outcome = await this.post(bot, update);
    outcome.at = began;
    outcome.ms = performance.now() - began;
    if (outcome.status >= 200 && outcome.status < 300) {
      outcome.reply = this.#methodIn(outcome.body);
      if (outcome.reply) await this.call(bot, outcome.reply.method, outcome.reply.params);
    } else {
      this.lastError = { date: Math.floor(this.now() / 1000), message: outcome.error ?? `Wrong response from the webhook: ${outcome.status}` };
    }
    return outcome;
  }

  /** One POST, no queue, no retry. Status 0 and an error if no answer came. @returns {Promise<{status: number, body?: string, error?: string, retryAfterMs?: number}>} */
  async post(bot, update, { url = bot.webhook.url, secret = bot.webhook.secret, headers = {}, timeoutMs = this.timeoutMs } = {}) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(secret && { 'x-telegram-bot-api-secret-token': secret }), ...headers },
        body: typeof update === 'string' ? update : JSON.stringify(update),
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#closing.signal]),
      });
      const retryAfter = Number(response.headers.get('retry-after'));
      return { status: response.status, body: await response.text(), ...(retryAfter > 0 && { retryAfterMs: Math.min(retryAfter, 3600) * 1000 }) };
    } catch (error) {
      return { status: 0, error: error.name === 'TimeoutError' ? 'Read timeout expired' : (error.cause?.code ?? error.message) };
    }
  }

  #methodIn(body) {
    try {
      const { method, ...params } = JSON.parse(body);
      return typeof method === 'string' && !NOT_FROM_BODY.test(method) ? { method, params } : null;
    } catch {
      return null;
    }
  }

  #record(queue, item, outcome) {
    const entry = { bot: queue.bot.id, queue: queue.key, update_id: item.update.update_id, kind: item.kind, update: item.update, ...outcome };
    this.log.push(entry);
    this.emit('delivery', entry);
  }

  async #sleep(ms) {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    await new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal.addEventListener('abort', finish);
    });
  }
}
