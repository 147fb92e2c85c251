// Methods about the bot itself: identity, command menus, webhook, chats, files, topics.
// Deliberately not here: everything that makes or changes a message (methods.mjs).

import { checkUrl } from './check-url.mjs';
import { ApiError, badRequest } from './errors.mjs';
import { reachable } from './targets.mjs';

const MAX_DOWNLOAD = 20 * 1024 * 1024;

function getMe(_, bot) {
  return {
    ...bot.user,
    can_join_groups: true,
    can_read_all_group_messages: !bot.privacy,
    supports_inline_queries: false,
    supports_guest_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: bot.topics,
    allows_users_to_create_topics: bot.topics,
    can_manage_bots: false,
    supports_join_request_queries: false,
  };
}

/** One key per scope and language. */
export function commandKey(scope = { type: 'default' }, language = '') {
  return [scope.type, scope.chat_id ?? '', scope.user_id ?? '', language].join('|');
}

function setMyCommands({ emit }, bot, { commands, scope, language_code = '' }) {
  if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH');
  if (!/^(?:[a-z]{2})?$/.test(language_code)) throw badRequest('invalid language code specified');
  for (const { command, description } of commands) {
    if (!/^[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID');
    if (description.length < 1 || description.length > 256) throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID');
  }
  bot.commands.set(commandKey(scope, language_code), commands);
  emit('commands', { bot: bot.id });
  return true;
}

const getMyCommands = (_, bot, { scope, language_code }) => bot.commands.get(commandKey(scope, language_code)) ?? [];

function deleteMyCommands({ emit }, bot, { scope, language_code }) {
  bot.commands.delete(commandKey(scope, language_code));
  emit('commands', { bot: bot.id });
  return true;
}

/** The menu a person sees: the first scope that has commands, each first in their language. */
export function menuFor(bot, chat, user) {
  const group = chat.type !== 'private';
  const scopes = [
    ...(group ? [{ type: 'chat_member', chat_id: chat.id, user_id: user.id }] : []),
    { type: 'chat', chat_id: chat.id },
    { type: group ? 'all_group_chats' : 'all_private_chats' },
    { type: 'default' },
  ];
  for (const scope of scopes) {
    for (const language of [user.language_code ?? '', '']) {
      const commands = bot.commands.get(commandKey(scope, language));
      if (commands?.length) return commands;
    }
  }
  return [];
}

function setWebhook({ delivery }, bot, { url, secret_token = '', allowed_updates, max_connections = 40, drop_pending_updates }) {
  if (url !== '') {
    const local = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/.test(url);
    if (!local && !url.startsWith('https://')) throw badRequest('bad webhook: An HTTPS URL must be provided for webhook');
    if (!local && checkUrl(url)) throw badRequest(`bad webhook: ${checkUrl(url)}`);
    if (secret_token !== '' && !/^[A-Za-z0-9_-]{1,256}$/.test(secret_token)) throw badRequest('secret token contains unallowed characters');
    if (max_connections < 1 || max_connections > 100) throw badRequest('bad webhook: max_connections must be 1-100');
  }
  if (drop_pending_updates) delivery.drop(bot);
  bot.webhook = { url, secret: secret_token, allowed: allowed_updates ?? bot.webhook.allowed, maxConnections: max_connections };
  delivery.wake(bot);
  return true;
}

function getWebhookInfo({ delivery }, bot) {
  const { url, allowed, maxConnections } = bot.webhook;
  return {
    url,
    has_custom_certificate: false,
    pending_update_count: delivery.pending(bot),
    ...(delivery.lastError && { last_error_date: delivery.lastError.date, last_error_message: delivery.lastError.message }),
    max_connections: maxConnections,
    ...(allowed.length > 0 && { allowed_updates: allowed }),
  };
}

function deleteWebhook({ delivery }, bot, { drop_pending_updates }) {
  if (drop_pending_updates) delivery.drop(bot);
  bot.webhook = { ...bot.webhook, url: '', secret: '' };
  return true;
}

function getUpdates(_, bot) {
  if (bot.webhook.url !== '') throw new ApiError(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
  throw badRequest('the emulator has no getUpdates: set a webhook');
}

function getChat({ world }, bot, { chat_id }) {
  const dialog = world.dialogFor(bot, chat_id);
  if (!dialog) throw badRequest('chat not found');
  return { ...dialog.chat, accent_color_id: 0, max_reaction_count: 11, accepted_gift_types: { unlimited_gifts: true, limited_gifts: true, unique_gifts: true, premium_subscription: true, gifts_from_channels: true } };
}

function memberStatus(dialog, world, userId) {
  for (const bot of world.bots.values()) if (bot.user.id === userId) return { user: bot.user, status: dialog.bots.get(bot.id) ?? 'left' };
  const user = world.users.get(userId);
  if (!user) throw badRequest('user not found');
  return { user, status: dialog.members.has(userId) ? (dialog.admins?.has(userId) ? 'administrator' : 'member') : 'left' };
}

function getChatMember({ world }, bot, { chat_id, user_id }) {
  return memberStatus(reachable(world, bot, chat_id), world, user_id);
}

function getChatAdministrators({ world }, bot, { chat_id }) {
  const dialog = reachable(world, bot, chat_id);
  return [...(dialog.admins ?? [])].map((id) => ({ user: world.user(id), status: 'administrator' }));
}

function leaveChat({ world, emit }, bot, { chat_id }) {
  const dialog = reachable(world, bot, chat_id);
  if (dialog.chat.type === 'private') throw badRequest("chat member status can't be changed in private chats");
  dialog.bots.set(bot.id, 'left');
  emit('chat', { chat: dialog.chat });
  return true;
}

function getFile({ world }, bot, { file_id }) {
  const file = world.files.get(file_id);
  if (!file) throw badRequest('wrong file_id or the file is temporarily unavailable');
  if (file.file_size > MAX_DOWNLOAD) throw badRequest('file is too big');
  const { file_unique_id, file_size, file_path } = file;
  return { file_id, file_unique_id, file_size, file_path };
}

function createForumTopic({ world, emit }, bot, { chat_id, name, icon_color = 7322096 }) {
  const dialog = reachable(world, bot, chat_id);
  if (dialog.chat.type === 'private' ? !bot.topics : !dialog.chat.is_forum) throw badRequest('the chat is not a forum');
  if (name.length < 1 || name.length > 128) throw badRequest('TOPIC_TITLE_EMPTY');
  const message_thread_id = world.nextMessageId(dialog);
  dialog.topics.set(message_thread_id, { name, closed: false });
  emit('chat', { chat: dialog.chat });
  return { message_thread_id, name, icon_color };
}

function topicOf({ world }, bot, { chat_id, message_thread_id }) {
  const dialog = reachable(world, bot, chat_id);
  const topic = dialog.topics.get(message_thread_id);
  if (!topic) throw badRequest('message thread not found');
  return { dialog, topic };
}

function editForumTopic(emulator, bot, params) {
  const { dialog, topic } = topicOf(emulator, bot, params);
  if (params.name !== undefined) topic.name = params.name;
  emulator.emit('chat', { chat: dialog.chat });
  return true;
}

const setClosed = (closed) => (emulator, bot, params) => {
  const { dialog, topic } = topicOf(emulator, bot, params);
  topic.closed = closed;
  emulator.emit('chat', { chat: dialog.chat });
  return true;
};

function deleteForumTopic(emulator, bot, params) {
  const { dialog } = topicOf(emulator, bot, params);
  dialog.topics.delete(params.message_thread_id);
  emulator.emit('chat', { chat: dialog.chat });
  return true;
}

export const botMethods = {
  getMe,
  setMyCommands,
  getMyCommands,
  deleteMyCommands,
  setWebhook,
  getWebhookInfo,
  deleteWebhook,
  getUpdates,
  getChat,
  getChatMember,
  getChatAdministrators,
  leaveChat,
  getFile,
  createForumTopic,
  editForumTopic,
  closeForumTopic: setClosed(true),
  reopenForumTopic: setClosed(false),
  deleteForumTopic,
};
