// POST /v1/audio/transcriptions: a multipart form in, {"text": …} out. The file's name decides whether its format is
// taken, as at OpenAI. Deliberately not here: hearing anything.

import { mediaOfBytes, describeMedia } from './media.mjs';
import { openaiError } from './openai-events.mjs';
import { playBefore } from './playback.mjs';
import { json, readBody } from './wire.mjs';

const MAX_FILE = 25 * 1024 * 1024;
const FORMATS = ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm'];
const FIELDS = ['file', 'model', 'language', 'prompt', 'response_format', 'temperature'];
const CRLF = '\r\n';

/** The parts of a form, whose bytes are views of the body. Throws on what is no form. */
export function formParts(type, body) {
  const [, quoted, bare] = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type ?? '') ?? [];
  const boundary = quoted ?? bare;
  if (!boundary) throw new SyntaxError('the body is not multipart/form-data with a boundary');
  const mark = Buffer.from(`--${boundary}`);
  const parts = {};
  let at = body.indexOf(mark);
  if (at !== 0) throw new SyntaxError('the body does not begin with its boundary');
  for (;;) {
    at += mark.length;
    if (body.subarray(at, at + 2).toString() === '--') return parts;
    const headEnd = body.indexOf(CRLF + CRLF, at);
    const end = body.indexOf(CRLF + mark.toString(), at);
    if (headEnd < 0 || end < headEnd) throw new SyntaxError('a part of the form has no end');
    const head = body.subarray(at, headEnd).toString('utf8');
    const name = /\bname="([^"]*)"/i.exec(head)?.[1];
    if (name === undefined) throw new SyntaxError('a part of the form has no name');
    parts[name] = { filename: /\bfilename="([^"]*)"/i.exec(head)?.[1], type: /content-type:\s*([^\r\n]+)/i.exec(head)?.[1], bytes: body.subarray(headEnd + 4, end) };
    at = end + CRLF.length;
  }
}

function check(parts, standIn, limit) {
  const unknown = Object.keys(parts).find((name) => !FIELDS.includes(name));
  if (unknown) return [400, `Unknown parameter: '${unknown}'.`];
  const { file } = parts;
  if (!file?.filename) return [400, "Missing required parameter: 'file'."];
  if (file.bytes.length > limit) return [413, `Maximum content size limit (${limit}) exceeded (${file.bytes.length} bytes read)`];
  if (file.bytes.length === 0) return [400, 'The audio file could not be decoded or its format is not supported.'];
  if (!FORMATS.includes(file.filename.split('.').at(-1).toLowerCase())) return [400, `Unrecognized file format. Supported formats: [${FORMATS.map((f) => `'${f}'`).join(', ')}]`];
  const model = parts.model?.bytes.toString('utf8');
  if (!standIn.models.some((m) => m.id === model && m.capabilities?.includes('transcription'))) return [404, `The model '${model}' does not exist or you do not have access to it.`];
  const format = parts.response_format?.bytes.toString('utf8') ?? 'json';
  return ['json', 'text'].includes(format) ? null : [400, `response_format '${format}' is not compatible with this model.`];
}

/** Behaviours for it have kind: "transcription"; `answer` is the transcript, `match` looks in the prompt and file name. */
export async function serveTranscription(standIn, request, response, refuseKey) {
  const record = standIn.record(request, response, { kind: 'transcription' });
  const fail = ([status, message]) => {
    record.status = status;
    record.error = message;
    json(response, status, openaiError(status, message));
  };
  let parts;
  try {
    const body = await readBody(request, standIn.maxAudio + MAX_FILE);
    parts = formParts(request.headers['content-type'], body);
  } catch (error) {
    return fail([error instanceof RangeError ? 413 : 400, error.message]);
  }
  const fields = Object.entries(parts).filter(([name]) => name !== 'file');
  record.body = Object.fromEntries(fields.map(([name, { bytes }]) => [name, bytes.toString('utf8')]));
  const { file } = parts;
  if (file) {
    record.media = [mediaOfBytes(file.type ?? 'application/octet-stream', file.bytes)];
    record.body.file = { filename: file.filename, ...record.media[0] };
  }
  record.model = record.body.model;
  standIn.changed();
  const refused = refuseKey(request);
  if (refused) {
    record.status = refused.status;
    return json(response, refused.status, refused.body);
  }
  const wrong = check(parts, standIn, standIn.maxAudio);
  if (wrong) return fail(wrong);
  const behaviour = standIn.take(`${record.body.prompt ?? ''} ${file.filename}`, { model: record.model, kind: 'transcription' });
  record.behaviour = behaviour;
  const plan = { ...standIn.defaults, ...behaviour };
  if (plan.resetAfter !== undefined) {
    record.cutByUs = true;
    return response.socket.destroy();
  }
  if (await playBefore({ plan, record, response, json, refusal: (status) => openaiError(status, `status ${status}`) })) return undefined;
  const text = plan.empty ? '' : (plan.answer ?? `This is a practice transcript of a recording: ${describeMedia(record.media)}.`);
  if (record.body.response_format === 'text') return response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  return json(response, 200, { text, usage: { type: 'duration', seconds: Math.max(1, Math.round(file.bytes.length / 4000)) } });
}

export const MAX_AUDIO = MAX_FILE;
