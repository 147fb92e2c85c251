// The emulator as a server: calls, webhook queues, faults, limits, drafts. Deliberately not here: judgement of texts
// (check-message.test.mjs) and the chat page.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { startTelegram } from '../../local-dev/telegram/emulator.mjs';

const TOKEN = '42:test';
const USER = 1001;
const FORUM = -1001000000001;

/** A webhook whose answers a test sets. */
let hook;
let answerHook;
let heard;
let telegram;
let now;

before(async () => {
  hook = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const update = JSON.parse(body);
    heard.push({ update, secret: request.headers['x-telegram-bot-api-secret-token'], at: performance.now() });
    const { status = 200, body: reply = '' } = (await answerHook(update)) ?? {};
    response.writeHead(status, { 'content-type': 'application/json' }).end(reply);
  });
  await new Promise((resolve) => hook.listen(0, '127.0.0.1', resolve));
});

after(() => (hook.closeAllConnections(), hook.close()));

beforeEach(async () => {
  heard = [];
  answerHook = () => ({});
  now = Date.now();
  telegram = await startTelegram({
    bots: [{ id: 'main', token: TOKEN, username: 'test_bot', webhookUrl: `http://127.0.0.1:${hook.address().port}/`, secret: 'sesame' }],
    clock: { now: () => now },
    webhook: { retryScale: 0.02 },
  });
});

afterEach(() => telegram.close());

async function api(method, params) {
  const response = await fetch(`${telegram.url}/bot${TOKEN}/${method}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(params) });
  return response.json();
}
const started = () => telegram.send({ chat: USER, text: '/start' });

test('a person must write first; unknown methods, tokens and parameters are named', async () => {
  assert.equal((await api('sendMessage', { chat_id: USER, text: 'x' })).error_code, 403);
  assert.equal((await api('sendMessage', { chat_id: 5, text: 'x' })).description, 'Bad Request: chat not found');
  assert.equal((await api('sendNothing', {})).error_code, 404);
  assert.match((await api('sendMessage', { chat_id: USER, text: 'x', reply_to: 1 })).description, /unknown parameter "reply_to"/);
  assert.equal((await fetch(`${telegram.url}/bot1:other/getMe`)).status, 401);
  assert.equal((await (await fetch(`${telegram.url}/bot${TOKEN}/sendMessage?chat_id=${USER}&text=hi`)).json()).error_code, 403);
});

test('messages of one chat wait for each other, a press does not wait for them', async () => {
  started();
  await telegram.waitFor(() => heard.length === 1);
  const sent = await api('sendMessage', { chat_id: USER, text: 'pick', reply_markup: { inline_keyboard: [[{ text: 'A', callback_data: 'a' }]] } });
  let release;
  const held = new Promise((resolve) => (release = resolve));
  answerHook = (update) => (update.message?.text === 'one' ? held : undefined);
  telegram.send({ chat: USER, text: 'one' });
  telegram.send({ chat: USER, text: 'two' });
  telegram.send({ chat: 1002, text: 'other chat' });
  telegram.press({ chat: USER, message_id: sent.result.message_id, data: 'a' });
  await telegram.waitFor(() => heard.length === 4);
  assert.ok(heard.some((h) => h.update.callback_query?.data === 'a'));
  assert.ok(!heard.some((h) => h.update.message?.text === 'two'));
  release();
  await telegram.waitFor(() => heard.some((h) => h.update.message?.text === 'two'));
  assert.ok(heard.every((h) => h.secret === 'sesame'));
});

test('an update is sent again with growing pauses until 2xx, with the same id', async () => {
  let failures = 3;
  answerHook = () => ({ status: failures-- > 0 ? 500 : 200 });
  started();
  await telegram.waitFor(() => heard.length === 4);
  assert.equal(new Set(heard.map((h) => h.update.update_id)).size, 1);
  const pauses = heard.slice(1).map((h, i) => h.at - heard[i].at);
  assert.ok(pauses[0] >= 18 && pauses[1] >= 38 && pauses[2] >= 78, String(pauses));
  await telegram.waitFor(() => telegram.deliveries().at(-1)?.status === 200);
  assert.deepEqual(telegram.deliveries().map((d) => d.attempt), [0, 1, 2, 3]);
});

test('a method in the answer is run and recorded, its faults too', async () => {
  const replies = [{ method: 'sendMessage', chat_id: USER, text: 'from the body' }, { method: 'sendMessage', chat_id: USER, txt: 'x' }, { method: 'getMe' }];
  answerHook = () => ({ body: JSON.stringify(replies.shift()) });
  for (const text of ['/start', 'b', 'c']) telegram.send({ chat: USER, text });
  await telegram.waitFor(() => telegram.deliveries().length === 3);
  assert.deepEqual(telegram.calls().map((c) => [c.viaWebhook, c.status]), [[true, 200], [true, 400]]);
  assert.equal(telegram.chat(USER).messages.at(-1).text, 'from the body');
});

test('updates have the real shape', async () => {
  const { message } = telegram.send({ chat: USER, text: '/go@test_bot see https://example.org' });
  assert.deepEqual(message.entities.map((e) => e.type), ['bot_command', 'url']);
  const reply = telegram.send({ chat: USER, text: 'why', reply_to: message.message_id, quote: 'see' });
  assert.deepEqual(reply.message.quote, { text: 'see', position: 13, is_manual: true });
  assert.equal(telegram.send({ chat: USER, text: 'x'.repeat(9000) }).messages.length, 3);
  const album = telegram.send({ chat: USER, album: [{ photo: true }, { photo: true }], text: 'both' }).messages;
  assert.equal(album[0].media_group_id, album[1].media_group_id);
  assert.deepEqual(album.map((m) => m.caption), ['both', undefined]);
  assert.equal(telegram.send({ chat: USER, text: 'news', forward: 'channel' }).message.forward_origin.type, 'channel');
  telegram.send({ chat: FORUM, topic: 2, text: '@test_bot hi' });
  await telegram.waitFor(() => heard.some((h) => h.update.message?.is_topic_message && h.update.message.message_thread_id === 2));
  assert.deepEqual(telegram.send({ chat: FORUM, text: 'not for the bot' }).update_ids, []);
  telegram.addBot({ chat: FORUM, from: USER });
  await telegram.waitFor(() => heard.some((h) => h.update.my_chat_member?.new_chat_member.status === 'member'));
});

test('files can be fetched, too big ones not', async () => {
  const { message } = telegram.send({ chat: USER, document: { file_name: 'a.txt', content: 'hello' } });
  const { result } = await api('getFile', { file_id: message.document.file_id });
  assert.equal(await (await fetch(`${telegram.url}/file/bot${TOKEN}/${result.file_path}`)).text(), 'hello');
  const big = telegram.send({ chat: USER, document: { size: 30e6 } }).message.document;
  assert.equal((await api('getFile', { file_id: big.file_id })).description, 'Bad Request: file is too big');
  const form = new FormData();
  form.set('chat_id', String(USER));
  form.set('document', new Blob(['# hi'], { type: 'text/markdown' }), 'answer.md');
  const sent = await (await fetch(`${telegram.url}/bot${TOKEN}/sendDocument`, { method: 'POST', body: form })).json();
  assert.equal(sent.result.document.file_name, 'answer.md');
});

test('threads, replies and edits are refused as Telegram does', async () => {
  started();
  const says = async (method, params) => (await api(method, params)).description;
  assert.equal(await says('sendMessage', { chat_id: FORUM, text: 'x', message_thread_id: 1 }), 'Bad Request: message thread not found');
  assert.equal(await says('sendMessage', { chat_id: FORUM, text: 'x', message_thread_id: 99 }), 'Bad Request: message thread not found');
  assert.equal(await says('sendMessage', { chat_id: USER, text: 'x', reply_parameters: { message_id: 999 } }), 'Bad Request: message to be replied not found');
  assert.equal((await api('sendMessage', { chat_id: USER, text: 'x', reply_parameters: { message_id: 999, allow_sending_without_reply: true } })).ok, true);
  const { result } = await api('sendMessage', { chat_id: USER, text: 'same' });
  assert.match(await says('editMessageText', { chat_id: USER, message_id: result.message_id, text: 'same ' }), /message is not modified/);
  assert.equal(await says('editMessageText', { chat_id: USER, message_id: 1, text: 'y' }), "Bad Request: message can't be edited");
  assert.equal(await says('editMessageText', { chat_id: USER, message_id: 999, text: 'y' }), 'Bad Request: message to edit not found');
  assert.match(await says('answerCallbackQuery', { callback_query_id: '1' }), /query is too old/);
  telegram.block({ chat: USER });
  assert.equal(await says('sendMessage', { chat_id: USER, text: 'x' }), 'Forbidden: bot was blocked by the user');
});

test('drafts grow, can be stopped, and end with a message', async () => {
  started();
  const draft = (text, more = {}) => api('sendMessageDraft', { chat_id: USER, draft_id: 7, text, can_stop: true, ...more });
  assert.equal((await draft('a', { draft_id: 0 })).ok, false);
  assert.equal((await draft('a', { chat_id: FORUM })).description, 'Bad Request: TEXTDRAFT_PEER_INVALID');
  await draft('');
  await draft('half');
  assert.deepEqual(telegram.chat(USER).drafts.map((d) => [d.text, d.frames]), [['half', 2]]);
  assert.equal(telegram.stopDraft({ chat: USER }).draft_id, 7);
  await telegram.waitFor(() => heard.some((h) => h.update.stopped_message_generation?.draft_id === 7));
  assert.equal(telegram.chat(USER).drafts.length, 0);
  await draft('again');
  await api('sendMessage', { chat_id: USER, text: 'whole' });
  assert.equal(telegram.chat(USER).drafts.length, 0);
});

test('faults cut, delay and refuse once each', async () => {
  started();
  telegram.faults.add({ method: 'sendMessage', action: 'cutBefore' }, { method: 'sendMessage', action: 'cutAfter' }, { method: 'sendMessage', action: { retryAfter: 7 } }, { method: 'sendMessage', action: { status: 500, body: 'oops' } });
  const texts = () => telegram.chat(USER).messages.map((m) => m.text);
  await assert.rejects(api('sendMessage', { chat_id: USER, text: 'before' }));
  assert.ok(!texts().includes('before'));
  await assert.rejects(api('sendMessage', { chat_id: USER, text: 'after' }));
  assert.ok(texts().includes('after'));
  assert.equal((await api('sendMessage', { chat_id: USER, text: 'x' })).parameters.retry_after, 7);
  await assert.rejects(api('sendMessage', { chat_id: USER, text: 'x' }), SyntaxError);
  assert.equal((await api('sendMessage', { chat_id: USER, text: 'fine' })).ok, true);
  assert.deepEqual(telegram.calls().map((c) => c.outcome ?? c.status), ['cutBefore', 'cutAfter', 429, 500, 200]);
});

test('limits: messages and edits share a bucket, drafts have their own, groups count a minute', async () => {
  started();
  telegram.setLimits({ enabled: true, messageBurst: 2, draftBurst: 2 });
  const send = () => api('sendMessage', { chat_id: USER, text: 'x' });
  const { result } = await send();
  assert.equal((await api('editMessageText', { chat_id: USER, message_id: result.message_id, text: 'y' })).ok, true);
  assert.equal((await send()).parameters.retry_after, 1);
  assert.equal((await api('sendMessageDraft', { chat_id: USER, draft_id: 1, text: 'd' })).ok, true);
  now += 1000;
  assert.equal((await send()).ok, true);
  telegram.setLimits({ messageBurst: 100 });
  for (let i = 0; i < 20; i++) assert.equal((await api('sendMessage', { chat_id: FORUM, text: 'x' })).ok, true);
  assert.equal((await api('sendMessage', { chat_id: FORUM, text: 'x' })).parameters.retry_after, 60);
});

test('command menus by scope and language', async () => {
  const set = (commands, more) => api('setMyCommands', { commands: commands.map((command) => ({ command, description: 'd' })), ...more });
  await set(['new'], {});
  await set(['novo'], { language_code: 'ru' });
  await set(['group'], { scope: { type: 'all_group_chats' } });
  const menu = (chat) => telegram.menu({ chat, from: USER }).map((c) => c.command).join();
  assert.equal(menu(USER), 'new');
  telegram.setUser({ id: USER, language_code: 'ru' });
  assert.equal(menu(USER), 'novo');
  assert.equal(menu(FORUM), 'group');
  assert.equal((await set(['Bad'], {})).description, 'Bad Request: BOT_COMMAND_INVALID');
});

test('the control surface over HTTP', async () => {
  const post = async (name, body, headers = {}) => (await fetch(`${telegram.url}/emulator/${name}`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  assert.equal((await post('send', { chat: USER, text: 'hi' })).result.message.text, 'hi');
  assert.equal((await post('send', { chat: -5, text: 'hi' })).ok, false);
  assert.equal((await post('send', { chat: USER, text: 'hi' }, { origin: 'https://evil.example' })).description, 'another origin');
  assert.equal((await post('faults', { method: 'getMe', action: { unauthorized: true } })).result.length, 1);
  assert.equal((await fetch(`${telegram.url}/bot${TOKEN}/getMe`)).status, 401);
  assert.equal((await (await fetch(`${telegram.url}/emulator/calls?method=getMe`)).json()).result.length, 1);
  const raw = await post('raw', { update: { update_id: 1, odd: true }, secret: 'wrong' });
  assert.equal(raw.result.status, 200);
  assert.equal(heard.at(-1).secret, 'wrong');
  assert.equal((await fetch(telegram.url)).headers.get('content-type'), 'text/html; charset=utf-8');
});
