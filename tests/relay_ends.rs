//! The three ends of the relay protocol on one virtual network: real callers, the real hub, a real relay, and an Ollama that
//! answers with known bytes. Whatever sleeps, breaks or dies in between, no byte is lost or comes twice, every call ends,
//! and no slot stays taken (docs/relay-protocol.md). Not here: sockets and processes (`tests/relay/`, `tests/e2e/`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use tideclaw::relay::caller::{Caller, Ending, Request};
use tideclaw::relay::hub::{Act, Acts, Board, ConnId, Known, Mark, Note};
use tideclaw::relay::pattern::Patterns;
use tideclaw::relay::server::{About, Body, Order, Relay};
use tideclaw::relay::{CallId, FailCode, Head, Model};

const TOKEN: &str = "t";
const MODEL: &str = "m";

/// Something that happens on the network or at one of the ends.
#[derive(Debug, Clone)]
enum Event {
    /// One message arrives somewhere; which: by this number.
    Deliver(usize),
    /// Somebody who may send does.
    Send(usize),
    /// Ollama says more to a call.
    Say(usize, usize),
    /// A person reads.
    Read(usize),
    /// The hub sleeps and wakes; its sockets stay.
    Sleep,
    /// The hub dies with its sockets.
    Die,
    /// The relay's link breaks.
    Cut,
    /// A caller's socket to the hub breaks while both live.
    Hang(usize),
    /// Time passes, ms.
    Pass(i64),
}

fn events(breaks: u32) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        60 => any::<usize>().prop_map(Event::Deliver),
        60 => any::<usize>().prop_map(Event::Send),
        20 => (any::<usize>(), 1usize..90_000).prop_map(|(call, most)| Event::Say(call, most)),
        20 => any::<usize>().prop_map(Event::Read),
        4 => Just(Event::Sleep),
        breaks => Just(Event::Die),
        breaks => Just(Event::Cut),
        6 => (1i64..400).prop_map(Event::Pass),
    ];
    prop::collection::vec(event, 1..400)
}

/// One way of a socket. Messages arrive in order, then the close.
#[derive(Default)]
struct Wire {
    to_hub: VecDeque<Vec<u8>>,
    from_hub: VecDeque<Vec<u8>>,
    mark: Option<Mark>,
    /// The hub closed it, or it is gone: seen by the other end once all messages arrived.
    closed: bool,
    /// The other end left: seen by the hub once all messages arrived.
    left: bool,
}

struct Person {
    caller: Caller,
    socket: Option<ConnId>,
    question: Vec<u8>,
    pushed: usize,
    answer: Vec<u8>,
}

/// What Ollama has of a call.
#[derive(Default)]
struct Work {
    question: Vec<u8>,
    /// Whose question it is, once it is complete.
    seed: Option<usize>,
    complete: bool,
    said: usize,
    over: bool,
}

struct World {
    now: i64,
    next: u64,
    board: Board,
    rows: BTreeMap<String, Known>,
    wires: BTreeMap<ConnId, Wire>,
    people: Vec<Person>,
    relay: Relay,
    link: Option<ConnId>,
    link_at: i64,
    work: BTreeMap<CallId, Work>,
    /// Bytes of each answer.
    length: usize,
}

fn byte(seed: usize, at: usize) -> u8 {
    ((at * 31 + seed * 7) % 251) as u8
}

/// A body that says by itself whether it arrived whole: `asked` bytes of text and whose it is.
fn question(seed: usize, asked: usize) -> Vec<u8> {
    let text: String = (0..asked).map(|at| char::from(b'a' + byte(seed, at) % 26)).collect();
    format!(r#"{{"model":"{MODEL}","text":"{text}","seed":{seed}}}"#).into_bytes()
}

/// Whose question this is; it must be exactly as it was asked.
fn seed_of(bytes: &[u8]) -> usize {
    let body: serde_json::Value = serde_json::from_slice(bytes).expect("the question arrived whole");
    let seed = usize::try_from(body["seed"].as_u64().unwrap()).unwrap();
    assert_eq!(bytes, question(seed, body["text"].as_str().unwrap().len()), "the question arrived as it was asked");
    seed
}

impl World {
    fn new(calls: usize, slots: u32, asked: usize, length: usize) -> World {
        let about = About {
            name: "home".into(),
            instance: "one".into(),
            software: "0.1.0".into(),
            max_parallel: slots,
            allowed: Patterns::default(),
        };
        let mut relay = Relay::new(about);
        relay.ollama(vec![Model { name: MODEL.into(), loaded: true, ..Model::default() }], None);
        let mut world = World {
            now: 1_000_000,
            next: 0,
            board: Board::default(),
            rows: BTreeMap::new(),
            wires: BTreeMap::new(),
            people: Vec::new(),
            relay,
            link: None,
            link_at: 0,
            work: BTreeMap::new(),
            length,
        };
        world.connect_relay();
        world.settle_link();
        for seed in 0..calls {
            let question = question(seed, asked);
            let request = Request {
                method: "POST".into(),
                path: "/api/chat".into(),
                length: question.len() as u64,
                model: MODEL.into(),
                relay: None,
            };
            let caller = Caller::new(world.fresh(), request, world.now);
            world.people.push(Person { caller, socket: None, question, pushed: 0, answer: Vec::new() });
        }
        world
    }

    fn fresh(&mut self) -> CallId {
        self.next += 1;
        CallId::new(self.next).unwrap()
    }

    fn conn(&mut self) -> ConnId {
        self.next += 1;
        let conn = ConnId::new(self.next);
        self.wires.insert(conn, Wire::default());
        conn
    }

    fn connect_relay(&mut self) {
        let conn = self.conn();
        self.link = Some(conn);
        self.relay.connected();
        let acts = self.board.on_relay(conn, TOKEN, self.now);
        self.perform(acts, &[]);
    }

    /// HELLO and WELCOME, without anything in between.
    fn settle_link(&mut self) {
        let Some(link) = self.link else { return };
        let hello = self.relay.transmit(self.now).expect("a new link begins with HELLO");
        self.hub_hears(link, &hello);
        while let Some(frame) = self.wires.get_mut(&link).and_then(|wire| wire.from_hub.pop_front()) {
            self.relay_hears(&frame);
        }
    }

    fn perform(&mut self, acts: Acts, bytes: &[u8]) {
        for act in acts {
            match act {
                Act::Send { to, frame } => self.wires.get_mut(&to).unwrap().from_hub.push_back(frame),
                Act::Forward { to } => self.wires.get_mut(&to).unwrap().from_hub.push_back(bytes.to_vec()),
                Act::Close { to, .. } => self.wires.get_mut(&to).unwrap().closed = true,
                Act::Keep { of, mark } => self.wires.get_mut(&of).unwrap().mark = Some(mark),
                Act::Note(note) => self.note(note),
                Act::Log { line, .. } => assert!(!line.contains("broke the protocol"), "{line}"),
            }
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Connected { name, since, software, state } => {
                let row = self.rows.entry(name.clone()).or_default();
                *row = Known { name, connected: true, since, software, state, ..row.clone() };
            }
            Note::Changed { name, state } => self.rows.get_mut(&name).unwrap().state = state,
            Note::Left { name, at } => {
                let row = self.rows.get_mut(&name).unwrap();
                (row.connected, row.since) = (false, at);
            }
            Note::Ended { .. } => {}
        }
    }

    /// A new instance of the hub, with the sockets that are open.
    fn wake_hub(&mut self) {
        let open = self.wires.iter().filter(|(_, wire)| !wire.closed);
        let marks = open.map(|(&conn, wire)| (conn, wire.mark.clone())).collect();
        let (board, acts) = Board::restore(marks, self.rows.values().cloned().collect(), Some(TOKEN), self.now);
        self.board = board;
        self.perform(acts, &[]);
    }

    fn hub_hears(&mut self, from: ConnId, bytes: &[u8]) {
        let acts = self.board.on_frame(from, bytes, self.now);
        self.perform(acts, bytes);
    }

    fn relay_hears(&mut self, bytes: &[u8]) {
        self.relay.receive(bytes, self.now).expect("the hub keeps the rules");
        self.obey();
    }

    fn obey(&mut self) {
        while let Some(order) = self.relay.next_order() {
            match order {
                Order::Start { call, .. } => drop(self.work.insert(call, Work::default())),
                Order::Stop(call) => self.work.entry(call).or_default().over = true,
                Order::Wake(_) => {}
                Order::Refused(_, fail) => assert_eq!(fail.code, FailCode::Busy, "{}", fail.message),
            }
        }
        // Ollama takes what there is.
        for (&call, work) in &mut self.work {
            while !work.over && !work.complete {
                match self.relay.read(call) {
                    Body::Bytes(bytes) => work.question.extend(bytes),
                    Body::End => {
                        work.complete = true;
                        self.relay.head(call, Head { status: 200, retry_after: None });
                    }
                    Body::Wait => break,
                    Body::Gone => work.over = true,
                }
            }
        }
    }

    /// Ollama says up to `most` more bytes; which answer it is is told by the question.
    fn say(&mut self, call: CallId, most: usize) {
        let Some(work) = self.work.get_mut(&call).filter(|work| work.complete && !work.over) else { return };
        let seed = *work.seed.get_or_insert_with(|| seed_of(&work.question));
        let end = (work.said + most).min(self.length);
        let bytes: Vec<u8> = (work.said..end).map(|at| byte(seed + 100, at)).collect();
        match self.relay.answer(call, &bytes) {
            Some(taken) => work.said += taken,
            None => work.over = true,
        }
        if work.said == self.length && !work.over {
            self.relay.complete(call);
            work.over = true;
        }
        self.obey();
    }

    /// Sockets that break at both ends at once, as when the hub's machine dies.
    fn lose(&mut self, conn: ConnId) {
        self.wires.remove(&conn);
        if self.link == Some(conn) {
            self.relay_lost();
        }
        for person in self.people.iter_mut().filter(|person| person.socket == Some(conn)) {
            person.socket = None;
            person.caller.unlinked(self.now);
        }
    }

    fn relay_lost(&mut self) {
        self.link = None;
        self.link_at = self.now + 500;
        self.relay.disconnected(self.now);
        self.obey();
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Deliver(which) => self.deliver(which),
            Event::Send(who) => self.send(who),
            Event::Say(which, most) => {
                let calls: Vec<CallId> = self.work.keys().copied().collect();
                if !calls.is_empty() {
                    self.say(calls[which % calls.len()], most);
                }
            }
            Event::Read(who) => {
                let who = who % self.people.len();
                self.read(who);
            }
            Event::Sleep => self.wake_hub(),
            Event::Die => {
                let all: Vec<ConnId> = self.wires.keys().copied().collect();
                all.into_iter().for_each(|conn| self.lose(conn));
                self.wake_hub();
            }
            Event::Cut => {
                if let Some(link) = self.link {
                    // The hub hears of it at once; what was under way is gone.
                    self.wires.remove(&link);
                    let acts = self.board.on_close(link, 1006, self.now);
                    self.perform(acts, &[]);
                    self.relay_lost();
                }
            }
            Event::Hang(who) => {
                let person = &mut self.people[who];
                if let Some(conn) = person.socket.take() {
                    self.wires.get_mut(&conn).unwrap().left = true;
                }
            }
            Event::Pass(ms) => self.pass(ms),
        }
        for person in &self.people {
            assert!(person.answer.len() <= self.length, "more came than was said");
        }
    }

    fn pass(&mut self, ms: i64) {
        self.now += ms;
        self.relay.tick(self.now);
        self.obey();
        if self.link.is_none() && self.now >= self.link_at {
            self.connect_relay();
        }
        let acts = self.board.on_tick(self.now);
        self.perform(acts, &[]);
        self.people.iter_mut().for_each(|person| person.caller.tick(self.now));
        self.link_people();
    }

    fn link_people(&mut self) {
        for at in 0..self.people.len() {
            if self.people[at].caller.begin_link(self.now) {
                let (conn, fresh) = (self.conn(), self.fresh());
                let acts = self.board.on_caller(conn, self.now);
                self.perform(acts, &[]);
                self.people[at].socket = Some(conn);
                self.people[at].caller.linked(fresh, self.now);
            }
        }
    }

    fn send(&mut self, who: usize) {
        let who = who % (self.people.len() + 1);
        if let Some(person) = self.people.get_mut(who) {
            let rest = &person.question[person.pushed..];
            person.pushed += person.caller.push(rest);
            if let (Some(socket), Some(frame)) = (person.socket, person.caller.next_frame()) {
                self.wires.get_mut(&socket).unwrap().to_hub.push_back(frame);
            }
        } else if let Some(link) = self.link
            && let Some(frame) = self.relay.transmit(self.now)
        {
            self.wires.get_mut(&link).unwrap().to_hub.push_back(frame);
        }
    }

    fn read(&mut self, who: usize) {
        let person = &mut self.people[who];
        if let Some(bytes) = person.caller.read() {
            person.answer.extend(bytes);
        }
    }

    fn deliver(&mut self, which: usize) {
        let busy = |wire: &Wire| !wire.to_hub.is_empty() || !wire.from_hub.is_empty() || wire.closed || wire.left;
        let busy: Vec<ConnId> = self.wires.iter().filter(|(_, wire)| busy(wire)).map(|(&conn, _)| conn).collect();
        let Some(&conn) = busy.get(which % busy.len().max(1)) else { return };
        let wire = self.wires.get_mut(&conn).unwrap();
        if let Some(frame) = wire.to_hub.pop_front() {
            if !wire.closed {
                self.hub_hears(conn, &frame);
            }
        } else if let Some(frame) = wire.from_hub.pop_front() {
            if self.link == Some(conn) {
                self.relay_hears(&frame);
            } else if let Some(person) = self.people.iter_mut().find(|person| person.socket == Some(conn)) {
                person.caller.receive(&frame, self.now);
            }
        } else if wire.closed {
            self.lose(conn);
        } else if wire.left {
            self.wires.remove(&conn);
            let acts = self.board.on_close(conn, 1006, self.now);
            self.perform(acts, &[]);
        }
    }

    /// The network works again: everything that can happen does, for two minutes.
    fn come_to_rest(&mut self) {
        for round in 0..3_000 {
            for _ in 0..6 {
                (0..=self.people.len()).for_each(|who| self.send(who));
                (0..12).for_each(|which| self.deliver(which));
                let calls: Vec<CallId> = self.work.keys().copied().collect();
                calls.into_iter().for_each(|call| self.say(call, 60_000));
                (0..self.people.len()).for_each(|who| self.read(who));
            }
            // Callers whose call is over close their sockets.
            for who in 0..self.people.len() {
                let person = &mut self.people[who];
                let is_over = person.caller.ending().is_some() && person.socket.is_some();
                if is_over && person.caller.next_frame().is_none() {
                    self.happen(&Event::Hang(who));
                }
            }
            self.pass(40);
            if round > 100 && self.people.iter().all(|person| person.caller.ending().is_some()) && self.at_rest() {
                return;
            }
        }
    }

    fn at_rest(&self) -> bool {
        self.wires.values().all(|wire| wire.to_hub.is_empty() && wire.from_hub.is_empty() && !wire.left)
            && self.link.is_some()
            && self.relay.in_flight() == 0
    }

    fn check(&self, must_succeed: bool) {
        for (seed, person) in self.people.iter().enumerate() {
            let expected: Vec<u8> = (0..self.length).map(|at| byte(seed + 100, at)).collect();
            assert!(expected.starts_with(&person.answer), "what came is not what was said");
            match person.caller.ending() {
                Some(Ending::Whole) => assert_eq!(person.answer.len(), self.length, "whole, but not all of it"),
                Some(Ending::Failed(fail)) => {
                    assert!(!must_succeed, "nothing was broken for long, and yet: {fail:?}");
                    assert!([FailCode::Lost, FailCode::NoRelay, FailCode::Busy].contains(&fail.code), "{fail:?}");
                }
                None => panic!("a call that never ends: {:?}", person.caller),
            }
        }
        let view = self.board.view(self.rows.values().cloned().collect(), "");
        assert_eq!((view.relays[0].in_flight, view.queued), (0, 0), "a slot stays taken");
        assert!(view.relays[0].connected);
        assert_eq!(view.relays[0].models, self.relay.state().models);
    }
}

/// Calls, slots, bytes asked and bytes answered.
fn shapes() -> impl Strategy<Value = (usize, u32, usize, usize)> {
    (1usize..4, 1u32..3, 0usize..400_000, 0usize..500_000)
}

fn play((calls, slots, asked, length): (usize, u32, usize, usize), events: &[Event], must_succeed: bool) {
    let mut world = World::new(calls, slots, asked, length);
    events.iter().for_each(|event| world.happen(event));
    world.come_to_rest();
    world.check(must_succeed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// While only the hub sleeps, everything succeeds.
    #[test]
    fn a_hub_that_sleeps_at_any_moment_is_not_noticed(shape in shapes(), events in events(0)) {
        play(shape, &events, true);
    }

    /// Links that break and a hub that dies end calls or do not, but never leave a wrong answer or a slot.
    #[test]
    fn whatever_breaks_no_byte_is_wrong_and_every_call_ends(shape in shapes(), events in events(2)) {
        play(shape, &events, false);
    }
}

/// A break that is mended within the grace costs nothing: the answer goes on where it stood.
#[test]
fn a_short_break_is_not_noticed() {
    for event in [Event::Cut, Event::Die, Event::Sleep] {
        let mut world = World::new(2, 2, 300_000, 900_000);
        for round in 0..400 {
            world.happen(&Event::Send(round));
            world.happen(&Event::Deliver(round));
            world.happen(&Event::Say(round, 9_000));
            world.happen(&Event::Read(round));
            if round % 20 == 0 {
                world.happen(&Event::Pass(100));
            }
            if round % 90 == 89 {
                world.happen(&event);
            }
        }
        world.come_to_rest();
        world.check(true);
    }
}
