//! Who answers here: the configuration the Directory told this conversation, over that of the environment.
//!
//! It comes with the answer to a request for leave, or of a lookup, and is kept with the conversation, so that nothing is
//! asked for it alone. A turn goes to its end by the one it began with. Not here: which agent answers where
//! (`directory::config`), when it is asked for (`meter`).

use std::rc::Rc;

use super::config::{Config, Deadlines, Streaming};
use super::conversation::Conversation;
use super::ports::Ports;
use super::tools;
use super::turn::{self, Turn};
use crate::directory::config::{ConfigMark, SessionConfig, ToolsProfile};
use crate::llm::catalogue::Catalogue;
use crate::llm::{ModelRef, Servers, Thinking, ToolSpec};
use crate::store::{Sql, StoreError, to_json};

/// What the conversation goes by, made once from what it was told.
#[derive(Debug)]
pub(super) struct Agent {
    told: SessionConfig,
    /// The default model first, then those that stand in for it. Never empty if the environment's are not.
    pub models: Vec<ModelRef>,
    pub catalogue: Catalogue,
    pub deadlines: Deadlines,
    pub streaming: Streaming,
}

impl Agent {
    /// `environment`: what holds where `told` says nothing, or nothing that can be read.
    pub fn new(told: SessionConfig, environment: &Config) -> Agent {
        let (first, rest) = match environment.models.split_first() {
            Some((first, rest)) => (Some(first), rest),
            None => (None, &[][..]),
        };
        let mut models: Vec<ModelRef> = Vec::new();
        let fallbacks = told.fallbacks.as_deref().unwrap_or(rest);
        for model in told.model.as_ref().or(first).into_iter().chain(fallbacks) {
            if !models.contains(model) {
                models.push(model.clone());
            }
        }
        let catalogue = told.catalogue.as_ref().map(|entries| Catalogue::new(Some(&entries.to_string())).0);
        Agent {
            models,
            catalogue: catalogue.unwrap_or_else(|| environment.catalogue.clone()),
            deadlines: told.deadlines.as_deref().and_then(Deadlines::parse).unwrap_or(environment.deadlines),
            streaming: told.streaming.as_deref().and_then(Streaming::parse).unwrap_or(environment.streaming),
            told,
        }
    }

    /// Which configuration it is of.
    pub fn mark(&self) -> ConfigMark {
        self.told.mark
    }

    /// `first` and those that stand in for it, as far as they are set up here.
    pub fn chain(&self, first: &ModelRef, servers: &Servers) -> Vec<ModelRef> {
        let mut chain = vec![first.clone()];
        chain.extend(self.models.iter().filter(|model| *model != first).cloned());
        chain.retain(|model| servers.of(model).is_some());
        chain
    }

    /// The person's wish, or where there is none the agent's.
    pub fn thinking(&self, wish: Thinking) -> Thinking {
        if wish == Thinking::Default { self.told.thinking } else { wish }
    }

    pub fn tools(&self) -> ToolsProfile {
        self.told.tools
    }

    /// The tools it offers to a model.
    pub fn tool_specs(&self) -> Vec<ToolSpec> {
        tools::specs(self.told.tools)
    }

    /// What of the system text is its own; the same from call to call. Empty if there is nothing.
    pub fn persona(&self) -> String {
        let SessionConfig { name, emoji, persona, .. } = &self.told;
        let mut text = match (name.as_str(), emoji.as_str()) {
            ("", "") => String::new(),
            (name, "") => format!("\nYour name is {name}."),
            ("", emoji) => format!("\nYour emoji is {emoji}."),
            (name, emoji) => format!("\nYour name is {name}, your emoji {emoji}."),
        };
        if !persona.is_empty() {
            text.push_str("\nThe operator of this bot says about you:\n");
            text.push_str(persona);
        }
        text
    }

    /// As `/status` names it: `🎓 Tutor (tutor)`.
    pub fn title(&self) -> String {
        let SessionConfig { name, emoji, agent, .. } = &self.told;
        let shown = [emoji.as_str(), name.as_str()].into_iter().filter(|word| !word.is_empty());
        let shown = shown.collect::<Vec<_>>().join(" ");
        if shown.is_empty() { agent.clone() } else { format!("{shown} ({agent})") }
    }
}

/// Reads what was kept.
pub(super) fn load(sql: &impl Sql) -> Result<SessionConfig, StoreError> {
    let rows = sql.run("SELECT value FROM setting WHERE key = 'config'", &[])?;
    // What does not decode counts as never told: the next question for leave brings it anew.
    let kept = rows.first().and_then(|row| row.text(0).ok()).and_then(|json| serde_json::from_str(json).ok());
    Ok(kept.unwrap_or_default())
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Who answers here from the next turn on.
    pub(super) fn agent(&self) -> Rc<Agent> {
        self.agent.borrow().clone()
    }

    /// Keeps what the Directory told, and goes by it.
    pub(super) fn take_over(&self, told: SessionConfig) -> Result<(), StoreError> {
        self.sql.run("INSERT OR REPLACE INTO setting (key, value) VALUES ('config', ?1)", &[to_json(&told)?.into()])?;
        self.agent.replace(Rc::new(Agent::new(told, &self.config)));
        Ok(())
    }

    /// A turn that has called no model yet is answered by the model that is to answer now.
    pub(super) fn choose_model(&self, turn: &mut Turn) -> Result<(), StoreError> {
        let model = self.model();
        if model != turn.model {
            turn::set_model(&self.sql, turn.id, &model)?;
            turn.model = model;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::llm::catalogue::Catalogue;

    fn environment() -> Config {
        Config {
            models: ["ollama/one", "ollama/two"].map(|name| name.parse().unwrap()).into(),
            servers: Servers(Vec::new()),
            catalogue: Catalogue::default(),
            transcriber: None,
            deadlines: Deadlines::default(),
            streaming: Streaming::Draft,
        }
    }

    fn models(told: &str) -> Vec<String> {
        let agent = Agent::new(serde_json::from_str(told).unwrap(), &environment());
        agent.models.iter().map(ModelRef::to_string).collect()
    }

    #[test]
    fn what_was_not_told_is_as_the_environment_says() {
        assert_eq!(models("{}"), ["ollama/one", "ollama/two"]);
        assert_eq!(models(r#"{"model":"ollama/x"}"#), ["ollama/x", "ollama/two"]);
        assert_eq!(models(r#"{"fallbacks":[]}"#), ["ollama/one"]);
        assert_eq!(models(r#"{"fallbacks":["ollama/one","ollama/z","ollama/z"]}"#), ["ollama/one", "ollama/z"]);
    }

    #[test]
    fn what_cannot_be_read_is_as_the_environment_says() {
        let told = SessionConfig {
            streaming: Some("hologram".into()),
            deadlines: Some("soon".into()),
            catalogue: Some(serde_json::json!([1])),
            ..SessionConfig::default()
        };
        let agent = Agent::new(told, &environment());
        assert_eq!((agent.streaming, agent.deadlines), (Streaming::Draft, Deadlines::default()));
    }

    #[test]
    fn a_wish_of_the_person_goes_before_the_agents() {
        let agent = Agent::new(serde_json::from_str(r#"{"thinking":"low"}"#).unwrap(), &environment());
        assert_eq!(agent.thinking(Thinking::Default), Thinking::Low);
        assert_eq!(agent.thinking(Thinking::Off), Thinking::Off);
    }

    #[test]
    fn names() {
        for (told, persona, title) in [
            ("{}", "", "main"),
            (r#"{"agent":"a","name":"Ann"}"#, "\nYour name is Ann.", "Ann (a)"),
            (r#"{"agent":"a","emoji":"🎓"}"#, "\nYour emoji is 🎓.", "🎓 (a)"),
            (
                r#"{"agent":"a","name":"Ann","emoji":"🎓","persona":"Be kind.\nBe brief."}"#,
                "\nYour name is Ann, your emoji 🎓.\nThe operator of this bot says about you:\nBe kind.\nBe brief.",
                "🎓 Ann (a)",
            ),
        ] {
            let agent = Agent::new(serde_json::from_str(told).unwrap(), &environment());
            assert_eq!((agent.persona().as_str(), agent.title().as_str()), (persona, title));
        }
    }
}
