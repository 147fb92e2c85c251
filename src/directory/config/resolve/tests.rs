//! Bindings against a naive reading of the rule, and the JSON that conversations keep.

use proptest::prelude::*;

use super::*;

fn binding(bot: Option<&str>, chat: Option<i64>, topic: Option<i64>, agent: &str) -> Binding {
    Binding { bot: bot.map(str::to_owned), chat, topic, agent: agent.to_owned() }
}

fn document(bindings: Vec<Binding>) -> Document {
    let agents = ["a", "b", "c"].map(|id| (id.to_owned(), Agent { name: id.to_uppercase(), ..Agent::default() }));
    Document { agents: agents.into(), bindings, ..Document::default() }
}

fn session(text: &str) -> SessionKey {
    SessionKey::parse(text).unwrap()
}

#[test]
fn the_more_a_binding_says_of_the_place_the_sooner_it_holds() {
    let document = document(vec![
        binding(Some("work"), None, None, "a"),
        binding(None, Some(-5), None, "b"),
        binding(Some("work"), Some(-5), None, "c"),
        binding(None, Some(-5), Some(7), "a"),
        binding(Some("work"), Some(-5), Some(7), "main"),
    ]);
    for (place, agent) in [
        ("main:1", "main"),
        ("work:1", "a"),
        ("main:-5", "b"),
        ("work:-5", "c"),
        ("main:-5:7", "a"),
        ("main:-5:8", "b"),
        ("work:-5:7", "main"),
        ("work:-5:8", "c"),
    ] {
        assert_eq!(bound(&document, &session(place)).agent, agent, "{place}");
    }
    assert_eq!(bound(&document, &session("work:-5")).by, document.bindings.get(2));
}

#[test]
fn a_binding_without_a_place_holds_everywhere() {
    let document = document(vec![binding(None, None, None, "c")]);
    assert_eq!(bound(&document, &session("main:1")).agent, "c");
}

#[test]
fn an_agent_that_is_not_there_does_not_answer() {
    let document = document(vec![binding(None, Some(1), None, "gone"), binding(Some("main"), None, None, "b")]);
    assert_eq!(bound(&document, &session("main:1")).agent, "b");
    assert_eq!(bound(&document, &session("work:1")), Bound { agent: MAIN, by: None });
}

#[test]
fn an_agents_own_models_go_before_the_documents_and_these_before_the_environments() {
    let mut document: Document = serde_json::from_str(
        r#"{"models":{"default":"ollama/d","fallbacks":["ollama/e"]},"replies":{"streaming":"off","deadlines":"1,2,3"},
            "agents":{"a":{"model":"gemini/x","thinking":"low","persona":"P"},"b":{"fallbacks":[]}},
            "bindings":[{"chat":1,"agent":"a"},{"chat":2,"agent":"b"}]}"#,
    )
    .unwrap();
    let at = |document: &Document, place: &str| resolve(ConfigMark { version: 4, at: 9 }, document, &session(place));
    let list = |names: &[&str]| Some(names.iter().map(|name| name.parse().unwrap()).collect::<Vec<ModelRef>>());
    let a = at(&document, "main:1");
    assert_eq!((a.model, a.fallbacks), ("gemini/x".parse().ok(), list(&["ollama/e"])));
    assert_eq!((a.mark.version, a.persona.as_str(), a.thinking), (4, "P", Thinking::Low));
    let b = at(&document, "main:2");
    assert_eq!((b.model, b.fallbacks), ("ollama/d".parse().ok(), list(&[])));
    assert_eq!((b.streaming.as_deref(), b.deadlines.as_deref()), (Some("off"), Some("1,2,3")));
    document.models = Default::default();
    assert_eq!((at(&document, "main:2").model, at(&document, "main:3").fallbacks), (None, None));
    assert_eq!(
        at(&Document::default(), "main:3"),
        SessionConfig { mark: ConfigMark { version: 4, at: 9 }, ..SessionConfig::default() },
        "an empty document changes nothing"
    );
}

#[test]
fn the_json_is_pinned() {
    let whole = SessionConfig {
        mark: ConfigMark { version: 3, at: 9 },
        agent: "tutor".into(),
        name: "Tutor".into(),
        emoji: "🎓".into(),
        persona: "You teach.".into(),
        model: "ollama/m".parse().ok(),
        fallbacks: Some(vec!["gemini/g".parse().unwrap()]),
        thinking: Thinking::Low,
        tools: ToolsProfile::None,
        catalogue: Some(serde_json::json!({"ollama/m": {"tools": false}})),
        streaming: Some("edit".into()),
        deadlines: Some("1,2,3".into()),
    };
    let json = r#"{"version":3,"at":9,"agent":"tutor","name":"Tutor","emoji":"🎓","persona":"You teach.","model":"ollama/m","fallbacks":["gemini/g"],"thinking":"low","tools":"none","catalogue":{"ollama/m":{"tools":false}},"streaming":"edit","deadlines":"1,2,3"}"#;
    assert_eq!(serde_json::to_string(&whole).unwrap(), json);
    assert_eq!(serde_json::from_str::<SessionConfig>(json).unwrap(), whole);
    let plain = r#"{"version":0,"at":0,"agent":"main"}"#;
    assert_eq!(serde_json::to_string(&SessionConfig::default()).unwrap(), plain);
    assert_eq!(serde_json::from_str::<SessionConfig>("{}").unwrap(), SessionConfig::default());
}

#[test]
fn words_of_a_newer_release_take_nothing_down_and_open_nothing() {
    let newer = r#"{"version":9,"agent":"a","thinking":"most","tools":"web","colour":"blue"}"#;
    let read: SessionConfig = serde_json::from_str(newer).unwrap();
    assert_eq!((read.mark.version, read.thinking, read.tools), (9, Thinking::Default, ToolsProfile::None));
}

/// The rule as one would explain it: from the most specific kind of binding to the least, is there one for this place?
fn oracle<'a>(document: &'a Document, session: &SessionKey) -> &'a str {
    let there = |binding: &&Binding| binding.agent == MAIN || document.agents.contains_key(&binding.agent);
    for (topic, chat, bot) in [
        (true, true, true),
        (true, true, false),
        (false, true, true),
        (false, true, false),
        (false, false, true),
        (false, false, false),
    ] {
        let wanted = binding(
            bot.then_some(session.bot.as_str()),
            chat.then_some(session.chat_id),
            if topic { session.topic } else { None },
            "",
        );
        if topic && session.topic.is_none() {
            continue;
        }
        let mut found: Vec<&str> = document
            .bindings
            .iter()
            .filter(there)
            .filter(|known| (&known.bot, known.chat, known.topic) == (&wanted.bot, wanted.chat, wanted.topic))
            .map(|known| known.agent.as_str())
            .collect();
        found.sort();
        if let Some(first) = found.first() {
            return first;
        }
    }
    MAIN
}

fn any_binding() -> impl Strategy<Value = Binding> {
    let bot = prop_oneof![Just(None), Just(Some("main".to_owned())), Just(Some("work".to_owned()))];
    let agent = prop_oneof![Just("a"), Just("b"), Just("c"), Just("main"), Just("gone")];
    (bot, prop::option::of(1..4i64), prop::option::of(1..3i64), agent).prop_map(|(bot, chat, topic, agent)| Binding {
        bot,
        chat,
        topic,
        agent: agent.to_owned(),
    })
}

proptest! {
    #[test]
    fn the_naive_reading_says_the_same_in_any_order(
        mut bindings in prop::collection::vec(any_binding(), 0..12),
        bot in prop_oneof![Just("main"), Just("work")],
        chat_id in 1..4i64,
        topic in prop::option::of(1..3i64),
    ) {
        let session = SessionKey { bot: bot.to_owned(), chat_id, topic };
        let document = document(bindings.clone());
        let answers = bound(&document, &session).agent.to_owned();
        prop_assert_eq!(&answers, oracle(&document, &session));
        bindings.reverse();
        let turned = self::document(bindings);
        prop_assert_eq!(bound(&turned, &session).agent, answers);
    }
}
