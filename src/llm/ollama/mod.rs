//! Ollama's native API, in the cloud and at home (providers.md §1).
//!
//! Native rather than `/v1`: that one swallows errors in mid-stream (§0.4). Not here: `format` (the cloud ignores it
//! without a word, §0.3) and sampling options.

mod catalogue;
mod error;
mod request;
mod stream;
mod thinking;

pub use catalogue::{list, parse_list, parse_show, show};
pub use error::classify;
pub use request::{CONTEXT_TOKENS, asked_window, chat, is_cloud, model_of};
pub use stream::{Parser, parser};
