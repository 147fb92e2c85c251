// Telegram's side of a deployment: whose token it is, the webhook, the command menus.
//
// telegram.json has what the Worker understands; a test in src/telegram/update.rs keeps the two equal. The token is part of
// an address: no address and no cause of a network error leaves this file.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../setup/process.mjs";

export const expected = JSON.parse(readFileSync(new URL("telegram.json", import.meta.url), "utf8"));

const DEADLINE_MS = 20_000;
/** A new host name may not be known everywhere yet. */
const HOST_TRIES = 4;
const HOST_PAUSE_MS = 5_000;

/** Telegram said no. `description` is Telegram's. */
export class Refused extends Failure {
  constructor(method, status, description) {
    super(`Telegram refused ${method}: ${description} (${status})`);
    Object.assign(this, { method, status, description });
  }
}

/** A door to the Bot API for one token. */
export function openTelegram({ token, base = "https://api.telegram.org", hostPauseMs = HOST_PAUSE_MS }) {
  async function call(method, params = {}) {
    let status, body;
    try {
      const response = await fetch(`${base.replace(/\/$/, "")}/bot${token}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(params),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      status = response.status;
      body = await response.json();
    } catch (error) {
      const reason = error.name === "TimeoutError" ? `no answer within ${DEADLINE_MS / 1000} s` : (error.cause?.code ?? error.name);
      throw new Failure(`Telegram cannot be reached (${method}): ${reason}.`);
    }
    if (!body.ok) throw new Refused(method, status, String(body.description ?? "no reason given"));
    return body.result;
  }

  return {
    me: () => call("getMe"),
    webhook: () => call("getWebhookInfo"),

    /** Points the webhook at `url`. */
    async setWebhook(url, secret) {
      const params = { url, secret_token: secret, allowed_updates: expected.allowed_updates, max_connections: expected.max_connections };
      for (let attempt = 1; ; attempt++) {
        try {
          return await call("setWebhook", params);
        } catch (error) {
          const early = error instanceof Refused && /resolve host|getaddrinfo|Connection (?:refused|timed out)/i.test(error.description);
          if (!early || attempt === HOST_TRIES) throw error;
          await sleep(hostPauseMs);
        }
      }
    },

    /** Sets the menus that differ; returns how many did. */
    async setCommands() {
      let changed = 0;
      for (const [language, commands] of Object.entries(expected.commands)) {
        const where = language ? { language_code: language } : {};
        const known = await call("getMyCommands", where);
        if (JSON.stringify(known.map(({ command, description }) => [command, description])) === JSON.stringify(commands.map(({ command, description }) => [command, description]))) continue;
        await call("setMyCommands", { commands, ...where });
        changed++;
      }
      return changed;
    },
  };
}

/** What is different about a webhook from what it should be: any of `url`, `updates`, `connections`, `refused`. */
export function webhookFaults(info, url) {
  const faults = [];
  const sorted = (list) => [...(list ?? [])].sort().join();
  if (info.url !== url) faults.push("url");
  if (sorted(info.allowed_updates) !== sorted(expected.allowed_updates)) faults.push("updates");
  if (info.max_connections !== expected.max_connections) faults.push("connections");
  // The Worker has another secret than the one Telegram sends.
  if (/401|Unauthorized/i.test(info.last_error_message ?? "") && info.pending_update_count > 0) faults.push("refused");
  return faults;
}
