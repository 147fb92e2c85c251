//! The platform's clock, timers and randomness.

use std::time::Duration;

use worker::Delay;

/// Unix time in milliseconds. Stands still between I/O (cloudflare.md §1.2).
pub fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// Longest timer: `Delay` keeps milliseconds in an `i32` (cloudflare.md §4).
const LONGEST_MS: i64 = 20 * 86_400_000;

/// Waits `ms` milliseconds; the timer is cleared when dropped.
pub async fn sleep(ms: i64) {
    Delay::from(Duration::from_millis(u64::try_from(ms.clamp(0, LONGEST_MS)).unwrap_or(0))).await;
}

/// Unpredictable bytes, or `None` if the platform has none to give.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// Pause before an object whose store could not be opened is tried again, in milliseconds.
pub const REOPEN_MS: i64 = 30_000;
