//! What the relay, the hub and a conversation say to each other about a model call on somebody's own machine.
//!
//! Three ends, one protocol (docs/relay-protocol.md): a conversation is the *caller*, `ollama-relay` is the *relay*, and the
//! hub between them is a switch that keeps nothing in memory it could not find again after hibernation. All of it is
//! state machines from frames to frames. Not here: sockets, HTTP and clocks (`edge`, `bin/ollama-relay`).

pub mod caller;
pub mod flow;
pub mod frame;
pub mod guard;
pub mod hub;
pub mod message;
pub mod pattern;
pub mod route;
pub mod server;
pub mod view;

pub use caller::{Caller, Ending, Request};
pub use flow::{Broken, Inflow, Outflow};
pub use frame::{CallId, Frame, Kind, Malformed};
pub use message::{Fail, FailCode, Head, Hello, Model, Open, Phase, Placed, Resume, Resumed, State, Wait, Welcome};
pub use route::Route;
pub use view::{HubView, RelayView};

/// The version this release speaks.
pub const VERSION: u32 = 1;
/// The oldest version it still understands.
pub const OLDEST: u32 = 1;

/// Longest frame, bytes, header included. The platform takes 32 MiB; small frames let calls share a socket fairly.
pub const MAX_FRAME: usize = 256 * 1024;
/// Most payload put into one data frame, bytes.
pub const CHUNK: usize = 64 * 1024;
/// Bytes of a direction that may be under way, and with that the most either end holds for it.
pub const WINDOW: u64 = 256 * 1024;
/// Longest request body, bytes.
pub const MAX_BODY: u64 = 16 * 1024 * 1024;
/// Most models a relay tells of.
pub const MAX_MODELS: usize = 200;

/// A relay says at least this often that a call lives, ms.
pub const WAIT_EVERY_MS: i64 = 5_000;
/// A caller that hears nothing for so long takes the relay for lost, ms.
pub const SILENCE_MS: i64 = 20_000;
/// A call waits so long for a link that broke, at both ends, ms.
pub const GRACE_MS: i64 = 20_000;

/// Codes a WebSocket is closed with (RFC 6455 §7.4.2: 4000–4999 are private).
pub mod close {
    /// A frame that makes no sense.
    pub const PROTOCOL: u16 = 4400;
    /// The token is no longer the one that is set.
    pub const TOKEN: u16 = 4401;
    /// Nothing was heard while something should have been.
    pub const SILENT: u16 = 4408;
    /// Another relay of this name is there.
    pub const REPLACED: u16 = 4409;
    /// No version in common.
    pub const VERSION: u16 = 4426;
}

/// Whether `name` may be a relay's: 1–32 of `a–z`, `0–9`, `-`, as it stands in `relay:<name>/<model>`. `any` stands for
/// whichever has the model.
pub fn is_name(name: &str) -> bool {
    name != "any"
        && (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
