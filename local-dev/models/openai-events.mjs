// A chat completion as server-sent events, in the ways that servers which call themselves OpenAI-compatible differ:
//   openai      arguments in pieces, a usage event without choices when asked, padding in `obfuscation`
//   generic     as most servers on a machine of one's own: the same, with reasoning_content shown and no padding
//   openrouter  comments while it waits, reasoning twice, usage.cost, errors under 200, finish_reason twice
//   groq        whole calls, usage in x_groq and beside it, unasked       deepseek  reasoning_content, usage on the finish event
//   xai         no finish_reason key until the end, completion_tokens without the reasoning
//   vllm        no index on calls, the name repeated, "stop" after calls, no id on later pieces
// Deliberately not here: pace and faults (playback.mjs).

import { randomBytes } from 'node:crypto';
import { tokensOf } from './playback.mjs';

const FINISH = { stop: 'stop', length: 'length', content: 'content_filter' };
const TICKS_PER_DOLLAR = 10_000_000_000;
const CUT = 5;

export const openaiError = (status, message, code = null, fields = {}) => ({ error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code, ...fields } });

function usageOf({ plan, flavour, prompt, thinking, words }) {
  const reasoning = plan.thinkingTokens ?? thinking.length;
  const text = plan.outputTokens ?? words.length;
  const completion = flavour === 'xai' ? text : text + reasoning;
  const cached = plan.cachedTokens ?? 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + text + reasoning,
    ...(flavour === 'deepseek' ? { prompt_cache_hit_tokens: cached, prompt_cache_miss_tokens: prompt - cached } : { prompt_tokens_details: { cached_tokens: cached } }),
    completion_tokens_details: { reasoning_tokens: reasoning },
    ...(flavour === 'openrouter' && { cost: plan.cost ?? 0.000_123, is_byok: false, cost_details: { upstream_inference_cost: null } }),
    ...(flavour === 'xai' && { cost_in_usd_ticks: Math.round((plan.cost ?? 0.000_15) * TICKS_PER_DOLLAR) }),
  };
}

/** A tool call as the deltas it comes in. */
function callDeltas(flavour, { id, name, arguments: args }, index) {
  const text = typeof args === 'string' ? args : JSON.stringify(args ?? {});
  const call = { id: id ?? `call_${randomBytes(9).toString('base64url')}`, type: 'function' };
  if (flavour === 'groq' || flavour === 'xai') return [{ index, ...call, function: { name, arguments: text } }];
  const cuts = text.match(new RegExp(`.{1,${CUT}}`, 'gsu')) ?? [];
  if (flavour === 'vllm') return [{ ...call, function: { name, arguments: '' } }, ...cuts.map((piece) => ({ function: { name, arguments: piece } }))];
  return [{ index, ...call, function: { name, arguments: '' } }, ...cuts.map((piece) => ({ index, function: { arguments: piece } }))];
}

function reasoningDelta(flavour, text) {
  if (flavour === 'generic') return { reasoning_content: text };
  if (flavour === 'deepseek' || flavour === 'xai') return { content: null, reasoning_content: text };
  if (flavour === 'openrouter') return { content: '', reasoning: text, reasoning_details: [{ type: 'reasoning.text', text, index: 0, format: null }] };
  return { content: '', reasoning: text };
}

export function openaiWire({ plan, flavour, body, record }) {
  const head = { id: `chatcmpl-${randomBytes(12).toString('hex')}`, created: Math.floor(Date.now() / 1000), model: body.model };
  const thinking = tokensOf(plan.empty ? '' : (plan.thinking ?? ''));
  const words = tokensOf(plan.empty ? '' : plan.answer);
  const prompt = plan.promptTokens ?? Math.ceil(JSON.stringify(body.messages).length / 4);
  const usage = usageOf({ plan, flavour, prompt, thinking, words });
  const asked = Boolean(body.stream_options?.include_usage);

  const line = (object) => `data: ${JSON.stringify(object)}\n\n`;
  const chunk = (choices, fields) => ({ ...head, object: 'chat.completion.chunk', ...(flavour === 'openai' && { service_tier: 'default', system_fingerprint: 'fp_practice', obfuscation: randomBytes(4).toString('hex') }), choices, ...(asked && flavour === 'openai' && { usage: null }), ...fields, ...plan.extraFields });
  const finishKey = (finish) => (flavour === 'xai' && finish === null ? {} : { finish_reason: finish });
  const delta = (fields, finish = null, rest = {}) => chunk([{ index: 0, delta: fields, ...(flavour !== 'xai' && { logprobs: null }), ...finishKey(finish) }], rest);
  const repeated = flavour === 'openrouter' ? { role: 'assistant' } : {};

  // OpenAI hides its thoughts and counts them; the others show them.
  const shown = flavour === 'openai' ? [] : thinking;
  const calls = (plan.toolCalls ?? []).flatMap((call, i) => callDeltas(flavour, call, i));
  const deltas = [...shown.map((text) => ({ ...repeated, ...reasoningDelta(flavour, text) })), ...words.map((content) => ({ ...repeated, content })), ...calls.map((call) => ({ tool_calls: [call] }))];
  const opening = () => (flavour === 'openrouter' ? ': OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n' : line(delta({ role: 'assistant', content: calls.length ? null : '' })));
  const called = calls.length > 0;
  const finishReason = plan.finishReason ?? (plan.doneReason ? FINISH[plan.doneReason] : called && flavour !== 'vllm' ? 'tool_calls' : 'stop');
  const error = () => line({ ...(flavour === 'openrouter' && { ...head, object: 'chat.completion.chunk', provider: 'Practice', choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }), ...(plan.errorBody ?? openaiError(500, plan.errorText ?? 'The server had an error while processing your request.', flavour === 'openrouter' ? 502 : null)) });

  function ending() {
    record.usage = { promptTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens, thinkingTokens: usage.completion_tokens_details.reasoning_tokens, cachedTokens: plan.cachedTokens ?? 0 };
    const beside = { groq: { x_groq: { id: 'req_practice', usage }, usage }, deepseek: { usage } }[flavour] ?? {};
    const finish = line(delta({}, finishReason, beside));
    const after = asked && !beside.usage ? line(chunk([], { usage })) : '';
    // Usage comes from OpenRouter on a choice that says once more that it is over.
    const twice = flavour === 'openrouter' ? line(delta({ role: 'assistant', content: '' }, finishReason, { usage })) : after;
    return `${finish}${plan.errorAfterFinish ? error() : twice}data: [DONE]\n\n`;
  }
  return {
    contentType: 'text/event-stream',
    pieces: [opening, ...deltas.map((fields) => () => line(delta(fields)))],
    finish: ending,
    error,
    refusal: (status) => openaiError(status, `status ${status}`),
    whole() {
      ending();
      const tool_calls = (plan.toolCalls ?? []).map(({ id, name, arguments: args }, i) => ({ id: id ?? `call_${head.id.slice(-8)}${i}`, type: 'function', function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}) } }));
      const message = { role: 'assistant', content: words.length || !called ? words.join('') : null, ...(called && { tool_calls }), ...(shown.length && { [['deepseek', 'xai', 'generic'].includes(flavour) ? 'reasoning_content' : 'reasoning']: shown.join('') }) };
      return { ...head, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: finishReason }], usage, ...plan.extraFields };
    },
  };
}
