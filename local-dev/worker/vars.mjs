// The user's `.dev.vars`.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../setup/paths.mjs";

const LINE = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/;

/** `.dev.vars` as `{ values }`: name to value, blank ones left out. One line a value, as in `.dev.vars.example`. */
export function readUserVars(file = join(root, ".dev.vars")) {
  const values = {};
  if (!existsSync(file)) return { values };
  for (const line of readFileSync(file, "utf8").split(/\r?\n/)) {
    const [, name, text] = LINE.exec(line) ?? [];
    const value = text && unquote(text);
    if (value) values[name] = value;
  }
  return { values };
}

function unquote(text) {
  const quoted = /^(["'`])(.*)\1(?:\s+#.*)?$/.exec(text);
  return quoted ? quoted[2] : text.replace(/(^|\s+)#.*$/, "");
}

/** The reverse: one line a value, quoted so that wrangler reads back exactly the value. */
export function formatVars(values) {
  return Object.entries(values)
    .map(([name, value]) => {
      const quote = ["'", '"', "`"].find((mark) => !value.includes(mark));
      if (!quote || /[\r\n]/.test(value)) throw new Error(`${name}: a value with line breaks or all three kinds of quotes`);
      return `${name}=${quote}${value}${quote}\n`;
    })
    .join("");
}
