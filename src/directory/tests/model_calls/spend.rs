//! Sums for charts, and what the control plane asks about models.

use super::*;
use crate::directory::desk::models::{ModelsAsk, ModelsState, Resting, Without};
use serde_json::json;

#[test]
fn every_day_has_its_sum_also_the_empty_ones() {
    let world = World::owned();
    world.tell(world.report(1, GPT, 7));
    world.wait(2 * DAY);
    world.tell(world.report(2, FLASH, 5));
    world.tell(CallReport { person: None, failure: Some(failure(ErrorClass::Content)), ..world.report(3, GPT, 1) });
    let spend = world.dir.spend(4, world.now()).unwrap();
    assert_eq!(spend.by_day.iter().map(|day| day.totals.nano_usd).collect::<Vec<_>>(), [0, 7, 0, 6]);
    assert_eq!(spend.by_day[3].at, world.now().div_euclid(DAY) * DAY);
    assert_eq!((spend.total.calls, spend.total.failures, spend.total.nano_usd), (3, 1, 13));
    let models: Vec<_> = spend.by_model.iter().map(|one| (one.model.as_str(), one.totals.nano_usd)).collect();
    assert_eq!(models, [(GPT, 8), (FLASH, 5)]);
    let people: Vec<_> = spend.by_person.iter().map(|one| (one.user_id, one.totals.nano_usd)).collect();
    assert_eq!(people, [(ANN, 12), (0, 1)]);
    // What is older is not in it.
    assert_eq!(world.dir.spend(2, world.now()).unwrap().total.nano_usd, 6);
    for (days, counted) in [(0, 1), (-5, 1), (i64::MAX, 366)] {
        let spend = world.dir.spend(days, world.now()).unwrap();
        assert_eq!((spend.days, spend.by_day.len()), (counted, counted as usize));
    }
}

#[test]
fn the_json_is_pinned() {
    let world = World::owned();
    world.tell(world.report(1, GPT, 7));
    let totals = json!({
        "calls": 1, "failures": 0, "input": 100, "cached_input": 10, "output": 20, "thinking": 5, "nano_usd": 7,
        "assumed_nano_usd": 0,
    });
    let with = |field: &str, value: serde_json::Value| {
        let mut row = totals.clone();
        row[field] = value;
        row
    };
    let mut person = with("user_id", json!(55));
    person["name"] = json!("");
    let expected = json!({
        "days": 1, "total": totals, "by_day": [with("at", json!(world.now().div_euclid(DAY) * DAY))],
        "by_model": [with("model", json!(GPT))], "by_person": [person],
    });
    assert_eq!(serde_json::to_value(world.dir.spend(1, world.now()).unwrap()).unwrap(), expected);

    let asks = [
        (ModelsAsk::State, json!("state")),
        (ModelsAsk::Spend { days: 3 }, json!({ "spend": { "days": 3 } })),
        (
            ModelsAsk::ClearRest { provider: "ollama".into(), model: None },
            json!({ "clear_rest": { "provider": "ollama", "model": null } }),
        ),
        (
            ModelsAsk::Leave { bot: "main".into(), candidate: candidates(&[(GPT, 3)]).remove(0) },
            json!({ "leave": { "bot": "main", "candidate": { "model": GPT, "estimate_nano_usd": 3 } } }),
        ),
    ];
    for (ask, expected) in asks {
        assert_eq!(serde_json::to_value(&ask).unwrap(), expected);
    }
    let state = ModelsState {
        config: 2,
        default: Some(model(GPT)),
        fallbacks: None,
        catalogue: None,
        of_agents: vec![],
        caps: CAPS,
        today: Totals::default(),
        month: Totals::default(),
        resting: vec![Resting {
            provider: "ollama".into(),
            model: None,
            class: ErrorClass::Auth,
            until: 9,
            failures: 1,
            failed_at: 8,
        }],
        without: vec![Without { model: GPT.into(), feature: Feature::Tools, since: 7 }],
    };
    let none = serde_json::to_value(Totals::default()).unwrap();
    let expected = json!({
        "config": 2, "default": GPT, "fallbacks": null, "catalogue": null, "of_agents": [],
        "caps": { "day_nano_usd": USD, "month_nano_usd": 10 * USD, "person_day_nano_usd": null },
        "today": none, "month": none,
        "resting": [{ "provider": "ollama", "model": null, "class": "auth", "until": 9, "failures": 1, "failed_at": 8 }],
        "without": [{ "model": GPT, "feature": "tools", "since": 7 }],
    });
    assert_eq!(serde_json::to_value(&state).unwrap(), expected);
}
