//! Keeps the models of `--preload` in memory, so that the first question of a morning is answered as fast as the second.
//!
//! A model that is there is kept with the window it has: asking for another would load it again, under the caller's feet. Nothing is
//! loaded while callers wait for answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tideclaw::llm::ollama::CONTEXT_TOKENS;
use tokio::time::Instant;

use super::house::{House, lock};

const LOOK_EVERY: Duration = Duration::from_secs(20);
/// Ollama forgets a model after this time without a request, minutes…
const KEEP_MINUTES: u32 = 20;
/// …and is reminded after this.
const REMIND_EVERY: Duration = Duration::from_secs(4 * 60);
/// A model that could not be loaded is tried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(120);

/// Works for as long as the process lives.
pub async fn keep(house: Arc<House>, models: Vec<String>) {
    let mut next: HashMap<String, Instant> = HashMap::new();
    loop {
        for model in &models {
            let busy = house.quietly(|relay, _| relay.in_flight() > 0);
            let there = lock(&house.loaded).iter().find(|loaded| is_same(&loaded.name, model)).cloned();
            let due = next.get(model).is_none_or(|at| Instant::now() >= *at);
            if busy || !due {
                continue;
            }
            let began = Instant::now();
            // One that is not there is loaded as the bot will ask for it.
            let window = there.as_ref().and_then(|there| there.context).unwrap_or(CONTEXT_TOKENS.into());
            let again = match house.ollama.load(model, Some(window), KEEP_MINUTES).await {
                Ok(()) if there.is_some() => REMIND_EVERY,
                Ok(()) => {
                    tracing::info!("loaded {model} in {} s", began.elapsed().as_secs());
                    house.look.notify_one();
                    REMIND_EVERY
                }
                Err(trouble) => {
                    tracing::warn!("cannot load {model}: {}", trouble.message);
                    RETRY_AFTER
                }
            };
            next.insert(model.clone(), Instant::now() + again);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn is_same(listed: &str, named: &str) -> bool {
    listed == named || listed.strip_suffix(":latest") == Some(named)
}
