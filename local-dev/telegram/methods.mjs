// Methods about messages, drafts and callbacks that really act. Each is (emulator, bot, params) → result, or throws ApiError.
// Deliberately not here: parse modes (refused: the project sends entities), and the methods about the bot itself
// (methods-bot.mjs). A method in neither file is checked, logged and answered with true.

import { MAX_CAPTION, checkMessage, cleanText } from './check-message.mjs';
import { checkMarkup } from './check-markup.mjs';
import { badRequest } from './errors.mjs';
import { checkRich } from './rich.mjs';
import { Upload } from './schema.mjs';
import { checkThread, editable, reachable, replyOf, sameContent } from './targets.mjs';
import { findEntities } from './compose.mjs';

const ACTIONS = new Set(['typing', 'upload_photo', 'record_video', 'upload_video', 'record_voice', 'upload_voice', 'upload_document', 'choose_sticker', 'find_location', 'record_video_note', 'upload_video_note']);
const TYPING_MS = 5000;
/** A press waits about this long for its answer. */
const CALLBACK_LIFE_MS = 30_000;

const refuseIf = (description) => {
  if (description) throw badRequest(description);
};

/** Text and entities as Telegram keeps them, with what it finds by itself. */
function textOf(emulator, { text, entities, parse_mode }, options) {
  if (parse_mode !== undefined && parse_mode !== '') throw badRequest('the emulator has no parse modes: send entities');
  refuseIf(checkMessage({ text, entities }, options));
  for (const entity of entities ?? []) checkMention(emulator, entity);
  const clean = cleanText(text, entities);
  return { text: clean.text, entities: withFound(clean.text, clean.entities) };
}

function checkMention({ world }, entity) {
  const id = entity.type === 'text_mention' ? entity.user.id : /^tg:(?:\/\/)?user\?id=(\d+)/.exec(entity.url ?? '')?.[1];
  if (id !== undefined && !world.users.has(Number(id))) throw badRequest(`can't parse entities: user ${id} not found`);
}

function withFound(text, own) {
  const found = findEntities(text).filter((f) => !own.some((o) => f.offset < o.offset + o.length && o.offset < f.offset + f.length));
  return [...own, ...found].sort((a, b) => a.offset - b.offset || b.length - a.length);
}

function post(emulator, bot, params, content) {
  const { world } = emulator;
  const dialog = reachable(world, bot, params.chat_id);
  checkThread(dialog, params.message_thread_id);
  refuseIf(checkMarkup(params.reply_markup));
  const reply = replyOf(world, dialog, params.reply_parameters);
  const made = typeof content === 'function' ? content() : content;
  const message = world.post(
    dialog,
    {
      from: bot.user,
      ...made,
      ...reply,
      ...(params.message_thread_id !== undefined && { message_thread_id: params.message_thread_id, is_topic_message: true }),
      ...(params.reply_markup?.inline_keyboard && { reply_markup: params.reply_markup }),
    },
    { silent: params.disable_notification === true, markup: params.reply_markup },
  );
  world.endPreviews(dialog, bot, params.message_thread_id);
  return message;
}

function sendMessage(emulator, bot, params) {
  const text = textOf(emulator, params);
  return post(emulator, bot, params, { text: text.text, ...(text.entities.length > 0 && { entities: text.entities }) });
}

function sendRichMessage(emulator, bot, params) {
  checkRich(params.rich_message);
  return post(emulator, bot, params, { rich_message: params.rich_message });
}

function editMessageText(emulator, bot, params) {
  const { world } = emulator;
  const { dialog, record } = editable(world, bot, params);
  if ((params.text === undefined) === (params.rich_message === undefined)) throw badRequest('message text is empty');
  refuseIf(checkMarkup(params.reply_markup));
  const fields = { text: undefined, entities: undefined, rich_message: undefined, reply_markup: params.reply_markup };
  if (params.rich_message) {
    checkRich(params.rich_message);
    fields.rich_message = params.rich_message;
  } else {
    const text = textOf(emulator, params);
    fields.text = text.text;
    if (text.entities.length > 0) fields.entities = text.entities;
  }
  return applyEdit(world, dialog, record, fields);
}

function applyEdit(world, dialog, record, fields) {
  if (sameContent({ ...record.message, ...fields }, record.message)) {
    throw badRequest('message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message');
  }
  return world.change(dialog, record, { ...fields, edit_date: world.date() });
}

function editMessageReplyMarkup(emulator, bot, params) {
  const { dialog, record } = editable(emulator.world, bot, params);
  refuseIf(checkMarkup(params.reply_markup));
  return applyEdit(emulator.world, dialog, record, { reply_markup: params.reply_markup });
}

function editMessageCaption(emulator, bot, params) {
  const { dialog, record } = editable(emulator.world, bot, params);
  return applyEdit(emulator.world, dialog, record, { ...captionOf(emulator, params), reply_markup: params.reply_markup });
}

function deleteMessage({ world }, bot, params) {
  const dialog = reachable(world, bot, params.chat_id);
  const record = world.live(dialog, params.message_id);
  if (!record) throw badRequest('message to delete not found');
  const own = record.message.from.id === bot.user.id || dialog.chat.type === 'private' || dialog.bots.get(bot.id) === 'administrator';
  if (!own || world.now() - record.at > 48 * 3_600_000) throw badRequest("message can't be deleted");
  world.remove(dialog, record);
  return true;
}

function deleteMessages(emulator, bot, params) {
  for (const message_id of params.message_ids) {
    const dialog = reachable(emulator.world, bot, params.chat_id);
    if (emulator.world.live(dialog, message_id)) deleteMessage(emulator, bot, { ...params, message_id });
  }
  return true;
}

function draftTarget(world, bot, params) {
  const dialog = reachable(world, bot, params.chat_id);
  if (dialog.chat.type !== 'private') throw badRequest('TEXTDRAFT_PEER_INVALID');
  if (params.draft_id === 0) throw badRequest('draft_id must be non-zero');
  checkThread(dialog, params.message_thread_id);
  const { draft_id, message_thread_id, can_stop, keep_on_stop } = params;
  return { dialog, draft: { bot: bot.id, draft_id, message_thread_id, can_stop: can_stop ?? false, keep_on_stop: keep_on_stop ?? false } };
}

function sendMessageDraft(emulator, bot, params) {
  const { dialog, draft } = draftTarget(emulator.world, bot, params);
  const text = textOf(emulator, { ...params, text: params.text ?? '' }, { mayBeEmpty: true });
  emulator.world.setDraft(dialog, { ...draft, text: text.text, entities: text.entities });
  return true;
}

function sendRichMessageDraft(emulator, bot, params) {
  const { dialog, draft } = draftTarget(emulator.world, bot, params);
  checkRich(params.rich_message, { isDraft: true });
  emulator.world.setDraft(dialog, { ...draft, rich_message: params.rich_message });
  return true;
}

function sendChatAction({ world, emit }, bot, params) {
  const dialog = reachable(world, bot, params.chat_id);
  if (!ACTIONS.has(params.action)) throw badRequest('wrong parameter action in request');
  checkThread(dialog, params.message_thread_id);
  dialog.typing.set(bot.id, { action: params.action, until: world.now() + TYPING_MS });
  emit('typing', { chat: dialog.key, action: params.action, message_thread_id: params.message_thread_id });
  return true;
}

function answerCallbackQuery({ world, emit }, bot, params) {
  const press = world.callbacks.get(params.callback_query_id);
  if (!press || press.bot !== bot.id || world.now() - press.at > CALLBACK_LIFE_MS) {
    throw badRequest('query is too old and response timeout expired or query ID is invalid');
  }
  if ((params.text?.length ?? 0) > 200) throw badRequest('MESSAGE_TOO_LONG');
  press.answer = { text: params.text, show_alert: params.show_alert ?? false, url: params.url };
  emit('callbackAnswer', { chat: press.chat, from: press.from, callback_query_id: params.callback_query_id, ...press.answer });
  return true;
}

function setMessageReaction({ world, emit }, bot, params) {
  const dialog = reachable(world, bot, params.chat_id);
  const record = world.live(dialog, params.message_id);
  if (!record) throw badRequest('message to react not found');
  const reaction = params.reaction ?? [];
  if (reaction.length > 1) throw badRequest('REACTIONS_TOO_MANY');
  record.reactions[bot.user.id] = reaction;
  emit('reaction', { chat: dialog.key, message_id: params.message_id, reactions: record.reactions });
  return true;
}

function captionOf(emulator, { caption, caption_entities, parse_mode }) {
  if (caption === undefined || caption === '') return { caption: undefined, caption_entities: undefined };
  const { text, entities } = textOf(emulator, { text: caption, entities: caption_entities, parse_mode }, { maxLength: MAX_CAPTION, what: 'message caption' });
  return { caption: text, ...(entities.length > 0 && { caption_entities: entities }) };
}

/** The file a parameter names: an upload, a known file_id or a URL (kept as a name only). */
function fileOf({ world }, value) {
  if (value instanceof Upload) return world.addFile(value);
  if (/^https?:/.test(value)) return world.addFile({ bytes: Buffer.from(''), name: value.split('/').at(-1) || 'file' });
  const known = world.files.get(value);
  if (!known) throw badRequest('wrong file_id or the file is temporarily unavailable');
  return known;
}

const publicFile = ({ file_id, file_unique_id, file_size }) => ({ file_id, file_unique_id, file_size });

function sendPhoto(emulator, bot, params) {
  return post(emulator, bot, params, () => ({ photo: [{ ...publicFile(fileOf(emulator, params.photo)), width: 640, height: 480 }], ...captionOf(emulator, params) }));
}

function sendDocument(emulator, bot, params) {
  return post(emulator, bot, params, () => {
    const file = fileOf(emulator, params.document);
    return { document: { ...publicFile(file), file_name: file.name, mime_type: file.mime }, ...captionOf(emulator, params) };
  });
}

function sendVoice(emulator, bot, params) {
  return post(emulator, bot, params, () => {
    const file = fileOf(emulator, params.voice);
    return { voice: { ...publicFile(file), duration: params.duration ?? 1, mime_type: file.mime }, ...captionOf(emulator, params) };
  });
}

function source(emulator, bot, params) {
  const dialog = reachable(emulator.world, bot, params.from_chat_id);
  const record = emulator.world.live(dialog, params.message_id);
  if (!record) throw badRequest('message to forward not found');
  return record.message;
}

function forwardMessage(emulator, bot, params) {
  const { message_id, chat, from, date, reply_to_message, reply_markup, message_thread_id, is_topic_message, ...content } = source(emulator, bot, params);
  return post(emulator, bot, params, { ...content, forward_origin: { type: 'user', sender_user: from, date } });
}

function copyMessage(emulator, bot, params) {
  const { message_id, chat, from, date, edit_date, reply_to_message, reply_markup, message_thread_id, is_topic_message, forward_origin, ...content } = source(emulator, bot, params);
  return { message_id: post(emulator, bot, params, content).message_id };
}

export const messageMethods = {
  sendMessage,
  sendRichMessage,
  editMessageText,
  editMessageReplyMarkup,
  editMessageCaption,
  deleteMessage,
  deleteMessages,
  sendMessageDraft,
  sendRichMessageDraft,
  sendChatAction,
  answerCallbackQuery,
  setMessageReaction,
  sendPhoto,
  sendDocument,
  sendVoice,
  forwardMessage,
  copyMessage,
};
