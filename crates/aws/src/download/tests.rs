use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, crypto};

use super::*;

/// A server that answers one request with these bytes and hangs up; its port.
fn server(answer: impl Into<Vec<u8>>) -> u16 {
    let answer = answer.into();
    serve(move |tcp| talk(tcp, &answer))
}

fn serve(exchange: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || exchange(listener.accept().unwrap().0));
    port
}

/// What goes wrong here, the client complains about.
fn talk(mut stream: impl Read + Write, answer: &[u8]) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        request.push(byte[0]);
    }
    let text = String::from_utf8(request).unwrap();
    assert!(text.starts_with("GET /a/b?c HTTP/1.1\r\n"), "{text}");
    assert!(!text.to_lowercase().contains("authorization"), "{text}");
    let _ = stream.write_all(answer).and_then(|()| stream.flush());
}

fn nobody() -> Trust {
    Trust::These(RootCertStore::empty())
}

fn get_plain(answer: impl Into<Vec<u8>>) -> Result<Download, DownloadError> {
    begin(&format!("http://127.0.0.1:{}/a/b?c", server(answer)), nobody())
}

fn text_of(mut download: Download) -> io::Result<String> {
    let mut text = String::new();
    download.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_file_comes_in_whole() {
    let body = "0123456789".repeat(100_000);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(text_of(get_plain(answer).unwrap()).unwrap(), body);
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(text_of(get_plain(chunked).unwrap()).unwrap(), "abcde");
}

#[test]
fn a_file_that_breaks_off_is_no_shorter_file() {
    let download = get_plain("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123").unwrap();
    let error = text_of(download).unwrap_err();
    assert_eq!(error.to_string(), "the download broke off");
}

#[test]
fn an_answer_without_the_file_is_an_error() {
    for (status, said) in [
        ("404 Not Found", "there is no such file"),
        ("403 Forbidden", "the answer is 403 Forbidden"),
        ("301 Moved Permanently", "the answer is 301 Moved Permanently"),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(get_plain(answer).unwrap_err().to_string(), said);
    }
}

#[test]
fn what_is_no_address_is_refused_by_name() {
    for address in ["", "no scheme", "/a/b", "file:///a", "ftp://a/b", "http:///a"] {
        let error = download(address).unwrap_err();
        assert!(
            error.to_string().ends_with("is no address of a file on the web"),
            "{address}: {error}"
        );
    }
}

#[test]
fn who_does_not_listen_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = download(&format!("http://127.0.0.1:{port}/")).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot reach 127.0.0.1:{port}"));
}

/// A server over TLS, and the certificate that vouches for it.
fn encrypted_server() -> (u16, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let port = serve(move |tcp| {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, tcp);
        if stream.conn.complete_io(&mut stream.sock).is_ok() {
            talk(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        }
    });
    (port, certificate)
}

#[test]
fn over_tls_only_who_is_vouched_for_is_asked() {
    let (port, certificate) = encrypted_server();
    let address = |port| format!("https://localhost:{port}/a/b?c");
    let trusting = |certificate: CertificateDer<'static>| {
        let mut authorities = RootCertStore::empty();
        authorities.add(certificate).unwrap();
        Trust::These(authorities)
    };
    let file = begin(&address(port), trusting(certificate.clone())).unwrap();
    assert_eq!(text_of(file).unwrap(), "hi");

    let (other, _) = encrypted_server();
    let error = begin(&address(other), trusting(certificate)).unwrap_err();
    assert!(
        matches!(error, DownloadError::Connect(ConnectError::Unreachable { .. })),
        "{error:?}"
    );
    let (other, _) = encrypted_server();
    let error = begin(&address(other), nobody()).unwrap_err();
    assert!(
        matches!(error, DownloadError::Connect(ConnectError::NoAuthorities)),
        "{error:?}"
    );
}
