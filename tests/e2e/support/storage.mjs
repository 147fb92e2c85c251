// A look into the files of R2 as Miniflare keeps them, and damage to them, while the runtime is not running. Also the loss of
// every Durable Object. Deliberately not here: what the files are.

import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

function files(folder) {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** What is in the bucket: `{ key, size, path }`, by key. */
export function stored(persistTo, prefix = "") {
  const all = files(join(persistTo, "r2"));
  const databases = all.filter((path) => path.endsWith(".sqlite") && !path.endsWith("metadata.sqlite"));
  const found = databases.flatMap((path) => {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    try {
      return db.prepare("SELECT key, size, blob_id AS blob FROM _mf_objects").all();
    } finally {
      db.close();
    }
  });
  const objects = found.map(({ key, size, blob }) => ({ key, size, path: all.find((path) => path.endsWith(blob)) }));
  return objects.filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Changes the bytes of a stored file; a file of another length is what its length says from then on. */
export function damage(persistTo, key, change) {
  const object = stored(persistTo).find((one) => one.key === key);
  const before = readFileSync(object.path);
  const after = change(Buffer.from(before));
  writeFileSync(object.path, after);
  const databases = files(join(persistTo, "r2")).filter((path) => path.endsWith(".sqlite") && !path.endsWith("metadata.sqlite"));
  for (const path of databases) {
    const db = new DatabaseSync(path, { timeout: 5_000 });
    db.prepare("UPDATE _mf_objects SET size = ? WHERE key = ?").run(after.length, key);
    db.close();
  }
  return { undo: () => damage(persistTo, key, () => before) };
}

/** Every Durable Object is gone, with all it kept; storage stays. */
export const loseObjects = (persistTo) => rmSync(join(persistTo, "do"), { recursive: true, force: true });
