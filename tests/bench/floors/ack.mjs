// Floor (a): the least that makes an update durable and answers. One row and one alarm, then 200; nothing is done with it.

import { DurableObject } from "cloudflare:workers";

/** The alarm never goes off during a measurement: only setting it is paid for. */
const LATER_MS = 3_600_000;

export class Chat extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS inbox (update_id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  }

  async fetch(request) {
    const body = await request.text();
    this.ctx.storage.sql.exec("INSERT OR IGNORE INTO inbox VALUES (?, ?)", JSON.parse(body).update_id, body);
    this.ctx.storage.setAlarm(Date.now() + LATER_MS);
    return new Response();
  }

  async alarm() {}
}

export default {
  async fetch(request, env) {
    if (request.headers.get("x-telegram-bot-api-secret-token") !== env.TELEGRAM_WEBHOOK_SECRET) return new Response(null, { status: 401 });
    const body = await request.text();
    const { chat } = JSON.parse(body).message;
    return env.CHAT.getByName(`main:${chat.id}`).fetch("https://object/", { method: "POST", body });
  },
};
