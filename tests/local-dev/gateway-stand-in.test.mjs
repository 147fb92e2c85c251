// The stand-in for AI Gateway: what it passes on and how, the headers it wants, errors of its own, hang-ups both ways.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { classesOf, failure } from '../../local-dev/models/errors.mjs';
import { startGateway } from '../../local-dev/models/gateway.mjs';
import { startGemini } from '../../local-dev/models/gemini.mjs';
import { startOllama } from '../../local-dev/models/ollama.mjs';
import { startOpenAI } from '../../local-dev/models/openai.mjs';
import { eventsOf } from './sse.mjs';

const PACE = { firstTokenMs: 0, tokensPerSecond: 0 };
const HEADERS = {
  'cf-aig-authorization': 'Bearer token',
  'cf-aig-no-wholesale': 'true',
  'cf-aig-skip-cache': 'true',
  'cf-aig-max-attempts': '1',
  'cf-aig-collect-log-payload': 'false',
  'cf-aig-metadata': '{"turn":7,"chat":"a1b2c3","step":0,"retry":false}',
};
const KEYS = { 'google-ai-studio': { 'x-goog-api-key': 'g' }, openai: { authorization: 'Bearer o' }, 'custom-ollama': { authorization: 'Bearer l' } };
let gemini, openai, ollama, gateway;
before(async () => {
  [gemini, openai, ollama] = await Promise.all([startGemini({ ...PACE, apiKey: 'g' }), startOpenAI({ ...PACE, apiKey: 'o' }), startOllama({ ...PACE, apiKey: 'l' })]);
  const upstreams = { 'google-ai-studio': gemini.url, openai: openai.url, 'custom-ollama': ollama.url, 'custom-other': ollama.url, deepseek: 'http://127.0.0.1:9' };
  gateway = await startGateway({ token: 'token', upstreams, neverInMetadata: [1001], gateway: 'tideclaw' });
});
after(() => Promise.all([gateway, gemini, openai, ollama].map((one) => one.close())));
beforeEach(() => [gateway, gemini, openai, ollama].forEach((one) => one.clear()));

const call = (path, { headers = {}, body, ...options } = {}) => {
  const provider = path.split('/')[0];
  return fetch(`${gateway.base()}/${path}`, { method: body ? 'POST' : 'GET', headers: { ...HEADERS, ...KEYS[provider], ...headers }, body: body && JSON.stringify(body), ...options });
};
const ASKED = {
  gemini: ['google-ai-studio/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse', { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }],
  openai: ['openai/chat/completions', { model: 'gpt-4.1-mini', stream: true, messages: [{ role: 'user', content: 'hello' }] }],
  ollama: ['custom-ollama/api/chat', { model: 'plain:1b', messages: [{ role: 'user', content: 'hello' }] }],
};
const ask = (provider, options) => call(ASKED[provider][0], { body: ASKED[provider][1], ...options });

async function refused(response, status, code, message = /./) {
  assert.equal(response.status, status);
  const { success, error } = await response.json();
  assert.deepEqual([success, error[0].code], [false, code]);
  assert.match(error[0].message, message);
}

test('each provider is passed on at its own path, without the gateway’s headers', async () => {
  for (const [provider, standIn] of Object.entries({ gemini, openai, ollama })) {
    const response = await ask(provider);
    assert.equal(response.status, 200, provider);
    assert.match(response.headers.get('cf-aig-log-id'), /^[0-9a-f]{8}-/);
    assert.deepEqual([response.headers.get('cf-aig-cache-status'), response.headers.get('cf-aig-step')], ['MISS', '0']);
    assert.ok((await response.text()).length > 100);
    const [behind] = standIn.requests();
    assert.deepEqual(Object.keys(behind.headers).filter((name) => name.startsWith('cf-')), []);
    const record = gateway.requests().at(-1);
    assert.equal(record.logId, response.headers.get('cf-aig-log-id'));
    assert.deepEqual([record.account, record.gateway, record.wrong, record.status], ['practice', 'tideclaw', [], 200]);
    assert.deepEqual(record.metadata, { turn: 7, chat: 'a1b2c3', step: 0, retry: false });
    assert.ok(record.bytesIn > 0 && record.bytesOut > 0);
  }
  assert.equal((await call('openai/models')).status, 200);
  assert.equal((await call('custom-ollama/api/tags')).status, 200);
  assert.equal((await call('google-ai-studio/v1beta/models')).status, 200);
  assert.doesNotMatch(JSON.stringify(gateway.requests()), /Bearer|"token"/, 'no key in the record');
});

test('a provider’s own error comes through as it is', async () => {
  gemini.script(failure('quota'));
  const response = await ask('gemini');
  assert.equal(response.status, 429);
  assert.equal((await response.json()).error.status, 'RESOURCE_EXHAUSTED');
  assert.ok(response.headers.get('cf-aig-log-id'));
});

test('what the gateway itself refuses', async () => {
  await refused(await call('openai/models', { headers: { 'cf-aig-authorization': 'Bearer other' } }), 401, 2009, /Unauthorized/);
  await refused(await call('nobody/models'), 400, 2008, /Invalid provider/);
  await refused(await call('custom-other/api/tags'), 400, 2008, /Invalid provider/);
  await refused(await fetch(`${gateway.url}/v1/practice/absent/openai/models`, { headers: { ...HEADERS, ...KEYS.openai } }), 400, 2001, /configure AI Gateway/);
  await refused(await fetch(`${gateway.base()}/openai/models`, { headers: HEADERS }), 400, 2021, /credentials/);
  await refused(await call('deepseek/models', { headers: { authorization: 'Bearer x' } }), 502, 2002, /unreachable/);
  assert.equal(openai.requests().length + ollama.requests().length, 0);
});

test('the headers we want from ourselves', async () => {
  const cases = [
    [{ 'cf-aig-no-wholesale': 'false' }, /no-wholesale/],
    [{ 'cf-aig-skip-cache': '' }, /skip-cache/],
    [{ 'cf-aig-max-attempts': '3' }, /max-attempts/],
    [{ 'cf-aig-collect-log-payload': 'true' }, /collect-log-payload/],
    [{ 'cf-aig-metadata': 'turn=1' }, /not JSON/],
    [{ 'cf-aig-metadata': '[]' }, /not an object/],
    [{ 'cf-aig-metadata': '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}' }, /6 entries/],
    [{ 'cf-aig-metadata': '{"a":{"b":1}}' }, /metadata\.a is neither/],
    [{ 'cf-aig-metadata': '{"a":null}' }, /metadata\.a is neither/],
    [{ 'cf-aig-metadata': '{"a":123456789}' }, /id of a person/],
    [{ 'cf-aig-metadata': '{"a":"-1001234567890"}' }, /id of a person/],
    [{ 'cf-aig-metadata': '{"session":"main:1001"}' }, /id of a person/],
    [{ 'cf-aig-metadata': '{"a":"how are you"}' }, /somebody's text/],
    [{ 'cf-aig-metadata': '{"chat_id":"x"}' }, /must not be there/],
  ];
  for (const [headers, pattern] of cases) await refused(await call('openai/models', { headers }), 400, 0, pattern);
  assert.ok(gateway.requests().every((record) => record.wrong.length > 0));
  const { 'cf-aig-metadata': _, ...without } = HEADERS;
  await refused(await fetch(`${gateway.base()}/openai/models`, { headers: { ...without, ...KEYS.openai } }), 400, 0, /metadata is missing/);
  const lenient = await startGateway({ upstreams: { openai: openai.url }, strict: false });
  assert.equal((await fetch(`${lenient.base()}/openai/models`, { headers: KEYS.openai })).status, 200);
  assert.equal(lenient.requests()[0].wrong.length, 5);
  await lenient.close();
});

test('bytes go on as they come, and a slow stream is not held back', async () => {
  gemini.script({ answer: 'one two three four', tokensPerSecond: 20 });
  const response = await ask('gemini');
  const began = performance.now();
  const arrivals = [];
  for await (const chunk of response.body) arrivals.push([performance.now() - began, chunk.length]);
  assert.ok(arrivals.length >= 4, `${arrivals.length} chunks`);
  assert.ok(arrivals.at(-1)[0] - arrivals[0][0] > 100, 'spread over time');
});

test('25 MB pass through', async () => {
  const data = Buffer.alloc(19_000_000, 'tide').toString('base64');
  const body = { contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'audio/ogg', data } }] }] };
  const response = await call(ASKED.gemini[0], { body });
  assert.match(eventsOf(await response.text()).flatMap((e) => e.candidates[0].content.parts).map((p) => p.text).join(''), /19 000 000 bytes/);
  assert.ok(gateway.requests()[0].bytesIn > 25_000_000);
});

test('a client that hangs up ends the call behind', async () => {
  for (const [behaviour, provider] of [[failure('silent'), 'openai'], [failure('stall'), 'openai']]) {
    openai.clear();
    openai.script(behaviour);
    await assert.rejects(ask(provider, { signal: AbortSignal.timeout(100) }).then((r) => r.text()), { name: 'TimeoutError' });
    await openai.waitFor((requests) => requests[0]?.aborted);
  }
  await gateway.waitFor((requests) => requests.every((r) => r.aborted));
});

test('a provider that breaks off cuts the client, not ends it', async () => {
  ollama.script(failure('cut'));
  await assert.rejects(ask('ollama').then((r) => r.text()));
  // One that ends a chunked answer without its last chunk.
  const rude = createServer((request, response) => {
    response.write('data: half');
    setTimeout(() => response.socket.end(), 30);
  });
  await new Promise((resolve) => rude.listen(0, '127.0.0.1', resolve));
  const between = await startGateway({ strict: false, upstreams: { openai: `http://127.0.0.1:${rude.address().port}` } });
  await assert.rejects(fetch(`${between.base()}/openai/models`).then((r) => r.text()));
  await between.close();
  rude.closeAllConnections();
  rude.close();
});

test('every class of failure of its own', async () => {
  for (const name of classesOf('gateway')) {
    gateway.script(failure(name, { match: 'openai' }));
    const options = ['silent', 'stall'].includes(name) ? { signal: AbortSignal.timeout(100) } : {};
    if (['network', 'cut', 'silent', 'stall'].includes(name)) {
      openai.setDefaults({ tokensPerSecond: 50 });
      await assert.rejects(ask('openai', options).then((r) => r.text()), undefined, name);
      openai.setDefaults({ tokensPerSecond: 0 });
      continue;
    }
    const response = await ask('openai');
    const text = await response.text();
    assert.ok(response.status >= 400, name);
    if (name.startsWith('html')) assert.match(text, /^<!DOCTYPE html>/);
    else assert.equal(JSON.parse(text).success, false, name);
  }
  assert.equal(gateway.scripted().length, 0);
  gateway.script(failure('rate', { match: 'custom-ollama' }));
  assert.equal((await ask('gemini')).status, 200);
  assert.equal((await ask('ollama')).headers.get('retry-after'), '2');
});
