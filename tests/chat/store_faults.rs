//! Statements that fail: no panic, no storm, and everything goes on once the store is well again.

use super::model::Script;
use super::sim::Sim;

/// Statements of one kind fail for a minute in mid-turn; then the store is well again.
fn fails_for_a_minute(pattern: &'static str) -> Sim {
    let mut sim = Sim::private();
    for _ in 0..4 {
        sim.world.model.next(Script::words(500, &["One ", "two"]));
    }
    sim.text("Count");
    sim.run_for(200);
    sim.store.fail_when(move |_, statement| statement.contains(pattern));
    sim.run_for(60_000);
    assert!(sim.alarms_fired <= 20, "{pattern}: {} alarms in a minute", sim.alarms_fired);
    sim.store.mend();
    sim.run();
    sim
}

#[test]
fn a_store_that_fails_for_a_minute_causes_no_storm_and_the_answer_comes() {
    for pattern in ["", "UPDATE outbox", "INSERT INTO outbox", "UPDATE step", "FROM outbox", "FROM inbox"] {
        let sim = fails_for_a_minute(pattern);
        // An answer that cannot be queued is asked for three times; then the person is told.
        let expected = if pattern == "INSERT INTO outbox" { "⚠️ I was interrupted" } else { "One two" };
        let shown = sim.screen().iter().filter(|text| text.starts_with(expected)).count();
        assert_eq!(shown, 1, "{pattern}: {:?} {:?}", sim.screen(), sim.outbox());
        sim.assert_logged_something();
    }
}

#[test]
fn an_answer_whose_turn_could_not_be_closed_comes_once() {
    let sim = fails_for_a_minute("UPDATE turn");
    assert_eq!(sim.screen(), ["One two"]);
}

#[test]
fn a_result_that_could_not_be_written_is_uncertain_and_not_sent_again() {
    let mut sim = Sim::private();
    sim.text("Hello");
    sim.store.fail_when(|_, statement| statement.contains("SET state = 'sent'"));
    sim.run_for(60_000);
    sim.store.mend();
    sim.run();
    assert_eq!(sim.screen().iter().filter(|text| *text == "Re: Hello").count(), 1);
    assert_eq!(sim.outbox()[0], "answer ambiguous");
}

#[test]
fn a_recovery_that_fails_is_made_up_for() {
    let mut sim = Sim::private();
    sim.text("Hello");
    sim.run_until(|world| world.telegram.calls.borrow().len() == 1);
    sim.kill();
    sim.store.fail_when(|_, statement| statement.contains("FROM outbox WHERE state = 'sending'"));
    sim.run_for(60_000);
    assert!(sim.alarms_fired <= 20, "{} alarms in a minute", sim.alarms_fired);
    sim.store.mend();
    sim.run();
    assert_eq!(sim.outbox()[0], "answer ambiguous");
}

#[test]
fn a_store_that_does_not_open_refuses_updates_until_it_does() {
    let mut sim = Sim::private();
    sim.store.fail_when(|_, _| true);
    let update = serde_json::json!({"update_id": 1, "message": super::updates::message(5, false,
        serde_json::json!({"text": "Hello"}))})
    .to_string();
    assert!(sim.post(&update).is_err(), "Telegram has to deliver it again");
    sim.store.mend();
    sim.post(&update).unwrap();
    sim.run();
    assert_eq!(sim.screen(), ["Re: Hello"]);
}

/// Fails the `nth` statement of accepting a message; Telegram delivers again; looks that it is answered.
fn accepted_with_a_fault(nth: u64) -> Option<Sim> {
    let mut sim = Sim::private();
    sim.text("First");
    sim.run();
    let update = serde_json::json!({"update_id": 5_000, "message": super::updates::message(500, false,
        serde_json::json!({"text": "Hello"}))})
    .to_string();
    sim.store.fail_when(move |number, _| number == nth);
    let refused = sim.post(&update).is_err();
    sim.store.mend();
    if !refused {
        return None;
    }
    sim.run_for(500);
    sim.post(&update).unwrap();
    sim.run();
    Some(sim)
}

#[test]
fn an_update_whose_acceptance_failed_half_way_is_not_lost() {
    for nth in 0.. {
        let Some(sim) = accepted_with_a_fault(nth) else {
            assert!(nth > 3);
            break;
        };
        assert!(
            sim.inbox().len() == 2 && sim.screen().len() >= 2,
            "statement {nth}: {:?} {:?}",
            sim.inbox(),
            sim.screen()
        );
    }
}

#[test]
fn an_update_whose_acceptance_failed_half_way_is_answered_once() {
    for nth in 0.. {
        let Some(sim) = accepted_with_a_fault(nth) else { break };
        assert_eq!(sim.screen(), ["Re: First", "Re: Hello"], "statement {nth}");
    }
}
