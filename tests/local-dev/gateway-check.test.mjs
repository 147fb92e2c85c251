// The check of AI Gateway: what works, and for each thing that does not, the step that mends it. No secret is printed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkGateway } from '../../local-dev/gateway-check.mjs';
import { failure } from '../../local-dev/models/errors.mjs';
import { startGateway } from '../../local-dev/models/gateway.mjs';
import { startGemini } from '../../local-dev/models/gemini.mjs';
import { startOllama } from '../../local-dev/models/ollama.mjs';
import { startOpenAI } from '../../local-dev/models/openai.mjs';

const SECRETS = { AI_GATEWAY_TOKEN: 'secret-token', OLLAMA_API_KEY: 'secret-ollama', GEMINI_API_KEY: 'secret-gemini', OPENAI_API_KEY: 'secret-openai' };
let models, gateway, values;
before(async () => {
  models = await Promise.all([startOllama(), startGemini({ apiKey: SECRETS.GEMINI_API_KEY }), startOpenAI({ apiKey: SECRETS.OPENAI_API_KEY })]);
  const [ollama, gemini, openai] = models;
  gateway = await startGateway({ token: SECRETS.AI_GATEWAY_TOKEN, gateway: 'tideclaw', upstreams: { 'custom-ollama': ollama.url, 'google-ai-studio': gemini.url, openai: openai.url } });
  values = { AI_GATEWAY_BASE_URL: gateway.base('acct1'), ...SECRETS };
});
after(() => Promise.all([gateway, ...models].map((one) => one.close())));
beforeEach(() => (gateway.clear(), gateway.setCustomProviders(['ollama'])));

/** Runs it; resolves with what it said. Nothing it says may hold a secret, whatever the case. */
async function check(change = {}, options = {}) {
  const said = [];
  const code = await checkGateway({ ...values, ...change }, { say: (line) => said.push(line), ...options });
  const text = said.join('\n');
  assert.doesNotMatch(text, /secret-/);
  return { code, text };
}

test('all works', async () => {
  const { code, text } = await check();
  assert.equal(code, 0, text);
  assert.match(text, /ok\s+Ollama Cloud\s+works, 4 models\nok\s+Gemini\s+works, 4 models\nok\s+OpenAI\s+works, 5 models/);
  assert.match(text, /Require provider credentials/);
  assert.ok(gateway.requests().every((record) => record.wrong.length === 0 && record.status === 200), 'our own headers');
});

test('only what is configured is checked', async () => {
  const { code, text } = await check({ GEMINI_API_KEY: undefined, OPENAI_API_KEY: '' });
  assert.equal(code, 0);
  assert.match(text, /--\s+Gemini\s+not checked, GEMINI_API_KEY is not set/);
  assert.equal(gateway.requests().length, 1);
  assert.equal((await check({ OLLAMA_API_KEY: '', GEMINI_API_KEY: '', OPENAI_API_KEY: '' })).code, 1);
});

test('the custom provider is missing: the exact call that makes it', async () => {
  gateway.setCustomProviders([]);
  const { code, text } = await check();
  assert.equal(code, 1);
  assert.match(text, /FAIL Ollama Cloud[^]*curl -X POST https:\/\/api\.cloudflare\.com\/client\/v4\/accounts\/acct1\/ai-gateway\/custom-providers/);
  assert.match(text, /\{"name":"Ollama Cloud","slug":"ollama","base_url":"https:\/\/ollama\.com","enable":true\}/);
  assert.match(text, /ok\s+Gemini/);
});

test('each thing that can be wrong', async () => {
  const gone = await startGateway();
  await gone.close();
  const cases = [
    [{ AI_GATEWAY_TOKEN: 'secret-other' }, /refuses AI_GATEWAY_TOKEN[^]*AI Gateway: Run/],
    [{ AI_GATEWAY_TOKEN: undefined }, /AI_GATEWAY_TOKEN is not set/],
    [{ GEMINI_API_KEY: 'secret-other' }, /FAIL Gemini\s+The gateway works, but Gemini refuses GEMINI_API_KEY/],
    [{ OPENAI_API_KEY: 'secret-other' }, /FAIL OpenAI\s+The gateway works, but OpenAI refuses OPENAI_API_KEY/],
    [{ AI_GATEWAY_BASE_URL: gateway.base('acct1', 'absent') }, /no gateway "absent"/],
    [{ AI_GATEWAY_BASE_URL: `${gone.base()}` }, /cannot be reached: ECONNREFUSED/],
    [{ AI_GATEWAY_BASE_URL: `${gateway.base()}/openai` }, /with nothing after it/],
    [{ AI_GATEWAY_BASE_URL: `${gateway.base()}?key=secret-x` }, /neither a key nor a query/],
    [{ AI_GATEWAY_BASE_URL: 'nonsense' }, /is not a URL/],
    [{ AI_GATEWAY_BASE_URL: '' }, /is not set: models are called directly/],
  ];
  for (const [change, pattern] of cases) {
    const { code, text } = await check(change);
    assert.equal(code, 1, String(pattern));
    assert.match(text, pattern);
  }
});

test('trouble that passes', async () => {
  const cases = [
    ['rate', /own rate limit/],
    ['server', /The gateway answers 500/],
    ['html', /answers 520/],
    ['credentials', /found no key for Gemini/],
  ];
  for (const [name, pattern] of cases) {
    gateway.script(failure(name, { match: 'google-ai-studio' }));
    const { code, text } = await check();
    assert.equal(code, 1);
    assert.match(text, pattern);
  }
  gateway.script(failure('silent', { match: 'openai' }));
  assert.match((await check({}, { deadlineMs: 200 })).text, /FAIL OpenAI\s+The gateway cannot be reached: no answer within 0\.2 s/);
  gateway.script({ match: 'openai', status: 200, body: '<html>hello</html>', headers: { 'content-type': 'text/html' } });
  assert.match((await check()).text, /is AI_GATEWAY_BASE_URL really AI Gateway/);
});

test('as a program: the environment counts, and the exit code tells', async () => {
  const run = (env) =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [fileURLToPath(new URL('../../local-dev/gateway-check.mjs', import.meta.url))], { env: { PATH: process.env.PATH, ...env } });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
      child.on('exit', (code) => resolve({ code, output }));
    });
  assert.equal((await run(values)).code, 0);
  const { code, output } = await run({ ...values, AI_GATEWAY_TOKEN: 'secret-other' });
  assert.equal(code, 1);
  assert.match(output, /AI Gateway: Run/);
  assert.doesNotMatch(output, /secret-/);
});
