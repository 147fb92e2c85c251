// Whether a body is a request Ollama's /api/chat understands. Stricter than the real server, which ignores unknown fields
// and repairs some histories. Deliberately not here: which models exist (ollama.mjs).

const FIELDS = new Set(['model', 'messages', 'stream', 'think', 'format', 'options', 'keep_alive', 'tools', 'truncate', 'shift', 'logprobs', 'top_logprobs']);
const OPTIONS = new Set(['num_ctx', 'num_predict', 'temperature', 'top_k', 'top_p', 'min_p', 'typical_p', 'seed', 'stop', 'repeat_penalty', 'repeat_last_n', 'presence_penalty', 'frequency_penalty', 'num_gpu', 'num_thread', 'num_batch', 'num_keep', 'main_gpu', 'use_mmap']);
const MESSAGE_FIELDS = { system: ['role', 'content'], user: ['role', 'content', 'images'], assistant: ['role', 'content', 'thinking', 'tool_calls', 'images'], tool: ['role', 'content', 'tool_name', 'tool_call_id'] };
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

function checkMessage(message, at, open) {
  if (!isObject(message)) return `${at}: must be an object`;
  const allowed = MESSAGE_FIELDS[message.role];
  if (!allowed) return `${at}: invalid role ${JSON.stringify(message.role)}`;
  for (const field of Object.keys(message)) if (!allowed.includes(field)) return `${at}: unknown field "${field}" for ${message.role}`;
  if (typeof message.content !== 'string') return `${at}: json: cannot unmarshal ${Array.isArray(message.content) ? 'array' : typeof message.content} into Go struct field ChatRequest.messages.content of type string`;
  if (!message.content.isWellFormed()) return `${at}: content is not UTF-8`;
  for (const image of message.images ?? []) {
    if (typeof image !== 'string' || image.startsWith('data:') || !/^[A-Za-z0-9+/]+={0,2}$/.test(image)) return `${at}: illegal base64 data in images`;
  }
  if (message.role === 'tool') {
    if (open.length === 0) return `${at}: tool message without its assistant call`;
    const index = message.tool_call_id === undefined ? open.findIndex((c) => c.name === message.tool_name) : open.findIndex((c) => c.id === message.tool_call_id);
    if (index < 0) return `${at}: tool message answers no open call`;
    open.splice(index, 1);
    return null;
  }
  if (open.length > 0) return `${at}: ${open.length} tool call(s) before it have no answer`;
  if (message.role === 'assistant' && message.content === '' && !message.tool_calls?.length && !message.thinking) return `${at}: empty assistant message`;
  for (const call of message.tool_calls ?? []) {
    if (typeof call.function?.name !== 'string' || !isObject(call.function.arguments)) return `${at}: tool call needs function.name and an object function.arguments`;
    open.push({ id: call.id, name: call.function.name });
  }
  return null;
}

function checkTool(tool, at) {
  if (tool?.type !== 'function' || typeof tool.function?.name !== 'string') return `${at}: must be {"type":"function","function":{"name":…}}`;
  return isObject(tool.function.parameters) ? null : `${at}: function.parameters must be an object`;
}

/** @returns {string|null} what is wrong */
export function checkChat(body) {
  if (!isObject(body)) return 'request body must be an object';
  for (const field of Object.keys(body)) if (!FIELDS.has(field)) return `unknown field "${field}"`;
  if (typeof body.model !== 'string' || body.model === '') return 'model is required';
  if (!Array.isArray(body.messages)) return 'messages must be an array';
  if (body.stream !== undefined && typeof body.stream !== 'boolean') return 'stream must be a boolean';
  if (body.think !== undefined && ![true, false, 'low', 'medium', 'high', 'max'].includes(body.think)) return `invalid think value: ${JSON.stringify(body.think)} (must be "high", "medium", "low", "max", true, or false)`;
  if (body.options !== undefined && !isObject(body.options)) return 'options must be an object';
  for (const option of Object.keys(body.options ?? {})) if (!OPTIONS.has(option)) return `invalid option provided: ${option}`;
  if (body.format !== undefined && body.format !== 'json' && !isObject(body.format)) return 'invalid format';
  if (body.tools !== undefined && !Array.isArray(body.tools)) return 'tools must be an array';
  const open = [];
  const wrong = (body.messages.map((message, i) => checkMessage(message, `messages[${i}]`, open)).find(Boolean)) ?? (body.tools ?? []).map((tool, i) => checkTool(tool, `tools[${i}]`)).find(Boolean);
  if (wrong) return wrong;
  if (open.length > 0) return `${open.length} tool call(s) have no answer`;
  return null;
}
