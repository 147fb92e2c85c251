//! The JSON other releases read and write: change it only by adding.

use super::*;
use serde_json::{Value, json};

#[track_caller]
fn pinned<T>(value: &T, expected: Value)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(serde_json::to_value(value).unwrap(), expected);
    assert_eq!(&serde_json::from_value::<T>(expected).unwrap(), value);
}

fn notice() -> Notice {
    Notice {
        id: 7,
        bot: "main".into(),
        method: "leaveChat".into(),
        payload: json!({ "chat_id": -5 }),
        state: NoticeState::Waiting,
        attempts: 0,
        not_before: 10,
        message_id: None,
        error: None,
    }
}

fn notice_json() -> Value {
    json!({
        "id": 7, "bot": "main", "method": "leaveChat", "payload": { "chat_id": -5 }, "state": "waiting",
        "attempts": 0, "not_before": 10, "message_id": null, "error": null,
    })
}

fn sender_json() -> Value {
    json!({ "user_id": 55, "is_bot": false, "first_name": "Ann55", "last_name": "Lee", "username": "ann55", "language_code": "en" })
}

#[test]
fn questions() {
    let knock = Knock {
        bot: "main".into(),
        update_id: 3,
        chat: ChatKind::Group { title: "Family".into() },
        chat_id: -5,
        sender: Some(sender(ANN)),
        sender_chat: None,
        text: Some("hi".into()),
    };
    let expected = json!({
        "bot": "main", "update_id": 3, "chat": { "group": { "title": "Family" } }, "chat_id": -5,
        "sender": sender_json(), "sender_chat": null, "text": "hi",
    });
    pinned(&knock, expected);
    pinned(&ChatKind::Private, json!("private"));
    pinned(&ChatKind::Channel, json!("channel"));
    let press = Press {
        bot: "main".into(),
        update_id: 3,
        sender: sender(ANN),
        data: "dir:g:-5".into(),
        chat_id: Some(55),
        message_id: Some(9),
    };
    let expected = json!({
        "bot": "main", "update_id": 3, "sender": sender_json(), "data": "dir:g:-5", "chat_id": 55, "message_id": 9,
    });
    pinned(&press, expected);
    let member = Member {
        bot: "main".into(),
        update_id: 3,
        chat: ChatKind::Private,
        chat_id: 55,
        by: sender(ANN),
        present: true,
    };
    let expected = json!({
        "bot": "main", "update_id": 3, "chat": "private", "chat_id": 55, "by": sender_json(), "present": true,
    });
    pinned(&member, expected);
}

#[test]
fn a_shorter_question_of_an_older_release_is_understood() {
    let knock: Knock =
        serde_json::from_value(json!({ "bot": "main", "update_id": 3, "chat": "private", "chat_id": 5 })).unwrap();
    assert_eq!((knock.sender, knock.sender_chat, knock.text), (None, None, None));
    let short: Sender = serde_json::from_value(json!({ "user_id": 5, "first_name": "Ann" })).unwrap();
    assert!(!short.is_bot);
}

#[test]
fn verdicts() {
    let admission = Admission {
        owner: true,
        require_mention: false,
        bot_username: Some("tide_bot".into()),
        bot_user_id: Some(777),
        good_for_ms: 600_000,
    };
    let expected = json!({
        "verdict": "admit", "owner": true, "require_mention": false, "bot_username": "tide_bot",
        "bot_user_id": 777, "good_for_ms": 600_000,
    });
    pinned(&Verdict::Admit(admission), expected);
    let refuse = Verdict::Refuse { reason: Reason::PairingStarted, quiet_for_ms: 5_000 };
    pinned(&refuse, json!({ "verdict": "refuse", "reason": "pairing_started", "quiet_for_ms": 5_000 }));
    assert_eq!(serde_json::from_value::<Reason>(json!("a_newer_word")).unwrap(), Reason::Unknown);
}

#[test]
fn changes() {
    pinned(&notice(), notice_json());
    let closed = AccessChange { session_prefix: "main:55".into(), user_id: None, access: Access::Closed };
    let open = AccessChange {
        session_prefix: "main:-5".into(),
        user_id: Some(55),
        access: Access::Open { require_mention: true },
    };
    let change = Change { notices: vec![notice()], access: vec![closed, open] };
    let expected = json!({
        "notices": [notice_json()],
        "access": [
            { "session_prefix": "main:55", "user_id": null, "access": "closed" },
            { "session_prefix": "main:-5", "user_id": 55, "access": { "open": { "require_mention": true } } },
        ],
    });
    pinned(&change, expected.clone());
    pinned(&Pressed { answer: "ok".into(), change }, json!({ "answer": "ok", "change": expected }));
    pinned(&Access::Owner(true), json!({ "owner": true }));
    pinned(&Actor::Invite(3), json!({ "invite": 3 }));
    pinned(&Reason::Invited, json!("invited"));
    pinned(&Outcome::Sent { message_id: Some(1) }, json!({ "sent": { "message_id": 1 } }));
    pinned(&Outcome::Retry { at: 5 }, json!({ "retry": { "at": 5 } }));
    pinned(&Outcome::Ambiguous, json!("ambiguous"));
    pinned(&Outcome::Permanent { error: "no".into() }, json!({ "permanent": { "error": "no" } }));
}

#[test]
fn lists() {
    let person = Person {
        bot: "main".into(),
        user_id: 55,
        name: "Ann".into(),
        username: None,
        language_code: None,
        state: PersonState::Approved,
        since: 1,
        by: Some("tg:1".into()),
    };
    let expected = json!({
        "bot": "main", "user_id": 55, "name": "Ann", "username": null, "language_code": null,
        "state": "approved", "since": 1, "by": "tg:1",
    });
    pinned(&person, expected);
    let group = Group {
        bot: "main".into(),
        chat_id: -5,
        title: "Family".into(),
        state: GroupState::Pending,
        require_mention: true,
        present: false,
        since: 1,
        added_by: Some(55),
        admitted_by: None,
        owners_told_at: None,
    };
    let expected = json!({
        "bot": "main", "chat_id": -5, "title": "Family", "state": "pending", "require_mention": true,
        "present": false, "since": 1, "added_by": 55, "admitted_by": null, "owners_told_at": null,
    });
    pinned(&group, expected);
    let pending = Pending {
        code: "ABCDEFGH".into(),
        user_id: 55,
        name: "Ann".into(),
        username: None,
        created_at: 1,
        expires_at: 2,
    };
    let expected = json!({
        "code": "ABCDEFGH", "user_id": 55, "name": "Ann", "username": null, "created_at": 1, "expires_at": 2,
    });
    pinned(&pending, expected);
    let entry =
        AuditEntry { id: 1, at: 2, bot: None, who: "system".into(), what: "claim".into(), subject: "55".into() };
    pinned(&entry, json!({ "id": 1, "at": 2, "bot": null, "who": "system", "what": "claim", "subject": "55" }));
    let refusal = Refusal {
        at: 1,
        bot: "main".into(),
        update_id: 3,
        chat_id: -5,
        chat_title: None,
        user_id: None,
        name: None,
        reason: Reason::Channel,
    };
    let expected = json!({
        "at": 1, "bot": "main", "update_id": 3, "chat_id": -5, "chat_title": null, "user_id": null,
        "name": null, "reason": "channel",
    });
    pinned(&refusal, expected);
    let bot = Bot { id: "main".into(), user_id: None, username: None, profile_checked_at: None };
    pinned(&bot, json!({ "id": "main", "user_id": null, "username": null, "profile_checked_at": null }));
}

/// Stored words are what serde writes: rows and JSON never disagree.
#[test]
fn words() {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    for state in [PersonState::Owner, PersonState::Approved, PersonState::Pending, PersonState::Blocked] {
        assert_eq!(word(json!(state)), state.as_str());
    }
    for state in [GroupState::Pending, GroupState::Admitted, GroupState::Blocked] {
        assert_eq!(word(json!(state)), state.as_str());
    }
    for policy in [DmPolicy::Pairing, DmPolicy::Allowlist, DmPolicy::Open, DmPolicy::Disabled] {
        assert_eq!(word(json!(policy)), policy.as_str());
    }
}

#[test]
fn buttons_fit_callback_data() {
    let code = Code::pairing("ABCDEFGH").unwrap();
    let buttons = [
        Button::Approve(code.clone()),
        Button::Deny(code.clone()),
        Button::Block(code),
        Button::AdmitGroup(-(1 << 52)),
        Button::LeaveGroup(i64::MIN),
    ];
    for button in buttons {
        let data = button.to_string();
        assert!(data.len() <= 64 && Button::is_ours(&data));
        assert_eq!(Button::parse(&data), Some(button));
    }
}
