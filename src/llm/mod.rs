//! Models as data: a neutral chat vocabulary, and one folder per provider that turns it into request bytes and turns
//! answer bytes back into events.
//!
//! Not here: any I/O, clock or randomness (the caller fetches, times out and retries), and any policy: which model to
//! use, how long to cool one down, what to show. Source of the rules: `research/providers.md`, cited by section.
//!
//! The way of one call: [`Prompt`] → [`Provider::request`] → (the caller fetches) → [`Provider::parser`] fed with
//! bytes → [`Event`]s → [`Accumulator`] → a [`Message`] to store. An HTTP error goes through [`Provider::classify`].

pub mod accumulate;
pub mod arguments;
pub mod base64;
pub mod body;
mod call_ids;
pub mod catalogue;
pub mod chat;
pub mod error;
pub mod event;
pub mod gateway;
pub mod gemini;
pub mod history;
pub mod model;
pub mod ollama;
pub mod openai;
pub mod parse;
pub mod provider;
pub mod redact;
pub mod request;
pub mod servers;
pub mod sse;
pub mod stream;
pub mod tokens;

pub use accumulate::Accumulator;
pub use body::{Body, MediaMark, Piece, media_mark};
pub use chat::{
    MediaRef, Message, Part, PartKind, Prompt, ProviderMeta, Role, Thinking, ToolCall, ToolResult, ToolSpec,
};
pub use error::{ErrorClass, Feature, ModelError, RelayTrouble, Reset, Scope};
pub use event::{Event, Finish, Usage};
pub use gateway::Gateway;
pub use model::{ModelInfo, ModelRef, ModelRefError};
pub use provider::Provider;
pub use request::{Endpoint, HttpRequest};
pub use servers::{Server, Servers};
pub use stream::{LineBuffer, LineTooLong, StreamParser};
