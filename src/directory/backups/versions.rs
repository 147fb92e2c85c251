//! What is in storage: which backup is an object's newest, which are on no manifest that stays.
//!
//! A manifest written at `m` lists what was an object's newest then. So a backup is on it if it is from before `m` and was
//! not replaced until after, and no list of lists is needed.

use super::{COVERED, Directory, DirectoryError, LAST_AT, LOOKED};
use crate::backup::manifest::Entry;
use crate::backup::retention::{DAILY_FOR, expired};
use crate::backup::{key, orders::BackUp};
use crate::directory::HOUR;
use crate::store::{Row, Sql, StoreError, Value, all_or_nothing};

/// Most keys one call to storage deletes (cloudflare.md §1.5).
pub(super) const DELETED_AT_ONCE: i64 = 1_000;
/// What was asked for and not heard of for so long is not there, or of no use.
const UNHEARD_AFTER: i64 = HOUR;
/// Entries of a manifest read at a time.
const PAGE: i64 = 500;

impl<S: Sql> Directory<S> {
    /// Names a new backup of `object`, before it is asked for: if nobody hears of it, it is still found and deleted.
    pub(super) fn order_backup(&self, object: &str, now: i64) -> Result<BackUp, DirectoryError> {
        let at = self.time_for_key(now)?;
        let key = key::of(object, at);
        self.sql.run(
            "INSERT INTO backup_version (key, object, at, state) VALUES (?1, ?2, ?3, 'asked')",
            &[key.as_str().into(), object.into(), at.into()],
        )?;
        Ok(BackUp { session: object.to_owned(), key, at })
    }

    /// A backup is in storage, and from `since` on it is what manifests list of its object: from its own time, or from when
    /// the object was put back to it.
    pub(super) fn note_version(&self, entry: &Entry, since: i64) -> Result<(), DirectoryError> {
        self.sql.run(
            "UPDATE backup_version SET replaced_at = ?2 WHERE object = ?1 AND replaced_at IS NULL AND key <> ?3",
            &[entry.object.as_str().into(), since.into(), entry.key.as_str().into()],
        )?;
        self.sql.run(
            "INSERT INTO backup_version (key, object, at, state, bytes, rows, sha256) VALUES (?1, ?2, ?3, 'stored', ?4, ?5, ?6)
             ON CONFLICT (key) DO UPDATE SET state = 'stored', bytes = ?4, rows = ?5, sha256 = ?6, replaced_at = NULL",
            &[
                entry.key.as_str().into(),
                entry.object.as_str().into(),
                entry.at.into(),
                entry.bytes.into(),
                entry.rows.into(),
                entry.sha256.as_str().into(),
            ],
        )?;
        Ok(())
    }

    /// The last backup of `object` failed.
    pub(super) fn note_failure(&self, object: &str, error: &str, now: i64) -> Result<(), DirectoryError> {
        let error: String = error.chars().take(300).collect();
        self.sql.run(
            "INSERT INTO backup_failure (object, at, tries, error) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (object) DO UPDATE SET at = ?2, tries = tries + 1, error = ?3",
            &[object.into(), now.into(), error.into()],
        )?;
        Ok(())
    }

    /// What is a manifest's to list, after `object`: a page, by object.
    pub(super) fn newest_versions(&self, object: &str) -> Result<Vec<Entry>, StoreError> {
        let rows = self.sql.run(
            "SELECT object, key, at, bytes, rows, sha256 FROM backup_version
             WHERE replaced_at IS NULL AND state = 'stored' AND sha256 <> '' AND object > ?1 ORDER BY object LIMIT ?2",
            &[object.into(), PAGE.into()],
        )?;
        rows.iter().map(Entry::read).collect()
    }

    /// Backups of conversations that were deleted are on no manifest from now on.
    pub(super) fn let_go_of_deleted(&self, now: i64) -> Result<(), DirectoryError> {
        self.sql.run(
            "UPDATE backup_version SET replaced_at = ?1 WHERE replaced_at IS NULL AND object <> ?2
             AND object NOT IN (SELECT name FROM session WHERE changed_at > 0)",
            &[now.into(), key::DIRECTORY.into()],
        )?;
        self.sql.run(
            "DELETE FROM backup_failure WHERE object <> ?1 AND object NOT IN (SELECT name FROM session WHERE changed_at > 0)",
            &[key::DIRECTORY.into()],
        )?;
        Ok(())
    }

    /// Something is in storage that no manifest lists.
    pub(super) fn has_unlisted(&self) -> Result<bool, DirectoryError> {
        Ok(self.number(
            "SELECT EXISTS (SELECT 1 FROM backup_version WHERE replaced_at IS NULL AND state = 'stored' AND sha256 <> ''
             AND at > (SELECT coalesce(max(at), 0) FROM backup_manifest))",
            &[],
        )? != 0)
    }

    /// Keys that may be deleted now, at most [`DELETED_AT_ONCE`]: manifests too old, then what no manifest lists any more.
    /// Those of a Directory before this one, which was lost, are not thinned out: an empty Directory's first backup must
    /// not take the place of the last good one. They stay until something was restored, and thirty days at least.
    pub(super) fn superfluous(&self, now: i64) -> Result<Vec<String>, DirectoryError> {
        let times = |of: &str, before: i64| {
            let query = format!("SELECT at FROM backup_manifest WHERE {of} AND at <= ?1 ORDER BY at");
            let rows = self.sql.run(&query, &[before.into()])?;
            rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, StoreError>>()
        };
        let ours = expired(&times("found = 0", now)?, now);
        let theirs = times("found = 2", now - DAILY_FOR)?;
        let limit = usize::try_from(DELETED_AT_ONCE).unwrap_or(1);
        let old: Vec<String> =
            ours.into_iter().chain(theirs).take(limit).map(|at| key::of(key::MANIFEST, at)).collect();
        if !old.is_empty() {
            return Ok(old);
        }
        let rows = self.sql.run(
            "SELECT key FROM backup_version AS v WHERE replaced_at IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM backup_manifest AS m WHERE m.at >= v.at AND m.at < v.replaced_at)
             UNION ALL SELECT key FROM backup_version WHERE replaced_at IS NULL AND state = 'asked' AND at < ?1 LIMIT ?2",
            &[(now - UNHEARD_AFTER).into(), DELETED_AT_ONCE.into()],
        )?;
        Ok(texts(&rows)?)
    }

    /// Storage has let go of `keys`.
    pub(super) fn forget_keys(&self, keys: &[String]) -> Result<(), DirectoryError> {
        for some in keys.chunks(50) {
            let marks: Vec<String> = (1..=some.len()).map(|n| format!("?{n}")).collect();
            let params: Vec<Value> = some.iter().map(|key| key.as_str().into()).collect();
            for table in ["backup_version", "backup_manifest"] {
                self.sql.run(&format!("DELETE FROM {table} WHERE key IN ({})", marks.join(", ")), &params)?;
            }
        }
        Ok(())
    }

    /// Whether somebody wants to know what is in storage and nobody has looked yet.
    pub(super) fn is_to_look(&self) -> Result<bool, DirectoryError> {
        Ok(self.setting(LOOKED)?.is_some_and(|text| text != "yes"))
    }

    /// Nobody has looked yet: somebody should. The Directory may be new beside an old storage.
    pub(super) fn want_look(&self) -> Result<(), DirectoryError> {
        if self.setting(LOOKED)?.is_none() { self.put_setting(LOOKED, "from:") } else { Ok(()) }
    }

    /// Where looking goes on.
    pub(super) fn look_cursor(&self) -> Result<Option<String>, DirectoryError> {
        let text = self.setting(LOOKED)?.unwrap_or_default();
        Ok(text.strip_prefix("from:").filter(|cursor| !cursor.is_empty()).map(str::to_owned))
    }

    /// A page of what is in storage, names and lengths. What is known already stays as it is.
    pub(super) fn note_found(&self, files: &[(String, i64)], cursor: Option<&str>) -> Result<(), DirectoryError> {
        Ok(all_or_nothing(&self.sql, || {
            let mut last =
                self.number(&format!("SELECT value + 0 FROM setting WHERE key = '{LAST_AT}'"), &[]).unwrap_or(0);
            for (key, bytes) in files {
                let Some((object, at)) = key::parse(key) else { continue };
                last = last.max(at);
                if object == key::MANIFEST {
                    self.sql.run(
                        "INSERT OR IGNORE INTO backup_manifest (at, key, found) VALUES (?1, ?2, 1)",
                        &[at.into(), key.as_str().into()],
                    )?;
                } else {
                    self.sql.run(
                        "INSERT OR IGNORE INTO backup_version (key, object, at, state, bytes) VALUES (?1, ?2, ?3, 'stored', ?4)",
                        &[key.as_str().into(), object.into(), at.into(), (*bytes).into()],
                    )?;
                }
            }
            self.put_setting(LAST_AT, &last.to_string()).map_err(store)?;
            let Some(cursor) = cursor else {
                self.sql.run(
                    "UPDATE backup_version SET replaced_at = (SELECT min(next.at) FROM backup_version AS next
                       WHERE next.object = backup_version.object AND next.at > backup_version.at) WHERE replaced_at IS NULL",
                    &[],
                )?;
                return self.put_setting(LOOKED, "yes").map_err(store);
            };
            self.put_setting(LOOKED, &format!("from:{cursor}")).map_err(store)
        })?)
    }

    /// What the Directory's newest backup covers: the last administrative act.
    pub(super) fn audit_mark(&self) -> Result<i64, DirectoryError> {
        self.number("SELECT max(id) FROM audit", &[])
    }

    /// Remembers what a backup of the Directory covers: when, and the last administrative act.
    pub(super) fn note_covered(&self, at: i64, mark: i64) -> Result<(), DirectoryError> {
        self.put_setting(COVERED, &format!("{at} {mark}"))
    }

    pub(super) fn covered(&self) -> Result<Option<(i64, i64)>, DirectoryError> {
        let text = self.setting(COVERED)?.unwrap_or_default();
        Ok(text.split_once(' ').and_then(|(at, mark)| Some((at.parse().ok()?, mark.parse().ok()?))))
    }
}

/// Settings are written by one statement, which fails for no other reason.
pub(super) fn store(error: DirectoryError) -> StoreError {
    match error {
        DirectoryError::Store(error) => error,
        other => StoreError::Sql(other.to_string()),
    }
}

/// Reads the first column as text.
pub(super) fn texts(rows: &[Row]) -> Result<Vec<String>, StoreError> {
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}
