//! How a turn ends: answered, stopped or failed. The answer, its deliveries and the end of the turn become durable
//! together, so an answer is either fully queued or asked for again.

use super::conversation::Conversation;
use super::outbox::{Slot, enqueue};
use super::ports::Ports;
use super::transcript;
use super::turn::{self, Turn};
use crate::llm::{Accumulator, Finish, Message};
use crate::store::{Sql, StoreError};
use crate::telegram::method::{SendOptions, delete, send_message};
use crate::telegram::render::{Formatted, render, render_partial, split};
use crate::text;
use crate::text::chat::Trouble;

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) fn end_answered(
        &self,
        turn: &Turn,
        step: i64,
        answer: Accumulator,
        finish: &Finish,
    ) -> Result<(), StoreError> {
        let now = self.ports.now();
        let usage = answer.usage().unwrap_or_default();
        let mut shown = render(&answer.text());
        match finish {
            Finish::Length => append_line(&mut shown, text::chat::too_long(turn.lang)),
            Finish::Blocked(_) => append_line(&mut shown, &text::chat::trouble(turn.lang, Trouble::Declined)),
            _ => {}
        }
        self.atomically(|| {
            turn::end_step(&self.sql, step, "done", &turn::usage_detail(&usage), now)?;
            self.keep_answer(turn, &answer.into_message())?;
            self.queue_answer(turn, &shown)?;
            turn::finish(&self.sql, turn.id, "answered", None, now)
        })
    }

    /// The person stopped it: what is there is kept, and the next prompt knows it was cut.
    pub(super) fn end_stopped(&self, turn: &Turn, partial: &str) -> Result<(), StoreError> {
        self.live.stop.reset();
        let now = self.ports.now();
        let mut shown = render_partial(partial);
        append_line(&mut shown, text::chat::stopped(turn.lang));
        self.atomically(|| {
            if !partial.is_empty() {
                self.keep_answer(turn, &Message::assistant(format!("{partial}\n[stopped here by the user]")))?;
            }
            self.queue_answer(turn, &shown)?;
            turn::finish(&self.sql, turn.id, "stopped", None, now)
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
        let line = text::chat::trouble(turn.lang, trouble);
        let mut shown = render_partial(partial);
        if !partial.is_empty() {
            append_line(&mut shown, text::chat::cut_off(turn.lang));
        }
        append_line(&mut shown, &line);
        self.atomically(|| {
            if !partial.is_empty() {
                self.keep_answer(turn, &Message::assistant(format!("{partial}\n[the answer broke off here]")))?;
            }
            self.queue_answer(turn, &shown)?;
            turn::finish(&self.sql, turn.id, "failed", Some(reason), now)
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
        let pieces = if self.settings.borrow().admission.is_some() { split(shown) } else { Vec::new() };
        for (seq, piece) in (0i64..).zip(pieces) {
            let options = SendOptions { reply_to: turn.reply_to.filter(|_| seq == 0), silent: seq > 0, keyboard: None };
            let call = send_message(self.target(), &piece, &options);
            enqueue(&self.sql, Some(turn.id), Slot::Answer, seq, &call, 0, now)?;
        }
        if let Some(placeholder) = turn.placeholder {
            enqueue(&self.sql, Some(turn.id), Slot::Tidy, 0, &delete(self.target(), placeholder), 0, now)?;
        }
        Ok(())
    }
}

/// Adds a line of ours below the model's text.
fn append_line(shown: &mut Formatted, line: &str) {
    if !shown.text.is_empty() {
        shown.text.push_str("\n\n");
    }
    shown.text.push_str(line);
}
