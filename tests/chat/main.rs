//! Scenarios of `tideclaw::chat` from outside: a conversation over real SQLite in a simulated world, in virtual time.
//!
//! [`sim`] is the world with its hands: what a person does, what the platform does. [`telegram`] and [`model`] are the
//! other sides, scripted. A scenario reads as: say what will happen out there, do something, look at the chat.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clock;
mod model;
mod sim;
mod store;
mod telegram;
mod updates;

mod edits;
mod gathering;
mod groups;
mod menus;
mod starting_afresh;
mod stopping;
mod turns;
