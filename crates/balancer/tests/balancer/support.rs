//! Targets, clients and the balancer between them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use karma_balancer::{Action, Attributes, Listener, Rules, TargetGroup, TargetGroupSettings, bind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Long enough for anything that works.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A group whose targets are healthy when registered.
pub(crate) fn group(targets: &[SocketAddr]) -> TargetGroup {
    let group = TargetGroup::new(TargetGroupSettings {
        deregistration_delay: DEADLINE,
        ..TargetGroupSettings::named("test")
    });
    for target in targets {
        group.register(*target);
    }
    group
}

/// Rules that send everything to one group.
pub(crate) fn all_to(group: &TargetGroup) -> Rules {
    Rules {
        rules: Vec::new(),
        default_action: Action::forward_to(group.clone()),
    }
}

/// A balancer in front of these targets.
pub(crate) async fn balancer(targets: &[SocketAddr]) -> Listener {
    listener(all_to(&group(targets)), Attributes::default()).await
}

/// A balancer in front of these targets that has little patience with silence.
pub(crate) async fn impatient_balancer(targets: &[SocketAddr], idle_timeout: Duration) -> Listener {
    listener(
        all_to(&group(targets)),
        Attributes {
            idle_timeout,
            ..Attributes::default()
        },
    )
    .await
}

pub(crate) async fn listener(rules: Rules, attributes: Attributes) -> Listener {
    Listener::start(bind(([127, 0, 0, 1], 0).into()).unwrap(), rules, attributes)
}

/// A target that answers each request with what `answer` makes of it.
pub(crate) async fn target<A, F>(answer: A) -> SocketAddr
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    raw_target(move |stream| {
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        async move {
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await
}

/// A target that always says its name.
pub(crate) async fn named(name: &'static str) -> SocketAddr {
    target(move |_| async move { Response::new(name.into()) }).await
}

/// A target that tells the head of the request it got: the request line without the version, then the headers.
pub(crate) async fn mirror() -> SocketAddr {
    target(|request| async move {
        let mut seen = format!("{} {}\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            seen += &[name.as_str(), ": ", value.to_str().unwrap(), "\n"].concat();
        }
        Response::new(seen.into())
    })
    .await
}

/// A target that does with each connection what it likes.
pub(crate) async fn raw_target<S, F>(serve: S) -> SocketAddr
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// A target that reads a request's head, sends these bytes, and closes.
pub(crate) async fn scripted(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = Bytes::from(answer.into());
    raw_target(move |mut stream| {
        let answer = answer.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(&answer).await.unwrap();
        }
    })
    .await
}

/// A target that takes each request and never answers.
pub(crate) async fn silent() -> SocketAddr {
    raw_target(hold).await
}

/// Keeps a connection until the other side closes it.
pub(crate) async fn hold(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Reads up to the empty line after a head; what comes with it of the body is read too.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    read_until(stream, "\r\n\r\n").await
}

/// Reads until `end` has come, or the connection has ended.
pub(crate) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut seen = Vec::new();
    let read = async {
        while !seen.windows(end.len()).any(|window| window == end.as_bytes()) {
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    timeout(DEADLINE, read)
        .await
        .expect("the bytes should come before the deadline");
    String::from_utf8_lossy(&seen).into_owned()
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    fn parse(text: &str) -> Self {
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no whole head in {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self {
            status: status.expect("a status line"),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

/// Sends these bytes on a connection of their own, and reads until the balancer closes it.
pub(crate) async fn send(balancer: &Listener, request: &str) -> Reply {
    let mut stream = connect(balancer).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    Reply::parse(&read_to_end(&mut stream).await)
}

pub(crate) async fn get(balancer: &Listener, path: &str) -> Reply {
    send(
        balancer,
        &format!("GET {path} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"),
    )
    .await
}

pub(crate) async fn connect(balancer: &Listener) -> TcpStream {
    TcpStream::connect(balancer.local_addr()).await.unwrap()
}

/// Reads until the connection ends, in whichever way.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut seen))
        .await
        .expect("the connection should end");
    String::from_utf8_lossy(&seen).into_owned()
}

/// Sends one request on a connection that stays open, and reads its answer, which must have a `Content-Length`.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &str) -> std::io::Result<Reply> {
    stream.write_all(request.as_bytes()).await?;
    let mut reply = Reply::parse(&read_head(stream).await);
    let length: usize = reply
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap();
    let mut rest = vec![0; length - reply.body.len()];
    stream.read_exact(&mut rest).await?;
    reply.body += &String::from_utf8_lossy(&rest);
    Ok(reply)
}
