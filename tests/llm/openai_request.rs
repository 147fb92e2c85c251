//! Whole requests for chat completions, and what differs from server to server (providers.md §3.1.8, §3.2).

use serde_json::{Value, json};
use tideclaw::llm::{
    Endpoint, Feature, MediaRef, Message, ModelRef, Part, PartKind, Prompt, Provider, ProviderMeta, Role, Thinking,
    ToolCall, ToolResult, ToolSpec, openai,
};

use super::wire;

const OPENAI: &str = "https://api.openai.com/v1";
const OPENROUTER: &str = "https://openrouter.ai/api/v1";
const DEEPSEEK: &str = "https://api.deepseek.com";
const MISTRAL: &str = "https://api.mistral.ai/v1";
const GENERIC: &str = "http://127.0.0.1:8000/v1";

fn endpoint(base_url: &str) -> Endpoint {
    Endpoint { base_url: base_url.into(), api_key: None }
}

fn body(base_url: &str, model: &str, prompt: &Prompt) -> Value {
    wire::json(&openai::chat(&endpoint(base_url), model, prompt))
}

fn messages(base_url: &str, prompt: &Prompt) -> Value {
    body(base_url, "m", prompt)["messages"].clone()
}

fn prompt(messages: Vec<Message>) -> Prompt {
    Prompt { messages, ..Prompt::default() }
}

fn media(key: &str, mime: &str) -> Part {
    Part::media(MediaRef { key: key.into(), mime: mime.into(), size: 3 })
}

fn thought(text: &str, model: &str) -> Part {
    let model = ModelRef::new("openai", model);
    Part { kind: PartKind::Thought(text.into()), meta: Some(ProviderMeta { model, raw: Value::Null }) }
}

fn call(id: &str, arguments: Value) -> Part {
    PartKind::ToolCall(ToolCall { id: id.into(), name: "tide_table".into(), arguments }).into()
}

fn signed(part: Part, model: &str, raw: Value) -> Part {
    Part { meta: Some(ProviderMeta { model: ModelRef::new("openai", model), raw }), ..part }
}

fn result(id: &str, content: &str, is_error: bool) -> ToolResult {
    ToolResult { call_id: id.into(), name: "tide_table".into(), content: content.into(), is_error }
}

fn assistant(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

/// A conversation with everything in it.
fn full() -> Prompt {
    Prompt {
        system: "Be brief.".into(),
        messages: vec![
            Message { role: Role::User, parts: vec![Part::text("What is this?"), media("k1", "image/jpeg")] },
            assistant(vec![
                thought("Look it up.", "m"),
                call("call_1", json!({"port":"Brest"})),
                call("call_2", json!("{oops")),
            ]),
            Message::tool([result("call_1", "06:12", false), result("call_2", "arguments were not JSON", true)]),
            assistant(vec![thought("foreign", "other"), Part::text("High water "), Part::text("06:12.")]),
            Message::user("Thanks"),
        ],
        tools: vec![
            ToolSpec {
                name: "tide_table".into(),
                description: "Tides of a port".into(),
                parameters: json!({"type":"object","properties":{"port":{"type":"string"}},"required":["port"]}),
            },
            ToolSpec { name: "clock".into(), description: "Now".into(), parameters: Value::Null },
        ],
        thinking: Thinking::High,
        max_output_tokens: Some(4096),
        context_tokens: Some(32768),
        ..Prompt::default()
    }
}

fn full_body(model: &str) -> Value {
    json!({
        "model": model, "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 4096,
        "messages": [
            {"role":"system","content":"Be brief."},
            {"role":"user","content":[
                {"type":"text","text":"What is this?"},
                {"type":"image_url","image_url":{"url":"data:image/jpeg;base64,file:k1"}}]},
            {"role":"assistant","content":null,"tool_calls":[
                {"id":"call_1","type":"function","function":{"name":"tide_table","arguments":"{\"port\":\"Brest\"}"}},
                {"id":"call_2","type":"function","function":{"name":"tide_table","arguments":"{\"invalid\":\"{oops\"}"}}]},
            {"role":"tool","content":"06:12","tool_call_id":"call_1"},
            {"role":"tool","content":"Error: arguments were not JSON","tool_call_id":"call_2"},
            {"role":"assistant","content":"High water 06:12."},
            {"role":"user","content":"Thanks"}],
        "tools": [
            {"type":"function","function":{"name":"tide_table","description":"Tides of a port",
             "parameters":{"type":"object","properties":{"port":{"type":"string"}},"required":["port"]}}},
            {"type":"function","function":{"name":"clock","description":"Now","parameters":{"type":"object","properties":{}}}}],
    })
}

#[test]
fn whole_body_to_any_server() {
    let at = Endpoint { base_url: "http://127.0.0.1:8000/v1/".into(), api_key: Some(" key \n".into()) };
    let request = openai::chat(&at, "m", &full());
    assert_eq!((request.method, request.url.as_str()), ("POST", "http://127.0.0.1:8000/v1/chat/completions"));
    assert_eq!(
        request.headers,
        [("content-type", "application/json"), ("authorization", "Bearer key")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(wire::json(&request), full_body("m"));
}

#[test]
fn whole_body_to_openai() {
    let mut expected = full_body("gpt-5.1");
    let fields = expected.as_object_mut().unwrap();
    let cap = fields.remove("max_tokens").unwrap();
    fields.insert("max_completion_tokens".into(), cap);
    fields.insert("reasoning_effort".into(), json!("high"));
    fields["messages"][0]["role"] = json!("developer");
    assert_eq!(body(OPENAI, "gpt-5.1", &full()), expected);

    // A model that does not reason.
    let plain = body(OPENAI, "gpt-4.1", &full());
    assert_eq!((&plain["messages"][0]["role"], &plain["reasoning_effort"]), (&json!("system"), &Value::Null));
    assert_eq!(plain["max_completion_tokens"], 4096);
    // Through AI Gateway it is the same server.
    let gateway = "https://gateway.ai.cloudflare.com/v1/acc/gw/openai";
    assert_eq!(body(gateway, "gpt-5.1", &full()), expected);
    assert_eq!(
        openai::chat(&endpoint(gateway), "gpt-5.1", &full()).url,
        "https://gateway.ai.cloudflare.com/v1/acc/gw/openai/chat/completions"
    );
}

#[test]
fn smallest_body() {
    let prompt = prompt(vec![Message::user("hi")]);
    let expected = json!({
        "model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]});
    for base in [GENERIC, OPENAI, OPENROUTER, DEEPSEEK] {
        assert_eq!(body(base, "m", &prompt), expected, "{base}");
        assert_eq!(body(base, "gpt-5", &prompt)["messages"], expected["messages"], "{base}");
    }
    assert_eq!(
        wire::text(&Provider::OpenAi.request(&endpoint(GENERIC), "m", &prompt)),
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"#
    );
}

#[test]
fn where_it_goes() {
    for (base, url) in [
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        (" https://api.openai.com/v1//", "https://api.openai.com/v1/chat/completions"),
        ("https://api.deepseek.com", "https://api.deepseek.com/chat/completions"),
        ("https://h.example/api/v1/chat/completions", "https://h.example/api/v1/chat/completions"),
    ] {
        assert_eq!(openai::chat(&endpoint(base), "m", &Prompt::default()).url, url);
    }
}

#[test]
fn openrouter_hears_who_asks_and_its_own_reasoning() {
    let request = openai::chat(&endpoint(OPENROUTER), "openai/gpt-5.1", &full());
    let header = |name: &str| request.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    assert_eq!(header("x-title"), Some("Tideclaw"));
    assert!(header("http-referer").is_some());
    let sent = wire::json(&request);
    assert_eq!(sent["reasoning"], json!({"effort":"high"}));
    assert_eq!((&sent["reasoning_effort"], &sent["max_tokens"]), (&Value::Null, &json!(4096)));
    assert_eq!(sent["messages"][0]["role"], "system");

    let off = Prompt { thinking: Thinking::Off, ..full() };
    assert_eq!(body(OPENROUTER, "m", &off)["reasoning"], json!({"enabled":false}));
    assert!(openai::chat(&endpoint(OPENAI), "m", &full()).headers.iter().all(|(name, _)| name != "x-title"));
}

#[test]
fn openrouter_gets_its_reasoning_details_back_from_the_same_model_only() {
    let raw = json!({"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"c2ln"}]});
    let signed = signed(call("call_1", json!({})), "shore/m", raw.clone());
    let history = prompt(vec![
        Message::user("hi"),
        assistant(vec![thought("t", "shore/m"), Part::text("Looking."), signed]),
        Message::tool([result("call_1", "06:12", false)]),
    ]);
    let sent = |base, model| body(base, model, &history)["messages"][1].clone();
    let calls = json!([{"id":"call_1","type":"function","function":{"name":"tide_table","arguments":"{}"}}]);
    assert_eq!(
        sent(OPENROUTER, "shore/m"),
        json!({"role":"assistant","content":"Looking.","reasoning_details":raw["reasoning_details"],"tool_calls":calls})
    );
    let plain = json!({"role":"assistant","content":"Looking.","tool_calls":calls});
    assert_eq!(sent(OPENROUTER, "shore/other"), plain);
    assert_eq!(sent(GENERIC, "shore/m"), plain);
}

#[test]
fn raw_data_of_another_provider_stays_here() {
    let part = signed(Part::text("x"), "m", json!({"thoughtSignature":"AbC="}));
    let expected = json!([{"role":"assistant","content":"x"}]);
    assert_eq!(messages(OPENROUTER, &prompt(vec![assistant(vec![part])])), expected);
}

#[test]
fn deepseek_gets_an_echo_of_reasoning_with_every_call() {
    let called = |parts: Vec<Part>| {
        let history = vec![assistant(parts), Message::tool([result("call_1", "06:12", false)])];
        messages(DEEPSEEK, &prompt(history))[0]["reasoning_content"].clone()
    };
    assert_eq!(called(vec![thought("Look ", "m"), thought("up.", "m"), call("call_1", json!({}))]), "Look up.");
    assert_eq!(called(vec![thought("foreign", "other"), call("call_1", json!({}))]), "");
    assert_eq!(called(vec![call("call_1", json!({}))]), "");
    // Without calls nothing goes back.
    let plain = prompt(vec![assistant(vec![thought("t", "m"), Part::text("x")])]);
    assert_eq!(messages(DEEPSEEK, &plain), json!([{"role":"assistant","content":"x"}]));
}

#[test]
fn mistral_gets_ids_of_nine_signs_and_no_unknown_fields() {
    let history = prompt(vec![
        assistant(vec![call("call_1", json!({})), call("D681PevKs", json!({}))]),
        Message::tool([result("call_1", "a", false), result("D681PevKs", "b", false)]),
    ]);
    let sent = body(MISTRAL, "m", &history);
    assert_eq!(sent.get("stream_options"), None);
    let ids = [0, 1].map(|n| sent["messages"][0]["tool_calls"][n]["id"].as_str().unwrap().to_owned());
    assert!(ids[0].len() == 9 && ids[0].bytes().all(|b| b.is_ascii_alphanumeric()), "{ids:?}");
    assert_eq!(ids[1], "D681PevKs");
    assert_eq!(sent["messages"][1], json!({"role":"tool","content":"a","tool_call_id":ids[0]}));
    assert_eq!(sent["messages"][2], json!({"role":"tool","content":"b","tool_call_id":ids[1]}));
}

#[test]
fn a_history_with_calls_keeps_the_field_of_tools_where_a_proxy_may_want_it() {
    let history =
        prompt(vec![assistant(vec![call("call_1", json!({}))]), Message::tool([result("call_1", "a", false)])]);
    assert_eq!(body(GENERIC, "m", &history)["tools"], json!([]));
    for base in [OPENAI, OPENROUTER, DEEPSEEK, MISTRAL, "https://api.groq.com/openai/v1"] {
        assert_eq!(body(base, "m", &history).get("tools"), None, "{base}");
    }
}

#[test]
fn thinking_is_told_only_where_the_words_are_known() {
    for base in [GENERIC, DEEPSEEK, MISTRAL, "https://api.groq.com/openai/v1", "https://api.x.ai/v1"] {
        let sent = body(base, "gpt-5.1", &full());
        assert_eq!((sent.get("reasoning_effort"), sent.get("reasoning")), (None, None), "{base}");
    }
    let with =
        |model, thinking| body(OPENAI, model, &Prompt { thinking, ..Prompt::default() })["reasoning_effort"].clone();
    assert_eq!(with("gpt-5.1", Thinking::Off), "none");
    assert_eq!(with("gpt-5", Thinking::Off), "minimal");
    assert_eq!(with("gpt-5", Thinking::Default), Value::Null);
}

#[test]
fn nothing_that_reasoning_models_refuse_is_sent() {
    for base in [OPENAI, OPENROUTER, DEEPSEEK, MISTRAL, GENERIC] {
        let sent = body(base, "gpt-5.1", &full());
        for field in ["temperature", "top_p", "parallel_tool_calls", "store", "n"] {
            assert_eq!(sent.get(field), None, "{base} {field}");
        }
        assert!(!sent.to_string().contains("\"strict\""), "{base}");
    }
}

#[test]
fn media_goes_in_the_form_the_wire_has() {
    let parts = |base: &str| {
        let mut parts = vec![Part::text("a")];
        for (key, mime) in [
            ("jpg", "image/jpeg"),
            ("png", "image/png"),
            ("webp", "image/webp"),
            ("gif", "image/gif"),
            ("wav", "audio/wav"),
            ("mp3", "audio/mpeg"),
            ("pdf", "application/pdf"),
            ("heic", "image/heic"),
            ("voice", "audio/ogg"),
        ] {
            parts.push(media(key, mime));
        }
        parts.push(Part::text("z"));
        messages(base, &prompt(vec![Message { role: Role::User, parts }]))[0]["content"].clone()
    };
    let note = |mime: &str| format!("[an attachment of type {mime} that you cannot see]");
    let image = |mime: &str, key: &str| json!({"type":"image_url","image_url":{"url":format!("data:{mime};base64,file:{key}")}});
    let mut expected = vec![
        json!({"type":"text","text":"a"}),
        image("image/jpeg", "jpg"),
        image("image/png", "png"),
        image("image/webp", "webp"),
        image("image/gif", "gif"),
        json!({"type":"input_audio","input_audio":{"data":"file:wav","format":"wav"}}),
        json!({"type":"input_audio","input_audio":{"data":"file:mp3","format":"mp3"}}),
        json!({"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,file:pdf"}}),
        json!({"type":"text","text":format!("{}\n{}\nz", note("image/heic"), note("audio/ogg"))}),
    ];
    assert_eq!(parts(OPENAI), json!(expected));
    assert_eq!(parts(OPENROUTER), json!(expected));
    let notes = format!("{}\n{}\n{}\nz", note("application/pdf"), note("image/heic"), note("audio/ogg"));
    expected.splice(7.., [json!({"type":"text","text":notes})]);
    assert_eq!(parts(GENERIC), json!(expected));
}

#[test]
fn a_picture_from_a_tool_follows_as_the_users() {
    let mut tool = Message::tool([result("call_1", "chart", false)]);
    tool.parts.push(media("k", "image/png"));
    let sent = messages(GENERIC, &prompt(vec![assistant(vec![call("call_1", json!({}))]), tool]));
    assert_eq!(sent[1], json!({"role":"tool","content":"chart","tool_call_id":"call_1"}));
    assert_eq!(
        sent[2],
        json!({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,file:k"}}]})
    );
}

#[test]
fn what_the_server_refused_before_is_left_out() {
    let without = |feature| body(OPENAI, "gpt-5.1", &Prompt { dropped: [feature].into(), ..full() });
    assert_eq!(without(Feature::StreamUsage).get("stream_options"), None);
    assert_eq!(without(Feature::Thinking).get("reasoning_effort"), None);
    assert_eq!(
        without(Feature::Media)["messages"][1],
        json!({"role":"user","content":"What is this?\n[an attachment of type image/jpeg that you cannot see]"})
    );
    let no_tools = without(Feature::Tools);
    assert_eq!(no_tools.get("tools"), None);
    assert_eq!(
        no_tools["messages"].as_array().unwrap()[2..4],
        [
            json!({"role":"assistant","content":"[called tide_table with {\"port\":\"Brest\"}]\n[called tide_table with {\"invalid\":\"{oops\"}]"}),
            json!({"role":"user","content":"[tide_table answered: 06:12]\n[tide_table answered: Error: arguments were not JSON]"}),
        ]
    );
    let generic = body(GENERIC, "m", &Prompt { dropped: [Feature::Tools].into(), ..full() });
    assert_eq!(generic.get("tools"), None);
}

#[test]
fn blank_and_foreign_parts_leave_no_message() {
    let prompt = Prompt {
        system: " \n".into(),
        messages: vec![
            assistant(vec![thought("own", "m")]),
            assistant(vec![PartKind::Thought("no origin".into()).into()]),
            Message::tool([result("nobody", "orphan", false)]),
            Message { role: Role::User, parts: Vec::new() },
            Message::user("a\0b"),
        ],
        ..Prompt::default()
    };
    assert_eq!(messages(GENERIC, &prompt), json!([{"role":"user","content":"ab"}]));
}
