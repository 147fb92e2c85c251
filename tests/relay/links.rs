//! Links that break, are refused, or carry what makes no sense.

use tideclaw::relay::server::Breach;
use tideclaw::relay::{FailCode, Frame, MAX_FRAME, Resume, WINDOW, Welcome};
use tokio_tungstenite::tungstenite::Message;

use super::hub::{Answer, Hub, call, chat};
use super::ollama::Ollama;
use super::process::Program;

const BODY: &str = r#"{"model":"qwen3:8b","messages":[]}"#;

async fn two() -> (Hub, Ollama, Program) {
    let (hub, ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let program = Program::start(&hub.url(), &ollama.url(), &[]);
    (hub, ollama, program)
}

fn resume(received: usize) -> Frame<'static> {
    let received = received as u64;
    Frame::Resume(call(1), Resume { relay: "home".to_owned(), received, limit: received + WINDOW })
}

#[tokio::test]
async fn an_answer_goes_on_after_the_link_broke() {
    let (hub, mut ollama, _program) = two().await;
    let (mut link, first) = hub.greet().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let mut request = ollama.next().await;
    request.begin().await;
    let text: Vec<u8> = (0..600_000u32).map(|at| (at % 249) as u8).collect();
    let mut answer = Answer::default();
    let mut written = 0;
    for (broken, piece) in text.chunks(200_000).enumerate() {
        request.chunk(piece).await;
        written += piece.len();
        // Some of it arrives, and some is under way when it breaks.
        link.read(1, &mut answer, written - 50_000).await;
        drop(link);
        let hello;
        (link, hello) = hub.greet().await;
        assert_eq!((hello.instance.as_str(), hello.calls), (first.instance.as_str(), vec![call(1)]), "break {broken}");
        // What is not resumed is not sent.
        link.send(Frame::Data { call: call(1), offset: 9_999, bytes: b"of the old link" }).await;
        link.send(resume(answer.body.len())).await;
        let resumed = link
            .find(|frame| match frame {
                Frame::Resumed(of, resumed) if of == call(1) => Some(resumed),
                _ => None,
            })
            .await;
        assert_eq!(resumed.received, BODY.len() as u64);
        answer.head = None;
    }
    request.end().await;
    link.read(1, &mut answer, usize::MAX).await;
    assert_eq!(answer.head.map(|head| head.status), Some(200), "HEAD is repeated");
    assert!(answer.body == text, "bytes were lost or doubled");
    assert_eq!(answer.end, Some(text.len() as u64));
}

#[tokio::test]
async fn a_request_goes_on_after_the_link_broke() {
    let (hub, mut ollama, _program) = two().await;
    let (mut link, _) = hub.greet().await;
    let (front, back) = BODY.as_bytes().split_at(10);
    link.open(1, chat("qwen3:8b", BODY.len()), front).await;
    let mut request = ollama.next().await;
    assert_eq!(request.part(10).await, front);
    drop(link);
    let (mut link, _) = hub.greet().await;
    link.send(resume(0)).await;
    let resumed = link
        .find(|frame| match frame {
            Frame::Resumed(_, resumed) => Some(resumed),
            _ => None,
        })
        .await;
    assert_eq!(resumed.received, 10);
    link.send(Frame::Data { call: call(1), offset: 10, bytes: back }).await;
    assert_eq!(request.part(back.len()).await, back);
    request.respond(200, "whole").await;
    assert_eq!(link.whole(1).await.body, b"whole");
}

#[tokio::test]
async fn an_end_that_was_lost_with_its_link_is_said_again() {
    let (hub, mut ollama, _program) = two().await;
    let (mut link, _) = hub.greet().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    ollama.next().await.respond(200, "short").await;
    assert_eq!(link.data(1).await.1, b"short");
    link.find(|frame| matches!(frame, Frame::End { .. }).then_some(())).await;
    drop(link);
    let (mut link, hello) = hub.greet().await;
    assert_eq!(hello.calls, [call(1)]);
    link.send(resume(2)).await;
    assert_eq!(link.data(1).await, (2, b"ort".to_vec()));
    let mut rest = Answer { body: b"short".to_vec(), ..Answer::default() };
    link.read(1, &mut rest, usize::MAX).await;
    assert_eq!(rest.end, Some(5));
}

#[tokio::test]
async fn a_call_that_is_not_there_is_lost() {
    let (hub, _ollama, _program) = two().await;
    let (mut link, _) = hub.greet().await;
    link.send(resume(0)).await;
    assert_eq!(link.fail(1).await.code, FailCode::Lost);
}

#[tokio::test]
async fn a_link_that_is_silent_is_made_again() {
    let (hub, mut ollama, program) = two().await;
    let (mut link, _) = hub.greet().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    let _request = ollama.next().await;
    // Nobody reads it: pings are not answered. The socket itself stays open.
    let (_other, hello) = hub.greet().await;
    assert_eq!(hello.calls, [call(1)]);
    program.says("the hub does not answer pings").await;
    drop(link);
}

#[tokio::test]
async fn a_refused_token_ends_the_process() {
    for response in [
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 59\r\n\r\n{\"error\":{\"code\":\"unauthorized\",\"message\":\"Unauthorized.\"}}",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 17\r\n\r\n{\"error\":\"never\"}",
    ] {
        let (hub, _ollama, mut program) = two().await;
        hub.answer(response).await;
        assert_eq!(program.exit().await, 3, "{response}");
        program.says("the token is refused").await;
    }
    let (hub, _ollama, mut program) = two().await;
    hub.greet().await.0.close(4401).await;
    assert_eq!(program.exit().await, 3);
}

#[tokio::test]
async fn every_other_refusal_is_explained_and_tried_again() {
    let (hub, _ollama, mut program) = two().await;
    for (response, line) in [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404: RELAY_TOKEN is not set on the Worker"),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://x.cloudflareaccess.com/\r\nContent-Length: 0\r\n\r\n",
            "302: Cloudflare Access",
        ),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 13\r\n\r\n<html></html>", "403: Cloudflare Access"),
        ("no HTTP at all\r\n\r\n", "the connection broke"),
    ] {
        hub.answer(response).await;
        program.says(line).await;
    }
    hub.greet().await;
    assert!(program.is_running());
}

#[tokio::test]
async fn a_relay_that_was_replaced_waits_for_its_name() {
    let (hub, _ollama, program) = two().await;
    let (link, hello) = hub.greet().await;
    assert!(hello.takeover);
    link.close(4409).await;
    program.says("another relay named home took over").await;
    let (_link, again) = hub.greet().await;
    assert!(!again.takeover, "it would take the name back, for ever");
}

#[tokio::test]
async fn a_hub_that_closes_is_asked_again() {
    let (hub, mut ollama, program) = two().await;
    hub.greet().await.0.close(4400).await;
    program.says("this relay broke the protocol").await;
    hub.greet().await.0.close(1001).await;
    program.says("the hub closed the connection (1001)").await;
    let (mut link, _) = hub.greet().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    ollama.next().await.respond(200, "fine").await;
    assert_eq!(link.whole(1).await.body, b"fine");
}

#[tokio::test]
async fn what_makes_no_sense_closes_the_link() {
    let (hub, _ollama, _program) = two().await;
    let nonsense = [
        Message::Text("hello".into()),
        Message::Binary(vec![0; MAX_FRAME + 1].into()),
        Message::Binary(vec![0x7f; 20].into()),
        Message::Binary(vec![].into()),
        Message::Binary(b"\x10\0\0\0\0\0\0\0\x01{}".to_vec().into()),
        // A frame that only a relay sends.
        Message::Binary(Frame::End { call: call(1), length: 1 }.bytes().into()),
        // A second greeting.
        Message::Binary(Frame::Welcome(Welcome { version: 1, software: String::new() }).bytes().into()),
    ];
    // The waits between double: not all of them on one relay.
    let hubs = [(hub, _ollama, _program), two().await, two().await];
    for (number, message) in nonsense.into_iter().enumerate() {
        let (mut link, _) = hubs[number % hubs.len()].0.greet().await;
        link.message(message).await;
        assert_eq!(link.close_code().await, 4400, "{number}");
    }
}

#[tokio::test]
async fn nothing_comes_before_the_greeting_and_no_other_version_after_it() {
    let (hub, _ollama, program) = two().await;
    let mut link = hub.accept().await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    assert_eq!(link.close_code().await, 4400);
    let mut link = hub.accept().await;
    link.find(|frame| matches!(frame, Frame::Hello(_)).then_some(())).await;
    link.send(Frame::Welcome(Welcome { version: 99, software: "99".to_owned() })).await;
    assert_eq!(link.close_code().await, 4426);
    program.says(&Breach::Version(99).to_string()).await;
}

#[tokio::test]
async fn frames_of_a_newer_version_are_read_over() {
    let (hub, mut ollama, _program) = two().await;
    let (mut link, _) = hub.greet().await;
    link.message(Message::Binary(vec![0x80; 300].into())).await;
    link.open(1, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    ollama.next().await.respond(200, "fine").await;
    assert_eq!(link.whole(1).await.body, b"fine");
}
