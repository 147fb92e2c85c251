// Limits of keyboards, buttons and callback data beyond their JSON shape.
// Deliberately not here: the shape itself (schema.mjs).

import { checkUrl } from './check-url.mjs';

const MAX_BUTTONS = 100;
const MAX_ROW = 8;
const ACTIONS = ['url', 'callback_data', 'web_app', 'login_url', 'switch_inline_query', 'switch_inline_query_current_chat', 'switch_inline_query_chosen_chat', 'copy_text', 'callback_game', 'pay', 'disabled'];
const STYLES = ['danger', 'success', 'primary'];

function checkButton(button) {
  if (button.text.trim() === '') return `can't parse inline keyboard button: field "text" must be non-empty`;
  const actions = ACTIONS.filter((name) => button[name] !== undefined);
  if (actions.length === 0) return `can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard`;
  if (actions.length > 1) return `can't parse inline keyboard button: exactly one action is allowed, got ${actions.join(', ')}`;
  if (button.style !== undefined && !STYLES.includes(button.style)) return `can't parse inline keyboard button: invalid button style "${button.style}"`;
  if (button.callback_data !== undefined) {
    const bytes = Buffer.byteLength(button.callback_data);
    if (bytes < 1 || bytes > 64 || !button.callback_data.isWellFormed()) return 'BUTTON_DATA_INVALID';
  }
  if (button.url !== undefined) {
    const wrong = checkUrl(button.url);
    if (wrong) return `inline keyboard button URL '${button.url}' is invalid: ${wrong}`;
  }
  if (button.copy_text !== undefined && (button.copy_text.text.length < 1 || button.copy_text.text.length > 256)) return 'BUTTON_COPY_TEXT_INVALID';
  return null;
}

function checkRows(rows, checkOne) {
  let count = 0;
  for (const row of rows) {
    if (row.length > MAX_ROW) return `reply markup is too long (a row of ${row.length}, at most ${MAX_ROW})`;
    count += row.length;
    for (const button of row) {
      const wrong = checkOne(button);
      if (wrong) return wrong;
    }
  }
  return count > MAX_BUTTONS ? `reply markup is too long (${count} buttons, at most ${MAX_BUTTONS})` : null;
}

/** @param {object|undefined} markup a reply_markup of valid shape @returns {string|null} an error description */
export function checkMarkup(markup) {
  let wrong = null;
  if (markup?.inline_keyboard) wrong = checkRows(markup.inline_keyboard, checkButton);
  else if (markup?.keyboard) wrong = checkRows(markup.keyboard, (b) => ((typeof b === 'string' ? b : b.text) === '' ? 'keyboard button text must be non-empty' : null));
  return wrong === null ? null : `Bad Request: ${wrong}`;
}
