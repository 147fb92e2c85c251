//! The messages of a conversation in the neutral vocabulary. Append-only: `/new` starts an epoch, nothing is deleted.

use crate::llm::{Message, Part, PartKind, Role, tokens};
use crate::store::{Row, Sql, StoreError, to_json};

/// A stored message with the estimate made when it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub id: i64,
    pub turn_id: Option<i64>,
    pub tokens: u32,
    pub message: Message,
}

/// Estimated prompt tokens of a message; at least 4 for its frame.
pub fn estimate(message: &Message) -> u32 {
    let parts: u32 = message.parts.iter().map(part_tokens).sum();
    parts.saturating_add(4)
}

fn part_tokens(part: &Part) -> u32 {
    match &part.kind {
        PartKind::Text(text) => tokens::estimate(text),
        // Where it is not replayed the estimate is too high, which does no harm.
        PartKind::Thought(text) => tokens::estimate(text),
        PartKind::ToolCall(call) => {
            tokens::estimate(&call.name).saturating_add(tokens::estimate(&call.arguments.to_string()))
        }
        PartKind::ToolResult(result) => tokens::estimate(&result.content),
        PartKind::Media(_) => 300,
    }
}

pub fn append(sql: &impl Sql, epoch: i64, turn: Option<i64>, message: &Message, now: i64) -> Result<i64, StoreError> {
    let rows = sql.run(
        "INSERT INTO message (epoch, turn_id, tokens, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
        &[epoch.into(), turn.into(), i64::from(estimate(message)).into(), to_json(message)?.into(), now.into()],
    )?;
    rows.first().map_or(Err(StoreError::Shape { index: 0 }), |row| row.int(0))
}

/// A stretch of an epoch: its messages with `after < id <= upto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub epoch: i64,
    pub after: i64,
    pub upto: i64,
}

/// The newest messages of a stretch, oldest first: at most `limit`, as many as `budget` tokens hold and one more. What
/// they weigh is read from the index, so that no body is read in vain and no more rows than `limit` are looked at.
pub fn newest(sql: &impl Sql, stretch: Stretch, limit: i64, budget: u32) -> Result<Vec<Stored>, StoreError> {
    let rows = sql.run(
        "SELECT id, turn_id, tokens, body FROM message WHERE epoch = ?1 AND hidden = 0 AND id <= ?5 AND id >= (
           SELECT min(id) FROM (
             SELECT id, sum(tokens) OVER (ORDER BY id DESC) - tokens AS newer FROM (
               SELECT id, tokens FROM message WHERE epoch = ?1 AND hidden = 0 AND id > ?4 AND id <= ?5
               ORDER BY id DESC LIMIT ?2))
           WHERE newer <= ?3)
         ORDER BY id",
        &[stretch.epoch.into(), limit.into(), i64::from(budget).into(), stretch.after.into(), stretch.upto.into()],
    )?;
    rows.iter().map(read).collect()
}

/// How many messages a stretch holds.
pub fn count(sql: &impl Sql, stretch: Stretch) -> Result<i64, StoreError> {
    let rows = sql.run(
        "SELECT count(*) FROM message WHERE epoch = ?1 AND hidden = 0 AND id > ?2 AND id <= ?3",
        &[stretch.epoch.into(), stretch.after.into(), stretch.upto.into()],
    )?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// True if the stretch has messages before `id`.
pub fn has_before(sql: &impl Sql, stretch: Stretch, id: i64) -> Result<bool, StoreError> {
    let rows = sql.run(
        "SELECT 1 FROM message WHERE epoch = ?1 AND hidden = 0 AND id > ?2 AND id < ?3 LIMIT 1",
        &[stretch.epoch.into(), stretch.after.into(), id.into()],
    )?;
    Ok(!rows.is_empty())
}

fn read(row: &Row) -> Result<Stored, StoreError> {
    Ok(Stored {
        id: row.int(0)?,
        turn_id: row.opt_int(1)?,
        tokens: u32::try_from(row.int(2)?).unwrap_or(u32::MAX),
        message: serde_json::from_str(row.text(3)?).map_err(|error| StoreError::Sql(error.to_string()))?,
    })
}

/// The newest message of the whole conversation; 0: none.
pub fn last(sql: &impl Sql) -> Result<i64, StoreError> {
    let rows = sql.run("SELECT coalesce(max(id), 0) FROM message", &[])?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// The person's message of a turn.
pub fn question(sql: &impl Sql, epoch: i64, turn: i64) -> Result<Option<Message>, StoreError> {
    let rows = sql.run(
        "SELECT id, turn_id, tokens, body FROM message WHERE epoch = ?1 AND hidden = 0 AND turn_id = ?2 ORDER BY id LIMIT 1",
        &[epoch.into(), turn.into()],
    )?;
    Ok(rows.first().map(read).transpose()?.map(|stored| stored.message))
}

/// The assistant's words of a turn, as the model wrote them.
pub fn answer(sql: &impl Sql, epoch: i64, turn: i64) -> Result<String, StoreError> {
    let rows = sql.run(
        "SELECT id, turn_id, tokens, body FROM message WHERE epoch = ?1 AND hidden = 0 AND turn_id = ?2 ORDER BY id",
        &[epoch.into(), turn.into()],
    )?;
    let mut texts = Vec::new();
    for row in &rows {
        let message = read(row)?.message;
        if message.role == Role::Assistant {
            texts.push(message.text());
        }
    }
    Ok(texts.join("\n\n"))
}

/// A message with what is known of how it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub id: i64,
    pub epoch: i64,
    pub turn_id: Option<i64>,
    pub created_at: i64,
    /// The model of its turn.
    pub model: Option<String>,
    pub message: Message,
}

/// Messages after `after`, oldest first, at most `limit`; of one epoch, or of all.
pub fn page(sql: &impl Sql, epoch: Option<i64>, after: i64, limit: i64) -> Result<Vec<Kept>, StoreError> {
    let rows = sql.run(
        "SELECT message.id, message.epoch, turn_id, message.created_at, model, body FROM message
         LEFT JOIN turn ON turn.id = turn_id
         WHERE message.id > ?1 AND hidden = 0 AND (?2 IS NULL OR message.epoch = ?2) ORDER BY message.id LIMIT ?3",
        &[after.into(), epoch.into(), limit.into()],
    )?;
    let kept = |row: &Row| {
        Ok(Kept {
            id: row.int(0)?,
            epoch: row.int(1)?,
            turn_id: row.opt_int(2)?,
            created_at: row.int(3)?,
            model: row.opt_text(4)?.map(str::to_owned),
            message: serde_json::from_str(row.text(5)?).map_err(|error| StoreError::Sql(error.to_string()))?,
        })
    };
    rows.iter().map(kept).collect()
}

/// How many messages the epoch holds, and their estimated tokens.
pub fn size(sql: &impl Sql, epoch: i64) -> Result<(i64, i64), StoreError> {
    let rows = sql.run(
        "SELECT count(*), coalesce(sum(tokens), 0) FROM message WHERE epoch = ?1 AND hidden = 0",
        &[epoch.into()],
    )?;
    rows.first().map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}

/// Takes every message of a turn out of the prompt (they stay in the store), before the turn is answered anew.
pub fn hide_turn(sql: &impl Sql, turn: i64) -> Result<(), StoreError> {
    sql.run("UPDATE message SET hidden = 1 WHERE turn_id = ?1", &[turn.into()])?;
    Ok(())
}
