// What a call aims at: the dialog, topic, replied-to message and existing message of its parameters, with Telegram's
// refusals. Deliberately not here: what is then done (methods.mjs).

import { badRequest, forbidden } from './errors.mjs';

/** The dialog a bot may write to. */
export function reachable(world, bot, chatId) {
  const dialog = world.dialogFor(bot, chatId);
  if (!dialog) throw badRequest('chat not found');
  if (dialog.chat.type === 'private') {
    if (dialog.blocked) throw forbidden('bot was blocked by the user');
    if (!dialog.started) throw forbidden("bot can't initiate conversation with a user");
  } else {
    const status = dialog.bots.get(bot.id);
    if (status === 'kicked') throw forbidden(`bot was kicked from the ${dialog.chat.type} chat`);
    if (status === undefined || status === 'left') throw forbidden(`bot is not a member of the ${dialog.chat.type} chat`);
    if (status === 'restricted') throw badRequest('not enough rights to send text messages to the chat');
    if (dialog.migratedTo) throw Object.assign(badRequest('group chat was upgraded to a supergroup chat'), { parameters: { migrate_to_chat_id: dialog.migratedTo } });
  }
  return dialog;
}

/** Refuses topics that do not exist; the General topic is addressed by no thread id at all. */
export function checkThread(dialog, threadId) {
  if (threadId === undefined) return;
  const topic = dialog.topics.get(threadId);
  if (threadId === 1 || !topic) throw badRequest('message thread not found');
  if (topic.closed) throw badRequest('TOPIC_CLOSED');
}

/** @returns {object} fields reply_to_message and quote of the new message */
export function replyOf(world, dialog, parameters) {
  if (!parameters || parameters.message_id === undefined) return {};
  if (parameters.chat_id !== undefined && String(parameters.chat_id) !== String(dialog.chat.id)) return {};
  const record = world.live(dialog, parameters.message_id);
  if (!record) {
    if (parameters.allow_sending_without_reply) return {};
    throw badRequest('message to be replied not found');
  }
  const { reply_to_message, ...message } = record.message;
  const out = { reply_to_message: message };
  if (parameters.quote !== undefined) {
    if (parameters.quote.length > 1024) throw badRequest('QUOTE_TEXT_INVALID');
    const position = (message.text ?? message.caption ?? '').indexOf(parameters.quote);
    if (position < 0) throw badRequest('QUOTE_TEXT_INVALID');
    out.quote = { text: parameters.quote, position, is_manual: true };
  }
  return out;
}

/** The bot's own message that a call edits. */
export function editable(world, bot, params) {
  if (params.inline_message_id !== undefined) throw badRequest('MESSAGE_ID_INVALID');
  if (params.chat_id === undefined) throw badRequest('chat_id is empty');
  const dialog = reachable(world, bot, params.chat_id);
  const record = world.live(dialog, params.message_id);
  if (!record) throw badRequest('message to edit not found');
  if (record.message.from.id !== bot.user.id) throw badRequest("message can't be edited");
  return { dialog, record };
}

/** Messages look the same to Telegram if text, entities and keyboard agree. */
export function sameContent(a, b) {
  const face = (m) => JSON.stringify([m.text ?? null, m.entities ?? [], m.rich_message ?? null, m.caption ?? null, m.reply_markup?.inline_keyboard ?? []]);
  return face(a) === face(b);
}
