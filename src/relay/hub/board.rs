//! The board itself: what is known of each socket, and what every event does to it first.

use super::super::message::Cancel;
use super::super::{CallId, Fail, FailCode, Frame, GRACE_MS, HubView, RelayView, State, close};
use super::mark::{Call, CallMark, LinkMark, Mark, Stage};
use super::{Act, Acts, ConnId, Known, Level, MAX_CALLERS, MAX_UNNAMED, NORMAL, Note, RESTART, TRY_LATER, Table};

/// What the hub knows of its sockets.
#[derive(Debug, Default)]
pub struct Board {
    pub(super) links: Table<ConnId, Link>,
    pub(super) callers: Table<ConnId, CallMark>,
    /// Relays whose links broke and that may be back in a moment: when that was, and what they were.
    pub(super) away: Vec<Away>,
    /// The last place that was given in the line.
    pub(super) last_place: i64,
}

/// A relay whose link broke.
#[derive(Debug)]
pub(super) struct Away {
    pub name: String,
    pub at: i64,
    pub state: State,
}

/// A relay's link.
#[derive(Debug)]
pub(super) struct Link {
    pub mark: LinkMark,
    pub software: String,
    pub state: State,
    /// When a frame last came; `None`: not since the hub woke.
    pub heard: Option<i64>,
    /// Calls it said it has. Until their callers come, or [`GRACE_MS`] passed, they take its slots.
    pub unclaimed: Vec<CallId>,
}

impl Link {
    /// Empty before HELLO.
    pub fn name(&self) -> &str {
        self.mark.relay.as_ref().map_or("", |relay| relay.name.as_str())
    }

    /// For a line of the log.
    pub fn title(&self) -> String {
        match &self.mark.relay {
            Some(relay) => format!("relay {}", relay.name),
            None => "a relay".to_owned(),
        }
    }
}

impl Board {
    /// The board after the hub woke, from its open sockets with what they carry and from the rows. `token`: hash of the
    /// one that is set now; links that came with another are closed.
    pub fn restore(
        sockets: Vec<(ConnId, Option<Mark>)>,
        known: Vec<Known>,
        token: Option<&str>,
        now: i64,
    ) -> (Board, Acts) {
        let (mut board, mut acts) = (Board::default(), Acts::new());
        let mut stale = Vec::new();
        for (conn, mark) in sockets {
            match mark {
                Some(Mark::Relay(mark)) => {
                    if token != Some(mark.token.as_str()) {
                        stale.push(conn);
                    }
                    let row = mark.relay.as_ref().and_then(|relay| known.iter().find(|row| row.name == relay.name));
                    let (software, state) =
                        row.map(|row| (row.software.clone(), row.state.clone())).unwrap_or_default();
                    board.links.insert(conn, Link { mark, software, state, heard: None, unclaimed: Vec::new() });
                }
                Some(Mark::Call(mark)) => {
                    if let Some(Call { stage: Stage::Queued { at, .. }, .. }) = &mark.call {
                        board.last_place = board.last_place.max(*at);
                    }
                    board.callers.insert(conn, mark);
                }
                Some(Mark::Gone) => {}
                None => board.shut(conn, RESTART, "the hub has a new release", &mut acts),
            }
        }
        for conn in stale {
            board.log(Level::Warning, conn, "came with a token that is no longer valid", &mut acts);
            board.drop_link(conn, Some((close::TOKEN, "the token is no longer valid")), true, now, &mut acts);
        }
        for row in known {
            if board.link_of(&row.name).is_some() {
                continue;
            }
            if row.connected {
                // The hub was gone with its sockets: nobody told the rows.
                acts.push(Act::Note(Note::Left { name: row.name.clone(), at: now }));
            }
            board.went_away(row.name, if row.connected { now } else { row.since }, row.state, now);
        }
        (board, acts)
    }

    /// Remembers a relay that may be back in a moment; one that was about to stop will not be.
    pub(super) fn went_away(&mut self, name: String, at: i64, state: State, now: i64) {
        self.away.retain(|away| away.name != name && now - away.at < GRACE_MS);
        if !state.draining && now - at < GRACE_MS {
            self.away.push(Away { name, at, state });
        }
    }

    /// Whether it knows of a socket.
    pub fn has(&self, conn: ConnId) -> bool {
        self.links.has(conn) || self.callers.has(conn)
    }

    /// A relay that brought the right token, of which `token` is the hash.
    pub fn on_relay(&mut self, conn: ConnId, token: &str, now: i64) -> Acts {
        let mut acts = Acts::new();
        let unnamed = || self.links.iter().filter(|(_, link)| link.mark.relay.is_none());
        if unnamed().count() >= MAX_UNNAMED
            && let Some((oldest, _)) = unnamed().min_by_key(|(_, link)| link.mark.since)
        {
            self.links.remove(oldest);
            self.shut(oldest, TRY_LATER, "it did not say who it is", &mut acts);
        }
        let mark = LinkMark { token: token.to_owned(), since: now, relay: None };
        acts.push(Act::Keep { of: conn, mark: Mark::Relay(mark.clone()) });
        self.links.insert(
            conn,
            Link { mark, software: String::new(), state: State::default(), heard: Some(now), unclaimed: Vec::new() },
        );
        acts
    }

    /// A caller.
    pub fn on_caller(&mut self, conn: ConnId, now: i64) -> Acts {
        let mut acts = Acts::new();
        if self.callers.values().count() >= MAX_CALLERS {
            let is_idle = |mark: &CallMark| mark.call.as_ref().is_none_or(|call| call.stage == Stage::Over);
            let idle = self.callers.iter().filter(|(_, mark)| is_idle(mark)).min_by_key(|(_, mark)| mark.since);
            let Some((idle, _)) = idle else {
                self.shut(conn, TRY_LATER, "too many calls", &mut acts);
                return acts;
            };
            self.callers.remove(idle);
            self.shut(idle, NORMAL, "its call is over", &mut acts);
        }
        self.callers.insert(conn, CallMark { since: now, call: None });
        self.keep_caller(conn, &mut acts);
        acts
    }

    /// A binary message. Of a frame of data its head is enough: what follows the offset is not looked at.
    pub fn on_frame(&mut self, from: ConnId, bytes: &[u8], now: i64) -> Acts {
        let mut acts = Acts::new();
        match Frame::read(bytes) {
            Ok(frame) if self.links.has(from) => self.heard_link(from, frame, now, &mut acts),
            Ok(frame) => self.heard_caller(from, frame, now, &mut acts),
            Err(malformed) => self.broken(from, &malformed.to_string(), now, &mut acts),
        }
        acts
    }

    /// A text message.
    pub fn on_text(&mut self, from: ConnId, now: i64) -> Acts {
        let mut acts = Acts::new();
        self.broken(from, "a text message", now, &mut acts);
        acts
    }

    /// A socket closed, with this code.
    pub fn on_close(&mut self, conn: ConnId, code: u16, now: i64) -> Acts {
        let mut acts = Acts::new();
        if self.links.has(conn) {
            // Whoever closes like that does not come back for its calls.
            let stopped = code == NORMAL;
            let (level, line) = if stopped { (Level::Info, "stopped") } else { (Level::Warning, "is gone") };
            self.log(level, conn, line, &mut acts);
            self.drop_link(conn, None, stopped, now, &mut acts);
        } else if self.callers.has(conn) {
            self.cancel(conn, &mut acts);
            self.callers.remove(conn);
            self.place_waiting(now, &mut acts);
        }
        acts
    }

    /// All relays, with what their rows say of the others.
    pub fn view(&self, known: Vec<Known>, instance: &str) -> HubView {
        let view = |row: Known| {
            let link = self.link_of(&row.name).and_then(|conn| self.links.get(conn));
            let state = link.map_or(row.state, |link| link.state.clone());
            RelayView {
                connected: link.is_some(),
                draining: link.is_some() && state.draining,
                since: link.map_or(row.since, |link| link.mark.since),
                software: link.map_or(row.software, |link| link.software.clone()),
                ollama: state.ollama,
                trouble: state.trouble,
                models: state.models,
                in_flight: self.in_flight(&row.name),
                max_parallel: state.max_parallel,
                latency_ms: state.latency_ms,
                calls: row.calls,
                failed: row.failed,
                name: row.name,
            }
        };
        let mut rows = known;
        // A row that could not be written must not hide a relay.
        for link in self.links.values().filter(|link| link.mark.relay.is_some()) {
            if !rows.iter().any(|row| row.name == link.name()) {
                rows.push(Known { name: link.name().to_owned(), ..Known::default() });
            }
        }
        HubView {
            relays: rows.into_iter().map(view).collect(),
            queued: u32::try_from(self.waiting_count()).unwrap_or(u32::MAX),
            instance: instance.to_owned(),
        }
    }

    /// Slots of a relay that are taken.
    pub(super) fn in_flight(&self, name: &str) -> u32 {
        let taken = self
            .callers
            .values()
            .filter_map(|caller| caller.call.as_ref())
            .filter(|call| call.heavy && call.is_with(name));
        u32::try_from(taken.count()).unwrap_or(u32::MAX)
    }

    /// Slots of the relay on this link that can be given away, as far as is known.
    pub(super) fn free_slots(&self, link: &Link, now: i64) -> i64 {
        let unclaimed = if now - link.mark.since < GRACE_MS { link.unclaimed.len() } else { 0 };
        i64::from(link.state.max_parallel) - i64::from(self.in_flight(link.name())) - unclaimed as i64
    }

    /// The link of the relay with this name.
    pub(super) fn link_of(&self, name: &str) -> Option<ConnId> {
        let is = |link: &Link| link.mark.relay.as_ref().is_some_and(|relay| relay.name == name);
        self.links.iter().find(|(_, link)| is(link)).map(|(conn, _)| conn)
    }

    /// Whose a call is that is not over.
    pub(super) fn caller_of(&self, id: CallId) -> Option<(ConnId, &Call)> {
        let calls = self.callers.iter().filter_map(|(conn, caller)| Some((conn, caller.call.as_ref()?)));
        calls.into_iter().find(|(_, call)| call.id == id && call.stage != Stage::Over)
    }

    /// The callers whose calls a relay has.
    pub(super) fn callers_of(&self, name: &str) -> Vec<(ConnId, CallId)> {
        let calls = self.callers.iter().filter_map(|(conn, caller)| Some((conn, caller.call.as_ref()?)));
        calls.filter(|(_, call)| call.is_with(name)).map(|(conn, call)| (conn, call.id)).collect()
    }

    /// Somebody broke the rules: its socket is closed.
    pub(super) fn broken(&mut self, conn: ConnId, why: &str, now: i64, acts: &mut Acts) {
        let line = format!("broke the protocol: {why}");
        if self.links.has(conn) {
            self.log(Level::Warning, conn, &line, acts);
            self.drop_link(conn, Some((close::PROTOCOL, "that was no frame of the protocol")), false, now, acts);
        } else if self.callers.has(conn) {
            acts.push(Act::Log { level: Level::Warning, line: format!("a caller {line}") });
            self.cancel(conn, acts);
            self.fail(conn, Fail { code: FailCode::Protocol, message: "the caller broke the protocol".into() }, acts);
            self.callers.remove(conn);
            self.shut(conn, close::PROTOCOL, "that was no frame of the protocol", acts);
            self.place_waiting(now, acts);
        }
    }

    /// Tells the relay that has a caller's call, if one has, that nobody wants it any more.
    pub(super) fn cancel(&mut self, caller: ConnId, acts: &mut Acts) {
        let Some(call) = self.callers.get(caller).and_then(|caller| caller.call.as_ref()) else { return };
        if let Stage::With { relay, .. } = &call.stage
            && let Some(to) = self.link_of(relay)
        {
            acts.push(Act::Send { to, frame: Frame::Cancel(call.id, Cancel::default()).bytes() });
        }
    }

    /// Ends a caller's call with word why.
    pub(super) fn fail(&mut self, caller: ConnId, fail: Fail, acts: &mut Acts) {
        let Some(call) = self.callers.get(caller).and_then(|caller| caller.call.clone()) else { return };
        if call.stage == Stage::Over {
            return;
        }
        acts.push(Act::Send { to: caller, frame: Frame::Fail(call.id, fail).bytes() });
        if let Stage::With { relay, .. } = call.stage {
            acts.push(Act::Note(Note::Ended { name: relay, well: false }));
        }
        self.over(caller, acts);
    }

    /// A call ended: its slot is free.
    pub(super) fn over(&mut self, caller: ConnId, acts: &mut Acts) {
        let Some(call) = self.callers.get_mut(caller).and_then(|caller| caller.call.as_mut()) else { return };
        call.stage = Stage::Over;
        self.keep_caller(caller, acts);
    }

    pub(super) fn keep_caller(&self, conn: ConnId, acts: &mut Acts) {
        if let Some(caller) = self.callers.get(conn) {
            acts.push(Act::Keep { of: conn, mark: Mark::Call(caller.clone()) });
        }
    }

    /// Closes a socket that is no longer on the board.
    pub(super) fn shut(&self, conn: ConnId, code: u16, reason: &'static str, acts: &mut Acts) {
        acts.push(Act::Keep { of: conn, mark: Mark::Gone });
        acts.push(Act::Close { to: conn, code, reason });
    }

    /// A line about a link.
    pub(super) fn log(&self, level: Level, link: ConnId, line: &str, acts: &mut Acts) {
        let Some(link) = self.links.get(link) else { return };
        acts.push(Act::Log { level, line: format!("{} {line}", link.title()) });
    }
}

impl Call {
    /// Whether the relay with this name has it.
    pub(super) fn is_with(&self, name: &str) -> bool {
        matches!(&self.stage, Stage::With { relay, .. } if relay == name)
    }
}
