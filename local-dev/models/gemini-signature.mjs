// Thought signatures that can be told from forged, moved or foreign ones. A signature is bound to the model and to the
// call (name and arguments) or the text turn that it came with. Deliberately not here: where one must be (check-gemini.mjs).

import { createHmac, randomBytes } from 'node:crypto';

// Not a secret: it only has to be the same in the next start, whose chats have signatures of this one.
const KEY = 'tideclaw practice signatures';
const DUMMIES = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'].flatMap((text) => [text, Buffer.from(text).toString('base64'), Buffer.from(text).toString('base64url')]);

const sorted = (value) => (Array.isArray(value) ? value.map(sorted) : value !== null && typeof value === 'object' ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])) : value);
const subjectOf = ({ functionCall } = {}) => (functionCall ? JSON.stringify([functionCall.name, sorted(functionCall.args ?? {})]) : 'text');
const tagOf = (model, subject, nonce) => createHmac('sha256', KEY).update(JSON.stringify([model, subject, nonce])).digest('hex').slice(0, 32);

/** A signature for this part. */
export function sign(model, part) {
  const nonce = randomBytes(12).toString('hex');
  // Some of the real ones are kilobytes long.
  return Buffer.from(`practice.${nonce}.${tagOf(model, subjectOf(part), nonce)}.${'~'.repeat(120)}`).toString('base64');
}

export const isDummy = (signature) => DUMMIES.includes(signature);

/** Whether this model gave this signature with this part. Both alphabets of base64 will do. */
export function isGenuine(model, part) {
  const [mark, nonce, tag] = Buffer.from(part.thoughtSignature, 'base64').toString('latin1').split('.');
  return mark === 'practice' && tag === tagOf(model, subjectOf(part), nonce);
}
