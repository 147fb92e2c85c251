//! Versions: compare-and-set, history, rollback, the audit.

use super::*;
use crate::directory::config::versions::KEEP_VERSIONS;

fn day(usd: f64) -> Value {
    json!({ "budget": { "day_usd": usd } })
}

#[test]
fn of_two_saves_on_one_base_one_wins_and_the_other_hears_who() {
    let world = World::owned();
    assert_eq!(world.save(&ann(), 0, &day(1.0)).unwrap(), Saved { version: 1, changed: true });
    assert_eq!(world.save(&ann(), 1, &day(2.0)).unwrap().version, 2);
    let refused = world.save(&bob(), 1, &day(3.0)).unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (409, "conflict"));
    assert!(refused.message.contains("admin:ann@example.org saved version 2 at 20"), "{}", refused.message);
    assert_eq!(world.live().document, day(2.0));
    assert_eq!(world.save(&bob(), 2, &day(3.0)).unwrap().version, 3);
    for base in [0, 2, 4, -1, i64::MAX, i64::MIN] {
        assert_eq!(world.save(&bob(), base, &day(4.0)).unwrap_err().status, 409, "{base}");
    }
    let all: Vec<(i64, Option<Value>)> = (1..=3)
        .map(|version| world.desk::<VersionView>(&ann(), ConfigAsk::Version { version }).unwrap())
        .map(|view| (view.version.version, view.document))
        .collect();
    assert_eq!(all, [(1, Some(day(1.0))), (2, Some(day(2.0))), (3, Some(day(3.0)))]);
}

#[test]
fn a_base_without_any_version_is_a_conflict_too() {
    let refused = World::owned().save(&ann(), 7, &day(1.0)).unwrap_err();
    assert_eq!((refused.status, refused.message.as_str()), (409, "There is no version 7 any more. Nothing was saved."));
}

#[test]
fn the_same_document_makes_no_version() {
    let world = World::owned();
    assert_eq!(world.save(&ann(), 0, &json!({})).unwrap(), Saved { version: 0, changed: false });
    world.save(&ann(), 0, &day(1.0)).unwrap();
    // Written otherwise, and on an old base: the answer to the first request may have got lost.
    for text in [r#"{"models":{},"budget":{"day_usd":1}}"#, "{ \"budget\" : {\"day_usd\":1.000} , \"bindings\":[]}"] {
        let ask = ConfigAsk::Save { base: 0, document: text.into(), note: "again".into() };
        assert_eq!(world.desk::<Saved>(&bob(), ask).unwrap(), Saved { version: 1, changed: false });
    }
    assert_eq!(world.history().len(), 1);
}

#[test]
fn history_says_who_when_why_and_what() {
    let world = World::owned();
    let ask = ConfigAsk::Save { base: 0, document: day(1.0).to_string(), note: " For the holidays ".into() };
    world.desk::<Saved>(&ann(), ask).unwrap();
    world.wait(5_000);
    world.save(&bob(), 1, &json!({"access": {"private": "open"}})).unwrap();
    let history = world.history();
    let expected = Version {
        version: 1,
        at: T0,
        author: "admin:ann@example.org".into(),
        note: "For the holidays".into(),
        parent: 0,
        restores: None,
    };
    assert_eq!(history[1].version, expected);
    assert_eq!((history[0].version.at, history[0].version.author.as_str()), (T0 + 5_000, "admin:bob@example.org"));
    let paths = |view: &VersionView| view.changes.iter().map(|change| change.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&history[0]), ["access.private", "budget.day_usd"]);
    assert_eq!(paths(&history[1]), ["budget.day_usd"]);
    let older: Vec<VersionView> = world.desk(&ann(), ConfigAsk::Versions { before: Some(2), limit: 20 }).unwrap();
    assert_eq!(older.len(), 1);
    let audit: Vec<(String, String)> =
        world.dir.audit_log(None, 10).unwrap().into_iter().map(|entry| (entry.what, entry.subject)).collect();
    assert_eq!(audit, [("config_save".into(), "version 2".into()), ("config_save".into(), "version 1".into())]);
}

#[test]
fn a_rollback_is_a_new_version_with_the_old_document() {
    let world = World::owned();
    world.save(&ann(), 0, &full()).unwrap();
    world.save(&ann(), 1, &day(2.0)).unwrap();
    assert_eq!(world.rollback(&bob(), 1, 1).unwrap_err().status, 409);
    assert_eq!(world.rollback(&bob(), 2, 99).unwrap_err().status, 404);
    assert_eq!(world.rollback(&bob(), 2, -1).unwrap_err().status, 404);
    assert_eq!(world.rollback(&bob(), 2, 1).unwrap(), Saved { version: 3, changed: true });
    let live = world.live();
    assert_eq!((live.version, live.document), (3, full()));
    let saved = live.saved.unwrap();
    assert_eq!((saved.author.as_str(), saved.restores, saved.parent), ("admin:bob@example.org", Some(1), 2));
    let audit = world.dir.audit_log(None, 1).unwrap().remove(0);
    assert_eq!((audit.what.as_str(), audit.subject.as_str()), ("config_rollback", "version 3, as version 1"));
    // To the environment alone.
    assert_eq!(world.rollback(&bob(), 3, 0).unwrap().version, 4);
    assert_eq!(world.live().document, json!({}));
    assert_eq!(world.rollback(&bob(), 4, 0).unwrap(), Saved { version: 4, changed: false });
}

#[test]
fn a_rollback_to_what_this_release_does_not_allow_is_refused() {
    let world = World::owned();
    world.save(&ann(), 0, &day(1.0)).unwrap();
    world.save(&ann(), 1, &day(2.0)).unwrap();
    let newer = r#"{"budget":{"year_usd":5}}"#;
    world.dir.sql.run("UPDATE config_version SET document = ?1 WHERE id = 1", &[newer.into()]).unwrap();
    let refused = world.rollback(&bob(), 2, 1).unwrap_err();
    assert_eq!((refused.status, refused.problems[0].path.as_str()), (400, "budget.year_usd"));
    assert_eq!(world.live().document, day(2.0));
}

#[test]
fn history_is_bounded_and_keeps_the_live_one() {
    let world = World::owned();
    for n in 0..KEEP_VERSIONS + 5 {
        world.save(&ann(), n, &day(n as f64)).unwrap();
    }
    let rows = world.dir.sql.run("SELECT min(id), max(id), count(*) FROM config_version", &[]).unwrap();
    assert_eq!((rows[0].int(0).unwrap(), rows[0].int(1).unwrap(), rows[0].int(2).unwrap()), (6, 205, 200));
    assert_eq!(world.live().version, 205);
    assert_eq!(world.desk::<VersionView>(&ann(), ConfigAsk::Version { version: 5 }).unwrap_err().status, 404);
    let all: Vec<VersionView> = world.desk(&ann(), ConfigAsk::Versions { before: None, limit: 5_000 }).unwrap();
    assert_eq!(all.len(), 20);
}

#[test]
fn a_failed_save_leaves_everything_as_it_was() {
    let world = World::owned();
    world.save(&ann(), 0, &day(1.0)).unwrap();
    world.dir.sql.run("DROP TABLE audit", &[]).unwrap();
    assert_eq!(world.save(&ann(), 1, &day(2.0)).unwrap_err().status, 500);
    assert_eq!(world.dir.caps(&CAPS).unwrap().day_nano_usd, 1_000_000_000);
    assert_eq!(world.live().version, 1);
}

#[test]
fn questions_and_views_are_pinned() {
    let ask = |ask: ConfigAsk| serde_json::to_string(&DeskAsk::Config(ask)).unwrap();
    assert_eq!(ask(ConfigAsk::Live), r#"{"config":"live"}"#);
    assert_eq!(
        ask(ConfigAsk::Save { base: 1, document: "{}".into(), note: "n".into() }),
        r#"{"config":{"save":{"base":1,"document":"{}","note":"n"}}}"#
    );
    assert_eq!(ask(ConfigAsk::Check { document: "{}".into() }), r#"{"config":{"check":{"document":"{}"}}}"#);
    assert_eq!(
        ask(ConfigAsk::Versions { before: None, limit: 5 }),
        r#"{"config":{"versions":{"before":null,"limit":5}}}"#
    );
    assert_eq!(ask(ConfigAsk::Version { version: 5 }), r#"{"config":{"version":{"version":5}}}"#);
    assert_eq!(ask(ConfigAsk::Rollback { base: 5, version: 3 }), r#"{"config":{"rollback":{"base":5,"version":3}}}"#);
    let world = World::owned();
    world.save(&ann(), 0, &day(1.0)).unwrap();
    let saved = r#"{"version":1,"at":1795000000000,"author":"admin:ann@example.org","note":"","parent":0"#;
    assert_eq!(
        serde_json::to_string(&world.live()).unwrap(),
        format!(
            r#"{{"version":1,"saved":{saved}}},"document":{{"budget":{{"day_usd":1.0}}}},"trouble":[],"private":"pairing"}}"#
        )
    );
    assert_eq!(
        serde_json::to_string(&world.history()).unwrap(),
        format!(r#"[{saved},"changes":[{{"path":"budget.day_usd","kind":"added","after":"1.0"}}]}}]"#)
    );
}
