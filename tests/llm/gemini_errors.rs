//! The table of Gemini's HTTP errors (providers.md §2.5).

use serde_json::{Value, json};
use tideclaw::llm::{ErrorClass, Feature, ModelError, Reset, Scope, gemini};

fn error(code: u16, status: &str, message: &str) -> String {
    json!({"error":{"code":code,"message":message,"status":status}}).to_string()
}

/// A quota error; `quota` is the id of the allowance, `limit` its size.
fn quota(quota: &str, limit: &str) -> Value {
    let message = format!(
        "You exceeded your current quota, please check your plan and billing details. \n* Quota exceeded for metric: \
         x.example/free_tier_requests, limit: {limit}, model: gemini-3.6-flash\nPlease retry in 38.4s."
    );
    json!({"error":{"code":429,"message":message,"status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.Help","links":[]},
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":quota,"quotaValue":limit}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38s"}]}})
}

fn classify(status: u16, body: &str) -> ModelError {
    gemini::classify(status, None, body.as_bytes())
}

const PER_DAY: &str = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
const PER_MINUTE: &str = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";

#[test]
fn table() {
    use ErrorClass::*;
    let invalid = |message: &str| error(400, "INVALID_ARGUMENT", message);
    let key = json!({"error":{"code":400,"message":"Please pass a valid key.","status":"INVALID_ARGUMENT","details":[
        {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}});
    let html = "<!DOCTYPE html><html><head><title>524: A timeout occurred</title></head></html>";
    for (status, body, class, feature) in [
        (400, key.to_string(), Auth, None),
        (400, invalid("API key not valid. Please pass a valid API key."), Auth, None),
        (400, invalid("API key expired. Please renew the API key."), Auth, None),
        (400, error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), Auth, None),
        (403, error(403, "PERMISSION_DENIED", "Your project has been denied access."), Auth, None),
        (401, "".into(), Auth, None),
        (
            400,
            invalid("The input token count (1250000) exceeds the maximum number of tokens allowed (1048575)."),
            Overflow,
            None,
        ),
        (404, error(404, "NOT_FOUND", "This model models/x is no longer available to new users."), Retired, None),
        (404, error(404, "NOT_FOUND", "models/x is not found for API version v1beta"), Retired, None),
        (400, invalid("Thinking level MINIMAL is not supported for this model."), BadRequest, Some(Feature::Thinking)),
        (
            400,
            invalid("Budget 0 is invalid. This model only works in thinking mode."),
            BadRequest,
            Some(Feature::Thinking),
        ),
        (
            400,
            invalid("Function call is missing a thought_signature in functionCall parts. … position 2."),
            BadRequest,
            Some(Feature::Signatures),
        ),
        (400, invalid("Corrupted thought signature."), BadRequest, Some(Feature::Signatures)),
        (400, invalid("Function calling is not enabled for models/x"), BadRequest, Some(Feature::Tools)),
        (400, invalid("Unsupported MIME type: application/ogg"), BadRequest, Some(Feature::Media)),
        (400, invalid("Unable to process input image."), BadRequest, Some(Feature::Media)),
        (400, invalid("Image input modality is not enabled for models/x"), BadRequest, Some(Feature::Media)),
        (400, invalid("The document has no pages."), BadRequest, Some(Feature::Media)),
        (400, invalid("Request payload size exceeds the limit: 20971520 bytes."), BadRequest, Some(Feature::Media)),
        (413, html.into(), BadRequest, Some(Feature::Media)),
        (
            400,
            invalid(
                "Please ensure that the number of function response parts is equal to the number of function call parts",
            ),
            BadRequest,
            None,
        ),
        (400, invalid("Requests ending with a model turn are not supported."), BadRequest, None),
        (400, "".into(), BadRequest, None),
        (302, "".into(), BadRequest, None),
        (503, error(503, "UNAVAILABLE", "This model is currently experiencing high demand."), Transient, None),
        (500, error(500, "INTERNAL", "An internal error has occurred."), Transient, None),
        (504, error(504, "DEADLINE_EXCEEDED", "Deadline expired."), Transient, None),
        (499, error(499, "CANCELLED", "The operation was cancelled."), Transient, None),
        (408, "".into(), Transient, None),
        (524, html.into(), Transient, None),
        // The gateway's own words.
        (401, r#"{"success":false,"errors":[{"code":2009,"message":"Unauthorized"}]}"#.into(), Auth, None),
        (402, r#"{"error":"insufficient credits"}"#.into(), Quota, None),
        (429, r#"{"success":false,"errors":[{"code":2003,"message":"Rate limited"}]}"#.into(), Rate, None),
        (502, "upstream connect error".into(), Transient, None),
        // A 2xx body that turned out to be an error.
        (200, error(503, "UNAVAILABLE", "x"), Transient, None),
        (200, error(404, "NOT_FOUND", "x"), Retired, None),
        (200, r#"{"error":{"message":"x","status":"RESOURCE_EXHAUSTED"}}"#.into(), Rate, None),
        (200, html.into(), Transient, None),
    ] {
        let error = classify(status, &body);
        assert_eq!((error.class, error.feature), (class, feature), "{status} {body}");
        assert_eq!((error.status, error.retry_after_ms, error.reset), (Some(status), None, None), "{body}");
    }
}

/// A day's quota is over until midnight in California and counted per model; the delay beside it is misleading.
#[test]
fn per_day_is_not_per_minute() {
    let day = classify(429, &quota(PER_DAY, "20").to_string());
    assert_eq!(
        (day.class, day.scope, day.reset, day.retry_after_ms),
        (ErrorClass::Quota, Scope::Model, Some(Reset::MidnightPacific), None)
    );
    let minute = classify(429, &quota(PER_MINUTE, "5").to_string());
    assert_eq!(
        (minute.class, minute.scope, minute.reset, minute.retry_after_ms),
        (ErrorClass::Rate, Scope::Model, None, Some(38_000))
    );
    let plan = classify(429, &quota(PER_DAY, "0").to_string());
    assert_eq!((plan.class, plan.scope, plan.reset), (ErrorClass::Plan, Scope::Model, None));
    assert_eq!(classify(429, &quota(PER_MINUTE, "0.5").to_string()).class, ErrorClass::Rate, "not a limit of nothing");
    let money = classify(429, &error(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."));
    assert_eq!((money.class, money.scope, money.reset), (ErrorClass::Quota, Scope::Provider, None));
}

/// Trap 14, and bodies that were cut or quoted on the way.
#[test]
fn an_error_is_found_in_an_array_a_cut_body_and_a_quotation() {
    let day = quota(PER_DAY, "20");
    let whole = day.to_string();
    let cut = &whole[..whole.find("FreeTier").unwrap()];
    for body in [json!([day]).to_string(), cut.to_owned(), json!({"error":{"message":whole}}).to_string()] {
        let error = classify(429, &body);
        assert_eq!((error.class, error.reset), (ErrorClass::Quota, Some(Reset::MidnightPacific)), "{body}");
    }
    let minute = quota(PER_MINUTE, "5").to_string();
    for body in [format!("[{minute}]"), json!({"errors":[{"message":minute}]}).to_string()] {
        let error = classify(429, &body);
        assert_eq!((error.class, error.retry_after_ms), (ErrorClass::Rate, Some(38_000)), "{body}");
    }
    assert_eq!(classify(200, &format!("[{}]", error(404, "NOT_FOUND", "x"))).class, ErrorClass::Retired);
    let in_array = format!("[{}]", error(503, "UNAVAILABLE", "Overloaded"));
    assert_eq!(classify(200, &in_array).class, ErrorClass::Transient);
    assert_eq!(classify(503, &in_array).detail, "Overloaded | UNAVAILABLE");
}

#[test]
fn the_delay_is_read() {
    let rate = |message: &str| classify(429, &error(429, "RESOURCE_EXHAUSTED", message)).retry_after_ms;
    assert_eq!(rate("Please retry in 38.4s."), Some(38_400));
    assert_eq!(rate("Please retry in 2h10m3s."), None);
    assert_eq!(rate("Please retry later."), None);
    assert_eq!(gemini::classify(429, Some("12"), b"").retry_after_ms, Some(12_000));
    assert_eq!(gemini::classify(503, Some("3"), b"").retry_after_ms, Some(3_000));
    // Waiting does not help these.
    assert_eq!(gemini::classify(400, Some("12"), b"").retry_after_ms, None);
}

#[test]
fn detail_is_short_and_redacted() {
    // In two pieces, so that nobody takes this file for a leak.
    let key = ["AIza", "Sy0123456789abcdefghijklmnopqrstuvw"].concat();
    let body = error(400, "INVALID_ARGUMENT", &format!("bad key {key}"));
    assert_eq!(classify(400, &body).detail, "bad key […] | INVALID_ARGUMENT");
    assert_eq!(classify(500, &"я".repeat(100_000)).detail.chars().count(), 300);
    assert_eq!(classify(502, "").detail, "no text");
}
