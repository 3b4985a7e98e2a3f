//! [`Network`]: every connection that this crate opens. TCP, and TLS over it where the address says so.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use tower_service::Service as _;

use crate::error::ConnectError;
use crate::resolve::Resolve;

/// How long a host may take to answer at all.
const CONNECT: Duration = Duration::from_secs(15);

/// Bytes to and from a server.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The way to other machines.
#[derive(Debug)]
pub(crate) struct Network {
    resolve: Vec<Resolve>,
    /// Those of the environment, where they are to be asked.
    proxies: Option<Matcher>,
    trust: Trust,
    /// What is known of TLS, from the first time that it is needed.
    tls: OnceCell<Arc<ClientConfig>>,
}

/// Who vouches for a host where TLS is spoken.
#[derive(Debug)]
pub(crate) enum Trust {
    /// Whom this machine trusts.
    Machine,
    /// One of these.
    #[cfg(test)]
    These(RootCertStore),
}

impl Network {
    /// Straight to each host.
    pub(crate) fn direct(trust: Trust) -> Self {
        Self {
            resolve: Vec::new(),
            proxies: None,
            trust,
            tls: OnceCell::new(),
        }
    }

    /// As the machine is set up, but for these hosts: its authorities, and the proxies of `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` for
    /// encrypted connections.
    pub(crate) fn of_machine(resolve: Vec<Resolve>) -> Self {
        Self {
            resolve,
            proxies: Some(Matcher::from_env()),
            ..Self::direct(Trust::Machine)
        }
    }

    /// Connects to the host of an address.
    pub(crate) async fn connect(&self, uri: &Uri) -> Result<Box<dyn Stream>, ConnectError> {
        let place = Place::of(uri)?;
        let unreachable = |source| ConnectError::Unreachable {
            host: format!("{}:{}", place.host, place.port),
            source,
        };
        let tcp = in_time(self.tcp(uri, &place)).await.map_err(unreachable)?;
        // A question and its answer are small, and wait for each other.
        tcp.set_nodelay(true).map_err(unreachable)?;
        if !place.is_encrypted {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(place.bare_host().to_owned())
            .map_err(|_| ConnectError::Name(place.host.to_owned()))?;
        let tls = self
            .tls
            .get_or_try_init(async || client_config(self.trust.authorities()).map(Arc::new));
        let connector = TlsConnector::from(Arc::clone(tls.await?));
        let tls = in_time(connector.connect(name, tcp)).await.map_err(unreachable)?;
        Ok(Box::new(tls))
    }

    async fn tcp(&self, uri: &Uri, place: &Place<'_>) -> io::Result<TcpStream> {
        if let Some(address) = Resolve::find(&self.resolve, place.host, place.port) {
            return TcpStream::connect(address).await;
        }
        let proxies = self.proxies.as_ref().filter(|_| place.is_encrypted);
        match proxies.and_then(|proxies| proxies.intercept(uri)) {
            Some(proxy) => through(&proxy, uri).await,
            None => TcpStream::connect((place.bare_host(), place.port)).await,
        }
    }
}

/// A host, as an address names it.
struct Place<'a> {
    host: &'a str,
    port: u16,
    is_encrypted: bool,
}

impl<'a> Place<'a> {
    fn of(uri: &'a Uri) -> Result<Self, ConnectError> {
        let no_address = || ConnectError::Address(uri.to_string());
        let is_encrypted = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(no_address()),
        };
        Ok(Self {
            host: uri.host().filter(|host| !host.is_empty()).ok_or_else(no_address)?,
            port: uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 }),
            is_encrypted,
        })
    }

    /// Without the brackets of an IPv6 address.
    fn bare_host(&self) -> &'a str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

/// A connection that a proxy passes on.
async fn through(proxy: &Intercept, uri: &Uri) -> io::Result<TcpStream> {
    let mut tunnel = Tunnel::new(proxy.uri().clone(), HttpConnector::new());
    if let Some(credentials) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(credentials.clone());
    }
    let tunnelled = tunnel.call(uri.clone()).await.map_err(io::Error::other)?;
    Ok(tunnelled.into_inner())
}

async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(CONNECT, step)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

impl Trust {
    fn authorities(&self) -> RootCertStore {
        match self {
            Self::Machine => machine_authorities(),
            #[cfg(test)]
            Self::These(authorities) => authorities.clone(),
        }
    }
}

/// One certificate that cannot be read does not make the others worthless.
fn machine_authorities() -> RootCertStore {
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    authorities
}

fn client_config(authorities: RootCertStore) -> Result<ClientConfig, ConnectError> {
    if authorities.is_empty() {
        return Err(ConnectError::NoAuthorities);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(authorities).with_no_client_auth())
}
