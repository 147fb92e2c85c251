//! Pages and routes against the real Directory.

use serde_json::{Value, json};

use crate::admin::Area;
use crate::admin::request::{Answer, Method};
use crate::admin::testing::{T0, TestOffice};
use crate::directory::{Actor, ChatKind, Config, Knock, Member, Reason, Sender, Verdict};
use crate::text::Lang;

const OWNER: i64 = crate::admin::testing::OWNER;
const EVIL: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

fn office() -> TestOffice {
    let office = TestOffice::new();
    office.directory.set_bot_profile("main", 7, Some("tide_bot"), T0).unwrap();
    office
}

fn sender(user_id: i64, name: &str) -> Sender {
    Sender {
        user_id,
        is_bot: false,
        first_name: name.into(),
        last_name: None,
        username: None,
        language_code: Some("en".into()),
    }
}

/// Somebody says something in private.
fn say(office: &TestOffice, user_id: i64, name: &str, text: &str) -> Verdict {
    let update_id = office.directory.refusals().unwrap().len() as i64 + 1;
    let knock = Knock {
        bot: "main".into(),
        update_id,
        chat: ChatKind::Private,
        chat_id: user_id,
        sender: Some(sender(user_id, name)),
        sender_chat: None,
        text: Some(text.into()),
    };
    let cfg = Config { owners: &[OWNER], claim_code: None };
    office.directory.knock(&knock, &cfg, T0, [update_id as u8; 16]).unwrap().0
}

fn added_to(office: &TestOffice, chat_id: i64, title: &str) {
    let member = Member {
        bot: "main".into(),
        update_id: 900,
        chat: ChatKind::Group { title: title.into() },
        chat_id,
        by: sender(66, EVIL),
        present: true,
    };
    office.directory.member(&member, &Config { owners: &[OWNER], claim_code: None }, T0).unwrap();
}

fn post(office: &TestOffice, path: &str, form: &str) -> Answer {
    office.ask(Area::Pages, Method::Post, path, form, Lang::En)
}

fn api(office: &TestOffice, method: Method, path: &str, form: &str) -> (u16, Value) {
    match office.ask(Area::Api, method, path, form, Lang::En) {
        Answer::Json { status, json } => (status, serde_json::from_str(&json).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_strangers_call_themselves_is_only_text() {
    let office = office();
    say(&office, 55, EVIL, "hi");
    added_to(&office, -5, EVIL);
    office.directory.approve("main", 56, &Actor::Admin(EVIL.into()), &Config::default(), T0).unwrap();
    say(&office, 56, EVIL, "hi");
    post(&office, "invites", &format!("bot=main&note={}", crate::admin::look::encode(EVIL)));
    for page in ["people", "groups", "invites", "refusals"] {
        for lang in [Lang::En, Lang::Ru] {
            let path = format!("{page}?q={}", crate::admin::look::encode("alert(1)"));
            for path in [page, &path, &format!("{page}?q={}", crate::admin::look::encode(EVIL))] {
                let Answer::Page { status: 200, html } = office.ask(Area::Pages, Method::Get, path, "", lang) else {
                    panic!()
                };
                assert!(!html.contains("<script>") && !html.contains("<img"), "{path}: {html}");
                assert!(!html.contains(" style=") && !html.contains(" onclick"), "{path}");
            }
        }
        assert!(office.page(page).contains("&lt;script&gt;"), "{page} shows it as it is");
    }
}

#[test]
fn a_person_who_waits_is_let_in_by_a_form_that_comes_back_to_the_list() {
    let office = office();
    say(&office, 55, "Ann", "hi");
    let html = office.page("people?q=ann");
    let code = office.directory.pending("main", T0).unwrap()[0].code.clone();
    assert!(html.contains("action=\"/_admin/people/main/55/approve\"") && html.contains(&format!("value=\"{code}\"")));
    assert!(html.contains("name=\"back\" value=\"q=ann\""));
    let form = format!("code={code}&back=q%3Dann%26page%3D2%26evil%3Dhttps%3A%2F%2Fx");
    let see = post(&office, "people/main/55/approve", &form);
    assert_eq!(see, Answer::See("/_admin/people?done=1&q=ann&page=2".into()));
    assert!(matches!(say(&office, 55, "Ann", "hi"), Verdict::Admit(_)));
    let Answer::Page { status, html } = post(&office, "people/main/55/deny", &form) else { panic!() };
    assert!(status == 409 && html.contains("approved meanwhile"));
    let audit = office.directory.audit_log(None, 1).unwrap();
    assert_eq!((audit[0].who.as_str(), audit[0].what.as_str()), ("admin:ann@example.com", "approve"));
}

#[test]
fn the_link_is_shown_once_and_opens() {
    let office = office();
    let Answer::Page { status: 200, html } = post(&office, "invites", "bot=main&note=home&uses=1&days=2") else {
        panic!()
    };
    let (_, rest) = html.split_once("https://t.me/tide_bot?start=").unwrap();
    let code = &rest[..32];
    let list = office.page("invites");
    assert!(list.contains("home") && !list.contains(code));
    let verdict = say(&office, 55, "Ann", &format!("/start {code}"));
    assert!(matches!(verdict, Verdict::Refuse { reason: Reason::Invited, .. }));
    let list = office.page("invites");
    assert!(list.contains("used up") && list.contains("Ann") && !list.contains("/revoke"));
}

#[test]
fn routes_answer_in_json() {
    let office = office();
    say(&office, 55, "Ann", "hi");
    added_to(&office, -5, "Family");
    let (_, people) = api(&office, Method::Get, "people?bot=main&q=ANN", "");
    assert_eq!((&people["waiting"][0]["user_id"], &people["policy"]), (&json!(55), &json!("pairing")));
    assert_eq!(api(&office, Method::Get, "people?q=zzz", "").1["waiting"], json!([]));
    let acted = api(&office, Method::Post, "people/main/55/approve", "").1;
    assert_eq!(acted["changed"], true);
    assert_eq!(acted["access"][0]["session_prefix"], "main:55");
    assert_eq!(api(&office, Method::Post, "people/main/55/promote", "").1["changed"], true);
    assert_eq!(api(&office, Method::Post, "people/main/55/demote", "").1["changed"], true);
    assert_eq!(api(&office, Method::Get, "groups", "").1["groups"][0]["title"], "Family");
    assert_eq!(api(&office, Method::Post, "groups/main/-5/admit", "").1["changed"], true);
    assert_eq!(api(&office, Method::Post, "groups/main/-5/mention", "on=0").1["changed"], true);
    assert_eq!(api(&office, Method::Get, "groups", "").1["groups"][0]["require_mention"], false);
    assert_eq!(api(&office, Method::Get, "refusals", "").1["refusals"][0]["reason"], "pairing_started");
    let (_, made) = api(&office, Method::Post, "invites", "bot=main");
    assert_eq!((&made["id"], &made["expires_at"]), (&json!(1), &json!(T0 + 7 * 86_400_000)));
    assert_eq!(api(&office, Method::Post, "invites/1/revoke", "").1["changed"], true);
    assert_eq!(api(&office, Method::Get, "invites", "").1["invites"][0]["state"], "revoked");
}

#[test]
fn a_cap_is_an_amount_or_none() {
    let office = office();
    office.directory.approve("main", 55, &Actor::System, &Config::default(), T0).unwrap();
    let cap = |office: &TestOffice| api(office, Method::Get, "people", "").1["people"][0]["cap_nano_usd"].clone();
    let path = "people/main/55/cap";
    for (form, expected) in [("usd=0.5", json!(500_000_000)), ("usd=0", json!(0)), ("usd=", Value::Null)] {
        assert_eq!(api(&office, Method::Post, path, form).0, 200);
        assert_eq!(cap(&office), expected, "{form}");
    }
    for form in ["usd=-1", "usd=lots", "usd=1e3", ""] {
        assert_eq!(api(&office, Method::Post, path, form).0, 400, "{form}");
    }
    assert_eq!(post(&office, path, "usd=0.25&back="), Answer::See("/_admin/people?done=1".into()));
    assert!(office.page("people").contains("value=\"0.25\""));
}

#[test]
fn what_is_not_there_is_refused() {
    let office = office();
    for path in [
        "people/nobot/55/approve",
        "people/main/x/approve",
        "people/main/55/dance",
        "people/main/55",
        "groups/main/-5/admit/now",
        "groups/main/-5/mention_on",
        "groups/main/-5/leave",
        "invites/1/revoke",
        "invites/x/revoke",
        "refusals",
    ] {
        assert_eq!(api(&office, Method::Post, path, "").0, 404, "{path}");
    }
    assert_eq!(api(&office, Method::Get, "people/main", "").0, 404);
    assert_eq!(api(&office, Method::Post, "groups/main/-5/mention", "").0, 400);
    assert_eq!(api(&office, Method::Post, "invites", "").0, 400);
    assert_eq!(api(&office, Method::Post, "invites", "bot=main&uses=51").0, 400);
    let (status, error) = api(&office, Method::Post, "people/main/1/remove", "");
    assert_eq!((status, &error["error"]["code"]), (400, &json!("bad_input")));
}

#[test]
fn owners_of_the_environment_are_marked_and_have_no_buttons() {
    let office = office();
    let html = office.page("people");
    assert!(html.contains("from OWNER_TELEGRAM_IDS") && !html.contains("/demote"));
    assert!(html.contains("href=\"/_admin/settings\""));
    let Answer::Page { html, .. } = office.ask(Area::Pages, Method::Get, "people", "", Lang::Ru) else { panic!() };
    assert!(html.contains("из OWNER_TELEGRAM_IDS") && html.contains("Ждут решения"));
}

#[test]
fn with_two_bots_each_row_says_which() {
    let mut office = office();
    assert!(!office.page("people").contains("<select"));
    office.bots = vec!["main".into(), "work".into()];
    office.directory.approve("main", 55, &Actor::System, &Config::default(), T0).unwrap();
    office.directory.approve("work", 56, &Actor::System, &Config::default(), T0).unwrap();
    let html = office.page("people");
    assert!(html.contains("<option value=\"work\"") && html.contains("@tide_bot"));
    let html = office.page("people?bot=work");
    assert!(html.contains("id 56") && !html.contains("id 55"));
}
