//! The JSON around model calls that other releases read and write: change it only by adding.

use super::*;
use crate::llm::{ErrorClass, Feature, ModelRef, Reset, Scope, Usage};
use serde_json::{Value, json};

#[track_caller]
fn pinned<T>(value: &T, expected: Value)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(serde_json::to_value(value).unwrap(), expected);
    assert_eq!(&serde_json::from_value::<T>(expected).unwrap(), value);
}

#[test]
fn questions() {
    let failure = Failure {
        class: ErrorClass::Quota,
        retry_after_ms: Some(38_000),
        scope: Some(Scope::Model),
        reset: Some(Reset::MidnightPacific),
        feature: Some(Feature::Tools),
        relay: false,
    };
    let report = CallReport {
        step: 6,
        person: Some(55),
        model: ModelRef::new("ollama", "gpt-oss:120b"),
        at: 1_795_000_000_000,
        usage: Usage { input: 9, cached_input: 1, output: 4, thinking: 2, cost_nano_usd: None },
        cost_nano_usd: 3_750,
        assumed: true,
        failure: Some(failure),
    };
    let candidate = Candidate { model: ModelRef::new("gemini", "gemini-3.8-flash"), estimate_nano_usd: 4_000_000 };
    let reserve = Reserve { step: 7, person: None, candidates: vec![candidate] };
    let ask =
        ModelAsk { session: "main:55".into(), reports: vec![report], reserve: Some(reserve), ..ModelAsk::default() };
    let expected = json!({
        "session": "main:55",
        "reports": [{
            "step": 6, "person": 55, "model": "ollama/gpt-oss:120b", "at": 1_795_000_000_000_i64,
            "usage": { "input": 9, "cached_input": 1, "output": 4, "thinking": 2 },
            "cost_nano_usd": 3_750, "assumed": true,
            "failure": {
                "class": "quota", "retry_after_ms": 38_000, "scope": "model", "reset": "midnight_pacific",
                "feature": "tools",
            },
        }],
        "reserve": {
            "step": 7, "person": null,
            "candidates": [{ "model": "gemini/gemini-3.8-flash", "estimate_nano_usd": 4_000_000 }],
        },
    });
    pinned(&ask, expected);
    pinned(&Scope::Provider, json!("provider"));
}

#[test]
fn a_shorter_question_of_an_older_release_is_understood() {
    let ask: ModelAsk = serde_json::from_value(json!({ "session": "main:5" })).unwrap();
    assert_eq!(ask, ModelAsk { session: "main:5".into(), reports: vec![], reserve: None, ..ModelAsk::default() });
    let short = json!({ "step": 1, "model": "ollama/x", "at": 5, "cost_nano_usd": 0, "failure": { "class": "rate" } });
    let report: CallReport = serde_json::from_value(short).unwrap();
    assert_eq!((report.person, report.usage, report.assumed), (None, Usage::default(), false));
    let rate = Failure {
        class: ErrorClass::Rate,
        retry_after_ms: None,
        scope: None,
        reset: None,
        feature: None,
        relay: false,
    };
    assert_eq!(report.failure, Some(rate.clone()));
    let expected = json!({ "class": "rate", "retry_after_ms": null, "scope": null, "reset": null, "feature": null, "relay": true });
    pinned(&Failure { relay: true, ..rate }, expected);
}

#[test]
fn answers() {
    let granted = Reserved::Granted { candidate: 1, without: vec![Feature::Thinking] };
    let expected = json!({ "reserved": { "granted": { "candidate": 1, "without": ["thinking"] } } });
    pinned(&ModelAnswer { reserved: Some(granted), ..Default::default() }, expected);
    pinned(&ModelAnswer::default(), json!({ "reserved": null }));
    let counted = Some(Mark { update: 3, turn: 2 });
    pinned(
        &ModelAnswer { reserved: None, counted },
        json!({ "reserved": null, "counted": { "update": 3, "turn": 2 } }),
    );
    pinned(&Reserved::Capped { cap: Cap::Day, until: 5 }, json!({ "capped": { "cap": "day", "until": 5 } }));
    pinned(&Cap::Month, json!("month"));
    pinned(&Cap::Person, json!("person"));
}

#[test]
fn usage() {
    pinned(&UsageAsk { person: Some(55), owner: false }, json!({ "person": 55, "owner": false }));
    let totals = Totals {
        calls: 1,
        failures: 2,
        input: 3,
        cached_input: 4,
        output: 5,
        thinking: 6,
        nano_usd: 7,
        assumed_nano_usd: 8,
    };
    let sums = json!({
        "calls": 1, "failures": 2, "input": 3, "cached_input": 4, "output": 5, "thinking": 6, "nano_usd": 7,
        "assumed_nano_usd": 8,
    });
    let view = UsageView {
        owner: true,
        day: totals,
        month: totals,
        caps: Some(Caps { day_nano_usd: 1, month_nano_usd: 2, person_day_nano_usd: None }),
        person_cap_nano_usd: Some(3),
        by_model: vec![(ModelRef::new("ollama", "x"), totals)],
        by_person: vec![(55, "Ann".into(), totals)],
        resting: vec![("gemini".into(), 9, ErrorClass::Quota)],
    };
    let expected = json!({
        "owner": true, "day": sums, "month": sums,
        "caps": { "day_nano_usd": 1, "month_nano_usd": 2, "person_day_nano_usd": null },
        "person_cap_nano_usd": 3, "by_model": [["ollama/x", sums]], "by_person": [[55, "Ann", sums]],
        "resting": [["gemini", 9, "quota"]],
    });
    pinned(&view, expected);
    assert_eq!(serde_json::from_value::<Totals>(json!({})).unwrap(), Totals::default());
}
