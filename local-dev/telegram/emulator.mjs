// A Telegram Bot API server for tests and for a laptop: https://api.telegram.org as a bot sees it, the people on the other
// side as functions (control.mjs), and a chat page at "/". Runs alone:
//   node emulator.mjs --port 8081 --token 123456:abc --username tideclaw_bot --webhook http://127.0.0.1:8787/telegram/main --secret s
// Deliberately not here: getUpdates, parse modes, payments, business accounts, inline mode: calls to those are checked
// against the description, logged and answered with true.

import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { makeControl } from './control.mjs';
import { Delivery } from './delivery.mjs';
import { ApiError } from './errors.mjs';
import { answerOf, Faults } from './faults.mjs';
import { readFields, sendJson } from './http.mjs';
import { Limits } from './limits.mjs';
import { botMethods } from './methods-bot.mjs';
import { messageMethods } from './methods.mjs';
import { serveControl } from './routes.mjs';
import { apiVersion, checkParams, fromForm, methodNames } from './schema.mjs';
import { World } from './world.mjs';

const METHODS = { ...messageMethods, ...botMethods };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** The parts of an emulator and its one entry for calls. */
export class Emulator {
  #listeners = new Set();

  constructor({ bots, users, groups, clock = Date, rateLimits = false, latencyMs = 0, webhook = {} }) {
    this.version = apiVersion;
    this.now = () => clock.now();
    this.emit = this.emit.bind(this);
    this.latencyMs = latencyMs;
    this.calls = [];
    this.faults = new Faults();
    this.limits = new Limits(this.now, rateLimits);
    this.world = new World({ bots, users, groups, now: this.now, emit: this.emit });
    this.delivery = new Delivery({ now: this.now, emit: this.emit, ...webhook, call: (bot, method, params) => this.callFromBody(bot, method, params) });
    this.control = makeControl(this);
  }

  emit(type, data) {
    for (const listener of this.#listeners) listener(type, data);
  }

  /** @returns {() => void} unsubscribe */
  on(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  begin(bot, method, params, extra = {}) {
    const call = { n: this.calls.length + 1, bot: bot.id, method, params, at: performance.now(), wall: Date.now(), viaWebhook: false, ...extra };
    this.calls.push(call);
    return call;
  }

  finish(call, fields) {
    Object.assign(call, fields, { endedAt: performance.now() });
    this.emit('call', call);
  }

  /** Runs a call that has begun. @returns {{status: number, body: object}} */
  act(bot, call) {
    try {
      const name = methodNames.get(call.method.toLowerCase());
      if (!name) throw new ApiError(404, 'Not Found: method not found');
      const wrong = checkParams(name, call.params);
      if (wrong) throw new ApiError(400, `Bad Request: ${name}: ${wrong}`);
      if (call.params.chat_id !== undefined) this.limits.check(name, this.world.dialogFor(bot, call.params.chat_id));
      const result = METHODS[name] ? METHODS[name](this, bot, call.params) : true;
      return { status: 200, body: { ok: true, result } };
    } catch (error) {
      if (error instanceof ApiError) return { status: error.code, body: error.body() };
      process.stderr.write(`telegram emulator: ${error.stack}\n`);
      return { status: 500, body: new ApiError(500, `Internal Server Error: ${error.message}`).body() };
    }
  }

  conclude(call, { status, body }, extra = {}) {
    const answer = typeof body === 'string' ? {} : body;
    this.finish(call, { status, description: answer.description, parameters: answer.parameters, result: answer.result, ...extra });
  }

  async callFromBody(bot, method, params) {
    const call = this.begin(bot, method, params, { viaWebhook: true });
    if (this.latencyMs > 0) await sleep(this.latencyMs);
    this.conclude(call, this.act(bot, call));
  }
}

async function serveMethod(emulator, bot, method, request, response, url) {
  let params;
  try {
    const { fields, isForm } = await readFields(request, url);
    const name = methodNames.get(method.toLowerCase());
    params = isForm && name ? fromForm(name, fields) : fields;
  } catch (error) {
    const call = emulator.begin(bot, method, {});
    const answer = { status: 400, body: new ApiError(400, `Bad Request: can't parse request: ${error.message}`).body() };
    emulator.conclude(call, answer);
    return sendJson(response, answer.status, answer.body);
  }
  const call = emulator.begin(bot, methodNames.get(method.toLowerCase()) ?? method, params);
  response.on('close', () => {
    if (!response.writableFinished) call.clientGone = true;
  });
  if (emulator.latencyMs > 0) await sleep(emulator.latencyMs);
  const fault = emulator.faults.take(call.method, params, bot);
  if (fault) call.fault = fault;
  if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
  if (fault === 'cutBefore') {
    emulator.finish(call, { outcome: 'cutBefore', acted: false });
    return request.socket.destroy();
  }
  if (fault?.hangMs !== undefined && !fault.acts) {
    emulator.finish(call, { outcome: 'hang', acted: false });
    await sleep(fault.hangMs);
    return request.socket.destroy();
  }
  const canned = answerOf(fault);
  const answer = canned ?? emulator.act(bot, call);
  emulator.conclude(call, answer, { acted: canned === null, ...(fault === 'cutAfter' && { outcome: 'cutAfter' }) });
  if (fault === 'cutAfter') return request.socket.destroy();
  if (fault?.hangMs !== undefined) {
    await sleep(fault.hangMs);
    return request.socket.destroy();
  }
  return sendJson(response, answer.status, answer.body, answer.headers);
}

/** A download: recorded as a call of `download`, a name faults know too. */
async function serveDownload(emulator, bot, path, response) {
  const call = emulator.begin(bot, 'download', { file_path: path });
  const fault = emulator.faults.take('download', call.params, bot);
  if (fault) call.fault = fault;
  if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
  const canned = answerOf(fault);
  const file = [...emulator.world.files.values()].find((f) => f.file_path === path);
  if (canned || !file) {
    const answer = canned ?? { status: 404, body: new ApiError(404, 'Not Found').body() };
    emulator.conclude(call, answer);
    return sendJson(response, answer.status, answer.body);
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.bytes.length });
  if (fault === 'cutAfter') {
    emulator.finish(call, { outcome: 'cutAfter' });
    return response.write(file.bytes.subarray(0, file.bytes.length / 2), () => setTimeout(() => response.destroy(), 50));
  }
  emulator.conclude(call, { status: 200, body: { ok: true } });
  return response.end(file.bytes);
}

async function serve(emulator, request, response) {
  const url = new URL(request.url, 'http://emulator');
  const api = /^\/(file\/)?bot([^/]+)\/(.+)$/.exec(url.pathname);
  if (!api) return serveControl(emulator, request, response, url);
  const [, isFile, token, rest] = api;
  const bot = [...emulator.world.bots.values()].find((b) => b.token === decodeURIComponent(token));
  if (!bot) return sendJson(response, 401, { ok: false, error_code: 401, description: 'Unauthorized' });
  if (isFile) return serveDownload(emulator, bot, decodeURIComponent(rest), response);
  return serveMethod(emulator, bot, rest, request, response, url);
}

/**
 * @param {{port?: number, host?: string, bots: {id: string, token: string, username: string, webhookUrl?: string, secret?: string,
 *   privacy?: boolean, topics?: boolean, allowedUpdates?: string[]}[], users?: object[], groups?: object[], clock?: {now(): number},
 *   rateLimits?: boolean|object, latencyMs?: number,
 *   webhook?: {timeoutMs?: number, retryBaseMs?: number, retryMaxMs?: number, retryScale?: number}}} options
 */
export async function startTelegram({ port = 0, host = '127.0.0.1', ...options }) {
  const emulator = new Emulator(options);
  const server = createServer((request, response) => {
    serve(emulator, request, response).catch((error) => {
      if (!response.headersSent) sendJson(response, 500, { ok: false, error_code: 500, description: error.message });
      else response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    url: `http://${host}:${server.address().port}`,
    ...emulator.control,
    on: (listener) => emulator.on(listener),
    async close() {
      emulator.delivery.close();
      emulator.world.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8081' },
      host: { type: 'string', default: '127.0.0.1' },
      token: { type: 'string', default: '123456:local-dev-token' },
      username: { type: 'string', default: 'tideclaw_bot' },
      webhook: { type: 'string', default: '' },
      secret: { type: 'string', default: '' },
      limits: { type: 'boolean', default: false },
    },
  });
  const bot = { id: 'main', token: values.token, username: values.username, name: 'Tideclaw', webhookUrl: values.webhook, secret: values.secret };
  const telegram = await startTelegram({ port: Number(values.port), host: values.host, bots: [bot], rateLimits: values.limits });
  process.stdout.write(`Telegram emulator (Bot API ${apiVersion}): ${telegram.url}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
