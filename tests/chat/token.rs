//! The bot's token is refused: one line for the operator, quiet, recovery.

use super::model::Script;
use super::sim::Sim;
use super::telegram::Answer;

const REFUSED: Answer = Answer::Refuse(401, "Unauthorized");

#[test]
fn one_alarm_line_and_no_storm_for_an_hour_and_then_it_recovers() {
    let mut sim = Sim::private();
    sim.world.telegram.always("", REFUSED);
    sim.text("one");
    sim.run_for(9 * 60_000);
    assert_eq!(sim.logged("ALARM"), 1);
    for n in 0..50 {
        sim.text(&format!("more {n}"));
        sim.run_for(60_000);
    }
    let calls = sim.world.telegram.calls.borrow().len();
    assert!(calls <= 5, "{calls} calls in an hour");
    assert_eq!(sim.logged("ALARM"), sim.calls("sendMessage").len(), "one line for each look");
    assert!(sim.alarms_fired <= 80, "{} alarms", sim.alarms_fired);
    sim.world.telegram.mend();
    sim.run();
    assert_eq!(sim.screen().len(), 51, "everything is delivered");
    assert_eq!(sim.screen()[0], "Re: one");
    assert_eq!(sim.outbox().iter().filter(|row| *row != "answer sent").count(), 0);
}

#[test]
fn it_is_noticed_by_a_preview_too() {
    let mut sim = Sim::private();
    sim.world.telegram.always("", REFUSED);
    let words: Vec<String> = (0..300).map(|n| format!("word{n} ")).collect();
    sim.world.model.next(Script::words(100, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    sim.text("one");
    sim.run_for(5 * 60_000);
    assert_eq!(sim.world.telegram.calls.borrow().len(), 1);
    assert_eq!(sim.logged("ALARM"), 1);
    sim.world.telegram.mend();
    sim.run();
    assert_eq!(sim.screen().len(), 1);
}

#[test]
fn the_rest_survives_a_killed_process() {
    let mut sim = Sim::private();
    sim.world.telegram.always("", REFUSED);
    sim.text("one");
    sim.run_for(10_000);
    sim.kill();
    sim.run_for(60_000);
    sim.text("two");
    sim.run_for(60_000);
    assert_eq!(sim.world.telegram.calls.borrow().len(), 1);
    sim.world.telegram.mend();
    sim.run();
    assert_eq!(sim.screen(), ["Re: one", "Re: two"]);
}
