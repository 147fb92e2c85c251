//! A hub whose every frame is in the test's hands, callers included.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use tideclaw::relay::{CallId, Fail, Frame, Head, Hello, Open, Phase, State, VERSION, Welcome};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::process::LONG;

pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Listens.
pub struct Hub {
    listener: TcpListener,
}

/// A relay's connection.
pub struct Link {
    socket: WebSocketStream<Box<dyn Io>>,
    /// What came while something else was looked for.
    early: VecDeque<Vec<u8>>,
    /// As the relay asked: path and bearer.
    pub path: String,
    pub bearer: String,
}

/// An answer as a caller has it.
#[derive(Debug, Default)]
pub struct Answer {
    pub head: Option<Head>,
    pub body: Vec<u8>,
    pub end: Option<u64>,
    pub fail: Option<Fail>,
}

pub fn call(number: u64) -> CallId {
    CallId::new(number).unwrap()
}

/// A chat request to `model`.
pub fn chat(model: &str, length: usize) -> Open {
    request("POST", "/api/chat", model, length)
}

pub fn request(method: &str, path: &str, model: &str, length: usize) -> Open {
    Open {
        version: VERSION,
        method: method.to_owned(),
        path: path.to_owned(),
        length: length as u64,
        model: model.to_owned(),
        relay: None,
    }
}

impl Hub {
    pub async fn new() -> Hub {
        Hub { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/relay", self.listener.local_addr().unwrap())
    }

    pub async fn tcp(&self) -> tokio::net::TcpStream {
        timeout(LONG, self.listener.accept()).await.expect("nobody came").unwrap().0
    }

    /// Takes the next connection as a WebSocket.
    pub async fn accept(&self) -> Link {
        Link::over(Box::new(self.tcp().await)).await
    }

    /// Takes it, and greets.
    pub async fn greet(&self) -> (Link, Hello) {
        let mut link = self.accept().await;
        let hello = link.greet().await;
        (link, hello)
    }

    /// Answers the next connection with this instead, and closes it.
    pub async fn answer(&self, response: &str) {
        let mut socket = self.tcp().await;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(socket.read_u8().await.unwrap());
        }
        socket.write_all(response.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
    }
}

impl Link {
    pub async fn over(socket: Box<dyn Io>) -> Link {
        let asked = Arc::new(Mutex::new((String::new(), String::new())));
        let noted = asked.clone();
        #[allow(clippy::result_large_err)]
        let note = move |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            let bearer = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
            *noted.lock().unwrap() = (request.uri().path().to_owned(), bearer.unwrap_or_default());
            Ok(response)
        };
        let socket = timeout(LONG, accept_hdr_async(socket, note)).await.unwrap().unwrap();
        let (path, bearer) = asked.lock().unwrap().clone();
        Link { socket, early: VecDeque::new(), path, bearer }
    }

    /// Reads HELLO and sends WELCOME.
    pub async fn greet(&mut self) -> Hello {
        let bytes = self.next().await;
        let Frame::Hello(hello) = Frame::read(&bytes).unwrap() else { panic!("no HELLO: {bytes:?}") };
        self.send(Frame::Welcome(Welcome { version: VERSION, software: "9.9.9".to_owned() })).await;
        hello
    }

    pub async fn send(&mut self, frame: Frame<'_>) {
        self.message(Message::Binary(frame.bytes().into())).await;
    }

    pub async fn message(&mut self, message: Message) {
        timeout(LONG, self.socket.send(message)).await.expect("the relay takes nothing").unwrap();
    }

    /// The next message of any kind but pings; `None`: the connection ended.
    pub async fn any(&mut self) -> Option<Message> {
        loop {
            match timeout(LONG, self.socket.next()).await.expect("the relay says nothing") {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    async fn next(&mut self) -> Vec<u8> {
        if let Some(frame) = self.early.pop_front() {
            return frame;
        }
        self.fresh().await
    }

    async fn fresh(&mut self) -> Vec<u8> {
        match self.any().await {
            Some(Message::Binary(bytes)) => bytes.to_vec(),
            other => panic!("a frame was to come, not {other:?}"),
        }
    }

    /// The next frame that `pick` wants; the others stay for later.
    pub async fn find<T>(&mut self, pick: impl Fn(Frame<'_>) -> Option<T>) -> T {
        let read = |bytes: &Vec<u8>| pick(Frame::read(bytes).unwrap());
        if let Some((place, found)) =
            self.early.iter().enumerate().find_map(|(place, bytes)| Some((place, read(bytes)?)))
        {
            self.early.remove(place);
            return found;
        }
        let deadline = Instant::now() + LONG;
        loop {
            let bytes = self.fresh().await;
            match read(&bytes) {
                Some(found) => return found,
                None => self.early.push_back(bytes),
            }
            assert!(Instant::now() < deadline, "it does not come");
        }
    }

    /// The code the relay closes with.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            match self.any().await {
                Some(Message::Close(frame)) => return frame.map_or(1005, |frame| frame.code.into()),
                Some(_) => {}
                None => panic!("it ended without a close frame"),
            }
        }
    }

    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        let _ = self.socket.close(Some(frame)).await;
        while self.any().await.is_some() {}
    }

    /// Opens a call and sends a short body.
    pub async fn open(&mut self, id: u64, open: Open, body: &[u8]) {
        self.send(Frame::Open(call(id), open)).await;
        if !body.is_empty() {
            self.send(Frame::Data { call: call(id), offset: 0, bytes: body }).await;
        }
    }

    /// The failure of a call.
    pub async fn fail(&mut self, id: u64) -> Fail {
        self.find(|frame| match frame {
            Frame::Fail(of, fail) if of == call(id) => Some(fail),
            _ => None,
        })
        .await
    }

    pub async fn head(&mut self, id: u64) -> Head {
        self.find(|frame| match frame {
            Frame::Head(of, head) if of == call(id) => Some(head),
            _ => None,
        })
        .await
    }

    /// The next bytes of an answer, with their offset.
    pub async fn data(&mut self, id: u64) -> (u64, Vec<u8>) {
        self.find(|frame| match frame {
            Frame::Data { call: of, offset, bytes } if of == call(id) => Some((offset, bytes.to_vec())),
            _ => None,
        })
        .await
    }

    /// What the relay says a call waits for.
    pub async fn wait(&mut self, id: u64) -> Phase {
        self.find(|frame| match frame {
            Frame::Wait(of, wait) if of == call(id) => Some(wait.phase),
            _ => None,
        })
        .await
    }

    /// How far the body of a call may go now.
    pub async fn credit(&mut self, id: u64) -> u64 {
        self.find(|frame| match frame {
            Frame::Credit { call: of, limit, .. } if of == call(id) => Some(limit),
            _ => None,
        })
        .await
    }

    /// The first STATE that has what is looked for.
    pub async fn state<T>(&mut self, pick: impl Fn(State) -> Option<T>) -> T {
        self.find(|frame| match frame {
            Frame::State(state) => pick(state),
            _ => None,
        })
        .await
    }

    /// Reads a call's answer on, giving credit, until it ends or has `until` bytes.
    pub async fn read(&mut self, id: u64, answer: &mut Answer, until: usize) {
        while answer.end.is_none() && answer.fail.is_none() && answer.body.len() < until {
            let bytes = self
                .find(|frame| match frame {
                    Frame::Head(of, _)
                    | Frame::Data { call: of, .. }
                    | Frame::End { call: of, .. }
                    | Frame::Fail(of, _)
                        if of == call(id) =>
                    {
                        Some(frame.bytes())
                    }
                    _ => None,
                })
                .await;
            match Frame::read(&bytes).unwrap() {
                Frame::Head(_, head) => answer.head = Some(head),
                Frame::Data { offset, bytes, .. } => {
                    assert_eq!(offset, answer.body.len() as u64, "bytes lost or doubled");
                    answer.body.extend(bytes);
                    let received = answer.body.len() as u64;
                    self.send(Frame::Credit { call: call(id), received, limit: received + tideclaw::relay::WINDOW })
                        .await;
                }
                Frame::End { length, .. } => answer.end = Some(length),
                Frame::Fail(_, fail) => answer.fail = Some(fail),
                _ => {}
            }
        }
    }

    /// The whole answer.
    pub async fn whole(&mut self, id: u64) -> Answer {
        let mut answer = Answer::default();
        self.read(id, &mut answer, usize::MAX).await;
        answer
    }
}
