// What only a look from outside shows: TLS, whether Access stands where it should and nowhere else, which release answers.
//
// Not here: what the Worker finds out about itself (GET /api/doctor).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../setup/paths.mjs";

const DEADLINE_MS = 15_000;
const GUARDED = ["/_admin", "/api", "/debug"];
/** Spellings that a server in front might read as a guarded path (src/admin/paths.rs). */
const TRICKS = ["//_admin", "/_ADMIN", "/%5Fadmin", "/_admin%2Fpeople", "/Api/whoami", "/%61pi/whoami"];
/** Of an error in the certificate; others are of the network. */
const CERTIFICATE = /^(?:CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_SSL)/;

/** An answer, not followed: `{ status, ours, location }`, or `{ failed }`. */
async function ask(base, path, { method = "GET", deadlineMs = DEADLINE_MS } = {}) {
  try {
    // As it is: the URL parser would fold what is to be tried.
    const response = await fetch(base + path, { method, redirect: "manual", signal: AbortSignal.timeout(deadlineMs), ...(method === "POST" && { body: "{}", headers: { "content-type": "application/json" } }) });
    const text = (await response.text()).slice(0, 10_000);
    const body = parsed(text);
    return { status: response.status, body, ours: Boolean(body?.error?.code ?? (body?.status && body?.version)), location: response.headers.get("location") ?? "" };
  } catch (error) {
    return { failed: error.name === "TimeoutError" ? `no answer within ${deadlineMs / 1000} s` : (error.cause?.code ?? error.name) };
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const isLocal = (url) => /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(new URL(url).hostname);

/** Findings about the Worker at `url`, in the shape of /api/doctor. */
export async function lookFromOutside(url, { words, deadlineMs }) {
  const finding = (id, severity, name, values, subject) => ({ id, group: "outside", severity, ...(subject && { subject }), ...words(name, values) });
  const health = await ask(url, "/healthz", { deadlineMs });
  if (health.failed) {
    const name = CERTIFICATE.test(health.failed) ? "badCertificate" : "unreachable";
    return [finding("reachable", "error", name, { reason: health.failed })];
  }
  const [guarded, tricks, webhook, relay] = await Promise.all([
    Promise.all(GUARDED.map((path) => ask(url, path, { deadlineMs }))),
    Promise.all(TRICKS.map((path) => ask(url, path, { deadlineMs }))),
    ask(url, "/telegram/main", { method: "POST", deadlineMs }),
    ask(url, "/relay", { deadlineMs }),
  ]);
  const findings = [];
  const isUp = health.status === 200 && health.ours;
  findings.push(isUp ? finding("reachable", "ok", "healthy", { version: health.body.version }) : finding("reachable", "error", "unhealthy", { status: health.status }));
  if (isLocal(url)) findings.push(finding("tls", "ok", "localConnection"));
  else findings.push(url.startsWith("https:") ? finding("tls", "ok", "encrypted") : finding("tls", "error", "unencrypted"));
  if (isUp) findings.push(release(finding, health.body.version));
  GUARDED.forEach((path, i) => findings.push(guard(finding, path, guarded[i])));

  const through = TRICKS.findIndex((_, i) => tricks[i].status >= 200 && tricks[i].status < 300);
  findings.push(through < 0 ? finding("tricks", "ok", "noTricks") : finding("tricks", "error", "trick", { path: TRICKS[through], status: tricks[through].status }));
  if (webhook.failed) findings.push(finding("webhook_open", "error", "unreachable", { reason: webhook.failed }));
  else if (webhook.status === 401 && webhook.ours) findings.push(finding("webhook_open", "ok", "webhookShut"));
  else findings.push(finding("webhook_open", "error", webhook.ours ? "webhookOdd" : "webhookBlocked", { status: webhook.status }));
  findings.push(relayRoute(finding, relay));
  return findings;
}

/** The way in for relays, seen by somebody without the token. */
function relayRoute(finding, { failed, status, ours }) {
  if (failed) return finding("relay_open", "error", "unreachable", { reason: failed });
  if (ours && status === 401) return finding("relay_open", "ok", "relayShut");
  if (ours && status === 404) return finding("relay_open", "ok", "relayUnset");
  return finding("relay_open", "error", "relayBlocked", { status });
}

function release(finding, theirs) {
  const ours = /^version = "(.+)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"))?.[1];
  return theirs === ours ? finding("release", "ok", "sameVersion") : finding("release", "warning", "otherVersion", { theirs, ours });
}

/** A guarded path seen by somebody without a token. Access answers for it, or the Worker refuses by itself. */
function guard(finding, path, answer) {
  if (answer.failed) return finding("access_covers", "error", "unreachable", { reason: answer.failed }, path);
  const { status, ours, location } = answer;
  if (status === 503 && ours) return finding("access_covers", "error", "notConfigured", {}, path);
  if (status === 401 && ours) return finding("access_covers", "warning", "uncovered", { status }, path);
  const signIn = status >= 301 && status <= 307 && /cloudflareaccess\.com|\/cdn-cgi\/access\//.test(location);
  if (signIn || ((status === 401 || status === 403) && !ours)) return finding("access_covers", "ok", "covered", {}, path);
  return finding("access_covers", "error", "open", { status }, path);
}

/** What the Worker finds: GET /api/doctor with a service token. */
export async function askWorker(url, { words, lang, service, deadlineMs = 30_000 }) {
  const finding = (severity, name, values) => [{ id: "api", group: "outside", severity, ...words(name, values) }];
  if (!service?.id || !service?.secret) return finding("info", "noToken");
  let response;
  try {
    const headers = { "cf-access-client-id": service.id, "cf-access-client-secret": service.secret };
    response = await fetch(`${url}/api/doctor?lang=${lang}`, { headers, redirect: "manual", signal: AbortSignal.timeout(deadlineMs) });
  } catch (error) {
    return finding("error", "unreachable", { reason: error.cause?.code ?? error.name });
  }
  const body = parsed(await response.text());
  if (response.status === 200 && Array.isArray(body?.findings)) return body.findings;
  const { status } = response;
  if (status === 503 && body?.error?.code === "access_not_configured") return finding("error", "notConfigured");
  return finding("error", [301, 302, 303, 307, 401, 403].includes(status) ? "tokenRefused" : "odd", { status });
}
