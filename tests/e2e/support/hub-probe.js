// The built Worker with one more door: `/test/hub/…` leads straight into the RelayHub object, as a conversation's call
// does. Only for tests of the hub by itself; it is no part of what is built.

import { env } from "cloudflare:workers";
import Worker from "./index.js";

export * from "./index.js";

const DOOR = "/test/hub";

export default class extends Worker {
  fetch(request) {
    const url = new URL(request.url);
    if (!url.pathname.startsWith(`${DOOR}/`)) return super.fetch(request);
    url.pathname = url.pathname.slice(DOOR.length);
    return env.RELAY.getByName("hub").fetch(new Request(url, request));
  }
}
