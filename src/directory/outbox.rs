//! The Directory's own Telegram messages: prompts, their edits, the lines strangers get.
//!
//! A row is written before the call (intent) and its outcome after. A row taken and never recorded, because the object died
//! in between, is repeated only if its method is harmless to repeat; otherwise it ends as ambiguous.
//! Not here: the call itself and the wait after 429, which is just a later `not_before`.

use super::{DAY, Directory, DirectoryError, MINUTE, word};
use crate::store::{Row, Sql, StoreError, Value};
use serde::{Deserialize, Serialize};

/// Finished rows kept, newest first: edits need the message ids of prompts.
const KEEP_FINISHED: i64 = 500;
/// A taken row whose outcome is not recorded within this time belongs to a sender that died.
const LEASE: i64 = 2 * MINUTE;
/// A message older than this helps nobody.
const GIVE_UP_AFTER: i64 = DAY;
/// Longest error text kept, in characters.
const MAX_ERROR: usize = 300;

/// State of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    Waiting,
    /// Taken: its call may be under way.
    Sending,
    Sent,
    /// The request left and no answer came: it may or may not have been delivered. Not repeated.
    Ambiguous,
    Failed,
    /// Became pointless before it was sent.
    Cancelled,
}

impl NoticeState {
    fn as_str(self) -> &'static str {
        match self {
            NoticeState::Waiting => "waiting",
            NoticeState::Sending => "sending",
            NoticeState::Sent => "sent",
            NoticeState::Ambiguous => "ambiguous",
            NoticeState::Failed => "failed",
            NoticeState::Cancelled => "cancelled",
        }
    }
}

/// One Bot API call to make: `POST …/{method}` with `payload` as the JSON body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub id: i64,
    /// Whose token.
    pub bot: String,
    pub method: String,
    pub payload: serde_json::Value,
    pub state: NoticeState,
    /// Calls begun, this one included.
    pub attempts: i64,
    /// Not to be called before, Unix milliseconds.
    pub not_before: i64,
    #[serde(default)]
    pub message_id: Option<i64>,
    #[serde(default)]
    pub error: Option<String>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Telegram answered ok; `message_id` if the result has one.
    Sent { message_id: Option<i64> },
    /// Not done, and may be tried at this time (429, a refused connection, 5xx before anything happened).
    Retry { at: i64 },
    /// The request left and no answer came.
    Ambiguous,
    /// Telegram refuses for good (403, 400).
    Permanent { error: String },
}

/// A message to be queued.
pub(super) struct Draft<'a> {
    pub bot: &'a str,
    pub chat_id: i64,
    pub method: &'a str,
    pub payload: serde_json::Value,
    /// Queued at most once for the same key.
    pub dedupe: Option<String>,
    /// What this message asks, such as `pair:<code>`: its message is edited when that is decided.
    pub about: Option<String>,
}

/// A prompt that was, or may still be, shown.
pub(super) struct Prompt {
    pub id: i64,
    pub chat_id: i64,
    pub state: NoticeState,
    pub message_id: Option<i64>,
}

const COLUMNS: &str = "id, bot, method, payload, state, attempts, not_before, message_id, error";

impl<S: Sql> Directory<S> {
    /// Takes the oldest row that is due and marks it as being sent. Record its outcome with [`Directory::record`].
    pub fn take_due(&self, now: i64) -> Result<Option<Notice>, DirectoryError> {
        self.release_dead(now)?;
        let rows = self.sql.run(
            &format!(
                "UPDATE outbox SET state = 'sending', attempts = attempts + 1, not_before = ?2 WHERE id = \
                 (SELECT id FROM outbox WHERE state = 'waiting' AND not_before <= ?1 ORDER BY id LIMIT 1) RETURNING {COLUMNS}"
            ),
            &[now.into(), (now + LEASE).into()],
        )?;
        rows.first().map(read).transpose()
    }

    /// When [`Directory::take_due`] is worth calling next, Unix milliseconds; `None` when nothing waits. For the alarm.
    pub fn next_due_at(&self) -> Result<Option<i64>, DirectoryError> {
        let rows = self.sql.run("SELECT min(not_before) FROM outbox WHERE state IN ('waiting', 'sending')", &[])?;
        Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten())
    }

    /// Records how the call of row `id` ended. A second record of the same call changes nothing.
    pub fn record(&self, id: i64, outcome: &Outcome, now: i64) -> Result<(), DirectoryError> {
        match outcome {
            Outcome::Sent { message_id } => self.finish(id, NoticeState::Sent, *message_id, None),
            Outcome::Ambiguous => self.finish(id, NoticeState::Ambiguous, None, None),
            Outcome::Permanent { error } => self.finish(id, NoticeState::Failed, None, Some(error)),
            Outcome::Retry { at } => {
                self.sql.run(
                    "UPDATE outbox SET state = CASE WHEN created_at + ?4 <= ?2 THEN 'failed' ELSE 'waiting' END, \
                     error = CASE WHEN created_at + ?4 <= ?2 THEN 'gave up' END, not_before = max(?2, ?3) \
                     WHERE id = ?1 AND state = 'sending'",
                    &[id.into(), (*at).into(), now.into(), GIVE_UP_AFTER.into()],
                )?;
                Ok(())
            }
        }
    }

    /// Newest rows first, at most `limit`: for the admin page.
    pub fn notices(&self, limit: i64) -> Result<Vec<Notice>, DirectoryError> {
        let query = format!("SELECT {COLUMNS} FROM outbox ORDER BY id DESC LIMIT ?1");
        self.sql.run(&query, &[limit.into()])?.iter().map(read).collect()
    }

    /// Queues a message; `None` if one with the same `dedupe` key was queued before.
    pub(super) fn queue(&self, draft: Draft<'_>, now: i64) -> Result<Option<Notice>, DirectoryError> {
        let rows = self.sql.run(
            &format!(
                "INSERT INTO outbox (dedupe, bot, chat_id, about, method, payload, state, not_before, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?7) ON CONFLICT (dedupe) DO NOTHING RETURNING {COLUMNS}"
            ),
            &[
                draft.dedupe.into(),
                draft.bot.into(),
                draft.chat_id.into(),
                draft.about.into(),
                draft.method.into(),
                draft.payload.to_string().into(),
                now.into(),
            ],
        )?;
        self.sql.run(
            "DELETE FROM outbox WHERE state NOT IN ('waiting', 'sending') AND id <= (SELECT max(id) FROM outbox) - ?1",
            &[KEEP_FINISHED.into()],
        )?;
        rows.first().map(read).transpose()
    }

    /// Messages that ask `about`.
    pub(super) fn prompts(&self, about: &str) -> Result<Vec<Prompt>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT id, chat_id, state, message_id FROM outbox WHERE about = ?1 ORDER BY id LIMIT 50",
            &[about.into()],
        )?;
        let prompt = |row: &Row| {
            Ok(Prompt {
                id: row.int(0)?,
                chat_id: row.int(1)?,
                state: state(row.text(2)?),
                message_id: row.opt_int(3)?,
            })
        };
        rows.iter().map(prompt).collect()
    }

    /// Drops a row that has not been taken yet.
    pub(super) fn cancel(&self, id: i64) -> Result<(), DirectoryError> {
        self.sql.run("UPDATE outbox SET state = 'cancelled' WHERE id = ?1 AND state = 'waiting'", &[id.into()])?;
        Ok(())
    }

    /// Rows whose sender died: repeated if that does no harm, ambiguous otherwise.
    fn release_dead(&self, now: i64) -> Result<(), DirectoryError> {
        self.sql.run(
            "UPDATE outbox SET state = CASE WHEN method = 'sendMessage' THEN 'ambiguous' ELSE 'waiting' END \
             WHERE state = 'sending' AND not_before <= ?1",
            &[now.into()],
        )?;
        Ok(())
    }

    fn finish(
        &self,
        id: i64,
        state: NoticeState,
        message_id: Option<i64>,
        error: Option<&str>,
    ) -> Result<(), DirectoryError> {
        let error: Option<String> = error.map(|text| text.chars().take(MAX_ERROR).collect());
        // An answer that comes after the lease still tells the truth about an ambiguous row.
        self.sql.run(
            "UPDATE outbox SET state = ?2, message_id = ?3, error = ?4 WHERE id = ?1 AND state IN ('sending', 'ambiguous')",
            &[id.into(), state.as_str().into(), Value::from(message_id), Value::from(error)],
        )?;
        Ok(())
    }
}

fn state(text: &str) -> NoticeState {
    word(text).unwrap_or(NoticeState::Failed)
}

fn read(row: &Row) -> Result<Notice, DirectoryError> {
    let payload = serde_json::from_str(row.text(3)?).map_err(|_| StoreError::Shape { index: 3 })?;
    Ok(Notice {
        id: row.int(0)?,
        bot: row.text(1)?.to_owned(),
        method: row.text(2)?.to_owned(),
        payload,
        state: state(row.text(4)?),
        attempts: row.int(5)?,
        not_before: row.int(6)?,
        message_id: row.opt_int(7)?,
        error: row.opt_text(8)?.map(str::to_owned),
    })
}
