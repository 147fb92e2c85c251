//! Pages and API over a real Directory, with conversations by script.

use serde_json::{Value, json};

use crate::admin::Area;
use crate::admin::request::{Answer, Method};
use crate::admin::testing::{T0, TestOffice};
use crate::chat::desk::{
    ChatAsk, Deleted, DeliveryView, Extra, FileView, FilesView, Form, MessageView, MessagesView, OverviewView, Retried,
    StepView, TurnRow, TurnView, TurnsView, UpdateRow, UpdatesView,
};
use crate::directory::desk::Refused;
use crate::directory::{Activity, Mark};
use crate::text::Lang;

/// Letters that end an attribute, an element, or turn the direction of what follows.
const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u{202E}&amp;<b>";

fn office() -> TestOffice {
    let office = TestOffice::new();
    for (chat, title, newest) in [(5, "Анна", "Привет, мир"), (6, "Ben", "the sea"), (7, EVIL, EVIL)] {
        let activity = Activity {
            title: title.into(),
            newest: newest.into(),
            words: newest.into(),
            updates: 1,
            upto: Mark { update: 1, turn: 0 },
            ..Activity::default()
        };
        office.directory.note_activity(&format!("main:{chat}"), &activity, T0 + chat).unwrap();
    }
    office
}

fn script(office: &TestOffice, session: &str, answers: Vec<Value>) {
    let answers = answers.into_iter().map(|view| Ok(view.to_string())).collect();
    office.chats.borrow_mut().insert(session.to_owned(), answers);
}

fn value(view: &impl serde::Serialize) -> Value {
    serde_json::to_value(view).unwrap()
}

/// A turn with everything, and every text as `text`.
fn turn(text: &str) -> TurnView {
    let text = || text.to_owned();
    let message = MessageView {
        id: 3,
        at: T0,
        role: "assistant".into(),
        model: Some(text()),
        turn: Some(1),
        text: text(),
        extras: vec![Extra { kind: text(), text: text() }],
        ..MessageView::default()
    };
    TurnView {
        turn: TurnRow {
            id: 1,
            state: "failed".into(),
            model: text(),
            asked_at: T0,
            created_at: T0 + 100,
            first_at: Some(T0 + 500),
            finished_at: Some(T0 + 2_000),
            error: Some(text()),
            ..TurnRow::default()
        },
        messages: vec![message],
        updates: vec![UpdateRow {
            kind: text(),
            at: T0,
            text: Some(text()),
            outcome: Some(text()),
            detail: Some(text()),
            turn: Some(1),
            ..UpdateRow::default()
        }],
        steps: vec![StepView {
            kind: text(),
            model: Some(text()),
            state: text(),
            started_at: T0 + 100,
            ended_at: Some(T0 + 1_600),
            input: 10,
            output: 5,
            nano_usd: Some(1_500_000),
            log_id: Some(text()),
            note: Some(text()),
            ..StepView::default()
        }],
        deliveries: vec![DeliveryView {
            id: 9,
            slot: text(),
            method: text(),
            state: "ambiguous".into(),
            created_at: T0 + 2_000,
            error: Some(text()),
            text: Some(text()),
            ..DeliveryView::default()
        }],
        files: vec![FileView { name: Some(text()), mime: text(), kind: text(), state: text(), ..FileView::default() }],
        can_retry: true,
    }
}

/// No text became an element or an attribute, and none can turn the direction of the page.
fn inert(html: &str) {
    assert!(!html.contains("<script>alert") && !html.contains("<img") && !html.contains("&amp;amp;amp;"));
    assert!(!html.contains(" style=") && !html.contains("onerror=alert(1)>\u{202E}&amp;<"));
    for (at, _) in html.match_indices('\u{202E}') {
        let before = &html[..at];
        let open = ["<bdi>", "dir=\"auto\">"].iter().filter_map(|tag| before.rfind(tag)).max().expect("isolated");
        let inner = &html[open..at];
        assert!(!inner.contains("</bdi>") && !inner.contains("</div>") && !inner.contains("</td>"), "{inner}");
    }
}

#[test]
fn the_list_shows_who_and_what_newest_first_and_finds_them() {
    let office = office();
    let html = office.page("conversations");
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(place("Ben") < place("Анна") && html.contains("3 in all"));
    assert!(html.contains("href=\"/_admin/conversations/main%3A6\""));
    let html = office.page("conversations?q=%D0%9C%D0%98%D0%A0");
    assert!(html.contains("Анна") && !html.contains("Ben") && html.contains("value=\"МИР\""));
    assert!(office.asked.borrow().is_empty(), "no conversation is asked for the list");
    let Answer::Json { json, .. } = office.ask(Area::Api, Method::Get, "conversations?q=sea", "", Lang::En) else {
        panic!()
    };
    let view: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(view["conversations"][0]["session"], "main:6");
}

#[test]
fn stored_script_is_inert_on_every_page() {
    let office = office();
    let message = turn(EVIL).messages.remove(0);
    let overview = OverviewView {
        title: EVIL.into(),
        agent: EVIL.into(),
        model: EVIL.into(),
        thinking: EVIL.into(),
        ..OverviewView::default()
    };
    let messages = MessagesView { messages: vec![message], next: Some(3), looked_at: 1 };
    let pages = [
        ("conversations", vec![]),
        ("conversations?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", vec![]),
        ("conversations/main:7", vec![value(&overview), value(&messages)]),
        (
            "conversations/main:7?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&before=9",
            vec![value(&overview), value(&messages)],
        ),
        (
            "conversations/main:7/turns",
            vec![value(&TurnsView {
                turns: vec![TurnRow { asked: Some(EVIL.into()), ..turn(EVIL).turn }],
                next: Some(EVIL.into()),
            })],
        ),
        ("conversations/main:7/turns/1", vec![value(&turn(EVIL))]),
        ("conversations/main:7/updates", vec![value(&UpdatesView { updates: turn(EVIL).updates, next: Some(1) })]),
        ("conversations/main:7/files", vec![value(&FilesView { files: turn(EVIL).files, next: Some(1) })]),
        ("conversations/main:7/delete", vec![]),
    ];
    for (path, answers) in pages {
        for lang in [Lang::En, Lang::Ru] {
            script(&office, "main:7", answers.clone());
            let answer = office.ask(Area::Pages, Method::Get, path, "", lang);
            let Answer::Page { status: 200, html } = answer else { panic!("{path}: {answer:?}") };
            inert(&html);
        }
    }
}

#[test]
fn a_conversation_nobody_knows_is_never_asked() {
    let office = office();
    for path in ["", "/turns", "/turns/1", "/updates", "/files", "/delete", "/export", "/messages"] {
        for area in [Area::Pages, Area::Api] {
            let answer = office.ask(area, Method::Get, &format!("conversations/main:99{path}"), "", Lang::En);
            let (Answer::Page { status, .. } | Answer::Json { status, .. }) = answer else { panic!("{answer:?}") };
            assert_eq!(status, 404, "{path}");
        }
    }
    for (act, form) in [("stop", ""), ("retry", "turn=1"), ("delete", "confirm=main:99")] {
        let answer = office.ask(Area::Api, Method::Post, &format!("conversations/main:99/{act}"), form, Lang::En);
        assert!(matches!(answer, Answer::Json { status: 404, .. }), "{act}");
    }
    assert!(office.asked.borrow().is_empty());
    assert!(office.directory.audit_log(None, 10).unwrap().is_empty());
}

#[test]
fn a_turn_shows_its_bars_and_figures() {
    let office = office();
    script(&office, "main:6", vec![value(&turn("model"))]);
    let html = office.page("conversations/main:6/turns/1");
    // From 100 to 1,600 of 2,000 milliseconds.
    assert!(html.contains("x=\"50\"") && html.contains("width=\"750\""), "{html}");
    for text in ["1.5 s", "500 ms", "10 (0) → 5", "$0.0015", "Try again", "Send again", "name=\"delivery\" value=\"9\""]
    {
        assert!(html.contains(text), "{text}");
    }
    assert_eq!(office.asked.borrow()[0], ("main:6".to_owned(), ChatAsk::Turn { id: 1 }));
}

#[test]
fn acts_are_written_down_before_they_are_done() {
    let office = office();
    script(
        &office,
        "main:6",
        vec![json!({"stopped": true, "dropped": 0}), value(&Retried { turn: 12 }), value(&Deleted { wiped: true })],
    );
    let post = |act: &str, form: &str| {
        office.ask(Area::Pages, Method::Post, &format!("conversations/main:6/{act}"), form, Lang::En)
    };
    assert_eq!(post("stop", ""), Answer::See("/_admin/conversations/main%3A6?done=1".into()));
    assert_eq!(post("retry", "turn=7"), Answer::See("/_admin/conversations/main%3A6/turns/12?done=1".into()));
    // Not confirmed: nothing happens.
    for form in ["", "confirm=yes", "confirm=main:5"] {
        assert!(matches!(post("delete", form), Answer::Page { status: 400, .. }), "{form}");
    }
    assert_eq!(post("delete", "confirm=main:6"), Answer::See("/_admin/conversations?deleted=1".into()));
    let asked: Vec<ChatAsk> = office.asked.borrow().iter().map(|(_, ask)| ask.clone()).collect();
    assert_eq!(asked, [ChatAsk::Stop, ChatAsk::Retry { turn: 7 }, ChatAsk::Delete]);
    let audit = office.directory.audit_log(None, 10).unwrap();
    let lines: Vec<_> = audit.iter().map(|e| format!("{} {} {}", e.who, e.what, e.subject)).collect();
    assert_eq!(
        lines,
        [
            "admin:ann@example.com conversation_delete main:6",
            "admin:ann@example.com conversation_retry main:6 7",
            "admin:ann@example.com conversation_stop main:6",
        ]
    );
    assert!(!office.page("conversations").contains("Ben"));
    // What the conversation refuses is shown, and was written down.
    let why = Refused::conflict("Another turn runs now.");
    office.chats.borrow_mut().insert("main:5".into(), vec![Err(why)]);
    let answer = office.ask(Area::Pages, Method::Post, "conversations/main:5/retry", "turn=3", Lang::En);
    let Answer::Page { status: 409, html } = answer else { panic!("{answer:?}") };
    assert!(html.contains("Another turn runs now."));
    assert_eq!(office.directory.audit_log(None, 1).unwrap()[0].subject, "main:5 3");
}

#[test]
fn the_api_hands_on_what_the_conversation_says() {
    let office = office();
    script(
        &office,
        "main:6",
        vec![json!({"session": "main:6"}), json!({"messages": []}), json!({"turns": []}), json!({"updates": []})],
    );
    let get =
        |path: &str| match office.ask(Area::Api, Method::Get, &format!("conversations/main:6{path}"), "", Lang::En) {
            Answer::Json { status: 200, json } => serde_json::from_str::<Value>(&json).unwrap(),
            other => panic!("{path}: {other:?}"),
        };
    let one = get("");
    assert_eq!((&one["listed"]["title"], &one["now"]["session"]), (&json!("Ben"), &json!("main:6")));
    get("/messages?before=9&q=sea");
    get("/turns?before=1-2");
    get("/updates?before=4");
    let asked: Vec<ChatAsk> = office.asked.borrow().iter().map(|(_, ask)| ask.clone()).collect();
    assert_eq!(
        asked,
        [
            ChatAsk::Overview,
            ChatAsk::Messages { before: Some(9), search: Some("sea".into()) },
            ChatAsk::Turns { before: Some("1-2".into()) },
            ChatAsk::Updates { before: Some(4) },
        ]
    );
    let export = office.ask(Area::Api, Method::Get, "conversations/main:6/export?form=jsonl", "", Lang::En);
    assert_eq!(export, Answer::Export { session: "main:6".into(), form: Form::JsonLines });
    assert_eq!(office.directory.audit_log(None, 1).unwrap()[0].what, "conversation_export");
    let answer = office.ask(Area::Api, Method::Get, "conversations/main:6/export?form=pdf", "", Lang::En);
    assert!(matches!(answer, Answer::Json { status: 400, .. }));
}
