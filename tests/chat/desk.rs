//! What the control plane sees of a conversation and does in it.

use serde_json::{Value, json};
use tideclaw::chat::desk::{ChatAsk, Form};
use tideclaw::directory::desk::Refused;

use super::model::Script;
use super::sim::Sim;
use super::telegram::Answer;

fn messages(sim: &mut Sim, before: Option<i64>, search: &str) -> Value {
    sim.desk(ChatAsk::Messages { before, search: Some(search.into()) }).unwrap()
}

fn texts(view: &Value) -> Vec<String> {
    view["messages"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect()
}

fn turn(sim: &mut Sim, id: i64) -> Value {
    sim.desk(ChatAsk::Turn { id }).unwrap()
}

fn refused(answer: Result<Value, Refused>) -> u16 {
    answer.unwrap_err().status
}

#[test]
fn a_turn_is_seen_in_all_of_its_steps() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::words(1_500, &["Good ", "day"]));
    sim.text("Hello");
    sim.run();
    let view = turn(&mut sim, 1);
    assert_eq!(view["turn"]["state"], "answered");
    assert_eq!(view["turn"]["asked"], "Hello");
    let row = &view["turn"];
    let at = |name: &str| row[name].as_i64().unwrap();
    assert!(at("asked_at") <= at("created_at") && at("created_at") < at("first_at"));
    assert!(at("first_at") < at("finished_at"));
    assert_eq!(texts(&view), ["Hello", "Good day"]);
    assert_eq!(view["updates"][0]["outcome"], "turn");
    let step = &view["steps"][0];
    assert_eq!(
        (&step["kind"], &step["state"], &step["model"]),
        (&json!("model"), &json!("done"), &json!("ollama/one"))
    );
    assert!(step["input"].as_u64().unwrap() > 0 && step["nano_usd"].is_u64());
    let delivery = &view["deliveries"][0];
    assert_eq!((&delivery["state"], &delivery["text"]), (&json!("sent"), &json!("Good day")));
    assert!(delivery["message_id"].is_i64());
    assert_eq!(view["can_retry"], false);
    assert_eq!(refused(sim.desk(ChatAsk::Turn { id: 99 })), 404);
    let overview = sim.desk(ChatAsk::Overview).unwrap();
    assert_eq!((&overview["title"], &overview["messages"]), (&json!("Ann"), &json!(2)));
    assert_eq!(overview["running"], Value::Null);
}

#[test]
fn updates_say_what_happened_to_each() {
    let mut sim = Sim::group();
    sim.text("not for the bot");
    sim.send(super::updates::mention("hi"));
    sim.run();
    sim.send(super::updates::mention("/help"));
    sim.run();
    let view = sim.desk(ChatAsk::Updates { before: None }).unwrap();
    let rows: Vec<_> = view["updates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["outcome"].as_str().unwrap(), row["detail"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[2], ("dropped", "not addressed to the bot"));
    assert_eq!(rows[1].0, "turn");
    assert_eq!(view["next"], Value::Null);
}

#[test]
fn the_transcript_and_its_search_go_page_by_page_and_miss_nothing() {
    let mut sim = Sim::private();
    for n in 0..40 {
        sim.world.model.next(Script::says(&format!("Ответ {n} {}", if n % 10 == 3 { "Ёлка" } else { "" })));
        sim.text(&format!("Question {n}"));
        sim.run_for(20_000);
    }
    sim.run();
    let all = |sim: &mut Sim, search: &str| {
        let (mut before, mut found, mut pages) = (None, Vec::new(), 0);
        loop {
            let view = messages(sim, before, search);
            assert!(view["messages"].as_array().unwrap().len() <= 30);
            found.extend(texts(&view));
            pages += 1;
            before = view["next"].as_i64();
            if before.is_none() {
                return (found, pages);
            }
        }
    };
    let (everything, pages) = all(&mut sim, "");
    assert_eq!((everything.len(), pages), (80, 3));
    assert_eq!(everything[1], "Question 39");
    let (found, _) = all(&mut sim, "ЕЛКА ответ");
    assert_eq!(found, ["Ответ 33 Ёлка", "Ответ 23 Ёлка", "Ответ 13 Ёлка", "Ответ 3 Ёлка"]);
    assert_eq!(all(&mut sim, "question 37").0, ["Question 37"]);
    assert!(all(&mut sim, "100%").0.is_empty());
}

#[test]
fn a_search_looks_at_a_bounded_stretch_and_says_where_to_go_on() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("needle"));
    sim.text("Hello");
    sim.run();
    let body = format!(r#"{{"role":"user","parts":[{{"text":"{}"}}]}}"#, "hay ".repeat(250_000));
    for _ in 0..12 {
        sim.store.rows(&format!(
            "INSERT INTO message (epoch, tokens, body, created_at) VALUES (0, 1, '{body}', 1) RETURNING id"
        ));
    }
    let (mut before, mut found, mut requests) = (None, Vec::new(), 0);
    while requests == 0 || before.is_some() {
        let view = messages(&mut sim, before, "needle");
        found.extend(texts(&view));
        before = view["next"].as_i64();
        requests += 1;
    }
    assert_eq!((found, requests), (vec!["needle".to_owned()], 3));
    let view = sim.desk(ChatAsk::Messages { before: None, search: None }).unwrap();
    assert!(view.to_string().len() < 1_500_000 && view["messages"][0]["cut"] == true);
}

#[test]
fn turns_are_listed_newest_first_also_those_answered_anew() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::status(400, r#"{"error":"no"}"#));
    for n in 0..60 {
        sim.text(&format!("{n}"));
        sim.run_for(20_000);
    }
    sim.run();
    assert_eq!(sim.turns()[0], "failed");
    sim.desk(ChatAsk::Retry { turn: 1 }).unwrap();
    sim.run();
    let first = sim.desk(ChatAsk::Turns { before: None }).unwrap();
    let rows = first["turns"].as_array().unwrap();
    assert_eq!((rows.len(), rows[0]["id"].as_i64().unwrap()), (50, 1_000_000_001));
    let second = sim.desk(ChatAsk::Turns { before: first["next"].as_str().map(str::to_owned) }).unwrap();
    assert_eq!((second["turns"].as_array().unwrap().len(), &second["next"]), (11, &Value::Null));
}

#[test]
fn a_failed_turn_is_answered_once_more_and_its_failure_leaves_the_chat() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::status(400, r#"{"error":"no"}"#));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.turns(), ["failed"]);
    assert_eq!(turn(&mut sim, 1)["can_retry"], true);
    let retried = sim.desk(ChatAsk::Retry { turn: 1 }).unwrap();
    sim.run();
    assert_eq!(sim.turns(), ["failed", "answered"]);
    assert_eq!(sim.screen(), ["Re: Hello"]);
    // The messages are the new turn's: not a second time.
    assert_eq!(refused(sim.desk(ChatAsk::Retry { turn: 1 })), 409);
    let new = retried["turn"].as_i64().unwrap();
    assert_eq!(refused(sim.desk(ChatAsk::Retry { turn: new })), 409);
    assert_eq!(refused(sim.desk(ChatAsk::Retry { turn: 77 })), 404);
    assert_eq!(sim.requests().last().unwrap().body["messages"].as_array().unwrap().len(), 2, "system and question");
}

#[test]
fn no_retry_beside_another_turn_nor_across_a_fresh_start() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::status(400, r#"{"error":"no"}"#));
    sim.text("one");
    sim.run();
    sim.world.model.next(Script::partial(100, &["One "]).hang());
    sim.text("two");
    sim.run_for(1_000);
    assert_eq!(refused(sim.desk(ChatAsk::Retry { turn: 1 })), 409);
    sim.text("/new");
    sim.run();
    assert_eq!(refused(sim.desk(ChatAsk::Retry { turn: 1 })), 409);
}

#[test]
fn a_failure_that_still_waits_for_its_delivery_is_not_sent_after_the_retry() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::status(400, r#"{"error":"no"}"#));
    sim.world.telegram.once("sendMessage", Answer::Flood(60));
    sim.text("Hello");
    sim.run_for(10_000);
    assert_eq!(sim.turns(), ["failed"]);
    sim.desk(ChatAsk::Retry { turn: 1 }).unwrap();
    sim.run();
    assert_eq!(sim.screen(), ["Re: Hello"]);
    assert_eq!(sim.outbox()[0], "answer failed");
}

#[test]
fn a_retry_survives_a_kill_at_every_step() {
    for steps in 0..60 {
        let mut sim = Sim::private();
        sim.world.model.next(Script::status(400, r#"{"error":"no"}"#));
        sim.text("Hello");
        sim.run();
        for _ in 0..2 {
            sim.world.model.next(Script::words(300, &["One ", "two"]));
        }
        sim.desk(ChatAsk::Retry { turn: 1 }).unwrap();
        sim.run_steps(steps);
        sim.kill();
        sim.run();
        assert_eq!(sim.turns(), ["failed", "answered"], "{steps}");
        let answers = sim.screen().iter().filter(|text| *text == "One two").count();
        let uncertain = sim.outbox().contains(&"answer ambiguous".to_owned());
        assert!(answers == 1 || (uncertain && answers == 0), "{steps}: {:?}", sim.screen());
    }
}

#[test]
fn a_stop_ends_what_runs_and_drops_what_waits() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(300, &["One ", "two "]).hang());
    sim.text("Count");
    sim.run_for(2_000);
    sim.text("more");
    let stopped = sim.desk(ChatAsk::Stop).unwrap();
    assert_eq!(stopped, json!({"stopped": true, "dropped": 1}));
    sim.run();
    assert_eq!(sim.turns(), ["stopped"]);
    assert!(sim.screen()[1].starts_with("One two"), "{:?}", sim.screen());
    assert_eq!(sim.desk(ChatAsk::Stop).unwrap(), json!({"stopped": false, "dropped": 0}));
    sim.run();
}

#[test]
fn an_uncertain_delivery_is_sent_again_once() {
    let mut sim = Sim::private();
    sim.world.telegram.once("sendMessage", Answer::LostBefore);
    sim.text("Hello");
    sim.run();
    let id = turn(&mut sim, 1)["deliveries"][0]["id"].as_i64().unwrap();
    assert_eq!(sim.desk(ChatAsk::SendAgain { delivery: id }).unwrap(), json!({"queued": true}));
    sim.run();
    assert_eq!(refused(sim.desk(ChatAsk::SendAgain { delivery: id })), 409);
    assert_eq!(sim.screen().iter().filter(|text| *text == "Re: Hello").count(), 1);
}

#[test]
fn an_export_comes_in_pieces_that_make_the_whole() {
    let mut sim = Sim::private();
    for n in 0..30 {
        sim.world.model.next(Script::says(&format!("{n}: {}", "слово ".repeat(10_000))));
        sim.text(&format!("Q{n}"));
        sim.run_for(60_000);
    }
    sim.run();
    let calls = sim.world.telegram.calls.borrow().len();
    for form in [Form::Markdown, Form::JsonLines] {
        let (mut after, mut text, mut pieces) = (Some(0), String::new(), 0);
        while let Some(from) = after {
            let piece = sim.desk(ChatAsk::Export { form, after: from }).unwrap();
            let part = piece["text"].as_str().unwrap();
            assert!(part.len() < 1_000_000);
            text.push_str(part);
            after = piece["next"].as_i64();
            pieces += 1;
        }
        assert!(pieces > 2, "{form:?}");
        for n in 0..30 {
            assert!(text.contains(&format!("Q{n}")) && text.contains(&format!("{n}: слово")), "{form:?} {n}");
        }
        match form {
            Form::Markdown => assert_eq!(text.matches("\n## ").count(), 60),
            Form::JsonLines => {
                let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                assert_eq!(lines.len(), 60);
            }
        }
    }
    assert_eq!(sim.world.telegram.calls.borrow().len(), calls, "nothing is sent to the chat");
}

#[test]
fn questions_are_pinned() {
    for (ask, json) in [
        (ChatAsk::Overview, json!("overview")),
        (ChatAsk::Messages { before: Some(3), search: None }, json!({"messages": {"before": 3, "search": null}})),
        (ChatAsk::Turn { id: 7 }, json!({"turn": {"id": 7}})),
        (ChatAsk::Export { form: Form::JsonLines, after: 0 }, json!({"export": {"form": "jsonl", "after": 0}})),
        (ChatAsk::Retry { turn: 7 }, json!({"retry": {"turn": 7}})),
        (ChatAsk::SendAgain { delivery: 7 }, json!({"send_again": {"delivery": 7}})),
        (ChatAsk::Delete, json!("delete")),
    ] {
        assert_eq!(serde_json::to_value(&ask).unwrap(), json);
        assert_eq!(serde_json::from_value::<ChatAsk>(json).unwrap(), ask);
    }
}
