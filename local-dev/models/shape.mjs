// Whether JSON has a shape, and where it has not: unknown fields, wrong types. A shape is
//   'string' | 'number' | 'integer' | 'boolean' | 'object' (anything inside) | 'any' | 'media'
//   [shape] an array of it     { name: shape, … } an object with no other fields
//   oneOf('a', 'b')            one of these values
//   a function (value, path) => wrong|null
// Deliberately not here: which shapes (check-*.mjs), rules that tie fields together.

import { Media } from './media.mjs';

export const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Media);

/** One of these values. */
export const oneOf = (...values) => (value, path) => (values.includes(value) ? null : { kind: 'value', path, value });

const TYPES = {
  string: (v) => typeof v === 'string' && v.isWellFormed(),
  number: (v) => typeof v === 'number',
  integer: Number.isSafeInteger,
  boolean: (v) => typeof v === 'boolean',
  object: isObject,
  any: () => true,
  media: (v) => typeof v === 'string' || v instanceof Media,
};

/** @returns {{kind: 'unknown'|'type'|'value', path: string, name?: string, value?: any, wanted?: string}|null} the first fault */
export function misfit(value, shape, path = '') {
  if (typeof shape === 'function') return shape(value, path);
  if (typeof shape === 'string') return TYPES[shape](value) ? null : { kind: 'type', path, wanted: shape, value };
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return { kind: 'type', path, wanted: 'array', value };
    return first(value.entries(), ([i, item]) => misfit(item, shape[0], `${path}[${i}]`));
  }
  if (!isObject(value)) return { kind: 'type', path, wanted: 'object', value };
  return first(Object.entries(value), ([name, item]) => {
    if (!Object.hasOwn(shape, name)) return { kind: 'unknown', path, name };
    return misfit(item, shape[name], path ? `${path}.${name}` : name);
  });
}

/** The first result that is not null. */
export function first(items, look) {
  for (const item of items) {
    const found = look(item);
    if (found) return found;
  }
  return null;
}
