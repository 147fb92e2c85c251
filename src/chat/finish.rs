//! How a turn ends: answered, stopped or failed. The answer, its deliveries and the end of the turn become durable
//! together, so an answer is either fully queued or asked for again.

use super::conversation::Conversation;
use super::long_answer::Shaped;
use super::meter::Leave;
use super::outbox::{Slot, enqueue};
use super::ports::Ports;
use super::run::Answered;
use super::transcript;
use super::turn::{self, End, Turn};
use crate::llm::{Accumulator, ErrorClass, Finish, Message, Usage};
use crate::store::{Sql, StoreError};
use crate::telegram::method::{SendOptions, delete, send_document, send_message};
use crate::telegram::render::{Formatted, folded, render, render_partial};
use crate::text;
use crate::text::models::{Absence, Took};
use crate::text::trouble::Trouble;

/// Characters of a thought that are shown.
const MAX_THOUGHT: usize = 3_000;

/// What was said in the calls of a run before its last one.
#[derive(Debug, Default)]
pub(super) struct Said {
    text: String,
    thought: String,
    usage: Usage,
    nano_usd: u64,
    assumed: bool,
    /// Why the first model of the chain did not answer.
    pub why: Option<ErrorClass>,
}

impl Said {
    /// Keeps what one call said that was followed by another.
    pub fn add(&mut self, answer: &Accumulator) {
        self.text = self.with(&answer.text());
        self.thought = joined(&self.thought, &answer.thought());
    }

    /// Counts what one call took.
    pub fn count(&mut self, usage: &Usage, (nano_usd, assumed): (u64, bool)) {
        self.usage.add(usage);
        self.nano_usd += nano_usd;
        self.assumed |= assumed;
    }

    /// All of it with `text` after it.
    pub fn with(&self, text: &str) -> String {
        joined(&self.text, text)
    }
}

fn joined(before: &str, after: &str) -> String {
    if before.trim().is_empty() || after.is_empty() {
        return format!("{before}{after}");
    }
    format!("{before}\n\n{after}")
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// `said` counts the last call too.
    pub(super) fn end_answered(
        &self,
        turn: &Turn,
        leave: &Leave,
        answered: Answered,
        said: &Said,
    ) -> Result<(), StoreError> {
        let now = self.ports.now();
        let answer = &answered.heard.answer;
        let mut shown = Formatted::default();
        let settings = self.settings.borrow().clone();
        if settings.show_reasoning {
            shown = folded(&joined(&said.thought, &answer.thought()), MAX_THOUGHT);
        }
        shown.append("\n", render(&said.with(&answer.text())));
        if answered.finish == Finish::Length {
            shown.append_line(text::chat::too_long(turn.lang));
        }
        if leave.model != turn.model {
            let why = said.why.map_or(Absence::Resting, absence_of);
            shown.append_line(&text::models::stood_in(
                turn.lang,
                &turn.model.to_string(),
                &leave.model.to_string(),
                why,
            ));
        }
        if settings.show_footer {
            let took = Took {
                input: said.usage.input,
                output: said.usage.output,
                nano_usd: said.nano_usd,
                assumed: said.assumed,
                ms: now - turn.created_at,
            };
            shown.append_line(&text::models::footer(&leave.model.to_string(), &took));
        }
        self.atomically(|| {
            self.close_call(leave, answered.step, &answered.ended())?;
            self.keep_answer(turn, &answered.heard.answer.clone().into_message())?;
            self.queue_answer(turn, &shown)?;
            let model = leave.model.to_string();
            let first_at = Some(turn.first_at.unwrap_or(now));
            turn::finish(&self.sql, turn.id, End { state: "answered", error: None, model: Some(&model), first_at }, now)
        })
    }

    /// The person stopped it: what is there is kept, and the next prompt knows it was cut.
    pub(super) fn end_stopped(&self, turn: &Turn, partial: &str) -> Result<(), StoreError> {
        self.live.stop.reset();
        let now = self.ports.now();
        let mut shown = render_partial(partial);
        shown.append_line(text::chat::stopped(turn.lang));
        self.atomically(|| {
            if !partial.is_empty() {
                self.keep_answer(turn, &Message::assistant(format!("{partial}\n[stopped here by the user]")))?;
            }
            self.queue_answer(turn, &shown)?;
            turn::finish(&self.sql, turn.id, End { state: "stopped", first_at: turn.first_at, ..End::default() }, now)
        })
    }

    /// No answer came: the person gets one line that says why, below what there is.
    pub(super) fn end_failed(
        &self,
        turn: &Turn,
        partial: &str,
        trouble: Trouble,
        reason: &str,
    ) -> Result<(), StoreError> {
        let now = self.ports.now();
        let mut shown = render_partial(partial);
        if !partial.is_empty() {
            shown.append_line(text::chat::cut_off(turn.lang));
        }
        shown.append_line(&text::trouble::line(turn.lang, trouble));
        self.atomically(|| {
            if !partial.is_empty() {
                self.keep_answer(turn, &Message::assistant(format!("{partial}\n[the answer broke off here]")))?;
            }
            self.queue_answer(turn, &shown)?;
            let end = End { state: "failed", error: Some(reason), model: None, first_at: turn.first_at };
            turn::finish(&self.sql, turn.id, end, now)
        })
    }

    fn keep_answer(&self, turn: &Turn, message: &Message) -> Result<(), StoreError> {
        // Of its question's epoch, also if the conversation was started afresh meanwhile.
        transcript::append(&self.sql, turn.epoch, Some(turn.id), message, self.ports.now())?;
        Ok(())
    }

    /// Queues the pieces of an answer, the first as the reply, the others silent; then the placeholder goes.
    fn queue_answer(&self, turn: &Turn, shown: &Formatted) -> Result<(), StoreError> {
        let now = self.ports.now();
        // Access was taken back while the model spoke: nothing more goes there.
        let shaped = match self.settings.borrow().admission.is_some() {
            true => self.shape_answer(turn, shown)?,
            false => Shaped::default(),
        };
        let mut seq = 0;
        for piece in shaped.pieces {
            let options = SendOptions { reply_to: turn.reply_to.filter(|_| seq == 0), silent: seq > 0, keyboard: None };
            let call = send_message(self.target(), &piece, &options);
            enqueue(&self.sql, Some(turn.id), Slot::Answer, seq, &call, 0, now)?;
            seq += 1;
        }
        for (upload, caption) in shaped.files {
            let options = SendOptions { silent: true, ..SendOptions::default() };
            let call = send_document(self.target(), upload, Some(caption), &options);
            enqueue(&self.sql, Some(turn.id), Slot::Answer, seq, &call, 0, now)?;
            seq += 1;
        }
        if let Some(placeholder) = turn.placeholder {
            enqueue(&self.sql, Some(turn.id), Slot::Tidy, 0, &delete(self.target(), placeholder), 0, now)?;
        }
        Ok(())
    }
}

fn absence_of(class: ErrorClass) -> Absence {
    match class {
        ErrorClass::Transient => Absence::Down,
        ErrorClass::Quota | ErrorClass::Rate => Absence::Limit,
        ErrorClass::Auth | ErrorClass::Plan | ErrorClass::Retired => Absence::Unavailable,
        ErrorClass::Overflow | ErrorClass::BadRequest | ErrorClass::Content | ErrorClass::Empty => Absence::Refused,
    }
}
