//! Doing the steps of runs and restores, a bounded number at a time.

// The platform is single-threaded: nobody needs these futures to be `Send`.
#![allow(async_fn_in_trait)]

use super::plan::{self, Run};
use super::restore::{self, Job};
use super::{Directory, DirectoryError};
use crate::backup::manifest::{Entry, ManifestReader, ManifestWriter};
use crate::backup::orders::{BackUp, Done, PutBack};
use crate::backup::vault::Vault;
use crate::backup::{DumpError, key};
use crate::store::Sql;

/// A page of what is in storage under [`key::PREFIX`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Keys and lengths.
    pub files: Vec<(String, i64)>,
    /// To ask for the next page with; `None`: this was the last.
    pub cursor: Option<String>,
}

/// The world as runs and restores need it. Each call is one sub-request, unless a file is large, and has a deadline.
pub trait Outside: Vault {
    /// Unix milliseconds.
    fn now(&self) -> i64;
    /// Lists what is in storage, at most 1,000 names a page. `None`: storage did not answer.
    async fn list(&self, cursor: Option<&str>) -> Option<Found>;
    /// Deletes files, at most 1,000. False: storage did not answer.
    async fn delete(&self, keys: &[String]) -> bool;
    /// Has a conversation back itself up.
    async fn back_up(&self, order: &BackUp) -> Done;
    /// Has a conversation put itself back.
    async fn put_back(&self, order: &PutBack) -> Done;
    /// One line for the operator's log.
    fn log(&self, line: &str);
}

/// Steps end so long after the first began, whatever is left: an alarm may take 15 minutes, and a call two.
const LONGEST_MS: i64 = 5 * 60_000;

impl<S: Sql> Directory<S> {
    /// Whether there is something to do: a run or a restore is under way, or nobody has looked into storage yet.
    pub fn backups_wait(&self) -> Result<bool, DirectoryError> {
        // Asked with every question to the Directory: one statement, over indexes of what is open.
        Ok(self.number(
            "SELECT EXISTS (SELECT 1 FROM setting WHERE key = ?1 AND value <> 'yes')
             OR EXISTS (SELECT 1 FROM backup_run WHERE state = 'open')
             OR EXISTS (SELECT 1 FROM backup_restore WHERE state = 'open')",
            &[super::LOOKED.into()],
        )? != 0)
    }

    /// Takes at most `sub_requests` steps. What is left is for the next invocation: ask [`Directory::backups_wait`].
    pub async fn work_on_backups(&self, outside: &impl Outside, sub_requests: u32) -> Result<(), DirectoryError> {
        let until = outside.now() + LONGEST_MS;
        for _ in 0..sub_requests {
            let now = outside.now();
            if now >= until {
                return Ok(());
            }
            if self.is_to_look()? {
                if !self.look(outside).await? {
                    return Ok(());
                }
            } else if let Some(job) = self.open_restore()? {
                if let Some(step) = self.next_restore_step(job, now)? {
                    self.restore_step(outside, step).await?;
                }
            } else if let Some(run) = self.open_run()? {
                if let Some(step) = self.next_step(&run, now)? {
                    self.run_step(outside, &run, step).await?;
                }
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A page of what is in storage. False: it cannot be seen now; looking is given up until the next cron.
    async fn look(&self, outside: &impl Outside) -> Result<bool, DirectoryError> {
        match outside.list(self.look_cursor()?.as_deref()).await {
            Some(found) => {
                self.note_found(&found.files, found.cursor.as_deref())?;
                Ok(true)
            }
            None => {
                outside.log("backups: storage cannot be listed");
                self.forget_setting(super::LOOKED)?;
                Ok(false)
            }
        }
    }

    async fn run_step(&self, outside: &impl Outside, run: &Run, step: plan::Step) -> Result<(), DirectoryError> {
        match step {
            plan::Step::Chat { order, changed_at } => match outside.back_up(&order).await {
                Done::BackedUp(entry) if entry.key == order.key && entry.object == order.session => {
                    self.chat_backed_up(run.id, &entry, changed_at)
                }
                Done::Failed { error, .. } => {
                    outside.log(&format!("backup of a conversation failed: {error}"));
                    self.backup_failed(run.id, &order.session, &error, outside.now())
                }
                _ => self.backup_failed(run.id, &order.session, "another release answered", outside.now()),
            },
            plan::Step::Itself(order) => match self.back_itself_up(outside, &order).await {
                Ok((entry, mark)) => self.itself_backed_up(run.id, &entry, mark),
                Err(error) => {
                    outside.log(&format!("backup of the Directory failed: {error}"));
                    self.backup_failed(run.id, key::DIRECTORY, &error.to_string(), outside.now())
                }
            },
            plan::Step::Manifest(at) => match self.write_manifest(outside, at).await {
                Ok((objects, bytes)) => self.manifest_written(run.id, at, objects, bytes),
                Err(error) => {
                    // What it would have listed makes the next run due.
                    outside.log(&format!("the list of backups could not be written: {error}"));
                    self.end_run(run.id, "failed", Some(&format!("manifest: {error}")), outside.now())
                }
            },
            plan::Step::Delete(keys) => match outside.delete(&keys).await {
                true => self.note_deleted(run.id, &keys),
                // The next run tries again.
                false => self.end_run(run.id, "done", Some("old backups could not be deleted"), outside.now()),
            },
        }
    }

    /// Writes the list of every object's newest backup. Returns how many there are and how many bytes they have together.
    async fn write_manifest(&self, outside: &impl Outside, at: i64) -> Result<(i64, i64), DumpError> {
        let mut first = Vec::new();
        let mut writer = Some(ManifestWriter::begin(at, &mut first));
        let mut head = Some(first);
        let (mut after, mut objects, mut bytes) = (String::new(), 0, 0);
        let mut pieces = || {
            let mut piece = head.take().unwrap_or_default();
            let Some(open) = writer.as_mut() else { return Ok(None) };
            let entries = self.newest_versions(&after)?;
            let Some(last) = entries.last() else {
                if let Some(writer) = writer.take() {
                    writer.end(&mut piece);
                }
                return Ok(Some(piece));
            };
            after = last.object.clone();
            for entry in entries {
                objects += 1;
                bytes += entry.bytes;
                open.add(entry, &mut piece);
            }
            Ok(Some(piece))
        };
        outside.write(&key::of(key::MANIFEST, at), &mut pieces).await?;
        Ok((objects, bytes))
    }

    async fn restore_step(&self, outside: &impl Outside, step: restore::Step) -> Result<(), DirectoryError> {
        match step {
            restore::Step::Read(job) => self.read_manifest(outside, &job).await,
            restore::Step::Itself(job, entry) => {
                match self.put_itself_back(outside, &entry, || self.itself_put_back(&entry, outside.now())).await {
                    Ok(()) => Ok(()),
                    Err(refused) => {
                        outside.log(&format!("restore of the Directory refused: {refused}"));
                        self.itself_refused(&job, &entry, &refused, outside.now())
                    }
                }
            }
            restore::Step::Chat(_, order) => {
                let done = outside.put_back(&order).await;
                if let Done::Failed { error, .. } = &done {
                    outside.log(&format!("restore of a conversation failed: {error}"));
                }
                self.chat_put_back(&order, &done, outside.now())
            }
        }
    }

    async fn read_manifest(&self, outside: &impl Outside, job: &Job) -> Result<(), DirectoryError> {
        let mut reader = ManifestReader::default();
        let mut take = |entry: Entry| self.note_item(job, &entry);
        let read = outside.read(&job.manifest, None, &mut |bytes| reader.push(bytes, &mut take)).await;
        let read = read.and_then(|()| reader.finish()).map(drop);
        self.manifest_read(job, read, outside.now())
    }
}
