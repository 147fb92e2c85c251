//! Sorts the errors of OpenAI-style servers (providers.md §5.2, §0.13, §0.14): by status, then by text, because 400 and
//! 429 mean many things.
//!
//! Not here: `Empty`, which only shows when an answer has ended (see [`Accumulator`](crate::llm::Accumulator)).

use serde_json::{Map, Value};

use crate::llm::error::{contains_any, is_overflow, message_in, message_of, retry_after_ms};
use crate::llm::{ErrorClass, Feature, ModelError, parse};

// All texts below are lower case.

/// A used-up allowance or an empty account.
const QUOTA: &[&str] = &[
    "insufficient_quota",
    "exceeded your current quota",
    "usage limit",
    "billing_hard_limit_reached",
    "insufficient balance",
    "insufficient credits",
    "requires more credits",
    "out of credits",
    "used all available credits",
    "spending limit",
    "credit balance is too low",
];

/// Too fast, when the status does not say so.
const RATE: &[&str] = &["rate limit", "rate_limit", "rate-limit", "too many requests"];

/// A model outside what the account may use.
const PLAN: &[&str] = &[
    "does not have access to model",
    "must be verified",
    "requires a subscription",
    "upgrade for access",
    "model_not_available_for_plan",
];

/// A refused key under a status that is not 401.
const AUTH: &[&str] = &[
    "invalid_api_key",
    "incorrect api key",
    "invalid api key",
    "api key not valid",
    "api_key_invalid",
    "unauthorized",
];

/// A model that is not there under a status that is not 404.
const RETIRED: &[&str] = &[
    "model_not_found",
    "model not exist",
    "model does not exist",
    "is not a valid model",
    "model not found",
    "unknown model",
];

/// Withheld for what was asked or answered.
const CONTENT: &[&str] = &[
    "content_policy",
    "content_filter",
    "content management policy",
    "usage polic",
    "flagged",
    "data_inspection_failed",
    "responsibleaipolicyviolation",
];

/// The model wrote a call the server could not read (Groq): another try may do better.
const BROKEN_CALL: &[&str] = &["tool_use_failed", "failed_generation"];

/// The error behind an answer with a status other than 2xx, or with 2xx and a body that is no answer. `retry_after` is
/// that header's value.
pub fn classify(status: u16, retry_after: Option<&str>, body: &[u8]) -> ModelError {
    let mut error = match parse::json(body) {
        Some(value) => sort_value(Some(status), &value).unwrap_or_else(|| sort(Some(status), &message_of(body), "")),
        None => sort(Some(status), &message_of(body), ""),
    };
    error.status = Some(status);
    error.retry_after_ms = retry_after_ms(retry_after);
    error
}

/// The error an object of a stream or a whole answer reports, whatever else it holds: `error` at the top or in its
/// choice, or an object that calls itself one (vLLM, Mistral).
pub(super) fn in_object(fields: &Map<String, Value>) -> Option<ModelError> {
    let present = |error: &&Value| !matches!(error, Value::Null | Value::Bool(false)) && error.as_str() != Some("");
    let in_choice = || fields.get("choices")?.get(0)?.get("error");
    let mut only = Map::new();
    if let Some(error) = fields.get("error").filter(present).or_else(|| in_choice().filter(present)) {
        only.insert("error".to_owned(), error.clone());
    } else if fields.get("object").and_then(Value::as_str) == Some("error") {
        only.insert("error".to_owned(), Value::Object(fields.clone()));
    } else {
        return None;
    }
    let unread = || ModelError::transient("an error without text");
    Some(sort_value(None, &Value::Object(only)).unwrap_or_else(unread))
}

/// The error in a parsed body, if the body has the shape of one. The status in it counts when the answer's own says
/// nothing: OpenRouter reports another server's 429 under 200.
fn sort_value(status: Option<u16>, value: &Value) -> Option<ModelError> {
    let mut message = message_in(value)?;
    let outer = if let Value::Array(items) = value { items.first()? } else { value };
    let inner = outer.get("error").filter(|error| error.is_object()).unwrap_or(outer);
    if let Some(Value::String(raw)) = inner.get("metadata").and_then(|metadata| metadata.get("raw")) {
        message = format!("{message} | {raw}");
    }
    let param = inner.get("param").and_then(Value::as_str).unwrap_or_default();
    let own = ["code", "status", "status_code"].iter().find_map(|name| code(inner.get(*name)?));
    let status = status.filter(|status| !(200..300).contains(status)).or(own);
    Some(sort(status, &message, param))
}

/// A code that is an HTTP status, as a number or its text.
fn code(value: &Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|code| (400..600).contains(code))
}

fn sort(status: Option<u16>, message: &str, param: &str) -> ModelError {
    let text = message.to_ascii_lowercase();
    let has = |words| contains_any(&text, words);
    let feature = refused_feature(&text, &param.to_ascii_lowercase());
    let class = match status {
        Some(401) => ErrorClass::Auth,
        // Credits belong to the account, not to the model.
        Some(402) => ErrorClass::Quota,
        Some(403) if has(CONTENT) || has(&["moderation"]) => ErrorClass::Content,
        Some(403) if has(QUOTA) => ErrorClass::Quota,
        Some(403) if has(PLAN) || has(RETIRED) => ErrorClass::Plan,
        // Blocked on the way or from this region: only the owner can mend it.
        Some(403) => ErrorClass::Auth,
        // OpenRouter: no server behind this model takes what was sent.
        Some(404) if feature.is_some() => ErrorClass::BadRequest,
        Some(404 | 410) => ErrorClass::Retired,
        // One request over the limit per minute never gets through, however long one waits.
        Some(429) if has(&["request too large"]) => ErrorClass::Overflow,
        Some(429) if has(QUOTA) && !has(&["per minute", "perminute"]) => ErrorClass::Quota,
        Some(429) => ErrorClass::Rate,
        Some(413) => ErrorClass::Overflow,
        _ if is_overflow(message) => ErrorClass::Overflow,
        _ if has(BROKEN_CALL) => ErrorClass::Transient,
        Some(400..=499) | None if has(AUTH) => ErrorClass::Auth,
        Some(400..=499) | None if has(QUOTA) => ErrorClass::Quota,
        Some(400..=499) | None if has(PLAN) => ErrorClass::Plan,
        Some(400..=499) | None if has(RETIRED) => ErrorClass::Retired,
        Some(400..=499) | None if has(CONTENT) => ErrorClass::Content,
        // llama.cpp says with 500 that it was started without tools or pictures.
        Some(400 | 422 | 500 | 501) | None if feature.is_some() => ErrorClass::BadRequest,
        None if has(RATE) => ErrorClass::Rate,
        Some(408 | 409 | 425 | 500..) | None => ErrorClass::Transient,
        Some(300..=499) => ErrorClass::BadRequest,
        // A 2xx body that is no answer.
        Some(_) => ErrorClass::Transient,
    };
    let detail = if message.is_empty() { "no text" } else { message };
    let feature = feature.filter(|_| class == ErrorClass::BadRequest);
    ModelError { status: None, feature, ..ModelError::new(class, detail) }
}

/// Phrases by which servers refuse a part of a request.
const REFUSALS: &[&str] = &[
    "not support",
    "n't support",
    "endpoints found that support",
    "unsupported",
    "not enabled",
    "only supported by",
    "not permitted",
    "not allowed",
    "unrecognized",
    "unknown",
    "invalid content type",
    "invalid value",
    "extra inputs",
    "requires --",
];

/// The part of the request that the text complains about. `text` and `param` are lower case.
fn refused_feature(text: &str, param: &str) -> Option<Feature> {
    // Names that occur in no other complaint, with or without a phrase of refusal.
    for (name, feature) in [
        ("stream_options", Feature::StreamUsage),
        ("include_usage", Feature::StreamUsage),
        ("reasoning_effort", Feature::Thinking),
        ("reasoning.effort", Feature::Thinking),
        // A model of text alone, and a message of parts.
        ("content must be a string", Feature::Media),
    ] {
        if text.contains(name) || param == name {
            return Some(feature);
        }
    }
    let at = REFUSALS.iter().find_map(|refusal| text.find(refusal))?;
    let (before, after) = text.split_at(at);
    // A model's name stands before the phrase and may itself hold "thinking" or "vision".
    named_feature(after).or_else(|| named_feature(param)).or_else(|| named_feature(before))
}

fn named_feature(text: &str) -> Option<Feature> {
    if contains_any(text, &["image", "vision", "audio", "multimodal", "'file'", "pdf"]) {
        Some(Feature::Media)
    } else if contains_any(text, &["tool", "function call"]) {
        Some(Feature::Tools)
    } else if contains_any(text, &["reasoning", "thinking"]) {
        Some(Feature::Thinking)
    } else {
        None
    }
}
