// Which models `npm start` takes: what `.dev.vars` sets is real, the rest are stand-ins, with or without a gateway.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { startModels } from '../../local-dev/models/local.mjs';

const PORTS = { ollama: 21_500, gemini: 21_600, openai: 21_700, gateway: 21_800 };
let open = [];
afterEach(() => Promise.all(open.splice(0).map((close) => close())));
const start = (user = {}, gateway = false) => startModels({ user, gateway, ports: PORTS, closeLater: (close) => open.push(close) });

test('nothing set: three stand-ins, each in /model', async () => {
  const { vars, lines } = await start();
  assert.equal(vars.DEFAULT_MODEL, 'ollama/gpt-oss:120b');
  assert.equal(vars.FALLBACK_MODELS, 'gemini/gemini-3.8-flash,openai/gpt-5-mini');
  assert.equal(vars.TRANSCRIBE_MODEL, 'openai/whisper-1');
  assert.ok(!('AI_GATEWAY_BASE_URL' in vars));
  assert.equal(lines.filter((line) => line.includes('a stand-in that makes up answers')).length, 3);
  const asked = [
    [`${vars.OLLAMA_BASE_URL}/api/tags`, {}],
    [`${vars.GEMINI_BASE_URL}/v1beta/models`, { 'x-goog-api-key': vars.GEMINI_API_KEY }],
    [`${vars.OPENAI_BASE_URL}/models`, { authorization: `Bearer ${vars.OPENAI_API_KEY}` }],
  ];
  for (const [url, headers] of asked) assert.equal((await fetch(url, { headers })).status, 200, url);
});

test('a key or an address makes a provider real, and no variable of it is set over', async () => {
  const { vars, standIns, lines } = await start({ GEMINI_API_KEY: 'secret-g', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' });
  assert.deepEqual(Object.keys(standIns), ['ollama']);
  assert.ok(Object.keys(vars).every((name) => !/^(GEMINI|OPENAI)_/.test(name)));
  assert.equal(vars.FALLBACK_MODELS, 'gemini/gemini-3.8-flash');
  assert.ok(!('TRANSCRIBE_MODEL' in vars));
  assert.match(lines.join('\n'), /Gemini: real, generativelanguage[^]*OpenAI: real, http:\/\/127\.0\.0\.1:9\/v1/);
  assert.doesNotMatch(lines.join('\n'), /secret/);
});

test('a default of the user’s own leaves the others to pick from', async () => {
  const { vars } = await start({ DEFAULT_MODEL: 'gemini/gemini-3.8-flash' });
  assert.equal(vars.DEFAULT_MODEL, 'gemini/gemini-3.8-flash');
  assert.equal(vars.FALLBACK_MODELS, 'ollama/gpt-oss:120b,openai/gpt-5-mini');
});

test('--gateway: each stand-in answers through it', async () => {
  const { vars, standIns } = await start({}, true);
  const headers = { 'cf-aig-authorization': `Bearer ${vars.AI_GATEWAY_TOKEN}`, 'cf-aig-no-wholesale': 'true', 'cf-aig-skip-cache': 'true', 'cf-aig-max-attempts': '1', 'cf-aig-collect-log-payload': 'false', 'cf-aig-metadata': '{}' };
  const paths = ['custom-ollama/api/tags', 'google-ai-studio/v1beta/models', 'openai/models'];
  for (const path of paths) {
    const response = await fetch(`${vars.AI_GATEWAY_BASE_URL}/${path}`, { headers: { ...headers, authorization: 'Bearer local', 'x-goog-api-key': 'local' } });
    assert.equal(response.status, 200, path);
  }
  assert.equal(standIns.gateway.requests().length, paths.length);
});

test('a real gateway has no stand-ins behind it', async () => {
  const base = { AI_GATEWAY_BASE_URL: 'https://gateway.ai.cloudflare.com/v1/a/b' };
  const { vars, standIns, lines } = await start({ ...base, GEMINI_API_KEY: 'g' });
  assert.deepEqual(Object.keys(standIns), []);
  assert.deepEqual(vars, { DEFAULT_MODEL: 'gemini/gemini-3.8-flash' });
  assert.match(lines.join('\n'), /Ollama: none[^]*AI Gateway: the real one/);
  assert.match((await start(base)).lines.join('\n'), /No model can answer yet/);
  await assert.rejects(start(base, true), /Leave one of them out/);
});
