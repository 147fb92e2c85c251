// Small pieces of HTTP: bodies in, JSON out, Server-Sent Events, static files.
// Deliberately not here: any route.

import { readFile } from 'node:fs/promises';
import { Upload } from './schema.mjs';

const MAX_BODY = 60 * 1024 * 1024;
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };

export async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) throw new RangeError('request entity too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Parameters of an API call from its query and body.
 * @returns {Promise<{fields: object, isForm: boolean}>} isForm: values are strings and stand for JSON
 */
export async function readFields(request, url) {
  const query = Object.fromEntries(url.searchParams);
  const type = request.headers['content-type'] ?? '';
  const body = await readBody(request);
  if (body.length === 0) return { fields: query, isForm: true };
  if (type.startsWith('application/json')) {
    const json = JSON.parse(body.toString('utf8'));
    if (json === null || typeof json !== 'object' || Array.isArray(json)) throw new SyntaxError('body must be an object');
    return { fields: { ...query, ...json }, isForm: false };
  }
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  const fields = { ...query };
  for (const [name, value] of form) {
    fields[name] = typeof value === 'string' ? value : new Upload(value.name, value.type, Buffer.from(await value.arrayBuffer()));
  }
  return { fields, isForm: true };
}

export function sendJson(response, status, body, headers = {}) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers });
  response.end(bytes);
}

/** A stream of events; returns the function that sends one. */
export function openEvents(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'keep-alive' });
  response.write(': open\n\n');
  return (type, data) => response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** Serves one of a fixed list of files beside this module. */
export async function sendFile(response, folder, name) {
  const bytes = await readFile(new URL(name, folder));
  response.writeHead(200, {
    'content-type': TYPES[name.split('.').at(-1)] ?? 'application/octet-stream',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}
