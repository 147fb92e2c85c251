//! The table, its prices over time, overrides and their mistakes.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::llm::Usage;
use proptest::prelude::*;

/// 2026-11-18.
const NOW: i64 = 1_795_000_000_000;
const DECEMBER: i64 = 1_796_083_200_000;
const NEW_YEAR: i64 = 1_798_761_600_000;

fn facts(model: &str) -> Facts {
    Catalogue::default().facts(&model.parse().unwrap(), false)
}

fn usd(input: u32, output: u32, cached_input: u32) -> Rates {
    Rates { input, output, cached_input }
}

#[test]
fn names_find_their_row() {
    for (name, input, output) in [
        ("ollama/gpt-oss:120b", 150_000, 600_000),
        ("ollama/gpt-oss:20b", 70_000, 300_000),
        ("ollama/gpt-oss:120b-cloud", 150_000, 600_000),
        ("ollama/glm-5.3:cloud", 1_400_000, 4_400_000),
        ("ollama/GLM-5.3", 1_400_000, 4_400_000),
        ("ollama/glm-5.3-flash", 150_000, 500_000),
        ("ollama/deepseek-v4-flash:0731", 440_000, 1_320_000),
        ("ollama/deepseek-v4.1-flash", 300_000, 1_200_000),
        ("ollama/nemotron-3-super:120b", 15_000, 600_000),
        ("gemini/gemini-3.8-flash", 750_000, 3_750_000),
        ("gemini/models/gemini-3.8-flash", 750_000, 3_750_000),
        ("gemini/gemini-flash-latest", 750_000, 3_750_000),
        ("gemini/gemini-flash-lite-latest", 300_000, 2_500_000),
        ("gemini/gemini-3.5-flash-001", 1_500_000, 9_000_000),
        ("gemini/gemini-3.5-flash-lite", 300_000, 2_500_000),
        ("gemini/gemini-3-flash-preview", 500_000, 3_000_000),
        ("gemini/gemini-3.1-pro-preview-09-2026", 2_000_000, 12_000_000),
        ("gemini/gemma-4-31b-it", 0, 0),
    ] {
        let price = facts(name).price;
        assert_eq!((price.rates.input, price.rates.output, price.assumed), (input, output, false), "{name}");
    }
}

#[test]
fn what_is_not_known_is_assumed_dear() {
    for (name, input, output) in [
        ("ollama/kimi-k9", 3_000_000, 15_000_000),
        ("ollama/gpt-oss:500b", 3_000_000, 15_000_000),
        ("ollama/glm-5.3-air", 3_000_000, 15_000_000),
        // Other models than the rows they begin like.
        ("gemini/gemini-3.8-flash-tts", 4_000_000, 20_000_000),
        ("gemini/gemini-3.1-flash-image", 4_000_000, 20_000_000),
        ("gemini/gemini-5", 4_000_000, 20_000_000),
        ("openai/gpt-oss:120b", 5_000_000, 30_000_000),
        ("openrouter/x", 5_000_000, 30_000_000),
    ] {
        let facts = facts(name);
        let assumed = Price { assumed: true, ..Price::of(usd(input, output, input)) };
        assert_eq!(facts, Facts::unknown(assumed), "{name}");
    }
    for price in table::every_price() {
        let dearest = [Some(price.rates), price.later.map(|(_, rates)| rates), price.long.map(|(_, rates)| rates)];
        for rates in dearest.into_iter().flatten() {
            assert!(rates.cached_input <= rates.input && rates.input <= 5_000_000 && rates.output <= 30_000_000);
        }
    }
}

#[test]
fn a_server_at_home_costs_nothing_but_ollamas_cloud_behind_it_does() {
    let catalogue = Catalogue::default();
    let price = |name: &str, local| catalogue.facts(&name.parse().unwrap(), local).price;
    for (name, local) in [("ollama/qwen3:8b", true), ("openai/any", true), ("relay/qwen3:8b", false)] {
        assert_eq!(price(name, local), Price::FREE, "{name}");
        assert!(!price(name, local).assumed);
    }
    let billed = facts("ollama/gpt-oss:120b").price;
    for name in ["ollama/gpt-oss:120b-cloud", "relay/gpt-oss:120b-cloud"] {
        assert_eq!(price(name, true), billed, "{name}");
    }
    assert!(price("relay/new-model:cloud", true).assumed);
}

#[test]
fn a_named_relays_model_is_free_and_what_is_said_of_any_relay_holds_for_it() {
    let json = r#"{"relay/a":{"context":8192},"relay:den/a":{"context":4096},"ollama/a":{"context":1}}"#;
    let (catalogue, problems) = Catalogue::new(Some(json));
    assert_eq!(problems, [""; 0]);
    let facts = |name: &str| catalogue.facts(&name.parse().unwrap(), true);
    for (name, context) in
        [("relay/a", Some(8_192)), ("relay:home/a", Some(8_192)), ("relay:den/a", Some(4_096)), ("relay:home/b", None)]
    {
        assert_eq!((facts(name).context_tokens, facts(name).price), (context, Price::FREE), "{name}");
    }
    assert!(facts("relay:home/new-model:cloud").price.assumed, "the cloud behind it is not");
}

#[test]
fn announced_prices_begin_on_their_day() {
    let million = Usage { input: 1_000_000, cached_input: 0, output: 1_000_000, ..Usage::default() };
    let cost = |name, now| cost_nano_usd(&facts(name).price, &million, now);
    assert_eq!(cost("gemini/gemini-3.8-flash", NEW_YEAR - 1), 4_500_000_000);
    assert_eq!(cost("gemini/gemini-3.8-flash", NEW_YEAR), 9_000_000_000);
    assert_eq!(cost("gemini/gemini-4-argon", DECEMBER - 1), 12_000_000_000);
    assert_eq!(cost("gemini/gemini-4-argon", DECEMBER), 24_000_000_000);
}

#[test]
fn costs_to_the_nano() {
    let price = facts("gemini/gemini-3.8-flash").price;
    let usage = Usage { input: 1_000, cached_input: 400, output: 100, thinking: 60, cost_nano_usd: None };
    // 600 × 0.75 + 400 × 0.075 + 100 × 3.75 millionths of a dollar.
    assert_eq!(cost_nano_usd(&price, &usage, NOW), 450_000 + 30_000 + 375_000);
    let billed = Usage { cost_nano_usd: Some(7), ..usage };
    assert_eq!(cost_nano_usd(&price, &billed, NOW), 7);
    let odd = Usage { cached_input: 5_000, ..usage };
    assert_eq!(cost_nano_usd(&price, &odd, NOW), 75_000 + 375_000, "no more is cached than went in");
    assert_eq!(estimate_nano_usd(&price, 1_000, 100, NOW), 750_000 + 375_000);
    assert_eq!(estimate_nano_usd(&facts("ollama/gpt-oss:20b").price, 1, 0, NOW), 70);
    assert_eq!(estimate_nano_usd(&facts("ollama/nemotron-3-super").price, 1, 0, NOW), 15);
    assert_eq!(estimate_nano_usd(&price, u64::MAX, u64::MAX, NOW), u64::MAX);
    let pro = facts("gemini/gemini-3.1-pro-preview").price;
    assert_eq!(estimate_nano_usd(&pro, 200_000, 0, NOW), 400_000_000);
    assert_eq!(estimate_nano_usd(&pro, 200_001, 0, NOW), 800_004_000);
}

#[test]
fn abilities() {
    let flash = facts("gemini/gemini-3.8-flash");
    assert_eq!((flash.context_tokens, flash.max_output_tokens), (Some(1_048_576), Some(65_536)));
    assert!(flash.accepts.unwrap().audio && flash.tools == Some(true));
    let levels = flash.thinking.unwrap();
    assert_eq!(levels.iter().collect::<Vec<_>>(), [Thinking::Low, Thinking::Medium, Thinking::High]);
    assert!(
        !levels.contains(Thinking::Minimal) && !levels.contains(Thinking::Off) && levels.contains(Thinking::Default)
    );
    assert!(facts("gemini/gemini-3.6-flash").thinking.unwrap().contains(Thinking::Minimal));
    let kimi = facts("ollama/kimi-k2.6").accepts.unwrap();
    assert!(kimi.image && !kimi.audio && !kimi.video && !kimi.pdf);
    assert!(facts("ollama/glm-5.2").thinking.unwrap().contains(Thinking::Off));
    assert!(!facts("ollama/gpt-oss:20b").thinking.unwrap().contains(Thinking::Off));
    assert_eq!(facts("ollama/glm-5.1").accepts, None);
}

#[test]
fn an_operator_knows_better() {
    let json = r#"{
        "openai/my-model": {"input_usd": 1, "output_usd": 2, "cached_usd": 0.1, "context": 128000, "output": 8192,
            "accepts": ["image", "audio"], "thinking": ["off", "low", "high"], "tools": true},
        "gemini/gemini-3.8-flash": {"context": 32000},
        "ollama/free": {"input_usd": 0, "output_usd": 0}
    }"#;
    let (catalogue, problems) = Catalogue::new(Some(json));
    assert!(problems.is_empty(), "{problems:?}");
    let of = |name: &str, local| catalogue.facts(&name.parse().unwrap(), local);
    let mine = Facts {
        price: Price::of(usd(1_000_000, 2_000_000, 100_000)),
        context_tokens: Some(128_000),
        max_output_tokens: Some(8_192),
        accepts: Some(Accepts { image: true, audio: true, ..Accepts::default() }),
        thinking: Some(Levels::NONE.and(Thinking::Off).and(Thinking::Low).and(Thinking::High)),
        tools: Some(true),
    };
    assert_eq!(of("openai/my-model", false), mine);
    assert_eq!(of("openai/my-model", true), mine, "also at home");
    let flash = facts("gemini/gemini-3.8-flash");
    assert_eq!(of("gemini/gemini-3.8-flash", false), Facts { context_tokens: Some(32_000), ..flash });
    assert_eq!(of("ollama/free", false).price, Price::FREE);
    assert!(of("openai/my-model-2", false).price.assumed, "an override means one name");
    assert_eq!(Catalogue::new(None).1, [] as [&str; 0]);
}

#[test]
fn mistakes_are_named_by_path_and_leave_their_entry_out() {
    for (json, problem) in [
        ("nonsense", "MODEL_CATALOGUE: not JSON: expected ident at line 1 column 2"),
        ("[]", "MODEL_CATALOGUE: must be an object with models as its keys"),
        (r#"{"my-model": {}}"#, r#"MODEL_CATALOGUE: "my-model": "#),
        (r#"{"openai/m": 1}"#, r#"MODEL_CATALOGUE: "openai/m": must be an object"#),
        (r#"{"openai/m": {"price": 1}}"#, r#"MODEL_CATALOGUE: "openai/m": price: is not known; fields are input_usd,"#),
        (r#"{"openai/m": {"input_usd": "1"}}"#, r#"MODEL_CATALOGUE: "openai/m": input_usd: must be dollars"#),
        (r#"{"openai/m": {"input_usd": -1}}"#, r#"MODEL_CATALOGUE: "openai/m": input_usd: must be dollars"#),
        (r#"{"openai/m": {"input_usd": 750000}}"#, r#"MODEL_CATALOGUE: "openai/m": input_usd: must be dollars"#),
        (r#"{"openai/m": {"input_usd": 1}}"#, r#"MODEL_CATALOGUE: "openai/m": input_usd and output_usd: must both"#),
        (r#"{"openai/m": {"cached_usd": 1}}"#, r#"MODEL_CATALOGUE: "openai/m": input_usd and output_usd: must both"#),
        (
            r#"{"openai/m": {"input_usd": 1, "output_usd": 1, "cached_usd": 2}}"#,
            r#"MODEL_CATALOGUE: "openai/m": cached_usd: is above input_usd"#,
        ),
        (r#"{"openai/m": {"context": 0}}"#, r#"MODEL_CATALOGUE: "openai/m": context: must be a whole number"#),
        (r#"{"openai/m": {"output": 1.5}}"#, r#"MODEL_CATALOGUE: "openai/m": output: must be a whole number"#),
        (r#"{"openai/m": {"accepts": "image"}}"#, r#"MODEL_CATALOGUE: "openai/m": accepts: must be a list of image"#),
        (r#"{"openai/m": {"accepts": ["smell"]}}"#, r#"MODEL_CATALOGUE: "openai/m": accepts: must be a list of image"#),
        (r#"{"openai/m": {"thinking": ["max"]}}"#, r#"MODEL_CATALOGUE: "openai/m": thinking: must be a list of off"#),
        (r#"{"openai/m": {"tools": 1}}"#, r#"MODEL_CATALOGUE: "openai/m": tools: must be true or false"#),
    ] {
        let (catalogue, problems) = Catalogue::new(Some(json));
        assert!(problems.len() == 1 && problems.iter().all(|line| line.starts_with(problem)), "{json}: {problems:?}");
        assert!(catalogue.overrides.is_empty(), "{json}");
    }
    let two = r#"{"openai/a": {"x": 1, "tools": 1}, "openai/b": {"tools": false}}"#;
    let (catalogue, problems) = Catalogue::new(Some(two));
    assert_eq!((catalogue.overrides.len(), problems.len()), (1, 2));
}

proptest! {
    /// More tokens never cost less, a cached share never costs more, and time alone never makes a call cheaper.
    #[test]
    fn cost_is_monotone(
        which in 0..table::every_price().len(),
        (input, more) in (0..1_000_000_u64, 0..1_000_000_u64),
        (output, more_output) in (0..100_000_u64, 0..100_000_u64),
        cached in 0..1_000_000_u64,
        now in DECEMBER - 1..NEW_YEAR + 1,
    ) {
        let price = table::every_price().swap_remove(which);
        let cost = |input, cached_input, output, now| {
            cost_nano_usd(&price, &Usage { input, cached_input, output, ..Usage::default() }, now)
        };
        let base = cost(input, 0, output, now);
        prop_assert_eq!(base, estimate_nano_usd(&price, input, output, now));
        prop_assert!(cost(input + more, 0, output, now) >= base);
        prop_assert!(cost(input, 0, output + more_output, now) >= base);
        prop_assert!(cost(input, cached, output, now) <= base);
        prop_assert!(cost(input, 0, output, now + NEW_YEAR) >= base);
    }

    /// Prices as people write them arrive exactly.
    #[test]
    fn dollars_are_exact(thousandths in 0..4_000_000_u32) {
        let json = format!(r#"{{"openai/m":{{"input_usd":{0}.{1:03},"output_usd":0}}}}"#, thousandths / 1_000, thousandths % 1_000);
        let (catalogue, problems) = Catalogue::new(Some(&json));
        prop_assert!(problems.is_empty(), "{:?}", problems);
        prop_assert_eq!(catalogue.facts(&ModelRef::new("openai", "m"), false).price.rates.input, thousandths * 1_000);
    }
}
