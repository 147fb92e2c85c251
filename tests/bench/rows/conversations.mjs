// Row 11: the control plane's list of conversations and its search, over a Directory of 5,000, as the operator's browser
// gets them: token verified, page rendered. The rows are written into the Directory's SQLite file by the schema of
// migrations/directory/, then read through the Worker.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { startIssuer } from "../../../local-dev/access/issuer.mjs";
import { limitRow, noteRow, percentile } from "../figures.mjs";
import { chats, exchange, now } from "../world.mjs";

const MANY = 5_000;
const WORDS = "sea sand stone river forest море песок камень река лес утро вечер bread salt light".split(" ");
const MARK_MS = 100;

/** What is asked for: the list, an old page of it, a search many fit, one that few fit, and one that none does. */
const PAGES = {
  list: "/_admin/conversations",
  "page 50 of it": `/_admin/conversations?before=${encodeURIComponent(`${1_794_000_000_000 + 2_500_000}~main:1`)}`,
  "search, many": "/_admin/conversations?q=%D0%BC%D0%BE%D1%80%D0%B5",
  "search, one": "/_admin/conversations?q=person%204711",
  "search, none": "/_admin/conversations?q=nowhere%20to%20be%20found",
};

export async function conversations({ world, start, newFolder, quick }) {
  const folder = newFolder();
  const issuer = await startIssuer({});
  try {
    let ours = await start("ours", { folder, vars: issuer.vars });
    await exchange(world, ours, chats(1)[0]);
    await world.quiet(200);
    await ours.close();
    await fill(join(folder, "do", "bench-Directory"));

    ours = await start("ours", { folder, vars: issuer.vars });
    const took = Object.fromEntries(Object.keys(PAGES).map((name) => [name, []]));
    const rounds = quick ? 20 : 100;
    for (let round = -3; round < rounds; round++) {
      for (const [name, path] of Object.entries(PAGES)) {
        const began = now();
        const response = await fetch(new URL(path, ours.webhook), { headers: { "cf-access-jwt-assertion": issuer.user() } });
        const html = await response.text();
        if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
        const found = html.split('class="card"').length - 1;
        if (found !== { "search, one": 1, "search, none": 0 }[name] && found !== 50) throw new Error(`${path}: ${found} conversations`);
        if (round >= 0) took[name].push(now() - began);
      }
    }
    const all = Object.entries(took).map(([name, ms]) => ({ name, p50: percentile(ms, 0.5), p95: percentile(ms, 0.95) }));
    return all.flatMap(({ name, p50, p95 }) => [limitRow(`11. ${MANY} conversations: ${name}, p50`, p50, MARK_MS), noteRow(`11. … ${name}, p95`, p95)]);
  } finally {
    await issuer.close();
  }
}

async function fill(objects) {
  const { DatabaseSync } = await import("node:sqlite");
  const file = readdirSync(objects).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  const db = new DatabaseSync(join(objects, file));
  const insert = db.prepare(`INSERT INTO session (name, since, bot, chat_id, title, newest, faces, words, changed_at, updates, turns, outcome)
    VALUES (?, 1, 'main', ?, ?, ?, ?, ?, ?, 40, 20, 'answered')`);
  const said = (index, count) => Array.from({ length: count }, (_, at) => WORDS[(index * 7 + at * (1 + (index % 5))) % WORDS.length]).join(" ");
  db.exec("BEGIN");
  for (let index = 0; index < MANY - 1; index++) {
    const id = 10_000_000 + index;
    insert.run(`main:${id}`, id, `Person ${index}`, said(index, 40), `main:${id} person ${index}`, said(index, 90), 1_794_000_000_000 + index * 1_000);
  }
  db.exec("COMMIT");
  db.close();
}
