//! Which of the candidates may be called: a pure decision over what is spent and what rests.
//!
//! A fallback is better than a refusal, so a candidate that is too dear or rests is passed over. When all that could be
//! paid rest, and one of them only for trouble that passes, the one soonest free is tried all the same ("oldest-cooled
//! first", providers.md §5.2): with one model there is nothing else to try. Not here: the numbers, and what is told.

use super::calendar::{next_day, next_month};
use super::exchange::{Candidate, Cap, Caps, Reserved};
use super::health::Rest;
use super::ledger::Spent;
use crate::llm::ErrorClass;

/// What is known when a call is asked for.
pub(super) struct Situation<'a> {
    pub spent: Spent,
    pub caps: &'a Caps,
    /// The person is held to a cap of their own.
    pub capped_person: bool,
    pub resting: &'a [Rest],
    pub now: i64,
}

/// Grants one of `candidates`, or says why none; `without` is left to the caller. No candidate at all is a request no
/// conversation makes; it gets [`Reserved::Resting`].
pub(super) fn decide(candidates: &[Candidate], situation: &Situation<'_>) -> Reserved {
    let granted = |candidate| Reserved::Granted { candidate, without: Vec::new() };
    let mut soonest: Option<Resting> = None;
    let mut soonest_soft: Option<(usize, i64)> = None;
    let mut cheapest: Option<(u64, Cap)> = None;
    for (index, candidate) in candidates.iter().enumerate() {
        if let Some(cap) = situation.cap_passed(candidate.estimate_nano_usd) {
            if cheapest.is_none_or(|(estimate, _)| candidate.estimate_nano_usd < estimate) {
                cheapest = Some((candidate.estimate_nano_usd, cap));
            }
            continue;
        }
        let Some(resting) = situation.resting(candidate) else { return granted(index) };
        if resting.soft && soonest_soft.is_none_or(|(_, until)| resting.until < until) {
            soonest_soft = Some((index, resting.until));
        }
        if soonest.as_ref().is_none_or(|soonest| resting.until < soonest.until) {
            soonest = Some(resting);
        }
    }
    match (soonest_soft, soonest, cheapest) {
        (Some((index, _)), _, _) => granted(index),
        (None, Some(Resting { until, class, .. }), _) => Reserved::Resting { until, class },
        (None, None, Some((_, cap))) => Reserved::Capped { cap, until: situation.free_again(cap) },
        (None, None, None) => Reserved::Resting { until: situation.now, class: ErrorClass::BadRequest },
    }
}

/// How a candidate rests.
struct Resting {
    until: i64,
    class: ErrorClass,
    /// For reasons that pass by themselves, so that trying is no offence.
    soft: bool,
}

impl Situation<'_> {
    /// The cap a call of this estimate would pass; of several the one that lasts longest. What costs nothing passes none.
    fn cap_passed(&self, estimate: u64) -> Option<Cap> {
        let over = |spent: u64, open: u64, cap: u64| spent.saturating_add(open).saturating_add(estimate) > cap;
        let Spent { day, month, person, open, person_open } = self.spent;
        let person_cap = self.caps.person_day_nano_usd.filter(|_| self.capped_person);
        if estimate == 0 {
            None
        } else if over(month, open, self.caps.month_nano_usd) {
            Some(Cap::Month)
        } else if over(day, open, self.caps.day_nano_usd) {
            Some(Cap::Day)
        } else if person_cap.is_some_and(|cap| over(person, person_open, cap)) {
            Some(Cap::Person)
        } else {
            None
        }
    }

    fn free_again(&self, cap: Cap) -> i64 {
        match cap {
            Cap::Day | Cap::Person => next_day(self.now),
            Cap::Month => next_month(self.now),
        }
    }

    /// The longest of the rests that concern the candidate; `None`: it does not rest.
    fn resting(&self, candidate: &Candidate) -> Option<Resting> {
        let rests = || self.resting.iter().filter(|rest| rest.concerns(&candidate.model));
        let longest = rests().max_by_key(|rest| rest.until)?;
        let soft = rests().all(|rest| matches!(rest.class, ErrorClass::Rate | ErrorClass::Transient));
        Some(Resting { until: longest.until, class: longest.class, soft })
    }
}
