//! Days, months and one reset rule, from Unix milliseconds. Budgets count in UTC.
//!
//! Not here: a time zone database; California's rule is fixed by law since 2007 (second Sunday of March to first Sunday
//! of November, changing at 02:00).

use crate::directory::{DAY, HOUR};

/// Days since 1970-01-01, UTC.
pub(super) fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY)
}

/// When the day of `at` ends, UTC.
pub(super) fn next_day(at: i64) -> i64 {
    (day_of(at) + 1) * DAY
}

/// The day on which the month of `at` began.
pub(super) fn first_of_month(at: i64) -> i64 {
    let (year, month) = month_of(day_of(at));
    days_from(year, month, 1)
}

/// When the month of `at` ends, UTC.
pub(super) fn next_month(at: i64) -> i64 {
    let (year, month) = month_of(day_of(at));
    let next = if month == 12 { days_from(year + 1, 1, 1) } else { days_from(year, month + 1, 1) };
    next * DAY
}

/// The next midnight in California after `at`.
pub(super) fn midnight_pacific(at: i64) -> i64 {
    let today = day_of(at);
    let midnight = |day: i64| day * DAY + if summer_at_midnight(day) { 7 * HOUR } else { 8 * HOUR };
    // The local day is today's or yesterday's, so the next midnight is at most two away.
    let mut days = [today, today + 1].into_iter().map(midnight);
    days.find(|midnight| *midnight > at).unwrap_or(at + DAY)
}

/// Whether summer time holds in California as `day` begins there. Both changes come two hours later.
fn summer_at_midnight(day: i64) -> bool {
    let (year, _) = month_of(day);
    let second_of_march = first_sunday(days_from(year, 3, 1)) + 7;
    let first_of_november = first_sunday(days_from(year, 11, 1));
    second_of_march < day && day <= first_of_november
}

/// The first Sunday on or after `day`; day 0 was a Thursday.
fn first_sunday(day: i64) -> i64 {
    day + (3 - day).rem_euclid(7)
}

/// Days since 1970-01-01 of a date; years begin with March, so that the leap day is the last one
/// (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year and month of a day since 1970-01-01; the reverse of [`days_from`].
fn month_of(day: i64) -> (i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = ((5 * of_year + 2) / 153 + 2) % 12 + 1;
    (year + era * 400 + i64::from(month <= 2), month)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: i64 = 1_795_000_000_000; // 2026-11-18 11:06:40 UTC

    #[test]
    fn months_and_days() {
        assert_eq!(days_from(1970, 1, 1), 0);
        assert_eq!(days_from(2026, 11, 18), day_of(T0));
        for day in -200_000..200_000 {
            let (year, month) = month_of(day);
            let first = days_from(year, month, 1);
            assert!(first <= day && day - first < 31 && (1..=12).contains(&month), "{day}");
        }
        assert_eq!(first_of_month(T0), days_from(2026, 11, 1));
        assert_eq!(next_month(T0), days_from(2026, 12, 1) * DAY);
        assert_eq!(next_month(days_from(2026, 12, 31) * DAY + DAY - 1), days_from(2027, 1, 1) * DAY);
        assert_eq!(first_of_month(days_from(2028, 2, 29) * DAY), days_from(2028, 2, 1));
        assert_eq!(next_day(T0), days_from(2026, 11, 19) * DAY);
        assert_eq!(next_day(days_from(2026, 11, 19) * DAY), days_from(2026, 11, 20) * DAY);
    }

    #[test]
    fn midnight_in_california() {
        let at = |year, month, day, hour: i64| days_from(year, month, day) * DAY + hour * HOUR;
        for (now, expected) in [
            (T0, at(2026, 11, 19, 8)),
            (at(2026, 11, 19, 7), at(2026, 11, 19, 8)),
            (at(2026, 11, 19, 8), at(2026, 11, 20, 8)),
            (at(2026, 7, 1, 6), at(2026, 7, 1, 7)),
            (at(2026, 7, 1, 7), at(2026, 7, 2, 7)),
            // Summer time of 2026: 8 March to 1 November. Those two midnights are before the change.
            (at(2026, 3, 8, 0), at(2026, 3, 8, 8)),
            (at(2026, 3, 8, 8), at(2026, 3, 9, 7)),
            (at(2026, 11, 1, 0), at(2026, 11, 1, 7)),
            (at(2026, 11, 1, 7), at(2026, 11, 2, 8)),
        ] {
            assert_eq!(midnight_pacific(now), expected, "{now}");
        }
    }
}
