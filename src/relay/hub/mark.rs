//! What a socket carries through hibernation: its attachment, as JSON of at most 16,384 bytes (cloudflare.md §1.4).
//!
//! Kept small: models and the rest of a relay's state stand in its row.

use serde::{Deserialize, Serialize};

use super::super::{CallId, Open};

/// What a socket is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Relay(LinkMark),
    Call(CallMark),
    /// It was closed from here; what still comes on it does not count.
    Gone,
}

/// A relay's link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMark {
    /// Hash of the token it came with.
    pub token: String,
    /// When it was opened, Unix ms.
    pub since: i64,
    /// What it said in HELLO, once it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<RelayMark>,
}

/// Who is at the other end of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayMark {
    /// The version both go by.
    pub version: u32,
    pub name: String,
    pub instance: String,
}

/// A caller's socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallMark {
    /// When it was opened, Unix ms.
    pub since: i64,
    /// Its call, once it said OPEN or RESUME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    #[serde(with = "id")]
    pub id: CallId,
    /// Whether it takes a slot.
    pub heavy: bool,
    pub stage: Stage,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for a slot.
    Queued {
        /// Its place in line: when it came, Unix ms, made unique.
        at: i64,
        open: Open,
    },
    /// A relay has it.
    With {
        relay: String,
        /// `None`: the caller came back before the relay did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<String>,
        /// The relay's link broke.
        #[serde(default)]
        away: bool,
    },
    /// It ended; the caller is to close its socket.
    Over,
}

mod id {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::CallId;

    pub fn serialize<S: Serializer>(id: &CallId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CallId, D::Error> {
        CallId::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a call"))
    }
}
