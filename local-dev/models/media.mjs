// Media in request bodies: counted and hashed as they arrive, never kept. A body with 18 MB of voice costs its reader
// some kilobytes, so that a test can send fifteen at once and still measure the Worker rather than itself.
// Deliberately not here: which media a provider takes (check-*.mjs).

import { createHash } from 'node:crypto';

/** A string this long, all of base64, is taken for media while it arrives. */
const SURE = 4096;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEAD = 16;
const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.-]+)*;base64,/;
const BASE64 = /^[A-Za-z0-9+/_-]*$/;

/** What is left of a piece of media: in a record it reads {mime, bytes, sha256}. */
export class Media {
  constructor(mime, { bytes, sha256, head, valid }) {
    Object.assign(this, { mime, bytes, sha256 });
    // Not part of the record's JSON.
    Object.defineProperties(this, { head: { value: head }, valid: { value: valid } });
  }
}

/** Hashes base64 text as it comes, any cut. */
class Hasher {
  #hash = createHash('sha256');
  #rest = '';
  #bytes = 0;
  #head = Buffer.alloc(0);
  #padding = 0;
  #valid = true;

  add(text) {
    const bare = text.replace(/=+$/, '');
    if (!BASE64.test(bare) || (this.#padding > 0 && bare !== '')) this.#valid = false;
    this.#padding += text.length - bare.length;
    const all = this.#rest + bare;
    const whole = all.length - (all.length % 4);
    this.#rest = all.slice(whole);
    this.#take(Buffer.from(all.slice(0, whole), 'base64'));
  }

  #take(bytes) {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    if (this.#head.length < HEAD) this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD)]).subarray(0, HEAD);
  }

  end(mime) {
    // One character left over cannot be a byte; padding is optional, but not more than belongs there.
    const left = this.#rest.length;
    const padded = this.#padding === 0 || (left + this.#padding) % 4 === 0 && this.#padding <= 2;
    const valid = this.#valid && left !== 1 && padded;
    this.#take(Buffer.from(this.#rest, 'base64'));
    return new Media(mime, { bytes: this.#bytes, sha256: this.#hash.digest('hex'), head: this.#head, valid });
  }
}

/** A string of base64, or of a data: URL, that is already whole. A Media is taken as it is, with this type. */
export function mediaOf(mime, value) {
  if (value instanceof Media) return new Media(value.mime ?? mime, { ...value, head: value.head, valid: value.valid });
  const found = DATA_URL.exec(value);
  const hasher = new Hasher();
  hasher.add(found ? value.slice(found[0].length) : value);
  return hasher.end(found ? found[1] : mime);
}

export const isDataUrl = (value) => (value instanceof Media ? value.mime !== null : DATA_URL.test(value));

/** Media whose bytes are at hand, as in a multipart form. */
export function mediaOfBytes(mime, bytes) {
  return new Media(mime, { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), head: Buffer.from(bytes.subarray(0, HEAD)), valid: true });
}

/** Copies JSON through, with every long base64 string replaced by a short mark. */
class Sieve {
  kept = [];
  media = [];
  #inString = false;
  #escaped = false;
  /** Text of the string that may yet turn out to be media, null when it is not. */
  #maybe = null;
  #hasher = null;
  #mime = null;

  add(chunk) {
    let at = 0;
    while (at < chunk.length) {
      if (!this.#inString) {
        const quote = chunk.indexOf(QUOTE, at);
        const end = quote < 0 ? chunk.length : quote + 1;
        this.#keep(chunk.subarray(at, end));
        at = end;
        if (quote >= 0) this.#open();
        continue;
      }
      const end = this.#endOfString(chunk, at);
      const stop = end < 0 ? chunk.length : end;
      this.#text(chunk.subarray(at, stop));
      at = stop;
      if (end >= 0) {
        this.#close();
        at += 1;
      }
    }
  }

  #keep(bytes) {
    // A copy: a view would hold the whole chunk.
    if (bytes.length) this.kept.push(Buffer.from(bytes));
  }

  #open() {
    this.#inString = true;
    this.#maybe = '';
  }

  /** Where the closing quote is, minding escapes that may be cut by the chunk. */
  #endOfString(chunk, from) {
    let at = from;
    if (this.#escaped) {
      this.#escaped = false;
      at += 1;
    }
    for (;;) {
      const quote = chunk.indexOf(QUOTE, at);
      const slash = chunk.subarray(0, quote < 0 ? chunk.length : quote).indexOf(BACKSLASH, at);
      if (slash < 0) return quote;
      if (slash + 1 >= chunk.length) {
        this.#escaped = true;
        return -1;
      }
      at = slash + 2;
    }
  }

  #text(bytes) {
    if (this.#hasher) return this.#hasher.add(bytes.toString('latin1'));
    if (this.#maybe === null) return this.#keep(bytes);
    this.#maybe += bytes.toString('latin1');
    if (this.#maybe.length < SURE) return undefined;
    const url = DATA_URL.exec(this.#maybe);
    const body = url ? this.#maybe.slice(url[0].length) : this.#maybe;
    if (BASE64.test(body.replace(/=+$/, ''))) {
      this.#hasher = new Hasher();
      this.#hasher.add(body);
      this.#mime = url ? url[1] : null;
    } else this.#flush();
    return undefined;
  }

  #flush() {
    this.#keep(Buffer.from(this.#maybe, 'latin1'));
    this.#maybe = null;
  }

  #close() {
    if (this.#hasher) {
      this.#keep(Buffer.from(`\\u0000media:${this.media.length}`));
      this.media.push(this.#hasher.end(this.#mime));
      this.#hasher = null;
    } else if (this.#maybe !== null) this.#flush();
    this.#keep(Buffer.from('"'));
    this.#inString = false;
    this.#maybe = null;
  }

  parse() {
    const text = Buffer.concat(this.kept).toString('utf8');
    return JSON.parse(text, (_, value) => {
      const mark = typeof value === 'string' && /^\0media:(\d+)$/.exec(value);
      return mark ? this.media[Number(mark[1])] : value;
    });
  }
}

/**
 * A JSON body in which long base64 strings and data: URLs are Media already. RangeError above `limit` bytes.
 * @returns {Promise<{body: object, bytes: number}>}
 */
export async function readJsonWithMedia(request, limit) {
  const sieve = new Sieve();
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > limit) throw new RangeError(`Request payload size exceeds the limit: ${limit} bytes.`);
    sieve.add(chunk);
  }
  return { body: bytes === 0 ? {} : sieve.parse(), bytes };
}

/** «audio/ogg, 12 345 bytes» for each. */
export const describeMedia = (media) => media.map(({ mime, bytes }) => `${mime}, ${String(bytes).replace(/\B(?=(\d{3})+$)/g, ' ')} bytes`).join('; ');
