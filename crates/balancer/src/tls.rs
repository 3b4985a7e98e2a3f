//! HTTPS: certificates, and the handshake in front of HTTP.
//!
//! The authority is [HTTPS listeners][aws]. The protocols are TLS 1.3 and 1.2, with the cipher suites of
//! [rustls](https://docs.rs/rustls) and not with those of a security policy.
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/create-https-listener.html

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ProtocolVersion, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::access_log::entry::TlsFacts;

/// A certificate and its key.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The certificate, and those that lead from it to one a client trusts, in PEM.
    pub certificate_chain_pem: String,
    /// The private key, in PEM.
    pub key_pem: String,
}

/// Why a listener cannot serve with a certificate.
#[derive(Debug, thiserror::Error)]
pub enum InvalidIdentity {
    /// An HTTPS listener has to have one.
    #[error("there is no certificate")]
    None,
    /// The certificate or the key is no PEM.
    #[error("the certificate or its key cannot be read")]
    Pem(#[source] pem::Error),
    /// They are well formed and of no use: of an unknown kind, or not made for each other.
    #[error("the certificate and its key cannot be used")]
    Unusable(#[source] rustls::Error),
}

/// What a listener needs to speak TLS.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
}

/// Whether HTTP/2 is offered beside HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    Http1,
    Http2AndHttp1,
}

/// A client that takes longer than this is given up. AWS does not document its limit; this is the one it has towards
/// targets.
const HANDSHAKE: Duration = Duration::from_secs(10);

impl Tls {
    /// The first certificate is for clients that ask for no name, or for one that no certificate has.
    pub(crate) fn new(identities: &[TlsIdentity], offer: Offer) -> Result<Self, InvalidIdentity> {
        let provider = Arc::new(ring::default_provider());
        let certificates = Certificates::new(identities, &provider)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(InvalidIdentity::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificates));
        config.alpn_protocols = match offer {
            Offer::Http1 => vec![b"http/1.1".to_vec()],
            Offer::Http2AndHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Shakes hands with a client.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        timeout(HANDSHAKE, self.acceptor.accept(stream)).await?
    }
}

/// Whether the two have agreed on HTTP/2.
pub(crate) fn is_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

/// What the two have agreed on, by the names that OpenSSL has for it.
pub(crate) fn facts(stream: &TlsStream<TcpStream>) -> TlsFacts {
    let session = stream.get_ref().1;
    let cipher = session
        .negotiated_cipher_suite()
        .map(|suite| format!("{:?}", suite.suite()));
    TlsFacts {
        cipher: openssl_name(&cipher.unwrap_or_default()),
        protocol: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
            _ => "TLSv1.3".to_owned(),
        },
        domain: session.server_name().map(str::to_owned),
    }
}

/// `TLS13_AES_128_GCM_SHA256` is `TLS_AES_128_GCM_SHA256`, and `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is
/// `ECDHE-RSA-AES128-GCM-SHA256`.
fn openssl_name(suite: &str) -> String {
    match suite.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => suite
            .trim_start_matches("TLS_")
            .replace("_WITH_", "-")
            .replace("AES_", "AES")
            .replace('_', "-"),
    }
}

/// The certificates of a listener, by the names they are for.
#[derive(Debug)]
struct Certificates {
    default: Arc<CertifiedKey>,
    others: Vec<Arc<CertifiedKey>>,
}

impl Certificates {
    fn new(identities: &[TlsIdentity], provider: &CryptoProvider) -> Result<Self, InvalidIdentity> {
        let keys = identities.iter().map(|identity| identity.certified_key(provider));
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?.into_iter();
        Ok(Self {
            default: keys.next().ok_or(InvalidIdentity::None)?,
            others: keys.collect(),
        })
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let all = [&self.default].into_iter().chain(&self.others);
        let fitting = name.and_then(|name| all.clone().find(|key| is_for(key, &name)).cloned());
        Some(fitting.unwrap_or_else(|| Arc::clone(&self.default)))
    }
}

fn is_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let certificate = key
        .cert
        .first()
        .and_then(|certificate| ParsedCertificate::try_from(certificate).ok());
    certificate.is_some_and(|certificate| verify_server_name(&certificate, name).is_ok())
}

impl TlsIdentity {
    fn certified_key(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, InvalidIdentity> {
        let chain = CertificateDer::pem_slice_iter(self.certificate_chain_pem.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(InvalidIdentity::Pem)?;
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(InvalidIdentity::Pem)?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(InvalidIdentity::Unusable)?;
        Ok(Arc::new(key))
    }
}

impl fmt::Debug for TlsIdentity {
    /// Without the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TlsIdentity")
            .field("certificate_chain_pem", &self.certificate_chain_pem)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}
