// An Ollama server for tests and for a laptop without a GPU: /api/chat as a stream, /api/tags, /api/show, /api/version,
// scripted answers and failures, and a record of every request. Runs alone: node ollama.mjs --port 11434
// Deliberately not here: /v1, embeddings, pulling models. What it says unscripted: canned.mjs. Failures: playback.mjs.

import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { cannedAnswer, cannedThinking, isSlow } from './canned.mjs';
import { checkChat } from './check-chat.mjs';
import { play } from './playback.mjs';

const DEFAULT_MODELS = [
  { name: 'gpt-oss:120b', context: 131_072, capabilities: ['completion', 'tools', 'thinking'] },
  { name: 'qwen3:8b', context: 40_960, capabilities: ['completion', 'tools', 'thinking'] },
  { name: 'gemma4:31b', context: 262_144, capabilities: ['completion', 'tools', 'vision'] },
  { name: 'plain:1b', context: 8_192, capabilities: ['completion'] },
];
const MAX_BODY = 20 * 1024 * 1024;

const json = (response, status, body, headers = {}) => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length, ...headers });
  response.end(bytes);
};

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) throw new RangeError('request body too large');
    chunks.push(chunk);
  }
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : {};
}

class StandIn {
  constructor({ models = DEFAULT_MODELS, apiKey, firstTokenMs = 400, tokensPerSecond = 60 }) {
    this.models = models;
    this.apiKey = apiKey;
    this.defaults = { firstTokenMs, tokensPerSecond };
    this.records = [];
    this.queue = [];
    this.listeners = new Set();
  }

  /** Cloud names may carry a suffix when asked through a local daemon. */
  model(name) {
    const bare = name.replace(/[:-]cloud$/, '');
    return this.models.find((m) => m.name === name || m.name === bare);
  }

  /** Takes the first behaviour whose `match` fits the last thing the user said. */
  take(lastUser, model) {
    for (const behaviour of this.queue) {
      const { match } = behaviour;
      const fits = match === undefined || (match instanceof RegExp ? match.test(lastUser) : lastUser.includes(match));
      if (!fits || (behaviour.model !== undefined && behaviour.model !== model)) continue;
      behaviour.times = (behaviour.times ?? 1) - 1;
      if (behaviour.times <= 0) this.queue.splice(this.queue.indexOf(behaviour), 1);
      return behaviour;
    }
    return null;
  }

  changed() {
    for (const listener of [...this.listeners]) listener();
  }
}

function tagOf({ name, context, capabilities }) {
  return { name, model: name, modified_at: '2026-10-01T08:00:00Z', size: 4_700_000_000, digest: Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64), capabilities, details: { parent_model: '', format: 'gguf', family: 'standin', families: ['standin'], parameter_size: name.split(':')[1] ?? '', quantization_level: 'Q4_K_M', context_length: context } };
}

function showOf(model) {
  return { modelfile: '', parameters: '', template: '{{ .Prompt }}', details: tagOf(model).details, model_info: { 'general.architecture': 'standin', 'standin.context_length': model.context }, capabilities: model.capabilities, modified_at: '2026-10-01T08:00:00Z' };
}

/** Refusals that depend on the model. @returns {[number, string]|null} */
function refusal(standIn, body, model) {
  if (!model) return [404, `model '${body.model}' not found`];
  const can = (capability) => model.capabilities.includes(capability);
  if (body.tools?.length && !can('tools')) return [400, `registry.ollama.ai/library/${model.name} does not support tools`];
  if (body.think && !can('thinking')) return [400, `"${model.name}" does not support thinking`];
  if (body.messages.some((m) => m.images?.length) && !can('vision')) return [400, 'this model is missing data required for image input'];
  return null;
}

async function serveChat(standIn, request, response) {
  const record = { n: standIn.records.length + 1, at: performance.now(), wall: Date.now(), authorization: request.headers.authorization ?? null, headers: { ...request.headers, authorization: undefined }, body: null, status: 200, firstTokenAt: null, endedAt: null, aborted: false, abortedAt: null, chunksSent: 0, behaviour: null };
  standIn.records.push(record);
  response.on('close', () => {
    record.endedAt ??= performance.now();
    if (!response.writableFinished && !record.cutByUs) Object.assign(record, { aborted: true, abortedAt: performance.now() });
    standIn.changed();
  });
  const fail = (status, error) => {
    record.status = status;
    record.error = error;
    json(response, status, { error });
  };
  try {
    record.body = await readJson(request);
  } catch (error) {
    return fail(error instanceof RangeError ? 413 : 400, error.message);
  }
  const { body } = record;
  const lastUser = body.messages?.findLast?.((m) => m?.role === 'user')?.content ?? '';
  record.lastUser = lastUser;
  standIn.changed();
  if (standIn.apiKey && request.headers.authorization !== `Bearer ${standIn.apiKey}`) {
    record.status = 401;
    return json(response, 401, { error: 'unauthorized', signin_url: 'https://ollama.com/connect' });
  }
  const wrong = checkChat(body);
  if (wrong) return fail(400, wrong);
  const model = standIn.model(body.model);
  const behaviour = standIn.take(String(lastUser), body.model);
  record.behaviour = behaviour;
  const refused = behaviour?.status === undefined ? refusal(standIn, body, model) : null;
  if (refused) return fail(...refused);
  const thinks = model?.capabilities.includes('thinking') && body.think !== false;
  const plan = { ...standIn.defaults, ...(isSlow(String(lastUser)) && !behaviour?.answer && { tokensPerSecond: 8 }), ...behaviour };
  if (plan.answer === undefined) plan.answer = cannedAnswer(String(lastUser), body.messages.length, Boolean(body.messages.findLast((m) => m.role === 'user')?.images?.length));
  if (plan.thinking === undefined && thinks && behaviour?.answer === undefined) plan.thinking = cannedThinking(String(lastUser));
  return play({ plan, body, record, response, json, onToken: () => standIn.changed() });
}

async function serveControl(standIn, request, response, name) {
  const key = `${request.method} ${name}`;
  const done = (result) => json(response, 200, { ok: true, result });
  if (key === 'GET requests') return done(standIn.records);
  if (key === 'DELETE requests') return done((standIn.records.length = 0));
  if (key === 'GET script') return done(standIn.queue.map((b) => ({ ...b, match: b.match instanceof RegExp ? String(b.match) : b.match })));
  if (key === 'DELETE script') return done((standIn.queue.length = 0));
  if (key === 'POST script') {
    // {match: "/…/i"} over HTTP stands for a regular expression.
    for (const behaviour of [await readJson(request)].flat()) {
      const expression = /^\/(.+)\/([a-z]*)$/s.exec(behaviour.match ?? '');
      standIn.queue.push(expression ? { ...behaviour, match: new RegExp(expression[1], expression[2]) } : behaviour);
    }
    return done(standIn.queue.length);
  }
  if (key === 'POST defaults') return done(Object.assign(standIn.defaults, await readJson(request)));
  if (key === 'POST models') return done((standIn.models = await readJson(request)).length);
  return json(response, 404, { ok: false, description: `no ${key}` });
}

async function serve(standIn, request, response) {
  const { pathname } = new URL(request.url, 'http://ollama');
  const key = `${request.method} ${pathname}`;
  if (pathname.startsWith('/stand-in/')) return serveControl(standIn, request, response, pathname.slice('/stand-in/'.length));
  if (key === 'POST /api/chat') return serveChat(standIn, request, response);
  if (key === 'GET /api/tags') return json(response, 200, { models: standIn.models.map(tagOf) });
  if (key === 'GET /api/version') return json(response, 200, { version: '0.24.0' });
  if (key === 'GET /api/ps') return json(response, 200, { models: [] });
  if (key === 'POST /api/show') {
    const { model: name = '' } = await readJson(request);
    const model = standIn.model(name);
    return model ? json(response, 200, showOf(model)) : json(response, 404, { error: `model '${name}' not found` });
  }
  if (key === 'GET /' || key === 'HEAD /') return response.end('Ollama is running');
  return json(response, 404, { error: '404 page not found' });
}

/**
 * @param {{port?: number, host?: string, models?: {name: string, context: number, capabilities: string[]}[], apiKey?: string,
 *   firstTokenMs?: number, tokensPerSecond?: number}} [options]  apiKey: refuse requests without it
 */
export async function startOllama({ port = 0, host = '127.0.0.1', ...options } = {}) {
  const standIn = new StandIn(options);
  const server = createServer((request, response) => {
    serve(standIn, request, response).catch((error) => (response.headersSent ? response.destroy() : json(response, 400, { error: error.message })));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    url: `http://${host}:${server.address().port}`,
    /** Every chat request so far. */
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

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '11434' }, host: { type: 'string', default: '127.0.0.1' } } });
  const { url } = await startOllama({ port: Number(values.port), host: values.host });
  process.stdout.write(`Ollama stand-in: ${url}\n`);
}
