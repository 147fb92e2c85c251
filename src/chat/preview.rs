//! When to show what while an answer grows: typing, draft, placeholder, edit. A plan from numbers; no I/O.
//!
//! Source: telegram.md §1.1 (drafts live 30 s, send a growing prefix), §3.2 (one chat about a message a second, groups
//! 20 a minute, typing lasts 5 s), §6 (edit cadence).

use super::config::Streaming;

/// What to show now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Typing,
    Draft,
    /// Send the placeholder message.
    Placeholder,
    Edit,
}

/// Pauses in milliseconds.
const TYPING_EVERY: i64 = 4_000;
/// A whole answer that follows its first word within this time needs no preview.
const FIRST_DRAFT_AFTER: i64 = 20;
/// Just over a second: a 429 for a draft would hold the final message back as well.
const DRAFT_EVERY: i64 = 1_050;
/// A draft fades after 30 s; shown again before that.
const DRAFT_REFRESH: i64 = 20_000;
/// Few new characters wait a little longer.
const SMALL_STEP: usize = 20;
const SMALL_STEP_WAIT: i64 = 2_000;
const PLACEHOLDER_AFTER: i64 = 1_000;
/// A wait for a relay's model is told after this; nobody reads a line that goes at once.
const LINE_AFTER: i64 = 10_000;
/// Its seconds go on at this pace for as long as the second figure, then only as often as a draft has to be shown again.
const LINE_EVERY: (i64, i64) = (5_000, 30_000);
const EDIT_EVERY_PRIVATE: (i64, i64) = (1_000, 3_000);
const EDIT_EVERY_GROUP: i64 = 3_500;
/// The Free plan allows 50 sub-requests an invocation (cloudflare.md §1.1); the answer itself must find room among them.
/// After the first figure previews slow down, after the second they slow down to a refresh, after the third they end.
const THRIFT: (u32, u32, u32) = (20, 30, 40);
const SLOWEST: i64 = 20_000;

/// The state of one answer's preview.
#[derive(Debug, Clone)]
pub struct Preview {
    streaming: Streaming,
    private: bool,
    typing_at: i64,
    first_text_at: Option<i64>,
    /// The model is being loaded, or the call waits for its turn.
    waiting: bool,
    /// The line about it comes from then on, and was shown last at.
    line_from: i64,
    line_at: Option<i64>,
    shown_at: Option<i64>,
    shown_len: usize,
    edits: i64,
    has_placeholder: bool,
    /// Failures in a row; after 3 the preview rests.
    failures: u8,
    /// Calls made so far, of every kind.
    calls: u32,
}

impl Preview {
    /// `typing_shown`: a typing action already rode in the webhook's own answer.
    pub fn new(streaming: Streaming, private: bool, now: i64, typing_shown: bool, has_placeholder: bool) -> Preview {
        let streaming = if private || streaming == Streaming::Off { streaming } else { Streaming::Edit };
        Preview {
            streaming,
            private,
            typing_at: if typing_shown { now + TYPING_EVERY } else { now },
            first_text_at: None,
            waiting: false,
            line_from: now + LINE_AFTER,
            line_at: None,
            shown_at: None,
            shown_len: 0,
            edits: 0,
            has_placeholder,
            failures: 0,
            calls: 0,
        }
    }

    /// The answer has `len` bytes of text by now.
    pub fn text_grew(&mut self, now: i64, len: usize) {
        if len > 0 && self.first_text_at.is_none() {
            self.first_text_at = Some(now);
        }
    }

    /// Whether the call waits for a model to be loaded, or for its turn. Without any text a line about it is due then.
    pub fn waits(&mut self, waiting: bool) {
        self.waiting = waiting;
    }

    /// What is due, if anything, given `len` bytes of text; of none, the line about the wait.
    pub fn due(&self, now: i64, len: usize) -> Option<Show> {
        if self.calls >= THRIFT.2 {
            return None;
        }
        if let Some((at, show)) = self.next_text(len)
            && at <= now
        {
            return Some(show);
        }
        (self.typing_due(len) <= now).then_some(Show::Typing)
    }

    /// When [`Preview::due`] will next have something, if `len` stays as it is.
    pub fn wake_at(&self, len: usize) -> i64 {
        if self.calls >= THRIFT.2 {
            return i64::MAX;
        }
        let typing = self.typing_due(len);
        self.next_text(len).map_or(typing, |(at, _)| at.min(typing))
    }

    fn typing_due(&self, len: usize) -> i64 {
        // A visible draft says "typing" by itself, a line about the wait says more.
        let drafting = self.streaming == Streaming::Draft && len > 0;
        let waiting = self.line_at.is_some() && len == 0;
        if (drafting || waiting) && self.failures < 3 { i64::MAX } else { self.typing_at }
    }

    fn next_text(&self, len: usize) -> Option<(i64, Show)> {
        if self.failures >= 3 {
            return None;
        }
        let first = match self.first_text_at {
            Some(first) if len > 0 => first,
            _ => return self.next_line(),
        };
        let grown = len.saturating_sub(self.shown_len);
        match (self.streaming, self.shown_at) {
            (Streaming::Off, _) => None,
            (Streaming::Draft, None) => Some((first + FIRST_DRAFT_AFTER, Show::Draft)),
            (Streaming::Draft, Some(at)) if grown == 0 => Some((at + DRAFT_REFRESH, Show::Draft)),
            (Streaming::Draft, Some(at)) => {
                let wait = if grown < SMALL_STEP { SMALL_STEP_WAIT } else { DRAFT_EVERY };
                Some((at + self.thrifty(wait), Show::Draft))
            }
            (Streaming::Edit, None) if !self.has_placeholder => Some((first + PLACEHOLDER_AFTER, Show::Placeholder)),
            (Streaming::Edit, None) => Some((first + PLACEHOLDER_AFTER, Show::Edit)),
            (Streaming::Edit, Some(_)) if grown == 0 => None,
            (Streaming::Edit, Some(at)) => Some((at + self.thrifty(self.edit_pause()), Show::Edit)),
        }
    }

    /// Once shown it stays up to date until words take its place, whatever the model does before them.
    fn next_line(&self) -> Option<(i64, Show)> {
        let show = match self.streaming {
            Streaming::Off => return None,
            Streaming::Draft => Show::Draft,
            Streaming::Edit if self.has_placeholder => Show::Edit,
            Streaming::Edit => Show::Placeholder,
        };
        let Some(at) = self.line_at else { return self.waiting.then_some((self.line_from, show)) };
        let (pause, so_long) = LINE_EVERY;
        let pause = if at - self.line_from < so_long { pause } else { DRAFT_REFRESH };
        Some((at + pause, show))
    }

    /// A pause, longer the more calls were made.
    fn thrifty(&self, pause: i64) -> i64 {
        match self.calls {
            calls if calls < THRIFT.0 => pause,
            calls if calls < THRIFT.1 => pause * 3,
            _ => pause.max(SLOWEST),
        }
    }

    fn edit_pause(&self) -> i64 {
        let (first, longest) = EDIT_EVERY_PRIVATE;
        if self.private { (first + self.edits * 200).min(longest) } else { EDIT_EVERY_GROUP }
    }

    /// `show` left for Telegram at `now` with `len` bytes of text.
    pub fn began(&mut self, show: Show, now: i64, len: usize) {
        self.calls += 1;
        if show == Show::Typing {
            self.typing_at = now + self.thrifty(TYPING_EVERY);
        } else if len == 0 {
            self.line_at = Some(now);
        } else {
            self.shown_at = Some(now);
            self.shown_len = len;
            self.edits += 1;
        }
    }

    /// How it went. `placeholder`: the placeholder message exists now.
    pub fn ended(&mut self, show: Show, ok: bool, placeholder: bool) {
        if show == Show::Typing {
            return;
        }
        self.failures = if ok { 0 } else { self.failures.saturating_add(1) };
        self.has_placeholder |= placeholder;
        if show == Show::Placeholder && !placeholder {
            // Its fate is unknown: a second placeholder could stay behind for ever.
            self.failures = 3;
        }
    }

    /// Nothing is shown before `until` (a flood wait).
    pub fn pause(&mut self, until: i64) {
        self.typing_at = self.typing_at.max(until);
        self.line_from = self.line_from.max(until);
        self.line_at = self.line_at.map(|at| at.max(until));
        if let Some(first) = self.first_text_at {
            self.first_text_at = Some(first.max(until));
        }
        if self.shown_at.is_some() {
            self.shown_at = Some(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(streaming: Streaming) -> Preview {
        Preview::new(streaming, true, 0, true, false)
    }

    #[test]
    fn a_fast_answer_needs_no_draft_and_a_slow_one_shows_its_first_words_at_once() {
        let mut preview = private(Streaming::Draft);
        preview.text_grew(100, 10);
        assert_eq!(preview.due(105, 10), None);
        assert_eq!(preview.wake_at(10), 120);
        assert_eq!(preview.due(120, 10), Some(Show::Draft));
    }

    #[test]
    fn drafts_keep_their_pace_and_are_refreshed() {
        let mut preview = private(Streaming::Draft);
        preview.text_grew(0, 10);
        preview.began(Show::Draft, 20, 10);
        assert_eq!(preview.wake_at(100), 1_070);
        assert_eq!(preview.wake_at(15), 2_020);
        assert_eq!(preview.wake_at(10), 20_020);
    }

    #[test]
    fn typing_is_repeated_until_words_come() {
        let mut preview = private(Streaming::Draft);
        assert_eq!(preview.due(3_999, 0), None);
        assert_eq!(preview.due(4_000, 0), Some(Show::Typing));
        preview.began(Show::Typing, 4_000, 0);
        assert_eq!(preview.wake_at(0), 8_000);
    }

    #[test]
    fn groups_are_edited_slowly_even_if_drafts_are_configured() {
        let mut preview = Preview::new(Streaming::Draft, false, 0, true, false);
        preview.text_grew(0, 50);
        assert_eq!(preview.due(1_000, 50), Some(Show::Placeholder));
        preview.began(Show::Placeholder, 1_000, 50);
        preview.ended(Show::Placeholder, true, true);
        assert_eq!(preview.due(4_499, 90), Some(Show::Typing));
        preview.began(Show::Typing, 4_400, 90);
        assert_eq!(preview.due(4_499, 90), None);
        assert_eq!(preview.due(4_500, 90), Some(Show::Edit));
    }

    #[test]
    fn a_lost_placeholder_is_not_sent_twice() {
        let mut preview = private(Streaming::Edit);
        preview.text_grew(0, 50);
        preview.began(Show::Placeholder, 1_000, 50);
        preview.ended(Show::Placeholder, false, false);
        assert_eq!(preview.due(3_900, 500), None);
    }

    #[test]
    fn a_long_answer_leaves_room_for_its_own_delivery() {
        for (streaming, private) in [(Streaming::Draft, true), (Streaming::Edit, true), (Streaming::Edit, false)] {
            let mut preview = Preview::new(streaming, private, 0, true, false);
            let mut calls = 0;
            for now in (0..600_000).step_by(10) {
                let len = usize::try_from(now / 20).unwrap_or(0);
                preview.text_grew(now, len);
                if let Some(show) = preview.due(now, len) {
                    preview.began(show, now, len);
                    preview.ended(show, true, streaming == Streaming::Edit);
                    calls += 1;
                }
            }
            assert!((30..=40).contains(&calls), "{streaming:?}: {calls}");
        }
    }

    #[test]
    fn a_long_wait_for_a_model_is_told_and_words_take_the_lines_place_at_once() {
        let mut preview = private(Streaming::Draft);
        preview.waits(true);
        preview.began(Show::Typing, 8_000, 0);
        assert_eq!((preview.due(9_999, 0), preview.wake_at(0)), (None, 10_000));
        let mut lines = Vec::new();
        for now in (10_000..300_000).step_by(100) {
            match preview.due(now, 0) {
                Some(Show::Draft) => lines.push(now),
                Some(other) => assert_eq!(other, Show::Draft),
                None => continue,
            }
            preview.began(Show::Draft, now, 0);
            preview.ended(Show::Draft, true, false);
            // What it does after the line was shown does not take the line away.
            preview.waits(false);
        }
        assert_eq!(lines.get(..8), Some([10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 60_000].as_slice()));
        assert_eq!(lines.len(), 19);
        preview.text_grew(300_000, 5);
        assert_eq!(preview.wake_at(5), 300_020, "as if nothing had been shown");
    }

    #[test]
    fn a_wait_shows_nothing_where_streaming_is_off_and_one_message_elsewhere() {
        let mut off = private(Streaming::Off);
        off.waits(true);
        assert_eq!(off.due(12_000, 0), Some(Show::Typing));
        let mut group = Preview::new(Streaming::Draft, false, 0, true, false);
        group.waits(true);
        assert_eq!(group.due(10_000, 0), Some(Show::Placeholder));
        group.began(Show::Placeholder, 10_000, 0);
        group.ended(Show::Placeholder, true, true);
        assert_eq!((group.wake_at(0), group.due(15_000, 0)), (15_000, Some(Show::Edit)));
        group.text_grew(15_100, 5);
        assert_eq!((group.due(16_099, 5), group.due(16_100, 5)), (Some(Show::Typing), Some(Show::Edit)));
    }

    #[test]
    fn a_line_too_waits_for_the_end_of_a_flood() {
        let mut preview = private(Streaming::Draft);
        preview.waits(true);
        preview.pause(60_000);
        assert_eq!(preview.wake_at(0), 60_000);
    }

    #[test]
    fn a_flood_wait_holds_everything_back() {
        let mut preview = private(Streaming::Draft);
        preview.text_grew(0, 10);
        preview.began(Show::Draft, 20, 10);
        preview.pause(60_000);
        assert!(preview.wake_at(500) >= 60_000);
    }
}
