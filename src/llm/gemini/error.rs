//! Sorts Gemini's errors (providers.md §2.5): by status, then by the whole text.
//!
//! What tells cases apart (`quotaId`, `retryDelay`, `reason`) sits in typed `details`, but a body may be cut, wrapped in
//! an array (§0.14) or quoted inside a gateway's own error. These words occur nowhere else, so they are looked for in
//! the text rather than at their place. Not here: finish reasons (see `stream`).

use serde_json::Value;

use crate::llm::error::{contains_any, is_overflow, message_in, message_of, retry_after_ms};
use crate::llm::{ErrorClass, Feature, ModelError, Reset, Scope, parse};

/// Texts of a key nobody can use, lower case. They come with status 400.
const KEY: &[&str] = &["api_key_invalid", "api key not valid", "api key expired", "api key not found"];

/// A country Google does not serve; a Worker may leave from one. Only the owner can mend it: a gateway or a placement
/// hint.
const LOCATION: &str = "user location is not supported";

/// Texts of an account without money, lower case. The usual quota text says "billing details" too.
const MONEY: &[&str] = &["credits are depleted", "prepayment credits", "spending cap", "spend cap", "spending limit"];

/// Texts about signatures, lower case: missing ones, and such of another model, key or route (§2.3).
const SIGNATURES: &[&str] = &["thought_signature", "thought signature", "thoughtsignature"];

/// The error behind an answer with a status other than 2xx. `retry_after` is that header's value.
pub fn classify(status: u16, retry_after: Option<&str>, body: &[u8]) -> ModelError {
    let value = parse::json(body).unwrap_or_default();
    let code = if (200..300).contains(&status) { code_of(&value) } else { Some(status) };
    let mut error = sort(code, &message_of(body), &String::from_utf8_lossy(body));
    error.status = Some(status);
    if matches!(error.class, ErrorClass::Rate | ErrorClass::Transient) {
        error.retry_after_ms = error.retry_after_ms.or(retry_after_ms(retry_after));
    }
    error
}

/// The error an event of a stream reports, if it reports one.
pub(super) fn in_stream(event: &Value) -> Option<ModelError> {
    event.get("error").filter(|error| !error.is_null())?;
    let message = message_in(event).unwrap_or_default();
    Some(sort(code_of(event), &message, &event.to_string()))
}

/// A request refused for its signatures. The caller sends it once more without any of the model's raw data: then every
/// call carries the placeholder instead (§2.3.6).
pub(super) fn bad_signatures(detail: &str) -> ModelError {
    ModelError { feature: Some(Feature::Signatures), ..ModelError::new(ErrorClass::BadRequest, detail) }
}

/// The HTTP status inside an error body, by number or by Google's word for it.
fn code_of(body: &Value) -> Option<u16> {
    let error = body.get(0).unwrap_or(body).get("error")?;
    let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    code.or_else(|| match error.get("status")?.as_str()? {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" => Some(400),
        "UNAUTHENTICATED" => Some(401),
        "PERMISSION_DENIED" => Some(403),
        "NOT_FOUND" => Some(404),
        "RESOURCE_EXHAUSTED" => Some(429),
        _ => None,
    })
}

/// `body` is the whole text of the error, `message` what of it is for people.
fn sort(status: Option<u16>, message: &str, body: &str) -> ModelError {
    let text = body.to_ascii_lowercase();
    let detail = if message.is_empty() { "no text" } else { message };
    let error = |class| ModelError { status: None, ..ModelError::new(class, detail) };
    match status {
        _ if contains_any(&text, KEY) || text.contains(LOCATION) => error(ErrorClass::Auth),
        Some(401 | 403) => error(ErrorClass::Auth),
        Some(402) => error(ErrorClass::Quota),
        Some(404 | 410) => error(ErrorClass::Retired),
        Some(429) => exhausted(error, &text),
        _ if is_overflow(message) => error(ErrorClass::Overflow),
        // The cap is one of bytes, far above what a window of text can hold: files make a request too large.
        Some(413) => ModelError { feature: Some(Feature::Media), ..error(ErrorClass::BadRequest) },
        Some(408 | 409 | 425 | 499 | 500..=599) => {
            ModelError { retry_after_ms: delay(&text), ..error(ErrorClass::Transient) }
        }
        Some(300..=499) if contains_any(&text, SIGNATURES) => bad_signatures(detail),
        Some(300..=499) => {
            let message = message.to_ascii_lowercase();
            ModelError { feature: refused_feature(&message), ..error(ErrorClass::BadRequest) }
        }
        _ => error(ErrorClass::Transient),
    }
}

/// 429: a model outside the free tier, an empty account, a day's or a minute's allowance. All but money are counted per
/// project and model.
fn exhausted(error: impl Fn(ErrorClass) -> ModelError, text: &str) -> ModelError {
    if contains_any(text, MONEY) {
        error(ErrorClass::Quota)
    } else if has_limit_zero(text) {
        error(ErrorClass::Plan)
    } else if contains_any(text, &["perday", "per day"]) {
        // The delay it names (38 s) is that of the minute and misleading.
        ModelError { scope: Scope::Model, reset: Some(Reset::MidnightPacific), ..error(ErrorClass::Quota) }
    } else {
        ModelError { scope: Scope::Model, retry_after_ms: delay(text), ..error(ErrorClass::Rate) }
    }
}

fn has_limit_zero(text: &str) -> bool {
    let mut rests = text.split("limit: 0").skip(1);
    rests.any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
}

/// The delay of `"retryDelay":"38s"`, else of "Please retry in 38.4s", ms. `text` is lower case.
fn delay(text: &str) -> Option<u64> {
    ["retrydelay", "retry in "].iter().find_map(|marker| {
        let (_, rest) = text.split_once(marker)?;
        let rest = rest.trim_start_matches(['"', '\\', ':', ' ']);
        let (number, _) = rest.split_once('s')?;
        retry_after_ms(Some(number))
    })
}

/// The part of the request that the message (lower case) complains about.
fn refused_feature(message: &str) -> Option<Feature> {
    if contains_any(message, &["thinking", "thinking_level", "thinkingbudget"]) {
        Some(Feature::Thinking)
    } else if contains_any(message, &["function calling is not", "tool use is not", "tools are not"]) {
        Some(Feature::Tools)
    } else if contains_any(message, MEDIA) {
        Some(Feature::Media)
    } else {
        None
    }
}

/// Words of complaints about files, lower case.
const MEDIA: &[&str] = &[
    "mime",
    "input image",
    "input audio",
    "input video",
    "image input",
    "audio input",
    "video input",
    "inline_data",
    "inlinedata",
    "document has no pages",
    "payload size exceeds",
];
