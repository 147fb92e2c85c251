// Media are found in a JSON body however it is cut. Deliberately not here: which media a provider takes.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Media, mediaOf, readJsonWithMedia } from '../../local-dev/models/media.mjs';

const bytes = Buffer.from(Array.from({ length: 10_001 }, (_, i) => (i * 7919) % 251));
const sha256 = createHash('sha256').update(bytes).digest('hex');
const BODY = {
  text: 'кавычки "и" \\ косая \\" 😀\n',
  long: `${'слово '.repeat(2_000)}"конец\\`,
  escapes: '\\'.repeat(5_000),
  almost: `${'A'.repeat(5_000)} and a word`,
  standard: bytes.toString('base64'),
  urlSafe: bytes.toString('base64url'),
  image: `data:image/png;base64,${bytes.toString('base64')}`,
  short: bytes.subarray(0, 30).toString('base64'),
  list: ['', '"', [bytes.toString('base64')], { 'a"b': null }],
};

async function* cut(buffer, size) {
  for (let at = 0; at < buffer.length; at += size) yield buffer.subarray(at, at + size);
}

test('any cut gives the same body, with media in place of long base64', async () => {
  const whole = Buffer.from(JSON.stringify(BODY));
  for (const size of [1, 2, 3, 5, 4_095, 4_096, 4_097, 16_384, whole.length]) {
    const { body, bytes: read } = await readJsonWithMedia(cut(whole, size), 1e9);
    assert.equal(read, whole.length);
    for (const name of ['text', 'long', 'escapes', 'short']) assert.equal(body[name], BODY[name], `${name} at ${size}`);
    for (const found of [body.standard, body.urlSafe, body.image, body.list[2][0]]) {
      assert.ok(found instanceof Media);
      assert.deepEqual([found.bytes, found.sha256, found.valid], [bytes.length, sha256, true], `cut at ${size}`);
    }
    assert.equal(body.image.mime, 'image/png');
    assert.equal(body.standard.mime, null);
    assert.deepEqual([...body.list.slice(0, 2), body.list[3]], [...BODY.list.slice(0, 2), BODY.list[3]]);
  }
});

test('what only begins like base64 is not valid', async () => {
  const { body } = await readJsonWithMedia(cut(Buffer.from(JSON.stringify({ data: BODY.almost })), 4_500), 1e9);
  assert.ok(body.data instanceof Media ? !body.data.valid : body.data === BODY.almost);
  for (const text of ['A', 'AA=A', 'AA===', '====', 'A A=', 'AAA==']) assert.equal(mediaOf('x/y', text).valid, false, text);
  for (const text of ['AA==', 'AA', 'AAA=', 'AAAA', '-_A=']) assert.equal(mediaOf('x/y', text).valid, true, text);
});

test('a body over the limit is not read to its end', async () => {
  let given = 0;
  const endless = (async function* () {
    for (;;) yield Buffer.alloc((given += 1_000) && 1_000, 'A');
  })();
  await assert.rejects(readJsonWithMedia(endless, 10_000), RangeError);
  assert.ok(given <= 12_000);
});
