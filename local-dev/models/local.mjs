// The models of `npm start`: which are real and which are stand-ins, the Worker's variables for them, and the lines that
// say so. Deliberately not here: starting the Worker (run.mjs).
//
// A provider is real when `.dev.vars` has its key or its address. AI_GATEWAY_BASE_URL in it is a real gateway, and no
// stand-in can be behind that one: then only providers with a key are there.

import { Failure } from '../setup/process.mjs';
import { onFreePort } from '../worker/ports.mjs';
import { startGateway } from './gateway.mjs';
import { startGemini } from './gemini.mjs';
import { startOllama } from './ollama.mjs';
import { startOpenAI } from './openai.mjs';

const KEY = 'local';
const TOKEN = 'local-gateway';
const GATEWAY_PORT = 11_800;
/** `slug`: the provider's name in a gateway's path. `model`: what /model shows of it. */
const PROVIDERS = {
  ollama: { name: 'Ollama', env: 'OLLAMA', start: startOllama, port: 11_500, slug: 'custom-ollama', real: 'https://ollama.com', model: 'ollama/gpt-oss:120b' },
  gemini: { name: 'Gemini', env: 'GEMINI', start: startGemini, port: 11_600, slug: 'google-ai-studio', real: 'https://generativelanguage.googleapis.com', model: 'gemini/gemini-3.8-flash' },
  // The base URL of OpenAI has /v1 in it, a gateway's upstream has not.
  openai: { name: 'OpenAI', env: 'OPENAI', start: startOpenAI, port: 11_700, path: '/v1', slug: 'openai', real: 'https://api.openai.com/v1', model: 'openai/gpt-5-mini' },
};

/**
 * @param {{user: Record<string, string>, gateway: boolean, closeLater: (close: () => Promise<void>) => void, ports?: object}} options
 *   user: what `.dev.vars` sets; gateway: a stand-in of AI Gateway in between
 * @returns {Promise<{vars: Record<string, string>, lines: string[], standIns: Record<string, object>}>}  vars: without the user's
 */
export async function startModels({ user, gateway, closeLater, ports = {} }) {
  const realGateway = 'AI_GATEWAY_BASE_URL' in user;
  if (realGateway && gateway) throw new Failure('--gateway puts a stand-in for AI Gateway in between, and .dev.vars has a real one (AI_GATEWAY_BASE_URL). Leave one of them out.');
  const vars = {};
  const lines = [];
  const standIns = {};
  const begin = async (name, first, start) => {
    standIns[name] = await onFreePort(ports[name] ?? first, start);
    closeLater(standIns[name].close);
    return standIns[name];
  };

  for (const [id, provider] of Object.entries(PROVIDERS)) {
    const { name, env, real: address, path = '' } = provider;
    const isReal = `${env}_API_KEY` in user || `${env}_BASE_URL` in user;
    if (isReal) lines.push(`${name}: real, ${user[`${env}_BASE_URL`] && !realGateway ? user[`${env}_BASE_URL`] : new URL(address).host} with what .dev.vars has`);
    else if (realGateway) lines.push(`${name}: none (no ${env}_API_KEY in .dev.vars)`);
    else {
      // The Worker knows OpenAI by its host or by its place in a gateway; elsewhere it takes it for a server of unknown make.
      const flavour = id === 'openai' && !gateway && { flavour: 'generic' };
      const { url } = await begin(id, provider.port, (port) => provider.start({ port, apiKey: KEY, ...flavour }));
      // Only the vendors' own addresses go through a gateway.
      Object.assign(vars, { [`${env}_BASE_URL`]: gateway ? address : `${url}${path}`, [`${env}_API_KEY`]: KEY });
      lines.push(`${name}: a stand-in that makes up answers (a real one: ${env}_API_KEY in .dev.vars)`);
    }
  }

  const usable = (id) => id in standIns || `${PROVIDERS[id].env}_API_KEY` in user || `${PROVIDERS[id].env}_BASE_URL` in user;
  // Another OpenAI-compatible server has models of other names.
  const shown = Object.keys(PROVIDERS).filter((id) => usable(id) && (id !== 'openai' || id in standIns)).map((id) => PROVIDERS[id].model);
  const first = user.DEFAULT_MODEL ?? shown[0];
  const others = shown.filter((model) => model !== first);
  if (first) Object.assign(vars, { DEFAULT_MODEL: first, ...(others.length && { FALLBACK_MODELS: others.join() }) });
  else lines.push('No model can answer yet: set DEFAULT_MODEL, or a key of Ollama or Gemini, in .dev.vars.');
  if ('openai' in standIns) vars.TRANSCRIBE_MODEL = 'openai/whisper-1';

  if (realGateway) lines.push('AI Gateway: the real one of .dev.vars, for all of them. Does it work? npm run check:gateway');
  else if (gateway) {
    const upstreams = Object.fromEntries(Object.entries(PROVIDERS).map(([id, { env, real, slug }]) => [slug, standIns[id]?.url ?? { base: user[`${env}_BASE_URL`] ?? real }]));
    const between = await begin('gateway', GATEWAY_PORT, (port) => startGateway({ port, token: TOKEN, upstreams }));
    Object.assign(vars, { AI_GATEWAY_BASE_URL: between.base(), AI_GATEWAY_TOKEN: TOKEN });
    lines.push(`AI Gateway: a stand-in, between the Worker and all of them. What went through: ${between.url}/stand-in/requests`);
  } else lines.push('AI Gateway: none (a stand-in: npm start -- --gateway; a real one: AI_GATEWAY_BASE_URL in .dev.vars)');
  return { vars, lines, standIns };
}
