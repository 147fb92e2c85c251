//! What went wrong with a model call, sorted by what the caller can do about it (providers.md §5.2), and the parts of
//! that sorting that all providers share: reading an error body, overflow texts (§5.3), `Retry-After`.
//!
//! Not here: what only one provider says (its own `error` module), nor waiting, cooling and failing over.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::parse;
use super::redact::redact;
use super::{Finish, Usage};

/// The class of a failure. Each says what the caller does; "cool" means not using the provider or model for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Key missing, wrong or refused. No retry; disable the provider, tell the owner.
    Auth,
    /// This model is not in the account's plan. No retry; block this model (other models may work), next model.
    Plan,
    /// An allowance is used up. No retry; cool what `scope` says, until `reset` or for hours; fail over at once.
    Quota,
    /// Too fast. Wait `retry_after_ms` (up to 60 s inline, else cool), then retry.
    Rate,
    /// Server trouble, network, a broken stream. Two retries, 0.5 s × 2ⁿ up to 8 s with jitter, only while nothing was
    /// shown or if the shown message is started over; then next model.
    Transient,
    /// The conversation does not fit. Compact the history, retry once.
    Overflow,
    /// The request is wrong. No retry as it is; if `feature` is set, drop that feature for this model and retry once.
    BadRequest,
    /// The model is gone or misspelt. Refresh the catalogue, next model.
    Retired,
    /// Withheld for its content. Tell the user; no failover by default.
    Content,
    /// It ended well but said nothing and called nothing, or what it called cannot be read. Retry once, then next model.
    Empty,
}

/// How far a failure reaches, and so what to cool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every model of the provider.
    Provider,
    /// This model; others of the provider may work.
    Model,
}

/// When an allowance comes back, if the provider has a rule rather than a delay. The caller has the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// At the next midnight in California (Gemini's daily quota, providers.md §2.1).
    MidnightPacific,
}

/// Something a request can do without: see [`Prompt::dropped`](super::Prompt::dropped).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// The wish how hard to think.
    Thinking,
    /// Tools on offer.
    Tools,
    /// Pictures, sounds and documents: a note to the model stands in their place.
    Media,
    /// Asking for consumption at the end of a stream (providers.md §3.1.8). Only OpenAI-style servers are asked.
    StreamUsage,
    /// Raw data of a model's own earlier parts ([`ProviderMeta`](super::ProviderMeta)): Gemini's signatures turn foreign
    /// when the key or the route changes (providers.md §2.3.5).
    Signatures,
}

/// What failed on the way through a relay, as the hub says it (docs/relay-protocol.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayTrouble {
    /// No relay is connected, or not the one that was named.
    NoRelay,
    /// No connected relay has the model, or none may use it.
    NoModel,
    /// All slots are taken and the queue is full.
    Busy,
    /// The relay or the hub went away.
    Lost,
    /// The relay refuses the request.
    Refused,
    /// Ollama does not answer the relay.
    Unreachable,
    /// Ollama broke off.
    Broken,
    /// Somebody broke the protocol.
    #[serde(other)]
    Protocol,
}

/// A failed model call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class:?} (http {status:?}): {detail}")]
pub struct ModelError {
    pub class: ErrorClass,
    /// How long the provider asks to wait, ms.
    pub retry_after_ms: Option<u64>,
    /// HTTP status; `None` when the failure came inside a stream or without an answer.
    pub status: Option<u16>,
    /// The provider's words, redacted, at most 300 characters. For the log; users get text of our own.
    pub detail: String,
    /// What to drop when the request was refused for it.
    pub feature: Option<Feature>,
    pub scope: Scope,
    /// Only with [`ErrorClass::Quota`].
    pub reset: Option<Reset>,
    /// Set if it happened on the way through a relay.
    pub relay: Option<RelayTrouble>,
}

/// A model that no connected relay has is asked for again after this, ms.
const RELAY_MODEL_AGAIN_MS: u64 = 60_000;

impl ModelError {
    /// A failure of `class`; `detail` is redacted here. The scope is the usual one: keys and allowances belong to the
    /// whole provider, everything else to the model (providers.md §5.2).
    pub fn new(class: ErrorClass, detail: &str) -> Self {
        let scope = match class {
            ErrorClass::Auth | ErrorClass::Quota | ErrorClass::Rate => Scope::Provider,
            _ => Scope::Model,
        };
        ModelError {
            class,
            retry_after_ms: None,
            status: None,
            detail: redact(detail),
            feature: None,
            scope,
            reset: None,
            relay: None,
        }
    }

    /// What happened between here and the Ollama behind a relay. None of it is for longer than the machine there is away:
    /// also a model may be back with the relay that has it.
    pub fn of_relay(trouble: RelayTrouble, detail: &str) -> Self {
        let class = match trouble {
            RelayTrouble::NoModel => ErrorClass::Retired,
            // As it is, it will be refused again; another model may do.
            RelayTrouble::Refused => ErrorClass::BadRequest,
            _ => ErrorClass::Transient,
        };
        let retry_after_ms = (trouble == RelayTrouble::NoModel).then_some(RELAY_MODEL_AGAIN_MS);
        ModelError { relay: Some(trouble), retry_after_ms, ..ModelError::new(class, detail) }
    }

    /// For the caller: no answer at all, an idle timeout, a cut connection.
    pub fn transient(detail: &str) -> Self {
        ModelError::new(ErrorClass::Transient, detail)
    }
}

/// The message inside an error body: `{"error":"…"}`, `{"error":{"message":"…"}}`, either of them in a one-element array
/// (providers.md §0.14), `{"message":"…"}`, the title of an HTML page, or the text itself.
pub fn message_of(body: &[u8]) -> String {
    if let Some(value) = parse::json(body)
        && let Some(message) = message_in(&value)
    {
        return message;
    }
    let head = body.get(..body.len().min(8 * 1024)).unwrap_or_default();
    let text = String::from_utf8_lossy(head).trim().to_owned();
    if text.starts_with('<') { html_title(&text) } else { text }
}

/// The message of a parsed error body, if it has the shape of one.
pub fn message_in(value: &Value) -> Option<String> {
    let value = match value {
        Value::Array(items) => items.first()?,
        other => other,
    };
    let error = value.get("error").filter(|error| !error.is_null()).or_else(|| value.get("message"))?;
    match error {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Object(fields) => {
            let texts = ["message", "type", "code", "status"].iter().filter_map(|name| match fields.get(*name) {
                Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
                _ => None,
            });
            Some(texts.collect::<Vec<_>>().join(" | "))
                .filter(|text| !text.is_empty())
                .or_else(|| Some(error.to_string()))
        }
        other => Some(other.to_string()),
    }
}

fn html_title(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let length = lower.get(start..)?.find("</title>")?;
        page.get(start..start + length)
    });
    format!("HTML page: {}", title.unwrap_or("no title").trim())
}

/// `Retry-After` in ms. Only the form in seconds: the date form needs a clock and no provider here sends it.
pub fn retry_after_ms(header: Option<&str>) -> Option<u64> {
    let seconds: f64 = header?.trim().parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1000.0).ceil() as u64)
}

/// Signs that a provider refused because the conversation is too long (providers.md §5.3), lower case. `*` stands for
/// anything in between.
const OVERFLOW: &[&str] = &[
    "prompt is too long",
    "request_too_large",
    "exceeds the context window",
    "input token count*exceeds the maximum",
    "maximum context length is",
    "context_length_exceeded",
    "reduce the length of the messages",
    "exceeds the maximum context length",
    "exceeds the model's maximum context length",
    "longer than the context length",
    "longer than the maximum context",
    "input length exceeds the context length",
    "exceeded model token limit",
    "context window exceeds limit",
    "too many tokens",
    "token limit exceeded",
];

/// Texts of rate limits that share words with the above ("too many tokens per minute").
const RATE: &[&str] = &["rate limit", "rate_limit", "ratelimit", "too many requests", "per minute", "per day", "quota"];

/// Whether an error text says that the conversation does not fit the model's window.
pub fn is_overflow(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    !contains_any(&text, RATE) && OVERFLOW.iter().any(|pattern| matches_in_order(&text, pattern))
}

/// Whether an answer that ended well shows that the server cut the prompt to fit (providers.md §5.3 "silent").
/// `window` is the model's context, tokens.
pub fn is_silent_overflow(finish: &Finish, usage: &Usage, window: u32) -> bool {
    let window = u64::from(window);
    let full = usage.input.saturating_mul(100) >= window.saturating_mul(99);
    usage.input > window || (*finish == Finish::Length && usage.output == 0 && full)
}

/// Whether `text` (lower case) contains any of `words`.
pub fn contains_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Whether the pieces of `pattern` between `*` occur in `text` one after the other.
fn matches_in_order(mut text: &str, pattern: &str) -> bool {
    for piece in pattern.split('*') {
        match text.split_once(piece) {
            Some((_, rest)) => text = rest,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanged_form_is_pinned() {
        let words = serde_json::to_string(&(Scope::Provider, Scope::Model, Reset::MidnightPacific)).ok();
        assert_eq!(words.as_deref(), Some(r#"["provider","model","midnight_pacific"]"#));
        let scope = |class| ModelError::new(class, "").scope;
        assert_eq!([ErrorClass::Quota, ErrorClass::Plan].map(scope), [Scope::Provider, Scope::Model]);
    }

    #[test]
    fn overflow_texts() {
        for text in [
            "prompt is too long: 205000 tokens > 200000 maximum",
            "The input token count (1250000) exceeds the maximum number of tokens allowed (1048575).",
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
            "Input length exceeds the context length",
            "the prompt is LONGER THAN the context length",
            "This request exceeds the model's maximum context length",
            "Your request exceeded model token limit: 262144",
            "invalid_request_error | context_length_exceeded",
        ] {
            assert!(is_overflow(text), "{text}");
        }
        for text in [
            "",
            "too many tokens per minute",
            "Rate limit: too many tokens",
            "exceeds the maximum, input token count",
            "model not found",
            "maximum context",
        ] {
            assert!(!is_overflow(text), "{text}");
        }
    }

    #[test]
    fn silent_overflow() {
        let usage = |input, output| Usage { input, output, ..Usage::default() };
        assert!(is_silent_overflow(&Finish::Stop, &usage(1001, 5), 1000));
        assert!(is_silent_overflow(&Finish::Length, &usage(990, 0), 1000));
        assert!(!is_silent_overflow(&Finish::Length, &usage(989, 0), 1000));
        assert!(!is_silent_overflow(&Finish::Length, &usage(995, 1), 1000));
        assert!(!is_silent_overflow(&Finish::Stop, &usage(995, 0), 1000));
    }

    #[test]
    fn error_bodies() {
        for (body, message) in [
            (r#"{"error":"x"}"#, "x"),
            (r#"{"error":{"message":"x","type":"api_error","code":5}}"#, "x | api_error"),
            (r#"[{"error":{"code":429,"message":"x","status":"GONE"}}]"#, "x | GONE"),
            (r#"{"StatusCode":400,"Status":"400 Bad Request","error":"x"}"#, "x"),
            (r#"{"message":"x"}"#, "x"),
            (r#"{"error":{}}"#, "{}"),
            (r#"{"error":7}"#, "7"),
            (
                "<!DOCTYPE html><html><head><TITLE>ollama.com | 524: A timeout occurred</TITLE>",
                "HTML page: ollama.com | 524: A timeout occurred",
            ),
            ("<html>", "HTML page: no title"),
            (" upstream connect error \n", "upstream connect error"),
            ("", ""),
        ] {
            assert_eq!(message_of(body.as_bytes()), message, "{body}");
        }
        assert_eq!(message_of(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn retry_after() {
        assert_eq!(retry_after_ms(Some(" 30 ")), Some(30_000));
        assert_eq!(retry_after_ms(Some("0.0004")), Some(1));
        for bad in ["", "-1", "NaN", "inf", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(retry_after_ms(Some(bad)), None, "{bad}");
        }
    }
}
