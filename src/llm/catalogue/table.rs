//! The table: list prices per million tokens, windows, abilities (providers.md §1.6 as of 2026-09-14, §2.1 as of
//! 2026-11-20).
//!
//! Not here: models whose price the research does not have, and every OpenAI-style server: both are assumed dear, and an
//! operator names the price. A row also stands for its tags (`deepseek-v4-flash:0731`) and versions
//! (`gemini-3.8-flash-001`), not for other words after its name: `…-flash-lite` is another model.

use super::price::{Price, Rates};
use super::{Accepts, Facts, Levels};
use crate::llm::Thinking::{High, Low, Medium, Minimal, Off};

struct Row {
    name: &'static str,
    facts: Facts,
}

/// Thousandths of a dollar per million tokens.
const fn rates(input: u32, output: u32, cached_input: u32) -> Rates {
    Rates { input: input * 1_000, output: output * 1_000, cached_input: cached_input * 1_000 }
}

const LOW_TO_HIGH: Levels = Levels::NONE.and(Low).and(Medium).and(High);
const MINIMAL_TO_HIGH: Levels = LOW_TO_HIGH.and(Minimal);
const OFF_HIGH: Levels = Levels::NONE.and(Off).and(High);
const OFF_LOW_HIGH: Levels = OFF_HIGH.and(Low);
const ALL_MEDIA: Accepts = Accepts { image: true, audio: true, video: true, pdf: true };
const IMAGES: Accepts = Accepts { image: true, audio: false, video: false, pdf: false };

/// Midnights, UTC, at which announced prices begin.
const DECEMBER_2026: i64 = 1_796_083_200_000;
const YEAR_2027: i64 = 1_798_761_600_000;

/// A model of Ollama Cloud; its cache has no price of its own.
const fn ollama(name: &'static str, input: u32, output: u32) -> Row {
    Row { name, facts: Facts::unknown(Price::of(rates(input, output, input))) }
}

/// A Gemini model: what all of them have in common.
const fn gemini(name: &'static str, price: Price, thinking: Levels) -> Row {
    let facts = Facts {
        context_tokens: Some(1_048_576),
        max_output_tokens: Some(65_536),
        accepts: Some(ALL_MEDIA),
        thinking: Some(thinking),
        tools: Some(true),
        ..Facts::unknown(price)
    };
    Row { name, facts }
}

impl Row {
    const fn window(mut self, tokens: u32) -> Row {
        self.facts.context_tokens = Some(tokens);
        self
    }

    const fn sees(mut self) -> Row {
        self.facts.accepts = Some(IMAGES);
        self
    }

    const fn thinks(mut self, levels: Levels) -> Row {
        self.facts.thinking = Some(levels);
        self
    }
}

const fn then(price: Price, from: i64, later: Rates) -> Price {
    Price { later: Some((from, later)), ..price }
}

const fn long(price: Price, over: u32, rates: Rates) -> Price {
    Price { long: Some((over, rates)), ..price }
}

/// Flash models from 3.6 on share a price that doubles with the year.
const FLASH: Price = then(Price::of(rates(750, 3_750, 75)), YEAR_2027, rates(1_500, 7_500, 150));

static OLLAMA: &[Row] = &[
    ollama("deepseek-v4-flash", 440, 1_320).thinks(OFF_HIGH),
    ollama("deepseek-v4-pro", 1_320, 3_960).thinks(OFF_HIGH),
    ollama("deepseek-v4.1-flash", 300, 1_200).thinks(OFF_LOW_HIGH),
    ollama("gemma4:31b", 140, 400).window(262_144).sees(),
    ollama("glm-5.1", 1_000, 3_200),
    ollama("glm-5.2", 1_400, 4_400).window(1_000_000).thinks(OFF_HIGH),
    ollama("glm-5.3", 1_400, 4_400).window(1_000_000).thinks(OFF_LOW_HIGH),
    ollama("glm-5.3-flash", 150, 500).thinks(OFF_LOW_HIGH),
    ollama("gpt-oss:120b", 150, 600).window(131_072).thinks(LOW_TO_HIGH),
    ollama("gpt-oss:20b", 70, 300).thinks(LOW_TO_HIGH),
    ollama("kimi-k2.6", 950, 4_000).window(262_144).sees(),
    ollama("kimi-k3", 3_000, 15_000).thinks(OFF_LOW_HIGH),
    ollama("minimax-m2.7", 300, 1_200),
    ollama("minimax-m3", 600, 2_400).thinks(LOW_TO_HIGH.and(Off)),
    ollama("mistral-large-3:675b", 500, 1_500),
    ollama("nemotron-3-nano:30b", 60, 240).window(1_000_000),
    ollama("nemotron-3-super", 15, 600),
    ollama("nemotron-3-ultra", 100, 3_000),
    ollama("qwen3.5:397b", 600, 3_600).window(262_144).sees(),
];

/// Cached input is 90 % off (§2.2 "caching") where the research says so of the generation; Gemini 4 pays it in full.
static GEMINI: &[Row] = &[
    gemini("gemini-3.8-flash", FLASH, LOW_TO_HIGH),
    gemini("gemini-flash", FLASH, LOW_TO_HIGH),
    gemini("gemini-3.7-flash", FLASH, LOW_TO_HIGH),
    gemini("gemini-3.6-flash", FLASH, MINIMAL_TO_HIGH),
    gemini("gemini-3.5-flash", Price::of(rates(1_500, 9_000, 150)), MINIMAL_TO_HIGH),
    gemini("gemini-3.5-flash-lite", Price::of(rates(300, 2_500, 30)), MINIMAL_TO_HIGH),
    gemini("gemini-flash-lite", Price::of(rates(300, 2_500, 30)), MINIMAL_TO_HIGH),
    gemini("gemini-3.1-flash-lite", Price::of(rates(250, 1_500, 25)), MINIMAL_TO_HIGH),
    gemini("gemini-3-flash", Price::of(rates(500, 3_000, 50)), MINIMAL_TO_HIGH),
    gemini(
        "gemini-3.1-pro",
        long(Price::of(rates(2_000, 12_000, 200)), 200_000, rates(4_000, 18_000, 400)),
        LOW_TO_HIGH,
    ),
    gemini(
        "gemini-4-argon",
        then(Price::of(rates(2_000, 10_000, 2_000)), DECEMBER_2026, rates(4_000, 20_000, 4_000)),
        LOW_TO_HIGH,
    ),
    Row { name: "gemma-4-31b-it", facts: Facts::unknown(Price::FREE) }.sees(),
    Row { name: "gemma-4-26b", facts: Facts::unknown(Price::FREE) }.sees(),
];

/// What a model costs that is in no table: at least as much as any of its provider's that is.
const fn assumed(input: u32, output: u32) -> Price {
    Price { assumed: true, ..Price::of(rates(input, output, input)) }
}
const DEAR_OLLAMA: Price = assumed(3_000, 15_000);
const DEAR_GEMINI: Price = assumed(4_000, 20_000);
const DEAR: Price = assumed(5_000, 30_000);

/// The row of `name` (lower case) at `provider`, or what is assumed.
pub(super) fn facts(provider: &str, name: &str) -> Facts {
    let (rows, dear) = match provider {
        "ollama" => (OLLAMA, DEAR_OLLAMA),
        "gemini" => (GEMINI, DEAR_GEMINI),
        _ => (&[] as &[Row], DEAR),
    };
    let name = name.strip_prefix("models/").unwrap_or(name);
    let row = rows.iter().find(|row| name.strip_prefix(row.name).is_some_and(is_tag_or_version));
    row.map_or(Facts::unknown(dear), |row| row.facts)
}

/// What may follow a row's name: nothing, a tag, or a version such as `-001`, `-latest`, `-preview-09-2026`.
fn is_tag_or_version(rest: &str) -> bool {
    let is_version = |word: &str| {
        matches!(word, "preview" | "latest") || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
    };
    rest.is_empty()
        || rest.starts_with(':')
        || rest.strip_prefix('-').is_some_and(|rest| rest.split('-').all(is_version))
}

#[cfg(test)]
pub(super) fn every_price() -> Vec<Price> {
    let listed = OLLAMA.iter().chain(GEMINI).map(|row| row.facts.price);
    listed.chain([DEAR_OLLAMA, DEAR_GEMINI, DEAR, Price::FREE]).collect()
}
