//! The page and the API over a real Directory: two bots with two personas, mistakes, conflicts, foreign script.

use serde_json::{Value, json};

use super::*;
use crate::admin::Area;
use crate::admin::testing::{T0, TestOffice};
use crate::directory::Actor;
use crate::text::Lang;

const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

fn office() -> TestOffice {
    let mut office = TestOffice::new();
    office.bots = vec!["main".to_owned(), "work".to_owned()];
    office.variables.insert("DEFAULT_MODEL", "ollama/gpt-oss:120b".to_owned());
    office
}

fn live(office: &TestOffice) -> Value {
    let (version, _) = office.directory.live().unwrap().unwrap();
    office.directory.config_value(version).unwrap()
}

#[test]
fn two_bots_get_two_personas_by_two_forms() {
    let office = office();
    let html = office.page("agents");
    assert!(html.contains("Nothing is saved yet") && html.contains("Answers wherever no binding says otherwise"));
    let tutor = [
        ("base", "0"),
        ("id", "tutor"),
        ("name", "Tutor"),
        ("emoji", "🎓"),
        ("persona", "You teach.\r\nBe kind."),
        ("model", "gemini/gemini-3.8-flash"),
        ("fallbacks", "ollama/a, ollama/b"),
        ("thinking", "low"),
        ("tools", "none"),
    ];
    assert_eq!(office.post("agents", &tutor), (303, "/_admin/agents?done=1".to_owned()));
    let bind = [("base", "1"), ("agent", "tutor"), ("bot", "work"), ("chat", ""), ("topic", "")];
    assert_eq!(office.post("agents/bind", &bind).0, 303);
    let expected = json!({
        "agents": {"tutor": {"name": "Tutor", "emoji": "🎓", "persona": "You teach.\nBe kind.",
            "model": "gemini/gemini-3.8-flash", "fallbacks": ["ollama/a", "ollama/b"], "thinking": "low", "tools": "none"}},
        "bindings": [{"bot": "work", "agent": "tutor"}],
    });
    assert_eq!(live(&office), expected);
    let html = office.page("agents");
    for shown in ["🎓 Tutor", "You teach.", "gemini/gemini-3.8-flash", "provider not set up", "<strong>work</strong>"]
    {
        assert!(html.contains(shown), "{shown}");
    }
    let html = office.page("agents?bot=work&chat=7");
    assert!(html.contains("🎓 Tutor (tutor)") && html.contains("By the binding"), "{html}");
    assert!(office.page("agents?bot=main&chat=7").contains("No binding is about this place"));
    let html = office.page("agents/tutor");
    assert!(html.contains("value=\"ollama/a, ollama/b\"") && html.contains("You teach.\nBe kind.</textarea>"));
    let change = [("base", "2"), ("name", "Teacher"), ("persona", ""), ("fallbacks", "-")];
    assert_eq!(office.post("agents/agent/tutor", &change).0, 303);
    assert_eq!(live(&office)["agents"]["tutor"], json!({"name": "Teacher", "fallbacks": []}));
    assert!(office.page("agents/tutor").contains("name=\"fallbacks\" value=\"-\""));
    assert_eq!(office.post("agents/unbind", &[("base", "3"), ("bot", "work")]).0, 303);
    assert_eq!(office.post("agents/agent/tutor/delete", &[("base", "4")]).0, 303);
    assert_eq!(live(&office), json!({}));
    let audit = office.directory.audit_log(None, 50).unwrap();
    assert_eq!(audit.iter().filter(|entry| entry.who == "admin:ann@example.com").count(), 5, "{audit:?}");
}

#[test]
fn a_mistake_is_named_by_its_place_and_what_was_typed_stays() {
    let office = office();
    let typed = [("base", "0"), ("id", "tutor"), ("name", "Tutor"), ("model", "nonsense"), ("persona", "Long text")];
    let (status, html) = office.post("agents", &typed);
    assert_eq!(status, 400);
    for shown in ["agents.tutor.model", "value=\"nonsense\"", "Long text</textarea>", "value=\"tutor\""] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    assert_eq!(office.directory.live().unwrap(), None, "nothing was saved");
    for (path, fields, place) in [
        ("agents", vec![("id", "No Such")], "agents"),
        ("agents", vec![("id", "main")], "agents.main"),
        ("agents/bind", vec![("agent", "gone"), ("bot", "work")], "bindings[0].agent"),
        ("agents/bind", vec![("agent", "main"), ("chat", "family")], "bindings[0].chat"),
        ("agents/bind", vec![("agent", "main"), ("topic", "5")], "bindings[0].topic"),
    ] {
        let (status, html) = office.post(path, &[vec![("base", "0")], fields].concat());
        assert_eq!(status, 400, "{place}");
        assert!(html.contains(&format!("<code>{place}")), "{place}: {html}");
    }
    assert_eq!(office.directory.live().unwrap(), None);
}

#[test]
fn who_comes_second_is_told_and_loses_no_words() {
    let office = office();
    let bob = Actor::Admin("bob@example.com".into());
    office.directory.save_config(0, r#"{"agents":{"tutor":{"name":"Bob's"}}}"#, "", &bob, T0).unwrap();
    let typed = [("base", "0"), ("name", "Mine"), ("persona", "My words")];
    let (status, html) = office.post("agents/agent/tutor", &typed);
    assert_eq!(status, 409);
    assert!(
        html.contains("bob@example.com") && html.contains("My words</textarea>") && html.contains("value=\"Mine\"")
    );
    assert!(html.contains("name=\"base\" value=\"1\""), "the next try is about what is live now");
    assert_eq!(live(&office)["agents"]["tutor"]["name"], "Bob's");
    let again = [("base", "1"), ("name", "Mine"), ("persona", "My words")];
    assert_eq!(office.post("agents/agent/tutor", &again).0, 303);
    assert_eq!(office.post("agents/agent/tutor", &again).0, 303, "a repeated request changes nothing more");
    assert_eq!(office.directory.live().unwrap().unwrap().0, 2);
}

#[test]
fn a_place_has_one_binding_and_goes_with_its_agent() {
    let office = office();
    office.directory.save_config(0, r#"{"agents":{"a":{},"b":{}}}"#, "", &Actor::System, T0).unwrap();
    for (base, agent) in [("1", "a"), ("2", "b")] {
        let fields = [("base", base), ("agent", agent), ("bot", "work"), ("chat", "-100"), ("topic", "5")];
        assert_eq!(office.post("agents/bind", &fields).0, 303);
    }
    assert_eq!(live(&office)["bindings"], json!([{"bot": "work", "chat": -100, "topic": 5, "agent": "b"}]));
    assert_eq!(office.post("agents/unbind", &[("base", "3"), ("bot", "work"), ("chat", "-100")]).0, 404);
    assert_eq!(office.post("agents/agent/b/delete", &[("base", "3")]).0, 303);
    assert_eq!(live(&office), json!({"agents": {"a": {}}}));
    assert_eq!(office.post("agents/agent/b/delete", &[("base", "4")]).0, 404);
}

#[test]
fn the_api_is_the_same_as_json() {
    let office = office();
    let agent = json!({"base": 0, "new": true, "name": "Tutor", "fallbacks": ["ollama/a"], "tools": "none"});
    assert_eq!(office.api("agents/tutor", agent.clone()), (200, json!({"version": 1, "changed": true})));
    let (status, refused) = office.api("agents/tutor", agent);
    assert_eq!((status, &refused["error"]["problems"][0]["path"]), (400, &json!("agents.tutor")));
    let bound = json!({"base": 1, "bot": "work", "chat": -100, "agent": "tutor"});
    assert_eq!(office.api("bindings", bound), (200, json!({"version": 2, "changed": true})));
    let (_, view) = office.api("agents", Value::Null);
    assert_eq!(
        view["agents"],
        json!([
            {"id": "main", "bindings": []},
            {"id": "tutor", "name": "Tutor", "fallbacks": ["ollama/a"], "tools": "none",
                "bindings": [{"bot": "work", "chat": -100, "agent": "tutor"}]},
        ])
    );
    assert_eq!(view["version"], 2);
    let (_, found) = office.api("agents/resolve?bot=work&chat=-100&topic=9", Value::Null);
    assert_eq!((&found["agent"], &found["by"]["chat"]), (&json!("tutor"), &json!(-100)));
    let (_, found) = office.api("agents/resolve?bot=main&chat=-100", Value::Null);
    assert_eq!((&found["agent"], &found["by"]), (&json!("main"), &Value::Null));
    for (path, status) in
        [("agents/resolve?bot=main", 400), ("agents/resolve?bot=main&chat=x", 400), ("agents/a/b", 404)]
    {
        assert_eq!(office.api(path, Value::Null).0, status, "{path}");
    }
    let unknown = json!({"base": 2, "colour": "blue"});
    let (status, refused) = office.api("agents/tutor", unknown);
    assert_eq!((status, &refused["error"]["problems"][0]["path"]), (400, &json!("agents.tutor.colour")));
    assert_eq!(office.api("bindings/delete", json!({"base": 2, "bot": "work", "chat": -100})).0, 200);
    assert_eq!(office.api("agents/tutor/delete", json!({"base": 3})).1["version"], 4);
}

#[test]
fn chats_are_offered_by_name() {
    let office = office();
    office.directory.set_bot_profile("main", 9, Some("TideBot"), T0).unwrap();
    office.directory.admit_group("main", -1005, &Actor::System, T0).unwrap();
    let document = r#"{"bindings":[{"chat":-1005,"agent":"main"}]}"#;
    office.directory.save_config(0, document, "", &Actor::System, T0).unwrap();
    let html = office.page("agents");
    assert!(html.contains("<option value=\"-1005\">"), "{html}");
    assert!(html.contains("<code>-1005</code>"));
}

#[test]
fn foreign_script_is_inert_wherever_it_stands() {
    let office = office();
    let fields = [("base", "0"), ("id", "evil"), ("persona", EVIL), ("name", "<b>x"), ("model", EVIL)];
    let (status, html) = office.post("agents", &fields);
    assert_eq!(status, 400);
    assert!(!html.contains("<script>alert") && !html.contains("<img") && !html.contains("<b>x"));
    let document = json!({"agents": {"evil": {"persona": EVIL, "name": "<b>x"}}});
    office.directory.save_config(0, &document.to_string(), "", &Actor::System, T0).unwrap();
    for path in ["agents", "agents/evil", "agents?bot=main&chat=5&topic=%3Cscript%3E"] {
        let request = office.ask(Area::Pages, Method::Get, path, "", Lang::Ru);
        let Answer::Page { html, .. } = request else { panic!("{path}") };
        assert!(!html.contains("<script>alert") && !html.contains("<img") && !html.contains("<b>x"), "{path}");
    }
}

#[test]
fn what_is_not_there_is_said_so() {
    let office = office();
    for path in ["agents/gone", "agents/a/b/c"] {
        let Answer::Page { status, .. } = office.ask(Area::Pages, Method::Get, path, "", Lang::En) else { panic!() };
        assert_eq!(status, 404, "{path}");
    }
    assert!(office.page("agents/main").contains("Reset main"));
    assert!(office.page("agents?add=1").contains("name=\"id\""));
}
