// The webhook and the other routes, as Telegram and a stranger on the internet meet them.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import { chatObject } from "./support/objects.mjs";
import { startWorld } from "./support/world.mjs";

const MIB = 1 << 20;
const HEADER = "x-telegram-bot-api-secret-token";

let world;
let updateId = 5_000_000;
before(async () => (world = await startWorld({ bots: ["main", "work"] })));
after(() => world?.close());

const message = (from, text, extra = {}) => ({
  update_id: ++updateId,
  message: { message_id: updateId % 100_000, date: 1, chat: { id: from, type: "private", first_name: "X" }, from: { id: from, is_bot: false, first_name: "X" }, text, ...extra },
});

/** Posts straight to the Worker. */
async function post(body, { path = "/telegram/main", secret = "main-secret", ...init } = {}) {
  const response = await fetch(world.worker.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(secret !== null && { [HEADER]: secret }) },
    body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
    ...init,
  });
  return { status: response.status, text: await response.text() };
}

/** The status of a request on a connection of its own, which may be answered before its body is sent. */
function statusOf(headers, body) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${world.worker.url}/telegram/main`, { method: "POST", agent: false, headers: { [HEADER]: "main-secret", ...headers } });
    request.once("error", reject).once("response", (response) => {
      resolve(response.statusCode);
      request.off("error", reject).on("error", () => {}).destroy();
    });
    if (body === undefined) request.flushHeaders();
    else request.end(body);
  });
}

describe("who may post", { concurrency: 6 }, () => {
  test("a wrong or missing secret is 401 and tells nothing", async () => {
    const update = message(1001, "hello");
    const answers = [];
    for (const secret of [null, "", "main-secre", "main-secrett", "MAIN-SECRET", "work-secret", "x".repeat(10_000)]) {
      answers.push(await post(update, { secret }));
    }
    for (const answer of answers) {
      assert.equal(answer.status, 401);
      assert.equal(answer.text, answers[0].text, "the same whatever is wrong");
      assert.doesNotMatch(answer.text, /secret|token|main/i);
    }
    assert.equal(world.asked("hello").length, 0);
  });

  test("an unknown bot is 404, also with a valid secret", async () => {
    for (const bot of ["other", "MAIN", "main2", "..%2fmain", "", "a".repeat(40)]) {
      assert.equal((await post(message(1001, "x"), { path: `/telegram/${bot}` })).status, 404, bot);
    }
  });

  test("a second bot has its own secret, people and conversations", async () => {
    assert.equal((await post(message(1002, "x"), { path: "/telegram/work" })).status, 401);
    const [main, work] = [world.person(1002), world.person(1002, "work")];
    await main.talk("To the first bot");
    await work.talk("To the second bot");
    assert.deepEqual(main.texts(), ["Answer to To the first bot"]);
    assert.deepEqual(work.texts(), ["Answer to To the second bot"]);
    const [request] = world.asked("To the second bot");
    assert.ok(!JSON.stringify(request.body).includes("first bot"), "no memory of the other bot's chat");
    chatObject(world.persistTo, "work:1002");
  });
});

describe("what may be posted", { concurrency: 6 }, () => {
  test("what is no update is 400", async () => {
    const bodies = ["", "{", "null", "true", "12", '"update"', "[]", '[{"update_id":1}]', "{}", '{"message":{}}', '{"update_id":null}', '{"update_id":"7"}', '{"update_id":1.5}', '{"update_id":1e400}', '{"update_id":99999999999999999999}'];
    for (const body of bodies) assert.equal((await post(body)).status, 400, body);
    assert.equal((await post(new Uint8Array([0xff, 0xfe, 0x7b]))).status, 400);
  });

  test("more than 1 MiB is 413, with and without a declared length; just below is taken", async () => {
    const big = JSON.stringify(message(1003, "x".repeat(MIB)));
    assert.equal(await statusOf({ "content-length": MIB + 1 }), 413, "refused by its declared length, unread");
    assert.equal(await statusOf({ "transfer-encoding": "chunked" }, big), 413);
    const envelope = { update_id: ++updateId, future_kind: "" };
    envelope.future_kind = "y".repeat(MIB - JSON.stringify(envelope).length);
    assert.equal((await post(envelope)).status, 200);
  });

  test("unknown kinds, and known kinds that do not decode, are accepted and recorded", async () => {
    const bodies = [
      { update_id: ++updateId },
      { update_id: ++updateId, teleport: { anything: [1, 2] } },
      { update_id: ++updateId, message: { nothing: "we know" } },
      { update_id: ++updateId, edited_message: 7 },
      { update_id: ++updateId, callback_query: { id: 1 } },
      { update_id: ++updateId, message_reaction: {} },
    ];
    for (const body of bodies) assert.deepEqual(await post(body), { status: 200, text: "" }, JSON.stringify(body));
    const [directory] = world.objects("Directory");
    const kinds = directory.all("SELECT kind FROM unknown_update WHERE bot = 'main'").map((row) => row.kind);
    for (const kind of ["empty", "teleport", "message", "edited_message", "callback_query", "message_reaction"]) assert.ok(kinds.includes(kind), kind);
  });

  test("a service message and an unreadable one are recorded in the conversation", async () => {
    const from = 1004;
    const person = world.person(from);
    await person.talk("I exist");
    const service = message(from, undefined, { pinned_message: { message_id: 1, date: 0, chat: { id: from, type: "private" } } });
    const future = message(from, undefined, { hologram: { size: 3 } });
    assert.equal((await post(service)).status, 200);
    assert.equal((await post(future)).status, 200);
    await person.until("cannot read this kind of message");
    const rows = chatObject(world.persistTo, `main:${from}`).all("SELECT update_id, outcome FROM inbox WHERE outcome = 'recorded' ORDER BY seq");
    assert.deepEqual(rows.map((row) => row.update_id), [service.update_id, future.update_id]);
    assert.equal(person.replies().length, 2, "nothing is said about a service message");
  });

  test("deep nesting, huge numbers, lone surrogates and other traps neither hang nor fail", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const objects = '{"a":'.repeat(50_000) + "1" + "}".repeat(50_000);
    const whole = (text) => JSON.stringify(message(1005, "@@")).replace('"@@"', text);
    const extra = (json) => JSON.stringify(message(1005, "trap")).replace('"date":1', `"date":1,"trap":${json}`);
    const bodies = [
      extra(deep), extra(objects), extra("1e999999"), extra("-".padEnd(200_000, "9")), extra('{"x":1,"x":2}'),
      whole('"\\ud800"'), whole('"\\udc00\\ud800 tail"'), whole('"\\u0000\\u0001\\u001f"'), whole('"\\u202e\\u2066\\ufeff"'), whole('""'), whole('"' + "\\u0301".repeat(4000) + '"'),
      JSON.stringify(message(1005, "id")).replace(/"message_id":\d+/, '"message_id":1e300'),
      JSON.stringify(message(1005, "chat")).replace('"chat":{"id":1005', '"chat":{"id":99999999999999999999999'),
      JSON.stringify({ ...message(1005, "two kinds"), edited_message: {} }),
      `{"update_id":${++updateId},"update_id":${updateId},"message":${deep}}`,
    ];
    for (const body of bodies) {
      const { status } = await post(body);
      assert.ok(status === 200 || status === 400, `${status} for ${body.slice(0, 200)}`);
    }
    await world.person(1005).settled();
    assert.equal((await fetch(`${world.worker.url}/healthz`)).status, 200);
  });
});

describe("other routes", { concurrency: 6 }, () => {
  const get = async (path, init) => {
    const response = await fetch(world.worker.url + path, { redirect: "manual", ...init });
    return { status: response.status, text: await response.text(), type: response.headers.get("content-type") };
  };

  test("/healthz says that it runs and the version, nothing more", async () => {
    const { status, text, type } = await get("/healthz");
    assert.equal(status, 200);
    assert.match(text, /^\{"status":"ok","version":"\d+\.\d+\.\d+"\}$/);
    assert.match(type, /^application\/json/);
  });

  test("the webhook and /healthz take their method only", async () => {
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) assert.equal((await get("/telegram/main", { method })).status, 405, method);
    assert.equal((await get("/healthz", { method: "POST" })).status, 405);
  });

  test("admin routes are shut and say what to set", async () => {
    for (const path of ["/_admin", "/_admin/", "/_admin/people", "/api/status", "/debug", "/debug/panic/main:1"]) {
      for (const method of ["GET", "POST"]) {
        const { status, text } = await get(path, { method, headers: { authorization: "Bearer undefined" } });
        assert.equal(status, 503, `${method} ${path}`);
        assert.match(text, /CF_ACCESS_TEAM_DOMAIN/);
      }
    }
  });

  test("everything else is 404", async () => {
    for (const path of ["/", "/telegram", "/telegram/main/x", "/v1/models", "/hooks/x", "/relay", "/favicon.ico", "/healthz/x", "/_adminx", "/update", "/access"]) {
      const { status } = await get(path);
      assert.ok(status === 404 || (path.startsWith("/telegram/") && status === 405), `${path}: ${status}`);
    }
    assert.equal((await get("/v1/chat/completions", { method: "POST" })).status, 404);
  });
});

describe("delivered once, answered once", { concurrency: 6 }, () => {
  test("the same update fifty times at once: one model call, one answer", async (t) => {
    const person = world.person(1006);
    await person.talk("I exist");
    const update = message(1006, "fifty times");
    world.ollama.script({ match: "fifty times", answer: "Once.", firstTokenMs: 200, times: 50 });
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(update)));
    t.diagnostic(`50 acks in ${Math.round(performance.now() - began)} ms`);
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
    await person.until("Once.");
    assert.equal((await post(update)).status, 200, "and once more after the answer");
    await person.settled();
    console.log(person.texts(), world.asked("fifty times").map(r=>[r.lastUser,r.aborted,r.status,r.at]));
    assert.equal(person.texts().filter((text) => text === "Once.").length, 1);
    assert.equal(world.asked("fifty times").length, 1);
  });

  test("Telegram gets its 200 while the model hangs", async (t) => {
    const person = world.person(1007);
    await person.talk("Known by now");
    world.ollama.script({ match: "never ends", hangBefore: true });
    const began = performance.now();
    const { status } = await post(message(1007, "never ends"));
    const ms = performance.now() - began;
    t.diagnostic(`ack after ${ms.toFixed(1)} ms`);
    assert.equal(status, 200);
    assert.ok(ms < 2_000);
    await world.ollama.waitFor(() => world.asked("never ends").length === 1);
    person.send("/stop");
    await person.until("Stopped");
  });
});
