//! HELLO, names, versions, replacement, STATE, and what a link may not say.

use super::*;

#[test]
fn a_relay_is_welcomed_and_seen() {
    both(|mut world| {
        let link = world.link();
        assert_eq!(world.view().relays, [], "nobody before HELLO");
        let told = State { latency_ms: Some(12), ollama: Some("0.9.1".into()), ..state(2, &["m"]) };
        world.say(link, Frame::Hello(hello("home", "one", told)));
        assert!(world.read(link).starts_with("Welcome(Welcome { version: 1"));
        let view = world.view();
        let [relay] = view.relays.as_slice() else { panic!("{view:?}") };
        assert!(relay.connected && relay.since == world.now && relay.software == "0.6.0");
        assert_eq!((relay.max_parallel, relay.latency_ms, relay.ollama.as_deref()), (2, Some(12), Some("0.9.1")));
        assert_eq!(world.lines(), ["relay home connected"]);
        world.say(link, Frame::State(State { draining: true, ..state(3, &["m", "n"]) }));
        let relay = world.view().relays.remove(0);
        assert_eq!((relay.max_parallel, relay.models.len(), relay.draining), (3, 2, true));
        world.close(link, 1006);
        let relay = world.view().relays.remove(0);
        assert_eq!((relay.connected, relay.draining, relay.models.len(), relay.since), (false, false, 2, world.now));
        assert_eq!(world.lines(), ["relay home is gone"]);
    });
}

#[test]
fn versions_meet_at_the_smaller_one_or_not_at_all() {
    both(|mut world| {
        let newer = world.link();
        world.say(newer, Frame::Hello(Hello { version: 7, ..hello("new", "one", state(1, &[])) }));
        assert!(world.read(newer).starts_with("Welcome(Welcome { version: 1"));
        let far = world.link();
        world.say(far, Frame::Hello(Hello { version: 7, oldest: 2, ..hello("far", "one", state(1, &[])) }));
        let old = world.link();
        world.say(old, Frame::Hello(Hello { version: 0, oldest: 0, ..hello("old", "one", state(1, &[])) }));
        assert_eq!((world.closed(far), world.closed(old)), (Some(4426), Some(4426)));
        assert_eq!(world.kinds(far), words(""));
        let lines = world.lines();
        assert_eq!(lines[1], "a relay was refused: it speaks versions 2 to 7 of the protocol, the hub 1 to 1");
        assert_eq!(world.view().relays.len(), 1);
    });
}

#[test]
fn a_name_must_be_one() {
    both(|mut world| {
        for (name, instance) in
            [("", "i"), ("Home", "i"), ("a b", "i"), (&"x".repeat(33), "i"), ("ok", ""), ("ok", &"i".repeat(65))]
        {
            let link = world.link();
            world.say(link, Frame::Hello(hello(name, instance, state(1, &[]))));
            assert_eq!(world.closed(link), Some(4400), "{name:?} {instance:?}");
        }
        assert_eq!(world.view().relays, []);
        assert!(
            world.lines().iter().all(|line| line == "a relay broke the protocol: a name or an instance that is none")
        );
    });
}

#[test]
fn what_is_kept_of_a_relay_is_bounded() {
    both(|mut world| {
        let names: Vec<String> = (0..500).map(|n| format!("m{n}")).chain(["x".repeat(201), String::new()]).collect();
        let names: Vec<&str> = names.iter().rev().map(String::as_str).collect();
        let told = State { trouble: Some("ä".repeat(400)), ..state(0, &names) };
        world.relay(Hello { software: "s".repeat(1_000), ..hello("home", "one", told) });
        let relay = world.view().relays.remove(0);
        assert_eq!((relay.models.len(), relay.max_parallel, relay.software.len()), (200, 1, 300));
        assert_eq!((relay.models[0].name.as_str(), relay.trouble.unwrap().len()), ("m499", 300));
    });
}

#[test]
fn another_relay_takes_the_place_of_the_first_if_it_may() {
    both(|mut world| {
        let first = world.home();
        let caller = world.placed(1, first);
        world.lines();
        let shy = world.link();
        world.say(shy, Frame::Hello(Hello { takeover: false, ..hello("home", "two", state(1, &["m"])) }));
        assert_eq!((world.closed(shy), world.closed(first)), (Some(4409), None));
        assert_eq!(world.lines(), ["relay home was refused: another one of its name is connected"]);
        assert_eq!(world.kinds(caller), words(""));
        let bold = world.relay(hello("home", "two", state(1, &["m"])));
        assert_eq!((world.closed(first), world.closed(bold)), (Some(4409), None));
        assert_eq!(world.lines(), ["relay home was replaced by another one of its name", "relay home connected"]);
        assert_eq!(world.failed(caller), Some(FailCode::Lost));
        assert_eq!((world.view().relays.len(), world.in_flight("home")), (1, 0));
        // The first one's socket says that it closed; the second stays.
        world.close(first, 4409);
        assert!(world.view().relays[0].connected && world.lines().is_empty());
    });
}

#[test]
fn the_same_instance_comes_back_and_keeps_its_calls() {
    both(|mut world| {
        let first = world.relay(hello("home", "one", state(3, &["m"])));
        let (kept, forgotten) = (world.placed(1, first), world.placed(2, first));
        let back = Hello { takeover: false, calls: vec![call(1), call(9)], ..hello("home", "one", state(3, &["m"])) };
        let second = world.relay(back);
        assert_eq!(world.closed(first), Some(4409));
        assert_eq!(world.kinds(kept), words("Away Back"));
        assert_eq!(world.failed(forgotten), Some(FailCode::Lost));
        world.say(kept, resume(1, "home"));
        assert!(world.read(second).starts_with("Resume(0000000000000001"));
        assert_eq!(world.in_flight("home"), 1);
        assert_eq!(world.rows["home"].failed, 1);
    });
}

#[test]
fn links_and_those_without_a_name_are_few() {
    both(|mut world| {
        for n in 0..16 {
            world.relay(hello(&format!("r{n}"), "one", state(1, &[])));
        }
        let more = world.link();
        world.say(more, Frame::Hello(hello("r16", "one", state(1, &[]))));
        assert_eq!(world.closed(more), Some(1013));
        assert_eq!(world.lines().last().unwrap(), "relay r16 was refused: too many");
        world.relay(hello("r3", "two", state(1, &[])));
        let unnamed: Vec<ConnId> = (0..9).map(|_| world.link()).collect();
        assert_eq!(unnamed.iter().filter_map(|&link| world.closed(link)).collect::<Vec<_>>(), [1013]);
        assert_eq!(world.closed(unnamed[0]), Some(1013), "the oldest goes");
    });
}

#[test]
fn nothing_comes_before_hello_and_hello_comes_once() {
    both(|mut world| {
        for frame in [Frame::State(state(1, &[])), data(1, 0, b"x"), end(1), cancel(1, false)] {
            let link = world.link();
            world.say(link, frame);
            assert_eq!(world.closed(link), Some(4400));
        }
        let link = world.link();
        world.say_bytes(link, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
        assert_eq!(world.closed(link), None, "a kind of later versions is ignored");
        let home = world.home();
        world.say_bytes(home, &[0xff, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(world.closed(home), None);
        world.lines();
        world.say(home, Frame::Hello(hello("home", "one", state(1, &[]))));
        assert_eq!(world.closed(home), Some(4400));
        assert_eq!(world.lines(), ["relay home broke the protocol: a frame out of place"]);
    });
}

#[test]
fn what_cannot_be_read_closes_the_link() {
    both(|mut world| {
        let mut long = data(1, 0, &[]).bytes();
        long.resize(256 * 1024 + 1, 0);
        let spoilt: [&[u8]; 8] = [
            b"",
            b"\x12",
            b"\x55\0\0\0\0\0\0\0\x01",
            b"\x03\0\0\0\0\0\0\0\0not json",
            b"\x03\0\0\0\0\0\0\0\x01{}",
            b"\x12\0\0\0\0\0\0\0\x01\0\0",
            b"\x13\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0X",
            &long,
        ];
        for (n, bytes) in spoilt.into_iter().enumerate() {
            let home = world.home();
            world.lines();
            world.say_bytes(home, bytes);
            assert_eq!(world.closed(home), Some(4400), "{n}");
            assert!(world.lines()[0].starts_with("relay home broke the protocol: a frame "));
        }
        let home = world.home();
        world.text(home);
        assert_eq!(world.closed(home), Some(4400));
        let caller = world.caller();
        world.text(caller);
        assert_eq!(world.closed(caller), Some(4400));
    });
}

#[test]
fn what_is_not_a_relays_to_say_closes_its_link() {
    let placed = || Frame::Placed(call(1), Placed { relay: "home".into() });
    for frame in [
        Frame::Open(call(1), chat("m")),
        placed(),
        cancel(1, false),
        resume(1, "home"),
        Frame::Away(call(1)),
        Frame::Back(call(1)),
        Frame::Welcome(super::super::super::Welcome { version: 1, software: String::new() }),
    ] {
        both(|mut world| {
            let home = world.home();
            let caller = world.placed(1, home);
            world.say_bytes(home, &frame.bytes());
            assert_eq!(world.closed(home), Some(4400), "{frame:?}");
            assert_eq!(world.kinds(caller), words("Away"), "its calls may be resumed");
        });
    }
}

#[test]
fn a_relay_reaches_no_call_but_its_own() {
    for frame in
        [data(1, 0, b"x"), end(1), Frame::Fail(call(1), Fail { code: FailCode::Broken, message: String::new() })]
    {
        both(|mut world| {
            let home = world.home();
            let caller = world.placed(1, home);
            let other = world.relay(hello("other", "one", state(1, &["n"])));
            world.say_bytes(other, &frame.bytes());
            assert_eq!(world.closed(other), Some(4400));
            assert_eq!((world.kinds(caller), world.closed(home)), (words(""), None));
            assert_eq!(
                world.lines().last().unwrap(),
                "relay other broke the protocol: a frame of another relay's call"
            );
            // A call that nobody has: it may have been cancelled a moment ago.
            world.say_bytes(home, &data(77, 0, b"x").bytes());
            assert_eq!(world.closed(home), None);
        });
    }
}

#[test]
fn a_rotated_token_closes_the_links_that_came_with_the_old_one() {
    for token in [Some("another"), None] {
        let mut world = World::new(false);
        let home = world.home();
        let caller = world.placed(1, home);
        world.sleep(Some(TOKEN));
        assert_eq!(world.closed(home), None);
        world.lines();
        world.sleep(token);
        assert_eq!(world.closed(home), Some(4401));
        assert_eq!(world.lines(), ["relay home came with a token that is no longer valid"]);
        assert_eq!(world.failed(caller), Some(FailCode::Lost));
        assert!(!world.view().relays[0].connected);
    }
}

#[test]
fn a_hub_that_lost_its_sockets_knows_that_nobody_is_connected() {
    let mut world = World::new(false);
    world.home();
    world.sockets.clear();
    world.now += 5_000;
    world.sleep(Some(TOKEN));
    let relay = world.view().relays.remove(0);
    assert_eq!((relay.connected, relay.since, relay.models.len()), (false, world.now, 1));
    let asks = world.open(1, chat("m"));
    assert_eq!(world.kinds(asks), words("Wait"), "it will be back in a moment");
    world.home();
    assert_eq!(world.kinds(asks), words("Placed"));
}
