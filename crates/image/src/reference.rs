//! [`Reference`]: an image's name, as it is written in a task definition.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::digest::{Digest, InvalidDigest};

/// The longest name, host and repository together.
const LONGEST_NAME: usize = 255;

/// The longest tag.
const LONGEST_TAG: usize = 128;

/// `host[:port]/repository[:tag][@digest]`: where an image is, and which.
///
/// The grammar is [Docker's](https://github.com/distribution/reference/blob/main/reference.go), with two differences: the registry is always
/// named (here `ubuntu` does not mean `docker.io/library/ubuntu`), and no tag means no tag, not `latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is no [`Reference`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// It does not begin with a host: `host.example/repository`.
    #[error("{0:?} names no registry: it begins with a host, such as localhost:5000/ or registry.example/")]
    NoRegistry(String),
    /// What stands before the first slash is neither a host nor a host with a port.
    #[error("{0:?} is no host of a registry")]
    Registry(String),
    /// A repository's name has lower-case letters, digits and single separators (`.`, `_`, `__`, dashes), in parts between slashes.
    #[error(
        "{0:?} is no name of a repository: lower-case letters and digits, with . _ - between them, in parts between slashes"
    )]
    Repository(String),
    /// A tag has letters, digits, `_`, `.` and `-`, begins with none of the last two, and is at most 128 long.
    #[error("{0:?} is no tag: at most 128 letters, digits, . _ -, with no . or - in front")]
    Tag(String),
    /// What follows `@` is no digest.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// It has neither a tag nor a digest, where one is needed.
    #[error("{0} names a repository and no image in it: add a :tag or an @digest")]
    PointsAtNothing(String),
    /// Host and repository together are longer than 255.
    #[error("a name of {0} characters is too long: 255 is the most")]
    TooLong(usize),
}

impl Reference {
    /// A repository of a registry, without a tag or digest.
    pub fn new(registry: &str, repository: &str) -> Result<Self, InvalidReference> {
        if !is_registry(registry) {
            return Err(InvalidReference::Registry(registry.to_owned()));
        }
        if !repository.split('/').all(is_path_component) {
            return Err(InvalidReference::Repository(repository.to_owned()));
        }
        let length = registry.len() + 1 + repository.len();
        if length > LONGEST_NAME {
            return Err(InvalidReference::TooLong(length));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag: None,
            digest: None,
        })
    }

    /// The same repository with this tag.
    pub fn with_tag(self, tag: &str) -> Result<Self, InvalidReference> {
        if !is_tag(tag) {
            return Err(InvalidReference::Tag(tag.to_owned()));
        }
        let tag = Some(tag.to_owned());
        Ok(Self { tag, ..self })
    }

    /// The same pinned to a digest.
    #[must_use]
    pub fn with_digest(self, digest: Digest) -> Self {
        let digest = Some(digest);
        Self { digest, ..self }
    }

    /// The registry's host, with its port where it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if it has one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if it is pinned.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest.parse()?)),
            None => (text, None),
        };
        let (registry, path) = named
            .split_once('/')
            .filter(|(first, _)| looks_like_a_host(first))
            .ok_or_else(|| InvalidReference::NoRegistry(text.to_owned()))?;
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        let mut reference = Self::new(registry, repository)?;
        if let Some(tag) = tag {
            reference = reference.with_tag(tag)?;
        }
        Ok(Self { digest, ..reference })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Docker takes the first part for a host if it could not be a part of a repository's name on its hub.
fn looks_like_a_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.contains(|letter: char| letter.is_ascii_uppercase())
}

/// `host`, `host:port`, `[IPv6]` or `[IPv6]:port`.
pub(crate) fn is_registry(text: &str) -> bool {
    match split_port(text) {
        (host, Some(port)) => is_host(host) && is_port(port),
        (host, None) => is_host(host),
    }
}

/// The colons of an IPv6 address stand in brackets.
pub(crate) fn split_port(text: &str) -> (&str, Option<&str>) {
    let after_address = text.rfind(']').unwrap_or(0);
    match text[after_address..].find(':') {
        Some(colon) => (&text[..after_address + colon], Some(&text[after_address + colon + 1..])),
        None => (text, None),
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.split('.').all(is_label),
    }
}

fn is_label(label: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = label.as_bytes();
    let inner = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    inner && edge(bytes.first()) && edge(bytes.last())
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Words of lower-case letters and digits with one separator between each two: `.`, `_`, `__`, or any number of dashes.
fn is_path_component(component: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| is_alphanumeric(*byte));
    let separators = bytes.split(|byte| is_alphanumeric(*byte));
    let is_separator =
        |separator: &[u8]| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|byte| *byte == b'-');
    edge(bytes.first()) && edge(bytes.last()) && { separators }.all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = tag.as_bytes();
    bytes.len() <= LONGEST_TAG
        && bytes.first().is_some_and(is_word)
        && bytes.iter().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests;
