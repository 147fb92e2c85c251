//! Caps hold before the call, and owners hear of them once.

use super::*;

fn capped(cap: Cap, until: i64) -> Reserved {
    Reserved::Capped { cap, until }
}

/// Midnights after [`T0`], 2026-11-18.
const NOV_19: i64 = 20_776 * DAY;
const DEC_1: i64 = 20_788 * DAY;

#[test]
fn what_is_spent_and_what_is_open_count_against_the_day() {
    let world = World::owned();
    assert_eq!(granted(&world.reserve(1, &[(GPT, USD / 2)], &CAPS)), 0);
    assert_eq!(granted(&world.reserve(2, &[(GPT, USD / 2)], &CAPS)), 0);
    assert_eq!(world.reserve(3, &[(GPT, 1)], &CAPS), capped(Cap::Day, NOV_19));
    // It cost less than feared: the rest is free again.
    world.tell(world.report(1, GPT, USD / 10));
    assert_eq!(granted(&world.reserve(3, &[(GPT, USD * 4 / 10)], &CAPS)), 0);
    assert_eq!(world.reserve(4, &[(GPT, 1)], &CAPS), capped(Cap::Day, NOV_19));
}

#[test]
fn a_turn_taken_up_again_replaces_its_reservation() {
    let world = World::owned();
    for _ in 0..3 {
        assert_eq!(granted(&world.reserve(1, &[(GPT, USD)], &CAPS)), 0);
    }
    assert_eq!(world.rows("model_call"), 1);
    let elsewhere = ModelAsk {
        session: "main:56".into(),
        reports: vec![],
        reserve: Some(Reserve { step: 1, person: None, candidates: candidates(&[(GPT, 1)]) }),
        ..ModelAsk::default()
    };
    let answer = world.dir.model_call(&elsewhere, &CAPS, &world.cfg(), world.now()).unwrap();
    assert_eq!(answer.reserved, Some(capped(Cap::Day, NOV_19)));
}

#[test]
fn the_month_goes_before_the_day_and_both_roll_over() {
    let world = World::owned();
    let caps = Caps { month_nano_usd: USD * 3 / 2, ..CAPS };
    world.tell(world.report(1, GPT, USD));
    assert_eq!(world.reserve(2, &[(GPT, 1)], &caps), capped(Cap::Day, NOV_19));
    world.now.set(NOV_19);
    assert_eq!(granted(&world.reserve(2, &[(GPT, USD / 2)], &caps)), 0);
    world.tell(world.report(2, GPT, USD / 2));
    assert_eq!(world.reserve(3, &[(GPT, 1)], &caps), capped(Cap::Month, DEC_1));
    world.now.set(DEC_1 - 1);
    assert_eq!(world.reserve(3, &[(GPT, 1)], &caps), capped(Cap::Month, DEC_1));
    world.now.set(DEC_1);
    assert_eq!(granted(&world.reserve(3, &[(GPT, USD)], &caps)), 0);
}

#[test]
fn a_cap_of_ones_own_goes_before_the_general_one_with_every_bot() {
    let world = World::owned();
    let admin = Actor::Admin("o@example.org".into());
    let set = |user, cap| world.dir.set_own_cap(user, cap, &admin, world.now()).unwrap();
    let ask = |person, caps: &Caps| {
        let reserve = Reserve { step: 1, person: Some(person), candidates: candidates(&[(GPT, USD / 10)]) };
        matches!(world.ask(vec![], Some(reserve), caps), Some(Reserved::Capped { cap: Cap::Person, .. }))
    };
    let general = Caps { person_day_nano_usd: Some(USD / 100), ..CAPS };
    assert!(set(ANN, Some(USD / 2)) && !set(ANN, Some(USD / 2)));
    assert_eq!((ask(ANN, &general), ask(56, &general)), (false, true), "a larger one");
    set(ANN, Some(USD / 20));
    assert_eq!((ask(ANN, &CAPS), ask(56, &CAPS)), (true, false), "a cap where there is no general one");
    set(OWNER, Some(0));
    assert!(!ask(OWNER, &general), "owners are held to none");
    set(ANN, Some(0));
    assert!(ask(ANN, &CAPS), "zero is a cap");
    let shown = |caps: &Caps| {
        let usage = UsageAsk { person: Some(ANN), owner: false };
        world.dir.usage(&usage, caps, &world.cfg(), world.now()).unwrap()
    };
    set(ANN, Some(USD / 4));
    assert_eq!(shown(&general).person_cap_nano_usd, Some(USD / 4));
    assert!(shown(&general).text(crate::text::Lang::En, world.now()).contains("$0 of $0.25"));
    set(ANN, None);
    assert_eq!((shown(&general).person_cap_nano_usd, shown(&CAPS).person_cap_nano_usd), (Some(USD / 100), None));
    assert!(ask(ANN, &general));
}

#[test]
fn each_person_has_their_own_day_and_owners_have_none() {
    let world = World::owned();
    let caps = Caps { person_day_nano_usd: Some(USD / 10), ..CAPS };
    world.tell(world.report(1, GPT, USD / 10));
    assert_eq!(world.reserve(2, &[(GPT, 1)], &caps), capped(Cap::Person, NOV_19));
    for person in [Some(OWNER), Some(56), None] {
        let reserve = Reserve { step: 2, person, candidates: candidates(&[(GPT, USD / 10)]) };
        assert_eq!(granted(&world.ask(vec![], Some(reserve), &caps).unwrap()), 0, "{person:?}");
    }
    world.now.set(NOV_19);
    assert_eq!(granted(&world.reserve(2, &[(GPT, USD / 10)], &caps)), 0);
    assert_eq!(world.reserve(3, &[(GPT, 1)], &caps), capped(Cap::Person, NOV_19 + DAY));
}

#[test]
fn zero_caps_refuse_whatever_costs_and_nothing_else() {
    let world = World::owned();
    let caps = Caps { day_nano_usd: 0, month_nano_usd: 0, person_day_nano_usd: Some(0) };
    assert_eq!(world.reserve(1, &[(GPT, 1)], &caps), capped(Cap::Month, DEC_1));
    assert_eq!(granted(&world.reserve(1, &[(GPT, 1), ("relay/qwen3:8b", 0)], &caps)), 1);
    assert!(world.deliver().is_empty(), "a cap of zero is no news");
    // Also once something was spent.
    world.ask(vec![world.report(1, GPT, USD)], None, &caps);
    assert_eq!(granted(&world.reserve(2, &[("relay/qwen3:8b", 0)], &caps)), 0);
    assert_eq!(world.reserve(3, &[(GPT, u64::MAX)], &CAPS), capped(Cap::Month, DEC_1));
}

#[test]
fn a_cheaper_candidate_is_granted_where_a_dear_one_would_pass_the_cap() {
    let world = World::owned();
    world.tell(world.report(1, GPT, USD * 9 / 10));
    assert_eq!(granted(&world.reserve(2, &[(FLASH, USD / 2), (GLM, USD / 3), (GPT, USD / 10)], &CAPS)), 2);
    let caps = Caps { month_nano_usd: USD + USD / 4, ..CAPS };
    // All too dear: the cap that holds back the cheapest is named.
    assert_eq!(world.reserve(3, &[(FLASH, USD / 2), (GLM, USD / 5)], &caps), capped(Cap::Day, NOV_19));
}

#[test]
fn owners_hear_of_each_threshold_once() {
    let world = World { owners: vec![OWNER, 2], ..World::unowned() };
    let mut step = 0;
    let mut spend = |nano| {
        step += 1;
        world.tell(world.report(step, GPT, nano));
        let told = world.deliver();
        assert!(told.iter().all(|notice| notice.bot == "main" && notice.method == "sendMessage"));
        told.iter().map(|notice| (to(notice), text(notice).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(spend(USD * 49 / 100), []);
    let half = "💸 Today's model budget: 50 % is spent, $0.50 of $1.00.".to_owned();
    assert_eq!(spend(USD / 100), [(OWNER, half.clone()), (2, half)]);
    assert_eq!(spend(USD / 100), []);
    // Two at once: only the higher.
    let told = spend(USD * 6 / 10);
    assert_eq!(told.len(), 2);
    assert!(told[0].1.starts_with("⛔ Today's model budget is used up: $1.11 of $1.00."), "{told:?}");
    assert_eq!(spend(USD), []);
    // The next day counts anew, and the month has thresholds of its own.
    world.now.set(NOV_19);
    let told = spend(USD * 3);
    assert_eq!(told.len(), 4);
    assert!(told[0].1.starts_with("⛔ Today's") && told[2].1.starts_with("💸 This month's"), "{told:?}");
    assert!(told[2].1.contains("50 %"));
    assert_eq!(world.rows("budget_told"), 2);
}

#[test]
fn a_refused_call_is_told_once_and_a_changed_cap_is_news() {
    let world = World::owned();
    world.tell(world.report(1, GPT, USD * 4 / 10));
    for step in 2..5 {
        assert_eq!(world.reserve(step, &[(GPT, USD)], &CAPS), capped(Cap::Day, NOV_19));
    }
    let told = world.deliver();
    assert_eq!(told.len(), 1);
    assert!(text(&told[0]).starts_with("⛔"));
    let raised = Caps { day_nano_usd: 2 * USD, ..CAPS };
    assert_eq!(granted(&world.reserve(5, &[(GPT, USD)], &raised)), 0);
    world.ask(vec![world.report(5, GPT, USD)], None, &raised);
    assert_eq!(world.deliver().len(), 1);
}

#[test]
fn without_owners_nobody_is_told() {
    let world = World::unowned();
    world.tell(world.report(1, GPT, 5 * USD));
    assert!(world.deliver().is_empty());
}

#[test]
fn each_owner_reads_their_own_language() {
    let world = World { owners: vec![OWNER, 2], ..World::unowned() };
    let russian = Sender { language_code: Some("ru".into()), ..sender(2) };
    world.dir.remember("main", &russian, world.now()).unwrap();
    world.tell(world.report(1, GPT, USD / 2));
    let told: Vec<(i64, String)> = world.deliver().iter().map(|notice| (to(notice), text(notice).to_owned())).collect();
    assert_eq!(told.len(), 2);
    assert!(told[0].0 == OWNER && told[0].1.contains("Today's"), "{told:?}");
    assert!(told[1].0 == 2 && told[1].1.contains("На сегодня"), "{told:?}");
}
