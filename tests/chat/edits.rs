//! The person edits a message.

use serde_json::json;

use super::model::Script;
use super::sim::Sim;

#[test]
fn a_waiting_message_simply_changes() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Done").after(5_000));
    sim.text("one");
    sim.run_for(100);
    let id = sim.text("twoo");
    sim.run_for(100);
    sim.edit(id, json!({"text": "two"}));
    sim.run();
    assert_eq!(sim.requests()[1].question(), "two");
    assert_eq!(sim.inbox(), ["message turn", "message turn", "edited_message merged"]);
}

#[test]
fn an_answered_message_can_be_answered_anew() {
    let mut sim = Sim::private();
    let id = sim.text("waht?");
    sim.run();
    sim.edit(id, json!({"text": "what?"}));
    sim.run();
    assert_eq!(sim.screen(), ["Re: waht?", "✏️ You changed the message I answered."]);
    assert!(sim.calls("sendMessage")[1].is_silent());
    assert_eq!(sim.calls("sendMessage")[1].reply_to(), Some(id));
    assert_eq!(sim.press("🔁"), "Answering the new text");
    sim.run();
    assert_eq!(sim.screen(), ["Re: what?"], "the old answer and the question are gone");
    assert_eq!(sim.requests()[1].prompt(), ["user: what?"], "the old exchange is out of the prompt");
    assert_eq!(sim.inbox(), ["message turn", "edited_message edit", "callback_query button"]);
    assert_eq!(sim.turns(), ["answered", "answered"]);
    sim.text("next");
    sim.run();
    assert_eq!(sim.requests()[2].prompt(), ["user: what?", "assistant: Re: what?", "user: next"]);
}

#[test]
fn the_button_works_once() {
    let mut sim = Sim::private();
    let id = sim.text("waht?");
    sim.run();
    sim.edit(id, json!({"text": "what?"}));
    sim.run();
    assert_eq!(sim.press("🔁"), "Answering the new text");
    let data = "redo:1";
    assert_eq!(sim.press_data(102, data), "This button is no longer of use.");
    sim.run();
    assert_eq!(sim.press_data(102, data), "This button is no longer of use.");
    sim.run();
    assert_eq!(sim.requests().len(), 2);
    assert_eq!(sim.screen(), ["Re: what?"]);
}

#[test]
fn an_edit_of_hidden_fields_is_nothing() {
    let mut sim = Sim::private();
    let id = sim.text("what?");
    sim.run();
    sim.edit(id, json!({"text": "what?", "edit_date": 5, "link_preview_options": {"is_disabled": true}}));
    sim.run();
    assert_eq!(sim.screen(), ["Re: what?"]);
    assert_eq!(sim.inbox(), ["message turn", "edited_message dropped"]);
}

#[test]
fn an_edit_never_is_a_command_and_an_unknown_message_is_ignored() {
    let mut sim = Sim::private();
    let id = sim.text("new");
    sim.run();
    sim.edit(id, json!({"text": "/new"}));
    sim.edit(3, json!({"text": "/stop"}));
    sim.run();
    assert_eq!(sim.screen().len(), 2, "an offer, no command: {:?}", sim.screen());
    assert_eq!(sim.store.rows("SELECT max(epoch) FROM message"), ["0"]);
}

#[test]
fn a_message_whose_turn_runs_can_be_answered_anew_after_it() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Done").after(5_000));
    let id = sim.text("waht?");
    sim.run_for(1_000);
    sim.edit(id, json!({"text": "what?"}));
    sim.run();
    assert_eq!(sim.press("🔁"), "Answering the new text");
    sim.run();
    assert_eq!(sim.screen(), ["Re: what?"]);
}

#[test]
fn a_long_answer_is_taken_back_in_whole() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says(&"many words ".repeat(1_000)));
    let id = sim.text("waht?");
    sim.run();
    assert!(sim.screen().len() >= 3);
    sim.edit(id, json!({"text": "what?"}));
    sim.run();
    sim.press("🔁");
    sim.run();
    assert_eq!(sim.screen(), ["Re: what?"]);
}

#[test]
fn an_edit_of_an_older_message_offers_nothing() {
    let mut sim = Sim::private();
    let id = sim.text("waht?");
    sim.run();
    sim.text("And now something else");
    sim.run();
    sim.edit(id, json!({"text": "what?"}));
    sim.run();
    assert_eq!(sim.screen().len(), 2, "{:?}", sim.screen());
}
