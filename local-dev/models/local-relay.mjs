// The relay of `npm start -- --relay`: an Ollama of its own behind it, a stand-in or the user's, and the lines that say so.
// Deliberately not here: the other models (local.mjs), the process (worker/relay.mjs).

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { cache } from '../setup/paths.mjs';
import { freePort, onFreePort } from '../worker/ports.mjs';
import { startRelay } from '../worker/relay.mjs';
import { startOllama } from './ollama.mjs';

const OLLAMA_PORT = 11_900;
const METRICS_PORT = 11_950;
/** What a load of the stand-in takes: long enough to be seen, and remembered. */
const LOAD_MS = 2_500;
const NAME = 'home';

/**
 * What the Worker must know before it starts, and the Ollama behind the relay.
 * @param {{user: Record<string, string>, closeLater: (close: () => Promise<void>) => void, environment?: object, port?: number}} options
 *   user: what `.dev.vars` sets; OLLAMA_URL there or in the environment is a real Ollama
 * @returns {Promise<{vars: Record<string, string>, token: string, ollama: string, real: boolean}>}
 */
export async function prepareRelay({ user, closeLater, environment = process.env, port = OLLAMA_PORT }) {
  const token = user.RELAY_TOKEN ?? randomBytes(32).toString('base64url');
  const address = user.OLLAMA_URL ?? environment.OLLAMA_URL;
  const vars = { RELAY_TOKEN: token };
  if (address) return { vars, token, ollama: address, real: true };
  const standIn = await onFreePort(port, (free) => startOllama({ port: free, local: { loadMs: LOAD_MS } }));
  closeLater(standIn.close);
  return { vars, token, ollama: standIn.url, real: false, standIn };
}

/** Names of an Ollama's models; `null` if it does not answer. */
async function modelsOf(ollama) {
  try {
    const response = await fetch(new URL('/api/tags', ollama), { signal: AbortSignal.timeout(5_000) });
    return (await response.json()).models.map(({ name }) => name);
  } catch {
    return null;
  }
}

/**
 * Starts the relay between the Worker and `prepared.ollama`; it is not started again when it ends: whoever ended it wants to
 * see what happens without.
 * @param {{prepared: object, program: string, worker: {url: string}, closeLater: Function, tell?: (line: string) => void}} options
 * @returns {Promise<string[]>} lines for the terminal
 */
export async function runRelay({ prepared, program, worker, closeLater, tell = console.error }) {
  const { token, ollama, real } = prepared;
  const metrics = await freePort(METRICS_PORT);
  const tokenFile = join(cache, 'dev', 'relay-token');
  const onExit = (reason) => tell(`\nThe relay ${reason}. Its log: .cache/logs/ollama-relay.log. To start it again, here in another terminal:\n  ${relay.command}`);
  const relay = startRelay({ program, url: worker.url, token, tokenFile, ollama, name: NAME, metrics, onExit });
  closeLater(relay.close);
  const connected = await relay.untilHealthy();
  const names = await modelsOf(ollama);
  const lines = [real ? `to the Ollama at ${ollama}` : 'to a stand-in Ollama that loads its models for a moment (a real one: OLLAMA_URL in .dev.vars)'];
  if (!connected) lines.push('NOT connected: see .cache/logs/ollama-relay.log');
  if (names === null) lines.push(`NOTHING answers at ${ollama}: is Ollama running?`);
  else if (names.length === 0) lines.push('That Ollama has no models yet: ollama pull qwen3:8b');
  else lines.push(`send  /model relay/${names[0]}  to talk through it; all of them: /model`);
  lines.push(`kill ${relay.pid}   ends it   log: .cache/logs/ollama-relay.log   state: http://127.0.0.1:${metrics}/metrics`, relay.command, '  starts it again, in another terminal');
  return lines;
}
