//! What a conversation needs from the world: Telegram, a model, a clock and an alarm.

// The platform is single-threaded: nobody needs these futures to be `Send`.
#![allow(async_fn_in_trait)]

use crate::llm::HttpRequest;
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

/// A body that arrives in chunks. Dropping it aborts the request.
pub trait Body {
    /// The next chunk, `None` at a clean end.
    async fn next(&mut self) -> Option<Result<Vec<u8>, Lost>>;
}

/// The outside. All waits have deadlines set by the caller, except [`Ports::telegram`], which has its own of 30 s.
pub trait Ports {
    type Body: Body;

    /// Unix time in milliseconds.
    fn now(&self) -> i64;

    /// Waits `ms` milliseconds.
    async fn sleep(&self, ms: i64);

    /// Makes one Bot API call. Never fails: a lost answer is [`Reply::Lost`].
    async fn telegram(&self, call: &Call) -> Reply;

    /// Sends a model request and waits for the headers. Dropping the future aborts the request.
    async fn model(&self, request: HttpRequest) -> Result<ModelResponse<Self::Body>, Lost>;

    /// Asks the Directory: a route and a JSON body; `None` if it did not answer with success within its deadline of 20 s.
    async fn directory(&self, route: &'static str, body: String) -> Option<String>;

    /// Sets the object's one alarm, or clears it.
    fn set_alarm(&self, at: Option<i64>);

    /// One line for the operator's log; never a secret, never a person's text.
    fn log(&self, line: &str);
}
