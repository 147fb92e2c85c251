//! What the hub tells of its relays: to the admin pages, to `/status`, to the list of models.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Model;

/// All relays the hub knows, connected or not, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubView {
    pub relays: Vec<RelayView>,
    /// Calls that wait for a free slot.
    pub queued: u32,
    /// The hub's own instance: another one after each time it slept.
    #[serde(default)]
    pub instance: String,
}

/// A relay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayView {
    pub name: String,
    pub connected: bool,
    /// It finishes what it has and takes nothing new.
    #[serde(default)]
    pub draining: bool,
    /// Since when it has been connected, or away, Unix ms.
    pub since: i64,
    /// Its release.
    pub software: String,
    /// Ollama's release, if it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ollama: Option<String>,
    /// Why Ollama does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    pub models: Vec<Model>,
    /// Calls it makes now, and at most.
    pub in_flight: u32,
    pub max_parallel: u32,
    /// Round trip between relay and hub, ms, as last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
    /// Calls that ended well and calls that failed, since it was first seen.
    #[serde(default)]
    pub calls: i64,
    #[serde(default)]
    pub failed: i64,
}

impl HubView {
    /// The relays that can answer now.
    pub fn connected(&self) -> impl Iterator<Item = &RelayView> {
        self.relays.iter().filter(|relay| relay.connected)
    }

    /// The models of the relay `name`, or of all connected ones, in the shape of Ollama's `/api/tags`. Of several relays
    /// each model stands there once, and then once for each relay that has it, with that one's name as `relay`.
    pub fn tags(&self, name: Option<&str>) -> String {
        let relays: Vec<&RelayView> =
            self.connected().filter(|relay| name.is_none_or(|name| relay.name == name)).collect();
        let one_each: BTreeMap<&str, &Model> =
            relays.iter().flat_map(|relay| &relay.models).map(|model| (model.name.as_str(), model)).collect();
        let mut rows: Vec<Tag<'_>> = one_each.into_values().map(|model| Tag::new(model, None)).collect();
        if relays.len() > 1 {
            rows.extend(
                relays
                    .iter()
                    .flat_map(|relay| relay.models.iter().map(|model| Tag::new(model, Some(relay.name.as_str())))),
            );
        }
        serde_json::to_string(&Tags { models: rows }).unwrap_or_default()
    }
}

/// `/api/tags`.
#[derive(Serialize)]
struct Tags<'a> {
    models: Vec<Tag<'a>>,
}

#[derive(Serialize)]
struct Tag<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Not Ollama's: who has it, where that is to be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<&'a str>,
}

impl<'a> Tag<'a> {
    fn new(model: &'a Model, relay: Option<&'a str>) -> Tag<'a> {
        Tag { name: &model.name, size: model.size, relay }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn relay(name: &str, connected: bool, models: &[&str]) -> RelayView {
        let model = |name: &&str| Model { name: (*name).to_owned(), size: Some(5), loaded: false };
        let models = models.iter().map(model).collect();
        RelayView { name: name.to_owned(), connected, models, ..RelayView::default() }
    }

    #[test]
    fn one_relays_models_are_listed_as_ollama_lists_them() {
        let view = HubView {
            relays: vec![relay("away", false, &["x"]), relay("home", true, &["a", "b"])],
            ..HubView::default()
        };
        let json = r#"{"models":[{"name":"a","size":5},{"name":"b","size":5}]}"#;
        assert_eq!(view.tags(None), json);
        assert_eq!(view.tags(Some("home")), json);
        assert_eq!(view.tags(Some("away")), r#"{"models":[]}"#);
    }

    #[test]
    fn several_relays_models_stand_there_once_and_once_for_each() {
        let view = HubView {
            relays: vec![relay("den", true, &["b"]), relay("home", true, &["a", "b"])],
            ..HubView::default()
        };
        let rows: serde_json::Value = serde_json::from_str(&view.tags(None)).unwrap_or_default();
        let rows: Vec<(&str, Option<&str>)> = rows["models"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| (row["name"].as_str().unwrap_or_default(), row["relay"].as_str()))
            .collect();
        assert_eq!(rows, [("a", None), ("b", None), ("b", Some("den")), ("a", Some("home")), ("b", Some("home"))]);
    }
}
