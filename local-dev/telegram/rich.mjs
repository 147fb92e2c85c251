// Limits of rich messages: sizes, counts and the empty blocks that make Telegram refuse the whole message.
// Deliberately not here: the strings forms (`markdown`, `html`), which are refused: their grammar is not emulated.

import { checkUrl } from './check-url.mjs';
import { badRequest } from './errors.mjs';

const MAX_CHARACTERS = 32_768;
const MAX_BLOCKS = 500;
const MAX_DEPTH = 16;
const MAX_COLUMNS = 20;

/** Plain text of a RichText. */
export function plainOf(rich) {
  if (rich === undefined || rich === null) return '';
  if (typeof rich === 'string') return rich;
  if (Array.isArray(rich)) return rich.map(plainOf).join('');
  return rich.expression ?? plainOf(rich.text) ?? '';
}

function depthOf(rich) {
  if (Array.isArray(rich)) return Math.max(0, ...rich.map(depthOf));
  return rich && typeof rich === 'object' ? 1 + depthOf(rich.text) : 0;
}

function checkLinks(rich) {
  if (Array.isArray(rich)) return rich.forEach(checkLinks);
  if (!rich || typeof rich !== 'object') return undefined;
  const wrong = rich.type === 'url' ? checkUrl(rich.url) : null;
  if (wrong) throw badRequest(`RICH_MESSAGE_URL_INVALID: '${rich.url}': ${wrong}`);
  return checkLinks(rich.text);
}

function visit(block, depth, tally, isDraft) {
  tally.blocks += 1;
  tally.depth = Math.max(tally.depth, depth + depthOf(block.text));
  if (block.type === 'thinking' && !isDraft) throw badRequest('RICH_MESSAGE_BLOCK_INVALID: thinking is for drafts');
  if (block.type === 'buttons') return;
  const needsText = ['heading', 'pre', 'paragraph', 'footer', 'pullquote', 'expandable_blockquote'].includes(block.type);
  const text = plainOf(block.text);
  checkLinks(block.text);
  tally.characters += text.length + (block.expression?.length ?? 0);
  // An empty paragraph is the one empty block that is allowed: it fills an empty list item.
  if (needsText && block.type !== 'paragraph' && text === '') throw badRequest(`RICH_MESSAGE_CONTENT_REQUIRED (${block.type})`);
  if (block.type === 'list') {
    if (block.items.length === 0) throw badRequest('RICH_MESSAGE_CONTENT_REQUIRED (list)');
    for (const item of block.items) {
      tally.blocks += 1;
      if (item.blocks.length === 0) throw badRequest('RICH_MESSAGE_CONTENT_REQUIRED (list item)');
      for (const inner of item.blocks) visit(inner, depth + 1, tally, isDraft);
    }
  }
  if (block.type === 'table') {
    if (block.cells.length === 0) throw badRequest('RICH_MESSAGE_CONTENT_REQUIRED (table)');
    for (const row of block.cells) {
      tally.blocks += 1;
      const columns = row.reduce((sum, cell) => sum + (cell.colspan ?? 1), 0);
      if (columns > MAX_COLUMNS) throw badRequest('RICH_MESSAGE_TABLE_TOO_WIDE');
      for (const cell of row) {
        checkLinks(cell.text);
        tally.characters += plainOf(cell.text).length;
      }
    }
  }
  if (block.type === 'blockquote' || block.type === 'details') {
    if (block.blocks.length === 0) throw badRequest(`RICH_MESSAGE_CONTENT_REQUIRED (${block.type})`);
    for (const inner of block.blocks) visit(inner, depth + 1, tally, isDraft);
  }
}

/** Throws Telegram's refusal of a rich message of valid shape. */
export function checkRich(rich, { isDraft = false } = {}) {
  const forms = ['blocks', 'markdown', 'html'].filter((name) => rich[name] !== undefined);
  if (forms.length !== 1) throw badRequest('RICH_MESSAGE_INVALID: exactly one of blocks, markdown and html must be given');
  if (forms[0] !== 'blocks') throw badRequest(`the emulator reads rich messages as blocks only, not as ${forms[0]}`);
  if (rich.blocks.length === 0) throw badRequest('RICH_MESSAGE_CONTENT_REQUIRED');
  const tally = { blocks: 0, depth: 0, characters: 0 };
  for (const block of rich.blocks) visit(block, 1, tally, isDraft);
  if (tally.blocks > MAX_BLOCKS) throw badRequest(`RICH_MESSAGE_TOO_MANY_BLOCKS (${tally.blocks})`);
  if (tally.depth > MAX_DEPTH) throw badRequest(`RICH_MESSAGE_NESTING_TOO_DEEP (${tally.depth})`);
  if (tally.characters > MAX_CHARACTERS) throw badRequest(`RICH_MESSAGE_TOO_LONG (${tally.characters})`);
}
