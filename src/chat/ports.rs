//! What a conversation needs from the world: Telegram, a model, storage for files, a clock and an alarm.

// The platform is single-threaded: nobody needs these futures to be `Send`.
#![allow(async_fn_in_trait)]

use std::cell::Cell;
use std::rc::Rc;

use crate::llm::HttpRequest;
use crate::relay::{HubView, Phase};
use crate::telegram::method::Call;
use crate::telegram::outcome::Reply;

/// The network failed: refused, reset, cut or timed out. What the other side saw is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// The answer to a model request, headers read, body not yet.
#[derive(Debug)]
pub struct ModelResponse<B> {
    pub status: u16,
    /// The `Retry-After` header as sent.
    pub retry_after: Option<String>,
    /// AI Gateway's name for the call (`cf-aig-log-id`), opaque.
    pub log_id: Option<String>,
    pub body: B,
}

/// What a model call waits for, shared between whoever carries it and whoever watches it.
#[derive(Debug, Clone, Default)]
pub struct Waits(Rc<Cell<Option<Phase>>>);

impl Waits {
    /// `None`: nothing to tell. So it stays for calls that no relay carries.
    pub fn set(&self, phase: Option<Phase>) {
        self.0.set(phase);
    }

    pub fn get(&self) -> Option<Phase> {
        self.0.get()
    }
}

/// A body that arrives in chunks. Dropping it aborts the request.
pub trait Body {
    /// The next chunk, `None` at a clean end.
    async fn next(&mut self) -> Option<Result<Vec<u8>, Lost>>;
}

/// Why a file did not come from Telegram into storage. Nothing of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchError {
    /// The network or the storage failed.
    Lost,
    /// Telegram's file server answered with this status.
    Refused(u16),
    /// It is larger than the limit.
    TooBig(u64),
}

/// Storage for files. Keys are never written twice by the caller. Waits have deadlines set by the caller.
pub trait Files {
    /// Copies the file Telegram keeps at `path` into storage without ever holding it whole, if it has at most `limit`
    /// bytes. `size`: its length as far as Telegram told. Returns the length stored.
    async fn fetch(&self, path: &str, key: &str, size: Option<u64>, limit: u64) -> Result<u64, FetchError>;

    /// Length of a stored file; `None`: there is none.
    async fn size(&self, key: &str) -> Result<Option<u64>, Lost>;

    /// The first `limit` bytes of a stored file, fewer if it is shorter.
    async fn head(&self, key: &str, limit: u64) -> Result<Vec<u8>, Lost>;

    /// Stores `bytes`.
    async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), Lost>;

    /// At most `limit` (1,000) keys that begin with `prefix` and come after `after`, in order; and whether there are more.
    async fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<(Vec<String>, bool), Lost>;

    /// Deletes these files, at most 1,000; those that are not there do no harm.
    async fn delete(&self, keys: Vec<String>) -> Result<(), Lost>;
}

/// The outside. All waits have deadlines set by the caller, except [`Ports::telegram`], which has its own of 30 s (for
/// uploads, 120 s).
pub trait Ports: Files {
    type Body: Body;

    /// Unix time in milliseconds.
    fn now(&self) -> i64;

    /// Waits `ms` milliseconds.
    async fn sleep(&self, ms: i64);

    /// Makes one Bot API call. Never fails: a lost answer is [`Reply::Lost`].
    async fn telegram(&self, call: &Call) -> Reply;

    /// Sends a model request and waits for the headers. Dropping the future aborts the request. `waits` is kept up to date
    /// until the body is read or dropped.
    async fn model(&self, request: HttpRequest, waits: Waits) -> Result<ModelResponse<Self::Body>, Lost>;

    /// What is known of the relays; `None`: the hub did not answer.
    async fn relays(&self) -> Option<HubView>;

    /// Asks the Directory: a route and a JSON body; `None` if it did not answer with success within its deadline of 20 s.
    async fn directory(&self, route: &'static str, body: String) -> Option<String>;

    /// Sets the object's one alarm, or clears it.
    fn set_alarm(&self, at: Option<i64>);

    /// One line for the operator's log; never a secret, never a person's text.
    fn log(&self, line: &str);
}
