// A process of its own around Miniflare, so that a test can kill the runtime and all it knows with one signal to the
// group. Takes Miniflare's options as its first message, answers with the address, then passes on every log line. Later
// messages put objects out of memory.
// Deliberately not here: which options (worker.mjs).

import { Log, LogLevel, Miniflare } from "miniflare";

// The parent is gone, however it ended: so are we, and the runtime with us.
process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));

process.once("message", async (options) => {
  try {
    const miniflare = new Miniflare({
      ...options,
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: ({ level, message }) => process.send({ log: { level, message } }),
    });
    process.send({ url: (await miniflare.ready).origin });
    process.on("message", async ({ evict: { id, className, name, webSockets } }) => {
      const evicted = miniflare.unsafeEvictDurableObject("tideclaw", className, { name, webSockets });
      process.send({ evicted: id, error: await evicted.then(() => null, (error) => error.stack) });
    });
  } catch (error) {
    process.send({ error: error.stack });
  }
});
