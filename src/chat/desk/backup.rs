//! This conversation into a backup, and back out of one.
//!
//! What was under way when a backup was taken is not taken up again: nothing is sent twice, no turn runs twice. What is
//! under way when one is put back goes on: messages that wait or are being answered are asked again with the old history,
//! deliveries that wait are made. Not here: the format (`backup`), when and where to (`directory::backups`).

use crate::backup::orders::{BackUp, Done, PutBack};
use crate::backup::restore::{carry_over, waiting};
use crate::backup::vault::Vault;
use crate::backup::verify::Expected;
use crate::backup::{Dump, DumpError, Keep, Refused, Restore, Table, manifest};
use crate::chat::MIGRATIONS;
use crate::chat::conversation::Conversation;
use crate::chat::ports::Ports;
use crate::chat::settings::Settings;
use crate::store::{Sql, StoreError, Value};

/// What of a conversation is backed up.
pub const TABLES: &[Table] = &[
    Table { name: "inbox", keep: Keep::Rows },
    Table { name: "turn", keep: Keep::Rows },
    Table { name: "step", keep: Keep::Rows },
    Table { name: "message", keep: Keep::Rows },
    Table { name: "outbox", keep: Keep::Rows },
    Table { name: "setting", keep: Keep::Where("key <> 'restored'") },
    Table { name: "file", keep: Keep::Rows },
    Table { name: "summary", keep: Keep::Rows },
    Table { name: "schema_version", keep: Keep::Nothing },
];

/// A backup that was interrupted by writes is begun anew so many times.
const TRIES: usize = 5;

/// Numbers of updates used between a backup and its return are not given again: keys of files and the buttons of old
/// messages hold them, and keys are never written twice. More than the busiest chat takes in while a backup is kept.
const GAP: i64 = 1_000_000;

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Stores a backup as ordered.
    pub async fn back_up(&self, vault: &impl Vault, order: &BackUp) -> Done {
        match self.try_back_up(vault, order).await {
            Ok(entry) => Done::BackedUp(entry),
            Err(error) => Done::Failed { error: error.to_string(), passing: true },
        }
    }

    async fn try_back_up(&self, vault: &impl Vault, order: &BackUp) -> Result<manifest::Entry, DumpError> {
        for _ in 0..TRIES {
            let mut dump = Dump::begin(&self.sql, TABLES, &order.session, schema(), order.at)?;
            let bytes = match vault.write(&order.key, &mut || dump.piece()).await {
                Err(DumpError::Changed) => continue,
                other => other?,
            };
            let Some(sum) = dump.sum() else { return Err(DumpError::Lost) };
            return Ok(manifest::Entry {
                object: order.session.clone(),
                key: order.key.clone(),
                at: order.at,
                bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
                rows: i64::try_from(sum.rows).unwrap_or(i64::MAX),
                sha256: sum.sha256.clone(),
            });
        }
        Err(DumpError::Changed)
    }

    /// Replaces every row by those of a backup. If the second is true, this instance remembers what is no more: the caller
    /// takes the store away from it and opens the conversation anew, without an await in between.
    pub async fn put_back(&self, vault: &impl Vault, order: &PutBack) -> (Done, bool) {
        let Some(_alone) = self.live.restoring.enter() else {
            return (
                Done::Failed { error: "a restore of this conversation is under way".into(), passing: true },
                false,
            );
        };
        match self.try_put_back(vault, order).await {
            Ok(None) => (Done::PutBack { rows: order.entry.rows }, false),
            Ok(Some(rows)) => {
                // Nobody is to hear the end of what the model is saying.
                self.live.stop.raise();
                (Done::PutBack { rows: i64::try_from(rows).unwrap_or(i64::MAX) }, true)
            }
            Err(refused) => {
                let passing = matches!(refused, Refused::Lost | Refused::Store(_));
                (Done::Failed { error: refused.to_string(), passing }, false)
            }
        }
    }

    /// `None`: this very restore was done before.
    async fn try_put_back(&self, vault: &impl Vault, order: &PutBack) -> Result<Option<u64>, Refused> {
        let entry = &order.entry;
        let known = self.sql.run("SELECT value FROM setting WHERE key = 'restored'", &[])?;
        if known.first().is_some_and(|row| row.text(0) == Ok(order.job.to_string().as_str())) {
            return Ok(None);
        }
        let expected = Expected { object: &entry.object, schema: schema() };
        let mut restore = Restore::new(&self.sql, TABLES, &expected);
        vault.read(&entry.key, u64::try_from(entry.bytes).ok(), &mut |bytes| restore.push(bytes)).await?;
        let sum = restore.swap(&entry.sum(), || self.take_over_into_restored(), || self.settle_restored(order))?;
        Ok(Some(sum.rows))
    }

    /// Before the swap: ends in the waiting tables what was under way then, and adds what is under way now.
    fn take_over_into_restored(&self) -> Result<(), StoreError> {
        let now = Value::Int(self.ports.now());
        let run = |statement: &str, params: &[Value]| self.sql.run(statement, params).map(drop);
        let [inbox, outbox, turn, step, file] = ["inbox", "outbox", "turn", "step", "file"].map(waiting);
        const LIVE: &str =
            "(outcome IS NULL OR kind = 'message' AND turn_id IN (SELECT id FROM turn WHERE state = 'running'))";
        let open = "state IN ('queued', 'sending')";

        run(
            &format!(
                "UPDATE {turn} SET state = 'failed', error = 'restored from a backup', finished_at = ?1 WHERE state = 'running'"
            ),
            std::slice::from_ref(&now),
        )?;
        run(
            &format!("UPDATE {step} SET state = 'cut', ended_at = ?1 WHERE state IN ('asking', 'begun')"),
            std::slice::from_ref(&now),
        )?;
        // The Directory heard of these calls since, or counts them at their estimates.
        run(&format!("UPDATE {step} SET report = NULL"), &[])?;
        run(&format!("UPDATE {file} SET state = 'failed' WHERE state = 'queued'"), &[])?;

        run(
            &format!(
                "DELETE FROM {inbox} WHERE outcome IS NULL AND update_id IN (SELECT update_id FROM inbox WHERE {LIVE})"
            ),
            &[],
        )?;
        run(
            &format!(
                "UPDATE {inbox} SET outcome = 'dropped', detail = 'waited when the backup was taken' WHERE outcome IS NULL"
            ),
            &[],
        )?;
        run(
            &format!(
                "INSERT INTO {inbox} (seq, update_id, received_at, kind, outcome, detail)
                 SELECT n, -n, ?1, 'restored', 'restored', 'the rows before this one come from a backup' FROM (
                   SELECT max((SELECT coalesce(max(seq), 0) FROM inbox), (SELECT coalesce(max(seq), 0) FROM {inbox})) + {GAP} AS n)"
            ),
            std::slice::from_ref(&now),
        )?;
        let new = format!("{LIVE} AND update_id NOT IN (SELECT update_id FROM {inbox})");
        carry_over(&self.sql, "inbox", &["seq", "outcome", "detail", "turn_id"], &new, "seq")?;

        // The same delivery in both: only the one that waits now.
        run(
            &format!(
                "DELETE FROM {outbox} WHERE {open} AND EXISTS (SELECT 1 FROM outbox AS live
                   WHERE live.id = {outbox}.id AND live.created_at = {outbox}.created_at AND live.{open})"
            ),
            &[],
        )?;
        run(
            &format!(
                "UPDATE {outbox} SET state = 'ambiguous', error = 'waited when the backup was taken' WHERE {open}"
            ),
            &[],
        )?;
        carry_over(&self.sql, "outbox", &["id", "turn_id"], open, "id")
    }

    /// After the swap: what is about now and not about then.
    fn settle_restored(&self, order: &PutBack) -> Result<(), StoreError> {
        let live = self.settings.borrow().clone();
        let mut settings = Settings::load(&self.sql)?;
        // The Directory's newest word holds, and if there is none the next message asks for it.
        settings.blocked = if live.session.is_some() { live.blocked } else { order.blocked.clone() };
        settings.admission = live.admission;
        settings.session = Some(order.entry.object.clone());
        settings.moved_to = live.moved_to.or(settings.moved_to);
        (settings.flood_until, settings.token_rest_until) = (live.flood_until, live.token_rest_until);
        settings.token_refusals = live.token_refusals;
        settings.save(&self.sql)?;
        let job = order.job.to_string();
        self.sql.run("INSERT OR REPLACE INTO setting (key, value) VALUES ('restored', ?1)", &[job.into()]).map(drop)
    }
}

fn schema() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::migrate;
    use crate::store::native::Sqlite;

    #[test]
    fn every_table_is_decided_about() {
        let sql = Sqlite::memory().unwrap();
        migrate(&sql, MIGRATIONS).unwrap();
        crate::backup::tests::assert_decided(&sql, TABLES);
    }
}
