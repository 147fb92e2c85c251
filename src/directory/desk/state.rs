//! How the deployment stands, in one look: what the first page shows and the doctor judges.
//!
//! Not here: what only Telegram, Access or storage know; the caller asks them.

use serde::{Deserialize, Serialize};

use super::{Desk, Refused};
use crate::directory::{Bot, DAY, Directory, DmPolicy, HOUR, UsageAsk, UsageView};
use crate::store::{Sql, Value};

/// What the Directory knows. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub now: i64,
    pub bots: Vec<Bot>,
    /// Conversations that exist.
    pub conversations: i64,
    /// Of these, changed within a day.
    pub lively: i64,
    /// When a conversation last changed.
    pub last_change_at: Option<i64>,
    /// Deliveries to Telegram that wait: those of conversations as last told, and the Directory's own.
    pub waiting: i64,
    /// When the oldest of the Directory's own was made.
    pub waiting_since: Option<i64>,
    /// Everybody's numbers.
    pub usage: UsageView,
    pub has_owner: bool,
    pub private: DmPolicy,
    /// People with a code that is good, and since when the oldest waits.
    pub pending: i64,
    pub pending_since: Option<i64>,
    /// Groups nobody has decided about.
    pub pending_groups: i64,
    /// The live version of the configuration; 0: the environment alone.
    pub config: i64,
    /// Errors in the log within the last hour.
    pub errors: i64,
}

impl<S: Sql> Directory<S> {
    pub(super) fn state(&self, desk: &Desk<'_>) -> Result<State, Refused> {
        let now = desk.now;
        let rows = self.sql.run(
            "SELECT count(*), coalesce(sum(changed_at > ?1), 0), max(changed_at), coalesce(sum(waiting), 0) FROM session \
             WHERE changed_at > 0",
            &[(now - DAY).into()],
        )?;
        let (conversations, lively, last_change_at, told_waiting) = match rows.first() {
            Some(row) => (row.int(0)?, row.int(1)?, row.opt_int(2)?, row.int(3)?),
            None => (0, 0, None, 0),
        };
        let (own_waiting, waiting_since) =
            self.count_since("FROM outbox WHERE state IN ('waiting', 'sending')", "created_at", &[])?;
        let (pending, pending_since) =
            self.count_since("FROM pairing WHERE state = 'waiting' AND expires_at > ?1", "created_at", &[now.into()])?;
        let (pending_groups, _) = self.count_since("FROM grp WHERE state = 'pending' AND present = 1", "since", &[])?;
        let (errors, _) =
            self.count_since("FROM event WHERE level = 'error' AND at > ?1", "at", &[(now - HOUR).into()])?;
        let everybody = UsageAsk { person: None, owner: true };
        Ok(State {
            now,
            bots: self.bots()?,
            conversations,
            lively,
            last_change_at: last_change_at.filter(|at| *at > 0),
            waiting: told_waiting + own_waiting,
            waiting_since,
            usage: self.usage(&everybody, desk.caps, desk.cfg, now)?,
            has_owner: !self.owners(desk.cfg)?.is_empty(),
            private: self.dm_policy()?,
            pending,
            pending_since,
            pending_groups,
            config: self.live()?.map_or(0, |(version, _)| version),
            errors,
        })
    }

    /// How many rows, and the oldest's `at`.
    fn count_since(&self, from: &str, at: &str, params: &[Value]) -> Result<(i64, Option<i64>), Refused> {
        let rows = self.sql.run(&format!("SELECT count(*), min({at}) {from}"), params)?;
        match rows.first() {
            Some(row) => Ok((row.int(0)?, row.opt_int(1)?)),
            None => Ok((0, None)),
        }
    }
}
