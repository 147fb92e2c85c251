//! Ollama streams: recorded shapes with content of our own, however they are chunked and wherever they are cut.

use proptest::prelude::*;
use serde_json::json;
use tideclaw::llm::{Accumulator, ErrorClass, Event, Finish, ModelRef, Usage, ollama, stream};

use super::streams::{self, call, failed, text, thought};

/// Everything the parser says about a body that comes in `chunks` and then ends.
fn run<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    streams::feed(ollama::parser(), chunks)
}

fn usage(input: u64, output: u64) -> Event {
    Event::Usage(Usage { input, output, ..Usage::default() })
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
            body: include_bytes!(concat!("../fixtures/ollama/", $name, ".ndjson")),
            events: vec![$($event),*],
        }
    };
}

fn cases() -> Vec<Case> {
    vec![
        case!(
            "local-text",
            [
                thought("Поздо"),
                thought("роваться 👋"),
                text("Привет, "),
                text("мир 🌊\n\"tide\""),
                usage(26, 17),
                Event::Finish(Finish::Stop),
            ]
        ),
        case!(
            "cloud-calls",
            [
                thought("Two cities."),
                call("call_1", "tide_table", json!({"port":"Brest","days":2})),
                call("call_2", "tide_table", json!({"port":"Saint-Malo"})),
                call("call_3", "clock", json!({})),
                usage(129, 47),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "local-calls",
            [
                thought("Use the tools."),
                text("Looking."),
                call("call_a1", "tide_table", json!({"port":"Brest"})),
                call("call_2", "note", json!({"text":"high water 06:12"})),
                call("call_b2", "note", json!("{\"text\": oops")),
                usage(201, 98),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "cloud-unstreamed",
            [
                thought("Search it."),
                call("call_1", "search", json!({"query":"spring tide"})),
                usage(77, 21),
                Event::Finish(Finish::ToolCalls),
            ]
        ),
        case!(
            "midstream-error",
            [
                text(" The sea"),
                call("call_1", "clock", json!({})),
                failed(ErrorClass::Transient, "an error was encountered while running the model"),
            ]
        ),
        case!(
            "midstream-quota",
            [
                thought("Hm"),
                failed(
                    ErrorClass::Quota,
                    "you (a-user) have reached your session usage limit, upgrade for higher limits: \
                     https://ollama.com/upgrade (ref: 00000000-0000-0000-0000-000000000000)"
                ),
            ]
        ),
        case!("crlf-length", [text("One, two"), text(", thr"), usage(9, 4), Event::Finish(Finish::Length)]),
        case!(
            "odd-fields",
            [
                text("ok"),
                call("call_1", "f", json!("[1,2]")),
                usage(0, 0),
                Event::Finish(Finish::Other("new_reason".into())),
            ]
        ),
        case!("load", [usage(0, 0), Event::Finish(Finish::Other("load".into()))]),
    ]
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
fn a_body_cut_anywhere_is_a_failure_unless_its_last_line_was_whole() {
    for Case { name, body, events } in cases() {
        let (last, before) = events.split_last().unwrap();
        // The last byte of the line that ended the answer.
        let whole = (1..=body.len()).find(|&at| run([&body[..at]]).last() == Some(last)).unwrap();
        assert_eq!(body[whole - 1], b'}', "{name}");
        for at in 0..body.len() {
            let cut = run([&body[..at]]);
            if at >= whole {
                assert_eq!(cut, events, "{name} cut at {at}");
                continue;
            }
            let (end, got) = cut.split_last().unwrap();
            assert_eq!(*end, failed(ErrorClass::Transient, "ended without done"), "{name} cut at {at}");
            assert!(before.starts_with(got), "{name} cut at {at}: {got:?}");
        }
    }
}

#[test]
fn a_line_that_is_not_of_the_protocol_is_transient() {
    for (body, detail) in [
        ("<html><title>524: timeout</title></html>\n", "not a line of the protocol: HTML page: 524: timeout"),
        ("upstream connect error\n", "not a line of the protocol: upstream connect error"),
        ("[1]\n", "not a line of the protocol: [1]"),
        ("{\"message\":{\"content\":\"secret words\n", "a line of 35 bytes is not JSON"),
        ("null", "not a line of the protocol: null"),
        ("", "ended without done"),
        ("\n\n", "ended without done"),
        ("no line end", "ended without done"),
    ] {
        assert_eq!(run([body.as_bytes()]), [failed(ErrorClass::Transient, detail)], "{body:?}");
    }
}

#[test]
fn errors_in_a_stream_are_sorted_by_their_text() {
    for (line, class) in [
        (r#"{"error":"upstream error"}"#, ErrorClass::Transient),
        (r#"{"error":{"message":"prompt is too long: 9 tokens > 8 maximum"}}"#, ErrorClass::Overflow),
        (r#"{"error":"this model requires a subscription, upgrade for access"}"#, ErrorClass::Plan),
        (r#"{"error":"unauthorized"}"#, ErrorClass::Auth),
        (r#"{"error":"\"m\" does not support thinking"}"#, ErrorClass::BadRequest),
        (r#"{"error":"slow down","status_code":429}"#, ErrorClass::Rate),
        (r#"{"error":{},"done":true}"#, ErrorClass::Transient),
    ] {
        match run([line.as_bytes()]).as_slice() {
            [Event::Failed(error)] => assert_eq!((error.class, error.status), (class, None), "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn a_line_of_megabytes_is_read_and_an_endless_one_refused() {
    let big = "x".repeat(3 * 1024 * 1024);
    let line = format!(r#"{{"message":{{"content":"{big}"}},"done":true}}"#);
    assert_eq!(run(line.as_bytes().chunks(65_536))[0], text(&big));

    let endless = vec![b'x'; stream::MAX_LINE + 1];
    let expected = [failed(ErrorClass::Transient, &stream::LineTooLong.to_string())];
    assert_eq!(run([endless.as_slice()]), expected);
    assert_eq!(run(endless.chunks(100_000)), expected);
}

#[test]
fn folded_into_a_message() {
    let mut answer = Accumulator::new(ModelRef::new("ollama", "qwen3:8b"));
    answer.drain(&mut run([cases()[0].body]));
    assert_eq!(answer.outcome(), Ok(Finish::Stop));
    assert_eq!(
        serde_json::to_value(answer.into_message()).unwrap(),
        json!({"role":"assistant","parts":[
            {"thought":"Поздороваться 👋","meta":{"model":"ollama/qwen3:8b"}},
            {"text":"Привет, мир 🌊\n\"tide\""}]})
    );
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    streams::piece(vec![
        &b"\n"[..],
        b"\r\n",
        b"\r",
        b"{\"message\":{\"content\":\"a\",\"thinking\":\"b\"}}",
        b"{\"message\":{\"tool_calls\":[{\"id\":\"call_1\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}",
        b"{\"done\":true}",
        b"{\"error\":\"e\"}",
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
