//! Ids of calls as Mistral wants them: nine letters and digits (providers.md §3.2, §5.4).
//!
//! Nothing is stored: the same history gives the same ids, so a call and its result agree and prompt caches stay warm.

use std::collections::{HashMap, HashSet};

/// Length of an id.
const SHORT_ID: usize = 9;

/// The ids of one request.
#[derive(Debug, Default)]
pub(super) struct ShortIds {
    given: HashMap<String, String>,
    taken: HashSet<String>,
}

impl ShortIds {
    /// The short form of `id`; an id that has the form already keeps it, unless another took it.
    pub(super) fn short(&mut self, id: &str) -> String {
        if let Some(short) = self.given.get(id) {
            return short.clone();
        }
        let fits = id.len() == SHORT_ID && id.bytes().all(|b| b.is_ascii_alphanumeric());
        let mut short = if fits { id.to_owned() } else { scramble(id, 0) };
        let mut salt = 0;
        while !self.taken.insert(short.clone()) {
            salt += 1;
            short = scramble(id, salt);
        }
        self.given.insert(id.to_owned(), short.clone());
        short
    }
}

/// Nine signs out of any id: FNV-1a, written in base 36.
fn scramble(id: &str, salt: u32) -> String {
    let mut hash = id
        .bytes()
        .chain(salt.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let sign = |_| {
        let digit = (hash % 36) as u32;
        hash /= 36;
        char::from_digit(digit, 36).unwrap_or('0')
    };
    (0..SHORT_ID).map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_stable_and_unique() {
        let mut ids = ShortIds::default();
        let first = ids.short("call_1");
        assert_eq!(first.len(), SHORT_ID);
        assert!(first.bytes().all(|b| b.is_ascii_alphanumeric()), "{first}");
        assert_eq!(ids.short("call_1"), first);
        assert_eq!(ids.short("D681PevKs"), "D681PevKs");
        // An id that is another's short form gets one of its own.
        assert_ne!(ids.short(&first), first);
        assert_eq!(ShortIds::default().short("call_1"), first);
        let many: HashSet<String> = (0..10_000).map(|n| ids.short(&format!("call_{n}"))).collect();
        assert_eq!(many.len(), 10_000);
    }
}
