//! How the program ends, and what it says when it cannot begin.

use tideclaw::relay::{FailCode, Frame};
use tokio_tungstenite::tungstenite::Message;

use super::hub::{Hub, call, chat};
use super::ollama::Ollama;
use super::process::{Program, command, scratch, token_file};

const BODY: &str = r#"{"model":"qwen3:8b","messages":[]}"#;

#[tokio::test]
async fn a_relay_with_nothing_to_do_stops_at_once() {
    for signal in ["-TERM", "-INT"] {
        let (hub, ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
        let mut program = Program::start(&hub.url(), &ollama.url(), &[]);
        let (mut link, _) = hub.greet().await;
        program.signal(signal);
        link.state(|state| state.draining.then_some(())).await;
        assert_eq!(link.close_code().await, 1000);
        assert_eq!(program.exit().await, 0, "{signal}");
    }
}

#[tokio::test]
async fn what_runs_is_finished_first() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let mut program = Program::start(&hub.url(), &ollama.url(), &[]);
    let (mut link, _) = hub.greet().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let mut request = ollama.next().await;
    request.begin().await;
    request.chunk(b"one ").await;
    assert_eq!(link.data(1).await.1, b"one ");
    program.signal("-TERM");
    link.state(|state| state.draining.then_some(())).await;
    link.open(2, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    assert_eq!(link.fail(2).await.code, FailCode::NoRelay);
    request.chunk(b"two").await;
    request.end().await;
    assert_eq!(link.data(1).await.1, b"two");
    link.find(|frame| matches!(frame, Frame::End { call: of, length: 7 } if of == call(1)).then_some(())).await;
    assert_eq!(link.close_code().await, 1000);
    assert_eq!(program.exit().await, 0);
}

#[tokio::test]
async fn who_does_not_finish_is_told() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let mut program = Program::start(&hub.url(), &ollama.url(), &[]);
    let (mut link, _) = hub.greet().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let request = ollama.next().await;
    program.signal("-TERM");
    assert_eq!(link.fail(1).await.code, FailCode::Lost);
    request.hangs_up().await;
    assert_eq!(link.close_code().await, 1000);
    assert_eq!(program.exit().await, 0);
}

#[tokio::test]
async fn a_second_signal_ends_it_whatever_runs() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let mut program = Program::start(&hub.url(), &ollama.url(), &[]);
    let (mut link, _) = hub.greet().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let _request = ollama.next().await;
    program.signal("-TERM");
    link.state(|state| state.draining.then_some(())).await;
    assert!(program.is_running());
    program.signal("-TERM");
    assert_eq!(program.exit().await, 0);
    while !matches!(link.any().await, None | Some(Message::Close(_))) {}
}

#[tokio::test]
async fn a_relay_without_a_hub_stops_too() {
    let ollama = Ollama::new(&["qwen3:8b"]).await;
    let mut program = Program::start("ws://127.0.0.1:1", &ollama.url(), &[]);
    program.says("cannot be reached").await;
    program.signal("-TERM");
    assert_eq!(program.exit().await, 0);
}

#[tokio::test]
async fn wrong_arguments_are_told_apart() {
    let token = token_file("a-token");
    let token = token.to_str().unwrap();
    let empty = scratch("empty", "");
    let empty = empty.to_str().unwrap();
    for arguments in [
        &["--token-file", token][..],
        &["--url", "wss://bot.example"],
        &["--url", "wss://bot.example", "--token-file", "/nowhere"],
        &["--url", "wss://bot.example", "--token-file", empty],
        &["--url", "ftp://bot.example", "--token-file", token],
        &["--url", "wss://bot.example", "--token-file", token, "--name", "Not A Name"],
        &["--url", "wss://bot.example", "--token-file", token, "--ollama", "11434"],
        &["--url", "wss://bot.example", "--token-file", token, "--ca-file", empty],
        &["--url", "wss://bot.example", "--token", "on-the-command-line"],
        &["healthy"],
    ] {
        let mut command = command();
        command.args(arguments);
        assert_eq!(Program::run(command).exit().await, 2, "{arguments:?}");
    }
}
