//! A hub with a certificate that only its owner trusts.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::hub::{Hub, Link};
use super::ollama::Ollama;
use super::process::{Program, scratch};

/// A server's side of TLS for `host`, and the CA that stands behind it.
fn certificates(host: &str) -> (TlsAcceptor, String) {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), ca.pem())
}

#[tokio::test]
async fn a_ca_of_ones_own_is_trusted_when_it_is_named() {
    let (hub, ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
    let (acceptor, ca) = certificates("localhost");
    let ca = scratch("ca", &ca);
    let url = hub.url().replace("ws://127.0.0.1", "https://localhost");
    let program = Program::start(&url, &ollama.url(), &["--ca-file", ca.to_str().unwrap()]);
    let mut link = Link::over(Box::new(acceptor.accept(hub.tcp().await).await.unwrap())).await;
    assert_eq!(link.greet().await.name, "home");
    program.says("connected to localhost").await;
}

#[tokio::test]
async fn nobody_else_is_trusted() {
    for (host, named) in [("localhost", false), ("another.example", true)] {
        let (hub, ollama) = (Hub::new().await, Ollama::new(&["qwen3:8b"]).await);
        let (acceptor, ca) = certificates(host);
        let ca = scratch("ca", &ca);
        let url = hub.url().replace("ws://127.0.0.1", "wss://localhost");
        let more = if named { vec!["--ca-file", ca.to_str().unwrap()] } else { vec![] };
        let mut program = Program::start(&url, &ollama.url(), &more);
        assert!(acceptor.accept(hub.tcp().await).await.is_err(), "{host}: it gave the token away");
        program.says("no secure connection").await;
        assert!(program.is_running());
    }
}
