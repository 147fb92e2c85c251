// A look into the SQLite files of Durable Objects, beside the runtime that has them open, and a change to them while
// none has. Deliberately not here: what the tables mean (migrations/).

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The objects of a class that have ever been made, by name of their session or file. `kind`: "Chat" or "Directory". */
export function objectsIn(persistTo, kind) {
  const folder = join(persistTo, "do", `tideclaw-${kind}`);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  return names.map((name) => new ObjectFile(join(folder, name)));
}

export class ObjectFile {
  constructor(path) {
    this.path = path;
  }

  /** Rows of a query as plain objects. */
  all(query, ...params) {
    return this.#with({ readOnly: true }, (db) => db.prepare(query).all(...params).map((row) => ({ ...row })));
  }

  /** Changes the tables. Only while the runtime is not running. */
  run(query, ...params) {
    return this.#with({}, (db) => db.prepare(query).run(...params).changes);
  }

  #with(options, work) {
    const db = new DatabaseSync(this.path, { ...options, timeout: 5_000 });
    try {
      return work(db);
    } finally {
      db.close();
    }
  }

  /** The name of a Chat object's conversation. */
  get session() {
    const [row] = this.all("SELECT value FROM setting WHERE key = 'settings'");
    return row && JSON.parse(row.value).session;
  }
}

/** The Chat object of one conversation. */
export function chatObject(persistTo, session) {
  const found = objectsIn(persistTo, "Chat").find((object) => object.session === session);
  if (!found) throw new Error(`no Chat object is called ${session}`);
  return found;
}
