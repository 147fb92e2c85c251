// The local stand-in for Access: what it issues has Cloudflare's shape, and what stands before the Worker lets nobody
// through unsigned. How the Worker judges tokens: tests/e2e/admin-access.test.mjs.

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { createServer, request as send } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CERTS_PATH, makeKey, signToken, startIssuer } from "../../local-dev/access/issuer.mjs";
import { startAccess } from "../../local-dev/access/local.mjs";
import { SIGN_IN, SIGN_OUT, startProxy } from "../../local-dev/access/proxy.mjs";

const part = (token, i) => JSON.parse(Buffer.from(token.split(".")[i], "base64url"));

function isSignedBy(token, jwk) {
  const [head, claims, signature] = token.split(".");
  return verify("sha256", Buffer.from(`${head}.${claims}`), createPublicKey({ key: jwk, format: "jwk" }), Buffer.from(signature, "base64url"));
}

describe("issuer", () => {
  let issuer;
  before(async () => (issuer = await startIssuer({ now: () => 1_795_000_000_000 })));
  after(() => issuer?.close());
  const published = async () => (await (await fetch(issuer.vars.CF_ACCESS_CERTS_URL)).json()).keys;

  test("a user's token has the claims of Access's", async () => {
    const token = issuer.user("a@example.com");
    const [current] = await published();
    assert.deepEqual(part(token, 0), { alg: "RS256", kid: current.kid, typ: "JWT" });
    const { identity_nonce, sub, policy_id, ...rest } = part(token, 1);
    assert.deepEqual(rest, {
      aud: [issuer.vars.CF_ACCESS_AUD],
      email: "a@example.com",
      exp: 1_795_086_400,
      iat: 1_795_000_000,
      nbf: 1_795_000_000,
      iss: "https://tideclaw-local.cloudflareaccess.com",
      type: "app",
      country: "US",
    });
    assert.ok(identity_nonce && sub && policy_id);
    assert.ok(isSignedBy(token, current));
  });

  test("a service token's has no address, no nbf and an empty sub", () => {
    const claims = part(issuer.service("robot.access"), 1);
    assert.deepEqual(Object.keys(claims).sort(), ["aud", "common_name", "exp", "iat", "iss", "sub", "type"]);
    assert.deepEqual([claims.common_name, claims.sub], ["robot.access", ""]);
  });

  test("two keys are published; a change keeps the one before and drops the older", async () => {
    const [first, second] = await published();
    for (const key of [first, second]) {
      assert.deepEqual(Object.keys(key).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
      assert.match(key.kid, /^[0-9a-f]{64}$/);
    }
    await issuer.rotate();
    const [newest, kept] = await published();
    assert.deepEqual(kept, first);
    assert.ok(![first.kid, second.kid].includes(newest.kid));
    assert.ok(isSignedBy(issuer.user("a@example.com"), newest));
  });

  test("tokens that must be refused can be made", async () => {
    const key = await makeKey();
    assert.equal(signToken(key, {}, { alg: "none" }).split(".")[2], "");
    assert.equal(part(signToken(key, {}, { alg: "HS256" }), 0).alg, "HS256");
    assert.equal(part(issuer.user("a@example.com", { nbf: undefined }), 1).nbf, undefined);
    assert.ok(!isSignedBy(issuer.user("a@example.com", {}, { key }), (await published())[0]));
  });

  test("the page of keys fails on demand", async (t) => {
    t.after(() => (issuer.fault = null));
    issuer.fault = { status: 503 };
    assert.equal((await fetch(issuer.vars.CF_ACCESS_CERTS_URL)).status, 503);
    issuer.fault = { cut: true };
    await assert.rejects(fetch(issuer.vars.CF_ACCESS_CERTS_URL));
    assert.equal((await fetch(`${issuer.url}/other`)).status, 404);
  });
});

/** A Worker that tells what it was asked, and speaks back over WebSockets. */
async function startEcho() {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.writeHead(request.url === "/teapot" ? 418 : 200, [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["content-type", "application/json"]].flat());
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });
  server.on("upgrade", (request, socket) => {
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nX-Token: ${request.headers["cf-access-jwt-assertion"] ?? "none"}\r\n\r\n`);
    socket.on("error", () => {}).pipe(socket);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => (server.closeAllConnections(), server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

describe("proxy", () => {
  const service = { id: "local.access", secret: "s3cret" };
  let issuer, echo, proxy;
  before(async () => {
    [issuer, echo] = await Promise.all([startIssuer(), startEcho()]);
    proxy = await startProxy({ target: echo.url, issuer, service });
  });
  after(() => Promise.all([issuer, echo, proxy].map((one) => one?.close())));

  const get = (path, { headers, ...options } = {}) => fetch(`${proxy.url}${path}`, { redirect: "manual", headers: { accept: "text/html", ...headers }, ...options });
  /** Signs in as a browser does; resolves to its cookie. */
  async function signIn(email = "owner@example.com", back = "/_admin/people?x=1") {
    const response = await get(SIGN_IN, { method: "POST", body: new URLSearchParams({ email, back }), headers: { "sec-fetch-site": "same-origin" } });
    return { status: response.status, location: response.headers.get("location"), cookie: response.headers.get("set-cookie")?.split(";")[0], whole: response.headers.get("set-cookie") };
  }
  const tokenOf = async (response) => (await response.json()).headers["cf-access-jwt-assertion"];

  test("a browser is shown the way in, and comes back signed in", async () => {
    const first = await get("/_admin/people?x=1");
    assert.equal(first.status, 303);
    const page = await get(first.headers.get("location"));
    const html = await page.text();
    assert.match(html, /value="owner@example\.com"/);
    assert.match(html, /name="back" value="\/_admin\/people\?x=1"/);
    assert.match(page.headers.get("content-security-policy"), /default-src 'none'/);
    const { status, location, cookie, whole } = await signIn();
    assert.deepEqual([status, location], [303, "/_admin/people?x=1"]);
    assert.match(whole, /; HttpOnly; SameSite=Lax$/);
    const token = await tokenOf(await get("/_admin/people", { headers: { cookie } }));
    assert.equal(part(token, 1).email, "owner@example.com");
    assert.ok(isSignedBy(token, issuer.keys[0].jwk));
  });

  test("each request has a token of its own, and the Worker does not see the cookie", async () => {
    const { cookie } = await signIn("b@example.com");
    const [one, two] = await Promise.all(["/api/x", "/debug"].map(async (path) => (await get(path, { headers: { cookie: `k=v; ${cookie}; l=w` } })).json()));
    assert.notEqual(one.headers["cf-access-jwt-assertion"], two.headers["cf-access-jwt-assertion"]);
    assert.equal(one.headers.cookie, "k=v; l=w");
  });

  test("without signing in nothing guarded goes through", async () => {
    for (const path of ["/_admin", "/_admin/", "/api", "/api/x", "/debug", "/debug/panic/x", "/x/../_admin", "/x/%2e%2e/api"]) {
      for (const cookie of ["", "tideclaw_local_access=guess"]) {
        assert.equal((await get(path, { headers: { cookie } })).status, 303, path);
        assert.equal((await get(path, { headers: { cookie, accept: "*/*" } })).status, 401, path);
        assert.equal((await get(path, { method: "POST", headers: { cookie } })).status, 401, path);
      }
    }
  });

  test("a token that somebody brings along is thrown away", async () => {
    for (const path of ["/healthz", "/_ADMIN", "/%5fadmin", "//_admin"]) {
      const { headers } = await (await get(path, { headers: { "Cf-Access-Jwt-Assertion": issuer.user("evil@example.com"), "Cf-Access-Authenticated-User-Email": "evil@example.com" } })).json();
      assert.ok(!Object.keys(headers).some((name) => name.startsWith("cf-access")), path);
    }
    assert.equal((await get("/api/x", { headers: { "Cf-Access-Jwt-Assertion": issuer.user(), accept: "*/*" } })).status, 401);
  });

  test("everything else goes through as it is", async () => {
    const response = await get("/telegram/main?a=%2F", { method: "POST", body: "{}", headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": "s" } });
    assert.deepEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
    const { method, url, headers, body } = await response.json();
    assert.deepEqual([method, url, body, headers["x-telegram-bot-api-secret-token"]], ["POST", "/telegram/main?a=%2F", "{}", "s"]);
    assert.equal(headers.host, new URL(proxy.url).host, "as the browser wrote it, so that its origin is the same");
    assert.equal((await get("/teapot")).status, 418);
  });

  test("a body of unknown length goes through", async () => {
    const body = await new Promise((resolve, reject) => {
      const request = send(`${proxy.url}/x`, { method: "POST" }, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve(JSON.parse(text).body);
      });
      request.on("error", reject);
      for (let i = 0; i < 3; i++) request.write(`part ${i} `);
      request.end();
    });
    assert.equal(body, "part 0 part 1 part 2 ");
  });

  test("a service token is taken as Access takes it", async () => {
    const headers = { "CF-Access-Client-Id": service.id, "CF-Access-Client-Secret": service.secret, accept: "*/*" };
    const token = await tokenOf(await get("/api/x", { headers }));
    assert.equal(part(token, 1).common_name, "local.access");
    for (const wrong of [{ "CF-Access-Client-Secret": "s3cre" }, { "CF-Access-Client-Secret": "" }, { "CF-Access-Client-Id": "other.access" }]) {
      assert.equal((await get("/api/x", { headers: { ...headers, ...wrong } })).status, 401);
    }
  });

  test("signing in leads nowhere else, and not from another site", async () => {
    for (const back of ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "", "/a\r\nx: y"]) assert.equal((await signIn("a@example.com", back)).location, "/_admin", back);
    for (const email of ["", "x", "a b@example.com"]) assert.equal((await signIn(email)).status, 400, email);
    const page = await (await get(`${SIGN_IN}?back=${encodeURIComponent('/x"><script>')}`)).text();
    assert.ok(!page.includes("<script"));
    const forged = await get(SIGN_IN, { method: "POST", body: new URLSearchParams({ email: "a@example.com" }), headers: { "sec-fetch-site": "cross-site" } });
    assert.equal(forged.status, 400);
  });

  test("signing out ends it", async () => {
    const { cookie } = await signIn();
    assert.equal((await get("/api/x", { headers: { cookie } })).status, 200);
    await get(SIGN_OUT, { headers: { cookie } });
    assert.equal((await get("/api/x", { headers: { cookie } })).status, 303);
  });

  /** A WebSocket's handshake and an echo, byte by byte. */
  function upgrade(path, headers = []) {
    const { hostname, port, host } = new URL(proxy.url);
    return new Promise((resolve, reject) => {
      const socket = connect({ port: Number(port), host: "127.0.0.1" });
      let text = "";
      socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer from ${hostname}`)));
      socket.on("error", reject).on("close", () => resolve(text)).on("data", (data) => {
        text += data;
        if (text.endsWith("\r\n\r\n") && text.startsWith("HTTP/1.1 101")) socket.write("hello");
        if (text.endsWith("hello")) socket.end();
      });
      const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", ...headers];
      socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    });
  }

  test("WebSockets go through, the guarded ones signed", async () => {
    const open = await upgrade("/relay", ["Cf-Access-Jwt-Assertion: brought-along"]);
    assert.match(open, /^HTTP\/1\.1 101 [^]*X-Token: none[^]*hello$/i);
    assert.match(await upgrade("/_admin/logs/live"), /^HTTP\/1\.1 401 /);
    const { cookie } = await signIn();
    const guarded = await upgrade("/_admin/logs/live", [`Cookie: ${cookie}`]);
    assert.match(guarded, /^HTTP\/1\.1 101 [^]*X-Token: ey[\w-]+\.[\w-]+\.[\w-]+\r\n[^]*hello$/i);
  });

  test("another host's name is not answered, however it points here", async () => {
    const status = await new Promise((resolve, reject) => {
      send(`${proxy.url}/_admin`, { headers: { host: `evil.example:${new URL(proxy.url).port}` } }, (response) => resolve(response.resume().statusCode)).on("error", reject).end();
    });
    assert.equal(status, 421);
  });

  test("a Worker that is gone is a 502", async (t) => {
    const lonely = await startProxy({ target: "http://127.0.0.1:9", issuer });
    t.after(() => lonely.close());
    assert.equal((await fetch(`${lonely.url}/healthz`)).status, 502);
  });
});

describe("npm start", () => {
  const closes = [];
  after(async () => {
    for (const close of closes.reverse()) await close();
  });

  test("Access of one's own in .dev.vars wins", async () => {
    for (const name of ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "CF_ACCESS_CERTS_URL"]) {
      const { vars, standBefore } = await startAccess({ user: { [name]: "x" }, closeLater: () => assert.fail("nothing is started") });
      assert.deepEqual(vars, {});
      assert.match(await standBefore("http://127.0.0.1:9"), new RegExp(name));
    }
  });

  test("else an issuer, a proxy, and a way in for programs that ends with it", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "tideclaw-access-")), "dev", "access.json");
    const echo = await startEcho();
    const { vars, standBefore } = await startAccess({ user: {}, closeLater: (close) => closes.push(close), firstPort: 21_900, file });
    assert.deepEqual(Object.keys(vars).sort(), ["CF_ACCESS_AUD", "CF_ACCESS_CERTS_URL", "CF_ACCESS_SERVICE_TOKENS", "CF_ACCESS_TEAM_DOMAIN"]);
    assert.equal((await (await fetch(vars.CF_ACCESS_CERTS_URL)).json()).keys.length, 2);
    assert.ok(vars.CF_ACCESS_CERTS_URL.endsWith(CERTS_PATH));
    assert.match(await standBefore(echo.url), /^http:\/\/localhost:219\d\d\/_admin$/);
    const { url, id, secret } = JSON.parse(readFileSync(file, "utf8"));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(id, vars.CF_ACCESS_SERVICE_TOKENS);
    const response = await fetch(`${url}/api/x`, { headers: { "CF-Access-Client-Id": id, "CF-Access-Client-Secret": secret } });
    assert.equal(part((await response.json()).headers["cf-access-jwt-assertion"], 1).common_name, id);
    for (const close of closes.splice(0).reverse()) await close();
    echo.close();
    assert.ok(!existsSync(file));
  });
});
