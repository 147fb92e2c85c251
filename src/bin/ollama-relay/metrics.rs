//! `GET /metrics` (Prometheus text) and `GET /healthz`, on the loopback unless the owner says otherwise. Two answers need no HTTP library.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::house::House;

/// Who asks has asked within this time, and taken the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Who asks at the same time as so many others waits.
const AT_A_TIME: usize = 8;
/// Longest request, bytes.
const LONGEST: usize = 4 * 1024;

/// Opens the port. An error is for the owner.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let listener =
        TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address} for metrics: {error}"))?;
    if !address.ip().is_loopback() {
        tracing::warn!("metrics are open to the network on {address}");
    }
    Ok(listener)
}

/// Answers for as long as the process lives.
pub async fn serve(house: Arc<House>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((socket, _)) = listener.accept().await else {
            // Out of file descriptors, as a rule: they come back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let house = house.clone();
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, answer(&house, socket)).await;
            drop(place);
        });
    }
}

async fn answer(house: &Arc<House>, mut socket: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > LONGEST || socket.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let line = request.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let (status, body) = match line.split(|&byte| byte == b' ').take(2).collect::<Vec<_>>().as_slice() {
        [b"GET", b"/metrics"] => ("200 OK", text(house)),
        [b"GET", b"/healthz"] if house.is_healthy() => ("200 OK", "ok\n".to_owned()),
        [b"GET", b"/healthz"] => ("503 Service Unavailable", "the connection to the hub is down\n".to_owned()),
        [b"GET", _] => ("404 Not Found", String::new()),
        _ => ("405 Method Not Allowed", String::new()),
    };
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(answer.as_bytes()).await?;
    socket.shutdown().await
}

fn text(house: &Arc<House>) -> String {
    let (up, tally, in_flight) = house.quietly(|relay, _| (relay.is_up(), relay.tally(), relay.in_flight()));
    let figures = &house.figures;
    let reconnects = figures.links.load(Ordering::Relaxed);
    let latency = figures.latency_ms.load(Ordering::Relaxed);
    let (received, sent) = (figures.received.load(Ordering::Relaxed), figures.sent.load(Ordering::Relaxed));
    let mut text = String::new();
    let mut family = |name: &str, kind: &str, help: &str, values: &[(&str, u64)]| {
        let _ = writeln!(text, "# HELP ollama_relay_{name} {help}\n# TYPE ollama_relay_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "ollama_relay_{name}{labels} {value}");
        }
    };
    family("connected", "gauge", "Whether the hub knows this relay.", &[("", u64::from(up))]);
    let outcomes = [
        ("{outcome=\"complete\"}", tally.complete),
        ("{outcome=\"failed\"}", tally.failed),
        ("{outcome=\"refused\"}", tally.refused),
        ("{outcome=\"cancelled\"}", tally.cancelled),
    ];
    family("calls_total", "counter", "Requests, by how they ended.", &outcomes);
    family("in_flight", "gauge", "Requests that are not answered yet.", &[("", in_flight as u64)]);
    family("reconnects_total", "counter", "Connections to the hub that ended or failed.", &[("", reconnects)]);
    let ways = [("{way=\"in\"}", received), ("{way=\"out\"}", sent)];
    family("bytes_total", "counter", "Bytes of messages from the hub (in) and to it (out).", &ways);
    family("latency_ms", "gauge", "Round trip to the hub.", &[("", u64::from(latency))]);
    text
}
