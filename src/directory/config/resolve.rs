//! Which agent answers where, and what its conversation goes by: the document boiled down to one conversation.
//!
//! Pure. A binding holds where all it names is so; the most specific one wins, by topic, then chat, then bot. Without one,
//! `main` answers. Not here: what a conversation makes of it (`chat::agent`), what the environment says.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

pub use super::cross::MAIN;
use super::document::{Agent, Binding, Document, ToolsProfile};
use crate::llm::{ModelRef, Thinking};
use crate::telegram::session::SessionKey;

/// Which configuration: its version, and when that was saved. The time tells apart two that have the same number because a
/// backup was put back between them. Both 0: the environment alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigMark {
    pub version: i64,
    /// Unix milliseconds.
    pub at: i64,
}

/// What one conversation goes by, as the Directory tells it and the conversation keeps it. An absent field: what the
/// environment says holds. A word of a newer release counts as absent, an unknown tools profile as none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionConfig {
    #[serde(flatten)]
    pub mark: ConfigMark,
    /// Who answers: an id of the document's agents, or [`MAIN`].
    pub agent: String,
    /// What it calls itself; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub emoji: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub persona: String,
    /// Instead of `DEFAULT_MODEL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// Instead of `FALLBACK_MODELS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallbacks: Option<Vec<ModelRef>>,
    /// Where nobody chose with `/think`.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "known_or_default")]
    pub thinking: Thinking,
    #[serde(skip_serializing_if = "is_default", deserialize_with = "known_or_no_tools")]
    pub tools: ToolsProfile,
    /// Instead of `MODEL_CATALOGUE`, in its form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Value>,
    /// Instead of `STREAM_MODE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming: Option<String>,
    /// Instead of `MODEL_DEADLINES`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadlines: Option<String>,
}

impl Default for SessionConfig {
    /// The environment alone.
    fn default() -> Self {
        SessionConfig {
            mark: ConfigMark::default(),
            agent: MAIN.to_owned(),
            name: String::new(),
            emoji: String::new(),
            persona: String::new(),
            model: None,
            fallbacks: None,
            thinking: Thinking::Default,
            tools: ToolsProfile::All,
            catalogue: None,
            streaming: None,
            deadlines: None,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn known_or_default<'de, D: Deserializer<'de>>(from: D) -> Result<Thinking, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
}

/// A profile of a newer release may be narrower than all we have.
fn known_or_no_tools<'de, D: Deserializer<'de>>(from: D) -> Result<ToolsProfile, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or(ToolsProfile::None))
}

/// Who answers somewhere, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound<'a> {
    /// An id of the document's agents, or [`MAIN`].
    pub agent: &'a str,
    /// The binding that says so; `None`: there is none for this place.
    pub by: Option<&'a Binding>,
}

/// Which agent answers in `session`. A binding to an agent that is not there does not count.
pub fn bound<'a>(document: &'a Document, session: &SessionKey) -> Bound<'a> {
    let holds = |binding: &&Binding| {
        matches(binding, session) && (binding.agent == MAIN || document.agents.contains_key(&binding.agent))
    };
    // Two bindings for one place are refused when saved; should there be some, their order must not matter.
    let by = document.bindings.iter().filter(holds).max_by(|a, b| {
        let rank = specificity(a).cmp(&specificity(b));
        rank.then_with(|| b.agent.cmp(&a.agent))
    });
    Bound { agent: by.map_or(MAIN, |binding| binding.agent.as_str()), by }
}

/// What the conversation `session` goes by when `document` is live as `mark`.
pub fn resolve(mark: ConfigMark, document: &Document, session: &SessionKey) -> SessionConfig {
    let id = bound(document, session).agent;
    let plain = Agent::default();
    let agent = document.agents.get(id).unwrap_or(&plain);
    SessionConfig {
        mark,
        agent: id.to_owned(),
        name: agent.name.clone(),
        emoji: agent.emoji.clone(),
        persona: agent.persona.clone(),
        model: agent.model.clone().or_else(|| document.models.default.clone()),
        fallbacks: agent.fallbacks.clone().or_else(|| document.models.fallbacks.clone()),
        thinking: agent.thinking.unwrap_or_default(),
        tools: agent.tools,
        catalogue: document.models.catalogue.clone(),
        streaming: document.replies.streaming.clone(),
        deadlines: document.replies.deadlines.clone(),
    }
}

/// Whether all that `binding` names is so in `session`. A topic without a chat names nothing.
fn matches(binding: &Binding, session: &SessionKey) -> bool {
    binding.bot.as_ref().is_none_or(|bot| *bot == session.bot)
        && binding.chat.is_none_or(|chat| chat == session.chat_id)
        && binding.topic.is_none_or(|topic| binding.chat.is_some() && session.topic == Some(topic))
}

/// The greater, the more it says of the place.
fn specificity(binding: &Binding) -> (bool, bool, bool) {
    (binding.topic.is_some(), binding.chat.is_some(), binding.bot.is_some())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
