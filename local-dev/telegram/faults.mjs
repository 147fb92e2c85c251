// Rules that make calls fail on purpose: a queue of rules, the first that fits a call is used up by it.
// Deliberately not here: faults of the webhook side (those are made by the Worker under test) and of models.
//
// Rule: {method?, chat?, bot?, times = 1, skip = 0, action}. Actions:
//   'cutBefore'            the socket is destroyed before the call acts
//   'cutAfter'             the call acts, then the socket is destroyed
//   {delayMs}              acts after a delay
//   {hangMs, acts?}        no answer for hangMs, then the socket is destroyed; acts: true = it acted before hanging
//   {status, body?, headers?}  this answer instead of acting (body: object or string)
//   {retryAfter: n}        429 with parameters.retry_after
//   {unauthorized: true}   401
// The download of a file is a call of method 'download'; 'cutAfter' cuts it in the middle.

import { ApiError, tooMany, unauthorized } from './errors.mjs';

const DESCRIPTIONS = { 400: 'Bad Request: fault', 401: 'Unauthorized', 403: 'Forbidden: bot was blocked by the user', 404: 'Not Found', 500: 'Internal Server Error', 502: 'Bad Gateway' };

export class Faults {
  #rules = [];

  add(...rules) {
    for (const rule of rules.flat()) this.#rules.push({ times: 1, skip: 0, ...rule });
    return this.list();
  }

  list() {
    return this.#rules.map((rule) => ({ ...rule }));
  }

  clear() {
    this.#rules = [];
  }

  /** The action for a call, or null. */
  take(method, params, bot) {
    for (const rule of this.#rules) {
      const fits = (rule.method === undefined || rule.method === method) && (rule.chat === undefined || String(rule.chat) === String(params.chat_id)) && (rule.bot === undefined || rule.bot === bot.id);
      if (!fits) continue;
      if (rule.skip > 0) {
        rule.skip -= 1;
        continue;
      }
      rule.times -= 1;
      if (rule.times <= 0) this.#rules = this.#rules.filter((r) => r !== rule);
      return rule.action;
    }
    return null;
  }
}

/** The answer an action stands for, or null if the call is to act. @returns {{status: number, body: object|string, headers?: object}|null} */
export function answerOf(action) {
  if (action?.retryAfter !== undefined) return { status: 429, body: tooMany(action.retryAfter).body() };
  if (action?.unauthorized) return { status: 401, body: unauthorized().body() };
  if (action?.status !== undefined) {
    const body = action.body ?? new ApiError(action.status, DESCRIPTIONS[action.status] ?? 'Error').body();
    return { status: action.status, body, headers: action.headers };
  }
  return null;
}
