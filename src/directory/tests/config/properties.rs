//! Any JSON and any text: never a panic, never live unless it reads back the same.

use proptest::prelude::*;

use super::*;
use crate::directory::config::{check, diff, json_schema};

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        "[a-z_]{0,12}",
        prop::sample::select(vec!["models", "agents", "bindings", "budget", "agent", "chat", "default", "persona"])
            .prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("ollama/x")),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn valid_document()(
        day in prop::option::of(0u64..=100_000_000_000),
        private in prop::option::of(prop::sample::select(vec!["pairing", "allowlist", "open", "disabled"])),
        fallbacks in prop::option::of(prop::collection::vec("(ollama|gemini|openai)/[a-z0-9:./-]{1,30}", 0..10)),
        agents in prop::collection::btree_map("[a-z0-9_-]{1,20}", ("[^\\p{C}]{0,60}", "([^\\p{C}]|\n){0,200}"), 0..5),
        chats in prop::collection::btree_map(-(1i64 << 52)..(1 << 52), prop::option::of(1..1000), 0..6),
    ) -> Value {
        let ids: Vec<String> = agents.keys().cloned().chain(["main".to_owned()]).collect();
        let mut document = json!({ "budget": {}, "access": {}, "models": {}, "agents": {}, "bindings": [] });
        if let Some(day) = day {
            document["budget"]["day_usd"] = json!(day as f64 / 1_000_000.0);
        }
        if let Some(private) = private {
            document["access"]["private"] = json!(private);
        }
        if let Some(fallbacks) = fallbacks {
            document["models"]["fallbacks"] = json!(fallbacks);
        }
        for (id, (name, persona)) in agents {
            document["agents"][id] = json!({ "name": name, "persona": persona });
        }
        for (at, (chat, topic)) in chats.into_iter().enumerate() {
            let mut binding = json!({ "agent": ids[at % ids.len()], "chat": chat });
            if let Some(topic) = topic {
                binding["topic"] = json!(topic);
            }
            document["bindings"].as_array_mut().unwrap().push(binding);
        }
        document
    }
}

proptest! {
    #[test]
    fn any_json_is_judged_without_a_panic(value in any_json(), other in any_json()) {
        let checked = check(&value.to_string());
        prop_assert_eq!(checked.document.is_some(), checked.problems.is_empty());
        prop_assert_eq!(diff(&value, &value), vec![]);
        prop_assert_eq!(diff(&value, &other).is_empty(), value == other);
    }

    #[test]
    fn any_text_is_judged_without_a_panic(text in any::<String>()) {
        let checked = check(&text);
        prop_assert_eq!(checked.document.is_some(), checked.problems.is_empty());
    }

    #[test]
    fn valid_documents_come_back_as_they_were(document in valid_document()) {
        let checked = check(&document.to_string());
        prop_assert_eq!(&checked.problems, &vec![]);
        let stored = serde_json::to_string(&checked.document.unwrap()).unwrap();
        let again = check(&stored);
        prop_assert_eq!(&again.problems, &vec![]);
        prop_assert_eq!(serde_json::to_string(&again.document.unwrap()).unwrap(), stored);
    }
}

#[test]
fn everything_there_is_can_be_said_and_comes_back() {
    let checked = check(&full().to_string());
    assert_eq!(checked.problems, vec![]);
    assert_eq!(serde_json::to_value(checked.document.unwrap()).unwrap(), full());
}

#[test]
fn deep_and_large_input_is_refused_without_a_panic() {
    for text in ["{\"models\":".repeat(50_000), "[{\"a\":".repeat(100) + &"}]".repeat(100), "\"".repeat(300_000)] {
        assert!(!check(&text).problems.is_empty());
    }
    let deep = "[".repeat(120) + &"]".repeat(120);
    assert_eq!(check(&format!("{{\"models\":{deep}}}")).problems[0].path, "models");
}

/// Every place of [`full`] is in the schema, under the same name, and the schema knows no other.
#[test]
fn the_schema_has_the_fields_of_the_document() {
    fn compare(schema: &Value, value: &Value, path: &str) {
        if let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object()) {
            let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            if !path.starts_with("agents.main") && !path.starts_with("bindings[1") && !path.starts_with("bindings[2") {
                assert_eq!(names(properties), names(fields), "{path}");
            }
            for (name, value) in fields {
                assert!(properties[name]["description"].is_string(), "{path}.{name}");
                compare(&properties[name], value, format!("{path}.{name}").trim_start_matches('.'));
            }
        } else if let Some(fields) = value.as_object() {
            fields
                .iter()
                .for_each(|(name, value)| compare(&schema["additionalProperties"], value, &format!("{path}.{name}")));
        } else if let Some(entries) = value.as_array() {
            for (at, value) in entries.iter().enumerate() {
                compare(&schema["items"], value, &format!("{path}[{at}]"));
            }
        }
    }
    let schema = json_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    compare(&schema, &full(), "");
    assert_eq!(schema["properties"]["bindings"]["items"]["required"], json!(["agent"]));
    let model = &schema["properties"]["models"]["properties"]["default"]["pattern"];
    assert_eq!(*model, r"^(ollama|gemini|openai|relay|relay:[a-z0-9-]{1,32})/\S+$");
}

/// The example of `docs/configuration.md` is a document.
#[test]
fn the_documented_example_is_one() {
    let text = include_str!("../../../../docs/configuration.md");
    let (_, rest) = text.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    assert_eq!(check(example).problems, vec![]);
}
