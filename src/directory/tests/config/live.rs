//! What a saved document changes at once: caps, the policy for private messages; and what one does that cannot be read.

use super::*;
use crate::llm::ModelRef;

/// Asks leave for a call that may cost so many dollars.
fn leave(world: &World, step: i64, usd: f64) -> Reserved {
    let model: ModelRef = "ollama/x".parse().unwrap();
    let candidates = vec![Candidate { model, estimate_nano_usd: (usd * 1e9) as u64 }];
    let reserve = Some(Reserve { step, person: Some(ANN), candidates });
    let ask = ModelAsk { session: "main:55".into(), reserve, ..ModelAsk::default() };
    world.dir.model_call(&ask, &CAPS, &world.cfg(), world.now()).unwrap().reserved.unwrap()
}

fn is_granted(reserved: &Reserved) -> bool {
    matches!(reserved, Reserved::Granted { .. })
}

#[test]
fn caps_hold_at_the_next_call() {
    let world = World::owned();
    assert!(is_granted(&leave(&world, 1, 0.5)));
    world.save(&ann(), 0, &json!({"budget": {"day_usd": 0.6}})).unwrap();
    assert!(matches!(leave(&world, 2, 0.2), Reserved::Capped { cap: Cap::Day, .. }));
    world.save(&ann(), 1, &json!({"budget": {"day_usd": 0.6, "month_usd": 0.1}})).unwrap();
    assert!(matches!(leave(&world, 2, 0.05), Reserved::Capped { cap: Cap::Month, .. }));
    world.save(&ann(), 2, &json!({"budget": {"day_usd": 5, "person_day_usd": 0.55}})).unwrap();
    assert!(matches!(leave(&world, 2, 0.2), Reserved::Capped { cap: Cap::Person, .. }));
    world.rollback(&ann(), 3, 0).unwrap();
    assert!(is_granted(&leave(&world, 2, 0.2)));
    assert!(matches!(leave(&world, 3, 0.4), Reserved::Capped { cap: Cap::Day, .. }));
    world.save(&ann(), 4, &json!({"budget": {"day_usd": 0}})).unwrap();
    assert!(matches!(leave(&world, 3, 0.000001), Reserved::Capped { cap: Cap::Day, .. }));
}

#[test]
fn what_is_shown_of_caps_is_what_holds() {
    let world = World::owned();
    world.save(&ann(), 0, &json!({"budget": {"month_usd": 33.333333, "person_day_usd": 0.1}})).unwrap();
    let ask = UsageAsk { person: Some(OWNER), owner: true };
    let caps = world.dir.usage(&ask, &CAPS, &world.cfg(), T0).unwrap().caps.unwrap();
    let expected =
        Caps { day_nano_usd: 1_000_000_000, month_nano_usd: 33_333_333_000, person_day_nano_usd: Some(100_000_000) };
    assert_eq!(caps, expected);
    assert_eq!(world.dir.caps(&caps).unwrap(), expected);
}

#[test]
fn the_policy_holds_at_the_next_knock() {
    let world = World::owned();
    world.dir.approve("main", ANN, &ann(), &world.cfg(), T0).unwrap();
    world.dir.set_dm_policy(DmPolicy::Open, &ann(), T0).unwrap();
    assert_eq!(admitted(&world.say(77, "hi")).good_for_ms, MINUTE);
    world.save(&ann(), 0, &json!({"access": {"private": "allowlist"}})).unwrap();
    assert_eq!(refused(&world.say(78, "hi")), Reason::NotAllowed);
    admitted(&world.say(ANN, "hi"));
    // The setting is only the base.
    world.dir.set_dm_policy(DmPolicy::Disabled, &ann(), T0).unwrap();
    admitted(&world.say(ANN, "hi"));
    world.dir.set_dm_policy(DmPolicy::Open, &ann(), T0).unwrap();
    world.rollback(&ann(), 1, 0).unwrap();
    admitted(&world.say(78, "hi"));
}

#[test]
fn turning_private_messages_off_closes_open_conversations() {
    let world = World::owned();
    world.dir.approve("main", ANN, &ann(), &world.cfg(), T0).unwrap();
    world.dir.note_session("main", "main:55", T0).unwrap();
    world.save(&ann(), 0, &json!({"access": {"private": "allowlist"}})).unwrap();
    assert_eq!(world.dir.next_push().unwrap(), None);
    world.save(&ann(), 1, &json!({"access": {"private": "disabled"}})).unwrap();
    let push = world.dir.next_push().unwrap().unwrap();
    assert_eq!((push.session.as_str(), push.change.access), ("main:55", Access::Closed));
    world.dir.pushed(push.id).unwrap();
    assert_eq!(refused(&world.say(ANN, "hi")), Reason::DmDisabled);
    // Already off: nothing more to close.
    world.save(&ann(), 2, &json!({"access": {"private": "disabled"}, "budget": {"day_usd": 2}})).unwrap();
    assert_eq!(world.dir.next_push().unwrap(), None);
    // A rollback does the same.
    world.rollback(&ann(), 3, 1).unwrap();
    admitted(&world.say(ANN, "hi"));
    world.rollback(&ann(), 4, 2).unwrap();
    assert_eq!(world.dir.next_push().unwrap().unwrap().session, "main:55");
}

#[test]
fn a_document_this_release_cannot_read_leaves_the_environment_live_and_is_told() {
    let world = World::owned();
    world.save(&ann(), 0, &json!({"budget": {"day_usd": 5}, "access": {"private": "open"}})).unwrap();
    assert_eq!(world.dir.live().unwrap().unwrap().0, 1);
    for stored in [r#"{"budget":{"day_usd":5},"moods":{}}"#, r#"{"access":{"private":"friends"}}"#, "{", ""] {
        world.dir.sql.run("DELETE FROM config_version WHERE id > 1", &[]).unwrap();
        let insert = "INSERT INTO config_version (at, who, document, note, parent) VALUES (9, 'admin:x', ?1, '', 1)";
        world.dir.sql.run(insert, &[stored.into()]).unwrap();
        assert_eq!(world.dir.live().unwrap(), None, "{stored}");
        assert_eq!(world.dir.caps(&CAPS).unwrap(), CAPS);
        assert_eq!(world.dir.dm_policy().unwrap(), DmPolicy::Pairing);
        let (version, trouble) = world.dir.config_trouble().unwrap().unwrap();
        assert!(version > 1 && !trouble.is_empty());
        let view = world.live();
        assert_eq!((view.version, view.trouble), (version, trouble));
        assert!(world.history()[0].version.version == version);
    }
    // It can be replaced, or rolled back.
    let version = world.live().version;
    world.rollback(&ann(), version, 1).unwrap();
    assert_eq!(world.dir.dm_policy().unwrap(), DmPolicy::Open);
    assert_eq!(world.dir.config_trouble().unwrap(), None);
}

#[test]
fn a_restored_table_holds_at_once() {
    let world = World::owned();
    world.save(&ann(), 0, &json!({"budget": {"day_usd": 5}})).unwrap();
    assert_eq!(world.dir.caps(&CAPS).unwrap().day_nano_usd, 5_000_000_000);
    world.dir.sql.run("DELETE FROM config_version", &[]).unwrap();
    assert_eq!(world.dir.live().unwrap(), None);
    let insert = "INSERT INTO config_version (id, at, who, document, note, parent) VALUES (1, 3, 'admin:x', ?1, '', 0)";
    world.dir.sql.run(insert, &[r#"{"budget":{"day_usd":7}}"#.into()]).unwrap();
    assert_eq!(world.dir.caps(&CAPS).unwrap().day_nano_usd, 7_000_000_000);
}
