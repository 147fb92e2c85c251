//! Tideclaw: a personal AI assistant that lives in Telegram and needs no server.
//!
//! The map of the house. Everything but [`edge`] compiles for the host without the `worker` crate.

pub mod admin;
pub mod backup;
pub mod chat;
pub mod directory;
pub mod llm;
pub mod relay;
pub mod store;
pub mod telegram;
pub mod text;

#[cfg(target_arch = "wasm32")]
mod edge;
