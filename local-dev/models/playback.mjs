// Plays one answer onto the wire, well or badly, as a behaviour says:
//   answer, thinking, toolCalls: [{name, arguments, id?}]   what is said (thinking before the text, tool calls after it)
//   tokensPerSecond (0 = all in one write), firstTokenMs     pace
//   chunkBytes: n                   writes of n bytes, wherever that cuts lines and characters
//   hangBefore: true | ms, hangAfter: n   no bytes at all / silence after n pieces (headers and all stay open)
//   resetAfter: n                   the socket is destroyed after n pieces
//   errorLineAfter: n, errorText, errorBody   the provider's error inside the stream after n pieces, then the end
//   status, body, headers           that answer instead
//   raw: text                       exactly these bytes as the stream
//   empty: true                     no text, an orderly end       endWithoutDone: true   the end without its end mark
//   doneReason ("stop", "length", "content"), promptTokens, outputTokens, thinkingTokens, cachedTokens, cost
//   extraFields: {…}                fields added to every piece; Ollama's cloud: true leaves out what cloud does
//   match, model, kind, times, failure    which requests it is for (stand-in.mjs)
// A piece is one line or event. What a piece looks like is each provider's. Deliberately not here: choosing a behaviour.

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const HANG_MS = 600_000;

/** Silence until the client gives up, or the time is over. Keeps no process alive. */
function hang(response, ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
    response.once('close', resolve);
  });
}

/** Words with the space after them, long ones cut: about what a tokenizer gives. */
export function tokensOf(text) {
  return text.match(/\s+|[^\s]{1,6}/gu) ?? [];
}

/** Writes bytes, cut where the behaviour wants them cut; resolves when the socket took them. */
async function write(response, bytes, chunkBytes) {
  if (!chunkBytes) return response.write(bytes);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    if (response.destroyed) return undefined;
    response.write(bytes.subarray(at, at + chunkBytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined;
}

/** Cuts the connection as a machine that dies does. */
function resetterOf(record, response) {
  return () => {
    record.cutByUs = true;
    record.endedAt = performance.now();
    response.socket?.destroy();
  };
}

/**
 * What may come before any answer: silence, a refusal.
 * @param {(status: number) => object} refusal  the body of a refusal whose behaviour has none
 * @returns {Promise<boolean>} whether there is nothing left to say
 */
export async function playBefore({ plan, record, response, json, refusal }) {
  if (plan.hangBefore) {
    await hang(response, plan.hangBefore === true ? HANG_MS : plan.hangBefore);
    if (response.destroyed) return true;
    if (plan.hangBefore === true) {
      resetterOf(record, response)();
      return true;
    }
  }
  if (plan.status === undefined) return false;
  record.status = plan.status;
  json(response, plan.status, plan.body ?? refusal(plan.status), plan.headers);
  return true;
}

/**
 * @param {object} wire  the provider's form of the answer:
 *   contentType; pieces: (() => string)[]; finish(): string, the orderly end; error(): string, an error inside the stream;
 *   refusal(status): object; whole(): object, for a request without streaming, or undefined
 */
export async function play({ plan, wire, streaming, record, response, json, onToken }) {
  const reset = resetterOf(record, response);
  // Without delay, so that each write is a packet and the pace is real.
  response.socket?.setNoDelay(true);
  if (await playBefore({ plan, record, response, json, refusal: wire.refusal })) return undefined;
  const { pieces } = wire;
  if (!streaming) return playWhole({ plan, wire, record, response, json });

  await sleep(plan.firstTokenMs);
  if (response.destroyed) return undefined;
  response.writeHead(200, { 'content-type': wire.contentType, ...plan.headers });
  response.flushHeaders();
  if (plan.raw !== undefined) {
    record.firstTokenAt = performance.now();
    await write(response, Buffer.from(plan.raw), plan.chunkBytes);
    return response.end();
  }
  const stops = { hangAfter: plan.hangAfter, resetAfter: plan.resetAfter, errorLineAfter: plan.errorLineAfter };
  const stopAt = Math.min(...Object.values(stops).map((n) => n ?? Infinity), pieces.length);
  const began = performance.now();
  let batch = '';
  for (let i = 0; i < stopAt; i++) {
    if (response.destroyed) return undefined;
    if (plan.tokensPerSecond > 0) {
      const due = began + (i * 1000) / plan.tokensPerSecond;
      const wait = due - performance.now();
      if (wait > 1) await sleep(wait);
      if (response.destroyed) return undefined;
      record.firstTokenAt ??= performance.now();
      await write(response, Buffer.from(pieces[i]()), plan.chunkBytes);
      record.chunksSent = i + 1;
      if (i === 0) onToken();
    } else batch += pieces[i]();
  }
  const endsWell = stopAt === pieces.length && Object.values(stops).every((n) => n === undefined);
  if (endsWell && !plan.endWithoutDone) batch += wire.finish();
  if (plan.errorLineAfter === stopAt) batch += wire.error();
  record.firstTokenAt ??= performance.now();
  if (batch) await write(response, Buffer.from(batch), plan.chunkBytes);
  record.chunksSent = stopAt;
  onToken();
  if (plan.resetAfter === stopAt) {
    await sleep(20);
    return reset();
  }
  if (plan.hangAfter === stopAt) {
    await hang(response, HANG_MS);
    return response.destroyed ? undefined : reset();
  }
  record.endedAt = performance.now();
  return response.end();
}

async function playWhole({ plan, wire, record, response, json }) {
  const seconds = plan.tokensPerSecond > 0 ? wire.pieces.length / plan.tokensPerSecond : 0;
  await sleep(plan.firstTokenMs + seconds * 1000);
  if (response.destroyed) return;
  record.firstTokenAt = performance.now();
  record.chunksSent = wire.pieces.length;
  json(response, 200, wire.whole());
  record.endedAt = performance.now();
}
