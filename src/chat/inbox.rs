//! The ledger of accepted updates: each has one row, and ends with one outcome.

use crate::store::{Row, Sql, StoreError, Value};
use crate::telegram::content::Content;

/// A message that waits for its turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub seq: i64,
    pub message_id: i64,
    pub ready_at: i64,
    pub received_at: i64,
    pub media_group: Option<String>,
    /// Telegram id of the sender.
    pub user_id: Option<i64>,
    pub content: Content,
}

/// A new row.
#[derive(Debug, Default)]
pub struct Entry<'a> {
    pub update_id: i64,
    pub kind: &'a str,
    pub message_id: Option<i64>,
    pub media_group: Option<&'a str>,
    /// Telegram id of the sender.
    pub user_id: Option<i64>,
    pub content: Option<String>,
    pub ready_at: i64,
    /// `None`: waits.
    pub outcome: Option<&'a str>,
    pub detail: Option<&'a str>,
}

/// Stores `entry`. `None` if this update was stored before: Telegram delivers at least once.
pub fn insert(sql: &impl Sql, entry: Entry<'_>, now: i64) -> Result<Option<i64>, StoreError> {
    let rows = sql.run(
        "INSERT INTO inbox (update_id, received_at, kind, message_id, media_group, content, ready_at, outcome, detail, user_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (update_id) DO NOTHING RETURNING seq",
        &[
            entry.update_id.into(),
            now.into(),
            entry.kind.into(),
            entry.message_id.into(),
            entry.media_group.into(),
            entry.content.into(),
            entry.ready_at.into(),
            entry.outcome.into(),
            entry.detail.into(),
            entry.user_id.into(),
        ],
    )?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// Messages that wait, oldest first; at most 50, the rest in a later turn.
pub fn waiting(sql: &impl Sql) -> Result<Vec<Waiting>, StoreError> {
    let rows = sql.run(
        "SELECT seq, message_id, ready_at, received_at, media_group, content, user_id FROM inbox
         WHERE outcome IS NULL AND kind = 'message' ORDER BY seq LIMIT 50",
        &[],
    )?;
    rows.iter().map(read_waiting).collect()
}

fn read_waiting(row: &Row) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        seq: row.int(0)?,
        message_id: row.opt_int(1)?.unwrap_or(0),
        ready_at: row.int(2)?,
        received_at: row.int(3)?,
        media_group: row.opt_text(4)?.map(str::to_owned),
        content: serde_json::from_str(row.opt_text(5)?.unwrap_or("{}")).unwrap_or_default(),
        user_id: row.opt_int(6)?,
    })
}

/// When the oldest message that waits arrived; `None`: none waits.
pub fn first_waiting(sql: &impl Sql) -> Result<Option<i64>, StoreError> {
    let rows =
        sql.run("SELECT received_at FROM inbox WHERE outcome IS NULL AND kind = 'message' ORDER BY seq LIMIT 1", &[])?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// True if a message waits.
pub fn has_waiting(sql: &impl Sql) -> Result<bool, StoreError> {
    let rows = sql.run("SELECT 1 FROM inbox WHERE outcome IS NULL AND kind = 'message' LIMIT 1", &[])?;
    Ok(!rows.is_empty())
}

/// Sets the due time of every waiting message: one window for all that arrive together.
pub fn set_ready(sql: &impl Sql, ready_at: i64) -> Result<(), StoreError> {
    sql.run("UPDATE inbox SET ready_at = ?1 WHERE outcome IS NULL AND kind = 'message'", &[ready_at.into()])?;
    Ok(())
}

/// Writes the outcome of one row.
pub fn close(
    sql: &impl Sql,
    seq: i64,
    outcome: &str,
    detail: Option<&str>,
    turn: Option<i64>,
) -> Result<(), StoreError> {
    sql.run(
        "UPDATE inbox SET outcome = ?2, detail = ?3, turn_id = ?4 WHERE seq = ?1",
        &[seq.into(), outcome.into(), detail.into(), turn.into()],
    )?;
    Ok(())
}

/// Writes one outcome for every message that still waits. Returns how many.
pub fn close_waiting(sql: &impl Sql, outcome: &str, detail: &str) -> Result<usize, StoreError> {
    let rows = sql.run(
        "UPDATE inbox SET outcome = ?1, detail = ?2 WHERE outcome IS NULL AND kind = 'message' RETURNING seq",
        &[outcome.into(), detail.into()],
    )?;
    Ok(rows.len())
}

/// The messages of a turn that was undone wait again.
pub fn reopen(sql: &impl Sql, turn: i64) -> Result<(), StoreError> {
    sql.run("UPDATE inbox SET outcome = NULL, turn_id = NULL WHERE turn_id = ?1 AND kind = 'message'", &[turn.into()])?;
    Ok(())
}

/// A command that waits for a look elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    pub seq: i64,
    /// `menu`, `status`, `usage`, `export` or `export_all`.
    pub kind: String,
    pub user_id: Option<i64>,
    pub message_id: Option<i64>,
}

/// The oldest such command that has no answer yet.
pub fn next_lookup(sql: &impl Sql) -> Result<Option<Lookup>, StoreError> {
    let rows = sql.run(
        "SELECT seq, kind, user_id, message_id FROM inbox
         WHERE outcome IS NULL AND kind IN ('menu', 'status', 'usage', 'export', 'export_all') ORDER BY seq LIMIT 1",
        &[],
    )?;
    let read = |row: &Row| {
        let (kind, user_id, message_id) = (row.text(1)?.to_owned(), row.opt_int(2)?, row.opt_int(3)?);
        Ok(Lookup { seq: row.int(0)?, kind, user_id, message_id })
    };
    rows.first().map(read).transpose()
}

/// A request to compact the conversation that has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionAsked {
    pub seq: i64,
    pub message_id: Option<i64>,
    /// Telegram id of the person who asked.
    pub user_id: Option<i64>,
    /// What the summary is to keep above all; may be empty.
    pub focus: String,
}

/// The requests to compact that wait, oldest first.
pub fn compactions(sql: &impl Sql) -> Result<Vec<CompactionAsked>, StoreError> {
    let rows = sql.run(
        "SELECT seq, message_id, content, user_id FROM inbox WHERE outcome IS NULL AND kind = 'compact' ORDER BY seq",
        &[],
    )?;
    let read = |row: &Row| {
        let focus = row.opt_text(2)?.unwrap_or_default().to_owned();
        Ok(CompactionAsked { seq: row.int(0)?, message_id: row.opt_int(1)?, user_id: row.opt_int(3)?, focus })
    };
    rows.iter().map(read).collect()
}

/// A stored message and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub seq: i64,
    pub outcome: Option<String>,
    pub turn_id: Option<i64>,
    pub content: Content,
}

/// The message with this Telegram id.
pub fn by_message(sql: &impl Sql, message_id: i64) -> Result<Option<Received>, StoreError> {
    let rows = sql.run(
        "SELECT seq, outcome, turn_id, content FROM inbox WHERE message_id = ?1 AND kind = 'message' ORDER BY seq DESC LIMIT 1",
        &[message_id.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let content = serde_json::from_str(row.opt_text(3)?.unwrap_or("{}")).unwrap_or_default();
    Ok(Some(Received {
        seq: row.int(0)?,
        outcome: row.opt_text(1)?.map(str::to_owned),
        turn_id: row.opt_int(2)?,
        content,
    }))
}

/// The turn that took the newest of the messages taken so far.
pub fn last_turn(sql: &impl Sql) -> Result<Option<i64>, StoreError> {
    let rows = sql.run("SELECT turn_id FROM inbox WHERE turn_id IS NOT NULL ORDER BY seq DESC LIMIT 1", &[])?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// Replaces the content of a row, after the person edited the message.
pub fn set_content(sql: &impl Sql, seq: i64, content: &str) -> Result<(), StoreError> {
    sql.run("UPDATE inbox SET content = ?2 WHERE seq = ?1", &[seq.into(), content.into()])?;
    Ok(())
}

/// The messages a turn answered, oldest first.
pub fn of_turn(sql: &impl Sql, turn: i64) -> Result<Vec<Waiting>, StoreError> {
    let rows = sql.run(
        "SELECT seq, message_id, ready_at, received_at, media_group, content, user_id FROM inbox
         WHERE turn_id = ?1 AND kind = 'message' ORDER BY seq",
        &[Value::Int(turn)],
    )?;
    rows.iter().map(read_waiting).collect()
}
