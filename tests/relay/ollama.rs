//! A small Ollama: its lists answer by themselves, every other request is in the test's hands.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::process::LONG;

pub struct Ollama {
    address: std::net::SocketAddr,
    requests: mpsc::UnboundedReceiver<Exchange>,
    pub lists: Arc<Mutex<Lists>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
pub struct Lists {
    pub models: Vec<String>,
    pub loaded: Vec<String>,
}

/// A request, and the connection to answer on. Dropped, the connection breaks.
pub struct Exchange {
    pub head: String,
    pub path: String,
    pub length: usize,
    /// Bytes of the body that nobody has read.
    unread: usize,
    socket: TcpStream,
}

impl Ollama {
    pub async fn new(models: &[&str]) -> Ollama {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        let models: Vec<String> = models.iter().map(|&name| name.to_owned()).collect();
        let lists = Arc::new(Mutex::new(Lists { loaded: models.clone(), models }));
        let shared = lists.clone();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (lists, sender) = (shared.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Some(exchange) = Exchange::read(socket).await {
                        let lists = lists.lock().unwrap().clone();
                        exchange.serve(lists, &sender).await;
                    }
                });
            }
        });
        Ollama { address, requests, lists, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request that is not for a list.
    pub async fn next(&mut self) -> Exchange {
        timeout(LONG, self.requests.recv()).await.expect("Ollama was asked nothing").unwrap()
    }

    /// Whether nothing but lists was asked.
    pub fn is_untouched(&mut self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// From now on nobody listens here.
    pub async fn die(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Ollama {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Exchange {
    async fn read(mut socket: TcpStream) -> Option<Exchange> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let mut length = lines
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map(|(_, value)| value.trim().parse().unwrap());
        let length = length.next_back().unwrap_or(0);
        Some(Exchange { head, path, length, unread: length, socket })
    }

    async fn serve(mut self, lists: Lists, others: &mpsc::UnboundedSender<Exchange>) {
        let models = |names: &[String]| -> Value {
            names.iter().map(|name| json!({"name": name, "model": name, "size": 1_000})).collect()
        };
        let answer = match self.path.as_str() {
            "/api/tags" => json!({"models": models(&lists.models)}),
            "/api/ps" => json!({"models": models(&lists.loaded)}),
            "/api/version" => json!({"version": "0.30.1"}),
            _ => return drop(others.send(self)),
        };
        self.respond(200, &answer.to_string()).await;
    }

    /// The whole body of the request.
    pub async fn body(&mut self) -> Vec<u8> {
        self.part(self.length).await
    }

    /// The next bytes of it.
    pub async fn part(&mut self, length: usize) -> Vec<u8> {
        self.unread -= length;
        let mut body = vec![0; length];
        timeout(LONG, self.socket.read_exact(&mut body)).await.expect("the body does not come").unwrap();
        body
    }

    /// As Ollama does; to answer earlier, read a part. A connection that closes on unread bytes is reset, and takes the answer with it.
    async fn finish_body(&mut self) {
        if self.unread == self.length {
            self.body().await;
        }
    }

    /// A whole answer.
    pub async fn respond(&mut self, status: u16, body: &str) {
        self.finish_body().await;
        let answer =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        let _ = self.socket.write_all(answer.as_bytes()).await;
    }

    /// Begins an answer in chunks.
    pub async fn begin(&mut self) {
        self.finish_body().await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
        self.socket.write_all(head).await.unwrap();
    }

    pub async fn chunk(&mut self, bytes: &[u8]) {
        let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        self.socket.write_all(&chunk).await.unwrap();
    }

    pub async fn end(&mut self) {
        self.socket.write_all(b"0\r\n\r\n").await.unwrap();
    }

    /// Waits until the relay breaks the connection off.
    pub async fn hangs_up(mut self) {
        let mut rest = Vec::new();
        let _ = timeout(LONG, self.socket.read_to_end(&mut rest)).await.expect("the relay keeps asking");
    }
}
