// What strangers, models and careless operators write is text, wherever it is shown. A deployment is filled with markup in
// every place that takes words; then all of its pages are read, in both languages, by a reader that takes nothing but what
// our own templates write (support/html.mjs). Which text may stand where, one by one: the tests beside `src/admin/`.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decoded, read } from "./support/html.mjs";
import { GROUP, INVITED, OWNER, WAITING, backUp, live } from "./support/life.mjs";
import { startWorld } from "./support/world.mjs";

const POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** Ends whatever it stands in, runs whatever runs. With a word in front by which it is found. */
const evil = (word) => `${word}<script>alert(1)</script>"><img src=x onerror=alert(1)>'-alert(1)-'</textarea></title></script><svg onload=alert(1)>&lt;b&gt;&#x3c;\u202e\u2066\u0001{{7*7}}`;
/** Without marks of direction and controls: the configuration takes none. */
const plain = (word) => evil(word).replace(/[\u202e\u2066\u0001]/g, "");
/** Names are cut at 64 characters. */
const short = (word) => `${word}"><img src=x onerror=alert(1)><script>`;
const WORDS = {
  question: `${evil("Wquestion")} javascript:alert(1) [x](javascript:alert(1))`,
  answer: `${evil("Wanswer")} [x](javascript:alert(1)) <b onclick=alert(1)>`,
  trouble: evil("Wtrouble"),
  person: short("Wname"),
  surname: "</title>",
  username: 'Wuser"onmouseover=alert(1) x="',
  group: short("Wgroup"),
  file: `${short("Wfile")}.txt`,
  note: plain("Wnote"),
  agent: { name: short("Wagent"), persona: plain("Wpersona") },
};
/** An operator may have any address that Access knows. */
const EMAIL = `"Woperator><script>alert(1)</script>"@example.com`;

const QUERY = evil("Wquery");
/** Every parameter that some page reads, and some that none does. */
const PARAMETERS = ["q", "bot", "page", "before", "after", "level", "what", "session", "who", "done", "same", "deleted", "add", "chat", "topic", "manifest", "days", "lang", "limit", "x"];

describe("what others wrote is inert", { concurrency: 1 }, () => {
  let world;
  let life;
  /** What was seen of each word, unescaped by the reader. */
  const seen = new Set();

  before(async () => {
    world = await startWorld({ access: true, owners: [OWNER], groups: [], bots: ["main", "work"], users: [{ id: OWNER, first_name: short("Wowner"), last_name: "<b>", language_code: "en" }] });
    life = await live(world, WORDS);
    await backUp(life);
    await world.admin("/api/settings", { email: EMAIL, body: { base: life.version, document: { budget: { day_usd: 4 } }, note: "by somebody odd" } });
    await world.admin("/api/settings/rollback", { body: { base: life.version + 1, version: life.version } });
  });
  after(() => world?.close());

  function hardened(headers, what) {
    assert.equal(headers.get("content-security-policy"), POLICY, what);
    assert.equal(headers.get("x-content-type-options"), "nosniff", what);
    assert.equal(headers.get("referrer-policy"), "same-origin", what);
    assert.equal(headers.get("cache-control"), "no-store", what);
    const cookie = headers.get("set-cookie");
    assert.ok(cookie === null || /^tideclaw_lang=(en|ru); Path=\/_admin; Max-Age=31536000; SameSite=Lax$/.test(cookie), `${what}: ${cookie}`);
  }

  /** Reads one answer of the pages: a page that is inert, or an error in JSON. Resolves to the links on it. */
  function inert(answer, what) {
    hardened(answer.headers, what);
    assert.ok(answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
    const kind = answer.headers.get("content-type");
    if (answer.status === 303) {
      assert.match(answer.headers.get("location"), /^\/_admin(\/[\w%.~:/-]*)?(\?[\w%.~=&*+-]*)?$/, what);
      return [];
    }
    if (kind === "application/json") {
      assert.ok(answer.json?.error, `${what}: ${answer.text.slice(0, 100)}`);
      return [];
    }
    assert.equal(kind, "text/html; charset=utf-8", what);
    const { links, texts } = read(answer.text, what);
    const all = texts.join("\n");
    for (const [word] of all.matchAll(/\bW[a-z]+(?=["<>])/g)) seen.add(word);
    return links;
  }

  const conversation = (session, below = "") => `/_admin/conversations/${encodeURIComponent(session)}${below}`;
  const pages = () => [
    "/_admin",
    ...["conversations", "people", "groups", "invites", "refusals", "models", "agents", "agents/tutor", "agents/main", "settings", "logs", "logs/audit", "backups", "doctor"].map((page) => `/_admin/${page}`),
    ...[life.session, life.group].flatMap((session) => ["", "/turns", "/updates", "/files", "/delete"].map((below) => conversation(session, below))),
    ...[life.failed, life.answered].map((turn) => conversation(life.session, `/turns/${turn}`)),
    ...[1, 2, 3, 4, 5].map((version) => `/_admin/settings/versions/${version}`),
    "/_admin/backups/restore?what=all",
    `/_admin/backups/restore?what=conversation&session=${encodeURIComponent(life.session)}`,
  ];

  test("every page, in both languages, and every page they lead to", async () => {
    const [asked, waiting] = [new Set(), pages()];
    while (waiting.length) {
      const path = waiting.shift();
      // Switching the language is what the loop below does; exports are downloads.
      if (asked.has(path) || /[?&]lang=|\/export/.test(path)) continue;
      asked.add(path);
      assert.ok(asked.size < 400, "the pages have an end");
      for (const lang of ["en", "ru"]) {
        const answer = await world.admin(path, { headers: { "accept-language": lang } });
        assert.equal(answer.status, 200, `${path}: ${answer.text.slice(0, 500)}`);
        assert.ok(answer.text.includes(`<html lang="${lang}">`), path);
        const links = inert(answer, `${path} (${lang})`);
        if (lang === "en") waiting.push(...links.filter((link) => link.startsWith("/_admin")).map((link) => link.split("#")[0]));
      }
    }
    assert.ok(asked.size > 40, `${asked.size} pages`);
    assert.deepEqual(["Wquestion", "Wanswer", "Wtrouble", "Wname", "Wuser", "Wgroup", "Wfile", "Wnote", "Wagent", "Wpersona", "Wowner", "Woperator"].filter((word) => !seen.has(word)), [], "shown nowhere");
  });

  test("what a query says is text on every page", async () => {
    for (const path of pages().map((path) => path.split("?")[0])) {
      const payloads = [QUERY, 'javascript:alert(1)"', "\u0000</title>"];
      for (const payload of path.endsWith("/doctor") ? payloads.slice(0, 1) : payloads) {
        const query = new URLSearchParams(PARAMETERS.map((name) => [name, payload]));
        inert(await world.admin(`${path}?${query}`), `${path}?…`);
        query.delete("before");
        query.delete("level");
        query.set("chat", "1");
        query.set("what", path.includes("backups") ? "conversation" : payload);
        inert(await world.admin(`${path}?${query}`), `${path}?… without before`);
      }
    }
    assert.ok(seen.has("Wquery"), "shown nowhere");
  });

  test("what a path says is text, and leads nowhere else", async () => {
    for (const payload of [evil("Wpath"), "javascript:alert(1)", '"onclick="', "x'y", "\u202eevil", "a b"]) {
      for (const before of ["", "conversations/", "agents/", "settings/versions/", "people/", "logs/", `${conversation(life.session).slice("/_admin/".length)}/`, `${conversation(life.session).slice("/_admin/".length)}/turns/`]) {
        // A slash inside would be a step.
        const path = `/_admin/${before}${encodeURIComponent(payload.replaceAll("/", ""))}`;
        for (const query of ["", "?lang=ru"]) inert(await world.admin(path + query), path + query);
      }
    }
  });

  test("forms that are refused show what was typed as text", async () => {
    const typed = evil("Wtyped");
    const base = String(life.version + 2);
    const forms = [
      ["agents", { base, id: typed, name: typed, emoji: typed, persona: typed, model: typed, fallbacks: typed, thinking: typed, tools: typed }],
      ["agents", { base, id: "fine", name: "Fine", emoji: typed, persona: typed }],
      ["agents/agent/tutor", { base, name: typed, emoji: typed, persona: typed, model: typed }],
      ["agents/bind", { base, agent: typed, bot: typed, chat: typed, topic: typed }],
      ["agents/unbind", { base, bot: typed, chat: typed }],
      [`agents/agent/${encodeURIComponent('x"><b>')}/delete`, { base }],
      ["settings/review", { base, document: typed, note: typed }],
      ["settings/review", { base, document: JSON.stringify({ agents: { main: { name: typed, persona: typed } }, [typed]: 1 }), note: typed }],
      ["settings/review", { base, fields: "1", document: "{}", note: typed, "models.default": typed, "models.fallbacks": typed, "budget.day_usd": typed, "access.private": typed, "replies.streaming": typed, "replies.deadlines": typed }],
      ["settings/save", { base, document: JSON.stringify({ models: { default: typed } }), note: typed }],
      ["settings/save", { base: "0", document: JSON.stringify({ agents: { main: { persona: typed } } }), note: "late" }],
      ["settings/save", { base: typed, document: typed, note: typed }],
      ["settings/rollback", { base, version: typed }],
      ["people/main/1/cap", { usd: typed, back: typed }],
      [`people/${encodeURIComponent("<b>")}/1/approve`, { code: typed, back: typed }],
      [`people/main/${WAITING}/deny`, { code: typed, back: `q=${typed}&bot=${typed}&page=\r\nx: y&evil=//evil.example` }],
      [`people/main/${INVITED}/cap`, { usd: "1", back: "q=\r\nset-cookie: a=b" }],
      [`groups/main/${GROUP}/mention`, { on: typed, back: `//evil.example?${typed}` }],
      ["invites", { bot: typed, note: typed, uses: typed, days: typed }],
      ["invites", { bot: "main", note: typed.repeat(9), uses: "2", days: "2" }],
      ["models/ping", { model: typed }],
      ["models/ping", { model: `ollama/${typed.replaceAll(" ", "")}` }],
      ["models/rest/clear", { provider: typed, model: typed }],
      ["models/caps", { base, day_usd: typed }],
      ["backups/restore", { what: typed, session: typed, manifest: typed }],
      ["backups/restore", { what: "conversation", session: `main:${typed}`, manifest: typed }],
      [`conversations/${encodeURIComponent(life.session)}/retry`, { turn: typed }],
      [`conversations/${encodeURIComponent(life.session)}/delete`, { confirm: typed }],
      [`conversations/${encodeURIComponent(`main:"><b>`)}/stop`, {}],
      [typed.replaceAll("/", ""), { done: typed }],
    ];
    for (const [path, form] of forms) {
      for (const lang of ["en", "ru"]) inert(await world.admin(`/_admin/${encodeURI(path).replaceAll("%25", "%")}`, { form, headers: { "accept-language": lang } }), `POST ${path.slice(0, 60)} (${lang})`);
    }
    assert.ok(seen.has("Wtyped"), "shown nowhere");
  });

  test("whoever is signed in is named as text", async () => {
    for (const path of ["/_admin", "/_admin/nowhere", "/_admin/logs/audit"]) inert(await world.admin(path, { email: EMAIL }), path);
    inert(await world.admin("/_admin", { headers: { cookie: `tideclaw_lang=${encodeURIComponent(QUERY)}; x="` } }), "a cookie");
  });

  test("downloads and data are what they say, and nothing else", async () => {
    for (const area of ["_admin", "api"]) {
      for (const [form, kind, end] of [["markdown", "text/markdown; charset=utf-8", "md"], ["jsonl", "application/jsonl; charset=utf-8", "jsonl"]]) {
        const path = `/${area}/conversations/${encodeURIComponent(life.session)}/export?form=${form}`;
        const { status, headers, text } = await world.admin(path);
        assert.deepEqual([status, headers.get("content-type"), headers.get("content-disposition")], [200, kind, `attachment; filename="main_${OWNER}.${end}"`], path);
        assert.ok(text.includes("Wquestion"), "nothing is taken out of what was said");
        hardened(headers, path);
      }
    }
    for (const path of ["conversations", "people", "groups", "invites", "refusals", "agents", "settings", "logs", "audit", "openapi.json", "nowhere", "%00", "settings/versions/x"]) {
      const { headers } = await world.admin(`/api/${path}`);
      assert.equal(headers.get("content-type"), "application/json", path);
      hardened(headers, path);
    }
    for (const [path, kind] of [["style.css", "text/css"], ["script.js", "text/javascript"]]) {
      const { status, headers } = await world.admin(`/_admin/${path}`);
      assert.deepEqual([status, headers.get("content-type")], [200, `${kind}; charset=utf-8`]);
      hardened(headers, path);
    }
    for (const method of ["DELETE", "PUT", "OPTIONS"]) hardened((await world.admin("/_admin/people", { method })).headers, method);
    hardened((await world.admin("/_admin", { token: null })).headers, "a stranger");
    hardened((await world.admin("/_admin/backups", { form: {}, headers: { "sec-fetch-site": "cross-site" } })).headers, "another site");
  });

  test("the reader refuses what a page must not hold", () => {
    const page = (body) => `<!DOCTYPE html><html lang="en"><body>${body}</body></html>`;
    read(page('<p class="a">1 &lt; 2 &amp; <bdi>\u202e</bdi><a href="/_admin/x?y=%22">x</a><input value="&quot;"></p>'), "good");
    const bad = [
      "<script>alert(1)</script>", "<script src=x></script>", "<img src=x>", "<p onclick=\"x\"></p>", "<p style=\"x\"></p>", "<p class='a'></p>", "<p class=a></p>",
      "<style></style>", "<iframe></iframe>", "<p>", "</p>", "<p></b></p>", "1 < 2", "1 > 2", "a\u0000b", "<p>\u202e</p>", "<a href=\"javascript:alert(1)\"></a>",
      "<a href=\" java&#x9;script:alert(1)\"></a>", "<a href=\"//evil.example\"></a>", "<form action=\"https://evil.example/\"></form>", "<button formaction=\"/_admin\"></button>",
      "<meta http-equiv=\"refresh\">", "<p class=\"a\" class=\"b\"></p>", "<P></P>", "<!-- -->", "&nbsp;",
    ];
    for (const body of bad) assert.throws(() => read(page(body), "bad"), assert.AssertionError, body);
    assert.equal(decoded("&lt;&#60;&#x3c;&quot;&amp;lt;"), '<<<"&lt;');
  });
});
