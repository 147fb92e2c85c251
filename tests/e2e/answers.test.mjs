// What an answer looks like: growing drafts, the final message, formatting on the wire, long answers in pieces.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startWorld } from "./support/world.mjs";

const WORDS = Array.from({ length: 90 }, (_, i) => `word${i}`).join(" ");

/** The parts of a message's text that carry an entity, as [type, text, …details]. */
const marked = ({ text, entities = [] }) => entities.map(({ type, offset, length, ...more }) => [type, text.slice(offset, offset + length), ...Object.values(more)]);

describe("answers", { concurrency: 8 }, () => {
  let world;
  before(async () => (world = await startWorld()));
  after(() => world?.close());

  test("drafts grow while the model writes, then one new message has all of it", async () => {
    const person = world.person(1001);
    person.ask("Tell me slowly", { answer: WORDS, tokensPerSecond: 80 });
    const final = await person.until(WORDS);
    const drafts = person.calls("sendMessageDraft");
    assert.ok(drafts.length >= 2, `${drafts.length} drafts`);
    for (const [i, { params, status }] of drafts.entries()) {
      assert.equal(status, 200);
      assert.equal(params.can_stop, true);
      assert.equal(params.draft_id, drafts[0].params.draft_id);
      assert.ok(WORDS.startsWith(params.text.trimEnd()), params.text);
      if (i > 0) assert.ok(params.text.length > drafts[i - 1].params.text.length);
    }
    const [sent] = person.calls("sendMessage");
    assert.equal(sent.result.message_id, final.message_id);
    assert.ok(drafts.every((draft) => draft.n < sent.n), "no draft after the answer");
    assert.equal(person.replies().length, 1);
    assert.deepEqual(person.drafts(), [], "no draft is left");
    assert.equal(final.silent, false, "it rings");
  });

  test("the first word is shown at once, and the typing sign rides in the webhook's own answer", async () => {
    const person = world.person(1002);
    person.ask("First word?", { answer: `First${" and so on".repeat(60)}`, tokensPerSecond: 30 });
    const draft = await world.telegram.waitFor(() => person.calls("sendMessageDraft")[0]);
    const [request] = world.asked("First word?");
    assert.ok(draft.at - request.firstTokenAt < 1_000, `${Math.round(draft.at - request.firstTokenAt)} ms`);
    assert.ok(person.calls("sendChatAction").some((call) => call.viaWebhook));
    person.send("/stop");
    await person.until("Stopped");
  });

  test("STREAM_MODE is draft by default and thinking is never shown", async () => {
    const person = world.person(1003);
    person.send("/model gpt-oss:120b");
    await person.until("gpt-oss:120b answers from now on");
    person.ask("Think first", { thinking: "secret reasoning ".repeat(20), answer: "Only this.", tokensPerSecond: 60 });
    await person.until("Only this.");
    assert.ok(!JSON.stringify(person.calls()).includes("secret reasoning"));
  });

  test("bold, code, link, list, quote and heading arrive as entities, never as signs", async () => {
    const person = world.person(1004);
    const answer = "# Head\n\nSome **bold**, _italic_, ~~gone~~, `code` and [a link](https://example.org/x).\n\n- one\n- two\n\n> quoted\n\n```rust\nfn main() {}\n```";
    person.ask("Format it", { answer });
    const message = await person.until("fn main");
    const found = marked(message);
    for (const wanted of [["bold", "Head"], ["bold", "bold"], ["italic", "italic"], ["strikethrough", "gone"], ["code", "code"], ["text_link", "a link", "https://example.org/x"], ["blockquote", "quoted"], ["pre", "fn main() {}", "rust"]]) {
      assert.ok(found.some((entity) => JSON.stringify(entity) === JSON.stringify(wanted)), `${wanted} in ${JSON.stringify(found)}`);
    }
    assert.match(message.text, /• one\n• two/);
    assert.doesNotMatch(message.text, /[*_`#~]|\]\(/);
    assert.equal(person.calls("sendMessage").at(-1).params.parse_mode, undefined);
    assert.deepEqual(person.calls("sendMessage").at(-1).params.link_preview_options, { is_disabled: true });
  });

  test("a table is readable, Russian text and emoji keep their places", async () => {
    const person = world.person(1005);
    person.ask("Table", { answer: "Цены 👨‍👩‍👧:\n\n| Чай | Цена |\n|---|---:|\n| **Зелёный** | 30 |\n| Чёрный | 150 |\n\nВсё **жирно** 🎉 и `код`." });
    const message = await person.until("Чёрный");
    const found = marked(message);
    assert.ok(found.some(([type, text]) => type === "bold" && text === "жирно"), JSON.stringify(found));
    assert.ok(found.some(([type, text]) => type === "code" && text === "код"));
    const table = found.find(([type, text]) => type === "pre" && text.includes("Зелёный"));
    assert.ok(table, JSON.stringify(found));
    const lines = table[1].split("\n").filter((line) => /\d/.test(line));
    assert.equal(new Set(lines.map((line) => line.length)).size, 1, "the numbers are aligned");
    assert.doesNotMatch(message.text, /\*\*|\|---/);
  });

  test("a long answer comes in pieces, in order, complete, code whole again in each; only the first rings", async () => {
    // Longer code would be a file, see media.test.mjs.
    const LINES = 180;
    const person = world.person(1006);
    const paragraph = (i) => `Paragraph ${i} **strong ${i}** ${"lorem ipsum dolor ".repeat(20)}`;
    const code = `\`\`\`python\n${Array.from({ length: LINES }, (_, i) => `print("line ${i}")`).join("\n")}\n\`\`\``;
    const answer = `${Array.from({ length: 20 }, (_, i) => paragraph(i)).join("\n\n")}\n\n${code}\n\nThe end.`;
    person.ask("Everything, please", { answer });
    await person.until("The end.");
    const pieces = person.replies();
    assert.ok(pieces.length >= 3, `${pieces.length}`);
    assert.ok(pieces.every((piece) => piece.text.length <= 4096));
    const all = pieces.map((piece) => piece.text).join("\n");
    for (let i = 0, at = 0; i < LINES; i++) {
      const next = all.indexOf(`print("line ${i}")`, at);
      assert.ok(next >= at, `line ${i}`);
      at = next;
    }
    for (let i = 0; i < 20; i++) assert.equal(all.split(`strong ${i} `).length, 2);
    assert.deepEqual(pieces.map((piece) => piece.silent), pieces.map((_, i) => i > 0));
    for (const piece of pieces.filter((p) => p.text.includes('print("line'))) {
      assert.ok(marked(piece).some(([type, , language]) => type === "pre" && language === "python"));
    }
  });

  test("a model that reaches its length limit is said to have", async () => {
    const person = world.person(1007);
    person.ask("Cut short", { answer: "Half a sent", doneReason: "length" });
    const message = await person.until("Half a sent");
    assert.match(message.text, /length limit/);
  });

  test("a stream cut into single bytes is read all the same", async () => {
    const person = world.person(1008);
    person.ask("Bytes", { answer: "Ёлка 🎄 **да**, «кавычки» — и всё", chunkBytes: 1 });
    const message = await person.until("кавычки");
    assert.equal(message.text, "Ёлка 🎄 да, «кавычки» — и всё");
  });
});

describe("answers in edit mode", { concurrency: 4 }, () => {
  let world;
  before(async () => (world = await startWorld({ vars: { STREAM_MODE: "edit" } })));
  after(() => world?.close());

  test("a placeholder with a Stop button grows, then goes; the answer is a new message", async () => {
    const person = world.person(1001);
    person.ask("Tell me slowly", { answer: WORDS, tokensPerSecond: 50 });
    await person.until(WORDS);
    await world.telegram.waitFor(() => person.replies().length === 1);
    const { deleted } = person.view();
    assert.equal(deleted.length, 1, "one placeholder, removed");
    assert.ok(deleted[0].history.length >= 1, "it grew");
    assert.deepEqual(deleted[0].reply_markup.inline_keyboard.flat().map((b) => b.text), ["⏹ Stop"]);
    assert.deepEqual(person.calls("sendMessageDraft"), []);
  });

  test("a quick answer needs no placeholder", async () => {
    const person = world.person(1002);
    await person.talk("Quick one");
    await person.settled();
    assert.deepEqual(person.calls().map((call) => call.method), ["sendChatAction", "sendMessage", "sendMessage"]);
  });
});

describe("answers with streaming off", () => {
  test("nothing but typing and the answer", async () => {
    const world = await startWorld({ vars: { STREAM_MODE: "off" } });
    try {
      const person = world.person(1001);
      person.ask("Tell me slowly", { answer: WORDS, tokensPerSecond: 150 });
      await person.until(WORDS);
      assert.deepEqual(new Set(person.calls().map((call) => call.method)), new Set(["sendChatAction", "sendMessage"]));
    } finally {
      await world.close();
    }
  });
});
