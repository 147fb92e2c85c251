//! One call at the relay's end: the request that comes in, the answer that goes out, and what of it the present link still has to be told.
//!
//! Nothing is queued: what there is to send is read off the state, so a link that takes nothing costs no memory beyond the
//! windows. Not here: which call's turn it is, and the link (`mod.rs`).

use std::collections::VecDeque;

use super::super::guard::Guard;
use super::super::{
    Broken, CHUNK, CallId, Fail, FailCode, Frame, GRACE_MS, Head, Inflow, Outflow, Phase, Resume, Resumed, Route,
    WAIT_EVERY_MS, Wait,
};

/// No call lasts longer, ms: whoever wants it should have given up long before.
const LONGEST_MS: i64 = 60 * 60 * 1_000;
/// A call whose end was sent is kept so long, ms: a link that turns out to be dead may have swallowed it.
const ENDED_KEPT_MS: i64 = 2 * GRACE_MS;
/// Longest message of a FAIL, characters.
const LONGEST_MESSAGE: usize = 300;

/// What reading a request's body gives.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    Bytes(Vec<u8>),
    /// Nothing has come yet.
    Wait,
    /// All of it was read.
    End,
    /// The call is over.
    Gone,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) route: Route,
    /// Of the request's body.
    length: u64,
    guard: Option<Guard>,
    inflow: Inflow,
    /// What came and was not read, with `inflow` never more than a window.
    body: VecDeque<Vec<u8>>,
    outflow: Outflow,
    phase: Phase,
    head: Option<Head>,
    end: Option<End>,
    began: i64,
    /// Whether somebody at the other end of the present link has it, or since when nobody has.
    listener: Listener,
    /// When its end went out on the present link.
    ended: Option<i64>,
    resumed_due: bool,
    head_due: bool,
    credit_due: Option<(u64, u64)>,
    /// When something of it was sent last.
    spoke: i64,
}

#[derive(Debug)]
enum End {
    Complete,
    Failed(Fail),
}

#[derive(Debug)]
enum Listener {
    There,
    GoneSince(i64),
}

impl Call {
    /// A call whose request is made. `model`: the one its body must name.
    pub(super) fn begin(route: Route, length: u64, model: &str, phase: Phase, now: i64) -> Call {
        Call {
            route,
            length,
            guard: (route.max_body() > 0).then(|| Guard::new(model)),
            inflow: Inflow::default(),
            body: VecDeque::new(),
            outflow: Outflow::default(),
            phase,
            head: None,
            end: None,
            began: now,
            listener: Listener::There,
            ended: None,
            resumed_due: false,
            head_due: false,
            credit_due: None,
            spoke: now,
        }
    }

    /// A call that is refused at once.
    pub(super) fn refused(fail: Fail, now: i64) -> Call {
        let mut call = Call::begin(Route::Tags, 0, "", Phase::Working, now);
        call.fail(fail.code, &fail.message);
        call
    }

    /// Whether it is still to be answered. The hub's view of it is the same: it frees the slot when the end arrives.
    pub(super) fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether its request to Ollama is under way.
    pub(super) fn is_running(&self) -> bool {
        self.end.is_none()
    }

    pub(super) fn began(&self) -> i64 {
        self.began
    }

    /// Bytes of the body came. On an error nothing of them has been taken.
    pub(super) fn data(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Fail> {
        if matches!(self.listener, Listener::GoneSince(_)) || self.end.is_some() {
            return Ok(()); // Of the old link, or too late.
        }
        if offset.saturating_add(bytes.len() as u64) > self.length {
            return Err(failure(FailCode::Protocol, "the body is longer than was said"));
        }
        self.inflow.take(offset, bytes).map_err(broken)?;
        if let Some(guard) = &mut self.guard {
            let refused = |refusal: super::super::guard::Refusal| failure(FailCode::Refused, &refusal.to_string());
            guard.look(bytes).map_err(refused)?;
            if self.inflow.received() == self.length {
                guard.end().map_err(refused)?;
            }
        }
        if !bytes.is_empty() {
            self.body.push_back(bytes.to_vec());
        }
        Ok(())
    }

    pub(super) fn credit(&mut self, received: u64, limit: u64) -> Result<(), Fail> {
        match self.listener {
            Listener::There => self.outflow.credit(received, limit).map_err(broken),
            Listener::GoneSince(_) => Ok(()),
        }
    }

    /// The caller goes on, on this link or after another.
    pub(super) fn resume(&mut self, resume: &Resume, now: i64) -> Result<(), Fail> {
        self.listener = Listener::There;
        self.ended = None;
        self.spoke = now;
        self.outflow.resume(resume.received, resume.limit).map_err(broken)?;
        self.resumed_due = true;
        self.head_due = self.head.is_some();
        self.credit_due = None;
        Ok(())
    }

    /// The link broke, or another was made on which nobody has asked for this call yet.
    pub(super) fn orphan(&mut self, now: i64) {
        self.listener = Listener::GoneSince(now);
    }

    pub(super) fn head(&mut self, head: Head) {
        self.head = Some(head);
        self.head_due = true;
        self.phase = Phase::Working;
    }

    pub(super) fn wait_for(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// How much of the answer it takes; `None`: it takes no more at all.
    pub(super) fn answer(&mut self, bytes: &[u8]) -> Option<usize> {
        self.is_running().then(|| self.outflow.push(bytes))
    }

    pub(super) fn complete(&mut self) {
        if self.end.is_none() {
            self.end = Some(End::Complete);
        }
        self.body.clear();
    }

    pub(super) fn fail(&mut self, code: FailCode, message: &str) {
        if self.end.is_none() {
            self.end = Some(End::Failed(failure(code, message)));
        }
        self.body.clear();
    }

    /// The next bytes of the body, and leave for the caller to send more.
    pub(super) fn read(&mut self) -> Body {
        if self.end.is_some() {
            return Body::Gone;
        }
        match self.body.pop_front() {
            Some(bytes) => {
                self.credit_due = self.inflow.consume(bytes.len()).or(self.credit_due);
                Body::Bytes(bytes)
            }
            None if self.inflow.received() == self.length => Body::End,
            None => Body::Wait,
        }
    }

    /// The next frame of this call for the present link.
    pub(super) fn transmit(&mut self, id: CallId, now: i64) -> Option<Vec<u8>> {
        let frame = self.due(id, now)?;
        self.spoke = now;
        Some(frame)
    }

    fn due(&mut self, id: CallId, now: i64) -> Option<Vec<u8>> {
        if matches!(self.listener, Listener::GoneSince(_)) || self.ended.is_some() {
            return None;
        }
        if self.resumed_due {
            self.resumed_due = false;
            let (received, limit) = self.inflow.mark();
            return Some(Frame::Resumed(id, Resumed { received, limit }).bytes());
        }
        if let Some(End::Failed(fail)) = &self.end {
            // What Ollama said before it broke off goes out first; all other failures are at once.
            if fail.code != FailCode::Broken || (!self.head_due && self.outflow.is_sent()) {
                self.ended = Some(now);
                return Some(Frame::Fail(id, fail.clone()).bytes());
            }
        }
        if let Some(head) = self.head.as_ref().filter(|_| self.head_due) {
            self.head_due = false;
            return Some(Frame::Head(id, head.clone()).bytes());
        }
        if let Some((received, limit)) = self.credit_due.take() {
            return Some(Frame::Credit { call: id, received, limit }.bytes());
        }
        if let Some((offset, bytes)) = self.outflow.next(CHUNK) {
            return Some(Frame::Data { call: id, offset, bytes: &bytes }.bytes());
        }
        if matches!(self.end, Some(End::Complete)) && self.outflow.is_sent() {
            self.ended = Some(now);
            return Some(Frame::End { call: id, length: self.outflow.length() }.bytes());
        }
        (now - self.spoke >= WAIT_EVERY_MS).then(|| Frame::Wait(id, Wait { phase: self.phase }).bytes())
    }

    /// When something happens to it by time alone: a WAIT is due, or it is over.
    pub(super) fn deadline(&self) -> i64 {
        let by_time = match (&self.listener, self.ended) {
            (Listener::GoneSince(since), _) => since + GRACE_MS,
            (Listener::There, Some(ended)) => return ended + ENDED_KEPT_MS,
            (Listener::There, None) => self.spoke + WAIT_EVERY_MS,
        };
        if self.is_running() { by_time.min(self.began + LONGEST_MS) } else { by_time }
    }

    /// Whether nobody wants it any more.
    pub(super) fn is_forgotten(&self, now: i64) -> bool {
        match (&self.listener, self.ended) {
            (Listener::GoneSince(since), _) => now - since >= GRACE_MS,
            (Listener::There, Some(ended)) => now - ended >= ENDED_KEPT_MS,
            (Listener::There, None) => false,
        }
    }

    pub(super) fn is_too_long(&self, now: i64) -> bool {
        self.is_running() && now - self.began >= LONGEST_MS
    }
}

pub(super) fn failure(code: FailCode, message: &str) -> Fail {
    Fail { code, message: message.chars().take(LONGEST_MESSAGE).collect() }
}

fn broken(broken: Broken) -> Fail {
    failure(FailCode::Protocol, &broken.to_string())
}
