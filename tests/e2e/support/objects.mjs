// A look into the SQLite files of Durable Objects, beside the runtime that has them open, and a change to them while
// none has. Deliberately not here: what the tables mean (migrations/).

import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** workerd counts alarms in nanoseconds. */
const NS = 1_000_000n;

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

  /** When the object's alarm goes off, Unix milliseconds; null if it has none. */
  get alarm() {
    const find = (db) => {
      const query = db.prepare("SELECT scheduled_time AS at FROM _cf_ALARM WHERE actor_id = ?");
      query.setReadBigInts(true);
      return query.get(this.#id);
    };
    const row = this.#with({ readOnly: true }, find, this.#alarms);
    return row ? Number(row.at / NS) : null;
  }

  /** Moves the alarm, in both places where workerd keeps it. Only while the runtime is not running. */
  set alarm(at) {
    const ns = BigInt(at) * NS;
    this.#with({}, (db) => db.prepare("UPDATE _cf_ALARM SET scheduled_time = ? WHERE actor_id = ?").run(ns, this.#id), this.#alarms);
    this.run("UPDATE _cf_METADATA SET value = ? WHERE key = 1", ns);
  }

  get #id() {
    return basename(this.path, ".sqlite");
  }

  get #alarms() {
    return join(dirname(this.path), "metadata.sqlite");
  }

  #with(options, work, path = this.path) {
    const db = new DatabaseSync(path, { ...options, timeout: 5_000 });
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
