//! Who may talk: the one object that knows bots, people, groups, and who let them in.
//!
//! One call in, one verdict out; what has to be said to people goes to the [`outbox`] as data. Everything fails closed.
//! Not here: configuration of models, prices, any network, clock or randomness (times and random bytes are arguments).
//! Rules: `docs/` and OpenClaw's access model (pairing is not group access, codes of one hour, at most three pending).
//!
//! | file | holds |
//! |---|---|
//! | [`exchange`] | questions and verdicts, as other objects send and receive them |
//! | `knock` | may this update come in? |
//! | `claim` | how the first owner is made |
//! | `pairing` | codes, and what an owner decides about them |
//! | `people`, `groups` | state of each, and the owner's actions |
//! | [`invites`], `allowance` | links that let people in; what one person may spend a day |
//! | `press`, `member` | our own buttons; the bot added to or removed from a group |
//! | `recall` | what one Worker isolate remembers of the verdicts |
//! | `sessions` | conversations that exist, changes on their way to them |
//! | `conversations` | the index of conversations: what they told, list, search |
//! | [`config`] | the configuration document: what operators may change while the bot runs |
//! | [`backups`] | when what is backed up, and how it is put back |
//! | [`desk`] | what the control plane asks and does |
//! | `model_calls` | leave to call a model: budgets, failures, the ledger |
//! | [`Activity`], [`Event`] | what conversations tell of themselves |
//! | `events` | the log operators see, and what of it is new |
//! | [`metrics`] | numbers for machines |
//! | `alerts` | troubles that owners hear of |
//! | `relays` | what the Directory must know of relays |
//! | `throttle` | how often one isolate of the Worker speaks of its own trouble |
//! | `bots`, `settings` | profiles, command hashes, key and value |
//! | `journal` | audit and recent refusals, both bounded |
//! | [`outbox`] | our own Telegram messages; `prompt` writes their JSON |

mod activity;
mod alerts;
mod allowance;
pub mod backups;
mod bots;
mod claim;
mod code;
pub mod config;
mod conversations;
pub mod desk;
mod events;
pub mod exchange;
mod groups;
pub mod invites;
mod journal;
mod knock;
mod member;
pub mod metrics;
mod model_calls;
pub mod outbox;
mod pairing;
mod people;
mod press;
mod prompt;
mod recall;
mod relays;
mod sessions;
mod settings;
mod throttle;

#[cfg(test)]
mod tests;

pub use activity::{Activity, Event, Level, Mark, TurnEnd};
pub use alerts::{AlertKind, OpenAlert, Outside, WebhookHealth, WebhookSeen};
pub use bots::Bot;
pub use code::Code;
pub use conversations::{ConversationRow, ConversationsView, Noted, PAGE as PAGE_OF_CONVERSATIONS, fold};
pub use events::{EventQuery, LogLine};
pub use exchange::*;
pub use groups::{Group, GroupState};
pub use invites::{Invite, InviteState, Invited, NewInvite};
pub use journal::{AuditEntry, AuditQuery, Refusal};
use model_calls::WITHOUT_FOR;
pub use model_calls::exchange::*;
pub use model_calls::{DaySpend, MAX_DAYS as MAX_SPEND_DAYS, ModelSpend, PersonSpend, Spend, parse_usd};
pub use outbox::{Notice, NoticeState, Outcome};
pub use pairing::{Decided, Decision, Pending};
pub use people::{Person, PersonState};
pub use press::Button;
pub use recall::{Memory, Passes, Recall};
pub use relays::{RelaySeen, Relays};
pub use sessions::Push;
pub use settings::DmPolicy;
pub use throttle::Throttle;

use std::cell::RefCell;

use crate::store::{Migration, Sql, StoreError, migrate};

/// One minute in milliseconds.
const MINUTE: i64 = 60_000;
/// One hour in milliseconds: life of a code, window of every limit.
const HOUR: i64 = 60 * MINUTE;
/// One day in milliseconds.
const DAY: i64 = 24 * HOUR;
/// Most rows a list returns.
pub const LIST_LIMIT: i64 = 500;

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../../migrations/directory/0001_init.sql") },
    Migration { version: 2, sql: include_str!("../../migrations/directory/0002_model_calls.sql") },
    Migration { version: 3, sql: include_str!("../../migrations/directory/0003_conversations.sql") },
    Migration { version: 4, sql: include_str!("../../migrations/directory/0004_config.sql") },
    Migration { version: 5, sql: include_str!("../../migrations/directory/0005_people.sql") },
    Migration { version: 6, sql: include_str!("../../migrations/directory/0006_backups.sql") },
    Migration { version: 7, sql: include_str!("../../migrations/directory/0007_events.sql") },
];

/// What can go wrong. Refusing somebody is a verdict, not an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The store failed: answer nobody, try again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The person is named in `OWNER_TELEGRAM_IDS`: change it there.
    #[error("this owner is named in OWNER_TELEGRAM_IDS and can only be removed there")]
    ConfiguredOwner,
    /// Without an owner anybody with the claim code could take the bot: name another owner first.
    #[error("this is the last owner")]
    LastOwner,
    /// Only somebody who may talk already can become an owner.
    #[error("only an approved person can become an owner")]
    NotApproved,
    /// No such group is known.
    #[error("no such group")]
    UnknownGroup,
    /// The key is kept by the Directory itself, or key or value is empty or too long.
    #[error("this setting cannot be set")]
    BadSetting,
}

/// The Directory over its store.
pub struct Directory<S: Sql> {
    sql: S,
    /// The live configuration, as last read.
    config: config::LiveMemory,
    /// Counters, once they were read; see `metrics`.
    counters: RefCell<Option<metrics::Counters>>,
    /// What was noted since somebody who watches live was told.
    fresh: RefCell<Vec<LogLine>>,
}

impl<S: Sql> Directory<S> {
    /// Opens the store and brings its schema up to date.
    pub fn new(sql: S) -> Result<Self, DirectoryError> {
        migrate(&sql, MIGRATIONS)?;
        let (config, counters, fresh) = Default::default();
        Ok(Self { sql, config, counters, fresh })
    }
}

/// Reads an enum stored as text; a word from a newer release is `None`.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    use serde::de::IntoDeserializer;
    let plain: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(plain).ok()
}
