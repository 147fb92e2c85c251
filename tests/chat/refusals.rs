//! What Telegram refuses or puts off, and what becomes of the answer.

use super::model::Script;
use super::sim::Sim;
use super::telegram::Answer;
use super::updates::mention;

#[test]
fn a_flood_is_waited_out_as_told() {
    for seconds in [1, 400] {
        let mut sim = Sim::private();
        sim.world.telegram.once("sendMessage", Answer::Flood(seconds));
        sim.text("Hello");
        sim.run();
        let sent = sim.calls("sendMessage");
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[1].at - sent[0].at, 40 + seconds * 1_000);
        assert_eq!(sim.screen(), ["Re: Hello"]);
        // Nothing polls: one for the wait, two to tell the Directory, of what waits and that nothing does any more.
        assert!(sim.alarms_fired <= 3, "{seconds}: {} alarms", sim.alarms_fired);
    }
}

#[test]
fn a_flood_holds_the_whole_chat_and_keeps_the_order() {
    let mut sim = Sim::private();
    sim.world.telegram.once("sendMessage", Answer::Flood(60));
    sim.text("one");
    sim.run_for(2_000);
    sim.text("two");
    sim.run_for(2_000);
    sim.text("/help");
    sim.run();
    let sent = sim.calls("sendMessage");
    assert!(sent[1].at >= 60_000, "no call in between");
    assert_eq!(sim.screen()[..2], ["Re: one", "Re: two"]);
    assert_eq!(sim.screen().len(), 3);
}

#[test]
fn floods_never_use_up_an_answer() {
    let mut sim = Sim::private();
    sim.world.telegram.times("sendMessage", 0, 30, Answer::Flood(30));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.screen(), ["Re: Hello"]);
    assert_eq!(sim.calls("sendMessage").len(), 31);
}

#[test]
fn a_flood_wait_survives_a_killed_process() {
    let mut sim = Sim::private();
    sim.world.telegram.once("sendMessage", Answer::Flood(60));
    sim.text("Hello");
    sim.run_for(2_000);
    sim.kill();
    sim.run_for(2_000);
    sim.text("/help");
    sim.run();
    assert!(sim.calls("sendMessage")[1].at >= 60_000);
    assert_eq!(sim.screen()[0], "Re: Hello");
}

#[test]
fn a_server_that_fails_is_tried_again_and_in_the_end_given_up() {
    let mut sim = Sim::private();
    sim.world.telegram.times("sendMessage", 0, 3, Answer::Refuse(500, "Internal Server Error"));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.screen(), ["Re: Hello"]);
    assert_eq!(sim.calls("sendMessage").len(), 4);

    let mut sim = Sim::private();
    sim.world.telegram.always("sendMessage", Answer::Refuse(502, "Bad Gateway"));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.outbox(), ["answer failed"]);
    assert!(sim.calls("sendMessage").len() <= 8);
    sim.world.telegram.mend();
    sim.text("/status");
    sim.run();
    assert!(sim.screen()[0].contains("Deliveries given up: 1"), "{:?}", sim.screen());
}

#[test]
fn refused_formatting_goes_out_plain_and_is_counted() {
    for words in ["Bad Request: can't parse entities: x", "Bad Request: ENTITIES_TOO_LONG"] {
        let mut sim = Sim::private();
        sim.world.model.next(Script::says("**bold** move"));
        sim.world.telegram.once("sendMessage", Answer::Refuse(400, words));
        sim.text("Hello");
        sim.run();
        assert_eq!(sim.screen(), ["bold move"]);
        assert!(sim.calls("sendMessage")[1].params.get("entities").is_none());
        sim.text("/status");
        sim.run();
        assert!(sim.screen()[1].contains("Sent without formatting: 1"), "{:?}", sim.screen());
    }
}

#[test]
fn a_reply_to_a_message_that_is_gone_goes_out_alone() {
    let mut sim = Sim::group();
    sim.world.telegram.once("sendMessage", Answer::Refuse(400, "Bad Request: message to be replied not found"));
    sim.send(mention("hi"));
    sim.run();
    assert_eq!(sim.screen(), ["Re: Ann: hi"]);
    assert_eq!(sim.calls("sendMessage")[1].reply_to(), None);
}

#[test]
fn a_topic_that_is_gone_is_answered_in_general() {
    let mut sim = Sim::group();
    sim.topic = Some(5);
    sim.world.telegram.once("sendMessage", Answer::Refuse(400, "Bad Request: message thread not found"));
    sim.send(mention("hi"));
    sim.run();
    let sent = sim.calls("sendMessage");
    assert_eq!(sent[0].params["message_thread_id"], 5);
    assert!(sent[1].params.get("message_thread_id").is_none());
    assert_eq!(sim.screen().len(), 1);
}

#[test]
fn a_keyboard_that_is_refused_is_left_out() {
    let mut sim = Sim::private();
    sim.world.telegram.once("sendMessage", Answer::Refuse(400, "Bad Request: BUTTON_DATA_INVALID"));
    sim.text("/model");
    sim.run();
    assert_eq!(sim.screen().len(), 1);
}

#[test]
fn a_chat_that_is_gone_is_not_called_again_until_it_speaks() {
    for answer in [
        Answer::Refuse(403, "Forbidden: bot was blocked by the user"),
        Answer::Refuse(400, "Bad Request: chat not found"),
    ] {
        let mut sim = Sim::private();
        sim.world.model.next(Script::says(&"many words ".repeat(1_000)));
        sim.world.telegram.always("sendMessage", answer);
        sim.text("Hello");
        sim.run();
        assert_eq!(sim.calls("sendMessage").len(), 1, "one refusal is enough for all pieces");
        assert!(sim.outbox().iter().all(|row| row == "answer failed"));
        sim.world.telegram.mend();
        sim.text("Hello again");
        sim.run();
        assert_eq!(sim.screen(), ["Re: Hello again"]);
    }
}

#[test]
fn a_group_that_became_a_supergroup_is_followed() {
    let mut sim = Sim::group();
    sim.world.model.next(Script::says(&"many words ".repeat(1_000)));
    sim.world.telegram.once("sendMessage", Answer::Migrated(-200));
    sim.send(mention("hi"));
    sim.run();
    let sent = sim.calls("sendMessage");
    assert_eq!(sent[0].params["chat_id"], -100_500);
    assert_eq!(sent[1].params["chat_id"], -200);
    sim.send(mention("more"));
    sim.run();
    assert_eq!(sim.calls("sendMessage").last().unwrap().params["chat_id"], -200, "remembered");
    assert!(sim.outbox().iter().all(|row| row == "answer sent"));
}

#[test]
fn a_migration_told_by_a_message_is_followed_too() {
    let mut sim = Sim::group();
    sim.send(serde_json::json!({"migrate_to_chat_id": -200}));
    sim.send(mention("more"));
    sim.run();
    assert_eq!(sim.calls("sendMessage")[0].params["chat_id"], -200);
    assert_eq!(sim.inbox(), ["message recorded", "message turn"]);
}

#[test]
fn anything_else_is_given_up_once_and_logged() {
    let mut sim = Sim::private();
    sim.world.telegram.once("sendMessage", Answer::Refuse(400, "Bad Request: something new"));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.outbox(), ["answer failed"]);
    assert_eq!(sim.logged("telegram refused sendMessage: Bad Request: something new"), 1);
    sim.text("More");
    sim.run();
    assert_eq!(sim.screen(), ["Re: More"]);
}

#[test]
fn a_call_refused_in_every_form_ends() {
    let mut sim = Sim::private();
    sim.world.telegram.always("sendMessage", Answer::Refuse(400, "Bad Request: can't parse entities: x"));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.outbox(), ["answer failed"]);
    assert!(sim.calls("sendMessage").len() <= 5);
}
