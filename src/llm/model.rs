//! Names of models and what a catalogue says about them.
//!
//! Not here: which models exist. Providers retire them with two weeks' notice (providers.md §0.2, §1.6), so no name is
//! compiled in; catalogues are read from the provider.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::servers;

/// Longest accepted `provider/model` text, bytes. Real names stay under 100; the cap keeps keys and logs sane.
pub const MAX_MODEL_REF: usize = 200;

/// A model of a provider, written `provider/model`: `ollama/gpt-oss:120b`. Stored as that string.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelRef {
    /// Lower-case letters, digits, `-` and `_`: `ollama`, `gemini`, `relay`; or `relay:<name>` for one relay of several.
    pub provider: String,
    /// As the provider spells it; may hold `/` and `:` (`hf.co/user/repo:Q4_K_M`).
    pub model: String,
}

/// Why a text is not a `provider/model`. All variants are the operator's typing; show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelRefError {
    /// No `/`, or nothing before it, or signs a provider's name cannot have.
    #[error("a model is written provider/model, for example ollama/gpt-oss:120b")]
    Provider,
    /// Nothing after the first `/`, or blanks or control characters in it.
    #[error("the model's name after the first / is empty or has blanks in it")]
    Model,
    /// Over [`MAX_MODEL_REF`] bytes.
    #[error("the model's name is longer than {MAX_MODEL_REF} bytes")]
    TooLong,
}

impl ModelRef {
    /// From its two halves, unchecked: for names that came from a catalogue or a constant.
    pub fn new(provider: impl Into<String>, model: impl Into<String>) -> Self {
        ModelRef { provider: provider.into(), model: model.into() }
    }
}

impl FromStr for ModelRef {
    type Err = ModelRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > MAX_MODEL_REF {
            return Err(ModelRefError::TooLong);
        }
        let (provider, model) = text.split_once('/').ok_or(ModelRefError::Provider)?;
        let provider_sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let is_plain = !provider.is_empty() && provider.chars().all(provider_sign);
        if !is_plain && servers::relay_name(provider).is_none() {
            return Err(ModelRefError::Provider);
        }
        if model.is_empty() || model.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(ModelRefError::Model);
        }
        Ok(ModelRef::new(provider, model))
    }
}

impl TryFrom<String> for ModelRef {
    type Error = ModelRefError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ModelRef> for String {
    fn from(model: ModelRef) -> Self {
        model.to_string()
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

/// One row of a provider's catalogue. Everything but the name may be unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelInfo {
    /// The provider's own name for it, usable as [`ModelRef::model`].
    pub name: String,
    /// The [`ModelRef::provider`] to name, where it is not the one that was asked: `relay:home`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// As the provider writes it: `116.8B`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter_size: Option<String>,
    /// Context window, tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u32>,
    /// The provider's words: `completion`, `tools`, `vision`, `thinking` …; empty means unknown, not "none".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
}

impl ModelInfo {
    /// Its full name, in the list of `provider`.
    pub fn of(&self, provider: &str) -> ModelRef {
        ModelRef::new(self.provider.as_deref().unwrap_or(provider), &self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_slash() {
        let model: ModelRef = " ollama/hf.co/user/repo:Q4_K_M ".parse().unwrap();
        assert_eq!(model, ModelRef::new("ollama", "hf.co/user/repo:Q4_K_M"));
        assert_eq!(model.to_string(), "ollama/hf.co/user/repo:Q4_K_M");
        let model: ModelRef = "relay:home/qwen3:8b".parse().unwrap();
        assert_eq!(model, ModelRef::new("relay:home", "qwen3:8b"));
    }

    #[test]
    fn refuses_bad_text() {
        for (text, error) in [
            ("", ModelRefError::Provider),
            ("gpt-oss:120b", ModelRefError::Provider),
            ("/x", ModelRefError::Provider),
            ("Ollama/x", ModelRefError::Provider),
            ("hf.co/x", ModelRefError::Provider),
            ("relay:/x", ModelRefError::Provider),
            ("relay:Home/x", ModelRefError::Provider),
            ("ollama:home/x", ModelRefError::Provider),
            ("ollama/", ModelRefError::Model),
            ("ollama/a b", ModelRefError::Model),
            ("ollama/a\u{0}b", ModelRefError::Model),
        ] {
            assert_eq!(text.parse::<ModelRef>(), Err(error), "{text:?}");
        }
        assert_eq!(format!("ollama/{}", "x".repeat(200)).parse::<ModelRef>(), Err(ModelRefError::TooLong));
    }

    #[test]
    fn stored_form_is_pinned() {
        let model = ModelRef::new("ollama", "gpt-oss:120b");
        let json = r#""ollama/gpt-oss:120b""#;
        assert_eq!(serde_json::to_string(&model).unwrap(), json);
        assert_eq!(serde_json::from_str::<ModelRef>(json).unwrap(), model);
        assert!(serde_json::from_str::<ModelRef>(r#""gpt-oss""#).is_err());
    }
}
