//! The Directory into a backup, and back out of one.
//!
//! What must not go back in time stays as it is: who did what since, what was spent since, conversations that exist since.
//! Who may talk, groups, settings and configuration become what they were.

use super::{Directory, TABLES};
use crate::backup::manifest::{Entry, count};
use crate::backup::orders::BackUp;
use crate::backup::restore::{carry_over, waiting};
use crate::backup::vault::Vault;
use crate::backup::verify::Expected;
use crate::backup::{Dump, DumpError, Refused, Restore, key};
use crate::directory::MIGRATIONS;
use crate::store::{Sql, StoreError, Value};

/// A backup that was interrupted by writes is begun anew so many times.
const TRIES: usize = 6;

impl<S: Sql> Directory<S> {
    /// Stores a backup of the Directory. Returns it with the last administrative act it covers.
    pub(super) async fn back_itself_up(&self, vault: &impl Vault, order: &BackUp) -> Result<(Entry, i64), DumpError> {
        for _ in 0..TRIES {
            let mark = self.audit_mark().map_err(super::versions::store)?;
            let mut dump = Dump::begin(&self.sql, TABLES, key::DIRECTORY, schema(), order.at)?;
            let bytes = match vault.write(&order.key, &mut || dump.piece()).await {
                Err(DumpError::Changed) => continue,
                other => other?,
            };
            let Some(sum) = dump.sum() else { return Err(DumpError::Lost) };
            let int = |value: u64| if let Value::Int(int) = count(value) { int } else { 0 };
            let entry = Entry {
                object: key::DIRECTORY.to_owned(),
                key: order.key.clone(),
                at: order.at,
                bytes: int(bytes),
                rows: int(sum.rows),
                sha256: sum.sha256.clone(),
            };
            return Ok((entry, mark));
        }
        Err(DumpError::Changed)
    }

    /// Replaces the Directory's rows by those of a backup; `done` runs in the same stretch.
    pub(super) async fn put_itself_back(
        &self,
        vault: &impl Vault,
        entry: &Entry,
        done: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), Refused> {
        let expected = Expected { object: key::DIRECTORY, schema: schema() };
        let mut restore = Restore::new(&self.sql, TABLES, &expected);
        vault.read(&entry.key, u64::try_from(entry.bytes).ok(), &mut |bytes| restore.push(bytes)).await?;
        restore.swap(&entry.sum(), || self.keep_what_is_newer(), done)?;
        Ok(())
    }

    fn keep_what_is_newer(&self) -> Result<(), StoreError> {
        let [audit, session, usage] = ["audit", "session", "model_usage"].map(waiting);
        // After a loss the numbers begin anew, so the time says what is newer.
        let newer = format!(
            "at >= (SELECT coalesce(max(at), 0) FROM {audit}) AND NOT EXISTS (SELECT 1 FROM {audit} AS was WHERE
             was.at = audit.at AND was.who = audit.who AND was.what = audit.what AND was.subject = audit.subject)"
        );
        carry_over(&self.sql, "audit", &["id"], &newer, "id")?;
        // No list of objects can be had from the platform (cloudflare.md §1.2): none may be forgotten here.
        self.sql.run(&format!("DELETE FROM {session} WHERE name IN (SELECT name FROM session)"), &[])?;
        carry_over(&self.sql, "session", &[], "1", "name")?;
        // Spending only ever grows: of each sum the larger one.
        let same = |one: &str, other: &str| {
            format!("{one}.day = {other}.day AND {one}.person = {other}.person AND {one}.model = {other}.model")
        };
        let matching = same("now", &usage);
        self.sql.run(
            &format!(
                "DELETE FROM {usage} WHERE EXISTS (SELECT 1 FROM model_usage AS now WHERE {matching} AND now.nano_usd >= {usage}.nano_usd)"
            ),
            &[],
        )?;
        let absent = format!("NOT EXISTS (SELECT 1 FROM {usage} AS was WHERE {})", same("was", "model_usage"));
        carry_over(&self.sql, "model_usage", &[], &absent, "day")
    }
}

fn schema() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::native::Sqlite;

    #[test]
    fn every_table_is_decided_about() {
        let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
        crate::backup::tests::assert_decided(&directory.sql, TABLES);
    }
}
