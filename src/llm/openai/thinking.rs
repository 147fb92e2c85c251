//! From our wish for thinking to `reasoning_effort` and OpenRouter's `reasoning` (providers.md §3.2).
//!
//! Only servers whose words are known are told anything; what a model refuses all the same comes back as
//! [`Feature::Thinking`](crate::llm::Feature::Thinking). Families by version, not model names: those come and go.

use serde_json::{Value, json};

use crate::llm::Thinking;

/// OpenAI's efforts. `xhigh` exists too, but nothing in our vocabulary means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
}

impl Effort {
    fn word(self) -> &'static str {
        match self {
            Effort::None => "none",
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
        }
    }

    fn wished(wish: Thinking) -> Option<Effort> {
        match wish {
            Thinking::Default => None,
            Thinking::Off => Some(Effort::None),
            Thinking::Minimal => Some(Effort::Minimal),
            Thinking::Low => Some(Effort::Low),
            Thinking::Medium => Some(Effort::Medium),
            Thinking::High => Some(Effort::High),
        }
    }
}

/// Whether OpenAI's `model` reasons: o-series, and GPT from 5 on. Those want the role `developer`.
pub(super) fn is_reasoning(model: &str) -> bool {
    is_o_series(model) || gpt_version(model).is_some_and(|version| version >= (5, 0))
}

/// `reasoning_effort` for OpenAI's `model`; `None`: leave it out. A level the model lacks becomes the next one up.
pub(super) fn openai_effort(model: &str, wish: Thinking) -> Option<&'static str> {
    let wanted = Effort::wished(wish)?;
    efforts(model).iter().find(|effort| **effort >= wanted).map(|effort| effort.word())
}

/// The efforts of a model from least to most; empty for models without any.
fn efforts(model: &str) -> &'static [Effort] {
    use Effort::{High, Low, Medium, Minimal, None};
    if is_o_series(model) {
        return &[Low, Medium, High];
    }
    let has = |word| base(model).split('-').any(|piece| piece == word);
    match gpt_version(model) {
        Some(version) if version < (5, 0) => &[],
        // The models of ChatGPT take no level, or one only.
        Some(_) if has("chat") => &[],
        Some((5, 0)) if has("pro") => &[High],
        Some(_) if has("pro") => &[Medium, High],
        Some(_) if has("codex") => &[Low, Medium, High],
        Some((5, 0)) => &[Minimal, Low, Medium, High],
        Some(_) => &[None, Low, Medium, High],
        Option::None => &[],
    }
}

/// OpenRouter's `reasoning`, which it turns into what each model has.
pub(super) fn openrouter_reasoning(wish: Thinking) -> Option<Value> {
    match Effort::wished(wish)? {
        Effort::None => Some(json!({ "enabled": false })),
        effort => Some(json!({ "effort": effort.word() })),
    }
}

/// The model without a maker's name before it, as routers write it.
fn base(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

fn is_o_series(model: &str) -> bool {
    let mut signs = base(model).chars();
    signs.next() == Some('o') && signs.next().is_some_and(|c| c.is_ascii_digit())
}

/// `gpt-5.1-mini` → (5, 1); `gpt-4o` → (4, 0).
fn gpt_version(model: &str) -> Option<(u32, u32)> {
    let rest = base(model).strip_prefix("gpt-")?;
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text.split_at(end).0.parse().ok()
    };
    let first = rest.split('-').next().unwrap_or_default();
    let (major, minor) = first.split_once('.').unwrap_or((first, "0"));
    Some((number(major)?, number(minor).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Thinking::*;

    const WISHES: [Thinking; 6] = [Default, Off, Minimal, Low, Medium, High];

    #[test]
    fn efforts_of_openai() {
        let [none, minimal, low, medium, high] = ["none", "minimal", "low", "medium", "high"].map(Some);
        for (model, expected) in [
            ("gpt-4o", [None; 6]),
            ("gpt-4.1-mini", [None; 6]),
            ("gpt-oss-120b", [None; 6]),
            ("gpt-5", [None, minimal, minimal, low, medium, high]),
            ("gpt-5-mini-2025-08-07", [None, minimal, minimal, low, medium, high]),
            ("gpt-5-codex", [None, low, low, low, medium, high]),
            ("gpt-5-pro", [None, high, high, high, high, high]),
            ("gpt-5-chat-latest", [None; 6]),
            ("gpt-5.1", [None, none, low, low, medium, high]),
            ("gpt-5.10-nano", [None, none, low, low, medium, high]),
            ("gpt-5.2-pro", [None, medium, medium, medium, medium, high]),
            ("gpt-6", [None, none, low, low, medium, high]),
            ("openai/gpt-5.1", [None, none, low, low, medium, high]),
            ("o4-mini", [None, low, low, low, medium, high]),
            ("omni-moderation", [None; 6]),
            ("llama-3.3-70b", [None; 6]),
        ] {
            assert_eq!(WISHES.map(|wish| openai_effort(model, wish)), expected, "{model}");
        }
    }

    #[test]
    fn who_reasons() {
        for model in ["o1", "o3-mini", "gpt-5", "gpt-5.4-nano", "openai/gpt-5"] {
            assert!(is_reasoning(model), "{model}");
        }
        for model in ["gpt-4o", "gpt-4.1", "chatgpt-4o-latest", "omni", "ft:gpt-4o:me", "gpt-oss:20b"] {
            assert!(!is_reasoning(model), "{model}");
        }
    }

    #[test]
    fn reasoning_of_openrouter() {
        assert_eq!(
            WISHES.map(openrouter_reasoning),
            [
                None,
                Some(json!({"enabled":false})),
                Some(json!({"effort":"minimal"})),
                Some(json!({"effort":"low"})),
                Some(json!({"effort":"medium"})),
                Some(json!({"effort":"high"})),
            ]
        );
    }
}
