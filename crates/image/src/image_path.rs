//! A place in an image.

use std::fmt;

/// What Linux allows in a name, and in a path with the zero at its end.
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 4095;

/// An absolute path in an image without `.`, `..` or empty parts, so that one place has one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ImagePath {
    /// Without the slash at the beginning, as layers have it.
    relative: String,
}

/// Why a text is no place in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImagePath {
    /// `usr/bin`
    #[error("it does not begin with a slash")]
    Relative,
    /// `/`
    #[error("it names the root")]
    Root,
    /// `/a/../b`, `/a/./b`, `/a//b`
    #[error("it has a part that is empty, `.` or `..`")]
    Detour,
    /// A line feed, a zero.
    #[error("it has a control character")]
    ControlCharacter,
    /// Longer than Linux takes.
    #[error("it is too long: a name has at most {LONGEST_NAME} bytes, a path {LONGEST_PATH}")]
    TooLong,
}

impl ImagePath {
    /// Reads `/app/data`. One slash at the end is taken for nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidImagePath> {
        let relative = text.strip_prefix('/').ok_or(InvalidImagePath::Relative)?;
        let relative = relative.strip_suffix('/').unwrap_or(relative);
        if relative.is_empty() {
            return Err(InvalidImagePath::Root);
        }
        relative.split('/').try_for_each(check_name)?;
        if text.len() > LONGEST_PATH {
            return Err(InvalidImagePath::TooLong);
        }
        Ok(Self {
            relative: relative.to_owned(),
        })
    }

    /// A place in this directory.
    pub(crate) fn join(&self, name: &str) -> Result<Self, InvalidImagePath> {
        Self::parse(&format!("{self}/{name}"))
    }

    /// The directories on the way to it, from the top.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = Self> {
        self.relative.match_indices('/').map(|(slash, _)| Self {
            relative: self.relative[..slash].to_owned(),
        })
    }

    /// Whether it lies somewhere below a directory.
    pub(crate) fn is_below(&self, directory: &Self) -> bool {
        let rest = self.relative.strip_prefix(&directory.relative);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }

    /// As layers have it: without the slash at the beginning.
    pub(crate) fn relative(&self) -> &str {
        &self.relative
    }
}

fn check_name(name: &str) -> Result<(), InvalidImagePath> {
    match name {
        "" | "." | ".." => Err(InvalidImagePath::Detour),
        _ if name.contains(char::is_control) => Err(InvalidImagePath::ControlCharacter),
        _ if name.len() > LONGEST_NAME => Err(InvalidImagePath::TooLong),
        _ => Ok(()),
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.relative)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::InvalidImagePath::{ControlCharacter, Detour, Relative, Root, TooLong};
    use super::*;

    #[test]
    fn detours_are_refused() {
        let long_name = format!("/{}", "n".repeat(256));
        let long_path = "/name".repeat(820);
        for (text, expected) in [
            ("", Relative),
            ("usr/bin", Relative),
            ("../etc", Relative),
            ("/", Root),
            ("//", Root),
            ("/a/../b", Detour),
            ("/..", Detour),
            ("/a//b", Detour),
            ("/./a", Detour),
            ("/a\nb", ControlCharacter),
            ("/a\0", ControlCharacter),
            (&long_name, TooLong),
            (&long_path, TooLong),
        ] {
            assert_eq!(ImagePath::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn ancestors_come_from_the_top() {
        let path = ImagePath::parse("/usr/local/bin/").unwrap();
        let ancestors: Vec<_> = path.ancestors().map(|it| it.to_string()).collect();
        assert_eq!(ancestors, ["/usr", "/usr/local"]);
        assert!(path.ancestors().all(|above| path.is_below(&above)));
        assert!(
            !ImagePath::parse("/usr2/a")
                .unwrap()
                .is_below(&ImagePath::parse("/usr").unwrap())
        );
    }

    proptest! {
        #[test]
        fn a_path_is_its_text(text in "/[a./ ]{0,9}|\\PC*") {
            if let Ok(path) = ImagePath::parse(&text) {
                prop_assert_eq!(path.to_string(), text.strip_suffix('/').unwrap_or(&text));
            }
        }
    }
}
