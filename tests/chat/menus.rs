//! `/model`: a menu from configuration and the provider's live list.

use serde_json::{Value, json};

use super::model::Script;
use super::sim::Sim;

fn catalogue(names: impl Iterator<Item = String>) -> Script {
    let models: Vec<Value> = names.map(|name| json!({"name": name})).collect();
    Script::status(200, &json!({"models": models}).to_string())
}

fn labels(sim: &Sim) -> Vec<String> {
    let chat = sim.world.telegram.chat.borrow();
    let keyboard = chat.last().unwrap().params["reply_markup"]["inline_keyboard"].clone();
    let rows = keyboard.as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap().clone());
    rows.map(|button| button["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn it_shows_configured_and_live_models_and_a_press_picks_one() {
    let mut sim = Sim::with_two_models();
    sim.world.model.next_list(catalogue(["zeta", "alpha", "one"].map(str::to_owned).into_iter()));
    sim.text("/model");
    sim.run();
    assert!(sim.screen()[0].starts_with("Current model: ollama/one"), "{:?}", sim.screen());
    assert_eq!(labels(&sim), ["✓ ollama/one", "relay/two", "ollama/alpha", "ollama/zeta"]);
    assert_eq!(sim.inbox(), ["menu command"]);
    assert_eq!(sim.press("ollama/alpha"), "✓ ollama/alpha answers from now on.");
    sim.run();
    assert_eq!(labels(&sim), ["ollama/one", "relay/two", "✓ ollama/alpha", "ollama/zeta"]);
    assert_eq!(sim.screen(), ["✓ ollama/alpha answers from now on."], "edited in place");
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests()[0].body["model"], "alpha");
}

#[test]
fn a_list_that_fails_or_is_late_is_left_out_and_said_so() {
    let slow = catalogue(["late".to_owned()].into_iter()).after(60_000);
    for script in [Script::status(500, "<html>"), Script::refused(), slow, Script::status(200, "nonsense")] {
        let mut sim = Sim::with_two_models();
        sim.world.model.next_list(script);
        sim.text("/model");
        sim.run();
        assert_eq!(labels(&sim), ["✓ ollama/one", "relay/two"]);
        assert!(sim.screen()[0].contains("live list did not load"), "{:?}", sim.screen());
        assert!(sim.calls("sendMessage")[0].at <= 4_000);
    }
}

#[test]
fn a_button_of_an_older_menu_picks_nothing() {
    let mut sim = Sim::private();
    sim.text("/model");
    sim.run();
    let data = {
        let chat = sim.world.telegram.chat.borrow();
        chat[0].params["reply_markup"]["inline_keyboard"][1][0]["callback_data"].as_str().unwrap().to_owned()
    };
    sim.world.model.next_list(catalogue(["new".to_owned()].into_iter()));
    sim.text("/model");
    sim.run();
    assert_eq!(sim.press_data(100, &data), "This button is no longer of use.");
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests()[0].body["model"], "one");
}

#[test]
fn many_models_come_in_pages() {
    let mut sim = Sim::with_two_models();
    sim.world.model.next_list(catalogue((0..18).map(|n| format!("model-{n:02}"))));
    sim.text("/model");
    sim.run();
    assert_eq!(labels(&sim).len(), 8 + 3);
    assert_eq!(labels(&sim)[9], "1/3");
    assert_eq!(sim.press("›"), "");
    sim.run();
    assert_eq!(labels(&sim)[0], "ollama/model-06");
    assert_eq!(labels(&sim)[9], "2/3");
    assert_eq!(sim.press("ollama/model-07"), "✓ ollama/model-07 answers from now on.");
    sim.run();
    assert_eq!(labels(&sim)[1], "✓ ollama/model-07", "it stays on its page");
    sim.press("‹");
    sim.run();
    sim.press("‹");
    sim.run();
    assert_eq!(labels(&sim)[..2], ["ollama/model-14", "ollama/model-15"], "round to the last page");
    let sizes = sim.world.telegram.chat.borrow()[0].params["reply_markup"].to_string();
    assert!(!sizes.contains(&"x".repeat(65)));
}

#[test]
fn by_name() {
    let mut sim = Sim::private();
    for (text, answer) in [
        ("/model two", "✓ ollama/two answers from now on."),
        ("/model ollama/three:7b", "✓ ollama/three:7b answers from now on."),
        ("/model nobody/x", "⚠️ This model's provider is not set up here. Pick another with /model."),
        ("/model gemini/x", "⚠️ This model's provider is not set up here. Pick another with /model."),
    ] {
        sim.text(text);
        sim.run();
        assert_eq!(sim.screen().last().unwrap(), answer, "{text}");
    }
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests()[0].body["model"], "three:7b");
}

#[test]
fn a_provider_that_is_not_set_up_is_said_so() {
    let mut sim = Sim::private();
    sim.config.models = vec!["gemini/x".parse().unwrap()];
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.screen(), ["⚠️ This model's provider is not set up here. Pick another with /model."]);
    assert_eq!(sim.turns(), ["failed"]);
}

#[test]
fn the_menu_comes_while_a_turn_runs_and_survives_a_killed_process() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Done").after(30_000));
    sim.text("Hello");
    sim.run_for(1_000);
    sim.text("/model");
    sim.run_for(500);
    assert_eq!(sim.screen().len(), 1, "the turn does not hold it up");
    sim.world.model.next_list(Script::status(200, r#"{"models":[]}"#).after(3_000));
    sim.text("/model");
    sim.run_for(500);
    sim.kill();
    sim.run();
    assert_eq!(sim.inbox(), ["message turn", "menu command", "menu command"]);
    assert_eq!(sim.screen().iter().filter(|text| text.starts_with("Current model")).count(), 2);
}
