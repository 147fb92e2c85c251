//! Relays: whether they are there, can answer, and have the models that are to answer through them.

use super::Desk;
use crate::admin::doctor::Severity;
use crate::admin::doctor::facts::Facts;
use crate::admin::relays::{has, wanted};
use crate::llm::ModelRef;
use crate::relay::{HubView, RelayView};
use crate::text::admin::doctor as words;

/// A token shorter than this can be guessed; `npm run setup` makes one of 64.
const SHORT_TOKEN: usize = 24;
const MINUTE_MS: i64 = 60_000;
/// A relay that is away for longer is not just starting anew, in minutes.
const LONG_AWAY_MIN: i64 = 10;

pub fn check(facts: &Facts, desk: &mut Desk) {
    let lang = desk.lang;
    let chain = facts.chain();
    let wanted: Vec<(usize, &ModelRef)> = chain
        .iter()
        .enumerate()
        .filter_map(|(at, model)| Some((at, model.as_ref().ok()?)))
        .filter(|(_, model)| wanted(model).is_some())
        .collect();
    let Some(signs) = facts.relays.token else {
        return match wanted.first() {
            Some((at, model)) => of_chain(desk, "relay_token", *at, words::relay_unset(lang, &model.to_string())),
            None => desk.ok("relay_token", words::no_relay_wanted(lang)),
        };
    };
    if signs < SHORT_TOKEN {
        desk.warning("relay_token", words::relay_token_short(lang, signs));
    } else {
        desk.ok("relay_token", words::relay_token_set(lang));
    }
    let Some(hub) = &facts.relays.hub else {
        desk.warning("relay_connected", words::relay_hub_silent(lang));
        return desk.unknown("relay_models", "the relays' hub");
    };
    if hub.relays.is_empty() {
        desk.warning("relay_connected", words::relay_never(lang, &facts.origin.replacen("http", "ws", 1)));
    }
    for relay in &hub.relays {
        desk.about(&relay.name);
        connected(facts, hub, relay, &wanted, desk);
        if relay.connected {
            ollama(relay, desk);
            if relay.software == facts.version {
                desk.ok("relay_release", words::relay_release_equal(lang, &relay.software));
            } else {
                desk.info("relay_release", words::relay_release_differs(lang, &relay.software, facts.version));
            }
        }
    }
    desk.subject = None;
    models(hub, &wanted, desk);
}

/// A trouble of a model of the chain: an error if it is the one that answers first.
fn of_chain(desk: &mut Desk, id: &'static str, at: usize, said: words::Said) {
    if at == 0 { desk.error(id, said) } else { desk.warning(id, said) }
}

fn connected(facts: &Facts, hub: &HubView, relay: &RelayView, wanted: &[(usize, &ModelRef)], desk: &mut Desk) {
    let lang = desk.lang;
    let minutes = (facts.now - relay.since).max(0) / MINUTE_MS;
    match (relay.connected, relay.draining) {
        (true, true) => desk.note("relay_connected", Severity::Info, words::relay_draining(lang), None),
        (true, false) => desk.ok("relay_connected", words::relay_there(lang)),
        (false, _) if minutes >= LONG_AWAY_MIN && is_missed(hub, relay, wanted) => {
            desk.warning("relay_connected", words::relay_away(lang, minutes));
        }
        // It may be a machine that is switched off at night, or one that was given up.
        (false, _) => desk.info("relay_connected", words::relay_away(lang, minutes)),
    }
}

/// Whether a model that is to answer waits for this relay: it is named there, or nobody else has the model.
fn is_missed(hub: &HubView, relay: &RelayView, models: &[(usize, &ModelRef)]) -> bool {
    models.iter().filter_map(|(_, model)| wanted(model)).any(|(name, model)| match name {
        Some(name) => name == relay.name,
        None => has(relay, model) && !hub.connected().any(|other| has(other, model)),
    })
}

fn ollama(relay: &RelayView, desk: &mut Desk) {
    let lang = desk.lang;
    match &relay.trouble {
        Some(trouble) => desk.warning("relay_ollama", words::relay_trouble(lang, trouble)),
        None if relay.models.is_empty() => desk.warning("relay_ollama", words::relay_no_models(lang)),
        None => desk.ok("relay_ollama", words::relay_ollama_answers(lang, relay.models.len())),
    }
}

/// The first model of the chain that no connected relay can answer for.
fn models(hub: &HubView, models: &[(usize, &ModelRef)], desk: &mut Desk) {
    let lang = desk.lang;
    let answers = |model: &ModelRef| {
        let fits = |(name, model): (Option<&str>, &str)| {
            hub.connected().any(|relay| name.is_none_or(|name| name == relay.name) && has(relay, model))
        };
        wanted(model).is_some_and(fits)
    };
    match models.iter().find(|(_, model)| !answers(model)) {
        Some((at, model)) if hub.connected().next().is_none() => {
            of_chain(desk, "relay_models", *at, words::relay_model_waits(lang, &model.to_string()));
        }
        Some((at, model)) => {
            of_chain(desk, "relay_models", *at, words::relay_model_missing(lang, &model.to_string()));
        }
        None => desk.ok("relay_models", words::relay_models_there(lang)),
    }
}
