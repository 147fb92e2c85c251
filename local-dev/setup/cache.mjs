// What set-up remembers between runs: small JSON records in `.cache/`, and a lock so that two runs do not collide.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cache } from "./paths.mjs";
import { Failure } from "./process.mjs";

/** Longest wait for another run: a first set-up on a slow machine. */
const LOCK_MS = 30 * 60_000;

const recordFile = (name) => join(cache, `${name}.json`);

/** The record called `name`, or undefined if there is none that can be read. */
export function readRecord(name) {
  try {
    return JSON.parse(readFileSync(recordFile(name), "utf8"));
  } catch {
    return undefined;
  }
}

export function writeRecord(name, value) {
  writeFileSafely(recordFile(name), `${JSON.stringify(value, null, 2)}\n`);
}

/** Writes through a temporary file, so that an interrupted run leaves the old content; keeps an equal file as it is. */
export function writeFileSafely(file, text, mode = 0o644) {
  try {
    if (readFileSync(file, "utf8") === text) return;
  } catch {
    // Not there yet.
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}

/** A short fingerprint of the given strings and buffers. */
export function fingerprint(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** Changes when the file is replaced; "absent" if it is not there. */
export function fileState(file) {
  try {
    const { mtimeMs, size } = statSync(file);
    return `${size}@${mtimeMs}`;
  } catch {
    return "absent";
  }
}

/** Runs `work` while no other process holds the lock `name`. */
export async function withLock(name, work) {
  const release = await takeLock(name);
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * Takes the lock `name`; returns what lets it go, which the end of this process does too. A lock whose owner is gone is
 * taken over. While another holds it: waits, or with `busy` fails with that message.
 */
export async function takeLock(name, { busy } = {}) {
  const file = join(cache, `${name}.lock`);
  const limit = Date.now() + LOCK_MS;
  mkdirSync(cache, { recursive: true });
  let told = false;
  while (!create(file)) {
    if (!alive(file)) {
      rmSync(file, { force: true });
      continue;
    }
    if (busy) throw new Failure(busy);
    if (Date.now() > limit) throw new Failure(`Another run still holds ${file}. If there is none, delete it.`);
    if (!told) console.log(`Waiting for another run to finish (${name})…`);
    told = true;
    await sleep(200);
  }
  const release = () => {
    process.off("exit", release);
    rmSync(file, { force: true });
  };
  process.once("exit", release);
  return release;
}

function create(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function alive(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    // An owner that has not written its number yet counts as alive for a moment.
    if (!pid) return Date.now() - statSync(file).mtimeMs < 2_000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
