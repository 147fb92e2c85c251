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

    /// Takes all of them, for sending.
    pub(super) fn take(&self) -> Taken<'_> {
        Taken { events: self.0.take().into(), from: self }
    }

    /// Whether one is worth a request of its own.
    pub(super) fn press(&self) -> bool {
        self.0.borrow().iter().any(|event| event.level > Level::Info)
    }
}

/// Events on their way. They come back unless they were heard, also when the request is given up.
pub(super) struct Taken<'a> {
    events: Vec<Event>,
    from: &'a Events,
}

impl Taken<'_> {
    pub(super) fn list(&self) -> &[Event] {
        &self.events
    }

    /// The Directory has them.
    pub(super) fn heard(mut self) {
        self.events.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // They go before what came since.
        let mut held = self.from.0.borrow_mut();
        for event in self.events.drain(..).rev() {
            held.push_front(event);
        }
        let over = held.len().saturating_sub(MOST);
        held.drain(..over);
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
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn event(n: usize) -> Event {
        Event::new(1, Level::Info, "x", &n.to_string())
    }

    #[test]
    fn what_was_not_heard_comes_back_in_order_and_bounded() {
        let events = Events::default();
        (0..3).for_each(|n| events.push(event(n)));
        let taken = events.take();
        events.push(event(3));
        drop(taken);
        assert!(!events.press(), "none of them is grave");
        let texts = |taken: &Taken<'_>| taken.list().iter().map(|event| event.text.clone()).collect::<Vec<_>>();
        let taken = events.take();
        assert_eq!(texts(&taken), ["0", "1", "2", "3"]);
        (10..58).for_each(|n| events.push(event(n)));
        drop(taken);
        let taken = events.take();
        assert_eq!((taken.list().len(), texts(&taken)[0].as_str(), texts(&taken)[1].as_str()), (MOST, "2", "3"));
        taken.heard();
        assert!(events.take().list().is_empty());
    }
}
