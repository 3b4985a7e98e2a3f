//! The one place where HTTP clients are made: bounded in time, following no redirect, with TLS that needs no C library.
//!
//! The certificates that servers are checked against are the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` name others).
//! They are read when the first `https` address is to be called and not before: reading them takes milliseconds and a
//! megabyte, which an agent that calls its neighbours over plain HTTP does not have to spend.

use std::io;
use std::sync::{Arc, OnceLock};

use reqwest::Url;
use reqwest::redirect::Policy;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::limits;

/// The beginnings of a client for calls to one base address.
pub(crate) fn client_for(base: &Url) -> reqwest::ClientBuilder {
    match base.scheme() {
        "https" => client_with(system_roots()),
        _ => client_with(RootCertStore::empty()),
    }
}

fn client_with(roots: RootCertStore) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(limits::CONNECT_PATIENCE)
        .timeout(limits::ANSWER_PATIENCE)
        .redirect(Policy::none())
        .tls_backend_preconfigured(tls(roots))
}

fn tls(roots: RootCertStore) -> ClientConfig {
    let provider = ring::default_provider();
    // Libraries that make a client of their own look for the process's provider; a second one changes nothing.
    let _ = provider.clone().install_default();
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// TLS over a connection to this server.
pub(crate) async fn tls_stream(host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(tls(system_roots())))
        .connect(name, stream)
        .await
}

/// The system's certificates. One that cannot be read is left out; without any, no server is trusted, and a call says so.
fn system_roots() -> RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        })
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_nobody_vouches_for_is_refused() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
        // Whoever answers in plain text is no TLS server: the client must not fall back to believing it.
        let answering = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        });
        let answer = client_for(&url).build().unwrap().get(url).send().await;
        assert!(answer.unwrap_err().is_connect());
        answering.await.unwrap();
    }

    #[test]
    fn every_address_gets_a_client() {
        for base in ["http://karma-hello:9002", "https://api.example.org/v1"] {
            client_for(&base.parse().unwrap()).build().unwrap();
        }
    }
}
