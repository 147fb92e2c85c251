// A relay that takes calls and answers them as a test wants, well or badly. Deliberately not here: frames and sockets
// (relay-wire.mjs), the real relay (relay.mjs).

import { connectRelay, encode, WINDOW } from "./relay-wire.mjs";
import { TOKEN } from "./relay.mjs";

export const data = (call, offset, bytes) => encode({ kind: "DATA", call, offset, bytes: Buffer.from(bytes) });
export const end = (call, length) => encode({ kind: "END", call, length });
export const head = (call, status = 200) => encode({ kind: "HEAD", call, status });

/** A frame of any kind: `content` as text. */
export function frame(kind, call, content = "") {
  const header = Buffer.alloc(9);
  header[0] = kind;
  header.writeBigUInt64BE(BigInt(call), 1);
  return Buffer.concat([header, Buffer.from(content)]);
}

/** A whole answer of Ollama's, as bytes. */
export const answer = (text) =>
  Buffer.from(
    [{ message: { role: "assistant", content: text }, done: false }, { message: { role: "assistant", content: "" }, done: true, done_reason: "stop" }]
      .map((line) => `${JSON.stringify({ model: "rogue:1b", ...line })}\n`)
      .join(""),
  );

/**
 * Connects and says HELLO. `onCall(end, call, open)` is called once the whole body of a request has come. Resolves to the end of
 * relay-wire.mjs; `send` takes frames, bytes and text.
 */
export async function startRogue(world, { name, onCall = () => {}, ...hello }) {
  const wire = await connectRelay(world.worker, TOKEN, { name, instance: `rogue-${name}`, models: ["rogue:1b"], slots: 4, ...hello });
  const rogue = { ...wire, send: (...all) => all.forEach((one) => (typeof one === "string" ? wire.socket.send(one) : wire.send(one))) };
  const calls = new Map();
  // After the one that decodes and keeps what came.
  wire.socket.on("message", () => {
    const came = wire.frames.at(-1);
    if (came.kind === "OPEN") calls.set(came.call, { open: came, received: 0 });
    const known = calls.get(came.call);
    if (came.kind !== "DATA" || !known) return;
    known.received += came.bytes.length;
    rogue.send({ kind: "CREDIT", call: came.call, received: known.received, limit: known.received + WINDOW });
    if (known.received === known.open.length) onCall(rogue, came.call, known.open);
  });
  return rogue;
}
