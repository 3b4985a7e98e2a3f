//! Why something cannot be had of AWS: [`AwsError`] of its services, [`DownloadError`] of its public files, [`ConnectError`] of both.

mod aws;
mod classify;

use std::io;
use std::time::Duration;

use tokio_rustls::rustls;

pub use aws::AwsError;
pub(crate) use classify::Call;

/// Why there is no connection to a host.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It is not `https://host/path` nor `http://host/path`.
    #[error("`{0}` is no address of a file on the web")]
    Address(String),
    /// The host could not be reached.
    #[error("cannot reach {host}")]
    Unreachable {
        /// The host with its port.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// This machine has no certificates to hold the host's against.
    #[error(
        "this machine has no certificate authorities to trust: install ca-certificates, or name a file in SSL_CERT_FILE"
    )]
    NoAuthorities,
    /// No name that a certificate could have.
    #[error("`{0}` is no name that a certificate can have")]
    Name(String),
    /// TLS cannot be spoken.
    #[error("TLS is not available")]
    Tls(#[from] rustls::Error),
}

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// There is no connection to its host.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The exchange broke off.
    #[error("the download broke off")]
    Http(#[from] hyper::Error),
    /// Nothing came for too long.
    #[error("nothing came for {} s", .0.as_secs())]
    Silence(Duration),
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The host refuses.
    #[error("the answer is {0}")]
    Status(http::StatusCode),
    /// No thread could be started for it.
    #[error("cannot start the download")]
    Start(#[source] io::Error),
}
