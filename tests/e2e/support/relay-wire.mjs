// The relay protocol (docs/relay-protocol.md) spoken by a test: frames as bytes, and one end of a WebSocket that keeps
// what came. Deliberately not here: what a real relay does with it (src/bin/ollama-relay).

import WebSocket from "ws";
import { eventually } from "./models.mjs";
import { SOON_MS } from "./world.mjs";

/** First byte of a frame, by name. */
export const KIND = {
  HELLO: 0x01,
  WELCOME: 0x02,
  STATE: 0x03,
  OPEN: 0x10,
  HEAD: 0x11,
  DATA: 0x12,
  CREDIT: 0x13,
  END: 0x14,
  FAIL: 0x15,
  CANCEL: 0x16,
  RESUME: 0x17,
  RESUMED: 0x18,
  WAIT: 0x19,
  AWAY: 0x1a,
  BACK: 0x1b,
  PLACED: 0x1c,
};
const NAMES = Object.fromEntries(Object.entries(KIND).map(([name, kind]) => [kind, name]));
const OF_LINK = ["HELLO", "WELCOME", "STATE"];
const EMPTY = ["AWAY", "BACK"];
/** Fields that are numbers of 8 bytes, in order. */
const NUMBERS = { DATA: ["offset"], CREDIT: ["received", "limit"], END: ["length"] };

export const WINDOW = 256 * 1024;
export const MAX_FRAME = 256 * 1024;

/** `{ kind: "DATA", call: 5n, offset: 0, bytes }` as bytes; fields of other kinds are their JSON's. */
export function encode({ kind, call = 0n, bytes = Buffer.alloc(0), ...fields }) {
  const header = Buffer.alloc(9);
  header[0] = KIND[kind];
  header.writeBigUInt64BE(BigInt(call), 1);
  if (EMPTY.includes(kind)) return header;
  if (!NUMBERS[kind]) return Buffer.concat([header, Buffer.from(JSON.stringify(fields))]);
  const numbers = NUMBERS[kind].map((name) => {
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(fields[name]));
    return number;
  });
  return Buffer.concat([header, ...numbers, Buffer.from(bytes)]);
}

/** The other way; throws at what no end may send. */
export function decode(frame) {
  const kind = NAMES[frame[0]];
  if (!kind || frame.length < 9 || frame.length > MAX_FRAME) throw new Error(`not a frame: ${frame.subarray(0, 40).toString("hex")}`);
  const call = frame.readBigUInt64BE(1);
  if (OF_LINK.includes(kind) !== (call === 0n)) throw new Error(`a ${kind} of call ${call}`);
  if (EMPTY.includes(kind)) return { kind, call };
  if (!NUMBERS[kind]) return { kind, call, ...JSON.parse(frame.subarray(9).toString("utf8")) };
  const numbers = NUMBERS[kind].map((name, n) => [name, Number(frame.readBigUInt64BE(9 + 8 * n))]);
  const rest = frame.subarray(9 + 8 * numbers.length);
  return { kind, call, ...Object.fromEntries(numbers), ...(kind === "DATA" && { bytes: rest }) };
}

/** A call's name, as the protocol writes it in JSON. */
export const hex = (call) => call.toString(16).padStart(16, "0");

let last = 0x1000n;
/** A call no other test has. */
export const newCall = () => ++last;

/**
 * Opens a socket of the protocol. Resolves when it is open; rejects with `error.status` if the upgrade is refused.
 * `frames`: what came and was not taken; `take(kind)`: waits for the first frame of that kind, and
 * of that call if one is given, and takes it out.
 */
export async function connect(url, headers = {}) {
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  const frames = [];
  let pongs = 0;
  socket.on("message", (data, isBinary) => frames.push(isBinary ? decode(data) : { kind: "TEXT", text: String(data) }));
  socket.on("pong", () => pongs++);
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", (code, reason) => resolve({ code, reason: String(reason) })));
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("unexpected-response", (_, response) => {
      response.resume();
      reject(Object.assign(new Error(`refused with ${response.statusCode}`), { status: response.statusCode }));
    });
    socket.once("error", reject);
  });
  const end = {
    socket,
    frames,
    closed,
    pongs: () => pongs,
    send: (frame) => socket.send(Buffer.isBuffer(frame) ? frame : encode(frame)),
    async take(kind, timeoutMs = SOON_MS, call = undefined) {
      const at = () => frames.findIndex((frame) => frame.kind === kind && (call === undefined || frame.call === call));
      await eventually(() => at() >= 0, `${kind} among ${frames.map((frame) => frame.kind)}`, timeoutMs);
      return frames.splice(at(), 1)[0];
    },
    /** The code it was closed with, within the time of things that take none. */
    code: () => Promise.race([closed.then(({ code }) => code), new Promise((resolve) => setTimeout(resolve, SOON_MS, "still open"))]),
    close: (code = 1000) => (socket.close(code), closed),
    /** As a cable that is pulled. */
    cut: () => (socket.terminate(), closed),
  };
  return end;
}

/**
 * A relay's side of `GET /relay`. `models`: names, or as in STATE. Returns when the hub said WELCOME, which is left among the
 * frames; `wait: false` does not wait for it.
 */
export async function connectRelay(worker, token, { name = "home", instance = "one", models = ["m"], slots = 2, wait = true, ...more } = {}) {
  const end = await connect(`${worker.url}/relay`, { authorization: `Bearer ${token}` });
  const hello = {
    version: 1,
    oldest: 1,
    name,
    instance,
    software: "0.0.1",
    takeover: true,
    max_parallel: slots,
    models: models.map((model) => (typeof model === "string" ? { name: model } : model)),
    ...more,
  };
  end.send({ kind: "HELLO", ...hello });
  if (wait) await eventually(() => end.frames.some(({ kind }) => kind === "WELCOME"), "WELCOME");
  return { ...end, hello };
}
