//! Which relay gets a call, and the line of those that wait for a slot.

use std::cmp::Reverse;

use super::super::{Fail, FailCode, Frame, GRACE_MS, Model, Open, Phase, Placed, Wait};
use super::board::{Board, Link};
use super::mark::Stage;
use super::{Act, Acts, ConnId};

/// What becomes of a request now.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// The relay on this link takes it.
    Take(ConnId),
    /// Every relay that could is busy.
    Wait,
    Fail(Fail),
}

impl Board {
    /// Judges a request. `heavy`: it takes a slot.
    pub(super) fn verdict(&self, open: &Open, heavy: bool) -> Verdict {
        let wanted = |link: &Link| match (&link.mark.relay, &open.relay) {
            (Some(relay), Some(name)) => relay.name == *name,
            (relay, None) => relay.is_some(),
            (None, Some(_)) => false,
        };
        let there: Vec<_> = self.links.iter().filter(|(_, link)| wanted(link)).collect();
        let model = |link: &Link| link.state.models.iter().find(|model| is_called(model, &open.model)).cloned();
        let able: Vec<_> = there
            .iter()
            .filter_map(|&(&conn, link)| {
                let model = if open.model.is_empty() { Model::default() } else { model(link)? };
                Some((conn, link, model.loaded))
            })
            .collect();
        let ready = able.iter().filter(|(_, link, _)| !link.state.draining && link.state.trouble.is_none());
        let free = |link: &Link| i64::from(link.state.max_parallel) - i64::from(self.in_flight(link.name()));
        let best = ready
            .clone()
            .filter(|(_, link, _)| !heavy || free(link) > 0)
            .max_by_key(|(_, link, loaded)| (*loaded, free(link), Reverse(link.name())));
        if let Some(&(conn, ..)) = best {
            return Verdict::Take(conn);
        }
        if ready.count() > 0 {
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
        let Some(relay) = self.links.get(&link).and_then(|link| link.mark.relay.clone()) else { return };
        let Some(call) = self.callers.get_mut(&caller).and_then(|caller| caller.call.as_mut()) else { return };
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
    pub(super) fn place_waiting(&mut self, acts: &mut Acts) {
        for (_, caller, open) in self.waiting() {
            if let Verdict::Take(link) = self.verdict(&open, true) {
                self.place(caller, link, open, acts);
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

    /// The line: place, caller, request.
    fn waiting(&self) -> Vec<(i64, ConnId, Open)> {
        let queued = self.callers.iter().filter_map(|(&conn, caller)| match &caller.call.as_ref()?.stage {
            Stage::Queued { at, open, .. } => Some((*at, conn, open.clone())),
            _ => None,
        });
        let mut line: Vec<_> = queued.collect();
        line.sort_by_key(|&(at, ..)| at);
        line
    }

    /// Time passed while somebody waits: they hear that they still do, and those that nobody could take for too long fail.
    pub fn on_tick(&mut self, now: i64) -> Acts {
        let mut acts = Acts::new();
        self.place_waiting(&mut acts);
        for (_, conn, open) in self.waiting() {
            let verdict = self.verdict(&open, true);
            let Some(call) = self.callers.get_mut(&conn).and_then(|caller| caller.call.as_mut()) else { continue };
            let Stage::Queued { stranded_since, .. } = &mut call.stage else { continue };
            let since = match verdict {
                Verdict::Fail(fail) => {
                    let since = *stranded_since.get_or_insert(now);
                    if now - since >= GRACE_MS {
                        self.fail(conn, fail, &mut acts);
                        continue;
                    }
                    Some(since)
                }
                _ => None,
            };
            *stranded_since = since;
            acts.push(Act::Send { to: conn, frame: Frame::Wait(call.id, Wait { phase: Phase::Queued }).bytes() });
        }
        acts
    }
}

/// Whether Ollama takes `name` for this model: a name without a tag stands for `latest`.
fn is_called(model: &Model, name: &str) -> bool {
    model.name == name || (!name.contains(':') && model.name.strip_suffix(":latest") == Some(name))
}
