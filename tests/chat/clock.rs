//! Virtual time and a small single-threaded executor. Nothing here sleeps.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Midnight of 2026-11-20, UTC.
pub const START: i64 = 1_795_132_800_000;

pub struct Clock {
    now: Cell<i64>,
    next: Cell<u64>,
    timers: RefCell<BTreeMap<(i64, u64), Waker>>,
}

impl Clock {
    pub fn new() -> Clock {
        Clock { now: Cell::new(START), next: Cell::new(0), timers: RefCell::default() }
    }

    pub fn now(&self) -> i64 {
        self.now.get()
    }

    /// Milliseconds since the scenario began.
    pub fn elapsed(&self) -> i64 {
        self.now.get() - START
    }

    pub fn next_timer(&self) -> Option<i64> {
        self.timers.borrow().keys().next().map(|(at, _)| *at)
    }

    /// Moves time forward to `at` and wakes the timers due by then.
    pub fn advance(&self, at: i64) {
        self.now.set(self.now.get().max(at));
        while self.next_timer().is_some_and(|at| at <= self.now.get()) {
            let due = self.timers.borrow_mut().pop_first();
            due.unwrap().1.wake();
        }
    }

    pub fn sleep(&self, ms: i64) -> Sleep<'_> {
        let id = self.next.get();
        self.next.set(id + 1);
        Sleep { clock: self, key: (self.now.get() + ms.max(0), id), asleep: false }
    }
}

/// A timer; gone when dropped.
pub struct Sleep<'a> {
    clock: &'a Clock,
    key: (i64, u64),
    asleep: bool,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timers = self.clock.timers.borrow_mut();
        if self.asleep && !timers.contains_key(&self.key) {
            return Poll::Ready(());
        }
        timers.insert(self.key, context.waker().clone());
        drop(timers);
        self.asleep = true;
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.timers.borrow_mut().remove(&self.key);
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A piece of work the platform keeps alive.
pub struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    flag: Arc<Flag>,
    /// The alarm's handler: at most one runs at a time.
    pub is_alarm: bool,
}

impl Task {
    pub fn new(is_alarm: bool, future: impl Future<Output = ()> + 'static) -> Task {
        Task { future: Box::pin(future), flag: Arc::new(Flag(AtomicBool::new(true))), is_alarm }
    }

    pub fn is_ready(&self) -> bool {
        self.flag.0.load(Ordering::Relaxed)
    }

    /// Runs it to its next wait. True if it is done.
    pub fn poll(&mut self) -> bool {
        self.flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(self.flag.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
    }
}
