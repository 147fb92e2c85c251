//! Models behind relays: what a person sees who waits for one to be loaded or for a place, what they hear when the way
//! there fails, what stands in, and what `/model` and `/status` say. How a call gets there: `src/relay`, `tests/e2e`.

use serde_json::{Value, json};
use tideclaw::chat::config::{Deadlines, Streaming};
use tideclaw::llm::catalogue::Catalogue;
use tideclaw::llm::{ErrorClass, ModelRef};
use tideclaw::relay::{FailCode, HubView, Model, Phase, RelayView};

use super::clock::START;
use super::model::{Script, State};
use super::sim::Sim;
use super::updates::{mention, photo};

/// A conversation whose model is behind a relay, with no other.
fn at(mut sim: Sim) -> Sim {
    sim.config.models = vec![ModelRef::new("relay", "qwen3:8b")];
    sim
}

/// The same with a second model elsewhere.
fn with_another() -> Sim {
    let mut sim = at(Sim::private());
    sim.config.models.push(ModelRef::new("ollama", "two"));
    sim
}

/// What the hub says of a call that no Ollama answered.
fn failed(code: FailCode) -> Script {
    Script::status(code.status(), &json!({"error": "x", "relay": code}).to_string())
}

fn asked(sim: &Sim) -> Vec<String> {
    sim.requests().iter().map(|request| request.body["model"].as_str().unwrap().to_owned()).collect()
}

/// Time and text of all drafts.
fn drafts(sim: &Sim) -> Vec<(i64, String)> {
    sim.calls("sendMessageDraft").iter().map(|made| (made.at, made.text().to_owned())).collect()
}

#[test]
fn a_long_load_is_told_and_the_answer_takes_the_lines_place() {
    let mut sim = at(Sim::private());
    let words: Vec<String> = (0..40).map(|n| format!("word{n} ")).collect();
    let pieces: Vec<&str> = words.iter().map(String::as_str).collect();
    sim.world.model.next(Script::words(100, &pieces).waits(27_000, Phase::Loading));
    sim.text("Hello");
    sim.run();
    let drafts = drafts(&sim);
    let lines: Vec<(i64, &str)> =
        drafts.iter().filter(|(_, text)| text.starts_with('⏳')).map(|(at, text)| (*at, text.as_str())).collect();
    let line = |seconds| format!("⏳ Loading qwen3:8b on the relay… {seconds} s");
    let expected = [10, 15, 20, 25].map(line);
    assert_eq!(lines.iter().map(|(_, text)| (*text).to_owned()).collect::<Vec<_>>(), expected);
    assert!(lines.iter().zip([10, 15, 20, 25]).all(|((at, _), due)| at - due * 1_000 <= 100), "{lines:?}");
    let first = drafts.iter().find(|(_, text)| text.starts_with("word0")).unwrap();
    assert!(first.0 <= 27_100 + 50, "the first words came at 27.1 s and showed at {}", first.0);
    let ids: Vec<Value> = sim.calls("sendMessageDraft").iter().map(|made| made.params["draft_id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "the words take the line's place");
    assert_eq!(sim.screen(), [words.concat().trim()], "and nothing of it is in the answer");
    let first_at: i64 = sim.store.rows("SELECT first_at - created_at FROM turn")[0].parse().unwrap();
    assert!(first_at >= first.0, "a line is no first word: {first_at}");
}

#[test]
fn a_short_load_is_nobodys_business() {
    let mut sim = at(Sim::private());
    sim.world.model.next(Script::says("Hi").waits(9_500, Phase::Loading));
    sim.text("Hello");
    sim.run();
    assert!(drafts(&sim).is_empty(), "{:?}", drafts(&sim));
    // Nor is a model that only thinks long.
    sim.world.model.next(Script::says("Hi").waits(60_000, Phase::Working));
    sim.text("Hello");
    sim.run();
    assert!(drafts(&sim).is_empty(), "{:?}", drafts(&sim));
}

#[test]
fn who_waits_in_line_reads_so_and_then_what_comes_after() {
    let mut sim = at(Sim::private());
    let script = Script::says("Hi").waits(12_000, Phase::Queued).waits(6_000, Phase::Loading);
    sim.world.model.next(script.waits(4_000, Phase::Working));
    sim.text("Hello");
    sim.run();
    let texts: Vec<String> = drafts(&sim).into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        texts,
        [
            "⏳ Waiting for a free place on the relay… 10 s",
            "⏳ Loading qwen3:8b on the relay… 15 s",
            "⏳ qwen3:8b is at work… 20 s",
        ]
    );
    assert_eq!(sim.screen(), ["Hi"]);
}

#[test]
fn a_group_sees_one_message_that_goes_when_the_answer_comes() {
    let mut sim = at(Sim::group());
    sim.world.model.next(Script::says("Hi").waits(21_000, Phase::Loading));
    sim.send(mention("Hello"));
    sim.run_for(11_000);
    assert_eq!(sim.screen(), ["⏳ Loading qwen3:8b on the relay… 10 s"]);
    sim.run_for(9_000);
    assert_eq!(sim.screen(), ["⏳ Loading qwen3:8b on the relay… 20 s"]);
    sim.run();
    assert_eq!(sim.screen(), ["Hi"]);
    assert_eq!(sim.calls("sendMessage").len(), 2, "the line and the answer");
    assert!(sim.calls("sendMessage")[0].is_silent());
}

#[test]
fn where_streaming_is_off_there_is_only_typing() {
    let mut sim = at(Sim::private());
    sim.config.streaming = Streaming::Off;
    sim.world.model.next(Script::says("Hi").waits(21_000, Phase::Loading));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.calls("sendChatAction").len(), 5);
    assert_eq!(sim.methods().iter().filter(|method| *method != "sendChatAction").count(), 1);
}

#[test]
fn the_line_too_is_russian_for_who_speaks_it() {
    let mut sim = at(Sim::private());
    let from = json!({"id": 7, "is_bot": false, "first_name": "Аня", "language_code": "ru"});
    sim.world.model.next(Script::says("Да").waits(12_000, Phase::Queued).waits(5_000, Phase::Loading));
    sim.send(json!({"text": "Привет", "from": from}));
    sim.run();
    let texts: Vec<String> = drafts(&sim).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["⏳ Жду свободного места на реле… 10 с", "⏳ Реле загружает qwen3:8b… 15 с"]);
}

#[test]
fn stop_ends_the_wait_at_once() {
    for group in [false, true] {
        let mut sim = at(if group { Sim::group() } else { Sim::private() });
        sim.world.model.next(Script::says("Never").waits(200_000, Phase::Loading));
        if group {
            sim.send(mention("Hello"))
        } else {
            sim.text("Hello")
        };
        sim.run_for(17_000);
        sim.update("callback_query", stop_button());
        sim.run_for(500);
        assert!(matches!(sim.requests()[0].state.get(), State::Open | State::Aborted(_)));
        assert_eq!(sim.turns(), ["stopped"]);
        sim.run();
        assert_eq!(sim.screen(), ["⏹ Stopped."], "group: {group}");
    }
}

fn stop_button() -> Value {
    let from = json!({"id": 7, "is_bot": false, "first_name": "Ann", "language_code": "en"});
    json!({"id": "1", "from": from, "data": "stop:1"})
}

#[test]
fn a_model_may_be_loaded_for_five_minutes() {
    let deadlines = Deadlines::default();
    assert_eq!((deadlines.first_byte, deadlines.relay), (120_000, 300_000));
    let mut sim = at(Sim::private());
    sim.world.model.next(Script::says("At last").waits(290_000, Phase::Loading));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.screen(), ["At last"]);
    assert_eq!(drafts(&sim).len(), 19, "few enough for the answer to have its own");
    sim.world.model.next(Script::says("Never").waits(500_000, Phase::Loading));
    let from = sim.world.clock.elapsed();
    sim.text("Hello");
    sim.run();
    assert_eq!(
        sim.screen()[1],
        "⚠️ The model did not answer within 300 s. Please try again or pick another /model.",
        "after {} ms",
        sim.world.clock.elapsed() - from
    );
}

#[test]
fn a_relay_lost_in_the_middle_is_asked_again_and_then_stood_in_for() {
    let mut sim = with_another();
    sim.world.model.next(Script::partial(100, &["Half an "]).cut());
    sim.world.model.next(Script::says("Whole."));
    sim.text("Hello");
    sim.run();
    assert_eq!((asked(&sim), sim.screen()), (vec!["qwen3:8b".to_owned(); 2], vec!["Whole.".to_owned()]));
    // It stays away: the other one answers.
    for code in [FailCode::Lost, FailCode::NoRelay, FailCode::NoRelay] {
        sim.world.model.next(failed(code));
    }
    sim.world.model.next(Script::says("Here."));
    sim.text("And now?");
    sim.run();
    assert_eq!(sim.screen()[1], "Here.\n\n↪️ ollama/two answered: relay/qwen3:8b does not answer.");
    assert_eq!(sim.turns(), ["answered", "answered"]);
}

#[test]
fn what_failed_on_the_way_is_said_with_what_to_do() {
    for (code, tries, words, class) in [
        (FailCode::NoRelay, 3, "relay with this model is not connected", ErrorClass::Transient),
        (FailCode::Lost, 3, "connection to the relay broke", ErrorClass::Transient),
        (FailCode::Protocol, 3, "connection to the relay broke", ErrorClass::Transient),
        (FailCode::Unreachable, 3, "its Ollama does not answer", ErrorClass::Transient),
        (FailCode::Broken, 3, "its Ollama does not answer", ErrorClass::Transient),
        (FailCode::Busy, 3, "All places on the relay are taken", ErrorClass::Transient),
        (FailCode::NoModel, 1, "No connected relay has this model", ErrorClass::Retired),
        (FailCode::Refused, 1, "did not accept the request", ErrorClass::BadRequest),
    ] {
        let mut sim = at(Sim::private());
        (0..tries).for_each(|_| sim.world.model.next(failed(code)));
        sim.text("Hello");
        sim.run();
        let screen = sim.screen();
        assert!(screen[0].contains(words) && screen[0].contains("/model"), "{code:?}: {screen:?}");
        assert_eq!((screen.len(), asked(&sim).len()), (1, tries), "{code:?}");
        let reports = sim.world.directory.reports.borrow();
        let failure = reports[0].failure.clone().unwrap();
        assert_eq!((failure.class, failure.relay), (class, true), "{code:?}");
    }
    // In the middle, and in Russian.
    let mut sim = at(Sim::private());
    (0..3).for_each(|_| sim.world.model.next(Script::partial(100, &["Пол-"]).cut()));
    let from = json!({"id": 7, "is_bot": false, "first_name": "Аня", "language_code": "ru"});
    sim.send(json!({"text": "Привет", "from": from}));
    sim.run();
    let screen = sim.screen().concat();
    assert!(screen.starts_with("Пол-") && screen.contains("Связь с реле оборвалась"), "{screen}");
}

#[test]
fn another_model_answers_at_once_where_asking_again_is_of_no_use() {
    for (code, why) in [(FailCode::NoModel, "is not available"), (FailCode::Refused, "could not answer this")] {
        let mut sim = with_another();
        sim.world.model.next(failed(code));
        sim.world.model.next(Script::says("Here."));
        sim.text("Hello");
        sim.run();
        assert_eq!(sim.screen(), [format!("Here.\n\n↪️ ollama/two answered: relay/qwen3:8b {why}.")]);
        assert_eq!(asked(&sim), ["qwen3:8b", "two"]);
    }
}

#[test]
fn a_named_relay_is_the_one_that_is_asked() {
    let mut sim = at(Sim::private());
    sim.text("/model relay:den/qwen3:8b");
    sim.run();
    assert_eq!(sim.screen(), ["✓ relay:den/qwen3:8b answers from now on."]);
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests()[0].url, "relay://den/api/chat");
    assert_eq!(sim.requests()[0].body["model"], "qwen3:8b");
    sim.text("/model relay:Den/x");
    sim.run();
    assert!(sim.screen().last().unwrap().contains("not set up"), "{:?}", sim.screen());
}

#[test]
fn the_menu_names_each_of_several_relays() {
    let mut sim = at(Sim::private());
    let view = hub(vec![relay("den", true), relay("home", true)]);
    // The lists are asked in the order of the servers.
    sim.world.model.next_list(Script::status(200, r#"{"models":[]}"#));
    sim.world.model.next_list(Script::status(200, &view.tags(None)));
    sim.text("/model");
    sim.run();
    let chat = sim.world.telegram.chat.borrow();
    let rows = chat[0].params["reply_markup"]["inline_keyboard"].clone();
    let labels: Vec<String> =
        rows.as_array().unwrap().iter().map(|row| row[0]["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(labels, ["✓ relay/qwen3:8b", "relay:den/qwen3:8b", "relay:home/qwen3:8b"]);
}

fn relay(name: &str, connected: bool) -> RelayView {
    RelayView {
        name: name.into(),
        connected,
        since: START,
        models: vec![Model { name: "qwen3:8b".into(), size: None, loaded: connected }],
        in_flight: 1,
        max_parallel: 2,
        latency_ms: Some(35),
        ..RelayView::default()
    }
}

fn hub(relays: Vec<RelayView>) -> HubView {
    HubView { relays, queued: 3, instance: "x".into() }
}

/// The lines of `/status` that speak of relays.
fn status(view: Option<HubView>) -> Vec<String> {
    let mut sim = at(Sim::private());
    sim.world.relays.replace(view);
    sim.text("/status");
    sim.run();
    sim.screen()[0].lines().filter(|line| line.to_lowercase().contains("relay")).skip(1).map(str::to_owned).collect()
}

#[test]
fn status_shows_the_relays() {
    let mut ill = relay("ill", true);
    ill.trouble = Some("connection refused".into());
    ill.draining = true;
    ill.models.clear();
    ill.latency_ms = None;
    let lines = status(Some(hub(vec![relay("den", false), relay("home", true), ill])));
    let since = "2026-11-20 00:00 UTC";
    assert_eq!(
        lines,
        [
            format!("Relay den: away since {since}"),
            format!("Relay home: connected since {since}; 1 of 2 at work; 35 ms; loaded: qwen3:8b"),
            format!(
                "Relay ill: connected since {since}; 1 of 2 at work; no model loaded; ⚠️ its Ollama does not answer; about to stop"
            ),
            "Waiting for a place on a relay: 3".to_owned(),
        ]
    );
    assert_eq!(status(Some(HubView::default())), ["Relays: none has connected yet"]);
    assert_eq!(status(None), ["Relays: no word from the hub"]);
    // Nothing where none are set up.
    let mut sim = Sim::private();
    sim.config.servers.0.retain(|server| server.name != "relay");
    sim.text("/status");
    sim.run();
    assert!(!sim.screen()[0].contains("Relay"), "{:?}", sim.screen());
}

#[test]
fn a_small_machine_is_asked_for_no_more_than_the_operator_says() {
    let mut sim = at(Sim::private());
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests()[0].body["options"]["num_ctx"], 32_768);
    assert_eq!(sim.requests()[0].body["truncate"], false);
    let mut sim = at(Sim::private());
    sim.config.catalogue = Catalogue::new(Some(r#"{"relay/qwen3:8b":{"context":8192}}"#)).0;
    sim.text("Hello");
    sim.text("/model relay:den/qwen3:8b");
    sim.run();
    sim.text("Hello");
    sim.run();
    for request in sim.requests() {
        assert_eq!(request.body["options"]["num_ctx"], 8_192, "{}", request.url);
    }
}

#[test]
fn a_picture_that_no_relay_takes_is_not_sent_to_one() {
    let mut sim = with_another();
    let shown = json!({"capabilities": ["completion", "vision"], "model_info": {"llama.context_length": 32_768}});
    sim.world.model.shown.replace(shown.to_string());
    let png = |size: usize| [b"\x89PNG\r\n\x1a\n".as_slice(), &vec![7; size]].concat();
    sim.world.storage.put("a", png(11 << 20));
    sim.world.storage.put("b", png(12 << 20));
    for id in ["a", "b"] {
        sim.send(json!({"photo": photo(id), "caption": "What is it?"}));
        sim.run();
    }
    let last = |request: usize| sim.requests()[request].body["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last(0)["images"].as_array().map(Vec::len), Some(1), "15 MiB as base64 pass");
    assert_eq!(last(1)["images"], Value::Null);
    assert!(sim.requests()[1].question().contains("too large to be shown"), "{}", sim.requests()[1].question());
}
