//! What rests after a failure, and what a model was found to refuse (providers.md §5.2).
//!
//! Not here: retries within one call; a conversation makes those itself and reports what was left.

use super::calendar::midnight_pacific;
use super::exchange::{CallReport, Failure};
use crate::directory::{DAY, Directory, DirectoryError, HOUR, MINUTE, word};
use crate::llm::{ErrorClass, Feature, ModelRef, Reset, Scope};
use crate::store::{Sql, StoreError};
use serde::Serialize;

/// Rest after a refused key. Then one call finds out whether it was renewed.
const AUTH_REST: i64 = HOUR;
/// Rest of a model that is gone or not in the plan. Catalogues change by the day.
const GONE_REST: i64 = DAY;
/// First rest after a used-up quota without a word about its end; doubles while it keeps failing.
const QUOTA_REST: i64 = HOUR;
const QUOTA_MOST: i64 = 6 * HOUR;
/// Rest after "too fast" without a word about its end.
const RATE_REST: i64 = MINUTE;
/// First rest after trouble that passes; grows by as much with each failure in a row.
const TRANSIENT_REST: i64 = 30_000;
const TRANSIENT_MOST: i64 = 5 * MINUTE;
/// Rest after trouble with a relay. Machines at home go and come, and one that is away costs nothing to ask.
const RELAY_REST: i64 = 15_000;
/// However long a provider asks us to wait, it is tried again after a day.
const MOST_ASKED: i64 = DAY;
/// A model that refused a feature may have learned it by now.
pub(in crate::directory) const WITHOUT_FOR: i64 = 30 * DAY;
/// What ended its rest so long ago and was not called again says nothing any more.
const FORGET_AFTER: i64 = 2 * DAY;

/// A rest that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rest {
    pub provider: String,
    /// Empty: the whole provider.
    pub model: String,
    pub class: ErrorClass,
    pub until: i64,
}

impl Rest {
    pub(super) fn concerns(&self, model: &ModelRef) -> bool {
        self.provider == model.provider && (self.model.is_empty() || self.model == model.model)
    }

    /// `provider` or `provider/model`.
    pub(super) fn name(&self) -> String {
        if self.model.is_empty() { self.provider.clone() } else { format!("{}/{}", self.provider, self.model) }
    }
}

/// What to do about a failure.
#[derive(Debug, PartialEq, Eq)]
enum Remedy {
    Nothing,
    Rest(Scope, i64),
    Without(Feature),
}

/// The remedy for `failure` at `at`, the `nth` in a row of its kind (from 1).
fn remedy(failure: &Failure, nth: i64, at: i64) -> Remedy {
    let asked = failure.retry_after_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX).min(MOST_ASKED));
    let scope = |usual| failure.scope.unwrap_or(usual);
    match failure.class {
        ErrorClass::Auth => Remedy::Rest(scope(Scope::Provider), at + AUTH_REST),
        ErrorClass::Quota => {
            let doubled = QUOTA_REST << (nth - 1).clamp(0, 8);
            let until = match failure.reset {
                Some(Reset::MidnightPacific) => midnight_pacific(at),
                None => at + asked.unwrap_or(doubled.min(QUOTA_MOST)),
            };
            Remedy::Rest(scope(Scope::Provider), until)
        }
        ErrorClass::Plan | ErrorClass::Retired => Remedy::Rest(scope(Scope::Model), at + asked.unwrap_or(GONE_REST)),
        ErrorClass::Rate => Remedy::Rest(scope(Scope::Model), at + asked.unwrap_or(RATE_REST)),
        ErrorClass::Transient if failure.relay => Remedy::Rest(Scope::Model, at + RELAY_REST),
        ErrorClass::Transient => {
            let rest = nth.saturating_mul(TRANSIENT_REST).min(TRANSIENT_MOST);
            Remedy::Rest(scope(Scope::Model), at + asked.unwrap_or(0).max(rest).min(TRANSIENT_MOST))
        }
        ErrorClass::BadRequest => failure.feature.map_or(Remedy::Nothing, Remedy::Without),
        ErrorClass::Empty | ErrorClass::Content | ErrorClass::Overflow => Remedy::Nothing,
    }
}

impl<S: Sql> Directory<S> {
    /// Learns from a report that was not counted before.
    pub(super) fn note_health(&self, report: &CallReport, now: i64) -> Result<(), DirectoryError> {
        let at = report.at.min(now);
        let ModelRef { provider, model } = &report.model;
        let Some(failure) = &report.failure else {
            // A call that ended before the last failure says nothing about what came after.
            self.sql.run(
                "DELETE FROM model_health WHERE provider = ?1 AND model IN ('', ?2) AND failed_at <= ?3",
                &[provider.as_str().into(), model.as_str().into(), at.into()],
            )?;
            return Ok(());
        };
        match remedy(failure, 1, at) {
            Remedy::Nothing => Ok(()),
            Remedy::Without(feature) => {
                self.sql.run(
                    "INSERT INTO model_without (model, feature, since) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (model, feature) DO UPDATE SET since = excluded.since",
                    &[report.model.to_string().into(), text(&feature)?.into(), at.into()],
                )?;
                Ok(())
            }
            Remedy::Rest(scope, _) => self.rest(failure, provider, if scope == Scope::Model { model } else { "" }, at),
        }
    }

    fn rest(&self, failure: &Failure, provider: &str, model: &str, at: i64) -> Result<(), DirectoryError> {
        let known = self.sql.run(
            "SELECT class, until, failures FROM model_health WHERE provider = ?1 AND model = ?2",
            &[provider.into(), model.into()],
        )?;
        let class = text(&failure.class)?;
        let mut nth = 1;
        let mut not_before = 0;
        if let Some(row) = known.first() {
            // Calls that were under way together fail together: only one after the rest counts as the next in a row.
            if row.text(0)? == class {
                nth = row.int(2)? + i64::from(row.int(1)? <= at);
            }
            not_before = row.int(1)?;
        }
        let Remedy::Rest(_, until) = remedy(failure, nth, at) else { return Ok(()) };
        // A shorter rest does not end a longer one for a graver reason.
        if not_before > until {
            return Ok(());
        }
        self.sql.run(
            "INSERT INTO model_health (provider, model, class, until, failures, failed_at, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) \
             ON CONFLICT (provider, model) DO UPDATE SET class = excluded.class, until = excluded.until, \
             failures = excluded.failures, failed_at = max(failed_at, excluded.failed_at)",
            &[provider.into(), model.into(), class.into(), until.into(), nth.into(), at.into()],
        )?;
        self.sql.run("DELETE FROM model_health WHERE until <= ?1", &[(at - FORGET_AFTER).into()])?;
        Ok(())
    }

    /// What rests at `now`, the soonest free first.
    pub(super) fn resting(&self, now: i64) -> Result<Vec<Rest>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT provider, model, class, until FROM model_health WHERE until > ?1 ORDER BY until, provider, model",
            &[now.into()],
        )?;
        let mut resting = Vec::new();
        for row in rows {
            // A word of a newer release: its reason is unknown here, its rest is not.
            let class = word(row.text(2)?).unwrap_or(ErrorClass::Transient);
            let (provider, model) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
            resting.push(Rest { provider, model, class, until: row.int(3)? });
        }
        Ok(resting)
    }

    /// Features `model` is known to refuse.
    pub(super) fn without(&self, model: &ModelRef, now: i64) -> Result<Vec<Feature>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT feature FROM model_without WHERE model = ?1 AND since > ?2 ORDER BY feature",
            &[model.to_string().into(), (now - WITHOUT_FOR).into()],
        )?;
        let mut features = Vec::new();
        for row in rows {
            features.extend(word::<Feature>(row.text(0)?));
        }
        Ok(features)
    }
}

/// An enum's word, as serde writes it.
fn text(value: &impl Serialize) -> Result<String, DirectoryError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        _ => Err(StoreError::Sql("this value is not a word".into()).into()),
    }
}
