// The model stand-in on the wire: stream, refusals, scripted failures, records. Deliberately not here: what it says.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { classesOf, failure } from '../../local-dev/models/errors.mjs';
import { startOllama } from '../../local-dev/models/ollama.mjs';

let ollama;
before(async () => (ollama = await startOllama({ firstTokenMs: 0, tokensPerSecond: 0 })));
after(() => ollama.close());
beforeEach(() => ollama.clear());

const chat = (body, options = {}) => fetch(`${ollama.url}/api/chat`, { method: 'POST', body: JSON.stringify({ model: 'gpt-oss:120b', ...body }), ...options });
const say = (content, options) => chat({ messages: [{ role: 'user', content }] }, options);
const linesOf = async (response) => (await response.text()).trim().split('\n').map((line) => JSON.parse(line));
const textOf = (lines) => lines.map((l) => l.message?.content ?? '').join('');

test('a stream of lines that ends with done and counts', async () => {
  const response = await say('hello');
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  const lines = await linesOf(response);
  assert.ok(lines[0].message.thinking);
  assert.match(textOf(lines), /hello.*\*\*1\*\* messages/);
  const last = lines.at(-1);
  assert.equal(last.done, true);
  assert.equal(last.done_reason, 'stop');
  assert.equal(last.eval_count, lines.length - 1);
  assert.ok(lines.slice(0, -1).every((l) => l.done === false && l.model === 'gpt-oss:120b'));
});

test('one object without streaming', async () => {
  const answer = await (await chat({ stream: false, think: false, messages: [{ role: 'user', content: 'таблица' }] })).json();
  assert.match(answer.message.content, /\| Напиток \|/);
  assert.equal(answer.done, true);
});

test('malformed requests are refused with what is wrong', async () => {
  const user = { role: 'user', content: 'x' };
  const call = { role: 'assistant', content: '', tool_calls: [{ id: 'c1', function: { name: 'f', arguments: {} } }] };
  const result = { role: 'tool', content: 'r', tool_name: 'f', tool_call_id: 'c1' };
  const cases = [
    [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 400, /cannot unmarshal array/],
    [{ messages: [{ role: 'model', content: 'x' }] }, 400, /invalid role/],
    [{ messages: [user, result] }, 400, /tool message without its assistant call/],
    [{ messages: [user, call] }, 400, /have no answer/],
    [{ messages: [user, call, user] }, 400, /have no answer/],
    [{ messages: [user], think: 'ultra' }, 400, /invalid think value/],
    [{ messages: [user], tool_choice: 'auto' }, 400, /unknown field "tool_choice"/],
    [{ messages: [{ ...user, images: ['data:image/png;base64,AA=='] }] }, 400, /illegal base64/],
    [{ messages: [user], model: 'absent:1b' }, 404, /model 'absent:1b' not found/],
    [{ messages: [user], model: 'plain:1b', think: true }, 400, /does not support thinking/],
  ];
  for (const [body, status, pattern] of cases) {
    const response = await chat(body);
    assert.equal(response.status, status);
    assert.match((await response.json()).error, pattern);
  }
  assert.equal((await chat({ messages: [user, call, result], model: 'gpt-oss:120b-cloud' })).status, 200);
});

test('scripted answers go to the request they match', async () => {
  ollama.script({ match: 'two', answer: 'second' }, { match: /^one/, answer: 'first 😀', chunkBytes: 1 }, { answer: 'any', toolCalls: [{ name: 'f', arguments: { a: 1 } }], extraFields: { odd: 1 } });
  const [one, two] = await Promise.all([say('one').then(linesOf), say('two').then(linesOf)]);
  assert.equal(textOf(one), 'first 😀');
  assert.equal(textOf(two), 'second');
  const any = await linesOf(await say('three'));
  assert.deepEqual(any.find((l) => l.message.tool_calls).message.tool_calls[0].function, { index: 0, name: 'f', arguments: { a: 1 } });
  assert.equal(any[0].odd, 1);
  assert.equal(ollama.scripted().length, 0);
});

test('scripted failures', async () => {
  ollama.script(
    { answer: 'one two three', resetAfter: 2 },
    { answer: 'one two three', errorLineAfter: 1, errorText: 'broke' },
    { answer: 'one two', endWithoutDone: true },
    { empty: true, answer: 'x' },
    { status: 429, body: { error: 'you (user) have reached your session usage limit' } },
    { status: 502, body: '<html>bad</html>', headers: { 'content-type': 'text/html' } },
  );
  await assert.rejects(say('x').then((r) => r.text()));
  assert.deepEqual((await linesOf(await say('x'))).at(-1), { error: 'broke' });
  assert.equal((await linesOf(await say('x'))).at(-1).done, false);
  const empty = await linesOf(await say('x'));
  assert.equal(empty.length, 1);
  assert.equal(empty[0].done, true);
  assert.equal((await say('x')).status, 429);
  assert.equal(await (await say('x')).text(), '<html>bad</html>');
});

test('hangs last until the client gives up, and that is recorded', async () => {
  ollama.script({ match: 'silent', hangBefore: true }, { match: 'half', answer: 'one two three', hangAfter: 2 });
  const impatient = () => ({ signal: AbortSignal.timeout(80) });
  await assert.rejects(say('silent', impatient()), { name: 'TimeoutError' });
  await assert.rejects(say('half', impatient()).then((r) => r.text()), { name: 'TimeoutError' });
  await ollama.waitFor((requests) => requests.length === 2 && requests.every((r) => r.aborted));
  const [silent, half] = ollama.requests();
  assert.equal(silent.firstTokenAt, null);
  assert.ok(half.firstTokenAt >= half.at && half.abortedAt > half.firstTokenAt);
  assert.equal(half.chunksSent, 2);
});

test('pace', async () => {
  ollama.script({ answer: 'a b c d e', firstTokenMs: 60, tokensPerSecond: 100 });
  await (await say('x')).text();
  const [{ at, firstTokenAt, endedAt }] = ollama.requests();
  assert.ok(firstTokenAt - at >= 55, `first token after ${firstTokenAt - at}`);
  assert.ok(endedAt - firstTokenAt >= 75, `stream took ${endedAt - firstTokenAt}`);
});

test('catalogue, and the control surface over HTTP', async () => {
  const { models } = await (await fetch(`${ollama.url}/api/tags`)).json();
  assert.ok(models.some((m) => m.name === 'qwen3:8b'));
  const show = await (await fetch(`${ollama.url}/api/show`, { method: 'POST', body: '{"model":"qwen3:8b"}' })).json();
  assert.equal(show.model_info[`${show.model_info['general.architecture']}.context_length`], 40_960);
  await fetch(`${ollama.url}/stand-in/script`, { method: 'POST', body: JSON.stringify([{ match: '/^HI/i', answer: 'scripted' }]) });
  assert.equal(textOf(await linesOf(await say('hi'))), 'scripted');
  const { result } = await (await fetch(`${ollama.url}/stand-in/requests`)).json();
  assert.equal(result[0].lastUser, 'hi');
});

test('the clock is called once, and its answer is passed on', async () => {
  const user = { role: 'user', content: 'Который час?' };
  const tools = [{ type: 'function', function: { name: 'current_time', parameters: { type: 'object', properties: { zone: { type: 'string' } }, required: ['zone'] } } }];
  const lines = await linesOf(await chat({ messages: [user], tools }));
  const [call] = lines.flatMap((line) => line.message.tool_calls ?? []);
  assert.deepEqual([call.function.name, call.function.arguments, textOf(lines)], ['current_time', { zone: 'UTC' }, '']);
  const messages = [user, { role: 'assistant', content: '', tool_calls: [call] }, { role: 'tool', tool_name: 'current_time', content: '12:30' }];
  assert.match(textOf(await linesOf(await chat({ messages, tools }))), /Инструмент ответил: 12:30/);
});

test('pictures are named and recorded', async () => {
  const images = [Buffer.from('picture').toString('base64')];
  const lines = await linesOf(await chat({ model: 'gemma4:31b', messages: [{ role: 'user', content: 'look', images }] }));
  assert.match(textOf(lines), /I got image, 7 bytes/);
  assert.deepEqual([ollama.requests()[0].media[0].bytes, ollama.requests()[0].body.messages[0].images], [7, images]);
});

test('every class of failure can be played, in this provider’s shape', async () => {
  for (const name of classesOf('ollama')) {
    if (['silent', 'stall'].includes(name)) continue;
    ollama.script(failure(name));
    const response = await say('x');
    if (['network', 'cut'].includes(name)) {
      await assert.rejects(response.text(), name);
      continue;
    }
    const text = await response.text();
    if (response.status !== 200) {
      if (response.headers.get('content-type').startsWith('application/json')) assert.equal(typeof JSON.parse(text).error, 'string', name);
      else assert.match(text, /^<!DOCTYPE html>/, name);
      continue;
    }
    const lines = text.trim().split('\n').map((line) => JSON.parse(line));
    const ends = { endless: undefined, midStream: undefined, empty: 'stop', thoughtsOnly: 'stop', truncated: 'length' };
    assert.ok(name in ends, name);
    assert.equal(lines.at(-1).done_reason, ends[name], name);
    if (name === 'midStream') assert.equal(typeof lines.at(-1).error, 'string');
    if (['empty', 'thoughtsOnly'].includes(name)) assert.equal(textOf(lines), '', name);
  }
});
