// The emulator's judgement of texts, entities, URLs and keyboards. Deliberately not here: the server around it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMarkup } from '../../local-dev/telegram/check-markup.mjs';
import { checkMessage, cleanText, countEntities } from '../../local-dev/telegram/check-message.mjs';
import { checkUrl } from '../../local-dev/telegram/check-url.mjs';
import { checkParams } from '../../local-dev/telegram/schema.mjs';

const entity = (type, offset, length, extra) => ({ type, offset, length, ...extra });
const refused = (text, entities, pattern) => assert.match(String(checkMessage({ text, entities })), pattern);
const accepted = (text, entities) => assert.equal(checkMessage({ text, entities }), null);

test('length counts UTF-16 units after trimming', () => {
  accepted('a'.repeat(4096));
  refused('a'.repeat(4097), [], /^Bad Request: message is too long$/);
  accepted(`  ${'a'.repeat(4096)}\n`);
  accepted('😀'.repeat(2048));
  refused('😀'.repeat(2049), [], /message is too long/);
  refused('я'.repeat(16_385), [], /^Bad Request: text is too long$/);
});

test('text without anything visible is empty', () => {
  for (const text of ['', ' \n\t', '\u200b\u2060', '\u2800']) refused(text, [], /^Bad Request: message text is empty$/);
});

test('lone surrogates are refused', () => refused('a\ud83d', [], /encoded in UTF-8/));

test('entities stay inside the text and off the middle of a surrogate pair', () => {
  accepted('a😀b', [entity('bold', 1, 2)]);
  refused('a😀b', [entity('bold', 2, 2)], /entity begins in a middle of a UTF-16 symbol/);
  refused('a😀b', [entity('bold', 0, 2)], /entity ends in a middle of a UTF-16 symbol/);
  refused('abc', [entity('bold', 2, 2)], /ends after the end of the text/);
  refused('abc', [entity('bold', 0, 0)], /wrong length 0/);
  refused('abc', [entity('bold', -1, 1)], /wrong offset -1/);
});

test('entities carry the fields of their type and no others', () => {
  refused('abc', [entity('heading', 0, 1)], /unsupported type "heading"/);
  refused('abc', [entity('text_link', 0, 1)], /field "url" of text_link is missing/);
  refused('abc', [entity('bold', 0, 1, { url: 'https://a.b' })], /bold has no field "url"/);
  accepted('abc', [entity('pre', 0, 3, { language: 'rust' })]);
});

test('what Telegram would repair is refused', () => {
  const text = 'one two three four';
  accepted(text, [entity('blockquote', 0, 18), entity('bold', 0, 7), entity('italic', 4, 3), entity('code', 8, 5)]);
  accepted(text, [entity('bold', 0, 7), entity('text_link', 0, 7, { url: 'https://example.org' })]);
  accepted(text, [entity('bold', 0, 3), entity('bold', 3, 4)]);
  refused(text, [entity('bold', 0, 7), entity('italic', 4, 9)], /italic at UTF-16 offset 4 overlaps bold/);
  refused(text, [entity('bold', 0, 7), entity('code', 4, 3)], /code at UTF-16 offset 4 is inside bold/);
  refused(text, [entity('code', 0, 7), entity('bold', 4, 3)], /bold at UTF-16 offset 4 is inside code/);
  refused(text, [entity('pre', 0, 7), entity('text_link', 0, 3, { url: 'https://example.org' })], /inside pre/);
  refused(text, [entity('code', 0, 7), entity('text_link', 0, 7, { url: 'https://example.org' })], /is inside/);
  refused(text, [entity('blockquote', 0, 18), entity('expandable_blockquote', 4, 3)], /is inside blockquote/);
  refused(text, [entity('bold', 0, 7), entity('bold', 2, 3)], /is inside bold/);
});

test('more than a hundred entities are refused, counting the splits of overlapping styles', () => {
  const many = (n) => Array.from({ length: n }, (_, i) => entity('bold', i * 2, 1));
  accepted('ab'.repeat(101), many(100));
  refused('ab'.repeat(101), many(101), /too many entities: 101 of 100/);
  assert.equal(countEntities([entity('bold', 0, 10), entity('italic', 3, 2)]), 4);
  assert.equal(countEntities([entity('custom_emoji', 0, 2, { custom_emoji_id: '1' }), entity('url', 3, 9)]), 0);
  const links = Array.from({ length: 60 }, (_, i) => entity('text_link', i * 2, 1, { url: `https://example.org/${'p'.repeat(150)}` }));
  refused('ab'.repeat(60), links, /ENTITIES_TOO_LONG/);
});

test('cleaning moves the entities along', () => {
  const { text, entities } = cleanText(' \r\n\ta\tb \u202e', [entity('bold', 4, 3), entity('italic', 0, 2)]);
  assert.equal(text, 'a b');
  assert.deepEqual(entities, [entity('bold', 0, 3)]);
});

test('URLs as TDLib takes them', () => {
  for (const url of ['https://example.org', 'example.org/a b', 'http://a.b:8080/x?y#z', 'tg://resolve?domain=x', 'ton://transfer/x', 'https://пример.рф/я', 'HTTPS://[::1]/', 'https://user:pass@a.b/', 'https://a.b/%zz']) {
    assert.equal(checkUrl(url), null, url);
  }
  for (const url of ['', 'http://localhost', 'http://localhost:3000/', 'https://', 'ftp://a.b', 'javascript:alert(1)', 'mailto:a@b.c', 'https://a b.org/', 'https://a.b:0/', 'https://a.b:99999/', 'https://a%zz.b/', 'https://<x>.org', 'tg://a.b:1/']) {
    assert.equal(typeof checkUrl(url), 'string', url);
  }
  refused('abc', [entity('text_link', 0, 1, { url: 'http://localhost' })], /^Bad Request: entity URL 'http:\/\/localhost' is invalid: Wrong HTTP URL$/);
});

test('keyboards', () => {
  const keyboard = (...buttons) => checkMarkup({ inline_keyboard: [buttons] });
  assert.equal(keyboard({ text: 'a', callback_data: 'я'.repeat(32) }), null);
  assert.equal(keyboard({ text: 'a', callback_data: 'я'.repeat(33) }), 'Bad Request: BUTTON_DATA_INVALID');
  assert.equal(keyboard({ text: 'a', callback_data: '' }), 'Bad Request: BUTTON_DATA_INVALID');
  assert.match(keyboard({ text: 'a' }), /Text buttons are unallowed/);
  assert.match(keyboard({ text: 'a', url: 'http://localhost' }), /button URL .* is invalid/);
  assert.match(keyboard(...Array.from({ length: 9 }, () => ({ text: 'a', callback_data: 'x' }))), /reply markup is too long/);
});

test('parameters are checked all the way down', () => {
  const markup = (button) => ({ chat_id: 1, text: 'x', reply_markup: { inline_keyboard: [[button]] } });
  assert.equal(checkParams('sendMessage', markup({ text: 'a', callback_data: 'b' })), null);
  assert.match(checkParams('sendMessage', markup({ text: 'a', callback_dat: 'b' })), /unknown parameter "reply_markup\.inline_keyboard\[0\]\[0\]\.callback_dat"/);
  assert.match(checkParams('sendMessage', { chat_id: 1 }), /"text" is required/);
  assert.match(checkParams('sendMessage', { chat_id: 1, text: 'x', entities: null }), /"entities" must be Array of MessageEntity, got null/);
  assert.match(checkParams('sendMessageDraft', { chat_id: '1', draft_id: 1 }), /"chat_id" must be Integer, got String/);
  assert.match(checkParams('sendRichMessage', { chat_id: 1, rich_message: { blocks: [{ type: 'paragraph', text: [{ type: 'bold', txt: 'x' }] }] } }), /"rich_message\.blocks\[0\]\.text\[0\]\.txt"/);
  assert.match(checkParams('setMyCommands', { commands: [], scope: { type: 'nobody' } }), /BotCommandScope/);
});
