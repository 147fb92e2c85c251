// Ports: the usual one where it is free, else the next.

import { createServer } from "node:net";

const TRIES = 50;

/** Calls `start(port)` for `first` and the ports after it, until one is not in use. */
export async function onFreePort(first, start) {
  for (let port = first; ; port++) {
    try {
      return await start(port);
    } catch (error) {
      if (error.code !== "EADDRINUSE" || port >= first + TRIES) throw error;
    }
  }
}

/** A port from `first` on that nothing on this machine listens on. */
export function freePort(first) {
  return onFreePort(first, async (port) => {
    // Both: a program on all interfaces shares a port with one on 127.0.0.1, and then either may answer.
    for (const host of ["127.0.0.1", undefined]) await listenOnce(port, host);
    return port;
  });
}

function listenOnce(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen({ port, host }, () => server.close(resolve));
  });
}
