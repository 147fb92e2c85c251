//! The page read back as Prometheus reads it, and the numbers in it.

use std::collections::{BTreeMap, BTreeSet};

use super::counters::{BUCKETS_MS, MAX_MODELS};
use super::*;
use crate::directory::{Config, Failure, Mark, ModelAsk, RelaySeen, TurnEnd};
use crate::llm::{ErrorClass, Usage};
use crate::store::native::Sqlite;
use proptest::prelude::*;

const T0: i64 = 1_795_000_000_000;
const CAPS: Caps = Caps { day_nano_usd: 1_000_000_000, month_nano_usd: 10_000_000_000, person_day_nano_usd: None };
const CFG: Config<'static> = Config { owners: &[1], claim_code: None };

/// One sample: name, labels, value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Reads the text format 0.0.4 strictly; panics at what Prometheus would refuse.
fn parse(page: &str) -> Vec<Sample> {
    assert!(page.ends_with('\n'));
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut closed = BTreeSet::new();
    let mut current = String::new();
    let mut samples: Vec<Sample> = Vec::new();
    let legal = |name: &str| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, _) = rest.split_once(' ').unwrap();
            assert!(legal(name) && helped.insert(name.to_owned()), "two HELP of {name}");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
            assert!(helped.contains(name), "HELP comes first");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "two TYPE of {name}");
            assert!(closed.insert(std::mem::replace(&mut current, name.to_owned())) || current.is_empty());
            continue;
        }
        assert!(!line.starts_with('#') && !line.is_empty(), "{line:?}");
        let (head, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        let (name, labels) = match head.split_once('{') {
            None => (head, BTreeMap::new()),
            Some((name, rest)) => (name, labels(rest.strip_suffix('}').unwrap())),
        };
        assert!(legal(name) && labels.keys().all(|label| legal(label)));
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|end| name.strip_suffix(end))
            .find(|base| types.get(*base).is_some_and(|kind| kind == "histogram"))
            .unwrap_or(name);
        assert_eq!(family, current, "samples of a family stand together, after its TYPE");
        if types[family] == "counter" {
            assert!(name.ends_with("_total"), "{name}");
        }
        assert!(!samples.iter().any(|(n, l, _)| n == name && *l == labels), "twice: {line}");
        samples.push((name.to_owned(), labels, value));
    }
    samples
}

fn labels(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap();
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("\\{c}"),
                }),
                (_, c) => value.push(c),
            }
        };
        labels.insert(name.to_owned(), value);
        rest = &after[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    labels
}

#[track_caller]
fn value(samples: &[Sample], name: &str, wanted: &[(&str, &str)]) -> f64 {
    let found = samples.iter().find(|(n, labels, _)| {
        n.strip_prefix("tideclaw_") == Some(name)
            && labels.len() == wanted.len()
            && wanted.iter().all(|(label, text)| labels.get(*label).is_some_and(|have| have == text))
    });
    found.unwrap_or_else(|| panic!("no {name} {wanted:?}")).2
}

fn report(step: i64, model: &str, failure: Option<ErrorClass>) -> CallReport {
    let failure = failure.map(|class| Failure {
        class,
        retry_after_ms: None,
        scope: None,
        reset: None,
        feature: None,
        relay: false,
    });
    CallReport {
        step,
        person: Some(1),
        model: model.parse().unwrap(),
        at: T0,
        usage: Usage { input: 100, cached_input: 40, output: 20, thinking: 5, cost_nano_usd: None },
        cost_nano_usd: 1_234_500_000,
        assumed: false,
        failure,
    }
}

fn turn(at: i64, outcome: &str, first_ms: Option<i64>, total_ms: i64) -> TurnEnd {
    TurnEnd { id: at, at: T0 + at, outcome: outcome.into(), model: "ollama/m".into(), first_ms, total_ms }
}

fn ask(session: &str, reports: Vec<CallReport>, activity: Option<Activity>) -> ModelAsk {
    ModelAsk { session: session.into(), reports, activity, ..ModelAsk::default() }
}

fn page(directory: &Directory<Sqlite>) -> Vec<Sample> {
    let scrape = Scrape { version: "0.1.0", last_backup_at: Some(T0 - 90_500), ..Scrape::default() };
    parse(&directory.metrics(&scrape, &CAPS, T0).unwrap())
}

#[test]
fn an_empty_directory_has_a_legal_page() {
    let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
    let samples = page(&directory);
    assert_eq!(value(&samples, "build_info", &[("version", "0.1.0")]), 1.0);
    assert_eq!(value(&samples, "updates_total", &[]), 0.0);
    assert_eq!(value(&samples, "backup_age_seconds", &[]), 90.0);
    assert_eq!(value(&samples, "budget_cap_usd", &[("span", "month")]), 10.0);
    assert_eq!(value(&samples, "alerts", &[("kind", "provider")]), 0.0);
    let never = parse(&directory.metrics(&Scrape::default(), &CAPS, T0).unwrap());
    assert!(!never.iter().any(|(name, _, _)| name == "tideclaw_backup_age_seconds"));
}

#[test]
fn relays_are_there_when_the_hub_was_asked() {
    let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
    let relay = |name: &str, connected| RelaySeen {
        name: name.into(),
        connected,
        in_flight: 2,
        ended_well: 7,
        failed: 1,
        ..RelaySeen::default()
    };
    for relays in [Relays::NotAsked, Relays::Silent] {
        let samples = parse(&directory.metrics(&Scrape { relays, ..Scrape::default() }, &CAPS, T0).unwrap());
        assert!(!samples.iter().any(|(name, _, _)| name.contains("relay_")));
    }
    let mut relays = vec![relay("home", true), relay("vds", false)];
    let scrape = Scrape { relays: Relays::Seen(relays.clone()), relays_queued: 3, ..Scrape::default() };
    let samples = parse(&directory.metrics(&scrape, &CAPS, T0).unwrap());
    for (name, labels, expected) in [
        ("relay_connected", vec![("relay", "home")], 1.0),
        ("relay_connected", vec![("relay", "vds")], 0.0),
        ("relay_calls_in_flight", vec![("relay", "home")], 2.0),
        ("relay_calls_queued", vec![], 3.0),
        ("relay_calls_total", vec![("relay", "vds"), ("outcome", "ok")], 7.0),
        ("relay_calls_total", vec![("relay", "vds"), ("outcome", "failed")], 1.0),
    ] {
        assert_eq!(value(&samples, name, &labels), expected, "{name} {labels:?}");
    }
    relays.extend((0..500).map(|n| relay(&format!("r{n}"), true)));
    let scrape = Scrape { relays: Relays::Seen(relays), ..Scrape::default() };
    assert!(parse(&directory.metrics(&scrape, &CAPS, T0).unwrap()).len() < 400, "bounded");
}

#[test]
fn what_happened_adds_up_and_outlives_the_instance() {
    let folder = std::env::temp_dir().join(format!("tideclaw-metrics-{}", std::process::id()));
    let path = folder.with_extension("sqlite");
    let open = || Directory::new(Sqlite::open(&path).unwrap()).unwrap();
    let mut directory = open();
    directory.note_session("main", "main:1", T0).unwrap();
    let activity = Activity {
        at: T0 + 9,
        updates: 3,
        dropped: 1,
        waiting: 2,
        turns: vec![turn(1, "answered", Some(700), 2_400), turn(9, "failed", None, 700_000)],
        upto: Mark { update: 3, turn: 2 },
        ..Activity::default()
    };
    let all =
        ask("main:1", vec![report(1, "ollama/m", None), report(2, "ollama/m", Some(ErrorClass::Rate))], Some(activity));
    directory.model_call(&all, &CAPS, &CFG, T0 + 10).unwrap();
    // Its answer was lost: the same again.
    directory.model_call(&all, &CAPS, &CFG, T0 + 11).unwrap();
    for _ in 0..2 {
        let samples = page(&directory);
        for (name, labels, expected) in [
            ("updates_total", vec![], 3.0),
            ("updates_dropped_total", vec![], 1.0),
            ("turns_total", vec![("outcome", "answered")], 1.0),
            ("turns_total", vec![("outcome", "failed")], 1.0),
            ("first_words_seconds_bucket", vec![("le", "0.5")], 0.0),
            ("first_words_seconds_bucket", vec![("le", "1")], 1.0),
            ("first_words_seconds_count", vec![], 1.0),
            ("first_words_seconds_sum", vec![], 0.7),
            ("turn_seconds_bucket", vec![("le", "3")], 1.0),
            ("turn_seconds_bucket", vec![("le", "600")], 1.0),
            ("turn_seconds_bucket", vec![("le", "+Inf")], 2.0),
            ("turn_seconds_sum", vec![], 702.4),
            ("model_calls_total", vec![("model", "ollama/m"), ("outcome", "ok")], 1.0),
            ("model_calls_total", vec![("model", "ollama/m"), ("outcome", "failed")], 1.0),
            ("model_tokens_total", vec![("model", "ollama/m"), ("kind", "input")], 200.0),
            ("model_tokens_total", vec![("model", "ollama/m"), ("kind", "thinking")], 10.0),
            ("model_cost_usd_total", vec![("model", "ollama/m")], 2.469),
            ("provider_errors_total", vec![("provider", "ollama"), ("class", "rate")], 1.0),
            ("outbox_waiting", vec![("of", "conversations")], 2.0),
            // The threshold of the budget that was passed, for the one owner.
            ("outbox_waiting", vec![("of", "directory")], 1.0),
            ("conversations", vec![], 1.0),
            ("budget_spent_usd", vec![("span", "day")], 2.469),
        ] {
            assert_eq!(value(&samples, name, &labels), expected, "{name} {labels:?}");
        }
        directory = open();
    }
    let mark = Mark { update: 3, turn: 2 };
    let calm = Activity { at: T0 + 20, waiting: 0, from: mark, upto: mark, ..Activity::default() };
    directory.model_call(&ask("main:1", vec![], Some(calm)), &CAPS, &CFG, T0 + 20).unwrap();
    assert_eq!(value(&page(&directory), "outbox_waiting", &[("of", "conversations")]), 0.0);
    drop(directory);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_request_that_brings_nothing_writes_nothing() {
    let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
    directory.model_call(&ask("main:1", vec![], None), &CAPS, &CFG, T0).unwrap();
    let rows = directory.sql.run("SELECT count(*) FROM counter", &[]).unwrap();
    assert_eq!(rows[0].int(0), Ok(0));
}

#[test]
fn models_and_outcomes_without_end_become_other() {
    let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
    for step in 0..MAX_MODELS as i64 + 30 {
        let turns = vec![turn(step + 1, &format!("outcome-{step}"), None, 1)];
        let activity = Activity { at: T0 + step + 1, turns, waiting: 1, ..Activity::default() };
        let reports = vec![report(step, &format!("p{step}/m{step}"), Some(ErrorClass::Transient))];
        directory.model_call(&ask(&format!("main:{step}"), reports, Some(activity)), &CAPS, &CFG, T0 + step).unwrap();
    }
    let samples = page(&directory);
    assert_eq!(value(&samples, "model_calls_total", &[("model", "other"), ("outcome", "failed")]), 30.0);
    assert!(samples.len() < 900, "{}", samples.len());
    let turns: f64 = samples.iter().filter(|(name, _, _)| name == "tideclaw_turns_total").map(|(_, _, n)| n).sum();
    assert_eq!(turns, MAX_MODELS as f64 + 30.0);
}

#[test]
fn the_json_is_pinned() {
    let mut counters = Counters::default();
    counters.add_call(&report(1, "ollama/m", Some(ErrorClass::Auth)));
    let activity =
        Activity { at: 5, updates: 1, waiting: 1, turns: vec![turn(1, "done", Some(251), 9)], ..Activity::default() };
    counters.add_activity(&activity);
    let json = r#"{"updates":1,"dropped":0,"turns":{"done":1},"first":{"counts":[0,1,0,0,0,0,0,0,0,0,0,0,0],"sum_ms":251},"total":{"counts":[1,0,0,0,0,0,0,0,0,0,0,0,0],"sum_ms":9},"models":{"ollama/m":{"ok":0,"failed":1,"input":100,"cached_input":40,"output":20,"thinking":5,"nano_usd":1234500000}},"errors":{"ollama":{"auth":1}}}"#;
    assert_eq!(serde_json::to_string(&counters).unwrap(), json);
    let read: Counters = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!(serde_json::from_str::<Counters>("{}").unwrap(), Counters::default());
}

proptest! {
    /// Whatever is in a label or counted, the page can be read and the label comes back.
    #[test]
    fn any_label_is_escaped(name in "\\PC{0,40}|[\\\\\"\n{},= ]{1,20}", ms in prop::collection::vec(-5i64..2_000_000, 0..30)) {
        let mut counters = Counters::default();
        let turns = ms.iter().enumerate().map(|(at, ms)| turn(at as i64 + 1, &name, Some(*ms), *ms)).collect();
        counters.add_activity(&Activity { at: 1, turns, ..Activity::default() });
        let samples = parse(&render(&counters, &Gauges { version: "1", ..Gauges::default() }));
        if !ms.is_empty() {
            let outcome = if name.is_empty() { "other" } else { &name };
            prop_assert_eq!(value(&samples, "turns_total", &[("outcome", outcome)]), ms.len() as f64);
        }
        let buckets: Vec<f64> =
            samples.iter().filter(|(n, _, _)| n == "tideclaw_turn_seconds_bucket").map(|(_, _, n)| *n).collect();
        prop_assert_eq!(buckets.len(), BUCKETS_MS.len() + 1);
        prop_assert!(buckets.windows(2).all(|pair| pair[0] <= pair[1]));
        prop_assert_eq!(*buckets.last().unwrap(), value(&samples, "turn_seconds_count", &[]));
    }
}
