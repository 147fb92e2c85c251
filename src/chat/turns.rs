//! The turn lane: takes waiting messages into a turn, one turn at a time.
//!
//! A turn that died with its process is open in the store and simply runs again, from what its journal says, at most
//! [`turn::MAX_ATTEMPTS`] times (DESIGN §3.2). How it runs is in `run`, how it ends in `finish`.

use super::conversation::Conversation;
use super::files::{self, Place};
use super::inbox::{self, Waiting};
use super::ports::Ports;
use super::turn::{self, End, TAKEN_BACK, Turn};
use super::{gather, transcript};
use crate::llm::{MediaRef, Message, Part, PartKind, Role};
use crate::store::{Sql, StoreError};
use crate::text::calendar::month;

/// A forward that comes this soon after a message belongs to it. Shorter than the wait before a placeholder.
const COMMENT_WINDOW_MS: i64 = 900;

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
                Ok(Some(turn)) => self.run_and_deliver(turn).await,
                Ok(None) => match self.run_asked_compaction().await {
                    Ok(false) => return hold.leave(),
                    Ok(true) => {
                        self.deliver().await;
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                // The turn stays open; the alarm takes it up again.
                return self.fault("turn", &error);
            }
        }
    }

    /// A turn and, once its answer is out, the room for the next.
    async fn run_and_deliver(&self, turn: Turn) -> Result<(), StoreError> {
        self.run_turn(turn.clone()).await?;
        self.note_news();
        self.deliver().await;
        self.learn(&self.model()).await?;
        self.compact_if_due(&turn).await
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
        if self.is_being_erased() {
            // It begins when nothing of the old conversation is left.
            return Ok(false);
        }
        if ready_at > self.ports.now() {
            self.alarm_by(ready_at);
            return Ok(false);
        }
        self.begin_turn(rows, first_came(rows))?;
        Ok(true)
    }

    /// Opens a turn that answers `rows`, for which somebody has waited since `asked_at`.
    pub(super) fn begin_turn(&self, rows: &[Waiting], asked_at: i64) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        self.live.idle.set(false);
        self.live.came.raise();
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
                user_id: last.user_id,
                asked_at,
                first_at: None,
            },
        )?;
        for (index, row) in rows.iter().enumerate() {
            let outcome = if index == 0 { "turn" } else { "merged" };
            inbox::close(&self.sql, row.seq, outcome, None, Some(id))?;
        }
        self.live.stop.reset();
        let question = self.question(rows, id, now)?;
        transcript::append(&self.sql, epoch, Some(id), &question, now)?;
        Ok(())
    }

    /// Clients send the comment of a forward as a message of its own just before it (telegram.md §5). If the open turn
    /// can be such a comment and has shown nothing that would stay, it is undone: its messages wait again. True if so.
    pub(super) fn take_back_turn(&self, now: i64) -> Result<bool, StoreError> {
        let Some(turn) = turn::open(&self.sql)? else { return Ok(false) };
        if turn.stop_requested || turn.placeholder.is_some() || now - turn.created_at > COMMENT_WINDOW_MS {
            return Ok(false);
        }
        turn::finish(&self.sql, turn.id, End { state: TAKEN_BACK, ..End::default() }, now)?;
        transcript::hide_turn(&self.sql, turn.id)?;
        inbox::reopen(&self.sql, turn.id)?;
        self.live.stop.raise();
        Ok(true)
    }

    /// What the person said in this turn, with references to its files, which are put on record.
    fn question(&self, rows: &[Waiting], turn: i64, now: i64) -> Result<Message, StoreError> {
        let text = gather::compose(rows);
        let mut parts = Vec::new();
        if !text.is_empty() {
            parts.push(Part::text(text));
        }
        let session = self.settings.borrow().session.clone().unwrap_or_default();
        let folder = format!("files/{session}/{}", month(now));
        for row in rows {
            for (index, attachment) in row.content.all_attachments().enumerate() {
                let place = Place { turn, message_id: row.message_id, now };
                let file = files::meet(&self.sql, attachment, &format!("{folder}/{}-{index}", row.seq), place)?;
                let media = MediaRef { key: file.key, mime: file.mime, size: file.size };
                // A photo and the reply to it may come in one turn.
                if !parts
                    .iter()
                    .any(|part: &Part| matches!(&part.kind, PartKind::Media(known) if known.key == media.key))
                {
                    parts.push(Part::media(media));
                }
            }
        }
        Ok(Message { role: Role::User, parts })
    }
}

fn first_came(rows: &[Waiting]) -> i64 {
    rows.first().map_or(0, |row| row.received_at)
}
