//! Numbers for machines: `/metrics` in Prometheus' text format.
//!
//! Counters are one row of JSON, kept in memory and written through once per report, so that they survive an eviction
//! and cost one row written (cloudflare.md §7). Gauges are read from the tables when somebody asks. Labels are bounded:
//! whoever names models or conversations cannot make series without end. Not here: money that caps are held against
//! (`model_calls::ledger`), the route and its bearer (`edge`).
//!
//! | file | holds |
//! |---|---|
//! | `counters` | what is counted, and how reports add to it |
//! | `text` | the format |

mod counters;
mod text;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

pub use counters::Counters;
use text::{Gauges, render};

use super::{Activity, CallReport, Caps, Directory, DirectoryError, Relays};
use crate::store::Sql;

/// What the shell knows beside the tables.
#[derive(Debug, Clone, Default)]
pub struct Scrape {
    /// Of this release.
    pub version: &'static str,
    /// When the last whole backup ended, Unix milliseconds; `None`: there is none.
    pub last_backup_at: Option<i64>,
    /// What the relays' hub said.
    pub relays: Relays,
    /// Calls that wait for a relay.
    pub relays_queued: u32,
}

impl<S: Sql> Directory<S> {
    /// Adds what a request brought and was not counted before. Nothing is written when it brought nothing.
    pub(super) fn count(&self, ended: &[&CallReport], activity: Option<&Activity>) -> Result<(), DirectoryError> {
        if ended.is_empty() && activity.is_none_or(|activity| activity.updates == 0 && activity.turns.is_empty()) {
            return Ok(());
        }
        let json = self.with_counters(|counters| {
            ended.iter().for_each(|report| counters.add_call(report));
            activity.iter().for_each(|activity| counters.add_activity(activity));
            serde_json::to_string(counters).unwrap_or_default()
        })?;
        self.sql.run("INSERT OR REPLACE INTO counter (id, value) VALUES (1, ?1)", &[json.into()])?;
        Ok(())
    }

    /// The whole answer to a scrape.
    pub fn metrics(&self, scrape: &Scrape, caps: &Caps, now: i64) -> Result<String, DirectoryError> {
        let spent = self.spent(None, None, now)?;
        let rows = self.sql.run(
            "SELECT (SELECT count(*) FROM session WHERE changed_at > 0), (SELECT coalesce(sum(waiting), 0) FROM session), \
             (SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending'))",
            &[],
        )?;
        let number = |index| rows.first().map_or(Ok(0), |row| row.int(index)).map(|n| n.max(0).unsigned_abs());
        let gauges = Gauges {
            version: scrape.version,
            conversations: number(0)?,
            outbox: [number(2)?, number(1)?],
            spent: [spent.day, spent.month],
            caps: [caps.day_nano_usd, caps.month_nano_usd],
            backup_age_s: scrape.last_backup_at.map(|at| (now - at).max(0) / 1_000),
            relays: match &scrape.relays {
                Relays::Seen(relays) => Some((relays.clone(), scrape.relays_queued)),
                Relays::NotAsked | Relays::Silent => None,
            },
            alerts: self.open_alerts()?.into_iter().map(|alert| (alert.kind, 1)).collect(),
        };
        self.with_counters(|counters| render(counters, &gauges))
    }

    fn with_counters<T>(&self, work: impl FnOnce(&mut Counters) -> T) -> Result<T, DirectoryError> {
        let mut held = self.counters.borrow_mut();
        if held.is_none() {
            let rows = self.sql.run("SELECT value FROM counter WHERE id = 1", &[])?;
            let kept = rows.first().map(|row| row.text(0)).transpose()?;
            // Unreadable only if a newer release wrote it: then counting begins anew, as after any reset.
            held.replace(kept.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default());
        }
        Ok(work(held.get_or_insert_with(Counters::default)))
    }
}
