//! What was decided, by whom, and whom we turned away: two bounded rings the admin page shows.
//!
//! The refusals also make a redelivered update harmless: it gets the verdict it got before, and nothing is said twice.
//! Not here: message texts, which are never stored for people who were not let in.

use super::exchange::{Actor, ChatKind, Knock, Reason, Sender, one_line};
use super::{DAY, Directory, DirectoryError, HOUR, LIST_LIMIT, word};
use crate::store::{Row, Sql};
use serde::{Deserialize, Serialize};

/// Audit entries kept.
pub const KEEP_AUDIT: i64 = 5_000;
/// Decisions of a page, unless asked otherwise.
const AUDIT_PAGE: i64 = 100;
/// Refusals kept.
pub const KEEP_REFUSALS: i64 = 500;

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Grows.
    pub id: i64,
    /// Unix milliseconds.
    pub at: i64,
    pub bot: Option<String>,
    /// `tg:<id>`, `admin:<e-mail>` or `system`.
    pub who: String,
    /// A word such as `approve`.
    pub what: String,
    /// The person, group or key it was done to.
    pub subject: String,
}

/// One update that was not let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Unix milliseconds.
    pub at: i64,
    pub bot: String,
    pub update_id: i64,
    pub chat_id: i64,
    /// Title of the group, if it was one.
    pub chat_title: Option<String>,
    pub user_id: Option<i64>,
    pub name: Option<String>,
    pub reason: Reason,
}

/// Which decisions; what is absent does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    /// Part of who did it.
    pub who: Option<String>,
    /// The word of what was done.
    pub what: Option<String>,
    /// Older than this id.
    pub before: Option<i64>,
    /// 100 unless given, at most 500.
    pub limit: Option<i64>,
}

impl<S: Sql> Directory<S> {
    /// Decisions older than entry `before` (`None`: the newest), newest first, at most `limit` (500).
    pub fn audit_log(&self, before: Option<i64>, limit: i64) -> Result<Vec<AuditEntry>, DirectoryError> {
        self.audit_search(&AuditQuery { before, limit: Some(limit), ..AuditQuery::default() })
    }

    /// Decisions that fit, newest first.
    pub fn audit_search(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, DirectoryError> {
        let filter = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let rows = self.sql.run(
            "SELECT id, at, bot, who, what, subject FROM audit WHERE (?1 IS NULL OR id < ?1) \
             AND (?2 IS NULL OR instr(lower(who), lower(?2)) > 0) AND (?3 IS NULL OR what = ?3) ORDER BY id DESC LIMIT ?4",
            &[
                query.before.into(),
                filter(&query.who).into(),
                filter(&query.what).into(),
                query.limit.unwrap_or(AUDIT_PAGE).clamp(0, LIST_LIMIT).into(),
            ],
        )?;
        let entry = |row: &Row| {
            Ok(AuditEntry {
                id: row.int(0)?,
                at: row.int(1)?,
                bot: row.opt_text(2)?.map(str::to_owned),
                who: row.text(3)?.to_owned(),
                what: row.text(4)?.to_owned(),
                subject: row.text(5)?.to_owned(),
            })
        };
        rows.iter().map(entry).collect()
    }

    /// The words there are to filter by.
    pub fn audit_words(&self) -> Result<Vec<String>, DirectoryError> {
        let rows = self.sql.run("SELECT DISTINCT what FROM audit ORDER BY what LIMIT 50", &[])?;
        rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
    }

    /// Recent refusals, newest first.
    pub fn refusals(&self) -> Result<Vec<Refusal>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT at, bot, update_id, chat_id, chat_title, user_id, name, reason FROM refusal ORDER BY id DESC LIMIT ?1",
            &[KEEP_REFUSALS.into()],
        )?;
        let refusal = |row: &Row| {
            Ok(Refusal {
                at: row.int(0)?,
                bot: row.text(1)?.to_owned(),
                update_id: row.int(2)?,
                chat_id: row.int(3)?,
                chat_title: row.opt_text(4)?.map(str::to_owned),
                user_id: row.opt_int(5)?,
                name: row.opt_text(6)?.map(str::to_owned),
                reason: word(row.text(7)?).unwrap_or(Reason::Unknown),
            })
        };
        rows.iter().map(refusal).collect()
    }

    pub(super) fn audit(
        &self,
        bot: Option<&str>,
        actor: &Actor,
        what: &str,
        subject: &str,
        now: i64,
    ) -> Result<(), DirectoryError> {
        self.sql.run(
            "INSERT INTO audit (at, bot, who, what, subject) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[now.into(), bot.into(), actor.to_string().into(), what.into(), subject.into()],
        )?;
        self.sql.run("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1", &[KEEP_AUDIT.into()])?;
        Ok(())
    }

    /// The reason this very update was refused for, if it was within a day: Telegram redelivers no longer than that,
    /// and after a quiet week it numbers updates anew.
    pub(super) fn refused_before(&self, knock: &Knock, now: i64) -> Result<Option<Reason>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT reason FROM refusal WHERE bot = ?1 AND update_id = ?2 AND chat_id = ?3 AND at > ?4",
            &[knock.bot.as_str().into(), knock.update_id.into(), knock.chat_id.into(), (now - DAY).into()],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(word(row.text(0)?).unwrap_or(Reason::Unknown)))
    }

    pub(super) fn note_refusal(&self, knock: &Knock, reason: Reason, now: i64) -> Result<(), DirectoryError> {
        let title = match &knock.chat {
            ChatKind::Group { title } => Some(one_line(title)),
            ChatKind::Private | ChatKind::Channel => None,
        };
        let user_id = knock.sender_chat.or(knock.sender.as_ref().map(|sender| sender.user_id));
        let reason = serde_json::to_value(reason).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        self.sql.run(
            "INSERT OR REPLACE INTO refusal (at, bot, update_id, chat_id, chat_title, user_id, name, reason) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[
                now.into(),
                knock.bot.as_str().into(),
                knock.update_id.into(),
                knock.chat_id.into(),
                title.into(),
                user_id.into(),
                knock.sender.as_ref().map(Sender::display_name).into(),
                reason.into(),
            ],
        )?;
        self.sql.run("DELETE FROM refusal WHERE id <= (SELECT max(id) FROM refusal) - ?1", &[KEEP_REFUSALS.into()])?;
        Ok(())
    }

    /// Whether `what` was said about `subject` within the last hour.
    pub(super) fn said_lately(&self, bot: &str, what: &str, subject: i64, now: i64) -> Result<bool, DirectoryError> {
        let rows = self.sql.run(
            "SELECT 1 FROM said WHERE bot = ?1 AND what = ?2 AND subject = ?3 AND at > ?4",
            &[bot.into(), what.into(), subject.into(), (now - HOUR).into()],
        )?;
        Ok(!rows.is_empty())
    }

    /// How many subjects `what` was said about within the last hour.
    pub(super) fn said_count(&self, bot: &str, what: &str, now: i64) -> Result<i64, DirectoryError> {
        let rows = self.sql.run(
            "SELECT count(*) FROM said WHERE bot = ?1 AND what = ?2 AND at > ?3",
            &[bot.into(), what.into(), (now - HOUR).into()],
        )?;
        Ok(rows.first().map(|row| row.int(0)).transpose()?.unwrap_or(0))
    }

    /// Remembers that `what` was said about `subject`, and forgets what is older than an hour.
    pub(super) fn note_said(&self, bot: &str, what: &str, subject: i64, now: i64) -> Result<(), DirectoryError> {
        self.sql.run("DELETE FROM said WHERE at <= ?1", &[(now - HOUR).into()])?;
        self.sql.run(
            "INSERT INTO said (bot, what, subject, at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (bot, what, subject) DO UPDATE SET at = excluded.at",
            &[bot.into(), what.into(), subject.into(), now.into()],
        )?;
        Ok(())
    }
}
