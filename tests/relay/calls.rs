//! Calls that go well, and calls that end early.

use super::hub::{Hub, chat};
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
