//! What operators see of backups, and what they ask for.

use serde::{Deserialize, Serialize};

use super::Directory;
use crate::backup::key;
use crate::directory::Actor;
use crate::directory::desk::Refused;
use crate::store::{Row, Sql, StoreError};

/// Manifests shown: all that are kept.
const MANIFESTS: i64 = 200;
/// Runs and failures shown.
const SHOWN: i64 = 20;

/// All there is to know about backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupsView {
    /// False: storage is still being looked through, and more may be found.
    pub looked: bool,
    /// When the newest manifest was written, Unix milliseconds.
    pub newest_at: Option<i64>,
    /// Conversations there are.
    pub conversations: i64,
    /// Of these, those that changed since their last backup.
    pub unsaved: i64,
    /// Files in storage, and their bytes.
    pub files: i64,
    pub bytes: i64,
    /// Newest first; the first may be under way.
    pub runs: Vec<RunView>,
    /// Objects whose last backup failed, newest first.
    pub failures: Vec<FailureView>,
    /// What can be restored from, newest first.
    pub manifests: Vec<ManifestView>,
    /// The key of the manifest that a restore takes unless told otherwise.
    pub usual_manifest: Option<String>,
    /// The last restore, or the one under way.
    pub restore: Option<RestoreView>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    pub id: i64,
    /// `schedule` or `asked`.
    pub reason: String,
    /// `open`, `done` or `failed`.
    pub state: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    /// Objects backed up, and those that failed.
    pub done: i64,
    pub failed: i64,
    /// Bytes written to storage.
    pub bytes: i64,
    /// Old files deleted.
    pub deleted: i64,
    pub error: Option<String>,
}

/// An object whose last backup failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureView {
    /// Name of a session, or `directory`.
    pub object: String,
    pub at: i64,
    /// In a row.
    pub tries: i64,
    pub error: String,
}

/// A restore point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestView {
    pub key: String,
    pub at: i64,
    /// 0: not known, it was found in storage.
    pub objects: i64,
    pub bytes: i64,
    /// Written before this Directory began: a loss lies in between.
    pub found: bool,
}

/// A restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreView {
    pub id: i64,
    pub what: What,
    /// Empty unless one conversation is meant.
    pub session: String,
    pub manifest: String,
    pub who: String,
    /// `open`, `done`, `partly` (some stayed as they were) or `failed` (nothing was changed, unless `done` says otherwise).
    pub state: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub total: i64,
    pub done: i64,
    pub failed: i64,
    pub error: Option<String>,
    /// The objects that failed, at most 20.
    pub failures: Vec<RestoreItemView>,
}

/// An object that could not be put back and stayed as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreItemView {
    pub object: String,
    pub error: String,
}

/// What is put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    All,
    Directory,
    Conversation,
}

impl What {
    pub fn as_str(self) -> &'static str {
        match self {
            What::All => "all",
            What::Directory => "directory",
            What::Conversation => "conversation",
        }
    }

    /// Reads what [`What::as_str`] writes.
    pub fn read(text: &str) -> Option<What> {
        [What::All, What::Directory, What::Conversation].into_iter().find(|what| what.as_str() == text)
    }
}

/// Put back what a manifest lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreAction {
    pub what: What,
    /// Only with [`What::Conversation`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// `None`: the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

impl<S: Sql> Directory<S> {
    /// What there is. The first to ask has storage looked through.
    pub fn backups(&self) -> Result<BackupsView, Refused> {
        self.want_look()?;
        let manifests = self.sql.run(
            "SELECT key, at, objects, bytes, found FROM backup_manifest ORDER BY at DESC LIMIT ?1",
            &[MANIFESTS.into()],
        )?;
        let manifests = manifests.iter().map(manifest).collect::<Result<Vec<_>, _>>()?;
        let runs = self.sql.run(
            "SELECT id, reason, state, started_at, ended_at, done, failed, bytes, deleted, error FROM backup_run
             ORDER BY id DESC LIMIT ?1",
            &[SHOWN.into()],
        )?;
        let failures = self.sql.run(
            "SELECT object, at, tries, error FROM backup_failure ORDER BY at DESC, object LIMIT ?1",
            &[SHOWN.into()],
        )?;
        Ok(BackupsView {
            looked: !self.is_to_look()?,
            newest_at: manifests.first().map(|manifest| manifest.at),
            conversations: self.number("SELECT count(*) FROM session WHERE changed_at > 0", &[])?,
            unsaved: self.number(
                "SELECT count(*) FROM session WHERE changed_at > 0 AND (backed_up_at IS NULL OR changed_at > backed_up_at)",
                &[],
            )?,
            files: self.number("SELECT count(*) FROM backup_version WHERE state = 'stored'", &[])?,
            bytes: self.number("SELECT sum(bytes) FROM backup_version WHERE state = 'stored'", &[])?,
            runs: runs.iter().map(run).collect::<Result<_, _>>()?,
            failures: failures.iter().map(failure).collect::<Result<_, _>>()?,
            usual_manifest: self.usual_manifest()?,
            restore: self.last_restore()?,
            manifests,
        })
    }

    /// Begins a run now.
    pub fn back_up_now(&self, who: &Actor, now: i64) -> Result<BackupsView, Refused> {
        if self.open_restore()?.is_some() {
            return Err(Refused::conflict("A restore is under way. Back up when it is over."));
        }
        if !self.begin_asked_run(now)? {
            return Err(Refused::conflict("A backup is under way already."));
        }
        self.audit(None, who, "back_up", "all", now)?;
        self.backups()
    }

    /// Begins a restore.
    pub fn restore_backup(&self, action: &RestoreAction, who: &Actor, now: i64) -> Result<RestoreView, Refused> {
        let session = match (action.what, action.session.as_deref()) {
            (What::Conversation, Some(session)) if session.contains(':') && session.len() <= 200 => session,
            (What::Conversation, _) => return Err(Refused::bad_input("Name the conversation in `session`.")),
            (_, None | Some("")) => "",
            (_, Some(_)) => return Err(Refused::bad_input("`session` goes with `what` = `conversation` only.")),
        };
        let usual = self.usual_manifest()?;
        let Some(manifest) = action.manifest.clone().or(usual) else {
            return Err(Refused::not_found("There is no backup to restore from."));
        };
        if key::parse(&manifest).is_none_or(|(object, _)| object != key::MANIFEST) {
            return Err(Refused::bad_input("`manifest` is not the key of a manifest."));
        }
        if !self.begin_restore(action.what, session, &manifest, who, now)? {
            return Err(Refused::conflict("A restore is under way already."));
        }
        self.last_restore()?.ok_or_else(|| Refused::not_found("There was no restore."))
    }

    /// The last restore, or the one under way.
    pub fn last_restore(&self) -> Result<Option<RestoreView>, Refused> {
        let rows = self.sql.run(
            "SELECT id, what, session, manifest, who, state, started_at, ended_at, error FROM backup_restore ORDER BY id DESC LIMIT 1",
            &[],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        let counts = self.sql.run(
            "SELECT count(*), coalesce(sum(state = 'done'), 0), coalesce(sum(state = 'failed'), 0) FROM backup_restore_item",
            &[],
        )?;
        let count = |place| counts.first().map_or(Ok(0), |row| row.int(place));
        let failures = self.sql.run(
            "SELECT object, coalesce(error, '') FROM backup_restore_item WHERE state = 'failed' ORDER BY object LIMIT ?1",
            &[SHOWN.into()],
        )?;
        let item = |row: &Row| Ok(RestoreItemView { object: row.text(0)?.to_owned(), error: row.text(1)?.to_owned() });
        Ok(Some(RestoreView {
            id: row.int(0)?,
            what: What::read(row.text(1)?).unwrap_or(What::All),
            session: row.text(2)?.to_owned(),
            manifest: row.text(3)?.to_owned(),
            who: row.text(4)?.to_owned(),
            state: row.text(5)?.to_owned(),
            started_at: row.int(6)?,
            ended_at: row.opt_int(7)?,
            total: count(0)?,
            done: count(1)?,
            failed: count(2)?,
            error: row.opt_text(8)?.map(str::to_owned),
            failures: failures.iter().map(item).collect::<Result<_, StoreError>>()?,
        }))
    }
}

#[cfg(test)]
impl<S: Sql> Directory<S> {
    /// A manifest that is in no storage, for tests of pages.
    pub fn note_manifest_for_tests(&self, key: &str, at: i64) {
        let insert = "INSERT INTO backup_manifest (at, key, objects, bytes) VALUES (?1, ?2, 3, 4096)";
        drop(self.sql.run(insert, &[at.into(), key.into()]));
    }
}

fn manifest(row: &Row) -> Result<ManifestView, StoreError> {
    Ok(ManifestView {
        key: row.text(0)?.to_owned(),
        at: row.int(1)?,
        objects: row.int(2)?,
        bytes: row.int(3)?,
        found: row.int(4)? == 1,
    })
}

fn run(row: &Row) -> Result<RunView, StoreError> {
    Ok(RunView {
        id: row.int(0)?,
        reason: row.text(1)?.to_owned(),
        state: row.text(2)?.to_owned(),
        started_at: row.int(3)?,
        ended_at: row.opt_int(4)?,
        done: row.int(5)?,
        failed: row.int(6)?,
        bytes: row.int(7)?,
        deleted: row.int(8)?,
        error: row.opt_text(9)?.map(str::to_owned),
    })
}

fn failure(row: &Row) -> Result<FailureView, StoreError> {
    Ok(FailureView {
        object: row.text(0)?.to_owned(),
        at: row.int(1)?,
        tries: row.int(2)?,
        error: row.text(3)?.to_owned(),
    })
}
