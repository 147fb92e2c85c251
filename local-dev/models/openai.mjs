// An OpenAI-compatible server for tests and for a laptop without a key: chat completions, models, transcriptions,
// scripted answers and failures, and a record of every request. It can speak as several servers do (openai-events.mjs).
// Runs alone: node openai.mjs --port 11502
// Deliberately not here: Responses, embeddings, speech. What is refused: check-openai.mjs.

import { canned } from './canned.mjs';
import { checkOpenAI } from './check-openai.mjs';
import { failureOf } from './errors.mjs';
import { describeMedia, readJsonWithMedia } from './media.mjs';
import { openaiError, openaiWire } from './openai-events.mjs';
import { play } from './playback.mjs';
import { StandIn, listen, runAlone } from './stand-in.mjs';
import { MAX_AUDIO, serveTranscription } from './transcription.mjs';
import { json } from './wire.mjs';

const DEFAULT_MODELS = [
  { id: 'gpt-5-mini', reasoning: true, efforts: ['minimal', 'low', 'medium', 'high'], capabilities: ['vision'] },
  { id: 'gpt-5.1', reasoning: true, efforts: ['none', 'low', 'medium', 'high'], capabilities: ['vision'] },
  { id: 'gpt-4.1-mini', capabilities: ['vision'] },
  { id: 'plain-chat' },
  { id: 'whisper-1', capabilities: ['transcription'] },
];
const MAX_BODY = 64 * 1024 * 1024;

/** What was said last, and what a tool answered since. */
function lastOf(messages) {
  const at = messages.findLastIndex((m) => m?.role === 'user');
  const content = messages[at]?.content ?? '';
  const lastUser = Array.isArray(content) ? content.map((part) => part?.text ?? '').join('\n').trim() : String(content);
  const result = messages.slice(at + 1).findLast((m) => m?.role === 'tool')?.content;
  const toolResult = Array.isArray(result) ? result.map((part) => part?.text ?? '').join('') : result;
  return { lastUser, toolResult, last: messages[at] };
}

/** @returns {object|null} the answer to a wrong key */
function refuseKey(standIn, request) {
  const given = request.headers.authorization;
  if (standIn.apiKey && given === undefined) return { status: 401, body: openaiError(401, "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).", null) };
  return standIn.apiKey && given !== `Bearer ${standIn.apiKey}` ? failureOf('openai', 'auth') : null;
}

async function serveChat(standIn, request, response) {
  const record = standIn.record(request, response, { kind: 'chat' });
  const fail = (status, error) => {
    record.status = status;
    record.error = error.message;
    json(response, status, { error });
  };
  try {
    const { body, bytes } = await readJsonWithMedia(request, MAX_BODY);
    Object.assign(record, { body, requestBytes: bytes });
  } catch (error) {
    return fail(error instanceof RangeError ? 413 : 400, { message: error.message, type: 'invalid_request_error', param: null, code: null });
  }
  const { body } = record;
  const { lastUser, toolResult, last } = lastOf(Array.isArray(body.messages) ? body.messages : []);
  Object.assign(record, { lastUser, model: body.model });
  const noKey = refuseKey(standIn, request);
  if (noKey) return fail(noKey.status, noKey.body.error);
  const model = standIn.models.find((m) => m.id === body.model && !m.capabilities?.includes('transcription'));
  if (!model) return fail(404, { message: `The model '${body.model}' does not exist or you do not have access to it.`, type: 'invalid_request_error', param: null, code: 'model_not_found' });
  record.media = [];
  const wrong = checkOpenAI(body, model, standIn.defaults.flavour, record.media);
  if (wrong) return fail(400, wrong);
  standIn.changed();
  const behaviour = standIn.take(lastUser, { model: body.model });
  record.behaviour = behaviour;
  const tools = (body.tools ?? []).map((tool) => tool.function);
  const recent = (Array.isArray(last?.content) ? last.content : []).map((part) => part.image_url?.url ?? part.input_audio?.data ?? part.file?.file_data).filter((data) => data?.bytes);
  const plan = canned({ defaults: standIn.defaults, behaviour, lastUser, count: body.messages.length, thinks: Boolean(model.reasoning), tools, toolResult, media: describeMedia(recent) });
  return play({ plan, wire: openaiWire({ plan, flavour: plan.flavour, body, record }), streaming: body.stream === true, record, response, json, onToken: () => standIn.changed() });
}

/** OpenAI tells no more than the name, others do. */
function rowOf({ id, context = 128_000, capabilities = [] }, flavour) {
  const row = { id, object: 'model', created: 1_767_000_000, owned_by: 'practice' };
  if (['generic', 'vllm'].includes(flavour)) return { ...row, max_model_len: context };
  const inputs = ['text', ...(capabilities.includes('vision') ? ['image'] : []), ...(capabilities.includes('audio') ? ['audio'] : [])];
  return flavour === 'openrouter' ? { ...row, context_length: context, architecture: { input_modalities: inputs, output_modalities: ['text'] } } : row;
}

async function serve(standIn, request, response, { pathname }) {
  const key = `${request.method} ${pathname}`;
  if (key === 'POST /v1/chat/completions') return serveChat(standIn, request, response);
  if (key === 'POST /v1/audio/transcriptions') return serveTranscription(standIn, request, response, (asked) => refuseKey(standIn, asked));
  if (key === 'GET /v1/models') {
    const noKey = refuseKey(standIn, request);
    if (noKey) return json(response, noKey.status, noKey.body);
    return json(response, 200, { object: 'list', data: standIn.models.map((model) => rowOf(model, standIn.defaults.flavour)) });
  }
  return json(response, 404, openaiError(404, `Invalid URL (${key})`));
}

/**
 * Behaviours of its own: flavour, finishReason, errorAfterFinish: true, kind: "transcription".
 * @param {{port?: number, host?: string, apiKey?: string, flavour?: 'openai'|'generic'|'openrouter'|'groq'|'deepseek'|'xai'|'vllm',
 *   models?: {id: string, context?: number, reasoning?: boolean, efforts?: string[], capabilities?: string[]}[], firstTokenMs?: number,
 *   tokensPerSecond?: number, maxAudio?: number}} [options]  apiKey: refuse requests without it; maxAudio: bytes of a file
 */
export function startOpenAI({ port, host, flavour = 'openai', maxAudio = MAX_AUDIO, ...options } = {}) {
  const standIn = Object.assign(new StandIn('openai', { models: DEFAULT_MODELS, ...options }), { maxAudio });
  standIn.defaults.flavour = flavour;
  return listen(standIn, { port, host, serve: (...args) => serve(standIn, ...args), broken: (response, error) => json(response, 500, openaiError(500, error.message)) });
}

await runAlone(import.meta.url, 'OpenAI', 11502, startOpenAI);
