//! One call as the conversation sees it: frames in, frames out, an answer and its end (docs/relay-protocol.md).
//!
//! Whoever drives it makes the socket to the hub, hands over what comes, sends what [`Caller::next_frame`] gives, and asks
//! again at [`Caller::wake_at`]. Time is an argument. A socket that breaks is made again, and the call goes on from the byte
//! where it stood. Not here: sockets and timers (`edge/relay`), what a failure means for the turn (`llm`, `chat`).

use std::collections::VecDeque;

use super::message::Cancel;
use super::{
    Broken, CHUNK, CallId, Fail, FailCode, Frame, GRACE_MS, Head, Inflow, Malformed, Open, Outflow, Phase, Resume,
    SILENCE_MS, VERSION,
};

/// Pause before a socket that could not be made, or broke at once, is tried again, ms; doubled each time.
const FIRST_PAUSE_MS: i64 = 250;
/// Longest such pause, ms.
const LONGEST_PAUSE_MS: i64 = 4_000;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Length of the body, bytes.
    pub length: u64,
    /// The model the body names.
    pub model: String,
    /// The relay to use; `None`: any.
    pub relay: Option<String>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The answer is complete, once [`Caller::read`] has given all of it.
    Whole,
    /// There is none, or no more of it.
    Failed(Fail),
}

/// How far the other ends are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The hub has not placed it. Nothing is lost with the socket: it is opened anew.
    Opening,
    /// A relay has it, and bytes go both ways.
    Going,
    /// A relay has it, [`Frame::Resume`] is on its way: data count from [`Frame::Resumed`] on.
    Resuming,
    /// The relay's own link broke; the hub says when it is back.
    Away,
}

/// The socket to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// To be made at `at`, the `tries`th time.
    Down { at: i64, tries: u32 },
    /// Being made.
    Making { tries: u32 },
    /// There since the last frame that came, or since it was made. `tries`: 0 once something came.
    Up { tries: u32 },
}

/// One call. See the module.
#[derive(Debug)]
pub struct Caller {
    id: CallId,
    request: Request,
    stage: Stage,
    link: Link,
    /// Last sign of life of anybody.
    heard_at: i64,
    /// Hub or relay are gone; the call is over unless they are back by then.
    grace_until: Option<i64>,
    /// It was resumed at least once.
    resumed: bool,
    /// Who has it.
    relay: String,
    phase: Option<Phase>,
    head: Option<Head>,
    outflow: Outflow,
    inflow: Inflow,
    /// What came and was not read yet; [`Inflow`] bounds it.
    kept: VecDeque<Vec<u8>>,
    /// To be sent before any data.
    first: VecDeque<Vec<u8>>,
    /// The newest credit that was not sent.
    credit: Option<(u64, u64)>,
    ending: Option<Ending>,
}

impl Caller {
    /// A call that wants a socket at once.
    pub fn new(id: CallId, request: Request, now: i64) -> Caller {
        Caller {
            id,
            request,
            stage: Stage::Opening,
            link: Link::Down { at: now, tries: 0 },
            heard_at: now,
            grace_until: Some(now + GRACE_MS),
            resumed: false,
            relay: String::new(),
            phase: None,
            head: None,
            outflow: Outflow::default(),
            inflow: Inflow::default(),
            kept: VecDeque::new(),
            first: VecDeque::new(),
            credit: None,
            ending: None,
        }
    }

    /// Whether a socket is to be made now; it then counts as being made.
    pub fn begin_link(&mut self, now: i64) -> bool {
        match self.link {
            Link::Down { at, tries } if now >= at && self.ending.is_none() => {
                self.link = Link::Making { tries };
                true
            }
            _ => false,
        }
    }

    /// The socket is there. `fresh` names the call if it has to be opened anew: nobody may take it for the one before.
    pub fn linked(&mut self, fresh: CallId, now: i64) {
        let Link::Making { tries } = self.link else { return };
        self.link = Link::Up { tries: tries + 1 };
        self.heard_at = now;
        if self.ending.is_some() {
            return;
        }
        if self.stage == Stage::Opening {
            if tries > 0 {
                self.id = fresh;
            }
            let Request { method, path, length, model, relay } = self.request.clone();
            let open = Open { version: VERSION, method, path, length, model, relay };
            self.first.push_back(Frame::Open(self.id, open).bytes());
        } else {
            self.resume();
        }
    }

    /// The socket broke, or could not be made.
    pub fn unlinked(&mut self, now: i64) {
        let (Link::Making { tries } | Link::Up { tries }) = self.link else { return };
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << tries.min(8)).min(LONGEST_PAUSE_MS);
        // A socket that worked is made again at once.
        let at = if self.link == (Link::Up { tries: 0 }) { now } else { now + pause };
        self.link = Link::Down { at, tries: tries + 1 };
        self.first.clear();
        self.credit = None;
        self.grace_until.get_or_insert(now + GRACE_MS);
    }

    /// A message came.
    pub fn receive(&mut self, bytes: &[u8], now: i64) {
        if self.ending.is_some() || !matches!(self.link, Link::Up { .. }) {
            return;
        }
        self.link = Link::Up { tries: 0 };
        self.heard_at = now;
        if let Err(wrong) = self.take(bytes, now) {
            self.give_up(FailCode::Protocol, wrong.to_string(), Cancel::default());
        }
    }

    fn take(&mut self, bytes: &[u8], now: i64) -> Result<(), Wrong> {
        let frame = Frame::read(bytes)?;
        let is_ours = |call: CallId| if call == self.id { Ok(()) } else { Err(Wrong::Call) };
        match frame {
            Frame::Placed(call, placed) => {
                is_ours(call)?;
                if self.stage == Stage::Opening {
                    self.stage = Stage::Going;
                    self.relay = placed.relay;
                    self.grace_until = None;
                }
            }
            Frame::Wait(call, wait) => {
                is_ours(call)?;
                self.phase = Some(wait.phase);
                if self.stage == Stage::Opening {
                    // The hub is there, and has it in line.
                    self.grace_until = None;
                }
            }
            Frame::Fail(call, fail) => {
                is_ours(call)?;
                self.ending = Some(Ending::Failed(fail));
            }
            _ if self.stage == Stage::Opening && frame != Frame::Unknown => return Err(Wrong::Kind),
            Frame::Head(call, head) => {
                is_ours(call)?;
                self.head.get_or_insert(head);
            }
            Frame::Data { call, offset, bytes } => {
                is_ours(call)?;
                if self.stage == Stage::Going {
                    if self.head.is_none() {
                        return Err(Wrong::Kind);
                    }
                    let (offset, bytes) = self.unseen(offset, bytes);
                    self.inflow.take(offset, bytes)?;
                    self.phase = None;
                    if !bytes.is_empty() {
                        self.kept.push_back(bytes.to_vec());
                    }
                }
            }
            Frame::Credit { call, received, limit } => {
                is_ours(call)?;
                if self.stage == Stage::Going {
                    self.outflow.credit(received, limit)?;
                }
            }
            Frame::End { call, length } => {
                is_ours(call)?;
                match self.inflow.end(length) {
                    Ok(()) if self.head.is_some() => self.ending = Some(Ending::Whole),
                    Ok(()) => return Err(Wrong::Kind),
                    // Of the old link, like the data before it: it comes again.
                    Err(_) if self.stage != Stage::Going => {}
                    Err(broken) => return Err(broken.into()),
                }
            }
            Frame::Resumed(call, resumed) => {
                is_ours(call)?;
                if self.stage == Stage::Resuming {
                    self.outflow.resume(resumed.received, resumed.limit)?;
                    self.stage = Stage::Going;
                    self.grace_until = None;
                }
            }
            Frame::Away(call) => {
                is_ours(call)?;
                self.stage = Stage::Away;
                self.first.clear();
                self.credit = None;
                self.grace_until.get_or_insert(now + GRACE_MS);
            }
            Frame::Back(call) => {
                is_ours(call)?;
                self.resume();
            }
            Frame::Unknown => {}
            Frame::Hello(_)
            | Frame::Welcome(_)
            | Frame::State(_)
            | Frame::Open(..)
            | Frame::Cancel(..)
            | Frame::Resume(..) => return Err(Wrong::Kind),
        }
        Ok(())
    }

    /// What of some data is new. Two requests to resume may cross a link that breaks twice, and then data come twice.
    fn unseen<'b>(&self, offset: u64, bytes: &'b [u8]) -> (u64, &'b [u8]) {
        let seen = self.inflow.received().saturating_sub(offset);
        match usize::try_from(seen) {
            Ok(seen) if self.resumed && seen > 0 => (self.inflow.received(), bytes.get(seen..).unwrap_or_default()),
            _ => (offset, bytes),
        }
    }

    fn resume(&mut self) {
        let (received, limit) = self.inflow.mark();
        let resume = Resume { relay: self.relay.clone(), received, limit };
        self.first.push_back(Frame::Resume(self.id, resume).bytes());
        self.credit = None;
        self.resumed = true;
        self.stage = Stage::Resuming;
    }

    /// Looks at the time: gives up where nothing was heard, or nobody came back.
    pub fn tick(&mut self, now: i64) {
        if self.ending.is_some() {
            return;
        }
        let is_up = matches!(self.link, Link::Up { .. });
        if self.grace_until.is_some_and(|until| now >= until) {
            let message = match self.stage {
                Stage::Opening => "the hub did not answer",
                _ if is_up => "the relay did not come back",
                _ => "the hub did not come back",
            };
            self.give_up(FailCode::Lost, message.to_owned(), Cancel::default());
        } else if is_up && self.stage != Stage::Away && now - self.heard_at >= SILENCE_MS {
            self.give_up(FailCode::Lost, "nothing was heard of the relay".to_owned(), Cancel { silent: true });
        }
    }

    /// When to look again at the latest.
    pub fn wake_at(&self) -> i64 {
        if self.ending.is_some() {
            return i64::MAX;
        }
        let grace = self.grace_until.unwrap_or(i64::MAX);
        match self.link {
            Link::Down { at, .. } => grace.min(at),
            Link::Up { .. } if self.stage != Stage::Away => grace.min(self.heard_at + SILENCE_MS),
            Link::Making { .. } | Link::Up { .. } => grace,
        }
    }

    /// The next frame to send; to be asked for until there is none, whenever something happened.
    pub fn next_frame(&mut self) -> Option<Vec<u8>> {
        if !matches!(self.link, Link::Up { .. }) {
            return None;
        }
        if let Some(frame) = self.first.pop_front() {
            return Some(frame);
        }
        if self.stage != Stage::Going || self.ending.is_some() {
            return None;
        }
        if let Some((received, limit)) = self.credit.take() {
            return Some(Frame::Credit { call: self.id, received, limit }.bytes());
        }
        let (offset, bytes) = self.outflow.next(CHUNK)?;
        Some(Frame::Data { call: self.id, offset, bytes: &bytes }.bytes())
    }

    /// How many bytes of the request's body it takes now. None before the call is placed.
    pub fn room(&self) -> usize {
        if self.stage == Stage::Opening || self.ending.is_some() {
            return 0;
        }
        let missing = self.request.length.saturating_sub(self.outflow.length());
        self.outflow.room().min(usize::try_from(missing).unwrap_or(usize::MAX))
    }

    /// Takes the next bytes of the request's body, at most [`Caller::room`]; the rest is left out. Returns how many.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        self.outflow.push(bytes.get(..self.room().min(bytes.len())).unwrap_or_default())
    }

    /// The next bytes of the answer. Reading is what lets more come.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        let bytes = self.kept.pop_front()?;
        if let Some(credit) = self.inflow.consume(bytes.len()) {
            self.credit = Some(credit);
        }
        Some(bytes)
    }

    /// Ollama's answer, without its body.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// How it ended, if it has. What [`Caller::read`] still gives belongs to the answer.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// What it waits for, as last told; `None` once data came.
    pub fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// Nobody wants it any more.
    pub fn cancel(&mut self) {
        if self.ending.is_none() {
            self.give_up(FailCode::Lost, "given up".to_owned(), Cancel::default());
        }
    }

    fn give_up(&mut self, code: FailCode, message: String, cancel: Cancel) {
        self.first.clear();
        self.first.push_back(Frame::Cancel(self.id, cancel).bytes());
        self.ending = Some(Ending::Failed(Fail { code, message }));
    }
}

/// What of a message breaks the rules.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("the hub sent {0}")]
    Malformed(#[from] Malformed),
    #[error("{0}")]
    Broken(#[from] Broken),
    #[error("a frame that has no place here")]
    Kind,
    #[error("a frame of another call")]
    Call,
}

#[cfg(test)]
mod tests;
