//! The bucket, and the backups in it.

use super::Desk;
use crate::admin::doctor::facts::{Facts, Stored};
use crate::directory::desk::DoctorBackups;
use crate::text::admin::doctor as words;

const HOUR_MS: i64 = 3_600_000;
/// Backups are made daily at least; some hours of grace.
const OLD_HOURS: i64 = 26;
/// So old that a day's backup failed twice.
const VERY_OLD_HOURS: i64 = 50;

pub fn check(facts: &Facts, desk: &mut Desk) {
    let lang = desk.lang;
    match facts.storage {
        Stored::Well => desk.ok("storage", words::storage_works(lang)),
        Stored::Unbound => desk.warning("storage", words::storage_unbound(lang)),
        Stored::NotWritten => desk.error("storage", words::storage_broken(lang, "write")),
        Stored::NotRead => desk.error("storage", words::storage_broken(lang, "read")),
        Stored::NotDeleted => desk.warning("storage", words::storage_broken(lang, "delete")),
        Stored::Silent => desk.error("storage", words::storage_broken(lang, "timeout")),
    }
    match facts.directory.as_ref().and_then(|directory| directory.backups) {
        Some(backups) => self::backups(facts, backups, desk),
        None => ["backup_age", "backup_failures"].into_iter().for_each(|id| desk.unknown(id, "the Directory")),
    }
}

fn backups(facts: &Facts, backups: DoctorBackups, desk: &mut Desk) {
    let lang = desk.lang;
    let hours = |at: i64| (facts.now - at).max(0) / HOUR_MS;
    match (backups.last_at.map(hours), backups.since.map(hours)) {
        (Some(age), _) if age >= VERY_OLD_HOURS => desk.error("backup_age", words::backup_old(lang, age)),
        (Some(age), _) if age >= OLD_HOURS => desk.warning("backup_age", words::backup_old(lang, age)),
        (Some(age), _) => desk.ok("backup_age", words::backup_fresh(lang, age)),
        (None, Some(age)) if age >= OLD_HOURS => desk.error("backup_age", words::backup_none(lang)),
        (None, Some(age)) if age >= 1 => desk.warning("backup_age", words::backup_none(lang)),
        (None, _) => desk.ok("backup_age", words::backup_not_due(lang)),
    }
    match backups.failed {
        0 => desk.ok("backup_failures", words::no_failed_backup(lang)),
        count => desk.warning("backup_failures", words::backup_failed(lang, count)),
    }
}
