//! A model fails and another stands in; leave is refused; reports arrive once.

use tideclaw::directory::{Cap, Reserved};

use super::clock::START;
use super::model::Script;
use super::sim::Sim;

/// One question to two models; the screen after everything came to rest.
fn ask(scripts: impl IntoIterator<Item = Script>) -> Sim {
    let mut sim = Sim::with_two_models();
    scripts.into_iter().for_each(|script| sim.world.model.next(script));
    sim.text("Hello");
    sim.run();
    sim
}

fn models_asked(sim: &Sim) -> Vec<String> {
    sim.requests().iter().map(|request| request.body["model"].as_str().unwrap().to_owned()).collect()
}

/// `model class` of every report.
fn reported(sim: &Sim) -> Vec<String> {
    let reports = sim.world.directory.reports.borrow();
    reports
        .iter()
        .map(|report| match &report.failure {
            Some(failure) => format!("{} {:?}", report.model, failure.class),
            None => format!("{} ok", report.model),
        })
        .collect()
}

#[test]
fn a_model_that_fails_for_good_is_stood_in_for_and_the_answer_says_so() {
    let down = || Script::status(500, "<html>");
    for (broken, tries, why, class) in [
        (vec![down(), down(), down()], 3, "does not answer", "Transient"),
        (vec![Script::refused(), Script::refused(), Script::refused()], 3, "does not answer", "Transient"),
        (
            vec![Script::status(429, r#"{"error":"you have reached your weekly usage limit"}"#)],
            1,
            "is out of its limit",
            "Quota",
        ),
        (vec![Script::status(429, "slow down").retry_after("600")], 1, "is out of its limit", "Rate"),
        (vec![Script::status(401, r#"{"error":"unauthorized"}"#)], 1, "is not available", "Auth"),
        (vec![Script::status(403, r#"{"error":"this model requires a subscription"}"#)], 1, "is not available", "Plan"),
        (vec![Script::status(404, r#"{"error":"model 'one' not found"}"#)], 1, "is not available", "Retired"),
        (vec![Script::words(0, &[]), Script::words(0, &[])], 2, "could not answer this", "Empty"),
        (vec![Script::status(400, r#"{"error":"bad"}"#)], 1, "could not answer this", "BadRequest"),
    ] {
        let sim = ask(broken.into_iter().chain([Script::says("Whole answer")]));
        let line = format!("Whole answer\n\n↪️ relay/two answered: ollama/one {why}.");
        assert_eq!(sim.screen(), [line]);
        let mut expected = vec!["one"; tries];
        expected.push("two");
        assert_eq!(models_asked(&sim), expected, "{class}");
        assert_eq!(reported(&sim), [format!("ollama/one {class}"), "relay/two ok".into()]);
        assert_eq!(sim.turns(), ["answered"]);
    }
}

#[test]
fn a_model_that_hangs_is_stood_in_for_at_its_deadline() {
    for (script, at) in
        [(Script::says("Never").after(10_000_000), 120_000), (Script::partial(1_000, &["One "]).hang(), 91_000)]
    {
        let sim = ask([script, Script::says("Here")]);
        assert_eq!(sim.screen(), ["Here\n\n↪️ relay/two answered: ollama/one does not answer."]);
        assert_eq!(sim.requests()[1].at, at, "at once, and not again");
    }
}

#[test]
fn when_all_fail_the_first_failure_is_told() {
    let sim = ask([
        Script::status(401, r#"{"error":"unauthorized"}"#),
        Script::status(403, r#"{"error":"this model requires a subscription"}"#),
    ]);
    assert_eq!(sim.screen().len(), 1);
    assert!(sim.screen()[0].contains("refuses the bot's key"), "{:?}", sim.screen());
    assert_eq!(reported(&sim), ["ollama/one Auth", "relay/two Plan"]);
}

#[test]
fn the_directory_chooses_and_the_answer_says_that_another_spoke() {
    let mut sim = Sim::with_two_models();
    sim.world.directory.next(Reserved::Granted { candidate: 1, without: Vec::new() });
    sim.text("Hello");
    sim.run();
    assert_eq!(models_asked(&sim), ["two"]);
    assert_eq!(sim.screen(), ["Re: Hello\n\n↪️ relay/two answered: ollama/one is resting."]);
    sim.text("Again");
    sim.run();
    assert_eq!(sim.screen()[1], "Re: Again", "the first is back and nothing is said");
}

#[test]
fn without_leave_no_model_is_called_and_the_person_is_told() {
    let until = START + 3_600_000;
    for (answer, words) in [
        (Reserved::Capped { cap: Cap::Day, until }, "Today's spending cap is reached"),
        (Reserved::Capped { cap: Cap::Month, until }, "This month's spending cap"),
        (Reserved::Capped { cap: Cap::Person, until }, "Your own spending cap"),
    ] {
        let mut sim = Sim::with_two_models();
        sim.world.directory.next(answer);
        sim.text("Hello");
        sim.run();
        assert_eq!(sim.requests().len(), 0, "{words}");
        assert!(sim.screen()[0].contains(words), "{:?}", sim.screen());
        assert_eq!(sim.turns(), ["failed"]);
        assert_eq!(sim.world.directory.reports.borrow().len(), 0, "nothing was called, nothing is reported");
    }
}

#[test]
fn a_cap_reached_between_two_calls_of_a_turn_ends_it_in_words() {
    let mut sim = Sim::private();
    sim.world.directory.next(Reserved::Granted { candidate: 0, without: Vec::new() });
    sim.world.directory.next(Reserved::Capped { cap: Cap::Day, until: START + 1 });
    sim.world.model.next(Script::calls("current_time", "{}"));
    sim.text("What time is it?");
    sim.run();
    assert_eq!(sim.requests().len(), 1);
    assert!(sim.screen()[0].contains("Today's spending cap"), "{:?}", sim.screen());
    assert_eq!(reported(&sim), ["ollama/one ok"], "what was used is counted");
}

#[test]
fn without_the_directory_nothing_is_spent() {
    let mut sim = Sim::private();
    sim.world.directory.silent.set(3);
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests().len(), 0);
    assert!(sim.screen()[0].contains("could not check the spending cap"), "{:?}", sim.screen());
    sim.world.directory.silent.set(1);
    sim.text("Again");
    sim.run();
    assert_eq!(sim.screen()[1], "Re: Again", "one lost request is made good");
}

#[test]
fn a_report_that_was_not_heard_is_sent_again_until_it_was() {
    let mut sim = Sim::private();
    sim.text("Hello");
    sim.run_until(|world| !world.telegram.chat.borrow().is_empty());
    sim.world.directory.silent.set(3);
    sim.run();
    assert_eq!(reported(&sim), ["ollama/one ok"]);
    let reports = sim.world.directory.reports.borrow();
    assert_eq!((reports[0].usage.input, reports[0].usage.output), (26, 5));
    assert_eq!(sim.store.rows("SELECT count(*) FROM step WHERE report IS NOT NULL"), ["0"]);
}

#[test]
fn killed_at_any_step_every_finished_call_is_reported() {
    for steps in 0.. {
        let mut sim = Sim::with_two_models();
        sim.world.model.next(Script::status(401, r#"{"error":"unauthorized"}"#));
        sim.text("Hello");
        let rested = sim.run_steps(steps);
        sim.kill();
        sim.run();
        assert_eq!(sim.turns(), ["answered"], "killed after {steps} steps");
        let mut done = sim.store.rows("SELECT id FROM step WHERE kind = 'model' AND state IN ('done', 'failed')");
        let mut heard: Vec<String> =
            sim.world.directory.reports.borrow().iter().map(|report| report.step.to_string()).collect();
        heard.sort();
        heard.dedup();
        done.sort();
        assert_eq!(heard, done, "killed after {steps} steps");
        if rested {
            return;
        }
    }
}

#[test]
fn a_feature_the_model_refuses_is_dropped_and_the_question_asked_once_more() {
    let mut sim = Sim::private();
    sim.text("/think high");
    sim.world.model.next(Script::status(400, r#"{"error":"\"one\" does not support thinking"}"#));
    sim.world.model.next(Script::status(400, r#"{"error":"one does not support tools"}"#));
    sim.text("Hello");
    sim.run();
    let sent = sim.requests();
    assert_eq!(sent.len(), 3);
    assert!(!sent[0].body["think"].is_null() && sent[0].body["tools"].is_array());
    assert!(sent[1].body["think"].is_null() && sent[1].body["tools"].is_array());
    assert!(sent[2].body["think"].is_null() && sent[2].body["tools"].is_null());
    assert_eq!(sim.screen().last().unwrap(), "Re: Hello");
    let features: Vec<_> =
        sim.world.directory.reports.borrow().iter().filter_map(|r| r.failure.as_ref()?.feature).collect();
    assert_eq!(features.len(), 2, "the Directory remembers it for the next time");
}

#[test]
fn what_the_directory_remembers_is_not_sent() {
    let mut sim = Sim::private();
    sim.world.directory.next(Reserved::Granted { candidate: 0, without: vec![tideclaw::llm::Feature::Tools] });
    sim.text("Hello");
    sim.run();
    assert!(sim.requests()[0].body["tools"].is_null());
}
