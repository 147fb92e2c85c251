// Runs the set-up wizard as a program with a stand-in for wrangler and no build, for operate-setup.test.mjs.

import { readFileSync, writeFileSync } from "node:fs";
import { main } from "../../local-dev/operate/setup.mjs";
import { program } from "../../local-dev/setup/process.mjs";
import { fileURLToPath } from "node:url";

const file = `${process.env.FAKE_WRANGLER}.record`;
const records = {
  read() {
    try {
      return JSON.parse(readFileSync(file, "utf8"));
    } catch {
      return undefined;
    }
  },
  write: (record) => writeFileSync(file, JSON.stringify(record)),
};

await program(() =>
  main({
    argv: process.argv.slice(2),
    wranglerCommand: [process.execPath, fileURLToPath(new URL("fake-wrangler.mjs", import.meta.url))],
    build: async () => process.env.FAKE_BUILD ?? "tideclaw-0001",
    packages: async () => {},
    records,
    pauses: { healthyMs: 3_000, hostPauseMs: 20 },
  }),
);
