//! From our wish for thinking to Ollama's `think` (providers.md §1.2, §1.6 "Think levels").
//!
//! `think` is a switch for most models and a level for some; a level sent to a switch-only model is a 400 on older
//! servers, so levels go only to families known to have them. The caller handles a refusal by dropping the wish
//! ([`Feature::Thinking`](crate::llm::Feature::Thinking)). Families, not model names: those come and go.

use serde::Serialize;

use crate::llm::Thinking;

/// The value of `think`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Think {
    Switch(bool),
    Level(&'static str),
}

/// Families with levels: prefix of the name, levels from least to most, whether `false` turns thinking off.
/// The longer of two overlapping prefixes stands first.
const FAMILIES: &[(&str, &[Level], bool)] = &[
    ("gpt-oss", &[Level::Low, Level::Medium, Level::High], false),
    ("deepseek-v4.1", &[Level::Low, Level::High], true),
    ("deepseek-v4", &[Level::High], true),
    ("glm-5.3", &[Level::Low, Level::High], true),
    ("glm-5.2", &[Level::High], true),
    ("kimi-k3", &[Level::Low, Level::High], true),
    ("minimax-m3", &[Level::Low, Level::Medium, Level::High], true),
];

/// Levels we ask for. `max` exists too, but nothing in our vocabulary means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Low,
    Medium,
    High,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
        }
    }
}

/// The `think` to send to `model`; `None`: leave it out. A level the model lacks becomes the next one up.
pub(super) fn think(model: &str, wish: Thinking) -> Option<Think> {
    let base = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let family = FAMILIES.iter().find(|(prefix, ..)| base.starts_with(prefix));
    let wanted = match wish {
        Thinking::Default => return None,
        Thinking::Off => match family {
            Some((_, _, false)) => Level::Low,
            _ => return Some(Think::Switch(false)),
        },
        Thinking::Minimal if family.is_none() => return Some(Think::Switch(false)),
        Thinking::Minimal | Thinking::Low => Level::Low,
        Thinking::Medium => Level::Medium,
        Thinking::High => Level::High,
    };
    let level = family.and_then(|(_, levels, _)| levels.iter().find(|level| **level >= wanted));
    Some(level.map_or(Think::Switch(true), |level| Think::Level(level.word())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        use Think::{Level as L, Switch as S};
        use Thinking::*;
        let wishes = [Default, Off, Minimal, Low, Medium, High];
        for (model, expected) in [
            (
                "gpt-oss:120b",
                [None, Some(L("low")), Some(L("low")), Some(L("low")), Some(L("medium")), Some(L("high"))],
            ),
            (
                "hf.co/x/GPT-OSS-20b",
                [None, Some(L("low")), Some(L("low")), Some(L("low")), Some(L("medium")), Some(L("high"))],
            ),
            ("glm-5.3", [None, Some(S(false)), Some(L("low")), Some(L("low")), Some(L("high")), Some(L("high"))]),
            (
                "deepseek-v4-pro:0813",
                [None, Some(S(false)), Some(L("high")), Some(L("high")), Some(L("high")), Some(L("high"))],
            ),
            (
                "deepseek-v4.1-flash",
                [None, Some(S(false)), Some(L("low")), Some(L("low")), Some(L("high")), Some(L("high"))],
            ),
            ("qwen3:8b", [None, Some(S(false)), Some(S(false)), Some(S(true)), Some(S(true)), Some(S(true))]),
        ] {
            assert_eq!(wishes.map(|wish| think(model, wish)), expected, "{model}");
        }
    }
}
