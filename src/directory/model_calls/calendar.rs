//! Days, months and one reset rule, from Unix milliseconds. Budgets count in UTC.
//!
//! Not here: a time zone database; California's rule is fixed by law since 2007 (second Sunday of March to first Sunday
//! of November, changing at 02:00).

use crate::directory::{DAY, HOUR};
use crate::text::calendar::civil;

/// Days since 1970-01-01, UTC.
pub(in crate::directory) fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY)
}

/// When the day of `at` ends, UTC.
pub(super) fn next_day(at: i64) -> i64 {
    (day_of(at) + 1) * DAY
}

/// The day on which the month of `at` began.
pub(super) fn first_of_month(at: i64) -> i64 {
    let (_, _, day) = civil(at);
    day_of(at) - day + 1
}

/// When the month of `at` ends, UTC.
pub(super) fn next_month(at: i64) -> i64 {
    // 32 days after its first a month is over, and the next is not.
    first_of_month((first_of_month(at) + 32) * DAY) * DAY
}

/// The next midnight in California after `at`.
pub(super) fn midnight_pacific(at: i64) -> i64 {
    let midnight = |day: i64| day * DAY + if summer_at_midnight(day) { 7 * HOUR } else { 8 * HOUR };
    // California's midnight comes in the morning of the UTC day: today's, or it has passed.
    let today = midnight(day_of(at));
    if today > at { today } else { midnight(day_of(at) + 1) }
}

/// Whether summer time holds in California as `day` begins there. Both changes come two hours later.
fn summer_at_midnight(day: i64) -> bool {
    let (_, month, of_month) = civil(day * DAY);
    // Day 0 was a Thursday. The day of the month of the last Sunday before this day; below 1: in the month before.
    let last_sunday = of_month - 1 - (day + 3).rem_euclid(7);
    match month {
        3 => last_sunday >= 8,
        4..=10 => true,
        11 => last_sunday < 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-18 11:06:40 UTC.
    const T0: i64 = 1_795_000_000_000;

    /// A time of 2026; `yday` counts from 0.
    fn at(yday: i64, hour: i64) -> i64 {
        (20_454 + yday) * DAY + hour * HOUR
    }

    #[test]
    fn months_and_days() {
        assert_eq!(civil(at(0, 0)), (2026, 1, 1));
        assert_eq!(civil(at(321, 0)), (2026, 11, 18));
        assert_eq!(next_day(T0), at(322, 0));
        assert_eq!(next_day(at(322, 0)), at(323, 0));
        for day in -200_000..200_000 {
            let (first, next) = (first_of_month(day * DAY), day_of(next_month(day * DAY)));
            assert!(first <= day && day < next && (28..=31).contains(&(next - first)), "{day}");
            assert!(civil(first * DAY).2 == 1 && civil(next * DAY).2 == 1, "{day}");
        }
        assert_eq!(civil(next_month(at(364, 23))), (2027, 1, 1));
    }

    #[test]
    fn midnight_in_california() {
        // Summer time of 2026: 8 March (day 66) to 1 November (day 304). Those two midnights are before the change.
        assert_eq!((civil(at(66, 0)), civil(at(304, 0))), ((2026, 3, 8), (2026, 11, 1)));
        for (now, expected) in [
            (T0, at(322, 8)),
            (at(322, 7), at(322, 8)),
            (at(322, 8), at(323, 8)),
            (at(180, 6), at(180, 7)),
            (at(180, 7), at(181, 7)),
            (at(66, 0), at(66, 8)),
            (at(66, 8), at(67, 7)),
            (at(304, 0), at(304, 7)),
            (at(304, 7), at(305, 8)),
            (at(364, 9), at(365, 8)),
        ] {
            assert_eq!(midnight_pacific(now), expected, "{now}");
        }
        // 2027: 14 March and 7 November.
        let (march, november) = (at(365 + 72, 0), at(365 + 310, 0));
        assert_eq!((civil(march), civil(november)), ((2027, 3, 14), (2027, 11, 7)));
        for (day, summer) in [(march, false), (march + DAY, true), (november, true), (november + DAY, false)] {
            assert_eq!(summer_at_midnight(day_of(day)), summer);
        }
    }
}
