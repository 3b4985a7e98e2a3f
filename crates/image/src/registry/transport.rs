//! One exchange with a server over HTTP/1.1: connections are kept for the next request, and a request that moves no bytes for too long is
//! given up. What an answer means is not known here.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::Resolution;
use super::error::RegistryError;
use super::pieces::Pieces;
use super::retry::Patience;

/// How many requests may be under way at once.
const AT_ONCE: usize = 8;

/// The longest answer that is read: twice what registries have to accept as a manifest.
const LONGEST_ANSWER: usize = 8 << 20;

/// Why there was no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It broke off.
    #[error("it was cut")]
    Cut(#[source] hyper::Error),
    /// While the answer came in.
    #[error("the answer broke off")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing moved.
    #[error("nothing moved for {} s", .0.as_secs_f32())]
    Silence(Duration),
    /// The connection was never made.
    #[error("nobody answered")]
    Unreachable(#[source] io::Error),
}

/// Connections to servers, kept for the next request.
#[derive(Debug)]
pub(super) struct Transport {
    tls: Arc<ClientConfig>,
    resolve: Vec<Resolution>,
    patience: Patience,
    permits: Semaphore,
    idle: Mutex<HashMap<Origin, Vec<SendRequest<Pieces>>>>,
}

/// Whom a connection leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    encrypted: bool,
    host: String,
    port: u16,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Transport {
    pub(super) fn new(resolve: Vec<Resolution>, patience: Patience) -> Result<Self, RegistryError> {
        Ok(Self {
            tls: Arc::new(tls()?),
            resolve,
            patience,
            permits: Semaphore::new(AT_ONCE),
            idle: Mutex::default(),
        })
    }

    /// Sends a request and reads the answer. The request's address is absolute.
    pub(super) async fn exchange(&self, request: Request<Pieces>) -> Result<Response<Bytes>, Broken> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let origin = Origin::of(request.uri()).expect("addresses are checked where they come in");
        let mut connection = self.connection(&origin).await?;
        let moved = request.body().moved();
        let answer = self.in_time(&moved, send(&mut connection, request)).await?;
        if answer.status().is_success() {
            self.keep(origin, connection);
        }
        Ok(answer)
    }

    /// The answer, unless nothing moves for too long.
    async fn in_time<T>(&self, moved: &Notify, answer: impl Future<Output = Result<T, Broken>>) -> Result<T, Broken> {
        let silence = self.patience.silence;
        let mut answer = std::pin::pin!(answer);
        loop {
            tokio::select! {
                answer = &mut answer => return answer,
                () = moved.notified() => {}
                () = sleep(silence) => return Err(Broken::Silence(silence)),
            }
        }
    }

    async fn connection(&self, origin: &Origin) -> Result<SendRequest<Pieces>, Broken> {
        while let Some(mut connection) = self.take_idle(origin) {
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        let stream = timeout(self.patience.connect, self.connect(origin)).await;
        let stream = stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = TokioIo::new(stream.map_err(Broken::Unreachable)?);
        let (sender, connection) = http1::handshake(stream).await.map_err(Broken::Cut)?;
        // What goes wrong on it, the answer says.
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn connect(&self, origin: &Origin) -> io::Result<Box<dyn Stream>> {
        let tcp = match self.elsewhere(origin) {
            Some(address) => TcpStream::connect(address).await?,
            None => TcpStream::connect((origin.host.as_str(), origin.port)).await?,
        };
        tcp.set_nodelay(true)?;
        if !origin.encrypted {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(origin.host.clone())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no certificate can have this name"))?;
        let tls = TlsConnector::from(Arc::clone(&self.tls));
        Ok(Box::new(tls.connect(name, tcp).await?))
    }

    fn elsewhere(&self, origin: &Origin) -> Option<SocketAddr> {
        let is_it = |resolution: &&Resolution| {
            resolution.port == origin.port && resolution.host.eq_ignore_ascii_case(&origin.host)
        };
        self.resolve.iter().find(is_it).map(|resolution| resolution.to)
    }

    fn take_idle(&self, origin: &Origin) -> Option<SendRequest<Pieces>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get_mut(origin)?.pop()
    }

    fn keep(&self, origin: Origin, connection: SendRequest<Pieces>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(origin).or_default().push(connection);
    }
}

impl Origin {
    /// Where an absolute address of the web leads to; `None` where it is none.
    pub(super) fn of(address: &Uri) -> Option<Self> {
        let encrypted = match address.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = address.host().filter(|host| !host.is_empty())?;
        Some(Self {
            encrypted,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: address.port_u16().unwrap_or(if encrypted { 443 } else { 80 }),
        })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

async fn send(connection: &mut SendRequest<Pieces>, mut request: Request<Pieces>) -> Result<Response<Bytes>, Broken> {
    let moved = request.body().moved();
    // A server is asked for a path; its name stands in the `Host` header.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().expect("a part of an address is an address");
    let answer = connection.send_request(request).await.map_err(Broken::Cut)?;
    moved.notify_one();
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| Broken::Answer(plain(error)))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

fn plain(error: Box<dyn std::error::Error + Send + Sync>) -> Box<dyn std::error::Error + Send + Sync> {
    match error.downcast::<LengthLimitError>() {
        Ok(_) => format!("it is longer than {} MiB", LONGEST_ANSWER >> 20).into(),
        Err(error) => error,
    }
}

/// Trusts whom this machine trusts, or who stands in `SSL_CERT_FILE`. One certificate that cannot be read does not make the others worthless,
/// and none at all is for servers over TLS to complain about.
fn tls() -> Result<ClientConfig, RegistryError> {
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| RegistryError::Tls(error.to_string()))?;
    Ok(builder.with_root_certificates(authorities).with_no_client_auth())
}
