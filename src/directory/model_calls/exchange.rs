//! What a conversation and the Directory say to each other around a model call, and about what was spent.
//!
//! Two releases may talk to each other for minutes: fields are only added, with `#[serde(default)]`. Pinned by tests.
//! Not here: how it is decided. Money is in 10⁻⁹ US dollars everywhere, times are Unix milliseconds.

use crate::directory::config::{ConfigMark, SessionConfig};
use crate::directory::{Activity, Event, Mark};
use crate::llm::{ErrorClass, Feature, ModelError, ModelRef, Reset, Scope, Usage};
use serde::{Deserialize, Deserializer, Serialize};

/// What a conversation tells and asks around a model call. One request both reports what became of earlier calls and
/// asks leave for the next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelAsk {
    /// The conversation's name, `{bot}:{chat_id}…`.
    pub session: String,
    /// Repeated until one of these requests was answered.
    #[serde(default)]
    pub reports: Vec<CallReport>,
    #[serde(default)]
    pub reserve: Option<Reserve>,
    /// What else happened there; `None`: nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// For the log that operators see; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// The configuration that conversation goes by. If another is live, it is told that one ([`Reserved::Reconfigure`]) instead of what it asked. `None`: it goes on with what it has, or is of a
    /// release that knows no configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigMark>,
}

/// Asks leave for one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// The step in that conversation's journal: with `session` it identifies the call.
    pub step: i64,
    /// Who caused it; `None` for nobody in particular.
    #[serde(default)]
    pub person: Option<i64>,
    /// In the order of preference.
    pub candidates: Vec<Candidate>,
}

/// A model that would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub model: ModelRef,
    /// What the call may cost at most: prompt estimate plus the answer's expected size.
    pub estimate_nano_usd: u64,
}

/// The answer to a [`Reserve`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reserved {
    /// Call it, and report.
    Granted {
        /// Index in the request.
        candidate: usize,
        /// Features this model is known to refuse.
        #[serde(default)]
        without: Vec<Feature>,
    },
    /// A cap would be passed; free again at `until`.
    Capped { cap: Cap, until: i64 },
    /// Another configuration is live: take it over and ask again. Only for who said which one it goes by.
    Reconfigure { config: Box<SessionConfig> },
}

/// What holds spending back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// Everybody's day.
    Day,
    /// Everybody's month.
    Month,
    /// This person's day.
    Person,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// As in its [`Reserve`].
    pub step: i64,
    #[serde(default)]
    pub person: Option<i64>,
    pub model: ModelRef,
    /// When it ended.
    pub at: i64,
    #[serde(default)]
    pub usage: Usage,
    pub cost_nano_usd: u64,
    /// The model's price is not known: the cost is an assumption.
    #[serde(default)]
    pub assumed: bool,
    /// `None`: it succeeded.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// Why a call failed, as far as it matters to the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub class: ErrorClass,
    /// How long the provider asked to wait.
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
    /// What the failure concerns, where the provider said so; `None`: what the class usually concerns.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// When the allowance comes back, with [`ErrorClass::Quota`]; goes before `retry_after_ms`, which misleads there.
    #[serde(default)]
    pub reset: Option<Reset>,
    /// What the model refused, with [`ErrorClass::BadRequest`].
    #[serde(default)]
    pub feature: Option<Feature>,
    /// It is a relay's: of a machine that may be back in a moment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relay: bool,
}

impl From<&ModelError> for Failure {
    fn from(error: &ModelError) -> Failure {
        Failure {
            class: error.class,
            retry_after_ms: error.retry_after_ms,
            scope: Some(error.scope),
            reset: error.reset,
            // Of the caller's own past, not of the model: signatures made from now on are good.
            feature: error.feature.filter(|feature| *feature != Feature::Signatures),
            relay: error.relay.is_some(),
        }
    }
}

/// The answer to a [`ModelAsk`]. Reports with an answer are recorded; repeating them does no harm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelAnswer {
    /// `None`: nothing was asked, or the answer is a word of a newer release.
    #[serde(default, deserialize_with = "known")]
    pub reserved: Option<Reserved>,
    /// How far the activity of this conversation is counted now; `None`: none came with the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Mark>,
}

/// The reports are heard, whatever the rest of the answer says.
fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Reserved>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(from)?).ok())
}

/// The most that may be spent. Zero is legal: then whatever costs anything is refused. Days and months are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    pub day_nano_usd: u64,
    pub month_nano_usd: u64,
    /// Each person's day; owners are not held to it.
    #[serde(default)]
    pub person_day_nano_usd: Option<u64>,
}

/// Who wants to know what was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageAsk {
    #[serde(default)]
    pub person: Option<i64>,
    /// Sees everybody's numbers.
    pub owner: bool,
}

/// What was used and spent: everybody's for an owner, else only the person's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageView {
    /// Whether these are everybody's numbers.
    pub owner: bool,
    /// Since midnight UTC.
    pub day: Totals,
    /// Since the first of the month, UTC.
    pub month: Totals,
    /// The caps this person may know of: an owner all three, others their own.
    #[serde(default)]
    pub caps: Option<Caps>,
    /// The person's own cap for a day, if they are held to one.
    #[serde(default)]
    pub person_cap_nano_usd: Option<u64>,
    /// The month's ten dearest.
    #[serde(default)]
    pub by_model: Vec<(ModelRef, Totals)>,
    /// The month's ten dearest, with their names; for owners only.
    #[serde(default)]
    pub by_person: Vec<(i64, String, Totals)>,
    /// What may not be called at the moment: `provider` or `provider/model`, until when, why.
    #[serde(default)]
    pub resting: Vec<(String, i64, ErrorClass)>,
}

/// Sums of the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    pub calls: u64,
    pub failures: u64,
    /// Tokens; the cached share included.
    pub input: u64,
    pub cached_input: u64,
    /// Tokens; thinking included.
    pub output: u64,
    pub thinking: u64,
    pub nano_usd: u64,
    /// The share of `nano_usd` that rests on an assumed price, or on a call of which nothing was heard.
    pub assumed_nano_usd: u64,
}
