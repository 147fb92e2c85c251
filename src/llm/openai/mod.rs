//! Chat completions as OpenAI made them and many servers speak them (providers.md §3), and the transcription of speech
//! that came with them (§6).
//!
//! Written for the robust minimum: what servers send is read as loosely as it can be, and what they are sent differs by
//! [`server`] alone. Not here: the Responses API, sampling options (reasoning models refuse them) and `strict`,
//! `parallel_tool_calls` and `store` (some servers refuse those).

mod calls;
mod catalogue;
mod details;
mod error;
mod message;
mod request;
mod server;
mod short_ids;
mod stream;
mod thinking;
mod transcription;
mod usage;

pub use catalogue::{list, parse_list};
pub use error::classify;
pub use request::chat;
pub use stream::{Parser, parser};
pub use transcription::{Speech, parse_transcript, transcribe};
