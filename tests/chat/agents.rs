//! Who answers: configuration that changes between messages, during them, and around every fault.

use serde_json::{Value, json};
use tideclaw::directory::Reserved;
use tideclaw::directory::config::{ConfigMark, SessionConfig};
use tideclaw::llm::ModelRef;

use super::directory::Release;
use super::model::Script;
use super::sim::Sim;
use super::updates::{GROUP, PERSON, mention, photo};

/// A pirate answers everywhere, a tutor where `place` says.
fn two_agents(place: Value) -> Value {
    let mut binding = place;
    binding["agent"] = json!("tutor");
    json!({
        "agents": {
            "main": {"name": "Jack", "emoji": "🏴", "persona": "You are a pirate.", "model": "ollama/sea:1b"},
            "tutor": {"name": "Tutor", "persona": "You teach.", "model": "ollama/school:1b", "tools": "none"},
        },
        "bindings": [binding],
    })
}

fn save(sim: &Sim, document: &Value) -> i64 {
    sim.world.directory.save(document, sim.world.clock.now())
}

/// The model and the agent's own words in the system text of every request for an answer.
fn answered_by(sim: &Sim) -> Vec<(String, String)> {
    let read = |body: &Value| {
        let system = body["messages"][0]["content"].as_str().unwrap();
        let (_, own) = system.split_once("outside this conversation.").unwrap();
        let (own, _) = own.rsplit_once("\nToday is").unwrap();
        (body["model"].as_str().unwrap().to_owned(), own.to_owned())
    };
    sim.answer_requests().iter().map(|request| read(&request.body)).collect()
}

fn models(sim: &Sim) -> Vec<String> {
    answered_by(sim).into_iter().map(|(model, _)| model).collect()
}

fn own(name: &str, persona: &str) -> String {
    format!("\nYour name is {name}.\nThe operator of this bot says about you:\n{persona}")
}

fn tutor() -> (String, String) {
    ("school:1b".to_owned(), own("Tutor", "You teach."))
}

fn pirate() -> (String, String) {
    ("sea:1b".to_owned(), own("Jack, your emoji 🏴", "You are a pirate."))
}

fn plain() -> (String, String) {
    ("one".to_owned(), String::new())
}

/// The versions said in questions so far, and forgets them.
fn said(sim: &Sim) -> Vec<Option<i64>> {
    sim.world.directory.marks.take().into_iter().map(|mark| mark.map(|mark| mark.version)).collect()
}

#[test]
fn the_first_message_of_a_new_conversation_is_answered_by_the_right_agent() {
    let mut sim = Sim::private();
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.text("Hello");
    sim.run();
    assert_eq!(answered_by(&sim), [tutor()]);
    assert_eq!(sim.screen(), ["Re: Hello"], "nobody stood in for anybody");
    assert_eq!(sim.requests()[0].body["tools"], Value::Null);
    let steps = sim.store.rows("SELECT kind, state, detail FROM step ORDER BY id LIMIT 1");
    assert_eq!(steps, ["config done version 1"]);
    let questions: Vec<_> = said(&sim).into_iter().flatten().collect();
    assert_eq!(questions, [0, 1], "one more question, once");
    sim.text("And now?");
    sim.run();
    assert_eq!((answered_by(&sim), sim.turns()), (vec![tutor(); 2], vec!["answered".to_owned(); 2]));
    assert_eq!(said(&sim).into_iter().flatten().collect::<Vec<_>>(), [1]);
}

#[test]
fn the_system_text_is_our_rules_then_the_agent_then_the_date() {
    let mut sim = Sim::private();
    save(&sim, &two_agents(json!({"chat": PERSON})));
    for text in ["Hello", "Again"] {
        sim.text(text);
        sim.run();
    }
    let texts: Vec<String> =
        sim.requests().iter().map(|r| r.body["messages"][0]["content"].as_str().unwrap().to_owned()).collect();
    assert!(texts[0].starts_with("You are a helpful personal assistant in a Telegram chat."));
    assert!(texts[0].ends_with(
        "outside this conversation.\nYour name is Tutor.\nThe operator of this bot says about you:\nYou teach.\n\
         Today is 2026-11-20 (UTC)."
    ));
    assert_eq!(texts[0], texts[1], "the same bytes, so that providers find them in their cache");
}

#[test]
fn without_a_saved_configuration_everything_is_as_before() {
    let mut sim = Sim::private();
    sim.text("Hello");
    sim.run();
    assert_eq!(answered_by(&sim), [plain()]);
    assert_eq!(said(&sim)[0], Some(0));
    assert_eq!(sim.store.rows("SELECT count(*) FROM setting WHERE key = 'config'"), ["0"]);
}

#[test]
fn saved_between_two_messages_it_holds_from_the_second_on() {
    let mut sim = Sim::private();
    sim.text("One");
    sim.run();
    save(&sim, &two_agents(json!({"chat": GROUP})));
    sim.text("Two");
    sim.run();
    save(&sim, &two_agents(json!({"bot": "main"})));
    sim.text("Three");
    sim.run();
    assert_eq!(answered_by(&sim), [plain(), pirate(), tutor()]);
    assert_eq!(sim.requests()[2].prompt()[0], "user: One", "the history stays");
}

#[test]
fn a_topic_of_a_group_has_its_own_agent() {
    let document = two_agents(json!({"chat": GROUP, "topic": 5}));
    for (topic, expected) in [(Some(5), tutor()), (Some(6), pirate()), (None, pirate())] {
        let mut sim = Sim::group();
        sim.topic = topic;
        save(&sim, &document);
        sim.send(mention("Hello"));
        sim.run();
        assert_eq!(answered_by(&sim), [expected], "{topic:?}");
    }
}

#[test]
fn a_running_turn_ends_as_it_began_and_the_next_goes_by_what_was_saved() {
    let mut sim = Sim::private();
    save(&sim, &two_agents(json!({"chat": 1})));
    sim.world.model.next(Script::calls("current_time", "{}").after(5_000));
    sim.world.model.next(Script::says("Noon.").after(5_000));
    sim.text("What time is it?");
    sim.run_for(1_000);
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.text("And then?");
    // A look that brings the new configuration along while the turn runs.
    sim.text("/status");
    sim.run_for(1_000);
    assert!(sim.screen().iter().any(|line| line.contains("Agent: Tutor (tutor)")), "{:?}", sim.screen());
    sim.run();
    assert_eq!(answered_by(&sim), [pirate(), pirate(), tutor()]);
    assert!(sim.requests()[1].body["tools"].is_array() && sim.requests()[2].body["tools"].is_null());
    assert!(sim.screen().iter().any(|line| line == "Noon."), "{:?}", sim.screen());
    assert_eq!(sim.turns(), ["answered", "answered"]);
}

#[test]
fn an_agent_that_is_deleted_while_it_answers_says_its_last_words() {
    let mut sim = Sim::private();
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.world.model.next(Script::words(2_000, &["One ", "two ", "three"]));
    sim.text("Count");
    sim.run_for(3_000);
    save(&sim, &json!({}));
    sim.run();
    sim.text("Who are you?");
    sim.run();
    assert_eq!(answered_by(&sim), [tutor(), plain()]);
    assert_eq!(sim.screen(), ["One two three", "Re: Who are you?"]);
}

#[test]
fn a_turn_that_is_cut_goes_on_with_its_model_whatever_was_saved_meanwhile() {
    let mut sim = Sim::private();
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.world.model.next(Script::partial(100, &["One "]).hang());
    sim.text("Count");
    sim.run_for(5_000);
    save(&sim, &json!({}));
    sim.kill();
    sim.run();
    sim.text("More");
    sim.run();
    assert_eq!(answered_by(&sim), [tutor(), tutor(), plain()]);
    assert_eq!(sim.turns(), ["answered", "answered"]);
}

#[test]
fn the_chain_is_the_agents() {
    let mut sim = Sim::with_two_models();
    save(&sim, &json!({"agents": {"main": {"model": "ollama/a", "fallbacks": ["ollama/b"]}}}));
    sim.world.model.next(Script::status(404, r#"{"error":"model 'a' not found"}"#));
    sim.text("Hello");
    sim.run();
    assert_eq!(models(&sim), ["a", "b"]);
    assert_eq!(sim.screen(), ["Re: Hello\n\n↪️ ollama/b answered: ollama/a is not available."]);
    save(&sim, &json!({"models": {"fallbacks": []}}));
    sim.world.model.next(Script::status(404, r#"{"error":"model 'one' not found"}"#));
    sim.text("Again");
    sim.run();
    assert_eq!(models(&sim)[2..], ["one"], "nobody stands in");
    assert_eq!(sim.turns(), ["answered", "failed"]);
}

#[test]
fn what_a_person_picked_stays_unless_its_provider_is_gone() {
    let mut sim = Sim::with_two_models();
    sim.text("/model relay/mine");
    sim.text("/think high");
    sim.run();
    save(&sim, &json!({"agents": {"main": {"model": "ollama/gpt-oss:20b", "thinking": "low"}}}));
    sim.text("One");
    sim.run();
    assert_eq!((models(&sim)[0].as_str(), &sim.requests()[0].body["think"]), ("mine", &json!(true)));
    sim.kill();
    sim.config.servers.0.retain(|server| server.name != "relay");
    sim.text("/think default");
    sim.text("Two");
    sim.run();
    assert_eq!((models(&sim)[1].as_str(), &sim.requests()[1].body["think"]), ("gpt-oss:20b", &json!("low")));
    assert_eq!(sim.screen().last().unwrap(), "Re: Two");
    sim.text("/think");
    sim.run();
    assert!(sim.screen().last().unwrap().starts_with("🧠 Thinking: low."), "{:?}", sim.screen());
}

#[test]
fn an_agent_without_tools_is_offered_none_and_may_call_none() {
    let mut sim = Sim::private();
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.world.model.next(Script::calls("current_time", "{}"));
    sim.text("What time is it?");
    sim.run();
    let sent = sim.requests();
    assert!(sent.iter().all(|request| request.body["tools"].is_null()));
    let last = sent[1].body["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["content"], "Error: there is no tool named current_time");
    assert_eq!(sim.turns(), ["answered"]);
}

#[test]
fn deadlines_streaming_and_prices_are_the_documents() {
    let mut sim = Sim::private();
    save(
        &sim,
        &json!({"models": {"default": "ollama/x", "catalogue": {"ollama/x": {"input_usd": 100, "output_usd": 200}}},
            "replies": {"streaming": "edit", "deadlines": "5,5,60"}}),
    );
    sim.text("/footer");
    sim.world.model.next(Script::words(2_000, &["One ", "two ", "three ", "four"]));
    sim.text("Count");
    sim.run();
    assert!(sim.calls("sendMessageDraft").is_empty() && !sim.calls("editMessageText").is_empty());
    assert!(sim.screen().iter().any(|line| line.contains("⚙️ ollama/x · ↑26 ↓5 · $0.0036")), "{:?}", sim.screen());
    sim.world.model.next(Script::says("Never").after(1_000_000));
    let before = sim.world.clock.elapsed();
    sim.text("Hello?");
    sim.run_for(6_000);
    assert_eq!(sim.turns(), ["answered", "failed"], "silence since {before}: {:?}", sim.screen());
}

#[test]
fn a_photo_is_judged_by_the_model_that_will_answer() {
    let mut sim = Sim::private();
    sim.world.storage.put("a", b"\x89PNG\r\n\x1a\n and what follows");
    let catalogue = json!({"ollama/eyes": {"accepts": ["image"]}});
    save(&sim, &json!({"models": {"default": "ollama/eyes", "catalogue": catalogue}}));
    sim.send(json!({"photo": photo("a"), "caption": "What is it?"}));
    sim.run();
    assert_eq!(models(&sim), ["eyes"]);
    let last = sim.requests()[0].body["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["images"].as_array().map(Vec::len), Some(1));
    assert_eq!(sim.screen().len(), 1, "nobody says that it cannot be seen: {:?}", sim.screen());
}

#[test]
fn a_compaction_is_written_by_the_model_that_answers_now() {
    let mut sim = Sim::private();
    for n in 0..6 {
        sim.text(&format!("fact{n} {}", "word ".repeat(40)));
        sim.run();
    }
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.text("/compact");
    sim.run();
    let summary = &sim.summary_requests()[0].body;
    assert_eq!(summary["model"], "school:1b");
    assert!(!summary["messages"][0]["content"].as_str().unwrap().contains("You teach."), "it is not in character");
    said(&sim);
    sim.text("Hello");
    sim.run();
    assert_eq!(said(&sim)[0], Some(1), "it is known since");
}

#[test]
fn status_and_the_menu_show_what_was_saved_a_moment_ago() {
    let mut sim = Sim::private();
    sim.text("Hello");
    sim.text("/status");
    sim.run();
    assert!(sim.screen().iter().any(|line| line.starts_with("Agent: main\nModel: ollama/one\n")), "{:?}", sim.screen());
    save(&sim, &two_agents(json!({"chat": 1})));
    sim.text("/status");
    sim.run();
    let status = sim.screen().last().unwrap().clone();
    assert!(status.starts_with("Agent: 🏴 Jack (main)\nModel: ollama/sea:1b\n"), "{status}");
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.text("/model");
    sim.run();
    assert!(sim.screen().last().unwrap().starts_with("Current model: ollama/school:1b"), "{:?}", sim.screen());
}

#[test]
fn status_comes_without_the_directory_too() {
    let mut sim = Sim::private();
    sim.world.directory.silent.set(100);
    sim.text("/status");
    sim.run();
    assert!(sim.screen()[0].starts_with("Agent: main\n"), "{:?}", sim.screen());
}

#[test]
fn a_directory_that_forgot_its_saves_brings_back_the_environment() {
    let mut sim = Sim::private();
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.text("One");
    sim.run();
    sim.world.directory.forget_saves();
    sim.text("Two");
    sim.run();
    assert_eq!(answered_by(&sim), [tutor(), plain()]);
    assert!(sim.requests()[1].body["tools"].is_array());
}

#[test]
fn a_directory_of_an_older_release_is_understood() {
    let mut sim = Sim::private();
    sim.world.directory.release.set(Release::Older);
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.text("One");
    sim.run();
    sim.world.directory.release.set(Release::Ours);
    sim.text("Two");
    sim.run();
    // A release is taken back: what was told once still holds.
    sim.world.directory.release.set(Release::Older);
    sim.text("Three");
    sim.run();
    assert_eq!(answered_by(&sim), [plain(), tutor(), tutor()]);
}

#[test]
fn a_word_of_a_newer_release_ends_in_words_and_loses_no_report() {
    let mut sim = Sim::private();
    sim.text("One");
    sim.run_for(1_000);
    sim.world.directory.release.set(Release::Newer);
    sim.text("Two");
    sim.run();
    assert!(sim.screen()[1].contains("⚠️"), "{:?}", sim.screen());
    assert_eq!(sim.turns(), ["answered", "failed"]);
    assert_eq!(sim.world.directory.reports.borrow().len(), 1, "heard with the first of its answers, and told once");
    sim.world.directory.release.set(Release::Ours);
    sim.text("Three");
    sim.run();
    assert_eq!(sim.screen()[2], "Re: Three");
}

#[test]
fn news_without_end_do_not_keep_a_person_waiting() {
    let mut sim = Sim::private();
    for version in 1..=20 {
        let mark = ConfigMark { version, at: 1 };
        let config = SessionConfig { mark, persona: format!("Number {version}."), ..SessionConfig::default() };
        sim.world.directory.next(Reserved::Reconfigure { config: Box::new(config) });
    }
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.turns(), ["failed"], "told what it had not asked for");
    assert!(sim.world.directory.asked.borrow().len() <= 6, "{}", sim.world.directory.asked.borrow().len());

    let mut sim = Sim::private();
    for version in [5, 9, 5] {
        let mark = ConfigMark { version, at: 1 };
        let config = SessionConfig { mark, persona: format!("Number {version}."), ..SessionConfig::default() };
        sim.world.directory.next(Reserved::Reconfigure { config: Box::new(config) });
    }
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.turns(), ["answered"]);
    assert!(answered_by(&sim)[0].1.ends_with("Number 5."), "by what it was told last: {:?}", answered_by(&sim));
    sim.text("Again");
    sim.run();
    assert_eq!(answered_by(&sim)[1], tutor());
}

#[test]
fn killed_at_any_step_the_right_agent_answers_once() {
    let saved_late = [false, true];
    for late in saved_late {
        for steps in 0.. {
            let mut sim = Sim::private();
            if late {
                sim.text("Before");
                sim.run();
            }
            save(&sim, &two_agents(json!({"chat": PERSON})));
            let from = sim.screen().len();
            sim.text("Hello");
            let rested = sim.run_steps(steps);
            sim.kill();
            sim.run();
            let at = format!("killed after {steps} steps");
            assert_eq!(sim.screen()[from..].iter().filter(|line| *line == "Re: Hello").count(), 1, "{at}");
            assert_eq!(sim.turns().last().unwrap(), "answered", "{at}");
            assert_eq!(answered_by(&sim)[from..].iter().filter(|by| **by != tutor()).count(), 0, "{at}");
            let kept = sim.store.rows("SELECT json_extract(value, '$.agent') FROM setting WHERE key = 'config'");
            assert_eq!(kept, ["tutor"], "{at}");
            if rested {
                assert!(steps > 3);
                break;
            }
        }
    }
}

#[test]
fn a_store_that_fails_at_any_statement_keeps_what_was_told_whole() {
    for failing in 0..60 {
        let mut sim = Sim::private();
        save(&sim, &two_agents(json!({"chat": PERSON})));
        sim.text("Hello");
        sim.store.fail_when(move |number, _| number == failing);
        sim.run();
        sim.store.mend();
        assert_eq!(sim.screen()[0], "Re: Hello", "statement {failing} failed");
        assert_eq!(sim.turns(), ["answered"], "statement {failing} failed");
        assert!(
            answered_by(&sim).iter().all(|by| *by == tutor()),
            "statement {failing} failed: {:?}",
            answered_by(&sim)
        );
    }
}

#[test]
fn what_was_kept_and_cannot_be_read_is_told_anew() {
    let mut sim = Sim::private();
    save(&sim, &two_agents(json!({"chat": PERSON})));
    sim.text("One");
    sim.run();
    sim.kill();
    sim.store.rows("UPDATE setting SET value = '{\"version\":\"x' WHERE key = 'config'");
    sim.text("Two");
    sim.run();
    assert_eq!(answered_by(&sim), [tutor(), tutor()]);
}

#[test]
fn a_stop_right_after_news_ends_the_turn() {
    for steps in 0..12 {
        let mut sim = Sim::private();
        save(&sim, &two_agents(json!({"chat": PERSON})));
        sim.world.model.next(Script::partial(100, &["One "]).hang());
        sim.text("Count");
        sim.run_steps(steps);
        sim.text("/stop");
        sim.run_for(20_000);
        assert_eq!(sim.turns(), ["stopped"], "after {steps} steps");
    }
}

#[test]
fn a_model_nobody_set_up_is_said_so() {
    let mut sim = Sim::private();
    save(&sim, &json!({"agents": {"main": {"model": "gemini/gemini-3.8-flash", "fallbacks": []}}}));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.screen(), ["⚠️ This model's provider is not set up here. Pick another with /model."]);
    assert_eq!(sim.config.models, [ModelRef::new("ollama", "one")]);
}
