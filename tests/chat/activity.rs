//! What the Directory hears of a conversation: everything once, soon, whatever dies meanwhile.

use super::clock::START;
use super::model::Script;
use super::sim::Sim;
use super::telegram::Answer;
use super::updates::mention;
use tideclaw::directory::{Access, AccessChange, ConversationRow};

fn row(sim: &Sim) -> ConversationRow {
    let session = sim.store.rows("SELECT json_extract(value, '$.session') FROM setting WHERE key = 'settings'");
    sim.world.directory.row(&session[0])
}

/// The row of the index says what the store says.
fn agrees(sim: &Sim, at: &str) {
    let row = row(sim);
    let count = |query: &str| sim.store.rows(query)[0].parse::<i64>().unwrap();
    assert_eq!(row.updates, count("SELECT count(*) FROM inbox"), "{at}: updates");
    assert_eq!(row.dropped, count("SELECT count(*) FROM inbox WHERE outcome = 'dropped'"), "{at}: dropped");
    assert_eq!(row.turns, count("SELECT count(*) FROM turn WHERE state <> 'taken back'"), "{at}: turns");
    assert_eq!(row.waiting, 0, "{at}: waiting");
    let last = sim.store.rows("SELECT state FROM turn WHERE ended IS NOT NULL ORDER BY ended DESC LIMIT 1");
    assert_eq!(row.outcome, last.first().cloned(), "{at}: outcome");
}

#[test]
fn a_turn_is_told_with_its_words_and_times() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::words(2_000, &["Good ", "day"]));
    sim.text("Привет");
    sim.run();
    agrees(&sim, "");
    let row = row(&sim);
    assert_eq!((row.title.as_str(), row.newest.as_str(), row.updates, row.turns), ("Ann", "Good day", 1, 1));
    let activities = sim.world.directory.activities.borrow();
    let turn = activities.iter().find_map(|(_, activity)| activity.turns.first()).unwrap();
    assert_eq!((turn.outcome.as_str(), turn.model.as_str()), ("answered", "ollama/one"));
    let first = turn.first_ms.unwrap();
    assert!(first > 0 && first < turn.total_ms, "{turn:?}");
    let words: Vec<&str> = activities.iter().map(|(_, activity)| activity.words.as_str()).collect();
    assert_eq!(words.join("|"), "Привет|Good day");
}

#[test]
fn what_needs_no_turn_is_told_within_five_seconds() {
    let mut sim = Sim::group();
    sim.text("not for the bot");
    sim.run_for(5_100);
    assert_eq!((row(&sim).updates, row(&sim).dropped), (1, 1));
    sim.run();
    sim.send(mention("/help"));
    sim.run_for(5_100);
    sim.run();
    agrees(&sim, "");
    assert!(sim.alarms_fired <= 3, "{} alarms", sim.alarms_fired);
}

#[test]
fn a_turn_that_takes_long_is_seen_while_it_runs() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(100, &["One "]).hang());
    sim.text("Count");
    sim.run_for(15_000);
    assert_eq!((row(&sim).newest.as_str(), row(&sim).updates), ("Count", 0));
    sim.text("stop");
    sim.run();
    agrees(&sim, "");
    assert_eq!(row(&sim).outcome.as_deref(), Some("stopped"));
}

#[test]
fn a_quick_exchange_needs_no_request_more() {
    let mut sim = Sim::private();
    for n in 0..5 {
        sim.text(&format!("{n}"));
        sim.run_for(1_000);
    }
    // Each question carries what was told of the turn before.
    assert_eq!(sim.world.directory.activities.borrow().len(), 5);
    sim.run();
    agrees(&sim, "");
    assert_eq!(sim.world.directory.activities.borrow().len(), 6);
}

fn killed_everywhere(scenario: fn(&mut Sim)) {
    for steps in 0.. {
        let mut sim = Sim::private();
        scenario(&mut sim);
        let over = sim.run_steps(steps);
        sim.kill();
        sim.run();
        agrees(&sim, &format!("killed after {steps} steps"));
        if over {
            assert!(steps > 3, "the scenario has steps");
            break;
        }
    }
}

#[test]
fn killed_at_every_step_everything_is_counted_once() {
    killed_everywhere(|sim| {
        for _ in 0..4 {
            sim.world.model.next(Script::words(300, &["One ", "two"]));
        }
        sim.text("Count");
        sim.text("and again");
        sim.text("/help");
    });
}

#[test]
fn killed_at_every_step_of_a_stop_and_of_a_drop() {
    killed_everywhere(|sim| {
        for _ in 0..3 {
            sim.world.model.next(Script::words(300, &["One ", "two ", "three ", "four"]));
        }
        sim.text("Count");
        sim.run_for(500);
        sim.text("more");
        sim.text("/stop");
    });
}

#[test]
fn killed_twice_with_every_answer_lost() {
    for steps in 0..60 {
        let mut sim = Sim::private();
        for _ in 0..4 {
            sim.world.model.next(Script::says("Yes"));
        }
        sim.text("one");
        sim.run_steps(steps);
        sim.world.directory.deaf.set(2);
        sim.run_for(7_000);
        sim.kill();
        sim.text("two");
        sim.world.directory.deaf.set(1);
        sim.run_steps(steps / 2);
        sim.kill();
        sim.run();
        agrees(&sim, &format!("{steps} steps"));
    }
}

#[test]
fn a_silent_directory_hears_all_of_it_later() {
    let mut sim = Sim::private();
    sim.world.directory.silent.set(40);
    for n in 0..4 {
        sim.text(&format!("/help {n}"));
        sim.run_for(30_000);
    }
    sim.run();
    agrees(&sim, "");
    assert!(sim.alarms_fired < 80, "{}", sim.alarms_fired);
}

#[test]
fn more_turns_than_fit_are_told_in_several_requests() {
    let mut sim = Sim::private();
    sim.world.directory.silent.set(u32::MAX);
    // Nobody gives leave: each turn fails.
    for n in 0..45 {
        sim.text(&format!("{n}"));
        sim.run_for(10_000);
    }
    sim.world.directory.silent.set(0);
    sim.run();
    agrees(&sim, "");
    assert_eq!(row(&sim).turns, 45);
    let activities = sim.world.directory.activities.borrow();
    assert!(activities.iter().all(|(_, activity)| activity.turns.len() <= 20));
}

#[test]
fn deliveries_that_wait_are_told_and_so_is_that_none_does() {
    let mut sim = Sim::private();
    sim.world.telegram.once("sendMessage", Answer::Flood(120));
    sim.text("Hello");
    sim.run_for(30_000);
    assert_eq!(row(&sim).waiting, 1);
    sim.run();
    agrees(&sim, "");
}

#[test]
fn a_store_put_back_to_an_older_day_is_counted_on_from_there() {
    let mut sim = Sim::private();
    sim.text("one");
    sim.run();
    sim.kill();
    let before = row(&sim);
    // The Directory has heard of more than this store knows.
    sim.store.rows("UPDATE setting SET value = '{}' WHERE key = 'counted'");
    sim.store.rows("DELETE FROM turn");
    sim.text("two");
    sim.run();
    let after = row(&sim);
    assert_eq!(after.newest, "Re: two");
    sim.text("three");
    sim.run();
    assert_eq!((row(&sim).updates - after.updates, row(&sim).turns - after.turns), (1, 1));
    assert!(after.updates > 0 && before.updates == 1);
}

#[test]
fn what_access_takes_back_is_told_as_dropped() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(100, &["One "]).hang());
    sim.text("Count");
    sim.run_for(500);
    sim.text("more");
    let change = AccessChange {
        session_prefix: format!("main:{}", super::updates::PERSON),
        user_id: None,
        access: Access::Closed,
    };
    sim.change_access(&change);
    sim.run();
    agrees(&sim, "");
    assert_eq!(row(&sim).dropped, 1);
    assert!(row(&sim).changed_at > START);
}
