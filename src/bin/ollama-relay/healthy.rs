//! `ollama-relay healthy`: asks the relay that runs here whether its connection is up. For health checks of containers, where no curl is.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

/// Whether it is. An error says why it could not be asked.
pub async fn ask(metrics: SocketAddr) -> Result<bool, String> {
    let mut address = metrics;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let work = async {
        let mut socket = TcpStream::connect(address).await?;
        socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n").await?;
        let mut answer = Vec::new();
        socket.take(1_024).read_to_end(&mut answer).await?;
        Ok::<bool, std::io::Error>(answer.starts_with(b"HTTP/1.1 200 "))
    };
    let answer = timeout(PATIENCE, work).await.map_err(|_| format!("nobody answers on {address}"))?;
    answer.map_err(|error| format!("nobody answers on {address}: {error}"))
}
