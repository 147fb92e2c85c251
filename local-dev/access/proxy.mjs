// Stands before the local Worker as Access stands before a deployed one: whoever asks for an admin route signs in once, and
// from then on each request carries a freshly signed token. Everything else goes through as it is, WebSockets too.
//
// It listens on 127.0.0.1 and answers to no other name: a page of some site cannot reach it by pointing its own name here.
// Deliberately not here: keys and tokens (issuer.mjs). The Worker trusts nothing of this but the signature.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, request as send } from "node:http";
import { OWNER_EMAIL } from "./issuer.mjs";
import { signInPage } from "./sign-in.mjs";

export const SIGN_IN = "/cdn-cgi/access/login";
export const SIGN_OUT = "/cdn-cgi/access/logout";

const GUARDED = ["/_admin", "/api", "/debug"];
const COOKIE = "tideclaw_local_access";
const TOKEN = "cf-access-jwt-assertion";
const MAX_FORM = 4096;
/** Of one connection only (RFC 9110 §7.6.1). */
const HOP = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"]);
/** What only Access may say, or what is meant for it alone. */
const OURS = new Set([TOKEN, "cf-access-authenticated-user-email", "cf-access-client-id", "cf-access-client-secret"]);

/** As Access matches the application's three destinations: each path and all below it. */
const isGuarded = (path) => GUARDED.some((name) => path === name || path.startsWith(`${name}/`));

const isSame = (given, wanted) => {
  const [a, b] = [given, wanted].map((text) => Buffer.from(text ?? ""));
  return a.length === b.length && timingSafeEqual(a, b);
};

class Proxy {
  /** Who signed in, by the secret in their cookie. */
  #sessions = new Map();
  /** Open WebSockets, which the server no longer counts as its own. */
  sockets = new Set();

  constructor({ target, issuer, service }) {
    Object.assign(this, { target: new URL(target), issuer, service });
  }

  /** The token for this request; null if it is not for somebody signed in. */
  token(request) {
    const { "cf-access-client-id": id, "cf-access-client-secret": secret } = request.headers;
    if (id !== undefined && this.service) return id === this.service.id && isSame(secret, this.service.secret) ? this.issuer.service(id) : null;
    const email = this.#sessions.get(cookie(request));
    return email === undefined ? null : this.issuer.user(email);
  }

  async answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, "http://local");
    if (!this.isOurName(request.headers.host)) return say(response, 421, "This is only for http://localhost.\n");
    if (pathname === SIGN_IN) return request.method === "POST" ? this.signIn(request, response) : showSignIn(request, response, searchParams.get("back"));
    if (pathname === SIGN_OUT) return this.signOut(request, response);
    if (!isGuarded(pathname)) return this.pass(request, response);
    const token = this.token(request);
    if (token) return this.pass(request, response, token);
    if (request.method === "GET" && /\btext\/html\b/.test(request.headers.accept)) return redirect(response, `${SIGN_IN}?back=${encodeURIComponent(request.url)}`);
    return say(response, 401, "Sign in first: open the admin page in a browser.\n");
  }

  isOurName(host = "") {
    return ["localhost", "127.0.0.1"].some((name) => host === `${name}:${this.port}`);
  }

  async signIn(request, response) {
    const site = request.headers["sec-fetch-site"] ?? "same-origin";
    const form = await readForm(request);
    const email = form?.get("email")?.trim() ?? "";
    if (site !== "same-origin" || !/^[^\s@]+@[^\s@]+$/.test(email)) return say(response, 400, "An e-mail address, please.\n");
    const id = randomBytes(24).toString("base64url");
    this.#sessions.set(id, email);
    return redirect(response, local(form.get("back")), { "set-cookie": `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax` });
  }

  signOut(request, response) {
    this.#sessions.delete(cookie(request));
    return redirect(response, "/_admin", { "set-cookie": `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0` });
  }

  /** The request as the Worker gets it: same path, same host, another connection. */
  forward(request, token, extra = {}) {
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP.has(name) && !OURS.has(name)));
    const cookies = headers.cookie?.split(/;\s*/).filter((pair) => !pair.startsWith(`${COOKIE}=`)).join("; ");
    if (cookies) headers.cookie = cookies;
    else delete headers.cookie;
    const { hostname, port } = this.target;
    return send({ hostname, port, method: request.method, path: request.url, headers: { ...headers, ...(token && { [TOKEN]: token }), ...extra } });
  }

  pass(request, response, token) {
    const encoding = request.headers["transfer-encoding"];
    const upstream = this.forward(request, token, encoding && { "transfer-encoding": encoding });
    upstream.on("response", (answer) => {
      response.writeHead(answer.statusCode, answer.statusMessage, without(answer.rawHeaders));
      answer.pipe(response).on("error", () => answer.destroy());
      answer.on("error", () => response.destroy());
    });
    upstream.on("error", () => (response.headersSent ? response.destroy() : say(response, 502, "The Worker does not answer.\n")));
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  }

  /** A WebSocket: the handshake by us, then bytes both ways. */
  upgrade(request, socket, head) {
    const { pathname } = new URL(request.url, "http://local");
    const token = isGuarded(pathname) ? this.token(request) : undefined;
    socket.on("error", () => socket.destroy());
    if (token === null || !this.isOurName(request.headers.host)) return refuse(socket, "401 Unauthorized");
    const upstream = this.forward(request, token, { connection: "Upgrade", upgrade: request.headers.upgrade });
    upstream.on("error", () => refuse(socket, "502 Bad Gateway"));
    upstream.on("response", (answer) => refuse(socket, `${answer.statusCode} ${answer.statusMessage}`));
    upstream.on("upgrade", (answer, other, first) => {
      const lines = answer.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
      socket.write(first);
      other.write(head);
      other.on("error", () => socket.destroy()).on("close", () => socket.destroy());
      socket.on("close", () => other.destroy());
      socket.pipe(other).pipe(socket);
    });
    socket.on("close", () => upstream.destroy());
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    return upstream.end();
  }
}

const cookie = (request) => new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? "")?.[1];

/** A path of this host, whatever somebody wrote there. */
const local = (path) => (/^\/(?![/\\])[\x21-\x7e]*$/.test(path ?? "") ? path : "/_admin");

function without(rawHeaders) {
  const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]]] : []));
  return pairs.filter(([name]) => !HOP.has(name.toLowerCase())).flat();
}

function say(response, status, text) {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" }).end(text);
}

function redirect(response, location, headers = {}) {
  response.writeHead(303, { location, "cache-control": "no-store", ...headers }).end();
}

function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function showSignIn(request, response, back) {
  const page = signInPage({ action: SIGN_IN, back: local(back), email: OWNER_EMAIL, language: request.headers["accept-language"] });
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  });
  response.end(page);
}

async function readForm(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_FORM) return null;
  }
  return new URLSearchParams(text);
}

/**
 * Starts the proxy on 127.0.0.1. `target` is the Worker's address, `issuer` signs (issuer.mjs), `service` is a service
 * token `{ id, secret }` that programs may sign in with by the headers Access takes.
 *
 * @param {{port?: number, target: string, issuer: object, service?: {id: string, secret: string}}} options
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function startProxy({ port = 0, target, issuer, service }) {
  const proxy = new Proxy({ target, issuer, service });
  const server = createServer((request, response) => {
    proxy.answer(request, response).catch((error) => (response.headersSent ? response.destroy() : say(response, 400, `${error.message}\n`)));
  });
  server.on("upgrade", (request, socket, head) => proxy.upgrade(request, socket, head));
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  proxy.port = server.address().port;
  const close = () => {
    server.closeAllConnections();
    for (const socket of proxy.sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://localhost:${proxy.port}`, close };
}
