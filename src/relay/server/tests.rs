//! The relay's end against frames made by hand, and against frames that make no sense.

use super::super::message::Cancel;
use super::super::{Resumed, WAIT_EVERY_MS, WINDOW};
use super::*;
use proptest::prelude::*;

const BODY: &[u8] = br#"{"model":"a"}"#;

fn about(max_parallel: u32) -> About {
    let (name, instance) = ("home".to_owned(), "i".to_owned());
    About { name, instance, software: "1".to_owned(), max_parallel, allowed: Patterns::new(["a*"]) }
}

fn call(number: u64) -> CallId {
    CallId::new(number).unwrap()
}

/// Makes a link and has it greeted. Returns the HELLO.
fn connect(relay: &mut Relay, now: i64) -> Hello {
    relay.connected();
    let bytes = relay.transmit(now).unwrap();
    let Frame::Hello(hello) = Frame::read(&bytes).unwrap() else { panic!("no HELLO") };
    assert_eq!(relay.transmit(now), None, "nothing before the greeting");
    let welcome = Frame::Welcome(Welcome { version: VERSION, software: "2".to_owned() }).bytes();
    assert!(relay.receive(&welcome, now).unwrap().is_some() && relay.is_up());
    hello
}

fn up(max_parallel: u32) -> Relay {
    let mut relay = Relay::new(about(max_parallel));
    connect(&mut relay, 0);
    relay
}

fn take(relay: &mut Relay, frame: Frame<'_>, now: i64) {
    relay.receive(&frame.bytes(), now).unwrap();
}

fn open(method: &str, path: &str, length: u64) -> Open {
    let (method, path) = (method.to_owned(), path.to_owned());
    let model = if length > 0 { "a".to_owned() } else { String::new() };
    Open { version: VERSION, method, path, length, model, relay: None }
}

fn chat(relay: &mut Relay, id: u64, now: i64) {
    take(relay, Frame::Open(call(id), open("POST", "/api/chat", BODY.len() as u64)), now);
    take(relay, Frame::Data { call: call(id), offset: 0, bytes: BODY }, now);
}

/// Everything there is to send.
fn sent(relay: &mut Relay, now: i64) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| relay.transmit(now)).collect()
}

fn orders(relay: &mut Relay) -> Vec<Order> {
    std::iter::from_fn(|| relay.next_order()).collect()
}

fn failed(relay: &mut Relay, id: u64) -> Option<FailCode> {
    sent(relay, 0).iter().find_map(|bytes| match Frame::read(bytes).unwrap() {
        Frame::Fail(of, fail) if of == call(id) => Some(fail.code),
        _ => None,
    })
}

fn head() -> Head {
    Head { status: 200, retry_after: None }
}

#[test]
fn a_call_runs_from_open_to_end() {
    let mut relay = up(2);
    chat(&mut relay, 1, 0);
    let start = Order::Start { call: call(1), route: Route::Chat, length: BODY.len() as u64, model: "a".to_owned() };
    assert_eq!(orders(&mut relay), [start, Order::Wake(call(1))]);
    assert_eq!(relay.read(call(1)), Body::Bytes(BODY.to_vec()));
    assert_eq!((relay.read(call(1)), relay.in_flight()), (Body::End, 1));
    relay.head(call(1), head());
    assert_eq!(relay.answer(call(1), b"one"), Some(3));
    relay.complete(call(1));
    let expected = [
        Frame::Head(call(1), head()).bytes(),
        Frame::Data { call: call(1), offset: 0, bytes: b"one" }.bytes(),
        Frame::End { call: call(1), length: 3 }.bytes(),
    ];
    assert_eq!(sent(&mut relay, 0), expected);
    assert_eq!((relay.in_flight(), relay.has_calls(), relay.is_quiet()), (0, true, true));
    assert_eq!(relay.answer(call(1), b"more"), None);
    assert_eq!(relay.tally(), Tally { complete: 1, ..Tally::default() });
    // Kept for a while, should the link have swallowed the end.
    relay.tick(39_999);
    assert!(relay.has_calls());
    relay.tick(40_000);
    assert!(!relay.has_calls());
}

#[test]
fn a_call_outlives_its_link_for_the_grace() {
    let mut relay = up(2);
    chat(&mut relay, 1, 0);
    relay.head(call(1), head());
    relay.answer(call(1), b"0123456789");
    sent(&mut relay, 0);
    take(&mut relay, Frame::Credit { call: call(1), received: 4, limit: WINDOW }, 0);
    relay.disconnected(1_000);
    assert_eq!(sent(&mut relay, 1_000), Vec::<Vec<u8>>::new());
    relay.tick(20_999);
    let hello = connect(&mut relay, 20_999);
    assert_eq!((hello.calls, hello.takeover), (vec![call(1)], true));
    // The grace begins again with the link, and until RESUME nothing of the call counts or is sent.
    relay.tick(40_998);
    take(&mut relay, Frame::Data { call: call(1), offset: 99, bytes: b"old" }, 40_998);
    take(&mut relay, Frame::Credit { call: call(1), received: 9_999, limit: 0 }, 40_998);
    assert_eq!(sent(&mut relay, 40_998), Vec::<Vec<u8>>::new());
    let resume = Resume { relay: "home".to_owned(), received: 6, limit: WINDOW };
    take(&mut relay, Frame::Resume(call(1), resume), 40_998);
    let received = BODY.len() as u64;
    let expected = [
        Frame::Resumed(call(1), Resumed { received, limit: WINDOW }).bytes(),
        Frame::Head(call(1), head()).bytes(),
        Frame::Data { call: call(1), offset: 6, bytes: b"6789" }.bytes(),
    ];
    assert_eq!(sent(&mut relay, 40_998), expected);
    orders(&mut relay);
    // Nobody comes back.
    relay.disconnected(50_000);
    relay.tick(69_999);
    assert_eq!(orders(&mut relay), []);
    assert_eq!(relay.deadline(), Some(70_000));
    relay.tick(70_000);
    assert_eq!(orders(&mut relay), [Order::Stop(call(1))]);
    assert_eq!((relay.has_calls(), relay.tally().cancelled), (false, 1));
}

#[test]
fn links_that_never_greet_do_not_prolong_the_grace() {
    let mut relay = up(2);
    chat(&mut relay, 1, 0);
    relay.disconnected(0);
    for now in [5_000, 10_000, 15_000] {
        relay.connected();
        relay.transmit(now);
        relay.disconnected(now);
    }
    relay.tick(20_000);
    assert!(!relay.has_calls());
}

#[test]
fn a_call_of_another_name_or_none_is_not_resumed() {
    let mut relay = up(2);
    let resume = |name: &str| Resume { relay: name.to_owned(), received: 0, limit: WINDOW };
    take(&mut relay, Frame::Resume(call(1), resume("home")), 0);
    assert_eq!(failed(&mut relay, 1), Some(FailCode::Lost));
    chat(&mut relay, 2, 0);
    relay.disconnected(0);
    connect(&mut relay, 0);
    take(&mut relay, Frame::Resume(call(2), resume("other")), 0);
    assert_eq!(sent(&mut relay, 0), Vec::<Vec<u8>>::new());
    take(&mut relay, Frame::Resume(call(2), Resume { received: 7, ..resume("home") }), 0);
    assert_eq!(failed(&mut relay, 2), Some(FailCode::Protocol), "more than was ever sent");
}

#[test]
fn waits_are_said_when_nothing_else_is() {
    let mut relay = up(2);
    relay.ollama(vec![Model { name: "a".to_owned(), size: None, loaded: false }], None);
    sent(&mut relay, 0);
    chat(&mut relay, 1, 0);
    assert_eq!((relay.deadline(), sent(&mut relay, 4_999)), (Some(WAIT_EVERY_MS), vec![]));
    let wait = |phase| vec![Frame::Wait(call(1), super::super::Wait { phase }).bytes()];
    assert_eq!(sent(&mut relay, 5_000), wait(Phase::Loading));
    relay.wait_for(call(1), Phase::Working);
    assert_eq!(sent(&mut relay, 10_000), wait(Phase::Working));
    relay.head(call(1), head());
    assert_eq!(sent(&mut relay, 12_000).len(), 1);
    assert_eq!((sent(&mut relay, 16_999), sent(&mut relay, 17_000)), (vec![], wait(Phase::Working)));
}

#[test]
fn what_is_too_much_or_not_allowed_is_refused_with_its_code() {
    let mut relay = up(2);
    let cases = [
        (open("POST", "/api/pull", 9), FailCode::Refused),
        (open("GET", "/api/chat", 9), FailCode::Refused),
        (open("POST", "/api/chat", 17 * 1024 * 1024), FailCode::Refused),
        (open("POST", "/api/show", 65_537), FailCode::Refused),
        (open("GET", "/api/tags", 1), FailCode::Refused),
        (open("POST", "/api/chat", 0), FailCode::Refused),
        (Open { model: "b".to_owned(), ..open("POST", "/api/chat", 9) }, FailCode::Refused),
        (Open { model: String::new(), ..open("POST", "/api/show", 9) }, FailCode::Refused),
        (Open { relay: Some("other".to_owned()), ..open("POST", "/api/chat", 9) }, FailCode::NoRelay),
        (Open { version: 2, ..open("POST", "/api/chat", 9) }, FailCode::Protocol),
    ];
    for (id, (open, code)) in (1..).zip(cases) {
        take(&mut relay, Frame::Open(call(id), open.clone()), 0);
        assert_eq!(failed(&mut relay, id), Some(code), "{open:?}");
        let told = orders(&mut relay);
        assert!(matches!(told.as_slice(), [Order::Refused(..)]), "{told:?}");
    }
    assert_eq!((relay.in_flight(), relay.tally().refused), (0, 10));
    let right = Open { relay: Some("home".to_owned()), ..open("POST", "/api/chat", 9) };
    take(&mut relay, Frame::Open(call(99), right), 0);
    assert_eq!((failed(&mut relay, 99), relay.in_flight()), (None, 1));
}

#[test]
fn slots_and_light_calls_are_counted_apart() {
    let mut relay = up(2);
    for id in 1..=3 {
        chat(&mut relay, id, 0);
    }
    assert_eq!(failed(&mut relay, 3), Some(FailCode::Busy));
    for id in 10..=18 {
        take(&mut relay, Frame::Open(call(id), open("GET", "/api/tags", 0)), 0);
    }
    assert_eq!(failed(&mut relay, 18), Some(FailCode::Busy));
    take(&mut relay, Frame::Cancel(call(1), Cancel::default()), 0);
    relay.complete(call(2));
    chat(&mut relay, 4, 0);
    assert_eq!(failed(&mut relay, 4), None);
    chat(&mut relay, 5, 0);
    assert_eq!(failed(&mut relay, 5), None, "the end of 2 was sent before");
    relay.drain();
    take(&mut relay, Frame::Cancel(call(4), Cancel::default()), 0);
    chat(&mut relay, 6, 0);
    assert_eq!(failed(&mut relay, 6), Some(FailCode::NoRelay));
}

#[test]
fn bodies_are_held_to_what_was_said() {
    let data = |offset, bytes| Frame::Data { call: call(1), offset, bytes };
    for (frames, code) in [
        (vec![data(0, b"{\"model\":\"ab\"")], FailCode::Refused),
        (vec![data(0, b"{\"model\":\"b\"}")], FailCode::Refused),
        (vec![data(0, b"{\"model\":\"a\" ")], FailCode::Refused),
        (vec![data(0, b"{\"model\":\"a\"}x")], FailCode::Protocol),
        (vec![data(1, b"x")], FailCode::Protocol),
        (vec![data(0, b"{"), data(0, b"{")], FailCode::Protocol),
        (vec![data(0, b"{"), data(u64::MAX, b"{")], FailCode::Protocol),
    ] {
        let mut relay = up(2);
        take(&mut relay, Frame::Open(call(1), open("POST", "/api/chat", BODY.len() as u64)), 0);
        for frame in &frames {
            take(&mut relay, frame.clone(), 0);
        }
        assert_eq!(relay.read(call(1)), Body::Gone);
        assert!(orders(&mut relay).contains(&Order::Stop(call(1))));
        assert_eq!(failed(&mut relay, 1), Some(code), "{frames:?}");
    }
}

#[test]
fn calls_take_turns() {
    let mut relay = up(3);
    for id in 1..=3 {
        chat(&mut relay, id, 0);
        relay.answer(call(id), &vec![0; WINDOW as usize]);
    }
    let whose: Vec<u8> = sent(&mut relay, 0).iter().map(|frame| frame[8]).collect();
    assert_eq!(whose, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
}

#[test]
fn what_ollama_said_before_it_broke_off_arrives() {
    let mut relay = up(2);
    chat(&mut relay, 1, 0);
    relay.head(call(1), head());
    relay.answer(call(1), b"half");
    relay.fail(call(1), FailCode::Broken, &"x".repeat(1_000));
    let frames = sent(&mut relay, 0);
    assert_eq!(frames.len(), 3);
    let Frame::Fail(_, fail) = Frame::read(&frames[2]).unwrap() else { panic!("no FAIL at the end") };
    assert_eq!((fail.code, fail.message.len()), (FailCode::Broken, 300));
    assert_eq!(relay.in_flight(), 0);
}

#[test]
fn the_hub_hears_what_is_news_and_nothing_else() {
    let mut relay = up(2);
    let model = |name: &str, loaded| Model { name: name.to_owned(), size: None, loaded };
    relay.ollama(vec![model("a", false), model("b", false)], Some("0.30".to_owned()));
    let state = |relay: &mut Relay| {
        let frames = sent(relay, 0);
        frames
            .iter()
            .find_map(|bytes| if let Frame::State(state) = Frame::read(bytes).unwrap() { Some(state) } else { None })
    };
    assert_eq!(state(&mut relay).unwrap().models, [model("a", false)]);
    relay.ollama(vec![model("a", false), model("b", true)], Some("0.30".to_owned()));
    assert_eq!(state(&mut relay), None, "what it may not use is not told either");
    relay.latency(50);
    assert_eq!(state(&mut relay).unwrap().latency_ms, Some(50));
    relay.latency(70);
    assert_eq!(state(&mut relay), None);
    relay.latency(80);
    assert_eq!(state(&mut relay).unwrap().latency_ms, Some(80));
    relay.ollama_is_away("refused");
    let away = state(&mut relay).unwrap();
    assert_eq!((away.trouble.as_deref(), away.models.len()), (Some("refused"), 1));
    relay.drain();
    assert!(!relay.is_quiet());
    assert!(state(&mut relay).unwrap().draining && relay.is_quiet());
    let many = (0..500).map(|number| model(&format!("a{number}"), false)).chain([model(&"a".repeat(201), false)]);
    relay.ollama(many.collect(), None);
    assert_eq!(state(&mut relay).unwrap().models.len(), MAX_MODELS);
}

#[test]
fn a_relay_that_was_replaced_asks_without_taking() {
    let mut relay = up(2);
    relay.disconnected(0);
    relay.replaced();
    assert!(!connect(&mut relay, 0).takeover);
}

#[test]
fn what_is_left_at_the_end_is_failed() {
    let mut relay = up(2);
    chat(&mut relay, 1, 0);
    relay.give_up();
    assert_eq!(failed(&mut relay, 1), Some(FailCode::Lost));
    assert_eq!(relay.in_flight(), 0);
}

#[test]
fn no_call_lasts_for_ever() {
    let mut relay = up(2);
    chat(&mut relay, 1, 0);
    for now in (0..3_600_000).step_by(5_000) {
        relay.tick(now);
        sent(&mut relay, now);
    }
    assert_eq!(relay.in_flight(), 1);
    relay.tick(3_600_000);
    assert_eq!(failed(&mut relay, 1), Some(FailCode::Broken));
}

#[test]
fn frames_out_of_place_close_the_link() {
    let welcome = |version| Frame::Welcome(Welcome { version, software: String::new() }).bytes();
    let mut relay = Relay::new(about(1));
    relay.connected();
    assert_eq!(relay.receive(&welcome(1), 0), Err(Breach::Unexpected), "before HELLO");
    relay.transmit(0);
    assert_eq!(relay.receive(&Frame::Open(call(1), open("GET", "/api/tags", 0)).bytes(), 0), Err(Breach::Unexpected));
    assert_eq!(relay.receive(&[0x90; 12], 0), Ok(None));
    for version in [0, 2] {
        assert_eq!(relay.receive(&welcome(version), 0).map_err(Breach::code), Err(close::VERSION));
    }
    assert!(relay.receive(&welcome(1), 0).is_ok());
    for bytes in [
        welcome(1),
        vec![],
        vec![0x50; 9],
        Frame::Away(call(1)).bytes(),
        Frame::End { call: call(1), length: 0 }.bytes(),
    ] {
        assert_eq!(relay.receive(&bytes, 0).map_err(Breach::code), Err(close::PROTOCOL), "{bytes:?}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Frame(Vec<u8>),
    Open(u64, usize),
    Data(u64, u64, usize),
    Credit(u64, u64, u64),
    Resume(u64, u64),
    Cancel(u64),
    Answer(u64, usize),
    Read(u64),
    Finish(u64, bool),
    Send(usize),
    Break,
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = 1u64..6;
    let step = prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..30).prop_map(Step::Frame),
        6 => (id.clone(), 0usize..4).prop_map(|(id, route)| Step::Open(id, route)),
        6 => (id.clone(), 0u64..40, 0usize..40).prop_map(|(id, offset, length)| Step::Data(id, offset, length)),
        4 => (id.clone(), 0u64..100_000, any::<u64>()).prop_map(|(id, received, limit)| Step::Credit(id, received, limit)),
        4 => (id.clone(), 0u64..100_000).prop_map(|(id, received)| Step::Resume(id, received)),
        1 => id.clone().prop_map(Step::Cancel),
        8 => (id.clone(), 0usize..100_000).prop_map(|(id, length)| Step::Answer(id, length)),
        4 => id.clone().prop_map(Step::Read),
        2 => (id, any::<bool>()).prop_map(|(id, well)| Step::Finish(id, well)),
        8 => (0usize..10).prop_map(Step::Send),
        1 => Just(Step::Break),
        4 => (0i64..30_000).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Whatever comes in whatever order: no panic, nothing grows, slots are kept to, every frame can be read and is of a kind that a
    /// relay sends.
    #[test]
    fn nothing_upsets_it(steps in steps()) {
        let mut relay = up(2);
        let mut now = 0;
        for step in steps {
            let _ = match step {
                Step::Frame(bytes) => relay.receive(&bytes, now),
                Step::Open(id, route) => {
                    let (method, path, length) = [("POST", "/api/chat", 13), ("GET", "/api/ps", 0), ("POST", "/api/show", 30), ("PUT", "/", 1)][route];
                    relay.receive(&Frame::Open(call(id), open(method, path, length)).bytes(), now)
                }
                Step::Data(id, offset, length) => {
                    let bytes = BODY.iter().copied().chain(std::iter::repeat(b' ')).skip(offset as usize).take(length).collect::<Vec<_>>();
                    relay.receive(&Frame::Data { call: call(id), offset, bytes: &bytes }.bytes(), now)
                }
                Step::Credit(id, received, limit) => relay.receive(&Frame::Credit { call: call(id), received, limit }.bytes(), now),
                Step::Resume(id, received) => {
                    let resume = Resume { relay: "home".to_owned(), received, limit: received + WINDOW };
                    relay.receive(&Frame::Resume(call(id), resume).bytes(), now)
                }
                Step::Cancel(id) => relay.receive(&Frame::Cancel(call(id), Cancel::default()).bytes(), now),
                Step::Answer(id, length) => {
                    relay.head(call(id), head());
                    let taken = relay.answer(call(id), &vec![0; length]);
                    prop_assert!(taken.is_none_or(|taken| taken <= length && taken as u64 <= WINDOW));
                    Ok(None)
                }
                Step::Read(id) => {
                    relay.read(call(id));
                    Ok(None)
                }
                Step::Finish(id, well) => {
                    if well { relay.complete(call(id)) } else { relay.fail(call(id), FailCode::Broken, "x") }
                    Ok(None)
                }
                Step::Send(most) => {
                    for _ in 0..most {
                        let Some(frame) = relay.transmit(now) else { break };
                        let sane = matches!(
                            Frame::read(&frame),
                            Ok(Frame::State(_) | Frame::Head(..) | Frame::Data { .. } | Frame::Credit { .. } | Frame::End { .. }
                                | Frame::Fail(..) | Frame::Resumed(..) | Frame::Wait(..))
                        );
                        prop_assert!(sane, "{:?}", Frame::read(&frame));
                    }
                    Ok(None)
                }
                Step::Break => {
                    relay.disconnected(now);
                    connect(&mut relay, now);
                    Ok(None)
                }
                Step::Pass(ms) => {
                    now += ms;
                    relay.tick(now);
                    Ok(None)
                }
            };
            orders(&mut relay);
            prop_assert!(relay.in_flight() <= 2 + MAX_LIGHT + 6 && relay.calls.len() <= MAX_CALLS);
            prop_assert!(relay.deadline().is_none_or(|due| due <= now + 40_000 && due >= 0));
        }
        // Without a link, everything is over after the grace.
        relay.disconnected(now);
        relay.tick(now + 40_000);
        prop_assert!(!relay.has_calls());
    }

    #[test]
    fn a_flood_of_refusals_takes_no_memory(ids in prop::collection::vec(1u64..u64::MAX, 0..400)) {
        let mut relay = up(1);
        for id in ids {
            take(&mut relay, Frame::Open(call(id), open("GET", "/", 0)), 0);
            orders(&mut relay);
        }
        prop_assert!(relay.calls.len() <= MAX_CALLS);
    }
}
