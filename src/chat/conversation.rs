//! The conversation as a whole: its parts, its lanes and its one alarm.
//!
//! Three lanes run side by side, each at most once: turns (one model call at a time), deliveries (one call to Telegram
//! at a time) and menus (lists that need a look at the provider). Accepting an update waits for none of them.

use std::cell::{Cell, RefCell};

use super::config::Config;
use super::outbox;
use super::ports::Ports;
use super::settings::Settings;
use super::signal::Signal;
use super::{MIGRATIONS, inbox, turn};
use crate::store::{Sql, StoreError, all_or_nothing, migrate};
use crate::telegram::method::Target;

/// While a turn runs the alarm is kept at most this far ahead, so that a killed process is noticed soon after its restart.
pub(super) const WATCHDOG_MS: i64 = 10_000;

/// One conversation over a store `S` and the outside `P`.
pub struct Conversation<S, P> {
    pub(super) sql: S,
    pub(super) ports: P,
    pub(super) config: Config,
    pub(super) settings: RefCell<Settings>,
    pub(super) live: Live,
}

/// What only this instance knows; gone with it, rebuilt from the store.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// The store failed since the alarm was last set: the next try must not come at once.
    pub faulted: Cell<bool>,
    pub turning: Cell<bool>,
    pub delivering: Cell<bool>,
    pub listing: Cell<bool>,
    /// Raised to end the running model call.
    pub stop: Signal,
    /// Where the alarm stands.
    pub alarm: Cell<Option<i64>>,
}

/// Holds a lane; lets it go when dropped, also when the platform drops the whole task.
pub(super) struct Lane<'a>(&'a Cell<bool>);

impl<'a> Lane<'a> {
    /// `None` if somebody else holds it.
    pub(super) fn enter(flag: &'a Cell<bool>) -> Option<Lane<'a>> {
        // Not `then_some`: a lane made for a caller who may not have it would let the flag go when dropped.
        (!flag.replace(true)).then(|| Lane(flag))
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Opens the conversation kept in `sql`, bringing its schema up to date.
    pub fn open(sql: S, ports: P, config: Config) -> Result<Self, StoreError> {
        migrate(&sql, MIGRATIONS)?;
        let settings = RefCell::new(Settings::load(&sql)?);
        Ok(Conversation { sql, ports, config, settings, live: Live::default() })
    }

    /// This conversation's name, once it has one.
    pub fn session(&self) -> Option<String> {
        self.settings.borrow().session.clone()
    }

    /// Does all that is due: takes up what a dead instance left, runs turns, delivers. Returns when only waiting is left,
    /// with the alarm set for it. Never fails: a store error is logged and the alarm tries again.
    pub async fn work(&self) {
        futures::join!(self.run_turns(), self.deliver(), self.run_menus());
        self.rearm();
    }

    /// The alarm went off. The next one is set before work begins (DESIGN §3.5).
    pub async fn on_alarm(&self) {
        self.live.alarm.set(None);
        self.alarm_by(self.ports.now() + WATCHDOG_MS);
        self.work().await;
    }

    /// Brings the alarm forward to `at` if it is later or unset.
    pub(super) fn alarm_by(&self, at: i64) {
        if self.live.alarm.get().is_none_or(|set| at < set) {
            self.live.alarm.set(Some(at));
            self.ports.set_alarm(Some(at));
        }
    }

    /// Sets the alarm for the earliest thing that waits, or clears it.
    fn rearm(&self) {
        let at = match self.earliest() {
            Ok(at) => at,
            Err(error) => {
                self.fault("rearm", &error);
                Some(self.ports.now() + WATCHDOG_MS)
            }
        };
        // What is overdue because the store fails would set the alarm to now, again and again.
        let soonest = if self.live.faulted.take() { self.ports.now() + WATCHDOG_MS } else { i64::MIN };
        let at = at.map(|at| at.max(soonest));
        if at != self.live.alarm.get() {
            self.live.alarm.set(at);
            self.ports.set_alarm(at);
        }
    }

    fn earliest(&self) -> Result<Option<i64>, StoreError> {
        let now = self.ports.now();
        let watchdog = now + WATCHDOG_MS;
        let busy = self.live.turning.get() || self.live.delivering.get() || self.live.listing.get();
        let settings = self.settings.borrow();
        let resting = settings.flood_until.max(settings.token_rest_until);
        // Whoever delivers now goes on by himself; the alarm only watches over him.
        let due = |at: i64| if self.live.delivering.get() { watchdog } else { at.max(resting).max(now) };
        let delivery = outbox::earliest(&self.sql)?.map(due);
        let waiting = inbox::earliest(&self.sql)?.map(|at| if busy { watchdog } else { at.max(now) });
        let open = turn::is_open(&self.sql)?.then_some(watchdog);
        Ok([delivery, waiting, open, busy.then_some(watchdog)].into_iter().flatten().min())
    }

    /// Where this conversation's messages go.
    pub(super) fn target(&self) -> Target {
        let settings = self.settings.borrow();
        let key = settings.key();
        Target {
            chat_id: settings.moved_to.or(key.as_ref().map(|key| key.chat_id)).unwrap_or(0),
            topic: key.and_then(|key| key.topic),
        }
    }

    pub(super) fn is_private(&self) -> bool {
        self.settings.borrow().key().is_some_and(|key| key.is_private())
    }

    /// Changes the settings and stores them.
    pub(super) fn change(&self, edit: impl FnOnce(&mut Settings)) -> Result<(), StoreError> {
        let mut settings = self.settings.borrow().clone();
        edit(&mut settings);
        if settings != *self.settings.borrow() {
            settings.save(&self.sql)?;
            self.settings.replace(settings);
        }
        Ok(())
    }

    /// Runs `work` as one unit. If it fails nothing of it is left, neither in the store nor in what is kept of it here.
    pub(super) fn atomically<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let done = all_or_nothing(&self.sql, work);
        if done.is_err() {
            self.settings.replace(Settings::load(&self.sql)?);
            // The alarm may have been rolled back as well: whoever needs one sets it again.
            self.live.alarm.set(None);
        }
        done
    }

    pub(super) fn fault(&self, what: &str, error: &StoreError) {
        self.live.faulted.set(true);
        self.ports.log(&format!("chat {what}: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_has_one_holder_however_often_others_ask() {
        let flag = Cell::new(false);
        let held = Lane::enter(&flag);
        assert!(held.is_some());
        for _ in 0..3 {
            assert!(Lane::enter(&flag).is_none());
        }
        drop(held);
        assert!(Lane::enter(&flag).is_some());
        assert!(!flag.get());
    }
}
