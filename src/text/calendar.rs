//! Unix milliseconds as dates people and models read.
//!
//! Civil-from-days after H. Hinnant, "chrono-compatible low-level date algorithms". Not here: time zones by name, whose
//! tables are larger than all the rest.

const DAY_MS: i64 = 86_400_000;

/// Year, month and day of the month.
pub fn civil(ms: i64) -> (i64, i64, i64) {
    let days = ms.div_euclid(DAY_MS) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `YYYY-MM-DD`.
pub fn date(ms: i64) -> String {
    let (year, month, day) = civil(ms);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `YYYY-MM`.
pub fn month(ms: i64) -> String {
    date(ms).chars().take(7).collect()
}

/// `HH:MM`.
pub fn time(ms: i64) -> String {
    let minutes = ms.rem_euclid(DAY_MS) / 60_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `YYYY-MM-DD HH:MM`.
pub fn date_time(ms: i64) -> String {
    format!("{} {}", date(ms), time(ms))
}

/// The English name of the day.
pub fn weekday(ms: i64) -> &'static str {
    const NAMES: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    let day = usize::try_from(ms.div_euclid(DAY_MS).rem_euclid(7)).unwrap_or(0);
    NAMES.get(day).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (ms, expected) in [
            (0, "Thursday 1970-01-01 00:00"),
            (-60_000, "Wednesday 1969-12-31 23:59"),
            (951_782_400_000, "Tuesday 2000-02-29 00:00"),
            (1_795_132_800_000 + 45_240_000, "Friday 2026-11-20 12:34"),
        ] {
            assert_eq!(format!("{} {}", weekday(ms), date_time(ms)), expected);
        }
    }
}
