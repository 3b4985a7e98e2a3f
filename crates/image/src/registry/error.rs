//! [`RegistryError`].

use std::io;
use std::time::Duration;

use http::StatusCode;

use super::credentials::Account;
use super::transport::Broken;
use crate::digest::Digest;
use crate::layout::LayoutError;
use crate::reference::InvalidReference;

/// Why a registry could not be asked, or did not do what it was asked. None of them holds a password or a token.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no registry of that name.
    #[error(transparent)]
    Name(#[from] InvalidReference),
    /// TLS cannot be spoken with anybody from here.
    #[error("TLS cannot be spoken: {0}")]
    Tls(String),
    /// Nobody answers there, or nobody whose certificate is trusted.
    #[error("cannot reach the registry {registry}")]
    Unreachable {
        /// The host, with its port.
        registry: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke, and again each time it was tried.
    #[error("the connection to {registry} broke while {doing}{}", times(*attempts))]
    BrokeOff {
        /// The host.
        registry: String,
        /// In the middle of what.
        doing: String,
        /// How often it was tried.
        attempts: u32,
        /// What went wrong the last time.
        source: Broken,
    },
    /// It answers with 429 or a 5xx, and again each time it was asked.
    #[error("the registry {registry} answers {status}{}", said(message.as_ref()))]
    Failing {
        /// The host.
        registry: String,
        /// The last answer.
        status: StatusCode,
        /// What the registry says about it.
        message: Option<String>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It does not know who asks.
    #[error("the registry {registry} does not accept {account}{}", said(message.as_ref()))]
    Unauthorized {
        /// The host.
        registry: String,
        /// Who asked.
        account: Account,
        /// What the registry says about it.
        message: Option<String>,
    },
    /// It knows who asks, and that he may not.
    #[error("the registry {registry} denies {account} {doing}{}", said(message.as_ref()))]
    Denied {
        /// The host.
        registry: String,
        /// Who asked.
        account: Account,
        /// What for.
        doing: String,
        /// What the registry says about it.
        message: Option<String>,
    },
    /// There is no such repository, and this registry makes none by itself.
    #[error("there is no repository {repository} in {registry}")]
    NoRepository {
        /// The host.
        registry: String,
        /// Which.
        repository: String,
    },
    /// The tag points at another image, and this repository's tags never change.
    #[error("the tag of {reference} cannot be moved: its repository is immutable{}", points_at(existing.as_ref()))]
    TagImmutable {
        /// With the tag.
        reference: String,
        /// What the tag points at.
        existing: Option<Digest>,
    },
    /// What arrived is not what was sent.
    #[error("{what} is another in {registry} than here: {expected} is expected{}", instead(found.as_ref()))]
    DigestMismatch {
        /// The host.
        registry: String,
        /// A blob or an image.
        what: String,
        /// What it is here.
        expected: Digest,
        /// What it is there, as far as it says so.
        found: Option<Digest>,
    },
    /// It does not take the manifest.
    #[error("the registry {registry} refuses the manifest of {reference}: {status}{}", said(message.as_ref()))]
    ManifestRefused {
        /// The host.
        registry: String,
        /// Which image.
        reference: String,
        /// Its answer.
        status: StatusCode,
        /// What the registry says about it.
        message: Option<String>,
    },
    /// It refuses something else.
    #[error("the registry {registry} refuses {doing}: {status}{}", said(message.as_ref()))]
    Refused {
        /// The host.
        registry: String,
        /// What it was asked for.
        doing: String,
        /// Its answer.
        status: StatusCode,
        /// What the registry says about it.
        message: Option<String>,
    },
    /// It answers what no registry would.
    #[error("{registry} does not answer as a registry: {problem}")]
    NotARegistry {
        /// The host.
        registry: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// What is to be pushed cannot be read here.
    #[error("cannot read what is to be pushed")]
    Layout(#[from] LayoutError),
    /// A file of the layout cannot be read.
    #[error("cannot read the blob {digest}")]
    Blob {
        /// Which.
        digest: Digest,
        /// Why.
        source: io::Error,
    },
}

impl RegistryError {
    /// Whether the same request could succeed a moment later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::BrokeOff { .. } | Self::Failing { .. } => true,
            // A name that is unknown or a certificate that is not trusted stays so.
            Self::Unreachable { source, .. } => is_transient(source.kind()),
            _ => false,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failing { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same after so many attempts.
    pub(super) fn after(mut self, failures: u32) -> Self {
        if let Self::BrokeOff { attempts, .. } = &mut self {
            *attempts = failures;
        }
        self
    }

    /// What to do next, where that is known.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unauthorized {
                account: Account::Nobody,
                registry,
                ..
            } => format!(
                "say who you are: --username NAME --password-stdin, or an entry for {registry} in ~/.docker/config.json"
            ),
            Self::Unauthorized { .. } => {
                "check the user name and the password; a login to ECR is valid for twelve hours".to_owned()
            }
            Self::Denied { registry, .. } => format!("its owner has to allow it: permissions are kept by {registry}"),
            Self::NoRepository { .. } => {
                "Terraform makes the repository: `karma deploy` does so before it pushes".to_owned()
            }
            Self::TagImmutable { .. } => {
                "push under another tag: --tag NAME; the default is made of the image's digest".to_owned()
            }
            Self::DigestMismatch { .. } => "build the images again: `karma image build`".to_owned(),
            Self::Unreachable { source, .. } if source.kind() == io::ErrorKind::InvalidData => {
                "name the file with the certificate of whoever signed the registry's in SSL_CERT_FILE".to_owned()
            }
            Self::Unreachable { .. } => {
                "check the registry's name, and that it runs; plain HTTP has to be asked for: http://HOST/PREFIX"
                    .to_owned()
            }
            Self::Tls(_) => "install ca-certificates, or name a file in SSL_CERT_FILE".to_owned(),
            Self::BrokeOff { .. } | Self::Failing { .. } => "push again: what has arrived is not sent twice".to_owned(),
            _ => return None,
        })
    }
}

fn is_transient(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, TimedOut, UnexpectedEof,
    };
    matches!(
        kind,
        BrokenPipe | ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | TimedOut | UnexpectedEof
    )
}

fn said(message: Option<&String>) -> String {
    message.map(|message| format!(" ({message})")).unwrap_or_default()
}

fn times(attempts: u32) -> String {
    if attempts > 1 {
        format!(", {attempts} times")
    } else {
        String::new()
    }
}

fn points_at(existing: Option<&Digest>) -> String {
    existing
        .map(|digest| format!(", and it points at {digest}"))
        .unwrap_or_default()
}

fn instead(found: Option<&Digest>) -> String {
    found.map(|digest| format!(", {digest} was found")).unwrap_or_default()
}
