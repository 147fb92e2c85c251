//! `/new` and the other commands.

use super::model::{Script, State};
use super::sim::Sim;

#[test]
fn new_empties_the_prompt_and_keeps_the_rows() {
    let mut sim = Sim::private();
    sim.text("one");
    sim.run();
    sim.text("/new");
    sim.run();
    assert_eq!(sim.screen()[1], "✨ A fresh conversation. The last one is archived (2 messages).");
    sim.text("two");
    sim.run();
    assert_eq!(sim.requests()[1].prompt(), ["user: two"]);
    assert_eq!(sim.store.rows("SELECT count(*) FROM message"), ["4"]);
}

#[test]
fn new_during_a_turn_ends_it_and_its_answer_stays_in_the_past() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::words(500, &["One ", "two ", "three ", "four "]));
    sim.text("Count");
    sim.run_for(1_200);
    sim.text("and wait for me");
    sim.run_for(10);
    sim.text("/new");
    sim.run();
    let screen = sim.screen();
    assert!(screen.iter().any(|text| text.starts_with("✨ A fresh conversation.")), "{screen:?}");
    assert!(screen.contains(&"One two\n\n⏹ Stopped.".to_owned()), "{screen:?}");
    assert_eq!(sim.requests()[0].state.get(), State::Aborted(1_210));
    assert_eq!(sim.inbox(), ["message turn", "message dropped", "message command"]);
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests()[1].prompt(), ["user: Hello"], "neither the question nor its half answer");
}

#[test]
fn commands_are_answered_while_a_turn_runs() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Done").after(20_000));
    sim.text("Count");
    sim.run_for(5_000);
    sim.text("/status");
    sim.run_for(200);
    let status = sim.screen().last().cloned().unwrap();
    assert!(status.contains("Answering for 5 s") && status.contains("Model: ollama/one"), "{status}");
    sim.text("/nonsense");
    sim.text("/whoami");
    sim.run_for(500);
    assert_eq!(sim.screen()[1], "I do not know /nonsense. See /help.");
    assert_eq!(sim.screen()[2], "Your id: 7\nThis chat: 7");
    sim.run();
    assert_eq!(sim.screen()[3], "Done");
    sim.text("/status");
    sim.run();
    assert!(sim.screen()[4].contains("Answers so far: 1; tokens in 26, out 5"), "{}", sim.screen()[4]);
}

#[test]
fn start_and_help_need_no_model() {
    let mut sim = Sim::private();
    sim.text("/start");
    sim.text("/help");
    sim.run();
    assert!(sim.screen()[0].starts_with("👋") && sim.screen()[1].contains("/model"));
    assert!(sim.requests().is_empty());
    assert_eq!(sim.inbox(), ["message command", "message command"]);
}
