//! When a run is due, and what it does next.
//!
//! A run has four phases: conversations that changed, one after the other by name; the Directory; the manifest; what is
//! too old. Where it stands is in its row, so whoever takes it up goes on from there.

use super::versions::store;
use super::{Directory, DirectoryError};
use crate::backup::key;
use crate::backup::manifest::Entry;
use crate::backup::orders::BackUp;
use crate::directory::DAY;
use crate::store::{Row, Sql, all_or_nothing};

/// Pause between two backups of a conversation, in milliseconds for each of its rows: one that is written to all day is
/// read so often that it stays a part of the rows a free plan may read (5 million a day). 5,000 rows: the five minutes of the cron.
const REST_MS_PER_ROW: i64 = 60;
const LONGEST_REST_MS: i64 = 3_600_000;
/// Runs remembered.
const KEEP_RUNS: i64 = 300;

/// The conversations a run takes: changed since their last backup, and rested unless `?2`.
const DUE: &str = "changed_at > 0 AND (backed_up_at IS NULL OR changed_at > backed_up_at) AND (?2 OR NOT EXISTS (SELECT 1 FROM backup_version AS v
   WHERE v.object = session.name AND v.replaced_at IS NULL AND v.state = 'stored' AND v.at + min(?3, v.rows * ?4) > ?1))";

/// A run under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub id: i64,
    /// An operator asked for it.
    pub asked: bool,
    pub phase: String,
    pub cursor: String,
}

/// What a run does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Have a conversation back itself up, as it is now (`changed_at`).
    Chat {
        order: BackUp,
        changed_at: i64,
    },
    /// Back up the Directory.
    Itself(BackUp),
    /// Write the list, at this time.
    Manifest(i64),
    Delete(Vec<String>),
}

impl<S: Sql> Directory<S> {
    /// Begins a run if something changed and none is under way. For the cron.
    pub fn begin_backup_if_due(&self, now: i64) -> Result<(), DirectoryError> {
        self.want_look()?;
        if self.open_run()?.is_some() {
            return Ok(());
        }
        if self.next_chat("", false, now)?.is_some() || self.is_due(now)? || self.has_unlisted()? {
            self.begin_run("schedule", now)?;
        }
        Ok(())
    }

    /// Begins a run that an operator asked for; false if one is under way.
    pub(super) fn begin_asked_run(&self, now: i64) -> Result<bool, DirectoryError> {
        self.want_look()?;
        if self.open_run()?.is_some() {
            return Ok(false);
        }
        self.begin_run("asked", now)?;
        Ok(true)
    }

    fn begin_run(&self, reason: &str, now: i64) -> Result<(), DirectoryError> {
        self.sql.run(
            "INSERT INTO backup_run (reason, state, phase, cursor, started_at) VALUES (?1, 'open', 'chats', '', ?2)",
            &[reason.into(), now.into()],
        )?;
        self.sql
            .run("DELETE FROM backup_run WHERE id <= (SELECT max(id) FROM backup_run) - ?1", &[KEEP_RUNS.into()])?;
        Ok(())
    }

    /// The run under way.
    pub(super) fn open_run(&self) -> Result<Option<Run>, DirectoryError> {
        let rows = self
            .sql
            .run("SELECT id, reason, phase, cursor FROM backup_run WHERE state = 'open' ORDER BY id LIMIT 1", &[])?;
        let read = |row: &Row| {
            let (phase, cursor) = (row.text(2)?.to_owned(), row.text(3)?.to_owned());
            Ok(Run { id: row.int(0)?, asked: row.text(1)? == "asked", phase, cursor })
        };
        rows.first().map(read).transpose()
    }

    /// The step that comes next; `None`: the run is over now.
    pub(super) fn next_step(&self, run: &Run, now: i64) -> Result<Option<Step>, DirectoryError> {
        let mut phase = run.phase.as_str();
        loop {
            let step = match phase {
                "chats" => match self.next_chat(&run.cursor, run.asked, now)? {
                    Some((name, changed_at)) => Some(Step::Chat { order: self.order_backup(&name, now)?, changed_at }),
                    None => None,
                },
                "directory" if run.asked || self.is_due(now)? => {
                    Some(Step::Itself(self.order_backup(key::DIRECTORY, now)?))
                }
                "manifest" => {
                    self.let_go_of_deleted(now)?;
                    let wanted = run.asked || self.has_unlisted()?;
                    if wanted { Some(Step::Manifest(self.time_for_key(now)?)) } else { None }
                }
                "prune" => match self.superfluous(now)? {
                    keys if keys.is_empty() => None,
                    keys => Some(Step::Delete(keys)),
                },
                _ => None,
            };
            if step.is_some() {
                return Ok(step);
            }
            phase = match phase {
                "chats" => "directory",
                "directory" => "manifest",
                "manifest" => "prune",
                _ => {
                    self.end_run(run.id, "done", None, now)?;
                    return Ok(None);
                }
            };
            self.enter_phase(run.id, phase)?;
        }
    }

    /// The first conversation by name after `cursor` that is due, and when it last changed.
    fn next_chat(&self, cursor: &str, asked: bool, now: i64) -> Result<Option<(String, i64)>, DirectoryError> {
        let rows = self.sql.run(
            &format!("SELECT name, changed_at FROM session WHERE {DUE} AND name > ?5 ORDER BY name LIMIT 1"),
            &[now.into(), asked.into(), LONGEST_REST_MS.into(), REST_MS_PER_ROW.into(), cursor.into()],
        )?;
        rows.first().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).transpose()
    }

    /// The Directory is backed up once a day and after each administrative act.
    fn is_due(&self, now: i64) -> Result<bool, DirectoryError> {
        Ok(match self.covered()? {
            Some((at, mark)) => now - at >= DAY || mark != self.audit_mark()?,
            None => true,
        })
    }

    fn enter_phase(&self, run: i64, phase: &str) -> Result<(), DirectoryError> {
        self.sql.run("UPDATE backup_run SET phase = ?2 WHERE id = ?1", &[run.into(), phase.into()])?;
        Ok(())
    }

    /// A conversation's backup is in storage: it covers the state of `changed_at`.
    pub(super) fn chat_backed_up(&self, run: i64, entry: &Entry, changed_at: i64) -> Result<(), DirectoryError> {
        let object = entry.object.as_str();
        Ok(all_or_nothing(&self.sql, || {
            self.note_version(entry, entry.at).map_err(store)?;
            self.sql
                .run("UPDATE session SET backed_up_at = ?2 WHERE name = ?1", &[object.into(), changed_at.into()])?;
            self.sql.run("DELETE FROM backup_failure WHERE object = ?1", &[object.into()])?;
            self.sql.run(
                "UPDATE backup_run SET cursor = ?2, done = done + 1, bytes = bytes + ?3 WHERE id = ?1",
                &[run.into(), object.into(), entry.bytes.into()],
            )?;
            Ok(())
        })?)
    }

    /// The Directory's backup is in storage: it covers acts up to `mark`.
    pub(super) fn itself_backed_up(&self, run: i64, entry: &Entry, mark: i64) -> Result<(), DirectoryError> {
        Ok(all_or_nothing(&self.sql, || {
            self.note_version(entry, entry.at).map_err(store)?;
            self.note_covered(entry.at, mark).map_err(store)?;
            self.sql.run("DELETE FROM backup_failure WHERE object = ?1", &[key::DIRECTORY.into()])?;
            self.sql.run(
                "UPDATE backup_run SET phase = 'manifest', done = done + 1, bytes = bytes + ?2 WHERE id = ?1",
                &[run.into(), entry.bytes.into()],
            )?;
            Ok(())
        })?)
    }

    /// An object could not be backed up. The run goes on with the next; the next run tries again.
    pub(super) fn backup_failed(&self, run: i64, object: &str, error: &str, now: i64) -> Result<(), DirectoryError> {
        self.note_failure(object, error, now)?;
        self.sql.run(
            "UPDATE backup_run SET failed = failed + 1, cursor = iif(phase = 'chats', ?2, cursor),
             phase = iif(phase = 'directory', 'manifest', phase) WHERE id = ?1",
            &[run.into(), object.into()],
        )?;
        Ok(())
    }

    /// The manifest is in storage.
    pub(super) fn manifest_written(&self, run: i64, at: i64, objects: i64, bytes: i64) -> Result<(), DirectoryError> {
        Ok(all_or_nothing(&self.sql, || {
            self.sql.run(
                "INSERT OR REPLACE INTO backup_manifest (at, key, objects, bytes) VALUES (?1, ?2, ?3, ?4)",
                &[at.into(), key::of(key::MANIFEST, at).into(), objects.into(), bytes.into()],
            )?;
            self.sql.run("UPDATE backup_run SET phase = 'prune' WHERE id = ?1", &[run.into()])?;
            Ok(())
        })?)
    }

    pub(super) fn note_deleted(&self, run: i64, keys: &[String]) -> Result<(), DirectoryError> {
        let count = i64::try_from(keys.len()).unwrap_or(0);
        self.forget_keys(keys)?;
        self.sql.run("UPDATE backup_run SET deleted = deleted + ?2 WHERE id = ?1", &[run.into(), count.into()])?;
        Ok(())
    }

    /// Ends a run: `done` or `failed`. What it did not come to is due as before.
    pub(super) fn end_run(&self, run: i64, state: &str, error: Option<&str>, now: i64) -> Result<(), DirectoryError> {
        self.sql.run(
            "UPDATE backup_run SET state = ?2, error = ?3, ended_at = ?4 WHERE id = ?1",
            &[run.into(), state.into(), error.into(), now.into()],
        )?;
        Ok(())
    }
}
