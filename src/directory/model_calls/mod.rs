//! Leave to call a model: budgets, what rests after a failure, and the ledger of what was used.
//!
//! Not here: prices (`llm::catalogue`; a conversation computes costs, the Directory adds them up) and the calls.
//! Rules: providers.md §5.2, DESIGN §3.9, `docs/decisions/010-one-place-grants-model-calls.md`.
//!
//! | file | holds |
//! |---|---|
//! | [`exchange`] | questions and answers, as they travel |
//! | `caps` | budgets as operators write them |
//! | `ledger` | each call once, and the sums |
//! | `health` | what rests, what a model refuses |
//! | `decide` | which candidate is granted |
//! | `tell` | what owners hear, once |
//! | `usage` | the numbers for `/usage` |
//! | `calendar` | days and months |

mod calendar;
mod caps;
mod decide;
pub mod exchange;
mod health;
mod ledger;
mod tell;
mod usage;

pub(super) use self::calendar::day_of;
use self::decide::{Situation, decide};
use self::tell::Budget;
use super::{Config, Directory, DirectoryError};
use crate::llm::ErrorClass;
use crate::store::{Sql, StoreError, all_or_nothing};
use crate::text::usage::Span;
use exchange::{Cap, Caps, ModelAnswer, ModelAsk, Reserve, Reserved};

impl<S: Sql> Directory<S> {
    /// Records what became of earlier calls and decides about the next, all or nothing. What owners have to hear is in
    /// the outbox afterwards.
    pub fn model_call(
        &self,
        ask: &ModelAsk,
        caps: &Caps,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<ModelAnswer, DirectoryError> {
        let fresh = self.fresh.borrow().len();
        let steps = || {
            let mut counted = Vec::new();
            let answer = self.model_call_steps(ask, caps, cfg, now, &mut counted)?;
            self.note_events(&ask.session, &ask.events, now)?;
            self.count(ask, &counted)?;
            Ok(answer)
        };
        let done = all_or_nothing(&self.sql, || steps().map_err(|error: DirectoryError| StoreError::from(error)));
        if done.is_err() {
            // What memory holds of it was not rolled back with the rows.
            self.counters.take();
            self.fresh.borrow_mut().truncate(fresh);
        }
        Ok(done?)
    }

    fn model_call_steps(
        &self,
        ask: &ModelAsk,
        caps: &Caps,
        cfg: &Config<'_>,
        now: i64,
        counted: &mut Vec<i64>,
    ) -> Result<ModelAnswer, DirectoryError> {
        let bot = ask.session.split(':').next().unwrap_or_default();
        for report in &ask.reports {
            if !self.count_report(&ask.session, report, now)? {
                continue;
            }
            counted.push(report.step);
            self.note_health(report, now)?;
            if report.failure.as_ref().is_some_and(|failure| failure.class == ErrorClass::Auth) {
                self.tell_key_refused(bot, &report.model.provider, cfg, now)?;
            }
        }
        if ask.reserve.is_none() && ask.reports.iter().all(|report| report.cost_nano_usd == 0) {
            // Nothing is asked and nothing was spent.
            return Ok(ModelAnswer { reserved: None });
        }
        self.presume_unheard(now)?;
        let person = ask.reserve.as_ref().and_then(|reserve| reserve.person);
        let step = ask.reserve.as_ref().map(|reserve| (ask.session.as_str(), reserve.step));
        let spent = self.spent(person, step, now)?;
        let reserved = match &ask.reserve {
            Some(reserve) => self.reserve(&ask.session, reserve, spent, caps, cfg, now)?,
            None => None,
        };
        let refused = |by| matches!(reserved, Some(Reserved::Capped { cap, .. }) if cap == by);
        for budget in [
            Budget { span: Span::Day, spent: spent.day, cap: caps.day_nano_usd, refused: refused(Cap::Day) },
            Budget { span: Span::Month, spent: spent.month, cap: caps.month_nano_usd, refused: refused(Cap::Month) },
        ] {
            self.tell_budget(bot, &budget, cfg, now)?;
        }
        Ok(ModelAnswer { reserved })
    }

    fn reserve(
        &self,
        session: &str,
        reserve: &Reserve,
        spent: ledger::Spent,
        caps: &Caps,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<Option<Reserved>, DirectoryError> {
        let capped_person = match reserve.person {
            Some(person) if caps.person_day_nano_usd.is_some() => !self.is_owner(person, cfg)?,
            _ => false,
        };
        let resting = self.resting(now)?;
        let decided = decide(&reserve.candidates, &Situation { spent, caps, capped_person, resting: &resting, now });
        let Some(Reserved::Granted { candidate, .. }) = decided else { return Ok(decided) };
        let Some(chosen) = reserve.candidates.get(candidate) else { return Ok(decided) };
        self.open_call(session, reserve, &chosen.model, chosen.estimate_nano_usd, now)?;
        Ok(Some(Reserved::Granted { candidate, without: self.without(&chosen.model, now)? }))
    }
}

impl From<DirectoryError> for StoreError {
    /// For [`all_or_nothing`]: within a model call nothing but the store can fail.
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Store(error) => error,
            other => StoreError::Sql(other.to_string()),
        }
    }
}
