//! What the control plane needs from outside. Implemented by `edge::admin` and by tests.

// The platform is single-threaded: nobody needs these futures to be `Send`.
#![allow(async_fn_in_trait)]

use serde::de::DeserializeOwned;

use super::doctor::facts::Stored;
use crate::chat::desk::ChatAsk;
use crate::directory::desk::{DeskAsk, Refused};
use crate::llm::HttpRequest;
use crate::relay::HubView;
use crate::telegram::method::Call;
use crate::telegram::outcome::Reply;

/// The outside of the control plane. Every method has a deadline of its own.
pub trait Office {
    /// Unix milliseconds.
    fn now(&self) -> i64;

    /// A variable or secret; `None` when unset or blank. Of a secret nothing is ever shown but that it is set; a key goes into
    /// the header of a request to its own provider.
    fn variable(&self, name: &str) -> Option<String>;

    /// Ids of the bots that have a token.
    fn bots(&self) -> Vec<String>;

    /// Asks the Directory, as the person who is signed in; the view as JSON.
    async fn directory(&self, ask: &DeskAsk) -> Result<String, Refused>;

    /// Asks the conversation `session`, which must be known to the Directory: asking makes one that does not exist.
    async fn chat(&self, session: &str, ask: &ChatAsk) -> Result<String, Refused>;

    /// Sends a request to a model and reads its answer to the end, at most [`MAX_MODEL_REPLY`] bytes of it, within
    /// `deadline_ms`.
    async fn model(&self, request: HttpRequest, deadline_ms: i64) -> ModelReply;

    /// What the hub knows of its relays. `None`: it did not answer, or was not asked because `RELAY_TOKEN` is unset.
    async fn relays(&self) -> Option<HubView>;

    /// Calls Telegram as `bot`.
    async fn telegram(&self, bot: &str, call: &Call) -> Reply;

    /// Waits; for deadlines of the caller's own.
    async fn sleep(&self, ms: i64);

    /// Sends a request as a stranger would and reads the answer, of it at most [`MAX_FETCHED`] bytes. Redirects are not
    /// followed. `None`: no answer.
    async fn fetch(&self, request: &HttpRequest) -> Option<Fetched>;

    /// Writes a file of a few bytes, reads it back and deletes it.
    async fn try_storage(&self) -> Stored;
}

/// Most of an answer that is read; what is longer is cut. A provider's list of models fits.
pub const MAX_FETCHED: usize = 1 << 20;

/// An answer to [`Office::fetch`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    pub status: u16,
    /// The server's `date`, Unix milliseconds.
    pub date: Option<i64>,
    pub body: Vec<u8>,
}

/// Most of a model's answer that is read; the rest counts as cut off.
pub const MAX_MODEL_REPLY: usize = 256 * 1024;

/// What came of a request to a model. Times are milliseconds since it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelReply {
    /// `None`: no server answered.
    pub status: Option<u16>,
    /// The `Retry-After` header as sent.
    pub retry_after: Option<String>,
    /// AI Gateway's name for the call.
    pub log_id: Option<String>,
    /// What came of the body.
    pub body: Vec<u8>,
    /// Until the first byte of the body.
    pub first_ms: Option<i64>,
    pub total_ms: i64,
    pub ended: Ended,
}

/// How the reading of an answer ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ended {
    /// The server had sent everything.
    Whole,
    /// The connection failed, or there was too much.
    #[default]
    Cut,
    TimedOut,
}

/// Reads a view that a page is made of.
pub fn read<T: DeserializeOwned>(json: &str) -> Result<T, Refused> {
    // Two releases may talk to each other for minutes.
    serde_json::from_str(json).map_err(|_| Refused::new(503, "other_release", "Another release answered. Try again."))
}
