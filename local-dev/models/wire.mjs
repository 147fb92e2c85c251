// Small pieces of HTTP that all stand-ins share: JSON out, bodies in. Deliberately not here: any route, large media (media.mjs).

export function json(response, status, body, headers = {}) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length, ...headers });
  response.end(bytes);
}

/** The whole body; RangeError above `limit` bytes. */
export async function readBody(request, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) throw new RangeError('request body too large');
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

export async function readJson(request, limit = 20 * 1024 * 1024) {
  const bytes = await readBody(request, limit);
  return bytes.length ? JSON.parse(bytes.toString('utf8')) : {};
}
