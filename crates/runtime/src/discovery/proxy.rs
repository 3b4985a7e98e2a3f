//! A forward proxy that knows the Service Connect names of one namespace. It is the way out where the kernel lets no task have an `/etc/hosts` of
//! its own; names that it does not know it leaves to the machine.
//! <https://www.rfc-editor.org/rfc/rfc9110.html#name-connect>

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// Headers that are for the proxy and not for whom it asks.
const HOP_BY_HOP: [HeaderName; 3] = [
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::CONNECTION,
];

type Body = BoxBody<Bytes, hyper::Error>;
type Known = watch::Receiver<BTreeMap<String, Ipv4Addr>>;

/// A proxy that serves until it is dropped.
#[derive(Debug)]
pub(super) struct ForwardProxy {
    address: SocketAddr,
    names: watch::Sender<BTreeMap<String, Ipv4Addr>>,
    job: AbortHandle,
}

impl ForwardProxy {
    pub(super) fn start(names: BTreeMap<String, Ipv4Addr>) -> io::Result<Self> {
        let socket = karma_balancer::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        let (names, known) = watch::channel(names);
        let job = tokio::spawn(serve(socket, known)).abort_handle();
        Ok(Self { address, names, job })
    }

    /// From now on it knows these names.
    pub(super) fn set_names(&self, names: BTreeMap<String, Ipv4Addr>) {
        self.names.send_replace(names);
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        self.job.abort();
    }
}

async fn serve(socket: TcpListener, names: Known) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A connection that fails to be accepted is the client's to try again.
            accepted = socket.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve_connection(stream, names.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, names: Known) {
    let answer = service_fn(move |request| answer(request, names.clone()));
    // An error ends this connection and concerns nobody else.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades()
        .await;
}

async fn answer(request: Request<Incoming>, names: Known) -> Result<Response<Body>, hyper::Error> {
    let Some((host, port)) = authority(request.uri()) else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    match connect(&names, &host, port).await {
        Err(_) => Ok(empty(StatusCode::BAD_GATEWAY)),
        Ok(target) if request.method() == Method::CONNECT => Ok(open_tunnel(request, target)),
        Ok(target) => Ok(forward(request, target)
            .await
            .unwrap_or_else(|_| empty(StatusCode::BAD_GATEWAY))),
    }
}

/// Host and port that a request in absolute or authority form is for.
fn authority(uri: &Uri) -> Option<(String, u16)> {
    let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let authority = uri.authority()?;
    Some((
        authority.host().to_owned(),
        authority.port_u16().unwrap_or(default_port),
    ))
}

async fn connect(names: &Known, host: &str, port: u16) -> io::Result<TcpStream> {
    let known = names.borrow().get(&host.to_ascii_lowercase()).copied();
    match known {
        Some(address) => TcpStream::connect((address, port)).await,
        None => TcpStream::connect((host.trim_matches(['[', ']']), port)).await,
    }
}

fn open_tunnel(request: Request<Incoming>, mut target: TcpStream) -> Response<Body> {
    let upgrade: OnUpgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        if let Ok(client) = upgrade.await {
            // Either side may go when it likes.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut target).await;
        }
    });
    empty(StatusCode::OK)
}

async fn forward(mut request: Request<Incoming>, target: TcpStream) -> Result<Response<Body>, hyper::Error> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(target)).await?;
    tokio::spawn(connection);
    for name in HOP_BY_HOP {
        request.headers_mut().remove(name);
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = Uri::try_from(path).expect("the path of a URI is a URI");
    let response = sender.send_request(request).await?;
    Ok(response.map(BodyExt::boxed))
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server that answers every request with the text of its first line.
    async fn echo() -> u16 {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                let mut buffer = [0; 1024];
                let read = stream.read(&mut buffer).await.unwrap();
                let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
                let line = text.lines().next().unwrap_or_default();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    line.len()
                );
                stream.write_all(format!("{head}{line}").as_bytes()).await.unwrap();
            }
        });
        port
    }

    async fn ask(text: String) -> String {
        let names = [("hello".to_owned(), Ipv4Addr::LOCALHOST)].into();
        let proxy = ForwardProxy::start(names).unwrap();
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_known_name_is_resolved_and_the_target_sees_a_plain_path() {
        let port = echo().await;
        let answer = ask(format!(
            "GET http://hello:{port}/a?b=1 HTTP/1.1\r\nhost: hello\r\nconnection: close\r\n\r\n"
        ))
        .await;
        assert!(answer.ends_with("GET /a?b=1 HTTP/1.1"), "{answer}");
    }

    #[tokio::test]
    async fn other_names_are_the_machines() {
        let port = echo().await;
        let answer = ask(format!(
            "GET http://localhost:{port}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        ))
        .await;
        assert!(answer.ends_with("GET / HTTP/1.1"), "{answer}");
        let answer =
            ask("GET http://nowhere.invalid/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned()).await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    }

    #[tokio::test]
    async fn connect_opens_a_tunnel() {
        let port = echo().await;
        let answer = ask(format!(
            "CONNECT hello:{port} HTTP/1.1\r\nhost: hello\r\n\r\nGET /through HTTP/1.1\r\n\r\n"
        ))
        .await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("GET /through HTTP/1.1"),
            "{answer}"
        );
    }

    #[tokio::test]
    async fn a_request_for_the_proxy_itself_is_refused() {
        let answer = ask("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
}
