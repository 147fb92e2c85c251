//! Which manifests stay: the newest of each hour for two days, the newest of each day for thirty days, and the newest of all.
//!
//! Hours and days are those of UTC. What no manifest that stays refers to is deleted (`directory::backups`).

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// An hour's newest manifest stays so long.
pub const HOURLY_FOR: i64 = 48 * HOUR;
/// A day's newest manifest stays so long.
pub const DAILY_FOR: i64 = 30 * DAY;

/// Those of `times` (of manifests, rising, Unix milliseconds) that may go.
pub fn expired(times: &[i64], now: i64) -> Vec<i64> {
    let stays = |&(at, next): &(i64, Option<i64>)| {
        let Some(next) = next else { return true };
        let last_of = |length: i64| at.div_euclid(length) != next.div_euclid(length);
        let age = now - at;
        (age < HOURLY_FOR && last_of(HOUR)) || (age < DAILY_FOR && last_of(DAY))
    };
    let with_next = times.iter().enumerate().map(|(place, &at)| (at, times.get(place + 1).copied()));
    with_next.filter(|pair| !stays(pair)).map(|(at, _)| at).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Every five minutes for sixty days, with what expired taken away each time.
    #[test]
    fn sixty_days() {
        let start = 1_795_132_800_000 / DAY * DAY;
        let mut kept: Vec<i64> = Vec::new();
        let mut now = start;
        while now < start + 60 * DAY {
            kept.push(now);
            let gone = expired(&kept, now);
            assert!(!gone.contains(&now), "the newest stays");
            kept.retain(|at| !gone.contains(at));
            assert!(kept.len() <= 48 + 1 + 30 + 1, "{} at {now}", kept.len());
            let age = now - start;
            // One no older than an hour and five minutes from any moment of the last two days.
            for back in 0..(HOURLY_FOR.min(age) / HOUR) {
                let moment = now - back * HOUR;
                assert!(kept.iter().any(|at| (moment - HOUR..=moment).contains(at)), "hour {back} before {now}");
            }
            for back in 0..(DAILY_FOR.min(age) / DAY) {
                let moment = now - back * DAY;
                assert!(kept.iter().any(|at| (moment - DAY..=moment).contains(at)), "day {back} before {now}");
            }
            now += 5 * 60_000;
        }
        assert!(kept[0] >= now - DAILY_FOR - DAY);
    }

    #[test]
    fn the_last_one_stays_however_old() {
        assert!(expired(&[1], 100 * DAY).is_empty());
        assert_eq!(expired(&[1, 2], 100 * DAY), [1]);
        assert!(expired(&[], 0).is_empty());
    }
}
