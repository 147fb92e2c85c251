// Gemini's stand-in on the wire: the stream, what it refuses, signatures, media, caching, failures.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { classesOf, failure } from '../../local-dev/models/errors.mjs';
import { startGemini } from '../../local-dev/models/gemini.mjs';
import { eventsOf } from './sse.mjs';

let gemini;
before(async () => (gemini = await startGemini({ firstTokenMs: 0, tokensPerSecond: 0, apiKey: 'key', maxInline: 30_000_000 })));
after(() => gemini.close());
beforeEach(() => gemini.clear());

const URL_OF = (model = 'gemini-3.8-flash', method = 'streamGenerateContent?alt=sse') => `${gemini.url}/v1beta/models/${model}:${method}`;
const post = (body, { model, method, headers = { 'x-goog-api-key': 'key' }, signal } = {}) => fetch(URL_OF(model, method), { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body), signal });
const user = (...parts) => ({ role: 'user', parts: parts.map((part) => (typeof part === 'string' ? { text: part } : part)) });
const modelTurn = (...parts) => ({ role: 'model', parts });
const call = (name, fields = {}) => ({ functionCall: { id: `id-${name}`, name, args: {} }, ...fields });
const result = (name, response = { output: 'x' }, fields = {}) => ({ functionResponse: { id: `id-${name}`, name, response }, ...fields });
const DUMMY = 'skip_thought_signature_validator';
const tools = (...names) => [{ functionDeclarations: names.map((name) => ({ name, parametersJsonSchema: { type: 'object', properties: {} } })) }];
const partsOf = (events) => events.flatMap((event) => event.candidates?.[0].content?.parts ?? []);
const say = (text, fields = {}, options) => post({ contents: [user(text)], ...fields }, options);
const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function refused(body, pattern, options, status = 400) {
  const response = await post(body, options);
  const text = await response.text();
  assert.equal(response.status, status, text);
  const { error } = JSON.parse(text);
  assert.match(error.message, pattern);
  assert.equal(error.code, status);
  return error;
}

test('a stream: CRLF, no [DONE], usage in every event, the signature and the reason last', async () => {
  const response = await say('hello', { generationConfig: { thinkingConfig: { thinkingLevel: 'low', includeThoughts: true } } });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const text = await response.text();
  assert.ok(text.endsWith('\r\n\r\n') && !text.includes('[DONE]') && !/[^\r]\n/.test(text));
  const events = eventsOf(text);
  assert.ok(events.every((e) => e.usageMetadata.promptTokenCount > 0 && e.usageMetadata.thoughtsTokenCount > 0));
  assert.ok(partsOf(events)[0].thought);
  assert.match(partsOf(events).filter((p) => !p.thought).map((p) => p.text).join(''), /hello.*\*\*1\*\* messages/);
  const last = events.at(-1);
  assert.deepEqual(Object.keys(last.candidates[0].content.parts[0]), ['text', 'thoughtSignature']);
  assert.equal(last.candidates[0].content.parts[0].text, '');
  assert.equal(last.candidates[0].finishReason, 'STOP');
  const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount, totalTokenCount } = last.usageMetadata;
  assert.equal(totalTokenCount, promptTokenCount + candidatesTokenCount + thoughtsTokenCount);
});

test('thoughts are counted but not shown unless asked for', async () => {
  const events = eventsOf(await (await say('hello')).text());
  assert.ok(partsOf(events).every((part) => !part.thought));
  assert.ok(events[0].usageMetadata.thoughtsTokenCount > 0);
});

test('one object without streaming', async () => {
  const answer = await (await say('hello', {}, { method: 'generateContent' })).json();
  assert.equal(answer.candidates[0].content.parts.length, 1);
  assert.match(answer.candidates[0].content.parts[0].text, /hello/);
  assert.equal(answer.candidates[0].finishReason, 'STOP');
});

test('keys', async () => {
  const body = { contents: [user('x')] };
  await refused(body, /unregistered callers/, { headers: {} }, 403);
  const { details } = await refused(body, /API key not valid/, { headers: { 'x-goog-api-key': 'other' } });
  assert.equal(details[0].reason, 'API_KEY_INVALID');
  await refused(body, /in the URL/, { method: 'streamGenerateContent?alt=sse&key=key' });
  assert.equal((await fetch(`${gemini.url}/v1beta/models`)).status, 403);
});

test('catalogue', async () => {
  const headers = { 'x-goog-api-key': 'key' };
  const { models } = await (await fetch(`${gemini.url}/v1beta/models`, { headers })).json();
  assert.ok(models.every((m) => m.name.startsWith('models/') && m.inputTokenLimit > 0));
  assert.equal((await (await fetch(`${gemini.url}/v1beta/models/gemini-3.8-flash`, { headers })).json()).inputTokenLimit, 1_048_576);
  await refused({ contents: [user('x')] }, /gemini-1 is not found/, { model: 'gemini-1' }, 404);
});

test('malformed requests are refused with what is wrong', async () => {
  const ask = user('x');
  const ogg = (mimeType, data = 'T2dnUw==') => ({ contents: [user({ inlineData: { mimeType, data } })] });
  const thinking = (thinkingConfig) => ({ contents: [ask], generationConfig: { thinkingConfig } });
  const signed = call('f', { thoughtSignature: DUMMY });
  const cases = [
    [{}, /contents is not specified/],
    [{ contents: [] }, /contents is not specified/],
    [{ contents: [{ role: 'user', parts: [] }] }, /parts must not be empty/],
    [{ contents: [user({})] }, /required oneof field 'data'/],
    [{ contents: [user({ text: 'x', inlineData: { mimeType: 'image/png', data: 'AA==' } })] }, /already set/],
    [{ contents: [{ role: 'system', parts: [{ text: 'x' }] }] }, /valid role/],
    [{ contents: [{ parts: [{ text: 'x' }] }] }, /valid role/],
    [{ contents: [ask], model: 'x' }, /Unknown name "model"/],
    [{ contents: [user({ text: 'x', extra: 1 })] }, /Unknown name "extra" at 'contents\[0\]\.parts\[0\]'/],
    [{ contents: [ask], generationConfig: { thinking_config: {} } }, /Unknown name "thinking_config" at 'generationConfig'/],
    [{ contents: [ask], tools: [{ functionDeclarations: [{ name: 'f', parameters: {}, parametersJsonSchema: {} }] }] }, /must not both be set/],
    [{ contents: [ask], tools: tools('1f') }, /Invalid function name/],
    [{ contents: [ask], tools: tools('f', 'f') }, /Duplicate/],
    [thinking({ thinkingLevel: 'minimal' }), /Thinking level MINIMAL is not supported/],
    [thinking({ thinkingLevel: 'low', thinkingBudget: 1 }), /only set one/],
    [ogg('application/ogg'), /Unsupported MIME type: application\/ogg/],
    [ogg('application/octet-stream'), /Unsupported MIME type/],
    [ogg('audio/ogg', 'not base64!'), /Base64 decoding failed/],
    [ogg('audio/ogg', 'A'), /Base64 decoding failed/],
    [ogg('audio/ogg', ''), /empty/],
    [ogg('application/pdf', Buffer.from('<html>').toString('base64')), /document has no pages/],
    [{ contents: [ask, modelTurn({ text: 'y' })] }, /ending with a model turn/],
    [{ contents: [ask, modelTurn(signed)] }, /function response turn/],
    [{ contents: [modelTurn(signed), user(result('f'))] }, /immediately after a user turn/],
    [{ contents: [ask, modelTurn({ text: 'y' }), modelTurn(signed), user(result('f'))] }, /immediately after a user turn/],
    [{ contents: [ask, modelTurn(signed), user(result('f'), result('f'))] }, /number of function response parts/],
    [{ contents: [ask, modelTurn(signed), user('and?')] }, /number of function response parts/],
    [{ contents: [ask, modelTurn(signed, call('g')), user(result('g'), result('f'))] }, /does not answer function call/],
    [{ contents: [ask, modelTurn(signed), user(result('f'), 'and this')] }, /other parts are among them/],
    [{ contents: [ask, user(result('f'))] }, /immediately after a function call turn/],
    [{ contents: [ask, modelTurn(signed), user(result('f', 'text'))] }, /response/],
    [{ contents: [ask, modelTurn(signed), user(result('f', { output: { $ref: '#' } }))] }, /\$ref/],
    [{ contents: [ask, modelTurn(call('f')), user(result('f'))] }, /missing a thought_signature.*`default_api:f` , position 2/],
    [{ contents: [ask, modelTurn(call('f', { thoughtSignature: 'c2lnLTE=' })), user(result('f'))] }, /Corrupted thought signature/],
    ['{"contents":', /Invalid JSON payload/],
  ];
  for (const [body, pattern] of cases) await refused(body, pattern);
  assert.equal(gemini.requests().length, cases.length);
  assert.ok(gemini.requests().every((r) => r.status === 400 && r.behaviour === null));
  await refused({ contents: [user('x')] }, /alt=sse/, { method: 'streamGenerateContent' });
});

test('what older models and dummies allow', async () => {
  const trailing = { contents: [user('x'), modelTurn({ text: 'y' })] };
  assert.equal((await post(trailing, { model: 'gemini-3.5-flash-lite' })).status, 200);
  assert.equal((await say('x', { generationConfig: { thinkingConfig: { thinkingLevel: 'MINIMAL' } } }, { model: 'gemini-3.6-flash' })).status, 200);
  for (const dummy of [DUMMY, Buffer.from(DUMMY).toString('base64'), 'context_engineering_is_the_way_to_go']) {
    const contents = [user('x'), modelTurn(call('f', { thoughtSignature: dummy }), call('g')), user(result('f'), result('g'))];
    assert.equal((await post({ contents })).status, 200, dummy);
    assert.equal(gemini.requests().at(-1).dummies, 1);
  }
});

test('a signature goes back on its own call, to its own model, in every step of the turn', async () => {
  gemini.script({ toolCalls: [{ name: 'f', arguments: { a: 1, b: [2] } }, { name: 'g' }] });
  const [first, second] = partsOf(eventsOf(await (await say('go', { tools: tools('f', 'g') })).text()));
  assert.ok(first.thoughtSignature && !second.thoughtSignature, 'only the first of parallel calls has one');
  assert.equal(second.functionCall.args, undefined);
  const answer = (part) => ({ functionResponse: { id: part.functionCall.id, name: part.functionCall.name, response: { output: 'ok' } } });
  const turn = (...parts) => [user('go'), modelTurn(...parts), user(...parts.map(answer))];
  const { thoughtSignature, ...unsigned } = first;
  assert.equal((await post({ contents: turn(first, second) })).status, 200);
  const urlSafe = thoughtSignature.replaceAll('+', '-').replaceAll('/', '_');
  assert.equal((await post({ contents: turn({ ...first, thoughtSignature: urlSafe }, second) })).status, 200);
  await refused({ contents: turn(unsigned, second) }, /missing a thought_signature/);
  await refused({ contents: turn(unsigned, { ...second, thoughtSignature }) }, /Corrupted/);
  await refused({ contents: turn(first, second) }, /Corrupted/, { model: 'gemini-3.6-flash' });
  // A second step of the same turn needs its own; the turn before does not.
  await refused({ contents: [...turn(first, second), modelTurn(call('f')), user(result('f'))] }, /position 4/);
  assert.equal((await post({ contents: [user('a'), modelTurn(call('f')), user(result('f')), modelTurn({ text: 'done' }), user('b')] })).status, 200);
});

test('calls without ids take answers without', async () => {
  gemini.script({ toolCalls: [{ id: null, name: 'f' }] });
  const [part] = partsOf(eventsOf(await (await say('go')).text()));
  assert.ok(!('id' in part.functionCall));
  const answered = (id) => ({ contents: [user('go'), modelTurn({ ...part, functionCall: { ...part.functionCall, ...id } }), user({ functionResponse: { ...id, name: 'f', response: { output: 'x' } } })] });
  assert.equal((await post(answered({}))).status, 200);
  assert.equal((await post(answered({ id: 'own' }))).status, 200, 'an id of our own on both sides');
});

test('the clock is called once, and its answer is passed on', async () => {
  const [clock] = partsOf(eventsOf(await (await say('What time is it?', { tools: tools('current_time') })).text()));
  assert.equal(clock.functionCall.name, 'current_time');
  const contents = [user('What time is it?'), modelTurn(clock), user({ functionResponse: { id: clock.functionCall.id, name: 'current_time', response: { output: '12:30 UTC' } } })];
  const parts = partsOf(eventsOf(await (await post({ contents, tools: tools('current_time') })).text()));
  assert.match(parts.map((part) => part.text).join(''), /12:30 UTC/);
});

test('a model that calls for ever', async () => {
  gemini.script({ match: 'go', toolCalls: [{ name: 'f' }], times: 3 });
  const contents = [user('go')];
  for (let step = 0; step < 3; step++) {
    const [part] = partsOf(eventsOf(await (await post({ contents })).text()));
    assert.equal(part.functionCall.name, 'f');
    contents.push(modelTurn(part), user({ functionResponse: { id: part.functionCall.id, name: 'f', response: { output: 'again' } } }));
  }
  assert.match(await (await post({ contents })).text(), /tool/);
});

test('media: 18 MB are counted and hashed, not kept; small ones too', async () => {
  const big = Buffer.alloc(18_000_000, 'tide');
  const small = Buffer.from('OggS');
  const data = big.toString('base64');
  const body = JSON.stringify({ contents: [user('hear \\"this"\n', { inlineData: { mimeType: 'audio/ogg', data } }, { inlineData: { mimeType: 'image/png', data: small.toString('base64') } })] });
  const held = () => (globalThis.gc?.(), process.memoryUsage().heapUsed);
  const text = await (await post(body)).text();
  assert.match(partsOf(eventsOf(text)).map((p) => p.text).join(''), /I got audio\/ogg, 18 000 000 bytes; image\/png, 4 bytes/);
  const [record] = gemini.requests();
  assert.deepEqual(JSON.parse(JSON.stringify(record.media)), [
    { mime: 'audio/ogg', bytes: big.length, sha256: hash(big) },
    { mime: 'image/png', bytes: 4, sha256: hash(small) },
  ]);
  assert.equal(record.body.contents[0].parts[0].text, 'hear \\"this"\n');
  assert.equal(record.requestBytes, Buffer.byteLength(body));
  assert.ok(JSON.stringify(record).length < 4_000);
  const before = held();
  await Promise.all(Array.from({ length: 4 }, () => post(body).then((r) => r.text())));
  assert.ok(held() - before < 40_000_000, `${held() - before} bytes more`);
  await refused(JSON.stringify({ contents: [user({ inlineData: { mimeType: 'audio/ogg', data: `${data.slice(0, 9000)}!${data.slice(0, 90)}` } })] }), /Base64/);
  await refused(JSON.stringify({ contents: [user('x'.repeat(30_000_001))] }), /payload size exceeds the limit: 30000000/);
});

test('a long prefix that comes again is cached', async () => {
  const systemInstruction = { parts: [{ text: 'A long rule. '.repeat(2_000) }] };
  const usage = async (text) => eventsOf(await (await say(text, { systemInstruction })).text()).at(-1).usageMetadata;
  assert.equal((await usage('one')).cachedContentTokenCount, undefined);
  const { cachedContentTokenCount: cached, promptTokenCount } = await usage('two');
  assert.ok(cached >= 4096 && cached < promptTokenCount, `${cached} of ${promptTokenCount}`);
  assert.equal(eventsOf(await (await say('short')).text()).at(-1).usageMetadata.cachedContentTokenCount, undefined);
});

test('every class of failure can be played, in this provider’s shape', async () => {
  for (const name of classesOf('gemini')) {
    if (['silent', 'stall'].includes(name)) continue;
    gemini.script(failure(name));
    const response = await say('x');
    if (['network', 'cut'].includes(name)) {
      await assert.rejects(response.text(), name);
      continue;
    }
    const text = await response.text();
    if (response.status !== 200) {
      if (response.headers.get('content-type').startsWith('application/json')) {
        const { error } = [JSON.parse(text)].flat()[0];
        assert.ok(error.code === response.status && error.status && error.message, name);
      } else assert.match(text, /^<!DOCTYPE html>/, name);
      continue;
    }
    const events = eventsOf(text);
    const finish = events.at(-1).candidates?.[0].finishReason;
    const expected = { endless: undefined, midStream: undefined, blockedPrompt: undefined, empty: 'STOP', thoughtsOnly: 'STOP', truncated: 'MAX_TOKENS', blocked: 'SAFETY', malformedCall: 'MALFORMED_FUNCTION_CALL', missingSignature: 'MISSING_THOUGHT_SIGNATURE' };
    assert.ok(name in expected, name);
    assert.equal(finish, expected[name], name);
    if (name === 'midStream') assert.equal(events.at(-1).error.code, 503);
    if (name === 'blockedPrompt') assert.deepEqual([events.length, events[0].promptFeedback.blockReason], [1, 'PROHIBITED_CONTENT']);
    if (['empty', 'thoughtsOnly'].includes(name)) assert.equal(partsOf(events).map((p) => p.text).join(''), '');
  }
  gemini.script(failure('quota'), failure('rate'));
  const detail = async (kind) => (await (await say('x')).json()).error.details.find((d) => d['@type'].endsWith(kind));
  assert.match((await detail('QuotaFailure')).violations[0].quotaId, /PerDay/);
  assert.equal((await detail('RetryInfo')).retryDelay, '2s');
  gemini.script(failure('nonsense'));
  assert.equal((await say('x')).status, 500);
});

test('hangs, byte-sized writes, given usage, and control over HTTP', async () => {
  gemini.script(failure('silent', { match: 'silent' }), failure('stall', { match: 'stall' }));
  await assert.rejects(say('silent', {}, { signal: AbortSignal.timeout(80) }), { name: 'TimeoutError' });
  await assert.rejects(say('stall', {}, { signal: AbortSignal.timeout(80) }).then((r) => r.text()), { name: 'TimeoutError' });
  await gemini.waitFor((requests) => requests.length === 2 && requests.every((r) => r.aborted));
  await fetch(`${gemini.url}/stand-in/script`, { method: 'POST', body: JSON.stringify([{ match: '/^HI/i', answer: 'ответ', chunkBytes: 1, promptTokens: 7, outputTokens: 5, thinkingTokens: 3, cachedTokens: 2 }, { failure: 'quota' }]) });
  const events = eventsOf(await (await say('hi')).text());
  assert.equal(partsOf(events).map((p) => p.text).join(''), 'ответ');
  const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount, cachedContentTokenCount, totalTokenCount } = events.at(-1).usageMetadata;
  assert.deepEqual([promptTokenCount, candidatesTokenCount, thoughtsTokenCount, cachedContentTokenCount, totalTokenCount], [7, 5, 3, 2, 15]);
  assert.equal((await say('x')).status, 429);
  const { result: shown } = await (await fetch(`${gemini.url}/stand-in/requests`)).json();
  assert.equal(shown.length, 4);
  assert.equal(shown[2].lastUser, 'hi');
  gemini.setModels([{ name: 'gemini-4-argon', levels: ['low'] }]);
  assert.equal((await say('x', {}, { model: 'gemini-4-argon' })).status, 200);
});
