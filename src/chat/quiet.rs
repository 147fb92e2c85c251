//! A model call of our own that nobody watches: a summary, a transcript. With leave, journal and report like any other.
//!
//! Not here: retries and other models (whoever asks decides what a failure means), calls that answer a person (`run`).

use super::conversation::Conversation;
use super::meter::{Caller, Ended, NoLeave};
use super::meter::{consumed, prompt_tokens};
use super::model_call::End;
use super::ports::Ports;
use super::signal::Signal;
use crate::llm::{Accumulator, ModelError, ModelRef, Prompt};
use crate::store::{Sql, StoreError};

/// What is asked.
pub(super) struct QuietCall<'a> {
    pub caller: Caller<'a>,
    /// The first that may be called is called. Asked again when the configuration changes.
    pub models: &'a dyn Fn() -> Vec<ModelRef>,
    pub prompt: Prompt,
    /// Ends the call when raised; the stop does so in any case.
    pub give_way: Option<&'a Signal>,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Quiet {
    /// A whole answer, never empty, and whose it is.
    Said(Accumulator, ModelRef),
    Stopped,
    Failed(ModelError),
    NoLeave(NoLeave),
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) async fn quiet_call(&self, call: QuietCall<'_>) -> Result<Quiet, StoreError> {
        let mut prompt = call.prompt;
        let leave = match self.ask_leave_by_any(call.caller, call.models, prompt_tokens(&prompt)).await? {
            Ok(leave) => leave,
            Err(refusal) => return Ok(Quiet::NoLeave(refusal)),
        };
        prompt.dropped.extend(leave.without.iter().copied());
        let heard = self.call_quietly(&leave.model, leave.step, &prompt, call.give_way).await?;
        let (usage, guessed) = consumed(&prompt, &heard);
        let mut ended = Ended { state: "done", usage, guessed, error: None, log_id: heard.log_id.as_deref() };
        let failed = match &heard.end {
            End::Stopped => {
                ended.state = "stopped";
                self.close_call(&leave, leave.step, &ended)?;
                return Ok(Quiet::Stopped);
            }
            End::Complete => heard.answer.outcome().err(),
            End::TimedOut(_) => Some(ModelError::transient("deadline passed")),
            End::Failed(error) => Some(error.clone()),
        };
        if failed.is_some() {
            ended.state = "failed";
        }
        ended.error = failed.as_ref();
        self.close_call(&leave, leave.step, &ended)?;
        Ok(match failed {
            Some(error) => Quiet::Failed(error),
            None => Quiet::Said(heard.answer, leave.model),
        })
    }
}
