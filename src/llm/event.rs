//! What a stream parser says while a model answers.
//!
//! Not here: how bytes become events (each provider's `stream`), nor how events become a message ([`super::accumulate`]).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ModelError, ToolCall};

/// One step of an answer. A stream is any number of the first five, then exactly one [`Event::Finish`] or
/// [`Event::Failed`].
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// More text. Empty text opens a part for a following [`Event::Meta`] (providers.md §0.8).
    Text(String),
    /// More reasoning.
    Thought(String),
    /// A whole call; never a piece of one.
    ToolCall(ToolCall),
    /// Raw provider data of what the previous event wrote: that piece of text, parted from the text before it, or the
    /// whole thought or call.
    Meta(Value),
    /// Consumption so far; a later one replaces it.
    Usage(Usage),
    /// The protocol's own end mark came.
    Finish(Finish),
    /// The answer is broken off. Calls received before must not be run.
    Failed(ModelError),
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said everything.
    Stop,
    /// It reached the output cap or the end of the window.
    Length,
    /// It waits for the results of its calls.
    ToolCalls,
    /// Its provider withheld the answer; the provider's word for why.
    Blocked(String),
    /// Any other word of the provider.
    Other(String),
}

/// What a call consumed, tokens. Stored as JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Everything that went in, the cached share included.
    pub input: u64,
    /// The share of `input` billed at the cached price.
    pub cached_input: u64,
    /// Everything that is billed as output, `thinking` included.
    pub output: u64,
    /// The share of `output` spent on reasoning; 0 when the provider does not tell.
    pub thinking: u64,
    /// The provider's own bill for this call in 10⁻⁹ US dollars, when it sends one. Goes before any price table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_nano_usd: Option<u64>,
}

impl Usage {
    /// Adds what another call consumed.
    pub fn add(&mut self, more: &Usage) {
        self.input = self.input.saturating_add(more.input);
        self.cached_input = self.cached_input.saturating_add(more.cached_input);
        self.output = self.output.saturating_add(more.output);
        self.thinking = self.thinking.saturating_add(more.thinking);
        self.cost_nano_usd = match (self.cost_nano_usd, more.cost_nano_usd) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_is_pinned() {
        let usage = Usage { input: 26, cached_input: 5, output: 282, thinking: 7, cost_nano_usd: None };
        let json = r#"{"input":26,"cached_input":5,"output":282,"thinking":7}"#;
        assert_eq!(serde_json::to_string(&usage).unwrap(), json);
        assert_eq!(serde_json::from_str::<Usage>(json).unwrap(), usage);
        let priced = Usage { cost_nano_usd: Some(140_000), ..usage };
        assert_eq!(
            serde_json::to_string(&priced).unwrap(),
            r#"{"input":26,"cached_input":5,"output":282,"thinking":7,"cost_nano_usd":140000}"#
        );
        assert_eq!(serde_json::from_str::<Usage>("{}").unwrap(), Usage::default());
        assert_eq!(serde_json::to_string(&Finish::ToolCalls).unwrap(), r#""tool_calls""#);
        assert_eq!(serde_json::to_string(&Finish::Other("load".into())).unwrap(), r#"{"other":"load"}"#);
    }
}
