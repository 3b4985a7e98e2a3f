use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::*;

/// A session that asks a host which only a [`Resolve`] knows.
fn session(host: &str, to: SocketAddr) -> Session {
    let resolve = vec![format!("{host}:80:{to}").parse().unwrap()];
    let network = Arc::new(Network::of_machine(resolve));
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(LentClient::new(Arc::clone(&network)))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new("eu-west-1"))
        .retry_config(RetryConfig::standard().with_max_attempts(1))
        .endpoint_url(format!("http://{host}"))
        .build();
    Session::of(config, network).unwrap()
}

/// Answers one request; what was asked can be read.
fn server(answer: &'static str) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, asked) = channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 16 * 1024];
        let count = stream.read(&mut buffer).unwrap();
        sender
            .send(String::from_utf8_lossy(&buffer[..count]).into_owned())
            .unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (address, asked)
}

#[tokio::test]
async fn a_host_that_is_elsewhere_keeps_its_name() {
    let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn>\
                <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (address, asked) = server(answer.leak());
    let identity = session("sts.example", address).identity().await.unwrap();
    assert_eq!(identity.account, "123456789012");
    assert_eq!(identity.arn, "arn:aws:iam::123456789012:user/ann");
    let asked = asked.recv().unwrap().to_ascii_lowercase();
    assert!(asked.contains("\r\nhost: sts.example\r\n"), "{asked}");
    assert!(asked.contains("signedheaders="), "{asked}");
}

#[tokio::test]
async fn who_does_not_listen_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = session("sts.example", address).identity().await.unwrap_err();
    assert_eq!(error.to_string(), "sts:GetCallerIdentity: AWS gives no answer");
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("cannot reach sts.example:80"), "{why}");
    assert!(!why.contains("secret"), "{why}");
}

#[tokio::test]
async fn what_is_given_goes_before_what_the_stack_says() {
    let check = async |region: Option<&str>, default_region: Option<&str>, expected: &str| {
        let options = SessionOptions {
            region: region.map(str::to_owned),
            default_region: default_region.map(str::to_owned),
            ..SessionOptions::default()
        };
        let found = super::region(&options).region().await;
        assert_eq!(found.as_ref().map(ToString::to_string).as_deref(), Some(expected));
    };
    check(Some("eu-west-1"), Some("us-east-1"), "eu-west-1").await;
}
