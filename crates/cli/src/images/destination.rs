//! `--to HOST/PREFIX`: a registry, and what stands in front of the repositories' names in it.

use std::fmt;
use std::str::FromStr;

use karma_image::{InvalidReference, Reference, Scheme};

/// Where images go. `http://` in front asks for plain HTTP, which is otherwise spoken within this machine only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) prefix: Option<String>,
}

impl FromStr for Destination {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            _ => (None, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, prefix) = match rest.split_once('/') {
            Some((host, prefix)) => (host, Some(prefix.to_owned())),
            None => (rest, None),
        };
        let destination = Self {
            scheme: scheme.unwrap_or_else(|| Scheme::of(host)),
            host: host.to_owned(),
            prefix,
        };
        destination.reference("any")?;
        Ok(destination)
    }
}

impl Destination {
    /// Where a repository of the stack is there.
    pub(crate) fn reference(&self, repository: &str) -> Result<Reference, InvalidReference> {
        match &self.prefix {
            Some(prefix) => Reference::new(&self.host, &format!("{prefix}/{repository}")),
            None => Reference::new(&self.host, repository),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        match &self.prefix {
            Some(prefix) => write!(f, "/{prefix}"),
            None => Ok(()),
        }
    }
}

/// Whether a host is an account's registry on AWS: `123456789012.dkr.ecr.us-east-1.amazonaws.com`.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>
pub(crate) fn is_ecr(host: &str) -> bool {
    let mut labels = host.split('.');
    let is_account = labels
        .next()
        .is_some_and(|label| label.len() == 12 && label.bytes().all(|byte| byte.is_ascii_digit()));
    is_account && labels.next() == Some("dkr") && matches!(labels.next(), Some("ecr" | "ecr-fips"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, scheme: Scheme, reference: &str) {
        let destination: Destination = text.parse().unwrap();
        assert_eq!(destination.scheme, scheme, "{text}");
        assert_eq!(destination.reference("k/a").unwrap().to_string(), reference);
    }

    #[test]
    fn a_destination_is_a_host_and_what_stands_in_front() {
        check("localhost:5000", Scheme::Http, "localhost:5000/k/a");
        check("localhost:5000/", Scheme::Http, "localhost:5000/k/a");
        check("ghcr.io/me/x", Scheme::Https, "ghcr.io/me/x/k/a");
        check("http://r.example", Scheme::Http, "r.example/k/a");
        check("https://127.0.0.1:5000/x", Scheme::Https, "127.0.0.1:5000/x/k/a");
        for text in [
            "",
            "/",
            "ftp://a.example",
            "a.example/UPPER",
            "a.example//",
            "a.example:x",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_ecr_registry_is_known_by_its_name() {
        assert!(is_ecr("123456789012.dkr.ecr.us-east-1.amazonaws.com"));
        assert!(is_ecr("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"));
        for host in [
            "public.ecr.aws",
            "12.dkr.ecr.us-east-1.amazonaws.com",
            "123456789012.dkr.example",
            "localhost",
        ] {
            assert!(!is_ecr(host), "{host}");
        }
    }
}
