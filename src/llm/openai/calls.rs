//! Puts tool calls together from their pieces (providers.md §3.1.4).
//!
//! Servers number the pieces, or name them by id, or do neither; they say name and id once or in every piece. Not here:
//! what the arguments mean ([`arguments`]).

use serde_json::{Map, Value};

use crate::llm::call_ids::CallIds;
use crate::llm::{ToolCall, arguments};

/// Most taken of one answer: bytes of arguments, and calls. A stored message is one row of at most 2 MB; a model that
/// writes more is in a loop.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_CALLS: usize = 128;

/// The answer's calls went over the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the calls of the answer are longer than {MAX_BYTES} bytes or more than {MAX_CALLS}")]
pub(super) struct TooMany;

/// The calls of one answer so far.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: Arguments,
}

#[derive(Debug)]
enum Arguments {
    Text(String),
    /// Sent as an object instead of its text.
    Whole(Value),
}

impl Default for Arguments {
    fn default() -> Self {
        Arguments::Text(String::new())
    }
}

impl Arguments {
    fn is_empty(&self) -> bool {
        matches!(self, Arguments::Text(text) if text.trim().is_empty())
    }

    fn is_whole(&self) -> bool {
        match self {
            Arguments::Text(text) => serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
            Arguments::Whole(_) => true,
        }
    }
}

impl Calls {
    /// Takes the pieces in a delta or a whole message: `tool_calls`, or the `function_call` of older servers.
    pub(super) fn add(&mut self, message: &mut Map<String, Value>) -> Result<(), TooMany> {
        if let Some(Value::Array(pieces)) = message.remove("tool_calls") {
            for mut piece in pieces {
                let id = text(piece.get("id"));
                let index = piece.get("index").and_then(Value::as_u64);
                let function = piece.get_mut("function").and_then(Value::as_object_mut);
                self.piece(index, id, function.map(std::mem::take).unwrap_or_default())?;
            }
        }
        match message.remove("function_call") {
            Some(Value::Object(function)) => self.piece(None, String::new(), function),
            _ => Ok(()),
        }
    }

    fn piece(&mut self, index: Option<u64>, id: String, mut function: Map<String, Value>) -> Result<(), TooMany> {
        let name = text(function.get("name"));
        let more = function.remove("arguments").filter(|more| !more.is_null());
        self.bytes += match &more {
            Some(Value::String(text)) => text.len(),
            Some(other) => other.to_string().len(),
            None => 0,
        };
        self.bytes += name.len() + id.len();
        if self.bytes > MAX_BYTES {
            return Err(TooMany);
        }
        let at = match self.place(index, &id, &name) {
            Some(at) => at,
            None if self.calls.len() == MAX_CALLS => return Err(TooMany),
            None => {
                self.calls.push(Call { index, ..Call::default() });
                self.calls.len() - 1
            }
        };
        let Some(call) = self.calls.get_mut(at) else { return Ok(()) };
        if !id.is_empty() {
            call.id = id;
        }
        if !name.is_empty() {
            call.name = name;
        }
        match (&mut call.arguments, more) {
            (_, None) => {}
            (Arguments::Text(text), Some(Value::String(more))) => text.push_str(&more),
            // Text after an object is a repetition.
            (Arguments::Whole(_), Some(Value::String(_))) => {}
            (_, Some(whole)) => call.arguments = Arguments::Whole(whole),
        }
        Ok(())
    }

    /// Which call a piece belongs to; `None`: a new one.
    fn place(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        if let Some(index) = index {
            let at = self.calls.iter().rposition(|call| call.index == Some(index))?;
            let call = self.calls.get(at)?;
            // Some servers give all calls the number 0. Another id and a name after a whole call mean another call.
            let other_id = !id.is_empty() && !call.id.is_empty() && call.id != id;
            let begins = other_id && !name.is_empty() && (call.arguments.is_empty() || call.arguments.is_whole());
            return (!begins).then_some(at);
        }
        if !id.is_empty() {
            return self.calls.iter().rposition(|call| call.id == id);
        }
        let call = self.calls.last()?;
        // The name may be said again with every piece of the same call.
        let repeated = call.name == name && !call.arguments.is_whole();
        (name.is_empty() || call.name.is_empty() || repeated).then(|| self.calls.len() - 1)
    }

    /// The whole calls in order, with ids of our own where they are missing or repeated. Pieces that never got a name
    /// are left out.
    pub(super) fn take(&mut self) -> Vec<ToolCall> {
        let calls = std::mem::take(&mut self.calls);
        let mut ids = CallIds::default();
        let named = calls.into_iter().filter(|call| !call.name.is_empty());
        named
            .map(|call| {
                let arguments = match call.arguments {
                    Arguments::Text(text) => arguments::read_text(text),
                    Arguments::Whole(value) => arguments::read(Some(value)),
                };
                ToolCall { id: ids.give(&call.id), name: call.name, arguments }
            })
            .collect()
    }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The calls out of one delta per item.
    fn assembled(deltas: Value) -> Vec<(String, String, Value)> {
        let mut calls = Calls::default();
        for delta in deltas.as_array().unwrap() {
            calls.add(json!({ "tool_calls": delta }).as_object_mut().unwrap()).unwrap();
        }
        calls.take().into_iter().map(|call| (call.id, call.name, call.arguments)).collect()
    }

    fn call(id: &str, name: &str, arguments: Value) -> (String, String, Value) {
        (id.into(), name.into(), arguments)
    }

    #[test]
    fn pieces() {
        let f = |name: &str, arguments: &str| json!({"name":name,"arguments":arguments});
        let args = |arguments: &str| json!({ "arguments": arguments });
        for (what, deltas, expected) in [
            (
                "by index, interleaved",
                json!([
                    [{"index":0,"id":"a","function":f("f", "")}, {"index":1,"id":"b","function":f("g", "{")}],
                    [{"index":1,"function":args("\"y\":2}")}, {"index":0,"function":args("{\"x\":1}")}]]),
                vec![call("a", "f", json!({"x":1})), call("b", "g", json!({"y":2}))],
            ),
            (
                "name and id in every piece are set, not appended",
                json!([
                    [{"index":0,"id":"a","function":f("f", "{\"x\"")}],
                    [{"index":0,"id":"a","function":f("f", ":1}")}],
                    [{"index":0,"id":"","function":f("", "")}]]),
                vec![call("a", "f", json!({"x":1}))],
            ),
            (
                "by id when the index is missing",
                json!([
                    [{"id":"a","function":f("f", "{")}],
                    [{"id":"b","function":f("f", "{\"y\":")}],
                    [{"id":"a","function":args("}")}],
                    [{"id":"b","function":args("2}")}]]),
                vec![call("a", "f", json!({})), call("b", "f", json!({"y":2}))],
            ),
            (
                "neither: appended to the last, a name opens a new one",
                json!([
                    [{"function":f("f", "")}],
                    [{"function":args("{\"x\":")}],
                    [{"function":args("1}")}],
                    [{"function":f("g", "{}")}],
                    [{"function":f("g", "{}")}]]),
                vec![
                    call("call_1", "f", json!({"x":1})),
                    call("call_2", "g", json!({})),
                    call("call_3", "g", json!({})),
                ],
            ),
            (
                "neither, the name repeated with every piece",
                json!([[{"function":f("f", "{\"x\":")}], [{"function":f("f", "1}")}]]),
                vec![call("call_1", "f", json!({"x":1}))],
            ),
            (
                "the same index for several whole calls",
                json!([
                    [{"index":0,"id":"a","function":f("f", "{\"x\":1}")}],
                    [{"index":0,"id":"b","function":f("f", "{\"x\":2}")}]]),
                vec![call("a", "f", json!({"x":1})), call("b", "f", json!({"x":2}))],
            ),
            (
                "a fresh id with every piece of one call",
                json!([
                    [{"index":0,"id":"a","function":f("f", "{\"x\":")}],
                    [{"index":0,"id":"b","function":f("f", "1}")}]]),
                vec![call("b", "f", json!({"x":1}))],
            ),
            (
                "arguments as an object, as nothing, as null",
                json!([
                    [{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}],
                    [{"index":1,"id":"b","function":{"name":"g"}}],
                    [{"index":2,"id":"c","function":{"name":"h","arguments":null}}]]),
                vec![call("a", "f", json!({"x":1})), call("b", "g", json!({})), call("c", "h", json!({}))],
            ),
            (
                "the same id twice, a call without a name, no function",
                json!([[
                    {"index":0,"id":"a","function":f("f", "{}")},
                    {"index":1,"id":"a","function":f("g", "{oops")},
                    {"index":2,"id":"c","function":args("{}")},
                    {"index":3,"id":"d"}, null]]),
                vec![call("a", "f", json!({})), call("call_2", "g", json!("{oops"))],
            ),
        ] {
            assert_eq!(assembled(deltas), expected, "{what}");
        }
    }

    #[test]
    fn the_call_of_older_servers() {
        let mut calls = Calls::default();
        for function in [json!({"name":"f","arguments":""}), json!({"arguments":"{\"x\":1}"})] {
            calls.add(json!({ "function_call": function }).as_object_mut().unwrap()).unwrap();
        }
        let expected = ToolCall { id: "call_1".into(), name: "f".into(), arguments: json!({"x":1}) };
        assert_eq!(calls.take(), [expected]);
    }

    #[test]
    fn limits() {
        let piece = |index: usize, arguments: &str| json!({"tool_calls":[{"index":index,"function":{"name":"f","arguments":arguments}}]});
        let mut calls = Calls::default();
        let half = "x".repeat(MAX_BYTES / 2 - 100);
        let mut add = |index, arguments: &str| calls.add(piece(index, arguments).as_object_mut().unwrap());
        assert_eq!((add(0, &half), add(0, &half), add(0, &half)), (Ok(()), Ok(()), Err(TooMany)));
        let mut calls = Calls::default();
        let results: Vec<_> = (0..=MAX_CALLS).map(|n| calls.add(piece(n, "{}").as_object_mut().unwrap())).collect();
        assert_eq!(results.iter().position(Result::is_err), Some(MAX_CALLS));
    }
}
