//! The pages and the API over a real Directory: what is typed stays, what is foreign is inert, what is saved is live.

use serde_json::{Value, json};

use super::*;
use crate::admin::Area;
use crate::admin::testing::{T0, TestOffice};
use crate::directory::{Actor, Caps, DmPolicy};
use crate::text::Lang;

const CAPS: Caps = Caps { day_nano_usd: 1_000_000_000, month_nano_usd: 10_000_000_000, person_day_nano_usd: None };
const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

fn day_cap(office: &TestOffice) -> u64 {
    office.directory.caps(&CAPS).unwrap().day_nano_usd
}

/// Saves by another hand.
fn bob_saves(office: &TestOffice, base: i64, document: &str) {
    office.directory.save_config(base, document, "", &Actor::Admin("bob@example.com".into()), T0).unwrap();
}

/// Everything between quotes that a hidden field of this name has, with entities read.
fn hidden(html: &str, name: &str) -> String {
    let from = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {html}"));
    let rest = &html[from + format!("name=\"{name}\" value=\"").len()..];
    let text = &rest[..rest.find('"').unwrap()];
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn fields_are_reviewed_saved_and_live() {
    let office = TestOffice::new();
    let html = office.page("settings");
    assert!(html.contains("name=\"budget.day_usd\"") && html.contains("name=\"models.fallbacks\""));
    let fields = [
        ("fields", "1"),
        ("base", "0"),
        ("document", hidden(&html, "document").as_str()),
        ("models.default", "ollama/gpt-oss:120b"),
        ("models.fallbacks", "gemini/gemini-3.8-flash,\r\n ollama/x"),
        ("budget.day_usd", "2,5"),
        ("budget.month_usd", ""),
        ("access.private", "allowlist"),
        ("replies.streaming", ""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (status, html) = office.post("settings/review", &fields);
    assert_eq!(status, 200);
    assert!(html.contains("<code>budget.day_usd</code>") && html.contains("<ins dir=\"auto\">2.5</ins>"), "{html}");
    assert!(html.contains("The provider `gemini` is not set up"));
    assert_eq!(office.directory.live().unwrap(), None, "a review saves nothing");
    let typed = hidden(&html[html.find("settings/save").unwrap()..], "document");
    let saved = office.post("settings/save", &[("base", "0"), ("document", &typed), ("note", "More")]);
    assert_eq!(saved, (303, "/_admin/settings?done=1".to_owned()));
    assert_eq!(day_cap(&office), 2_500_000_000);
    assert_eq!(office.directory.dm_policy().unwrap(), DmPolicy::Allowlist);
    let html = office.page("settings?done=1");
    for shown in
        ["Done.", "value=\"2.5\"", "value=\"gemini/gemini-3.8-flash, ollama/x\"", "admin:ann@example.com", "More"]
    {
        assert!(html.contains(shown), "{shown}");
    }
    // A blank field leaves its place to the environment, the rest of the document stays.
    let fields = [("fields", "1"), ("base", "1"), ("document", typed.as_str()), ("budget.day_usd", " ")];
    let (_, html) = office.post("settings/review", &fields);
    let after: Value = serde_json::from_str(&hidden(&html[html.find("settings/save").unwrap()..], "document")).unwrap();
    assert_eq!(after.get("budget"), None);
    assert_eq!(after["access"]["private"], "allowlist");
}

#[test]
fn what_was_typed_stays_when_it_is_refused() {
    let office = TestOffice::new();
    let typed = "{\"budget\":{\"day_usd\":\"lots\"},\"modles\":{}}";
    for path in ["settings/review", "settings/save"] {
        let (status, html) = office.post(path, &[("base", "0"), ("document", typed), ("note", "My note")]);
        assert_eq!(status, 400);
        for shown in [
            "<code>budget.day_usd</code>",
            "<code>modles</code>",
            "Is `models` meant?",
            "value=\"My note\"",
            "value=\"lots\"",
        ] {
            assert!(html.contains(shown), "{path}: {shown}\n{html}");
        }
        assert!(
            html.contains(
                "{&quot;budget&quot;:{&quot;day_usd&quot;:&quot;lots&quot;},&quot;modles&quot;:{}}</textarea>"
            )
        );
        assert!(!html.contains("action=\"/_admin/settings/save\""), "nothing to save");
    }
    let (status, html) = office.post("settings/review", &[("base", "0"), ("document", "{oops")]);
    assert_eq!(status, 400);
    assert!(html.contains("{oops</textarea>") && html.contains("This is not JSON"));
    let fields =
        [("fields", "1"), ("base", "0"), ("document", "{}"), ("budget.day_usd", "a lot"), ("access.private", "x")];
    let (status, html) = office.post("settings/review", &fields);
    assert_eq!(status, 400);
    assert!(html.contains("value=\"a lot\"") && html.contains("<option value=\"x\" selected>"));
    let (status, html) = office
        .post("settings/save", &[("base", "0"), ("document", "{\"models\":{\"fallbacks\":[]}}"), ("note", "a\nb")]);
    assert_eq!(status, 400);
    assert!(html.contains("<code>note</code>"));
    assert_eq!(office.directory.newest_config().unwrap(), None);
}

#[test]
fn who_saves_second_sees_the_first_and_loses_nothing() {
    let office = TestOffice::new();
    bob_saves(&office, 0, r#"{"budget":{"day_usd":7}}"#);
    let mine = r#"{"access":{"private":"open"}}"#;
    // The page was opened before Bob saved.
    let (status, html) = office.post("settings/review", &[("base", "0"), ("document", mine)]);
    assert_eq!(status, 200);
    assert!(html.contains("Version 1 was saved meanwhile") && html.contains("<del dir=\"auto\">7</del>"));
    let (status, html) = office.post("settings/save", &[("base", "0"), ("document", mine), ("note", "Mine")]);
    assert_eq!(status, 409);
    for shown in
        ["admin:bob@example.com saved version 1", "<del dir=\"auto\">7</del>", "value=\"Mine\"", "&quot;open&quot;"]
    {
        assert!(html.contains(shown), "{shown}");
    }
    assert_eq!(day_cap(&office), 7_000_000_000);
    let save = &html[html.find("settings/save").unwrap()..];
    assert_eq!(hidden(save, "base"), "1");
    let saved = office.post("settings/save", &[("base", "1"), ("document", mine), ("note", "Mine")]);
    assert_eq!(saved.0, 303);
    // Both are in the history.
    let html = office.page("settings");
    assert!(html.contains("admin:bob@example.com") && html.contains("Mine"));
    let again = office.post("settings/save", &[("base", "2"), ("document", mine)]);
    assert_eq!(again, (303, "/_admin/settings?same=1".to_owned()));
    assert!(office.page("settings?same=1").contains("no version was made"));
}

#[test]
fn a_version_is_looked_at_and_made_live_again() {
    let office = TestOffice::new();
    for (base, usd) in (0..12).zip(1..) {
        bob_saves(&office, base, &json!({"budget": {"day_usd": usd}}).to_string());
    }
    let html = office.page("settings");
    assert!(html.contains("Roll back to version 11") && !html.contains("Roll back to version 2<"));
    let older = office.page("settings?before=3");
    assert!(older.contains("Roll back to version 2<") && older.contains("Roll back to version 0<"));
    let html = office.page("settings/versions/3");
    assert!(
        html.contains("<del dir=\"auto\">2</del> → <ins dir=\"auto\">3</ins>")
            && html.contains("&quot;day_usd&quot;: 3.0")
    );
    let rolled = office.post("settings/rollback", &[("base", "12"), ("version", "3")]);
    assert_eq!(rolled.0, 303);
    assert_eq!(day_cap(&office), 3_000_000_000);
    assert!(office.page("settings").contains("back to version 3"));
    let (status, html) = office.post("settings/rollback", &[("base", "12"), ("version", "1")]);
    assert_eq!(status, 409);
    assert!(html.contains("admin:ann@example.com saved version 13"));
    assert_eq!(day_cap(&office), 3_000_000_000);
    for path in ["settings/versions/99", "settings/versions/x", "settings/nowhere", "settings/save"] {
        let Answer::Page { status, .. } = office.ask(Area::Pages, Method::Get, path, "", Lang::En) else { panic!() };
        assert_eq!(status, 404, "{path}");
    }
}

#[test]
fn foreign_words_are_inert() {
    let office = TestOffice::new();
    let document = json!({"agents": {"a": {"name": EVIL, "persona": format!("{EVIL}\n{EVIL}")}}}).to_string();
    let evil_author = Actor::Admin(EVIL.into());
    office.directory.save_config(0, &document, EVIL, &evil_author, T0).unwrap();
    office.directory.save_config(1, r#"{"agents":{"a":{"persona":"calm\nwords"}}}"#, "", &evil_author, T0).unwrap();
    let mut pages =
        vec![office.page("settings"), office.page("settings/versions/1"), office.page("settings/versions/2")];
    let typed = json!({ EVIL: EVIL, "models": { "default": EVIL, "fallbacks": [EVIL] } }).to_string();
    let fields = [("base", "0"), ("document", typed.as_str()), ("note", EVIL)];
    pages.push(office.post("settings/review", &fields).1);
    pages.push(office.post("settings/save", &fields).1);
    pages.push(office.post("settings/review", &[("base", "2"), ("document", document.as_str()), ("note", EVIL)]).1);
    let fields =
        [("fields", "1"), ("base", "0"), ("document", "{}"), ("models.default", EVIL), ("access.private", EVIL)];
    pages.push(office.post("settings/review", &fields).1);
    let textarea = format!("</textarea>{EVIL}");
    pages.push(office.post("settings/review", &[("base", "0"), ("document", textarea.as_str())]).1);
    for html in pages {
        assert!(html.contains("alert(1)"), "the words are shown");
        assert!(!html.contains("<script>alert") && !html.contains("<img") && !html.contains("</textarea>&lt;script>"));
        assert_eq!(html.matches("<script").count(), 1, "our own");
        assert_eq!(html.matches("</textarea>").count(), html.matches("<textarea").count());
        assert!(!html.contains("\"'>"), "no attribute is left");
    }
}

#[test]
fn of_secrets_only_whether_they_are_set() {
    let mut office = TestOffice::new();
    office.bots = vec!["main".into(), "work".into()];
    office.variables.insert("TELEGRAM_BOT_TOKEN", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1".into());
    office.variables.insert("GEMINI_API_KEY", "AIzaSyA1234567890abcdefghijklmnopqrstuv".into());
    office.variables.insert("DAILY_BUDGET_USD", "3".into());
    let html = office.page("settings");
    let (_, view) = office.api("settings", Value::Null);
    for text in [html.clone(), view.to_string()] {
        assert!(!text.contains("AAHdq") && !text.contains("AIza"));
    }
    assert!(html.contains("<code>TELEGRAM_BOT_TOKEN_WORK</code>"));
    let set: Vec<&str> = view["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|secret| secret["set"] == true)
        .map(|secret| secret["name"].as_str().unwrap())
        .collect();
    assert_eq!(set, ["TELEGRAM_BOT_TOKEN", "GEMINI_API_KEY"]);
    let base = view["environment"].as_array().unwrap().iter().find(|base| base["path"] == "budget.day_usd").unwrap();
    assert_eq!(*base, json!({"path": "budget.day_usd", "variable": "DAILY_BUDGET_USD", "value": "3"}));
    assert!(html.contains("placeholder=\"otherwise: 3\""));
}

#[test]
fn the_api_does_what_the_page_does() {
    let office = TestOffice::new();
    let (status, view) = office.api("settings", Value::Null);
    assert_eq!((status, &view["version"], &view["document"], &view["schema"]), (200, &json!(0), &json!({}), &json!(1)));
    let document = json!({"budget": {"day_usd": 4}});
    let (status, checked) = office.api("settings/check", json!({"document": document}));
    assert_eq!((status, checked["changes"][0]["path"].as_str()), (200, Some("budget.day_usd")));
    assert_eq!(office.directory.live().unwrap(), None);
    let (status, saved) = office.api("settings", json!({"base": 0, "document": document, "note": "four"}));
    assert_eq!((status, saved), (200, json!({"version": 1, "changed": true})));
    assert_eq!(day_cap(&office), 4_000_000_000);
    let (status, error) = office.api("settings", json!({"base": 0, "document": {"budget": {"day_usd": 5}}}));
    assert_eq!((status, &error["error"]["code"]), (409, &json!("conflict")));
    let (status, error) =
        office.api("settings", json!({"base": 1, "document": {"agents": {"main": {"model": "gpt"}}}}));
    assert_eq!((status, &error["error"]["problems"][0]["path"]), (400, &json!("agents.main.model")));
    for body in [json!({"document": {}}), json!({"base": 1}), json!({"base": "x", "document": {}})] {
        assert_eq!(office.api("settings", body).0, 400);
    }
    let (status, saved) = office.api("settings", json!({"base": 1, "document": "{\"budget\":{\"day_usd\":5}}"}));
    assert_eq!((status, &saved["version"]), (200, &json!(2)));
    let (_, versions) = office.api("settings/versions?limit=1", Value::Null);
    assert_eq!((versions.as_array().unwrap().len(), &versions[0]["version"]), (1, &json!(2)));
    let (_, one) = office.api("settings/versions/1", Value::Null);
    assert_eq!((&one["note"], &one["document"]), (&json!("four"), &json!({"budget": {"day_usd": 4.0}})));
    assert_eq!(office.api("settings/versions/9", Value::Null).0, 404);
    let (status, saved) = office.api("settings/rollback", json!({"base": 2, "version": 1}));
    assert_eq!((status, saved), (200, json!({"version": 3, "changed": true})));
    assert_eq!(day_cap(&office), 4_000_000_000);
    let (status, schema) = office.api("settings/schema", Value::Null);
    assert_eq!((status, &schema["type"]), (200, &json!("object")));
}

#[test]
fn every_page_is_there_in_russian() {
    let office = TestOffice::new();
    bob_saves(&office, 0, r#"{"agents":{"a":{"persona":"one\ntwo"}}}"#);
    bob_saves(&office, 1, r#"{"agents":{"a":{"persona":"one\nthree"}}}"#);
    for path in ["settings", "settings/versions/2"] {
        let Answer::Page { status, html } = office.ask(Area::Pages, Method::Get, path, "", Lang::Ru) else { panic!() };
        assert_eq!(status, 200);
        assert!(html.contains("Версия 2") && html.contains("изменено"), "{path}");
        assert!(html.contains("<span class=\"gone\">-two</span><span class=\"new\">+three</span>"), "{path}");
    }
}

#[test]
fn a_document_of_another_release_is_told_and_can_be_mended() {
    let office = TestOffice::new();
    bob_saves(&office, 0, r#"{"budget":{"day_usd":7}}"#);
    office.directory.store_foreign_config(r#"{"budget":{"day_usd":9},"moods":{}}"#);
    let html = office.page("settings");
    assert!(html.contains("This release cannot read version 2") && html.contains("<code>moods</code>"));
    assert!(html.contains("&quot;moods&quot;"), "it is there to be mended");
    assert_eq!(day_cap(&office), 1_000_000_000);
    let mended = office.post("settings/save", &[("base", "2"), ("document", r#"{"budget":{"day_usd":9}}"#)]);
    assert_eq!(mended.0, 303);
    assert_eq!(day_cap(&office), 9_000_000_000);
}
