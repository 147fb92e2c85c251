//! One conversation: inbox, turn, journal, outbox, context, commands, schedule — a state machine over a store.
//!
//! [`Conversation`] is the whole of it. Its entry points are [`Conversation::accept`] (an update arrived: store it, no
//! await), [`Conversation::work`] (do what is due) and [`Conversation::on_alarm`]. Everything outside comes in through
//! the small ports of [`ports`]. Not here: who may talk (`directory`), any platform type (`edge`).

pub mod config;
pub mod desk;
pub mod ports;
pub mod transcriber;

mod accept;
mod activity;
mod agent;
mod buttons;
mod commands;
mod compact;
mod compact_command;
mod context;
mod conversation;
mod edits;
mod export;
mod facts;
mod failure;
mod files;
mod finish;
mod gather;
mod inbox;
mod log;
mod long_answer;
mod lookup;
mod material;
mod media;
mod meter;
mod model_call;
mod model_menu;
mod outbox;
mod preview;
mod quiet;
mod run;
mod settings;
mod signal;
mod sniff;
mod status;
mod summary;
mod summary_prompt;
mod tools;
mod transcribe;
mod transcript;
mod turn;
mod turns;

pub use accept::Accepted;
pub use conversation::Conversation;

use crate::store::Migration;

/// Schema of a Chat object.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../../migrations/chat/0001_init.sql") },
    Migration { version: 2, sql: include_str!("../../migrations/chat/0002_models.sql") },
    Migration { version: 3, sql: include_str!("../../migrations/chat/0003_files.sql") },
    Migration { version: 4, sql: include_str!("../../migrations/chat/0004_summary.sql") },
    Migration { version: 5, sql: include_str!("../../migrations/chat/0005_desk.sql") },
];
