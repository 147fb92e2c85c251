//! A message comes, an answer goes.

use serde_json::json;

use super::model::{Script, State};
use super::sim::Sim;
use super::updates::from_bot;

#[test]
fn a_simple_turn() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("**Hello** to you"));
    sim.text("Hello");
    assert_eq!(sim.webhook_replies[0]["method"], "sendChatAction", "typing rides in the webhook's answer");
    sim.run();
    assert_eq!(sim.screen(), ["Hello to you"]);
    assert_eq!(sim.methods(), ["sendMessage"], "an instant answer needs no draft and no typing");
    assert_eq!(sim.calls("sendMessage")[0].params["entities"][0]["type"], "bold");
    assert!(!sim.calls("sendMessage")[0].is_silent());
    assert_eq!(sim.inbox(), ["message turn"]);
    assert_eq!(sim.turns(), ["answered"]);
    assert_eq!(sim.outbox(), ["answer sent"]);
    assert_eq!(sim.store.rows("SELECT kind, state FROM step"), ["model done"]);
    assert_eq!(sim.requests()[0].prompt(), ["user: Hello"]);
    assert_eq!(sim.requests()[0].state.get(), State::Read);
}

#[test]
fn the_next_question_comes_with_the_history() {
    let mut sim = Sim::private();
    sim.text("one");
    sim.run();
    sim.text("two");
    sim.run();
    assert_eq!(sim.requests()[1].prompt(), ["user: one", "assistant: Re: one", "user: two"]);
}

#[test]
fn an_update_delivered_fifty_times_is_answered_once() {
    let mut sim = Sim::private();
    sim.text("Hello");
    let again = json!({"update_id": sim.last_update_id(), "message": super::updates::message(100, false,
        json!({"text": "Hello"}))})
    .to_string();
    for round in 0..50 {
        sim.post(&again).unwrap();
        sim.run_for(round * 7);
    }
    sim.run();
    sim.post(&again).unwrap();
    sim.run();
    assert_eq!(sim.screen(), ["Re: Hello"]);
    assert_eq!(sim.requests().len(), 1);
    assert_eq!(sim.inbox(), ["message turn"]);
}

#[test]
fn messages_during_a_turn_are_answered_together_after_it() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::words(1_000, &["First ", "answer"]));
    sim.text("one");
    sim.run_for(500);
    for text in ["two", "three", "four"] {
        sim.text(text);
        sim.run_for(100);
    }
    sim.run();
    let screen = sim.screen();
    assert!(screen[0].starts_with("⏳ Noted."), "{screen:?}");
    assert_eq!(screen[1..], ["First answer", "Re: two\n\nthree\n\nfour"]);
    let sent = sim.calls("sendMessage");
    assert!(sent[0].is_silent() && sent[0].at < 600, "the notice comes at once and makes no sound");
    assert_eq!(sim.inbox(), ["message turn", "message turn", "message merged", "message merged"]);
    assert_eq!(sim.turns(), ["answered", "answered"]);
    assert_eq!(sim.requests().len(), 2);
}

#[test]
fn each_busy_time_has_its_own_notice() {
    let mut sim = Sim::private();
    for _ in 0..2 {
        sim.world.model.next(Script::words(2_000, &["Slow"]));
        sim.text("q");
        sim.run_for(500);
        sim.text("more");
        sim.run();
    }
    assert_eq!(sim.screen().iter().filter(|text| text.starts_with('⏳')).count(), 2);
}

#[test]
fn a_long_answer_comes_in_pieces_in_order() {
    let mut sim = Sim::private();
    let lines: Vec<String> = (0..1_500).map(|n| format!("line {n}\n")).collect();
    let words: Vec<&str> = lines.iter().map(String::as_str).collect();
    sim.world.model.next(Script::words(1, &words));
    sim.text("Tell me everything");
    sim.run();
    let sent = sim.calls("sendMessage");
    assert!(sent.len() >= 3, "{} pieces", sent.len());
    let whole: String = sent.iter().map(|piece| format!("{}\n", piece.text())).collect();
    assert_eq!(whole.split_whitespace().collect::<String>(), lines.concat().split_whitespace().collect::<String>());
    assert!(!sent[0].is_silent(), "the first piece rings");
    assert!(sent[1..].iter().all(|piece| piece.is_silent()), "the others do not");
    assert_eq!(sim.store.rows("SELECT DISTINCT state FROM outbox"), ["sent"]);
    assert_eq!(sim.store.rows("SELECT seq FROM outbox ORDER BY id")[..3], ["0", "1", "2"]);
}

#[test]
fn an_answer_cut_by_its_length_says_so() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Half of it").too_long());
    sim.text("Hello");
    sim.run();
    assert!(sim.screen()[0].starts_with("Half of it\n\n✂️"), "{:?}", sim.screen());
}

#[test]
fn a_reply_shows_the_model_what_it_replies_to() {
    let mut sim = Sim::private();
    let ours = json!({"message_id": 90, "chat": {"id": 7, "type": "private"}, "from": from_bot(), "text": "one two"});
    sim.send(json!({"text": "why?", "reply_to_message": ours}));
    sim.run();
    assert_eq!(sim.requests()[0].question(), "[In reply to your earlier message:]\n> one two\n\nwhy?");
    sim.send(json!({"text": "why?", "reply_to_message": ours, "quote": {"text": "two", "is_manual": true}}));
    sim.run();
    assert_eq!(sim.requests()[1].question(), "[In reply to your earlier message:]\n> two\n\nwhy?");
}

#[test]
fn a_person_who_speaks_russian_reads_russian() {
    let mut sim = Sim::private();
    let from = json!({"id": 7, "is_bot": false, "first_name": "Аня", "language_code": "ru"});
    sim.world.model.next(Script::status(401, r#"{"error":"unauthorized"}"#));
    sim.send(json!({"text": "Привет", "from": from}));
    sim.run();
    assert!(sim.screen()[0].contains("не принимает ключ"), "{:?}", sim.screen());
}

#[test]
fn sixty_messages_during_a_turn_are_all_answered() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Done").after(10_000));
    sim.text("first");
    for n in 0..60 {
        sim.text(&format!("more{n}."));
        sim.run_for(20);
    }
    sim.run();
    let asked: String = sim.requests().iter().map(|request| request.question().to_owned()).collect();
    assert!((0..60).all(|n| asked.contains(&format!("more{n}."))));
    assert_eq!(sim.requests().len(), 3, "fifty to a turn");
    assert_eq!(sim.screen().iter().filter(|text| text.starts_with('⏳')).count(), 1);
}
