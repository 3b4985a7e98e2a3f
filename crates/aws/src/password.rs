//! [`Password`]: a text that nobody sees by accident.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text. It has no `Display`, its `Debug` does not show it, and its memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The text itself, for whoever has to send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_nothing() {
        assert_eq!(format!("{:?}", Password::from("hunter2".to_owned())), "Password(..)");
    }
}
