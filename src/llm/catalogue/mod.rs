//! What models cost, hold and take: a small table of our own, which configuration can override.
//!
//! Whatever is not in the table is assumed dear and flagged, so that a budget holds whatever the model; a server at home
//! costs nothing. Not here: what a server says of its models by itself (`ollama::catalogue`), and what was spent.
//! Sources: providers.md §1.6, §2.1, §5.6. Windows and abilities that are not known there are `None`, not guessed.

mod overrides;
mod price;
mod table;

pub use price::{Price, Rates, cost_nano_usd, estimate_nano_usd};

use super::{ModelRef, Thinking, servers};
use overrides::Override;

/// What is known about a model. `None` is "not known", never "no".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub price: Price,
    /// Context window, tokens.
    pub context_tokens: Option<u32>,
    /// Longest answer, tokens, thinking included.
    pub max_output_tokens: Option<u32>,
    /// Media it takes.
    pub accepts: Option<Accepts>,
    /// Wishes it has a level of its own for.
    pub thinking: Option<Levels>,
    /// Whether it can call tools.
    pub tools: Option<bool>,
}

/// Kinds of media.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepts {
    pub image: bool,
    pub audio: bool,
    pub video: bool,
    pub pdf: bool,
}

/// A set of [`Thinking`] wishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels(u8);

impl Levels {
    /// From least to most.
    pub const ALL: [Thinking; 5] = [Thinking::Off, Thinking::Minimal, Thinking::Low, Thinking::Medium, Thinking::High];

    /// The set without a wish.
    pub const NONE: Levels = Levels(0);

    /// The set with `wish` in it. [`Thinking::Default`] is in every set and changes none.
    pub const fn and(self, wish: Thinking) -> Levels {
        Levels(self.0 | Levels::bit(wish))
    }

    /// Whether the model has a level of its own for `wish`; `Off`: whether its thinking can be turned off.
    pub const fn contains(self, wish: Thinking) -> bool {
        self.0 & Levels::bit(wish) == Levels::bit(wish)
    }

    /// The wishes in the set, from least to most.
    pub fn iter(self) -> impl Iterator<Item = Thinking> {
        Levels::ALL.into_iter().filter(move |wish| self.contains(*wish))
    }

    const fn bit(wish: Thinking) -> u8 {
        match wish {
            Thinking::Default => 0,
            Thinking::Off => 1,
            Thinking::Minimal => 2,
            Thinking::Low => 4,
            Thinking::Medium => 8,
            Thinking::High => 16,
        }
    }
}

/// The table with this deployment's overrides.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    overrides: Vec<(ModelRef, Override)>,
}

impl Catalogue {
    /// `overrides_json` is the variable `MODEL_CATALOGUE`. An entry with a mistake is left out as a whole; what is wrong
    /// with it is returned for the log, one line each.
    pub fn new(overrides_json: Option<&str>) -> (Catalogue, Vec<String>) {
        let (overrides, problems) = overrides_json.map(overrides::read).unwrap_or_default();
        (Catalogue { overrides }, problems)
    }

    /// Models with an entry of their own.
    pub fn overridden(&self) -> impl Iterator<Item = &ModelRef> {
        self.overrides.iter().map(|(model, _)| model)
    }

    /// What is known about `model`. `endpoint_is_local`: [`Server::is_local`](super::servers::Server::is_local) of
    /// the server behind it.
    pub fn facts(&self, model: &ModelRef, endpoint_is_local: bool) -> Facts {
        let name = model.model.to_ascii_lowercase();
        let on_ollamas_cloud = name.strip_suffix(":cloud").or_else(|| name.strip_suffix("-cloud"));
        let provider = servers::family(&model.provider);
        let is_local = provider == servers::RELAY || endpoint_is_local;
        let facts = match (provider, on_ollamas_cloud) {
            // A daemon at home passes these on to the cloud, which bills them (providers.md §1.1).
            ("ollama" | "relay", Some(bare)) => table::facts("ollama", bare),
            (_, _) if is_local => Facts::unknown(Price::FREE),
            (provider, _) => table::facts(provider, &name),
        };
        // What is said of `relay/m` holds for `relay:home/m` too, unless that has an entry of its own.
        let anywhere = ModelRef::new(provider, model.model.as_str());
        let entry = |model: &ModelRef| self.overrides.iter().find(|(named, _)| named == model);
        match entry(model).or_else(|| entry(&anywhere)) {
            Some((_, change)) => change.over(facts),
            None => facts,
        }
    }
}

impl Facts {
    const fn unknown(price: Price) -> Facts {
        Facts { price, context_tokens: None, max_output_tokens: None, accepts: None, thinking: None, tools: None }
    }
}

#[cfg(test)]
mod tests;
