// Row 10: what a conversation of 200 messages sends to its model, beside its full history sent each time.
//
// The conversation is the simulated one of tests/chat/thrift.rs: the real logic, virtual time, a scripted model that
// counts tokens and writes summaries. Sent: all calls, those for summaries too. Cached: the share of it that was the
// unchanged beginning, of 1,024 tokens or more, of the prompt before.

import { join } from "node:path";
import { setUpNativeRust } from "../../../local-dev/setup/native-rust.mjs";
import { root } from "../../../local-dev/setup/paths.mjs";
import { run } from "../../../local-dev/setup/process.mjs";
import { limitRow, median, noteRow } from "../figures.mjs";

const TEST = "thrift::two_hundred_messages_send_less_than_forty_percent_of_the_full_history";

export async function prompt() {
  const { cargo, env } = await setUpNativeRust();
  const { stdout } = await run(cargo, ["test", "--locked", "--test", "chat", "--", "--exact", TEST, "--nocapture"], {
    name: "cargo test",
    deadline: 30 * 60_000,
    env: { ...process.env, ...env, CARGO_TARGET_DIR: join(root, "target"), CARGO_TERM_COLOR: "never" },
  });
  const figures = [...stdout.matchAll(/FIGURES (\{.*\})/g)].map(([, json]) => JSON.parse(json));
  if (figures.length === 0) throw new Error("the simulation printed no figures");
  const of = (name) => median(figures.map((each) => each[name]));
  const thousands = (name) => `${Math.round(of(name) / 1_000)}k`;
  return [
    limitRow(`10. prompt tokens of 200 messages, share of the full history's ${thousands("full")}`, 100 - of("saved"), 40, { unit: "%" }),
    noteRow(`10. … ${thousands("sent")} sent, ${of("summaries")} summaries; saved`, of("saved"), { unit: "%" }),
    noteRow("10. … of them the beginning of the prompt before (cached)", of("cached"), { unit: "%" }),
  ];
}
