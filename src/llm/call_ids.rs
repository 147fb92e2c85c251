//! Ids for the calls of one answer: the provider's own, or ours where it gives none or repeats itself
//! (providers.md §1.3, §5.4).
//!
//! Not here: ids over a whole conversation ([`super::history::tidy`] makes those unique before they go out).

use std::collections::HashSet;

/// The ids given out so far.
#[derive(Debug, Default)]
pub(super) struct CallIds(HashSet<String>);

impl CallIds {
    /// `id` itself if it is new and not empty, else the first free `call_<n>`.
    pub(super) fn give(&mut self, id: &str) -> String {
        if !id.is_empty() && self.0.insert(id.to_owned()) {
            return id.to_owned();
        }
        let mut n = self.0.len();
        loop {
            n += 1;
            let own = format!("call_{n}");
            if self.0.insert(own.clone()) {
                return own;
            }
        }
    }

    /// Whether no call has come.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_gets_an_id_of_its_own() {
        let mut ids = CallIds::default();
        assert!(ids.is_empty());
        let given = ["", "call_3", "a", "a", ""].map(|id| ids.give(id));
        assert_eq!(given, ["call_1", "call_3", "a", "call_4", "call_5"]);
        assert!(!ids.is_empty());
    }
}
