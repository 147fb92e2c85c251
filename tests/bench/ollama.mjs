// An Ollama as light as it can be, in a process of its own: forked by rows/relay.mjs. The question says how to answer, as
// JSON: `{ chunks, everyMs, bytes }`: so many lines, so many milliseconds apart (0: as fast as they are taken), each with so
// many bytes of text. Each line carries when it was written, on the clock all processes of a machine share.
//
// Deliberately not here: checks of what is asked. local-dev/models has them.

import { createServer } from "node:http";

const MODEL = { name: "bench:1b", model: "bench:1b", modified_at: "2026-10-01T08:00:00Z", size: 1_000_000_000, digest: "0", details: {} };
const ANSWERS = { "/api/tags": { models: [MODEL] }, "/api/ps": { models: [MODEL] }, "/api/version": { version: "0.24.0" }, "/api/show": { capabilities: ["completion"], model_info: {} } };

const now = () => Number(process.hrtime.bigint()) / 1e6;
const line = (text, done) => `{"model":"bench:1b","at":${now().toFixed(3)},"message":{"role":"assistant","content":"${text}"},"done":${done}}\n`;

/** Until the reader has taken what there is, or is gone. */
function taken(response) {
  return new Promise((resolve) => {
    const go = () => (response.off("drain", go), response.off("close", go), resolve());
    response.on("drain", go).on("close", go);
  });
}

async function chat(request, response) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { chunks, everyMs, bytes } = JSON.parse(JSON.parse(Buffer.concat(parts)).messages.at(-1).content);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.socket.setNoDelay(true);
  const text = "x".repeat(bytes);
  const began = now();
  for (let sent = 0; sent < chunks && !response.destroyed; sent++) {
    const wait = began + sent * everyMs - now();
    if (wait > 0.5) await new Promise((resolve) => setTimeout(resolve, wait));
    if (!response.write(line(text, false))) await taken(response);
  }
  response.end(line("", true));
}

const server = createServer((request, response) => {
  if (request.url === "/api/chat") return void chat(request, response).catch(() => response.destroy());
  const answer = ANSWERS[request.url];
  response.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
  response.end(JSON.stringify(answer ?? { error: "not found" }));
});
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.on("disconnect", () => process.exit(0));
