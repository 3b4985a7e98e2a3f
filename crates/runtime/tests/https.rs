//! HTTPS as a client meets it: redirected to it, and trusting the certificate that the run has written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the other tests use more of it")]
mod support;

use std::path::Path;
use std::sync::Arc;

use karma_fleet::{Action, Listener, ListenerProtocol, Redirect};
use support::fleet::{TestFleet, TestService, address, server, service};
use support::{Running, new_fleet, start_steady};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A service behind an HTTPS listener; the HTTP listener sends everybody there.
fn fleet() -> TestFleet {
    let hello = TestService {
        behind_load_balancer: true,
        ..service("hello", server())
    };
    let mut made = new_fleet().with(&hello);
    let fleet = &mut made.fleet;
    let http = fleet.listeners.get_mut(&address("aws_lb_listener", "http")).unwrap();
    let https = Listener {
        port: 443,
        protocol: ListenerProtocol::Https,
        ..http.clone()
    };
    http.rules.clear();
    http.default_action = Action::Redirect(to_https());
    fleet.listeners.insert(address("aws_lb_listener", "https"), https);
    fleet.certificate_names.insert("*.example.com".to_owned());
    made
}

/// As everybody has it in Terraform.
fn to_https() -> Redirect {
    Redirect {
        status: 301,
        protocol: "HTTPS".to_owned(),
        host: "#{host}".to_owned(),
        port: "443".to_owned(),
        path: "/#{path}".to_owned(),
        query: "#{query}".to_owned(),
    }
}

/// Where the listener of this protocol is: `127.0.0.1:8080`.
async fn authority(running: &Running, protocol: &str) -> String {
    let listeners = running.local.observe().await.listeners;
    let listener = listeners.iter().find(|listener| listener.protocol == protocol).unwrap();
    listener.url.split_once("://").unwrap().1.to_owned()
}

/// Asks for a path, and gives all that is answered.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A client that trusts this certificate and no other.
async fn shake_hands(authority: &str, certificate: &Path, name: &'static str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(authority).await?;
    let name = ServerName::try_from(name).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn a_client_is_redirected_to_https_and_answered_there() {
    let running = start_steady(fleet()).await;
    let (http, https) = (authority(&running, "HTTP").await, authority(&running, "HTTPS").await);

    let plain = TcpStream::connect(&http).await.unwrap();
    let redirected = ask(plain, &http, "/hello/env?PORT").await;
    assert!(redirected.starts_with("HTTP/1.1 301 "), "{redirected}");
    let location = format!("location: https://{https}/hello/env?PORT\r\n");
    assert!(
        redirected.to_ascii_lowercase().contains(&location.to_ascii_lowercase()),
        "{redirected}"
    );

    let certificate = running.directory.path().join(".karma/tls/certificate.pem");
    for name in ["127.0.0.1", "localhost", "api.example.com"] {
        let stream = shake_hands(&https, &certificate, name).await.unwrap();
        let answer = ask(stream, &https, "/hello/env?PORT").await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n8080"),
            "{name}: {answer}"
        );
    }
    let stranger = shake_hands(&https, &certificate, "example.org").await;
    assert!(stranger.is_err(), "the certificate should not be for every name");
    running.stop().await;
}
