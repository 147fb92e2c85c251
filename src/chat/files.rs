//! Records of the files people sent. How they get here is in `media`; the bytes are in storage (R2), never in a row.

use crate::store::{Row, Sql, StoreError, Value};
use crate::telegram::content::{Attachment, AttachmentKind};

/// Largest file Telegram lets a bot download (telegram.md §3.1).
pub const LIMIT: u64 = 20 * 1024 * 1024;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Storage key: `files/{session}/{yyyy-mm}/{inbox seq}-{index}`.
    pub key: String,
    /// Telegram's name for it, for `getFile`.
    pub file_id: String,
    pub kind: AttachmentKind,
    /// Claimed until it is stored, then what the bytes say.
    pub mime: String,
    pub name: Option<String>,
    /// Bytes; Telegram's word, 0 if it gave none, until it is stored.
    pub size: u64,
    /// Seconds.
    pub duration: Option<i64>,
    pub state: State,
    /// Downloads begun, also by instances that died.
    pub tries: i64,
    /// What a text file says, or what was heard in a recording.
    pub text: Option<String>,
    /// Telegram id of the message it came in.
    pub message_id: i64,
    /// The turn whose person heard why it is of no use.
    pub told_turn: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Named in the transcript, not fetched yet.
    Queued,
    Stored,
    /// Over [`LIMIT`].
    TooBig,
    /// Telegram does not have it any more.
    Gone,
    /// It could not be fetched or kept, for a reason that may pass.
    Failed,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Stored => "stored",
            State::TooBig => "too_big",
            State::Gone => "gone",
            State::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> State {
        let all = [State::Queued, State::Stored, State::TooBig, State::Gone];
        all.into_iter().find(|state| state.name() == name).unwrap_or(State::Failed)
    }
}

/// Where a file was met.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub turn: i64,
    pub message_id: i64,
    pub now: i64,
}

const COLUMNS: &str = "key, file_id, kind, mime, name, size, duration, state, tries, text, message_id, told_turn";

/// Records that `attachment` belongs to a turn. The same file met before keeps its key and what is known of it; what
/// could not be fetched then is to be tried again. Returns the file, with `new_key` if it is new.
pub fn meet(sql: &impl Sql, attachment: &Attachment, new_key: &str, place: Place) -> Result<File, StoreError> {
    let unique_id = [&attachment.file_unique_id, &attachment.file_id].into_iter().find(|id| !id.is_empty());
    let unique_id = unique_id.map(String::as_str).unwrap_or_default();
    let known = sql.run(
        &format!(
            "UPDATE file SET turn_id = ?2, file_id = ?3, message_id = ?4,
               state = iif(state IN ('gone', 'failed'), 'queued', state)
             WHERE unique_id = ?1 RETURNING {COLUMNS}"
        ),
        &[unique_id.into(), place.turn.into(), attachment.file_id.as_str().into(), place.message_id.into()],
    )?;
    if let Some(row) = known.first() {
        return read(row);
    }
    let size = attachment.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
    let state = if size > LIMIT { State::TooBig } else { State::Queued };
    let mime = attachment.mime.as_deref().unwrap_or(attachment.kind.usual_mime()).to_ascii_lowercase();
    let rows = sql.run(
        &format!(
            "INSERT INTO file (key, file_id, unique_id, kind, mime, name, size, duration, state, turn_id, message_id, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) RETURNING {COLUMNS}"
        ),
        &[
            new_key.into(),
            attachment.file_id.as_str().into(),
            unique_id.into(),
            attachment.kind.name().into(),
            mime.split(';').next().unwrap_or_default().trim().into(),
            attachment.name.as_deref().into(),
            bytes(size),
            attachment.duration.into(),
            state.name().into(),
            place.turn.into(),
            place.message_id.into(),
            place.now.into(),
        ],
    )?;
    rows.first().map_or(Err(StoreError::Shape { index: 0 }), read)
}

fn bytes(size: u64) -> Value {
    Value::Int(i64::try_from(size).unwrap_or(i64::MAX))
}

fn read(row: &Row) -> Result<File, StoreError> {
    Ok(File {
        key: row.text(0)?.to_owned(),
        file_id: row.text(1)?.to_owned(),
        kind: AttachmentKind::from_name(row.text(2)?),
        mime: row.text(3)?.to_owned(),
        name: row.opt_text(4)?.map(str::to_owned),
        size: u64::try_from(row.int(5)?).unwrap_or(0),
        duration: row.opt_int(6)?,
        state: State::from_name(row.text(7)?),
        tries: row.int(8)?,
        text: row.opt_text(9)?.map(str::to_owned),
        message_id: row.int(10)?,
        told_turn: row.opt_int(11)?,
    })
}

/// The files of a turn, in the order they came.
pub fn of_turn(sql: &impl Sql, turn: i64) -> Result<Vec<File>, StoreError> {
    let rows = sql.run(&format!("SELECT {COLUMNS} FROM file WHERE turn_id = ?1 ORDER BY id"), &[turn.into()])?;
    rows.iter().map(read).collect()
}

/// The files with these keys; those unknown are left out. At most 100 keys.
pub fn by_keys(sql: &impl Sql, keys: &[&str]) -> Result<Vec<File>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let marks: Vec<String> = (1..=keys.len()).map(|n| format!("?{n}")).collect();
    let params: Vec<Value> = keys.iter().map(|&key| key.into()).collect();
    let rows = sql.run(&format!("SELECT {COLUMNS} FROM file WHERE key IN ({})", marks.join(",")), &params)?;
    rows.iter().map(read).collect()
}

/// A download is about to begin.
pub fn begin(sql: &impl Sql, key: &str) -> Result<(), StoreError> {
    sql.run("UPDATE file SET tries = tries + 1 WHERE key = ?1", &[key.into()])?;
    Ok(())
}

/// The bytes are in storage: what they turned out to be.
pub fn stored(sql: &impl Sql, key: &str, size: u64, mime: &str, text: Option<&str>) -> Result<(), StoreError> {
    sql.run(
        "UPDATE file SET state = 'stored', size = ?2, mime = ?3, text = ?4 WHERE key = ?1",
        &[key.into(), bytes(size), mime.into(), text.into()],
    )?;
    Ok(())
}

/// The file cannot be had. `size`, if more is known of it now.
pub fn set_state(sql: &impl Sql, key: &str, state: State, size: Option<u64>) -> Result<(), StoreError> {
    let size = size.map_or(Value::Null, bytes);
    sql.run(
        "UPDATE file SET state = ?2, size = coalesce(?3, size) WHERE key = ?1",
        &[key.into(), state.name().into(), size],
    )?;
    Ok(())
}

/// What was heard in a recording.
pub fn set_text(sql: &impl Sql, key: &str, text: &str) -> Result<(), StoreError> {
    sql.run("UPDATE file SET text = ?2 WHERE key = ?1", &[key.into(), text.into()])?;
    Ok(())
}

/// The person of `turn` heard all that is to be said about its files.
pub fn told(sql: &impl Sql, turn: i64) -> Result<(), StoreError> {
    sql.run("UPDATE file SET told_turn = ?1 WHERE turn_id = ?1", &[turn.into()])?;
    Ok(())
}
