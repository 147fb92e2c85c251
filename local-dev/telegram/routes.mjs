// HTTP face of the control surface: POST /emulator/<function> with a JSON object, some as GET with a query, the event
// stream, sample files for the page, and the page itself. Deliberately not here: what the functions do (control.mjs).
//
// Answers: 200 {"ok":true,"result":…} or 4xx {"ok":false,"description":…}.

import { openEvents, readBody, sendFile, sendJson } from './http.mjs';

const PAGE = new URL('./page/', import.meta.url);
const PAGE_FILES = new Set(['index.html', 'style.css', 'app.js', 'render.js', 'store.js', 'composer.js']);
const POSTS = new Set(['send', 'edit', 'remove', 'press', 'stopDraft', 'addBot', 'removeBot', 'block', 'unblock', 'react', 'raw', 'setUser', 'addGroup', 'setMemberStatus', 'setTopic', 'migrate', 'setBot', 'addFile', 'setLimits', 'setLatency', 'waitForCall']);
const GETS = new Set(['chat', 'state', 'menu', 'calls', 'deliveries', 'callback']);

/** Query values that look like numbers or booleans are those. */
function queryOf(url) {
  const out = {};
  for (const [name, value] of url.searchParams) {
    out[name] = name !== 'text' && /^-?\d{1,16}$/.test(value) ? Number(value) : value === 'true' ? true : value === 'false' ? false : value;
  }
  if (typeof out.callback_query_id === 'number') out.callback_query_id = String(out.callback_query_id);
  return out;
}

async function jsonOf(request) {
  const body = await readBody(request);
  return body.length ? JSON.parse(body.toString('utf8')) : {};
}

function serveEvents(emulator, response) {
  const write = openEvents(response);
  const off = emulator.on(write);
  const beat = setInterval(() => response.write(': beat\n\n'), 15_000);
  response.on('close', () => (off(), clearInterval(beat)));
}

async function runControl(emulator, name, request, url) {
  const { control } = emulator;
  if (name === 'faults') {
    if (request.method === 'DELETE') return control.faults.clear() ?? [];
    return request.method === 'POST' ? control.faults.add(await jsonOf(request)) : control.faults.list();
  }
  if (request.method === 'POST' && POSTS.has(name)) return control[name](await jsonOf(request));
  if (request.method === 'GET' && GETS.has(name)) return control[name](queryOf(url));
  throw new RangeError(`no ${request.method} /emulator/${name}`);
}

/** Whether a browser page from elsewhere is asking: those may not steer the emulator. */
const isForeign = (request) => request.headers.origin !== undefined && new URL(request.headers.origin).host !== request.headers.host;

export async function serveControl(emulator, request, response, url) {
  const { pathname } = url;
  if (isForeign(request)) return sendJson(response, 403, { ok: false, description: 'another origin' });
  if (pathname === '/emulator/events') return serveEvents(emulator, response);
  if (pathname.startsWith('/emulator/file/')) {
    const file = emulator.world.files.get(decodeURIComponent(pathname.slice('/emulator/file/'.length)));
    if (!file) return sendJson(response, 404, { ok: false, description: 'no such file' });
    response.writeHead(200, { 'content-type': file.mime.startsWith('image/') && !file.mime.includes('svg') ? file.mime : 'application/octet-stream', 'x-content-type-options': 'nosniff' });
    return response.end(file.bytes);
  }
  if (pathname.startsWith('/emulator/')) {
    try {
      return sendJson(response, 200, { ok: true, result: (await runControl(emulator, pathname.slice('/emulator/'.length), request, url)) ?? null });
    } catch (error) {
      return sendJson(response, error instanceof RangeError && error.message.startsWith('no ') ? 404 : 400, { ok: false, description: error.message });
    }
  }
  const file = pathname === '/' ? 'index.html' : pathname.slice(1);
  if (request.method === 'GET' && PAGE_FILES.has(file)) return sendFile(response, PAGE, file);
  return sendJson(response, 404, { ok: false, error_code: 404, description: 'Not Found' });
}
