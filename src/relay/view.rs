//! What the hub tells of its relays: to the admin pages, to `/status`, to the list of models.

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
}
