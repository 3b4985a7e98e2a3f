//! A connection to a web server: TCP, and TLS over it where the address says so.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::DownloadError;

/// How long a host may take to answer at all.
const CONNECT: Duration = Duration::from_secs(15);

/// Bytes to and from a server.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects to the host of an address; over TLS if one of these authorities vouches for it.
pub(crate) async fn connect(
    uri: &Uri,
    authorities: impl FnOnce() -> RootCertStore,
) -> Result<Box<dyn Stream>, DownloadError> {
    let address = || DownloadError::Address(uri.to_string());
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(address)?;
    let encrypted = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        _ => return Err(address()),
    };
    let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    let unreachable = |source| DownloadError::Unreachable {
        host: format!("{host}:{port}"),
        source,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let tcp = in_time(TcpStream::connect((bare, port))).await.map_err(unreachable)?;
    if !encrypted {
        return Ok(Box::new(tcp));
    }
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| DownloadError::Name(host.to_owned()))?;
    let connector = TlsConnector::from(Arc::new(client_config(authorities())?));
    let tls = in_time(connector.connect(name, tcp)).await.map_err(unreachable)?;
    Ok(Box::new(tls))
}

async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(CONNECT, step)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Whom this machine trusts. One certificate that cannot be read does not make the others worthless.
pub(crate) fn machine_authorities() -> RootCertStore {
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    authorities
}

fn client_config(authorities: RootCertStore) -> Result<ClientConfig, DownloadError> {
    if authorities.is_empty() {
        return Err(DownloadError::NoAuthorities);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(authorities).with_no_client_auth())
}
