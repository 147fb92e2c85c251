// What a local Ollama holds in memory: a model is loaded when it is first asked for, which takes a moment, stays for
// `keep_alive` after its last request, and makes room for the next one. A context of another length loads it anew.
// Deliberately not here: the wire (ollama.mjs). A cloud has no such memory that anybody could see.

const KEEP_MS = 5 * 60_000;
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** A context where none is asked for: far too short for a conversation, and nobody is told. */
export const DEFAULT_CONTEXT = 4_096;

/** "5m", seconds, 0 (at once), negative (for ever), nothing (the usual): as milliseconds. */
function keepOf(value) {
  if (value === undefined) return KEEP_MS;
  const [, number, unit] = /^(-?\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(String(value)) ?? [];
  if (number === undefined) throw new RangeError(`time: invalid duration "${value}"`);
  return Number(number) < 0 ? Infinity : Number(number) * UNITS[unit ?? 's'];
}

export class Memory {
  #held = new Map();

  /** `loadMs`: how long a load takes; `most`: models that fit at once. */
  constructor({ loadMs, most = 1 }) {
    Object.assign(this, { loadMs, most });
  }

  /**
   * Resolves once the model is in memory, to the milliseconds that took; a load goes on though nobody waits any more.
   * @param {{name: string}} model
   */
  async use(model, { context = DEFAULT_CONTEXT, keepAlive, loadMs = this.loadMs } = {}) {
    const keep = keepOf(keepAlive);
    const began = performance.now();
    let held = this.#held.get(model.name);
    if (!held || held.context !== context || held.until < Date.now()) {
      held = { model, context, until: Infinity, ready: loadMs > 0 ? new Promise((resolve) => setTimeout(resolve, loadMs).unref()) : Promise.resolve() };
      this.#held.delete(model.name);
      while (this.#held.size >= this.most) this.#held.delete(this.#held.keys().next().value);
      this.#held.set(model.name, held);
      held.ready.then(() => (held.loaded = true));
    }
    await held.ready;
    held.until = Date.now() + keep;
    if (keep === 0 && this.#held.get(model.name) === held) this.#held.delete(model.name);
    return performance.now() - began;
  }

  /** Those that are in memory now. */
  all() {
    return [...this.#held.values()].filter((held) => held.loaded && held.until > Date.now());
  }
}
