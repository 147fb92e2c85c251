//! The table of Ollama's HTTP errors (providers.md §1.4).

use tideclaw::llm::{ErrorClass, Feature, RelayTrouble, Scope, ollama};

#[test]
fn table() {
    use ErrorClass::*;
    let session = r#"{"error":"you (user) have reached your session usage limit, upgrade for higher limits: https://ollama.com/upgrade"}"#;
    let weekly = r#"{"error":{"message":"you (user) have reached your weekly usage limit, upgrade for higher limits: x","type":"api_error"}}"#;
    let both = r#"{"error":{"message":"this model requires both a Pro, Max, or Team plan and extra usage (it does not use included plan usage), upgrade for access: https://ollama.com/upgrade"}}"#;
    let old = r#"{"StatusCode":400,"Status":"400 Bad Request","error":"the prompt is longer than the context length"}"#;
    let html = "<!DOCTYPE html><html><head><title>ollama.com | 524: A timeout occurred</title></head></html>";
    for (status, body, class, feature) in [
        (400, r#"{"error":"\"llama3.2\" does not support thinking"}"#, BadRequest, Some(Feature::Thinking)),
        (
            400,
            r#"{"error":"think value \"low\" is not supported for this model"}"#,
            BadRequest,
            Some(Feature::Thinking),
        ),
        (400, r#"{"error":"invalid think value: \"minimal\""}"#, BadRequest, Some(Feature::Thinking)),
        (
            400,
            r#"{"error":"registry.ollama.ai/library/x:1b does not support tools"}"#,
            BadRequest,
            Some(Feature::Tools),
        ),
        (400, r#"{"error":"\"kimi-k2-thinking\" does not support tools"}"#, BadRequest, Some(Feature::Tools)),
        (400, r#"{"error":"\"x\" does not support vision"}"#, BadRequest, Some(Feature::Media)),
        (400, r#"{"error":"invalid message content type: []interface {}"}"#, BadRequest, None),
        (400, "", BadRequest, None),
        (422, "{}", BadRequest, None),
        (302, "", BadRequest, None),
        (400, r#"{"error":"prompt is longer than the context length"}"#, Overflow, None),
        (400, old, Overflow, None),
        (500, r#"{"error":"input length exceeds the context length"}"#, Overflow, None),
        (413, "", Overflow, None),
        (401, r#"{"error":"unauthorized","signin_url":"https://ollama.com/connect?name=a&key=b"}"#, Auth, None),
        (403, "", Auth, None),
        (402, r#"{"error":"usage limit"}"#, Quota, None),
        (
            403,
            r#"{"error":"this model requires a subscription, upgrade for access: https://ollama.com/upgrade (ref: x)"}"#,
            Plan,
            None,
        ),
        (403, both, Plan, None),
        (404, r#"{"error":"model 'x' not found"}"#, Retired, None),
        (410, "", Retired, None),
        (429, session, Quota, None),
        (429, weekly, Quota, None),
        (429, r#"{"error":"too many concurrent requests"}"#, Rate, None),
        (429, r#"{"error":"too many tokens per minute"}"#, Rate, None),
        (429, "", Rate, None),
        (408, "", Transient, None),
        (409, "", Transient, None),
        (500, html, Transient, None),
        (502, r#"{"error": "upstream error"}"#, Transient, None),
        (503, r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#, Transient, None),
        (524, html, Transient, None),
        (529, "", Transient, None),
        // A 2xx body that turned out to be an error.
        (200, session, Quota, None),
        (200, html, Transient, None),
    ] {
        let error = ollama::classify(status, None, body.as_bytes());
        assert_eq!((error.class, error.feature), (class, feature), "{status} {body}");
        assert_eq!((error.status, error.retry_after_ms), (Some(status), None));
    }
}

#[test]
fn detail_is_short_and_redacted() {
    let body = br#"{"error":"bad key 0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOpQrStUvWx"}"#;
    assert_eq!(ollama::classify(401, None, body).detail, "bad key […]");
    assert_eq!(ollama::classify(500, None, "я".repeat(100_000).as_bytes()).detail.chars().count(), 300);
    assert_eq!(ollama::classify(502, None, b"").detail, "no text");
    assert_eq!(
        ollama::classify(524, None, b"<html><title>a timeout</title></html>").to_string(),
        "Transient (http Some(524)): HTML page: a timeout"
    );
}

#[test]
fn retry_after_is_read() {
    assert_eq!(ollama::classify(429, Some("12"), b"").retry_after_ms, Some(12_000));
    assert_eq!(ollama::classify(429, Some("soon"), b"").retry_after_ms, None);
}

#[test]
fn what_failed_on_the_way_through_a_relay() {
    use ErrorClass::*;
    for (status, code, class, trouble) in [
        (503, "no_relay", Transient, RelayTrouble::NoRelay),
        (503, "busy", Transient, RelayTrouble::Busy),
        (503, "lost", Transient, RelayTrouble::Lost),
        (502, "unreachable", Transient, RelayTrouble::Unreachable),
        (502, "broken", Transient, RelayTrouble::Broken),
        (404, "no_model", Retired, RelayTrouble::NoModel),
        (403, "refused", BadRequest, RelayTrouble::Refused),
        (500, "protocol", Transient, RelayTrouble::Protocol),
        (500, "a newer version's", Transient, RelayTrouble::Protocol),
    ] {
        let body = format!(r#"{{"error":"the relay says so","relay":"{code}"}}"#);
        let error = ollama::classify(status, None, body.as_bytes());
        assert_eq!((error.class, error.relay, error.status), (class, Some(trouble), Some(status)), "{code}");
        assert_eq!((error.scope, error.feature, error.detail.as_str()), (Scope::Model, None, "the relay says so"));
        assert_eq!(error.retry_after_ms, (code == "no_model").then_some(60_000));
    }
    // Ollama's own words through a relay are Ollama's.
    let error = ollama::classify(404, None, br#"{"error":"model 'x' not found"}"#);
    assert_eq!((error.class, error.relay, error.retry_after_ms), (Retired, None, None));
}
