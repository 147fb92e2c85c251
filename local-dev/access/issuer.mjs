// Cloudflare Access as a Worker sees it: the page of public keys a team publishes, and tokens signed with them, in the
// exact shape of Cloudflare's. The Worker verifies them as it verifies real ones, so nothing in it knows that it is local.
//   node issuer.mjs --port 8082 --email owner@example.com      serves the keys and prints a token
// Deliberately not here: who may sign in (proxy.mjs).
//
// Shapes: developers.cloudflare.com, "Application token" and "Validate JWTs": two keys, the current and the one before;
// users have an address and a `sub`, service tokens a `common_name`, an empty `sub` and no `nbf`.

import { createHash, createHmac, generateKeyPair, randomBytes, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { parseArgs, promisify } from "node:util";
import { pathToFileURL } from "node:url";

export const CERTS_PATH = "/cdn-cgi/access/certs";
export const OWNER_EMAIL = "owner@example.com";

const TEAM_DOMAIN = "tideclaw-local.cloudflareaccess.com";
const LIFE_S = 24 * 60 * 60;
const SERVICE_LIFE_S = 60;

const makePair = promisify(generateKeyPair);
const encoded = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A key pair with the name and the public half that Access would publish. */
export async function makeKey() {
  const { privateKey, publicKey } = await makePair("rsa", { modulusLength: 2048 });
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const kid = createHash("sha256").update(pem).digest("hex");
  return { kid, privateKey, pem, jwk: { kid, ...publicKey.export({ format: "jwk" }), alg: "RS256", use: "sig" } };
}

/** Signs any header and claims with RS256, or as `header.alg` says: `none`, or HS256 with the public key as its secret. */
export function signToken(key, claims, header = {}) {
  const whole = { alg: "RS256", kid: key.kid, typ: "JWT", ...header };
  const text = `${encoded(whole)}.${encoded(claims)}`;
  if (whole.alg === "none") return `${text}.`;
  if (whole.alg === "HS256") return `${text}.${createHmac("sha256", key.pem).update(text).digest("base64url")}`;
  return `${text}.${sign("sha256", Buffer.from(text), key.privateKey).toString("base64url")}`;
}

class Issuer {
  constructor({ aud, teamDomain, now }) {
    Object.assign(this, { aud, teamDomain, now });
    this.keys = [];
    this.fetches = 0;
    this.fault = null;
  }

  /** A new current key; the one before stays published, older ones do not. Returns the key that was current. */
  async rotate() {
    const before = this.keys[0];
    this.keys = [await makeKey(), ...this.keys].slice(0, 2);
    return before;
  }

  /** Claims of somebody who signed in; `change` replaces any of them, undefined leaves it out. */
  userClaims(email = OWNER_EMAIL, change = {}) {
    const at = this.#seconds();
    return {
      aud: [this.aud],
      email,
      exp: at + LIFE_S,
      iat: at,
      nbf: at,
      iss: `https://${this.teamDomain}`,
      type: "app",
      identity_nonce: randomBytes(12).toString("base64"),
      sub: randomUUID(),
      country: "US",
      policy_id: randomUUID(),
      ...change,
    };
  }

  /** Claims of a service token, by its client id. */
  serviceClaims(name, change = {}) {
    const at = this.#seconds();
    return { type: "app", aud: [this.aud], exp: at + SERVICE_LIFE_S, iss: `https://${this.teamDomain}`, common_name: name, iat: at, sub: "", ...change };
  }

  /** The token of somebody who signed in. `key` and `header` as in `signToken`. */
  user(email, change, { key = this.keys[0], header } = {}) {
    return signToken(key, this.userClaims(email, change), header);
  }

  /** The token Access makes for a request with a service token. */
  service(name, change, { key = this.keys[0], header } = {}) {
    return signToken(key, this.serviceClaims(name, change), header);
  }

  #seconds() {
    return Math.floor(this.now() / 1000);
  }

  answer(request, response) {
    if (request.method !== "GET" || request.url !== CERTS_PATH) return response.writeHead(404).end();
    this.fetches += 1;
    if (this.fault?.hang) return undefined;
    if (this.fault?.cut) return response.destroy();
    response.writeHead(this.fault?.status ?? 200, { "content-type": "application/json" });
    return response.end(this.fault?.body ?? JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
  }
}

/**
 * Starts an issuer on 127.0.0.1.
 *
 * - `vars`: what the Worker is told, so that it trusts this issuer.
 * - `user(email)`, `service(clientId)`: tokens; `userClaims`, `signToken` and `makeKey` for those that must be refused.
 * - `rotate()`: as Access does every six weeks.
 * - `fault`: set to `{ status }`, `{ body }`, `{ hang: true }` or `{ cut: true }`, and the keys are answered so; `fetches` counts.
 *
 * @param {{port?: number, aud?: string, teamDomain?: string, now?: () => number}} [options]
 */
export async function startIssuer({ port = 0, aud = randomBytes(32).toString("hex"), teamDomain = TEAM_DOMAIN, now = Date.now } = {}) {
  const issuer = new Issuer({ aud, teamDomain, now });
  await issuer.rotate();
  await issuer.rotate();
  const server = createServer((request, response) => issuer.answer(request, response));
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  issuer.url = `http://127.0.0.1:${server.address().port}`;
  issuer.vars = { CF_ACCESS_TEAM_DOMAIN: teamDomain, CF_ACCESS_AUD: aud, CF_ACCESS_CERTS_URL: `${issuer.url}${CERTS_PATH}` };
  issuer.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return issuer;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "8082" }, email: { type: "string", default: OWNER_EMAIL }, aud: { type: "string" } } });
  const issuer = await startIssuer({ port: Number(values.port), aud: values.aud });
  for (const [name, value] of Object.entries(issuer.vars)) console.log(`${name}=${value}`);
  console.log(`\nCf-Access-Jwt-Assertion: ${issuer.user(values.email)}`);
}
