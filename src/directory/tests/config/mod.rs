//! The configuration: what is refused and where, versions under concurrent edits, and what holds at once.

mod invalid;
mod live;
mod properties;
mod versions;

use super::*;
use crate::directory::config::{Saved, Version, VersionView};
use crate::directory::desk::{CheckView, ConfigAsk, ConfigView, Desk, DeskAsk, Refused};
use serde_json::{Value, json};

/// Caps of the environment: $1 a day, $10 a month.
const CAPS: Caps = Caps { day_nano_usd: 1_000_000_000, month_nano_usd: 10_000_000_000, person_day_nano_usd: None };

fn ann() -> Actor {
    Actor::Admin("ann@example.org".into())
}

fn bob() -> Actor {
    Actor::Admin("bob@example.org".into())
}

impl World {
    /// Asks the desk as `who`, the way a question travels.
    fn desk<T: serde::de::DeserializeOwned>(&self, who: &Actor, ask: ConfigAsk) -> Result<T, Refused> {
        let ask: DeskAsk = serde_json::from_str(&serde_json::to_string(&DeskAsk::Config(ask)).unwrap()).unwrap();
        let desk = Desk { who, cfg: &self.cfg(), caps: &CAPS, now: self.now(), random: [7; 16] };
        self.dir.desk(&ask, &desk).map(|view| serde_json::from_str(&view).unwrap())
    }

    fn save(&self, who: &Actor, base: i64, document: &Value) -> Result<Saved, Refused> {
        self.desk(who, ConfigAsk::Save { base, document: document.to_string(), note: String::new() })
    }

    fn rollback(&self, who: &Actor, base: i64, version: i64) -> Result<Saved, Refused> {
        self.desk(who, ConfigAsk::Rollback { base, version })
    }

    fn live(&self) -> ConfigView {
        self.desk(&ann(), ConfigAsk::Live).unwrap()
    }

    fn check(&self, document: &str) -> CheckView {
        self.desk(&ann(), ConfigAsk::Check { document: document.to_owned() }).unwrap()
    }

    fn history(&self) -> Vec<VersionView> {
        self.desk(&ann(), ConfigAsk::Versions { before: None, limit: 20 }).unwrap()
    }
}

/// A document with something in every place.
fn full() -> Value {
    json!({
        "models": {
            "default": "ollama/gpt-oss:120b",
            "fallbacks": ["gemini/gemini-3.8-flash", "openai/meta-llama/llama-3.3-70b"],
            "catalogue": { "openai/my-model": {
                "input_usd": 1.25, "output_usd": 2.5, "cached_usd": 0.1, "context": 128_000, "output": 8192,
                "accepts": ["image", "pdf"], "thinking": ["off", "low"], "tools": true } },
        },
        "budget": { "day_usd": 2.5, "month_usd": 20.0, "person_day_usd": 0.000001 },
        "access": { "private": "allowlist" },
        "replies": { "streaming": "edit", "deadlines": "120, 90.5,600,300" },
        "agents": {
            "main": { "name": "Tide" },
            "tutor-2": { "name": "Tutor", "emoji": "👩‍🏫", "persona": "You teach.\n\tPatiently.",
                "model": "ollama/gpt-oss:120b", "fallbacks": ["relay:home/qwen3:8b", "relay/x"], "thinking": "high", "tools": "none" },
        },
        "bindings": [
            { "agent": "tutor-2", "bot": "work", "chat": -1_001_234_567_890_i64, "topic": 5 },
            { "agent": "main", "bot": "work", "chat": -1_001_234_567_890_i64 },
            { "agent": "tutor-2", "bot": "work" },
        ],
    })
}
