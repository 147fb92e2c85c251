//! Deletion: nothing of what was said is left, nothing that comes meanwhile is lost, no number is given twice.

use serde_json::json;
use tideclaw::chat::desk::ChatAsk;

use super::model::Script;
use super::sim::Sim;
use super::storage::Fault;
use super::telegram::Answer;

const TABLES: [&str; 7] = ["inbox", "turn", "step", "message", "outbox", "summary", "file"];

/// Words of the old conversation anywhere in the store, the settings included.
fn traces(sim: &Sim, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for table in TABLES.iter().chain(&["setting"]) {
        let columns = sim.store.rows(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let all = columns.iter().map(|c| format!("coalesce({c}, '')")).collect::<Vec<_>>().join(" || ' ' || ");
        let rows = sim.store.rows(&format!("SELECT {all} FROM {table}"));
        found.extend(rows.into_iter().filter(|row| row.contains(word)).map(|row| format!("{table}: {row}")));
    }
    found
}

fn numbers(sim: &Sim) -> Vec<i64> {
    let ends = ["inbox", "turn", "step", "message", "outbox"];
    let end = |table: &&str| {
        let key = if *table == "inbox" { "seq" } else { "id" };
        sim.store.rows(&format!("SELECT coalesce(max({key}), 0) FROM {table}"))[0].parse().unwrap()
    };
    ends.iter().map(end).collect()
}

fn talked() -> Sim {
    let mut sim = Sim::private();
    sim.world.storage.put("f1", "some words of a secret file".as_bytes());
    sim.text("my secret");
    sim.run();
    sim.send(json!({"document": {"file_id": "f1", "file_unique_id": "u1", "file_name": "secret.txt",
        "mime_type": "text/plain", "file_size": 27}, "caption": "a secret file"}));
    sim.run();
    sim.text("/export");
    sim.run();
    sim
}

#[test]
fn nothing_is_left_and_the_next_message_starts_afresh() {
    let mut sim = talked();
    let before = numbers(&sim);
    let stored = sim.world.storage.stored.borrow().len();
    assert!(stored >= 3 && !traces(&sim, "secret").is_empty());
    assert_eq!(sim.desk(ChatAsk::Delete).unwrap(), json!({"wiped": true}));
    assert_eq!(traces(&sim, "secret"), [""; 0]);
    sim.run();
    assert!(sim.world.storage.stored.borrow().is_empty(), "{:?}", sim.world.storage.stored.borrow().keys());
    assert_eq!(sim.desk(ChatAsk::Overview).unwrap()["messages"], 0);
    for ask in [ChatAsk::Turns { before: None }, ChatAsk::Updates { before: None }, ChatAsk::Files { before: None }] {
        let view = sim.desk(ask).unwrap();
        assert!(view.as_object().unwrap().values().all(|v| v.is_null() || v.as_array().unwrap().is_empty()), "{view}");
    }
    let kept = sim.world.directory.activities.borrow().len();
    sim.kill();
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "Re: Hello");
    let request = sim.requests().pop().unwrap().body.to_string();
    assert!(!request.contains("secret"));
    for (before, after) in before.iter().zip(numbers(&sim)) {
        assert!(after > *before, "a number was given twice: {before} {after}");
    }
    // The Directory hears of the new message alone.
    let activities = sim.world.directory.activities.borrow();
    let told = activities.iter().skip(kept);
    assert!(told.clone().all(|(_, activity)| !activity.words.contains("secret")));
    assert_eq!(told.map(|(_, activity)| activity.updates).sum::<u64>(), 1);
}

#[test]
fn a_running_turn_is_stopped_first_and_what_it_cost_is_still_reported() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(300, &["secret ", "words "]).hang());
    sim.text("my secret");
    sim.run_for(2_000);
    assert_eq!(sim.desk(ChatAsk::Delete).unwrap(), json!({"wiped": true}));
    assert_eq!(traces(&sim, "secret"), [""; 0]);
    sim.run();
    assert_eq!(sim.world.directory.reports.borrow().len(), 1);
    // What the person was reading stays in their chat, and says that it ends there.
    assert_eq!(sim.screen(), ["secret words\n\n⏹ Stopped."]);
}

#[test]
fn messages_that_come_meanwhile_are_answered_afterwards() {
    let mut sim = Sim::private();
    sim.text("my secret");
    sim.run();
    // A delivery that hangs keeps the rows in use.
    sim.world.telegram.once("sendMessage", Answer::Slow(20_000));
    sim.text("a second secret");
    sim.run_for(1_000);
    assert_eq!(sim.desk(ChatAsk::Delete).unwrap(), json!({"wiped": false}));
    sim.text("Hello");
    sim.text("/help");
    sim.run();
    assert_eq!(traces(&sim, "secret"), [""; 0]);
    assert_eq!(sim.screen().iter().filter(|text| *text == "Re: Hello").count(), 1, "{:?}", sim.screen());
    let outcomes = sim.store.rows("SELECT outcome FROM inbox WHERE kind <> 'deleted' ORDER BY seq");
    assert_eq!(outcomes, ["turn", "command"]);
    assert!(!sim.requests().last().unwrap().body.to_string().contains("secret"));
}

#[test]
fn a_message_before_the_deletion_never_begins_a_turn_after_it() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(300, &["One "]).hang());
    sim.text("one");
    sim.run_for(1_000);
    sim.text("two");
    sim.desk(ChatAsk::Delete).unwrap();
    sim.run();
    assert_eq!(sim.requests().len(), 1);
}

#[test]
fn killed_at_every_step_of_a_deletion() {
    for steps in (0..12).chain((12..80).step_by(5)) {
        let mut sim = talked();
        sim.world.model.next(Script::partial(300, &["secret ", "words "]).hang());
        sim.text("another secret");
        sim.run_for(1_000);
        sim.desk_within(ChatAsk::Delete, 0);
        sim.run_steps(steps);
        sim.kill();
        sim.run();
        // Killed before it was written down, nothing happened: asked for again then.
        if !traces(&sim, "secret").is_empty() {
            assert_eq!(steps, 0);
            sim.desk(ChatAsk::Delete).unwrap();
            sim.run();
        }
        assert_eq!(traces(&sim, "secret"), [""; 0], "{steps}");
        assert!(sim.world.storage.stored.borrow().is_empty(), "{steps}");
        sim.text("Hello");
        sim.run();
        assert_eq!(sim.screen().last().unwrap(), "Re: Hello", "{steps}");
    }
}

#[test]
fn many_files_go_some_at_a_time_and_new_ones_stay() {
    let mut sim = talked();
    for n in 0..60 {
        sim.world
            .storage
            .stored
            .borrow_mut()
            .insert(format!("files/main:{}/2026-01/1-{n}", super::updates::PERSON), vec![1]);
    }
    let others = format!("files/main:{}:7/2026-01/1-0", super::updates::PERSON);
    sim.world.storage.stored.borrow_mut().insert(others.clone(), vec![1]);
    sim.world.storage.fails(Fault::StorageDown);
    sim.desk(ChatAsk::Delete).unwrap();
    sim.run_for(1_000);
    sim.world.storage.put("f2", "new".as_bytes());
    sim.send(json!({"document": {"file_id": "f2", "file_unique_id": "u2", "file_name": "new.txt",
        "mime_type": "text/plain", "file_size": 3}, "caption": "look"}));
    sim.run();
    let left: Vec<String> = sim.world.storage.stored.borrow().keys().cloned().collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.contains(&others));
    assert_eq!(sim.desk(ChatAsk::Overview).unwrap()["deleting"], false);
}

#[test]
fn deleted_twice_at_once_is_deleted_once() {
    let mut sim = talked();
    sim.desk_within(ChatAsk::Delete, 0);
    sim.desk_within(ChatAsk::Retry { turn: 1 }, 0);
    assert_eq!(sim.desk(ChatAsk::Delete).unwrap(), json!({"wiped": true}));
    sim.run();
    assert_eq!(traces(&sim, "secret"), [""; 0]);
}
