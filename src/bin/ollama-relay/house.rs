//! What all tasks of the process share: the protocol's state machine behind one lock, the calls' tasks, the figures.
//!
//! Nobody waits while holding a lock. Not here: what the tasks do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tideclaw::relay::CallId;
use tideclaw::relay::server::{About, Order, Relay};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::calls;
use super::ollama::{Loaded, Ollama};

/// A hub that answered a ping within this time is there.
const ALIVE: Duration = Duration::from_secs(60);

/// The house.
pub struct House {
    relay: Mutex<Relay>,
    tasks: Mutex<HashMap<CallId, Task>>,
    /// As of the last look; what is in memory, with its window.
    pub loaded: Mutex<Vec<Loaded>>,
    pub ollama: Ollama,
    /// There may be something to send.
    pub outward: Notify,
    /// Ollama is worth another look.
    pub look: Notify,
    pub figures: Figures,
    began: Instant,
}

struct Task {
    wakes: Arc<Wakes>,
    handle: AbortHandle,
}

/// What a call's task waits for.
#[derive(Default)]
pub struct Wakes {
    /// More of the request.
    pub body: Notify,
    /// Room for the answer.
    pub room: Notify,
}

/// What is counted for `/metrics`, beside what the state machine counts.
#[derive(Default)]
pub struct Figures {
    pub received: AtomicU64,
    pub sent: AtomicU64,
    pub links: AtomicU64,
    pub latency_ms: AtomicU32,
    /// When the hub last answered, ms since the process began, plus 1; 0: the link is down.
    alive: AtomicU64,
}

impl House {
    pub fn new(about: About, ollama: Ollama) -> Arc<House> {
        Arc::new(House {
            relay: Mutex::new(Relay::new(about)),
            tasks: Mutex::default(),
            loaded: Mutex::default(),
            ollama,
            outward: Notify::new(),
            look: Notify::new(),
            figures: Figures::default(),
            began: Instant::now(),
        })
    }

    /// Ms since the process began: the clock of the state machine.
    pub fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Does something to the state machine, then what it orders. The link looks whether there is something to send.
    pub fn with<T>(self: &Arc<Self>, act: impl FnOnce(&mut Relay, i64) -> T) -> T {
        let result = self.quietly(act);
        self.outward.notify_one();
        result
    }

    /// The same for the link itself, which looks anyway.
    pub fn quietly<T>(self: &Arc<Self>, act: impl FnOnce(&mut Relay, i64) -> T) -> T {
        let now = self.now();
        let mut relay = lock(&self.relay);
        let result = act(&mut relay, now);
        let orders: Vec<Order> = std::iter::from_fn(|| relay.next_order()).collect();
        drop(relay);
        orders.into_iter().for_each(|order| self.obey(order));
        result
    }

    fn obey(self: &Arc<Self>, order: Order) {
        let mut tasks = lock(&self.tasks);
        match order {
            Order::Start { call, route, length, model } => {
                let wakes = Arc::new(Wakes::default());
                let work = calls::serve(self.clone(), calls::Call { id: call, route, length, model }, wakes.clone());
                let handle = tokio::spawn(work).abort_handle();
                tasks.insert(call, Task { wakes, handle });
            }
            Order::Wake(call) => {
                if let Some(task) = tasks.get(&call) {
                    task.wakes.body.notify_one();
                    task.wakes.room.notify_one();
                }
            }
            Order::Stop(call) => {
                if let Some(task) = tasks.remove(&call) {
                    task.handle.abort();
                    self.look.notify_one();
                }
            }
            Order::Refused(call, fail) => tracing::warn!(%call, "a request was refused: {}", fail.message),
        }
    }

    /// A call's task is at its end.
    pub fn task_ends(&self, call: CallId) {
        lock(&self.tasks).remove(&call);
        self.look.notify_one();
    }

    /// The hub answered.
    pub fn heard(&self) {
        self.figures.alive.store(u64::try_from(self.now()).unwrap_or(0) + 1, Ordering::Relaxed);
    }

    /// The link is down.
    pub fn deaf(&self) {
        self.figures.alive.store(0, Ordering::Relaxed);
    }

    /// Whether the link is up, and its other end answered lately.
    pub fn is_healthy(self: &Arc<Self>) -> bool {
        let alive = self.figures.alive.load(Ordering::Relaxed);
        let age = u64::try_from(self.now()).unwrap_or(0).saturating_sub(alive.saturating_sub(1));
        alive > 0 && Duration::from_millis(age) <= ALIVE && self.quietly(|relay, _| relay.is_up())
    }
}

/// A lock whose holder panicked is still a lock: what it guards is valid after every statement.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls [`Relay::tick`] when it is due.
pub async fn keep_time(house: Arc<House>) {
    loop {
        let due = house.quietly(|relay, now| relay.deadline().map_or(1_000, |due| due - now));
        // What is due but cannot be sent must not make this spin.
        tokio::time::sleep(Duration::from_millis(due.clamp(50, 1_000).unsigned_abs())).await;
        if house.quietly(|relay, now| relay.deadline().is_some_and(|due| due <= now)) {
            house.with(|relay, now| relay.tick(now));
        }
    }
}
