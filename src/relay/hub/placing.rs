//! Which relay gets a call, and the line of those that wait for a slot.

use std::cmp::Reverse;

use super::super::{CallId, Fail, FailCode, Frame, GRACE_MS, Model, Open, Phase, Placed, State, Wait};
use super::board::{Away, Board, Link};
use super::mark::{Call, Stage};
use super::{Act, Acts, ConnId};

/// What becomes of a request now.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// The relay on this link takes it.
    Take(ConnId),
    /// Every relay that could is busy, or was here a moment ago.
    Wait,
    Fail(Fail),
}

impl Board {
    /// Judges a request. `heavy`: it takes a slot.
    pub(super) fn verdict(&self, open: &Open, heavy: bool, now: i64) -> Verdict {
        let wanted = |link: &Link| match (&link.mark.relay, &open.relay) {
            (Some(relay), Some(name)) => relay.name == *name,
            (relay, None) => relay.is_some(),
            (None, Some(_)) => false,
        };
        let there: Vec<_> = self.links.iter().filter(|(_, link)| wanted(link)).collect();
        let has = |state: &State| match open.model.as_str() {
            "" => Some(false),
            name => state.models.iter().find(|model| is_called(model, name)).map(|model| model.loaded),
        };
        let able: Vec<_> = there.iter().filter_map(|&(conn, link)| Some((conn, link, has(&link.state)?))).collect();
        let ready = able.iter().filter(|(_, link, _)| !link.state.draining && link.state.trouble.is_none());
        let free = |link: &Link| self.free_slots(link, now);
        let best = ready
            .clone()
            .filter(|(_, link, _)| !heavy || free(link) > 0)
            .max_by_key(|(_, link, loaded)| (*loaded, free(link), Reverse(link.name())));
        if let Some(&(conn, ..)) = best {
            return Verdict::Take(conn);
        }
        let back_soon = |away: &Away| {
            now - away.at < GRACE_MS
                && open.relay.as_ref().is_none_or(|name| *name == away.name)
                && has(&away.state).is_some()
        };
        if ready.count() > 0 || self.away.iter().any(back_soon) {
            return Verdict::Wait;
        }
        let any = open.relay.as_deref().unwrap_or("any");
        let troubled = |link: &Link| link.state.trouble.is_some() && !link.state.draining;
        let (code, message) = if there.is_empty() {
            (
                FailCode::NoRelay,
                if open.relay.is_some() {
                    format!("relay {any} is not connected")
                } else {
                    "no relay is connected".into()
                },
            )
        } else if there.iter().any(|(_, link)| troubled(link)) {
            (FailCode::Unreachable, "the relay is there, its Ollama does not answer".into())
        } else if able.is_empty() {
            (FailCode::NoModel, "no relay that is connected has the model".into())
        } else {
            (FailCode::NoRelay, "the relay is about to stop".into())
        };
        Verdict::Fail(Fail { code, message })
    }

    /// Gives a call to the relay on `link`.
    pub(super) fn place(&mut self, caller: ConnId, link: ConnId, open: Open, acts: &mut Acts) {
        let Some(relay) = self.links.get(link).and_then(|link| link.mark.relay.clone()) else { return };
        let Some(call) = self.callers.get_mut(caller).and_then(|caller| caller.call.as_mut()) else { return };
        let open = Open { version: open.version.min(relay.version), ..open };
        acts.push(Act::Send { to: link, frame: Frame::Open(call.id, open).bytes() });
        acts.push(Act::Send {
            to: caller,
            frame: Frame::Placed(call.id, Placed { relay: relay.name.clone() }).bytes(),
        });
        call.stage = Stage::With { relay: relay.name, instance: Some(relay.instance), away: false };
        self.keep_caller(caller, acts);
    }

    /// Places whoever waits and can be placed now, first come first.
    pub(super) fn place_waiting(&mut self, now: i64, acts: &mut Acts) {
        for waiting in self.waiting() {
            if let Verdict::Take(link) = self.verdict(&waiting.open, waiting.heavy, now) {
                self.place(waiting.caller, link, waiting.open, acts);
            }
        }
    }

    /// Whether somebody waits, and [`Board::on_tick`] is to be called within [`WAIT_EVERY_MS`](super::super::WAIT_EVERY_MS).
    pub fn has_waiting(&self) -> bool {
        self.waiting_count() > 0
    }

    pub(super) fn waiting_count(&self) -> usize {
        self.callers
            .values()
            .filter_map(|caller| caller.call.as_ref())
            .filter(|call| matches!(call.stage, Stage::Queued { .. }))
            .count()
    }

    /// The line.
    fn waiting(&self) -> Vec<Waiting> {
        let queued = self.callers.iter().filter_map(|(caller, mark)| {
            let Call { id, heavy, stage: Stage::Queued { at, open } } = mark.call.as_ref()? else { return None };
            Some(Waiting { at: *at, caller, id: *id, heavy: *heavy, open: open.clone() })
        });
        let mut line: Vec<_> = queued.collect();
        line.sort_by_key(|waiting| waiting.at);
        line
    }

    /// Time passed while somebody waits: they hear that they still do, and whom nobody can serve any more fails.
    pub fn on_tick(&mut self, now: i64) -> Acts {
        let mut acts = Acts::new();
        for waiting in self.waiting() {
            match self.verdict(&waiting.open, waiting.heavy, now) {
                Verdict::Take(link) => self.place(waiting.caller, link, waiting.open, &mut acts),
                Verdict::Fail(fail) => self.fail(waiting.caller, fail, &mut acts),
                Verdict::Wait => {
                    let frame = Frame::Wait(waiting.id, Wait { phase: Phase::Queued }).bytes();
                    acts.push(Act::Send { to: waiting.caller, frame });
                }
            }
        }
        acts
    }
}

/// Somebody in the line.
struct Waiting {
    at: i64,
    caller: ConnId,
    id: CallId,
    heavy: bool,
    open: Open,
}

/// Whether Ollama takes `name` for this model: a name without a tag stands for `latest`.
fn is_called(model: &Model, name: &str) -> bool {
    model.name == name || (!name.contains(':') && model.name.strip_suffix(":latest") == Some(name))
}
