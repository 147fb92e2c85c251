//! Compaction: the older exchanges of a conversation give way to a summary that the model writes.
//!
//! Three causes: nobody waits and the prompt has grown ([`Why::Grown`]), the person asks ([`Why::Asked`]), a turn needs
//! room to be sent at all ([`Why::Room`]). The last [`KEPT`] exchanges stay word for word. A turn never waits for a
//! summary in vain: if none can be written, the oldest turns are left out of the prompt, which says so. Raw messages are
//! never touched. Not here: the command (`compact_command`), what the model reads (`summary_prompt`).

use std::cell::Cell;
use std::pin::pin;

use futures::future::{Either, select};

use super::context::{View, estimate_prompt};
use super::conversation::Conversation;
use super::failure::{trouble_of, trouble_of_refusal};
use super::inbox::{self, CompactionAsked};
use super::material;
use super::meter::Caller;
use super::ports::Ports;
use super::quiet::{Quiet, QuietCall};
use super::signal::Signal;
use super::summary;
use super::summary_prompt;
use super::transcript::{self, Stored, Stretch};
use super::turn::{self, Turn};
use crate::llm::{ModelRef, Prompt, tokens};
use crate::store::{Sql, StoreError};
use crate::telegram::method::typing;
use crate::text::trouble::Trouble;

/// Exchanges that stay word for word: a turn's messages with all that followed.
const KEPT: usize = 3;
/// Answers after a failed compaction before the next try.
const REST_AFTER_FAILURE: u32 = 3;
/// A whole compaction may take this long, ms. A turn of 10 minutes and one before and after it end within the platform's
/// 15 minutes of one alarm.
const DEADLINE_MS: i64 = 120_000;
/// Most that is read for one summary: estimated tokens and messages. What is older is left out, and the summary says so.
const MATERIAL_TOKENS: u32 = 48_000;
const MATERIAL_MESSAGES: i64 = 800;
/// Model calls of one compaction.
const MOST_CHUNKS: usize = 4;
/// Of the room for a call: the instruction and the earlier summary.
const CALL_FRAME: u32 = 3_000;
const TYPING_EVERY_MS: i64 = 4_500;

/// What a compaction is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why<'a> {
    /// The prompt has grown; nobody waits. Gives way to whoever comes. Holds the turn that was just answered.
    Grown(&'a Turn),
    /// `/compact`.
    Asked(&'a CompactionAsked),
    /// This turn cannot be sent as it is.
    Room(&'a Turn),
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// So many messages are covered that were not before.
    Folded(i64),
    /// Somebody came who goes first, or it was stopped.
    GaveWay,
    Failed(Trouble),
    /// The model's summary would not be shorter.
    NoGain,
}

/// The messages a summary will stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fold {
    pub epoch: i64,
    /// Id of the last of them.
    pub upto: i64,
    /// Their estimated tokens, with those of the summary before.
    pub tokens: u32,
    /// There are more that were not read, or that an earlier cut left out.
    pub more: bool,
}

/// What of `view` can go: all but the last [`KEPT`] exchanges, or but as many of them as `room` estimated tokens hold;
/// never the newest. `None` if nothing can.
pub(super) fn fold(view: &View, room: u32) -> Option<Fold> {
    let mut kept_from = view.rows.len();
    let (mut exchanges, mut used) = (0, 0u32);
    while exchanges < KEPT && kept_from > 0 {
        let rest = view.rows.get(..kept_from).unwrap_or_default();
        let start = exchange_start(rest);
        let size = rest.iter().skip(start).fold(0u32, |sum, row| sum.saturating_add(row.tokens));
        used = used.saturating_add(size);
        if exchanges > 0 && used > room {
            break;
        }
        exchanges += 1;
        kept_from = start;
    }
    let summarised = view.summary.as_ref().map_or(0, |summary| summary.tokens);
    let folded = view.rows.get(..kept_from).unwrap_or_default();
    let upto = match (folded.last(), view.rows.first()) {
        (Some(last), _) => last.id,
        // Only rows that were not read.
        (None, Some(first)) if view.more => first.id - 1,
        _ => return None,
    };
    let tokens = folded.iter().fold(summarised, |sum, row| sum.saturating_add(row.tokens));
    Some(Fold { epoch: view.epoch, upto, tokens, more: view.more })
}

/// What an earlier cut left out, to be summarised after all.
pub(super) fn left_out(view: &View) -> Option<Fold> {
    let cut = view.summary.as_ref().filter(|summary| !summary.written)?;
    Some(Fold { epoch: view.epoch, upto: cut.upto, tokens: cut.tokens, more: true })
}

/// Where the newest exchange of `rows` begins: the rows of one turn, with files that came without words before it.
fn exchange_start(rows: &[Stored]) -> usize {
    let back = |from: usize, belongs: &dyn Fn(&Stored) -> bool| {
        let rest = rows.get(..from).unwrap_or_default();
        from - rest.iter().rev().take_while(|row| belongs(row)).count()
    };
    let start = back(rows.len(), &|row| row.turn_id.is_none());
    let turn = rows.get(..start).and_then(<[Stored]>::last).and_then(|row| row.turn_id);
    let start = back(start, &|row| row.turn_id == turn);
    back(start, &|row| row.turn_id.is_none())
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// After a turn: compacts if the prompt has grown over its soft limit.
    pub(super) async fn compact_if_due(&self, turn: &Turn) -> Result<(), StoreError> {
        if self.live.roomy.get() || !turn::is_answered(&self.sql, turn.id)? {
            return Ok(());
        }
        let rest = self.settings.borrow().compaction_rest;
        if rest > 0 {
            self.change(|settings| settings.compaction_rest = rest - 1)?;
        }
        let limits = self.limits(&turn.model);
        let view = self.view(&turn.model)?;
        let size = self.size(&turn.model, &view);
        let soft = limits.soft_for(view.rows.len());
        let Some(fold) = fold(&view, self.raw(&turn.model, limits.hard)) else { return Ok(()) };
        // Not to be held while the model writes.
        drop(view);
        // What goes must be worth a cold cache: else three long exchanges would have it made anew after each answer.
        let gain = tokens::corrected(fold.tokens, self.correction(&turn.model));
        if !fold.more && (size <= soft || gain < soft / 2) {
            return Ok(());
        }
        if rest <= 1 {
            match self.summarise(Why::Grown(turn), fold, limits.hard).await? {
                Made::Failed(_) | Made::NoGain => {}
                Made::Folded(_) | Made::GaveWay => return Ok(()),
            }
        }
        // No summary can be had: the bill must not grow without bound.
        if fold.more || size > soft.saturating_mul(2) { self.cut(fold) } else { Ok(()) }
    }

    /// Before a call: the prompt is too large. Whole exchanges of `kept` tokens stay, of the last three; a call that writes
    /// a summary may have `room` tokens. True if the prompt is smaller now. Never fails for want of a summary.
    pub(super) async fn make_room(&self, turn: &Turn, kept: u32, room: u32) -> Result<bool, StoreError> {
        let fold = fold(&self.view(&turn.model)?, self.raw(&turn.model, kept));
        let Some(fold) = fold else { return Ok(false) };
        if self.settings.borrow().compaction_rest == 0 {
            match self.summarise(Why::Room(turn), fold, room).await? {
                Made::Failed(_) | Made::NoGain => {}
                // Stopped: the next call ends before it begins, and the turn as it should.
                Made::Folded(_) | Made::GaveWay => return Ok(true),
            }
        }
        self.cut(fold)?;
        Ok(true)
    }

    /// True if there is more to show than one exchange.
    pub(super) fn can_make_room(&self, turn: &Turn) -> Result<bool, StoreError> {
        Ok(fold(&self.view(&turn.model)?, 0).is_some())
    }

    /// The provider said that `sent` tokens (see [`estimate_prompt`]) are too many. True if another call makes sense.
    pub(super) async fn make_room_after_overflow(&self, turn: &Turn, sent: u32) -> Result<bool, StoreError> {
        let sent = tokens::corrected(sent, self.correction(&turn.model));
        let room = self.limits(&turn.model).hard.min(sent / 2);
        self.make_room(turn, room, room).await
    }

    /// The older turns leave the prompt with a note; the next summary will have them.
    fn cut(&self, fold: Fold) -> Result<(), StoreError> {
        let before = summary::latest_written(&self.sql, fold.epoch)?;
        let text = before.map(|before| before.text).unwrap_or_default();
        summary::add(&self.sql, fold.epoch, fold.upto, &text, "", None, self.ports.now())
    }

    /// Uncorrected tokens of `counted`.
    fn raw(&self, model: &ModelRef, counted: u32) -> u32 {
        tokens::uncorrected(counted, self.correction(model))
    }

    /// Has the summary written and stores it. `room`: the largest prompt the model takes, tokens.
    pub(super) async fn summarise(&self, why: Why<'_>, fold: Fold, room: u32) -> Result<Made, StoreError> {
        let (model, focus) = match why {
            Why::Grown(turn) | Why::Room(turn) => (turn.model.clone(), ""),
            Why::Asked(asked) => (self.model(), asked.focus.as_str()),
        };
        self.live.came.reset();
        if self.gives_way(why, fold.epoch)? {
            return Ok(Made::GaveWay);
        }
        // Noted before it begins: a compaction that takes the process down with it must not do so after every answer.
        self.change(|settings| settings.compaction_rest = REST_AFTER_FAILURE)?;
        let before = summary::latest_written(&self.sql, fold.epoch)?;
        let stretch =
            Stretch { epoch: fold.epoch, after: before.as_ref().map_or(0, |before| before.upto), upto: fold.upto };
        let room = self.raw(&model, room);
        let chunks = self.material(stretch, room.saturating_sub(CALL_FRAME).max(room / 2).max(500))?;
        let mut text = before.map(|before| before.text).unwrap_or_default();
        let deadline = self.ports.now() + DEADLINE_MS;
        for chunk in chunks {
            match self.write(why, &model, fold.epoch, deadline, summary_prompt::prompt(&text, &chunk, focus)).await? {
                Written::Whole(answer) => text = answer,
                Written::Failed(trouble) => return Ok(Made::Failed(trouble)),
                Written::GaveWay => {
                    self.change(|settings| settings.compaction_rest = 0)?;
                    return Ok(Made::GaveWay);
                }
            }
        }
        // Stopped, or begun afresh, just as it was done.
        let void = matches!(why, Why::Asked(..)) && self.gives_way(why, fold.epoch)?;
        if void || self.settings.borrow().epoch != fold.epoch {
            return Ok(Made::GaveWay);
        }
        if tokens::estimate(&text) >= fold.tokens && !fold.more {
            return Ok(Made::NoGain);
        }
        self.atomically(|| {
            summary::add(&self.sql, fold.epoch, fold.upto, &text, focus, Some(&model), self.ports.now())?;
            self.change(|settings| settings.compaction_rest = 0)
        })?;
        Ok(Made::Folded(transcript::count(&self.sql, stretch)?))
    }

    /// What there is to summarise, in chunks of `size` tokens. What is too old for all of them to hold is left out, with a
    /// note.
    fn material(&self, stretch: Stretch, size: u32) -> Result<Vec<String>, StoreError> {
        let budget = MATERIAL_TOKENS.min(size.saturating_mul(MOST_CHUNKS as u32 - 1));
        let mut rows = transcript::newest(&self.sql, stretch, MATERIAL_MESSAGES, budget)?;
        material::put_in_words(&self.sql, &mut rows)?;
        let mut left_out =
            rows.first().map_or(Ok(false), |first| transcript::has_before(&self.sql, stretch, first.id))?;
        let mut chunks = summary_prompt::chunks(&rows, size);
        if chunks.len() > MOST_CHUNKS {
            left_out = true;
            chunks.drain(..chunks.len() - MOST_CHUNKS);
        }
        if let Some(first) = chunks.first_mut().filter(|_| left_out) {
            first.insert_str(0, &format!("{}\n\n", summary::LEFT_OUT));
        }
        Ok(chunks)
    }

    /// One call; another if the model only refused what it can do without.
    async fn write(
        &self,
        why: Why<'_>,
        model: &ModelRef,
        epoch: i64,
        deadline: i64,
        mut prompt: Prompt,
    ) -> Result<Written, StoreError> {
        let estimated = estimate_prompt(&prompt);
        loop {
            return Ok(match self.ask(why, model, epoch, deadline, prompt.clone()).await? {
                (Quiet::Said(answer, by), _) => {
                    if let Some(usage) = answer.usage() {
                        self.note_usage(&by, estimated, &usage)?;
                    }
                    summary_prompt::kept(&answer.text()).map_or(Written::Failed(Trouble::Empty), Written::Whole)
                }
                (Quiet::Stopped, true) => Written::Failed(Trouble::TimedOut(DEADLINE_MS / 1_000)),
                (Quiet::Stopped, false) => Written::GaveWay,
                (Quiet::Failed(error), _) => match error.feature {
                    Some(feature) if prompt.dropped.insert(feature) => continue,
                    _ => Written::Failed(trouble_of(&error)),
                },
                (Quiet::NoLeave(refusal), _) => Written::Failed(trouble_of_refusal(refusal)),
            });
        }
    }

    /// One call, watched over. Also says whether it was stopped for want of time.
    async fn ask(
        &self,
        why: Why<'_>,
        model: &ModelRef,
        epoch: i64,
        deadline: i64,
        prompt: Prompt,
    ) -> Result<(Quiet, bool), StoreError> {
        let caller = match why {
            Why::Room(turn) => Caller { turn: turn.id, kind: "compact", person: turn.user_id },
            Why::Grown(turn) => Caller { turn: 0, kind: "compact", person: turn.user_id },
            Why::Asked(asked) => Caller { turn: 0, kind: "compact", person: asked.user_id },
        };
        let (give_way, late) = (Signal::default(), Cell::new(false));
        let models = || match why {
            Why::Asked(_) => self.chain(&self.model()),
            Why::Grown(_) | Why::Room(_) => self.chain(model),
        };
        let call = pin!(self.quiet_call(QuietCall { caller, models: &models, prompt, give_way: Some(&give_way) }));
        let watch = pin!(async {
            late.set(self.watch(why, epoch, deadline).await);
            give_way.raise();
        });
        let quiet = match select(call, watch).await {
            Either::Left((quiet, _)) => quiet?,
            // It ends by itself now, and writes down that it did.
            Either::Right(((), call)) => call.await?,
        };
        Ok((quiet, late.get()))
    }

    /// True if this compaction is to end at once.
    fn gives_way(&self, why: Why<'_>, epoch: i64) -> Result<bool, StoreError> {
        let afresh = self.settings.borrow().epoch != epoch;
        Ok(match why {
            Why::Grown(_) => afresh || turn::is_open(&self.sql)? || inbox::has_waiting(&self.sql)?,
            Why::Asked(asked) => afresh || !inbox::compactions(&self.sql)?.contains(asked),
            // Who stops the turn stops its compaction.
            Why::Room(turn) => turn::open(&self.sql)?.is_none_or(|open| open.id != turn.id || open.stop_requested),
        })
    }

    /// Ends when the compaction has to, and shows meanwhile that something is being done. True: for want of time.
    async fn watch(&self, why: Why<'_>, epoch: i64, deadline: i64) -> bool {
        let mut clock = pin!(self.ports.sleep(deadline - self.ports.now()));
        let mut typing = pin!(self.keep_typing(!matches!(why, Why::Grown(_))));
        loop {
            let came = pin!(self.live.came.raised());
            match select(came, select(clock.as_mut(), typing.as_mut())).await {
                Either::Right(_) => return true,
                // Of a store that cannot be asked nobody expects a summary.
                Either::Left(_) if self.gives_way(why, epoch).unwrap_or(true) => return false,
                Either::Left(_) => self.live.came.reset(),
            }
        }
    }

    /// Shows that something is being done, for as long as it is polled.
    async fn keep_typing(&self, shown: bool) {
        if !shown {
            return std::future::pending().await;
        }
        loop {
            if self.quiet_until() <= self.ports.now() {
                self.ports.telegram(&typing(self.target())).await;
            }
            self.ports.sleep(TYPING_EVERY_MS).await;
        }
    }
}

/// How one call ended.
enum Written {
    Whole(String),
    GaveWay,
    Failed(Trouble),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chat::summary::Summary;
    use crate::llm::Message;

    /// Rows of these turns, each of 10 tokens; 0: a file that came without words.
    fn view(turns: &[i64]) -> View {
        let row = |(id, &turn): (i64, &i64)| Stored {
            id,
            turn_id: Some(turn).filter(|&turn| turn > 0),
            tokens: 10,
            message: Message::user("x"),
        };
        View { epoch: 0, summary: None, rows: (1..).zip(turns).map(row).collect(), more: false }
    }

    fn upto(view: &View, room: u32) -> Option<i64> {
        fold(view, room).map(|fold| fold.upto)
    }

    #[test]
    fn the_last_three_exchanges_stay() {
        for (turns, expected) in [
            (&[1, 1, 2, 2, 3, 3, 4, 4][..], Some(2)),
            (&[1, 1, 2, 3, 4, 4, 4, 4], Some(2)),
            (&[1, 1, 2, 2, 3, 3], None),
            (&[1, 0, 2, 2, 3, 4, 0], Some(1)),
            (&[1, 2, 3, 4, 0, 0, 5], Some(2)),
            (&[0, 0, 0], None),
            (&[], None),
        ] {
            assert_eq!(upto(&view(turns), 1_000), expected, "{turns:?}");
        }
    }

    #[test]
    fn if_they_are_too_large_as_many_as_fit_and_always_the_newest() {
        let view = view(&[1, 1, 2, 2, 3, 3, 4, 4]);
        for (room, expected) in [(60, 2), (59, 4), (40, 4), (39, 6), (0, 6)] {
            assert_eq!(upto(&view, room), Some(expected), "{room}");
        }
    }

    #[test]
    fn what_was_not_read_goes_too() {
        let mut view = view(&[1, 1]);
        view.rows.iter_mut().for_each(|row| row.id += 100);
        view.more = true;
        let fold = fold(&view, 1_000).unwrap();
        assert_eq!((fold.upto, fold.tokens, fold.more), (100, 0, true));
    }

    #[test]
    fn the_summary_before_counts_as_folded() {
        let mut view = view(&[1, 2, 3, 4]);
        view.summary = Some(Summary { upto: 0, text: "x".into(), tokens: 7, written: true });
        assert_eq!(fold(&view, 1_000).unwrap().tokens, 17);
    }
}
