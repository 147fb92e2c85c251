//! One run of a turn: model calls until there is an answer, with what to do about each failure (providers.md §5.2).
//!
//! A run walks a chain: the conversation's model, then the fallbacks. Each call needs leave (`meter`), which also says
//! which model of the chain may be called. The same model is tried again for what should pass, the next one for the
//! rest. Not here: the call itself (`model_call`), the prompt (`context`), what is sent at the end (`finish`).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures::future::{Either, select};
use std::pin::pin;

use super::agent::Agent;
use super::context::estimate_prompt;
use super::conversation::Conversation;
use super::failure::{retry_pause, trouble_of, trouble_of_refusal};
use super::finish::Said;
use super::meter::{Caller, Ended, Leave, MOST_NEWS, NoLeave, consumed, files_in, prompt_tokens};
use super::model_call::{End, Heard};
use super::ports::Ports;
use super::tools::Loop;
use super::transcript;
use super::turn::{self, MAX_ATTEMPTS, Turn};
use crate::directory::Level;
use crate::llm::{ErrorClass, Feature, Finish, Message, ModelError, ModelRef, Prompt, Usage};
use crate::store::{Sql, StoreError};
use crate::text::trouble::Trouble;

/// Most an answer may have, thinking included, tokens. Servers of unknown make refuse more than their models can.
const MAX_OUTPUT: u32 = 8_192;

/// What a run remembers from call to call.
#[derive(Debug)]
struct Run {
    /// Who answers, to the end of the turn.
    agent: Rc<Agent>,
    /// A model was called for this turn: a configuration that comes now is for the next.
    begun: bool,
    /// How often a configuration was taken over.
    news: u32,
    /// Models not tried in vain yet, in the order of preference.
    chain: Vec<ModelRef>,
    /// What a model was found to refuse during this run.
    refused: BTreeMap<ModelRef, BTreeSet<Feature>>,
    /// The history was folded because it did not fit: not a second time.
    compacted: bool,
    /// Stored signatures were refused: not a second time.
    unsigned: bool,
    /// Rounds of tool calls so far.
    tools: Loop,
    said: Said,
    /// The first failure, which is the one to tell, and what had been said by then.
    failed: Option<(Trouble, String, String)>,
}

impl Run {
    fn new(agent: Rc<Agent>, begun: bool) -> Run {
        Run {
            agent,
            begun,
            news: 0,
            chain: Vec::new(),
            refused: BTreeMap::new(),
            compacted: false,
            unsigned: false,
            tools: Loop::default(),
            said: Said::default(),
            failed: None,
        }
    }
}

/// A whole answer.
pub(super) struct Answered {
    pub heard: Heard,
    pub finish: Finish,
    pub step: i64,
    /// Of all tries under the leave.
    pub usage: Usage,
    pub guessed: bool,
}

impl Answered {
    pub fn ended(&self) -> Ended<'_> {
        Ended {
            state: "done",
            usage: self.usage,
            guessed: self.guessed,
            error: None,
            log_id: self.heard.log_id.as_deref(),
        }
    }
}

/// How the tries of one model ended.
enum Tried {
    Answered(Box<Answered>),
    /// All is written down.
    Over,
    /// `said`: what came before it failed.
    Failed {
        error: ModelError,
        trouble: Trouble,
        said: String,
    },
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) async fn run_turn(&self, mut turn: Turn) -> Result<(), StoreError> {
        if turn.stop_requested {
            return self.end_stopped(&turn, "");
        }
        if turn.attempts > MAX_ATTEMPTS {
            return self.end_failed(&turn, "", Trouble::GaveUp, "cut three times");
        }
        let begun = turn.attempts > 1 && turn::was_called(&self.sql, turn.id)?;
        if !self.fetch_files(&mut turn, begun).await? {
            return Ok(());
        }
        let mut run = Run::new(self.agent(), begun);
        run.chain = self.chain(&turn.model);
        let give_up_at = self.ports.now() + run.agent.deadlines.total;
        loop {
            if !run.begun {
                self.choose_model(&mut turn)?;
                run.agent = self.agent();
                run.chain = self.chain(&turn.model);
            }
            if run.chain.is_empty() || (run.failed.is_some() && self.ports.now() >= give_up_at) {
                let (trouble, said, reason) =
                    run.failed.unwrap_or((Trouble::NoProvider, String::new(), "no provider is set up".to_owned()));
                return self.end_failed(&turn, &said, trouble, &reason);
            }
            let mut prompt = self.with_files(self.prompt_for(&turn, &run.agent).await?, &turn.model)?;
            let caller = Caller { turn: turn.id, kind: "model", person: turn.user_id };
            let goes_by = (!run.begun && run.news < MOST_NEWS).then(|| run.agent.mark());
            let leave = match self.ask_leave(caller, &run.chain, prompt_tokens(&prompt), goes_by).await? {
                Ok(leave) => leave,
                Err(NoLeave::Reconfigured) => {
                    run.news += 1;
                    continue;
                }
                Err(refusal) => return self.end_without_leave(&turn, &run.said.with(""), refusal),
            };
            run.begun = true;
            if leave.model != turn.model {
                // Another model takes other files.
                prompt = self.with_files(self.prompt_for(&turn, &run.agent).await?, &leave.model)?;
            }
            let prompt = self.fit(prompt, &leave, &run);
            let sent = estimate_prompt(&prompt);
            match self.try_model(&mut turn, &leave, &prompt, sent, &mut run).await? {
                Tried::Over => return Ok(()),
                Tried::Answered(answered) => {
                    run.said.count(&answered.usage, self.cost(&leave.model, &answered.usage));
                    if answered.heard.answer.calls().next().is_none() {
                        return self.end_answered(&turn, &leave, *answered, &run.said);
                    }
                    if !run.tools.begin_round() {
                        self.close_call(&leave, answered.step, &answered.ended())?;
                        let said = run.said.with(&answered.heard.answer.text());
                        return self.end_failed(&turn, &said, Trouble::Loop, "called tools without end");
                    }
                    self.use_tools(&turn, &leave, &answered, &mut run)?;
                }
                Tried::Failed { error, trouble, said } => {
                    if error.class == ErrorClass::Content {
                        return self.end_failed(&turn, &said, trouble, &error.detail);
                    }
                    let again = self.mend(&turn, sent, &leave, &error, &mut run).await?;
                    run.failed.get_or_insert((trouble, said, error.detail.clone()));
                    if !again {
                        run.chain.retain(|model| *model != leave.model);
                        run.said.why.get_or_insert(error.class);
                    }
                }
            }
        }
    }

    /// The model and those that stand in for it, as far as they are set up here.
    pub(super) fn chain(&self, first: &ModelRef) -> Vec<ModelRef> {
        self.agent().chain(first, &self.config.servers)
    }

    /// The prompt for the model that got leave: with the person's wishes, without what it refuses.
    fn fit(&self, mut prompt: Prompt, leave: &Leave, run: &Run) -> Prompt {
        let settings = self.settings.borrow();
        prompt.thinking = run.agent.thinking(settings.thinking);
        let facts = self.facts(&leave.model);
        prompt.tools = if facts.tools == Some(false) { Vec::new() } else { run.agent.tool_specs() };
        prompt.context_tokens = Some(self.asked_window(&leave.model));
        prompt.max_output_tokens = Some(facts.max_output_tokens.map_or(MAX_OUTPUT, |most| most.min(MAX_OUTPUT)));
        prompt.dropped = leave.without.clone();
        prompt.dropped.extend(run.refused.get(&leave.model).into_iter().flatten());
        if run.tools.is_over() {
            prompt.dropped.insert(Feature::Tools);
        }
        prompt
    }

    /// Calls one model, again for what should pass. `sent`: [`estimate_prompt`] of the prompt.
    async fn try_model(
        &self,
        turn: &mut Turn,
        leave: &Leave,
        prompt: &Prompt,
        sent: u32,
        run: &mut Run,
    ) -> Result<Tried, StoreError> {
        let mut step = leave.step;
        let mut spent = Usage::default();
        for tries in 1.. {
            let heard = self.call_model(turn, &leave.model, step, prompt).await?;
            let (consumed, guessed) = consumed(prompt, &heard);
            let mut usage = spent;
            usage.add(&consumed);
            let mut ended = Ended { state: "failed", usage, guessed, error: None, log_id: heard.log_id.as_deref() };
            let (error, trouble) = match &heard.end {
                End::Complete if !run.compacted && self.was_cut_silently(turn, &leave.model, &heard.answer)? => {
                    (ModelError::new(ErrorClass::Overflow, "the server cut the prompt to fit"), Trouble::TooLong)
                }
                End::Complete => match heard.answer.outcome() {
                    Ok(finish) => {
                        // What a file takes says nothing about how the model counts words.
                        if !guessed && files_in(prompt).next().is_none() {
                            self.note_usage(&leave.model, sent, &consumed)?;
                        }
                        return Ok(Tried::Answered(Box::new(Answered { heard, finish, step, usage, guessed })));
                    }
                    Err(error) => {
                        let trouble = trouble_of(&error);
                        (error, trouble)
                    }
                },
                End::Stopped => {
                    ended.state = "stopped";
                    self.close_call(leave, step, &ended)?;
                    // Taken back: a forward came right behind its comment, and both are answered in a turn of their own.
                    if turn::is_open(&self.sql)? {
                        self.end_stopped(turn, &run.said.with(&heard.answer.text()))?;
                    }
                    return Ok(Tried::Over);
                }
                End::TimedOut(waited) => {
                    (ModelError::transient("deadline passed"), Trouble::TimedOut((waited + 999) / 1_000))
                }
                End::Failed(error) => (error.clone(), trouble_of(error)),
            };
            let pause = match heard.end {
                End::TimedOut(_) => None,
                _ => retry_pause(&error, tries, turn.id),
            };
            let level = if pause.is_some() { Level::Warning } else { Level::Error };
            let words = format!("{:?} {:?}: {} ({})", error.class, error.status, error.detail, leave.model);
            self.note(level, "model_call", &format!("model call failed: {words}"));
            ended.error = Some(&error);
            let Some(pause) = pause else {
                self.close_call(leave, step, &ended)?;
                let said = run.said.with(&heard.answer.text());
                return Ok(Tried::Failed { error, trouble, said });
            };
            self.end_try(step, &ended)?;
            spent = usage;
            let stop = pin!(self.live.stop.raised());
            if let Either::Left(_) = select(stop, pin!(self.ports.sleep(pause))).await {
                self.close_call(leave, step, &Ended { state: "stopped", usage, guessed, ..Ended::default() })?;
                if turn::is_open(&self.sql)? {
                    self.end_stopped(turn, &run.said.with(&heard.answer.text()))?;
                }
                return Ok(Tried::Over);
            }
            step = turn::begin_step(&self.sql, turn.id, "model", self.ports.now())?;
            turn::call_step(&self.sql, step, &leave.model.to_string())?;
        }
        Ok(Tried::Over)
    }

    /// Mends what made a model refuse the request. True: it is worth asking the same model once more.
    async fn mend(
        &self,
        turn: &Turn,
        sent: u32,
        leave: &Leave,
        error: &ModelError,
        run: &mut Run,
    ) -> Result<bool, StoreError> {
        match (error.class, error.feature) {
            (ErrorClass::BadRequest, Some(Feature::Signatures)) if !run.unsigned => {
                run.unsigned = true;
                let through = transcript::last(&self.sql)?;
                self.change(|settings| settings.unsigned_through = through)?;
                Ok(true)
            }
            (ErrorClass::BadRequest, Some(feature)) => Ok(!leave.without.contains(&feature)
                && run.refused.entry(leave.model.clone()).or_default().insert(feature)),
            (ErrorClass::Overflow, _) if !run.compacted => {
                run.compacted = true;
                self.make_room_after_overflow(turn, sent).await
            }
            _ => Ok(false),
        }
    }

    /// Keeps the model's calls with their results, for the next round.
    fn use_tools(&self, turn: &Turn, leave: &Leave, answered: &Answered, run: &mut Run) -> Result<(), StoreError> {
        let now = self.ports.now();
        let heard = &answered.heard;
        run.said.add(&heard.answer);
        let results: Vec<_> = heard.answer.calls().map(|call| run.tools.answer(call, run.agent.tools(), now)).collect();
        let message = heard.answer.clone().into_message();
        self.atomically(|| {
            self.close_call(leave, answered.step, &answered.ended())?;
            transcript::append(&self.sql, turn.epoch, Some(turn.id), &message, now)?;
            let tools = turn::begin_step(&self.sql, turn.id, "tools", now)?;
            turn::end_step(&self.sql, tools, "done", &format!("{} calls", results.len()), now)?;
            transcript::append(&self.sql, turn.epoch, Some(turn.id), &Message::tool(results), now)?;
            Ok(())
        })
    }

    fn end_without_leave(&self, turn: &Turn, said: &str, refusal: NoLeave) -> Result<(), StoreError> {
        self.end_failed(turn, said, trouble_of_refusal(refusal), "no leave for a model call")
    }
}
