//! One run of a turn: model calls until there is an answer, with what to do about each failure.
//!
//! Not here: the call itself (`model_call`), the prompt (`context`), what is written down and sent at the end (`finish`).

use futures::future::{Either, select};
use std::pin::pin;

use super::conversation::Conversation;
use super::model_call::End;
use super::ports::Ports;
use super::turn::{self, MAX_ATTEMPTS, Turn};
use crate::llm::{ErrorClass, ModelError};
use crate::store::{Sql, StoreError};
use crate::text::chat::Trouble;

/// Calls of one run of a turn, the first included (providers.md §5.2: two retries).
const MAX_CALLS: u32 = 3;
/// A provider that asks for a longer pause than this is not waited for.
const LONGEST_PAUSE_MS: i64 = 20_000;

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) async fn run_turn(&self, mut turn: Turn) -> Result<(), StoreError> {
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
