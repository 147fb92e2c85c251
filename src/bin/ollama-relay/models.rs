//! Keeps an eye on Ollama: which models it has, which are in memory, whether it answers at all. The hub hears of it when something
//! changed.

use std::sync::Arc;
use std::time::Duration;

use super::house::{House, lock};

const EVERY: Duration = Duration::from_secs(30);
/// While Ollama does not answer: an Ollama that was started again is not to stay away for half a minute.
const AWAY_EVERY: Duration = Duration::from_secs(1);
/// Calls that end one after the other are one reason to look.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// Looks for as long as the process lives.
pub async fn watch(house: Arc<House>) {
    loop {
        let is_there = look(&house).await;
        tokio::time::sleep(AT_MOST_EVERY).await;
        let pause = if is_there { EVERY } else { AWAY_EVERY };
        let _ = tokio::time::timeout(pause, house.look.notified()).await;
    }
}

/// Looks once, and logs what is new. Whether Ollama answers.
pub async fn look(house: &Arc<House>) -> bool {
    let facts = house.ollama.facts().await;
    match facts {
        Ok(facts) => {
            *lock(&house.loaded) = facts.loaded;
            let (before, now) = house.with(|relay, _| {
                let before = relay.state().clone();
                relay.ollama(facts.models, facts.release);
                (before, relay.state().clone())
            });
            let names = |state: &tideclaw::relay::State| {
                state.models.iter().map(|model| model.name.clone()).collect::<Vec<_>>()
            };
            if before.trouble.is_some() || before.ollama != now.ollama {
                tracing::info!("Ollama {} answers", now.ollama.as_deref().unwrap_or("of an unknown release"));
            }
            if names(&before) != names(&now) {
                tracing::info!(
                    "models the bot may use: {}",
                    if now.models.is_empty() { "none".to_owned() } else { names(&now).join(", ") }
                );
            }
            true
        }
        Err(trouble) => {
            let before = house.with(|relay, _| {
                let before = relay.state().trouble.clone();
                relay.ollama_is_away(&trouble.message);
                before
            });
            if before.as_deref() != Some(&trouble.message) {
                tracing::warn!("{}", trouble.message);
            }
            false
        }
    }
}
