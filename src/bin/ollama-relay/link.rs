//! One WebSocket to the hub, from the first packet to its end. Not here: whether and when there will be another (`links.rs`).

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::{Sink, SinkExt, Stream, StreamExt};
use rustls::ClientConfig;
use tideclaw::relay::server::Breach;
use tideclaw::relay::{MAX_FRAME, close};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response, header};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::address::Address;
use super::house::House;
use super::token::Token;

/// Each of the steps to a link takes at most so long.
const STEP: Duration = Duration::from_secs(10);
/// One address of several is tried for so long.
const TRY: Duration = Duration::from_secs(5);
const PING: Duration = Duration::from_secs(30);
const PING_WITH_CALLS: Duration = Duration::from_secs(10);
/// Something must come within this time after a ping.
const PONG: Duration = Duration::from_secs(10);
/// A frame is taken within this time.
const WRITE: Duration = Duration::from_secs(15);
/// A goodbye is not waited for much longer.
const GOODBYE: Duration = Duration::from_secs(2);

/// A WebSocket.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why there is no link, or no longer. The text is for the owner, and says what to do where something can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    #[error("{0} has no address: is it spelt right, does name resolution work here? ({1})")]
    Name(String, String),
    #[error("{0} cannot be reached: {1}")]
    Connect(String, String),
    #[error("no secure connection: {0}")]
    Tls(String),
    #[error("the token is refused: {0} Is it the Worker's RELAY_TOKEN?")]
    Token(String),
    #[error("404: RELAY_TOKEN is not set on the Worker, or the address is wrong")]
    NotThere,
    #[error(
        "{0}: Cloudflare Access (or another gate) stands before /relay; let this path through, the token guards it"
    )]
    Gate(u16),
    #[error("{0}: the Worker does not make it a WebSocket")]
    Http(u16),
    #[error("another relay of this name took over")]
    Replaced,
    #[error("the Worker and this release have no version of the protocol in common; update the older one")]
    Version,
    #[error("the hub heard nothing and closed")]
    Silent,
    #[error("the hub closed: this relay broke the protocol ({0})")]
    Blamed(String),
    #[error("the hub broke the protocol: {0}")]
    Breach(Breach),
    #[error("the hub sent a frame that is too long")]
    TooLong,
    #[error("the hub closed the connection ({0})")]
    Closed(u16),
    #[error("the connection broke: {0}")]
    Broke(String),
    #[error("the hub does not answer pings")]
    Deaf,
    #[error("the hub does not greet")]
    NoWelcome,
    #[error("the hub takes nothing")]
    Stuck,
}

/// How a link ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// We said goodbye.
    Stopped,
    Lost(Loss),
}

/// Makes a WebSocket. Nothing has been said on it.
pub async fn open(hub: &Address, token: &Token, tls: &Arc<ClientConfig>) -> Result<Socket, Loss> {
    let socket = dial(hub).await?;
    let broken = |error: &dyn std::fmt::Display| Loss::Broke(error.to_string());
    let mut request = hub.url.as_str().into_client_request().map_err(|error| broken(&error))?;
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.secret())).map_err(|error| broken(&error))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    let agent = concat!("ollama-relay/", env!("CARGO_PKG_VERSION"));
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(agent));
    let settings = WebSocketConfig::default()
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME))
        .read_buffer_size(16 * 1024)
        .write_buffer_size(16 * 1024)
        .max_write_buffer_size(2 * MAX_FRAME);
    let connector = if hub.tls { Connector::Rustls(tls.clone()) } else { Connector::Plain };
    match timeout(STEP, client_async_tls_with_config(request, socket, Some(settings), Some(connector))).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(response))) => Err(refusal(&response)),
        Ok(Err(tungstenite::Error::Tls(error))) => Err(Loss::Tls(error.to_string())),
        Ok(Err(tungstenite::Error::Io(error))) if hub.tls && error.kind() == std::io::ErrorKind::InvalidData => {
            Err(Loss::Tls(error.to_string()))
        }
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err(Loss::Connect(hub.host.clone(), "it does not answer".to_owned())),
    }
}

/// A TCP connection, to the first address that takes one.
async fn dial(hub: &Address) -> Result<TcpStream, Loss> {
    let named = timeout(STEP, lookup_host((hub.host.as_str(), hub.port))).await;
    let no_name = |why: String| Loss::Name(hub.host.clone(), why);
    let addresses: Vec<_> =
        named.map_err(|_| no_name("no answer".to_owned()))?.map_err(|error| no_name(error.to_string()))?.collect();
    let mut why = "it has no address".to_owned();
    for address in addresses.into_iter().take(4) {
        match timeout(TRY, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                // Lines of an answer are small and must not wait for each other.
                let _ = socket.set_nodelay(true);
                return Ok(socket);
            }
            Ok(Err(error)) => why = format!("{address}: {error}"),
            Err(_) => why = format!("{address}: no answer"),
        }
    }
    Err(Loss::Connect(hub.host.clone(), why))
}

fn refusal(response: &Response<Option<Vec<u8>>>) -> Loss {
    let body = response.body().as_deref().unwrap_or_default();
    let ours = serde_json::from_slice::<serde_json::Value>(body).ok();
    let said = ours.as_ref().and_then(|ours| ours.get("error")).map(|error| {
        let said = error.get("message").unwrap_or(error).as_str().unwrap_or("no reason given");
        said.chars().take(200).collect::<String>()
    });
    match (response.status().as_u16(), said) {
        (401, said) => Loss::Token(said.unwrap_or_else(|| "401.".to_owned())),
        (403, Some(said)) => Loss::Token(said),
        (404, _) => Loss::NotThere,
        (status @ (301..=303 | 307 | 308 | 403), _) => Loss::Gate(status),
        (status, _) => Loss::Http(status),
    }
}

/// What both directions of a link know of each other.
struct Pulse {
    heard: Cell<Instant>,
    pinged: Cell<Option<Instant>>,
    welcomed: Cell<bool>,
}

/// Lives on a WebSocket until it ends. `greeted` is called when the hub has taken us.
pub async fn live(house: &Arc<House>, socket: Socket, greeted: impl Fn(&str), stopping: impl Fn() -> bool) -> Ended {
    let pulse = Pulse { heard: Cell::new(Instant::now()), pinged: Cell::new(None), welcomed: Cell::new(false) };
    let (mut sink, mut stream) = socket.split();
    house.with(|relay, _| relay.connected());
    let ended = tokio::select! {
        loss = listen(house, &mut stream, &pulse, greeted) => Ended::Lost(loss),
        ended = speak(house, &mut sink, &pulse, stopping) => ended,
    };
    house.deaf();
    house.with(|relay, now| relay.disconnected(now));
    let (code, reason) = match &ended {
        Ended::Stopped => (1000, "stopping".to_owned()),
        Ended::Lost(Loss::Breach(breach)) => (breach.code(), breach.to_string()),
        Ended::Lost(Loss::TooLong) => (close::PROTOCOL, "a frame that is too long".to_owned()),
        Ended::Lost(Loss::Deaf | Loss::NoWelcome) => (close::SILENT, "silent".to_owned()),
        Ended::Lost(_) => return ended,
    };
    let goodbye = async {
        let _ = sink.send(Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))).await;
        while stream.next().await.is_some_and(|message| message.is_ok()) {}
    };
    let _ = timeout(GOODBYE, goodbye).await;
    ended
}

async fn listen<S>(house: &Arc<House>, stream: &mut S, pulse: &Pulse, greeted: impl Fn(&str)) -> Loss
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
{
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(tungstenite::Error::Capacity(_))) => return Loss::TooLong,
            Some(Err(error)) => return Loss::Broke(error.to_string()),
            None => return Loss::Broke("it ended".to_owned()),
        };
        pulse.heard.set(Instant::now());
        house.figures.received.fetch_add(message.len() as u64, Ordering::Relaxed);
        match message {
            Message::Binary(frame) => match house.with(|relay, now| relay.receive(&frame, now)) {
                Ok(None) => {}
                Ok(Some(welcome)) => {
                    pulse.welcomed.set(true);
                    house.heard();
                    greeted(&welcome.software);
                }
                Err(breach) => return Loss::Breach(breach),
            },
            Message::Text(_) => return Loss::Breach(Breach::Text),
            Message::Pong(_) => {
                house.heard();
                if let Some(pinged) = pulse.pinged.take() {
                    let ms = u32::try_from(pinged.elapsed().as_millis()).unwrap_or(u32::MAX);
                    house.figures.latency_ms.store(ms, Ordering::Relaxed);
                    house.with(|relay, _| relay.latency(ms));
                }
            }
            Message::Close(frame) => return closed(frame),
            Message::Ping(_) | Message::Frame(_) => {}
        }
    }
}

/// What a close frame means.
pub fn closed(frame: Option<CloseFrame>) -> Loss {
    let Some(frame) = frame else { return Loss::Closed(1005) };
    let reason: String = frame.reason.as_str().chars().take(200).collect();
    match frame.code.into() {
        close::PROTOCOL => Loss::Blamed(reason),
        close::TOKEN => {
            Loss::Token(if reason.is_empty() { "it is no longer the one that is set.".to_owned() } else { reason })
        }
        close::SILENT => Loss::Silent,
        close::REPLACED => Loss::Replaced,
        close::VERSION => Loss::Version,
        code => Loss::Closed(code),
    }
}

async fn speak<S>(house: &Arc<House>, sink: &mut S, pulse: &Pulse, stopping: impl Fn() -> bool) -> Ended
where
    S: Sink<Message, Error = tungstenite::Error> + Unpin,
{
    let began = Instant::now();
    let mut last_ping = None;
    loop {
        if let Err(loss) = send_all(house, sink).await {
            return Ended::Lost(loss);
        }
        let now = Instant::now();
        if !pulse.welcomed.get() && now >= began + STEP {
            return Ended::Lost(Loss::NoWelcome);
        }
        if pulse.pinged.get().is_some_and(|pinged| now >= pinged.max(pulse.heard.get()) + PONG) {
            return Ended::Lost(Loss::Deaf);
        }
        let (has_calls, is_quiet) = house.quietly(|relay, _| (relay.has_calls(), relay.is_quiet()));
        if stopping() && pulse.welcomed.get() && is_quiet {
            return Ended::Stopped;
        }
        let every = if has_calls { PING_WITH_CALLS } else { PING };
        let due = last_ping.map_or(now, |last: Instant| last + every);
        if pulse.welcomed.get() && now >= due {
            last_ping = Some(now);
            pulse.pinged.set(pulse.pinged.get().or(Some(now)));
            match timeout(WRITE, sink.send(Message::Ping(Bytes::new()))).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Ended::Lost(Loss::Broke(error.to_string())),
                Err(_) => return Ended::Lost(Loss::Stuck),
            }
            continue;
        }
        let next = if pulse.welcomed.get() { due } else { began + STEP };
        let next = pulse.pinged.get().map_or(next, |pinged| next.min(pinged.max(pulse.heard.get()) + PONG));
        tokio::select! {
            () = house.outward.notified() => {}
            () = sleep_until(next) => {}
        }
    }
}

/// Sends what there is to send, as fast as it is taken.
async fn send_all<S>(house: &Arc<House>, sink: &mut S) -> Result<(), Loss>
where
    S: Sink<Message, Error = tungstenite::Error> + Unpin,
{
    let mut sent = false;
    while let Some(frame) = house.quietly(|relay, now| relay.transmit(now)) {
        sent = true;
        house.figures.sent.fetch_add(frame.len() as u64, Ordering::Relaxed);
        match timeout_at(Instant::now() + WRITE, sink.feed(Message::Binary(frame.into()))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Loss::Broke(error.to_string())),
            Err(_) => return Err(Loss::Stuck),
        }
    }
    if !sent {
        return Ok(());
    }
    match timeout(WRITE, sink.flush()).await {
        Ok(result) => result.map_err(|error| Loss::Broke(error.to_string())),
        Err(_) => Err(Loss::Stuck),
    }
}
