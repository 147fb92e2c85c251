//! Relays that are away while models need them.
//!
//! A relay that comes and goes is told at most once an hour (`state`), and only if it once stays away for ten minutes; it
//! is back when it has stayed for two. Not here: a relay whose Ollama does not answer; its calls fail, and the provider is
//! told of as any other is.

use super::facts::Fact;
use super::state::Seen;
use super::{AlertKind, Outside, Relays};
use crate::directory::MINUTE;
use crate::directory::relays::{RelaySeen, relay_of};
use crate::text::alerts::Trouble;

/// Away for so long, it is no restart and no change of network.
const AWAY: i64 = 10 * MINUTE;
/// Connected for so long, it is back.
const SETTLED: i64 = 2 * MINUTE;
/// Relays looked at.
const MOST: usize = 20;

/// What there is to say of relays. `known`: those of which a trouble is known.
pub(super) fn relay_facts(outside: &Outside, known: &[String], now: i64) -> Vec<Fact> {
    let fact = |name: &str, since: i64, minutes: i64| {
        Fact::new(AlertKind::Relay, name, since, Trouble::Relay { name: name.to_owned(), minutes })
    };
    let unknown = |name: &str| Fact { seen: Seen::Unknown, ..fact(name, now, 0) };
    let relays = match &outside.relays {
        Relays::NotAsked => return Vec::new(),
        Relays::Silent => return known.iter().map(|name| unknown(name)).collect(),
        Relays::Seen(relays) => relays,
    };
    let look = |relay: &RelaySeen| match relay.connected {
        false if now - relay.since >= AWAY && is_missed(relay, relays, outside) => {
            Some(fact(&relay.name, relay.since + AWAY, (now - relay.since) / MINUTE))
        }
        // It may be gone again in a moment.
        true if now - relay.since < SETTLED && known.contains(&relay.name) => Some(unknown(&relay.name)),
        // It came for a moment, and was not back.
        false if now - relay.since < AWAY && known.contains(&relay.name) => Some(unknown(&relay.name)),
        _ => None,
    };
    relays.iter().filter_map(look).take(MOST).collect()
}

/// Whether a model waits for it: its relay is named, or nobody else who is there has the model.
fn is_missed(relay: &RelaySeen, relays: &[RelaySeen], outside: &Outside) -> bool {
    outside.models_of_relays.iter().any(|model| match relay_of(&model.provider) {
        Some(Some(name)) => name == relay.name,
        Some(None) => relay.has(&model.model) && !relays.iter().any(|other| other.connected && other.has(&model.model)),
        None => false,
    })
}

/// Which failures of a provider count as its own.
pub(super) enum Counts {
    /// Those after this moment.
    From(i64),
    /// None: it is a relay that is away.
    No,
}

/// Calls through relays fail while these are away, and what failed then says nothing once they are back.
pub(super) fn counts_from(relays: &Relays, provider: &str) -> Counts {
    let (Some(wanted), Relays::Seen(relays)) = (relay_of(provider), relays) else { return Counts::From(0) };
    let fits = |relay: &&RelaySeen| relay.connected && wanted.is_none_or(|name| name == relay.name);
    relays.iter().filter(fits).map(|relay| relay.since).max().map_or(Counts::No, Counts::From)
}
