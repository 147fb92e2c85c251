//! How often one isolate of the Worker speaks of its own trouble: once a minute for each kind, with the number of times.
//!
//! Whoever sends us rubbish all day costs the Directory a request a minute and the log a line a minute, not one each.

use super::MINUTE;

/// Kinds remembered; further ones are not told.
const MAX_KINDS: usize = 50;

/// What this isolate told, by kind.
#[derive(Debug, Default)]
pub struct Throttle {
    /// Kind, when it was last told, how often it happened since.
    kinds: Vec<(String, i64, u64)>,
}

impl Throttle {
    /// Counts one trouble of `kind`. `Some` with how often it happened since it was last told, if it is to be told now.
    pub fn note(&mut self, kind: &str, now: i64) -> Option<u64> {
        if let Some((_, told_at, count)) = self.kinds.iter_mut().find(|(known, _, _)| known == kind) {
            *count = count.saturating_add(1);
            // A clock that was set back must not silence it.
            if (0..MINUTE).contains(&(now - *told_at)) {
                return None;
            }
            *told_at = now;
            return Some(std::mem::take(count));
        }
        if self.kinds.len() >= MAX_KINDS {
            return None;
        }
        self.kinds.push((kind.to_owned(), now, 0));
        Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_once_a_minute_with_its_number() {
        let mut throttle = Throttle::default();
        let told: Vec<u64> = (0..600).filter_map(|second| throttle.note("secret", second * 1_000)).collect();
        assert_eq!(told, [1].into_iter().chain([60; 9]).collect::<Vec<_>>());
        assert_eq!(throttle.note("body", 600_000), Some(1), "another kind has its own count");
        assert_eq!(throttle.note("secret", 0), Some(60), "the clock was set back");
    }

    #[test]
    fn kinds_without_end_are_not_remembered() {
        let mut throttle = Throttle::default();
        let told = (0..1_000).filter(|n| throttle.note(&n.to_string(), 0).is_some()).count();
        assert_eq!((told, throttle.kinds.len()), (MAX_KINDS, MAX_KINDS));
    }
}
