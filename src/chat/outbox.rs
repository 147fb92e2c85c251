//! Deliveries: calls to Telegram, in order, each with an intent before it and an outcome after it.
//!
//! A call whose answer was lost is repeated only if repeating does no harm; a lost answer to `sendMessage` is recorded,
//! and the person may ask for it again (DESIGN §3.4). Previews are not here: nothing depends on them.

use super::conversation::Conversation;
use super::ports::Ports;
use crate::directory::Level;
use crate::store::{Row, Sql, StoreError, to_json};
use crate::telegram::method::{Button, Call, Keyboard, SendOptions, send_message};
use crate::telegram::outcome::{self, Outcome, Refusal};
use crate::telegram::render::plain;
use crate::text;

/// What a delivery is, for the order of things and for the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// A piece of a turn's answer.
    Answer,
    /// A line from us: busy, failed, kept ….
    Notice,
    /// The answer to a command.
    Command,
    /// Removal of a placeholder, change of a keyboard.
    Tidy,
}

impl Slot {
    fn name(self) -> &'static str {
        match self {
            Slot::Answer => "answer",
            Slot::Notice => "notice",
            Slot::Command => "command",
            Slot::Tidy => "tidy",
        }
    }
}

/// An open or interrupted delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: i64,
    pub turn_id: Option<i64>,
    slot: String,
    call: Call,
    attempts: i64,
    degraded: i64,
}

impl Delivery {
    /// True if a lost answer does no harm when the call is made again: a line of ours said twice is better than unsaid.
    fn may_repeat(&self) -> bool {
        self.call.is_idempotent() || self.slot == Slot::Notice.name()
    }
}

/// Tries of a call that fails for a reason that should pass. Floods do not count.
const MAX_TRIES: i64 = 8;

/// How long a refused token rests: doubles from the first to the second figure.
const TOKEN_REST_MS: (i64, i64) = (600_000, 3_600_000);

/// Pause before the person is told that a message may not have arrived.
const AMBIGUOUS_NOTICE_AFTER_MS: i64 = 2_000;

/// Appends a delivery.
pub fn enqueue(
    sql: &impl Sql,
    turn: Option<i64>,
    slot: Slot,
    seq: i64,
    call: &Call,
    not_before: i64,
    now: i64,
) -> Result<i64, StoreError> {
    let json = to_json(call)?;
    let rows = sql.run(
        "INSERT INTO outbox (turn_id, slot, seq, call, state, not_before, created_at)
         VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6) RETURNING id",
        &[turn.into(), slot.name().into(), seq.into(), json.into(), not_before.into(), now.into()],
    )?;
    rows.first().map_or(Err(StoreError::Shape { index: 0 }), |row| row.int(0))
}

const COLUMNS: &str = "id, turn_id, slot, call, attempts, degraded";

fn read(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.int(0)?,
        turn_id: row.opt_int(1)?,
        slot: row.text(2)?.to_owned(),
        call: serde_json::from_str(row.text(3)?).map_err(|error| StoreError::Sql(error.to_string()))?,
        attempts: row.int(4)?,
        degraded: row.int(5)?,
    })
}

/// Takes the first delivery in line, if its time has come, and marks it as under way.
fn take_due(sql: &impl Sql, now: i64) -> Result<Option<Delivery>, StoreError> {
    let rows = sql.run(
        &format!(
            "UPDATE outbox SET state = 'sending', error = NULL
             WHERE id = (SELECT id FROM outbox WHERE state = 'queued' ORDER BY id LIMIT 1) AND not_before <= ?1
             RETURNING {COLUMNS}"
        ),
        &[now.into()],
    )?;
    rows.first().map(read).transpose()
}

/// Calls marked as under way although nobody makes them: harmless ones go back to the queue, the others are ambiguous and returned.
fn close_interrupted(sql: &impl Sql) -> Result<Vec<Delivery>, StoreError> {
    let rows = sql.run(&format!("SELECT {COLUMNS} FROM outbox WHERE state = 'sending' ORDER BY id"), &[])?;
    let mut lost = Vec::new();
    for row in &rows {
        let delivery = read(row)?;
        if delivery.may_repeat() {
            set_state(sql, delivery.id, "queued", None)?;
        } else {
            set_state(sql, delivery.id, "ambiguous", Some("interrupted while the call was under way"))?;
            lost.push(delivery);
        }
    }
    Ok(lost)
}

fn set_state(sql: &impl Sql, id: i64, state: &str, error: Option<&str>) -> Result<(), StoreError> {
    sql.run("UPDATE outbox SET state = ?2, error = ?3 WHERE id = ?1", &[id.into(), state.into(), error.into()])?;
    Ok(())
}

fn replace_call(sql: &impl Sql, id: i64, call: &Call) -> Result<(), StoreError> {
    let json = to_json(call)?;
    sql.run(
        "UPDATE outbox SET state = 'queued', call = ?2, degraded = degraded + 1 WHERE id = ?1",
        &[id.into(), json.into()],
    )?;
    Ok(())
}

/// Pieces of an answer that have not left yet are not sent any more: the turn is answered anew.
pub fn take_back_answer(sql: &impl Sql, turn: i64) -> Result<(), StoreError> {
    sql.run(
        "UPDATE outbox SET state = 'failed', error = 'answered anew' WHERE turn_id = ?1 AND slot = 'answer' AND state = 'queued'",
        &[turn.into()],
    )?;
    Ok(())
}

/// Telegram ids of an answer's pieces that arrived, oldest first.
pub fn answer_ids(sql: &impl Sql, turn: i64) -> Result<Vec<i64>, StoreError> {
    let rows = sql.run(
        "SELECT message_id FROM outbox WHERE turn_id = ?1 AND slot = 'answer' AND message_id IS NOT NULL ORDER BY id",
        &[turn.into()],
    )?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// Counts for `/status`: waiting, ambiguous and failed deliveries.
pub fn counts(sql: &impl Sql) -> Result<(i64, i64, i64), StoreError> {
    let rows = sql.run(
        "SELECT coalesce(sum(state IN ('queued', 'sending')), 0), coalesce(sum(state = 'ambiguous'), 0),
         coalesce(sum(state = 'failed'), 0) FROM outbox",
        &[],
    )?;
    rows.first().map_or(Ok((0, 0, 0)), |row| Ok((row.int(0)?, row.int(1)?, row.int(2)?)))
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Sends what is due, in order, until nothing is or something has to wait. At most one runs at a time.
    pub(super) async fn deliver(&self) {
        let Some(hold) = self.live.delivering.enter() else { return };
        if !hold.was_tidy
            && let Err(error) = self.take_back_interrupted()
        {
            return self.fault("deliver", &error);
        }
        loop {
            match self.deliver_next().await {
                Ok(true) => {}
                Ok(false) => return hold.leave(),
                Err(error) => return self.fault("deliver", &error),
            }
        }
    }

    /// Who enters the lane is alone in it: a call still marked as under way was left by an instance that is gone, by a
    /// task that was dropped, or by a result that could not be written.
    fn take_back_interrupted(&self) -> Result<(), StoreError> {
        for delivery in close_interrupted(&self.sql)? {
            self.note_ambiguous(&delivery)?;
        }
        Ok(())
    }

    /// When Telegram will hear us again: the later of a flood wait and a refused token's rest.
    pub(super) fn quiet_until(&self) -> i64 {
        let settings = self.settings.borrow();
        settings.flood_until.max(settings.token_rest_until)
    }

    async fn deliver_next(&self) -> Result<bool, StoreError> {
        let (now, quiet_until) = (self.ports.now(), self.quiet_until());
        if quiet_until > now {
            self.alarm_by(quiet_until);
            return Ok(false);
        }
        let Some(delivery) = take_due(&self.sql, now)? else { return Ok(false) };
        let reply = self.ports.telegram(&delivery.call).await;
        self.settle(delivery, outcome::read(&reply))?;
        Ok(true)
    }

    /// Tries a delivery again at `until`.
    fn put_off(&self, id: i64, until: i64, counts: bool) -> Result<(), StoreError> {
        self.sql.run(
            "UPDATE outbox SET state = 'queued', not_before = ?2, attempts = attempts + ?3 WHERE id = ?1",
            &[id.into(), until.into(), counts.into()],
        )?;
        self.alarm_by(until);
        Ok(())
    }

    fn settle(&self, delivery: Delivery, outcome: Outcome) -> Result<(), StoreError> {
        let now = self.ports.now();
        match outcome {
            Outcome::Sent { message_id } => {
                self.sql.run(
                    "UPDATE outbox SET state = 'sent', message_id = ?2 WHERE id = ?1",
                    &[delivery.id.into(), message_id.into()],
                )?;
                if self.settings.borrow().token_refusals > 0 {
                    self.change(|settings| settings.token_refusals = 0)?;
                }
                Ok(())
            }
            Outcome::Retry { after_ms, flood } => {
                if flood {
                    self.note_flood(now + after_ms)?;
                } else if delivery.attempts + 1 >= MAX_TRIES {
                    return self.give_up(&delivery, "the server kept failing");
                }
                self.put_off(delivery.id, now + backoff(after_ms, delivery.attempts, flood), !flood)
            }
            Outcome::Ambiguous if delivery.may_repeat() => {
                if delivery.attempts + 1 >= MAX_TRIES {
                    return self.give_up(&delivery, "no answer");
                }
                self.put_off(delivery.id, now + backoff(1_000, delivery.attempts, false), true)
            }
            Outcome::Ambiguous => {
                set_state(&self.sql, delivery.id, "ambiguous", Some("the answer was lost"))?;
                self.note_ambiguous(&delivery)
            }
            Outcome::Unauthorized => {
                self.note_refused_token()?;
                self.put_off(delivery.id, self.quiet_until(), false)
            }
            Outcome::Refused(refusal) => self.settle_refusal(delivery, refusal),
        }
    }

    fn settle_refusal(&self, delivery: Delivery, refusal: Refusal) -> Result<(), StoreError> {
        if delivery.degraded >= 4 {
            return self.give_up(&delivery, "refused in every form");
        }
        let call = delivery.call.clone();
        let call = match refusal {
            Refusal::Formatting => {
                self.note(Level::Warning, "telegram", "telegram refused formatting; sent plain");
                self.change(|settings| settings.plain_resends = settings.plain_resends.saturating_add(1))?;
                call.without_formatting()
            }
            Refusal::ReplyGone => call.without_reply(),
            Refusal::TopicGone => call.without_topic(),
            Refusal::Keyboard => call.without_keyboard(),
            Refusal::Migrated(chat) => {
                self.change(|settings| settings.moved_to = Some(chat))?;
                call.to_chat(chat)
            }
            Refusal::TargetGone => return self.give_up(&delivery, "the message is gone"),
            Refusal::QueryTooOld => return self.give_up(&delivery, "the button press is too old"),
            Refusal::ChatGone => return self.give_up_all("nothing reaches this chat"),
            Refusal::Other(reason) => {
                self.note(Level::Error, "telegram", &format!("telegram refused {}: {reason}", call.method));
                return self.give_up(&delivery, &reason);
            }
        };
        replace_call(&self.sql, delivery.id, &call)
    }

    fn give_up(&self, delivery: &Delivery, reason: &str) -> Result<(), StoreError> {
        set_state(&self.sql, delivery.id, "failed", Some(reason))
    }

    fn give_up_all(&self, reason: &str) -> Result<(), StoreError> {
        self.note(Level::Warning, "telegram", &format!("deliveries given up: {reason}"));
        self.sql.run(
            "UPDATE outbox SET state = 'failed', error = ?1 WHERE state IN ('queued', 'sending')",
            &[reason.into()],
        )?;
        Ok(())
    }

    /// Telegram asked this chat to wait. Holds for deliveries and previews alike.
    pub(super) fn note_flood(&self, until: i64) -> Result<(), StoreError> {
        self.change(|settings| settings.flood_until = settings.flood_until.max(until))
    }

    /// The token was refused: one line in the log, then silence for a while, longer each time (DESIGN §3, telegram.md §3.3).
    pub(super) fn note_refused_token(&self) -> Result<(), StoreError> {
        let now = self.ports.now();
        if self.settings.borrow().token_rest_until > now {
            return Ok(());
        }
        let refusals = self.settings.borrow().token_refusals;
        let (first, longest) = TOKEN_REST_MS;
        let rest = first.saturating_mul(1 << refusals.min(10)).min(longest);
        self.note(
            Level::Error,
            "telegram",
            &format!("ALARM telegram refuses the bot token; quiet for {} min", rest / 60_000),
        );
        self.change(|settings| {
            settings.token_refusals = refusals.saturating_add(1);
            settings.token_rest_until = now + rest;
        })
    }

    /// Tells the person that a piece of an answer may not have arrived, with a button to have it again.
    pub(super) fn note_ambiguous(&self, delivery: &Delivery) -> Result<(), StoreError> {
        self.note(Level::Warning, "telegram", &format!("delivery {} is ambiguous", delivery.id));
        if delivery.slot != Slot::Answer.name() {
            return Ok(());
        }
        let lang = self.settings.borrow().lang;
        let keyboard =
            Keyboard(vec![vec![Button::new(text::chat::send_again(lang), format!("again:{}", delivery.id))]]);
        let options = SendOptions { silent: true, keyboard: Some(keyboard), ..SendOptions::default() };
        let call = send_message(self.target(), &plain(text::chat::maybe_lost(lang)), &options);
        let now = self.ports.now();
        enqueue(&self.sql, delivery.turn_id, Slot::Notice, 0, &call, now + AMBIGUOUS_NOTICE_AFTER_MS, now)?;
        Ok(())
    }

    /// Queues an ambiguous delivery once more, at the person's wish. False if it is not ambiguous (any more).
    pub(super) fn send_again(&self, id: i64) -> Result<bool, StoreError> {
        let rows = self.sql.run(
            &format!("UPDATE outbox SET state = 'resent' WHERE id = ?1 AND state = 'ambiguous' RETURNING {COLUMNS}"),
            &[id.into()],
        )?;
        let Some(row) = rows.first() else { return Ok(false) };
        let delivery = read(row)?;
        enqueue(&self.sql, delivery.turn_id, Slot::Answer, 0, &delivery.call, 0, self.ports.now())?;
        Ok(true)
    }

    /// Queues a plain line from us.
    pub(super) fn say(
        &self,
        slot: Slot,
        turn: Option<i64>,
        line: &str,
        options: &SendOptions,
    ) -> Result<(), StoreError> {
        let call = send_message(self.target(), &plain(line), options);
        enqueue(&self.sql, turn, slot, 0, &call, 0, self.ports.now())?;
        Ok(())
    }
}

/// A flood waits exactly as told; other failures double up to a minute.
fn backoff(base: i64, attempts: i64, flood: bool) -> i64 {
    if flood { base } else { base.saturating_mul(1 << attempts.clamp(0, 6)).min(60_000) }
}
