//! Who one is, as data.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// What to say to a registry that asks who one is.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    Anonymous,
    /// A name and a password. A registry may take them as they are, or send one with them to where tokens are given out.
    Basic {
        /// The name; `AWS` for ECR.
        username: String,
        /// The password, or a token in its place.
        password: Password,
    },
}

/// A password. It is shown to registries, and to nobody else.
#[derive(Clone)]
pub struct Password(String);

/// Who asked, as an error may say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// Somebody who said nothing.
    Nobody,
    /// A name.
    Named(String),
}

impl Password {
    /// Keeps it.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("requests without credentials"),
            Self::Named(name) => write!(f, "the credentials of `{name}`"),
        }
    }
}

impl Credentials {
    pub(super) fn account(&self) -> Account {
        match self {
            Self::Anonymous => Account::Nobody,
            Self::Basic { username, .. } => Account::Named(username.clone()),
        }
    }

    /// The header that says them: <https://www.rfc-editor.org/rfc/rfc7617#section-2>.
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        let Self::Basic { username, password } = self else {
            return None;
        };
        let text = format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.0)));
        Some(sensitive(&text))
    }
}

/// The header that shows a token. `None` where it is none that a header could have.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| sensitive(&format!("Bearer {token}")))
}

fn sensitive(text: &str) -> HeaderValue {
    let mut header = HeaderValue::from_str(text).expect("base64 and plain tokens are fit for a header");
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_said_as_http_has_it_and_not_shown() {
        let credentials = Credentials::Basic {
            username: "Aladdin".to_owned(),
            password: Password::new("open sesame"),
        };
        let header = credentials.basic().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let shown = format!("{credentials:?} {header:?} {}", credentials.account());
        assert!(!shown.contains("sesame") && !shown.contains("QWxh"), "{shown}");
        assert!(Credentials::Anonymous.basic().is_none());
    }

    #[test]
    fn a_token_that_no_header_can_have_is_none() {
        assert_eq!(bearer("abc.def-1").unwrap().to_str().unwrap(), "Bearer abc.def-1");
        assert!(bearer("a\r\nb").is_none());
    }
}
