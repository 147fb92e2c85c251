//! The document as data. `None`, or an absent field: what the environment says holds.
//!
//! Not here: what is allowed in each field (`schema`), which agent answers where (`resolve`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::directory::DmPolicy;
use crate::llm::{ModelRef, Thinking};

/// The whole document. Fields are only added, each with a default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    #[serde(skip_serializing_if = "is_default")]
    pub models: Models,
    #[serde(skip_serializing_if = "is_default")]
    pub budget: Budget,
    #[serde(skip_serializing_if = "is_default")]
    pub access: AccessRules,
    #[serde(skip_serializing_if = "is_default")]
    pub replies: Replies,
    /// By id (`[a-z0-9_-]{1,32}`). `main` answers wherever no binding says otherwise; it need not be here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub agents: BTreeMap<String, Agent>,
    /// Who answers where; the most specific one holds, their order does not matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
}

/// Which models answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Models {
    /// Instead of `DEFAULT_MODEL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<ModelRef>,
    /// Instead of `FALLBACK_MODELS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallbacks: Option<Vec<ModelRef>>,
    /// Instead of `MODEL_CATALOGUE`, in its form (docs/models.md).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<serde_json::Value>,
}

/// The most that may be spent, US dollars. Days and months are UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Instead of `DAILY_BUDGET_USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_usd: Option<f64>,
    /// Instead of `MONTHLY_BUDGET_USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month_usd: Option<f64>,
    /// Each person's day; instead of `PERSON_DAILY_BUDGET_USD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_day_usd: Option<f64>,
}

/// Who may write.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessRules {
    /// Private messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<DmPolicy>,
}

/// How answers look.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Replies {
    /// Instead of `STREAM_MODE`: `draft`, `edit` or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming: Option<String>,
    /// Instead of `MODEL_DEADLINES`: `first,idle,total,relay` in seconds, the last of which may be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadlines: Option<String>,
}

/// Somebody who answers: a persona with a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Agent {
    /// What it calls itself; empty: the bot's own name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// One emoji shown beside the name; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub emoji: String,
    /// Goes into the system prompt after our own rules.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub persona: String,
    /// Its model, where nobody picked another with `/model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// Instead of `models.fallbacks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallbacks: Option<Vec<ModelRef>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "is_default")]
    pub tools: ToolsProfile,
}

/// Which tools an agent has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolsProfile {
    #[default]
    All,
    None,
}

/// Who answers where. Each field given must match; more fields given go before fewer, in the order topic, chat, bot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Binding {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<i64>,
    /// Only together with `chat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<i64>,
    /// An id of `agents`, or `main`.
    pub agent: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_pinned() {
        let json = r#"{"models":{"default":"ollama/gpt-oss:120b","fallbacks":["gemini/gemini-3.8-flash"]},"budget":{"day_usd":1.5},"access":{"private":"allowlist"},"replies":{"streaming":"edit"},"agents":{"tutor":{"name":"Tutor","emoji":"🎓","persona":"You teach.","thinking":"low","tools":"none"}},"bindings":[{"bot":"work","chat":-100,"topic":5,"agent":"tutor"}]}"#;
        let document: Document = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), json);
        assert_eq!(serde_json::from_str::<Document>("{}").unwrap(), Document::default());
        assert_eq!(serde_json::to_string(&Document::default()).unwrap(), "{}");
    }
}
