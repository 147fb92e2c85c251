//! Links and sockets that break in the middle of calls.

use super::*;

#[test]
fn a_relay_that_comes_back_goes_on_with_its_calls() {
    both(|mut world| {
        let home = world.relay(hello("home", "one", state(2, &["m"])));
        let (kept, forgotten) = (world.placed(1, home), world.placed(2, home));
        world.close(home, 1006);
        assert_eq!((world.kinds(kept), world.kinds(forgotten)), (words("Away"), words("Away")));
        // Under way when the link broke: it comes again after RESUME.
        world.say(kept, data(1, 0, b"x"));
        world.say(kept, resume(1, "home"));
        assert_eq!(world.kinds(kept), words("Away"));
        let back = world.relay(Hello { calls: vec![call(1)], ..hello("home", "one", state(2, &["m"])) });
        assert_eq!((world.kinds(kept), world.failed(forgotten)), (words("Back"), Some(FailCode::Lost)));
        world.say(kept, resume(1, "home"));
        world.say(back, Frame::Resumed(call(1), super::super::super::Resumed { received: 0, limit: 9 }));
        world.say(back, end(1));
        assert_eq!((world.kinds(back), world.kinds(kept)), (words("Resume"), words("Resumed End")));
        assert_eq!((world.rows["home"].calls, world.rows["home"].failed, world.in_flight("home")), (1, 1, 0));
    });
}

#[test]
fn another_instance_does_not_have_the_calls() {
    both(|mut world| {
        let home = world.home();
        let caller = world.placed(1, home);
        world.close(home, 1006);
        world.relay(Hello { calls: vec![call(1)], ..hello("home", "two", state(1, &["m"])) });
        assert_eq!(world.failed(caller), Some(FailCode::Lost));
        assert_eq!(world.in_flight("home"), 0);
    });
}

#[test]
fn a_call_that_is_given_up_since_its_relay_is_gone_counts_as_failed() {
    both(|mut world| {
        let home = world.home();
        let caller = world.placed(1, home);
        world.say(caller, cancel(1, false));
        assert_eq!(world.kinds(home), words("Cancel"));
        assert_eq!(world.rows["home"].failed, 0, "a person who stops an answer is no failure");
        let caller = world.placed(2, home);
        world.close(home, 1006);
        world.say(caller, cancel(2, false));
        assert_eq!((world.rows["home"].failed, world.in_flight("home")), (1, 0));
    });
}

#[test]
fn a_relay_that_stops_for_good_takes_its_calls_along() {
    both(|mut world| {
        let home = world.home();
        let caller = world.placed(1, home);
        world.lines();
        world.say(home, Frame::State(State { draining: true, ..state(1, &["m"]) }));
        assert_eq!(world.kinds(caller), words(""), "what runs goes on");
        world.close(home, 1000);
        assert_eq!(world.failed(caller), Some(FailCode::Lost));
        assert_eq!(world.lines(), ["relay home stopped"]);
    });
}

#[test]
fn a_hub_that_was_gone_finds_relay_and_caller_in_either_order() {
    both(|mut world| {
        // The caller first.
        let caller = world.caller();
        world.say(caller, resume(1, "home"));
        assert_eq!(world.kinds(caller), words("Away"));
        let home = world.relay(Hello { calls: vec![call(1), call(2)], ..hello("home", "one", state(2, &["m"])) });
        assert_eq!(world.kinds(caller), words("Back"));
        world.say(caller, resume(1, "home"));
        assert_eq!(world.kinds(home), words("Resume"));
        // The relay first.
        let other = world.caller();
        world.say(other, resume(2, "home"));
        assert_eq!((world.kinds(home), world.kinds(other)), (words("Resume"), words("")));
        assert_eq!(world.in_flight("home"), 2, "their slots are taken");
        world.say(home, end(1));
        world.say(home, end(2));
        assert_eq!((world.kinds(caller), world.kinds(other), world.in_flight("home")), (words("End"), words("End"), 0));
        // A call the relay does not have.
        let lost = world.caller();
        world.say(lost, resume(3, "elsewhere"));
        world.relay(hello("elsewhere", "one", state(1, &[])));
        assert_eq!(world.failed(lost), Some(FailCode::Lost));
        let odd = world.caller();
        world.say(odd, resume(4, "No One"));
        assert_eq!(world.failed(odd), Some(FailCode::NoRelay));
    });
}

#[test]
fn a_caller_that_is_gone_is_told_to_the_relay() {
    both(|mut world| {
        let home = world.home();
        let caller = world.placed(1, home);
        let next = world.open(2, chat("m"));
        world.close(caller, 1006);
        assert_eq!(world.kinds(home), words("Cancel Open"));
        assert_eq!(world.kinds(next), words("Wait Placed"));
        assert_eq!((world.in_flight("home"), world.rows["home"].failed), (1, 0));
    });
}

#[test]
fn a_caller_goes_on_with_its_call_on_another_socket() {
    both(|mut world| {
        let home = world.home();
        let before = world.placed(1, home);
        let after = world.caller();
        world.say(after, resume(1, "home"));
        assert_eq!((world.closed(before), world.kinds(home)), (Some(1000), words("Resume")));
        world.close(before, 1006);
        world.say(home, data(1, 0, b"x"));
        assert_eq!((world.kinds(after), world.kinds(home), world.in_flight("home")), (words("Data"), words(""), 1));
        // It never heard that it was placed, and asks anew.
        let anew = world.open(1, chat("m"));
        assert_eq!(
            (world.closed(after), world.kinds(home), world.kinds(anew)),
            (Some(1000), words("Cancel Open"), words("Placed"))
        );
        assert_eq!(world.in_flight("home"), 1);
    });
}

#[test]
fn a_link_that_is_silent_is_closed_when_a_caller_misses_something() {
    let mut world = World::new(false);
    let home = world.relay(hello("home", "one", state(2, &["m"])));
    let (caller, other) = (world.placed(1, home), world.placed(2, home));
    world.say(caller, cancel(1, false));
    assert_eq!((world.kinds(home), world.closed(home)), (words("Cancel"), None));
    world.now += 14_000;
    let third = world.placed(3, home);
    world.say(third, cancel(3, true));
    assert_eq!(world.closed(home), None, "it was heard 14 s ago");
    world.kinds(home);
    world.lines();
    world.now += 1_000;
    world.say(other, cancel(2, true));
    assert_eq!(
        (world.closed(home), world.lines()),
        (Some(4408), words("").into_iter().chain(["relay home was silent, its link was closed".to_owned()]).collect())
    );
    assert!(!world.view().relays[0].connected);
    world.now += 5_000;
    let late = world.open(4, chat("m"));
    assert_eq!(world.failed(late), Some(FailCode::NoRelay), "it was not heard for 20 s: nobody waits for it again");
    // After a sleep nothing was heard of it at all, and a sleep takes 10 s of silence.
    let mut world = World::new(false);
    let home = world.home();
    let caller = world.placed(1, home);
    world.sleep(Some(TOKEN));
    world.say(caller, cancel(1, true));
    assert_eq!(world.closed(home), Some(4408));
}

#[test]
fn a_relay_that_is_gone_for_a_moment_is_waited_for() {
    both(|mut world| {
        let home = world.home();
        world.placed(1, home);
        let waits = world.open(2, chat("m"));
        world.close(home, 1006);
        let asks = world.open(3, Open { relay: Some("home".into()), ..chat("m") });
        let light = world.open(4, Open { method: "GET".into(), path: "/api/ps".into(), length: 0, ..chat("") });
        let (other, model) =
            (world.open(5, Open { relay: Some("other".into()), ..chat("m") }), world.open(6, chat("n")));
        assert_eq!((world.failed(other), world.failed(model)), (Some(FailCode::NoRelay), Some(FailCode::NoRelay)));
        for _ in 0..3 {
            world.tick(5_000);
        }
        assert_eq!(
            (world.kinds(waits), world.kinds(asks)),
            (words("Wait Wait Wait Wait"), words("Wait Wait Wait Wait"))
        );
        let home = world.relay(hello("home", "one", state(1, &["m"])));
        assert_eq!((world.kinds(home), world.kinds(waits)), (words("Open Open"), words("Placed")));
        assert!(world.kinds(light).ends_with(&words("Placed")));
        world.close(home, 1006);
        for _ in 0..4 {
            world.tick(5_000);
        }
        assert_eq!((world.failed(asks), world.view().queued), (Some(FailCode::NoRelay), 0));
        let late = world.open(7, chat("m"));
        assert_eq!(world.failed(late), Some(FailCode::NoRelay));
    });
}

#[test]
fn a_relay_that_stopped_is_not_waited_for() {
    both(|mut world| {
        let home = world.home();
        world.placed(1, home);
        let waits = world.open(2, chat("m"));
        world.say(home, Frame::State(State { draining: true, ..state(1, &["m"]) }));
        world.close(home, 1000);
        let asks = world.open(3, chat("m"));
        assert_eq!(world.failed(asks), Some(FailCode::NoRelay));
        world.tick(5_000);
        assert_eq!(world.failed(waits), Some(FailCode::NoRelay));
    });
}

#[test]
fn calls_a_relay_still_has_keep_their_slots_until_their_callers_come() {
    let mut world = World::new(false);
    let home = world.relay(Hello { calls: vec![call(1), call(2)], ..hello("home", "one", state(2, &["m"])) });
    let asks = world.open(3, chat("m"));
    assert_eq!(world.kinds(asks), words("Wait"));
    let comes = world.caller();
    world.say(comes, resume(1, "home"));
    world.say(home, end(1));
    assert_eq!((world.kinds(asks), world.kinds(home)), (words("Placed"), words("Resume Open")));
    // Nobody comes for the other: the relay drops it by then.
    let late = world.open(4, chat("m"));
    for _ in 0..4 {
        world.tick(5_000);
    }
    assert_eq!(world.kinds(late), words("Wait Wait Wait Wait Placed"));
}
