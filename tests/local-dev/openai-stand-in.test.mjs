// The OpenAI stand-in on the wire: the stream in every flavour, what it refuses, transcriptions, failures.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { classesOf, failure } from '../../local-dev/models/errors.mjs';
import { startOpenAI } from '../../local-dev/models/openai.mjs';
import { eventsOf } from './sse.mjs';

const DEFAULTS = { flavour: 'openai', firstTokenMs: 0, tokensPerSecond: 0 };
let openai;
before(async () => (openai = await startOpenAI({ firstTokenMs: 0, tokensPerSecond: 0, apiKey: 'key', maxAudio: 2_000_000 })));
after(() => openai.close());
beforeEach(() => (openai.clear(), openai.setDefaults(DEFAULTS)));

const authorization = 'Bearer key';
const post = (body, { headers = { authorization }, signal } = {}) => fetch(`${openai.url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify({ model: 'gpt-4.1-mini', ...body }), signal });
const user = (content) => ({ role: 'user', content });
const stream = (text, fields = {}, options) => post({ stream: true, messages: [user(text)], ...fields }, options);
const events = async (...args) => eventsOf(await (await stream(...args)).text());
const deltas = (list) => list.map((event) => event.choices?.[0]?.delta ?? {});
const textOf = (list) => deltas(list).map((delta) => delta.content ?? '').join('');
const TOOLS = [{ type: 'function', function: { name: 'current_time', parameters: { type: 'object', properties: {} } } }];
const call = (id, args = '{}') => ({ id, type: 'function', function: { name: 'current_time', arguments: args } });
const assistant = (...tool_calls) => ({ role: 'assistant', content: null, tool_calls });
const tool = (tool_call_id, content = '12:30') => ({ role: 'tool', tool_call_id, content });

test('a stream: role first, text, reason, usage when asked, [DONE]', async () => {
  const response = await stream('hello', { stream_options: { include_usage: true } });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const text = await response.text();
  assert.ok(text.endsWith('data: [DONE]\n\n'));
  const list = eventsOf(text);
  assert.equal(list[0].choices[0].delta.role, 'assistant');
  assert.match(textOf(list), /hello.*\*\*1\*\* messages/);
  assert.equal(list.at(-2).choices[0].finish_reason, 'stop');
  assert.deepEqual(list.at(-1).choices, []);
  assert.ok(list.at(-1).usage.completion_tokens > 0);
  assert.equal(new Set(list.map(({ id, created, model }) => `${id} ${created} ${model}`)).size, 1);
  assert.ok((await events('hello')).every((event) => !event.usage));
});

test('one object without streaming', async () => {
  const answer = await (await post({ messages: [user('hello')] })).json();
  assert.match(answer.choices[0].message.content, /hello/);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('keys and models', async () => {
  assert.match((await (await stream('x', {}, { headers: {} })).json()).error.message, /didn't provide an API key/);
  const wrong = await stream('x', {}, { headers: { authorization: 'Bearer other' } });
  assert.deepEqual([wrong.status, (await wrong.json()).error.code], [401, 'invalid_api_key']);
  const { data } = await (await fetch(`${openai.url}/v1/models`, { headers: { authorization } })).json();
  assert.ok(data.some((m) => m.id === 'whisper-1' && m.object === 'model'));
  assert.equal((await fetch(`${openai.url}/v1/models`)).status, 401);
  const absent = await stream('x', { model: 'gone' });
  assert.deepEqual([absent.status, (await absent.json()).error.code], [404, 'model_not_found']);
});

test('malformed requests are refused with what is wrong', async () => {
  const ask = user('x');
  const image = (url) => ({ messages: [user([{ type: 'image_url', image_url: { url } }])] });
  const cases = [
    [{ messages: [] }, /empty array/],
    [{ messages: [ask], think: true }, /Unknown parameter: 'think'/],
    [{ messages: [{ role: 'model', content: 'x' }] }, /Invalid value: 'model'/],
    [{ messages: [{ ...ask, images: [] }] }, /Unknown parameter: 'messages\[0\]\.images'/],
    [{ messages: [{ ...ask, content: null }] }, /expected a string, got null/],
    [{ messages: [user([{ type: 'image', data: 'x' }])] }, /Invalid value: 'image'/],
    [{ messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://x' } }] }] }, /Supported values are: 'text'/],
    [image('http://x/y.png'), /Invalid 'image_url'/],
    [image('data:image/tiff;base64,AAAA'), /unsupported image/],
    [image('data:image/png;base64,A A'), /Invalid base64/],
    [{ ...image('data:image/png;base64,AAAA'), model: 'plain-chat' }, /only supported by certain models/],
    [{ messages: [ask, assistant({ ...call('c1'), function: { name: 'f', arguments: {} } }), tool('c1')] }, /arguments/],
    [{ messages: [ask, assistant(call('c1', 'not json')), tool('c1')] }, /not a JSON object/],
    [{ messages: [ask, assistant(call('c1'), call('c1')), tool('c1')] }, /Duplicate/],
    [{ messages: [ask, { ...assistant(), content: 'x' }, ask] }, /empty array/],
    [{ messages: [ask, assistant(call('c1'))] }, /did not have response messages: c1/],
    [{ messages: [ask, assistant(call('c1')), ask] }, /did not have response messages: c1/],
    [{ messages: [ask, tool('c1')] }, /must be a response to a preceding message/],
    [{ messages: [ask, assistant(call('c1')), tool('c2')] }, /must be a response to a preceding message/],
    [{ messages: [ask], stream_options: { include_usage: true } }, /only allowed when 'stream' is enabled/],
    [{ messages: [ask], tools: [] }, /empty array/],
    [{ messages: [ask], tools: [{ type: 'function', function: { name: 'a.b' } }] }, /does not match pattern/],
    [{ messages: [ask], tool_choice: 'auto' }, /only allowed when 'tools'/],
    [{ messages: [ask], reasoning_effort: 'low' }, /Unrecognized request argument.*reasoning_effort/],
    [{ messages: [ask], model: 'gpt-5-mini', max_tokens: 5 }, /Unsupported parameter: 'max_tokens'.*'max_completion_tokens'/],
    [{ messages: [ask], model: 'gpt-5-mini', temperature: 0.7 }, /'temperature' does not support 0\.7/],
    [{ messages: [ask], model: 'gpt-5-mini', reasoning_effort: 'none' }, /'reasoning_effort' does not support 'none'/],
    [{ messages: [ask], model: 'gpt-5.1', reasoning_effort: 'minimal' }, /'reasoning_effort' does not support 'minimal'/],
  ];
  for (const [body, pattern] of cases) {
    const response = await post(body);
    const { error } = await response.json();
    assert.equal(response.status, 400, JSON.stringify(body));
    assert.match(error.message, pattern);
    assert.equal(error.type, 'invalid_request_error');
  }
  const good = [
    { model: 'gpt-5-mini', max_completion_tokens: 5, reasoning_effort: 'minimal', messages: [{ role: 'developer', content: 'Be brief.' }, user('x')] },
    { max_tokens: 5, temperature: 0.7, messages: [user([{ type: 'text', text: 'x' }, { type: 'image_url', image_url: { url: 'https://x/y.png' } }])] },
    { messages: [ask, assistant(call('c1'), call('c2')), tool('c2'), tool('c1')], tools: TOOLS },
  ];
  for (const body of good) assert.equal((await post(body)).status, 200, JSON.stringify(body));
});

test('the clock is called once in pieces, and its answer is passed on', async () => {
  const list = await events('What time is it?', { tools: TOOLS });
  const pieces = deltas(list).flatMap((delta) => delta.tool_calls ?? []);
  assert.ok(pieces.length > 1 && pieces.every((piece) => piece.index === 0));
  assert.equal(pieces.map((piece) => piece.function.arguments).join(''), '{}');
  assert.equal(list.at(-1).choices[0].finish_reason, 'tool_calls');
  const messages = [user('What time is it?'), assistant(call(pieces[0].id)), tool(pieces[0].id, '12:30 UTC')];
  assert.match(textOf(await events('', { messages, tools: TOOLS })), /12:30 UTC/);
});

test('images are counted and hashed, not kept', async () => {
  const bytes = Buffer.alloc(3_000_000, 'img');
  const text = textOf(await events('', { messages: [user([{ type: 'text', text: 'look' }, { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${bytes.toString('base64')}` } }])] }));
  assert.match(text, /I got image\/jpeg, 3 000 000 bytes/);
  const [record] = openai.requests();
  assert.deepEqual(JSON.parse(JSON.stringify(record.media)), [{ mime: 'image/jpeg', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }]);
  assert.ok(JSON.stringify(record).length < 3_000);
});

const THINK = { answer: 'one two', thinking: 'hm hm', thinkingTokens: 9, outputTokens: 4, promptTokens: 7, cachedTokens: 3 };
const CALLS = { toolCalls: [{ name: 'current_time', arguments: { zone: 'Europe/Athens' } }, { name: 'current_time' }] };

async function flavoured(flavour, behaviour, fields) {
  openai.setDefaults({ flavour });
  openai.script(behaviour);
  const text = await (await stream('x', { model: 'gpt-5-mini', ...fields })).text();
  return { text, list: eventsOf(text) };
}

test('OpenRouter: comments, reasoning twice, a cost, an error after the end', async () => {
  const { text, list } = await flavoured('openrouter', { ...THINK, cost: 0.5 });
  assert.ok(text.startsWith(': OPENROUTER PROCESSING\n\n'));
  assert.equal(deltas(list)[0].reasoning, deltas(list)[0].reasoning_details[0].text);
  assert.deepEqual([list.at(-1).usage.cost, list.at(-1).usage.completion_tokens], [0.5, 13]);
  assert.equal(list.filter((event) => event.choices[0].finish_reason === 'stop').length, 2);
  const broken = (await flavoured('openrouter', failure('errorAfterFinish'))).list;
  assert.equal(broken.at(-2).choices[0].finish_reason, 'stop');
  assert.ok(broken.at(-1).error.message && broken.at(-1).choices);
  openai.script(failure('errorUnder200'));
  const response = await stream('x');
  assert.deepEqual([response.status, (await response.json()).error.code], [200, 429]);
});

test('Groq: whole calls, usage unasked and twice', async () => {
  const { list } = await flavoured('groq', CALLS);
  const calls = deltas(list).flatMap((delta) => delta.tool_calls ?? []);
  assert.deepEqual(calls.map((c) => [c.index, c.function.arguments]), [[0, '{"zone":"Europe/Athens"}'], [1, '{}']]);
  assert.deepEqual(list.at(-1).x_groq.usage, list.at(-1).usage);
});

test('DeepSeek: thoughts beside null content, and they must come back with calls', async () => {
  const { list } = await flavoured('deepseek', THINK);
  assert.deepEqual(deltas(list)[1], { content: null, reasoning_content: 'hm' });
  assert.equal(list.at(-1).usage.prompt_cache_hit_tokens, 3);
  const messages = [user('x'), assistant(call('c1')), tool('c1')];
  const refused = await post({ model: 'gpt-5-mini', messages });
  assert.match((await refused.json()).error.message, /reasoning_content in the thinking mode must be passed back/);
  messages[1].reasoning_content = '';
  assert.equal((await post({ model: 'gpt-5-mini', messages })).status, 200);
  const developer = await post({ messages: [{ role: 'developer', content: 'x' }] });
  assert.equal(developer.status, 400);
});

test('xAI: completion tokens without the reasoning, no finish_reason until the end, a cost in ticks', async () => {
  const { list } = await flavoured('xai', { ...THINK, cost: 0.25 }, { stream_options: { include_usage: true } });
  assert.ok(list.slice(0, -2).every((event) => !('finish_reason' in event.choices[0])));
  const { prompt_tokens, completion_tokens, total_tokens, cost_in_usd_ticks } = list.at(-1).usage;
  assert.deepEqual([prompt_tokens, completion_tokens, total_tokens, cost_in_usd_ticks], [7, 4, 20, 2_500_000_000]);
});

test('vLLM: no index, the name in every piece, "stop" after calls', async () => {
  const { list } = await flavoured('vllm', CALLS);
  const pieces = deltas(list).flatMap((delta) => delta.tool_calls ?? []);
  assert.ok(pieces.length > 4 && pieces.every((piece) => piece.index === undefined && piece.function.name === 'current_time'));
  assert.equal(pieces.filter((piece) => piece.id).length, 2);
  assert.equal(list.at(-1).choices[0].finish_reason, 'stop');
});

test('a server of unknown make: thoughts shown, fields every server takes, no developer', async () => {
  const { list } = await flavoured('generic', THINK, { stream_options: { include_usage: true }, max_tokens: 5, tools: [] });
  assert.equal(deltas(list)[1].reasoning_content, 'hm');
  assert.equal(textOf(list), 'one two');
  assert.ok(list.every((event) => !('obfuscation' in event)));
  assert.equal(list.at(-1).usage.completion_tokens, 13);
  assert.equal((await post({ messages: [{ role: 'developer', content: 'x' }] })).status, 400);
  const { data } = await (await fetch(`${openai.url}/v1/models`, { headers: { authorization } })).json();
  assert.equal(data[0].max_model_len, 128_000);
});

test('OpenAI hides its thoughts and counts them', async () => {
  const { list } = await flavoured('openai', THINK, { stream_options: { include_usage: true } });
  assert.equal(textOf(list), 'one two');
  assert.ok(deltas(list).every((delta) => !('reasoning' in delta) && !('reasoning_content' in delta)));
  const { completion_tokens, completion_tokens_details, prompt_tokens_details } = list.at(-1).usage;
  assert.deepEqual([completion_tokens, completion_tokens_details.reasoning_tokens, prompt_tokens_details.cached_tokens], [13, 9, 3]);
});

test('every class of failure can be played, in this provider’s shape', async () => {
  for (const name of classesOf('openai')) {
    if (['silent', 'stall', 'errorUnder200', 'errorAfterFinish', 'arrayWrapped'].includes(name)) continue;
    openai.script(failure(name));
    const response = await stream('x', { model: 'gpt-5-mini' });
    if (['network', 'cut'].includes(name)) {
      await assert.rejects(response.text(), name);
      continue;
    }
    const text = await response.text();
    if (response.status !== 200) {
      if (response.headers.get('content-type').startsWith('application/json')) assert.ok(JSON.parse(text).error.message, name);
      else assert.match(text, /^<!DOCTYPE html>/, name);
      continue;
    }
    const list = eventsOf(text);
    const expected = { endless: null, midStream: undefined, empty: 'stop', thoughtsOnly: 'stop', truncated: 'length', blocked: 'content_filter' };
    assert.ok(name in expected, name);
    assert.equal(list.at(-1).choices?.[0].finish_reason, expected[name], name);
    if (name === 'midStream') assert.ok(list.at(-1).error.message);
    assert.equal(text.includes('[DONE]'), !['endless', 'midStream'].includes(name), name);
    if (['empty', 'thoughtsOnly', 'blocked'].includes(name)) assert.equal(textOf(list), '', name);
  }
  openai.script(failure('rate'));
  assert.equal((await stream('x')).headers.get('retry-after'), '2');
});

test('transcriptions', async () => {
  const voice = Buffer.alloc(60_000, 'OggS');
  const send = (fields, bytes = voice, name = 'voice.ogg') => {
    const form = new FormData();
    if (bytes) form.append('file', new Blob([bytes], { type: 'audio/ogg' }), name);
    for (const [key, value] of Object.entries({ model: 'whisper-1', ...fields })) form.append(key, value);
    return fetch(`${openai.url}/v1/audio/transcriptions`, { method: 'POST', headers: { authorization }, body: form });
  };
  const refused = async (pattern, status, ...args) => {
    const response = await send(...args);
    assert.equal(response.status, status);
    assert.match((await response.json()).error.message, pattern);
  };
  assert.match((await (await send()).json()).text, /practice transcript.*audio\/ogg, 60 000 bytes/);
  const [record] = openai.requests();
  assert.deepEqual([record.kind, record.model], ['transcription', 'whisper-1']);
  assert.deepEqual(JSON.parse(JSON.stringify(record.media)), [{ mime: 'audio/ogg', bytes: voice.length, sha256: createHash('sha256').update(voice).digest('hex') }]);
  openai.script({ answer: 'for a chat' }, { kind: 'transcription', match: 'voice.ogg', answer: 'Привет' }, failure('overloaded', { kind: 'transcription' }));
  assert.equal(await (await send({ response_format: 'text', language: 'ru' })).text(), 'Привет\n');
  assert.equal((await send()).status, 503);
  assert.equal(textOf(await events('x')), 'for a chat');
  await refused(/Unrecognized file format/, 400, {}, voice, 'voice.oga.bin');
  await refused(/Missing required parameter: 'file'/, 400, {}, null);
  await refused(/could not be decoded/, 400, {}, Buffer.alloc(0));
  await refused(/Unknown parameter: 'odd'/, 400, { odd: '1' });
  await refused(/does not exist/, 404, { model: 'gpt-5-mini' });
  await refused(/Maximum content size limit \(2000000\) exceeded/, 413, {}, Buffer.alloc(2_000_001));
  const noForm = await fetch(`${openai.url}/v1/audio/transcriptions`, { method: 'POST', headers: { authorization }, body: '{}' });
  assert.match((await noForm.json()).error.message, /not multipart/);
});
