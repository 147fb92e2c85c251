//! Records of turns and of their steps. What they mean is in `turns`; here is how they are kept.

use std::str::FromStr;

use crate::llm::ModelRef;
use crate::store::{Row, Sql, StoreError};
use crate::text::Lang;

/// The state of a turn whose messages went into another.
pub const TAKEN_BACK: &str = "taken back";

/// Runs of one turn before it is given up (DESIGN §3.2).
pub const MAX_ATTEMPTS: i64 = 3;

/// A turn that is not finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub id: i64,
    pub attempts: i64,
    pub model: ModelRef,
    pub lang: Lang,
    /// The conversation's epoch when it began.
    pub epoch: i64,
    /// Telegram id of the message to answer.
    pub reply_to: Option<i64>,
    /// Telegram id of the message that shows the answer growing, in edit mode.
    pub placeholder: Option<i64>,
    pub stop_requested: bool,
    pub created_at: i64,
    /// Telegram id of the person who caused it: the sender of its last message.
    pub user_id: Option<i64>,
    /// When the first of its messages came.
    pub asked_at: i64,
    /// When its first words were shown, as far as this instance knows.
    pub first_at: Option<i64>,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct End<'a> {
    /// `answered`, `stopped` or `failed`; `taken back` is no end.
    pub state: &'a str,
    pub error: Option<&'a str>,
    /// The model that answered.
    pub model: Option<&'a str>,
    /// When the first words were shown.
    pub first_at: Option<i64>,
}

/// Records that a turn runs. Returns its id: `turn.id`, or if that turn was there before (it is answered anew) the next
/// above every inbox row there will be for a long time, and still exact as a JavaScript number.
pub fn begin(sql: &impl Sql, turn: &Turn) -> Result<i64, StoreError> {
    let rows = sql.run(
        "INSERT INTO turn (id, state, model, lang, epoch, reply_to, created_at, user_id, asked_at) VALUES (
           iif(EXISTS (SELECT 1 FROM turn WHERE id = ?1), (SELECT max(1000000000, max(id)) + 1 FROM turn), ?1),
           'running', ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id",
        &[
            turn.id.into(),
            turn.model.to_string().into(),
            turn.lang.code().into(),
            turn.epoch.into(),
            turn.reply_to.into(),
            turn.created_at.into(),
            turn.user_id.into(),
            turn.asked_at.into(),
        ],
    )?;
    rows.first().map_or(Err(StoreError::Shape { index: 0 }), |row| row.int(0))
}

const COLUMNS: &str = "id, attempts, model, lang, reply_to, placeholder, stop_requested, created_at, epoch, user_id, \
    coalesce(asked_at, created_at)";

/// The one unfinished turn, if any.
pub fn open(sql: &impl Sql) -> Result<Option<Turn>, StoreError> {
    let rows = sql.run(&format!("SELECT {COLUMNS} FROM turn WHERE state = 'running' ORDER BY id LIMIT 1"), &[])?;
    rows.first().map(read).transpose()
}

/// The same, counting that it is run once more.
pub fn take(sql: &impl Sql) -> Result<Option<Turn>, StoreError> {
    let rows = sql.run(
        &format!(
            "UPDATE turn SET attempts = attempts + 1
             WHERE id = (SELECT id FROM turn WHERE state = 'running' ORDER BY id LIMIT 1) RETURNING {COLUMNS}"
        ),
        &[],
    )?;
    rows.first().map(read).transpose()
}

fn read(row: &Row) -> Result<Turn, StoreError> {
    Ok(Turn {
        id: row.int(0)?,
        attempts: row.int(1)?,
        model: ModelRef::from_str(row.text(2)?).map_err(|error| StoreError::Sql(error.to_string()))?,
        lang: Lang::from_code(Some(row.text(3)?)),
        reply_to: row.opt_int(4)?,
        placeholder: row.opt_int(5)?,
        stop_requested: row.int(6)? != 0,
        created_at: row.int(7)?,
        epoch: row.int(8)?,
        user_id: row.opt_int(9)?,
        asked_at: row.int(10)?,
        first_at: None,
    })
}

pub fn is_open(sql: &impl Sql) -> Result<bool, StoreError> {
    Ok(!sql.run("SELECT 1 FROM turn WHERE state = 'running' LIMIT 1", &[])?.is_empty())
}

/// True if the turn is over and was answered.
pub fn is_answered(sql: &impl Sql, id: i64) -> Result<bool, StoreError> {
    Ok(!sql.run("SELECT 1 FROM turn WHERE id = ?1 AND state = 'answered'", &[id.into()])?.is_empty())
}

pub fn request_stop(sql: &impl Sql) -> Result<(), StoreError> {
    sql.run("UPDATE turn SET stop_requested = 1 WHERE state = 'running'", &[])?;
    Ok(())
}

pub fn set_placeholder(sql: &impl Sql, id: i64, message_id: i64) -> Result<(), StoreError> {
    sql.run("UPDATE turn SET placeholder = ?2 WHERE id = ?1", &[id.into(), message_id.into()])?;
    Ok(())
}

/// Another model answers the turn than was thought when it began.
pub fn set_model(sql: &impl Sql, id: i64, model: &ModelRef) -> Result<(), StoreError> {
    sql.run("UPDATE turn SET model = ?2 WHERE id = ?1", &[id.into(), model.to_string().into()])?;
    Ok(())
}

/// True if a model was called for the turn, however that ended.
pub fn was_called(sql: &impl Sql, id: i64) -> Result<bool, StoreError> {
    let rows = sql.run(
        "SELECT 1 FROM step WHERE turn_id = ?1 AND kind = 'model' AND state NOT IN ('asking', 'refused') LIMIT 1",
        &[id.into()],
    )?;
    Ok(!rows.is_empty())
}

/// Closes a turn. What ends is numbered, so that each end is told once (`activity`).
pub fn finish(sql: &impl Sql, id: i64, end: End<'_>, now: i64) -> Result<(), StoreError> {
    sql.run(
        "UPDATE turn SET state = ?2, error = ?3, finished_at = ?4, answered_by = ?5, first_at = ?6, ended = iif(?7,
           (SELECT coalesce(max(ended), 0) + 1 FROM turn WHERE ended IS NOT NULL), NULL) WHERE id = ?1",
        &[
            id.into(),
            end.state.into(),
            end.error.into(),
            now.into(),
            end.model.into(),
            end.first_at.into(),
            (end.state != TAKEN_BACK).into(),
        ],
    )?;
    Ok(())
}

/// Journals that an effect is about to happen. Returns the step's id.
pub fn begin_step(sql: &impl Sql, turn: i64, kind: &str, now: i64) -> Result<i64, StoreError> {
    insert_step(sql, turn, kind, "begun", now)
}

fn insert_step(sql: &impl Sql, turn: i64, kind: &str, state: &str, now: i64) -> Result<i64, StoreError> {
    let rows = sql.run(
        "INSERT INTO step (turn_id, kind, state, started_at) VALUES (?1, ?2, ?3, ?4) RETURNING id",
        &[turn.into(), kind.into(), state.into(), now.into()],
    )?;
    rows.first().map_or(Err(StoreError::Shape { index: 0 }), |row| row.int(0))
}

/// Journals what came of it: `done`, `failed` or `stopped`. `detail` is JSON or a short reason.
pub fn end_step(sql: &impl Sql, id: i64, state: &str, detail: &str, now: i64) -> Result<(), StoreError> {
    sql.run(
        "UPDATE step SET state = ?2, detail = ?3, ended_at = ?4 WHERE id = ?1",
        &[id.into(), state.into(), detail.into(), now.into()],
    )?;
    Ok(())
}

/// Steps that were begun and never ended were cut; those that waited for leave were never made. Only for who is alone in
/// the turn lane.
pub fn close_interrupted_steps(sql: &impl Sql, now: i64) -> Result<(), StoreError> {
    sql.run(
        "UPDATE step SET state = iif(state = 'begun', 'cut', 'refused'), ended_at = ?1 WHERE state IN ('asking', 'begun')
         AND id > (SELECT coalesce(max(id), 0) - 16 FROM step)
         AND (turn_id = 0 OR turn_id IN (SELECT id FROM turn WHERE state = 'running'))",
        &[now.into()],
    )?;
    Ok(())
}

/// Journals that leave is asked for a call. Returns the step's id, which names the reservation.
pub fn ask_step(sql: &impl Sql, turn: i64, kind: &str, now: i64) -> Result<i64, StoreError> {
    insert_step(sql, turn, kind, "asking", now)
}

/// Journals that no leave came for a step, but the configuration `version`, which was taken over.
pub fn config_step(sql: &impl Sql, id: i64, version: i64, now: i64) -> Result<(), StoreError> {
    sql.run(
        "UPDATE step SET kind = 'config', state = 'done', detail = ?2, ended_at = ?3 WHERE id = ?1",
        &[id.into(), format!("version {version}").into(), now.into()],
    )?;
    Ok(())
}

/// Journals that the call of a step is about to be made, and of which model.
pub fn call_step(sql: &impl Sql, id: i64, model: &str) -> Result<(), StoreError> {
    sql.run("UPDATE step SET state = 'begun', model = ?2 WHERE id = ?1", &[id.into(), model.into()])?;
    Ok(())
}

/// The same of a call, with what the Directory has yet to hear of it (JSON).
pub fn end_call(sql: &impl Sql, id: i64, state: &str, detail: &str, report: &str, now: i64) -> Result<(), StoreError> {
    sql.run(
        "UPDATE step SET state = ?2, detail = ?3, ended_at = ?4, report = ?5 WHERE id = ?1",
        &[id.into(), state.into(), detail.into(), now.into(), report.into()],
    )?;
    Ok(())
}

/// The Directory has heard the reports up to that of step `last`.
pub fn heard(sql: &impl Sql, last: i64) -> Result<(), StoreError> {
    sql.run("UPDATE step SET report = NULL WHERE report IS NOT NULL AND id <= ?1", &[last.into()])?;
    Ok(())
}

/// Reports not heard yet, oldest first: step and JSON.
pub fn reports(sql: &impl Sql, limit: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let rows = sql.run("SELECT id, report FROM step WHERE report IS NOT NULL ORDER BY id LIMIT ?1", &[limit.into()])?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::migrate;
    use crate::store::native::Sqlite;

    #[test]
    fn a_turn_answered_anew_has_an_id_of_its_own() {
        let sql = Sqlite::memory().unwrap();
        migrate(&sql, crate::chat::MIGRATIONS).unwrap();
        let turn = Turn {
            id: 7,
            attempts: 0,
            model: ModelRef::from_str("ollama/m").unwrap(),
            lang: Lang::En,
            epoch: 0,
            reply_to: None,
            placeholder: None,
            stop_requested: false,
            created_at: 1,
            user_id: None,
            asked_at: 1,
            first_at: None,
        };
        let ids: Vec<i64> = (0..3).map(|_| begin(&sql, &turn).unwrap()).collect();
        assert_eq!(ids, [7, 1_000_000_001, 1_000_000_002]);
    }
}
