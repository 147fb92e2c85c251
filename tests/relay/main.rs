//! The real `ollama-relay` between a hub and an Ollama that the tests speak themselves, byte by byte where it matters.
//!
//! Clocks are the real ones: a test waits until something happens, never for a moment at which it should have. Not here: the state
//! machine alone (`src/relay/server/tests.rs`), the real hub (`tests/e2e/`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod calls;
mod hub;
mod limits;
mod links;
mod many;
mod ollama;
mod process;
mod stop;
mod tls;
mod watch;
