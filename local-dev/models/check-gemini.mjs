// Whether a body is a request that streamGenerateContent takes: its fields, the order of turns, signatures, thinking,
// media. Words of refusals are those of the real one where they are known. Deliberately not here: keys and models' names.

import { isDummy, isGenuine } from './gemini-signature.mjs';
import { Media, mediaOf } from './media.mjs';
import { first, isObject, misfit, oneOf } from './shape.mjs';

const BLOB = { mimeType: 'string', data: 'media', displayName: 'string' };
const PART = {
  text: 'string',
  thought: 'boolean',
  thoughtSignature: 'media',
  inlineData: BLOB,
  fileData: { mimeType: 'string', fileUri: 'string' },
  functionCall: { id: 'string', name: 'string', args: 'object' },
  functionResponse: { id: 'string', name: 'string', response: 'object', parts: [{ inlineData: BLOB }] },
  mediaResolution: 'object',
};
const CONTENT = { role: oneOf('user', 'model'), parts: [PART] };
const DECLARATION = { name: 'string', description: 'string', parameters: 'object', parametersJsonSchema: 'object', response: 'object', responseJsonSchema: 'object' };
const REQUEST = {
  contents: [CONTENT],
  systemInstruction: { role: 'string', parts: [{ text: 'string' }] },
  tools: [{ functionDeclarations: [DECLARATION], googleSearch: 'object', urlContext: 'object', codeExecution: 'object' }],
  toolConfig: { functionCallingConfig: { mode: oneOf('AUTO', 'ANY', 'NONE', 'VALIDATED'), allowedFunctionNames: ['string'] }, includeServerSideToolInvocations: 'boolean' },
  generationConfig: {
    maxOutputTokens: 'integer',
    stopSequences: ['string'],
    responseMimeType: 'string',
    responseJsonSchema: 'object',
    temperature: 'number',
    topP: 'number',
    topK: 'integer',
    seed: 'integer',
    thinkingConfig: { thinkingLevel: oneOf('minimal', 'low', 'medium', 'high', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH'), thinkingBudget: 'integer', includeThoughts: 'boolean' },
  },
  safetySettings: [{ category: 'string', threshold: oneOf('OFF', 'BLOCK_NONE', 'BLOCK_ONLY_HIGH', 'BLOCK_MEDIUM_AND_ABOVE', 'BLOCK_LOW_AND_ABOVE') }],
};
const DATA = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'];
const NAME = /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/;
const MIME = new Set([
  ...['png', 'jpeg', 'webp', 'heic', 'heif'].map((t) => `image/${t}`),
  ...['wav', 'x-wav', 'mp3', 'mpeg', 'aiff', 'aac', 'ogg', 'flac', 'mp4', 'm4a', 'x-m4a', 'opus', 'webm'].map((t) => `audio/${t}`),
  ...['mp4', 'mpeg', 'quicktime', 'mov', 'avi', 'x-flv', 'mpg', 'webm', 'wmv', '3gpp'].map((t) => `video/${t}`),
  ...['plain', 'html', 'css', 'csv', 'markdown', 'xml', 'rtf', 'javascript'].map((t) => `text/${t}`),
  'application/pdf',
]);

/** In Google's words. */
function worded(fault) {
  const at = fault.path ? ` at '${fault.path}'` : '';
  if (fault.kind === 'unknown') return `Invalid JSON payload received. Unknown name "${fault.name}"${at}: Cannot find field.`;
  if (/\.role$/.test(fault.path)) return 'Please use a valid role: user, model.';
  return `Invalid value${at} (${fault.wanted ?? 'enum'}), ${JSON.stringify(fault.value)?.slice(0, 60)}`;
}

const callsOf = (content) => content.parts.filter((part) => part.functionCall);
const responsesOf = (content) => content.parts.filter((part) => part.functionResponse);

function checkPart(part, path) {
  const data = DATA.filter((name) => part[name] !== undefined);
  if (data.length === 0) return `* GenerateContentRequest.${path}.data: required oneof field 'data' must have one initialized field\n`;
  if (data.length > 1) return `Invalid value at '${path}' (oneof), oneof field 'data' is already set. Cannot set '${data[1]}'`;
  const name = (part.functionCall ?? part.functionResponse)?.name;
  if ((part.functionCall || part.functionResponse) && !NAME.test(name ?? '')) return `Invalid function name at '${path}': ${JSON.stringify(name)}`;
  if (part.functionResponse && !isObject(part.functionResponse.response)) return `* GenerateContentRequest.${path}.function_response.response: must be an object\n`;
  if (part.functionResponse && hasKey(part.functionResponse.response, '$ref')) return `Invalid value at '${path}.function_response.response': "$ref" is reserved`;
  return first([part, ...(part.functionResponse?.parts ?? [])], ({ inlineData }) => inlineData && checkBlob(inlineData, path));
}

/** Replaces the data by what it was, and looks at that. */
function checkBlob(blob, path) {
  if (typeof blob.mimeType !== 'string' || blob.data === undefined) return `Invalid value at '${path}.inline_data': mimeType and data are required`;
  if (!MIME.has(blob.mimeType.split(';')[0].trim())) return `Unsupported MIME type: ${blob.mimeType}`;
  blob.data = mediaOf(blob.mimeType, blob.data);
  if (!blob.data.valid) return `Invalid value at '${path}.inline_data.data' (TYPE_BYTES), Base64 decoding failed`;
  if (blob.data.bytes === 0) return 'Unable to process input: inline data is empty.';
  if (blob.mimeType === 'application/pdf' && !blob.data.head.toString('latin1').startsWith('%PDF-')) return 'The document has no pages.';
  return null;
}

const hasKey = (value, key) => (Array.isArray(value) ? value.some((item) => hasKey(item, key)) : isObject(value) && Object.entries(value).some(([name, item]) => name === key || hasKey(item, key)));

/** Order of turns and pairs of calls and responses. */
function checkTurns(contents) {
  return first(contents.entries(), ([i, content]) => {
    const [calls, responses] = [callsOf(content), responsesOf(content)];
    const before = contents[i - 1];
    if (calls.length && content.role !== 'model') return 'Function calls must be in a model turn.';
    if (responses.length && content.role !== 'user') return 'Function responses must be in a user turn.';
    if (calls.length && before?.role !== 'user') return 'Please ensure that function call turn comes immediately after a user turn or after a function response turn.';
    const asked = before ? callsOf(before) : [];
    if (responses.length && asked.length === 0) return 'Please ensure that function response turn comes immediately after a function call turn.';
    if (asked.length !== responses.length) return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
    if (responses.length && responses.length !== content.parts.length) return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn: other parts are among them.';
    return first(responses.entries(), ([k, { functionResponse }]) => {
      const { id, name } = asked[k].functionCall;
      return functionResponse.name === name && functionResponse.id === id ? null : `Function response ${k} (${functionResponse.name}, ${functionResponse.id}) does not answer function call ${k} (${name}, ${id}).`;
    });
  });
}

/** The current turn begins with the last user content that says something itself. */
function checkSignatures(contents, model) {
  const begin = contents.findLastIndex((content) => content.role === 'user' && content.parts.some((part) => !part.functionResponse));
  return first(contents.entries(), ([i, content]) => {
    const forged = content.parts.find((part) => part.thoughtSignature !== undefined && !isDummy(part.thoughtSignature) && !isGenuine(model.name, part));
    if (forged) return 'Corrupted thought signature.';
    const [call] = callsOf(content);
    if (!call || call.thoughtSignature !== undefined || i < begin || model.signatures === false) return null;
    return `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${call.functionCall.name}\` , position ${i + 1}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`;
  });
}

function checkThinking({ thinkingConfig: thinking }, model) {
  if (!thinking) return null;
  if (thinking.thinkingLevel !== undefined && thinking.thinkingBudget !== undefined) return 'You can only set one of thinking_budget and thinking_level.';
  const level = thinking.thinkingLevel?.toLowerCase();
  if (level !== undefined && !model.levels?.includes(level)) return `Thinking level ${level.toUpperCase()} is not supported for this model. Please retry with other thinking level.`;
  return null;
}

function checkTools(tools = []) {
  const declared = tools.flatMap((tool) => tool.functionDeclarations ?? []);
  const names = declared.map(({ name }) => name);
  return first(declared, (one) => {
    if (!NAME.test(one.name ?? '')) return `Invalid function name: ${JSON.stringify(one.name)}. Must start with a letter or an underscore.`;
    if (one.parameters !== undefined && one.parametersJsonSchema !== undefined) return `Function ${one.name}: parameters and parameters_json_schema must not both be set.`;
    return names.filter((name) => name === one.name).length > 1 ? `Duplicate function declaration found: ${one.name}` : null;
  });
}

/**
 * Inline data in `body` becomes Media on the way.
 * @param {{name: string, levels?: string[], signatures?: boolean, trailingModelTurn?: boolean}} model
 * @returns {string|null} what is wrong
 */
export function checkGemini(body, model) {
  const fault = misfit(body, REQUEST);
  if (fault) return worded(fault);
  if (!body.contents?.length) return '* GenerateContentRequest.contents: contents is not specified\n';
  const empty = body.contents.findIndex((content) => !content.parts?.length);
  if (empty >= 0) return `* GenerateContentRequest.contents[${empty}].parts: contents.parts must not be empty.\n`;
  if (body.systemInstruction && !body.systemInstruction.parts?.length) return '* GenerateContentRequest.system_instruction.parts: must not be empty.\n';
  const roleless = body.contents.find((content) => content.role === undefined);
  if (roleless) return 'Please use a valid role: user, model.';
  const parts = body.contents.flatMap((content, i) => content.parts.map((part, k) => [part, `contents[${i}].parts[${k}]`]));
  return (
    first(parts, ([part, path]) => checkPart(part, path)) ??
    checkTurns(body.contents) ??
    (callsOf(body.contents.at(-1)).length ? 'Please ensure that function response turn comes immediately after a function call turn.' : null) ??
    checkSignatures(body.contents, model) ??
    checkThinking(body.generationConfig ?? {}, model) ??
    checkTools(body.tools) ??
    (body.contents.at(-1).role === 'model' && !model.trailingModelTurn ? 'Requests ending with a model turn are not supported.' : null)
  );
}

/** Every piece of media of a checked body, in order. */
export const mediaIn = (contents) => contents.flatMap((content) => content.parts).flatMap((part) => [part, ...(part.functionResponse?.parts ?? [])]).map((part) => part.inlineData?.data).filter((data) => data instanceof Media);
