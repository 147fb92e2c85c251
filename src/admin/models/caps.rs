//! The editor of caps: the budget part of the configuration document, saved as a version like any other change.

use serde_json::{Map, Value, json};

use crate::admin::port::{Office, read};
use crate::admin::request::Request;
use crate::directory::desk::{ConfigAsk, ConfigView, DeskAsk, Refused};

const FIELDS: [&str; 3] = ["day_usd", "month_usd", "person_day_usd"];

/// Saves the fields given, unless another version than `base` is live meanwhile. Blank or `null`: the environment holds.
/// What is not given stays.
pub async fn save<O: Office>(office: &O, request: &Request) -> Result<String, Refused> {
    let base = request.need_int("base")?;
    let live: ConfigView = read(&office.directory(&DeskAsk::Config(ConfigAsk::Live)).await?)?;
    if live.version != base {
        return Err(Refused::conflict("The configuration was changed meanwhile. Look at it and try again."));
    }
    let mut document = live.document;
    let Some(fields) = document.as_object_mut() else {
        return Err(Refused::conflict("This release cannot read the live configuration."));
    };
    let mut budget: Map<String, Value> = fields.get("budget").and_then(Value::as_object).cloned().unwrap_or_default();
    for name in FIELDS {
        let Some(given) = request.fields.get(name) else { continue };
        match amount(name, given)? {
            Some(amount) => budget.insert(name.to_owned(), amount),
            None => budget.remove(name),
        };
    }
    match budget.is_empty() {
        true => fields.remove("budget"),
        false => fields.insert("budget".to_owned(), Value::Object(budget)),
    };
    let save = ConfigAsk::Save { base, document: document.to_string(), note: "caps".to_owned() };
    office.directory(&DeskAsk::Config(save)).await
}

/// A number, as JSON or as a form writes it. Whether it is a sane one says the document's own check.
fn amount(name: &str, given: &Value) -> Result<Option<Value>, Refused> {
    let wrong = || Refused::bad_input(&format!("The field `{name}` must be an amount such as 0.5, or null."));
    match given {
        Value::Null => Ok(None),
        Value::Number(_) => Ok(Some(given.clone())),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(amount) if amount.is_finite() => Ok(Some(json!(amount))),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}
