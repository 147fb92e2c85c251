//! What is known about a model: our table, the operator's overrides, and what an Ollama server says of its own models.
//!
//! A server is asked once a day and model, after an answer rather than before one; what it says is kept with the
//! conversation. Not here: the table itself (`llm::catalogue`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::conversation::Conversation;
use super::ports::Ports;
use crate::llm::catalogue::{Accepts, Facts};
use crate::llm::{ModelInfo, ModelRef, Provider, ollama};
use crate::store::{Sql, StoreError, to_json};

/// How long a server's word holds, also that it said nothing, ms.
const FRESH_MS: i64 = 24 * 3_600_000;
/// Models remembered per conversation.
const MAX_KNOWN: usize = 40;

/// What a server said about one of its models.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<u32>,
    /// The server's words (`vision`, `tools` …); `None`: it did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<String>>,
}

/// By model.
pub(super) type AllTold = BTreeMap<ModelRef, Told>;

/// Reads what was kept.
pub(super) fn load(sql: &impl Sql) -> Result<AllTold, StoreError> {
    let rows = sql.run("SELECT value FROM setting WHERE key = 'told'", &[])?;
    Ok(rows
        .first()
        .and_then(|row| row.text(0).ok())
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default())
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// All that is known about `model`. The operator's word and our table go before the server's.
    pub(super) fn facts(&self, model: &ModelRef) -> Facts {
        let local = self.config.servers.of(model).is_some_and(|server| server.is_local());
        let mut facts = self.agent().catalogue.facts(model, local);
        if let Some(told) = self.told.borrow().get(model) {
            facts.context_tokens = facts.context_tokens.or(told.context);
            if let Some(words) = &told.capabilities {
                let can = |word: &str| words.iter().any(|known| known == word);
                let accepts = Accepts { image: can("vision"), audio: can("audio"), ..Accepts::default() };
                facts.accepts = facts.accepts.or(Some(accepts));
                facts.tools = facts.tools.or(Some(can("tools")));
            }
        }
        facts
    }

    /// Asks an Ollama server about `model`, if something is not known and it was not asked today.
    pub(super) async fn learn(&self, model: &ModelRef) -> Result<(), StoreError> {
        let now = self.ports.now();
        let Some(server) = self.config.servers.of(model).filter(|server| server.provider == Provider::Ollama) else {
            return Ok(());
        };
        let facts = self.facts(model);
        let known = facts.context_tokens.is_some() && facts.accepts.is_some() && facts.tools.is_some();
        if known || self.told.borrow().get(model).is_some_and(|told| now - told.at < FRESH_MS) {
            return Ok(());
        }
        let request = server.seal(ollama::show(&server.endpoint, &model.model), &[]);
        let body = self.fetch_small(request).await;
        let info = body.and_then(|body| ollama::parse_show(&model.model, &body).ok());
        self.keep_told(model, info, now)
    }

    fn keep_told(&self, model: &ModelRef, info: Option<ModelInfo>, now: i64) -> Result<(), StoreError> {
        let info = info.unwrap_or_default();
        let told = Told {
            at: now,
            context: info.context_tokens,
            capabilities: Some(info.capabilities).filter(|words| !words.is_empty()),
        };
        let mut all = self.told.borrow().clone();
        all.insert(model.clone(), told);
        while all.len() > MAX_KNOWN {
            let Some(oldest) = all.iter().min_by_key(|(_, told)| told.at).map(|(model, _)| model.clone()) else {
                break;
            };
            all.remove(&oldest);
        }
        self.sql.run("INSERT OR REPLACE INTO setting (key, value) VALUES ('told', ?1)", &[to_json(&all)?.into()])?;
        self.told.replace(all);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_is_pinned() {
        let told = Told { at: 5, context: Some(8_192), capabilities: Some(vec!["vision".into()]) };
        let all: AllTold = [(ModelRef::new("ollama", "x:8b"), told)].into();
        let json = r#"{"ollama/x:8b":{"at":5,"context":8192,"capabilities":["vision"]}}"#;
        assert_eq!(serde_json::to_string(&all).unwrap(), json);
        assert_eq!(serde_json::from_str::<AllTold>(json).unwrap(), all);
    }
}
