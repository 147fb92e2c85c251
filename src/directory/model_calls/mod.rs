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
//! | `usage`, `spend` | the numbers for `/usage`, and for charts |
//! | `calendar` | days and months |

mod calendar;
mod caps;
mod decide;
pub mod exchange;
mod health;
mod ledger;
mod spend;
mod tell;
mod usage;

pub(super) use self::calendar::day_of;
pub use self::caps::parse_usd;
use self::decide::{Situation, decide};
pub(super) use self::health::WITHOUT_FOR;
pub use self::spend::{DaySpend, MAX_DAYS, ModelSpend, PersonSpend, Spend};
use self::tell::Budget;
use super::{Config, Directory, DirectoryError};
use crate::llm::ErrorClass;
use crate::store::{Sql, StoreError, all_or_nothing};
use crate::text::usage::Span;
use exchange::{Cap, Caps, ModelAnswer, ModelAsk, Reserve, Reserved};

impl<S: Sql> Directory<S> {
    /// Records what became of earlier calls and decides about the next, all or nothing. What owners have to hear is in
    /// the outbox afterwards. `caps`: those of the environment; the configuration document goes before them.
    pub fn model_call(
        &self,
        ask: &ModelAsk,
        caps: &Caps,
        cfg: &Config<'_>,
        now: i64,
    ) -> Result<ModelAnswer, DirectoryError> {
        let caps = self.caps(caps)?;
        let fresh = self.fresh.borrow().len();
        let done = all_or_nothing(&self.sql, || self.model_call_steps(ask, &caps, cfg, now).map_err(StoreError::from));
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
    ) -> Result<ModelAnswer, DirectoryError> {
        let bot = ask.session.split(':').next().unwrap_or_default();
        let noted = match &ask.activity {
            Some(activity) => Some(self.note_activity(&ask.session, activity, now)?),
            None => None,
        };
        let counted = noted.map(|noted| noted.mark);
        let mut ended = Vec::new();
        for report in &ask.reports {
            if !self.count_report(&ask.session, report, now)? {
                continue;
            }
            ended.push(report);
            self.note_health(report, now)?;
            if report.failure.as_ref().is_some_and(|failure| failure.class == ErrorClass::Auth) {
                self.tell_key_refused(bot, &report.model.provider, cfg, now)?;
            }
        }
        self.note_events(&ask.session, &ask.events, now)?;
        self.count(&ended, ask.activity.as_ref().filter(|_| noted.is_some_and(|noted| noted.fresh)))?;
        let news = match ask.config {
            Some(known) => self.config_news(&ask.session, known)?,
            None => None,
        };
        let news = news.map(|config| Reserved::Reconfigure { config: Box::new(config) });
        let reserve = ask.reserve.as_ref().filter(|_| news.is_none());
        if reserve.is_none() && ask.reports.iter().all(|report| report.cost_nano_usd == 0) {
            // Nothing more is asked and nothing was spent.
            return Ok(ModelAnswer { reserved: news, counted });
        }
        self.presume_unheard(now)?;
        let person = reserve.and_then(|reserve| reserve.person);
        let step = reserve.map(|reserve| (ask.session.as_str(), reserve.step));
        let spent = self.spent(person, step, now)?;
        let reserved = match reserve {
            Some(reserve) => self.reserve(&ask.session, reserve, spent, caps, cfg, now)?,
            None => news,
        };
        let refused = |by| matches!(reserved, Some(Reserved::Capped { cap, .. }) if cap == by);
        for budget in [
            Budget { span: Span::Day, spent: spent.day, cap: caps.day_nano_usd, refused: refused(Cap::Day) },
            Budget { span: Span::Month, spent: spent.month, cap: caps.month_nano_usd, refused: refused(Cap::Month) },
        ] {
            self.tell_budget(bot, &budget, cfg, now)?;
        }
        Ok(ModelAnswer { reserved, counted })
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
        let person_cap = self.held_to(reserve.person, caps, cfg)?;
        let resting = self.resting(now)?;
        let decided = decide(&reserve.candidates, &Situation { spent, caps, person_cap, resting: &resting, now });
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
