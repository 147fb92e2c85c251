//! Mends a history before it goes out, so that every provider takes it (providers.md §5.4).
//!
//! A crash can leave a call without its result, a cut history a result without its call; both are refused with 400 or,
//! by Ollama, 502 (§1.4). Providers repeat ids; only unique ones may go back. Not here: choosing what to send
//! (compaction is the caller's), nor provider rules such as Gemini's signatures.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Message, Part, PartKind, Role, ToolCall, ToolResult};

/// What the model is told about a call whose result was never recorded.
pub const INTERRUPTED: &str = "interrupted: the result of this call was not recorded";

/// Longest call id sent (providers.md §5.4).
const MAX_ID: usize = 64;

/// `messages` with unique, well-formed call ids; exactly one result for each call, in the order of the calls, in one
/// message right after them; results without a call and messages without parts left out.
///
/// Adding messages at the end does not change what came out for those before (unless their last calls were still open),
/// so prompt caches stay warm.
pub fn tidy(messages: &[Message]) -> Vec<Message> {
    let mut out = Vec::with_capacity(messages.len());
    let mut taken = HashSet::new();
    let mut open: Vec<Open> = Vec::new();
    for message in messages {
        if message.role == Role::Tool {
            let mut extra = Vec::new();
            for part in &message.parts {
                match &part.kind {
                    PartKind::ToolResult(result) => answer(&mut open, result),
                    _ => extra.push(part.clone()),
                }
            }
            if let Some(last) = open.iter_mut().rev().find(|call| call.result.is_some()) {
                last.extra.extend(extra);
            }
            continue;
        }
        close(&mut open, &mut out);
        let mut parts = message.parts.clone();
        for part in &mut parts {
            if let PartKind::ToolCall(call) = &mut part.kind {
                let id = unique(&call.id, &mut taken);
                let stored_id = std::mem::replace(&mut call.id, id);
                open.push(Open::new(stored_id, call));
            }
        }
        parts.retain(|part| part.meta.is_some() || !matches!(&part.kind, PartKind::Text(text) if text.is_empty()));
        if !parts.is_empty() {
            out.push(Message { role: message.role, parts });
        }
    }
    close(&mut open, &mut out);
    out
}

/// A call that waits for its result.
struct Open {
    stored_id: String,
    id: String,
    name: String,
    result: Option<ToolResult>,
    /// Media and text that came in the same message, after this result.
    extra: Vec<Part>,
}

impl Open {
    fn new(stored_id: String, call: &ToolCall) -> Self {
        Open { stored_id, id: call.id.clone(), name: call.name.clone(), result: None, extra: Vec::new() }
    }
}

/// Gives `result` to the first open call of its id.
fn answer(open: &mut [Open], result: &ToolResult) {
    if let Some(call) = open.iter_mut().find(|call| call.result.is_none() && call.stored_id == result.call_id) {
        call.result = Some(ToolResult { call_id: call.id.clone(), ..result.clone() });
    }
}

/// Writes the results of all open calls as one message.
fn close(open: &mut Vec<Open>, out: &mut Vec<Message>) {
    if open.is_empty() {
        return;
    }
    let mut parts = Vec::new();
    let mut extras = Vec::new();
    for call in open.drain(..) {
        let result = call.result.unwrap_or_else(|| ToolResult {
            call_id: call.id,
            name: call.name,
            content: INTERRUPTED.to_owned(),
            is_error: true,
        });
        parts.push(PartKind::ToolResult(result).into());
        extras.extend(call.extra);
    }
    parts.extend(extras);
    out.push(Message { role: Role::Tool, parts });
}

/// `id` itself if it is well-formed and new, else the first free `call_<n>`.
fn unique(id: &str, taken: &mut HashSet<String>) -> String {
    let well_formed =
        !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if well_formed && taken.insert(id.to_owned()) {
        return id.to_owned();
    }
    let mut n = taken.len();
    loop {
        n += 1;
        let own = format!("call_{n}");
        if taken.insert(own.clone()) {
            return own;
        }
    }
}

/// Text without NUL, which breaks C string handling behind some servers (providers.md §5.4).
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "").into() } else { text.into() }
}

/// Appends `more` after `between`, which is left out where either side is empty.
pub(super) fn append<'a>(text: &mut Cow<'a, str>, more: Cow<'a, str>, between: &str) {
    if text.is_empty() {
        *text = more;
    } else if !more.is_empty() {
        let text = text.to_mut();
        text.push_str(between);
        text.push_str(&more);
    }
}

/// A tool's answer for a wire that has no mark for a failed call: the model reads it in the text.
pub(super) fn result_text(result: &ToolResult) -> Cow<'_, str> {
    let content = clean(&result.content);
    if result.is_error { format!("Error: {content}").into() } else { content }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::llm::MediaRef;
    use serde_json::json;

    fn calls(ids: &[&str]) -> Message {
        let call = |id: &&str| ToolCall { id: (*id).into(), name: format!("f{id}"), arguments: json!({}) };
        let parts = ids.iter().map(|id| PartKind::ToolCall(call(id)).into()).collect();
        Message { role: Role::Assistant, parts }
    }

    fn result(id: &str, content: &str) -> ToolResult {
        ToolResult { call_id: id.into(), name: format!("f{id}"), content: content.into(), is_error: false }
    }

    fn ids(messages: &[Message]) -> Vec<String> {
        let id = |part: &Part| match &part.kind {
            PartKind::ToolCall(call) => Some(call.id.clone()),
            PartKind::ToolResult(result) => Some(format!("{}={}", result.call_id, result.content)),
            _ => None,
        };
        messages.iter().flat_map(|m| m.parts.iter().filter_map(id)).collect()
    }

    #[test]
    fn a_sound_history_is_left_alone() {
        let history = [
            Message::user("hi"),
            calls(&["a", "b"]),
            Message::tool([result("a", "1"), result("b", "2")]),
            Message::assistant("done"),
        ];
        assert_eq!(tidy(&history), history);
        assert_eq!(tidy(&[]), []);
    }

    #[test]
    fn results_are_gathered_in_the_order_of_calls() {
        let tidied = tidy(&[calls(&["a", "b"]), Message::tool([result("b", "2")]), Message::tool([result("a", "1")])]);
        assert_eq!(tidied.len(), 2);
        assert_eq!(ids(&tidied), ["a", "b", "a=1", "b=2"]);
    }

    #[test]
    fn repeated_and_odd_ids_become_unique() {
        let long = "x".repeat(65);
        let history = [
            calls(&["call_1", "call_1"]),
            Message::tool([result("call_1", "1"), result("call_1", "2")]),
            calls(&["call_1", "", &long, "a b"]),
            Message::tool([result("call_1", "3"), result("", "4"), result(&long, "5"), result("a b", "6")]),
        ];
        let tidied = tidy(&history);
        assert_eq!(
            ids(&tidied),
            [
                "call_1", "call_2", "call_1=1", "call_2=2", "call_3", "call_4", "call_5", "call_6", "call_3=3",
                "call_4=4", "call_5=5", "call_6=6"
            ]
        );
        assert_eq!(tidy(&tidied), tidied);
        assert_eq!(tidy(&history[..2]), tidied[..2]);
    }

    #[test]
    fn orphans_go_and_gaps_are_filled() {
        let tidied = tidy(&[
            Message::tool([result("x", "orphan")]),
            calls(&["a"]),
            Message::user("stop that"),
            Message::tool([result("a", "late")]),
            Message::assistant(""),
            calls(&["b"]),
        ]);
        let filled =
            |id: &str| Message::tool([ToolResult { content: INTERRUPTED.into(), is_error: true, ..result(id, "") }]);
        assert_eq!(tidied, [calls(&["a"]), filled("a"), Message::user("stop that"), calls(&["b"]), filled("b")]);
    }

    #[test]
    fn media_of_a_tool_stays_with_it() {
        let image = Part::media(MediaRef { key: "k".into(), mime: "image/png".into(), size: 1 });
        let mut answered = Message::tool([result("a", "see")]);
        answered.parts.push(image.clone());
        assert_eq!(tidy(&[calls(&["a"]), answered.clone()]), [calls(&["a"]), answered]);
        assert_eq!(tidy(&[Message { role: Role::Tool, parts: vec![image] }]), []);
    }
}
