//! Twenty streams at once, and what they cost.

use tideclaw::relay::{Frame, WINDOW};

use super::hub::{Answer, Hub, call, chat};
use super::ollama::Ollama;
use super::process::Program;

const BODY: &str = r#"{"model":"qwen3:8b","messages":[]}"#;
const STREAMS: u64 = 20;
const PIECES: usize = 40;

#[tokio::test]
async fn twenty_streams_side_by_side_are_small_and_whole() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let program = Program::start(&hub.url(), &ollama.url(), &["--max-parallel", "20"]);
    let (mut link, _) = hub.greet().await;
    for id in 1..=STREAMS {
        link.open(id, chat("qwen3:8b", BODY.len()), BODY.as_bytes()).await;
    }
    let piece: Vec<u8> = (0..50_000u32).map(|at| (at % 247) as u8).collect();
    let mut writers = Vec::new();
    for _ in 0..STREAMS {
        let (mut request, piece) = (ollama.next().await, piece.clone());
        writers.push(tokio::spawn(async move {
            request.body().await;
            request.begin().await;
            for _ in 0..PIECES {
                request.chunk(&piece).await;
            }
            request.end().await;
        }));
    }
    // First nobody reads: every window fills up. Then all are read, in turn.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let mut answers: Vec<Answer> = (0..STREAMS).map(|_| Answer::default()).collect();
    while answers.iter().any(|answer| answer.end.is_none()) {
        let bytes = link
            .find(|frame| match frame {
                Frame::Data { .. } | Frame::End { .. } => Some(frame.bytes()),
                _ => None,
            })
            .await;
        match Frame::read(&bytes).unwrap() {
            Frame::Data { call: of, offset, bytes } => {
                let answer = &mut answers[(1..=STREAMS).position(|id| call(id) == of).unwrap()];
                assert_eq!(offset, answer.body.len() as u64);
                answer.body.extend(bytes);
                let received = answer.body.len() as u64;
                link.send(Frame::Credit { call: of, received, limit: received + WINDOW }).await;
            }
            Frame::End { call: of, length } => {
                answers[(1..=STREAMS).position(|id| call(id) == of).unwrap()].end = Some(length)
            }
            _ => {}
        }
    }
    for answer in &answers {
        assert_eq!(answer.body.len(), PIECES * piece.len());
        assert!(answer.body.chunks(piece.len()).all(|there| there == piece), "mixed up");
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let memory = program.memory("VmHWM");
    println!("{STREAMS} streams: {memory} kB at most");
    // 20 MB is for the program as it is installed (OLLAMA_RELAY_BIN); unoptimised code is larger.
    let most = if std::env::var("OLLAMA_RELAY_BIN").is_ok() { 20_000 } else { 45_000 };
    assert!(memory < most, "{memory} kB");
}
