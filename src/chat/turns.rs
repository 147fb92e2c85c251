//! The turn lane: takes waiting messages into a turn, runs it, and writes down what came of it.
//!
//! A turn that died with its process is open in the store and simply runs again, from what its journal says, at most
//! [`turn::MAX_ATTEMPTS`] times (DESIGN §3.2). The answer, its deliveries and the end of the turn become durable
//! together, so an answer is either fully queued or asked for again.

use futures::future::{Either, select};
use std::pin::pin;

use super::conversation::Conversation;
use super::inbox::{self, Waiting};
use super::model_call::End;
use super::outbox::{Slot, enqueue};
use super::ports::Ports;
use super::turn::{self, MAX_ATTEMPTS, Turn};
use super::{gather, transcript};
use crate::llm::{Accumulator, ErrorClass, Finish, MediaRef, Message, ModelError, Part, Role};
use crate::store::{Sql, StoreError};
use crate::telegram::method::{SendOptions, delete, send_message};
use crate::telegram::render::{Formatted, render, render_partial, split};
use crate::text;
use crate::text::chat::Trouble;

/// Calls of one run of a turn, the first included (providers.md §5.2: two retries).
const MAX_CALLS: u32 = 3;
/// A forward that comes this soon after a message belongs to it. Shorter than the wait before a placeholder.
const COMMENT_WINDOW_MS: i64 = 900;
/// A provider that asks for a longer pause than this is not waited for.
const LONGEST_PAUSE_MS: i64 = 20_000;

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Runs turns until none is due. At most one runs at a time.
    pub(super) async fn run_turns(&self) {
        let Some(hold) = self.live.turning.enter() else { return };
        // Who enters the lane is alone in it: a step still begun was cut.
        if !hold.was_tidy
            && let Err(error) = turn::close_interrupted_steps(&self.sql, self.ports.now())
        {
            return self.fault("turn", &error);
        }
        loop {
            let done = match self.next_turn() {
                Ok(Some(turn)) => self.run_turn(turn).await,
                Ok(None) => return hold.leave(),
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                // The turn stays open; the alarm takes it up again.
                return self.fault("turn", &error);
            }
            self.deliver().await;
        }
    }

    fn next_turn(&self) -> Result<Option<Turn>, StoreError> {
        if let Some(turn) = turn::take(&self.sql)? {
            return Ok(Some(turn));
        }
        if self.begin_turn_of(&inbox::waiting(&self.sql)?)? { turn::take(&self.sql) } else { Ok(None) }
    }

    /// Takes all waiting messages into a new turn if their window is over and no turn is open. True if one began.
    pub(super) fn begin_due_turn(&self) -> Result<bool, StoreError> {
        if turn::is_open(&self.sql)? {
            return Ok(false);
        }
        self.begin_turn_of(&inbox::waiting(&self.sql)?)
    }

    /// Takes `rows`, all that wait, into a new turn if their window is over. No turn is open. True if one began.
    pub(super) fn begin_turn_of(&self, rows: &[Waiting]) -> Result<bool, StoreError> {
        let Some(ready_at) = rows.iter().map(|row| row.ready_at).max() else { return Ok(false) };
        if ready_at > self.ports.now() {
            self.alarm_by(ready_at);
            return Ok(false);
        }
        if rows.iter().all(|row| row.content.text.trim().is_empty()) {
            self.keep_files(rows)?;
            return Ok(false);
        }
        if rows.iter().any(|row| !row.content.attachments.is_empty()) {
            self.say_files_unused()?;
        }
        self.begin_turn(rows)?;
        Ok(true)
    }

    /// Opens a turn that answers `rows`.
    pub(super) fn begin_turn(&self, rows: &[Waiting]) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        self.live.idle.set(false);
        let now = self.ports.now();
        let (lang, epoch) = (self.settings.borrow().lang, self.settings.borrow().epoch);
        let id = turn::begin(
            &self.sql,
            &Turn {
                id: first.seq,
                attempts: 0,
                model: self.model(),
                lang,
                epoch,
                reply_to: (!self.is_private()).then_some(last.message_id),
                placeholder: None,
                stop_requested: false,
                created_at: now,
            },
        )?;
        for (index, row) in rows.iter().enumerate() {
            let outcome = if index == 0 { "turn" } else { "merged" };
            inbox::close(&self.sql, row.seq, outcome, None, Some(id))?;
        }
        self.live.stop.reset();
        transcript::append(&self.sql, epoch, Some(id), &user_message(rows), now)?;
        Ok(())
    }

    /// Clients send the comment of a forward as a message of its own just before it (telegram.md §5). If the open turn
    /// can be such a comment and has shown nothing that would stay, it is undone: its messages wait again. True if so.
    pub(super) fn take_back_turn(&self, now: i64) -> Result<bool, StoreError> {
        let Some(turn) = turn::open(&self.sql)? else { return Ok(false) };
        if turn.stop_requested || turn.placeholder.is_some() || now - turn.created_at > COMMENT_WINDOW_MS {
            return Ok(false);
        }
        turn::finish(&self.sql, turn.id, "taken back", None, now)?;
        transcript::hide_turn(&self.sql, turn.id)?;
        inbox::reopen(&self.sql, turn.id)?;
        self.live.stop.raise();
        Ok(true)
    }

    /// Files without words: stored for the day the model can use them; the person is told.
    fn keep_files(&self, rows: &[Waiting]) -> Result<(), StoreError> {
        let now = self.ports.now();
        for row in rows {
            inbox::close(&self.sql, row.seq, "kept", Some("files without words"), None)?;
        }
        let epoch = self.settings.borrow().epoch;
        transcript::append(&self.sql, epoch, None, &user_message(rows), now)?;
        self.say_files_unused()
    }

    fn say_files_unused(&self) -> Result<(), StoreError> {
        let lang = self.settings.borrow().lang;
        let options = SendOptions { silent: true, ..SendOptions::default() };
        self.say(Slot::Notice, None, text::chat::cannot_use_files(lang), &options)
    }

    async fn run_turn(&self, mut turn: Turn) -> Result<(), StoreError> {
        if turn.stop_requested {
            return self.end_stopped(&turn, "");
        }
        if turn.attempts > MAX_ATTEMPTS {
            return self.end_failed(&turn, "", Trouble::GaveUp, "cut three times");
        }
        for calls in 1.. {
            let step = turn::begin_step(&self.sql, turn.id, "model", self.ports.now())?;
            let prompt = self.prompt()?;
            let (end, answer) = self.call_model(&mut turn, &prompt).await?;
            let now = self.ports.now();
            let error = match end {
                End::Complete => match answer.outcome() {
                    Ok(finish) => return self.end_answered(&turn, step, answer, &finish),
                    Err(error) => error,
                },
                // A forward came right behind its comment: both are answered in a turn of their own (see `accept`).
                End::Stopped if !turn::is_open(&self.sql)? => {
                    return turn::end_step(&self.sql, step, "stopped", "taken back", now);
                }
                End::Stopped => {
                    turn::end_step(&self.sql, step, "stopped", "", now)?;
                    return self.end_stopped(&turn, &answer.text());
                }
                End::TimedOut(waited) => {
                    turn::end_step(&self.sql, step, "failed", "deadline passed", now)?;
                    let trouble = Trouble::TimedOut((waited + 999) / 1_000);
                    return self.end_failed(&turn, &answer.text(), trouble, "deadline passed");
                }
                End::NoProvider => {
                    turn::end_step(&self.sql, step, "failed", "no such provider", now)?;
                    return self.end_failed(&turn, "", Trouble::NoProvider, "no such provider");
                }
                End::Failed(error) => error,
            };
            turn::end_step(&self.sql, step, "failed", &format!("{:?}: {}", error.class, error.detail), now)?;
            self.ports.log(&format!("model call failed: {:?} {:?}: {}", error.class, error.status, error.detail));
            let Some(pause) = retry_pause(&error, calls) else {
                return self.end_failed(&turn, &answer.text(), trouble_of(&error), &error.detail);
            };
            let stop = pin!(self.live.stop.raised());
            if let Either::Left(_) = select(stop, pin!(self.ports.sleep(pause))).await {
                return self.end_stopped(&turn, &answer.text());
            }
        }
        Ok(())
    }

    fn end_answered(&self, turn: &Turn, step: i64, answer: Accumulator, finish: &Finish) -> Result<(), StoreError> {
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
    fn end_stopped(&self, turn: &Turn, partial: &str) -> Result<(), StoreError> {
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
    fn end_failed(&self, turn: &Turn, partial: &str, trouble: Trouble, reason: &str) -> Result<(), StoreError> {
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

/// What the person said in this turn, with references to its files.
fn user_message(rows: &[Waiting]) -> Message {
    let text = gather::compose(rows);
    let mut parts = Vec::new();
    if !text.is_empty() {
        parts.push(Part::text(text));
    }
    for attachment in rows.iter().flat_map(|row| &row.content.attachments) {
        parts.push(Part::media(MediaRef {
            key: attachment.file_id.clone(),
            mime: attachment.mime.clone().unwrap_or_else(|| attachment.kind.usual_mime().to_owned()),
            size: attachment.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        }));
    }
    Message { role: Role::User, parts }
}

/// Adds a line of ours below the model's text.
fn append_line(shown: &mut Formatted, line: &str) {
    if !shown.text.is_empty() {
        shown.text.push_str("\n\n");
    }
    shown.text.push_str(line);
}

/// The pause before call number `calls + 1`, or `None` if another would not help (providers.md §5.2).
fn retry_pause(error: &ModelError, calls: u32) -> Option<i64> {
    if calls >= MAX_CALLS {
        return None;
    }
    let asked = error.retry_after_ms.and_then(|ms| i64::try_from(ms).ok());
    match error.class {
        ErrorClass::Transient => Some(asked.unwrap_or(500 << (calls - 1))).filter(|&ms| ms <= LONGEST_PAUSE_MS),
        ErrorClass::Rate => Some(asked.unwrap_or(2_000 << (calls - 1))).filter(|&ms| ms <= LONGEST_PAUSE_MS),
        ErrorClass::Empty if calls == 1 => Some(0),
        _ => None,
    }
}

fn trouble_of(error: &ModelError) -> Trouble {
    match error.class {
        ErrorClass::Auth => Trouble::Key,
        ErrorClass::Plan | ErrorClass::Retired => Trouble::ModelUnavailable,
        ErrorClass::Quota => Trouble::Quota,
        ErrorClass::Rate => Trouble::Busy,
        ErrorClass::Transient => Trouble::Unreachable,
        ErrorClass::Overflow => Trouble::TooLong,
        ErrorClass::BadRequest => Trouble::Refused,
        ErrorClass::Content => Trouble::Declined,
        ErrorClass::Empty => Trouble::Empty,
    }
}
