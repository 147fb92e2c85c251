//! One HTTP request over a connection of its own, with small buffers: twenty answers at once have to fit into a few megabytes, and a
//! connection that is kept could turn out to be dead. No redirects, no proxies. Not here: what is asked (`ollama.rs`).

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tideclaw::relay::FailCode;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// A connection is there within this time, or not at all.
const CONNECT: Duration = Duration::from_secs(5);
/// What is read at a time, bytes.
const BUFFER: usize = 16 * 1024;

/// A request's body.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    pub code: FailCode,
    pub message: String,
}

/// A server.
#[derive(Debug, Clone)]
pub struct Server {
    host: String,
    port: u16,
    /// As the `Host` header has it.
    authority: String,
    /// What stands before every path.
    prefix: String,
    /// `None`: plain text.
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// An answer that is still coming. Dropped, it is broken off.
pub struct Answer {
    response: Response<Incoming>,
    _connection: AbortOnDrop,
}

impl Server {
    /// An error says what is wrong with the address.
    pub fn new(address: &str, tls: &Arc<ClientConfig>) -> Result<Server, String> {
        let wrong = || format!("{address} is no address of Ollama; it looks like http://127.0.0.1:11434");
        let url = Url::parse(address.trim()).map_err(|_| wrong())?;
        let plain =
            url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(wrong()),
        };
        let tls = match url.scheme() {
            "http" if plain => None,
            "https" if plain => Some((tls.clone(), ServerName::try_from(host.clone()).map_err(|_| wrong())?)),
            _ => return Err(wrong()),
        };
        let (port, authority) = (url.port_or_known_default().ok_or_else(wrong)?, url.authority().to_owned());
        Ok(Server { host, port, authority, prefix: url.path().trim_end_matches('/').to_owned(), tls })
    }

    /// Makes a request. Returns when the answer's head is there; the caller knows how long it wants to wait for that. `length`: of the
    /// body, where there is one.
    pub async fn send(&self, method: &str, path: &str, length: Option<u64>, body: Body) -> Result<Answer, Trouble> {
        let agent = concat!("ollama-relay/", env!("CARGO_PKG_VERSION"));
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.prefix));
        request = request.header(HOST, &self.authority).header(USER_AGENT, agent);
        if let Some(length) = length {
            request = request.header(CONTENT_TYPE, "application/json").header(CONTENT_LENGTH, length);
        }
        let request = request.body(body).map_err(|error| broken(&error))?;
        let connected = timeout(CONNECT, self.connect()).await;
        let unreachable = |error: &dyn std::fmt::Display| Trouble {
            code: FailCode::Unreachable,
            message: format!("Ollama cannot be reached: {error}"),
        };
        let io = connected.map_err(|_| unreachable(&"no answer"))?.map_err(|error| unreachable(&error))?;
        let (mut sender, connection) = http1::Builder::new()
            .read_buf_exact_size(Some(BUFFER))
            .handshake(TokioIo::new(io))
            .await
            .map_err(|error| broken(&error))?;
        let connection = AbortOnDrop(tokio::spawn(async { drop(connection.await) }).abort_handle());
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        Ok(Answer { response, _connection: connection })
    }

    async fn connect(&self) -> io::Result<Box<dyn Io>> {
        let socket = TcpStream::connect((self.host.as_str(), self.port)).await?;
        socket.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Box::new(socket),
            Some((config, name)) => Box::new(TlsConnector::from(config.clone()).connect(name.clone(), socket).await?),
        })
    }
}

/// A connection, encrypted or not.
trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Ends a connection whose answer nobody waits for any more.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next bytes; `None`: that was all.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Trouble> {
        while let Some(frame) = self.response.body_mut().frame().await {
            if let Ok(bytes) = frame.map_err(|error| broken(&error))?.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// All of it, if it is not longer than `most` bytes.
    pub async fn whole(&mut self, most: usize) -> Result<Vec<u8>, Trouble> {
        let mut whole = Vec::new();
        while let Some(bytes) = self.chunk().await? {
            whole.extend_from_slice(&bytes);
            if whole.len() > most {
                return Err(Trouble { code: FailCode::Broken, message: "Ollama's answer is too long".to_owned() });
            }
        }
        Ok(whole)
    }
}

/// Down to its cause.
fn broken(error: &(dyn Error + 'static)) -> Trouble {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Trouble { code: FailCode::Broken, message: format!("Ollama broke off: {cause}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_server_and_a_path_before_all_others() {
        let tls = super::super::tls::config(None).unwrap();
        let server = Server::new("http://127.0.0.1:11434", &tls).unwrap();
        assert_eq!(
            (server.host.as_str(), server.port, server.authority.as_str(), server.prefix.as_str()),
            ("127.0.0.1", 11434, "127.0.0.1:11434", "")
        );
        let server = Server::new(" https://gpu.example/ollama/ ", &tls).unwrap();
        assert_eq!((server.port, server.authority.as_str(), server.prefix.as_str()), (443, "gpu.example", "/ollama"));
        assert!(server.tls.is_some());
        assert_eq!(Server::new("http://[::1]:1", &tls).unwrap().host, "::1");
        for wrong in ["", "11434", "127.0.0.1:11434", "ftp://x", "http://x?y", "http://a:b@x", "unix:/run/ollama"] {
            assert!(Server::new(wrong, &tls).is_err(), "{wrong}");
        }
    }
}
