//! The log operators see: a ring of the newest events, of conversations, of the Worker and of the Directory itself.
//!
//! Whoever notes an event brings the words; here they are redacted, bounded and kept. Fresh ones are handed once to
//! whoever watches live. Not here: what a person wrote or was answered, which is never part of an event; decisions
//! (`journal`); numbers (`metrics`).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::activity::{Event, Level};
use super::{Directory, DirectoryError, word};
use crate::llm::redact::{clip, redact_to};
use crate::store::{Row, Sql, Value};

/// Events kept.
pub const KEEP_EVENTS: i64 = 2_000;
/// Most events taken from one request.
pub const MOST_AT_ONCE: usize = 50;
/// Longest text and word, in characters.
pub const MAX_TEXT: usize = 500;
const MAX_WHAT: usize = 40;
const MAX_SESSION: usize = 128;
/// Fresh lines that wait for a watcher at most; who watches is asked after each request.
const MAX_FRESH: usize = 100;
/// Among so many of the newest rows a repeated request is recognised.
const REPEATED_WITHIN: i64 = 200;
/// Rows of a page, unless asked otherwise.
const PAGE: i64 = 100;

/// An event as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Grows.
    pub id: i64,
    /// Unix milliseconds.
    pub at: i64,
    pub level: Level,
    /// A word to filter by.
    pub what: String,
    /// The conversation; empty: none in particular.
    pub session: String,
    /// One line, redacted.
    pub text: String,
}

/// Which events; what is absent does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventQuery {
    /// This grave or graver.
    pub level: Option<Level>,
    pub what: Option<String>,
    /// A conversation, or the beginning of its name up to a colon.
    pub session: Option<String>,
    /// Part of the text, case ignored for ASCII.
    pub text: Option<String>,
    /// Older than this id.
    pub before: Option<i64>,
    /// Newer than this id.
    pub after: Option<i64>,
    /// 100 unless given, at most 500.
    pub limit: Option<i64>,
}

impl Level {
    /// As stored and filtered by.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }

    /// Reads what [`Level::as_str`] writes.
    pub fn from_word(text: &str) -> Option<Level> {
        word(text)
    }
}

impl Event {
    /// An event fit for keeping: one line, bounded, without anything that looks like a secret. Never pass a person's words.
    pub fn new(at: i64, level: Level, what: &str, text: &str) -> Event {
        Event { at, level, what: clip(what, MAX_WHAT), text: redact_to(text, MAX_TEXT) }
    }
}

impl<S: Sql> Directory<S> {
    /// Keeps events of `session` (empty: of no conversation), the first [`MOST_AT_ONCE`] of them. Whatever brought them,
    /// they are redacted here. Repeating a request whose answer was lost does no harm.
    pub fn note_events(&self, session: &str, events: &[Event], now: i64) -> Result<(), DirectoryError> {
        if events.is_empty() {
            return Ok(());
        }
        let session = clip(session, MAX_SESSION);
        let clean = events.iter().take(MOST_AT_ONCE).map(|event| {
            // Clocks of objects differ a little; nothing has happened in the future.
            let at = if event.at > 0 { event.at.min(now) } else { now };
            let event = Event::new(at, event.level, &redact_to(&event.what, MAX_WHAT), &event.text);
            json!([event.at, event.level.as_str(), event.what, event.text])
        });
        let list = serde_json::Value::Array(clean.collect()).to_string();
        let rows = self.sql.run(
            "INSERT INTO event (at, level, what, session, text) \
             SELECT value ->> 0, value ->> 1, value ->> 2, ?2, value ->> 3 FROM json_each(?1) AS new WHERE NOT EXISTS \
             (SELECT 1 FROM event WHERE id > (SELECT max(id) FROM event) - ?3 AND session = ?2 AND at = new.value ->> 0 \
             AND what = new.value ->> 2 AND text = new.value ->> 3) ORDER BY new.key \
             RETURNING id, at, level, what, session, text",
            &[list.into(), session.into(), REPEATED_WITHIN.into()],
        )?;
        self.sql.run("DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?1", &[KEEP_EVENTS.into()])?;
        let mut fresh = self.fresh.borrow_mut();
        for row in &rows {
            fresh.push(read(row)?);
        }
        let over = fresh.len().saturating_sub(MAX_FRESH);
        fresh.drain(..over);
        Ok(())
    }

    /// Keeps one event of the Directory's own.
    pub fn note(&self, level: Level, what: &str, text: &str, now: i64) -> Result<(), DirectoryError> {
        self.note_events("", &[Event::new(now, level, what, text)], now)
    }

    /// What was noted since the last look, oldest first: for those who watch live.
    pub fn take_fresh(&self) -> Vec<LogLine> {
        self.fresh.take()
    }

    /// Events that fit, newest first.
    pub fn events(&self, query: &EventQuery) -> Result<Vec<LogLine>, DirectoryError> {
        let least = query.level.unwrap_or(Level::Info);
        let filter = |text: &Option<String>| -> Value {
            let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
            text.map(|text| clip(text, MAX_TEXT)).into()
        };
        let rows = self.sql.run(
            "SELECT id, at, level, what, session, text FROM event WHERE (?1 IS NULL OR id < ?1) AND id > ?2 \
             AND (?3 = 'info' OR level = 'error' OR level = ?3) AND (?4 IS NULL OR what = ?4) \
             AND (?5 IS NULL OR session = ?5 OR substr(session, 1, length(?5) + 1) = ?5 || ':') \
             AND (?6 IS NULL OR instr(lower(text), lower(?6)) > 0) ORDER BY id DESC LIMIT ?7",
            &[
                query.before.into(),
                query.after.unwrap_or(0).into(),
                least.as_str().into(),
                filter(&query.what),
                filter(&query.session),
                filter(&query.text),
                query.limit.unwrap_or(PAGE).clamp(1, super::LIST_LIMIT).into(),
            ],
        )?;
        rows.iter().map(read).collect()
    }

    /// The words there are to filter by.
    pub fn event_words(&self) -> Result<Vec<String>, DirectoryError> {
        let rows = self.sql.run("SELECT DISTINCT what FROM event ORDER BY what LIMIT 50", &[])?;
        rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
    }
}

fn read(row: &Row) -> Result<LogLine, DirectoryError> {
    Ok(LogLine {
        id: row.int(0)?,
        at: row.int(1)?,
        // A word of a newer release is shown as the gravest.
        level: word(row.text(2)?).unwrap_or_default(),
        what: row.text(3)?.to_owned(),
        session: row.text(4)?.to_owned(),
        text: row.text(5)?.to_owned(),
    })
}
