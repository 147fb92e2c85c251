//! What the doctor needs to know of the Directory, in one question.
//!
//! Parts that cannot be read are `None`: a doctor is asked when not all is well. Not here: what is good and what is not
//! (`admin::doctor`), what only Telegram, Access or storage know.

use serde::{Deserialize, Serialize};

use super::{Desk, Refused, State};
use crate::directory::{Directory, DmPolicy, HOUR, UsageView};
use crate::llm::ModelRef;
use crate::store::{Sql, Value};

/// Most groups told of; the doctor names no more.
const MOST_GROUPS: i64 = 50;

/// The Directory's part of the facts. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoctorFacts {
    /// The release the Directory object runs.
    pub version: String,
    /// The Directory's clock.
    pub now: i64,
    pub has_owner: bool,
    pub private: DmPolicy,
    /// People with a code that is good, of whom nobody decided, and since when the oldest waits.
    pub people_waiting: Waiting,
    /// The same of groups.
    pub groups_waiting: Waiting,
    /// Groups that may talk, the bot in them.
    pub groups: Vec<DoctorGroup>,
    /// Everybody's numbers, the caps that hold, what rests.
    pub usage: UsageView,
    /// Models that the live configuration names, instead of those of the environment.
    pub default_model: Option<ModelRef>,
    pub fallbacks: Option<Vec<ModelRef>>,
    /// The newest version of the configuration, if this release cannot read it.
    pub unread_config: Option<i64>,
    /// Messages of the Directory itself that are not delivered.
    pub outbox: Waiting,
    /// Deliveries of conversations that wait, as last told.
    pub deliveries: Option<i64>,
    /// Errors in the log within the last hour.
    pub errors: Option<i64>,
    pub backups: Option<DoctorBackups>,
    /// What the first page shows, so that one question answers both.
    #[serde(default)]
    pub state: Option<State>,
}

/// How many, and since when the oldest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub count: i64,
    pub since: Option<i64>,
}

/// A group that may talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorGroup {
    pub bot: String,
    pub title: String,
    pub require_mention: bool,
}

/// How backups stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorBackups {
    /// When the newest whole one was made.
    pub last_at: Option<i64>,
    /// Objects whose last backup failed.
    pub failed: i64,
    /// Since when there are conversations that could have been backed up.
    pub since: Option<i64>,
}

impl<S: Sql> Directory<S> {
    pub(super) fn doctor_facts(&self, desk: &Desk<'_>) -> Result<DoctorFacts, Refused> {
        let now = desk.now;
        let state = self.state(desk)?;
        let live = self.live()?.map(|(_, document)| document.models);
        let (default_model, fallbacks) = live.map_or((None, None), |models| (models.default, models.fallbacks));
        Ok(DoctorFacts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now,
            has_owner: self.has_owner(desk.cfg)?,
            private: self.dm_policy()?,
            people_waiting: self
                .who_waits("min(created_at) FROM pairing WHERE state = 'waiting' AND expires_at > ?1", &[now.into()])?,
            groups_waiting: self.who_waits("min(since) FROM grp WHERE state = 'pending' AND present = 1", &[])?,
            groups: self.doctor_groups()?,
            usage: state.usage.clone(),
            default_model,
            fallbacks,
            unread_config: self.config_trouble()?.map(|(version, _)| version),
            outbox: self.who_waits("min(created_at) FROM outbox WHERE state IN ('waiting', 'sending')", &[])?,
            deliveries: self.sum("SELECT coalesce(sum(waiting), 0) FROM session WHERE changed_at > 0", &[]),
            errors: self.sum("SELECT count(*) FROM event WHERE level = 'error' AND at > ?1", &[(now - HOUR).into()]),
            backups: self.doctor_backups(),
            state: Some(state),
        })
    }

    fn who_waits(&self, rest: &str, params: &[Value]) -> Result<Waiting, Refused> {
        let rows = self.sql.run(&format!("SELECT count(*), {rest}"), params)?;
        match rows.first() {
            Some(row) => Ok(Waiting { count: row.int(0)?, since: row.opt_int(1)? }),
            None => Ok(Waiting::default()),
        }
    }

    fn doctor_groups(&self) -> Result<Vec<DoctorGroup>, Refused> {
        let query = "SELECT bot, title, require_mention FROM grp WHERE state = 'admitted' AND present = 1 \
                     ORDER BY require_mention, bot, title LIMIT ?1";
        let mut groups = Vec::new();
        for row in &self.sql.run(query, &[MOST_GROUPS.into()])? {
            let require_mention = row.int(2)? != 0;
            groups.push(DoctorGroup { bot: row.text(0)?.to_owned(), title: row.text(1)?.to_owned(), require_mention });
        }
        Ok(groups)
    }

    fn doctor_backups(&self) -> Option<DoctorBackups> {
        let rows = self.sql.run("SELECT max(at) FROM backup_manifest", &[]).ok()?;
        let last_at = rows.first()?.opt_int(0).ok()?;
        let failed = self.sum("SELECT count(*) FROM backup_failure", &[])?;
        let rows = self.sql.run("SELECT min(since) FROM session", &[]).ok()?;
        Some(DoctorBackups { last_at, failed, since: rows.first()?.opt_int(0).ok()? })
    }

    /// One number; `None` if it cannot be had.
    fn sum(&self, query: &str, params: &[Value]) -> Option<i64> {
        self.sql.run(query, params).ok()?.first()?.int(0).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_json_between_worker_and_directory_is_pinned() {
        let facts = DoctorFacts {
            version: "0.1.0".into(),
            now: 5,
            has_owner: true,
            private: DmPolicy::Pairing,
            people_waiting: Waiting { count: 1, since: Some(2) },
            groups_waiting: Waiting::default(),
            groups: vec![DoctorGroup { bot: "main".into(), title: "Home".into(), require_mention: true }],
            usage: serde_json::from_str(r#"{"owner":true,"day":{},"month":{}}"#).unwrap(),
            default_model: Some(ModelRef::new("ollama", "a")),
            fallbacks: None,
            unread_config: None,
            outbox: Waiting::default(),
            deliveries: Some(0),
            errors: None,
            backups: Some(DoctorBackups { last_at: None, failed: 0, since: Some(1) }),
            state: None,
        };
        let json = serde_json::to_value(&facts).unwrap();
        assert_eq!(serde_json::from_value::<DoctorFacts>(json.clone()).unwrap(), facts);
        assert_eq!(json["people_waiting"], serde_json::json!({"count": 1, "since": 2}));
        assert_eq!(json["private"], "pairing");
        assert_eq!(json["groups"][0], serde_json::json!({"bot": "main", "title": "Home", "require_mention": true}));
        assert_eq!(json["backups"], serde_json::json!({"last_at": null, "failed": 0, "since": 1}));
    }
}
