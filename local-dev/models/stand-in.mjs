// What all stand-ins have in common: a queue of behaviours, a record of every request, and the same control surface in
// the process and over HTTP (/stand-in/requests, script, defaults, models). Deliberately not here: any provider's wire.
//
// Which request a behaviour is for: match (text or RegExp, looked for in the last thing the user said), model, kind
// ("chat" unless it says otherwise) and times (1). `failure: "quota"` stands for what errors.mjs has for that provider.

import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { failureOf } from './errors.mjs';
import { json, readJson } from './wire.mjs';

export class StandIn {
  constructor(provider, { models = [], apiKey, firstTokenMs = 400, tokensPerSecond = 60 }) {
    this.provider = provider;
    this.models = models;
    this.apiKey = apiKey;
    this.defaults = { firstTokenMs, tokensPerSecond };
    this.records = [];
    this.queue = [];
    this.listeners = new Set();
  }

  /** Opens the record of a request; it closes itself when the answer is over. */
  record(request, response, fields = {}) {
    const record = { n: this.records.length + 1, at: performance.now(), wall: Date.now(), authorization: request.headers.authorization ?? null, headers: { ...request.headers, authorization: undefined }, body: null, status: 200, firstTokenAt: null, endedAt: null, aborted: false, abortedAt: null, chunksSent: 0, behaviour: null, ...fields };
    this.records.push(record);
    response.on('close', () => {
      record.endedAt ??= performance.now();
      if (!response.writableFinished && !record.cutByUs) Object.assign(record, { aborted: true, abortedAt: performance.now() });
      this.changed();
    });
    return record;
  }

  /** Takes the first behaviour that is for this request, or null. */
  take(text, { model, kind = 'chat' } = {}) {
    for (const behaviour of this.queue) {
      const { match } = behaviour;
      const fits = match === undefined || (match instanceof RegExp ? match.test(text) : text.includes(match));
      if (!fits || (behaviour.model !== undefined && behaviour.model !== model) || (behaviour.kind ?? 'chat') !== kind) continue;
      behaviour.times = (behaviour.times ?? 1) - 1;
      if (behaviour.times <= 0) this.queue.splice(this.queue.indexOf(behaviour), 1);
      return behaviour.failure ? { ...failureOf(this.provider, behaviour.failure), ...behaviour } : behaviour;
    }
    return null;
  }

  changed() {
    for (const listener of [...this.listeners]) listener();
  }
}

/** Over HTTP, {match: "/…/i"} stands for a regular expression. */
function revived(behaviour) {
  const expression = /^\/(.+)\/([a-z]*)$/s.exec(behaviour.match ?? '');
  return expression ? { ...behaviour, match: new RegExp(expression[1], expression[2]) } : behaviour;
}

async function serveControl(standIn, request, response, name) {
  const key = `${request.method} ${name}`;
  const done = (result) => json(response, 200, { ok: true, result });
  if (key === 'GET requests') return done(standIn.records);
  if (key === 'DELETE requests') return done((standIn.records.length = 0));
  if (key === 'GET script') return done(standIn.queue.map((b) => ({ ...b, match: b.match instanceof RegExp ? String(b.match) : b.match })));
  if (key === 'DELETE script') return done((standIn.queue.length = 0));
  if (key === 'POST script') return done(standIn.queue.push(...[await readJson(request)].flat().map(revived)));
  if (key === 'POST defaults') return done(Object.assign(standIn.defaults, await readJson(request)));
  if (key === 'POST models') return done((standIn.models = await readJson(request)).length);
  return json(response, 404, { ok: false, description: `no ${key}` });
}

/**
 * Listens, and returns the handle that tests and `npm start` hold.
 * @param {(request: object, response: object, url: URL) => Promise<void>} serve  answers all but /stand-in/
 * @param {(response: object, error: Error) => void} broken  answers when `serve` threw
 */
export async function listen(standIn, { port = 0, host = '127.0.0.1', serve, broken }) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://stand-in');
    const control = url.pathname.startsWith('/stand-in/');
    const work = async () => (control ? serveControl(standIn, request, response, url.pathname.slice('/stand-in/'.length)) : serve(request, response, url));
    work().catch((error) => (response.headersSent || response.destroyed ? response.destroy() : control ? json(response, 400, { ok: false, description: error.message }) : broken(response, error)));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    url: `http://${host}:${server.address().port}`,
    /** Every request so far that asked the model for something. */
    requests: () => standIn.records.slice(),
    /** Queues behaviours (playback.mjs says which). */
    script: (...behaviours) => void standIn.queue.push(...behaviours.flat()),
    scripted: () => standIn.queue.slice(),
    clear() {
      standIn.queue.length = 0;
      standIn.records.length = 0;
    },
    setDefaults: (defaults) => Object.assign(standIn.defaults, defaults),
    setModels: (models) => void (standIn.models = models),
    /** Resolves with the first truthy predicate(requests). */
    waitFor(predicate, timeoutMs = 5000) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = predicate(standIn.records);
          if (found) done(resolve, found);
        };
        const done = (settle, value) => (clearTimeout(timer), standIn.listeners.delete(look), settle(value));
        const timer = setTimeout(() => done(reject, new Error(`waited ${timeoutMs} ms in vain; ${standIn.records.length} requests`)), timeoutMs);
        standIn.listeners.add(look);
        look();
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs a stand-in alone when its file is the program: `node gemini.mjs --port 11501`. */
export async function runAlone(metaUrl, name, defaultPort, start) {
  if (!process.argv[1] || metaUrl !== pathToFileURL(process.argv[1]).href) return;
  const { values } = parseArgs({ options: { port: { type: 'string', default: String(defaultPort) }, host: { type: 'string', default: '127.0.0.1' } } });
  const { url } = await start({ port: Number(values.port), host: values.host });
  process.stdout.write(`${name} stand-in: ${url}\n`);
}
