//! The Bot API as data: updates in, calls out, outcomes; Markdown to entities.
//!
//! Not here: any I/O, any token, any clock. The rules are those of Bot API 10.3 and of `docs/architecture.md`.

pub mod command;
pub mod content;
pub mod form;
mod lenient;
pub mod message;
pub mod method;
pub mod outcome;
pub mod render;
pub mod session;
pub mod update;
pub mod webhook_info;
