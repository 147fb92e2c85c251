// The live log as a page's script meets it: a WebSocket with a token, from an origin. Deliberately not here: what is in
// its lines.

import { request } from "node:http";
import WebSocket from "ws";
import { eventually } from "./models.mjs";
import { SOON_MS } from "./world.mjs";

const PATH = "/_admin/logs/live";

/** Opens the live log; resolves to the lines that came, a wait for one that fits, and the socket. */
export async function watchLog(world, { after, token = world.issuer.user("owner@example.com") } = {}) {
  const { url } = world.worker;
  const address = `${url.replace("http", "ws")}${PATH}${after === undefined ? "" : `?after=${after}`}`;
  const socket = new WebSocket(address, { headers: { "cf-access-jwt-assertion": token, origin: url } });
  const texts = [];
  const closed = new Promise((resolve) => socket.once("close", (code) => resolve(code)));
  socket.on("message", (data) => texts.push(String(data)));
  socket.on("error", () => {});
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  const lines = () => texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text));
  return {
    socket,
    texts,
    lines,
    closed,
    until: (fits, timeoutMs = SOON_MS) => eventually(() => lines().find(fits), `a line among ${texts.join("\n")}`, timeoutMs),
    close: () => socket.close(1000),
  };
}

/** The status of an upgrade that is refused; 101 if it is not. */
export function upgradeStatus(world, headers = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(`${world.worker.url}${PATH}`, {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
      signal: AbortSignal.timeout(SOON_MS),
    });
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    asked.on("error", reject);
    asked.end();
  });
}
