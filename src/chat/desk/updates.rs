//! What happened to each update, and the files people sent.

use super::{FileView, FilesView, UpdateRow, UpdatesView};
use crate::chat::conversation::Conversation;
use crate::chat::ports::Ports;
use crate::store::{Row, Sql, StoreError, Value};

/// Rows of a page.
const PAGE: usize = 50;

const UPDATE: &str = "seq, update_id, received_at, kind, message_id, user_id, substr(iif(json_valid(content),
    coalesce(json_extract(content, '$.text'), content), content), 1, 300), outcome, detail, turn_id";
const FILE: &str = "id, created_at, kind, mime, name, size, state, turn_id";

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) fn updates(&self, before: Option<i64>) -> Result<UpdatesView, StoreError> {
        let rows = self.sql.run(
            &format!(
                "SELECT {UPDATE} FROM inbox WHERE kind <> 'deleted' AND (?1 IS NULL OR seq < ?1) ORDER BY seq DESC LIMIT ?2"
            ),
            &[before.into(), limit()],
        )?;
        let (updates, more) = page(rows.iter().map(read_update).collect::<Result<_, _>>()?);
        let next = updates.last().filter(|_| more).map(|last| last.seq);
        Ok(UpdatesView { updates, next })
    }

    /// The updates a turn answered.
    pub(super) fn updates_of(&self, turn: i64) -> Result<Vec<UpdateRow>, StoreError> {
        let rows = self
            .sql
            .run(&format!("SELECT {UPDATE} FROM inbox WHERE turn_id = ?1 ORDER BY seq LIMIT 100"), &[turn.into()])?;
        rows.iter().map(read_update).collect()
    }

    pub(super) fn files_page(&self, before: Option<i64>) -> Result<FilesView, StoreError> {
        let rows = self.sql.run(
            &format!("SELECT {FILE} FROM file WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2"),
            &[before.into(), limit()],
        )?;
        let (files, more) = page(rows.iter().map(read_file).collect::<Result<Vec<_>, _>>()?);
        let next = files.last().filter(|_| more).map(|last| last.id);
        Ok(FilesView { files, next })
    }

    /// The files of a turn.
    pub(super) fn files_of(&self, turn: i64) -> Result<Vec<FileView>, StoreError> {
        let rows = self
            .sql
            .run(&format!("SELECT {FILE} FROM file WHERE turn_id = ?1 ORDER BY id LIMIT 100"), &[turn.into()])?;
        rows.iter().map(read_file).collect()
    }
}

/// One more than a page, to see whether there is another.
fn limit() -> Value {
    i64::try_from(PAGE + 1).unwrap_or(0).into()
}

fn page<T>(mut rows: Vec<T>) -> (Vec<T>, bool) {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    (rows, more)
}

fn read_update(row: &Row) -> Result<UpdateRow, StoreError> {
    Ok(UpdateRow {
        seq: row.int(0)?,
        update_id: row.int(1)?,
        at: row.int(2)?,
        kind: row.text(3)?.to_owned(),
        message_id: row.opt_int(4)?,
        user_id: row.opt_int(5)?,
        text: row.opt_text(6)?.map(str::to_owned),
        outcome: row.opt_text(7)?.map(str::to_owned),
        detail: row.opt_text(8)?.map(str::to_owned),
        turn: row.opt_int(9)?,
    })
}

fn read_file(row: &Row) -> Result<FileView, StoreError> {
    Ok(FileView {
        id: row.int(0)?,
        at: row.int(1)?,
        kind: row.text(2)?.to_owned(),
        mime: row.text(3)?.to_owned(),
        name: row.opt_text(4)?.map(str::to_owned),
        size: row.int(5)?,
        state: row.text(6)?.to_owned(),
        turn: row.int(7)?,
    })
}
