//! HTTPS, HTTP/2 and gRPC.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use karma_balancer::{
    Attributes, HealthCheck, HealthState, Listener, Matcher, ProtocolVersion, Rules, TargetGroup, TargetGroupSettings,
    TlsIdentity,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{DEADLINE, all_to, group, mirror, named, raw_target};

/// A certificate that is its own authority.
fn identity(names: &[&str]) -> TlsIdentity {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    TlsIdentity {
        certificate_chain_pem: made.cert.pem(),
        key_pem: made.signing_key.serialize_pem(),
    }
}

async fn start(identities: &[TlsIdentity], rules: Rules, attributes: Attributes) -> Listener {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Listener::start_tls(socket, identities, rules, attributes).unwrap()
}

/// A client that trusts these certificates, and offers these protocols.
async fn shake_hands(
    balancer: &Listener,
    trusted: &[TlsIdentity],
    name: &'static str,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for identity in trusted {
        roots
            .add(CertificateDer::from_pem_slice(identity.certificate_chain_pem.as_bytes()).unwrap())
            .unwrap();
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(balancer.local_addr()).await?;
    let name = ServerName::try_from(name).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

type Sender2 = http2::SendRequest<BoxBody>;
type BoxBody = http_body_util::combinators::BoxBody<Bytes, Infallible>;

fn whole(bytes: impl Into<Bytes>) -> BoxBody {
    Full::new(bytes.into()).boxed()
}

/// Speaks HTTP/2 with a balancer.
async fn http2_client(balancer: &Listener, identity: &TlsIdentity) -> Sender2 {
    let stream = shake_hands(balancer, std::slice::from_ref(identity), "localhost", &["h2"])
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

async fn text(answer: Response<Incoming>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn https_1_1_says_so_to_the_target() {
    let identity = identity(&["localhost"]);
    let balancer = start(
        std::slice::from_ref(&identity),
        all_to(&group(&[mirror().await])),
        Attributes::default(),
    )
    .await;
    let stream = shake_hands(&balancer, &[identity], "localhost", &["http/1.1"])
        .await
        .unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..2 {
        let request = Request::get("/x").header("host", "localhost").body(whole("")).unwrap();
        let seen = text(sender.send_request(request).await.unwrap()).await;
        assert!(seen.contains("x-forwarded-proto: https\n"), "{seen}");
    }
}

#[tokio::test]
async fn the_certificate_is_chosen_by_name() {
    let (first, second) = (
        identity(&["one.example.com"]),
        identity(&["two.example.com", "*.three.example.com"]),
    );
    let both = [first, second];
    let balancer = start(&both, all_to(&group(&[named("it").await])), Attributes::default()).await;
    for (name, served_by) in [
        ("one.example.com", 0),
        ("two.example.com", 1),
        ("a.three.example.com", 1),
    ] {
        let fits = shake_hands(&balancer, &both[served_by..=served_by], name, &[]).await;
        assert!(fits.is_ok(), "{name}: {fits:?}");
    }
    // The default certificate comes for a name nobody has, and the client does not accept it.
    assert!(shake_hands(&balancer, &both, "four.example.com", &[]).await.is_err());
}

#[tokio::test]
async fn a_client_without_tls_is_counted_as_one_that_failed() {
    let identity = identity(&["localhost"]);
    let balancer = start(&[identity], all_to(&group(&[])), Attributes::default()).await;
    let mut client = TcpStream::connect(balancer.local_addr()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let _ = crate::support::read_to_end(&mut client).await;
    assert_eq!(balancer.statistics().client_tls_negotiation_errors, 1);
}

#[tokio::test]
async fn what_is_no_certificate_is_an_error() {
    let good = identity(&["localhost"]);
    let other_key = identity(&["localhost"]).key_pem;
    for (chain, key) in [
        ("", good.key_pem.as_str()),
        ("x", "y"),
        (&good.certificate_chain_pem, &other_key),
    ] {
        let identity = TlsIdentity {
            certificate_chain_pem: chain.to_owned(),
            key_pem: key.to_owned(),
        };
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let started = Listener::start_tls(
            socket,
            std::slice::from_ref(&identity),
            all_to(&group(&[])),
            Attributes::default(),
        );
        assert!(started.is_err(), "{chain:.20} {key:.20}");
        assert!(!format!("{identity:?}").contains("PRIVATE"));
    }
}

#[tokio::test]
async fn http2_reaches_http_1_1_targets() {
    let identity = identity(&["localhost"]);
    let balancer = start(
        std::slice::from_ref(&identity),
        all_to(&group(&[mirror().await])),
        Attributes::default(),
    )
    .await;
    let mut sender = http2_client(&balancer, &identity).await;
    let mut answers = Vec::new();
    for number in 0..10 {
        let request = Request::get(format!("https://example.com/{number}?q"))
            .header("cookie", "a=1")
            .header("cookie", "b=2");
        answers.push(sender.send_request(request.body(whole("")).unwrap()));
        sender.ready().await.unwrap();
    }
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
        let seen = text(answer).await;
        assert!(seen.starts_with(&format!("GET /{number}?q\n")), "{seen}");
        let port = balancer.local_addr().port();
        for line in [
            &format!("host: example.com:{port}"),
            "x-forwarded-proto: https",
            "cookie: a=1; b=2",
        ] {
            assert!(seen.contains(&format!("{line}\n")), "{line} is not in {seen}");
        }
    }
}

#[tokio::test]
async fn bodies_pass_from_http2_to_http_1_1_and_back() {
    let target = crate::support::target(|request| async move {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(Full::new(body))
    });
    let identity = identity(&["localhost"]);
    let balancer = start(
        std::slice::from_ref(&identity),
        all_to(&group(&[target.await])),
        Attributes::default(),
    )
    .await;
    let mut sender = http2_client(&balancer, &identity).await;
    let sent = "x".repeat(1 << 20);
    let request = Request::post("https://localhost/").body(whole(sent.clone())).unwrap();
    let answer = timeout(DEADLINE, sender.send_request(request)).await.unwrap().unwrap();
    assert_eq!(timeout(DEADLINE, text(answer)).await.unwrap(), sent);
}

#[tokio::test]
async fn http2_is_not_offered_if_it_is_off() {
    let identity = identity(&["localhost"]);
    let attributes = Attributes {
        http2: false,
        ..Attributes::default()
    };
    let balancer = start(std::slice::from_ref(&identity), all_to(&group(&[])), attributes).await;
    let stream = shake_hands(&balancer, &[identity], "localhost", &["h2", "http/1.1"])
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

/// A target that speaks HTTP/2: it sends the message back it got, with a status behind it.
async fn grpc_target() -> SocketAddr {
    raw_target(|stream| async move {
        let service = service_fn(|request: Request<Incoming>| async move {
            assert_eq!(
                (request.version(), &request.headers()["te"]),
                (Version::HTTP_2, &HeaderValue::from_static("trailers"))
            );
            let path = request.uri().path().to_owned();
            let message = request.into_body().collect().await.unwrap().to_bytes();
            let status = if path == "/AWS.ALB/healthcheck" { "12" } else { "0" };
            let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static(status))]);
            let mut answer = Response::new(Full::new(message).with_trailers(async { Some(Ok(trailers)) }));
            answer
                .headers_mut()
                .insert("content-type", HeaderValue::from_static("application/grpc"));
            Ok::<_, Infallible>(answer)
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    })
    .await
}

fn speaking(protocol_version: ProtocolVersion, targets: &[SocketAddr]) -> TargetGroup {
    let group = TargetGroup::new(TargetGroupSettings {
        protocol_version,
        ..TargetGroupSettings::named("test")
    });
    for target in targets {
        group.register(*target);
    }
    group
}

#[tokio::test]
async fn a_grpc_call_comes_back_with_its_trailers() {
    let identity = identity(&["localhost"]);
    let group = speaking(ProtocolVersion::Grpc, &[grpc_target().await]);
    let balancer = start(std::slice::from_ref(&identity), all_to(&group), Attributes::default()).await;
    let mut sender = http2_client(&balancer, &identity).await;
    for _ in 0..3 {
        let call = Request::post("https://localhost/echo.Echo/Say")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(whole(&b"\0\0\0\0\x02hi"[..]))
            .unwrap();
        let answer = timeout(DEADLINE, sender.send_request(call)).await.unwrap().unwrap();
        let collected = timeout(DEADLINE, answer.into_body().collect()).await.unwrap().unwrap();
        assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
        assert_eq!(&collected.to_bytes()[..], b"\0\0\0\0\x02hi");
    }
    assert_eq!(balancer.statistics().grpc_requests, 3);
    assert_eq!(
        balancer.statistics().new_connections,
        2,
        "one from the client, one to the target"
    );
}

#[tokio::test]
async fn grpc_targets_are_asked_how_they_are_in_their_language() {
    let target = grpc_target().await;
    for (codes, expected) in [("12", HealthState::Healthy), ("0", HealthState::Unhealthy)] {
        let group = TargetGroup::new(TargetGroupSettings {
            protocol_version: ProtocolVersion::Grpc,
            health_check: Some(HealthCheck {
                path: "/AWS.ALB/healthcheck".to_owned(),
                port: None,
                interval: Duration::from_millis(10),
                timeout: DEADLINE,
                healthy_threshold: 1,
                unhealthy_threshold: 1,
                matcher: codes.parse::<Matcher>().unwrap(),
            }),
            ..TargetGroupSettings::named("test")
        });
        let mut changes = group.subscribe();
        group.register(target);
        let judged = changes.wait_for(|_| group.health(target).state != HealthState::Initial);
        timeout(DEADLINE, judged).await.unwrap().unwrap();
        assert_eq!(group.health(target).state, expected);
    }
}

#[tokio::test]
async fn requests_that_targets_do_not_understand_are_464() {
    let identity = identity(&["localhost"]);
    let balancer = start(
        std::slice::from_ref(&identity),
        all_to(&group(&[])),
        Attributes::default(),
    )
    .await;
    let mut sender = http2_client(&balancer, &identity).await;
    for (protocol_version, method, content_type, status) in [
        (ProtocolVersion::Http1, Method::POST, "application/grpc", 464),
        (ProtocolVersion::Grpc, Method::GET, "text/plain", 464),
        (ProtocolVersion::Grpc, Method::POST, "text/plain", 503),
        (ProtocolVersion::Http2, Method::GET, "text/plain", 503),
    ] {
        balancer.set_rules(all_to(&speaking(protocol_version, &[])));
        let request = Request::builder()
            .method(method)
            .uri("https://localhost/")
            .header("content-type", content_type);
        let answer = sender.send_request(request.body(whole("")).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{protocol_version:?} {content_type}");
    }
}

#[tokio::test]
async fn a_stopped_listener_lets_http2_requests_end() {
    let (asked, mut wait_for_request) = tokio::sync::mpsc::unbounded_channel();
    let (answer, may_answer) = tokio::sync::watch::channel(false);
    let target = crate::support::target(move |_| {
        let (asked, mut may_answer) = (asked.clone(), may_answer.clone());
        async move {
            asked.send(()).unwrap();
            may_answer.wait_for(|may| *may).await.unwrap();
            Response::new("done".into())
        }
    });
    let identity = identity(&["localhost"]);
    let balancer = start(
        std::slice::from_ref(&identity),
        all_to(&group(&[target.await])),
        Attributes::default(),
    )
    .await;
    let mut sender = http2_client(&balancer, &identity).await;
    let request = Request::get("https://localhost/").body(whole("")).unwrap();
    let answered = tokio::spawn(sender.send_request(request));
    wait_for_request.recv().await.unwrap();
    let stopped = tokio::spawn(balancer.stop(DEADLINE));
    answer.send(true).unwrap();
    assert_eq!(text(answered.await.unwrap().unwrap()).await, "done");
    drop(sender);
    timeout(DEADLINE, stopped).await.unwrap().unwrap();
}
