//! The log over real SQLite: kept, bounded, clean, found.

use super::*;

fn event(text: &str) -> Event {
    Event { at: T0, level: Level::Error, what: "model_call".into(), text: text.into() }
}

fn texts(world: &World, query: EventQuery) -> Vec<String> {
    world.dir.events(&query).unwrap().into_iter().map(|line| line.text).collect()
}

#[test]
fn the_newest_two_thousand_are_kept() {
    let world = World::owned();
    for n in 0..60 {
        let batch: Vec<Event> = (0..50).map(|m| event(&format!("line {n} {m}"))).collect();
        world.dir.note_events("main:1", &batch, T0).unwrap();
    }
    let rows = world.dir.sql.run("SELECT count(*), max(id) FROM event", &[]).unwrap();
    assert_eq!((rows[0].int(0).unwrap(), rows[0].int(1).unwrap()), (2_000, 3_000));
    let newest = world.dir.events(&EventQuery { limit: Some(2), ..EventQuery::default() }).unwrap();
    assert_eq!(newest.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["line 59 49", "line 59 48"]);
}

#[test]
fn no_secret_is_stored_whoever_brings_it() {
    let world = World::owned();
    let key = "sk-proj-abcdef1234567890";
    let token = "123456789:AAFm2-abcdefghijklmnopqrstuvwxyz012";
    let dirty = Event {
        at: T0,
        level: Level::Error,
        what: format!("model {key}"),
        text: format!(
            "bad key {key}\nat https://api.telegram.org/bot{token}/getMe?x={key} Bearer abc cfast_0123456789ab"
        ),
    };
    world.dir.note_events("main:1", &[dirty], T0).unwrap();
    world.dir.note(Level::Warning, "telegram", &format!("token {token}"), T0).unwrap();
    let all = serde_json::to_string(&world.dir.events(&EventQuery::default()).unwrap()).unwrap();
    let live = serde_json::to_string(&world.dir.take_fresh()).unwrap();
    for text in [&all, &live] {
        assert!(text.contains("bad key […]"), "{text}");
        for secret in ["sk-proj", "AAFm2", "abc ", "cfast_", "\\n"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn lines_are_short_and_floods_are_cut() {
    let world = World::owned();
    let batch: Vec<Event> = (0..80).map(|n| event(&format!("{n} {}", "я ".repeat(9_000)))).collect();
    world.dir.note_events(&"s".repeat(5_000), &batch, T0).unwrap();
    let lines = world.dir.events(&EventQuery { limit: Some(500), ..EventQuery::default() }).unwrap();
    assert_eq!(lines.len(), 50);
    assert!(lines.iter().all(|line| line.text.chars().count() == 500 && line.session.len() <= 130));
    for n in 0..120 {
        world.dir.note(Level::Info, "x", &n.to_string(), T0).unwrap();
    }
    assert_eq!(world.dir.take_fresh().len(), 100, "whoever watches gets the newest");
    assert!(world.dir.take_fresh().is_empty());
}

#[test]
fn a_request_that_comes_again_is_not_told_again() {
    let world = World::owned();
    let ask = ModelAsk { session: "main:1".into(), events: vec![event("one"), event("two")], ..ModelAsk::default() };
    let caps = Caps { day_nano_usd: 1, month_nano_usd: 1, person_day_nano_usd: None };
    for _ in 0..2 {
        world.dir.model_call(&ask, &caps, &world.cfg(), T0).unwrap();
    }
    assert_eq!(texts(&world, EventQuery::default()), ["two", "one"]);
    world.dir.note_events("main:2", &[event("one")], T0).unwrap();
    assert_eq!(texts(&world, EventQuery::default()).len(), 3, "another conversation may say the same");
}

#[test]
fn they_are_found_by_level_word_conversation_text_and_age() {
    let world = World::owned();
    for (level, what, session, text) in [
        (Level::Info, "alert", "", "All is well"),
        (Level::Warning, "telegram", "main:1", "100% of 'it' \\ refused"),
        (Level::Error, "model_call", "main:1:7", "Quota used up"),
        (Level::Error, "store", "main:12", "disk full"),
    ] {
        world.dir.note_events(session, &[Event { at: T0, level, what: what.into(), text: text.into() }], T0).unwrap();
    }
    let find = |query: EventQuery| texts(&world, query).len();
    let all = EventQuery::default;
    assert_eq!(find(EventQuery { level: Some(Level::Warning), ..all() }), 3);
    assert_eq!(find(EventQuery { level: Some(Level::Error), ..all() }), 2);
    assert_eq!(find(EventQuery { what: Some("store".into()), ..all() }), 1);
    assert_eq!(find(EventQuery { session: Some("main:1".into()), ..all() }), 2, "with its topic, without main:12");
    assert_eq!(find(EventQuery { text: Some("quota".into()), ..all() }), 1);
    assert_eq!(find(EventQuery { text: Some("0% of 'it' \\".into()), ..all() }), 1, "taken by the letter");
    assert_eq!(find(EventQuery { text: Some("%".into()), what: Some(" ".into()), ..all() }), 1);
    let newest = world.dir.events(&EventQuery { limit: Some(2), ..all() }).unwrap();
    assert_eq!(texts(&world, EventQuery { before: Some(newest[1].id), ..all() }).len(), 2);
    assert_eq!(texts(&world, EventQuery { after: Some(newest[1].id), ..all() }), ["disk full"]);
    assert_eq!(world.dir.event_words().unwrap(), ["alert", "model_call", "store", "telegram"]);
}

#[test]
fn the_clock_of_whoever_tells_is_not_trusted() {
    let world = World::owned();
    for at in [-5, 0, T0 + DAY] {
        world.dir.note_events(&at.to_string(), &[Event { at, ..event("x") }], T0).unwrap();
    }
    assert!(world.dir.events(&EventQuery::default()).unwrap().iter().all(|line| line.at == T0));
}

#[test]
fn decisions_are_found_by_who_and_what() {
    let world = World::owned();
    let ann = Actor::Admin("Ann@example.com".into());
    for (actor, policy) in [(&ann, DmPolicy::Open), (&Actor::System, DmPolicy::Disabled), (&ann, DmPolicy::Pairing)] {
        world.dir.set_dm_policy(policy, actor, T0).unwrap();
    }
    let find = |query: AuditQuery| world.dir.audit_search(&query).unwrap();
    let all = AuditQuery::default;
    assert_eq!(find(all()).len(), 3);
    let by_ann = find(AuditQuery { who: Some("ann@".into()), ..all() });
    assert_eq!(by_ann.iter().map(|entry| entry.subject.as_str()).collect::<Vec<_>>(), ["pairing", "open"]);
    assert_eq!(find(AuditQuery { before: Some(by_ann[0].id), limit: Some(1), ..all() })[0].subject, "disabled");
    assert!(find(AuditQuery { what: Some("approve".into()), ..all() }).is_empty());
    assert_eq!(world.dir.audit_words().unwrap(), ["dm_policy"]);
}
