// Plays one answer onto the wire, well or badly, as a behaviour says:
//   answer, thinking, toolCalls: [{name, arguments, id?}]   what is said (thinking and tool calls before and after the text)
//   tokensPerSecond (0 = all in one write), firstTokenMs     pace
//   chunkBytes: n                   writes of n bytes, wherever that cuts lines and characters
//   hangBefore: true | ms, hangAfter: n   no bytes at all / silence after n lines (headers and all stay open)
//   resetAfter: n                   the socket is destroyed after n lines
//   errorLineAfter: n, errorText    a line {"error": …} after n lines, then the end
//   status, body, headers           that answer instead
//   empty: true                     no text, an orderly end       endWithoutDone: true   the end without a last line
//   doneReason, promptTokens, outputTokens, extraFields: {…}     details of the lines; cloud: true leaves out what cloud does
//   match: text | RegExp, model, times    which requests it is for (ollama.mjs)
// Deliberately not here: choosing a behaviour.

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const HANG_MS = 600_000;
const NS = 1_000_000;

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

function linesOf({ plan, body, record }) {
  const started = performance.now();
  const line = (fields) => `${JSON.stringify({ model: body.model, created_at: new Date().toISOString(), ...fields, ...plan.extraFields })}\n`;
  const message = (fields) => ({ message: { role: 'assistant', content: '', ...fields }, done: false });
  const thinking = tokensOf(plan.empty ? '' : (plan.thinking ?? '')).map((text) => () => line(message({ thinking: text })));
  const content = tokensOf(plan.empty ? '' : plan.answer).map((text) => () => line(message({ content: text })));
  const calls = (plan.toolCalls ?? []).map(({ id, name, arguments: args }, index) => () => line(message({ tool_calls: [{ ...(id !== undefined && { id }), function: { index, name, arguments: args ?? {} } }] })));
  const done = () => {
    const total = Math.round((performance.now() - started) * NS);
    const promptTokens = plan.promptTokens ?? Math.ceil(JSON.stringify(body.messages).length / 4);
    const outputTokens = plan.outputTokens ?? thinking.length + content.length;
    record.usage = { promptTokens, outputTokens };
    const counts = { total_duration: total, ...(promptTokens && { prompt_eval_count: promptTokens }), ...(outputTokens && { eval_count: outputTokens }) };
    if (plan.cloud) return line({ message: { role: 'assistant', content: '' }, done: true, ...counts });
    return line({ message: { role: 'assistant', content: '' }, done: true, done_reason: plan.doneReason ?? 'stop', ...counts, load_duration: NS, prompt_eval_duration: NS, eval_duration: total });
  };
  return { lines: [...thinking, ...content, ...calls], done };
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

export async function play({ plan, body, record, response, json, onToken }) {
  const reset = () => {
    record.cutByUs = true;
    record.endedAt = performance.now();
    response.socket?.destroy();
  };
  // Without delay, so that each write is a packet and the pace is real.
  response.socket?.setNoDelay(true);
  if (plan.hangBefore) {
    await hang(response, plan.hangBefore === true ? HANG_MS : plan.hangBefore);
    if (response.destroyed) return undefined;
    if (plan.hangBefore === true) return reset();
  }
  if (plan.status !== undefined) {
    record.status = plan.status;
    const fallback = { error: plan.status === 429 ? 'too many requests, please slow down' : `status ${plan.status}` };
    return json(response, plan.status, plan.body ?? fallback, plan.headers);
  }
  const { lines, done } = linesOf({ plan, body, record });
  if (body.stream === false) return playWhole({ plan, body, record, response, json, lines, done });

  await sleep(plan.firstTokenMs);
  if (response.destroyed) return undefined;
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  const stops = { hangAfter: plan.hangAfter, resetAfter: plan.resetAfter, errorLineAfter: plan.errorLineAfter };
  const stopAt = Math.min(...Object.values(stops).map((n) => n ?? Infinity), lines.length);
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
      await write(response, Buffer.from(lines[i]()), plan.chunkBytes);
      record.chunksSent = i + 1;
      if (i === 0) onToken();
    } else batch += lines[i]();
  }
  const endsWell = stopAt === lines.length && Object.values(stops).every((n) => n === undefined);
  if (endsWell && !plan.endWithoutDone) batch += done();
  if (plan.errorLineAfter === stopAt) batch += `${JSON.stringify({ error: plan.errorText ?? 'an error was encountered while running the model: unexpected EOF' })}\n`;
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

async function playWhole({ plan, body, record, response, json, lines, done }) {
  const seconds = plan.tokensPerSecond > 0 ? lines.length / plan.tokensPerSecond : 0;
  await sleep(plan.firstTokenMs + seconds * 1000);
  if (response.destroyed) return;
  const message = { role: 'assistant', content: '', thinking: '', tool_calls: [] };
  for (const make of lines) {
    const part = JSON.parse(make()).message;
    message.content += part.content;
    message.thinking += part.thinking ?? '';
    message.tool_calls.push(...(part.tool_calls ?? []));
  }
  if (message.thinking === '') delete message.thinking;
  if (message.tool_calls.length === 0) delete message.tool_calls;
  record.firstTokenAt = performance.now();
  record.chunksSent = lines.length;
  json(response, 200, { ...JSON.parse(done()), model: body.model, message });
  record.endedAt = performance.now();
}
