//! The conversation as a whole: its parts, its lanes and its one alarm.
//!
//! Three lanes run side by side, each at most once: turns (one model call at a time), deliveries (one call to Telegram
//! at a time) and lookups (commands that need a look elsewhere). Accepting an update waits for none of them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::MIGRATIONS;
use super::activity::Told;
use super::agent::{self, Agent};
use super::config::Config;
use super::facts::{self, AllTold};
use super::log::Events;
use super::ports::Ports;
use super::settings::Settings;
use super::signal::Signal;
use crate::directory::Level;
use crate::store::{Sql, StoreError, all_or_nothing, migrate};
use crate::telegram::method::Target;

/// While a turn runs the alarm is kept at most this far ahead, so that a killed process is noticed soon after its restart.
pub(super) const WATCHDOG_MS: i64 = 10_000;

/// One conversation over a store `S` and the outside `P`.
pub struct Conversation<S, P> {
    pub(super) sql: S,
    pub(super) ports: P,
    /// The environment's. What holds here may differ: see `agent`.
    pub(super) config: Config,
    pub(super) agent: RefCell<Rc<Agent>>,
    pub(super) settings: RefCell<Settings>,
    /// What servers said of their models; see `facts`.
    pub(super) told: RefCell<AllTold>,
    pub(super) live: Live,
}

/// What only this instance knows; gone with it, rebuilt from the store.
#[derive(Debug)]
pub(super) struct Live {
    /// The store failed since the alarm was last set: the next try must not come at once.
    pub faulted: Cell<bool>,
    pub turning: Lane,
    pub delivering: Lane,
    pub looking: Lane,
    /// All rows are being replaced.
    pub restoring: Lane,
    /// Somebody may wait for a lookup. True at first: who asked may have asked an instance before this one.
    pub lookup_asked: Cell<bool>,
    /// Reports written, and how many of them the Directory has heard. Not equal at first, as above.
    pub reports: Cell<(u64, u64)>,
    /// What happened besides, and how much of it the Directory has heard. Not equal at first, as above.
    pub news: Cell<(u64, u64)>,
    /// How far it has heard, and what of that is in the store.
    pub counted: Cell<Told>,
    pub counted_stored: Cell<Told>,
    /// Reports and news may wait until then for a question to ride with. 0 at first: those of an instance before go at once.
    pub report_by: Cell<i64>,
    /// For operators, on their way to the Directory.
    pub events: Events,
    /// Known: no message waits and no turn is open. False when not known.
    pub idle: Cell<bool>,
    /// Raised to end the running model call.
    pub stop: Signal,
    /// Raised when somebody came for whom a compaction may have to give way.
    pub came: Signal,
    /// The last prompt was so small that no compaction can be due.
    pub roomy: Cell<bool>,
    /// Where the alarm stands.
    pub alarm: Cell<Option<i64>>,
    /// Deletes files of a conversation that is gone.
    pub sweeping: Lane,
    /// Not before then.
    pub sweep_at: Cell<i64>,
}

impl Default for Live {
    fn default() -> Self {
        Live {
            turning: Lane::default(),
            delivering: Lane::default(),
            looking: Lane::default(),
            restoring: Lane::default(),
            lookup_asked: Cell::new(true),
            reports: Cell::new((1, 0)),
            news: Cell::new((1, 0)),
            counted: Cell::default(),
            counted_stored: Cell::default(),
            report_by: Cell::default(),
            events: Events::default(),
            idle: Cell::default(),
            stop: Signal::default(),
            came: Signal::default(),
            roomy: Cell::default(),
            alarm: Cell::default(),
            sweeping: Lane::default(),
            sweep_at: Cell::default(),
            faulted: Cell::default(),
        }
    }
}

/// A kind of work that at most one task does at a time.
#[derive(Debug, Default)]
pub(super) struct Lane {
    held: Cell<bool>,
    /// The last holder came to its end. False at first: an instance before this one may have died in the lane.
    tidy: Cell<bool>,
}

impl Lane {
    /// `None` if somebody else holds it.
    pub(super) fn enter(&self) -> Option<Hold<'_>> {
        // Not `then_some`: a hold made for a caller who may not have it would let the lane go when dropped.
        (!self.held.replace(true)).then(|| Hold { lane: self, was_tidy: self.tidy.replace(false) })
    }

    pub(super) fn is_held(&self) -> bool {
        self.held.get()
    }
}

/// Holds a lane; lets it go when dropped, also when the platform drops the whole task.
pub(super) struct Hold<'a> {
    lane: &'a Lane,
    /// False: somebody left without coming to an end, and what the store marks as under way is to be looked at.
    pub was_tidy: bool,
}

impl Hold<'_> {
    /// Nothing is under way any more.
    pub(super) fn leave(self) {
        self.lane.tidy.set(true);
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.lane.held.set(false);
    }
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Opens the conversation kept in `sql`, bringing its schema up to date.
    pub fn open(sql: S, ports: P, config: Config) -> Result<Self, StoreError> {
        migrate(&sql, MIGRATIONS)?;
        let settings = RefCell::new(Settings::load(&sql)?);
        let told = RefCell::new(facts::load(&sql)?);
        let agent = RefCell::new(Rc::new(Agent::new(agent::load(&sql)?, &config)));
        let live = Live::default();
        let heard = Told::load(&sql)?;
        live.counted.set(heard);
        live.counted_stored.set(heard);
        Ok(Conversation { sql, ports, config, agent, settings, told, live })
    }

    /// This conversation's name, once it has one.
    pub fn session(&self) -> Option<String> {
        self.settings.borrow().session.clone()
    }

    /// Does all that is due: takes up what a dead instance left, runs turns, delivers. Returns when only waiting is left,
    /// with the alarm set for it. Never fails: a store error is logged and the alarm tries again.
    pub async fn work(&self) {
        futures::join!(self.run_turns(), self.deliver(), self.run_lookups());
        if let Err(error) = self.erase().await {
            self.fault("erase", &error);
        }
        if self.ports.now() >= self.live.report_by.get()
            && let Err(error) = self.send_reports().await
        {
            self.fault("reports", &error);
        }
        if let Err(error) = self.keep_counted() {
            self.fault("reports", &error);
        }
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
        let live = &self.live;
        let busy = live.turning.is_held() || live.delivering.is_held() || live.looking.is_held();
        let rows = self.sql.run(
            "SELECT (SELECT not_before FROM outbox WHERE state IN ('queued', 'sending') ORDER BY id LIMIT 1),
             (SELECT max(ready_at) FROM inbox WHERE outcome IS NULL),
             EXISTS (SELECT 1 FROM turn WHERE state = 'running'), EXISTS (SELECT 1 FROM step WHERE report IS NOT NULL)",
            &[],
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        live.idle.set(row.opt_int(1)?.is_none() && row.int(2)? == 0);
        // Whoever delivers now goes on by himself; the alarm only watches over him.
        let due = |at: i64| if live.delivering.is_held() { watchdog } else { at.max(self.quiet_until()).max(now) };
        let delivery = row.opt_int(0)?.map(due);
        let waiting = row.opt_int(1)?.map(|at| if busy { watchdog } else { at.max(now) });
        let open = (row.int(2)? != 0).then_some(watchdog);
        if row.opt_int(0)?.is_none() && live.counted.get().waiting > 0 {
            self.note_news();
        }
        let news = self.has_news() || live.events.press() || row.int(3)? != 0;
        let report = news.then(|| self.live.report_by.get().max(now));
        let erasing = self.settings.borrow().erasing.is_some();
        let waits = busy || live.sweeping.is_held();
        let erasing = erasing.then(|| if waits { watchdog } else { live.sweep_at.get().max(now) });
        Ok([delivery, waiting, open, report, erasing, busy.then_some(watchdog)].into_iter().flatten().min())
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
            self.live.idle.set(false);
        }
        done
    }

    pub(super) fn fault(&self, what: &str, error: &StoreError) {
        self.live.faulted.set(true);
        self.note(Level::Error, "store", &format!("chat {what}: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_has_one_holder_however_often_others_ask() {
        let lane = Lane::default();
        let held = lane.enter();
        assert!(held.is_some());
        for _ in 0..3 {
            assert!(lane.enter().is_none());
        }
        drop(held);
        assert!(lane.enter().is_some());
        assert!(!lane.is_held());
    }

    #[test]
    fn a_lane_is_tidy_only_after_a_holder_that_left() {
        let lane = Lane::default();
        assert!(lane.enter().is_some_and(|hold| !hold.was_tidy), "a dead instance may have left something");
        assert!(lane.enter().is_some_and(|hold| !hold.was_tidy), "the first was dropped");
        lane.enter().into_iter().for_each(Hold::leave);
        assert!(lane.enter().is_some_and(|hold| hold.was_tidy));
    }
}
