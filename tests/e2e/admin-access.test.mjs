// The door of the admin routes on real workerd: tokens of every kind, keys that change or cannot be had, every guarded
// path, tricks with paths, and forged requests. Virtual time and the rules one by one: src/admin/access/tests.rs.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { makeKey, signToken } from "../../local-dev/access/issuer.mjs";
import { startWorld } from "./support/world.mjs";

const SHUT = '{"error":{"code":"unauthorized","message":"Unauthorized."}}';
const ROBOT = "f1e2d3c4b5a697887766554433221100.access";
const GUARDED = ["/_admin", "/_admin/", "/_admin/people", "/_admin/style.css", "/_admin?x=1", "/_admin//x", "/_admin/..%2fhealthz", "/_admin/%00", "/api", "/api/", "/api/whoami",
  "/api/openapi.json", "/api/x/y/z", "/debug", "/debug/", "/debug/panic/main:1001", "/debug/%2e", "/healthz/../_admin", "/x/%2e%2e/api/whoami", "/\\..\\_admin", "/_admin\\"];
const TRICKS = ["//_admin", "///_admin", "/_ADMIN", "/_Admin/people", "/%5Fadmin", "/%5fadmin/people", "/_%61dmin", "/_admin;x", "/_admin%2Fpeople", "/_admin%5Cpeople", "/_admin%20",
  "/_admin%00", "/API/whoami", "/%61pi/whoami", "/a%70i", "//api/whoami", "/api%2Fwhoami", "/api;/whoami", "/DEBUG/panic/main:1001", "//debug/panic/main:1001", "/%64ebug", "/%2561pi", "/;/api"];

/** Sends one request as it is, without any library's opinion on its path or headers; resolves to status and body. */
function raw(url, path, { headers = [], method = "GET" } = {}) {
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = "";
    const ended = () => resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text: text.slice(text.indexOf("\r\n\r\n") + 4) });
    const socket = connect(Number(port), hostname);
    socket.setTimeout(20_000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (data) => (text += data)).on("end", ended);
    // Cut off while still sending is an answer too, if one came before.
    socket.on("error", (error) => (text || error.code === "ECONNRESET" || error.code === "EPIPE" ? ended() : reject(error)));
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n`);
    for (const header of headers) socket.write(`${header}\r\n`);
    socket.write("\r\n");
  });
}

describe("the door of the admin routes", () => {
  let world;
  const assertShut = ({ status, text }, what) => assert.deepEqual({ status, text }, { status: 401, text: SHUT }, what);
  before(async () => (world = await startWorld({ access: true, vars: { CF_ACCESS_SERVICE_TOKENS: `${ROBOT}, other.access`, DEBUG_TOKEN: "debug-token" } })));
  after(() => world?.close());

  test("somebody signed in comes in and is named", async () => {
    const { status, json, headers } = await world.admin("/api/whoami", { email: "Owner@Example.com" });
    assert.equal(status, 200);
    assert.deepEqual(json, { name: "Owner@Example.com", service: false });
    assert.equal(headers.get("cache-control"), "no-store");
    const page = await world.admin("/_admin");
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type"), /^text\/html/);
    assert.match(page.headers.get("content-security-policy"), /default-src 'none'.*frame-ancestors 'none'/);
    assert.match(page.text, /owner@example\.com/);
  });

  test("the key before the current one is good too", async () => {
    const [, before] = world.issuer.keys;
    assert.equal((await world.admin("/api/whoami", { token: world.issuer.user("a@example.com", {}, { key: before }) })).json.name, "a@example.com");
  });

  test("a service token of the list comes in, another does not", async () => {
    assert.deepEqual((await world.admin("/api/whoami", { service: ROBOT })).json, { name: ROBOT, service: true });
    assert.equal((await world.admin("/api/whoami", { service: "other.access" })).status, 200);
    for (const service of ["unlisted.access", ROBOT.slice(1), `${ROBOT},other.access`, " "]) assertShut(await world.admin("/api/whoami", { service }), service);
    assertShut(await world.admin("/api/whoami", { token: world.issuer.service(ROBOT, { sub: "7335d417-61da-459d-899c-0a01c76a2f94" }) }), "with a sub");
  });

  test("tokens that are no good all get the same short answer", async () => {
    const { issuer } = world;
    const [key] = issuer.keys;
    const now = Math.floor(Date.now() / 1000);
    const claims = issuer.userClaims();
    const stranger = await makeKey();
    const good = issuer.user();
    const [head, body, signature] = good.split(".");
    const other = issuer.user("evil@example.com").split(".")[1];
    const tokens = {
      none: null,
      empty: "",
      "no token": "Bearer",
      expired: issuer.user("a@example.com", { exp: now - 61, iat: now - 3600, nbf: now - 3600 }),
      "without an end": issuer.user("a@example.com", { exp: undefined }),
      "wrong audience": issuer.user("a@example.com", { aud: ["f".repeat(64)] }),
      "no audience": issuer.user("a@example.com", { aud: [] }),
      "wrong issuer": issuer.user("a@example.com", { iss: "https://evil.cloudflareaccess.com" }),
      "issuer with a slash": issuer.user("a@example.com", { iss: `${claims.iss}/` }),
      "nbf in the future": issuer.user("a@example.com", { nbf: now + 120 }),
      "type org": issuer.user("a@example.com", { type: "org" }),
      "no type": issuer.user("a@example.com", { type: undefined }),
      nobody: issuer.user(undefined, { email: undefined }),
      "alg none": signToken(key, claims, { alg: "none" }),
      "alg none with a signature": `${signToken(key, claims, { alg: "none" })}${signature}`,
      "HS256 with the public key": signToken(key, claims, { alg: "HS256" }),
      "RS512 by name": signToken(key, claims, { alg: "RS512" }),
      "unknown kid": signToken(stranger, claims),
      "no kid": signToken(key, claims, { kid: undefined }),
      "another key under a known kid": signToken(stranger, claims, { kid: key.kid }),
      "another key that it brings along": signToken(stranger, claims, { kid: key.kid, jwk: stranger.jwk, jku: issuer.vars.CF_ACCESS_CERTS_URL }),
      "changed claims": `${head}.${other}.${signature}`,
      "no signature": `${head}.${body}.`,
      "cut signature": good.slice(0, -4),
      "two parts": `${head}.${body}`,
      "four parts": `${good}.${signature}`,
      twice: `${good}, ${good}`,
      "20 kB": issuer.user("a@example.com", { custom: "x".repeat(15_000) }),
    };
    const before = world.logged("access refused").length;
    for (const [what, token] of Object.entries(tokens)) {
      for (const path of ["/api/whoami", "/_admin"]) assertShut(await world.admin(path, { token }), what);
    }
    const lines = world.logged("access refused").slice(before).map(({ message }) => message);
    assert.ok(lines.length > 20);
    for (const line of lines) assert.match(line, /^access refused a token: [a-z_]+$/, "one word of ours and nothing of the token");
  });

  test("a token of 10 MB does not come in", async () => {
    const header = `Cf-Access-Jwt-Assertion: ${world.issuer.user()}${"A".repeat(10 << 20)}`;
    const { status, text } = await raw(world.worker.url, "/api/whoami", { headers: [header] });
    assert.ok(status === 0 || status >= 400, `answered ${status}`);
    assert.doesNotMatch(text, /owner@example/);
    assert.equal((await world.admin("/api/whoami")).status, 200, "and the next request is served");
  });

  test("a cookie or a query is no token", async () => {
    const good = world.issuer.user();
    assertShut(await world.admin("/api/whoami", { token: null, headers: { cookie: `CF_Authorization=${good}` } }));
    assertShut(await world.admin(`/api/whoami?cf-access-jwt-assertion=${good}`, { token: null }));
    assertShut(await world.admin("/api/whoami", { token: null, headers: { authorization: `Bearer ${good}` } }));
  });

  test("every guarded path without a token, by every method", async () => {
    for (const path of GUARDED) {
      for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        assertShut(await raw(world.worker.url, path, { method, headers: ["Authorization: Bearer debug-token"] }), `${method} ${path}`);
      }
      assert.equal((await raw(world.worker.url, path, { method: "HEAD" })).status, 401, `HEAD ${path}`);
    }
  });

  test("tricks with paths reach nothing, with or without a token", async () => {
    for (const path of TRICKS) {
      for (const headers of [[], [`Cf-Access-Jwt-Assertion: ${world.issuer.user()}`, "Authorization: Bearer debug-token"]]) {
        const { status, text } = await raw(world.worker.url, path, { headers });
        assert.ok(status === 404 || (status === 401 && text === SHUT), `${path}: ${status} ${text}`);
        assert.doesNotMatch(text, /owner@example|<html/, path);
      }
    }
  });

  test("below the guarded paths nothing crooked is a route", async () => {
    for (const path of ["/api//whoami", "/api/%2fwhoami", "/api/whoami%00", "/api/whoami;x", "/api/WHOAMI", "/_admin//people", "/api/%77hoami/x"]) {
      assert.equal((await raw(world.worker.url, path, { headers: [`Cf-Access-Jwt-Assertion: ${world.issuer.user()}`] })).status, 404, path);
    }
  });

  test("what another site makes a signed-in browser send is not done", async () => {
    const post = (headers) => world.admin("/api/whoami", { method: "POST", headers: { "sec-fetch-site": "", ...headers } });
    const own = new URL(world.worker.url).origin;
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site", origin: own }, { "sec-fetch-site": "none" }]) {
      const { status, json } = await post(headers);
      assert.equal(status, 403, JSON.stringify(headers));
      assert.equal(json.error.code, "not_same_origin");
    }
    const sent = (headers) => raw(world.worker.url, "/api/whoami", { method: "POST", headers: [`Cf-Access-Jwt-Assertion: ${world.issuer.user()}`, "Content-Length: 0", ...headers] });
    for (const headers of [[], ["Origin: null"], ["Origin: https://evil.example"], [`Origin: ${own}0`]]) assert.equal((await sent(headers)).status, 403, headers[0]);
    // Past the check: POST is no method of this route.
    for (const headers of [["Sec-Fetch-Site: same-origin"], [`Origin: ${own}`]]) assert.equal((await sent(headers)).status, 404, headers[0]);
    const robot = await world.admin("/api/whoami", { service: ROBOT, method: "POST" });
    assert.equal(robot.status, 404, "a program needs no origin");
  });

  test("nor does another site's page open a WebSocket", async () => {
    const upgrade = (...headers) => raw(world.worker.url, "/api/whoami", {
      headers: [`Cf-Access-Jwt-Assertion: ${world.issuer.user()}`, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", ...headers],
    });
    assert.equal((await upgrade("Origin: https://evil.example")).status, 403);
    assert.equal((await upgrade()).status, 403);
  });

  test("faults on purpose need their own token beside Access", async () => {
    const panic = (headers, token) => world.admin("/debug/panic/main:1001", { method: "POST", headers, token });
    assert.equal((await panic({})).status, 404);
    assert.equal((await panic({ authorization: "Bearer wrong" })).status, 404);
    assertShut(await panic({ authorization: "Bearer debug-token" }, null));
    assert.equal((await panic({ authorization: "Bearer debug-token" })).status, 500, "a panic");
  });
});

describe("keys", () => {
  test("two changes of keys, and the withdrawn one is refused", async (t) => {
    const world = await startWorld({ access: true });
    t.after(() => world.close());
    const { issuer } = world;
    const status = async (key) => (await world.admin("/api/whoami", { token: issuer.user("a@example.com", {}, { key }) })).status;
    const [first] = issuer.keys;
    assert.equal(await status(first), 200);
    await issuer.rotate();
    await issuer.rotate();
    const [third, second] = issuer.keys;
    assert.equal(await status(third), 401, "asked for less than a minute ago");
    assert.equal(issuer.fetches, 1);
    // A new isolate knows nothing yet, as one that last asked more than a minute ago.
    await world.worker.restart();
    assert.deepEqual([await status(third), await status(second), await status(first)], [200, 200, 401]);
    assert.equal(issuer.fetches, 2);
  });

  test("one fetch serves many requests, also those that come at once", async (t) => {
    const world = await startWorld({ access: true });
    t.after(() => world.close());
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.admin("/api/whoami")));
    assert.ok(answers.every(({ status }) => status === 200), String(answers.map(({ status }) => status)));
    assert.equal(world.issuer.fetches, 1);
    const stranger = await makeKey();
    for (let i = 0; i < 10; i++) {
      const token = signToken(stranger, world.issuer.userClaims(), { kid: `made-up-${i}` });
      assert.equal((await world.admin("/api/whoami", { token })).status, 401);
    }
    assert.equal(world.issuer.fetches, 1, "made-up names fetch nothing within the minute");
  });

  const faults = {
    "an error": { status: 503 },
    "a page that is none": { body: "<html>Not JSON</html>" },
    "no keys": { body: '{"keys":[]}' },
    "a connection cut": { cut: true },
    "over 64 KiB": { body: JSON.stringify({ keys: [], padding: "x".repeat(70_000) }) },
  };
  for (const [what, fault] of Object.entries(faults)) {
    test(`shut while the keys are ${what}`, async (t) => {
      const world = await startWorld({ access: true });
      t.after(() => world.close());
      world.issuer.fault = fault;
      for (let i = 0; i < 3; i++) assert.deepEqual((await world.admin("/api/whoami")).text, SHUT);
      assert.equal(world.issuer.fetches, 1, "not asked with each request");
    });
  }

  test("shut while the keys do not come, within seconds; open again when they do", async (t) => {
    const world = await startWorld({ access: true });
    t.after(() => world.close());
    world.issuer.fault = { hang: true };
    const began = Date.now();
    assert.equal((await world.admin("/api/whoami")).status, 401);
    assert.ok(Date.now() - began < 10_000);
    world.issuer.fault = null;
    await new Promise((resolve) => setTimeout(resolve, 10_500));
    assert.equal((await world.admin("/api/whoami")).status, 200);
  });

  test("the server of keys is gone: shut", async (t) => {
    const world = await startWorld({ access: true, vars: { CF_ACCESS_CERTS_URL: "http://127.0.0.1:9/certs" } });
    t.after(() => world.close());
    assert.equal((await world.admin("/api/whoami")).text, SHUT);
  });
});

describe("Access that is not set up", () => {
  let world;
  before(async () => (world = await startWorld({ vars: { DEBUG_TOKEN: "debug-token" } })));
  after(() => world?.close());

  test("every guarded path says what to do and lets nobody in", async () => {
    for (const path of GUARDED) {
      for (const method of ["GET", "POST"]) {
        const { status, text } = await raw(world.worker.url, path, { method, headers: ["Authorization: Bearer debug-token", "Cf-Access-Jwt-Assertion: x"] });
        assert.equal(status, 503, `${method} ${path}`);
        assert.equal(JSON.parse(text).error.code, "access_not_configured");
        for (const word of ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "127.0.0.1/_admin", "127.0.0.1/api", "127.0.0.1/debug", "Allow"]) assert.ok(text.includes(word), word);
      }
    }
  });

  test("a browser reads the steps, in its language", async () => {
    for (const [language, title] of [["en", "The admin pages are shut"], ["ru-RU,ru;q=0.9", "Страницы управления закрыты"]]) {
      const response = await fetch(`${world.worker.url}/_admin`, { headers: { accept: "text/html,*/*", "accept-language": language } });
      assert.equal(response.status, 503);
      assert.match(response.headers.get("content-type"), /^text\/html/);
      assert.match(response.headers.get("content-security-policy"), /default-src 'none'/);
      const text = await response.text();
      assert.ok(text.includes(title) && text.includes("wrangler secret put CF_ACCESS_AUD"));
    }
  });

  test("half a configuration is none", async (t) => {
    for (const vars of [{ CF_ACCESS_TEAM_DOMAIN: "acme" }, { CF_ACCESS_AUD: "a".repeat(64) }, { CF_ACCESS_TEAM_DOMAIN: "acme", CF_ACCESS_AUD: "a", CF_ACCESS_CERTS_URL: "http://keys.example/" }]) {
      const half = await startWorld({ vars });
      t.after(() => half.close());
      assert.equal((await fetch(`${half.worker.url}/api/whoami`)).status, 503, JSON.stringify(vars));
    }
  });
});
