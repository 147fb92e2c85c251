//! The relay's end of the protocol (docs/relay-protocol.md) as a state machine: frames in, frames out, and orders to whoever talks to
//! Ollama. Links come and go, calls live across them.
//!
//! Frames are asked for one at a time ([`Relay::transmit`]) when the socket takes one; none is made before. Time is an argument, in
//! ms of any clock that does not jump. Not here: sockets, HTTP, clocks (`bin/ollama-relay`).

mod call;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

pub use call::Body;
use call::{Call, failure};

use super::pattern::Patterns;
use super::{
    CallId, Fail, FailCode, Frame, Head, Hello, MAX_MODELS, Malformed, Model, OLDEST, Open, Phase, Resume, Route,
    State, VERSION, Welcome, close,
};

/// Light calls ([`Route::is_heavy`] is false) at a time.
pub const MAX_LIGHT: usize = 8;
/// Most calls that are kept, those that have ended included.
const MAX_CALLS: usize = 128;
/// Longest name of a model, bytes.
const LONGEST_MODEL: usize = 200;

/// Who this relay is.
#[derive(Debug, Clone)]
pub struct About {
    /// See [`is_name`](super::is_name).
    pub name: String,
    /// Random, of this process.
    pub instance: String,
    /// Our release.
    pub software: String,
    /// Heavy calls at a time, 1–64.
    pub max_parallel: u32,
    pub allowed: Patterns,
}

/// What is to be done about a call, beside frames.
#[derive(Debug, PartialEq, Eq)]
pub enum Order {
    /// Make the request; read its body with [`Relay::read`].
    Start { call: CallId, route: Route, length: u64, model: String },
    /// Its body has more bytes, or its answer more room.
    Wake(CallId),
    /// Give it up.
    Stop(CallId),
    /// It was refused: a line for the log.
    Refused(CallId, Fail),
}

/// How calls ended since the process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answered to the end, whatever Ollama's status was.
    pub complete: u64,
    pub failed: u64,
    pub refused: u64,
    /// Nobody wanted them any more.
    pub cancelled: u64,
}

/// Why a link has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("a frame that does not belong here")]
    Unexpected,
    #[error("a text message")]
    Text,
    #[error("version {0} of the protocol, which this release does not speak")]
    Version(u32),
}

impl Breach {
    /// The code to close with.
    pub const fn code(self) -> u16 {
        match self {
            Breach::Version(_) => close::VERSION,
            _ => close::PROTOCOL,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Down,
    /// HELLO is to be sent.
    New,
    /// WELCOME is to come.
    Greeted,
    Up,
}

/// The relay's end.
#[derive(Debug)]
pub struct Relay {
    about: About,
    state: State,
    /// What the hub was told on this link.
    told: State,
    takeover: bool,
    link: Link,
    calls: BTreeMap<CallId, Call>,
    /// The call that sent last.
    turn: Option<CallId>,
    orders: VecDeque<Order>,
    tally: Tally,
}

impl Relay {
    pub fn new(about: About) -> Relay {
        let state = State { max_parallel: about.max_parallel.clamp(1, 64), ..State::default() };
        let (told, calls, orders) = (state.clone(), BTreeMap::new(), VecDeque::new());
        Relay {
            about,
            state,
            told,
            takeover: true,
            link: Link::Down,
            calls,
            turn: None,
            orders,
            tally: Tally::default(),
        }
    }

    // The link.

    /// A link is there.
    pub fn connected(&mut self) {
        self.link = Link::New;
    }

    /// It is gone; what it had not delivered will be sent again.
    pub fn disconnected(&mut self, now: i64) {
        if self.link == Link::Up {
            self.orphan_all(now);
        }
        self.link = Link::Down;
    }

    /// Another relay has our name: from now on we ask for it without taking it.
    pub fn replaced(&mut self) {
        self.takeover = false;
    }

    /// Whether the hub knows us.
    pub fn is_up(&self) -> bool {
        self.link == Link::Up
    }

    fn orphan_all(&mut self, now: i64) {
        self.calls.values_mut().for_each(|call| call.orphan(now));
    }

    /// A frame came. `Some`: the hub's greeting. After an error the link is to be closed with [`Breach::code`].
    pub fn receive(&mut self, bytes: &[u8], now: i64) -> Result<Option<Welcome>, Breach> {
        match (self.link, Frame::read(bytes)?) {
            (Link::Greeted, Frame::Welcome(welcome)) => {
                if !(OLDEST..=VERSION).contains(&welcome.version) {
                    return Err(Breach::Version(welcome.version));
                }
                self.link = Link::Up;
                self.orphan_all(now);
                return Ok(Some(welcome));
            }
            (_, Frame::Unknown) => {}
            (Link::Up, Frame::Open(id, open)) => self.open(id, open, now),
            (Link::Up, Frame::Resume(id, resume)) => self.resume(id, &resume, now),
            (Link::Up, Frame::Cancel(id, _)) => self.drop_call(id),
            (Link::Up, Frame::Data { call: id, offset, bytes }) => self.with_call(id, |call| call.data(offset, bytes)),
            (Link::Up, Frame::Credit { call: id, received, limit }) => {
                self.with_call(id, |call| call.credit(received, limit))
            }
            _ => return Err(Breach::Unexpected),
        }
        Ok(None)
    }

    /// Does something to a call and wakes whoever works for it, or ends it. Calls that are not there were over already.
    fn with_call(&mut self, id: CallId, act: impl FnOnce(&mut Call) -> Result<(), Fail>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match act(call) {
            Ok(()) => self.orders.push_back(Order::Wake(id)),
            Err(fail) => {
                self.orders.push_back(Order::Stop(id));
                self.fail(id, fail.code, &fail.message);
            }
        }
    }

    fn open(&mut self, id: CallId, open: Open, now: i64) {
        if self.calls.contains_key(&id) {
            return self.with_call(id, |_| Err(failure(FailCode::Protocol, "the call was opened twice")));
        }
        let call = match self.admit(&open) {
            Ok(route) => {
                let loaded = self.state.models.iter().any(|model| model.loaded && model.name == open.model);
                let phase = if loaded || !route.is_heavy() { Phase::Working } else { Phase::Loading };
                let call = Call::begin(route, open.length, &open.model, phase, now);
                self.orders.push_back(Order::Start { call: id, route, length: open.length, model: open.model });
                call
            }
            Err(fail) => {
                self.tally.refused += 1;
                self.orders.push_back(Order::Refused(id, fail.clone()));
                Call::refused(fail, now)
            }
        };
        if self.calls.len() >= MAX_CALLS {
            // Open calls are fewer than that, so one is found that has ended.
            let oldest = self.calls.iter().filter(|(_, call)| !call.is_running()).min_by_key(|(_, call)| call.began());
            let oldest = oldest.map(|(id, _)| *id);
            oldest.map(|id| self.calls.remove(&id));
        }
        self.calls.insert(id, call);
    }

    /// Whether a request may be made.
    fn admit(&self, open: &Open) -> Result<Route, Fail> {
        let refused = |message: &str| Err(failure(FailCode::Refused, message));
        if !(OLDEST..=VERSION).contains(&open.version) {
            return Err(failure(FailCode::Protocol, "the caller's version of the protocol is not spoken here"));
        }
        let Some(route) = Route::of(&open.method, &open.path) else { return refused("this request does not pass") };
        if open.relay.as_ref().is_some_and(|wanted| *wanted != self.about.name) {
            return Err(failure(FailCode::NoRelay, "the request is for another relay"));
        }
        if open.length > route.max_body() {
            return refused("the body is too long");
        }
        // Where there is a body there is a model in it.
        if route.max_body() > 0 && (open.length == 0 || open.model.is_empty()) {
            return refused("a body that names its model is missing");
        }
        if !open.model.is_empty() && !self.about.allowed.allow(&open.model) {
            return refused("the owner of this relay does not let this model be used");
        }
        if self.state.draining {
            return Err(failure(FailCode::NoRelay, "the relay is about to stop"));
        }
        let others =
            self.calls.values().filter(|call| call.is_open() && call.route.is_heavy() == route.is_heavy()).count();
        let most = if route.is_heavy() { self.state.max_parallel as usize } else { MAX_LIGHT };
        if others >= most {
            return Err(failure(FailCode::Busy, "all slots of the relay are taken"));
        }
        Ok(route)
    }

    fn resume(&mut self, id: CallId, resume: &Resume, now: i64) {
        if resume.relay == self.about.name && self.calls.contains_key(&id) {
            self.with_call(id, |call| call.resume(resume, now));
        } else if !self.calls.contains_key(&id) && self.calls.len() < MAX_CALLS {
            self.calls.insert(id, Call::refused(failure(FailCode::Lost, "the relay does not have this call"), now));
        }
    }

    fn drop_call(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(&id) {
            self.tally.cancelled += u64::from(call.is_running());
            self.orders.push_back(Order::Stop(id));
        }
    }

    /// The next frame to send, if there is one. Calls take turns.
    pub fn transmit(&mut self, now: i64) -> Option<Vec<u8>> {
        match self.link {
            Link::Down | Link::Greeted => return None,
            Link::New => {
                self.link = Link::Greeted;
                self.told = self.state.clone();
                return Some(Frame::Hello(self.hello()).bytes());
            }
            Link::Up => {}
        }
        if is_news(&self.told, &self.state) {
            self.told = self.state.clone();
            return Some(Frame::State(self.state.clone()).bytes());
        }
        let after = self.turn.map_or(Unbounded, Excluded);
        let found =
            self.calls.range_mut((after, Unbounded)).find_map(|(id, call)| Some((*id, call.transmit(*id, now)?)));
        let found =
            found.or_else(|| self.calls.iter_mut().find_map(|(id, call)| Some((*id, call.transmit(*id, now)?))));
        let (id, frame) = found?;
        self.turn = Some(id);
        Some(frame)
    }

    fn hello(&self) -> Hello {
        Hello {
            version: VERSION,
            oldest: OLDEST,
            name: self.about.name.clone(),
            instance: self.about.instance.clone(),
            software: self.about.software.clone(),
            takeover: self.takeover,
            calls: self.calls.keys().copied().collect(),
            state: self.state.clone(),
        }
    }

    // Time.

    /// When [`Relay::tick`] is to be called at the latest; `None`: not before something happens.
    pub fn deadline(&self) -> Option<i64> {
        self.calls.values().map(Call::deadline).min()
    }

    /// Time has passed: gives up what nobody wants any more.
    pub fn tick(&mut self, now: i64) {
        let forgotten =
            self.calls.iter().filter(|(_, call)| call.is_forgotten(now)).map(|(id, _)| *id).collect::<Vec<_>>();
        forgotten.into_iter().for_each(|id| self.drop_call(id));
        let long = self.calls.iter().filter(|(_, call)| call.is_too_long(now)).map(|(id, _)| *id).collect::<Vec<_>>();
        for id in long {
            self.with_call(id, |_| Err(failure(FailCode::Broken, "the answer took more than an hour")));
        }
    }

    // What we are.

    /// What is known of Ollama. Models callers may not use are left out, and those beyond what may be told.
    pub fn ollama(&mut self, models: Vec<Model>, release: Option<String>) {
        let mut models = models;
        models.retain(|model| model.name.len() <= LONGEST_MODEL && self.about.allowed.allow(&model.name));
        models.truncate(MAX_MODELS);
        self.state = State { models, ollama: release, trouble: None, ..self.state.clone() };
    }

    /// Ollama does not answer. Its models are remembered.
    pub fn ollama_is_away(&mut self, why: &str) {
        self.state.trouble = Some(why.chars().take(300).collect());
    }

    /// Round trip to the hub, ms.
    pub fn latency(&mut self, ms: u32) {
        self.state.latency_ms = Some(ms);
    }

    /// Takes nothing new from now on.
    pub fn drain(&mut self) {
        self.state.draining = true;
    }

    /// Fails what still runs.
    pub fn give_up(&mut self) {
        let running = self.calls.iter().filter(|(_, call)| call.is_running()).map(|(id, _)| *id).collect::<Vec<_>>();
        for id in running {
            self.with_call(id, |_| Err(failure(FailCode::Lost, "the relay was stopped")));
        }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    pub fn name(&self) -> &str {
        &self.about.name
    }

    pub fn allowed(&self) -> &Patterns {
        &self.about.allowed
    }

    /// Calls that are not answered to the end.
    pub fn in_flight(&self) -> usize {
        self.calls.values().filter(|call| call.is_open()).count()
    }

    /// Whether a link that breaks unseen would cost somebody something.
    pub fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Whether everything was said: no call is open, and the hub knows our state.
    pub fn is_quiet(&self) -> bool {
        self.in_flight() == 0 && !is_news(&self.told, &self.state)
    }

    // The calls, from the side of Ollama. All of them may be made for calls that are over.

    /// What is to be done next.
    pub fn next_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// The next bytes of a request's body.
    pub fn read(&mut self, id: CallId) -> Body {
        self.calls.get_mut(&id).map_or(Body::Gone, Call::read)
    }

    /// Ollama answers.
    pub fn head(&mut self, id: CallId, head: Head) {
        self.calls.get_mut(&id).into_iter().for_each(|call| call.head(head.clone()));
    }

    /// What the call waits for.
    pub fn wait_for(&mut self, id: CallId, phase: Phase) {
        self.calls.get_mut(&id).into_iter().for_each(|call| call.wait_for(phase));
    }

    /// More of the answer. Returns how much of it was taken: the rest when [`Order::Wake`] says that there may be room. `None`:
    /// the call is over.
    pub fn answer(&mut self, id: CallId, bytes: &[u8]) -> Option<usize> {
        self.calls.get_mut(&id)?.answer(bytes)
    }

    /// The answer is complete.
    pub fn complete(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id).filter(|call| call.is_running()) {
            call.complete();
            self.tally.complete += 1;
        }
    }

    /// There is no answer, or no more of it.
    pub fn fail(&mut self, id: CallId, code: FailCode, message: &str) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.is_running()) else { return };
        call.fail(code, message);
        if code == FailCode::Refused {
            self.tally.refused += 1;
            self.orders.push_back(Order::Refused(id, failure(code, message)));
        } else {
            self.tally.failed += 1;
        }
    }
}

/// Whether the hub should hear of a change. Every frame wakes it, so a latency that only trembles is not worth one.
fn is_news(told: &State, now: &State) -> bool {
    let slower = match (told.latency_ms, now.latency_ms) {
        (Some(told), Some(now)) => now.abs_diff(told) >= 20.max(told / 2),
        (told, now) => told != now,
    };
    let rest = State { latency_ms: told.latency_ms, ..now.clone() };
    slower || rest != *told
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
