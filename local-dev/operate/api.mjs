// The Worker's JSON API as a program on this machine asks it: with a service token of Cloudflare Access, or of the local
// `npm start`, which writes one down while it runs. Deliberately not here: what is asked.

import { existsSync, readFileSync } from "node:fs";
import { SIGN_IN_FILE } from "../access/local.mjs";
import { Failure } from "../setup/process.mjs";

const DEADLINE_MS = 30_000;

/** Where the Worker is and how to come in. */
function target(env, signInFile) {
  const url = env.TIDECLAW_URL;
  if (url) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Failure(`TIDECLAW_URL is ${url}, which is no address such as https://tideclaw.example.workers.dev.`);
    const { CF_ACCESS_CLIENT_ID: id, CF_ACCESS_CLIENT_SECRET: secret } = env;
    if (!id || !secret) {
      throw new Failure("Set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET to those of a service token of Cloudflare Access. Its id must be in CF_ACCESS_SERVICE_TOKENS of the Worker.");
    }
    return { url: new URL(url).origin, id, secret };
  }
  if (!existsSync(signInFile)) throw new Failure("Set TIDECLAW_URL to the Worker's address, or start the local one: npm start");
  return JSON.parse(readFileSync(signInFile, "utf8"));
}

/**
 * @returns {{url: string, ask: (path: string, body?: object) => Promise<any>}} `ask` gets, or posts `body`; resolves to the JSON,
 *   and fails with the API's own words.
 */
export function openApi({ env = process.env, signInFile = SIGN_IN_FILE } = {}) {
  const { url, id, secret } = target(env, signInFile);
  const headers = { "cf-access-client-id": id, "cf-access-client-secret": secret, "content-type": "application/json" };
  const ask = async (path, body) => {
    let response;
    try {
      const method = body ? "POST" : "GET";
      response = await fetch(`${url}/api${path}`, { method, headers, body: body && JSON.stringify(body), redirect: "manual", signal: AbortSignal.timeout(DEADLINE_MS) });
    } catch (error) {
      throw new Failure(`${url} does not answer: ${error.cause?.code ?? error.message}`);
    }
    const text = await response.text();
    const json = parsed(text);
    if (response.ok && json !== undefined) return json;
    // Access answers whom it does not know with its login page.
    if ([301, 302, 303, 401, 403].includes(response.status)) throw new Failure(`${url} does not let this service token in (${response.status}). See docs/operations.md, "Access".`);
    throw new Failure(json?.error ? `${json.error.message} (${json.error.code})` : `${url}/api${path} answered ${response.status}.`);
  };
  return { url, ask };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
