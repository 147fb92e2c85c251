// An AI Gateway between the Worker and the stand-ins: /v1/{account}/{gateway}/{provider}/… passed on as it comes, with
// the headers we want from ourselves on every request, errors of its own, and a record. Nothing is held back: bytes go
// on as they arrive, and whoever hangs up first, both ends know.
// Deliberately not here: caching, stored keys, /compat, Unified Billing.
//
// Behaviours (stand-in.mjs says which request they are for; `match` looks in provider and path, `model` is not known):
//   failure, status, body, headers    instead of passing on        hangBefore: true | ms
//   resetAfter: n, hangAfter: n       once n chunks have been passed back

import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { checkGatewayHeaders } from './check-gateway.mjs';
import { failureOf } from './errors.mjs';
import { playBefore } from './playback.mjs';
import { StandIn, listen } from './stand-in.mjs';
import { json } from './wire.mjs';

/** What the gateway puts before the rest of the path. */
const PREFIX = { openai: '/v1' };
const targetOf = (upstream, provider) => (typeof upstream === 'string' ? `${upstream.replace(/\/$/, '')}${PREFIX[provider] ?? ''}` : upstream.base.replace(/\/$/, ''));
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'host'];

const passedOn = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('cf-aig-') && !HOP_BY_HOP.includes(name)));
const gatewayHeaders = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('cf-aig-') && name !== 'cf-aig-authorization'));

/** Whether the request has a key of its own, which is what no-wholesale asks for. */
const hasKey = ({ authorization, 'x-goog-api-key': google }) => Boolean(authorization?.replace(/^Bearer\s*/i, '') || google);

function refusalOf(standIn, request, record) {
  if (standIn.token && request.headers['cf-aig-authorization'] !== `Bearer ${standIn.token}`) return failureOf('gateway', 'auth');
  if (standIn.gateway && record.gateway !== standIn.gateway) return failureOf('gateway', 'noGateway');
  const custom = /^custom-(.+)$/.exec(record.provider)?.[1];
  const known = Object.hasOwn(standIn.upstreams, record.provider) && (!custom || standIn.customProviders.includes(custom));
  if (!known) return failureOf('gateway', 'noProvider');
  if (request.headers['cf-aig-no-wholesale'] === 'true' && !hasKey(request.headers)) return failureOf('gateway', 'credentials');
  record.wrong = checkGatewayHeaders(request.headers, standIn.neverInMetadata);
  if (!standIn.strict || record.wrong.length === 0) return null;
  return { status: 400, body: { success: false, result: [], messages: [], error: [{ code: 0, message: `Practice only: ${record.wrong.join('; ')}` }] } };
}

async function serve(standIn, request, response, url) {
  const [, account, gateway, provider, rest] = /^\/v1\/([^/]+)\/([^/]+)\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? [];
  const logId = randomUUID();
  const record = standIn.record(request, response, { account, gateway, provider, path: rest ?? '/', method: request.method, logId, upstreamStatus: null, bytesIn: 0, bytesOut: 0, wrong: [] });
  // Keys stay out of the record: it is shown by /stand-in/requests.
  record.headers = gatewayHeaders(request.headers);
  record.authorization = hasKey(request.headers) ? 'present' : null;
  try {
    record.metadata = JSON.parse(request.headers['cf-aig-metadata'] ?? 'null');
  } catch {
    record.metadata = null;
  }
  standIn.changed();
  const own = { 'cf-aig-log-id': logId, 'cf-aig-cache-status': 'MISS', 'cf-aig-step': '0' };
  const refuse = ({ status, body, headers }) => {
    record.status = status;
    request.resume();
    json(response, status, body, { ...headers, 'cf-aig-log-id': logId });
  };
  if (!provider) return refuse(failureOf('gateway', 'noProvider'));
  const refused = refusalOf(standIn, request, record);
  if (refused) return refuse(refused);
  const plan = standIn.take(`${provider}${record.path}`) ?? {};
  record.behaviour = plan;
  if (plan.status !== undefined) request.resume();
  if (await playBefore({ plan, record, response, json, refusal: (status) => ({ success: false, result: [], messages: [], error: [{ code: status, message: `status ${status}` }] }) })) return undefined;
  return passOn({ standIn, request, response, record, plan, own, target: `${targetOf(standIn.upstreams[provider], provider)}${rest ?? ''}${url.search}` });
}

function passOn({ standIn, request, response, record, plan, own, target }) {
  return new Promise((resolve) => {
    const open = target.startsWith('https:') ? httpsRequest : httpRequest;
    const upstream = open(target, { method: request.method, headers: passedOn(request.headers), agent: false });
    const cut = () => {
      record.cutByUs = true;
      response.socket?.destroy();
    };
    // The client is gone: so is the call behind it.
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy();
      resolve();
    });
    upstream.on('error', (error) => {
      if (response.headersSent || response.destroyed) return cut();
      record.status = 502;
      record.error = error.code ?? error.message;
      return json(response, 502, { success: false, result: [], messages: [], error: [{ code: 2002, message: 'Upstream is unreachable' }] }, own);
    });
    upstream.on('response', (answer) => {
      record.upstreamStatus = answer.statusCode;
      record.status = answer.statusCode;
      response.writeHead(answer.statusCode, { ...passedOn(answer.headers), ...own });
      response.flushHeaders();
      let chunks = 0;
      const stopAt = plan.resetAfter ?? plan.hangAfter ?? Infinity;
      const stop = () => {
        answer.pause();
        if (plan.resetAfter !== undefined) cut();
      };
      if (stopAt === 0) return stop();
      answer.on('data', (chunk) => {
        if (chunks >= stopAt) return;
        chunks += 1;
        record.chunksSent = chunks;
        record.bytesOut += chunk.length;
        record.firstTokenAt ??= performance.now();
        // A slow reader slows the writer; nothing piles up here.
        if (!response.write(chunk)) {
          answer.pause();
          response.once('drain', () => answer.resume());
        }
        if (chunks === 1) standIn.changed();
        if (chunks >= stopAt) setTimeout(stop, 20);
      });
      answer.on('end', () => chunks < stopAt && response.end());
      answer.on('error', cut);
      answer.on('aborted', cut);
      return undefined;
    });
    request.on('data', (chunk) => (record.bytesIn += chunk.length));
    request.pipe(upstream);
  });
}

/**
 * @param {{port?: number, host?: string, token?: string, upstreams: Record<string, string|{base: string}>, customProviders?: string[],
 *   gateway?: string, strict?: boolean, neverInMetadata?: (string|number)[]}} options
 *   token: refuse requests without it; upstreams: provider as in the path → the server's address, or the base that the
 *   rest of the path is put after (for OpenAI that has /v1 at its end, the address has not); customProviders: slugs
 *   that have been created; gateway: the only one that exists; strict: refuse requests without the headers we want from
 *   ourselves (else they are only recorded in `wrong`); neverInMetadata: ids that must not be seen there
 */
export function startGateway({ port, host, token, upstreams = {}, customProviders = ['ollama'], gateway, strict = true, neverInMetadata = [] } = {}) {
  const standIn = Object.assign(new StandIn('gateway', {}), { token, upstreams, customProviders, gateway, strict, neverInMetadata });
  return listen(standIn, { port, host, serve: (...args) => serve(standIn, ...args), broken: (response, error) => json(response, 500, { success: false, result: [], messages: [], error: [{ code: 2002, message: error.message }] }) }).then((handle) => ({
    ...handle,
    /** What AI_GATEWAY_BASE_URL is for it. */
    base: (account = 'practice', name = gateway ?? 'tideclaw') => `${handle.url}/v1/${account}/${name}`,
    setCustomProviders: (slugs) => void (standIn.customProviders = slugs),
  }));
}
