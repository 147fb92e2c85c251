//! What operators hear of a conversation's troubles: a line in the platform's log, and an event for the Directory's.
//!
//! Events wait in memory and ride on the next request to the Directory (`meter`): they cost no request of their own, and
//! those of an instance that dies are in the platform's log only. An error brings that request forward. Not here: what a
//! person said, which no line holds; redaction, which both the line's makers and the Directory see to.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::conversation::Conversation;
use super::ports::Ports;
use crate::directory::{Event, Level};
use crate::store::Sql;

/// Events kept until the Directory hears them; then the oldest go.
const MOST: usize = 50;
/// A warning waits so long for something to ride with.
const WARNING_MS: i64 = 30_000;

/// What operators are to hear, oldest first.
#[derive(Debug, Default)]
pub(super) struct Events(RefCell<VecDeque<Event>>);

impl Events {
    fn push(&self, event: Event) {
        let mut held = self.0.borrow_mut();
        if held.len() >= MOST {
            held.pop_front();
        }
        held.push_back(event);
    }

    /// Takes all of them, for sending. Give back what was not heard.
    pub(super) fn take(&self) -> Vec<Event> {
        self.0.take().into()
    }

    /// What could not be sent goes before what came since.
    pub(super) fn give_back(&self, events: Vec<Event>) {
        let mut held = self.0.borrow_mut();
        for event in events.into_iter().rev() {
            held.push_front(event);
        }
        let over = held.len().saturating_sub(MOST);
        held.drain(..over);
    }

    /// Whether one is worth a request of its own.
    pub(super) fn press(&self) -> bool {
        self.0.borrow().iter().any(|event| event.level > Level::Info)
    }
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// One line for operators; never a secret, never a person's text. `what`: a word to filter by.
    pub(super) fn note(&self, level: Level, what: &str, text: &str) {
        self.ports.log(text);
        let now = self.ports.now();
        match level {
            Level::Info => {}
            Level::Warning => self.tell_by(now + WARNING_MS),
            Level::Error => self.tell_by(now),
        }
        self.live.events.push(Event::new(now, level, what, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: usize) -> Event {
        Event::new(1, Level::Info, "x", &n.to_string())
    }

    #[test]
    fn what_was_not_heard_stays_in_order_and_bounded() {
        let events = Events::default();
        events.give_back((0..3).map(event).collect());
        let taken = events.take();
        events.give_back(vec![event(3)]);
        events.give_back(taken);
        assert!(!events.press());
        events.give_back((10..58).map(event).collect());
        let texts: Vec<String> = events.take().into_iter().map(|event| event.text).collect();
        assert_eq!(texts.len(), MOST);
        assert_eq!(texts.first().map(String::as_str), Some("12"));
        assert_eq!(texts.last().map(String::as_str), Some("3"), "the oldest went");
    }
}
