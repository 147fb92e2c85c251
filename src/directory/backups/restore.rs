//! Restores: read the manifest, then put objects back one by one, the Directory first.
//!
//! Only one at a time, and no backup is taken meanwhile. If the manifest or the Directory's backup is refused, nothing was
//! changed. A conversation whose backup is refused stays as it is; the others come back.

use super::versions::{store, texts};
use super::{Directory, DirectoryError};
use crate::backup::manifest::Entry;
use crate::backup::orders::{Done, PutBack};
use crate::backup::{Refused, key};
use crate::directory::{Actor, LIST_LIMIT};
use crate::store::{Row, Sql, StoreError, all_or_nothing};

use super::view::What;

/// Tries of what failed for a reason that may pass.
const TRIES: i64 = 3;
/// Restores remembered.
const KEEP: i64 = 50;

/// A restore under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub id: i64,
    pub what: What,
    /// Empty unless one conversation is meant.
    pub session: String,
    pub manifest: String,
    pub tries: i64,
    pub started_at: i64,
    pub reading: bool,
}

/// What a restore does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Read the manifest and note what to put back.
    Read(Job),
    Itself(Job, Entry),
    Chat(Job, PutBack),
}

impl<S: Sql> Directory<S> {
    /// Begins a restore; false if one is under way.
    pub(super) fn begin_restore(
        &self,
        what: What,
        session: &str,
        manifest: &str,
        who: &Actor,
        now: i64,
    ) -> Result<bool, DirectoryError> {
        if self.open_restore()?.is_some() {
            return Ok(false);
        }
        let subject = if session.is_empty() { what.as_str().to_owned() } else { session.to_owned() };
        all_or_nothing(&self.sql, || {
            self.sql.run("DELETE FROM backup_restore_item", &[])?;
            self.sql.run(
                "INSERT INTO backup_restore (what, session, manifest, who, state, phase, started_at)
                 VALUES (?1, ?2, ?3, ?4, 'open', 'manifest', ?5)",
                &[what.as_str().into(), session.into(), manifest.into(), who.to_string().into(), now.into()],
            )?;
            self.sql.run(
                "DELETE FROM backup_restore WHERE id <= (SELECT max(id) FROM backup_restore) - ?1",
                &[KEEP.into()],
            )?;
            self.audit(None, who, "restore", &format!("{subject} from {manifest}"), now).map_err(store)
        })?;
        Ok(true)
    }

    /// The restore under way.
    pub(super) fn open_restore(&self) -> Result<Option<Job>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT id, what, session, manifest, tries, started_at, phase FROM backup_restore WHERE state = 'open' LIMIT 1",
            &[],
        )?;
        let read = |row: &Row| {
            Ok(Job {
                id: row.int(0)?,
                what: What::read(row.text(1)?).unwrap_or(What::Conversation),
                session: row.text(2)?.to_owned(),
                manifest: row.text(3)?.to_owned(),
                tries: row.int(4)?,
                started_at: row.int(5)?,
                reading: row.text(6)? == "manifest",
            })
        };
        rows.first().map(read).transpose()
    }

    /// The step that comes next; `None`: the restore is over now.
    pub(super) fn next_restore_step(&self, job: Job, now: i64) -> Result<Option<Step>, DirectoryError> {
        if job.reading {
            return Ok(Some(Step::Read(job)));
        }
        let rows = self.sql.run(
            "SELECT object, key, at, bytes, rows, sha256 FROM backup_restore_item WHERE state = 'waiting'
             ORDER BY object <> ?1, tries, object LIMIT 1",
            &[key::DIRECTORY.into()],
        )?;
        let Some(row) = rows.first() else {
            let failed = self.number("SELECT count(*) FROM backup_restore_item WHERE state = 'failed'", &[])?;
            self.end_restore(job.id, if failed > 0 { "partly" } else { "done" }, None, now)?;
            return Ok(None);
        };
        let entry = Entry::read(row)?;
        if entry.object == key::DIRECTORY {
            return Ok(Some(Step::Itself(job, entry)));
        }
        let bot = entry.object.split(':').next().unwrap_or_default();
        let blocked = self.sql.run(
            "SELECT user_id FROM person WHERE bot = ?1 AND state = 'blocked' LIMIT ?2",
            &[bot.into(), LIST_LIMIT.into()],
        )?;
        let blocked = blocked.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?;
        // The start time too: numbers begin anew after a loss, and the conversation remembers which it has done.
        let order = PutBack { job: job.started_at + job.id, entry, blocked };
        Ok(Some(Step::Chat(job, order)))
    }

    /// An entry of the manifest: noted if it is to be put back. Nothing is done before the whole manifest was right.
    pub(super) fn note_item(&self, job: &Job, entry: &Entry) -> Result<(), StoreError> {
        let wanted = match job.what {
            What::All => true,
            What::Directory => entry.object == key::DIRECTORY,
            What::Conversation => entry.object == job.session,
        };
        // The list cannot name what is no backup of ours: a name in storage says what it is of.
        let sound = key::parse(&entry.key).is_some_and(|(object, _)| object == entry.object);
        if !wanted || !sound {
            return Ok(());
        }
        self.sql.run(
            "INSERT OR REPLACE INTO backup_restore_item (object, key, at, bytes, rows, sha256, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting')",
            &[
                entry.object.as_str().into(),
                entry.key.as_str().into(),
                entry.at.into(),
                entry.bytes.into(),
                entry.rows.into(),
                entry.sha256.as_str().into(),
            ],
        )?;
        Ok(())
    }

    /// The manifest was read to its end.
    pub(super) fn manifest_read(&self, job: &Job, read: Result<(), Refused>, now: i64) -> Result<(), DirectoryError> {
        let items = self.number("SELECT count(*) FROM backup_restore_item", &[])?;
        match read {
            Ok(()) if items > 0 => {
                self.sql.run("UPDATE backup_restore SET phase = 'objects' WHERE id = ?1", &[job.id.into()])?;
                Ok(())
            }
            Ok(()) => self.end_restore(job.id, "failed", Some("the manifest does not list it"), now),
            Err(refused) => {
                self.sql.run("DELETE FROM backup_restore_item", &[])?;
                self.sql.run("UPDATE backup_restore SET tries = tries + 1 WHERE id = ?1", &[job.id.into()])?;
                if refused == Refused::Lost && job.tries + 1 < TRIES {
                    return Ok(());
                }
                self.end_restore(job.id, "failed", Some(&format!("manifest: {refused}")), now)
            }
        }
    }

    /// The Directory's rows are in place: in the same stretch.
    pub(super) fn itself_put_back(&self, entry: &Entry, now: i64) -> Result<(), StoreError> {
        self.note_version(entry, self.time_for_key(now).map_err(store)?).map_err(store)?;
        self.item_is(&entry.object, "done", None)?;
        // Its newest backup is older than it is now.
        self.put_setting(super::COVERED, "").map_err(store)?;
        self.sql.run("UPDATE backup_manifest SET found = 2 WHERE found = 1", &[])?;
        Ok(())
    }

    /// The Directory could not be put back: the restore is over, nothing of the Directory was changed.
    pub(super) fn itself_refused(
        &self,
        job: &Job,
        entry: &Entry,
        why: &Refused,
        now: i64,
    ) -> Result<(), DirectoryError> {
        if *why == Refused::Lost && self.tries_of(&entry.object)? + 1 < TRIES {
            return self.try_again(&entry.object, &why.to_string());
        }
        self.item_is(&entry.object, "failed", Some(&why.to_string()))?;
        self.end_restore(job.id, "failed", Some(&format!("{}: {why}", entry.object)), now)
    }

    /// What a conversation answered.
    pub(super) fn chat_put_back(&self, order: &PutBack, done: &Done, now: i64) -> Result<(), DirectoryError> {
        let object = order.entry.object.as_str();
        match done {
            Done::PutBack { .. } => Ok(all_or_nothing(&self.sql, || {
                self.note_version(&order.entry, self.time_for_key(now).map_err(store)?).map_err(store)?;
                if self.sql.run("SELECT 1 FROM session WHERE name = ?1", &[object.into()])?.is_empty() {
                    self.list_conversation(object, now).map_err(store)?;
                }
                // It has changed since its newest backup, and it is there again if it was deleted.
                self.sql.run(
                    "UPDATE session SET backed_up_at = NULL, changed_at = iif(changed_at > 0, changed_at, ?2) WHERE name = ?1",
                    &[object.into(), now.into()],
                )?;
                self.sql.run("UPDATE backup_manifest SET found = 2 WHERE found = 1", &[])?;
                self.item_is(object, "done", None)
            })?),
            Done::Failed { error, passing: true } if self.tries_of(object)? + 1 < TRIES => {
                self.try_again(object, error)
            }
            Done::Failed { error, .. } => Ok(self.item_is(object, "failed", Some(error))?),
            Done::BackedUp(_) => Ok(self.item_is(object, "failed", Some("another release answered"))?),
        }
    }

    fn tries_of(&self, object: &str) -> Result<i64, DirectoryError> {
        self.number("SELECT tries FROM backup_restore_item WHERE object = ?1", &[object.into()])
    }

    fn try_again(&self, object: &str, error: &str) -> Result<(), DirectoryError> {
        self.sql.run(
            "UPDATE backup_restore_item SET tries = tries + 1, error = ?2 WHERE object = ?1",
            &[object.into(), error.into()],
        )?;
        Ok(())
    }

    fn item_is(&self, object: &str, state: &str, error: Option<&str>) -> Result<(), StoreError> {
        self.sql.run(
            "UPDATE backup_restore_item SET state = ?2, error = ?3 WHERE object = ?1",
            &[object.into(), state.into(), error.into()],
        )?;
        Ok(())
    }

    fn end_restore(&self, id: i64, state: &str, error: Option<&str>, now: i64) -> Result<(), DirectoryError> {
        self.sql.run(
            "UPDATE backup_restore SET state = ?2, error = ?3, ended_at = ?4 WHERE id = ?1",
            &[id.into(), state.into(), error.into(), now.into()],
        )?;
        Ok(())
    }

    /// The manifest a restore takes unless told otherwise: the newest; after a loss the newest from before it.
    pub(super) fn usual_manifest(&self) -> Result<Option<String>, DirectoryError> {
        let rows = self.sql.run("SELECT key FROM backup_manifest ORDER BY found = 1 DESC, at DESC LIMIT 1", &[])?;
        Ok(texts(&rows)?.pop())
    }
}
