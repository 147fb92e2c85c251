// The admin page and API as its operator's browser or script meets them behind Access: requests with a token the Worker
// accepts, unless a test wants another. Deliberately not here: how tokens are made (local-dev/access/issuer.mjs).

import { OWNER_EMAIL, startIssuer } from "../../../local-dev/access/issuer.mjs";

const DEADLINE_MS = 20_000;

/** `access: true`, or options of the issuer; resolves to it, its variables and the variables a world needs. */
export async function startAccess(wanted) {
  if (!wanted) return { vars: {}, close: async () => {} };
  const issuer = await startIssuer(wanted === true ? {} : wanted);
  return { issuer, vars: issuer.vars, close: () => issuer.close() };
}

/**
 * A function that asks a world's Worker as the owner's browser would:
 *
 *   await world.admin("/api/whoami")                              GET, signed in as owner@example.com
 *   await world.admin("/api/x/y", { body: { a: 1 } })             POST of JSON, from the same origin
 *   await world.admin("/_admin/x", { form: { a: "1" } })          POST of a form; redirects are not followed
 *   await world.admin("/api/whoami", { email: "b@example.com" })  somebody else
 *   await world.admin("/api/whoami", { token: null })             without a token; a string is sent as it is
 *   await world.admin("/api/whoami", { service: "id.access" })    a service token; it must be in CF_ACCESS_SERVICE_TOKENS
 *
 * Resolves to `{ status, headers, text, json }`; `json` is undefined if the answer is none.
 */
export function makeAdmin({ issuer, url }) {
  return async function admin(path, { method, body, form, email = OWNER_EMAIL, service, token, headers = {} } = {}) {
    const payload = form ? new URLSearchParams(form).toString() : typeof body === "object" ? JSON.stringify(body) : body;
    const verb = method ?? (payload === undefined ? "GET" : "POST");
    const signed = token === undefined ? (service ? issuer.service(service) : issuer.user(email)) : token;
    const response = await fetch(`${url()}${path}`, {
      method: verb,
      body: payload,
      redirect: "manual",
      headers: {
        ...(signed !== null && { "cf-access-jwt-assertion": signed }),
        ...(payload !== undefined && { "content-type": form ? "application/x-www-form-urlencoded" : "application/json" }),
        // As a browser says of its own page's form or script.
        ...(verb !== "GET" && !service && { "sec-fetch-site": "same-origin" }),
        ...headers,
      },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
