// Gemini's answer as server-sent events: CRLF, no [DONE], usage in every event, thoughts counted apart from candidates,
// calls whole with one signature, the finish reason last. Deliberately not here: pace and faults (playback.mjs).

import { randomBytes } from 'node:crypto';
import { sign } from './gemini-signature.mjs';
import { tokensOf } from './playback.mjs';

const FINISH = { stop: 'STOP', length: 'MAX_TOKENS', content: 'SAFETY' };
const STATUS = { 400: 'INVALID_ARGUMENT', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND', 429: 'RESOURCE_EXHAUSTED', 500: 'INTERNAL', 503: 'UNAVAILABLE', 504: 'DEADLINE_EXCEEDED' };

export const geminiError = (code, message, details) => ({ error: { code, message, status: STATUS[code] ?? 'UNKNOWN', ...(details && { details }) } });

/** @param {{promptTokens: number, cachedTokens: number}} counted  what the request weighs */
export function geminiWire({ plan, model, includeThoughts, counted, record }) {
  const responseId = randomBytes(12).toString('base64url');
  const thoughts = tokensOf(plan.empty ? '' : (plan.thinking ?? ''));
  const words = tokensOf(plan.empty ? '' : plan.answer);
  const calls = (plan.toolCalls ?? []).map(({ id, name, arguments: args }, i) => ({ functionCall: { ...(id !== null && { id: id ?? `fc${i}_${randomBytes(6).toString('hex')}` }), name, ...(args !== undefined && { args }) } }));
  if (calls[0] && !plan.unsigned) calls[0].thoughtSignature = sign(model.name, calls[0]);
  const prompt = plan.promptTokens ?? counted.promptTokens;
  const cached = plan.cachedTokens ?? counted.cachedTokens;
  const thinkingTokens = plan.thinkingTokens ?? thoughts.length;

  const usageOf = (output) => ({
    promptTokenCount: prompt,
    ...(output > 0 && { candidatesTokenCount: output }),
    totalTokenCount: prompt + output + thinkingTokens,
    ...(cached > 0 && { cachedContentTokenCount: cached }),
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
    ...(thinkingTokens > 0 && { thoughtsTokenCount: thinkingTokens }),
    serviceTier: 'standard',
  });
  const event = (candidate, output, fields = {}) => ({
    ...(candidate && { candidates: [{ ...candidate, index: 0 }] }),
    ...fields,
    usageMetadata: usageOf(output),
    modelVersion: model.name,
    responseId,
    ...plan.extraFields,
  });
  const saying = (parts, output, fields) => event({ content: { parts, role: 'model' }, ...fields }, output);
  const line = (object) => `data: ${JSON.stringify(object)}\r\n\r\n`;

  const objects = plan.blockReason
    ? []
    : [
        ...(includeThoughts ? thoughts.map((text) => () => saying([{ text, thought: true }], 0)) : []),
        ...words.map((text, i) => () => saying([{ text }], i + 1)),
        ...(calls.length ? [() => saying(calls, words.length + calls.length * 10)] : []),
      ];
  const total = plan.outputTokens ?? words.length + calls.length * 10;
  const last = () => {
    record.usage = { promptTokens: prompt, outputTokens: total, thinkingTokens, cachedTokens: cached };
    if (plan.blockReason) return event(null, 0, { promptFeedback: { blockReason: plan.blockReason } });
    const finishReason = plan.finishReason ?? FINISH[plan.doneReason ?? 'stop'];
    if (finishReason !== 'STOP' && words.length + calls.length === 0) return event({ content: {}, finishReason }, 0);
    // The signature of a text turn comes with the end, on a part without text.
    const part = { text: '', ...(!calls.length && words.length && !plan.unsigned && { thoughtSignature: sign(model.name) }) };
    return saying([part], total, { finishReason, ...(calls.length && { finishMessage: 'Model generated function call(s).' }) });
  };
  return {
    contentType: 'text/event-stream',
    pieces: objects.map((make) => () => line(make())),
    finish: () => line(last()),
    error: () => line(plan.errorBody ?? geminiError(503, plan.errorText ?? 'The model is overloaded. Please try again later.')),
    refusal: (status) => geminiError(status, `status ${status}`),
    whole() {
      const end = last();
      if (!end.candidates) return end;
      const parts = objects.flatMap((make) => make().candidates[0].content.parts);
      const merged = [];
      for (const part of [...parts, ...(end.candidates[0].content.parts ?? [])]) {
        const before = merged.at(-1);
        if (part.text !== undefined && before?.text !== undefined && before.thought === part.thought) Object.assign(before, part, { text: before.text + part.text });
        else merged.push({ ...part });
      }
      end.candidates[0].content = { ...(merged.length && { parts: merged }), role: 'model' };
      return end;
    },
  };
}
