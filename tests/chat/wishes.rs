//! What a person may wish for: how hard to think, whether thoughts and footers are shown.

use super::model::Script;
use super::sim::Sim;

fn last(sim: &Sim) -> String {
    sim.screen().last().unwrap().clone()
}

#[test]
fn thinking_is_asked_for_as_wished() {
    let mut sim = Sim::private();
    for (wish, think) in [("off", "false"), ("low", "true"), ("high", "true"), ("default", "null")] {
        sim.text(&format!("/think {wish}"));
        sim.run();
        assert!(last(&sim).contains(wish), "{}", last(&sim));
        sim.text("Hello");
        sim.run();
        assert_eq!(sim.requests().last().unwrap().body["think"].to_string(), think, "{wish}");
    }
    sim.text("/think harder");
    sim.run();
    assert!(last(&sim).contains("default") && last(&sim).contains("minimal"), "{}", last(&sim));
}

#[test]
fn thoughts_never_mix_with_the_answer_and_show_folded_when_wished() {
    let think = || Script::partial(10, &[]).thinks("One or two? ").thinks("Two.").says_more("It is **two**.");
    let mut sim = Sim::private();
    sim.world.model.next(think());
    sim.text("How many?");
    sim.run();
    assert_eq!(last(&sim), "It is two.");
    sim.text("/reasoning");
    sim.world.model.next(think());
    sim.text("How many?");
    sim.run();
    assert_eq!(last(&sim), "One or two? Two.\nIt is two.");
    let sent = sim.calls("sendMessage").pop().unwrap();
    let kinds: Vec<_> = sent.params["entities"].as_array().unwrap().iter().map(|e| e["type"].clone()).collect();
    assert_eq!(kinds, ["expandable_blockquote", "bold"]);
    assert!(!sim.requests().iter().any(|request| request.prompt().iter().any(|line| line.contains("One or two"))));
    sim.text("/reasoning off");
    sim.world.model.next(think());
    sim.text("How many?");
    sim.run();
    assert_eq!(last(&sim), "It is two.");
}

#[test]
fn a_footer_says_what_the_answer_took() {
    let mut sim = Sim::private();
    sim.text("/footer");
    sim.text("Hello");
    sim.run();
    assert_eq!(last(&sim), "Re: Hello\n\n⚙️ ollama/one · ↑26 ↓5 · $0 · 0.1 s");
    sim.text("/footer off");
    sim.text("Hello");
    sim.run();
    assert_eq!(last(&sim), "Re: Hello");
}

#[test]
fn usage_is_looked_up_and_survives_a_killed_process() {
    for steps in 0.. {
        let mut sim = Sim::private();
        sim.text("Hello");
        sim.run();
        sim.text("/usage");
        let from = sim.steps;
        let rested = sim.run_steps(steps);
        sim.kill();
        sim.run();
        assert_eq!(sim.screen().len(), 2, "killed after {steps} steps from {from}: {:?}", sim.screen());
        assert!(sim.screen()[1].contains("ollama/one"), "{:?}", sim.screen());
        assert_eq!(sim.inbox()[1], "usage command");
        if rested {
            return;
        }
    }
}

#[test]
fn usage_that_cannot_be_read_is_said_so() {
    let mut sim = Sim::private();
    sim.world.directory.silent.set(9);
    sim.text("/usage");
    sim.run();
    assert!(last(&sim).contains("could not be read"), "{}", last(&sim));
}
