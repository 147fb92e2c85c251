//! Reads the arguments a model wrote for a tool call (providers.md §5.4).
//!
//! Models forget to escape line breaks and write stray backslashes; both are mended, nothing else is. What still is no
//! object is kept as text: the tool must not run, and the model is told. Not here: checking against the tool's schema.

use serde_json::{Map, Value};

/// The arguments as an object, or as a string holding the model's text if it is none (see
/// [`ToolCall::arguments`](super::ToolCall::arguments)). Nothing, `null` and blank text mean no arguments.
pub fn read(value: Option<Value>) -> Value {
    match value {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(Value::Object(fields)) => Value::Object(fields),
        Some(Value::String(text)) => read_text(text),
        Some(other) => Value::String(other.to_string()),
    }
}

/// The same for arguments that came as JSON text.
pub fn read_text(text: String) -> Value {
    if text.trim().is_empty() {
        return Value::Object(Map::new());
    }
    let parsed = serde_json::from_str::<Value>(&text).or_else(|_| serde_json::from_str(&mend(&text)));
    match parsed {
        Ok(Value::Null) => Value::Object(Map::new()),
        Ok(Value::Object(fields)) => Value::Object(fields),
        _ => Value::String(text),
    }
}

/// `json` with raw control characters inside strings escaped, and backslashes doubled that start no escape.
fn mend(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 16);
    let mut in_string = false;
    let mut signs = json.chars().peekable();
    while let Some(c) = signs.next() {
        match c {
            '"' => in_string = !in_string,
            '\\' if in_string => match signs.peek() {
                Some(&next) if "\"\\/bfnrtu".contains(next) => {
                    out.push(c);
                    out.push(next);
                    signs.next();
                    continue;
                }
                _ => out.push('\\'),
            },
            c if in_string && c < ' ' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn table() {
        for (text, expected) in [
            ("", json!({})),
            (" \n", json!({})),
            ("null", json!({})),
            (r#"{"a":1}"#, json!({"a":1})),
            ("{\"a\":\"two\nlines\tand a tab\"}", json!({"a":"two\nlines\tand a tab"})),
            (r#"{"path":"C:\dir\x","re":"\d+\\w \"q\" \u0041"}"#, json!({"path":"C:\\dir\\x","re":"\\d+\\w \"q\" A"})),
            ("{\n \"a\": \"b\nc\"}", json!({"a":"b\nc"})),
            ("[1]", json!("[1]")),
            ("\"text\"", json!("\"text\"")),
            (r#"{"a": oops"#, json!(r#"{"a": oops"#)),
            (r#"{"a":1}{"b":2}"#, json!(r#"{"a":1}{"b":2}"#)),
        ] {
            assert_eq!(read_text(text.to_owned()), expected, "{text}");
        }
        assert_eq!(read(None), json!({}));
        assert_eq!(read(Some(json!({"a":1}))), json!({"a":1}));
        assert_eq!(read(Some(json!([1]))), json!("[1]"));
    }

    proptest! {
        #[test]
        fn sound_json_is_read_as_it_is(key in ".*", value in ".*") {
            let object = json!({ key: value });
            prop_assert_eq!(read_text(object.to_string()), object);
        }

        #[test]
        fn a_raw_string_is_mended(value in "[^\"\\\\]*") {
            prop_assert_eq!(read_text(format!("{{\"a\":\"{value}\"}}")), json!({ "a": value }));
        }

        #[test]
        fn any_text_gives_an_object_or_itself(text in ".*") {
            let value = read_text(text.clone());
            prop_assert!(value.is_object() || value == Value::String(text));
        }
    }
}
