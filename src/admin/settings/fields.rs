//! The friendly form: the most common places of the document as fields, laid over the document they were shown with.
//!
//! What a field holds goes into the document as it was typed if it does not read: the check then names it by its path.
//! Not here: what is allowed in each (`directory::config::schema`).

use serde_json::{Map, Number, Value};

use crate::admin::request::Request;
use crate::directory::config::diff;
use crate::directory::config::schema::field_at;
use crate::directory::config::shape::Shape;

/// The places that have a field, in the order of the page. A field's name is its path.
pub const COMMON: [&str; 8] = [
    "models.default",
    "models.fallbacks",
    "budget.day_usd",
    "budget.month_usd",
    "budget.person_day_usd",
    "access.private",
    "replies.streaming",
    "replies.deadlines",
];

/// `document` with what the form says; a blank field leaves its place to the environment. What is no JSON object stays as
/// it is.
pub fn laid_over(document: &str, request: &Request) -> String {
    let Ok(Value::Object(mut root)) = serde_json::from_str::<Value>(document) else { return document.to_owned() };
    for path in COMMON {
        let (Some((section, name)), Some(field)) = (path.split_once('.'), field_at(path)) else { continue };
        if !request.fields.contains_key(path) {
            continue;
        }
        let around = root.entry(section).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(around) = around else { continue };
        match request.text(path) {
            Some(text) => drop(around.insert(name.to_owned(), value(field.shape, text))),
            None => drop(around.remove(name)),
        }
        if around.is_empty() {
            root.remove(section);
        }
    }
    pretty(&Value::Object(root))
}

/// What stands in a field of the form.
pub fn text_of(document: &Value, path: &str) -> String {
    let place = path.split('.').try_fold(document, |value, name| value.get(name));
    match place {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(entries)) => entries.iter().map(plain).collect::<Vec<_>>().join(", "),
        Some(other) => plain(other),
    }
}

/// As the page shows a document: by the line.
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => diff::plain(number),
        other => other.to_string(),
    }
}

fn value(shape: &Shape, text: &str) -> Value {
    match shape {
        Shape::List { .. } => {
            let entries = text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
            Value::Array(entries.map(|entry| Value::String(entry.to_owned())).collect())
        }
        Shape::Number { .. } => {
            // Half of the world writes 1,5.
            let number = text.replace(',', ".").parse::<f64>().ok().and_then(Number::from_f64);
            number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
        }
        _ => Value::String(text.to_owned()),
    }
}
