//! Whole requests to Ollama's `/api/chat` (providers.md §1.1, §1.2).

use serde_json::{Value, json};
use tideclaw::llm::{
    Endpoint, Feature, MediaRef, Message, ModelRef, Part, PartKind, Prompt, ProviderMeta, Role, Servers, Thinking,
    ToolCall, ToolResult, ToolSpec, ollama,
};

use super::wire;

fn endpoint(base_url: &str) -> Endpoint {
    Endpoint { base_url: base_url.into(), api_key: None }
}

fn body(base_url: &str, model: &str, prompt: &Prompt) -> Value {
    wire::json(&ollama::chat(&endpoint(base_url), model, prompt))
}

fn messages(prompt: &Prompt) -> Value {
    body("https://ollama.com", "m", prompt)["messages"].clone()
}

fn media(key: &str, mime: &str) -> Part {
    Part::media(MediaRef { key: key.into(), mime: mime.into(), size: 3 })
}

fn thought(text: &str, model: &str) -> Part {
    let model = ModelRef::new("ollama", model);
    Part { kind: PartKind::Thought(text.into()), meta: Some(ProviderMeta { model, raw: Value::Null }) }
}

fn call(id: &str, arguments: Value) -> Part {
    PartKind::ToolCall(ToolCall { id: id.into(), name: "tide_table".into(), arguments }).into()
}

fn result(id: &str, content: &str, is_error: bool) -> ToolResult {
    ToolResult { call_id: id.into(), name: "tide_table".into(), content: content.into(), is_error }
}

/// A conversation with everything in it.
fn full() -> Prompt {
    Prompt {
        system: "Be brief.".into(),
        messages: vec![
            Message { role: Role::User, parts: vec![Part::text("What is this?"), media("k1", "image/jpeg")] },
            Message {
                role: Role::Assistant,
                parts: vec![
                    thought("Look it up.", "glm-5.3"),
                    call("call_1", json!({"port":"Brest"})),
                    call("call_2", json!("{oops")),
                ],
            },
            Message::tool([result("call_1", "06:12", false), result("call_2", "arguments were not JSON", true)]),
            Message {
                role: Role::Assistant,
                parts: vec![thought("foreign", "other"), Part::text("High water "), Part::text("06:12.")],
            },
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

fn full_body(model: &str, options: Value) -> Value {
    json!({
        "model": model, "stream": true, "truncate": false, "shift": false, "think": "high",
        "messages": [
            {"role":"system","content":"Be brief."},
            {"role":"user","content":"What is this?","images":["file:k1"]},
            {"role":"assistant","content":"","thinking":"Look it up.","tool_calls":[
                {"id":"call_1","function":{"name":"tide_table","arguments":{"port":"Brest"}}},
                {"id":"call_2","function":{"name":"tide_table","arguments":{"invalid":"{oops"}}}]},
            {"role":"tool","content":"06:12","tool_name":"tide_table","tool_call_id":"call_1"},
            {"role":"tool","content":"Error: arguments were not JSON","tool_name":"tide_table","tool_call_id":"call_2"},
            {"role":"assistant","content":"High water 06:12."},
            {"role":"user","content":"Thanks"}],
        "tools": [
            {"type":"function","function":{"name":"tide_table","description":"Tides of a port",
             "parameters":{"type":"object","properties":{"port":{"type":"string"}},"required":["port"]}}},
            {"type":"function","function":{"name":"clock","description":"Now","parameters":{"type":"object","properties":{}}}}],
        "options": options,
    })
}

#[test]
fn whole_body_to_the_cloud() {
    let request = ollama::chat(
        &Endpoint { base_url: "https://ollama.com/".into(), api_key: Some(" key \n".into()) },
        "glm-5.3:cloud",
        &full(),
    );
    assert_eq!((request.method, request.url.as_str()), ("POST", "https://ollama.com/api/chat"));
    assert_eq!(
        request.headers,
        [("content-type", "application/json"), ("authorization", "Bearer key")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    let sent = wire::json(&request);
    assert_eq!(sent, full_body("glm-5.3", json!({"num_predict":4096})));
}

#[test]
fn whole_body_to_a_home_server() {
    let request = ollama::chat(&endpoint("http://127.0.0.1:11434"), "glm-5.3:cloud", &full());
    assert_eq!(request.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    let sent = wire::json(&request);
    assert_eq!(sent, full_body("glm-5.3:cloud", json!({"num_ctx":32768,"num_predict":4096})));
}

#[test]
fn smallest_body() {
    let prompt = Prompt { messages: vec![Message::user("hi")], ..Prompt::default() };
    assert_eq!(
        body("http://h:1", "m", &prompt),
        json!({"model":"m","stream":true,"truncate":false,"shift":false,"messages":[{"role":"user","content":"hi"}]})
    );
}

#[test]
fn where_it_goes() {
    let gateway = "https://gateway.ai.cloudflare.com/v1/acc/gw/custom-ollama";
    for (base, url, cloud) in [
        ("https://ollama.com", "https://ollama.com/api/chat", true),
        ("https://ollama.com/api/", "https://ollama.com/api/chat", true),
        (" https://ollama.com/v1", "https://ollama.com/api/chat", true),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434/api/chat", false),
        ("https://home.example/ollama", "https://home.example/ollama/api/chat", false),
        ("https://notollama.com", "https://notollama.com/api/chat", false),
        (gateway, &format!("{gateway}/api/chat"), true),
    ] {
        let prompt = Prompt { context_tokens: Some(8), ..Prompt::default() };
        let request = ollama::chat(&endpoint(base), "gpt-oss:120b-cloud", &prompt);
        let sent = wire::json(&request);
        assert_eq!(request.url, url);
        assert_eq!(sent["model"] == "gpt-oss:120b", cloud, "{base}");
        assert_eq!(sent["options"]["num_ctx"].is_null(), cloud, "{base}");
    }
}

#[test]
fn media_it_cannot_read_becomes_a_note() {
    let prompt = Prompt {
        messages: vec![Message {
            role: Role::User,
            parts: vec![Part::text("a"), media("voice", "audio/ogg"), media("song", "audio/mpeg")],
        }],
        ..Prompt::default()
    };
    assert_eq!(
        messages(&prompt),
        json!([{
            "role":"user",
            "content":"a\n[an attachment of type audio/ogg that you cannot see]",
            "images":["file:song"]}])
    );
}

#[test]
fn what_the_server_refused_before_is_left_out() {
    let mut prompt = full();
    prompt.dropped = [Feature::Thinking, Feature::Tools, Feature::Media].into();
    let sent = body("https://ollama.com", "glm-5.3", &prompt);
    assert_eq!((&sent["think"], &sent["tools"]), (&Value::Null, &Value::Null));
    assert_eq!(
        sent["messages"][1],
        json!({"role":"user","content":"What is this?\n[an attachment of type image/jpeg that you cannot see]"})
    );
}

#[test]
fn a_picture_from_a_tool_follows_as_the_users() {
    let mut tool = Message::tool([result("call_1", "chart", false)]);
    tool.parts.push(media("k", "image/png"));
    let assistant = Message { role: Role::Assistant, parts: vec![call("call_1", json!({}))] };
    let prompt = Prompt { messages: vec![assistant, tool], ..Prompt::default() };
    assert_eq!(
        messages(&prompt),
        json!([
            {"role":"assistant","content":"","tool_calls":[{"id":"call_1","function":{"name":"tide_table","arguments":{}}}]},
            {"role":"tool","content":"chart","tool_name":"tide_table","tool_call_id":"call_1"},
            {"role":"user","content":"","images":["file:k"]}])
    );
}

#[test]
fn blank_and_foreign_parts_leave_no_message() {
    let prompt = Prompt {
        system: " \n".into(),
        messages: vec![
            Message { role: Role::Assistant, parts: vec![thought("foreign", "other")] },
            Message { role: Role::Assistant, parts: vec![PartKind::Thought("no origin".into()).into()] },
            Message::tool([result("nobody", "orphan", false)]),
            Message { role: Role::User, parts: Vec::new() },
            Message::user("a\0b"),
        ],
        ..Prompt::default()
    };
    assert_eq!(messages(&prompt), json!([{"role":"user","content":"ab"}]));
}

#[test]
fn a_thought_goes_back_to_its_model_by_either_name() {
    let prompt = Prompt {
        messages: vec![Message { role: Role::Assistant, parts: vec![thought("t", "m:cloud"), Part::text("x")] }],
        ..Prompt::default()
    };
    assert_eq!(messages(&prompt), json!([{"role":"assistant","content":"x","thinking":"t"}]));
}

#[test]
fn through_a_relay_it_is_a_home_servers_request_without_a_key() {
    let servers = Servers::from_variables(|name| (name == "RELAY_TOKEN").then(|| "t0ken".to_owned()));
    let prompt = Prompt {
        messages: vec![Message::user("hi")],
        context_tokens: Some(8_192),
        max_output_tokens: Some(99),
        ..Prompt::default()
    };
    for (name, url) in
        [("relay/qwen3:8b", "relay://any/api/chat"), ("relay:home/gpt-oss:20b-cloud", "relay://home/api/chat")]
    {
        let model: ModelRef = name.parse().unwrap();
        let server = servers.of(&model).unwrap();
        let request = server.seal(server.provider.request(&server.endpoint, &model.model, &prompt), &[("turn", 1)]);
        assert_eq!((request.method, request.url.as_str()), ("POST", url));
        assert_eq!(request.headers, [("content-type".to_owned(), "application/json".to_owned())], "and no token");
        assert_eq!(ollama::model_of(&request.body).as_deref(), Some(model.model.as_str()));
        let expected = json!({
            "model": model.model, "stream": true, "truncate": false, "shift": false,
            "messages": [{"role": "user", "content": "hi"}],
            "options": {"num_ctx": 8_192, "num_predict": 99},
        });
        assert_eq!(wire::json(&request), expected);
    }
}

#[test]
fn the_model_a_body_names_is_found() {
    let pictures = Prompt {
        messages: vec![Message { role: Role::User, parts: vec![media("a", "image/png")] }],
        ..Prompt::default()
    };
    let request = ollama::chat(&endpoint("relay://any"), r#"odd"name"#, &pictures);
    assert!(request.body.as_text().is_none(), "it has a file in it");
    assert_eq!(ollama::model_of(&request.body).as_deref(), Some(r#"odd"name"#));
    let show = ollama::show(&endpoint("relay://any"), "x:8b");
    assert_eq!(ollama::model_of(&show.body).as_deref(), Some("x:8b"));
    for (body, model) in [
        (r#"{"stream":true,"model":"late"}"#, Some("late")),
        (r#"{"model":5}"#, None),
        (r#"{"stream":true}"#, None),
        ("nonsense", None),
        ("", None),
    ] {
        assert_eq!(ollama::model_of(&body.to_owned().into()).as_deref(), model, "{body}");
    }
}
