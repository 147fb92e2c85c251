// The set-up's own parts: child processes, locks, ports, variables, and how results are counted.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { countCargo, countNode } from "../../local-dev/checks.mjs";
import { fileState, fingerprint, takeLock, withLock } from "../../local-dev/setup/cache.mjs";
import { cache, root } from "../../local-dev/setup/paths.mjs";
import { Failure, run } from "../../local-dev/setup/process.mjs";
import { freePort, onFreePort } from "../../local-dev/worker/ports.mjs";
import { formatVars, readUserVars } from "../../local-dev/worker/vars.mjs";

const folder = mkdtempSync(join(tmpdir(), "tideclaw-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

test("a failed program is reported with its name, code and the end of its output", async () => {
  const script = "for (let i = 0; i < 100; i++) console.log(`line ${i}`); process.exit(3)";
  const error = await run(process.execPath, ["-e", script], { name: "the test program" }).catch((error) => error);
  assert(error instanceof Failure);
  assert.match(error.message, /^the test program: ended with code 3\. The end of its output:\n  line 70\n/);
  assert.match(error.message, /line 99\nAll of its output: \.cache\/logs\/the-test-program\.log$/);
});

test("a program that is missing is said to be", async () => {
  await assert.rejects(run("no-such-program", []), { message: "no-such-program: not found." });
});

test("a deadline ends a program together with its children", async () => {
  const file = join(folder, "late");
  const command = `(sleep 1.5; touch '${file}') & sleep 60`;
  const began = Date.now();
  await assert.rejects(run("sh", ["-c", command], { name: "sleeper", deadline: 300 }), /^Error: sleeper: took longer than 0 s/);
  assert(Date.now() - began < 1_400);
  await new Promise((resolve) => setTimeout(resolve, 1_800));
  assert(!existsSync(file));
});

test("a program that shows no progress is given up early", async () => {
  const progress = { pattern: /downloading/, deadline: 300, what: "no answer" };
  const { timedOut } = await run("sh", ["-c", "echo connecting; sleep 60"], { check: false, progress });
  assert.equal(timedOut, "no answer within 0 s");
  const { code } = await run("sh", ["-c", "echo downloading; sleep 0.5"], { check: false, progress });
  assert.equal(code, 0);
});

test("a lock admits one at a time and is taken over from a process that is gone", async () => {
  const name = `test-${process.pid}`;
  const order = [];
  const hold = (id) =>
    withLock(name, async () => {
      order.push(`${id} in`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push(`${id} out`);
    });
  await Promise.all([hold("a"), hold("b")]);
  assert.deepEqual(order, ["a in", "a out", "b in", "b out"]);

  const release = await takeLock(name);
  await assert.rejects(takeLock(name, { busy: "already running" }), { message: "already running" });
  release();

  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(join(cache, `${name}.lock`), String(gone));
  assert.equal(await withLock(name, async () => "taken over"), "taken over");
});

test("a lock is let go when its owner is interrupted", async () => {
  const name = `interrupted-${process.pid}`;
  const modules = ["cache", "process"].map((part) => JSON.stringify(pathToFileURL(join(root, `local-dev/setup/${part}.mjs`))));
  const script = `
    const { withLock } = await import(${modules[0]}); const { program } = await import(${modules[1]});
    await program(() => withLock("${name}", async () => { console.log("held"); await new Promise((done) => setTimeout(done, 60_000)); }));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGINT");
  const [code] = await new Promise((resolve) => child.once("exit", (...args) => resolve(args)));
  assert.equal(code, 130);
  assert(!existsSync(join(cache, `${name}.lock`)));
});

test("a port in use is passed over", async () => {
  const first = await freePort(23_000);
  const server = createServer();
  await new Promise((resolve) => server.listen(first, "127.0.0.1", resolve));
  try {
    assert.notEqual(await freePort(first), first);
    await assert.rejects(onFreePort(first, () => Promise.reject(new Error("other"))), { message: "other" });
  } finally {
    server.close();
  }
});

test("variables survive writing and reading", () => {
  const file = join(folder, ".dev.vars");
  const values = { PLAIN: "abc", SPACES: "a b  c", HASH: "a #b", QUOTES: `it's "so"`, URL: "https://x.example/?a=b&c=d", SINGLE: "it's" };
  writeFileSync(file, formatVars(values));
  assert.deepEqual(readUserVars(file).values, values);
  assert.throws(() => formatVars({ BAD: "a\nb" }), /BAD/);
});

test("blank variables and comments count as absent", () => {
  const file = join(folder, "other.vars");
  writeFileSync(file, "# A=1\nB=\nC= \nD=\"\"\nE=x # why\nexport F=y\nG=#h\nH=a#b\n");
  assert.deepEqual(readUserVars(file).values, { E: "x", F: "y", H: "a#b" });
});

test("the example of .dev.vars sets nothing by itself", () => {
  assert.deepEqual(readUserVars(join(root, ".dev.vars.example")).values, {});
});

test("cargo's results are summed", () => {
  const output = `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.0s
test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out`;
  assert.deepEqual(countCargo({ code: 101, output }), { passed: 5, failed: 2, skipped: 1, output });
  assert.equal(countCargo({ code: 101, output: "error: could not compile" }).failed, 1);
  assert.throws(() => countCargo({ code: 0, output: "" }), Failure);
});

test("node's results are read from the end of its report", () => {
  const output = "✔ says ℹ pass 9 in passing\nℹ tests 5\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\n";
  const { passed, failed, skipped } = countNode({ code: 1, output });
  assert.deepEqual({ passed, failed, skipped }, { passed: 2, failed: 2, skipped: 1 });
});

test("fingerprints and file states change with their subject", () => {
  assert.notEqual(fingerprint("ab", "c"), fingerprint("a", "bc"));
  const file = join(folder, "state");
  assert.equal(fileState(file), "absent");
  writeFileSync(file, "1");
  const before = fileState(file);
  writeFileSync(file, "22");
  assert.notEqual(fileState(file), before);
});

test("no file names a registry's host", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  for (const [name, { resolved }] of Object.entries(lock.packages)) assert.equal(resolved, undefined, name);
});
