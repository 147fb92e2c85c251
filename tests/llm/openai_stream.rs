//! Chat completion streams: each server's shape with content of our own, however they are chunked and wherever they are
//! cut (providers.md §3.1, §3.2).

use proptest::prelude::*;
use serde_json::{Value, json};
use tideclaw::llm::{
    Accumulator, ErrorClass, Event, Finish, Message, ModelRef, PartKind, Provider, Usage, openai, sse,
};

use super::streams::{self, call, failed, text, thought};

/// Everything the parser says about a body that comes in `chunks` and then ends.
fn run<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    streams::feed(openai::parser(), chunks)
}

/// The events of a stream of these data.
fn stream(data: &[Value]) -> Vec<Event> {
    let body: String = data.iter().map(|data| format!("data: {data}\n\n")).collect();
    run([body.as_bytes()])
}

fn chunk(delta: Value, finish: Value) -> Value {
    json!({"choices":[{"index":0,"delta":delta,"finish_reason":finish}]})
}

fn usage(input: u64, cached_input: u64, output: u64, thinking: u64) -> Event {
    Event::Usage(Usage { input, cached_input, output, thinking, cost_nano_usd: None })
}

fn billed(input: u64, cached_input: u64, output: u64, thinking: u64, cost: u64) -> Event {
    Event::Usage(Usage { input, cached_input, output, thinking, cost_nano_usd: Some(cost) })
}

fn cut() -> Event {
    failed(ErrorClass::Transient, "ended without finish_reason and [DONE]")
}

struct Case {
    name: &'static str,
    body: &'static [u8],
    /// The line that ends the answer is the first with this in it; from its last byte on the answer is whole.
    mark: &'static str,
    events: Vec<Event>,
}

impl Case {
    /// How many bytes make the answer whole.
    fn whole(&self) -> usize {
        if self.mark.is_empty() {
            return self.body.trim_ascii_end().len();
        }
        let at = self.body.windows(self.mark.len()).position(|window| window == self.mark.as_bytes()).unwrap();
        at + self.body[at..].iter().position(|byte| b"\r\n".contains(byte)).unwrap()
    }
}

macro_rules! case {
    ($name:literal, $mark:literal, [$($event:expr),* $(,)?]) => {
        Case {
            name: $name,
            body: include_bytes!(concat!("../fixtures/openai/", $name)),
            mark: $mark,
            events: vec![$($event),*],
        }
    };
}

fn cases() -> Vec<Case> {
    let brest = || json!({"port":"Brest"});
    vec![
        case!(
            "openai-text.sse",
            r#""finish_reason":"stop""#,
            [text("Прилив в "), text("06:12 🌊\n\"spring\""), usage(26, 8, 17, 4), Event::Finish(Finish::Stop)]
        ),
        case!(
            "openai-calls.sse",
            r#""finish_reason":"tool_calls""#,
            [
                usage(120, 0, 40, 0),
                call("call_A", "tide_table", json!({"port":"Saint-Malo"})),
                call("call_B", "clock", json!({})),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "azure-filtered.sse",
            r#""finish_reason":"content_filter""#,
            [text("Low "), Event::Finish(Finish::Blocked("content_filter".into()))]
        ),
        case!(
            "openrouter-calls.sse",
            r#""finish_reason":"tool_calls""#,
            [
                thought("Two "),
                thought("ports."),
                billed(43, 0, 10, 10, 32_500),
                call("tool_1", "tide_table", brest()),
                Event::Meta(json!({"reasoning_details":[
                    {"type":"reasoning.text","text":"Two ports.","index":0,"format":"f1","signature":"c2ln"}]})),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "openrouter-late-error.sse",
            r#""finish_reason":"length""#,
            [
                thought("Hm"),
                text("High"),
                text(" water"),
                billed(43, 0, 10, 0, 0),
                failed(ErrorClass::BadRequest, "Token limit reached"),
            ]
        ),
        case!(
            "groq-calls.sse",
            r#""finish_reason":"tool_calls""#,
            [
                usage(210, 0, 15, 0),
                call("tk85", "tide_table", json!({"port":"Brest","days":2})),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "deepseek-calls.sse",
            r#""finish_reason":"tool_calls""#,
            [
                thought("Look "),
                thought("it up."),
                usage(339, 320, 83, 39),
                call("call_00_x", "tide_table", brest()),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "xai-calls.sse",
            r#""finish_reason":"tool_calls""#,
            [
                thought("First"),
                thought("."),
                billed(307, 306, 253, 227, 149_750),
                call("call_7", "tide_table", brest()),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "mistral-parts.sse",
            r#""finish_reason":"stop""#,
            [
                thought("Ask the "),
                thought("table."),
                text("See"),
                text(" below"),
                text("."),
                usage(9, 0, 5, 0),
                call("D681PevKs", "tide_table", brest()),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "vllm-odd-calls.sse",
            r#""finish_reason":"stop""#,
            [
                thought("Hm"),
                call("call_1", "note", json!({"text":"06:12"})),
                call("call_2", "clock", json!({})),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "null-for-ever.sse",
            "[DONE]",
            [text("One, "), text("two"), usage(3, 0, 2, 0), Event::Finish(Finish::Stop)]
        ),
        case!("swallowed-error.sse", "", [thought("Okay"), text(" The"), cut()]),
        case!(
            "moonshot-joined.sse",
            r#""cached_tokens":4"#,
            [text("ok"), usage(12, 4, 1, 0), Event::Finish(Finish::Stop)]
        ),
        case!(
            "vllm-error.sse",
            r#""object":"error""#,
            [text("Low"), failed(ErrorClass::Transient, "EngineDeadError | InternalServerError")]
        ),
        case!(
            "llamacpp-error.sse",
            "slot unavailable",
            [text("Low"), failed(ErrorClass::Transient, "slot unavailable | server_error")]
        ),
        case!(
            "whole.json",
            "",
            [
                thought("Look."),
                text("Looking."),
                usage(31, 0, 12, 0),
                call("call_w", "tide_table", brest()),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "openrouter-error.json",
            "",
            [failed(
                ErrorClass::Rate,
                "Provider returned error | m is temporarily rate-limited upstream; please retry shortly."
            )]
        ),
        case!(
            "array-error.json",
            "",
            [failed(
                ErrorClass::Quota,
                "You exceeded your current quota, please check your plan. | RESOURCE_EXHAUSTED"
            )]
        ),
    ]
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap()
}

#[test]
fn fixtures_whole_and_in_every_chunking() {
    for Case { name, body, events, .. } in cases() {
        assert_eq!(run([body]), events, "{name} whole");
        for size in [1, 2, 3, 7, 64] {
            assert_eq!(run(body.chunks(size)), events, "{name} by {size}");
        }
        for at in 0..=body.len() {
            assert_eq!(run([&body[..at], &[], &body[at..]]), events, "{name} in two at {at}");
        }
    }
}

#[test]
fn a_body_cut_anywhere_is_a_failure_unless_it_said_why_it_ended() {
    let shown = |events: &[Event]| -> Vec<Event> {
        events.iter().filter(|event| !matches!(event, Event::Usage(_) | Event::Meta(_))).cloned().collect()
    };
    for case in cases() {
        let (last, before) = case.events.split_last().unwrap();
        let whole = case.whole();
        assert!(b"}]".contains(&case.body[whole - 1]), "{}", case.name);
        for at in 0..case.body.len() {
            let events = run([&case.body[..at]]);
            let (end, got) = events.split_last().unwrap();
            if at < whole {
                assert!(
                    matches!(end, Event::Failed(error) if error.class == ErrorClass::Transient),
                    "{} cut at {at}: {end:?}",
                    case.name
                );
                assert!(before.starts_with(got), "{} cut at {at}: {got:?}", case.name);
            } else if matches!(last, Event::Finish(_)) {
                // Only consumption may be missing.
                assert_eq!(shown(&events), shown(&case.events), "{} cut at {at}", case.name);
            } else {
                let late = case.name == "openrouter-late-error.sse" && *end == Event::Finish(Finish::Length);
                assert!(end == last || late, "{} cut at {at}: {end:?}", case.name);
            }
        }
    }
}

#[test]
fn trap_12_xai_leaves_reasoning_out_of_the_completion() {
    // 307 prompt, 26 completion, 227 reasoning, 560 in all.
    assert!(case("xai-calls.sse").events.contains(&billed(307, 306, 253, 227, 149_750)));
    let counted = json!({"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":30,"total_tokens":40,
        "completion_tokens_details":{"reasoning_tokens":20}}});
    assert_eq!(stream(&[counted])[0], usage(10, 0, 30, 20));
}

#[test]
fn trap_13_an_error_under_200_and_after_a_normal_finish() {
    assert!(
        matches!(run([case("openrouter-error.json").body]).as_slice(), [Event::Failed(error)] if error.class == ErrorClass::Rate)
    );
    let late = run([case("openrouter-late-error.sse").body]);
    assert!(matches!(late.last(), Some(Event::Failed(_))));
    assert!(!late.iter().any(|event| matches!(event, Event::Finish(_))));

    // An error wins over whatever else its object holds, and calls before it are not handed out.
    let call = json!({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]});
    let error = json!({"error":{"message":"Provider disconnected","code":"server_error"},
        "choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"error"}]});
    let expected = [failed(ErrorClass::Transient, "Provider disconnected | server_error")];
    assert_eq!(stream(&[chunk(call, json!("tool_calls")), error]), expected);
}

#[test]
fn trap_14_errors_come_in_an_array_too() {
    let expected = [failed(ErrorClass::Rate, "slow down")];
    for body in [
        r#"[{"error":{"code":429,"message":"slow down"}}]"#,
        "data: [{\"error\":{\"code\":429,\"message\":\"slow down\"}}]\n\n",
    ] {
        assert_eq!(run([body.as_bytes()]), expected, "{body}");
    }
}

#[test]
fn rule_2_every_place_and_form_of_an_error() {
    for (object, class) in [
        (json!({"error":"upstream error"}), ErrorClass::Transient),
        (json!({"error":{"message":"x","code":"429"}}), ErrorClass::Rate),
        (json!({"error":{"message":"x","code":502}}), ErrorClass::Transient),
        (json!({"error":{"message":"x","type":"insufficient_quota"}}), ErrorClass::Quota),
        (json!({"error":{"message":"Rate limit reached"}}), ErrorClass::Rate),
        (json!({"error":{"message":"x","code":"context_length_exceeded"}}), ErrorClass::Overflow),
        (json!({"error":{"message":"bad","code":"invalid_api_key"}}), ErrorClass::Auth),
        (json!({"error":{"type":"overloaded_error","message":"Overloaded"},"type":"error"}), ErrorClass::Transient),
        (json!({"error":{}}), ErrorClass::Transient),
        (json!({"error":[{"code":2009,"message":"Unauthorized"}],"success":false}), ErrorClass::Auth),
        (json!({"choices":[{"error":{"code":402,"message":"x"},"finish_reason":"error"}]}), ErrorClass::Quota),
        (json!({"object":"error","message":"slow","type":"x","code":429}), ErrorClass::Rate),
        (
            json!({"error":{"message":"Provider returned error","metadata":{"raw":"{\"m\":\"prompt is too long\"}"}}}),
            ErrorClass::Overflow,
        ),
    ] {
        match stream(&[chunk(json!({}), json!("stop")), object.clone()]).as_slice() {
            [Event::Failed(error)] => assert_eq!((error.class, error.status), (class, None), "{object}"),
            other => panic!("{object}: {other:?}"),
        }
    }
    for none in [json!(null), json!(""), json!(false)] {
        let chunk = json!({"error":none,"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]});
        assert_eq!(stream(&[chunk]), [text("x"), Event::Finish(Finish::Stop)], "{none}");
    }
}

#[test]
fn rule_5_one_reasoning_of_several() {
    for (delta, expected) in [
        (json!({"reasoning_content":"a","reasoning":"b"}), vec![thought("a")]),
        (json!({"reasoning_content":"","reasoning":"b","reasoning_text":"c"}), vec![thought("b")]),
        (json!({"reasoning_content":null,"reasoning_text":"c"}), vec![thought("c")]),
        (json!({"reasoning":"b","content":"d"}), vec![thought("b"), text("d")]),
        (json!({"refusal":"I cannot."}), vec![text("I cannot.")]),
        (json!({"content":""}), vec![]),
        (json!({"content":7,"reasoning":{}}), vec![]),
    ] {
        let mut events = stream(&[chunk(delta.clone(), json!("stop"))]);
        assert_eq!(events.pop(), Some(Event::Finish(Finish::Stop)));
        assert_eq!(events, expected, "{delta}");
    }
}

#[test]
fn rule_6_finish_reasons() {
    let f = json!({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]});
    for (reason, plain, with_calls) in [
        ("stop", Finish::Stop, Finish::ToolCalls),
        ("end", Finish::Stop, Finish::ToolCalls),
        ("tool_calls", Finish::Stop, Finish::ToolCalls),
        ("function_call", Finish::Stop, Finish::ToolCalls),
        ("length", Finish::Length, Finish::Length),
        ("content_filter", Finish::Blocked("content_filter".into()), Finish::Blocked("content_filter".into())),
        ("novel", Finish::Other("novel".into()), Finish::Other("novel".into())),
    ] {
        let end = |delta: &Value| stream(&[chunk(delta.clone(), json!(reason))]).pop();
        assert_eq!(end(&json!({"content":"x"})), Some(Event::Finish(plain)), "{reason}");
        assert_eq!(end(&f), Some(Event::Finish(with_calls)), "{reason}");
    }
    for reason in ["error", "network_error", "insufficient_system_resource"] {
        let expected = [text("x"), failed(ErrorClass::Transient, &format!("finish_reason {reason}"))];
        assert_eq!(stream(&[chunk(json!({"content":"x"}), json!(reason))]), expected);
    }
}

#[test]
fn the_last_chunk_by_the_protocol_ends_it_at_once() {
    let mut parser = Provider::OpenAi.parser();
    let mut out = Vec::new();
    let mut feed = |data: &str| {
        parser.feed(format!("data: {data}\n\n").as_bytes(), &mut out);
        out.clone()
    };
    let held = feed(&chunk(json!({"content":"x"}), json!("stop")).to_string());
    assert_eq!(held, [text("x")]);
    let consumption = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let ended = feed(consumption);
    assert_eq!(ended, [text("x"), usage(1, 0, 1, 0), Event::Finish(Finish::Stop)]);
    assert_eq!(feed(r#"{"error":"late"}"#), ended);
    assert_eq!(feed("[DONE]"), ended);
}

#[test]
fn a_body_that_is_not_of_the_protocol_is_transient() {
    for (body, detail) in [
        ("<html><title>524: timeout</title></html>\n", "not of the protocol: HTML page: 524: timeout"),
        ("upstream connect error\n", "not of the protocol: upstream connect error"),
        ("data: {\"choices\":[{\"delta\":{\"content\":\"secret words\n\n", "a piece of 45 bytes is not JSON"),
        ("{\"choices\":[{\"message\":{\"content\":\"secret words", "a piece of 47 bytes is not JSON"),
        ("data: null\n\n", "not of the protocol: null"),
        ("{\"output\":\"secret words\"}", "JSON of 25 bytes is no answer"),
        ("", "ended without finish_reason and [DONE]"),
        (": ping\n\n", "ended without finish_reason and [DONE]"),
        ("data: {\"type\":\"ping\"}\n\n", "ended without finish_reason and [DONE]"),
    ] {
        assert_eq!(run([body.as_bytes()]), [failed(ErrorClass::Transient, detail)], "{body:?}");
    }
}

#[test]
fn a_chunk_of_megabytes_is_read_and_endless_ones_are_refused() {
    let big = "x".repeat(3 * 1024 * 1024);
    let body = format!("data: {}\n\n", chunk(json!({"content":big}), json!("stop")));
    assert_eq!(run(body.as_bytes().chunks(65_536))[0], text(&big));

    let endless = vec![b'x'; sse::MAX_EVENT + 1];
    let expected = [failed(ErrorClass::Transient, &sse::EventTooLong.to_string())];
    assert_eq!(run([endless.as_slice()]), expected);
    assert_eq!(run(endless.chunks(100_000)), expected);

    // Arguments without end, in small pieces.
    let piece =
        chunk(json!({"tool_calls":[{"index":0,"function":{"name":"f","arguments":"x".repeat(10_000)}}]}), json!(null));
    let events = stream(&vec![piece; 200]);
    assert!(matches!(events.as_slice(), [Event::Failed(error)] if error.detail.contains("calls")), "{events:?}");
}

#[test]
fn folded_into_a_message_with_what_must_go_back() {
    let mut answer = Accumulator::new(ModelRef::new("openai", "shore/m"));
    answer.drain(&mut run([case("openrouter-calls.sse").body]));
    assert_eq!(answer.outcome(), Ok(Finish::ToolCalls));
    assert_eq!(
        serde_json::to_value(answer.into_message()).unwrap(),
        json!({"role":"assistant","parts":[
            {"thought":"Two ports.","meta":{"model":"openai/shore/m"}},
            {"tool_call":{"id":"tool_1","name":"tide_table","arguments":{"port":"Brest"}},
             "meta":{"model":"openai/shore/m","raw":{"reasoning_details":[
                {"type":"reasoning.text","text":"Two ports.","index":0,"format":"f1","signature":"c2ln"}]}}}]})
    );

    let mut cut = Accumulator::new(ModelRef::new("openai", "m"));
    cut.drain(&mut run([case("openrouter-late-error.sse").body]));
    assert_eq!(cut.outcome().unwrap_err().class, ErrorClass::BadRequest);
    let partial: Message = cut.into_partial();
    assert_eq!(partial.text(), "High water");
    assert!(partial.parts.iter().all(|part| matches!(part.kind, PartKind::Text(_))));
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    streams::piece(vec![
        &b"\n\n"[..],
        b"\n",
        b"\r\n",
        b"\r",
        b"data: ",
        b"data: {\"choices\":[{\"delta\":{\"content\":\"a\",\"reasoning\":\"b\"}}]}\n\n",
        b"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n",
        b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n",
        b"data: [DONE]\n\n",
        b"{\"error\":\"e\"}",
        b"error: {\"message\":\"e\"}\n",
        b": ping\n",
        b"{",
        b"}",
        "я".as_bytes(),
    ])
}

proptest! {
    #[test]
    fn any_bytes_end_in_one_end_and_chunking_does_not_matter(
        pieces in prop::collection::vec(piece(), 0..24),
        sizes in prop::collection::vec(1usize..40, 1..8),
    ) {
        streams::one_end_however_cut(|chunks| run(chunks), &pieces.concat(), &sizes)?;
    }
}
