// The stand-in as somebody's own Ollama: what is in memory and how it gets there, embeddings, and what a caller must say.
// Deliberately not here: what it has in common with the cloud (ollama-stand-in.test.mjs).

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOCAL_MODELS, startOllama } from '../../local-dev/models/ollama.mjs';

const LOAD_MS = 300;
const MODELS = [...LOCAL_MODELS, { name: 'embeddinggemma:300m', context: 2_048, capabilities: ['embedding'] }];

let ollama;
before(async () => (ollama = await startOllama({ firstTokenMs: 0, tokensPerSecond: 0, models: MODELS, local: { loadMs: LOAD_MS } })));
after(() => ollama.close());
beforeEach(() => ollama.clear());

const post = (path, body, options = {}) => fetch(`${ollama.url}${path}`, { method: 'POST', body: JSON.stringify(body), ...options });
const chat = (body, options) => post('/api/chat', { model: 'qwen3:8b', truncate: false, options: { num_ctx: 8_192 }, messages: [{ role: 'user', content: 'x' }], ...body }, options);
const loaded = async () => (await (await fetch(`${ollama.url}/api/ps`)).json()).models;
const names = async () => (await loaded()).map((model) => model.name);
const unload = (model) => chat({ model, messages: [], keep_alive: 0 });
/** How long `work` takes, and the last line of its answer. */
async function timed(work) {
  const began = performance.now();
  const text = await (await work()).text();
  return { ms: performance.now() - began, last: JSON.parse(text.trim().split('\n').at(-1)) };
}

test('the first answer waits for the load, the next does not; another context is another load', async () => {
  await unload('qwen3:8b');
  assert.deepEqual(await loaded(), []);
  const first = await timed(() => chat());
  assert.ok(first.ms >= LOAD_MS - 20, `${first.ms}`);
  assert.ok(first.last.load_duration >= (LOAD_MS - 20) * 1e6);
  const [model] = await loaded();
  assert.deepEqual([model.name, model.size_vram, model.context_length], ['qwen3:8b', LOCAL_MODELS[0].size, 8_192]);
  assert.ok(Date.parse(model.expires_at) > Date.now() + 200_000);
  assert.ok((await timed(() => chat())).ms < LOAD_MS / 2);
  assert.ok((await timed(() => chat({ options: { num_ctx: 16_384 } }))).ms >= LOAD_MS - 20);
});

test('one model makes room for the other, and leaves after keep_alive', async () => {
  await (await chat()).text();
  await (await chat({ model: 'gemma4:12b', keep_alive: '200ms' })).text();
  assert.deepEqual(await names(), ['gemma4:12b']);
  await sleep(250);
  assert.deepEqual(await names(), []);
});

test('a request without messages only loads, or unloads', async () => {
  const load = await (await chat({ messages: [] })).json();
  assert.deepEqual([load.done_reason, load.done, load.message.content], ['load', true, '']);
  assert.deepEqual(await names(), ['qwen3:8b']);
  assert.equal((await (await unload('qwen3:8b')).json()).done_reason, 'unload');
  assert.deepEqual(await names(), []);
});

test('a load goes on when nobody waits for it any more, and a behaviour can make it long', async () => {
  await unload('qwen3:8b');
  ollama.script({ loadMs: 600 });
  await assert.rejects(chat({}, { signal: AbortSignal.timeout(100) }));
  await ollama.waitFor(([, request]) => request?.aborted);
  assert.deepEqual(await names(), []);
  await sleep(700);
  assert.deepEqual(await names(), ['qwen3:8b']);
});

test('what a caller must say to somebody’s own server', async () => {
  const cases = [
    [{ options: {} }, 400, /num_ctx is missing/],
    [{ truncate: undefined }, 400, /truncate: false is missing/],
    [{ options: { num_ctx: 512 }, messages: [{ role: 'user', content: 'word '.repeat(1_000) }] }, 400, /longer than the context length, currently 512/],
    [{ model: 'embeddinggemma:300m' }, 400, /does not support chat/],
    [{ model: 'absent:1b' }, 404, /not found/],
  ];
  for (const [body, status, pattern] of cases) {
    const response = await chat(body);
    assert.equal(response.status, status);
    assert.match((await response.json()).error, pattern);
  }
  // A picture is not text.
  const images = [Buffer.alloc(50_000).toString('base64')];
  assert.equal((await chat({ model: 'gemma4:12b', messages: [{ role: 'user', content: 'look', images }] })).status, 200);
});

test('embeddings: a vector for each text, the same for the same', async () => {
  const { embeddings, model } = await (await post('/api/embed', { model: 'embeddinggemma:300m', input: ['a', 'b', 'a'] })).json();
  assert.deepEqual([model, embeddings.length, embeddings[0].length], ['embeddinggemma:300m', 3, 8]);
  assert.deepEqual(embeddings[0], embeddings[2]);
  assert.notDeepEqual(embeddings[0], embeddings[1]);
  assert.equal((await post('/api/embed', { model: 'qwen3:8b', input: 'a' })).status, 501);
  assert.equal((await post('/api/embed', { model: 'absent', input: 'a' })).status, 404);
});
