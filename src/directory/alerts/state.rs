//! When owners hear of a trouble: a state machine over what is seen at each look, with nothing but the time beside it.
//!
//! One message when a trouble begins, one an hour while it lasts, one when it is over, if it was told. What comes and
//! goes is told at most once an hour. Not here: what a trouble is (`facts`), what is said (`text::alerts`).

use crate::directory::HOUR;

/// What is remembered of one trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alert {
    /// When it began, Unix milliseconds.
    pub since: i64,
    /// When owners last heard of it, this time or an earlier one.
    pub told_at: Option<i64>,
    /// How often they heard since it began.
    pub said: i64,
    /// It is over; remembered only to keep quiet.
    pub ended_at: Option<i64>,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is there, since that moment.
    Trouble {
        since: i64,
    },
    Fine,
    /// Nobody could tell: nothing begins and nothing ends.
    Unknown,
}

/// Whose voice owners hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// Ours.
    Alerts,
    /// Something else says when it begins and how it goes on; only its end is told here.
    Elsewhere,
}

/// What to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    Begins,
    Lasts,
    Over,
}

/// One look at one trouble: what to remember (`None`: nothing) and what to say.
pub(super) fn step(known: Option<Alert>, seen: Seen, voice: Voice, now: i64) -> (Option<Alert>, Option<Say>) {
    // A clock may have been set back: nothing was in the future.
    let known = known.map(|alert| Alert {
        since: alert.since.min(now),
        told_at: alert.told_at.map(|at| at.min(now)),
        ended_at: alert.ended_at.map(|at| at.min(now)),
        ..alert
    });
    let told_lately = known.and_then(|alert| alert.told_at).is_some_and(|at| now - at < HOUR);
    match (seen, known) {
        (Seen::Unknown, known) => (known, None),
        (Seen::Fine, None) => (None, None),
        (Seen::Fine, Some(alert)) if alert.ended_at.is_some() => (told_lately.then_some(alert), None),
        (Seen::Fine, Some(alert)) => {
            let over = (alert.said > 0).then_some(Say::Over);
            (told_lately.then_some(Alert { ended_at: Some(now), ..alert }), over)
        }
        (Seen::Trouble { since }, known) => {
            let mut alert = match known {
                Some(alert) if alert.ended_at.is_none() => alert,
                earlier => Alert {
                    since: since.min(now),
                    told_at: earlier.and_then(|alert| alert.told_at),
                    said: 0,
                    ended_at: None,
                },
            };
            let say = match (alert.said, voice) {
                (0, Voice::Alerts) if !told_lately => Some(Say::Begins),
                (1.., Voice::Alerts) if !told_lately => Some(Say::Lasts),
                _ => None,
            };
            if say.is_some() || (voice == Voice::Elsewhere && alert.said == 0) {
                alert.said += 1;
                alert.told_at = Some(now);
            }
            (Some(alert), say)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::directory::MINUTE;
    use proptest::prelude::*;

    /// A trouble looked at again and again.
    struct Look {
        now: i64,
        known: Option<Alert>,
        said: Vec<(i64, Say)>,
    }

    impl Look {
        fn new() -> Look {
            Look { now: 1_795_000_000_000, known: None, said: vec![] }
        }

        fn at(&mut self, minutes: i64, seen: Seen) -> Option<Say> {
            self.now += minutes * MINUTE;
            let (known, say) = step(self.known, seen, Voice::Alerts, self.now);
            self.known = known;
            self.said.extend(say.map(|say| (self.now, say)));
            say
        }

        fn bad(&self) -> Seen {
            Seen::Trouble { since: self.now }
        }
    }

    #[test]
    fn it_is_told_when_it_begins_each_hour_and_when_it_is_over() {
        let mut look = Look::new();
        let began = look.bad();
        assert_eq!(look.at(0, began), Some(Say::Begins));
        for _ in 1..12 {
            assert_eq!(look.at(5, began), None);
        }
        assert_eq!(look.at(5, began), Some(Say::Lasts));
        assert_eq!(look.at(5, Seen::Fine), Some(Say::Over));
        assert_eq!(look.at(5, Seen::Fine), None);
        assert_eq!(look.at(60, Seen::Fine), None);
        assert_eq!(look.known, None, "nothing is left of it");
    }

    #[test]
    fn what_comes_and_goes_is_told_once_an_hour() {
        let mut look = Look::new();
        let mut said = Vec::new();
        for _ in 0..24 {
            let began = look.bad();
            said.extend(look.at(5, began));
            said.extend(look.at(5, Seen::Fine));
        }
        // Four hours: one beginning and one end in each.
        assert_eq!(said, [Say::Begins, Say::Over].repeat(4));
    }

    #[test]
    fn one_that_begins_anew_within_the_hour_is_told_when_the_hour_is_over_if_it_lasts() {
        let mut look = Look::new();
        let began = look.bad();
        look.at(0, began);
        assert_eq!(look.at(5, Seen::Fine), Some(Say::Over));
        let again = look.bad();
        assert_eq!(look.at(5, again), None);
        assert_eq!(look.at(45, again), None);
        assert_eq!(look.at(5, again), Some(Say::Begins));
    }

    #[test]
    fn not_knowing_changes_nothing() {
        let mut look = Look::new();
        assert_eq!(look.at(0, Seen::Unknown), None);
        assert_eq!(look.known, None);
        let began = look.bad();
        look.at(0, began);
        assert_eq!((look.at(120, Seen::Unknown), look.known.is_some()), (None, true));
        assert_eq!(look.at(1, Seen::Fine), Some(Say::Over));
    }

    #[test]
    fn a_clock_that_jumps_neither_silences_nor_repeats() {
        let mut look = Look::new();
        let began = look.bad();
        look.at(0, began);
        assert_eq!(look.at(-3 * 24 * 60, began), None, "set back three days");
        assert_eq!(look.at(60, began), Some(Say::Lasts), "an hour later, not three days");
        assert_eq!(look.at(365 * 24 * 60, began), Some(Say::Lasts), "a year ahead: once");
        assert_eq!(look.at(5, began), None);
        assert_eq!(look.at(5, Seen::Fine), Some(Say::Over));
    }

    #[test]
    fn what_is_said_elsewhere_only_ends_here() {
        let now = 1_795_000_000_000;
        let (known, say) = step(None, Seen::Trouble { since: now }, Voice::Elsewhere, now);
        assert_eq!(say, None);
        let later = now + 5 * HOUR;
        let (known, say) = step(known, Seen::Trouble { since: now }, Voice::Elsewhere, later);
        assert_eq!(say, None);
        assert_eq!(step(known, Seen::Fine, Voice::Elsewhere, later).1, Some(Say::Over));
    }

    proptest! {
        /// Whatever is seen, and whenever: at most one message an hour says that it is there, each end follows a
        /// message, and no end follows an end.
        #[test]
        fn at_most_one_an_hour(looks in prop::collection::vec((1i64..90, 0u8..3), 1..200)) {
            let mut look = Look::new();
            for (minutes, seen) in looks {
                let seen = match seen { 0 => look.bad(), 1 => Seen::Fine, _ => Seen::Unknown };
                look.at(minutes, seen);
            }
            let there: Vec<i64> = look.said.iter().filter(|(_, say)| *say != Say::Over).map(|(at, _)| *at).collect();
            prop_assert!(there.windows(2).all(|pair| pair[1] - pair[0] >= HOUR));
            let in_order = look.said.windows(2).all(|pair| match pair[1].1 {
                Say::Begins => pair[0].1 == Say::Over,
                Say::Lasts | Say::Over => pair[0].1 != Say::Over,
            });
            prop_assert!(in_order);
            prop_assert!(look.said.first().is_none_or(|(_, say)| *say == Say::Begins));
        }
    }
}
