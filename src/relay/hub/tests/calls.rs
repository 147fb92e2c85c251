//! Placing, the line, and the frames of calls.

use super::*;

#[test]
fn a_call_goes_through() {
    both(|mut world| {
        let home = world.home();
        let caller = world.open(1, chat("m"));
        assert_eq!(world.read(caller), r#"Placed(0000000000000001, Placed { relay: "home" })"#);
        assert!(world.read(home).starts_with("Open(0000000000000001, Open { version: 1, method: \"POST\""));
        assert_eq!(world.in_flight("home"), 1);
        world.say(caller, data(1, 0, b"0123456789"));
        assert_eq!(world.read(home), format!("{:?}", data(1, 0, b"0123456789")));
        world.say(home, Frame::Credit { call: call(1), received: 10, limit: 300_000 });
        world.say(home, Frame::Wait(call(1), super::super::super::Wait { phase: Phase::Loading }));
        world.say(home, Frame::Head(call(1), super::super::super::Head { status: 200, retry_after: None }));
        world.say(home, data(1, 0, b"answer"));
        world.say(caller, Frame::Credit { call: call(1), received: 6, limit: 300_000 });
        world.say(home, Frame::End { call: call(1), length: 6 });
        assert_eq!(world.kinds(caller), words("Credit Wait Head Data End"));
        assert_eq!(world.kinds(home), words("Credit"));
        assert_eq!((world.in_flight("home"), world.rows["home"].calls, world.rows["home"].failed), (0, 1, 0));
        // What was under way, and the end of the socket, are nobody's matter any more.
        world.say(caller, Frame::Credit { call: call(1), received: 6, limit: 400_000 });
        world.say(home, data(1, 6, b"late"));
        world.close(caller, 1000);
        assert_eq!((world.kinds(home), world.closed(home), world.rows["home"].calls), (words(""), None, 1));
    });
}

#[test]
fn it_is_placed_where_it_can_be_answered_soonest() {
    both(|mut world| {
        let mut loaded = state(1, &["m"]);
        loaded.models[0].loaded = true;
        let wide = world.relay(hello("b-wide", "one", state(4, &["m"])));
        let twin = world.relay(hello("a-wide", "one", state(4, &["m"])));
        let warm = world.relay(hello("warm", "one", loaded));
        let other = world.relay(hello("other", "one", state(64, &["n"])));
        let place = |world: &mut World, id, open| {
            let caller = world.open(id, open);
            let placed = world.read(caller);
            placed.split('"').nth(1).unwrap_or(&placed).to_owned()
        };
        assert_eq!(place(&mut world, 1, chat("m")), "warm", "the model is in memory");
        assert_eq!(place(&mut world, 2, chat("m")), "a-wide", "most free slots, then the name");
        assert_eq!(place(&mut world, 3, chat("m")), "b-wide");
        let named = Open { relay: Some("b-wide".into()), ..chat("m") };
        assert_eq!(place(&mut world, 4, named.clone()), "b-wide", "the one that is named");
        world.say(twin, Frame::State(State { draining: true, ..state(4, &["m"]) }));
        world.say(wide, Frame::State(State { trouble: Some("refused".into()), ..state(4, &["m"]) }));
        assert!(place(&mut world, 5, chat("m")).starts_with("Wait"), "warm is full, the others cannot");
        assert_eq!(place(&mut world, 6, chat("n")), "other");
        for (id, open, code) in [
            (11, chat("q"), FailCode::Unreachable),
            (12, named, FailCode::Unreachable),
            (13, Open { relay: Some("other".into()), ..chat("m") }, FailCode::NoModel),
            (14, Open { relay: Some("a-wide".into()), ..chat("m") }, FailCode::NoRelay),
            (15, Open { relay: Some("nobody".into()), ..chat("m") }, FailCode::NoRelay),
            (16, Open { relay: Some("No One".into()), ..chat("m") }, FailCode::NoRelay),
        ] {
            let caller = world.open(id, open);
            assert_eq!(world.failed(caller), Some(code), "{id}");
        }
        world.say(warm, end(1));
        world.say(warm, end(5));
        world.say(other, end(6));
        assert_eq!(world.view().queued, 0);
    });
}

#[test]
fn a_name_without_a_tag_is_the_latest() {
    both(|mut world| {
        world.relay(hello("home", "one", state(9, &["qwen3:latest", "gemma3:4b"])));
        for (id, model, placed) in
            [(1, "qwen3", true), (2, "qwen3:latest", true), (3, "gemma3", false), (4, "qwen3:8b", false)]
        {
            let caller = world.open(id, chat(model));
            assert_eq!(world.kinds(caller), words(if placed { "Placed" } else { "Fail" }), "{model}");
        }
    });
}

#[test]
fn only_what_may_pass_is_placed() {
    both(|mut world| {
        let home = world.home();
        for (id, open, code) in [
            (1, Open { path: "/api/pull".into(), ..chat("m") }, FailCode::Refused),
            (2, Open { path: "/api/../api/chat".into(), ..chat("m") }, FailCode::Refused),
            (3, Open { path: "http://127.0.0.1:11434/api/chat".into(), ..chat("m") }, FailCode::Refused),
            (4, Open { method: "GET".into(), ..chat("m") }, FailCode::Refused),
            (5, Open { length: 16 * 1024 * 1024 + 1, ..chat("m") }, FailCode::Refused),
            (6, Open { path: "/api/show".into(), length: 65_537, ..chat("m") }, FailCode::Refused),
            (7, chat(""), FailCode::Refused),
            (8, chat(&"m".repeat(201)), FailCode::Refused),
            (9, Open { version: 0, ..chat("m") }, FailCode::Protocol),
        ] {
            let caller = world.open(id, open);
            assert_eq!(world.failed(caller), Some(code), "{id}");
        }
        assert_eq!((world.kinds(home), world.in_flight("home")), (words(""), 0));
    });
}

#[test]
fn an_open_goes_on_in_the_version_of_the_relay() {
    both(|mut world| {
        let home = world.home();
        world.open(1, Open { version: 5, ..chat("m") });
        assert!(world.read(home).contains("version: 1"));
    });
}

#[test]
fn light_requests_take_no_slot() {
    both(|mut world| {
        let home = world.home();
        world.placed(1, home);
        for (id, method, path) in [(2, "GET", "/api/tags"), (3, "GET", "/api/ps"), (4, "POST", "/api/show")] {
            let model = if path == "/api/show" { "m" } else { "" };
            let caller = world.open(id, Open { method: method.into(), path: path.into(), length: 0, ..chat(model) });
            assert_eq!(world.kinds(caller), words("Placed"), "{path}");
        }
        assert_eq!(world.in_flight("home"), 1);
    });
}

#[test]
fn those_who_wait_are_served_in_the_order_they_came() {
    both(|mut world| {
        let home = world.home();
        world.placed(1, home);
        let waiting: Vec<ConnId> = (2..=65).map(|id| world.open(id, chat("m"))).collect();
        for &caller in &waiting {
            assert_eq!(world.read(caller), format!("Wait({}, Wait {{ phase: Queued }})", own(&waiting, caller)));
        }
        assert_eq!(world.view().queued, 64);
        let more = world.open(66, chat("m"));
        assert_eq!(world.failed(more), Some(FailCode::Busy));
        world.tick(5_000);
        assert_eq!(world.kinds(waiting[63]), words("Wait"), "they hear that they still wait");
        world.close(waiting[0], 1006);
        world.say(home, end(1));
        assert_eq!(world.kinds(home), words("Open"));
        assert_eq!((world.kinds(waiting[1]), world.kinds(waiting[2])), (words("Wait Placed"), words("Wait")));
        world.say(waiting[2], cancel(4, false));
        world.say(home, Frame::Fail(call(3), Fail { code: FailCode::Broken, message: String::new() }));
        assert_eq!((world.kinds(waiting[2]), world.kinds(waiting[3])), (words(""), words("Wait Placed")));
        // More room at the relay, and another relay.
        world.say(home, Frame::State(state(3, &["m"])));
        assert_eq!((world.in_flight("home"), world.view().queued), (3, 58));
        world.relay(hello("other", "one", state(8, &["m"])));
        assert_eq!((world.in_flight("other"), world.view().queued), (8, 50));
    });
}

fn own(waiting: &[ConnId], caller: ConnId) -> CallId {
    call(2 + waiting.iter().position(|&conn| conn == caller).unwrap() as u64)
}

#[test]
fn a_caller_reaches_no_call_but_its_own() {
    for frame in
        [data(1, 0, b"x"), cancel(1, false), resume(1, "home"), Frame::Credit { call: call(1), received: 0, limit: 9 }]
    {
        both(|mut world| {
            let home = world.relay(hello("home", "one", state(2, &["m"])));
            let (caller, other) = (world.placed(1, home), world.placed(2, home));
            world.say_bytes(other, &frame.bytes());
            assert_eq!(world.closed(other), Some(4400));
            assert_eq!((world.kinds(home), world.kinds(caller)), (words("Cancel"), words("")));
            assert_eq!(world.in_flight("home"), 1);
        });
    }
}

#[test]
fn what_is_not_a_callers_to_say_closes_its_socket() {
    let head = Frame::Head(call(1), super::super::super::Head { status: 200, retry_after: None });
    for frame in [
        end(1),
        head,
        Frame::Open(call(1), chat("m")),
        Frame::Away(call(1)),
        resume(1, "other"),
        Frame::State(state(1, &[])),
    ] {
        both(|mut world| {
            let home = world.home();
            let caller = world.placed(1, home);
            world.say_bytes(caller, &frame.bytes());
            assert_eq!((world.closed(caller), world.failed(caller)), (Some(4400), Some(FailCode::Protocol)));
            assert_eq!((world.kinds(home), world.in_flight("home")), (words("Cancel"), 0));
            assert_eq!(world.lines().last().unwrap(), "a caller broke the protocol: a frame out of place");
            let early = world.caller();
            world.say_bytes(early, &data(5, 0, b"x").bytes());
            assert_eq!(world.closed(early), Some(4400), "a body before OPEN");
        });
    }
    both(|mut world| {
        let home = world.home();
        world.placed(1, home);
        let waits = world.open(2, chat("m"));
        world.say(waits, data(2, 0, b"x"));
        assert_eq!(world.closed(waits), Some(4400), "a body before PLACED");
        assert_eq!((world.view().queued, world.kinds(home)), (0, words("")));
    });
}

#[test]
fn callers_are_bounded_and_the_idle_go_first() {
    both(|mut world| {
        world.sleepy = false;
        let home = world.relay(hello("home", "one", state(64, &["m"])));
        let over = world.placed(1, home);
        world.say(home, end(1));
        let idle = world.caller();
        // Light requests, of which any number may run.
        let light = |id| (id, Open { method: "GET".into(), path: "/api/ps".into(), length: 0, ..chat("") });
        for id in 2..=255 {
            let (id, open) = light(id);
            world.open(id, open);
        }
        assert_eq!((world.closed(over), world.closed(idle)), (None, None));
        world.open(256, light(256).1);
        world.open(257, light(257).1);
        assert_eq!((world.closed(over), world.closed(idle)), (Some(1000), Some(1000)));
        let more = world.caller();
        assert_eq!(world.closed(more), Some(1013));
    });
}
