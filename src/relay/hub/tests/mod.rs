//! The hub on virtual sockets. Each rule is tried twice: with a hub that stays awake, and with one that sleeps before every
//! single event and finds itself again in what its sockets carry.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod breaks;
mod calls;
mod links;
mod marks;
mod random;

use std::collections::BTreeMap;

use super::super::message::Hello;
use super::super::{CallId, Fail, FailCode, Frame, HubView, Model, Open, Phase, Placed, Resume, State};
use super::{Act, Acts, Board, ConnId, Known, Level, Mark, Note};

pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A socket, seen from its other end.
#[derive(Default)]
pub struct Socket {
    mark: Option<Mark>,
    /// Frames that came and were not looked at.
    inbox: Vec<Vec<u8>>,
    closed: Option<u16>,
}

/// A hub with its sockets and rows.
pub struct World {
    board: Board,
    pub sockets: BTreeMap<ConnId, Socket>,
    pub rows: BTreeMap<String, Known>,
    pub log: Vec<(Level, String)>,
    pub now: i64,
    /// Sleeps before every event.
    pub sleepy: bool,
    next: u64,
}

/// Runs a test with a hub that stays awake and with one that never does.
pub fn both(test: impl Fn(World)) {
    for sleepy in [false, true] {
        test(World::new(sleepy));
    }
}

pub fn call(n: u64) -> CallId {
    CallId::new(n).unwrap()
}

/// A chat with this model, at any relay.
pub fn chat(model: &str) -> Open {
    Open { version: 1, method: "POST".into(), path: "/api/chat".into(), length: 10, model: model.into(), relay: None }
}

pub fn state(max_parallel: u32, models: &[&str]) -> State {
    let models = models.iter().map(|&name| Model { name: name.into(), ..Model::default() }).collect();
    State { max_parallel, models, ..State::default() }
}

pub fn hello(name: &str, instance: &str, state: State) -> Hello {
    Hello {
        version: 1,
        oldest: 1,
        name: name.into(),
        instance: instance.into(),
        software: "0.6.0".into(),
        takeover: true,
        calls: Vec::new(),
        state,
    }
}

impl World {
    pub fn new(sleepy: bool) -> World {
        World {
            board: Board::default(),
            sockets: BTreeMap::new(),
            rows: BTreeMap::new(),
            log: Vec::new(),
            now: 1_000_000,
            sleepy,
            next: 0,
        }
    }

    /// The hub sleeps, and wakes with this token set.
    pub fn sleep(&mut self, token: Option<&str>) {
        let open = self.sockets.iter().filter(|(_, socket)| socket.closed.is_none());
        let marks = open.map(|(&conn, socket)| (conn, socket.mark.clone())).collect();
        let (board, acts) = Board::restore(marks, self.rows.values().cloned().collect(), token, self.now);
        self.board = board;
        self.perform(acts, &[]);
    }

    fn hear(&mut self, bytes: &[u8], hear: impl FnOnce(&mut Board, i64) -> Acts) {
        if self.sleepy {
            self.sleep(Some(TOKEN));
        }
        self.awake(bytes, hear);
    }

    fn awake(&mut self, bytes: &[u8], hear: impl FnOnce(&mut Board, i64) -> Acts) {
        self.now += 1;
        let acts = hear(&mut self.board, self.now);
        self.perform(acts, bytes);
        for mark in self.sockets.values().filter_map(|socket| socket.mark.as_ref()) {
            assert!(serde_json::to_string(mark).unwrap().len() < 2_048, "a mark fits into an attachment many times");
        }
    }

    fn perform(&mut self, acts: Acts, bytes: &[u8]) {
        for act in acts {
            match act {
                Act::Send { to, frame } => self.deliver(to, frame),
                Act::Forward { to } => self.deliver(to, bytes.to_vec()),
                Act::Close { to, code, .. } => {
                    let socket = self.sockets.get_mut(&to).unwrap();
                    assert_eq!(socket.closed.replace(code), None, "closed twice");
                }
                Act::Keep { of, mark } => self.sockets.get_mut(&of).unwrap().mark = Some(mark),
                Act::Log { level, line } => self.log.push((level, line)),
                Act::Note(note) => self.note(note),
            }
        }
    }

    fn deliver(&mut self, to: ConnId, frame: Vec<u8>) {
        assert!(!matches!(Frame::read(&frame), Err(_) | Ok(Frame::Unknown)));
        let socket = self.sockets.get_mut(&to).expect("a frame for a socket that never was");
        assert_eq!(socket.closed, None, "a frame for a closed socket");
        socket.inbox.push(frame);
    }

    /// As the rows of the object do.
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
            Note::Ended { name, well } => {
                if let Some(row) = self.rows.get_mut(&name) {
                    row.calls += i64::from(well);
                    row.failed += i64::from(!well);
                }
            }
        }
    }

    fn connect(&mut self) -> ConnId {
        if self.sleepy {
            self.sleep(Some(TOKEN));
        }
        self.next += 1;
        let conn = ConnId::new(self.next);
        self.sockets.insert(conn, Socket::default());
        conn
    }

    /// A link before its HELLO.
    pub fn link(&mut self) -> ConnId {
        let conn = self.connect();
        self.awake(&[], |board, now| board.on_relay(conn, TOKEN, now));
        conn
    }

    /// A relay that was welcomed.
    pub fn relay(&mut self, hello: Hello) -> ConnId {
        let conn = self.link();
        self.say(conn, Frame::Hello(hello));
        assert!(self.read(conn).starts_with("Welcome"));
        conn
    }

    /// A relay with one slot and the model `m`.
    pub fn home(&mut self) -> ConnId {
        self.relay(hello("home", "one", state(1, &["m"])))
    }

    pub fn caller(&mut self) -> ConnId {
        let conn = self.connect();
        self.awake(&[], |board, now| board.on_caller(conn, now));
        conn
    }

    /// A caller that asked.
    pub fn open(&mut self, id: u64, open: Open) -> ConnId {
        let conn = self.caller();
        self.say(conn, Frame::Open(call(id), open));
        conn
    }

    /// A caller whose call `id` is placed at `relay`.
    pub fn placed(&mut self, id: u64, relay: ConnId) -> ConnId {
        let conn = self.open(id, chat("m"));
        assert!(self.read(conn).starts_with("Placed"));
        assert!(self.read(relay).starts_with("Open"));
        conn
    }

    pub fn say(&mut self, from: ConnId, frame: Frame<'_>) {
        self.say_bytes(from, &frame.bytes());
    }

    pub fn say_bytes(&mut self, from: ConnId, bytes: &[u8]) {
        if self.sockets[&from].closed.is_none() {
            self.hear(bytes, |board, now| board.on_frame(from, bytes, now));
        }
    }

    pub fn text(&mut self, from: ConnId) {
        self.hear(&[], |board, now| board.on_text(from, now));
    }

    /// The other end closes, or is cut off.
    pub fn close(&mut self, conn: ConnId, code: u16) {
        if self.sockets[&conn].closed.is_some() {
            return;
        }
        // The platform may wake the hub for nothing but this.
        self.hear(&[], |board, now| board.on_close(conn, code, now));
        self.sockets.get_mut(&conn).unwrap().closed = Some(code);
    }

    pub fn tick(&mut self, ms: i64) {
        self.now += ms - 1;
        self.hear(&[], Board::on_tick);
    }

    /// The next frame that came, as text; empty if none did.
    pub fn read(&mut self, conn: ConnId) -> String {
        let inbox = &mut self.sockets.get_mut(&conn).unwrap().inbox;
        if inbox.is_empty() {
            return String::new();
        }
        let bytes = inbox.remove(0);
        format!("{:?}", Frame::read(&bytes).unwrap())
    }

    /// All that came, each by the frame's first word.
    pub fn kinds(&mut self, conn: ConnId) -> Vec<String> {
        let mut kinds = Vec::new();
        loop {
            let frame = self.read(conn);
            if frame.is_empty() {
                return kinds;
            }
            kinds.push(frame.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned());
        }
    }

    /// The code of the FAIL that came last; everything else is skipped.
    pub fn failed(&mut self, conn: ConnId) -> Option<FailCode> {
        let inbox = std::mem::take(&mut self.sockets.get_mut(&conn).unwrap().inbox);
        let mut codes = inbox.iter().filter_map(|bytes| match Frame::read(bytes) {
            Ok(Frame::Fail(_, fail)) => Some(fail.code),
            _ => None,
        });
        codes.next_back()
    }

    pub fn closed(&self, conn: ConnId) -> Option<u16> {
        self.sockets[&conn].closed
    }

    pub fn view(&self) -> HubView {
        self.board.view(self.rows.values().cloned().collect(), "i")
    }

    pub fn in_flight(&self, name: &str) -> u32 {
        self.view().relays.iter().find(|relay| relay.name == name).map_or(0, |relay| relay.in_flight)
    }

    /// The lines of the log, and forgets them.
    pub fn lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log).into_iter().map(|(_, line)| line).collect()
    }
}

pub fn data(id: u64, offset: u64, bytes: &[u8]) -> Frame<'_> {
    Frame::Data { call: call(id), offset, bytes }
}

pub fn end(id: u64) -> Frame<'static> {
    Frame::End { call: call(id), length: 0 }
}

pub fn cancel(id: u64, silent: bool) -> Frame<'static> {
    Frame::Cancel(call(id), super::super::message::Cancel { silent })
}

pub fn resume(id: u64, relay: &str) -> Frame<'static> {
    Frame::Resume(call(id), Resume { relay: relay.into(), received: 0, limit: 262_144 })
}

pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
