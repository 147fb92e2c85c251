//! Scenarios of `tideclaw::chat` from outside: a conversation over real SQLite in a simulated world, in virtual time.
//!
//! [`sim`] is the world with its hands: what a person does, what the platform does. [`telegram`] and [`model`] are the
//! other sides, scripted. A scenario reads as: say what will happen out there, do something, look at the chat.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clock;
mod directory;
mod looks;
mod model;
mod person;
mod sim;
mod storage;
mod store;
mod telegram;
mod updates;

mod access;
mod activity;
mod agents;
mod backups;
mod compaction;
mod desk;
mod edits;
mod erasing;
mod failover;
mod gathering;
mod groups;
mod interruption;
mod media;
mod media_out;
mod menus;
mod odd_input;
mod previews;
mod random;
mod refusals;
mod relays;
mod starting_afresh;
mod stopping;
mod store_faults;
mod thrift;
mod token;
mod tools;
mod trouble;
mod turns;
mod uncertain;
mod wishes;
