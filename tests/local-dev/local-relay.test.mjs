// The relay of `npm start -- --relay`: what is behind it, what is told about it, its death and its end. The relay itself is a
// program of the test's own here; the real one is in tests/e2e/.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { prepareRelay, runRelay } from '../../local-dev/models/local-relay.mjs';
import { startOllama } from '../../local-dev/models/ollama.mjs';

const PORT = 22_900;
const folder = mkdtempSync(join(tmpdir(), 'tideclaw-relay-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Answers for its health, tells its arguments, and leaves a word when it is asked to stop. */
const program = join(folder, 'ollama-relay');
const source = `#!${process.execPath}
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const [host, port] = process.argv[process.argv.indexOf('--metrics') + 1].split(':');
createServer((_, response) => response.end('ok')).listen(Number(port), host);
console.log(JSON.stringify(process.argv.slice(2)));
process.on('SIGTERM', () => (writeFileSync(${JSON.stringify(join(folder, 'stopped'))}, 'cleanly'), process.exit(0)));
`;
writeFileSync(program, source, { mode: 0o755 });

let open = [];
const closeLater = (close) => open.push(close);
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
const prepare = (user = {}, environment = {}) => prepareRelay({ user, environment, closeLater, port: PORT });
const run = (prepared, tell) => runRelay({ prepared, program, worker: { url: 'http://127.0.0.1:1' }, closeLater, tell });

test('a stand-in of its own, and a token for both sides', async () => {
  const { vars, ollama, token, real } = await prepare();
  assert.deepEqual([vars, real], [{ RELAY_TOKEN: token }, false]);
  assert.ok(token.length >= 40);
  assert.notEqual(token, (await prepare()).token);
  const { models } = await (await fetch(`${ollama}/api/tags`)).json();
  assert.deepEqual(models.map(({ name }) => name), ['qwen3:8b', 'gemma4:12b']);
});

test('OLLAMA_URL, of .dev.vars before the environment, is a real one; a token of the user’s own stays', async () => {
  const real = await prepare({ OLLAMA_URL: 'http://127.0.0.1:11434', RELAY_TOKEN: 'mine' }, { OLLAMA_URL: 'http://10.0.0.2:11434' });
  assert.deepEqual([real.ollama, real.token, real.real], ['http://127.0.0.1:11434', 'mine', true]);
  assert.equal((await prepare({}, { OLLAMA_URL: 'http://10.0.0.2:11434' })).ollama, 'http://10.0.0.2:11434');
});

test('what is told: the model to pick, how to end it and how to start it again; the token is in no line', async () => {
  const prepared = await prepare();
  const lines = (await run(prepared)).join('\n');
  assert.match(lines, /\/model relay\/qwen3:8b/);
  const [, pid] = /kill (\d+)/.exec(lines);
  const [command] = /^.*ollama-relay --url.*$/m.exec(lines);
  assert.match(command, /--url ws:\/\/127\.0\.0\.1:1\/relay --token-file (\S+) --ollama \S+ --name home --metrics 127\.0\.0\.1:\d+/);
  const [, file] = /--token-file (\S+)/.exec(command);
  assert.equal(readFileSync(file, 'utf8').trim(), prepared.token);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!lines.includes(prepared.token));
  process.kill(Number(pid), 0);
});

test('its death is told with the command that brings it back; our own stop is none', async () => {
  const told = [];
  const { promise: heard, resolve } = Promise.withResolvers();
  const lines = (await run(await prepare(), (line) => (told.push(line), resolve()))).join('\n');
  process.kill(Number(/kill (\d+)/.exec(lines)[1]), 'SIGKILL');
  await heard;
  assert.match(told[0], /The relay was killed \(SIGKILL\)[^]*ollama-relay --url/);
  await run(await prepare(), (line) => told.push(line));
  for (const close of open.splice(0).reverse()) await close();
  assert.equal(told.length, 1);
  assert.equal(readFileSync(join(folder, 'stopped'), 'utf8'), 'cleanly');
});

test('an Ollama that is not there, or has no models, is told', async () => {
  const gone = (await run(await prepare({ OLLAMA_URL: 'http://127.0.0.1:9' }))).join('\n');
  assert.match(gone, /NOTHING answers at http:\/\/127\.0\.0\.1:9/);
  const empty = await startOllama({ models: [] });
  closeLater(empty.close);
  assert.match((await run(await prepare({ OLLAMA_URL: empty.url }))).join('\n'), /ollama pull/);
});
