//! The JSON of frames. Fields may be added in later versions: readers ignore what they do not know.

use serde::{Deserialize, Serialize};

use super::CallId;

/// A relay introduces itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The newest and the oldest version of the protocol it speaks.
    pub version: u32,
    pub oldest: u32,
    /// See [`is_name`](super::is_name).
    pub name: String,
    /// Random, made when the process started: the same one coming back still has its calls.
    pub instance: String,
    /// Its release.
    pub software: String,
    /// Whether it may take the place of another relay of its name. A relay that was replaced asks without.
    pub takeover: bool,
    /// Calls it has begun and not finished.
    #[serde(default, with = "calls")]
    pub calls: Vec<CallId>,
    #[serde(flatten)]
    pub state: State,
}

/// What may change about a relay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Calls of [`Route::is_heavy`](super::Route::is_heavy) it makes at a time, 1–64.
    pub max_parallel: u32,
    /// It is about to stop and takes no new calls.
    #[serde(default)]
    pub draining: bool,
    /// Models callers may use, at most [`MAX_MODELS`](super::MAX_MODELS).
    #[serde(default)]
    pub models: Vec<Model>,
    /// Why Ollama does not answer; `None`: it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Ollama's release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ollama: Option<String>,
    /// Round trip to the hub, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
}

/// A model of a relay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// As Ollama spells it, at most 200 bytes.
    pub name: String,
    /// Bytes on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Held in memory now: answers without being loaded first.
    #[serde(default)]
    pub loaded: bool,
}

/// The hub's answer to [`Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version both go by.
    pub version: u32,
    /// The hub's release.
    pub software: String,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Version the caller goes by.
    pub version: u32,
    pub method: String,
    /// Must be one of [`Route`](super::Route), letter by letter.
    pub path: String,
    /// Length of the body, bytes.
    pub length: u64,
    /// The model the body names; empty where none is.
    #[serde(default)]
    pub model: String,
    /// The relay to use; `None`: any that has the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<String>,
}

/// Who got a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub relay: String,
}

/// Ollama's answer, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
}

/// Why there is no answer, or no more of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fail {
    pub code: FailCode,
    /// For the log, in English, at most 300 characters, no secrets.
    pub message: String,
}

/// What failed. Each says what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailCode {
    /// No relay is connected, or not the one that was named. Try later or elsewhere.
    NoRelay,
    /// No connected relay has the model, or none may use it. Use another model.
    NoModel,
    /// All slots are taken and the queue is full. Try later or elsewhere.
    Busy,
    /// The relay went away in the middle. Try again.
    Lost,
    /// The relay refuses the request: its route, its length, or a model it may not use. Do not try again.
    Refused,
    /// Ollama does not answer the relay. Try later or elsewhere.
    Unreachable,
    /// Ollama broke off in the middle. Try again.
    Broken,
    /// Somebody broke the protocol. Do not try again.
    #[serde(other)]
    Protocol,
}

impl FailCode {
    /// The status of the HTTP answer that a failure before [`Head`] stands for.
    pub const fn status(self) -> u16 {
        match self {
            FailCode::NoRelay | FailCode::Busy | FailCode::Lost => 503,
            FailCode::NoModel => 404,
            FailCode::Refused => 403,
            FailCode::Unreachable | FailCode::Broken => 502,
            FailCode::Protocol => 500,
        }
    }
}

/// Nobody wants a call any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// The caller gave up because it heard nothing.
    #[serde(default)]
    pub silent: bool,
}

/// A caller whose link broke, or whose relay's did, wants to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// Who has the call ([`Placed::relay`]).
    pub relay: String,
    /// Bytes of the answer that arrived.
    pub received: u64,
    /// Bytes of the answer that may be sent, from its beginning.
    pub limit: u64,
}

/// A relay goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Bytes of the request's body that arrived.
    pub received: u64,
    /// Bytes of it that may be sent, from its beginning.
    pub limit: u64,
}

/// A call lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    pub phase: Phase,
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// For a free slot.
    Queued,
    /// For the model to be loaded into memory.
    Loading,
    /// For the model to say something.
    #[default]
    #[serde(other)]
    Working,
}

mod calls {
    use super::CallId;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(calls: &[CallId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(calls.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CallId>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Ok(texts.iter().filter_map(|text| CallId::parse(text)).collect())
    }
}
