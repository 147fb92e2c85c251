//! What does not pass, and that nothing on the machine notices it.

use tideclaw::relay::{FailCode, Frame};

use super::hub::{Hub, call, chat, request};
use super::ollama::Ollama;
use super::process::Program;

#[tokio::test]
async fn no_other_request_passes() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let _program = Program::start(&hub.url(), &ollama.url(), &[]);
    let (mut link, _) = hub.greet().await;
    let body = br#"{"model":"qwen3:8b"}"#;
    let wrong = [
        ("POST", "/api/chat/../delete"),
        ("POST", "/api/chat/..%2fdelete"),
        ("POST", "/api/pull"),
        ("DELETE", "/api/delete"),
        ("POST", "http://169.254.169.254/api/chat"),
        ("POST", "//169.254.169.254/api/chat"),
        ("GET", "/api/chat"),
        ("POST", "/api/chat?x=1"),
        ("POST", "/api/chat HTTP/1.1\r\nX: y"),
        ("CONNECT", "localhost:22"),
        ("GET", "file:///etc/passwd"),
    ];
    for (number, (method, path)) in (1..).zip(wrong) {
        link.open(number, request(method, path, "qwen3:8b", body.len()), body).await;
        assert_eq!(link.fail(number).await.code, FailCode::Refused, "{method} {path}");
    }
    assert!(ollama.is_untouched());
}

#[tokio::test]
async fn models_callers_may_not_use_do_not_exist_for_them() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b", "private:7b"]).await);
    let more = ["--allow-model", "qwen3*", "--allow-model", "tiny:?b"];
    let program = Program::start(&hub.url(), &ollama.url(), &more);
    let (mut link, hello) = hub.greet().await;
    let told: Vec<_> = hello.state.models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(told, ["qwen3:8b"]);
    for (id, path) in [(1, "/api/tags"), (2, "/api/ps")] {
        link.open(id, request("GET", path, "", 0), b"").await;
        let list = String::from_utf8(link.whole(id).await.body).unwrap();
        assert!(list.contains("qwen3:8b") && !list.contains("private"), "{list}");
    }
    let private = br#"{"model":"private:7b"}"#;
    for (id, path) in [(3, "/api/show"), (4, "/api/chat"), (5, "/api/embed")] {
        link.open(id, request("POST", path, "private:7b", private.len()), private).await;
        assert_eq!(link.fail(id).await.code, FailCode::Refused, "{path}");
        // Nor by saying one thing and meaning another.
        link.open(id + 10, request("POST", path, "qwen3:8b", private.len()), private).await;
        assert_eq!(link.fail(id + 10).await.code, FailCode::Refused, "{path}");
    }
    for (id, body) in (20..).zip([
        &br#"{"model":"qwen3:8b","model":"private:7b"}"#[..],
        br#"{"model":"qwen3:8b","Model":"private:7b"}"#,
        br#"{"model":"qwen3:8b","mo\u0064el":"private:7b"}"#,
        br#"{"name":"private:7b"}"#,
        br#"[]"#,
    ]) {
        link.open(id, request("POST", "/api/show", "qwen3:8b", body.len()), body).await;
        assert_eq!(link.fail(id).await.code, FailCode::Refused, "{}", String::from_utf8_lossy(body));
    }
    program.says("the body names another model").await;
    // Requests whose body turned out wrong were begun at most, and never complete.
    while let Ok(exchange) = tokio::time::timeout(std::time::Duration::from_millis(300), ollama.next()).await {
        exchange.hangs_up().await;
    }
    let good = br#"{"model":"qwen3:8b"}"#;
    link.open(40, request("POST", "/api/show", "qwen3:8b", good.len()), good).await;
    ollama.next().await.respond(200, "shown").await;
    assert_eq!(link.whole(40).await.body, b"shown");
}

#[tokio::test]
async fn lengths_and_offsets_are_kept_to() {
    let (hub, mut ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let _program = Program::start(&hub.url(), &ollama.url(), &[]);
    let (mut link, _) = hub.greet().await;
    for (id, path, length) in
        [(1, "/api/chat", 16 * 1024 * 1024 + 1), (2, "/api/show", 64 * 1024 + 1), (3, "/api/chat", 0)]
    {
        link.open(id, request("POST", path, "qwen3:8b", length), b"").await;
        assert_eq!(link.fail(id).await.code, FailCode::Refused, "{path} {length}");
    }
    link.open(4, request("GET", "/api/tags", "", 1), b"").await;
    assert_eq!(link.fail(4).await.code, FailCode::Refused);
    assert!(ollama.is_untouched());
    let body = br#"{"model":"qwen3:8b"}"#;
    // Longer than said; a gap; the same again; more than the window.
    for (id, offset, bytes) in [(5, 0, &vec![b' '; 31][..]), (6, 25, b"x"), (7, 3, b"x")] {
        link.open(id, chat("qwen3:8b", 30), b"").await;
        link.send(Frame::Data { call: call(id), offset: 0, bytes: &body[..if id == 5 { 0 } else { 20 }] }).await;
        link.send(Frame::Data { call: call(id), offset, bytes }).await;
        assert_eq!(link.fail(id).await.code, FailCode::Protocol, "{id}");
    }
    link.open(8, chat("qwen3:8b", 400_000), b"").await;
    for offset in (0..5).map(|at| at * 60_000) {
        link.send(Frame::Data { call: call(8), offset, bytes: &vec![b' '; 60_000] }).await;
    }
    // A call opened twice is over.
    link.open(9, chat("qwen3:8b", 400_000), b"{").await;
    link.open(9, chat("qwen3:8b", 400_000), b"").await;
    assert_eq!(link.fail(9).await.code, FailCode::Protocol);
}
