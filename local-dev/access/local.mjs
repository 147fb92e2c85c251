// Access for `npm start`: an issuer of signed tokens that the local Worker is told to trust, and the proxy that signs people
// in. With a real team in `.dev.vars` neither is started. Deliberately not here: the Worker (run.mjs).
//
// Programs find the way in by `.cache/dev/access.json`: `{ url, id, secret }`, a service token as Access makes them, sent in
// CF-Access-Client-Id and CF-Access-Client-Secret. It is good until `npm start` ends.

import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cache } from "../setup/paths.mjs";
import { freePort } from "../worker/ports.mjs";
import { startIssuer } from "./issuer.mjs";
import { startProxy } from "./proxy.mjs";

/** With one of these the user has an Access of their own. */
const OWN = ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "CF_ACCESS_CERTS_URL"];
const SERVICE_ID = "tideclaw-local.access";
const FIRST_PORT = 8788;

/** Where programs on this machine read how to come in. */
export const SIGN_IN_FILE = join(cache, "dev", "access.json");

/**
 * - `vars`: what the Worker is told.
 * - `standBefore(workerUrl)`: starts the proxy; resolves to a line that says where the admin page is.
 *
 * @param {{user: Record<string, string>, closeLater: (close: () => unknown) => void, firstPort?: number, file?: string}} options
 */
export async function startAccess({ user, closeLater, firstPort = FIRST_PORT, file = SIGN_IN_FILE }) {
  const own = OWN.filter((name) => name in user);
  if (own.length > 0) return { vars: {}, standBefore: async () => `behind your own Access: .dev.vars sets ${own.join(", ")}` };
  const issuer = await startIssuer();
  closeLater(issuer.close);
  return {
    vars: { ...issuer.vars, CF_ACCESS_SERVICE_TOKENS: SERVICE_ID },
    async standBefore(workerUrl) {
      const service = { id: SERVICE_ID, secret: randomBytes(32).toString("hex") };
      const proxy = await startProxy({ port: await freePort(firstPort), target: workerUrl, issuer, service });
      closeLater(proxy.close);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify({ url: proxy.url, ...service }), { mode: 0o600 });
      closeLater(async () => rmSync(file, { force: true }));
      return `${proxy.url}/_admin`;
    },
  };
}
