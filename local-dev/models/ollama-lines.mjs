// Ollama's answer as lines of JSON, one a token, and as one object. Deliberately not here: pace and faults (playback.mjs).

import { tokensOf } from './playback.mjs';

const NS = 1_000_000;

export function ollamaWire({ plan, body, record, loadMs = 0 }) {
  const started = performance.now();
  const line = (fields) => `${JSON.stringify({ model: body.model, created_at: new Date().toISOString(), ...fields, ...plan.extraFields })}\n`;
  const message = (fields) => ({ message: { role: 'assistant', content: '', ...fields }, done: false });
  const thinking = tokensOf(plan.empty ? '' : (plan.thinking ?? '')).map((text) => () => line(message({ thinking: text })));
  const content = tokensOf(plan.empty ? '' : plan.answer).map((text) => () => line(message({ content: text })));
  const calls = (plan.toolCalls ?? []).map(({ id, name, arguments: args }, index) => () => line(message({ tool_calls: [{ ...(id !== undefined && { id }), function: { index, name, arguments: args ?? {} } }] })));
  const pieces = [...thinking, ...content, ...calls];
  const finish = () => {
    const total = Math.round((performance.now() - started) * NS);
    const promptTokens = plan.promptTokens ?? Math.ceil(JSON.stringify(body.messages).length / 4);
    const outputTokens = plan.outputTokens ?? thinking.length + content.length;
    record.usage = { promptTokens, outputTokens };
    const counts = { total_duration: total, ...(promptTokens && { prompt_eval_count: promptTokens }), ...(outputTokens && { eval_count: outputTokens }) };
    if (plan.cloud) return line({ message: { role: 'assistant', content: '' }, done: true, ...counts });
    return line({ message: { role: 'assistant', content: '' }, done: true, done_reason: plan.doneReason ?? 'stop', ...counts, load_duration: Math.max(1, Math.round(loadMs)) * NS, prompt_eval_duration: NS, eval_duration: total });
  };
  return {
    contentType: 'application/x-ndjson',
    pieces,
    finish,
    error: () => `${JSON.stringify(plan.errorBody ?? { error: plan.errorText ?? 'an error was encountered while running the model: unexpected EOF' })}\n`,
    refusal: (status) => ({ error: status === 429 ? 'too many requests, please slow down' : `status ${status}` }),
    whole() {
      const message = { role: 'assistant', content: '', thinking: '', tool_calls: [] };
      for (const make of pieces) {
        const part = JSON.parse(make()).message;
        message.content += part.content;
        message.thinking += part.thinking ?? '';
        message.tool_calls.push(...(part.tool_calls ?? []));
      }
      if (message.thinking === '') delete message.thinking;
      if (message.tool_calls.length === 0) delete message.tool_calls;
      return { ...JSON.parse(finish()), model: body.model, message };
    },
  };
}
