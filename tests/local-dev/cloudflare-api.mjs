// Enough of Cloudflare's API for the real, pinned wrangler to put secrets, deploy and list: one account, one Worker. It keeps
// what it is sent. Shapes: what wrangler 4.164 reads (its own source), not all that Cloudflare sends.

import { createServer } from "node:http";

export const ACCOUNT = "a".repeat(32);

const ok = (result, more = {}) => [200, { success: true, errors: [], messages: [], result, ...more }];
const refused = (status, code, message) => [status, { success: false, errors: [{ code, message }], messages: [], result: null }];
const listed = (list) => ok(list, { result_info: { page: 1, per_page: 50, count: list.length, total_count: list.length } });
const NO_WORKER = refused(404, 10007, "This Worker does not exist on your account.");

/** @returns {Promise<{url: string, state: object, uploads: object[], unknown: string[], close: () => void}>} */
export async function startCloudflare({ buckets = [], subdomain = "me" } = {}) {
  const state = { worker: null, buckets };
  const uploads = [];
  const unknown = [];

  function addVersion(annotations, bindings = state.worker.versions.at(-1)?.bindings ?? []) {
    const number = state.worker.versions.length + 1;
    const created_on = new Date(Date.UTC(2026, 10, 22, 0, number)).toISOString();
    state.worker.versions.push({ id: `0000000${number}-0000-4000-8000-000000000000`, number, metadata: { created_on, source: "wrangler" }, annotations, bindings });
  }

  async function upload(request, body) {
    const form = await new Response(body, { headers: { "content-type": request.headers["content-type"] } }).formData();
    const metadata = JSON.parse(form.get("metadata"));
    const first = !state.worker;
    state.worker ??= { secrets: {}, versions: [] };
    if (!first) uploads.push(metadata);
    const before = state.worker.versions.at(-1)?.bindings ?? [];
    const kept = (metadata.keep_bindings ?? []).includes("plain_text") ? before : [];
    const inherited = ({ name }) => before.filter((one) => one.name === name);
    const given = metadata.bindings.flatMap((binding) => (binding.type === "inherit" ? inherited(binding) : [binding]));
    const bindings = [...given, ...kept.filter(({ type, name }) => type === "plain_text" && !given.some((one) => one.name === name))];
    addVersion({ "workers/triggered_by": "upload", ...metadata.annotations }, bindings);
    return ok({ id: "tideclaw", etag: "e", tag: "t", deployment_id: state.worker.versions.at(-1).id.replaceAll("-", ""), startup_time_ms: 3 });
  }

  function putSecrets(body) {
    if (!state.worker) return NO_WORKER;
    Object.assign(state.worker.secrets, JSON.parse(body).secrets);
    addVersion({ "workers/triggered_by": "secret" });
    return ok({});
  }

  const view = ({ bindings, ...version }) => ({ ...version, resources: { script: { handlers: ["fetch"], etag: "e" }, script_runtime: {}, bindings } });
  const ROUTES = [
    ["GET /user/tokens/verify", () => ok({ id: "t", status: "active" })],
    ["GET /user", () => ok({ id: "u", email: "me@example.com" })],
    ["GET /accounts", () => listed([{ id: ACCOUNT, name: "Home" }])],
    ["GET /memberships", () => listed([{ id: "m", account: { id: ACCOUNT, name: "Home" } }])],
    ["GET /r2/buckets", () => ok({ buckets: state.buckets.map((name) => ({ name, creation_date: "2026-11-22T00:00:00Z" })) })],
    ["GET /r2/buckets/*", (_, __, name) => (state.buckets.includes(name) ? ok({ name }) : refused(404, 10006, "The specified bucket does not exist."))],
    ["POST /r2/buckets", (_, body) => {
      const { name } = JSON.parse(body);
      if (state.buckets.includes(name)) return refused(409, 10004, "The bucket you tried to create already exists, and you own it.");
      state.buckets.push(name);
      return ok({ name });
    }],
    ["PATCH /workers/scripts/tideclaw/secrets-bulk", (_, body) => putSecrets(body)],
    ["GET /workers/scripts/tideclaw/secrets", () => (state.worker ? ok(Object.keys(state.worker.secrets).map((name) => ({ name, type: "secret_text" }))) : NO_WORKER)],
    ["GET /workers/scripts/tideclaw/deployments", () => {
      if (!state.worker) return NO_WORKER;
      const newest = { version_id: state.worker.versions.at(-1).id, percentage: 100 };
      return ok({ deployments: [{ id: "d", source: "wrangler", strategy: "percentage", author_email: "me@example.com", created_on: "2026-11-22T00:00:00Z", annotations: {}, versions: [newest] }] });
    }],
    ["GET /workers/scripts/tideclaw/versions", () => ok({ items: state.worker.versions.map(({ bindings, ...version }) => version) })],
    ["GET /workers/scripts/tideclaw/versions/*", (_, __, id) => ok(view(state.worker.versions.find((version) => version.id === id)))],
    ["GET /workers/scripts/tideclaw/settings", () => (state.worker ? ok({ bindings: state.worker.versions.at(-1).bindings }) : NO_WORKER)],
    ["PUT /workers/scripts/tideclaw", upload],
    ["GET /workers/services/tideclaw", () => (state.worker ? ok({ id: "tideclaw", default_environment: { environment: "production", script: { last_deployed_from: "wrangler", tag: "t", tags: null } } }) : refused(404, 10090, "This service does not exist on your account."))],
    ["GET /workers/workers/tideclaw", () => ok({ id: "t", name: "tideclaw", subdomain: { enabled: false, previews_enabled: false } })],
    ["GET /workers/subdomain", () => ok({ subdomain })],
    ["GET /workers/scripts/tideclaw/subdomain", () => ok({ enabled: false, previews_enabled: false })],
    ["POST /workers/scripts/tideclaw/subdomain", () => ok({ enabled: true, previews_enabled: false })],
    ["PUT /workers/scripts/tideclaw/schedules", () => ok({ schedules: [] })],
  ];

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = new URL(request.url, "http://api").pathname.replace("/client/v4", "").replace(`/accounts/${ACCOUNT}/`, "/");
    const name = `${request.method} ${path}`;
    const route = ROUTES.find(([pattern]) => pattern === name) ?? ROUTES.find(([pattern]) => pattern.endsWith("/*") && name.startsWith(pattern.slice(0, -1)));
    if (!route) unknown.push(name);
    const [status, body] = route ? await route[1](request, Buffer.concat(chunks), path.split("/").at(-1)) : refused(404, 7003, `No route for ${path}`);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => (server.closeAllConnections(), server.close());
  return { url: `http://127.0.0.1:${server.address().port}/client/v4`, state, uploads, unknown, close };
}
