//! What the tests of all stream parsers share: feeding bytes, short names for events, and the property that chunking never
//! matters.

use proptest::prelude::*;
use serde_json::Value;
use tideclaw::llm::{ErrorClass, Event, ModelError, StreamParser, ToolCall};

/// Everything `parser` says about a body that comes in `chunks` and then ends.
pub fn feed<'a>(mut parser: impl StreamParser, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut out = Vec::new();
    for chunk in chunks {
        parser.feed(chunk, &mut out);
    }
    parser.end(&mut out);
    out
}

pub fn text(text: &str) -> Event {
    Event::Text(text.into())
}

pub fn thought(text: &str) -> Event {
    Event::Thought(text.into())
}

pub fn call(id: &str, name: &str, arguments: Value) -> Event {
    Event::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments })
}

pub fn failed(class: ErrorClass, detail: &str) -> Event {
    Event::Failed(ModelError::new(class, detail))
}

/// One of `known`, which come close to the protocol so that random bodies reach its corners, or any bytes.
pub fn piece(known: Vec<&'static [u8]>) -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(known);
    prop_oneof![4 => known.prop_map(<[u8]>::to_vec), 1 => prop::collection::vec(any::<u8>(), 0..8)]
}

/// Whatever `body` is, it ends in exactly one end, and cut into chunks of `sizes` it says the same.
pub fn one_end_however_cut(
    run: impl Fn(Vec<&[u8]>) -> Vec<Event>,
    body: &[u8],
    sizes: &[usize],
) -> Result<(), TestCaseError> {
    let whole = run(vec![body]);
    let ends = whole.iter().filter(|event| matches!(event, Event::Finish(_) | Event::Failed(_))).count();
    prop_assert_eq!(ends, 1);
    prop_assert!(matches!(whole.last(), Some(Event::Finish(_) | Event::Failed(_))));

    let mut rest = body;
    let mut chunks = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    prop_assert_eq!(run(chunks), whole);
    Ok(())
}
