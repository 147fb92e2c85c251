//! OpenRouter's `reasoning_details`: signed or sealed reasoning that must go back to the same model untouched
//! (providers.md §3.1.5, §3.2).
//!
//! They come in pieces beside `reasoning`, which says the same in plain text; so they are stored, never shown.

use serde_json::{Map, Value, json};

/// Most kept of one answer, bytes of JSON. A stored message is one row of at most 2 MB. Beyond it nothing is kept: a
/// part of them would be refused.
const MAX_DETAILS: usize = 512 * 1024;

const FIELD: &str = "reasoning_details";

/// The details of one answer so far.
#[derive(Debug, Default)]
pub(super) struct Details {
    entries: Vec<Value>,
    bytes: usize,
}

impl Details {
    /// Adds the entries of a delta or of a whole message.
    pub(super) fn add(&mut self, message: &mut Map<String, Value>) {
        let Some(Value::Array(pieces)) = message.remove(FIELD) else { return };
        for piece in pieces {
            self.bytes = self.bytes.saturating_add(piece.to_string().len());
            if self.bytes > MAX_DETAILS {
                self.entries = Vec::new();
                continue;
            }
            match self.entries.last_mut() {
                Some(last) if continues(last, &piece) => extend(last, piece),
                _ => self.entries.push(piece),
            }
        }
    }

    /// What to store with the answer; `None` if there were none.
    pub(super) fn take(&mut self) -> Option<Value> {
        let entries = std::mem::take(&mut self.entries);
        (!entries.is_empty()).then(|| json!({ FIELD: entries }))
    }
}

/// The entries inside stored raw data; none if it is another provider's.
pub(super) fn of(raw: &Value) -> impl Iterator<Item = &Value> {
    raw.get(FIELD).and_then(Value::as_array).into_iter().flatten()
}

/// Whether `piece` is more of the readable entry `last`. Sealed entries come whole.
fn continues(last: &Value, piece: &Value) -> bool {
    let same = |name| last.get(name) == piece.get(name);
    matches!(piece.get("type").and_then(Value::as_str), Some("reasoning.text" | "reasoning.summary"))
        && same("type")
        && same("index")
}

/// Appends the text; of other fields the last that says something counts (a signature comes at the end).
fn extend(last: &mut Value, piece: Value) {
    let (Value::Object(last), Value::Object(piece)) = (last, piece) else { return };
    for (name, more) in piece {
        match (last.get_mut(&name), more) {
            (Some(Value::String(text)), Value::String(more)) if name == "text" || name == "summary" => {
                text.push_str(&more);
            }
            (Some(_), Value::Null) => {}
            (_, more) => {
                last.insert(name, more);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn add(details: &mut Details, entries: Value) {
        details.add(json!({ FIELD: entries }).as_object_mut().unwrap());
    }

    #[test]
    fn pieces_become_whole() {
        let mut details = Details::default();
        add(&mut details, json!([{"type":"reasoning.text","text":"Two ","index":0,"format":"x","signature":null}]));
        add(&mut details, json!([{"type":"reasoning.text","text":"cities.","index":0,"signature":null}]));
        add(&mut details, json!([{"type":"reasoning.text","signature":"c2ln","index":0}]));
        add(
            &mut details,
            json!([{"type":"reasoning.text","text":"New","index":1}, {"type":"reasoning.encrypted","data":"QQ==","index":1}]),
        );
        add(&mut details, json!([{"type":"reasoning.encrypted","data":"Qg==","index":1}]));
        let raw = details.take().unwrap();
        assert_eq!(
            raw,
            json!({"reasoning_details":[
                {"type":"reasoning.text","text":"Two cities.","index":0,"format":"x","signature":"c2ln"},
                {"type":"reasoning.text","text":"New","index":1},
                {"type":"reasoning.encrypted","data":"QQ==","index":1},
                {"type":"reasoning.encrypted","data":"Qg==","index":1}]})
        );
        assert_eq!(of(&raw).count(), 4);
        assert_eq!(details.take(), None);
        assert_eq!(of(&json!({"thoughtSignature":"x"})).count(), 0);
    }

    #[test]
    fn too_many_are_not_kept_in_part() {
        let mut details = Details::default();
        let big = "x".repeat(MAX_DETAILS / 4);
        for n in 0..8 {
            add(&mut details, json!([{"type":"reasoning.encrypted","data":big,"index":n}]));
        }
        assert_eq!(details.take(), None);
    }
}
