//! The hub: a switch between the sockets of callers and the links of relays, as a state machine without I/O.
//!
//! A [`Board`] holds what is known of each socket. It is rebuilt from the [`Mark`]s the sockets carry and from the rows of
//! known relays whenever the object wakes, so nothing here may live longer than that without standing in one of the
//! two. Each event gives [`Act`]s, which the platform's shell carries out in order. Rules: docs/relay-protocol.md.
//! Not here: sockets, rows, the token's comparison (`edge::relay`).

mod board;
mod calls;
mod links;
mod mark;
mod placing;
mod table;

pub use board::Board;
pub use mark::Mark;
pub use table::Table;

use std::fmt;

use super::State;

/// Most relays connected at a time.
pub const MAX_LINKS: usize = 16;
/// Most links that have not said HELLO; beyond it the oldest goes.
const MAX_UNNAMED: usize = 8;
/// Most sockets of callers at a time.
pub const MAX_CALLERS: usize = 256;
/// Most calls that wait for a slot.
pub const MAX_WAITING: usize = 64;
/// A link that was silent for so long while a caller missed something is closed, ms.
const SILENT_LINK_MS: i64 = 15_000;
/// Longest instance, bytes.
const MAX_INSTANCE: usize = 64;
/// Longest release, and longest reason why Ollama does not answer, bytes.
const MAX_WORDS: usize = 300;
/// Longest name of a model, bytes.
const MAX_MODEL: usize = 200;
/// "Try again later" (RFC 6455's registry).
const TRY_LATER: u16 = 1013;
/// "Service restart" (RFC 6455's registry): the socket was made by a release that wrote it down otherwise.
const RESTART: u16 = 1012;
/// RFC 6455 §7.4.1.
const NORMAL: u16 = 1000;

/// Names one socket of the hub as long as it is open. Random, so that none comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnId(u64);

impl ConnId {
    pub fn new(random: u64) -> ConnId {
        ConnId(random)
    }

    /// From the text of [`fmt::Display`].
    pub fn parse(text: &str) -> Option<ConnId> {
        u64::from_str_radix(text, 16).ok().map(ConnId)
    }
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Send this frame.
    Send { to: ConnId, frame: Vec<u8> },
    /// Send the frame that just came, as it is.
    Forward { to: ConnId },
    /// Close with this code.
    Close { to: ConnId, code: u16, reason: &'static str },
    /// Write this onto the socket, in place of what it carried.
    Keep { of: ConnId, mark: Mark },
    /// Change the row of a relay.
    Note(Note),
    /// Tell the operator.
    Log { level: Level, line: String },
}

/// What is done because of one event, in order.
pub type Acts = Vec<Act>;

/// A change to the row of a relay.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// It is connected; the row may be new.
    Connected { name: String, since: i64, software: String, state: State },
    /// Something of it changed.
    Changed { name: String, state: State },
    /// Its link is gone.
    Left { name: String, at: i64 },
    /// A call ended.
    Ended { name: String, well: bool },
}

/// How grave a line for the operator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info,
    Warning,
}

/// A relay's row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    pub name: String,
    /// As it was when the row was written.
    pub connected: bool,
    /// Connected or away since then, Unix ms.
    pub since: i64,
    pub software: String,
    pub state: State,
    /// Calls that ended well, and calls that failed.
    pub calls: i64,
    pub failed: i64,
}

#[cfg(test)]
mod tests;
