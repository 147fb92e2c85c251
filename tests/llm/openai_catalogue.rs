//! Catalogues of OpenAI-style servers (providers.md §3.4), and the transcription of speech (§6).

use serde_json::json;
use tideclaw::llm::{Endpoint, ErrorClass, MediaRef, ModelInfo, openai};

use super::wire;

fn endpoint(base_url: &str, key: Option<&str>) -> Endpoint {
    Endpoint { base_url: base_url.into(), api_key: key.map(str::to_owned) }
}

fn info(name: &str, context_tokens: Option<u32>, capabilities: &[&str]) -> ModelInfo {
    let capabilities = capabilities.iter().map(|&word| word.to_owned()).collect();
    ModelInfo { name: name.into(), context_tokens, capabilities, ..ModelInfo::default() }
}

#[test]
fn request() {
    let list = openai::list(&endpoint("https://api.openai.com/v1/", Some("k")));
    assert_eq!((list.method, list.url.as_str()), ("GET", "https://api.openai.com/v1/models"));
    assert_eq!(list.headers, [("authorization".to_owned(), "Bearer k".to_owned())]);
    assert!(list.body.is_empty());
}

#[test]
fn openai_lists_names_and_some_do_not_chat() {
    let names = [
        "gpt-5.1",
        "text-embedding-3-small",
        "whisper-1",
        "gpt-4o-transcribe",
        "tts-1",
        "gpt-4o-mini-tts",
        "dall-e-3",
        "gpt-image-1",
        "sora-2",
        "omni-moderation-latest",
        "gpt-realtime",
        "o4-mini",
    ];
    let rows: Vec<_> = names.iter().map(|id| json!({"id":id,"object":"model","created":1,"owned_by":"x"})).collect();
    let expected = [info("gpt-5.1", None, &[]), info("o4-mini", None, &[])];
    let body = json!({"object":"list","data":rows}).to_string();
    assert_eq!(openai::parse_list(body.as_bytes()).unwrap(), expected);
    // Together and others send the bare array.
    assert_eq!(openai::parse_list(json!(rows).to_string().as_bytes()).unwrap(), expected);
    assert_eq!(openai::parse_list(br#"{"object":"list","data":null}"#).unwrap(), []);
}

#[test]
fn what_servers_add_is_read() {
    let body = json!({"data":[
        {"id":"shore/m","context_length":131072,"architecture":{"input_modalities":["text","image","file"],"output_modalities":["text"]},
         "supported_parameters":["tools","reasoning","max_tokens"]},
        {"id":"shore/paint","context_length":1,"architecture":{"input_modalities":["text"],"output_modalities":["image"]}},
        {"id":"pebble-large","max_context_length":65536,"capabilities":{"completion_chat":true,"function_calling":true,"vision":false}},
        {"id":"pebble-fill","max_context_length":65536,"capabilities":{"completion_chat":false}},
        {"id":"groq-like","context_window":8192,"active":true},
        {"id":"vllm-like","max_model_len":4096},
        {"id":"zero","context_length":0},
        {"id":""}, {"name":"no id"}, {"id":7}, null, "x",
    ]});
    assert_eq!(
        openai::parse_list(body.to_string().as_bytes()).unwrap(),
        [
            info("shore/m", Some(131_072), &["completion", "tools", "thinking", "vision", "file"]),
            info("pebble-large", Some(65_536), &["completion", "tools"]),
            info("groq-like", Some(8192), &[]),
            info("vllm-like", Some(4096), &[]),
            info("zero", None, &[]),
        ]
    );
}

#[test]
fn a_body_that_is_no_catalogue_is_an_error() {
    for (body, class) in [
        (r#"{"error":{"message":"bad key","code":"invalid_api_key"}}"#, ErrorClass::Auth),
        (r#"[{"error":{"code":429,"message":"slow down"}}]"#, ErrorClass::Rate),
        (r#"{"models":[]}"#, ErrorClass::Transient),
        ("<html></html>", ErrorClass::Transient),
        ("7", ErrorClass::Transient),
        ("", ErrorClass::Transient),
    ] {
        let error = openai::parse_list(body.as_bytes()).unwrap_err();
        assert_eq!((error.class, error.status), (class, None), "{body}");
    }
}

#[test]
fn a_voice_goes_out_as_a_form() {
    let media = MediaRef { key: "files/a/1".into(), mime: "audio/ogg".into(), size: 18_000_000 };
    let speech = openai::Speech { media: &media, file_name: "voice\".ogg\r\n", language: Some("ru") };
    let request =
        openai::transcribe(&endpoint("https://api.openai.com/v1", Some("k")), "whisper-1", &speech, "b0unDary");
    assert_eq!((request.method, request.url.as_str()), ("POST", "https://api.openai.com/v1/audio/transcriptions"));
    assert_eq!(
        request.headers,
        [("content-type", "multipart/form-data; boundary=b0unDary"), ("authorization", "Bearer k")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let lines = [
        "--b0unDary",
        "Content-Disposition: form-data; name=\"model\"",
        "",
        "whisper-1",
        "--b0unDary",
        "Content-Disposition: form-data; name=\"response_format\"",
        "",
        "json",
        "--b0unDary",
        "Content-Disposition: form-data; name=\"language\"",
        "",
        "ru",
        "--b0unDary",
        "Content-Disposition: form-data; name=\"file\"; filename=\"voice.ogg\"",
        "Content-Type: audio/ogg",
        "",
        "raw:files/a/1",
        "--b0unDary--",
        "",
    ];
    assert_eq!(wire::text(&request), lines.join("\r\n"));
    let text = wire::text(&request).len() - "raw:files/a/1".len();
    assert_eq!(request.body.len(), text as u64 + 18_000_000);

    let silent = openai::Speech { language: None, ..speech };
    let request = openai::transcribe(&endpoint("http://h/v1", None), "m", &silent, "b");
    assert!(!wire::text(&request).contains("language"));
}

#[test]
fn a_transcript_or_why_there_is_none() {
    assert_eq!(
        openai::parse_transcript(r#"{"text":" Прилив в 06:12.\n","usage":{}}"#.as_bytes()).unwrap(),
        "Прилив в 06:12."
    );
    for (body, class) in [
        (r#"{"text":" "}"#, ErrorClass::Empty),
        (r#"{"error":{"message":"x","code":"insufficient_quota"}}"#, ErrorClass::Quota),
        (r#"{"text":7}"#, ErrorClass::Transient),
        ("<html>", ErrorClass::Transient),
        ("", ErrorClass::Transient),
    ] {
        let error = openai::parse_transcript(body.as_bytes()).unwrap_err();
        assert_eq!((error.class, error.status), (class, None), "{body}");
    }
}
