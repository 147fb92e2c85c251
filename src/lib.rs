//! Tideclaw: a personal AI assistant that lives in Telegram and needs no server.
//!
//! The map of the house. Everything but [`edge`] compiles for the host without the `worker` crate.

pub mod llm;
pub mod store;
pub mod telegram;

#[cfg(target_arch = "wasm32")]
mod edge;
