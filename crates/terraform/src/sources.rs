//! The text of a stack, in memory, and places in it.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Every text file of a stack directory, by its path relative to that directory (`main.tf`, `profiles/lean.tfvars`).
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: BTreeMap<Arc<str>, Arc<str>>,
}

impl Sources {
    /// The text of one file, by its path relative to the stack.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(AsRef::as_ref)
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        self.files.insert(path.into(), text.into());
    }

    /// All files in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        self.files.iter().map(|(path, text)| (path, text.as_ref()))
    }

    /// All files with shared ownership of their texts.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
        self.files
            .iter()
            .map(|(path, text)| (Arc::clone(path), Arc::clone(text)))
    }

    /// Line and column of a byte offset, both counted from one; the column counts characters.
    pub fn position(&self, file: &str, offset: usize) -> Option<Position> {
        let text = self.get(file)?;
        let before = text.get(..offset)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some(Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        })
    }
}

impl<P: Into<Arc<str>>, T: Into<Arc<str>>> Extend<(P, T)> for Sources {
    fn extend<I: IntoIterator<Item = (P, T)>>(&mut self, iter: I) {
        for (path, text) in iter {
            self.insert(path, text);
        }
    }
}

impl<P: Into<Arc<str>>, T: Into<Arc<str>>> FromIterator<(P, T)> for Sources {
    fn from_iter<I: IntoIterator<Item = (P, T)>>(iter: I) -> Self {
        let mut sources = Self::default();
        for (path, text) in iter {
            sources.insert(path, text);
        }
        sources
    }
}

/// A line and a column, both counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, from one.
    pub line: usize,
    /// The column in characters, from one.
    pub column: usize,
}

/// A range of bytes in one file of [`Sources`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The file's path relative to the stack.
    pub file: Arc<str>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}
