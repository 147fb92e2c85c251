// Asking and telling in a terminal. Answers may also come through a pipe, one a line. Hidden answers are not echoed.

import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Failure } from "../setup/process.mjs";

/** `lang` from the flag, else from the environment as other programs read it. */
export function language(given, env) {
  const text = given || env.LC_ALL || env.LC_MESSAGES || env.LANG || "";
  return /^ru/i.test(text) ? "ru" : "en";
}

/**
 * @param {{input: import("node:stream").Readable & {isTTY?: boolean}, output: import("node:stream").Writable & {isTTY?: boolean},
 *   mask: (text: string) => string}} options
 */
export function openTerminal({ input, output, mask }) {
  let muted = false;
  let reader;
  let ended = false;
  const lines = [];
  let waiting;
  const echo = new Writable({
    write(chunk, _, done) {
      if (!muted) output.write(chunk);
      done();
    },
  });

  function open() {
    if (reader) return;
    reader = createInterface({ input, output: echo, terminal: Boolean(input.isTTY && output.isTTY) });
    reader.on("line", (line) => {
      if (!waiting) return lines.push(line);
      const answer = waiting;
      waiting = undefined;
      answer(line);
    });
    reader.on("close", () => {
      ended = true;
      waiting?.(undefined);
    });
    // In raw mode Ctrl-C comes as a key.
    reader.on("SIGINT", () => process.emit("SIGINT", "SIGINT"));
  }

  async function line() {
    open();
    if (lines.length > 0) return lines.shift();
    if (ended) return undefined;
    return new Promise((resolve) => (waiting = resolve));
  }

  /** `raw`: shown as it is, for the one secret a person is to take away. */
  const say = (text = "", { raw = false } = {}) => output.write(`${raw ? text : mask(text)}\n`);

  /** One answer, trimmed; `hidden` is not echoed. */
  async function ask(question, { hidden = false } = {}) {
    open();
    reader.setPrompt(`${mask(question)} `);
    reader.prompt();
    muted = hidden && Boolean(input.isTTY);
    const text = await line();
    if (muted) {
      muted = false;
      output.write("\n");
    }
    if (text === undefined) throw new Failure("\nNo more answers: the input has ended. With --yes nothing is asked.");
    return text.trim();
  }

  return { say, ask, close: () => reader?.close() };
}
