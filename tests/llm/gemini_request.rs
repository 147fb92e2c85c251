//! Whole requests to `streamGenerateContent` (providers.md §2.2, §2.3).

use serde_json::{Value, json};
use tideclaw::llm::{
    Accumulator, Endpoint, Feature, MediaRef, Message, ModelRef, Part, PartKind, Prompt, ProviderMeta, Role,
    StreamParser, Thinking, ToolCall, ToolResult, ToolSpec, gemini,
};

use super::wire;

const BASE: &str = "https://generativelanguage.googleapis.com";
const MODEL: &str = "gemini-3.8-flash";
const DUMMY: &str = "skip_thought_signature_validator";

fn endpoint(base_url: &str) -> Endpoint {
    Endpoint { base_url: base_url.into(), api_key: None }
}

fn body(model: &str, prompt: &Prompt) -> Value {
    wire::json(&gemini::chat(&endpoint(BASE), model, prompt))
}

fn contents(model: &str, messages: &[Message]) -> Value {
    body(model, &Prompt { messages: messages.to_vec(), ..Prompt::default() })["contents"].clone()
}

fn media(key: &str, mime: &str) -> Part {
    Part::media(MediaRef { key: key.into(), mime: mime.into(), size: 3 })
}

/// `kind` as `model` of Gemini made it, with raw data.
fn made(model: &str, kind: PartKind, raw: Value) -> Part {
    Part { kind, meta: Some(ProviderMeta { model: ModelRef::new("gemini", model), raw }) }
}

fn text(text: &str) -> PartKind {
    PartKind::Text(text.into())
}

fn call(id: &str, arguments: Value) -> PartKind {
    PartKind::ToolCall(ToolCall { id: id.into(), name: "tide_table".into(), arguments })
}

fn result(id: &str, content: &str, is_error: bool) -> ToolResult {
    ToolResult { call_id: id.into(), name: "tide_table".into(), content: content.into(), is_error }
}

fn assistant(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

fn signature(value: &str) -> Value {
    json!({ "thoughtSignature": value })
}

/// A conversation with everything in it.
fn full() -> Prompt {
    let mut tool = Message::tool([result("fc2", "no such port", true), result("fc1", r#"{"$ref":"06:12"}"#, false)]);
    tool.parts.push(media("chart", "image/png"));
    Prompt {
        system: "Be brief.".into(),
        messages: vec![
            Message {
                role: Role::User,
                parts: vec![Part::text("What is this?"), media("k1", "image/jpeg"), media("voice", "application/ogg")],
            },
            assistant(vec![
                made(MODEL, PartKind::Thought("Look it up.".into()), Value::Null),
                made(MODEL, text("Let me see."), json!({"thoughtSignature":"QQ==","partMetadata":{"k":1}})),
                made(MODEL, call("fc1", json!({"port":"Brest"})), signature("Qg==")),
                call("fc2", json!("{oops")).into(),
            ]),
            tool,
            assistant(vec![Part::text("High water 06:12."), made(MODEL, text(""), signature("Qw=="))]),
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

fn full_body() -> Value {
    json!({
        "systemInstruction": {"parts":[{"text":"Be brief."}]},
        "tools": [{"functionDeclarations":[
            {"name":"tide_table","description":"Tides of a port",
             "parametersJsonSchema":{"type":"object","properties":{"port":{"type":"string"}},"required":["port"]}},
            {"name":"clock","description":"Now"}]}],
        "contents": [
            {"role":"user","parts":[
                {"text":"What is this?"},
                {"inlineData":{"mimeType":"image/jpeg","data":"file:k1"}},
                {"inlineData":{"mimeType":"audio/ogg","data":"file:voice"}}]},
            {"role":"model","parts":[
                {"text":"Let me see.","thoughtSignature":"QQ==","partMetadata":{"k":1}},
                {"functionCall":{"id":"fc1","name":"tide_table","args":{"port":"Brest"}},"thoughtSignature":"Qg=="},
                {"functionCall":{"id":"fc2","name":"tide_table","args":{"invalid":"{oops"}}}]},
            {"role":"user","parts":[
                {"functionResponse":{"id":"fc1","name":"tide_table","response":{"output":"{\"$ref\":\"06:12\"}"}}},
                {"functionResponse":{"id":"fc2","name":"tide_table","response":{"error":"no such port"}}}]},
            {"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"file:chart"}}]},
            {"role":"model","parts":[{"text":"High water 06:12."},{"text":"","thoughtSignature":"Qw=="}]},
            {"role":"user","parts":[{"text":"Thanks"}]}],
        "generationConfig": {
            "maxOutputTokens":4096,"thinkingConfig":{"thinkingLevel":"high","includeThoughts":true}},
    })
}

#[test]
fn whole_body() {
    let request = gemini::chat(
        &Endpoint { base_url: format!("{BASE}/"), api_key: Some(" s3cret \n".into()) },
        "models/gemini-3.8-flash",
        &full(),
    );
    assert_eq!(request.method, "POST");
    assert_eq!(request.url, format!("{BASE}/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"));
    assert_eq!(
        request.headers,
        [("content-type", "application/json"), ("x-goog-api-key", "s3cret")].map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    assert_eq!(wire::json(&request), full_body());
}

#[test]
fn smallest_body() {
    let prompt = Prompt { messages: vec![Message::user("hi")], ..Prompt::default() };
    assert_eq!(body("some-model", &prompt), json!({"contents":[{"role":"user","parts":[{"text":"hi"}]}]}));
    assert_eq!(body(MODEL, &prompt)["generationConfig"], json!({"thinkingConfig":{"includeThoughts":true}}));
}

#[test]
fn where_it_goes() {
    let gateway = "https://gateway.ai.cloudflare.com/v1/acc/gw/google-ai-studio";
    let path = "v1beta/models";
    for (base, model, url) in [
        (BASE, "m", format!("{BASE}/{path}/m:streamGenerateContent?alt=sse")),
        (" https://h.example/v1beta/ ", "m", format!("https://h.example/{path}/m:streamGenerateContent?alt=sse")),
        (gateway, "m-1.5_x", format!("{gateway}/{path}/m-1.5_x:streamGenerateContent?alt=sse")),
        // A name must not leave its place.
        (
            BASE,
            "../../x?key=1#/я:y",
            format!("{BASE}/{path}/..%2F..%2Fx%3Fkey%3D1%23%2F%D1%8F%3Ay:streamGenerateContent?alt=sse"),
        ),
        (BASE, "..", format!("{BASE}/{path}/..:streamGenerateContent?alt=sse")),
    ] {
        let request = gemini::chat(&endpoint(base), model, &Prompt::default());
        assert_eq!(request.url, url);
        assert_eq!(request.headers.len(), 1, "no key, no header");
    }
}

/// Trap 7: what a model wrote goes back part by part as it came, unknown kinds and their place included.
#[test]
fn own_parts_go_back_untouched() {
    let raw_call = json!({"toolCall":{"toolType":"GOOGLE_SEARCH","id":"t1"},"thoughtSignature":"dDE="});
    let raw_code = json!({"executableCode":{"language":"PYTHON","code":"print(1)"}});
    let signed_thought = json!({"text":"Plan.","thought":true,"thoughtSignature":"dGg="});
    let message = assistant(vec![
        made(MODEL, PartKind::Thought("Plan.".into()), Value::Null),
        made(MODEL, text(""), json!({ "part": signed_thought })),
        made(MODEL, text("a"), signature("1")),
        Part::text("b\0"),
        made(MODEL, text("c\0"), signature("2")),
        made(MODEL, text(""), json!({ "part": raw_call })),
        made(MODEL, text(""), json!({ "part": raw_code })),
        made(MODEL, text(""), signature("3")),
    ]);
    let sent = contents(MODEL, &[Message::user("q"), message, Message::user("go on")]);
    assert_eq!(
        sent[1],
        json!({"role":"model","parts":[
            signed_thought,
            {"text":"a","thoughtSignature":"1"},
            {"text":"b"},
            {"text":"c\0","thoughtSignature":"2"},
            raw_call,
            raw_code,
            {"text":"","thoughtSignature":"3"}]})
    );
}

/// Trap 7: signatures of another model are refused; its calls carry the placeholder, the first of every step.
#[test]
fn foreign_parts_lose_their_signatures() {
    let foreign = |kind| made("gemini-3.6-flash", kind, signature("foreign"));
    let steps = |first: fn(PartKind) -> Part| {
        vec![
            Message::user("q"),
            assistant(vec![
                first(text("Let me see.")),
                first(text("")),
                first(call("a", json!({}))),
                call("b", json!({})).into(),
            ]),
            Message::tool([result("a", "1", false), result("b", "2", false)]),
            assistant(vec![first(call("c", json!({})))]),
            Message::tool([result("c", "3", false)]),
        ]
    };
    let signatures = |sent: &Value| -> Vec<Value> {
        let parts = sent.as_array().unwrap().iter().flat_map(|content| content["parts"].as_array().unwrap());
        parts.filter(|part| part["functionCall"].is_object()).map(|part| part["thoughtSignature"].clone()).collect()
    };
    let from_gemini = steps(|kind| made("gemini-3.6-flash", kind, signature("foreign")));
    let sent = contents(MODEL, &from_gemini);
    assert!(!sent.to_string().contains("foreign"), "{sent}");
    assert_eq!(sent[1]["parts"][0], json!({"text":"Let me see."}));
    assert_eq!(sent[1]["parts"].as_array().unwrap().len(), 3, "an empty foreign part goes");
    assert_eq!(signatures(&sent), [json!(DUMMY), Value::Null, json!(DUMMY)]);

    // Of another provider, of no known origin, and with the same name at another provider.
    let from_ollama = steps(|kind| Part {
        kind,
        meta: Some(ProviderMeta { model: ModelRef::new("ollama", MODEL), raw: signature("foreign") }),
    });
    assert_eq!(contents(MODEL, &from_ollama), sent);
    assert_eq!(signatures(&contents(MODEL, &steps(Part::from))), [json!(DUMMY), Value::Null, json!(DUMMY)]);

    // Nothing changes for the turn before when the next begins: the provider's cache knows it.
    let longer = [from_gemini.clone(), vec![Message::assistant("Done."), Message::user("more")]].concat();
    assert_eq!(contents(MODEL, &longer).as_array().unwrap()[..5], sent.as_array().unwrap()[..5]);

    // Its own are sent, also under the longer name; only the first call of a step needs one.
    let own = steps(|kind| made("models/gemini-3.8-flash", kind, signature("own")));
    assert_eq!(signatures(&contents(MODEL, &own)), [json!("own"), Value::Null, json!("own")]);

    // Models before Gemini 3 and Gemma know no placeholder.
    for old in ["gemini-2.5-pro", "gemma-4-31b-it"] {
        assert_eq!(signatures(&contents(old, &from_gemini)), [Value::Null, Value::Null, Value::Null], "{old}");
    }
    let second = assistant(vec![call("a", json!({})).into(), foreign(call("b", json!({})))]);
    assert_eq!(signatures(&contents("gemini-3.6-flash", &[second])), [json!(DUMMY), json!("foreign")]);
}

#[test]
fn what_the_server_refused_before_is_left_out() {
    let mut prompt = full();
    prompt.dropped = [Feature::Thinking, Feature::Tools, Feature::Media, Feature::Signatures].into();
    let sent = body(MODEL, &prompt);
    assert_eq!(sent["tools"], Value::Null);
    assert_eq!(sent["generationConfig"]["thinkingConfig"], json!({"includeThoughts":true}));
    let note = "[an attachment of type image/jpeg that you cannot see]";
    assert_eq!(sent["contents"][0]["parts"][1], json!({ "text": note }));
    assert_eq!(
        sent["contents"][1]["parts"],
        json!([
            {"text":"Let me see."},
            {"functionCall":{"id":"fc1","name":"tide_table","args":{"port":"Brest"}},"thoughtSignature":DUMMY},
            {"functionCall":{"id":"fc2","name":"tide_table","args":{"invalid":"{oops"}}}])
    );
    assert_eq!(sent["contents"][4]["parts"], json!([{"text":"High water 06:12."}]));
}

/// Trap 9: newer models refuse a request that ends in a model turn.
#[test]
fn the_user_stands_at_both_ends() {
    let user = |text: &str| json!({"role":"user","parts":[{"text":text}]});
    let model = |text: &str| json!({"role":"model","parts":[{"text":text}]});
    let earlier = || user("[what was said before is not shown]");
    assert_eq!(
        contents(MODEL, &[Message::user("q"), Message::assistant("half an ans")]),
        json!([user("q"), model("half an ans"), user("Continue.")])
    );
    assert_eq!(
        contents(MODEL, &[Message::assistant("hi"), Message::user("q")]),
        json!([earlier(), model("hi"), user("q")])
    );
    assert_eq!(contents(MODEL, &[]), json!([user("Continue.")]));
    // A call left open at the end is answered, so the last turn is the user's.
    let open = contents(MODEL, &[assistant(vec![call("a", json!({})).into()])]);
    assert_eq!((&open[0], &open[2]["role"]), (&earlier(), &json!("user")));
    assert!(open[2]["parts"][0]["functionResponse"]["response"]["error"].is_string());
    // A thought alone leaves no turn.
    let thought = assistant(vec![made(MODEL, PartKind::Thought("t".into()), Value::Null)]);
    assert_eq!(contents(MODEL, &[Message::user("q"), thought]), json!([user("q")]));
}

/// Trap 9: temperature is ignored or refused, a level the model lacks is refused.
#[test]
fn no_temperature_and_no_unknown_level() {
    let mut prompt = full();
    prompt.thinking = Thinking::Minimal;
    for (model, level) in
        [("gemini-3.7-flash", json!("low")), ("gemini-3.6-flash", json!("minimal")), ("gemini-9-neon", Value::Null)]
    {
        let sent = body(model, &prompt);
        assert_eq!(sent["generationConfig"]["thinkingConfig"]["thinkingLevel"], level, "{model}");
        assert!(!sent.to_string().contains("temperature"));
    }
}

#[test]
fn neighbours_of_one_speaker_are_one_turn_and_results_stand_alone() {
    let mut tool = Message::tool([result("a", "1", false)]);
    tool.parts.extend([Part::text("by the way"), media("k", "application/zip")]);
    let sent = contents(
        MODEL,
        &[
            Message::user("one"),
            Message::user("two"),
            Message::assistant("I will look."),
            assistant(vec![made(MODEL, call("a", json!({})), signature("s"))]),
            tool,
            Message::user("three"),
            Message::user("\0"),
        ],
    );
    assert_eq!(
        sent,
        json!([
            {"role":"user","parts":[{"text":"one"},{"text":"two"}]},
            {"role":"model","parts":[
                {"text":"I will look."},
                {"functionCall":{"id":"a","name":"tide_table","args":{}},"thoughtSignature":"s"}]},
            {"role":"user","parts":[
                {"functionResponse":{"id":"a","name":"tide_table","response":{"output":"1"}}}]},
            {"role":"user","parts":[
                {"text":"by the way"},
                {"text":"[an attachment of type application/zip that you cannot see]"},
                {"text":"three"}]}])
    );
}

#[test]
fn names_are_made_legal_on_both_sides() {
    for (name, legal) in [
        ("a.b:c-d_1", "a.b:c-d_1".to_owned()),
        ("functions/ read file", "functions__read_file".to_owned()),
        ("1st", "_1st".to_owned()),
        ("погода", "_______".to_owned()),
        ("", "_".to_owned()),
        (&"x".repeat(129), "x".repeat(128)),
    ] {
        let called = ToolCall { id: "a".into(), name: name.into(), arguments: json!({}) };
        let answer = ToolResult { name: name.into(), ..result("a", "1", false) };
        let sent = contents(
            MODEL,
            &[Message::user("q"), assistant(vec![PartKind::ToolCall(called).into()]), Message::tool([answer])],
        );
        assert_eq!(sent[1]["parts"][0]["functionCall"]["name"], json!(legal));
        assert_eq!(sent[2]["parts"][0]["functionResponse"]["name"], json!(legal));
    }
}

#[test]
fn gemma_gets_the_system_text_in_the_first_turn() {
    let prompt = Prompt {
        system: "Be brief.".into(),
        messages: vec![
            Message::assistant("Hello."),
            Message {
                role: Role::User,
                parts: vec![Part::text("hi"), media("k", "image/png"), media("v", "audio/ogg")],
            },
        ],
        thinking: Thinking::High,
        ..Prompt::default()
    };
    assert_eq!(
        body("gemma-4-31b-it", &prompt),
        json!({"contents":[
            {"role":"user","parts":[{"text":"Be brief.\n\n"},{"text":"[what was said before is not shown]"}]},
            {"role":"model","parts":[{"text":"Hello."}]},
            {"role":"user","parts":[
                {"text":"hi"},
                {"inlineData":{"mimeType":"image/png","data":"file:k"}},
                {"text":"[an attachment of type audio/ogg that you cannot see]"}]}]})
    );
    assert!(body("gemma-4-31b-it", &Prompt { system: " \n".into(), ..prompt })["systemInstruction"].is_null());
}

/// Traps 7 and 8 from end to end: what came in the stream is what goes out, in its place.
#[test]
fn a_streamed_answer_goes_back_as_it_came() {
    let sent_back = |stream: &[u8], model: &str| {
        let mut answer = Accumulator::new(ModelRef::new("gemini", MODEL));
        let mut parser = gemini::parser();
        let mut events = Vec::new();
        parser.feed(stream, &mut events);
        parser.end(&mut events);
        answer.drain(&mut events);
        // As it is after a night in the database.
        let stored = serde_json::to_string(&answer.into_message()).unwrap();
        let message = serde_json::from_str(&stored).unwrap();
        contents(model, &[Message::user("q"), message, Message::user("go on")])[1]["parts"].clone()
    };
    let calls = include_bytes!("../fixtures/gemini/calls.txt");
    assert_eq!(
        sent_back(calls, MODEL),
        json!([
            {"functionCall":{"id":"fc1","name":"tide_table","args":{"port":"Brest","days":2}},"thoughtSignature":"c2lnLTE="},
            {"functionCall":{"id":"call_2","name":"tide_table","args":{"port":"Saint-Malo"}}},
            {"functionCall":{"id":"call_3","name":"clock","args":{}}}])
    );
    assert_eq!(sent_back(calls, "gemini-3.6-flash")[0]["thoughtSignature"], json!(DUMMY));
    assert_eq!(
        sent_back(include_bytes!("../fixtures/gemini/text.txt"), MODEL),
        json!([{"text":"Привет, мир 🌊\n\"tide\""}, {"text":"","thoughtSignature":"EpAI+a/b=="}])
    );
    let foreign_parts = include_bytes!("../fixtures/gemini/foreign-parts.txt");
    assert_eq!(
        sent_back(foreign_parts, MODEL),
        json!([
            {"text":"Plan.","thought":true,"thoughtSignature":"dGg="},
            {"toolCall":{"toolType":"GOOGLE_SEARCH","args":{"q":"tide"},"id":"t1"},"thoughtSignature":"dDE="},
            {"toolResponse":{"id":"t1","response":{"hits":[1.5,-2,null]}}},
            {"executableCode":{"language":"PYTHON","code":"print(1)"}},
            {"text":"Neap"},
            {"text":" tide.","thoughtSignature":"dHg=","partMetadata":{"k":1}}])
    );
    assert_eq!(sent_back(foreign_parts, "gemini-3.6-flash"), json!([{"text":"Neap"},{"text":" tide."}]));
}
