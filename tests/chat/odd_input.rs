//! Updates that are broken, unknown or not for us.

use serde_json::json;

use super::sim::Sim;
use super::updates::{BOT_ID, PERSON};

#[test]
fn what_is_no_update_is_taken_and_forgotten() {
    let mut sim = Sim::private();
    for body in ["", "nonsense", "[]", "{}", r#"{"update_id":"x"}"#, "\u{0}", r#"{"message":{"text":"hi"}}"#] {
        sim.post(body).unwrap();
    }
    sim.run();
    assert!(sim.screen().is_empty() && sim.inbox().is_empty());
}

#[test]
fn kinds_we_do_not_know_are_recorded() {
    let mut sim = Sim::private();
    sim.update("business_message", json!({"anything": ["at", {"all": null}]}));
    sim.update("message", json!({"no": "id"}));
    sim.update("message", json!(5));
    sim.update("poll", json!("é".repeat(5_000)));
    let chat = json!({"id": PERSON, "type": "private"});
    let from = json!({"id": PERSON, "first_name": "Ann"});
    sim.update("my_chat_member", json!({"chat": chat, "from": from, "new_chat_member": {"status": "member"}}));
    sim.run();
    assert!(sim.screen().is_empty() && sim.requests().is_empty());
    assert!(sim.inbox().iter().all(|row| row.ends_with(" recorded")), "{:?}", sim.inbox());
    assert_eq!(sim.inbox().len(), 5);
}

#[test]
fn a_message_we_cannot_read_is_said_so_in_private_and_not_in_groups() {
    let mut sim = Sim::private();
    sim.send(json!({"story": {"id": 1}}));
    sim.send(json!({"pinned_message": {"message_id": 1}}));
    sim.run();
    assert_eq!(sim.screen(), ["I cannot read this kind of message yet."]);
    let mut sim = Sim::group();
    sim.send(json!({"story": {"id": 1}}));
    sim.send(json!({"new_chat_members": [{"id": BOT_ID, "is_bot": true, "first_name": "T"}]}));
    sim.run();
    assert!(sim.screen().is_empty());
}

#[test]
fn places_contacts_and_stickers_are_words() {
    let mut sim = Sim::private();
    for fields in [
        json!({"location": {"latitude": 1.5, "longitude": 2.5}}),
        json!({"contact": {"phone_number": "123", "first_name": "Bob"}}),
        json!({"sticker": {"file_id": "s", "file_unique_id": "s", "emoji": "😀"}}),
    ] {
        sim.send(fields);
        sim.run();
    }
    assert_eq!(sim.screen(), ["Re: [location: 1.5, 2.5]", "Re: [contact: Bob, 123]", "Re: 😀"]);
}

#[test]
fn buttons_nobody_made_are_answered() {
    let mut sim = Sim::private();
    for data in ["", "x", "again:", "again:999", "redo:abc", "redo:-1", "m:", "m:1:zz", "mp:99:0", "::::"] {
        assert_eq!(sim.press_data(50, data), "This button is no longer of use.", "{data:?}");
    }
    sim.run();
    assert!(sim.screen().is_empty());
    let from = json!({"id": PERSON, "first_name": "Ann"});
    let old = json!({"message_id": 0, "date": 0, "chat": {"id": PERSON, "type": "private"}});
    sim.update("callback_query", json!({"id": "1", "from": from, "message": old, "data": "redo:1"}));
    sim.update("callback_query", json!({"id": "1", "from": from}));
    sim.run();
    assert!(sim.screen().is_empty());
}

#[test]
fn text_at_its_largest_is_answered() {
    let mut sim = Sim::private();
    sim.world.model.next(super::model::Script::says(&"я".repeat(60_000)));
    sim.text(&"😀".repeat(2_048));
    sim.run();
    assert_eq!(sim.world.telegram.documents.borrow()[0].1.matches('я').count(), 60_000, "in the file");
    assert_eq!(sim.screen().len(), 5);
    assert!(sim.outbox().iter().all(|row| row == "answer sent"));
}
