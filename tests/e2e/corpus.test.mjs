// Ten thousand Markdown texts as the Rust renderer cuts them, judged by the emulator's own reading of Telegram's rules:
// none is refused, none loses a visible character. Some go the whole way, from a model's answer to a person's screen.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cleanText, checkMessage } from "../../local-dev/telegram/check-message.mjs";
import { root } from "../../local-dev/setup/paths.mjs";
import { setUpNativeRust } from "../../local-dev/setup/native-rust.mjs";
import { run } from "../../local-dev/setup/process.mjs";
import { OWNERS, SOON_MS, startWorld } from "./support/world.mjs";

const TEXTS = 10_000;
/** Every so many-th text is sent for real. */
const SAMPLE_EVERY = 50;
/** What a person sees nothing of, or Telegram drops on the way in. */
const BLANK = /[\s\p{Cc}\p{Cf}\u{115f}\u{180e}\u{2800}\u{030a}\u{0333}\u{033f}\u{2028}-\u{202e}]/gu;
const visible = (text) => text.replace(BLANK, "");

/** Whether the answer is shown only in part and comes as a file besides, see media.test.mjs. */
const isFile = (pieces) => pieces.length > 4 || pieces.flatMap(({ entities }) => entities).reduce((sum, { type, length }) => sum + (type === "pre" ? length : 0), 0) > 3_500;

describe("corpus", () => {
  let texts;
  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), "tideclaw-corpus-"));
    const out = join(folder, "corpus.ndjson");
    const { cargo, env } = await setUpNativeRust();
    await run(cargo, ["test", "--locked", "--test", "markdown_corpus"], {
      name: "cargo test markdown_corpus",
      env: { ...process.env, ...env, CARGO_TARGET_DIR: join(root, "target"), TIDECLAW_CORPUS_OUT: out },
    });
    texts = readFileSync(out, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
    rmSync(folder, { recursive: true });
  });

  test("the emulator takes every piece and shows all of it", (t) => {
    assert.equal(texts.length, TEXTS);
    let count = 0;
    for (const { source, pieces } of texts) {
      for (const { text, entities } of pieces) {
        count += 1;
        const about = () => JSON.stringify({ source, text, entities });
        assert.equal(checkMessage({ text, entities }), null, about());
        const stored = cleanText(text, entities);
        assert.equal(visible(stored.text), visible(text), about());
        assert.ok(stored.text.length > 0, about());
      }
    }
    t.diagnostic(`${count} pieces of ${texts.length} texts`);
  });

  test("a sample goes from the model's answer to the screen unharmed", { timeout: 120_000 }, async (t) => {
    const world = await startWorld();
    after(() => world.close());
    const sample = texts.filter(({ pieces }, i) => i % SAMPLE_EVERY === 0 && pieces.length > 0 && !isFile(pieces));
    const lanes = OWNERS.slice(0, 8);
    await Promise.all(lanes.map(async (id, lane) => {
      const person = world.person(id);
      for (let i = lane; i < sample.length; i += lanes.length) {
        const { source, pieces } = sample[i];
        const question = `Sample ${i}.`;
        const seen = new Set(person.replies().map((m) => m.message_id));
        person.ask(question, { answer: source });
        const shown = await world.telegram.waitFor(() => {
          const fresh = person.replies().filter((m) => !seen.has(m.message_id));
          return fresh.length >= pieces.length && fresh;
        }, SOON_MS);
        const wanted = pieces.map(({ text }) => visible(cleanText(text).text)).join("");
        assert.equal(shown.map((m) => visible(m.text)).join(""), wanted, JSON.stringify(source));
      }
    }));
    const refused = world.telegram.calls({ ok: false });
    assert.deepEqual(refused.map((call) => [call.method, call.description, call.params]), [], "drafts included");
    t.diagnostic(`${sample.length} texts, ${world.telegram.calls({ method: "sendMessage" }).length} messages, ${world.telegram.calls({ method: "sendMessageDraft" }).length} drafts`);
  });
});
