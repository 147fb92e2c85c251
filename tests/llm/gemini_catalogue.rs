//! Gemini's catalogue (providers.md §2.1).

use serde_json::json;
use tideclaw::llm::{Endpoint, ErrorClass, ModelInfo, gemini};

#[test]
fn request() {
    for base in ["https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com/v1beta/"] {
        let list = gemini::list(&Endpoint { base_url: base.into(), api_key: Some(" k\n".into()) });
        assert_eq!(list.method, "GET");
        assert_eq!(list.url, "https://generativelanguage.googleapis.com/v1beta/models?pageSize=200");
        assert_eq!(list.headers, [("x-goog-api-key".to_owned(), "k".to_owned())]);
        assert!(list.body.is_empty());
    }
}

#[test]
fn list_takes_what_can_chat() {
    let row = |name: &str| json!({"name":name,"supportedGenerationMethods":["generateContent","countTokens"]});
    let body = json!({"models":[
        {"name":"models/gemini-3.8-flash","baseModelId":"","version":"3.8","displayName":"Gemini 3.8 Flash",
         "inputTokenLimit":1048576,"outputTokenLimit":65536,"thinking":true,"temperature":1,
         "supportedGenerationMethods":["generateContent","countTokens"]},
        {"name":"models/gemma-4-31b-it","inputTokenLimit":262144,"supportedGenerationMethods":["generateContent"]},
        row("gemini-4-argon"),
        row("models/olive-1"),
        {"name":"models/gemini-embedding-001","supportedGenerationMethods":["embedContent"]},
        {"name":"models/bidi-only","supportedGenerationMethods":["bidiGenerateContent"]},
        row("models/gemini-3.1-flash-tts-preview"),
        row("models/gemini-3.1-flash-image"),
        row("models/nano-banana-pro-preview"),
        row("models/gemini-3.5-live"),
        row("models/"),
        {"name":"models/no-methods"},
        {"name":7}, null, "x",
    ],"nextPageToken":""});
    let info = |name: &str, family: Option<&str>, context_tokens, capabilities: &[&str]| ModelInfo {
        provider: None,
        name: name.into(),
        family: family.map(str::to_owned),
        parameter_size: None,
        context_tokens,
        capabilities: capabilities.iter().map(|&word| word.to_owned()).collect(),
    };
    let all = ["completion", "vision", "tools", "audio", "video", "pdf", "thinking"];
    assert_eq!(
        gemini::parse_list(body.to_string().as_bytes()).unwrap(),
        [
            info("gemini-3.8-flash", Some("gemini"), Some(1_048_576), &all),
            info("gemma-4-31b-it", Some("gemma"), Some(262_144), &["completion", "vision"]),
            info("gemini-4-argon", Some("gemini"), None, &all),
            info("olive-1", None, None, &all[..6]),
        ]
    );
    assert_eq!(gemini::parse_list(b"{}").unwrap(), []);
}

#[test]
fn a_body_that_is_no_catalogue_is_an_error() {
    let key = r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}"#;
    for (body, class) in [
        (key.to_owned(), ErrorClass::Auth),
        (format!("[{key}]"), ErrorClass::Auth),
        (r#"{"data":[]}"#.into(), ErrorClass::Transient),
        (r#"{"models":7}"#.into(), ErrorClass::Transient),
        ("<html></html>".into(), ErrorClass::Transient),
        ("[]".into(), ErrorClass::Transient),
        (String::new(), ErrorClass::Transient),
    ] {
        let error = gemini::parse_list(body.as_bytes()).unwrap_err();
        assert_eq!((error.class, error.status), (class, None), "{body}");
    }
}
