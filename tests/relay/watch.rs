//! What tells the owner how it is: `healthy`, `/metrics`, `check`, the log.

use std::process::Output;

use tideclaw::relay::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::hub::{Hub, call, chat};
use super::ollama::Ollama;
use super::process::{Program, TOKEN, command, token_file};

const BODY: &str = r#"{"model":"qwen3:8b","messages":[]}"#;

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn get(port: u16, request: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.write_all(format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Runs a subcommand to its end without standing in the way of the test's own servers.
async fn output(arguments: Vec<String>) -> Output {
    let mut command = command();
    command.args(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn healthy(port: u16) -> Option<i32> {
    output(vec!["healthy".to_owned(), "--metrics".to_owned(), port.to_string()]).await.status.code()
}

#[tokio::test]
async fn health_is_the_connection_and_not_the_process() {
    let (hub, mut ollama, port) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await, free_port().await);
    assert_eq!(healthy(port).await, Some(1), "nothing runs");
    let program = Program::start(&hub.url(), &ollama.url(), &["--metrics", &port.to_string()]);
    let mut link = hub.accept().await;
    assert!(get(port, "GET /healthz").await.starts_with("HTTP/1.1 503 "), "the hub has not greeted");
    assert_eq!(healthy(port).await, Some(1));
    link.greet().await;
    program.says("connected to").await;
    assert_eq!(healthy(port).await, Some(0));
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    ollama.next().await.respond(200, "fine").await;
    link.whole(1).await;
    link.open(2, chat("qwen3:8b", BODY.len()), b"[]").await;
    link.fail(2).await;
    let text = get(port, "GET /metrics").await;
    for line in [
        "ollama_relay_connected 1",
        "ollama_relay_calls_total{outcome=\"complete\"} 1",
        "ollama_relay_calls_total{outcome=\"refused\"} 1",
        "ollama_relay_calls_total{outcome=\"cancelled\"} 0",
        "ollama_relay_in_flight 0",
        "ollama_relay_reconnects_total 0",
        "# TYPE ollama_relay_latency_ms gauge",
    ] {
        assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("bytes_total{way=\"out\"} 0"), "{text}");
    assert!(get(port, "GET /").await.starts_with("HTTP/1.1 404 "));
    assert!(get(port, "POST /metrics").await.starts_with("HTTP/1.1 405 "));
    drop(link);
    program.says("the connection broke").await;
    assert_eq!(healthy(port).await, Some(1));
    assert!(get(port, "GET /metrics").await.contains("ollama_relay_connected 0"));
}

fn arguments(hub: &str, ollama: &str, more: &[&str]) -> Vec<String> {
    let token = token_file(TOKEN);
    let first = ["check", "--url", hub, "--ollama", ollama, "--token-file", token.to_str().unwrap()];
    first.iter().chain(more).map(|&argument| argument.to_owned()).collect()
}

async fn check(hub: &str, ollama: &str, more: &[&str]) -> (Option<i32>, String) {
    let output = output(arguments(hub, ollama, more)).await;
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains(TOKEN), "{text}");
    (output.status.code(), text)
}

#[tokio::test]
async fn a_check_goes_both_ways() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b", "private:7b"]).await);
    let (url, address) = (hub.url(), ollama.url());
    let side = async {
        let (mut link, hello) = hub.greet().await;
        assert!(!hello.takeover && hello.state.draining && hello.state.models.is_empty(), "it would take a place");
        while link.any().await.is_some() {}
        let mut request = ollama.next().await;
        assert!(String::from_utf8(request.body().await).unwrap().contains("qwen3:8b"));
        request.respond(200, r#"{"done":true,"load_duration":12000000}"#).await;
    };
    let ((code, text), ()) =
        tokio::join!(check(&url, &address, &["--allow-model", "qwen3*", "--model", "qwen3:8b"]), side);
    assert_eq!(code, Some(0), "{text}");
    for line in [
        "the token is right",
        "release 9.9.9",
        "the name home is free",
        "Ollama 0.30.1",
        "1 of 2 models: qwen3:8b",
        "12 ms of them",
        "All is well",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_check_says_what_is_wrong() {
    let ollama = Ollama::new(&["qwen3:8b"]).await;
    let nobody = format!("ws://127.0.0.1:{}", free_port().await);
    let (code, text) = check(&nobody, &ollama.url(), &[]).await;
    assert_eq!(code, Some(1));
    assert!(text.contains("FAIL  127.0.0.1 cannot be reached") && text.contains("ok    Ollama"), "{text}");
    for (response, line) in [
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "FAIL  the token is refused"),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "FAIL  404: RELAY_TOKEN is not set"),
        ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "FAIL  302: Cloudflare Access"),
    ] {
        let hub = Hub::new().await;
        let url = hub.url();
        let dead = format!("http://127.0.0.1:{}", free_port().await);
        let ((code, text), ()) = tokio::join!(check(&url, &dead, &[]), hub.answer(response));
        assert_eq!(code, Some(1));
        assert!(text.contains(line) && text.contains("FAIL  Ollama cannot be reached"), "{text}");
    }
    let hub = Hub::new().await;
    let taken = async {
        let link = hub.accept().await;
        link.close(4409).await;
    };
    let url = hub.url();
    let address = ollama.url();
    let ((code, text), ()) = tokio::join!(check(&url, &address, &["--allow-model", "other*"]), taken);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("note  a relay named home is connected"), "{text}");
    assert!(text.contains("FAIL  --allow-model lets none of its 1 models be used"), "{text}");
}

#[tokio::test]
async fn models_are_kept_loaded() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let _program = Program::start(&hub.url(), &ollama.url(), &["--preload", "qwen3:8b"]);
    let (_link, _) = hub.greet().await;
    let mut request = ollama.next().await;
    let body: serde_json::Value = serde_json::from_slice(&request.body().await).unwrap();
    assert_eq!((body["model"].as_str(), body["messages"].as_array().map(Vec::len)), (Some("qwen3:8b"), Some(0)));
    assert_eq!(body["options"]["num_ctx"], 32_768);
    request.respond(200, "{}").await;
}

#[tokio::test]
async fn lines_for_machines_are_json() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let program = Program::start(&hub.url(), &ollama.url(), &["--log-format", "json"]);
    let (mut link, _) = hub.greet().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    ollama.next().await.respond(200, "a text nobody may see").await;
    link.whole(1).await;
    link.send(Frame::Cancel(call(1), tideclaw::relay::message::Cancel::default())).await;
    program.says("/api/chat answered").await;
    for line in program.log().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    assert!(!program.log().contains("nobody may see"));
}
