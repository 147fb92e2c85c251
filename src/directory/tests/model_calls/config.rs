//! A conversation learns of another configuration when it asks leave.

use super::*;
use crate::directory::config::{ConfigMark, SessionConfig};
use serde_json::json;

const PERSONAS: &str = r#"{"agents":{"a":{"persona":"A."}},"bindings":[{"chat":55,"agent":"a"}]}"#;

const NONE: ConfigMark = ConfigMark { version: 0, at: 0 };

fn save(w: &World, document: &str) -> ConfigMark {
    let base = w.dir.live().unwrap().map_or(0, |(version, _)| version);
    let version = w.dir.save_config(base, document, "", &Actor::System, w.now()).unwrap().version;
    ConfigMark { version, at: w.now() }
}

fn question(step: i64, config: Option<ConfigMark>) -> ModelAsk {
    let reserve = Reserve { step, person: Some(ANN), candidates: candidates(&[(GPT, USD / 10)]) };
    ModelAsk { session: "main:55".into(), reserve: Some(reserve), config, ..ModelAsk::default() }
}

fn told(w: &World, ask: &ModelAsk) -> Option<SessionConfig> {
    match w.dir.model_call(ask, &CAPS, &w.cfg(), w.now()).unwrap().reserved {
        Some(Reserved::Reconfigure { config }) => Some(*config),
        _ => None,
    }
}

#[test]
fn who_goes_by_another_one_is_told_the_live_one_and_nothing_is_reserved() {
    let w = World::owned();
    assert_eq!(told(&w, &question(1, Some(NONE))), None);
    let version = save(&w, PERSONAS);
    let open = w.rows("model_call");
    let config = told(&w, &question(2, Some(NONE))).unwrap();
    assert_eq!((config.mark, config.agent.as_str(), config.persona.as_str()), (version, "a", "A."));
    assert_eq!(w.rows("model_call"), open, "no reservation stands for what was not granted");
    assert_eq!(told(&w, &question(2, Some(version))), None);
    assert_eq!(w.rows("model_call"), open + 1);
    let elsewhere = ModelAsk { session: "main:56".into(), ..question(1, Some(NONE)) };
    assert_eq!(told(&w, &elsewhere).unwrap().agent, "main");
}

#[test]
fn who_does_not_say_what_it_goes_by_is_not_told() {
    let w = World::owned();
    save(&w, PERSONAS);
    assert_eq!(told(&w, &question(1, None)), None, "it is of an older release, or in the middle of a turn");
    let of_an_older_release = json!({"session": "main:55", "reports": []});
    assert_eq!(serde_json::from_value::<ModelAsk>(of_an_older_release).unwrap().config, None);
}

#[test]
fn a_look_is_told_without_asking_for_leave() {
    let w = World::owned();
    let look = |config| ModelAsk { session: "main:55".into(), config, ..ModelAsk::default() };
    assert_eq!(told(&w, &look(Some(NONE))), None);
    save(&w, PERSONAS);
    assert_eq!(told(&w, &look(Some(NONE))).unwrap().agent, "a");
}

#[test]
fn reports_that_come_with_the_question_are_counted_once_all_the_same() {
    let w = World::owned();
    w.reserve(1, &[(GPT, USD / 10)], &CAPS);
    let version = save(&w, PERSONAS);
    let report = w.report(1, GPT, USD / 4);
    for config in [NONE, version] {
        let ask = ModelAsk { reports: vec![report.clone()], ..question(2, Some(config)) };
        w.dir.model_call(&ask, &CAPS, &w.cfg(), w.now()).unwrap();
    }
    assert_eq!((w.usage().day.nano_usd, w.usage().day.calls), (USD / 4, 1));
}

#[test]
fn a_version_that_is_gone_brings_back_the_environment() {
    let w = World::owned();
    assert_eq!(told(&w, &question(1, Some(ConfigMark { version: 7, at: 1 }))), Some(SessionConfig::default()));
}

#[test]
fn a_version_of_the_same_number_from_before_a_restore_is_another() {
    let w = World::owned();
    let lost = save(&w, r#"{"agents":{"main":{"persona":"Lost."}}}"#);
    w.dir.sql.run("DELETE FROM config_version", &[]).unwrap();
    w.dir.sql.run("DELETE FROM sqlite_sequence WHERE name = 'config_version'", &[]).unwrap();
    w.wait(5);
    let live = save(&w, PERSONAS);
    assert_eq!(live.version, lost.version);
    assert_eq!(told(&w, &question(1, Some(lost))).unwrap().persona, "A.");
}

#[test]
fn the_json_is_pinned() {
    let mark = ConfigMark { version: 3, at: 9 };
    let ask = question(7, Some(mark));
    assert_eq!(serde_json::to_value(&ask).unwrap()["config"], json!({"version": 3, "at": 9}));
    let config = SessionConfig { mark, agent: "a".into(), persona: "A.".into(), ..SessionConfig::default() };
    let answer =
        ModelAnswer { reserved: Some(Reserved::Reconfigure { config: Box::new(config) }), ..ModelAnswer::default() };
    let expected =
        json!({"reserved": {"reconfigure": {"config": {"version": 3, "at": 9, "agent": "a", "persona": "A."}}}});
    assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
    assert_eq!(serde_json::from_value::<ModelAnswer>(expected).unwrap(), answer);
    let newer = json!({"reserved": {"ponder": {"for_ms": 5}}, "mood": "good"});
    assert_eq!(serde_json::from_value::<ModelAnswer>(newer).unwrap(), ModelAnswer::default());
}
