//! A model calls tools: results go back, rounds are bounded, a cut turn goes on.

use super::model::Script;
use super::sim::Sim;

fn ask(scripts: impl IntoIterator<Item = Script>) -> Sim {
    let mut sim = Sim::private();
    scripts.into_iter().for_each(|script| sim.world.model.next(script));
    sim.text("What time is it in Moscow?");
    sim.run();
    sim
}

#[test]
fn a_call_gets_its_result_and_then_the_answer_comes() {
    let sim = ask([Script::calls("current_time", r#"{"utc_offset":"+03:00"}"#), Script::says("Late.")]);
    assert_eq!(sim.screen(), ["Late."]);
    let sent = sim.requests();
    assert_eq!(sent.len(), 2);
    let messages = sent[1].body["messages"].as_array().unwrap();
    let [.., call, result] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(call["tool_calls"][0]["function"]["name"], "current_time");
    assert_eq!((&result["role"], &result["tool_name"]), (&"tool".into(), &"current_time".into()));
    assert!(result["content"].as_str().unwrap().ends_with("(UTC+03:00)"), "{result}");
    assert_eq!(sim.turns(), ["answered"]);
}

#[test]
fn words_before_a_call_stay_above_the_answer() {
    let sim = ask([Script::calls_after("Let me look.", "current_time", "{}"), Script::says("Noon.")]);
    assert_eq!(sim.screen(), ["Let me look.\n\nNoon."]);
}

#[test]
fn broken_arguments_and_unknown_tools_are_answered_with_an_error() {
    let sim =
        ask([Script::calls("current_time", r#""not an object""#), Script::calls("rm", "{}"), Script::says("Noon.")]);
    let results: Vec<String> = sim.requests()[2].body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| message["content"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(results, ["Error: the arguments were not a JSON object", "Error: there is no tool named rm"]);
    assert_eq!(sim.screen(), ["Noon."]);
}

#[test]
fn a_model_that_calls_the_same_tool_for_ever_is_asked_to_answer_without() {
    let endless = || Script::calls("current_time", "{}");
    let sim = ask([endless(), endless(), endless(), endless(), Script::says("Noon.")]);
    let sent = sim.requests();
    assert_eq!(sent.len(), 5);
    assert!(sent[3].body["tools"].is_array() && sent[4].body["tools"].is_null(), "the last time without tools");
    assert_eq!(sim.screen(), ["Noon."]);

    let sim = ask(vec![endless(); 50]);
    assert!(sim.requests().len() <= 6, "{}", sim.requests().len());
    assert!(sim.screen()[0].contains("kept calling tools"), "{:?}", sim.screen());
    assert_eq!(sim.turns(), ["failed"]);
}

#[test]
fn different_calls_without_end_come_to_an_end_too() {
    let scripts = (0..50).map(|n| Script::calls("current_time", &format!(r#"{{"utc_offset":"+0{}:{n:02}"}}"#, n % 10)));
    let sim = ask(scripts);
    assert!(sim.requests().len() <= 10, "{}", sim.requests().len());
    assert_eq!(sim.turns(), ["failed"]);
}

#[test]
fn killed_at_any_step_the_answer_comes_once() {
    for steps in 0.. {
        let mut sim = Sim::private();
        // A cut call is made again, so there is one more to spare.
        sim.world.model.by_question(|request| {
            let asked = request.body["messages"].as_array().unwrap().iter().any(|message| message["role"] == "tool");
            if asked { Script::says("Late.") } else { Script::calls("current_time", "{}") }
        });
        sim.text("What time is it?");
        let rested = sim.run_steps(steps);
        sim.kill();
        sim.run();
        let answers = sim.screen().iter().filter(|text| *text == "Late.").count();
        assert_eq!(answers, 1, "killed after {steps} steps: {:?}", sim.screen());
        assert!(sim.requests().len() <= 3, "killed after {steps} steps: {}", sim.requests().len());
        if rested {
            return;
        }
    }
}

#[test]
fn a_stop_between_rounds_keeps_what_was_said() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::calls_after("Let me look.", "current_time", "{}"));
    sim.world.model.next(Script::partial(100, &["It is ", "now"]).hang());
    sim.text("What time is it?");
    sim.run_for(1_000);
    sim.text("/stop");
    sim.run();
    let screen = sim.screen();
    assert!(screen.iter().any(|text| text == "Let me look.\n\nIt is now\n\n⏹ Stopped."), "{screen:?}");
    assert_eq!(sim.turns(), ["stopped"]);
}
