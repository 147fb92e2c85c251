//! Sorts Ollama's errors (providers.md §1.4): by status, then by text, because 429 and 403 mean different things.
//!
//! Not here: `Empty`, which only shows when an answer has ended (see [`Accumulator`](crate::llm::Accumulator)).

use serde_json::{Map, Value};

use crate::llm::error::{contains_any, is_overflow, message_in, message_of, retry_after_ms};
use crate::llm::{ErrorClass, Feature, ModelError, RelayTrouble, parse};

/// Texts of a used-up allowance, lower case. They come with 429, and with 402 from the desktop program.
const QUOTA: &[&str] = &[
    "usage limit",
    "upgrade for higher limits",
    "insufficient_quota",
    "exceeded your current quota",
    "out of credits",
];

/// Texts of a model outside the plan, lower case.
const PLAN: &[&str] = &["requires a subscription", "upgrade for access", "team plan", "extra usage"];

/// The error behind an answer with a status other than 2xx. `retry_after` is that header's value.
pub fn classify(status: u16, retry_after: Option<&str>, body: &[u8]) -> ModelError {
    let message = message_of(body);
    if let Some(trouble) = relay_trouble(body) {
        return ModelError { status: Some(status), ..ModelError::of_relay(trouble, &message) };
    }
    let mut error = sort(Some(status), &message);
    error.retry_after_ms = retry_after_ms(retry_after);
    error
}

/// What the hub says of a call that no Ollama answered: `{"error":"…","relay":"busy"}`.
fn relay_trouble(body: &[u8]) -> Option<RelayTrouble> {
    serde_json::from_value(parse::json(body)?.get("relay")?.clone()).ok()
}

/// The error a line of a stream reports, if it reports one.
pub(super) fn in_stream(fields: &Map<String, Value>) -> Option<ModelError> {
    let error = fields.get("error").filter(|error| !error.is_null() && error.as_str() != Some(""))?;
    let mut only = Map::new();
    only.insert("error".to_owned(), error.clone());
    let message = message_in(&Value::Object(only)).unwrap_or_default();
    // The cloud's own status, when the daemon passes it on.
    let status = ["status", "StatusCode", "status_code"].iter().find_map(|name| fields.get(*name)?.as_u64());
    let mut error = sort(status.and_then(|status| u16::try_from(status).ok()), &message);
    error.status = None;
    Some(error)
}

fn sort(status: Option<u16>, message: &str) -> ModelError {
    let text = message.to_ascii_lowercase();
    let feature = refused_feature(&text);
    let class = match status {
        Some(401) => ErrorClass::Auth,
        Some(402) => ErrorClass::Quota,
        Some(403) if contains_any(&text, PLAN) => ErrorClass::Plan,
        Some(403) if contains_any(&text, QUOTA) => ErrorClass::Quota,
        // Blocked on the way, or a daemon that does not accept the origin: only the owner can mend it.
        Some(403) => ErrorClass::Auth,
        Some(404 | 410) => ErrorClass::Retired,
        Some(429) if contains_any(&text, QUOTA) => ErrorClass::Quota,
        Some(429) => ErrorClass::Rate,
        Some(413) => ErrorClass::Overflow,
        // Older runners report an overflow as 500.
        _ if is_overflow(message) => ErrorClass::Overflow,
        Some(408 | 409 | 425 | 500..=599) => ErrorClass::Transient,
        Some(300..=499) => ErrorClass::BadRequest,
        // Inside a stream there is only the text.
        _ if contains_any(&text, QUOTA) => ErrorClass::Quota,
        _ if contains_any(&text, PLAN) => ErrorClass::Plan,
        _ if text == "unauthorized" => ErrorClass::Auth,
        _ if feature.is_some() => ErrorClass::BadRequest,
        _ => ErrorClass::Transient,
    };
    let detail = if message.is_empty() { "no text" } else { message };
    let feature = feature.filter(|_| class == ErrorClass::BadRequest);
    ModelError { status, feature, ..ModelError::new(class, detail) }
}

/// The part of the request that the text (lower case) complains about. What follows "not support" decides first: the
/// model's name stands before it and may itself hold "thinking" or "vision".
fn refused_feature(text: &str) -> Option<Feature> {
    let (before, after) = ["not support", "unsupported", "invalid think", "missing data required"]
        .iter()
        .find_map(|refusal| text.find(refusal).map(|at| text.split_at(at)))?;
    named_feature(after).or_else(|| named_feature(before))
}

fn named_feature(text: &str) -> Option<Feature> {
    if text.contains("think") {
        Some(Feature::Thinking)
    } else if text.contains("tool") {
        Some(Feature::Tools)
    } else if contains_any(text, &["image", "vision", "audio", "multimodal"]) {
        Some(Feature::Media)
    } else {
        None
    }
}
