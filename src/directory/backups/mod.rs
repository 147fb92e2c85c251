//! When what is backed up, and what becomes of old backups; how they are put back.
//!
//! A run asks every conversation that changed to back itself up, backs up the Directory, writes a manifest and deletes what
//! is too old. A restore reads a manifest and has objects put back one by one. Both are rows: they do a few steps at a time
//! ([`Directory::work_on_backups`]), because an invocation may make 50 sub-requests on the free plan (cloudflare.md §1.1),
//! and go on after any interruption. Not here: the format (`backup`), the alarm (`edge`). Decision 014 has the reasons.
//!
//! | file | holds |
//! |---|---|
//! | `tables` | what of the Directory is backed up |
//! | `plan` | when a run is due, and its next step |
//! | `versions` | what is in storage, and what may go |
//! | `work` | doing steps within limits |
//! | `restore` | restores and their steps |
//! | `itself` | the Directory into a backup, and back |
//! | `view` | what operators see and ask |

mod itself;
mod plan;
mod restore;
mod tables;
mod versions;
mod view;
mod work;

#[cfg(test)]
mod tests;

pub use tables::TABLES;
pub use view::{BackupsView, FailureView, ManifestView, RestoreAction, RestoreItemView, RestoreView, RunView, What};
pub use work::{Found, Outside};

use super::{Directory, DirectoryError};
use crate::store::Sql;

/// Settings the Directory keeps for its backups; they are not backed up themselves.
const LOOKED: &str = "backup_looked";
const LAST_AT: &str = "backup_last_at";
const COVERED: &str = "backup_covered";

impl<S: Sql> Directory<S> {
    /// A time for a key: now, and never one that was given before. A key is written once.
    fn time_for_key(&self, now: i64) -> Result<i64, DirectoryError> {
        let last: i64 = self.setting(LAST_AT)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        let at = now.max(last + 1);
        self.put_setting(LAST_AT, &at.to_string())?;
        Ok(at)
    }

    /// The first integer of a query's first row.
    fn number(&self, query: &str, params: &[crate::store::Value]) -> Result<i64, DirectoryError> {
        let rows = self.sql.run(query, params)?;
        Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0))
    }
}
