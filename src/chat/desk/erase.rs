//! Deletion: all that was said, with files, for good. The conversation starts afresh.
//!
//! What runs is stopped first; the rows go in one unit when nobody works on them, then the files from storage, some at a
//! time. Messages that come meanwhile wait and are answered afterwards. The newest row of each table stays, emptied, so that
//! no number is given twice: buttons in the chat, the Directory's ledger and keys of files go by them. Not here: backups,
//! which keep what they hold until their time is over.

use super::Deleted;
use crate::chat::activity::Told;
use crate::chat::conversation::{Conversation, WATCHDOG_MS};
use crate::chat::ports::Ports;
use crate::chat::settings::{Erasing, Settings};
use crate::directory::Mark;
use crate::store::{Row, Sql, StoreError};

/// How long the request waits for what runs to end; afterwards the alarm goes on.
const PATIENCE_MS: i64 = 8_000;
const LOOK_AGAIN_MS: i64 = 100;
/// Keys listed and deleted at a time (R2's own limit), and how often in one go: sub-requests are counted on the free plan.
const BATCH: usize = 1_000;
const BATCHES: u32 = 5;
/// One call of storage.
const STORAGE_MS: i64 = 20_000;
/// What storage did not do is tried again after so long.
const AGAIN_MS: i64 = 60_000;

/// Where a conversation's files are.
const FOLDERS: [&str; 2] = ["files", "exports"];

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) async fn desk_delete(&self) -> Result<Deleted, StoreError> {
        self.begin_erasing()?;
        let until = self.ports.now() + PATIENCE_MS;
        loop {
            if !self.is_being_erased() || self.wipe_if_free()? {
                return Ok(Deleted { wiped: true });
            }
            if self.ports.now() >= until {
                return Ok(Deleted { wiped: false });
            }
            self.ports.sleep(LOOK_AGAIN_MS).await;
        }
    }

    /// The rows are still there, and no turn may begin.
    pub(in crate::chat) fn is_being_erased(&self) -> bool {
        self.settings.borrow().erasing.as_ref().is_some_and(|erasing| !erasing.wiped)
    }

    fn begin_erasing(&self) -> Result<(), StoreError> {
        self.atomically(|| {
            let rows = self.sql.run(
                "SELECT coalesce((SELECT max(seq) FROM inbox), 0), coalesce((SELECT max(id) FROM outbox), 0)",
                &[],
            )?;
            let (upto, delivery) = pair(&rows)?;
            self.sql.run(
                "UPDATE inbox SET outcome = 'dropped', detail = 'the conversation was deleted' WHERE outcome IS NULL",
                &[],
            )?;
            self.stop_turn()?;
            self.change(|settings| {
                settings.erasing = Some(Erasing { upto, delivery, ..Erasing::default() });
            })
        })?;
        // Ends a compaction as well.
        self.live.came.raise();
        self.live.sweep_at.set(0);
        self.acted();
        Ok(())
    }

    /// Goes on with a deletion: rows, then files.
    pub(in crate::chat) async fn erase(&self) -> Result<(), StoreError> {
        if self.settings.borrow().erasing.is_none() {
            return Ok(());
        }
        if self.is_being_erased() && !self.wipe_if_free()? {
            return Ok(());
        }
        if self.ports.now() < self.live.sweep_at.get() {
            return Ok(());
        }
        let Some(_hold) = self.live.sweeping.enter() else { return Ok(()) };
        for _ in 0..BATCHES {
            let Some(erasing) = self.settings.borrow().erasing.clone() else { return Ok(()) };
            let Some(folder) = FOLDERS.get(erasing.folders) else {
                return self.change(|settings| settings.erasing = None);
            };
            let Some(after) = self.sweep(folder, &erasing).await else {
                self.ports.log("files of a deleted conversation could not be deleted yet");
                self.live.sweep_at.set(self.ports.now() + AGAIN_MS);
                return Ok(());
            };
            self.change(|settings| {
                if let Some(erasing) = &mut settings.erasing {
                    erasing.folders += usize::from(after.is_none());
                    erasing.after = after.unwrap_or_default();
                }
            })?;
        }
        Ok(())
    }

    /// Deletes some files. Returns the last key looked at, if there may be more. `None`: storage failed.
    async fn sweep(&self, folder: &str, erasing: &Erasing) -> Option<Option<String>> {
        let prefix = format!("{folder}/{}/", self.session()?);
        let (keys, more) = self.in_time(STORAGE_MS, self.ports.list(&prefix, &erasing.after, BATCH)).await?.ok()?;
        let last = keys.last().filter(|_| more).cloned();
        // Files that came afterwards belong to later updates.
        let old: Vec<String> =
            keys.into_iter().filter(|key| update_of(key).is_some_and(|seq| seq <= erasing.upto)).collect();
        if !old.is_empty() {
            self.in_time(STORAGE_MS, self.ports.delete(old)).await?.ok()?;
        }
        Some(last)
    }

    /// Deletes the rows if nobody works on them. False: somebody does.
    fn wipe_if_free(&self) -> Result<bool, StoreError> {
        let live = &self.live;
        if live.turning.is_held() || live.delivering.is_held() || live.looking.is_held() {
            self.alarm_by(self.ports.now() + WATCHDOG_MS);
            return Ok(false);
        }
        self.atomically(|| self.wipe())?;
        // The lanes are free and what they left is gone.
        live.stop.reset();
        self.acted();
        Ok(true)
    }

    fn wipe(&self) -> Result<(), StoreError> {
        let Some(erasing) = self.settings.borrow().erasing.clone() else { return Ok(()) };
        let ends = self.sql.run(
            "SELECT coalesce((SELECT max(ended) FROM turn WHERE ended IS NOT NULL), 0),
               coalesce((SELECT max(id) FROM message), 0)",
            &[],
        )?;
        let (turn, message) = pair(&ends)?;
        for statement in [
            "DELETE FROM turn WHERE id < (SELECT max(id) FROM turn)",
            "DELETE FROM message WHERE id < (SELECT max(id) FROM message)",
            "UPDATE message SET hidden = 1, turn_id = NULL, tokens = 0, body = '{\"role\":\"user\",\"parts\":[]}'",
            // What the Directory has yet to hear of calls stays: they were paid for.
            "DELETE FROM step WHERE report IS NULL AND id < (SELECT max(id) FROM step)",
            "UPDATE step SET turn_id = 0, detail = NULL, kind = 'deleted'",
            "DELETE FROM summary",
            "DELETE FROM file",
        ] {
            self.sql.run(statement, &[])?;
        }
        self.sql.run(
            "UPDATE turn SET state = 'deleted', error = NULL, reply_to = NULL, placeholder = NULL, user_id = NULL, ended = ?1",
            &[turn.into()],
        )?;
        self.sql.run(
            "DELETE FROM outbox WHERE (id <= ?1 OR turn_id IS NOT NULL) AND id < (SELECT max(id) FROM outbox)",
            &[erasing.delivery.into()],
        )?;
        self.sql.run(
            "UPDATE outbox SET state = 'deleted', call = '{}', turn_id = NULL, message_id = NULL, error = NULL
             WHERE id <= ?1 OR turn_id IS NOT NULL",
            &[erasing.delivery.into()],
        )?;
        self.sql
            .run("DELETE FROM inbox WHERE seq <= ?1 AND seq < (SELECT max(seq) FROM inbox)", &[erasing.upto.into()])?;
        self.sql.run(
            "UPDATE inbox SET kind = 'deleted', outcome = 'dropped', detail = NULL, content = NULL, message_id = NULL,
             media_group = NULL, turn_id = NULL, user_id = NULL WHERE seq <= ?1",
            &[erasing.upto.into()],
        )?;
        self.change(|settings| {
            *settings = Settings {
                session: settings.session.take(),
                title: std::mem::take(&mut settings.title),
                admission: settings.admission.take(),
                blocked: std::mem::take(&mut settings.blocked),
                moved_to: settings.moved_to,
                corrections: std::mem::take(&mut settings.corrections),
                epoch: settings.epoch + 1,
                lang: settings.lang,
                flood_until: settings.flood_until,
                token_rest_until: settings.token_rest_until,
                token_refusals: settings.token_refusals,
                erasing: Some(Erasing { wiped: true, ..erasing.clone() }),
                ..Settings::default()
            };
        })?;
        let mark = Mark { update: erasing.upto, turn };
        self.live.counted.set(Told { mark, message, waiting: 0, anew: false });
        self.keep_counted()
    }
}

/// Two numbers of one row.
fn pair(rows: &[Row]) -> Result<(i64, i64), StoreError> {
    match rows.first() {
        Some(row) => Ok((row.int(0)?, row.int(1)?)),
        None => Ok((0, 0)),
    }
}

/// The update a file came with: the number at the beginning of the last part of its key.
fn update_of(key: &str) -> Option<i64> {
    key.rsplit('/').next()?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_which_update_brought_them() {
        assert_eq!(update_of("files/main:5/2026-11/57-0"), Some(57));
        assert_eq!(update_of("exports/main:-9:4/2026-11/8-1795000000000-1-0.md"), Some(8));
        assert_eq!(update_of("files/main:5/2026-11/odd"), None);
    }
}
