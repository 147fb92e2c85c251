//! Configuration from variables and secrets (DESIGN §4). Read when an object or a request starts; never logged.

use worker::Env;

use crate::chat::config::{Config, Deadlines, Streaming, chain as chat_chain};
use crate::chat::transcriber::Transcriber;
use crate::directory::Caps;
use crate::llm::catalogue::Catalogue;
use crate::llm::{ModelRef, Servers};

/// A variable or secret; blank counts as absent.
pub fn text(env: &Env, name: &str) -> Option<String> {
    let value = env.var(name).ok()?.to_string();
    let value = value.trim();
    (!value.is_empty() && value != "undefined").then(|| value.to_owned())
}

/// What every conversation of this deployment shares.
pub fn chat(env: &Env) -> Config {
    let (models, problems) = chat_chain(text(env, "DEFAULT_MODEL").as_deref(), text(env, "FALLBACK_MODELS").as_deref());
    for problem in problems {
        worker::console_error!("DEFAULT_MODEL or FALLBACK_MODELS: {problem}");
    }
    let (catalogue, problems) = Catalogue::new(text(env, "MODEL_CATALOGUE").as_deref());
    for problem in problems {
        worker::console_error!("MODEL_CATALOGUE: {problem}");
    }
    let servers = Servers::from_variables(|name| text(env, name));
    Config {
        models,
        catalogue,
        transcriber: Transcriber::from_variables(|name| text(env, name), &servers),
        servers,
        deadlines: text(env, "MODEL_DEADLINES").and_then(|text| Deadlines::parse(&text)).unwrap_or_default(),
        streaming: text(env, "STREAM_MODE").and_then(|text| Streaming::parse(&text)).unwrap_or(Streaming::Draft),
    }
}

/// `DEFAULT_MODEL` and `FALLBACK_MODELS`, as far as they can be read.
pub fn chain(env: &Env) -> Vec<ModelRef> {
    chat_chain(text(env, "DEFAULT_MODEL").as_deref(), text(env, "FALLBACK_MODELS").as_deref()).0
}

/// The budgets; what cannot be read is logged and counts as unset.
pub fn caps(env: &Env) -> Caps {
    let [day, month, person] =
        ["DAILY_BUDGET_USD", "MONTHLY_BUDGET_USD", "PERSON_DAILY_BUDGET_USD"].map(|name| text(env, name));
    let (caps, wrong) = Caps::read(day.as_deref(), month.as_deref(), person.as_deref());
    for name in wrong {
        worker::console_error!("{name} is not an amount in US dollars; the default holds");
    }
    caps
}

/// `OWNER_TELEGRAM_IDS`.
pub fn owners(env: &Env) -> Vec<i64> {
    text(env, "OWNER_TELEGRAM_IDS").unwrap_or_default().split(',').filter_map(|id| id.trim().parse().ok()).collect()
}
