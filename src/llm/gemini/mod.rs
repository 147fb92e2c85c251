//! Google's Gemini API (providers.md §2): `streamGenerateContent` as server-sent events, directly or through AI Gateway's
//! `google-ai-studio` path.
//!
//! Native rather than the OpenAI-style address: that one, and the gateway's unified route, lose thought signatures
//! (§0.15, §2.7). Not here: the Files API (media go inline, §2.6), Google's built-in tools, sampling options (ignored
//! or refused, §2.2), safety settings (the API's own default stands) and explicit caches.

mod catalogue;
mod contents;
mod error;
mod media;
mod request;
mod stream;
mod thinking;

pub use catalogue::{list, parse_list};
pub use error::classify;
pub use request::chat;
pub use stream::{Parser, parser};
