//! The model's server is slow, breaks off, refuses or says nothing.

use super::model::{Script, State};
use super::sim::Sim;

/// One question; the screen after everything came to rest.
fn ask(scripts: impl IntoIterator<Item = Script>) -> Sim {
    let mut sim = Sim::private();
    scripts.into_iter().for_each(|script| sim.world.model.next(script));
    sim.text("Hello");
    sim.run();
    sim
}

#[test]
fn a_first_byte_after_65_seconds_is_waited_for_and_asked_for_once() {
    let sim = ask([Script::says("Loaded").after(65_000)]);
    assert_eq!(sim.screen(), ["Loaded"]);
    assert_eq!(sim.requests().len(), 1);
    assert_eq!(sim.turns(), ["answered"]);
    assert!(sim.alarms_fired <= 8, "{} alarms", sim.alarms_fired);
}

#[test]
fn a_model_that_hangs_ends_in_a_message_at_each_deadline() {
    let forever: Vec<&str> = vec!["x "; 2_000];
    for (script, at, seconds, text) in [
        (Script::says("Never").after(10_000_000), 120_000, 120, ""),
        (Script::partial(1_000, &["One ", "two "]).hang(), 92_000, 90, "One two"),
        (Script::words(1_000, &forever), 600_000, 600, "x x"),
    ] {
        let sim = ask([script]);
        assert_eq!(sim.requests().len(), 1);
        assert_eq!(sim.requests()[0].state.get(), State::Aborted(at), "the request is given up");
        let sent = sim.calls("sendMessage");
        assert!(sent.last().unwrap().at <= at + 500, "at once: {}", sent.last().unwrap().at);
        assert!(sim.screen()[0].starts_with(text), "{:?}", sim.screen());
        assert!(sim.screen().last().unwrap().contains(&format!("within {seconds} s")), "{:?}", sim.screen());
        assert_eq!(sim.turns(), ["failed"]);
    }
}

#[test]
fn a_stream_that_breaks_is_tried_again() {
    for broken in [
        Script::partial(100, &["One ", "tw"]).cut(),
        Script::partial(100, &["One ", "tw"]),
        Script::partial(100, &["One "]).line(r#"{"error":"runner crashed"}"#),
        Script::partial(100, &["One "]).line("<html>"),
        Script::refused(),
        Script::status(500, "<html><title>Internal Server Error</title>"),
        Script::status(503, ""),
        Script::status(429, r#"{"error":"too many requests"}"#).retry_after("2"),
    ] {
        let sim = ask([broken, Script::says("Whole answer")]);
        assert_eq!(sim.screen(), ["Whole answer"]);
        assert_eq!(sim.requests().len(), 2);
        assert_eq!(sim.store.rows("SELECT state FROM step ORDER BY id"), ["failed", "done"]);
        assert_eq!(sim.requests()[1].prompt(), ["user: Hello"], "nothing of the broken answer is in the prompt");
    }
}

#[test]
fn a_rate_limit_is_waited_out_as_told() {
    let sim = ask([Script::status(429, r#"{"error":"too many requests"}"#).retry_after("7")]);
    assert_eq!(sim.requests()[1].at, 7_000);
    assert_eq!(sim.screen(), ["Re: Hello"]);
}

#[test]
fn what_does_not_pass_ends_in_words_that_say_what_to_do() {
    let many = |script: Script| vec![script; 5];
    for (scripts, asked, words) in [
        (many(Script::status(401, r#"{"error":"unauthorized"}"#)), 1, "refuses the bot's key"),
        (many(Script::status(403, r#"{"error":"this model requires a subscription"}"#)), 1, "not available"),
        (many(Script::status(404, r#"{"error":"model 'x' not found"}"#)), 1, "not available"),
        (many(Script::status(429, r#"{"error":"you have reached your weekly usage limit"}"#)), 1, "usage limit"),
        (many(Script::status(429, "slow down").retry_after("3600")), 1, "overloaded"),
        (many(Script::status(429, "slow down")), 3, "overloaded"),
        (many(Script::status(400, r#"{"error":"bad"}"#)), 1, "did not accept the request"),
        (many(Script::status(413, "")), 1, "too long for the model"),
        (many(Script::status(500, "<html>")), 3, "keeps failing"),
        (many(Script::refused()), 3, "keeps failing"),
        (many(Script::words(0, &[])), 2, "empty answer"),
        (many(Script::words(0, &["  \n"])), 2, "empty answer"),
    ] {
        let sim = ask(scripts);
        assert_eq!(sim.screen().len(), 1, "{words}: {:?}", sim.screen());
        assert!(sim.screen()[0].starts_with('⚠') && sim.screen()[0].contains(words), "{words}: {:?}", sim.screen());
        assert_eq!(sim.requests().len(), asked, "{words}");
        assert_eq!((sim.turns(), sim.inbox()), (vec!["failed".into()], vec!["message turn".into()]));
        assert!(!sim.screen()[0].contains("html"), "no server's words reach the chat");
    }
}

#[test]
fn what_was_there_before_it_broke_for_good_is_kept() {
    let sim = ask(vec![Script::partial(100, &["Half an ", "answer"]).cut(); 3]);
    let screen = sim.screen();
    assert!(screen[0].starts_with("Half an answer\n\n⚠️ The model broke off here."), "{screen:?}");
    assert_eq!(sim.requests().len(), 3);
}

#[test]
fn the_next_message_works_after_any_trouble() {
    let mut sim = ask([Script::status(401, "")]);
    sim.text("And now?");
    sim.run();
    assert_eq!(sim.screen()[1], "Re: And now?");
}

#[test]
fn an_answer_in_bytes_of_one_is_read() {
    let sim = ask([Script::says("Привет, мир").bytewise()]);
    assert_eq!(sim.screen(), ["Привет, мир"]);
}
