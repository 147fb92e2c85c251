// Backups on real workerd: everything lost and brought back, damaged files refused, runs of many invocations, processes killed
// in the middle. In virtual time and byte by byte: src/backup/tests.rs, src/directory/backups/tests.rs, tests/chat/backups.rs.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { chatObject, objectsIn } from "./support/objects.mjs";
import { damage, loseObjects, stored } from "./support/storage.mjs";
import { startWorld } from "./support/world.mjs";

const LONG_MS = 60_000;

const inWorld = (options, work) => async (t) => {
  const world = await startWorld({ access: true, ...options });
  try {
    await work(world, t);
  } finally {
    await world.close();
  }
};

/** Looks until `ready` is true of what the API says. */
async function until(world, path, ready) {
  const end = Date.now() + LONG_MS;
  for (;;) {
    const { json, status, text } = await world.admin(path);
    assert.equal(status, 200, text);
    if (ready(json)) return json;
    assert.ok(Date.now() < end, `still ${text}`);
    await sleep(100);
  }
}

async function backUp(world) {
  const { json, status, text } = await world.admin("/api/backups", { body: {} });
  assert.equal(status, 200, text);
  const view = await until(world, "/api/backups", (view) => view.runs.find((run) => run.id === json.runs[0].id).state !== "open");
  assert.equal(view.runs[0].state, "done");
  return view;
}

async function restore(world, body) {
  const { json, status, text } = await world.admin("/api/backups/restore", { body });
  assert.equal(status, 200, text);
  return until(world, "/api/backups/restore", (view) => view.id === json.id && view.state !== "open");
}

/** Lines of a backup as JSON. */
const lines = (file) => gunzipSync(readFileSync(file.path)).toString().trim().split("\n").map((line) => JSON.parse(line));
const texts = (request) => JSON.stringify(request.body.messages);
const directory = (world) => objectsIn(world.persistTo, "Directory")[0];

describe("backups", { concurrency: 3 }, () => {
  test(
    "everything is lost but storage: a restore brings the conversation back, and the model sees its history",
    inWorld({}, async (world) => {
      const person = world.person(1001);
      await person.talk("My number is 42", "Noted.");
      await person.talk("My colour is teal", "Noted too.");
      const view = await backUp(world);
      assert.equal(view.manifests.length, 1);
      const files = stored(world.persistTo, "backups/");
      assert.deepEqual(files.map(({ key }) => key.replace(/-\d{13}\./, "-T.").slice(19)), ["directory-T.ndjson.gz", "main.1001-T.ndjson.gz", "manifest-T.ndjson.gz"]);
      assert.ok(files.every(({ key }) => /^backups\/\d{4}-\d\d-\d\d\/[a-z0-9_.=]+-\d{13}\.ndjson\.gz$/.test(key)));
      const [header] = lines(files[1]);
      assert.deepEqual([header.format, header.object], [1, "main:1001"]);
      const all = files.map((file) => gunzipSync(readFileSync(file.path)).toString()).join();
      assert.ok(!all.includes("main-secret") && !all.includes("main-token"), "no secret is in a backup");

      await world.worker.kill();
      loseObjects(world.persistTo);
      await world.worker.restart();
      const found = await until(world, "/api/backups", (view) => view.looked);
      assert.deepEqual([found.conversations, found.manifests.length, found.manifests[0].found], [0, 1, true]);
      const said = person.texts().length;
      const restored = await restore(world, { what: "all" });
      assert.deepEqual([restored.state, restored.done, restored.failed, restored.who], ["done", 2, 0, "admin:owner@example.com"]);
      assert.equal(person.texts().length, said, "nothing is said again");

      await person.talk("What do you know of me?", "A number and a colour.");
      const prompt = texts(world.asked("What do you know of me?").at(-1));
      assert.match(prompt, /My number is 42.*Noted\..*My colour is teal.*Noted too\./s);
      // From here on it goes on as before, and no key is written twice.
      const after = await backUp(world);
      assert.equal(after.manifests[0].objects, 2);
      assert.equal(after.unsaved, 0);
    }),
  );

  test(
    "a conversation put back in place forgets what came after, without a restart, and its instance with it",
    inWorld({}, async (world) => {
      const person = world.person(1001);
      await person.talk("The old question", "The old answer.");
      await backUp(world);
      await person.talk("The forgotten question", "The forgotten answer.");
      assert.equal((await restore(world, { what: "conversation", session: "main:1001" })).state, "done");
      await person.talk("The new question", "The new answer.");
      const prompt = texts(world.asked("The new question").at(-1));
      assert.match(prompt, /The old question/);
      assert.doesNotMatch(prompt, /forgotten/);
      const audit = directory(world).all("SELECT who, what FROM audit ORDER BY id").map(({ who, what }) => `${who} ${what}`);
      assert.deepEqual(audit.slice(-2), ["admin:owner@example.com back_up", "admin:owner@example.com restore"]);
    }),
  );

  test(
    "a file in storage that was cut or altered is refused, and nothing is changed",
    inWorld({}, async (world) => {
      const person = world.person(1001);
      await person.talk("The old question", "The old answer.");
      const { usual_manifest: manifest } = await backUp(world);
      await person.talk("Said since", "And answered.");
      await person.settled();
      const messages = () => chatObject(world.persistTo, "main:1001").all("SELECT id, body FROM message ORDER BY id");
      const people = () => directory(world).all("SELECT * FROM session ORDER BY name").map(({ name }) => name);
      const [itself, chat] = stored(world.persistTo, "backups/");
      const before = [messages(), people()];
      const cut = (bytes) => bytes.subarray(0, bytes.length - 20);
      const altered = (bytes) => (bytes[bytes.length >> 1]++, bytes);
      const longer = (bytes) => Buffer.concat([bytes, Buffer.from("x")]);
      const one = { what: "conversation", session: "main:1001" };
      for (const [key, body, expected, ...changes] of [
        [chat.key, one, "partly", cut, altered, longer, () => Buffer.alloc(0)],
        [itself.key, { what: "all" }, "failed", cut, altered],
        [manifest, { what: "all" }, "failed", cut, altered],
      ]) {
        for (const change of changes) {
          await world.worker.kill();
          const { undo } = damage(world.persistTo, key, change);
          await world.worker.restart();
          const view = await restore(world, { ...body, manifest });
          assert.deepEqual([view.state, view.done], [expected, 0], key);
          assert.deepEqual([messages(), people()], before);
          await world.worker.kill();
          undo();
        }
      }
      await world.worker.restart();
      assert.equal((await restore(world, { what: "conversation", session: "main:1001", manifest })).state, "done");
      assert.equal(messages().length, 2);
    }),
  );

  test(
    "a hundred and twenty conversations: several invocations, one list; killed in the middle, it goes on",
    inWorld({}, async (world) => {
      await world.person(1001).talk("Hello", "Hello.");
      await world.worker.kill();
      const add = "INSERT INTO session (name, since, bot, chat_id, title, faces, changed_at) VALUES (?, 1, 'main', ?, 'X', 'x', 5)";
      for (let i = 0; i < 120; i++) directory(world).run(add, `main:${5000 + i}`, 5000 + i);
      await world.worker.restart();
      assert.equal(await world.worker.cron(), 200);
      await until(world, "/api/backups", (view) => view.runs[0]?.done > 20);
      await world.worker.kill();
      await world.worker.restart();
      const view = await until(world, "/api/backups", (view) => view.runs[0].state !== "open");
      assert.deepEqual([view.runs.length, view.runs[0].state, view.runs[0].failed, view.manifests[0].objects], [1, "done", 0, 122]);
      // The one that talked may have told of it since.
      assert.ok(view.unsaved <= 1, `${view.unsaved}`);
      await world.worker.kill();
      const files = stored(world.persistTo, "backups/");
      const listed = lines(files.find(({ key }) => key === view.manifests[0].key)).slice(1, -1).map(({ r }) => r);
      assert.equal(listed.length, 122);
      for (const [object, key, , bytes, rows, sha256] of listed) {
        const file = files.find((one) => one.key === key);
        const all = lines(file);
        assert.deepEqual([all[0].object, file.size, all.at(-1)], [object, bytes, { rows, sha256 }]);
      }
      // The restore of all of them is cut as well.
      loseObjects(world.persistTo);
      await world.worker.restart();
      await until(world, "/api/backups", (found) => found.looked);
      const { status } = await world.admin("/api/backups/restore", { body: { what: "all" } });
      assert.equal(status, 200);
      await until(world, "/api/backups/restore", (one) => one.done > 20);
      await world.worker.kill();
      await world.worker.restart();
      const restored = await until(world, "/api/backups/restore", (one) => one.state !== "open");
      assert.deepEqual([restored.state, restored.total, restored.done], ["done", 122, 122]);
    }),
  );

  test(
    "a large conversation goes up in parts and comes back whole",
    inWorld({}, async (world) => {
      const person = world.person(1001);
      await person.talk("Hello", "Hello.");
      await person.settled();
      await world.worker.kill();
      const chat = chatObject(world.persistTo, "main:1001");
      // Noise does not compress: more than one part of 8 MiB, of rows near their limit.
      const noise = () => randomBytes(1_000_000).toString("base64");
      for (let n = 0; n < 14; n++) chat.run("INSERT INTO step (turn_id, kind, state, started_at, detail) VALUES (0, 'noise', 'done', 1, ?)", noise());
      await world.worker.restart();
      await backUp(world);
      const [, file] = stored(world.persistTo, "backups/");
      assert.ok(file.size > 9 * 1024 * 1024, `${file.size}`);
      await world.worker.kill();
      const sum = () => chatObject(world.persistTo, "main:1001").all("SELECT count(*) AS n, sum(length(detail)) AS l, max(detail) AS m FROM step WHERE kind = 'noise'");
      const before = sum();
      loseObjects(world.persistTo);
      await world.worker.restart();
      await until(world, "/api/backups", (found) => found.looked);
      assert.equal((await restore(world, { what: "all" })).state, "done");
      assert.deepEqual(sum(), before);
    }),
  );
});
