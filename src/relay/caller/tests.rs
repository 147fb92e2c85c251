//! A call rule by rule, and as a whole against a relay of the test's own behind links that break anywhere.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;

use super::super::{Placed, Resumed, WINDOW, message::Wait};
use super::*;

fn id(n: u64) -> CallId {
    CallId::new(n).unwrap()
}

fn request(length: u64) -> Request {
    Request {
        method: "POST".into(),
        path: "/api/chat".into(),
        length,
        model: "qwen3:8b".into(),
        relay: Some("home".into()),
    }
}

/// A call whose socket was made at 0.
fn linked(length: u64) -> Caller {
    let mut caller = Caller::new(id(1), request(length), 0);
    assert!(caller.begin_link(0));
    caller.linked(id(2), 0);
    caller
}

/// A call that a relay has, and whose OPEN is gone.
fn placed(length: u64) -> Caller {
    let mut caller = linked(length);
    caller.next_frame().unwrap();
    hear(&mut caller, &Frame::Placed(id(1), Placed { relay: "home".into() }), 0);
    caller
}

fn hear(caller: &mut Caller, frame: &Frame<'_>, now: i64) {
    caller.receive(&frame.bytes(), now);
}

fn head(call: CallId) -> Frame<'static> {
    Frame::Head(call, Head { status: 200, retry_after: None })
}

fn wait(phase: Phase) -> Frame<'static> {
    Frame::Wait(id(1), Wait { phase })
}

fn data(offset: u64, bytes: &[u8]) -> Frame<'_> {
    Frame::Data { call: id(1), offset, bytes }
}

/// Everything it sends now.
fn sent(caller: &mut Caller) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| caller.next_frame()).collect()
}

fn code(caller: &Caller) -> Option<FailCode> {
    match caller.ending() {
        Some(Ending::Failed(fail)) => Some(fail.code),
        _ => None,
    }
}

fn cancels(caller: &mut Caller, silent: bool) {
    assert_eq!(sent(caller), [Frame::Cancel(id(1), Cancel { silent }).bytes()]);
}

fn resume(received: u64, limit: u64) -> Vec<u8> {
    Frame::Resume(id(1), Resume { relay: "home".into(), received, limit }).bytes()
}

#[test]
fn a_call_that_goes_well() {
    let mut caller = linked(5);
    let open = Open {
        version: VERSION,
        method: "POST".into(),
        path: "/api/chat".into(),
        length: 5,
        model: "qwen3:8b".into(),
        relay: Some("home".into()),
    };
    assert_eq!(sent(&mut caller), [Frame::Open(id(1), open).bytes()]);
    assert_eq!((caller.room(), caller.push(b"hello")), (0, 0), "the body waits for a place");
    hear(&mut caller, &wait(Phase::Queued), 10);
    assert_eq!(caller.phase(), Some(Phase::Queued));
    hear(&mut caller, &Frame::Placed(id(1), Placed { relay: "home".into() }), 20);
    assert_eq!((caller.room(), caller.push(b"hello, and more"), caller.room()), (5, 5, 0), "as long as announced");
    assert_eq!(sent(&mut caller), [data(0, b"hello").bytes()]);
    hear(&mut caller, &wait(Phase::Loading), 30);
    assert_eq!(caller.phase(), Some(Phase::Loading));
    hear(&mut caller, &head(id(1)), 40);
    assert_eq!(caller.head().unwrap().status, 200);
    hear(&mut caller, &data(0, b"Hi"), 50);
    hear(&mut caller, &data(2, b"!"), 60);
    assert_eq!(caller.phase(), None, "nothing is waited for once it speaks");
    hear(&mut caller, &Frame::End { call: id(1), length: 3 }, 70);
    assert_eq!(caller.ending(), Some(&Ending::Whole));
    assert_eq!((caller.read(), caller.read(), caller.read()), (Some(b"Hi".to_vec()), Some(b"!".to_vec()), None));
    caller.cancel();
    assert!(sent(&mut caller).is_empty(), "there is nothing left to cancel");
    assert_eq!(caller.wake_at(), i64::MAX);
}

#[test]
fn a_slow_reader_holds_the_relay_back() {
    let mut caller = placed(0);
    hear(&mut caller, &head(id(1)), 0);
    let window = usize::try_from(WINDOW).unwrap();
    for at in (0..window).step_by(CHUNK) {
        hear(&mut caller, &data(at as u64, &[7; CHUNK]), 0);
    }
    assert!(sent(&mut caller).is_empty(), "no credit for what was not read");
    caller.read().unwrap();
    let credit = Frame::Credit { call: id(1), received: WINDOW, limit: WINDOW + CHUNK as u64 };
    assert_eq!(sent(&mut caller), [credit.bytes()]);
    hear(&mut caller, &data(WINDOW, &[7; CHUNK + 1]), 0);
    assert_eq!(code(&caller), Some(FailCode::Protocol), "beyond the credit");
    cancels(&mut caller, false);
}

#[test]
fn a_failure_is_told_and_what_came_before_it_can_be_read() {
    let mut caller = placed(0);
    hear(&mut caller, &head(id(1)), 0);
    hear(&mut caller, &data(0, b"Hi"), 0);
    hear(&mut caller, &Frame::Fail(id(1), Fail { code: FailCode::Broken, message: "x".into() }), 0);
    assert_eq!((caller.read(), code(&caller)), (Some(b"Hi".to_vec()), Some(FailCode::Broken)));
    assert!(sent(&mut caller).is_empty());
    let mut caller = linked(0);
    hear(&mut caller, &Frame::Fail(id(1), Fail { code: FailCode::NoRelay, message: "x".into() }), 0);
    assert_eq!((caller.head(), code(&caller)), (None, Some(FailCode::NoRelay)));
}

#[test]
fn what_breaks_the_rules_ends_the_call() {
    let stranger = Frame::Wait(id(9), Wait { phase: Phase::Working });
    let resumed = Frame::Resumed(id(1), Resumed { received: 0, limit: WINDOW });
    let early = [head(id(1)), data(0, b"x"), Frame::End { call: id(1), length: 0 }, resumed, Frame::Away(id(1))];
    for frame in early {
        let mut caller = linked(0);
        hear(&mut caller, &frame, 0);
        assert_eq!(code(&caller), Some(FailCode::Protocol), "before it was placed: {frame:?}");
    }
    let late = [
        (stranger, "another call"),
        (data(0, b"x"), "data before the head"),
        (Frame::End { call: id(1), length: 0 }, "an end before the head"),
        (Frame::End { call: id(1), length: 3 }, "an end with a gap"),
        (Frame::Credit { call: id(1), received: 1, limit: 1 }, "credit for what was not sent"),
        (Frame::Cancel(id(1), Cancel::default()), "the wrong way"),
    ];
    for (frame, what) in late {
        let mut caller = placed(0);
        hear(&mut caller, &frame, 0);
        assert_eq!(code(&caller), Some(FailCode::Protocol), "{what}");
        cancels(&mut caller, false);
    }
    let mut caller = placed(0);
    caller.receive(&[0x90, 0, 0, 0, 0, 0, 0, 0, 0], 0);
    assert_eq!(caller.ending(), None, "a newer version's");
    caller.receive(b"", 0);
    assert_eq!(code(&caller), Some(FailCode::Protocol), "no frame at all");
}

#[test]
fn nothing_heard_for_20_seconds_ends_the_call() {
    let mut caller = placed(0);
    hear(&mut caller, &wait(Phase::Loading), 300);
    assert_eq!(caller.wake_at(), 20_300);
    caller.tick(20_299);
    assert_eq!(caller.ending(), None);
    caller.tick(20_300);
    assert_eq!(code(&caller), Some(FailCode::Lost));
    cancels(&mut caller, true);
}

#[test]
fn a_hub_that_does_not_answer_ends_the_call() {
    let mut caller = linked(0);
    assert_eq!(caller.wake_at(), 20_000);
    caller.tick(20_000);
    assert_eq!(code(&caller), Some(FailCode::Lost));
    // In line, on the other hand, it waits as long as the hub says so.
    let mut caller = linked(0);
    for now in (0..300_000).step_by(5_000) {
        hear(&mut caller, &wait(Phase::Queued), now);
        caller.tick(now + 4_999);
    }
    assert_eq!(caller.ending(), None);
}

#[test]
fn a_socket_that_cannot_be_made_is_tried_for_20_seconds() {
    let mut caller = Caller::new(id(1), request(0), 0);
    let (mut now, mut tries) = (0, 0);
    while caller.ending().is_none() {
        if caller.begin_link(now) {
            tries += 1;
            assert!(!caller.begin_link(now), "one at a time");
            caller.unlinked(now + 10);
        }
        now = caller.wake_at().max(now + 1);
        caller.tick(now);
    }
    assert_eq!((code(&caller), now, tries), (Some(FailCode::Lost), 20_000, 9));
    // One that stays half made ends with the same deadline.
    let mut caller = Caller::new(id(1), request(0), 0);
    assert!(caller.begin_link(0));
    assert_eq!(caller.wake_at(), 20_000);
}

#[test]
fn before_a_place_the_call_is_opened_anew_under_another_name() {
    let mut caller = linked(0);
    sent(&mut caller);
    caller.unlinked(5);
    assert!(!caller.begin_link(5), "a socket that never worked");
    assert!(caller.begin_link(caller.wake_at()));
    caller.linked(id(7), 600);
    let open = sent(&mut caller).remove(0);
    assert!(matches!(Frame::read(&open).unwrap(), Frame::Open(call, _) if call == id(7)));
    hear(&mut caller, &Frame::Placed(id(7), Placed { relay: "home".into() }), 700);
    assert_eq!(caller.ending(), None);
}

#[test]
fn a_socket_that_breaks_is_made_again_and_the_call_goes_on_where_it_stood() {
    let mut caller = placed(6);
    caller.push(b"abcdef");
    assert_eq!(sent(&mut caller), [data(0, b"abcdef").bytes()]);
    hear(&mut caller, &head(id(1)), 10);
    hear(&mut caller, &data(0, b"Hel"), 10);
    caller.unlinked(1_000);
    assert!(sent(&mut caller).is_empty());
    assert!(caller.begin_link(1_000), "at once");
    caller.linked(id(9), 1_100);
    assert_eq!(sent(&mut caller), [resume(3, WINDOW)]);
    hear(&mut caller, &data(0, b"old link"), 1_200);
    hear(&mut caller, &Frame::End { call: id(1), length: 8 }, 1_200);
    assert_eq!(caller.ending(), None, "of the old link");
    hear(&mut caller, &Frame::Resumed(id(1), Resumed { received: 2, limit: WINDOW }), 1_300);
    assert_eq!(sent(&mut caller), [data(2, b"cdef").bytes()]);
    hear(&mut caller, &head(id(1)), 1_300);
    hear(&mut caller, &data(3, b"lo"), 1_300);
    hear(&mut caller, &Frame::End { call: id(1), length: 5 }, 1_300);
    assert_eq!(caller.ending(), Some(&Ending::Whole));
    assert_eq!(std::iter::from_fn(|| caller.read()).collect::<Vec<_>>().concat(), b"Hello");
}

#[test]
fn a_relay_that_is_away_is_waited_for() {
    let mut caller = placed(0);
    hear(&mut caller, &head(id(1)), 0);
    hear(&mut caller, &Frame::Away(id(1)), 1_000);
    assert_eq!(caller.wake_at(), 21_000);
    hear(&mut caller, &Frame::Back(id(1)), 15_000);
    assert_eq!(sent(&mut caller), [resume(0, WINDOW)]);
    caller.tick(20_999);
    hear(&mut caller, &Frame::Resumed(id(1), Resumed { received: 0, limit: WINDOW }), 20_999);
    caller.tick(30_000);
    assert_eq!(caller.ending(), None, "its grace is not spent twice");
    // Again, and for good.
    hear(&mut caller, &Frame::Away(id(1)), 30_000);
    hear(&mut caller, &wait(Phase::Working), 49_000);
    caller.tick(50_000);
    assert_eq!(code(&caller), Some(FailCode::Lost));
    cancels(&mut caller, false);
}

#[test]
fn hub_and_relay_gone_together_share_one_grace() {
    let mut caller = placed(0);
    caller.unlinked(1_000);
    assert!(caller.begin_link(1_250));
    caller.linked(id(9), 1_300);
    hear(&mut caller, &Frame::Away(id(1)), 1_400);
    caller.tick(20_999);
    assert_eq!(caller.ending(), None);
    caller.tick(21_000);
    assert_eq!(code(&caller), Some(FailCode::Lost));
}

#[test]
fn two_requests_to_resume_that_crossed_do_no_harm() {
    let mut caller = placed(4);
    hear(&mut caller, &head(id(1)), 0);
    for now in [10, 20] {
        hear(&mut caller, &Frame::Away(id(1)), now);
        hear(&mut caller, &Frame::Back(id(1)), now);
        assert_eq!(sent(&mut caller), [resume(0, WINDOW)]);
    }
    hear(&mut caller, &Frame::Resumed(id(1), Resumed { received: 0, limit: WINDOW }), 30);
    caller.push(b"abcd");
    assert_eq!(sent(&mut caller), [data(0, b"abcd").bytes()]);
    hear(&mut caller, &data(0, b"Hel"), 30);
    hear(&mut caller, &Frame::Resumed(id(1), Resumed { received: 0, limit: WINDOW }), 40);
    assert!(sent(&mut caller).is_empty(), "what is on its way is not sent twice");
    for repeated in [data(0, b"He"), data(2, b"llo")] {
        hear(&mut caller, &repeated, 40);
    }
    hear(&mut caller, &Frame::End { call: id(1), length: 5 }, 40);
    assert_eq!(caller.ending(), Some(&Ending::Whole));
    assert_eq!(std::iter::from_fn(|| caller.read()).collect::<Vec<_>>().concat(), b"Hello");
}

#[test]
fn giving_up_cancels() {
    let mut caller = placed(10);
    caller.push(b"0123456789");
    caller.cancel();
    cancels(&mut caller, false);
    let mut caller = Caller::new(id(1), request(0), 0);
    caller.cancel();
    assert!(sent(&mut caller).is_empty() && !caller.begin_link(0), "nobody knows of it");
}

/// A relay that echoes nothing and answers with bytes of its own, beyond a hub that passes everything on.
struct Relay {
    inflow: Inflow,
    outflow: Outflow,
    got: Vec<u8>,
    /// Bytes of the answer handed to `outflow`.
    said: usize,
    headed: bool,
    ended: bool,
    /// What is on its way to the caller.
    wire: VecDeque<Vec<u8>>,
}

fn byte(at: usize) -> u8 {
    (at % 251) as u8
}

impl Relay {
    fn new() -> Relay {
        let (inflow, outflow) = (Inflow::default(), Outflow::default());
        Relay { inflow, outflow, got: Vec::new(), said: 0, headed: false, ended: false, wire: VecDeque::new() }
    }

    fn hear(&mut self, bytes: &[u8]) {
        match Frame::read(bytes).unwrap() {
            Frame::Open(call, _) => {
                assert!(self.got.is_empty() && !self.headed, "opened twice");
                self.wire.push_back(Frame::Placed(call, Placed { relay: "home".into() }).bytes());
            }
            Frame::Data { call, offset, bytes } => {
                self.inflow.take(offset, bytes).unwrap();
                self.got.extend(bytes);
                if let Some((received, limit)) = self.inflow.consume(bytes.len()) {
                    self.wire.push_back(Frame::Credit { call, received, limit }.bytes());
                }
            }
            Frame::Credit { received, limit, .. } => self.outflow.credit(received, limit).unwrap(),
            Frame::Resume(call, resume) => {
                self.outflow.resume(resume.received, resume.limit).unwrap();
                let (received, limit) = self.inflow.mark();
                self.wire.push_back(Frame::Resumed(call, Resumed { received, limit }).bytes());
                if self.headed {
                    self.wire.push_back(head(call).bytes());
                }
                self.ended = false;
            }
            other => panic!("{other:?}"),
        }
    }

    /// Says up to `count` bytes more of an answer of `length`.
    fn say(&mut self, call: CallId, count: usize, length: usize) {
        if self.ended {
            return;
        }
        if !self.headed {
            self.headed = true;
            self.wire.push_back(head(call).bytes());
        }
        let to = (self.said + count).min(length);
        let bytes: Vec<u8> = (self.said..to).map(byte).collect();
        self.said += self.outflow.push(&bytes);
        while let Some((offset, bytes)) = self.outflow.next(CHUNK) {
            self.wire.push_back(Frame::Data { call, offset, bytes: &bytes }.bytes());
        }
        if self.said == length && self.outflow.is_sent() {
            self.ended = true;
            self.wire.push_back(Frame::End { call, length: length as u64 }.bytes());
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Send(usize),
    Say(usize),
    Deliver(usize),
    Read,
    /// The caller's socket breaks with everything on it, and is made again.
    Relink,
    /// The relay's link breaks with everything on it, and is made again.
    Away,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1usize..90_000).prop_map(Step::Push),
        3 => (1usize..4).prop_map(Step::Send),
        3 => (1usize..90_000).prop_map(Step::Say),
        4 => (1usize..4).prop_map(Step::Deliver),
        3 => Just(Step::Read),
        1 => Just(Step::Relink),
        1 => Just(Step::Away),
    ];
    prop::collection::vec(step, 1..150)
}

/// A call and its relay, at rest between the steps.
struct World {
    caller: Caller,
    relay: Relay,
    /// What is on its way to the relay.
    up: VecDeque<Vec<u8>>,
    /// The relay was away, and the caller did not hear yet that it is back: the hub drops what it sends.
    away: bool,
    read: Vec<u8>,
    pushed: usize,
    length: usize,
    answer: usize,
    now: i64,
}

impl World {
    fn new(length: usize, answer: usize) -> World {
        let caller = placed(length as u64);
        let (up, read) = (VecDeque::new(), Vec::new());
        World { caller, relay: Relay::new(), up, away: false, read, pushed: 0, length, answer, now: 0 }
    }

    fn step(&mut self, step: &Step) {
        self.now += 10;
        match *step {
            Step::Push(count) => {
                let bytes: Vec<u8> = (self.pushed..(self.pushed + count).min(self.length)).map(byte).collect();
                self.pushed += self.caller.push(&bytes);
            }
            Step::Send(count) => {
                for _ in 0..count {
                    self.up.extend(self.caller.next_frame());
                    match self.up.pop_front() {
                        Some(frame) if !self.away => self.relay.hear(&frame),
                        _ => {}
                    }
                }
            }
            Step::Say(count) => self.relay.say(id(1), count, self.answer),
            Step::Deliver(count) => {
                for frame in self.relay.wire.drain(..count.min(self.relay.wire.len())) {
                    self.caller.receive(&frame, self.now);
                    self.away &= Frame::read(&frame).unwrap() != Frame::Back(id(1));
                }
            }
            Step::Read => self.read.extend(self.caller.read().unwrap_or_default()),
            Step::Relink if self.caller.ending().is_none() && self.caller.link == (Link::Up { tries: 0 }) => {
                self.up.clear();
                self.relay.wire.clear();
                self.away = false;
                self.caller.unlinked(self.now);
                self.now = self.now.max(self.caller.wake_at());
                assert!(self.caller.begin_link(self.now));
                self.caller.linked(id(99), self.now);
            }
            Step::Away if self.caller.ending().is_none() && !self.away => {
                self.up.clear();
                // Frames of the old link may still be on their way to the caller, in order.
                let lost = self.relay.wire.len() / 2;
                self.relay.wire.truncate(lost);
                self.away = true;
                self.relay.wire.push_back(Frame::Away(id(1)).bytes());
                self.relay.wire.push_back(Frame::Back(id(1)).bytes());
            }
            Step::Relink | Step::Away => {}
        }
        self.caller.tick(self.now);
        let kept: usize = self.caller.kept.iter().map(Vec::len).sum();
        assert!(kept as u64 <= WINDOW, "{kept} bytes are kept");
    }

    fn finish(&mut self) {
        for _ in 0..1_000 {
            if self.read.len() == self.answer && self.caller.ending().is_some() {
                return;
            }
            for step in [Step::Push(90_000), Step::Send(9), Step::Say(90_000), Step::Deliver(9), Step::Read] {
                self.step(&step);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_breaks_every_byte_arrives_once_and_in_order(
        steps in steps(), length in 0usize..600_000, answer in 0usize..600_000,
    ) {
        let mut world = World::new(length, answer);
        for step in &steps {
            world.step(step);
        }
        world.finish();
        prop_assert_eq!(world.caller.ending(), Some(&Ending::Whole));
        prop_assert_eq!(world.read.len(), answer);
        prop_assert!(world.read.iter().enumerate().all(|(at, &read)| read == byte(at)));
        // An answer may be complete before the request was wholly sent; what was sent is right.
        prop_assert!(world.relay.got.iter().enumerate().all(|(at, &got)| got == byte(at)));
        prop_assert!(world.relay.got.len() <= length);
    }

    #[test]
    fn any_bytes_end_the_call_or_do_not(
        messages in prop::collection::vec((0u8..0x20, prop::collection::vec(any::<u8>(), 0..40)), 0..40),
        breaks in any::<u64>(),
    ) {
        let mut caller = placed(100);
        for (at, (kind, tail)) in messages.iter().enumerate() {
            let mut message = vec![*kind, 0, 0, 0, 0, 0, 0, 0, 1];
            message.extend(tail);
            caller.receive(&message, at as i64);
            caller.push(tail);
            caller.read();
            if breaks >> at & 1 == 1 {
                caller.unlinked(at as i64);
                caller.begin_link(at as i64 + 10_000);
                caller.linked(id(3), at as i64);
            }
            sent(&mut caller);
            caller.tick(at as i64);
        }
        caller.tick(1_000_000);
        prop_assert!(caller.ending().is_some());
    }
}
