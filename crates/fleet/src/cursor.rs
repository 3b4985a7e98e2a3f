//! [`Cursor`]: how far the reader of one of CloudWatch's small languages has come: metric math, alarm rules, filter patterns.

/// So deep may parentheses stand. AWS tells no limit; this one keeps a reader off the end of its stack.
const DEEPEST: usize = 64;

/// What is left to be read; it never begins with a space.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a str,
    depth: usize,
}

/// What is expected, and where; or why a text is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unexpected(pub(crate) String);

impl<'a> Cursor<'a> {
    /// At the beginning of a text; one that is longer is refused.
    pub(crate) fn new(text: &'a str, longest: usize) -> Result<Self, Unexpected> {
        if text.chars().count() > longest {
            return Err(Unexpected(format!("it is longer than {longest} characters")));
        }
        Ok(Self {
            rest: text.trim(),
            depth: 0,
        })
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(crate) fn take(&mut self, sign: &str) -> bool {
        let stands_here = self.rest.starts_with(sign);
        if stands_here {
            self.advance(sign.len());
        }
        stands_here
    }

    /// Takes a word where it does not only begin another one.
    pub(crate) fn take_word(&mut self, word: &str, is_part: impl Fn(char) -> bool) -> bool {
        let is_whole = |rest: &str| !rest.starts_with(is_part);
        let stands_here = self.rest.strip_prefix(word).is_some_and(is_whole);
        if stands_here {
            self.advance(word.len());
        }
        stands_here
    }

    /// Takes all characters of a kind, and the spaces behind them.
    pub(crate) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|char| !is_part(char)).unwrap_or(self.rest.len());
        let taken = &self.rest[..end];
        self.advance(end);
        taken
    }

    /// Takes what stands before a closing quote, and the quote.
    pub(crate) fn take_to_quote(&mut self) -> Result<&'a str, Unexpected> {
        let (text, _) = self
            .rest
            .split_once('"')
            .ok_or_else(|| self.unexpected("a closing quote"))?;
        self.advance(text.len() + 1);
        Ok(text)
    }

    pub(crate) fn expect(&mut self, sign: &str) -> Result<(), Unexpected> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}`")))
        }
    }

    pub(crate) fn expect_end(&self, else_expected: &str) -> Result<(), Unexpected> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.unexpected(else_expected))
        }
    }

    /// One level down; [`Cursor::ascend`] leads back.
    pub(crate) fn descend(&mut self) -> Result<(), Unexpected> {
        if self.depth == DEEPEST {
            return Err(Unexpected(format!("it is nested deeper than {DEEPEST}")));
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn ascend(&mut self) {
        self.depth -= 1;
    }

    pub(crate) fn advance(&mut self, length: usize) {
        self.rest = self.rest[length..].trim_start();
    }

    /// The same without taking the spaces behind it: what follows directly belongs to it.
    pub(crate) fn take_close(&mut self, sign: &str) -> bool {
        let behind = self.rest.strip_prefix(sign);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    pub(crate) fn unexpected(&self, expected: &str) -> Unexpected {
        Unexpected(if self.rest.is_empty() {
            format!("{expected} is expected at the end")
        } else {
            format!("{expected} is expected at `{}`", self.rest)
        })
    }
}
