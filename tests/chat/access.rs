//! Access is given and taken back.

use tideclaw::chat::Accepted;
use tideclaw::directory::{Access, AccessChange};

use serde_json::json;

use super::model::{Script, State};
use super::sim::Sim;
use super::updates::{PERSON, mention, message};

fn change(user_id: Option<i64>, access: Access) -> AccessChange {
    AccessChange { session_prefix: "main:7".into(), user_id, access }
}

#[test]
fn a_chat_that_is_not_admitted_stores_nothing_and_does_nothing() {
    let mut sim = Sim::private();
    sim.admission = None;
    assert_eq!(sim.update("message", message(1, false, json!({"text": "hi"}))), Accepted::NotAdmitted);
    sim.run();
    assert!(sim.screen().is_empty() && sim.inbox().is_empty() && sim.requests().is_empty());
}

#[test]
fn access_taken_back_in_mid_turn_ends_it_and_drops_what_waits() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(100, &["One "]).hang());
    sim.text("go");
    sim.run_for(2_000);
    sim.text("and more");
    sim.run_for(1_000);
    sim.change_access(&change(None, Access::Closed));
    sim.run();
    assert_eq!(sim.requests()[0].state.get(), State::Aborted(3_000));
    assert_eq!(sim.requests().len(), 1);
    assert_eq!(sim.inbox(), ["message turn", "message dropped"]);
    assert_eq!(sim.turns(), ["stopped"]);
    sim.admission = None;
    assert_eq!(sim.update("message", message(1, false, json!({"text": "hi"}))), Accepted::NotAdmitted);
    sim.run();
    assert_eq!(sim.requests().len(), 1);
}

#[test]
fn a_person_blocked_in_a_group_is_not_heard_until_let_in_again() {
    let mut sim = Sim::group();
    sim.send(mention("one"));
    sim.run();
    sim.change_access(&change(Some(PERSON), Access::Closed));
    sim.send(mention("two"));
    sim.run();
    sim.change_access(&change(Some(PERSON), Access::Open { require_mention: true }));
    sim.send(mention("three"));
    sim.run();
    assert_eq!(sim.inbox(), ["message turn", "message dropped", "message turn"]);
}

#[test]
fn the_mention_rule_can_change() {
    let mut sim = Sim::group();
    sim.send(mention("one"));
    sim.run();
    sim.change_access(&change(None, Access::Open { require_mention: false }));
    sim.text("two");
    sim.run();
    assert_eq!(sim.inbox(), ["message turn", "message turn"]);
}

#[test]
fn an_owner_no_more_sees_only_their_own_numbers_and_loses_no_answer() {
    let mut sim = Sim::private();
    sim.admission.as_mut().unwrap().owner = true;
    sim.text("/usage");
    sim.run();
    assert!(sim.screen()[0].starts_with("📊 Usage"), "{:?}", sim.screen());
    sim.text("Hello");
    sim.run_for(1);
    sim.change_access(&change(None, Access::Owner(false)));
    // A sender the Worker knows comes without the Directory's word.
    sim.admission = None;
    sim.run();
    sim.text("/usage");
    sim.run();
    assert_eq!(sim.screen()[1], "Re: Hello");
    assert!(sim.screen()[2].starts_with("📊 Your usage"), "{:?}", sim.screen());
    sim.change_access(&change(None, Access::Owner(true)));
    sim.text("/usage");
    sim.run();
    assert!(sim.screen()[3].starts_with("📊 Usage"), "{:?}", sim.screen());
}
