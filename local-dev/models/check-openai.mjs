// Whether a body is a request that /v1/chat/completions takes: fields, roles, content, pairs of tool calls and results,
// what reasoning models refuse, and how servers that only look like OpenAI's differ. Stricter than the real ones, which
// ignore some unknown fields. Deliberately not here: keys, models' names.

import { isDataUrl, mediaOf } from './media.mjs';
import { first, isObject, misfit, oneOf } from './shape.mjs';

const CALL = { id: 'string', type: oneOf('function'), function: { name: 'string', arguments: 'string' }, index: 'integer' };
const MESSAGES = {
  system: { role: 'string', content: 'any', name: 'string' },
  developer: { role: 'string', content: 'any', name: 'string' },
  user: { role: 'string', content: 'any', name: 'string' },
  assistant: { role: 'string', content: 'any', name: 'string', refusal: 'any', tool_calls: [CALL] },
  tool: { role: 'string', content: 'any', tool_call_id: 'string' },
};
const CONTENT = {
  text: { type: 'string', text: 'string' },
  image_url: { type: 'string', image_url: { url: 'media', detail: oneOf('auto', 'low', 'high') } },
  input_audio: { type: 'string', input_audio: { data: 'media', format: oneOf('wav', 'mp3') } },
  file: { type: 'string', file: { file_data: 'media', filename: 'string', file_id: 'string' } },
};
const REQUEST = {
  model: 'string',
  messages: ['object'],
  stream: 'boolean',
  stream_options: { include_usage: 'boolean', include_obfuscation: 'boolean' },
  tools: [{ type: oneOf('function'), function: { name: 'string', description: 'string', parameters: 'object', strict: 'boolean' } }],
  tool_choice: 'any',
  parallel_tool_calls: 'boolean',
  max_tokens: 'integer',
  max_completion_tokens: 'integer',
  reasoning_effort: 'string',
  temperature: 'number',
  top_p: 'number',
  stop: 'any',
  seed: 'integer',
  response_format: 'object',
  user: 'string',
  safety_identifier: 'string',
  prompt_cache_key: 'string',
  store: 'boolean',
  metadata: 'object',
};
/** What a server takes beside, or does not take. */
const FLAVOURS = {
  openai: {},
  // Proxies before Anthropic's models want the field whenever the history has calls.
  generic: { without: ['store', 'metadata', 'safety_identifier', 'prompt_cache_key'], emptyTools: true },
  openrouter: { fields: { reasoning: 'object', usage: 'object', provider: 'object', models: ['string'] }, assistant: { reasoning: 'any', reasoning_details: 'any' } },
  groq: { without: ['store', 'metadata', 'safety_identifier', 'prompt_cache_key'] },
  deepseek: { fields: { thinking: 'object' }, assistant: { reasoning_content: 'string' }, without: ['store', 'metadata', 'safety_identifier', 'prompt_cache_key', 'max_completion_tokens'] },
  xai: { without: ['store', 'metadata', 'safety_identifier', 'prompt_cache_key'] },
  vllm: { without: ['store', 'metadata', 'safety_identifier', 'prompt_cache_key'] },
};
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const IMAGES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

const fail = (message, code = null, param = null) => ({ message, type: 'invalid_request_error', param, code });

function worded(fault) {
  if (fault.kind === 'unknown') return fail(`Unknown parameter: '${fault.path ? `${fault.path}.` : ''}${fault.name}'.`, 'unknown_parameter', fault.path || fault.name);
  return fail(`Invalid type or value for '${fault.path}': ${JSON.stringify(fault.value)?.slice(0, 60)}.`, 'invalid_type', fault.path);
}

const textOnly = (role) => role !== 'user';

function checkContent(message, path, model, media) {
  const { content, role } = message;
  if (content === null || content === undefined) {
    return role === 'assistant' && message.tool_calls?.length ? null : fail(`Invalid value for 'content': expected a string, got null.`, null, `${path}.content`);
  }
  if (typeof content === 'string') return content.isWellFormed() ? null : fail('Invalid body: lone surrogate', null, path);
  if (!Array.isArray(content) || content.length === 0) return fail(`Invalid type for '${path}.content': expected a string or an array of objects.`, 'invalid_type', `${path}.content`);
  return first(content.entries(), ([i, part]) => {
    const at = `${path}.content[${i}]`;
    const shape = Object.hasOwn(CONTENT, part?.type ?? '') ? CONTENT[part.type] : undefined;
    if (!shape || (textOnly(role) && part.type !== 'text')) return fail(`Invalid value: '${part?.type}'. Supported values are: ${textOnly(role) ? "'text'" : Object.keys(CONTENT).map((t) => `'${t}'`).join(', ')}.`, 'invalid_value', at);
    const fault = misfit(part, shape, at);
    return fault ? worded(fault) : checkMedia(part, at, model, media);
  });
}

/** Replaces the data by what it was, and looks at that. */
function checkMedia(part, at, model, media) {
  const can = (capability) => model.capabilities?.includes(capability);
  if (part.type === 'image_url') {
    if (!can('vision')) return fail('Invalid content type. image_url is only supported by certain models.', null, at);
    const { url } = part.image_url;
    if (typeof url === 'string' && /^https:\/\//.test(url)) return null;
    if (url === undefined || !isDataUrl(url)) return fail(`Invalid 'image_url'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), or an https URL.`, 'invalid_value', at);
    part.image_url.url = mediaOf(null, url);
    media.push(part.image_url.url);
    if (!IMAGES.includes(part.image_url.url.mime)) return fail(`You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].`, 'invalid_image_format', at);
    return part.image_url.url.valid && part.image_url.url.bytes > 0 ? null : fail('Invalid base64 image_url.', 'invalid_base64', at);
  }
  if (part.type === 'input_audio') {
    if (!can('audio')) return fail('Invalid content type. input_audio is only supported by certain models.', null, at);
    part.input_audio.data = mediaOf(`audio/${part.input_audio.format}`, part.input_audio.data ?? '');
    media.push(part.input_audio.data);
    return part.input_audio.data.valid ? null : fail('Invalid base64 input_audio.', 'invalid_base64', at);
  }
  if (part.type === 'file') {
    if (part.file.file_data === undefined || !isDataUrl(part.file.file_data)) return fail(`Invalid 'file_data'. Expected a base64-encoded data URL.`, 'invalid_value', at);
    part.file.file_data = mediaOf(null, part.file.file_data);
    media.push(part.file.file_data);
    return part.file.file_data.mime === 'application/pdf' && part.file.filename ? null : fail(`Invalid file data: '${at}.file_data'. Expected a PDF with a filename.`, 'invalid_value', at);
  }
  return null;
}

function isJsonObject(text) {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

/** Each message, and that every call has its one answer before anything else is said. */
function checkMessages(messages, model, flavour, media) {
  let open = [];
  const owed = () => fail(`An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`, null, 'messages');
  const wrong = first(messages.entries(), ([i, message]) => {
    const path = `messages[${i}]`;
    const { role } = message;
    if (!Object.hasOwn(MESSAGES, role ?? '') || (role === 'developer' && flavour !== 'openai')) return fail(`Invalid value: '${role}'. Supported values are: 'system', 'assistant', 'user', and 'tool'.`, 'invalid_value', `${path}.role`);
    const shape = role === 'assistant' ? { ...MESSAGES.assistant, ...FLAVOURS[flavour].assistant } : MESSAGES[role];
    const fault = misfit(message, shape, path);
    if (fault) return worded(fault);
    const content = checkContent(message, path, model, media);
    if (content) return content;
    if (role === 'tool') {
      if (!open.includes(message.tool_call_id)) return fail("Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.", null, `${path}.role`);
      open = open.filter((id) => id !== message.tool_call_id);
      return null;
    }
    if (open.length) return owed();
    if (message.tool_calls?.length === 0) return fail(`Invalid '${path}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`, 'empty_array', `${path}.tool_calls`);
    // DeepSeek thinks, calls, and wants its thoughts back.
    if (flavour === 'deepseek' && model.reasoning && message.tool_calls && message.reasoning_content === undefined) return fail('The reasoning_content in the thinking mode must be passed back to the API.', 'invalid_request_error');
    for (const { id, type, function: called } of message.tool_calls ?? []) {
      if (!id || type !== 'function' || !NAME.test(called?.name ?? '')) return fail(`Invalid '${path}.tool_calls': id, type and function.name are required.`, 'invalid_value', `${path}.tool_calls`);
      if (!isJsonObject(called.arguments)) return fail(`Invalid '${path}.tool_calls[].function.arguments': not a JSON object in a string.`, 'invalid_value', `${path}.tool_calls`);
      if (open.includes(id)) return fail(`Duplicate tool_call_id ${id}.`, 'invalid_value', `${path}.tool_calls`);
      open.push(id);
    }
    return null;
  });
  return wrong ?? (open.length ? owed() : null);
}

function checkReasoning(body, model, flavour) {
  if (flavour !== 'openai') return null;
  const unsupported = (name, instead = '') => fail(`Unsupported parameter: '${name}' is not supported with this model.${instead}`, 'unsupported_parameter', name);
  if (!model.reasoning) return body.reasoning_effort === undefined ? null : fail('Unrecognized request argument supplied: reasoning_effort', null);
  if (body.max_tokens !== undefined) return unsupported('max_tokens', " Use 'max_completion_tokens' instead.");
  for (const name of ['temperature', 'top_p']) {
    if (body[name] !== undefined && body[name] !== 1) return fail(`Unsupported value: '${name}' does not support ${body[name]} with this model. Only the default (1) value is supported.`, 'unsupported_value', name);
  }
  if (body.stop !== undefined) return unsupported('stop');
  if (body.reasoning_effort !== undefined && !model.efforts.includes(body.reasoning_effort)) {
    return fail(`Unsupported value: 'reasoning_effort' does not support '${body.reasoning_effort}' with this model. Supported values are: ${model.efforts.map((e) => `'${e}'`).join(', ')}.`, 'unsupported_value', 'reasoning_effort');
  }
  return null;
}

/**
 * Media in `body` become Media on the way, and are pushed to `media`.
 * @param {{id: string, reasoning?: boolean, efforts?: string[], capabilities?: string[]}} model
 * @returns {{message: string, type: string, param: string|null, code: string|null}|null} what is wrong
 */
export function checkOpenAI(body, model, flavour, media) {
  const { fields = {}, without = [], emptyTools = false } = FLAVOURS[flavour];
  const shape = Object.fromEntries(Object.entries({ ...REQUEST, ...fields }).filter(([name]) => !without.includes(name)));
  const fault = misfit(body, shape);
  if (fault) return worded(fault);
  if (!body.messages?.length) return fail("Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.", 'empty_array', 'messages');
  if (body.stream_options && !body.stream) return fail("The 'stream_options' parameter is only allowed when 'stream' is enabled.", null, 'stream_options');
  if (body.tools?.length === 0 && !emptyTools) return fail("Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.", 'empty_array', 'tools');
  const badTool = body.tools?.find((tool) => tool.type !== 'function' || !NAME.test(tool.function?.name ?? ''));
  if (badTool) return fail("Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", 'invalid_value', 'tools');
  if (!body.tools && (body.tool_choice !== undefined || body.parallel_tool_calls !== undefined)) return fail("'tool_choice' and 'parallel_tool_calls' are only allowed when 'tools' are specified.", null, 'tools');
  return checkReasoning(body, model, flavour) ?? checkMessages(body.messages, model, flavour, media);
}
