// Floor (b): the smallest bot that loses nothing. As floor (a), then the alarm asks the model, reads its stream to the end
// and sends one message. No history, no drafts, no retries, no admission.

import { DurableObject } from "cloudflare:workers";

export class Chat extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS inbox (update_id INTEGER PRIMARY KEY, body TEXT NOT NULL, answer TEXT)");
  }

  async fetch(request) {
    const body = await request.text();
    this.ctx.storage.sql.exec("INSERT OR IGNORE INTO inbox (update_id, body) VALUES (?, ?)", JSON.parse(body).update_id, body);
    this.ctx.storage.setAlarm(Date.now());
    return new Response();
  }

  async alarm() {
    const rows = this.ctx.storage.sql.exec("SELECT update_id, body FROM inbox WHERE answer IS NULL ORDER BY update_id").toArray();
    for (const { update_id, body } of rows) {
      const { chat, text } = JSON.parse(body).message;
      const answer = await this.ask(text);
      const sent = await fetch(`${this.env.TELEGRAM_API_BASE}/bot${this.env.TELEGRAM_BOT_TOKEN}/sendMessage`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ chat_id: chat.id, text: answer }),
      });
      if (!(await sent.json()).ok) throw new Error("not sent");
      this.ctx.storage.sql.exec("UPDATE inbox SET answer = ? WHERE update_id = ?", answer, update_id);
    }
  }

  async ask(text) {
    const response = await fetch(`${this.env.OLLAMA_BASE_URL}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "bench", stream: true, messages: [{ role: "user", content: text }] }),
    });
    let answer = "";
    let rest = "";
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop();
      for (const line of lines) answer += JSON.parse(line).message.content;
    }
    return answer;
  }
}

export default {
  async fetch(request, env) {
    if (request.headers.get("x-telegram-bot-api-secret-token") !== env.TELEGRAM_WEBHOOK_SECRET) return new Response(null, { status: 401 });
    const body = await request.text();
    const { chat } = JSON.parse(body).message;
    return env.CHAT.getByName(`main:${chat.id}`).fetch("https://object/", { method: "POST", body });
  },
};
