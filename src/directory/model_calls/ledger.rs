//! What was granted, what came of it, and the sums: each call counted once.
//!
//! A call has one row, `open` → `reported`, or `open` → `presumed` → `reported`. Presumed means that nothing was heard
//! for [`HEARD_WITHIN`]: the call is counted at its estimate, because the provider may well have billed it (an object
//! died, or its conversation fell silent before it could report). A report that comes later takes the estimate back.
//! Not here: whether a call may be made.
//!
//! Sums are taken over the month's rows of the ledger, with no running total beside them: a row written costs as much as
//! a thousand rows read (cloudflare.md §7), and two numbers could disagree.

use super::calendar::{day_of, first_of_month};
use super::caps::MOST;
use super::exchange::{CallReport, Reserve};
use crate::directory::{DAY, Directory, DirectoryError, MINUTE};
use crate::llm::{ModelRef, Usage};
use crate::store::{Row, Sql};

/// Twice the longest a call may take (the total deadline of `chat::config`).
pub(super) const HEARD_WITHIN: i64 = 20 * MINUTE;
/// A call is remembered this long, to know a repeated report. An older report is not counted: its call was presumed.
pub(super) const REMEMBERED: i64 = 2 * DAY;
/// Days of the ledger kept.
const KEEP_DAYS: i64 = 400;
/// Most tokens one report counts for.
const MOST_TOKENS: u64 = 1_000_000_000;
/// Whom the ledger calls nobody in particular. Telegram has no user 0.
pub(super) const NOBODY: i64 = 0;

/// What is spent or may be about to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::directory) struct Spent {
    /// Everybody's, of the day and the month.
    pub day: u64,
    pub month: u64,
    /// The person's day.
    pub person: u64,
    /// Granted and not heard of: everybody's, and the person's. Whatever day they began: they may end in this one.
    pub open: u64,
    pub person_open: u64,
}

/// A row of `model_call`.
struct Call<'a> {
    session: &'a str,
    step: i64,
    person: i64,
    model: &'a str,
    nano_usd: i64,
    at: i64,
}

/// One change of the ledger.
struct Entry<'a> {
    at: i64,
    person: i64,
    model: &'a str,
    /// 1, or -1 to take back.
    calls: i64,
    failed: bool,
    usage: Usage,
    /// May be negative, to take back.
    nano_usd: i64,
    assumed: bool,
}

impl<S: Sql> Directory<S> {
    /// Counts one report; false if it was counted before, or is too old to.
    pub(super) fn count_report(&self, session: &str, report: &CallReport, now: i64) -> Result<bool, DirectoryError> {
        // Clocks of objects differ a little; nothing has ended in the future.
        let at = report.at.min(now);
        if at <= now - REMEMBERED {
            return Ok(false);
        }
        let known = self.sql.run(
            "SELECT state, person, model, nano_usd, at FROM model_call WHERE session = ?1 AND step = ?2",
            &[session.into(), report.step.into()],
        )?;
        if let Some(row) = known.first() {
            match row.text(0)? {
                "open" => {}
                "presumed" => self.enter(&Entry {
                    at: row.int(4)?,
                    person: row.int(1)?,
                    model: row.text(2)?,
                    calls: -1,
                    failed: false,
                    usage: Usage::default(),
                    nano_usd: -row.int(3)?,
                    assumed: true,
                })?,
                _ => return Ok(false),
            }
        }
        let model = report.model.to_string();
        let person = report.person.unwrap_or(NOBODY);
        let nano_usd = bounded(report.cost_nano_usd, MOST);
        self.enter(&Entry {
            at,
            person,
            model: &model,
            calls: 1,
            failed: report.failure.is_some(),
            usage: report.usage,
            nano_usd,
            assumed: report.assumed,
        })?;
        self.put_call("reported", &Call { session, step: report.step, person, model: &model, nano_usd, at })?;
        Ok(true)
    }

    /// Writes down a grant. An earlier one of the same step is replaced: its turn was taken up again.
    pub(super) fn open_call(
        &self,
        session: &str,
        reserve: &Reserve,
        model: &ModelRef,
        estimate: u64,
        now: i64,
    ) -> Result<(), DirectoryError> {
        let person = reserve.person.unwrap_or(NOBODY);
        let (model, nano_usd) = (model.to_string(), bounded(estimate, MOST));
        self.put_call("open", &Call { session, step: reserve.step, person, model: &model, nano_usd, at: now })
    }

    /// Counts the calls nothing was heard of at their estimates.
    pub(super) fn presume_unheard(&self, now: i64) -> Result<(), DirectoryError> {
        let unheard = self.sql.run(
            "UPDATE model_call SET state = 'presumed' WHERE state = 'open' AND at <= ?1 RETURNING at, person, model, nano_usd",
            &[(now - HEARD_WITHIN).into()],
        )?;
        for row in unheard {
            self.enter(&Entry {
                at: row.int(0)?,
                person: row.int(1)?,
                model: row.text(2)?,
                calls: 1,
                failed: false,
                usage: Usage::default(),
                nano_usd: row.int(3)?,
                assumed: true,
            })?;
        }
        Ok(())
    }

    /// The sums that caps are held against, as `person` would call. `except`, the step being asked for, is not counted
    /// as open: it would replace itself.
    pub(in crate::directory) fn spent(
        &self,
        person: Option<i64>,
        except: Option<(&str, i64)>,
        now: i64,
    ) -> Result<Spent, DirectoryError> {
        let person = person.unwrap_or(NOBODY);
        let (session, step) = except.unwrap_or(("", 0));
        let sums = self.sql.run(
            "SELECT coalesce(sum(CASE WHEN day = ?1 THEN nano_usd END), 0), coalesce(sum(nano_usd), 0), \
             coalesce(sum(CASE WHEN day = ?1 AND person = ?3 THEN nano_usd END), 0) FROM model_usage WHERE day >= ?2",
            &[day_of(now).into(), first_of_month(now).into(), person.into()],
        )?;
        let open = self.sql.run(
            "SELECT coalesce(sum(nano_usd), 0), coalesce(sum(CASE WHEN person = ?1 THEN nano_usd END), 0) \
             FROM model_call WHERE state = 'open' AND NOT (session = ?2 AND step = ?3)",
            &[person.into(), session.into(), step.into()],
        )?;
        let number = |row: Option<&Row>, index| -> Result<u64, DirectoryError> {
            Ok(row.map_or(Ok(0), |row| row.int(index))?.max(0).unsigned_abs())
        };
        Ok(Spent {
            day: number(sums.first(), 0)?,
            month: number(sums.first(), 1)?,
            person: number(sums.first(), 2)?,
            open: number(open.first(), 0)?,
            person_open: number(open.first(), 1)?,
        })
    }

    fn put_call(&self, state: &str, call: &Call<'_>) -> Result<(), DirectoryError> {
        self.sql.run(
            "INSERT INTO model_call (session, step, state, person, model, nano_usd, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (session, step) DO UPDATE SET state = excluded.state, person = excluded.person, \
             model = excluded.model, nano_usd = excluded.nano_usd, at = excluded.at",
            &[
                call.session.into(),
                call.step.into(),
                state.into(),
                call.person.into(),
                call.model.into(),
                call.nano_usd.into(),
                call.at.into(),
            ],
        )?;
        Ok(())
    }

    fn enter(&self, entry: &Entry<'_>) -> Result<(), DirectoryError> {
        let day = day_of(entry.at);
        let made = self.sql.run(
            "INSERT INTO model_usage (day, person, model, calls, failures, input, cached_input, output, thinking, nano_usd, \
             assumed_nano_usd) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (day, person, model) DO \
             UPDATE SET calls = calls + excluded.calls, failures = failures + excluded.failures, \
             input = input + excluded.input, cached_input = cached_input + excluded.cached_input, \
             output = output + excluded.output, thinking = thinking + excluded.thinking, \
             nano_usd = nano_usd + excluded.nano_usd, assumed_nano_usd = assumed_nano_usd + excluded.assumed_nano_usd \
             RETURNING calls",
            &[
                day.into(),
                entry.person.into(),
                entry.model.into(),
                entry.calls.into(),
                entry.failed.into(),
                bounded(entry.usage.input, MOST_TOKENS).into(),
                bounded(entry.usage.cached_input, MOST_TOKENS).into(),
                bounded(entry.usage.output, MOST_TOKENS).into(),
                bounded(entry.usage.thinking, MOST_TOKENS).into(),
                entry.nano_usd.into(),
                if entry.assumed { entry.nano_usd } else { 0 }.into(),
            ],
        )?;
        // The first call of a row is a good moment to let go of what is old: it comes a few times a day.
        if made.first().map(|row| row.int(0)).transpose()? == Some(1) {
            self.sql.run("DELETE FROM model_usage WHERE day <= ?1", &[(day - KEEP_DAYS).into()])?;
            self.sql.run("DELETE FROM model_call WHERE at <= ?1", &[(entry.at - REMEMBERED).into()])?;
        }
        Ok(())
    }
}

/// At most `most`, as the store's integer.
fn bounded(value: u64, most: u64) -> i64 {
    i64::try_from(value.min(most)).unwrap_or(i64::MAX)
}
