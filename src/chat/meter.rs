//! Leave before every model call and a report after it: the Directory holds the caps, the ledger and the health of models.
//!
//! A report is stored with the step it is about and sent again until it was heard, so every call is counted once. While
//! a report is on its way its reservation stands, so no cap is passed meanwhile. Not here: what a cap or a rest means
//! (`directory::model_calls`), what to do without leave (`run`).

use std::collections::BTreeSet;

use serde_json::json;

use super::context::estimate_prompt;
use super::conversation::Conversation;
use super::model_call::{End, Heard};
use super::ports::Ports;
use super::turn;
use crate::directory::config::ConfigMark;
use crate::directory::{CallReport, Candidate, Cap, Failure, ModelAnswer, ModelAsk, Reserve, Reserved};
use crate::llm::catalogue::{cost_nano_usd, estimate_nano_usd};
use crate::llm::tokens::{self, estimate};
use crate::llm::{Feature, MediaRef, ModelError, ModelRef, PartKind, Prompt, Usage};
use crate::store::{Sql, StoreError, to_json};

/// Tries to reach the Directory before a call is given up, and the pause between them in milliseconds.
const TRIES: u32 = 3;
const PAUSE_MS: i64 = 300;
/// A report of a success waits so long for the next question to ride with; a failure is told at once, because it concerns
/// other conversations too. Meanwhile its reservation stands.
pub(super) const RIDE_MS: i64 = 5_000;
/// What the Directory did not hear is sent again after so long.
pub(super) const AGAIN_MS: i64 = 60_000;
/// Requests in a row; what is left then waits a little.
const MAX_ROUNDS: u32 = 20;
/// Reports in one request.
const MAX_REPORTS: i64 = 50;
/// How often the configuration is taken over before one call; after that the call is made by what is there. Two releases
/// of the Directory, or an operator who saves again and again, must not keep a person waiting.
pub(super) const MOST_NEWS: u32 = 3;
/// Tokens an answer is expected to have at most, for the estimate before the call.
pub(super) const EXPECTED_OUTPUT: u64 = 4_096;

/// Leave for one call: the model, and the step that names the reservation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leave {
    pub step: i64,
    pub person: Option<i64>,
    pub model: ModelRef,
    /// What the model is known to refuse.
    pub without: BTreeSet<Feature>,
}

/// Why there is no leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoLeave {
    /// A cap would be passed; free again at that time (ms).
    Capped { cap: Cap, until: i64 },
    /// The Directory cannot be reached. Without it nothing is spent.
    Unknown,
    /// Another configuration is live. It was taken over: ask again by it.
    Reconfigured,
}

/// Who asks for a call, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    /// The turn in whose journal the call goes; 0 for none.
    pub turn: i64,
    /// Kind of the step: `model`, `compact`, `transcribe`.
    pub kind: &'a str,
    pub person: Option<i64>,
}

/// What became of a call.
#[derive(Debug, Default)]
pub(super) struct Ended<'a> {
    /// `done`, `failed` or `stopped`.
    pub state: &'a str,
    pub usage: Usage,
    /// True: `usage` is a guess, because the call was cut before the server told.
    pub guessed: bool,
    pub error: Option<&'a ModelError>,
    /// AI Gateway's name for the call.
    pub log_id: Option<&'a str>,
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Asks leave to call the first of `models` that may be called, for a prompt of about `input` tokens. Journals the
    /// step either way. `goes_by`: the configuration that models and prompt are made by; `None`: they are
    /// not to change any more.
    pub(super) async fn ask_leave(
        &self,
        caller: Caller<'_>,
        models: &[ModelRef],
        input: u64,
        goes_by: Option<ConfigMark>,
    ) -> Result<Result<Leave, NoLeave>, StoreError> {
        let step = turn::ask_step(&self.sql, caller.turn, caller.kind, self.ports.now())?;
        let candidates = models
            .iter()
            .map(|model| Candidate { model: model.clone(), estimate_nano_usd: self.estimate_cost(model, input) });
        let reserve = Reserve { step, person: caller.person, candidates: candidates.collect() };
        let mut reserved = None;
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.ports.sleep(PAUSE_MS).await;
            }
            reserved = self.tell_directory(Some(reserve.clone()), goes_by).await?.and_then(|answer| answer.reserved);
            if reserved.is_some() {
                break;
            }
        }
        let (refusal, note) = match reserved {
            Some(Reserved::Granted { candidate, without }) => match models.get(candidate) {
                Some(model) => {
                    turn::call_step(&self.sql, step, &model.to_string())?;
                    let without = without.into_iter().collect();
                    return Ok(Ok(Leave { step, person: caller.person, model: model.clone(), without }));
                }
                None => (NoLeave::Unknown, "no such candidate"),
            },
            Some(Reserved::Capped { cap, until }) => (NoLeave::Capped { cap, until }, "over the cap"),
            Some(Reserved::Reconfigure { config }) if goes_by.is_some() => {
                turn::config_step(&self.sql, step, config.mark.version, self.ports.now())?;
                self.take_over(*config)?;
                return Ok(Err(NoLeave::Reconfigured));
            }
            Some(Reserved::Reconfigure { .. }) => (NoLeave::Unknown, "told a configuration that was not asked for"),
            None => (NoLeave::Unknown, "the Directory did not answer"),
        };
        turn::end_step(&self.sql, step, "refused", note, self.ports.now())?;
        Ok(Err(refusal))
    }

    /// The same for a call whose prompt is the same by any configuration.
    pub(super) async fn ask_leave_by_any(
        &self,
        caller: Caller<'_>,
        models: &dyn Fn() -> Vec<ModelRef>,
        input: u64,
    ) -> Result<Result<Leave, NoLeave>, StoreError> {
        for _ in 0..MOST_NEWS {
            match self.ask_leave(caller, &models(), input, Some(self.agent().mark())).await? {
                Err(NoLeave::Reconfigured) => {}
                decided => return Ok(decided),
            }
        }
        self.ask_leave(caller, &models(), input, None).await
    }

    /// Journals how the call of `step` ended, and stores what the Directory is to hear of it. `step` is `leave.step` or
    /// that of a later try under the same leave.
    pub(super) fn close_call(&self, leave: &Leave, step: i64, ended: &Ended<'_>) -> Result<(), StoreError> {
        let now = self.ports.now();
        let (cost, assumed) = self.cost(&leave.model, &ended.usage);
        let report = CallReport {
            step: leave.step,
            person: leave.person,
            model: leave.model.clone(),
            at: now,
            usage: ended.usage,
            cost_nano_usd: cost,
            assumed: assumed || ended.guessed,
            failure: ended.error.map(Failure::from),
        };
        let (written, heard) = self.live.reports.get();
        self.tell_by(if ended.error.is_some() { now } else { now + RIDE_MS });
        self.live.reports.set((written + 1, heard));
        turn::end_call(&self.sql, step, ended.state, &detail_of(ended, Some(cost)), &to_json(&report)?, now)
    }

    /// Journals how one try ended that is followed by another under the same leave.
    pub(super) fn end_try(&self, step: i64, ended: &Ended<'_>) -> Result<(), StoreError> {
        turn::end_step(&self.sql, step, ended.state, &detail_of(ended, None), self.ports.now())
    }

    /// The Directory is to hear what waits at `by`, or sooner if it was to hear of something sooner.
    pub(super) fn tell_by(&self, by: i64) {
        let by = if self.has_reports() { by.min(self.live.report_by.get()) } else { by };
        self.live.report_by.set(by);
    }

    /// Sends reports and news that wait. What is not heard stays, and the alarm tries again.
    pub(super) async fn send_reports(&self) -> Result<(), StoreError> {
        for _ in 0..MAX_ROUNDS {
            if !self.has_reports() {
                return Ok(());
            }
            if self.tell_directory(None, None).await?.is_none() {
                return Ok(());
            }
        }
        self.live.report_by.set(self.ports.now() + RIDE_MS);
        Ok(())
    }

    /// Takes over the live configuration, if it is another one and the Directory tells within `ms` milliseconds.
    pub(super) async fn learn_config(&self, ms: i64) -> Result<(), StoreError> {
        let told = self.in_time(ms, self.tell_directory(None, Some(self.agent().mark()))).await.transpose()?;
        match told.flatten().and_then(|answer| answer.reserved) {
            Some(Reserved::Reconfigure { config }) => self.take_over(*config),
            _ => Ok(()),
        }
    }

    /// One request: all reports that wait, a question, and the configuration gone by, if another one would be taken
    /// over. `None`: not heard.
    async fn tell_directory(
        &self,
        reserve: Option<Reserve>,
        config: Option<ConfigMark>,
    ) -> Result<Option<ModelAnswer>, StoreError> {
        let (written, heard) = self.live.reports.get();
        let rows = if written != heard { turn::reports(&self.sql, MAX_REPORTS)? } else { Vec::new() };
        let all = (rows.len() as i64) < MAX_REPORTS;
        let events = self.live.events.take();
        // With a question alone nothing rides: the news of its message can wait, the question cannot.
        let rides = (reserve.is_none() && config.is_none()) || written != heard;
        let news = if rides && self.has_news() { self.news() } else { None };
        if rows.is_empty() && reserve.is_none() && config.is_none() && news.is_none() && events.list().is_empty() {
            self.note_heard(written);
            return Ok(Some(ModelAnswer::default()));
        }
        let reports = rows.iter().filter_map(|(_, json)| serde_json::from_str(json).ok()).collect();
        let session = self.session().unwrap_or_default();
        let (activity, upto) = news.unzip();
        let ask = ModelAsk { session, reports, reserve, activity, events: events.list().to_vec(), config };
        let answer = self.ports.directory("/model", to_json(&ask)?).await;
        let answer: Option<ModelAnswer> = answer.and_then(|json| serde_json::from_str(&json).ok());
        if let Some(answer) = &answer {
            events.heard();
            if let Some(upto) = upto {
                self.note_counted(&upto, answer.counted);
            }
            if let Some((last, _)) = rows.last() {
                turn::heard(&self.sql, *last)?;
            }
            if all {
                self.note_heard(written);
            }
        } else {
            self.live.report_by.set(self.ports.now() + AGAIN_MS);
        }
        Ok(answer)
    }

    /// Whether the Directory may have something to hear.
    pub(super) fn has_reports(&self) -> bool {
        let (written, heard) = self.live.reports.get();
        written != heard || self.has_news() || self.live.events.press()
    }

    /// It has heard the first `count` reports of this instance; more may have been written meanwhile.
    fn note_heard(&self, count: u64) {
        self.live.reports.set((self.live.reports.get().0, count));
    }

    /// What a call of `model` may cost, 10⁻⁹ US dollars.
    fn estimate_cost(&self, model: &ModelRef, input: u64) -> u64 {
        estimate_nano_usd(&self.facts(model).price, input, EXPECTED_OUTPUT, self.ports.now())
    }

    /// What `usage` cost, and whether its price is only assumed.
    pub(super) fn cost(&self, model: &ModelRef, usage: &Usage) -> (u64, bool) {
        let price = self.facts(model).price;
        (cost_nano_usd(&price, usage, self.ports.now()), price.assumed && usage.cost_nano_usd.is_none())
    }
}

/// Estimated tokens of a prompt with its files, for the leave.
pub(super) fn prompt_tokens(prompt: &Prompt) -> u64 {
    u64::from(estimate_prompt(prompt)) + files_in(prompt).map(tokens::of_file).sum::<u64>()
}

pub(super) fn files_in(prompt: &Prompt) -> impl Iterator<Item = &MediaRef> {
    prompt.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match &part.kind {
        PartKind::Media(media) => Some(media),
        _ => None,
    })
}

/// What a call consumed, and whether that is a guess because the server did not tell. A call that brought nothing was
/// refused or broken off before a word: nobody bills that.
pub(super) fn consumed(prompt: &Prompt, heard: &Heard) -> (Usage, bool) {
    if let Some(usage) = heard.answer.usage() {
        return (usage, false);
    }
    let output = estimate(&heard.answer.text()) + estimate(&heard.answer.thought());
    if output == 0 && !matches!(heard.end, End::Complete) {
        return (Usage::default(), false);
    }
    (Usage { input: prompt_tokens(prompt), output: output.into(), ..Usage::default() }, true)
}

/// What the journal keeps of how a call ended. `cost`: 10⁻⁹ US dollars, with the last try under a leave.
fn detail_of(ended: &Ended<'_>, cost: Option<u64>) -> String {
    if let Some(error) = ended.error {
        return format!("{:?}: {}", error.class, error.detail);
    }
    let mut detail = serde_json::to_value(ended.usage).unwrap_or_default();
    if let Some(fields) = detail.as_object_mut() {
        fields.extend(ended.log_id.map(|log_id| ("log_id".to_owned(), json!(log_id))));
        fields.extend(cost.map(|cost| ("nano_usd".to_owned(), json!(cost))));
    }
    detail.to_string()
}
