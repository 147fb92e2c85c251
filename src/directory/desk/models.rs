//! What the control plane asks about models and spend, and does about them.
//!
//! A test call ("ping") is made by the control plane itself, with leave from here and a report to here, as a
//! conversation makes its calls: it counts, and the caps hold. Not here: the chain of the environment, keys, the call.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Desk, Refused, view};
use crate::directory::{
    CallReport, Candidate, Caps, Directory, DirectoryError, ModelAsk, Reserve, Reserved, Totals, UsageAsk, word,
};
use crate::llm::{ErrorClass, Feature, ModelRef};
use crate::store::Sql;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelsAsk {
    /// A [`ModelsState`].
    State,
    /// A [`Spend`](crate::directory::Spend) of so many days.
    Spend { days: i64 },
    /// Leave for a test call on behalf of `bot`, whose owners hear of caps; a [`Leave`].
    Leave { bot: String, candidate: Candidate },
    /// What became of it; a [`Heard`].
    Report { bot: String, report: CallReport },
    /// Ends the rest of a model, or with `None` that of the whole provider; a [`Cleared`].
    ClearRest { provider: String, model: Option<String> },
}

/// What the Directory knows of models. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelsState {
    /// The live version of the configuration; 0: the environment alone.
    pub config: i64,
    /// What the document says instead of `DEFAULT_MODEL`.
    pub default: Option<ModelRef>,
    /// Instead of `FALLBACK_MODELS`.
    pub fallbacks: Option<Vec<ModelRef>>,
    /// Instead of `MODEL_CATALOGUE`.
    pub catalogue: Option<Value>,
    /// Models of agents.
    pub of_agents: Vec<ModelRef>,
    /// The caps that hold.
    pub caps: Caps,
    pub today: Totals,
    pub month: Totals,
    /// What may not be called now, the soonest free first.
    pub resting: Vec<Resting>,
    /// What models were found to refuse, newest first.
    pub without: Vec<Without>,
}

/// A provider or model that rests after a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resting {
    pub provider: String,
    /// `None`: the whole provider.
    pub model: Option<String>,
    pub class: ErrorClass,
    pub until: i64,
    /// Failures in a row.
    pub failures: i64,
    pub failed_at: i64,
}

/// A feature that requests to a model leave out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Without {
    /// As `provider/model`.
    pub model: String,
    pub feature: Feature,
    pub since: i64,
}

/// Whether a test call may be made, and its number for the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leave {
    pub step: i64,
    pub reserved: Option<Reserved>,
}

/// The report was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    pub heard: bool,
}

/// Whether anything rested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    pub changed: bool,
}

impl<S: Sql> Directory<S> {
    /// Answers one question about models, as JSON.
    pub(super) fn models_desk(&self, ask: &ModelsAsk, desk: &Desk<'_>) -> Result<String, Refused> {
        match ask {
            ModelsAsk::State => view(&self.models_state(desk)?),
            ModelsAsk::Spend { days } => view(&self.spend(*days, desk.now)?),
            ModelsAsk::Leave { bot, candidate } => view(&self.leave_for_test(bot, candidate, desk)?),
            ModelsAsk::Report { bot, report } => {
                let ask = ModelAsk { session: test_session(bot), reports: vec![report.clone()], ..ModelAsk::default() };
                self.model_call(&ask, desk.caps, desk.cfg, desk.now)?;
                view(&Heard { heard: true })
            }
            ModelsAsk::ClearRest { provider, model } => view(&self.clear_rest(provider, model.as_deref(), desk)?),
        }
    }

    fn models_state(&self, desk: &Desk<'_>) -> Result<ModelsState, Refused> {
        let everybody = UsageAsk { person: None, owner: true };
        let usage = self.usage(&everybody, desk.caps, desk.cfg, desk.now)?;
        let (config, document) = self.live()?.unwrap_or_default();
        let agents = document.agents.into_values();
        let mut of_agents: Vec<ModelRef> =
            agents.flat_map(|agent| agent.model.into_iter().chain(agent.fallbacks.unwrap_or_default())).collect();
        of_agents.sort();
        of_agents.dedup();
        Ok(ModelsState {
            config,
            default: document.models.default,
            fallbacks: document.models.fallbacks,
            catalogue: document.models.catalogue,
            of_agents,
            caps: self.caps(desk.caps)?,
            today: usage.day,
            month: usage.month,
            resting: self.rests(desk.now)?,
            without: self.features_refused(desk.now)?,
        })
    }

    fn rests(&self, now: i64) -> Result<Vec<Resting>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT provider, model, class, until, failures, failed_at FROM model_health WHERE until > ?1 \
             ORDER BY until, provider, model LIMIT 500",
            &[now.into()],
        )?;
        let mut rests = Vec::new();
        for row in &rows {
            rests.push(Resting {
                provider: row.text(0)?.to_owned(),
                model: Some(row.text(1)?.to_owned()).filter(|model| !model.is_empty()),
                // A word of a newer release: its reason is unknown here, its rest is not.
                class: word(row.text(2)?).unwrap_or(ErrorClass::Transient),
                until: row.int(3)?,
                failures: row.int(4)?,
                failed_at: row.int(5)?,
            });
        }
        Ok(rests)
    }

    fn features_refused(&self, now: i64) -> Result<Vec<Without>, DirectoryError> {
        let rows = self.sql.run(
            "SELECT model, feature, since FROM model_without WHERE since > ?1 ORDER BY since DESC, model, feature LIMIT 500",
            &[(now - crate::directory::WITHOUT_FOR).into()],
        )?;
        let mut features = Vec::new();
        for row in &rows {
            if let Some(feature) = word(row.text(1)?) {
                features.push(Without { model: row.text(0)?.to_owned(), feature, since: row.int(2)? });
            }
        }
        Ok(features)
    }

    fn leave_for_test(&self, bot: &str, candidate: &Candidate, desk: &Desk<'_>) -> Result<Leave, Refused> {
        // 48 random bits: two calls at once are two calls.
        let step = desk.random.iter().take(6).fold(0, |step: i64, byte| step << 8 | i64::from(*byte));
        let reserve = Reserve { step, person: None, candidates: vec![candidate.clone()] };
        let ask = ModelAsk { session: test_session(bot), reserve: Some(reserve), ..ModelAsk::default() };
        let answer = self.model_call(&ask, desk.caps, desk.cfg, desk.now)?;
        self.audit(Some(bot), desk.who, "ping", &candidate.model.to_string(), desk.now)?;
        Ok(Leave { step, reserved: answer.reserved })
    }

    fn clear_rest(&self, provider: &str, model: Option<&str>, desk: &Desk<'_>) -> Result<Cleared, Refused> {
        let gone = self.sql.run(
            "DELETE FROM model_health WHERE provider = ?1 AND model = ?2 RETURNING until",
            &[provider.into(), model.unwrap_or_default().into()],
        )?;
        if gone.is_empty() {
            return Ok(Cleared { changed: false });
        }
        let subject = model.map_or_else(|| provider.to_owned(), |model| format!("{provider}/{model}"));
        self.audit(None, desk.who, "clear_rest", &subject, desk.now)?;
        Ok(Cleared { changed: true })
    }
}

/// Test calls as the ledger knows them; no conversation has such a name.
fn test_session(bot: &str) -> String {
    format!("{bot}:ping")
}
