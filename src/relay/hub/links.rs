//! What relays say: HELLO, STATE, frames of calls; and how their links end.

use super::super::message::Hello;
use super::super::{CallId, Fail, FailCode, Frame, MAX_MODELS, OLDEST, State, VERSION, Welcome, close, is_name};
use super::board::Board;
use super::mark::{Mark, RelayMark, Stage};
use super::{Act, Acts, ConnId, Level, MAX_CALLERS, MAX_INSTANCE, MAX_LINKS, MAX_MODEL, MAX_WORDS, Note, TRY_LATER};

/// What a relay may be told about its frame of a call.
enum Whose {
    /// This caller's.
    Of(ConnId),
    /// Nobody's any more.
    Nobody,
    /// A call of another relay.
    Foreign,
}

impl Board {
    pub(super) fn heard_link(&mut self, from: ConnId, frame: Frame<'_>, now: i64, acts: &mut Acts) {
        let Some(link) = self.links.get_mut(from) else { return };
        link.heard = Some(now);
        let is_named = link.mark.relay.is_some();
        match (is_named, frame) {
            (_, Frame::Unknown) => {}
            (false, Frame::Hello(hello)) => self.hello(from, hello, now, acts),
            (false, _) => self.broken(from, "a frame before HELLO", now, acts),
            (true, Frame::State(state)) => self.state(from, state, now, acts),
            (
                true,
                Frame::Data { call, .. }
                | Frame::Credit { call, .. }
                | Frame::Head(call, _)
                | Frame::Resumed(call, _)
                | Frame::Wait(call, _),
            ) => match self.whose(from, call) {
                Whose::Of(to) => acts.push(Act::Forward { to }),
                Whose::Nobody => {}
                Whose::Foreign => self.broken(from, "a frame of another relay's call", now, acts),
            },
            (true, Frame::End { call, .. }) => self.ended(from, call, true, now, acts),
            (true, Frame::Fail(call, _)) => self.ended(from, call, false, now, acts),
            (
                true,
                Frame::Hello(_)
                | Frame::Welcome(_)
                | Frame::Open(..)
                | Frame::Placed(..)
                | Frame::Cancel(..)
                | Frame::Resume(..)
                | Frame::Away(_)
                | Frame::Back(_),
            ) => self.broken(from, "a frame out of place", now, acts),
        }
    }

    fn whose(&self, link: ConnId, call: CallId) -> Whose {
        let Some((caller, call)) = self.caller_of(call) else { return Whose::Nobody };
        match (&call.stage, self.links.get(link)) {
            (Stage::With { relay, .. }, Some(link)) if relay == link.name() => Whose::Of(caller),
            (Stage::With { .. }, _) => Whose::Foreign,
            _ => Whose::Nobody,
        }
    }

    fn ended(&mut self, from: ConnId, call: CallId, well: bool, now: i64, acts: &mut Acts) {
        match self.whose(from, call) {
            Whose::Of(to) => {
                acts.push(Act::Forward { to });
                self.over(to, acts);
                let name = self.links.get(from).map(|link| link.name().to_owned()).unwrap_or_default();
                acts.push(Act::Note(Note::Ended { name, well }));
                self.place_waiting(now, acts);
            }
            Whose::Nobody => {}
            Whose::Foreign => self.broken(from, "a frame of another relay's call", now, acts),
        }
    }

    fn hello(&mut self, from: ConnId, hello: Hello, now: i64, acts: &mut Acts) {
        let version = hello.version.min(VERSION);
        if version < hello.oldest.max(OLDEST) {
            let line = format!(
                "a relay was refused: it speaks versions {} to {} of the protocol, the hub {OLDEST} to {VERSION}",
                hello.oldest, hello.version
            );
            acts.push(Act::Log { level: Level::Warning, line });
            self.links.remove(from);
            return self.shut(from, close::VERSION, "no version in common", acts);
        }
        if !is_name(&hello.name) || !(1..=MAX_INSTANCE).contains(&hello.instance.len()) {
            return self.broken(from, "a name or an instance that is none", now, acts);
        }
        let there = self.link_of(&hello.name);
        let same = there.is_some_and(|there| {
            let relay = self.links.get(there).and_then(|link| link.mark.relay.as_ref());
            relay.is_some_and(|relay| relay.instance == hello.instance)
        });
        if there.is_some() && !same && !hello.takeover {
            let line = format!("relay {} was refused: another one of its name is connected", hello.name);
            acts.push(Act::Log { level: Level::Warning, line });
            self.links.remove(from);
            return self.shut(from, close::REPLACED, "another relay of this name is connected", acts);
        }
        let named = self.links.values().filter(|link| link.mark.relay.is_some()).count();
        if there.is_none() && named >= MAX_LINKS {
            acts.push(Act::Log { level: Level::Warning, line: format!("relay {} was refused: too many", hello.name) });
            self.links.remove(from);
            return self.shut(from, TRY_LATER, "too many relays", acts);
        }
        if let Some(there) = there {
            if !same {
                let line = format!("relay {} was replaced by another one of its name", hello.name);
                acts.push(Act::Log { level: Level::Warning, line });
            }
            self.links.remove(there);
            self.shut(there, close::REPLACED, "another relay of this name took its place", acts);
        }
        let unclaimed =
            hello.calls.iter().copied().filter(|&id| self.caller_of(id).is_none()).take(MAX_CALLERS).collect();
        let Some(link) = self.links.get_mut(from) else { return };
        link.mark.relay = Some(RelayMark { version, name: hello.name.clone(), instance: hello.instance.clone() });
        link.mark.since = now;
        self.away.retain(|away| away.name != hello.name);
        link.unclaimed = unclaimed;
        link.software = shortened(hello.software, MAX_WORDS);
        link.state = bounded(hello.state);
        acts.push(Act::Keep { of: from, mark: Mark::Relay(link.mark.clone()) });
        let welcome = Welcome { version, software: env!("CARGO_PKG_VERSION").to_owned() };
        acts.push(Act::Send { to: from, frame: Frame::Welcome(welcome).bytes() });
        acts.push(Act::Note(Note::Connected {
            name: hello.name.clone(),
            since: now,
            software: link.software.clone(),
            state: link.state.clone(),
        }));
        self.log(Level::Info, from, if same { "came back on a new link" } else { "connected" }, acts);
        self.welcome_back(&hello.name, &hello.instance, &hello.calls, acts);
        self.place_waiting(now, acts);
    }

    /// A relay is there: tells the callers whose calls it had whether it still has them.
    fn welcome_back(&mut self, name: &str, came: &str, listed: &[CallId], acts: &mut Acts) {
        for (conn, id) in self.callers_of(name) {
            let Some(call) = self.callers.get_mut(conn).and_then(|caller| caller.call.as_mut()) else { continue };
            let Stage::With { instance, away, .. } = &mut call.stage else { continue };
            if instance.as_deref().unwrap_or(came) != came || !listed.contains(&id) {
                self.fail(conn, lost("the relay came back without the call"), acts);
                continue;
            }
            if !std::mem::take(away) {
                acts.push(Act::Send { to: conn, frame: Frame::Away(id).bytes() });
            }
            *instance = Some(came.to_owned());
            acts.push(Act::Send { to: conn, frame: Frame::Back(id).bytes() });
            self.keep_caller(conn, acts);
        }
    }

    fn state(&mut self, from: ConnId, state: State, now: i64, acts: &mut Acts) {
        let Some(link) = self.links.get_mut(from) else { return };
        let state = bounded(state);
        if link.state == state {
            return;
        }
        link.state = state.clone();
        acts.push(Act::Note(Note::Changed { name: link.name().to_owned(), state }));
        self.place_waiting(now, acts);
    }

    /// A link ends. `closing`: from here, with this code. `lost_calls`: nobody comes back for its calls.
    pub(super) fn drop_link(
        &mut self,
        conn: ConnId,
        closing: Option<(u16, &'static str)>,
        lost_calls: bool,
        now: i64,
        acts: &mut Acts,
    ) {
        let Some(link) = self.links.remove(conn) else { return };
        if let Some((code, reason)) = closing {
            self.shut(conn, code, reason, acts);
        }
        let Some(relay) = link.mark.relay else { return };
        acts.push(Act::Note(Note::Left { name: relay.name.clone(), at: now }));
        if !lost_calls {
            // One that was silent has been gone for longer: new calls need not wait for it as well.
            let is_silent = closing.is_some_and(|(code, _)| code == close::SILENT);
            let at = if is_silent { link.heard.unwrap_or_default() } else { now };
            self.went_away(relay.name.clone(), at, link.state, now);
        }
        for (caller, id) in self.callers_of(&relay.name) {
            if lost_calls {
                self.fail(caller, lost("the relay went away"), acts);
                continue;
            }
            let Some(call) = self.callers.get_mut(caller).and_then(|caller| caller.call.as_mut()) else { continue };
            let Stage::With { away, .. } = &mut call.stage else { continue };
            *away = true;
            acts.push(Act::Send { to: caller, frame: Frame::Away(id).bytes() });
            self.keep_caller(caller, acts);
        }
    }
}

fn lost(message: &str) -> Fail {
    Fail { code: FailCode::Lost, message: message.to_owned() }
}

/// A relay's state within the limits of what is kept of it.
fn bounded(mut state: State) -> State {
    state.max_parallel = state.max_parallel.clamp(1, 64);
    state.models.retain(|model| (1..=MAX_MODEL).contains(&model.name.len()));
    state.models.truncate(MAX_MODELS);
    state.trouble = state.trouble.map(|trouble| shortened(trouble, MAX_WORDS));
    state.ollama = state.ollama.map(|ollama| shortened(ollama, MAX_WORDS));
    state
}

fn shortened(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}
