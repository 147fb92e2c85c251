//! Which of the candidates may be called: a pure decision over what is spent and what rests.
//!
//! A fallback is better than a refusal, so a candidate that is too dear or rests is passed over. When all that could be
//! paid rest, the one soonest free is tried all the same ("oldest-cooled first", providers.md §5.2): a call that is
//! refused costs nothing, and only the provider knows whether the key was renewed or the limit raised meanwhile. Not
//! here: the numbers, and what is told.

use super::calendar::{next_day, next_month};
use super::exchange::{Candidate, Cap, Caps, Reserved};
use super::health::Rest;
use super::ledger::Spent;

/// What is known when a call is asked for.
pub(super) struct Situation<'a> {
    pub spent: Spent,
    pub caps: &'a Caps,
    /// What the person may spend a day; `None`: they are held to no cap of their own.
    pub person_cap: Option<u64>,
    pub resting: &'a [Rest],
    pub now: i64,
}

/// Grants one of `candidates`, or says which cap holds; `without` is left to the caller. `None`: there is no candidate.
pub(super) fn decide(candidates: &[Candidate], situation: &Situation<'_>) -> Option<Reserved> {
    let granted = |candidate| Some(Reserved::Granted { candidate, without: Vec::new() });
    let mut soonest: Option<(usize, i64)> = None;
    let mut cheapest: Option<(u64, Cap)> = None;
    for (index, candidate) in candidates.iter().enumerate() {
        if let Some(cap) = situation.cap_passed(candidate.estimate_nano_usd) {
            if cheapest.is_none_or(|(estimate, _)| candidate.estimate_nano_usd < estimate) {
                cheapest = Some((candidate.estimate_nano_usd, cap));
            }
            continue;
        }
        let Some(until) = situation.rests_until(candidate) else { return granted(index) };
        if soonest.is_none_or(|(_, soonest)| until < soonest) {
            soonest = Some((index, until));
        }
    }
    match (soonest, cheapest) {
        (Some((index, _)), _) => granted(index),
        (None, Some((_, cap))) => Some(Reserved::Capped { cap, until: situation.free_again(cap) }),
        (None, None) => None,
    }
}

impl Situation<'_> {
    /// The cap a call of this estimate would pass; of several the one that lasts longest. What costs nothing passes none.
    fn cap_passed(&self, estimate: u64) -> Option<Cap> {
        let over = |spent: u64, open: u64, cap: u64| spent.saturating_add(open).saturating_add(estimate) > cap;
        let Spent { day, month, person, open, person_open } = self.spent;
        if estimate == 0 {
            None
        } else if over(month, open, self.caps.month_nano_usd) {
            Some(Cap::Month)
        } else if over(day, open, self.caps.day_nano_usd) {
            Some(Cap::Day)
        } else if self.person_cap.is_some_and(|cap| over(person, person_open, cap)) {
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

    /// The end of the longest of the rests that concern the candidate; `None`: it does not rest.
    fn rests_until(&self, candidate: &Candidate) -> Option<i64> {
        self.resting.iter().filter(|rest| rest.concerns(&candidate.model)).map(|rest| rest.until).max()
    }
}
