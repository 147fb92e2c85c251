//! From our wish for thinking to Gemini's `thinkingConfig` (providers.md §2.1, §2.2).
//!
//! A level a model lacks is a 400 (§0.9), so levels go only to models known to have them; an unknown one gets no
//! `thinkingConfig` at all and decides for itself. The caller handles a refusal by dropping the wish
//! ([`Feature::Thinking`](crate::llm::Feature::Thinking)).

use serde::Serialize;

use crate::llm::Thinking;

/// `generationConfig.thinkingConfig`. Level and budget exclude each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThinkingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
    /// Tokens; 0 turns thinking off where that is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<u32>,
    /// Summaries of the thoughts come with the answer, for `/reasoning`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    include_thoughts: bool,
}

/// How a model is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    /// `low`, `medium`, `high`.
    FromLow,
    /// `minimal` too.
    FromMinimal,
    /// The 2.5 models, which take a number of tokens: this many at least.
    Budget(u32),
}

/// Models by the beginning of their name. The longer of two overlapping beginnings stands first.
const MODELS: &[(&str, Control)] = &[
    ("gemini-4-", Control::FromLow),
    ("gemini-3.8-flash", Control::FromLow),
    ("gemini-3.7-flash", Control::FromLow),
    ("gemini-3.6-flash", Control::FromMinimal),
    ("gemini-3.5-flash", Control::FromMinimal),
    ("gemini-3.1-flash-lite", Control::FromMinimal),
    ("gemini-3.1-pro", Control::FromLow),
    ("gemini-3-flash", Control::FromMinimal),
    ("gemini-2.5-pro", Control::Budget(128)),
    ("gemini-2.5-flash", Control::Budget(0)),
    // Moving names, as of 2026-11 (§2.1).
    ("gemini-flash-lite-latest", Control::FromMinimal),
    ("gemini-flash-latest", Control::FromLow),
];

/// The `thinkingConfig` for `model` (a bare name); `None`: leave it out.
pub(super) fn config(model: &str, wish: Thinking) -> Option<ThinkingConfig> {
    let model = model.to_ascii_lowercase();
    let &(_, control) = MODELS.iter().find(|(prefix, _)| model.starts_with(prefix))?;
    let mut config = ThinkingConfig { include_thoughts: wish != Thinking::Off, ..ThinkingConfig::default() };
    match control {
        Control::FromLow => config.thinking_level = level(wish, "low"),
        Control::FromMinimal => config.thinking_level = level(wish, "minimal"),
        Control::Budget(least) => config.thinking_budget = budget(wish, least),
    }
    Some(config)
}

/// No level turns thinking off: the lowest comes closest.
fn level(wish: Thinking, lowest: &'static str) -> Option<&'static str> {
    match wish {
        Thinking::Default => None,
        Thinking::Off | Thinking::Minimal => Some(lowest),
        Thinking::Low => Some("low"),
        Thinking::Medium => Some("medium"),
        Thinking::High => Some("high"),
    }
}

/// Budgets inside the range of every 2.5 model.
fn budget(wish: Thinking, least: u32) -> Option<u32> {
    match wish {
        Thinking::Default => None,
        Thinking::Off => Some(least),
        Thinking::Minimal => Some(512),
        Thinking::Low => Some(1024),
        Thinking::Medium => Some(8192),
        Thinking::High => Some(24_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn table() {
        use Thinking::*;
        let wishes = [Default, Off, Minimal, Low, Medium, High];
        let level = |word: &str| json!({"thinkingLevel":word,"includeThoughts":true});
        let budget = |tokens: u32| json!({"thinkingBudget":tokens,"includeThoughts":true});
        let default = json!({"includeThoughts":true});
        let from_low = [
            default.clone(),
            json!({"thinkingLevel":"low"}),
            level("low"),
            level("low"),
            level("medium"),
            level("high"),
        ];
        let mut from_minimal = from_low.clone();
        from_minimal[1] = json!({"thinkingLevel":"minimal"});
        from_minimal[2] = level("minimal");
        let flash = [default, json!({"thinkingBudget":0}), budget(512), budget(1024), budget(8192), budget(24_576)];
        let mut pro = flash.clone();
        pro[1] = json!({"thinkingBudget":128});
        let nothing = [const { Value::Null }; 6];
        for (model, expected) in [
            ("gemini-3.8-flash", &from_low),
            ("gemini-flash-latest", &from_low),
            ("Gemini-3.7-flash-001", &from_low),
            ("gemini-3.1-pro-preview", &from_low),
            ("gemini-4-argon", &from_low),
            ("gemini-3.6-flash", &from_minimal),
            ("gemini-3.5-flash", &from_minimal),
            ("gemini-3.5-flash-lite", &from_minimal),
            ("gemini-3.1-flash-lite", &from_minimal),
            ("gemini-flash-lite-latest", &from_minimal),
            ("gemini-3-flash-preview", &from_minimal),
            ("gemini-2.5-flash", &flash),
            ("gemini-2.5-pro", &pro),
            ("gemma-4-31b-it", &nothing),
            ("gemini-3.1-flash", &nothing),
            ("gemini-9-neon", &nothing),
            ("", &nothing),
        ] {
            assert_eq!(&wishes.map(|wish| json!(config(model, wish))), expected, "{model}");
        }
    }
}
