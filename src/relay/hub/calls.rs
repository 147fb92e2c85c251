//! What callers say: a request, its body, and that they go on or give up.

use super::super::message::Cancel;
use super::super::{CallId, Fail, FailCode, Frame, OLDEST, Open, Phase, Resume, Route, Wait, close, is_name};
use super::board::Board;
use super::mark::{Call, Stage};
use super::placing::Verdict;
use super::{Act, Acts, ConnId, Level, MAX_MODEL, MAX_WAITING, NORMAL, Note, SILENT_LINK_MS};

impl Board {
    pub(super) fn heard_caller(&mut self, from: ConnId, frame: Frame<'_>, now: i64, acts: &mut Acts) {
        let Some(caller) = self.callers.get(from) else { return };
        let (own, stage) = match &caller.call {
            Some(call) => (Some(call.id), Some(&call.stage)),
            None => (None, None),
        };
        let relay = match stage {
            Some(Stage::With { relay, .. }) => self.link_of(relay),
            _ => None,
        };
        match (stage, frame) {
            (_, Frame::Unknown) => {}
            (None, Frame::Open(call, open)) => self.open(from, call, open, now, acts),
            (None, Frame::Resume(call, resume)) => self.resume_elsewhere(from, call, &resume, now, acts),
            (
                Some(_),
                Frame::Data { call, .. } | Frame::Credit { call, .. } | Frame::Cancel(call, _) | Frame::Resume(call, _),
            ) if own != Some(call) => self.broken(from, "a frame of another caller's call", now, acts),
            // What was under way when the call ended, or when the relay's link broke.
            (Some(Stage::Over), Frame::Data { .. } | Frame::Credit { .. } | Frame::Cancel(..) | Frame::Resume(..)) => {}
            (Some(Stage::With { .. }), Frame::Data { .. } | Frame::Credit { .. }) => {
                acts.extend(relay.map(|to| Act::Forward { to }));
            }
            (Some(Stage::With { relay: placed, .. }), Frame::Resume(call, resume)) if resume.relay == *placed => {
                acts.push(match relay {
                    Some(to) => Act::Forward { to },
                    None => Act::Send { to: from, frame: Frame::Away(call).bytes() },
                });
            }
            (Some(Stage::With { .. } | Stage::Queued { .. }), Frame::Cancel(_, Cancel { silent })) => {
                acts.extend(relay.map(|to| Act::Forward { to }));
                // A person who had enough is no failure of the relay's; one whom the relay left waiting is.
                if let Some(Stage::With { relay: name, .. }) = stage
                    && (silent || relay.is_none())
                {
                    acts.push(Act::Note(Note::Ended { name: name.clone(), well: false }));
                }
                self.over(from, acts);
                if silent && let Some(link) = relay {
                    self.doubt(link, now, acts);
                }
                self.place_waiting(now, acts);
            }
            (_, _) => self.broken(from, "a frame out of place", now, acts),
        }
    }

    fn open(&mut self, from: ConnId, id: CallId, open: Open, now: i64, acts: &mut Acts) {
        self.take_over(id, now, acts);
        let route = Route::of(&open.method, &open.path);
        let heavy = route.is_some_and(Route::is_heavy);
        let at = now.max(self.last_place + 1);
        let stage = Stage::Queued { at, open: open.clone() };
        let Some(caller) = self.callers.get_mut(from) else { return };
        // Judged before it is written down: its strings may still have any length.
        caller.call = Some(Call { id, heavy, stage: Stage::Over });
        let fail = match route {
            _ if open.version < OLDEST => Some((FailCode::Protocol, "the hub no longer speaks this version")),
            None => Some((FailCode::Refused, "no such request passes")),
            Some(route) if open.length > route.max_body() => Some((FailCode::Refused, "the request is too long")),
            Some(_) if open.model.len() > MAX_MODEL || (heavy && open.model.is_empty()) => {
                Some((FailCode::Refused, "the request names no model"))
            }
            Some(_) if open.relay.as_deref().is_some_and(|name| !is_name(name)) => {
                Some((FailCode::NoRelay, "no relay can have this name"))
            }
            Some(_) => None,
        };
        if let Some((code, message)) = fail {
            let fail = Fail { code, message: message.to_owned() };
            acts.push(Act::Send { to: from, frame: Frame::Fail(id, fail).bytes() });
            return self.keep_caller(from, acts);
        }
        let verdict = match self.verdict(&open, heavy, now) {
            Verdict::Wait if self.waiting_count() >= MAX_WAITING => {
                Verdict::Fail(Fail { code: FailCode::Busy, message: "too many calls wait".into() })
            }
            verdict => verdict,
        };
        if let Some(call) = self.callers.get_mut(from).and_then(|caller| caller.call.as_mut()) {
            call.stage = stage;
        }
        match verdict {
            Verdict::Take(link) => self.place(from, link, open, acts),
            Verdict::Wait => {
                self.last_place = at;
                acts.push(Act::Send { to: from, frame: Frame::Wait(id, Wait { phase: Phase::Queued }).bytes() });
                self.keep_caller(from, acts);
            }
            Verdict::Fail(fail) => self.fail(from, fail, acts),
        }
    }

    /// A caller whose socket broke goes on with its call on another one.
    fn resume_elsewhere(&mut self, from: ConnId, id: CallId, resume: &Resume, now: i64, acts: &mut Acts) {
        let before = self.caller_of(id).map(|(_, call)| call.clone()).filter(|call| call.is_with(&resume.relay));
        let link = self.link_of(&resume.relay);
        if let Some(link) = link.and_then(|link| self.links.get_mut(link)) {
            link.unclaimed.retain(|&unclaimed| unclaimed != id);
        }
        let call = before.clone().unwrap_or_else(|| {
            // The hub was gone with its sockets. Which request it was is not said; all that last take a slot.
            let stage = Stage::With { relay: resume.relay.clone(), instance: None, away: link.is_none() };
            Call { id, heavy: true, stage }
        });
        if before.is_some() {
            self.retire(id, acts);
        } else {
            self.take_over(id, now, acts);
        }
        let Some(caller) = self.callers.get_mut(from) else { return };
        if !is_name(&resume.relay) {
            caller.call = Some(Call { stage: Stage::Over, ..call });
            let fail = Fail { code: FailCode::NoRelay, message: "no relay can have this name".into() };
            acts.push(Act::Send { to: from, frame: Frame::Fail(id, fail).bytes() });
            return self.keep_caller(from, acts);
        }
        caller.call = Some(call);
        acts.push(match link {
            Some(to) => Act::Forward { to },
            None => Act::Send { to: from, frame: Frame::Away(id).bytes() },
        });
        self.keep_caller(from, acts);
    }

    /// The newest socket of a call counts; a relay that has the call from an older one drops it.
    fn take_over(&mut self, id: CallId, now: i64, acts: &mut Acts) {
        if let Some((older, _)) = self.caller_of(id) {
            self.cancel(older, acts);
            self.callers.remove(older);
            self.shut(older, NORMAL, "the call goes on elsewhere", acts);
            self.place_waiting(now, acts);
        }
    }

    /// The same, but the relay keeps the call.
    fn retire(&mut self, id: CallId, acts: &mut Acts) {
        if let Some((older, _)) = self.caller_of(id) {
            self.callers.remove(older);
            self.shut(older, NORMAL, "the call goes on elsewhere", acts);
        }
    }

    /// A caller missed something that this link should have brought.
    fn doubt(&mut self, link: ConnId, now: i64, acts: &mut Acts) {
        let heard = self.links.get(link).and_then(|link| link.heard);
        if heard.is_none_or(|heard| now - heard >= SILENT_LINK_MS) {
            self.log(Level::Warning, link, "was silent, its link was closed", acts);
            self.drop_link(link, Some((close::SILENT, "nothing was heard")), false, now, acts);
        }
    }
}
