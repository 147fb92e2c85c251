//! Ollama's catalogue and model details (providers.md §1.5).

use serde_json::json;
use tideclaw::llm::{Endpoint, ErrorClass, ModelInfo, ollama};

fn endpoint(base_url: &str, key: Option<&str>) -> Endpoint {
    Endpoint { base_url: base_url.into(), api_key: key.map(str::to_owned) }
}

#[test]
fn requests() {
    let list = ollama::list(&endpoint("https://ollama.com/", Some("k")));
    assert_eq!(
        (list.method, list.url.as_str(), list.body.as_text().unwrap()),
        ("GET", "https://ollama.com/api/tags", "")
    );
    assert_eq!(list.headers, [("authorization".to_owned(), "Bearer k".to_owned())]);

    let show = ollama::show(&endpoint("https://ollama.com", None), "gpt-oss:120b-cloud");
    assert_eq!((show.method, show.url.as_str()), ("POST", "https://ollama.com/api/show"));
    assert_eq!(show.body.as_text().unwrap(), r#"{"model":"gpt-oss:120b"}"#);
}

#[test]
fn list_takes_what_it_understands() {
    let body = json!({"models":[
        {"name":"gemma4:31b","model":"gemma4:31b","modified_at":"2026-09-01T00:00:00Z","size":1,"digest":"d",
         "details":{"format":"gguf","family":"gemma4","families":null,"parameter_size":"31.2B","quantization_level":"Q4_K_M"},
         "capabilities":["completion","tools","vision"]},
        {"model":"only-model","details":{"family":"","parameter_size":""}},
        {"name":7}, null, "x",
    ]});
    assert_eq!(
        ollama::parse_list(body.to_string().as_bytes()).unwrap(),
        [
            ModelInfo {
                provider: None,
                name: "gemma4:31b".into(),
                family: Some("gemma4".into()),
                parameter_size: Some("31.2B".into()),
                context_tokens: None,
                capabilities: ["completion", "tools", "vision"].map(str::to_owned).into(),
            },
            ModelInfo { name: "only-model".into(), ..ModelInfo::default() },
        ]
    );
    assert_eq!(ollama::parse_list(br#"{"models":null}"#).unwrap(), []);
}

#[test]
fn a_body_that_is_no_catalogue_is_an_error() {
    for (body, class) in [
        (r#"{"error":"unauthorized"}"#, ErrorClass::Auth),
        (r#"{"data":[]}"#, ErrorClass::Transient),
        ("<html></html>", ErrorClass::Transient),
        ("[]", ErrorClass::Transient),
        ("", ErrorClass::Transient),
    ] {
        assert_eq!(ollama::parse_list(body.as_bytes()).unwrap_err().class, class, "{body}");
    }
}

#[test]
fn show_gives_window_and_capabilities() {
    let body = json!({
        "details":{"family":"gptoss","parameter_size":"116.8B"},
        "model_info":{"general.architecture":"gptoss","gptoss.context_length":131072,"other.context_length":1},
        "capabilities":["completion","tools","thinking"],
    });
    let info = ollama::parse_show("gpt-oss:120b", body.to_string().as_bytes()).unwrap();
    assert_eq!((info.name.as_str(), info.context_tokens), ("gpt-oss:120b", Some(131_072)));
    assert_eq!(info.capabilities, ["completion", "tools", "thinking"]);
    assert_eq!(ollama::parse_show("x", b"{}").unwrap(), ModelInfo { name: "x".into(), ..ModelInfo::default() });
}

#[test]
fn a_list_of_several_relays_names_them() {
    let body = br#"{"models":[{"name":"qwen3:8b"},{"name":"qwen3:8b","relay":"home"}]}"#;
    let names: Vec<String> =
        ollama::parse_list(body).unwrap().iter().map(|info| info.of("relay").to_string()).collect();
    assert_eq!(names, ["relay/qwen3:8b", "relay:home/qwen3:8b"]);
}
