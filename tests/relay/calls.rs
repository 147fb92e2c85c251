//! Calls that go well, and calls that end early.

use std::time::Duration;

use tideclaw::relay::message::Cancel;
use tideclaw::relay::{CHUNK, FailCode, Frame, Phase, WINDOW};
use tokio::time::timeout;

use super::hub::{Answer, Hub, Link, call, chat, request};
use super::ollama::Ollama;
use super::process::{Program, TOKEN};

const BODY: &str = r#"{"model":"qwen3:8b","messages":[]}"#;

#[tokio::test]
async fn a_relay_introduces_itself_and_serves_a_call() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b", "tiny:1b"]).await);
    let program = Program::start(&hub.url(), &ollama.url(), &["--name", "vds", "--max-parallel", "3"]);
    let (mut link, hello) = hub.greet().await;
    assert_eq!((link.path.as_str(), link.bearer.as_str()), ("/relay", format!("Bearer {TOKEN}").as_str()));
    assert_eq!((hello.name.as_str(), hello.state.max_parallel, hello.takeover), ("vds", 3, true));
    assert_eq!(hello.software, env!("CARGO_PKG_VERSION"));
    assert!(hello.calls.is_empty());
    let models: Vec<_> =
        hello.state.models.iter().map(|model| (model.name.as_str(), model.size, model.loaded)).collect();
    assert_eq!(models, [("qwen3:8b", Some(1_000), true), ("tiny:1b", Some(1_000), true)]);
    assert_eq!((hello.state.ollama.as_deref(), hello.state.trouble), (Some("0.30.1"), None));
    program.says("connected to 127.0.0.1 (release 9.9.9) as vds, 2 models").await;

    link.open(7, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let mut request = ollama.next().await;
    assert_eq!(request.body().await, BODY.as_bytes());
    assert!(request.head.starts_with("POST /api/chat HTTP/1.1\r\n"), "{}", request.head);
    assert!(!request.head.to_lowercase().contains("authorization"), "{}", request.head);
    request.begin().await;
    request.chunk(b"{\"message\":1}\n").await;
    assert_eq!(link.head(7).await.status, 200);
    assert_eq!(link.data(7).await, (0, b"{\"message\":1}\n".to_vec()));
    request.chunk(b"{\"done\":true}\n").await;
    request.end().await;
    assert_eq!(link.data(7).await, (14, b"{\"done\":true}\n".to_vec()));
    let rest = link.whole(7).await;
    assert_eq!((rest.end, rest.body.len()), (Some(28), 0));
    program.says("/api/chat answered").await;
}

/// A body of a length, with the model in front.
fn body_of(length: usize) -> Vec<u8> {
    let (front, back) = (br#"{"model":"qwen3:8b","images":["#, b"\"]}");
    let mut body = [&front[..], b"\""].concat();
    body.resize(length - back.len(), b'A');
    body.extend(back);
    body
}

async fn relay_and_two(models: &[&str], more: &[&str]) -> (Hub, Ollama, Program, Link) {
    let (hub, ollama) = (Hub::new().await, Ollama::new(models).await);
    let program = Program::start(&hub.url(), &ollama.url(), more);
    let (link, _) = hub.greet().await;
    (hub, ollama, program, link)
}

#[tokio::test]
async fn a_reader_that_stands_still_holds_ollama_back() {
    let (_hub, mut ollama, program, mut link) = relay_and_two(&["qwen3:8b"], &[]).await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let mut request = ollama.next().await;
    request.begin().await;
    // No credit is given: Ollama can write as much as the sockets between hold, and the window.
    let piece: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
    let chunk = piece.clone();
    let mut writer = tokio::spawn(async move {
        for _ in 0..400 {
            request.chunk(&chunk).await;
        }
        request.end().await;
    });
    assert!(timeout(Duration::from_secs(3), &mut writer).await.is_err(), "nothing holds it back");
    let memory = program.memory("VmHWM");
    assert!(memory < 45_000, "{memory} kB");
    let mut answer = Answer::default();
    link.read(1, &mut answer, usize::MAX).await;
    assert_eq!((answer.end, answer.body.len()), (Some(40_000_000), 40_000_000));
    assert!(answer.body.chunks(piece.len()).all(|there| there == piece), "not what was written");
    writer.await.unwrap();
}

#[tokio::test]
async fn a_large_request_streams_through() {
    let (_hub, mut ollama, program, mut link) = relay_and_two(&["qwen3:8b"], &[]).await;
    let body = body_of(tideclaw::relay::MAX_BODY as usize);
    link.open(1, chat("qwen3:8b", body.len()), b"").await;
    let window = WINDOW as usize;
    for (at, piece) in body[..window].chunks(CHUNK).enumerate() {
        link.send(Frame::Data { call: call(1), offset: (at * CHUNK) as u64, bytes: piece }).await;
    }
    let mut request = ollama.next().await;
    assert_eq!(request.length, body.len());
    let mut sent = window;
    let mut arrived = Vec::new();
    while arrived.len() < body.len() {
        let more = CHUNK.min(body.len() - arrived.len());
        arrived.extend(request.part(more).await);
        while sent < body.len() {
            if arrived.len() + window / 2 < sent {
                break; // Leave comes when more has been read.
            }
            let limit = link.credit(1).await as usize;
            assert!(limit <= sent + window, "more than a window at a time");
            while sent < limit.min(body.len()) {
                let end = (sent + CHUNK).min(limit).min(body.len());
                link.send(Frame::Data { call: call(1), offset: sent as u64, bytes: &body[sent..end] }).await;
                sent = end;
            }
        }
    }
    assert!(arrived == body, "the body was changed");
    request.respond(200, "{}").await;
    assert_eq!(link.whole(1).await.body, b"{}");
    let memory = program.memory("VmHWM");
    assert!(memory < 45_000, "{memory} kB");
}

#[tokio::test]
async fn a_request_nobody_wants_any_more_is_given_up() {
    let (_hub, mut ollama, program, mut link) = relay_and_two(&["qwen3:8b"], &["--max-parallel", "1"]).await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let mut request = ollama.next().await;
    request.begin().await;
    request.chunk(b"x").await;
    link.data(1).await;
    link.send(Frame::Cancel(call(1), Cancel::default())).await;
    request.hangs_up().await;
    // Its slot is free at once, and before Ollama has begun as well.
    link.open(2, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let request = ollama.next().await;
    link.send(Frame::Cancel(call(2), Cancel::default())).await;
    request.hangs_up().await;
    assert!(!program.log().contains("failed"), "{}", program.log());
}

#[tokio::test]
async fn what_is_more_than_the_slots_is_busy() {
    let (_hub, mut ollama, _program, mut link) = relay_and_two(&["qwen3:8b"], &["--max-parallel", "2"]).await;
    for id in [1, 2, 3] {
        link.open(id, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    }
    assert_eq!(link.fail(3).await.code, FailCode::Busy);
    // A light one needs no slot.
    link.open(4, request("GET", "/api/tags", "", 0), b"").await;
    let tags = link.whole(4).await;
    assert!(String::from_utf8(tags.body).unwrap().contains("qwen3:8b"));
    let (mut first, mut second) = (ollama.next().await, ollama.next().await);
    first.respond(200, "one").await;
    second.respond(429, "two").await;
    let mut answers =
        [link.whole(1).await, link.whole(2).await].map(|answer| (answer.head.unwrap().status, answer.body));
    answers.sort();
    assert_eq!(answers, [(200, b"one".to_vec()), (429, b"two".to_vec())]);
    link.open(5, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    ollama.next().await.respond(200, "three").await;
    assert_eq!(link.whole(5).await.body, b"three");
}

#[tokio::test]
async fn an_answer_before_the_body_is_complete_gets_through() {
    let (_hub, mut ollama, _program, mut link) = relay_and_two(&["qwen3:8b"], &[]).await;
    let body = body_of(200_000);
    link.open(1, chat("qwen3:8b", body.len()), &body[..50_000]).await;
    let mut request = ollama.next().await;
    request.part(10_000).await;
    request.respond(400, r#"{"error":"no"}"#).await;
    let answer = link.whole(1).await;
    assert_eq!((answer.head.unwrap().status, answer.body), (400, br#"{"error":"no"}"#.to_vec()));
    // What still comes of the body does no harm.
    link.send(Frame::Data { call: call(1), offset: 50_000, bytes: &body[50_000..90_000] }).await;
    link.open(2, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    ollama.next().await.respond(200, "fine").await;
    assert_eq!(link.whole(2).await.body, b"fine");
}

#[tokio::test]
async fn an_ollama_that_dies_is_told_apart() {
    let (_hub, mut ollama, program, mut link) = relay_and_two(&["qwen3:8b"], &[]).await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let mut request = ollama.next().await;
    request.begin().await;
    request.chunk(b"half an answer").await;
    link.data(1).await;
    ollama.die().await;
    drop(request);
    assert_eq!(link.fail(1).await.code, FailCode::Broken);
    // Looked at again after the call: the hub hears of it.
    let trouble = link.state(|state| state.trouble).await;
    assert!(trouble.contains("cannot be reached"), "{trouble}");
    link.open(2, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let fail = link.fail(2).await;
    assert_eq!(fail.code, FailCode::Unreachable, "{fail:?}");
    program.says("Ollama cannot be reached").await;
}

#[tokio::test]
async fn a_model_that_is_being_loaded_is_said_to_be() {
    let (_hub, mut ollama, _program, mut link) = relay_and_two(&["qwen3:8b", "big:70b"], &[]).await;
    ollama.lists.lock().unwrap().loaded.clear();
    link.open(1, request("GET", "/api/ps", "", 0), b"").await;
    link.whole(1).await;
    // The relay looks again after a call.
    link.state(|state| state.models.iter().all(|model| !model.loaded).then_some(())).await;
    link.open(2, chat("big:70b", 19), br#"{"model":"big:70b"}"#).await;
    let mut request = ollama.next().await;
    assert_eq!(link.wait(2).await, Phase::Loading);
    ollama.lists.lock().unwrap().loaded.push("big:70b".to_owned());
    while link.wait(2).await != Phase::Working {}
    request.respond(200, "loaded").await;
    assert_eq!(link.whole(2).await.body, b"loaded");
}
