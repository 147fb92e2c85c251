// A bot of a few lines that answers webhooks, to try the emulator and its chat page by hand:
//   node tests/local-dev/fake-bot.mjs 8081       then open http://127.0.0.1:8081/
// Deliberately not here: anything the real bot does.

import { createServer } from 'node:http';
import { startTelegram } from '../../local-dev/telegram/emulator.mjs';

const TOKEN = '700100:fake';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {number} port */
export async function startFakeBot(port = 0) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.end();
    const update = JSON.parse(body);
    if (update.message) await answer(update.message);
    if (update.callback_query) await api('answerCallbackQuery', { callback_query_id: update.callback_query.id, text: `You pressed ${update.callback_query.data}`, show_alert: update.callback_query.data === 'b' });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const webhookUrl = `http://127.0.0.1:${server.address().port}/`;
  const telegram = await startTelegram({ port, bots: [{ id: 'main', token: TOKEN, username: 'tideclaw_bot', name: 'Tideclaw', webhookUrl, secret: 'fake' }] });

  const api = async (method, params) => (await fetch(`${telegram.url}/bot${TOKEN}/${method}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(params) })).json();
  await api('setMyCommands', { commands: [{ command: 'new', description: 'Start a new conversation' }, { command: 'model', description: 'Choose the model' }] });
  await api('setMyCommands', { commands: [{ command: 'new', description: 'Новый разговор' }], language_code: 'ru' });

  async function answer({ chat, text = 'that', message_thread_id }) {
    const target = { chat_id: chat.id, ...(message_thread_id && { message_thread_id }) };
    const words = `You said: ${text.slice(0, 200)}. This answer comes in small steps, as a real one would, and then it is done.`.split(' ');
    for (let n = 3; chat.type === 'private' && n < words.length; n += 3) {
      await api('sendMessageDraft', { ...target, draft_id: 7, text: words.slice(0, n).join(' '), can_stop: true });
      await sleep(250);
    }
    await api('sendMessage', { ...target, text: words.join(' '), reply_markup: { inline_keyboard: [[{ text: 'Toast', callback_data: 'a' }, { text: 'Alert', callback_data: 'b' }]] } });
  }

  return { ...telegram, api, close: () => (server.closeAllConnections(), server.close(), telegram.close()) };
}

if (process.argv[1] === import.meta.filename) process.stdout.write(`${(await startFakeBot(Number(process.argv[2] ?? 0))).url}\n`);
