// Checks parameters and objects against bot-api.json: known names, required ones, JSON types, all the way down.
// Telegram drops what it does not know in silence; here it is refused and named, so that a misspelt parameter
// cannot get lost. Deliberately not here: limits and meaning of values (check-message.mjs, check-markup.mjs).

import { readFileSync } from 'node:fs';

const api = JSON.parse(readFileSync(new URL('./bot-api.json', import.meta.url), 'utf8'));

export const apiVersion = api.version;
/** Lower-cased method name → name as documented; Telegram's method names are case-insensitive. */
export const methodNames = new Map(Object.keys(api.methods).map((name) => [name.toLowerCase(), name]));

/** A file that came as a multipart part. */
export class Upload {
  /** @param {string} name @param {string} mime @param {Buffer} bytes */
  constructor(name, mime, bytes) {
    Object.assign(this, { name, mime, bytes });
  }
  toJSON() {
    return { upload: this.name, mime: this.mime, size: this.bytes.length };
  }
}

const kindOf = (value) => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'Array';
  if (value instanceof Upload) return 'InputFile';
  if (typeof value === 'number') return Number.isInteger(value) ? 'Integer' : 'Float';
  return { string: 'String', boolean: 'Boolean', object: 'Object' }[typeof value] ?? typeof value;
};

const mismatch = (path, wanted, value) => `parameter "${path}" must be ${wanted}, got ${kindOf(value)}`;

/** @returns {string|null} what is wrong, or null */
function checkType(type, value, path) {
  if (type.startsWith('="')) {
    const constant = type.slice(2, -1);
    return value === constant ? null : `parameter "${path}" must be "${constant}"`;
  }
  if (type.startsWith('Array of ')) {
    if (!Array.isArray(value)) return mismatch(path, type, value);
    for (let i = 0; i < value.length; i++) {
      const wrong = checkType(type.slice(9), value[i], `${path}[${i}]`);
      if (wrong) return wrong;
    }
    return null;
  }
  const kind = kindOf(value);
  switch (type) {
    case 'Integer':
      return Number.isSafeInteger(value) ? null : mismatch(path, type, value);
    case 'Float':
      return kind === 'Integer' || kind === 'Float' ? null : mismatch(path, type, value);
    case 'String':
    case 'Boolean':
      return kind === type ? null : mismatch(path, type, value);
    case 'InputFile':
      return kind === 'InputFile' ? null : mismatch(path, type, value);
  }
  const fields = api.types[type];
  if (fields === undefined) return `parameter "${path}" has the undescribed type ${type}`;
  if (Array.isArray(fields)) return checkOneOf(fields, value, path, type);
  if (kind !== 'Object') return mismatch(path, type, value);
  return checkFields(fields, value, `${path}.`, type);
}

/** The member whose constants agree with the value, if constants tell members apart. */
function memberByConstant(members, value) {
  if (kindOf(value) !== 'Object') return null;
  return members.find((member) => {
    const fields = api.types[member];
    if (!fields || Array.isArray(fields)) return false;
    const constants = Object.entries(fields).filter(([, type]) => type.startsWith('="'));
    return constants.length > 0 && constants.every(([name, type]) => value[name] === type.slice(2).replace(/"!?$/, ''));
  });
}

function checkOneOf(members, value, path, type) {
  const chosen = memberByConstant(members, value);
  if (chosen) return checkType(chosen, value, path);
  let closest = null;
  for (const member of members) {
    const wrong = checkType(member, value, path);
    if (wrong === null) return null;
    // An object is reported against the first member that is an object, an array against an array.
    const deeper = !wrong.startsWith(`parameter "${path}" must be`);
    if (deeper && closest === null) closest = wrong;
  }
  const discriminated = members.some((m) => Object.values(api.types[m] ?? {}).some((t) => String(t).startsWith('="')));
  if (closest === null || (discriminated && kindOf(value) === 'Object')) {
    const told = kindOf(value) === 'Object' && 'type' in value ? ` of type ${JSON.stringify(value.type)}` : '';
    return `parameter "${path}" must be ${type || members.join(' or ')}, got ${kindOf(value)}${told}`;
  }
  return closest;
}

function checkFields(fields, value, prefix, owner) {
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(fields, name)) return `unknown parameter "${prefix}${name}" (not in ${owner})`;
  }
  for (const [name, described] of Object.entries(fields)) {
    const required = described.endsWith('!');
    if (value[name] === undefined) {
      if (required) return `parameter "${prefix}${name}" is required`;
      continue;
    }
    const types = described.replace(/!$/, '').split('|');
    const wrong = types.length === 1 ? checkType(types[0], value[name], prefix + name) : checkOneOf(types, value[name], prefix + name, '');
    if (wrong) return wrong;
  }
  return null;
}

/** @returns {string|null} what is wrong with a method's parameters */
export function checkParams(method, params) {
  return checkFields(api.methods[method], params, '', method);
}

/** Checks an object we make ourselves, such as an Update. @returns {string|null} */
export function checkObject(type, value) {
  return checkType(type, value, type);
}

/** Form fields are strings: turns them into the JSON they stand for, as Telegram does. */
export function fromForm(method, fields) {
  const described = api.methods[method];
  const out = {};
  for (const [name, value] of Object.entries(fields)) {
    const types = (described[name] ?? 'String').replace(/!$/, '').split('|');
    out[name] = typeof value === 'string' && !types.includes('String') ? fromText(types, value) : value;
    if (typeof value === 'string' && types.includes('Integer') && /^-?\d{1,16}$/.test(value)) out[name] = Number(value);
  }
  return out;
}

function fromText(types, text) {
  if (types.includes('Boolean')) return ['true', '1', 'True'].includes(text) ? true : ['false', '0', 'False', ''].includes(text) ? false : text;
  if (types.includes('Integer') || types.includes('Float')) return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
