//! Gemini streams: recorded shapes with content of our own, however they are chunked and wherever they are cut.

use proptest::prelude::*;
use serde_json::{Value, json};
use tideclaw::llm::{Accumulator, ErrorClass, Event, Feature, Finish, ModelError, ModelRef, Scope, Usage, gemini, sse};

use super::streams::{self, call, failed, text, thought};

/// Everything the parser says about a body that comes in `chunks` and then ends.
fn run<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    streams::feed(gemini::parser(), chunks)
}

fn signed(signature: &str) -> Event {
    Event::Meta(json!({ "thoughtSignature": signature }))
}

fn usage(input: u64, output: u64, thinking: u64) -> Event {
    Event::Usage(Usage { input, output, thinking, ..Usage::default() })
}

struct Case {
    name: &'static str,
    body: &'static [u8],
    events: Vec<Event>,
}

macro_rules! case {
    ($name:literal, [$($event:expr),* $(,)?]) => {
        Case {
            name: $name,
            body: include_bytes!(concat!("../fixtures/gemini/", $name, ".txt")),
            events: vec![$($event),*],
        }
    };
}

fn cases() -> Vec<Case> {
    let overloaded = "The model is overloaded. Please try again later. | UNAVAILABLE";
    let exhausted = "Resource has been exhausted. | RESOURCE_EXHAUSTED";
    let exhausted = ModelError { scope: Scope::Model, ..ModelError::new(ErrorClass::Rate, exhausted) };
    vec![
        case!(
            "text",
            [
                thought("**Greeting**\n\nПоздо"),
                usage(55, 40, 40),
                thought("роваться."),
                usage(55, 61, 61),
                text("Привет, "),
                usage(55, 64, 61),
                text("мир 🌊\n\"tide\""),
                usage(55, 70, 61),
                text(""),
                signed("EpAI+a/b=="),
                Event::Usage(Usage { input: 165, cached_input: 50, output: 70, thinking: 61, cost_nano_usd: None }),
                Event::Finish(Finish::Stop),
            ]
        ),
        case!(
            "calls",
            [
                thought("Two ports."),
                usage(90, 60, 60),
                call("fc1", "tide_table", json!({"port":"Brest","days":2})),
                signed("c2lnLTE="),
                call("call_2", "tide_table", json!({"port":"Saint-Malo"})),
                call("call_3", "clock", json!({})),
                usage(90, 90, 60),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!("length", [usage(15, 0, 0), text("One, two"), usage(15, 6, 2), Event::Finish(Finish::Length)]),
        case!(
            "foreign-parts",
            [
                thought("Plan."),
                text(""),
                Event::Meta(json!({"part":{"text":"Plan.","thought":true,"thoughtSignature":"dGg="}})),
                usage(25, 8, 7),
                text(""),
                Event::Meta(json!({"part":{
                    "toolCall":{"toolType":"GOOGLE_SEARCH","args":{"q":"tide"},"id":"t1"},"thoughtSignature":"dDE="}})),
                text(""),
                Event::Meta(json!({"part":{"toolResponse":{"id":"t1","response":{"hits":[1.5,-2,null]}}}})),
                text(""),
                Event::Meta(json!({"part":{"executableCode":{"language":"PYTHON","code":"print(1)"}}})),
                text("Neap"),
                text(" tide."),
                Event::Meta(json!({"thoughtSignature":"dHg=","partMetadata":{"k":1}})),
                usage(25, 16, 7),
                Event::Finish(Finish::Stop),
            ]
        ),
        case!("prompt-blocked", [usage(15, 0, 0), Event::Finish(Finish::Blocked("PROHIBITED_CONTENT".into()))]),
        case!(
            "answer-blocked",
            [text("It begins"), usage(8, 2, 0), Event::Finish(Finish::Blocked("RECITATION".into()))]
        ),
        case!(
            "midstream-error",
            [
                text("The sea"),
                usage(8, 2, 0),
                call("call_1", "clock", json!({})),
                signed("c2ln"),
                failed(ErrorClass::Transient, overloaded),
            ]
        ),
        case!("midstream-error-array", [text("The sea"), usage(8, 2, 0), failed(ErrorClass::Transient, overloaded)]),
        case!(
            "malformed-call",
            [
                text("Looking."),
                usage(90, 3, 0),
                usage(90, 0, 0),
                failed(ErrorClass::Empty, "MALFORMED_FUNCTION_CALL: Malformed function call: print(default_api.clock("),
            ]
        ),
        case!("odd-framing", [text("ok"), text("!"), Event::Finish(Finish::Other("NEW_REASON".into()))]),
        case!(
            "array",
            [call("call_1", "clock", json!({})), signed("c2ln"), usage(60, 48, 32), Event::Finish(Finish::ToolCalls)]
        ),
        case!("array-error", [Event::Failed(exhausted)]),
    ]
}

fn body(name: &str) -> &'static [u8] {
    cases().into_iter().find(|case| case.name == name).unwrap().body
}

fn fold(name: &str) -> Accumulator {
    let mut answer = Accumulator::new(ModelRef::new("gemini", "gemini-3.8-flash"));
    answer.drain(&mut run([body(name)]));
    answer
}

/// One chunk with these parts and this finish reason.
fn one(parts: Value, finish: &str) -> Vec<Event> {
    let chunk = json!({"candidates":[{"content":{"parts":parts},"finishReason":finish,"finishMessage":"why"}]});
    run([format!("data: {chunk}\r\n\r\n").as_bytes()])
}

#[test]
fn fixtures_whole_and_in_every_chunking() {
    for Case { name, body, events } in cases() {
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
fn a_body_cut_anywhere_is_a_failure_unless_its_last_event_was_whole() {
    for Case { name, body, events } in cases() {
        let (last, before) = events.split_last().unwrap();
        // The last byte of the JSON that ended the answer.
        let whole = (1..=body.len()).find(|&at| run([&body[..at]]).last() == Some(last)).unwrap();
        assert!(matches!(body[whole - 1], b'}' | b']'), "{name}");
        for at in 0..body.len() {
            let cut = run([&body[..at]]);
            if at >= whole {
                assert_eq!(cut, events, "{name} cut at {at}");
                continue;
            }
            let (end, got) = cut.split_last().unwrap();
            assert!(
                matches!(end, Event::Failed(error) if error.class == ErrorClass::Transient),
                "{name} cut at {at}: {end:?}"
            );
            assert!(before.starts_with(got), "{name} cut at {at}: {got:?}");
        }
    }
}

/// Trap 8.
#[test]
fn a_signature_on_an_empty_last_part_survives() {
    let answer = fold("text");
    assert_eq!(answer.outcome(), Ok(Finish::Stop));
    assert_eq!(
        serde_json::to_value(answer.into_message()).unwrap(),
        json!({"role":"assistant","parts":[
            {"thought":"**Greeting**\n\nПоздороваться.","meta":{"model":"gemini/gemini-3.8-flash"}},
            {"text":"Привет, мир 🌊\n\"tide\""},
            {"text":"","meta":{"model":"gemini/gemini-3.8-flash","raw":{"thoughtSignature":"EpAI+a/b=="}}}]})
    );
}

/// Trap 10: CRLF, no `[DONE]`, usage in every chunk.
#[test]
fn the_finish_reason_ends_it_and_the_last_usage_counts() {
    let text = body("text");
    assert!(text.windows(4).any(|end| end == b"\r\n\r\n") && !text.windows(6).any(|mark| mark == b"[DONE]"));
    assert_eq!(fold("text").usage().map(|usage| usage.input), Some(165));
    let (last, _) = text.split_last_chunk::<4>().unwrap();
    assert_eq!(run([last]).last(), Some(&Event::Finish(Finish::Stop)));
}

/// Trap 11.
#[test]
fn thoughts_are_billed_as_output_beside_the_answer() {
    let usage = fold("text").usage().unwrap();
    assert_eq!((usage.output, usage.thinking, usage.cached_input), (9 + 61, 61, 50));
}

/// Trap 14, on a body that is no stream.
#[test]
fn an_error_wrapped_in_an_array_is_read() {
    assert_eq!(fold("array-error").outcome().unwrap_err().class, ErrorClass::Rate);
    assert_eq!(fold("midstream-error-array").outcome().unwrap_err().class, ErrorClass::Transient);
}

#[test]
fn finish_reasons() {
    let blocked = |reason: &str| Event::Finish(Finish::Blocked(reason.into()));
    for reason in ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY"] {
        assert_eq!(one(json!([]), reason), [blocked(reason)]);
    }
    for reason in ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"] {
        assert_eq!(one(json!([]), reason), [failed(ErrorClass::Empty, &format!("{reason}: why"))]);
    }
    for reason in ["CONTINUATION", "ESCALATION", "OTHER", "WHATEVER_COMES"] {
        assert_eq!(one(json!([]), reason), [Event::Finish(Finish::Other(reason.into()))]);
    }
    assert_eq!(one(json!([]), "STOP"), [Event::Finish(Finish::Stop)]);
    assert_eq!(one(json!([]), "MAX_TOKENS"), [Event::Finish(Finish::Length)]);
    for none in ["", "FINISH_REASON_UNSPECIFIED"] {
        assert_eq!(one(json!([]), none), [failed(ErrorClass::Transient, "ended without a finish reason")]);
    }
}

/// Trap 7, in the form of a finish reason: the caller sends no raw data, and the builder signs with the placeholder.
#[test]
fn a_missing_signature_asks_to_drop_the_signatures() {
    match one(json!([]), "MISSING_THOUGHT_SIGNATURE").as_slice() {
        [Event::Failed(error)] => {
            assert_eq!((error.class, error.feature), (ErrorClass::BadRequest, Some(Feature::Signatures)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn parts_of_any_shape() {
    let stop = || Event::Finish(Finish::Stop);
    for (part, expected) in [
        (json!({"text":""}), vec![stop()]),
        (json!({"text":"","thought":false}), vec![stop()]),
        (json!({"text":"","thought":true}), vec![stop()]),
        (json!({"text":"a","thought":false}), vec![text("a"), stop()]),
        (
            json!({"thoughtSignature":"s"}),
            vec![text(""), Event::Meta(json!({"part":{"thoughtSignature":"s"}})), stop()],
        ),
        (json!({"text":7}), vec![text(""), Event::Meta(json!({"part":{"text":7}})), stop()]),
        (json!({}), vec![stop()]),
        (json!("text"), vec![stop()]),
        (json!(null), vec![stop()]),
        (
            json!({"functionCall":{"name":"f","args":"{\"a\":1}"}}),
            vec![call("call_1", "f", json!({"a":1})), Event::Finish(Finish::ToolCalls)],
        ),
        (
            json!({"functionCall":{"name":"f","args":[1]}}),
            vec![call("call_1", "f", json!("[1]")), Event::Finish(Finish::ToolCalls)],
        ),
    ] {
        assert_eq!(one(json!([part]), "STOP"), expected, "{part}");
    }
    let whole = [text("a"), Event::Finish(Finish::Stop)];
    assert_eq!(run([&br#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#[..]]), whole);
}

/// Not sent by this host; half a call must not be run.
#[test]
fn a_call_in_pieces_is_a_failure() {
    for call in [
        json!({"name":"f","willContinue":true}),
        json!({"partialArgs":[{"jsonPath":"$.id","stringValue":"A"}],"willContinue":true}),
        json!({"name":"f","partialArgs":[]}),
        json!({}),
    ] {
        let events = one(json!([{"functionCall":call}]), "STOP");
        assert_eq!(events, [failed(ErrorClass::Empty, "a call without a name or in pieces")], "{call}");
    }
}

#[test]
fn a_body_that_is_not_of_the_protocol_is_transient() {
    for (body, detail) in [
        ("<html><title>524: timeout</title></html>\n", "not an answer of the protocol: HTML page: 524: timeout"),
        ("upstream connect error\n", "not an answer of the protocol: upstream connect error"),
        ("{\"candidates\":[{\"content\":", "a body of 27 bytes is neither events nor JSON"),
        ("data: {\"secret words\r\n\r\n", "an event of 14 bytes is not JSON"),
        ("data: {\"secret words", "ended without a finish reason"),
        ("data: null\n\n", "ended without a finish reason"),
        ("data: [DONE]\n\n", "ended without a finish reason"),
        ("[]", "ended without a finish reason"),
        ("", "ended without a finish reason"),
        ("\r\n\r\n", "ended without a finish reason"),
    ] {
        assert_eq!(run([body.as_bytes()]), [failed(ErrorClass::Transient, detail)], "{body:?}");
    }
}

#[test]
fn an_event_of_megabytes_is_read_and_an_endless_one_refused() {
    let big = "x".repeat(3 * 1024 * 1024);
    let chunk = json!({"candidates":[{"content":{"parts":[{"text":big}]},"finishReason":"STOP"}]});
    assert_eq!(run(format!("data: {chunk}\r\n\r\n").as_bytes().chunks(65_536))[0], text(&big));

    let endless = [b"data: ".as_slice(), &vec![b'x'; sse::MAX_EVENT + 1]].concat();
    let expected = [failed(ErrorClass::Transient, &sse::EventTooLong.to_string())];
    assert_eq!(run([endless.as_slice()]), expected);
    assert_eq!(run(endless.chunks(100_000)), expected);
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    streams::piece(vec![
        &b"\n"[..],
        b"\r\n\r\n",
        b"\r",
        b"data: ",
        b": ping\n",
        b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\",\"thoughtSignature\":\"s\"}]}}]}\r\n\r\n",
        b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]}}]}\r\n\r\n",
        b"data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\r\n\r\n",
        b"data: [{\"error\":{\"code\":500}}]\r\n\r\n",
        b"[{\"candidates\":[]}]",
        b"{",
        b"}",
        b"\"",
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
