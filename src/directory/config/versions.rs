//! Versions of the document: saved by compare-and-set, never changed, the newest live.
//!
//! Nothing is stored that was not checked first, so a refused change leaves the live one alone (an agent of another
//! project wrote its own configuration into a crash loop: openclaw.md §6.22). Not here: what a document says, and which
//! of it holds (`live`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::{Checked, Problems, SECRET, check, disguises};
use super::diff::{Change, diff};
use crate::directory::desk::Refused;
use crate::directory::{Actor, Directory, DirectoryError};
use crate::llm::redact::looks_secret;
use crate::store::{Row, Sql, StoreError, all_or_nothing, to_json};
use crate::text::calendar::date_time;

/// Versions kept; the live one is always among them.
pub const KEEP_VERSIONS: i64 = 200;
/// Longest note, characters.
pub const MAX_NOTE: usize = 200;
/// Most versions told at once: each comes with its difference.
pub const VERSIONS_AT_ONCE: i64 = 20;

/// The document of version 0, the environment alone.
const EMPTY: &str = "{}";

/// Who saved what when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Grows by one.
    pub version: i64,
    /// Unix milliseconds.
    pub at: i64,
    /// `admin:<e-mail>`, `tg:<id>` or `system`.
    pub author: String,
    /// Their own words; may be empty.
    pub note: String,
    /// The version it was made from; 0: the environment alone.
    pub parent: i64,
    /// The older version whose document this is again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<i64>,
}

/// A version with what it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionView {
    #[serde(flatten)]
    pub version: Version,
    /// The difference to the version before.
    pub changes: Vec<Change>,
    /// Only when one version was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Value>,
}

/// The answer to a save or rollback that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The version that is live now.
    pub version: i64,
    /// False: the document was the same, and no version was made.
    pub changed: bool,
}

/// What became of an attempt within the transaction.
enum Attempt {
    Saved(Saved),
    Conflict(Option<Version>),
}

impl<S: Sql> Directory<S> {
    /// Makes `document` (JSON as typed or sent) the live version, if it is one and nothing was saved since version `base`
    /// (0: there was none). The same document as the live one makes no version, whatever `base` is: a repeated request
    /// whose answer got lost is no conflict.
    pub fn save_config(&self, base: i64, document: &str, note: &str, who: &Actor, now: i64) -> Result<Saved, Refused> {
        let json = accepted(check(document), note)?;
        self.save_checked(base, &json, note.trim(), None, who, now)
    }

    /// Makes the document of an older `version` (0: the environment alone) live again, as a new version by `who`.
    pub fn rollback_config(&self, base: i64, version: i64, who: &Actor, now: i64) -> Result<Saved, Refused> {
        let document = self.document_of(version)?.ok_or_else(no_such_version)?;
        // It may be of a release that allowed what this one does not.
        let json = accepted(check(&document), "")?;
        self.save_checked(base, &json, "", Some(version), who, now)
    }

    fn save_checked(
        &self,
        base: i64,
        json: &str,
        note: &str,
        restores: Option<i64>,
        who: &Actor,
        now: i64,
    ) -> Result<Saved, Refused> {
        let attempt = all_or_nothing(&self.sql, || {
            let newest = self.versions_before(None, 1)?.pop();
            let live = newest.as_ref().map_or(0, |newest| newest.version);
            if self.document_of(live)?.as_deref() == Some(json) {
                return Ok(Attempt::Saved(Saved { version: live, changed: false }));
            }
            if live != base {
                return Ok(Attempt::Conflict(newest));
            }
            let policy = self.dm_policy()?;
            let rows = self.sql.run(
                "INSERT INTO config_version (at, who, document, note, parent, restores) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                &[now.into(), who.to_string().into(), json.into(), note.into(), base.into(), restores.into()],
            )?;
            let version = rows.first().ok_or(StoreError::Shape { index: 0 })?.int(0)?;
            self.sql.run("DELETE FROM config_version WHERE id <= ?1", &[(version - KEEP_VERSIONS).into()])?;
            let subject = match restores {
                Some(restored) => format!("version {version}, as version {restored}"),
                None => format!("version {version}"),
            };
            let what = if restores.is_some() { "config_rollback" } else { "config_save" };
            self.audit(None, who, what, &subject, now)?;
            let change = self.policy_changed(policy)?;
            self.queue_pushes(&change, now)?;
            Ok(Attempt::Saved(Saved { version, changed: true }))
        });
        if attempt.is_err() {
            // What was read within the transaction is not there any more.
            self.forget_live_config();
        }
        match attempt? {
            Attempt::Saved(saved) => Ok(saved),
            Attempt::Conflict(newest) => Err(conflict(base, newest.as_ref())),
        }
    }

    /// Versions older than `before` (`None`: the newest), newest first, each with its difference to the one before.
    pub fn config_versions(&self, before: Option<i64>, limit: i64) -> Result<Vec<VersionView>, DirectoryError> {
        let limit = limit.clamp(1, VERSIONS_AT_ONCE);
        let mut versions = Vec::new();
        for version in self.versions_before(before, limit)? {
            versions.push(VersionView { changes: self.changes_of(&version)?, version, document: None });
        }
        Ok(versions)
    }

    /// One version with its document; `None`: there is none, or it is too old.
    pub fn config_version(&self, version: i64) -> Result<Option<VersionView>, DirectoryError> {
        let found = self.versions_before(version.checked_add(1), 1)?.pop().filter(|found| found.version == version);
        let Some(found) = found else { return Ok(None) };
        let document = Some(self.config_value(version)?);
        Ok(Some(VersionView { changes: self.changes_of(&found)?, version: found, document }))
    }

    /// The newest version, whether this release can read it or not.
    pub fn newest_config(&self) -> Result<Option<Version>, DirectoryError> {
        Ok(self.versions_before(None, 1)?.pop())
    }

    /// The document of a version as JSON; empty if it is gone or no JSON.
    pub fn config_value(&self, version: i64) -> Result<Value, DirectoryError> {
        let text = self.document_of(version)?.unwrap_or_default();
        Ok(serde_json::from_str(&text).unwrap_or_else(|_| Value::Object(Default::default())))
    }

    /// The stored text of a version; of version 0 an empty document.
    pub(super) fn document_of(&self, version: i64) -> Result<Option<String>, StoreError> {
        if version == 0 {
            return Ok(Some(EMPTY.to_owned()));
        }
        let rows = self.sql.run("SELECT document FROM config_version WHERE id = ?1", &[version.into()])?;
        rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
    }

    fn versions_before(&self, before: Option<i64>, limit: i64) -> Result<Vec<Version>, StoreError> {
        let rows = self.sql.run(
            "SELECT id, at, who, note, parent, restores FROM config_version WHERE ?1 IS NULL OR id < ?1 \
             ORDER BY id DESC LIMIT ?2",
            &[before.into(), limit.into()],
        )?;
        let version = |row: &Row| {
            Ok(Version {
                version: row.int(0)?,
                at: row.int(1)?,
                author: row.text(2)?.to_owned(),
                note: row.text(3)?.to_owned(),
                parent: row.int(4)?,
                restores: row.opt_int(5)?,
            })
        };
        rows.iter().map(version).collect()
    }

    /// Empty for the oldest kept, whose predecessor is gone.
    fn changes_of(&self, version: &Version) -> Result<Vec<Change>, DirectoryError> {
        let read = |text: Option<String>| text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let (before, after) = (read(self.document_of(version.parent)?), read(self.document_of(version.version)?));
        Ok(before.zip(after).map(|(before, after)| diff(&before, &after)).unwrap_or_default())
    }
}

/// The canonical JSON of a document without mistakes: fields in their order, defaults left out.
fn accepted(checked: Checked, note: &str) -> Result<String, Refused> {
    let mut problems = Problems::default();
    let note = note.trim();
    if note.chars().count() > MAX_NOTE || note.contains(|c: char| c.is_control() || disguises(c)) {
        problems.add("note", &format!("Must be one line of at most {MAX_NOTE} characters."));
    } else if looks_secret(note) {
        problems.add("note", SECRET);
    }
    let problems: Vec<_> = checked.problems.into_iter().chain(problems.list).collect();
    match checked.document {
        Some(document) if problems.is_empty() => Ok(to_json(&document)?),
        _ => Err(Refused { problems, ..Refused::bad_input("The configuration has mistakes. Nothing was saved.") }),
    }
}

fn conflict(base: i64, newest: Option<&Version>) -> Refused {
    Refused::conflict(&match newest {
        Some(Version { version, author, at, .. }) => format!(
            "{author} saved version {version} at {} UTC; this change was made on version {base}. Nothing was saved.",
            date_time(*at)
        ),
        None => format!("There is no version {base} any more. Nothing was saved."),
    })
}

fn no_such_version() -> Refused {
    Refused::not_found("There is no such version of the configuration.")
}
