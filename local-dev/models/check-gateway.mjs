// The headers we want on our own requests to AI Gateway, so that it neither bills by itself, nor serves a chat from its
// cache, nor repeats what we repeat ourselves, nor keeps what people say. The real one makes none of them compulsory.
// Deliberately not here: what the gateway itself refuses (gateway.mjs).

const WANTED = { 'cf-aig-no-wholesale': 'true', 'cf-aig-skip-cache': 'true', 'cf-aig-max-attempts': '1', 'cf-aig-collect-log-payload': 'false' };
const MAX_ENTRIES = 5;
const MAX_TEXT = 64;
/** Telegram's ids of people and chats have this many digits. Turns and steps do not. */
const ID = /^-?\d{6,14}$/;
const KEYS = /chat_id|user_id|username|text|message|prompt/i;

function checkMetadata(text, never) {
  if (text === undefined) return ['cf-aig-metadata is missing'];
  let metadata;
  try {
    metadata = JSON.parse(text);
  } catch {
    return ['cf-aig-metadata is not JSON'];
  }
  if (metadata === null || typeof metadata !== 'object' || Array.isArray(metadata)) return ['cf-aig-metadata is not an object'];
  const entries = Object.entries(metadata);
  const wrong = entries.length > MAX_ENTRIES ? [`cf-aig-metadata has ${entries.length} entries, ${MAX_ENTRIES} are kept`] : [];
  for (const [name, value] of entries) {
    if (!['string', 'number', 'boolean'].includes(typeof value)) wrong.push(`metadata.${name} is neither text, number nor boolean`);
    else if (KEYS.test(name)) wrong.push(`metadata.${name}: a name for what must not be there`);
    else if (ID.test(String(value)) || never.some((id) => String(value).split(':').includes(String(id)))) wrong.push(`metadata.${name} has the id of a person or chat`);
    else if (String(value).length > MAX_TEXT || /\s/.test(String(value))) wrong.push(`metadata.${name} looks like somebody's text`);
  }
  return wrong;
}

/** @returns {string[]} what is wrong */
export function checkGatewayHeaders(headers, neverInMetadata = []) {
  const wrong = Object.entries(WANTED).flatMap(([name, value]) => (headers[name] === value ? [] : [`${name} is ${JSON.stringify(headers[name])}, not "${value}"`]));
  return [...wrong, ...checkMetadata(headers['cf-aig-metadata'], neverInMetadata)];
}
