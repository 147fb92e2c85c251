// A Gemini API for tests and for a laptop without a key: streamGenerateContent with alt=sse, generateContent, the list of
// models, implicit caching, scripted answers and failures, and a record of every request. As strict as the real one.
// Runs alone: node gemini.mjs --port 11501
// Deliberately not here: the Files API, Interactions, the OpenAI endpoint. What is refused: check-gemini.mjs.

import { canned } from './canned.mjs';
import { checkGemini, mediaIn } from './check-gemini.mjs';
import { failureOf } from './errors.mjs';
import { geminiError, geminiWire } from './gemini-events.mjs';
import { isDummy } from './gemini-signature.mjs';
import { describeMedia, readJsonWithMedia } from './media.mjs';
import { play } from './playback.mjs';
import { StandIn, listen, runAlone } from './stand-in.mjs';
import { json } from './wire.mjs';

const DEFAULT_MODELS = [
  { name: 'gemini-3.8-flash', levels: ['low', 'medium', 'high'] },
  { name: 'gemini-3.6-flash', levels: ['minimal', 'low', 'medium', 'high'] },
  { name: 'gemini-3.5-flash-lite', levels: ['minimal', 'low', 'medium', 'high'], trailingModelTurn: true },
  { name: 'gemini-3.1-pro-preview', levels: ['low', 'medium', 'high'], trailingModelTurn: true },
];
const MAX_INLINE = 100 * 1024 * 1024;
const CACHE_MIN_TOKENS = 4096;
const CACHE_PROMPTS = 40;
const CHARS_PER_TOKEN = 4;
const TOKENS_OF_MEDIA = 258;

const describe = ({ name, context = 1_048_576, output = 65_536 }) => ({ name: `models/${name}`, version: '001', displayName: name, description: 'A practice model', inputTokenLimit: context, outputTokenLimit: output, supportedGenerationMethods: ['generateContent', 'countTokens'], thinking: true });

/** Tokens of a request, and how many of them stand at the front of an earlier one. */
function weigh(standIn, body, media) {
  const text = JSON.stringify([body.systemInstruction, body.tools, body.contents]);
  const tokens = (chars) => Math.ceil(chars / CHARS_PER_TOKEN);
  const shared = Math.max(0, ...standIn.prompts.map((earlier) => sharedPrefix(earlier, text)));
  standIn.prompts = [...standIn.prompts.slice(1 - CACHE_PROMPTS), text];
  const cached = tokens(shared) - 1;
  return { promptTokens: tokens(text.length) + media.length * TOKENS_OF_MEDIA, cachedTokens: cached >= CACHE_MIN_TOKENS ? cached : 0 };
}

function sharedPrefix(a, b) {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return at;
}

/** What was said last, and what a function answered since. */
function lastOf(contents) {
  const at = contents.findLastIndex((c) => c?.role === 'user' && c.parts?.some((part) => !part.functionResponse));
  const parts = contents[at]?.parts ?? [];
  const answer = contents.slice(at + 1).flatMap((c) => c?.parts ?? []).findLast((part) => part.functionResponse)?.functionResponse.response;
  const toolResult = answer === undefined ? undefined : String(answer.output ?? answer.result ?? JSON.stringify(answer));
  return { lastUser: parts.map((part) => part.text ?? '').join('\n').trim(), parts, toolResult };
}

/** @returns {object|null} a behaviour that refuses */
function refuseKey(standIn, key, url) {
  const refused = (status, message) => ({ status, body: geminiError(status, message) });
  // The real one takes it. We never put a key into a URL.
  if (url.searchParams.has('key')) return refused(400, 'The API key is in the URL, where logs would show it.');
  if (!key) return refused(403, "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.");
  return standIn.apiKey && key !== standIn.apiKey ? failureOf('gemini', 'auth') : null;
}

async function serveGenerate(standIn, request, response, url, name, streaming) {
  const key = request.headers['x-goog-api-key'];
  const record = standIn.record(request, response, { model: name, apiKey: key ?? null, headers: { ...request.headers, 'x-goog-api-key': undefined } });
  const fail = (status, message, details) => {
    record.status = status;
    record.error = message;
    json(response, status, geminiError(status, message, details));
  };
  try {
    const { body, bytes } = await readJsonWithMedia(request, standIn.maxInline);
    Object.assign(record, { body, requestBytes: bytes });
  } catch (error) {
    return fail(400, error instanceof SyntaxError ? `Invalid JSON payload received. ${error.message}` : error.message);
  }
  const { body } = record;
  const { lastUser, parts, toolResult } = lastOf(Array.isArray(body.contents) ? body.contents : []);
  record.lastUser = lastUser;
  const noKey = refuseKey(standIn, key, url);
  if (noKey) return fail(noKey.status, noKey.body.error.message, noKey.body.error.details);
  if (streaming && url.searchParams.get('alt') !== 'sse') return fail(400, 'Practice only: ask for alt=sse.');
  const model = standIn.models.find((m) => m.name === name);
  if (!model) return fail(404, `models/${name} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`);
  const wrong = checkGemini(body, model);
  if (wrong) return fail(400, wrong);
  record.media = mediaIn(body.contents);
  record.dummies = body.contents.flatMap((c) => c.parts).filter((part) => isDummy(part.thoughtSignature)).length;
  standIn.changed();
  const behaviour = standIn.take(lastUser, { model: name });
  record.behaviour = behaviour;
  const tools = (body.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []).map((one) => ({ name: one.name, parameters: one.parametersJsonSchema ?? one.parameters }));
  const media = describeMedia(mediaIn([{ parts }]));
  const plan = canned({ defaults: standIn.defaults, behaviour, lastUser, count: body.contents.length, thinks: true, tools, toolResult, media });
  const counted = weigh(standIn, body, record.media);
  if (counted.promptTokens > (model.context ?? 1_048_576)) return fail(400, `The input token count (${counted.promptTokens}) exceeds the maximum number of tokens allowed (${(model.context ?? 1_048_576) - 1}).`);
  const includeThoughts = Boolean(body.generationConfig?.thinkingConfig?.includeThoughts);
  return play({ plan, wire: geminiWire({ plan, model, includeThoughts, counted, record }), streaming, record, response, json, onToken: () => standIn.changed() });
}

function serveModels(standIn, request, response, url, name) {
  const noKey = refuseKey(standIn, request.headers['x-goog-api-key'], url);
  if (noKey) return json(response, noKey.status, noKey.body);
  if (!name) return json(response, 200, { models: standIn.models.map(describe) });
  const model = standIn.models.find((m) => m.name === name);
  return model ? json(response, 200, describe(model)) : json(response, 404, geminiError(404, `Model models/${name} is not found.`));
}

async function serve(standIn, request, response, url) {
  const found = /^\/v1beta\/models(?:\/([\w.-]+)(?::(\w+))?)?$/.exec(url.pathname);
  const [, name, method] = found ?? [];
  if (found && request.method === 'GET' && !method) return serveModels(standIn, request, response, url, name);
  if (request.method === 'POST' && ['streamGenerateContent', 'generateContent'].includes(method)) return serveGenerate(standIn, request, response, url, name, method === 'streamGenerateContent');
  return json(response, 404, geminiError(404, 'Requested entity was not found.'));
}

/**
 * Behaviours of its own: blockReason (the prompt is blocked), finishReason (as Gemini spells it), unsigned: true, and
 * id: null on a tool call, which older models gave none.
 * @param {{port?: number, host?: string, apiKey?: string, models?: {name: string, levels?: string[], context?: number,
 *   signatures?: boolean, trailingModelTurn?: boolean}[], firstTokenMs?: number, tokensPerSecond?: number, maxInline?: number}} [options]
 *   apiKey: refuse any other (none is always refused); maxInline: bytes of a request
 */
export function startGemini({ port, host, maxInline = MAX_INLINE, ...options } = {}) {
  const standIn = Object.assign(new StandIn('gemini', { models: DEFAULT_MODELS, ...options }), { maxInline, prompts: [] });
  return listen(standIn, { port, host, serve: (...args) => serve(standIn, ...args), broken: (response, error) => json(response, 500, geminiError(500, error.message)) });
}

await runAlone(import.meta.url, 'Gemini', 11501, startGemini);
