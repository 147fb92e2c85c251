// An Ollama server for tests and for a laptop without a GPU: /api/chat as a stream, /api/tags, /api/show, /api/version,
// scripted answers and failures, and a record of every request. Runs alone: node ollama.mjs --port 11434
// As somebody's own server (`local`): models are loaded first (ollama-memory.mjs), /api/ps, /api/embed; a chat without
// num_ctx or truncate: false is refused. The real one takes it and silently forgets what does not fit into 4,096 tokens.
// Deliberately not here: /v1, pulling models. What it says unscripted: canned.mjs. Failures: playback.mjs.

import { createHash } from 'node:crypto';
import { canned } from './canned.mjs';
import { checkChat } from './check-chat.mjs';
import { describeMedia, mediaOf } from './media.mjs';
import { ollamaWire } from './ollama-lines.mjs';
import { Memory } from './ollama-memory.mjs';
import { play } from './playback.mjs';
import { StandIn, listen, runAlone } from './stand-in.mjs';
import { json, readJson } from './wire.mjs';

export const DEFAULT_MODELS = [
  { name: 'gpt-oss:120b', context: 131_072, capabilities: ['completion', 'tools', 'thinking'] },
  { name: 'qwen3:8b', context: 40_960, capabilities: ['completion', 'tools', 'thinking'] },
  { name: 'gemma4:31b', context: 262_144, capabilities: ['completion', 'tools', 'vision'] },
  { name: 'plain:1b', context: 8_192, capabilities: ['completion'] },
];

/** Those of somebody's own server: other ones, so that nobody takes it for the cloud. */
export const LOCAL_MODELS = [
  { name: 'qwen3:8b', context: 40_960, size: 5_225_388_164, capabilities: ['completion', 'tools', 'thinking'] },
  { name: 'gemma4:12b', context: 131_072, size: 8_149_190_253, capabilities: ['completion', 'tools', 'vision'] },
];

/** Numbers a vector of `POST /api/embed` has. */
const DIMENSIONS = 8;

/** Cloud names may carry a suffix when asked through a local daemon. */
function modelOf(standIn, name) {
  const bare = name.replace(/[:-]cloud$/, '');
  return standIn.models.find((m) => m.name === name || m.name === bare);
}

function tagOf({ name, context, capabilities, size = 4_700_000_000 }) {
  return { name, model: name, modified_at: '2026-10-01T08:00:00Z', size, digest: Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64), capabilities, details: { parent_model: '', format: 'gguf', family: 'standin', families: ['standin'], parameter_size: name.split(':')[1] ?? '', quantization_level: 'Q4_K_M', context_length: context } };
}

function showOf(model) {
  return { modelfile: '', parameters: '', template: '{{ .Prompt }}', details: tagOf(model).details, model_info: { 'general.architecture': 'standin', 'standin.context_length': model.context }, capabilities: model.capabilities, modified_at: '2026-10-01T08:00:00Z' };
}

/** Refusals that depend on the model. @returns {[number, string]|null} */
function refusal(body, model) {
  if (!model) return [404, `model '${body.model}' not found`];
  const can = (capability) => model.capabilities.includes(capability);
  if (!can('completion')) return [400, `"${model.name}" does not support chat`];
  if (body.tools?.length && !can('tools')) return [400, `registry.ollama.ai/library/${model.name} does not support tools`];
  if (body.think && !can('thinking')) return [400, `"${model.name}" does not support thinking`];
  if (body.messages.some((m) => m.images?.length) && !can('vision')) return [400, 'this model is missing data required for image input'];
  return null;
}

/** Refusals of somebody's own server. @returns {[number, string]|null} */
function localRefusal({ options, messages, truncate }) {
  if (!Number.isInteger(options?.num_ctx)) return [400, 'options.num_ctx is missing: a local server would take 4096'];
  if (truncate !== false) return [400, 'truncate: false is missing: a local server would drop the oldest messages and not say so'];
  const tokens = messages.reduce((sum, message) => sum + Math.ceil(JSON.stringify({ ...message, images: undefined }).length / 4), 0);
  return tokens > options.num_ctx ? [400, `prompt is longer than the context length, currently ${options.num_ctx}`] : null;
}

/** What was said last, and what a tool answered since. */
function lastOf(messages) {
  const at = messages.findLastIndex((m) => m?.role === 'user');
  const result = messages.slice(at + 1).findLast((m) => m?.role === 'tool')?.content;
  return { lastUser: String(messages[at]?.content ?? ''), images: messages[at]?.images ?? [], toolResult: result };
}

async function serveChat(standIn, request, response) {
  const record = standIn.record(request, response);
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
  const { lastUser, images, toolResult } = lastOf(Array.isArray(body.messages) ? body.messages : []);
  record.lastUser = lastUser;
  record.model = body.model;
  standIn.changed();
  if (standIn.apiKey && request.headers.authorization !== `Bearer ${standIn.apiKey}`) {
    record.status = 401;
    return json(response, 401, { error: 'unauthorized', signin_url: 'https://ollama.com/connect' });
  }
  const wrong = checkChat(body);
  if (wrong) return fail(400, wrong);
  record.media = images.map((image) => mediaOf('image', image));
  const model = modelOf(standIn, body.model);
  const behaviour = standIn.take(lastUser, { model: body.model });
  record.behaviour = behaviour;
  const { memory } = standIn;
  const refused = behaviour?.status === undefined ? (refusal(body, model) ?? (memory && body.messages.length > 0 ? localRefusal(body) : null)) : null;
  if (refused) return fail(...refused);
  let loadMs = 0;
  if (memory && model) {
    loadMs = await memory.use(model, { context: body.options?.num_ctx, keepAlive: body.keep_alive, loadMs: behaviour?.loadMs });
    if (response.destroyed) return undefined;
    if (body.messages.length === 0) return json(response, 200, { model: body.model, created_at: new Date().toISOString(), message: { role: 'assistant', content: '' }, done: true, done_reason: body.keep_alive === 0 ? 'unload' : 'load' });
  }
  const thinks = model?.capabilities.includes('thinking') && body.think !== false;
  const tools = (body.tools ?? []).map((tool) => tool.function);
  const plan = canned({ defaults: standIn.defaults, behaviour, lastUser, count: body.messages.length, thinks, tools, toolResult, media: describeMedia(record.media) });
  return play({ plan, wire: ollamaWire({ plan, body, record, loadMs }), streaming: body.stream !== false, record, response, json, onToken: () => standIn.changed() });
}

/** What is in memory; of a cloud nobody knows. */
function loadedOf({ memory }) {
  return (memory?.all() ?? []).map(({ model, context, until }) => {
    const { name, model: id, size, digest, details } = tagOf(model);
    return { name, model: id, size, digest, details, expires_at: new Date(Math.min(until, Date.UTC(2318, 0))).toISOString(), size_vram: size, context_length: context };
  });
}

async function serveEmbed(standIn, request, response) {
  const record = standIn.record(request, response, { kind: 'embed' });
  record.body = await readJson(request);
  const { model: name = '', input, options, keep_alive: keepAlive } = record.body;
  const model = modelOf(standIn, name);
  const texts = [input ?? []].flat();
  const wrong = !model ? [404, `model '${name}' not found`] : !model.capabilities.includes('embedding') ? [501, 'this model does not support embeddings'] : texts.some((text) => typeof text !== 'string') ? [400, 'invalid input type'] : null;
  if (wrong) {
    record.status = wrong[0];
    return json(response, wrong[0], { error: wrong[1] });
  }
  const loadMs = (await standIn.memory?.use(model, { context: options?.num_ctx, keepAlive })) ?? 0;
  const embeddings = texts.map((text) => [...createHash('sha256').update(text).digest()].slice(0, DIMENSIONS).map((byte) => byte / 255));
  return json(response, 200, { model: name, embeddings, total_duration: 1_000_000, load_duration: Math.round(loadMs * 1_000_000), prompt_eval_count: texts.join(' ').split(/\s+/).length });
}

async function serve(standIn, request, response, { pathname }) {
  const key = `${request.method} ${pathname}`;
  if (key === 'POST /api/chat') return serveChat(standIn, request, response);
  if (key === 'GET /api/tags') return json(response, 200, { models: standIn.models.map(tagOf) });
  if (key === 'GET /api/version') return json(response, 200, { version: '0.24.0' });
  if (key === 'GET /api/ps') return json(response, 200, { models: loadedOf(standIn) });
  if (key === 'POST /api/embed') return serveEmbed(standIn, request, response);
  if (key === 'POST /api/show') {
    const { model: name = '' } = await readJson(request);
    const model = modelOf(standIn, name);
    return model ? json(response, 200, showOf(model)) : json(response, 404, { error: `model '${name}' not found` });
  }
  if (key === 'GET /' || key === 'HEAD /') return response.end('Ollama is running');
  return json(response, 404, { error: '404 page not found' });
}

/**
 * @param {{port?: number, host?: string, models?: {name: string, context: number, capabilities: string[], size?: number}[],
 *   apiKey?: string, firstTokenMs?: number, tokensPerSecond?: number, local?: true|{loadMs?: number, most?: number}}} [options]
 *   apiKey: refuse requests without it; local: somebody's own server, whose loads take `loadMs`, for `most` models at once.
 *   A behaviour's `loadMs` is that of a load its request begins.
 */
export function startOllama({ port, host, local, ...options } = {}) {
  const standIn = new StandIn('ollama', { models: local ? LOCAL_MODELS : DEFAULT_MODELS, ...options });
  if (local) standIn.memory = new Memory({ loadMs: 0, ...(local !== true && local) });
  return listen(standIn, { port, host, serve: (...args) => serve(standIn, ...args), broken: (response, error) => json(response, 400, { error: error.message }) });
}

await runAlone(import.meta.url, 'Ollama', 11434, startOllama);
