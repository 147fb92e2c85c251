// How each provider fails, by class: `gemini.script(failure('quota'))`. The classes are those that decide what a client
// does next. Bodies have the shapes the services answer with. Deliberately not here: what a client should do.

const HTML = (code, what) => ({ body: `<!DOCTYPE html>\n<html lang="en-US"><head><title>${code}: ${what}</title></head>\n<body><h1>Error ${code}</h1><p>${what}</p></body></html>\n`, headers: { 'content-type': 'text/html; charset=UTF-8' } });

const ofGoogle = (code, status, message, details) => ({ status: code, body: { error: { code, message, status, ...(details && { details }) } } });
const type = (name, fields) => ({ '@type': `type.googleapis.com/google.rpc.${name}`, ...fields });
const googleQuota = (quotaId, limit, retryDelay) =>
  ofGoogle(429, 'RESOURCE_EXHAUSTED', `You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: ${limit}\nPlease retry in ${retryDelay}.`, [
    type('Help', { links: [{ description: 'Learn more about Gemini API quotas', url: 'https://ai.google.dev/gemini-api/docs/rate-limits' }] }),
    type('QuotaFailure', { violations: [{ quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests', quotaId, quotaDimensions: { location: 'global' }, quotaValue: String(limit) }] }),
    type('RetryInfo', { retryDelay }),
  ]);

const ofOpenAI = (status, message, code, fields = {}) => ({ status, body: { error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code, ...fields } } });
const ofOllama = (status, error) => ({ status, body: { error } });
export const ofGateway = (status, code, message) => ({ status, body: { success: false, result: [], messages: [], error: [{ code, message }], name: 'AiGatewayError', internalCode: code, message } });

/** What looks the same from all of them. */
const COMMON = {
  html: { status: 520, ...HTML(520, 'Web server is returning an unknown error') },
  html524: { status: 524, ...HTML(524, 'A timeout occurred') },
  network: { resetAfter: 0 },
  cut: { answer: 'This sentence will not be', resetAfter: 3 },
  endless: { answer: 'This looks complete.', endWithoutDone: true },
  silent: { hangBefore: true },
  stall: { answer: 'This sentence will not be', hangAfter: 3 },
  midStream: { answer: 'This sentence will not be', errorLineAfter: 3 },
  empty: { empty: true, answer: '', thinking: '' },
  thoughtsOnly: { answer: '', thinking: 'I have thought of everything and say nothing.' },
  truncated: { answer: 'This is where the length', doneReason: 'length' },
};

const FAILURES = {
  gemini: {
    ...COMMON,
    auth: ofGoogle(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [type('ErrorInfo', { reason: 'API_KEY_INVALID', domain: 'googleapis.com', metadata: { service: 'generativelanguage.googleapis.com' } })]),
    permission: ofGoogle(403, 'PERMISSION_DENIED', 'Your project has been denied access. Please contact support.'),
    region: ofGoogle(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'),
    plan: googleQuota('GenerateRequestsPerDayPerProjectPerModel-FreeTier', 0, '12.5s'),
    quota: googleQuota('GenerateRequestsPerDayPerProjectPerModel-FreeTier', 20, '38s'),
    rate: googleQuota('GenerateRequestsPerMinutePerProjectPerModel-FreeTier', 5, '2s'),
    server: ofGoogle(500, 'INTERNAL', 'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting'),
    overloaded: ofGoogle(503, 'UNAVAILABLE', 'This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.'),
    deadline: ofGoogle(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'),
    overflow: ofGoogle(400, 'INVALID_ARGUMENT', 'The input token count (1250000) exceeds the maximum number of tokens allowed (1048575).'),
    badRequest: ofGoogle(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.'),
    badThinking: ofGoogle(400, 'INVALID_ARGUMENT', 'Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.'),
    badTools: ofGoogle(400, 'INVALID_ARGUMENT', 'Function calling is not enabled for this model'),
    badMedia: ofGoogle(400, 'INVALID_ARGUMENT', 'Unsupported MIME type: application/ogg'),
    badSignature: ofGoogle(400, 'INVALID_ARGUMENT', 'Corrupted thought signature.'),
    retired: ofGoogle(404, 'NOT_FOUND', 'This model is no longer available to new users. Please update your code to use a newer model for the latest features and improvements.'),
    blocked: { answer: '', doneReason: 'content' },
    blockedPrompt: { blockReason: 'PROHIBITED_CONTENT' },
    malformedCall: { answer: '', finishReason: 'MALFORMED_FUNCTION_CALL' },
    missingSignature: { answer: '', finishReason: 'MISSING_THOUGHT_SIGNATURE' },
    /** As it comes without SSE and from its OpenAI endpoint. */
    arrayWrapped: { status: 503, body: [ofGoogle(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.').body] },
  },
  openai: {
    ...COMMON,
    auth: ofOpenAI(401, 'Incorrect API key provided: local. You can find your API key at https://platform.openai.com/account/api-keys.', 'invalid_api_key'),
    permission: ofOpenAI(403, 'You are not allowed to use this model.', 'model_not_allowed'),
    plan: ofOpenAI(402, 'This request requires more credits, or fewer max_tokens.', 402),
    quota: ofOpenAI(429, 'You exceeded your current quota, please check your plan and billing details.', 'insufficient_quota', { type: 'insufficient_quota' }),
    rate: { ...ofOpenAI(429, 'Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 2s.', 'rate_limit_exceeded', { type: 'requests' }), headers: { 'retry-after': '2' } },
    server: ofOpenAI(500, 'The server had an error while processing your request. Sorry about that!', null),
    overloaded: ofOpenAI(503, 'The engine is currently overloaded, please try again later.', null),
    overflow: ofOpenAI(400, "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens. Please reduce the length of the messages.", 'context_length_exceeded', { param: 'messages' }),
    badRequest: ofOpenAI(400, "Invalid value for 'messages'.", 'invalid_value'),
    badThinking: ofOpenAI(400, "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model.", 'unsupported_value', { param: 'reasoning_effort' }),
    badTools: ofOpenAI(400, "Unsupported parameter: 'tools' is not supported with this model.", 'unsupported_parameter', { param: 'tools' }),
    badMedia: ofOpenAI(400, 'Invalid content type. image_url is only supported by certain models.', null, { param: 'messages.[0].content.[0].type' }),
    badStreamOptions: ofOpenAI(400, "Unrecognized request argument supplied: stream_options", 'unknown_parameter', { param: 'stream_options' }),
    retired: ofOpenAI(404, 'The model does not exist or you do not have access to it.', 'model_not_found'),
    blocked: { answer: '', doneReason: 'content' },
    errorUnder200: { status: 200, body: { error: { message: 'Provider returned error', code: 429, metadata: { raw: 'temporarily rate-limited upstream; please retry shortly.', provider_name: 'Practice' } }, user_id: 'user_x' } },
    errorAfterFinish: { answer: 'This sentence seems whole.', errorAfterFinish: true },
    toolUseFailed: ofOpenAI(400, "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.", 'tool_use_failed', { failed_generation: '<function=current_time{' }),
    arrayWrapped: { status: 429, body: [{ error: { code: 429, message: 'Resource has been exhausted.', status: 'RESOURCE_EXHAUSTED' } }] },
  },
  ollama: {
    ...COMMON,
    auth: { status: 401, body: { error: 'unauthorized', signin_url: 'https://ollama.com/connect' } },
    plan: ofOllama(403, 'this model requires a subscription, upgrade for access: https://ollama.com/upgrade'),
    quota: ofOllama(429, 'you (user) have reached your weekly usage limit, upgrade for higher limits: https://ollama.com/upgrade'),
    rate: { ...ofOllama(429, 'too many requests, please slow down'), headers: { 'retry-after': '2' } },
    server: ofOllama(500, 'model runner has unexpectedly stopped'),
    upstream: ofOllama(502, 'upstream error'),
    overloaded: ofOllama(503, 'server busy, please try again.  maximum pending requests exceeded'),
    /** Of somebody's own server, when the model does not fit. */
    memory: ofOllama(500, 'model requires more system memory (9.3 GiB) than is available (6.1 GiB)'),
    /** As old ones say it. */
    oldDaemon: { status: 400, body: { StatusCode: 400, Status: '400 Bad Request', error: 'registry.ollama.ai/library/qwen3:8b does not support thinking' } },
    overflow: ofOllama(400, 'prompt is longer than the context length, currently 8192'),
    badRequest: ofOllama(400, 'invalid option provided: num_ctxx'),
    badThinking: ofOllama(400, 'think value "low" is not supported for this model'),
    badTools: ofOllama(400, 'registry.ollama.ai/library/plain does not support tools'),
    badMedia: ofOllama(400, 'this model is missing data required for image input'),
    retired: ofOllama(404, "model 'gone' not found"),
  },
  // Codes 2001, 2008 and 2009 have been seen; the two others are assumed.
  gateway: {
    auth: ofGateway(401, 2009, 'Unauthorized'),
    noGateway: ofGateway(400, 2001, 'Please configure AI Gateway in the Cloudflare dashboard'),
    noProvider: ofGateway(400, 2008, 'Invalid provider'),
    credentials: ofGateway(400, 2021, 'Provider credentials are required (byok_only)'),
    rate: { ...ofGateway(429, 2003, 'Rate limited'), headers: { 'retry-after': '2' } },
    server: ofGateway(500, 2002, 'Internal server error'),
    html: COMMON.html,
    html524: COMMON.html524,
    network: { resetAfter: 0 },
    cut: { resetAfter: 2 },
    silent: COMMON.silent,
    stall: { hangAfter: 2 },
  },
};

/** A behaviour for any stand-in's script: fails in this class, in its provider's words. `extra`: match, times, … */
export const failure = (name, extra = {}) => ({ failure: name, ...extra });

/** The classes a provider's stand-in knows. */
export const classesOf = (provider) => Object.keys(FAILURES[provider] ?? {});

/** What `failure(name)` is for this provider. */
export function failureOf(provider, name) {
  const found = FAILURES[provider]?.[name];
  if (!found) throw new Error(`${provider} has no failure "${name}". Known: ${classesOf(provider).join(', ')}`);
  return found;
}
