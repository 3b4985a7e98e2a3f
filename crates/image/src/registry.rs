//! [`Registry`]: a client of the [OCI distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
//!
//! It is our own because `oci-client` (0.17) starts a blob again from its first byte when a connection breaks, does not try again where that
//! helps, cannot be told to find a host elsewhere, and brings an HTTP client with a TLS of its own beside the one that the AWS SDK needs.
//! What is left to write is what this crate is for. This one stands on hyper and rustls (ring), which `karma` has anyway.
//!
//! HTTP/1.1 only, and a proxy is not asked.

mod auth;
mod call;
mod challenge;
mod credentials;
mod docker_config;
mod error;
mod manifests;
mod pieces;
mod push;
mod retry;
mod transport;
mod upload;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::Uri;

pub use credentials::{Account, Credentials, Password};
pub use docker_config::{CredentialHelper, DockerConfig, HelperError, InvalidDockerConfig};
pub use error::RegistryError;
pub use manifests::Manifest;
pub use push::{BlobProgress, Outcome, Progress, Pushed, push, push_all};
pub use retry::Patience;
pub use transport::Broken;

use self::auth::Logins;
use self::transport::Transport;
use crate::reference::{InvalidReference, is_registry, split_port};

/// Whether what is said is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Over TLS. The server's certificate is held against those that this machine trusts, or those in `SSL_CERT_FILE`.
    Https,
    /// In the clear, passwords included: for a registry on this machine.
    Http,
}

/// Connections to `host:port` go to another address; everything else, the certificate's name included, stays as it is. curl's `--resolve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Where connections to it go.
    pub to: SocketAddr,
}

/// How to speak with a registry.
#[derive(Debug, Clone)]
pub struct RegistryOptions {
    /// The host, with its port where that is not the scheme's own.
    pub host: String,
    /// TLS or not.
    pub scheme: Scheme,
    /// Who asks.
    pub credentials: Credentials,
    /// Which hosts are elsewhere.
    pub resolve: Vec<Resolution>,
    /// How long to wait for it.
    pub patience: Patience,
    /// How many bytes of a blob go into one request at most, unless the registry wants more. ECR takes
    /// [5 to 20 MiB](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html).
    pub chunk: u64,
}

/// A registry that can be asked. Cheap to clone; clones share connections and logins.
#[derive(Debug, Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    host: String,
    scheme: Scheme,
    credentials: Credentials,
    patience: Patience,
    chunk: u64,
    transport: Transport,
    logins: Logins,
}

impl Scheme {
    /// How one speaks with this host where nothing else is said: in the clear only within this machine, as Docker does it.
    pub fn of(host: &str) -> Self {
        let (name, _) = split_port(host);
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if name == "localhost" || address.is_ok_and(|address| address.is_loopback()) {
            Self::Http
        } else {
            Self::Https
        }
    }
}

impl RegistryOptions {
    /// A host, anonymously, as one usually speaks with it.
    pub fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            scheme: Scheme::of(host),
            credentials: Credentials::Anonymous,
            resolve: Vec::new(),
            patience: Patience::default(),
            chunk: 8 << 20,
        }
    }
}

impl Registry {
    /// Does not connect yet.
    pub fn new(options: RegistryOptions) -> Result<Self, RegistryError> {
        if !is_registry(&options.host) {
            return Err(InvalidReference::Registry(options.host).into());
        }
        let shared = Shared {
            transport: Transport::new(options.resolve, options.patience)?,
            host: options.host,
            scheme: options.scheme,
            credentials: options.credentials,
            patience: options.patience,
            chunk: options.chunk.max(1),
            logins: Logins::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Its host, with its port where it has one.
    pub fn host(&self) -> &str {
        &self.shared.host
    }

    /// The address of something in a repository.
    fn address(&self, repository: &str, rest: &str) -> Uri {
        let scheme = match self.shared.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
        };
        let text = format!("{scheme}://{}/v2/{repository}/{rest}", self.shared.host);
        text.parse()
            .expect("hosts, repositories, tags and digests have nothing that an address has not")
    }

    fn not_a_registry(&self, problem: impl Into<String>) -> RegistryError {
        RegistryError::NotARegistry {
            registry: self.shared.host.clone(),
            problem: problem.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_with_in_the_clear() {
        for host in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "127.5.5.5",
            "[::1]:5000",
        ] {
            assert_eq!(Scheme::of(host), Scheme::Http, "{host}");
        }
        for host in [
            "registry.example",
            "10.0.0.1:5000",
            "localhost.example",
            "[fe80::1]",
            "128.0.0.1",
        ] {
            assert_eq!(Scheme::of(host), Scheme::Https, "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in ["", "a/b", "https://a", "a:b", "a b"] {
            let error = Registry::new(RegistryOptions::new(host)).unwrap_err();
            assert!(matches!(error, RegistryError::Name(_)), "{host}: {error:?}");
        }
    }
}
