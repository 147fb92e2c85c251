//! Stop is never stuck: every way to say it, at every moment of a turn.

use serde_json::json;

use super::model::{Script, State};
use super::sim::Sim;
use super::updates::PERSON;

/// The ways a person can say stop.
const WAYS: [&str; 6] = ["/stop", "stop", "Стоп.", "/stop@TideBot", "draft button", "inline button"];

fn stop(sim: &mut Sim, way: &str) {
    match way {
        "draft button" => {
            let chat = json!({"id": PERSON, "type": "private"});
            let drafts = sim.calls("sendMessageDraft");
            let id = drafts.last().map_or(64, |made| made.params["draft_id"].as_i64().unwrap());
            sim.update("stopped_message_generation", json!({"chat": chat, "draft_id": id}));
        }
        "inline button" => {
            sim.press_data(50, "stop:1");
        }
        text => {
            sim.text(text);
        }
    }
}

/// Stops by every way at `at`; hands the scenario to `check` when the stop has had 100 ms, and looks that nothing more
/// comes and that the next message is answered.
fn by_every_way(script: fn(&Sim), at: i64, check: fn(&Sim, &str)) {
    for way in WAYS {
        let mut sim = Sim::private();
        script(&sim);
        sim.text("Tell me");
        sim.run_for(at);
        stop(&mut sim, way);
        sim.run_for(400);
        check(&sim, way);
        let asked = sim.requests().len();
        let shown = sim.screen();
        let calls = sim.world.telegram.calls.borrow().len();
        sim.run();
        assert_eq!(sim.screen(), shown, "{way}: nothing more comes");
        assert_eq!(sim.world.telegram.calls.borrow().len(), calls, "{way}: no call");
        assert_eq!(sim.requests().len(), asked, "{way}: the model is not asked again");
        assert_eq!(sim.turns(), ["stopped"], "{way}");
        let quiet = if way.contains("button") || !way.starts_with('/') { 0 } else { 1 };
        assert_eq!(shown.iter().filter(|text| *text == "Stopping…").count(), quiet, "{way}: {shown:?}");
        sim.text("And now?");
        sim.run();
        assert_eq!(sim.screen().last().unwrap(), "Re: And now?", "{way}: the next message works");
    }
}

fn last(sim: &Sim) -> String {
    sim.screen().last().cloned().unwrap_or_default()
}

#[test]
fn while_waiting_for_the_first_byte() {
    by_every_way(
        |sim| sim.world.model.next(Script::says("Too late").after(60_000)),
        5_000,
        |sim, way| {
            assert_eq!(last(sim), "⏹ Stopped.", "{way}");
            assert_eq!(sim.requests()[0].state.get(), State::Aborted(5_000), "{way}: ended at once");
        },
    );
}

#[test]
fn in_mid_stream() {
    by_every_way(
        |sim| sim.world.model.next(Script::words(400, &["One ", "two ", "three ", "four ", "five ", "six ", "seven "])),
        1_500,
        |sim, way| {
            assert_eq!(last(sim), "One two three\n\n⏹ Stopped.", "{way}: what was there is kept");
            assert_eq!(sim.requests()[0].state.get(), State::Aborted(1_500), "{way}");
        },
    );
}

#[test]
fn in_a_pause_between_two_tries() {
    by_every_way(
        |sim| sim.world.model.next(Script::status(429, "slow down").retry_after("15")),
        5_000,
        |sim, way| assert_eq!(last(sim), "⏹ Stopped.", "{way}"),
    );
}

#[test]
fn in_a_pause_after_a_broken_stream() {
    by_every_way(
        |sim| {
            let broken = Script::partial(100, &["One ", "two "]).line(r#"{"error":"too many requests","status":429}"#);
            sim.world.model.next(broken);
        },
        1_000,
        |sim, way| assert_eq!(last(sim), "One two\n\n⏹ Stopped.", "{way}: what was there is kept"),
    );
}

#[test]
fn with_a_model_that_hangs() {
    by_every_way(
        |sim| sim.world.model.next(Script::partial(100, &["One "]).hang()),
        80_000,
        |sim, way| {
            assert_eq!(last(sim), "One\n\n⏹ Stopped.", "{way}");
            assert_eq!(sim.requests()[0].state.get(), State::Aborted(80_000), "{way}");
        },
    );
}

#[test]
fn the_next_prompt_knows_that_it_was_cut() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(10, &["One "]).hang());
    sim.text("Count");
    sim.run_for(1_000);
    sim.text("stop");
    sim.run();
    sim.text("Go on");
    sim.run();
    let prompt = sim.requests()[1].prompt();
    assert_eq!(prompt[..2], ["user: Count", "assistant: One \n[stopped here by the user]"]);
    assert_eq!(sim.store.rows("SELECT state FROM step")[0], "stopped");
}

#[test]
fn what_waits_is_dropped_too() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(10, &["One "]).hang());
    sim.text("Count");
    sim.run_for(1_000);
    sim.text("and add");
    sim.run_for(1_000);
    sim.text("/stop");
    sim.run();
    assert_eq!(sim.inbox(), ["message turn", "message dropped", "message command"]);
    assert_eq!(sim.requests().len(), 1);
}

#[test]
fn in_a_gathering_window() {
    let mut sim = Sim::private();
    sim.text(&"x".repeat(4_096));
    sim.run_for(500);
    sim.text("stop");
    sim.run();
    assert_eq!(sim.inbox(), ["message dropped", "message stop"]);
    assert!(sim.requests().is_empty());
}

#[test]
fn a_button_of_an_earlier_answer_stops_nothing() {
    let mut sim = Sim::private();
    sim.text("First");
    sim.run();
    sim.world.model.next(Script::says("Second answer").after(2_000));
    sim.text("Second");
    sim.run_for(500);
    assert_eq!(sim.press_data(50, "stop:1"), "Nothing is running.");
    let chat = json!({"id": PERSON, "type": "private"});
    sim.update("stopped_message_generation", json!({"chat": chat, "draft_id": 64}));
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "Second answer");
}

#[test]
fn twice_and_with_nothing_to_stop() {
    let mut sim = Sim::private();
    sim.text("/stop");
    sim.run();
    assert_eq!(sim.screen(), ["Nothing is running."]);
    assert_eq!(sim.press_data(50, "stop:1"), "Nothing is running.");
    sim.world.model.next(Script::partial(10, &["One "]).hang());
    sim.text("Count");
    sim.run_for(1_000);
    stop(&mut sim, "draft button");
    stop(&mut sim, "draft button");
    sim.run();
    assert_eq!(sim.screen().iter().filter(|text| text.contains('⏹')).count(), 1, "{:?}", sim.screen());
}

#[test]
fn the_word_is_a_message_when_nothing_runs() {
    let mut sim = Sim::private();
    sim.text("stop");
    sim.run();
    assert_eq!(sim.screen(), ["Re: stop"]);
}

#[test]
fn a_stop_holds_even_if_the_process_dies_at_once() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(10, &["One "]).hang());
    sim.text("Count");
    sim.run_for(1_000);
    stop(&mut sim, "draft button");
    sim.kill();
    sim.run();
    assert_eq!(sim.screen(), ["⏹ Stopped."]);
    assert_eq!(sim.requests().len(), 1, "a stopped turn is not asked for again");
}

#[test]
fn after_the_answer_is_there_it_stays() {
    let mut sim = Sim::private();
    sim.world.telegram.always("sendMessage", super::telegram::Answer::Slow(2_000));
    sim.text("Hello");
    sim.run_for(500);
    stop(&mut sim, "draft button");
    sim.run();
    assert_eq!(sim.screen(), ["Re: Hello"]);
    sim.text("More");
    sim.run();
    assert_eq!(sim.screen(), ["Re: Hello", "Re: More"], "the stop does not reach into the next turn");
}
