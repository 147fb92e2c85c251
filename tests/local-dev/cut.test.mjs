// The tests' own network: what passes, what does not while it is frozen, and what a cut looks like from both ends.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCut } from '../e2e/support/cut.mjs';

/** An end that keeps what it hears. */
function watch(socket) {
  const heard = { text: '', ended: false, closed: false, error: undefined, socket };
  socket.on('data', (data) => (heard.text += data));
  socket.on('end', () => (heard.ended = true));
  socket.on('close', () => (heard.closed = true));
  socket.on('error', (error) => (heard.error = error.code));
  return heard;
}

async function until(look) {
  for (const limit = Date.now() + 5_000; Date.now() < limit; await sleep(5)) if (look()) return;
  assert.fail(`in vain: ${look}`);
}

let server;
let accepted = [];
before(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(watch(socket)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => server.close());

let cut;
afterEach(async () => {
  await cut?.close();
  for (const { socket } of accepted) socket.destroy();
  accepted = [];
});

/** A connection through a new network: its near and its far end. */
async function pair() {
  cut = await startCut(`http://127.0.0.1:${server.address().port}`);
  return dial();
}

async function dial() {
  const near = watch(connect({ port: Number(new URL(cut.url).port), host: '127.0.0.1', allowHalfOpen: true }));
  const before = accepted.length;
  await until(() => accepted.length > before);
  return [near, accepted.at(-1)];
}

test('both ways pass, and each end’s close', async () => {
  const [near, far] = await pair();
  near.socket.write('hello');
  far.socket.write('world');
  await until(() => far.text === 'hello' && near.text === 'world');
  near.socket.end('bye');
  await until(() => far.ended && far.text === 'hellobye');
  assert.ok(!near.ended, 'half of it is still open');
  far.socket.end();
  await until(() => near.closed && far.closed);
  assert.deepEqual([near.error, far.error, cut.made(), cut.connections(), cut.passed()], [undefined, undefined, 1, 0, 13]);
});

test('frozen: neither data nor a close passes, a new connection gets nowhere; thawed, all of it arrives', async () => {
  const [near, far] = await pair();
  cut.freeze();
  near.socket.write('late');
  far.socket.end('later');
  const other = watch(connect({ port: Number(new URL(cut.url).port), host: '127.0.0.1' }));
  other.socket.write('new');
  await sleep(150);
  assert.deepEqual([far.text, near.text, near.ended, accepted.length], ['', '', false, 1]);
  cut.thaw();
  await until(() => far.text === 'late' && near.text === 'later' && near.ended && accepted[1]?.text === 'new');
});

test('stranded: what is open is dead without a word, a new connection works', async () => {
  const [near, far] = await pair();
  cut.strand();
  near.socket.write('never');
  far.socket.end();
  const [other, there] = await dial();
  other.socket.write('new');
  await until(() => there.text === 'new');
  await sleep(100);
  assert.deepEqual([far.text, near.ended, near.closed], ['', false, false]);
});

test('cut: both ends are reset; refused: the next one too', async () => {
  const [near, far] = await pair();
  cut.cut();
  await until(() => near.closed && far.closed);
  assert.deepEqual([near.error, far.error], ['ECONNRESET', 'ECONNRESET']);
  cut.refuse(true);
  const other = watch(connect({ port: Number(new URL(cut.url).port), host: '127.0.0.1' }));
  await until(() => other.closed);
  assert.equal(accepted.length, 1);
  cut.refuse(false);
  await dial();
});

test('far away and narrow', async () => {
  const [near, far] = await pair();
  cut.delay(80);
  let began = performance.now();
  near.socket.write('x');
  await until(() => far.text === 'x');
  assert.ok(performance.now() - began >= 75);
  cut.delay(0);
  cut.slow(100_000);
  began = performance.now();
  near.socket.write('y'.repeat(30_000));
  await until(() => far.text.length === 30_001);
  const ms = performance.now() - began;
  assert.ok(ms >= 200 && ms < 2_000, `${ms}`);
});
