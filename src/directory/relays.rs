//! Relays, as far as the Directory must know them: for numbers and for what owners hear. The shell asks their hub.
//!
//! Not here: the hub itself (`relay`), which this module does not know.

use super::{Directory, DirectoryError};
use crate::llm::{ModelRef, servers};
use crate::store::Sql;

/// What the shell heard from the relays' hub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Relays {
    /// Nobody had to be asked: no relay is let in, or none is needed.
    #[default]
    NotAsked,
    /// The hub did not answer.
    Silent,
    Seen(Vec<RelaySeen>),
}

/// A relay as its hub knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelaySeen {
    pub name: String,
    pub connected: bool,
    /// Since when it has been connected, or away, Unix milliseconds.
    pub since: i64,
    /// Models it has, or had when it went.
    pub models: Vec<String>,
    /// Calls it makes now.
    pub in_flight: u32,
    /// Calls since it was first seen.
    pub ended_well: u64,
    pub failed: u64,
}

impl RelaySeen {
    /// Ollama adds `:latest` where no tag is given.
    pub(super) fn has(&self, model: &str) -> bool {
        let short = |name: &str| name.trim_end_matches(":latest").to_owned();
        self.models.iter().any(|known| short(known) == short(model))
    }
}

/// Of a model behind a relay: the relay, if one is named. `None`: it is somewhere else.
pub(super) fn relay_of(provider: &str) -> Option<Option<&str>> {
    (servers::family(provider) == servers::RELAY).then(|| servers::relay_name(provider))
}

impl<S: Sql> Directory<S> {
    /// The models behind relays that are configured to answer anywhere. `of_environment`: the chain that holds where the
    /// document says nothing, the default first.
    pub fn models_of_relays(&self, of_environment: &[ModelRef]) -> Result<Vec<ModelRef>, DirectoryError> {
        let document = self.live()?.map(|(_, document)| document).unwrap_or_default();
        let (default, stand_ins) = of_environment.split_at(of_environment.len().min(1));
        let default = document.models.default.map_or_else(|| default.to_vec(), |model| vec![model]);
        let stand_ins = document.models.fallbacks.unwrap_or_else(|| stand_ins.to_vec());
        let agents = document.agents.into_values();
        let of_agents = agents.flat_map(|agent| agent.model.into_iter().chain(agent.fallbacks.unwrap_or_default()));
        let mut models: Vec<ModelRef> = default.into_iter().chain(stand_ins).chain(of_agents).collect();
        models.retain(|model| relay_of(&model.provider).is_some());
        models.sort();
        models.dedup();
        Ok(models)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::directory::Actor;
    use crate::store::native::Sqlite;

    #[test]
    fn models_of_relays_are_found_wherever_they_are_configured() {
        let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
        let names = |environment: &[&str]| {
            let environment: Vec<ModelRef> = environment.iter().map(|name| name.parse().unwrap()).collect();
            let models = directory.models_of_relays(&environment).unwrap();
            models.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names(&["ollama/a", "gemini/b"]), [""; 0]);
        assert_eq!(names(&["relay/a", "ollama/b", "relay/c", "relay/a"]), ["relay/a", "relay/c"]);
        let document =
            r#"{"models":{"default":"ollama/x"},"agents":{"tutor":{"model":"relay:home/t","fallbacks":["relay/u"]}}}"#;
        directory.save_config(0, document, "", &Actor::System, 1).unwrap();
        assert_eq!(names(&["relay/a", "relay/c"]), ["relay/c", "relay/u", "relay:home/t"]);
    }

    #[test]
    fn providers_that_are_relays() {
        assert_eq!((relay_of("relay"), relay_of("relay:home")), (Some(None), Some(Some("home"))));
        assert_eq!((relay_of("ollama"), relay_of("relay2"), relay_of("x:relay")), (None, None, None));
    }
}
