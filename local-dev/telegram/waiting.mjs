// Looking at the calls bots made, and waiting for something to become true. Deliberately not here: making it so.

/** @param {import('./emulator.mjs').Emulator} emulator */
export function makeWaiting(emulator) {
  const matches = (call, { method, chat: id, text, after = 0, ok, viaWebhook }) =>
    call.n > after &&
    call.endedAt !== undefined &&
    (method === undefined || call.method === method) &&
    (id === undefined || String(call.params.chat_id) === String(id)) &&
    (text === undefined || String(call.params.text ?? call.params.caption ?? '').includes(text)) &&
    (ok === undefined || (call.status === 200) === ok) &&
    (viaWebhook === undefined || call.viaWebhook === viaWebhook);

  const calls = (filter = {}) => emulator.calls.filter((call) => (Object.keys(filter).length ? matches(call, filter) : true));

  /** Resolves with the first truthy predicate(), looked at after every event; rejects after timeoutMs. */
  function waitFor(predicate, timeoutMs = 5000) {
    return new Promise((resolve, reject) => {
      const look = () => {
        let found;
        try {
          found = predicate();
        } catch (error) {
          done();
          return reject(error);
        }
        if (!found) return undefined;
        done();
        return resolve(found);
      };
      const timer = setTimeout(() => {
        done();
        const last = emulator.calls.slice(-5).map((c) => `${c.method} ${c.status ?? '…'} ${c.description ?? ''}`);
        reject(new Error(`waited ${timeoutMs} ms in vain; last calls: ${last.join(' | ') || 'none'}`));
      }, timeoutMs);
      const poll = setInterval(look, 250);
      const off = emulator.on(() => queueMicrotask(look));
      const done = () => (clearTimeout(timer), clearInterval(poll), off());
      look();
    });
  }

  /** The first finished call that fits {method, chat, text, after, ok, viaWebhook}. */
  const waitForCall = ({ timeoutMs, ...filter }) => waitFor(() => emulator.calls.find((call) => matches(call, filter)), timeoutMs);

  return { calls, waitFor, waitForCall };
}
