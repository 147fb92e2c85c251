//! Answers and conversations as files.

use serde_json::{Value, json};

use super::model::Script;
use super::sim::Sim;
use super::storage::Fault;
use super::telegram::Answer;
use super::updates::photo;

fn documents(sim: &Sim) -> Vec<(String, String)> {
    sim.world.telegram.documents.borrow().clone()
}

#[test]
fn a_very_long_answer_is_four_messages_and_a_file_with_all_of_it() {
    let mut sim = Sim::private();
    let answer = "Some words of an answer.\n\n".repeat(1_000);
    sim.world.model.next(Script::says(&answer));
    sim.text("go");
    sim.run();
    assert_eq!(sim.screen().len(), 5);
    assert!(sim.screen()[3].ends_with("✂️ The whole answer is in the file."));
    assert_eq!(documents(&sim), [("answer.md".to_owned(), answer)]);
    let document = &sim.calls("sendDocument")[0];
    assert_eq!(document.params["caption"], "The whole answer");
    assert!(document.is_silent());
    assert!(sim.outbox().iter().all(|row| row == "answer sent"));
}

#[test]
fn long_code_comes_as_a_file_too() {
    let mut sim = Sim::private();
    let code: String = (0..500).map(|n| format!("\tline({n})\n")).collect();
    sim.world.model.next(Script::says(&format!("Here:\n\n```makefile\n{code}```\n\nThat is all.")));
    sim.text("go");
    sim.run();
    assert_eq!(documents(&sim), [("code.mk".to_owned(), code)]);
    assert!(sim.screen()[0].starts_with("Here:") && sim.screen()[0].ends_with("That is all."));
    assert!(!sim.screen()[0].contains("line(499)"));
}

#[test]
fn a_file_is_delivered_as_carefully_as_a_message() {
    let long = || Script::says(&"Some words of an answer.\n\n".repeat(1_000));
    let mut sim = Sim::private();
    sim.world.model.next(long());
    sim.world.telegram.once("sendDocument", Answer::Flood(9));
    sim.text("go");
    sim.run();
    let calls = sim.calls("sendDocument");
    assert!(calls.len() == 2 && calls[1].at - calls[0].at >= 9_000, "{calls:?}");
    assert_eq!(documents(&sim).len(), 1);

    let mut sim = Sim::private();
    sim.world.model.next(long());
    sim.world.telegram.once("sendDocument", Answer::LostAfter);
    sim.text("go");
    sim.run();
    assert_eq!((sim.calls("sendDocument").len(), documents(&sim).len()), (1, 1), "not repeated blindly");
    assert!(sim.screen().last().unwrap().starts_with("⚠️ Telegram did not confirm"));
    sim.press("🔁");
    sim.run();
    assert_eq!(documents(&sim).len(), 2, "at the person's wish");
}

#[test]
fn an_export_of_500_messages_has_every_one_in_both_forms() {
    let mut sim = Sim::private();
    for n in 0..250 {
        sim.text(&format!("question {n}"));
        sim.run();
    }
    sim.text("/export");
    sim.run();
    let files = documents(&sim);
    assert_eq!(
        files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["conversation.md", "conversation.jsonl"]
    );
    let (markdown, lines) = (&files[0].1, &files[1].1);
    assert!(markdown.starts_with("# Conversation, exported 2026-11-20 "));
    assert_eq!(markdown.matches("\n## ").count(), 500);
    assert!(markdown.contains("· You\n\nquestion 249\n") && markdown.contains("· ollama/one\n\nRe: question 249\n"));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 500);
    assert_eq!((&lines[0]["role"], &lines[0]["parts"][0]["text"]), (&json!("user"), &json!("question 0")));
    assert_eq!((&lines[499]["model"], &lines[0]["model"]), (&json!("ollama/one"), &Value::Null));
    assert!(sim.world.storage.stored.borrow().keys().all(|key| key.starts_with("exports/main:7/2026-11/")));
    assert_eq!(sim.inbox().last().unwrap(), "export command");
}

#[test]
fn an_export_is_of_this_conversation_or_of_all() {
    let mut sim = Sim::private();
    sim.text("/export");
    sim.run();
    assert!(sim.screen()[0].starts_with("There is nothing to export yet."));
    sim.text("first");
    sim.run();
    sim.text("/new");
    sim.run();
    sim.world.storage.put("a", b"\x89PNG\r\n\x1a\n".to_vec());
    sim.send(json!({"photo": photo("a"), "caption": "second"}));
    sim.run();
    sim.text("/export");
    sim.text("/export all");
    sim.run();
    let files = documents(&sim);
    assert!(!files[0].1.contains("first") && files[0].1.contains("second"));
    assert!(files[2].1.contains("first") && files[2].1.contains("second"));
    assert!(files[0].1.contains("📎 photo (image/png, 1 kB, files/main:7/2026-11/"), "{}", files[0].1);
}

#[test]
fn a_long_conversation_is_exported_in_parts() {
    let mut sim = Sim::private();
    for n in 0..5 {
        sim.world.model.next(Script::says(&format!("{n} {}", "word ".repeat(120_000))));
        sim.text("go");
        sim.run();
    }
    sim.world.telegram.documents.borrow_mut().clear();
    sim.text("/export");
    sim.run();
    let names: Vec<String> = documents(&sim).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["conversation-1.md", "conversation-2.md", "conversation-1.jsonl", "conversation-2.jsonl"]);
}

#[test]
fn an_export_that_cannot_be_stored_is_said_and_one_that_was_cut_is_made_again() {
    let mut sim = Sim::private();
    sim.text("hello");
    sim.run();
    (0..3).for_each(|_| sim.world.storage.fails(Fault::StorageDown));
    sim.text("/export");
    sim.run();
    assert!(sim.screen()[1].starts_with("⚠️ The export could not be stored"), "{:?}", sim.screen());
    sim.text("/export");
    sim.run_for(10);
    sim.kill();
    sim.run();
    assert_eq!(documents(&sim).len(), 2);
}
