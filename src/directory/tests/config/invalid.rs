//! Broken documents: each mistake is told with its place, none is ever saved or live.

use super::*;
use crate::directory::config::schema::{MAX_AGENTS, MAX_BINDINGS, MAX_PERSONA};

/// [`full`] with `value` at the JSON pointer `at`; the object around it must be there.
fn with(at: &str, value: Value) -> String {
    let mut document = full();
    let (around, name) = at.rsplit_once('/').unwrap();
    let around = document.pointer_mut(around).unwrap();
    match around {
        Value::Array(list) if name == "-" => list.push(value),
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
        Value::Object(fields) => drop(fields.insert(name.replace("~1", "/"), value)),
        _ => panic!("{at}"),
    }
    document.to_string()
}

fn without(around: &str, name: &str) -> String {
    let mut document = full();
    document.pointer_mut(around).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    document.to_string()
}

/// Every variant with the places of all its mistakes.
fn variants() -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<&str>)> = vec![
        // Not a document at all.
        (String::new(), vec!["$"]),
        ("{".into(), vec!["$"]),
        ("[]".into(), vec!["$"]),
        ("null".into(), vec!["$"]),
        ("\"models\"".into(), vec!["$"]),
        ("{} {}".into(), vec!["$"]),
        ("{\"budget\":{\"day_usd\":1e999}}".into(), vec!["$"]),
        ("{\"budget\":{\"day_usd\":NaN}}".into(), vec!["$"]),
        ("[".repeat(100_000), vec!["$"]),
        (format!("{{\"agents\":{{\"a\":{{\"persona\":\"{}\"}}}}}}", "x".repeat(256 * 1024)), vec!["$"]),
        ("{\"a\":\"\\ud800\"}".into(), vec!["$"]),
        // The same field twice.
        ("{\"budget\":{\"day_usd\":1,\"day_usd\":2}}".into(), vec!["budget.day_usd"]),
        ("{\"agents\":{\"a\":{\"name\":\"One\"},\"a\":{\"name\":\"Two\"}}}".into(), vec!["agents.a"]),
        // Fields nobody knows.
        (with("/modles", json!({})), vec!["modles"]),
        (with("/models/defualt", json!("ollama/x")), vec!["models.defualt"]),
        (with("/agents/main/modle", json!("ollama/x")), vec!["agents.main.modle"]),
        (with("/bindings/1/chat_id", json!(5)), vec!["bindings[1].chat_id"]),
        (with("/models/catalogue/openai~1my-model/price", json!(1)), vec![r#"models.catalogue["openai/my-model"].price"#]),
        (with("/", json!(1)), vec![r#"[""]"#]),
        (with("/\n<script>", json!(1)), vec![r#"["\n<script>"]"#]),
        // Wrong kinds of values.
        (with("/models", json!([])), vec!["models"]),
        (with("/models/default", json!(5)), vec!["models.default"]),
        (with("/models/fallbacks", json!("ollama/x")), vec!["models.fallbacks"]),
        (with("/models/fallbacks/1", json!({})), vec!["models.fallbacks[1]"]),
        (with("/models/catalogue", json!([])), vec!["models.catalogue"]),
        (with("/budget/day_usd", json!("1.5")), vec!["budget.day_usd"]),
        (with("/access/private", json!(true)), vec!["access.private"]),
        (with("/agents", json!([])), vec!["agents"]),
        (with("/agents/main", json!("Tide")), vec!["agents.main"]),
        (with("/agents/main/persona", json!(["a"])), vec!["agents.main.persona"]),
        (with("/bindings", json!({})), vec!["bindings"]),
        (with("/bindings/0", json!("tutor-2")), vec!["bindings[0]"]),
        (with("/bindings/2/chat", json!("5")), vec!["bindings[2].chat"]),
        (with("/bindings/2/chat", json!(5.5)), vec!["bindings[2].chat"]),
        (with("/models/catalogue/openai~1my-model/tools", json!("yes")), vec![r#"models.catalogue["openai/my-model"].tools"#]),
        // Nothing where something belongs.
        (with("/models", Value::Null), vec!["models"]),
        (with("/agents/main/name", Value::Null), vec!["agents.main.name"]),
        (with("/bindings/0/agent", Value::Null), vec!["bindings[0].agent"]),
        (without("/bindings/1", "agent"), vec!["bindings[1].agent"]),
        // Words nobody knows.
        (with("/access/private", json!("friends")), vec!["access.private"]),
        (with("/access/private", json!("Open")), vec!["access.private"]),
        (with("/replies/streaming", json!("live")), vec!["replies.streaming"]),
        (with("/agents/main/thinking", json!("max")), vec!["agents.main.thinking"]),
        (with("/agents/main/tools", json!("some")), vec!["agents.main.tools"]),
        (with("/models/catalogue/openai~1my-model/accepts", json!(["smell"])), vec![r#"models.catalogue["openai/my-model"].accepts[0]"#]),
        // Numbers out of bounds.
        (with("/budget/day_usd", json!(-0.01)), vec!["budget.day_usd"]),
        (with("/budget/month_usd", json!(100_000.01)), vec!["budget.month_usd"]),
        (with("/budget/person_day_usd", json!(0.0000001)), vec!["budget.person_day_usd"]),
        (with("/budget/day_usd", json!(1e300)), vec!["budget.day_usd"]),
        (with("/bindings/0/chat", json!(1_i64 << 53)), vec!["bindings[0].chat"]),
        (with("/bindings/0/chat", json!(u64::MAX)), vec!["bindings[0].chat"]),
        (with("/bindings/0/topic", json!(0)), vec!["bindings[0].topic"]),
        (with("/models/catalogue/openai~1my-model/context", json!(0)), vec![r#"models.catalogue["openai/my-model"].context"#]),
        (with("/models/catalogue/openai~1my-model/input_usd", json!(4_001)), vec![r#"models.catalogue["openai/my-model"].input_usd"#]),
        // Models.
        (with("/models/default", json!("gpt-oss:120b")), vec!["models.default"]),
        (with("/models/default", json!("")), vec!["models.default"]),
        (with("/models/default", json!("ollama/")), vec!["models.default"]),
        (with("/models/default", json!("ollama/a b")), vec!["models.default"]),
        (with("/models/default", json!("anthropic/claude")), vec!["models.default"]),
        (with("/models/default", json!("relay:Home/qwen3:8b")), vec!["models.default"]),
        (with("/models/default", json!("ollama:home/qwen3:8b")), vec!["models.default"]),
        (with("/agents/tutor-2/model", json!("Ollama/x")), vec!["agents.tutor-2.model"]),
        (with("/agents/tutor-2/fallbacks", json!(["ollama/x", "x"])), vec!["agents.tutor-2.fallbacks[1]"]),
        (with("/models/catalogue/my-model", json!({})), vec!["models.catalogue.my-model"]),
        (with("/models/catalogue/acme~1m", json!({})), vec![r#"models.catalogue["acme/m"]"#]),
        (with("/models/fallbacks", json!(vec!["ollama/x"; 11])), vec!["models.fallbacks"]),
        // The catalogue's own rules.
        (without("/models/catalogue/openai~1my-model", "output_usd"), vec![r#"models.catalogue["openai/my-model"]"#]),
        (with("/models/catalogue/openai~1my-model/cached_usd", json!(1.5)), vec![r#"models.catalogue["openai/my-model"].cached_usd"#]),
        // Texts.
        (with("/agents/main/name", json!("x".repeat(65))), vec!["agents.main.name"]),
        (with("/agents/main/name", json!("two\nlines")), vec!["agents.main.name"]),
        (with("/agents/main/name", json!("nul\u{0}")), vec!["agents.main.name"]),
        (with("/agents/main/name", json!("\u{202E}evil")), vec!["agents.main.name"]),
        (with("/agents/main/persona", json!("bell\u{7}")), vec!["agents.main.persona"]),
        (with("/agents/main/persona", json!("я".repeat(MAX_PERSONA + 1))), vec!["agents.main.persona"]),
        (with("/agents/main/emoji", json!("🎓🎓")), vec!["agents.main.emoji"]),
        (with("/agents/main/emoji", json!("A")), vec!["agents.main.emoji"]),
        (with("/replies/deadlines", json!("120,90")), vec!["replies.deadlines"]),
        (with("/replies/deadlines", json!("0,90,600")), vec!["replies.deadlines"]),
        (with("/replies/deadlines", json!("1,inf,600")), vec!["replies.deadlines"]),
        (with("/replies/deadlines", json!("1,2,841")), vec!["replies.deadlines"]),
        (with("/replies/deadlines", json!("1,2,3,0")), vec!["replies.deadlines"]),
        (with("/replies/deadlines", json!("1,2,3,4,5")), vec!["replies.deadlines"]),
        // Ids.
        (with("/agents/Tutor", json!({})), vec!["agents.Tutor"]),
        (with("/agents/a b", json!({})), vec![r#"agents["a b"]"#]),
        (with(&format!("/agents/{}", "x".repeat(33)), json!({})), vec!["agents.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
        (with("/bindings/0/bot", json!("my-bot")), vec!["bindings[0].bot"]),
        (with("/bindings/0/bot", json!("")), vec!["bindings[0].bot"]),
        // Places that do not fit each other.
        (with("/bindings/0/agent", json!("teacher")), vec!["bindings[0].agent"]),
        (without("/agents", "tutor-2"), vec!["bindings[0].agent", "bindings[2].agent"]),
        (with("/bindings/0", json!({"agent": "main", "topic": 5})), vec!["bindings[0].topic"]),
        (with("/bindings/-", json!({"agent": "main", "bot": "work"})), vec!["bindings[3]"]),
        (with("/bindings", json!([{"agent": "main"}, {"agent": "tutor-2"}])), vec!["bindings[1]"]),
        // Secrets.
        (with("/agents/main/persona", json!("Your key is sk-proj-abc123def456ghi789.")), vec!["agents.main.persona"]),
        (with("/agents/main/name", json!("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1")), vec!["agents.main.name"]),
        (with("/models/default", json!("gemini/AIzaSyA1234567890abcdefghijklmnopqrstuv")), vec!["models.default"]),
        (with("/sk-proj-abc123def456ghi789", json!(1)), vec![r#"["[…]"]"#]),
        // Several at once: all are told.
        (
            json!({"model": 1, "budget": {"day_usd": "x", "year_usd": 1}, "bindings": [{}, {"agent": "main", "chat": "y"}]})
                .to_string(),
            vec!["bindings[0].agent", "bindings[1].chat", "budget.day_usd", "budget.year_usd", "model"],
        ),
    ];
    let agents: Value =
        (0..=MAX_AGENTS).map(|n| (format!("a{n}"), json!({}))).collect::<serde_json::Map<_, _>>().into();
    all.push((json!({ "agents": agents }).to_string(), vec!["agents"]));
    let bindings: Vec<Value> = (0..=MAX_BINDINGS).map(|n| json!({"agent": "main", "chat": n})).collect();
    all.push((json!({ "bindings": bindings }).to_string(), vec!["bindings"]));
    let mut all: Vec<(String, Vec<String>)> =
        all.into_iter().map(|(text, places)| (text, places.into_iter().map(str::to_owned).collect())).collect();
    all.extend(generated());
    all
}

/// [`full`] with a value of a wrong kind in every place that there is.
fn generated() -> Vec<(String, Vec<String>)> {
    fn places(value: &Value, pointer: String, path: String, found: &mut Vec<(String, String)>) {
        let inner: Vec<(String, String, &Value)> = match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| {
                    let dot = if path.is_empty() { "" } else { "." };
                    let path =
                        if name.contains('/') { format!("{path}[\"{name}\"]") } else { format!("{path}{dot}{name}") };
                    (format!("{pointer}/{}", name.replace('/', "~1")), path, value)
                })
                .collect(),
            Value::Array(entries) => entries
                .iter()
                .enumerate()
                .map(|(at, value)| (format!("{pointer}/{at}"), format!("{path}[{at}]"), value))
                .collect(),
            _ => Vec::new(),
        };
        for (pointer, path, value) in inner {
            found.push((pointer.clone(), path.clone()));
            places(value, pointer, path, found);
        }
    }
    let mut found = Vec::new();
    places(&full(), String::new(), String::new(), &mut found);
    let variant = |(pointer, path): (String, String), value: Value| {
        let mut document = full();
        *document.pointer_mut(&pointer).unwrap() = value;
        (document.to_string(), vec![path])
    };
    let of_kinds = |place: (String, String)| {
        let mut kinds = vec![Value::Null, json!(-1.5), json!("\u{1}")];
        if !full().pointer(&place.0).unwrap().is_array() {
            kinds.push(json!([[[]]]));
        }
        kinds.into_iter().map(|value| variant(place.clone(), value)).collect::<Vec<_>>()
    };
    found.into_iter().flat_map(of_kinds).collect()
}

#[test]
fn no_broken_document_is_saved_or_live_and_every_mistake_has_its_place() {
    let world = World::owned();
    world.save(&ann(), 0, &json!({"budget": {"day_usd": 3.0}})).unwrap();
    let variants = variants();
    assert!(variants.len() > 150, "{}", variants.len());
    for (text, mut places) in variants {
        let shown: String = text.chars().take(300).collect();
        let ask = ConfigAsk::Save { base: 1, document: text.clone(), note: String::new() };
        let refused = world.desk::<Saved>(&bob(), ask).expect_err(&shown);
        assert_eq!((refused.status, refused.code.as_str()), (400, "bad_input"), "{shown}");
        let mut told: Vec<String> = refused.problems.iter().map(|problem| problem.path.clone()).collect();
        told.sort();
        told.dedup();
        places.sort();
        assert_eq!(told, places, "{shown}: {:?}", refused.problems);
        assert_eq!(world.check(&text).problems, refused.problems, "{shown}");
        assert_eq!(world.dir.caps(&CAPS).unwrap().day_nano_usd, 3_000_000_000, "{shown}");
    }
    assert_eq!(world.live().version, 1);
    assert_eq!(world.history().len(), 1);
    assert!(world.dir.audit_log(None, 10).unwrap().iter().all(|entry| entry.who != bob().to_string()));
}

#[test]
fn messages_name_what_is_allowed_and_never_repeat_a_value() {
    let world = World::owned();
    let one = |text: &str| {
        let mut problems = world.check(text).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.remove(0)
    };
    let wrong = one(r#"{"access":{"private":"friends"}}"#);
    assert_eq!(wrong.allowed, ["pairing", "allowlist", "open", "disabled"]);
    let wrong = one(r#"{"modles":{}}"#);
    assert!(wrong.message.contains("`models`"), "{}", wrong.message);
    assert_eq!(wrong.allowed.first().map(String::as_str), Some("models"));
    let wrong = one(r#"{"models":{"default":"anthropic/claude"}}"#);
    assert_eq!(wrong.allowed, ["ollama/…", "gemini/…", "openai/…", "relay/…"]);
    let wrong = one(r#"{"agents":{"tutor":{}},"bindings":[{"agent":"teacher"}]}"#);
    assert_eq!(wrong.allowed, ["main", "tutor"]);
    let wrong = one(r#"{"budget":{"day_usd":"ten"}}"#);
    assert_eq!(wrong.message, "Must be a number from 0 to 100000 with at most 6 decimals.");
    let wrong = one(r#"{"agents":{"a":{"persona":"My key: sk-proj-abc123def456ghi789"}}}"#);
    assert!(wrong.message.contains("wrangler secret put") && !wrong.message.contains("sk-proj"));
    let many = world.check(&json!({"bindings": vec![json!({"agent": 1}); 300]}).to_string());
    assert_eq!(many.problems.len(), 101);
    assert_eq!(many.problems.last().unwrap().path, "$");
}

#[test]
fn what_is_probably_not_meant_is_only_a_warning() {
    let world = World::owned();
    let checked = world.check(r#"{"budget":{"day_usd":5,"month_usd":2,"person_day_usd":9}}"#);
    assert!(checked.problems.is_empty());
    let paths: Vec<&str> = checked.warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(paths, ["budget.day_usd", "budget.person_day_usd"]);
    assert!(world.save(&ann(), 0, &json!({"budget": {"day_usd": 5, "month_usd": 2}})).unwrap().changed);
}

#[test]
fn a_note_is_one_plain_line() {
    let world = World::owned();
    for note in ["two\nlines", "key sk-proj-abc123def456ghi789", &"x".repeat(201), "\u{202E}"] {
        let ask = ConfigAsk::Save { base: 0, document: "{\"models\":{\"fallbacks\":[]}}".into(), note: note.into() };
        let refused = world.desk::<Saved>(&ann(), ask).unwrap_err();
        assert_eq!(refused.problems[0].path, "note", "{note}");
    }
    assert_eq!(world.live().version, 0);
}
