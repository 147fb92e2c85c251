//! The process dies: at every single step of a scenario, and again and again.

use super::model::Script;
use super::sim::Sim;
use super::telegram::Answer;
use super::updates::mention;
use tideclaw::chat::config::Streaming;

/// Begins `scenario`, kills it after every possible number of steps, lets it recover, and looks at the end of it.
fn killed_everywhere(scenario: fn(&mut Sim), check: fn(&Sim, &str)) {
    for acts_late in [false, true] {
        for steps in 0.. {
            let mut sim = Sim::private();
            sim.world.telegram.acts_late.set(acts_late);
            scenario(&mut sim);
            let over = sim.run_steps(steps);
            sim.kill();
            sim.run();
            check(&sim, &format!("killed after {steps} steps"));
            if over {
                assert!(steps > 3, "the scenario has steps");
                break;
            }
        }
    }
}

/// Each piece of the answer was sent once, or is known to be uncertain and said so.
fn each_piece_once(sim: &Sim, at: &str) {
    let accepted = sim.world.telegram.accepted.borrow();
    let pieces = sim.store.rows("SELECT json_extract(call, '$.params.text') FROM outbox WHERE slot = 'answer'");
    let states = sim.store.rows("SELECT state FROM outbox WHERE slot = 'answer'");
    for (piece, state) in pieces.iter().zip(&states) {
        let times = accepted.iter().filter(|shown| shown.text == *piece).count();
        match state.as_str() {
            "sent" => assert_eq!(times, 1, "{at}: {piece:?}"),
            "ambiguous" => assert!(times <= 1, "{at}: {piece:?} came {times} times"),
            other => panic!("{at}: {other}"),
        }
    }
    let uncertain = states.iter().filter(|state| *state == "ambiguous").count();
    let warnings = accepted.iter().filter(|shown| shown.text.starts_with("⚠️ Telegram did not confirm")).count();
    assert!(uncertain <= 1 && warnings >= uncertain, "{at}: {uncertain} uncertain, {warnings} warnings");
    assert_eq!(sim.turns(), ["answered"], "{at}");
    assert_eq!(sim.inbox(), ["message turn"], "{at}");
}

#[test]
fn a_streamed_answer_comes_whole_and_once() {
    killed_everywhere(
        |sim| {
            // The model is asked again if it was cut: both times the same words.
            for _ in 0..2 {
                sim.world.model.next(Script::words(300, &["One ", "two ", "three ", "four"]));
            }
            sim.text("Count");
        },
        |sim, at| {
            each_piece_once(sim, at);
            assert!(sim.requests().len() <= 2, "{at}");
            let cut = sim.store.rows("SELECT count(*) FROM step WHERE state = 'cut'");
            assert_eq!(cut[0], (sim.requests().len() - 1).to_string(), "{at}: asked again only if it was cut");
            let answer = sim.store.rows("SELECT json_extract(call, '$.params.text') FROM outbox WHERE slot = 'answer'");
            assert_eq!(answer, ["One two three four"], "{at}");
        },
    );
}

#[test]
fn an_answer_in_pieces_comes_whole_and_once() {
    killed_everywhere(
        |sim| {
            for _ in 0..2 {
                sim.world.model.next(Script::says(&"many words ".repeat(1_000)));
            }
            sim.text("Tell me");
        },
        |sim, at| {
            each_piece_once(sim, at);
            assert_eq!(sim.outbox().iter().filter(|row| row.starts_with("answer")).count(), 3, "{at}");
        },
    );
}

#[test]
fn an_answer_in_edits_leaves_nothing_behind_but_a_placeholder_nobody_knows_of() {
    killed_everywhere(
        |sim| {
            sim.config.streaming = Streaming::Edit;
            for _ in 0..2 {
                sim.world.model.next(Script::words(700, &["One ", "two ", "three ", "four ", "five"]));
            }
            sim.text("Count");
        },
        |sim, at| {
            each_piece_once(sim, at);
            let left = sim.world.telegram.chat.borrow();
            let placeholders = left.iter().filter(|shown| shown.params["reply_markup"].to_string().contains("stop:"));
            assert!(placeholders.count() <= 1, "{at}");
        },
    );
}

#[test]
fn a_flood_and_a_follow_up_survive() {
    killed_everywhere(
        |sim| {
            sim.world.telegram.once("sendMessage", Answer::Flood(20));
            sim.world.model.next(Script::says("Done").after(1_000));
            sim.world.model.next(Script::says("Done"));
            sim.text("one");
        },
        each_piece_once,
    );
}

#[test]
fn a_turn_that_is_cut_every_time_is_given_up_after_three() {
    let mut sim = Sim::private();
    for _ in 0..9 {
        sim.world.model.next(Script::partial(100, &["One "]).hang());
    }
    sim.text("Count");
    for _ in 0..9 {
        sim.run_for(5_000);
        sim.kill();
        sim.run_for(20_000);
    }
    sim.run();
    assert_eq!(sim.requests().len(), 3);
    assert!(sim.screen()[0].contains("interrupted three times") && sim.screen().len() == 1, "{:?}", sim.screen());
    assert_eq!(sim.turns(), ["failed"]);
    sim.world.model.next(Script::says("Here"));
    sim.text("And now?");
    for _ in 0..6 {
        sim.world.model.next(Script::says("Here"));
    }
    sim.run();
    assert!(sim.screen().len() == 2);
}

#[test]
fn a_killed_turn_is_taken_up_within_seconds() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(100, &["One "]).hang());
    sim.text("Count");
    sim.run_for(25_000);
    sim.kill();
    sim.run();
    assert!(sim.requests()[1].at <= 25_000 + 10_000, "{}", sim.requests()[1].at);
    assert_eq!(sim.screen(), ["Re: Count"]);
}

#[test]
fn killed_right_after_the_ack() {
    for text in ["Hello", "/help", "/model"] {
        let mut sim = Sim::private();
        sim.text(text);
        sim.kill();
        sim.run();
        assert_eq!(sim.screen().len(), 1, "{text}");
    }
    let mut sim = Sim::group();
    sim.send(mention("hi"));
    sim.kill();
    sim.run();
    assert_eq!(sim.screen(), ["Re: Ann: hi"]);
}

#[test]
fn an_edit_under_way_is_made_again() {
    let mut sim = Sim::with_two_models();
    sim.text("/model");
    sim.run();
    sim.world.telegram.acts_late.set(true);
    sim.press("relay/two");
    let calls = sim.world.telegram.calls.borrow().len();
    sim.run_until(move |world| world.telegram.calls.borrow().len() > calls);
    sim.kill();
    sim.run();
    assert_eq!(sim.screen(), ["✓ relay/two answers from now on."]);
}

#[test]
fn work_that_is_dropped_in_a_living_object_is_taken_up_again() {
    for steps in 0..40 {
        let mut sim = Sim::private();
        for _ in 0..2 {
            sim.world.model.next(Script::words(300, &["One ", "two ", "three"]));
        }
        sim.text("Count");
        sim.run_steps(steps);
        sim.drop_tasks();
        sim.run();
        each_piece_once(&sim, &format!("dropped after {steps} steps"));
    }
}
