//! How the deployment stands, in one look: what the first page shows. What is judged is with the doctor.
//!
//! Not here: what only Telegram, Access or storage know; the caller asks them.

use serde::{Deserialize, Serialize};

use super::{Desk, Refused};
use crate::directory::{Bot, DAY, Directory, UsageAsk, UsageView};
use crate::store::Sql;

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
    /// Everybody's numbers.
    pub usage: UsageView,
    /// The live version of the configuration; 0: the environment alone.
    pub config: i64,
    /// When the newest whole backup was made.
    pub last_backup_at: Option<i64>,
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
        let own = self.sql.run("SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')", &[])?;
        let own_waiting = own.first().map_or(Ok(0), |row| row.int(0))?;
        let everybody = UsageAsk { person: None, owner: true };
        Ok(State {
            now,
            bots: self.bots()?,
            conversations,
            lively,
            last_change_at: last_change_at.filter(|at| *at > 0),
            waiting: told_waiting + own_waiting,
            usage: self.usage(&everybody, desk.caps, desk.cfg, now)?,
            config: self.live()?.map_or(0, |(version, _)| version),
            last_backup_at: self.last_backup_at()?,
        })
    }
}
