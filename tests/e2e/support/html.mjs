// A strict reader of our own pages: whatever is not exactly how they are written (every attribute in double quotes, every
// bracket of a text escaped, no element or attribute that can act) is thrown as an error. Deliberately not here: what a
// browser would forgive.

import assert from "node:assert/strict";

const ELEMENTS = new Set(
  ("html head meta title link script body a abbr article aside b bdi blockquote br button code datalist dd del details div dl dt em fieldset figcaption figure footer form h1 h2 h3 h4 " +
    "header hr i input ins kbd label legend li main meter nav ol optgroup option output p pre progress s section select small span strong sub summary sup table tbody td textarea tfoot th thead time tr u ul " +
    "svg g rect line path polyline circle text").split(" "),
);
const EMPTY = new Set(["br", "hr", "input", "link", "meta"]);
/** Attributes that hold an address. */
const ADDRESSES = new Set(["href", "src", "action", "formaction", "data", "poster", "cite", "ping", "background", "xlink:href"]);
const SCRIPT = '<script src="/_admin/script.js" defer></script>';
/** Text of somebody else must not turn what stands around it: only here may marks of direction stand. */
const ISOLATED = new Set(["bdi", "pre", "textarea", "option", "title"]);
const DIRECTION = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/;

const ENTITIES = { lt: "<", gt: ">", amp: "&", quot: '"' };

/** Text as it was before it was escaped. */
export const decoded = (text) =>
  text.replace(/&(#\d+|#x[0-9a-f]+|\w+);?/gi, (whole, name) => {
    if (name[0] === "#") return String.fromCodePoint(name[1] === "x" ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1)));
    return ENTITIES[name] ?? assert.fail(`an entity we do not write: ${whole}`);
  });

/** An address of ours, or the icon; never one that runs. */
function checkAddress(value, tag, what) {
  const bare = value.replace(/[\s\u0000-\u001f\u007f-\u009f\u200b-\u200f]/g, "").toLowerCase();
  if (tag === "link" && bare.startsWith("data:image/svg+xml,")) return;
  assert.ok(!/^[a-z][a-z0-9+.-]*:/.test(bare) || bare.startsWith("https://"), `${what}: ${tag} leads to ${value}`);
  assert.ok(/^(\/(_admin|api)([/?#]|$)|#|\?|https:\/\/(t\.me|core\.telegram\.org|developers\.cloudflare\.com)\/)/.test(value), `${what}: ${tag} leads to ${value}`);
}

/**
 * Reads a page; throws at the first thing that is not as it has to be. `what`: where it came from.
 * Resolves to `{ links, texts }`: addresses of links, and all text and attributes as people see them.
 */
export function read(html, what) {
  const excerpt = (at) => JSON.stringify(html.slice(Math.max(0, at - 80), at + 120));
  assert.ok(html.startsWith("<!DOCTYPE html><html lang="), `${what}: ${excerpt(0)}`);
  assert.ok(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(html), `${what}: a control character`);
  assert.equal(html.split("<script").length - 1, html.split(SCRIPT).length - 1, `${what}: a script that is not ours`);
  const [open, links, texts] = [[], [], []];
  let at = "<!DOCTYPE html>".length;
  while (at < html.length) {
    if (html[at] !== "<") {
      const end = html.indexOf("<", at);
      const text = html.slice(at, end < 0 ? undefined : end);
      assert.ok(!text.includes(">"), `${what}: a bracket that is not escaped: ${excerpt(at)}`);
      const seen = decoded(text);
      const apart = open.some(({ name, dir }) => ISOLATED.has(name) || dir === "auto");
      assert.ok(apart || !DIRECTION.test(seen), `${what}: a mark of direction in the open: ${excerpt(at)}`);
      texts.push(seen);
      at += text.length;
      continue;
    }
    const tag = /^<(\/?)([a-z][a-z0-9]*)((?: [a-zA-Z0-9-]+(?:="[^"<>]*")?)*)>/.exec(html.slice(at, at + 100_000));
    assert.ok(tag, `${what}: not a tag we write: ${excerpt(at)}`);
    const [whole, closes, name, list] = tag;
    assert.ok(ELEMENTS.has(name), `${what}: ${name}: ${excerpt(at)}`);
    at += whole.length;
    if (closes) {
      const inner = open.pop();
      assert.equal(inner?.name, name, `${what}: ${name} is closed in ${inner?.name}: ${excerpt(at)}`);
      continue;
    }
    const attributes = {};
    for (const [, key, value = ""] of list.matchAll(/ ([a-zA-Z0-9-]+)(?:="([^"]*)")?/g)) {
      assert.ok(!(key in attributes), `${what}: ${key} twice: ${whole}`);
      assert.ok(!/^on/i.test(key) && !["style", "srcdoc", "http-equiv", "formaction", "target", "is"].includes(key.toLowerCase()), `${what}: ${whole}`);
      attributes[key] = decoded(value);
      texts.push(attributes[key]);
      if (ADDRESSES.has(key)) checkAddress(attributes[key], name, what);
    }
    if (name === "a" && attributes.href) links.push(attributes.href);
    if (!EMPTY.has(name)) open.push({ name, dir: attributes.dir });
  }
  assert.deepEqual(open, [], `${what}: not closed`);
  return { links, texts };
}
