//! The words and signs that a pattern is made of.

use super::{LONGEST, PatternError, RegexText};
use crate::cursor::{Cursor, Unexpected};

/// What is left of a pattern.
#[derive(Clone)]
pub(super) struct Scanner<'a>(Cursor<'a>);

impl From<Unexpected> for PatternError {
    fn from(unexpected: Unexpected) -> Self {
        Self(unexpected.0)
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, PatternError> {
        Ok(Self(Cursor::new(text, LONGEST)?))
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.rest().is_empty()
    }

    pub(super) fn stands_here(&self, sign: &str) -> bool {
        self.0.rest().starts_with(sign)
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        self.0.take(sign)
    }

    pub(super) fn take_close(&mut self, sign: &str) -> bool {
        self.0.take_close(sign)
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        self.0.take_word(word, is_name_part)
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), PatternError> {
        Ok(self.0.expect(sign)?)
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), PatternError> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{word}`")))
        }
    }

    pub(super) fn expect_end(&self) -> Result<(), PatternError> {
        Ok(self.0.expect_end("the end")?)
    }

    /// Reads something that stands in parentheses, one level down.
    pub(super) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, PatternError>,
    ) -> Result<T, PatternError> {
        self.0.descend()?;
        let inner = read(self);
        self.0.ascend();
        inner
    }

    /// `"two words"`, in which `\"` stands for a quote and `\\` for a backslash; `None` where there is no quote.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, PatternError> {
        let Some(inside) = self.0.rest().strip_prefix('"') else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut characters = inside.char_indices().peekable();
        while let Some((position, char)) = characters.next() {
            match char {
                '"' => {
                    self.0.advance(1 + position + 1);
                    return Ok(Some(text));
                }
                '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                    Some((_, escaped)) => text.push(escaped),
                    None => text.push(char),
                },
                _ => text.push(char),
            }
        }
        Err(PatternError("a quote is not closed".to_owned()))
    }

    /// `%4[0-9]{2}%`, in which `\%` stands for a percent sign; `None` where there is no percent sign.
    pub(super) fn regex(&mut self) -> Result<Option<RegexText>, PatternError> {
        let Some(inside) = self.0.rest().strip_prefix('%') else {
            return Ok(None);
        };
        let is_closing = |(position, _): &(usize, &str)| !inside[..*position].ends_with('\\');
        let Some((end, _)) = inside.match_indices('%').find(is_closing) else {
            return Err(PatternError("a regular expression is not closed by `%`".to_owned()));
        };
        let regex = RegexText::new(&inside[..end])?;
        self.0.advance(1 + end + 1);
        Ok(Some(regex))
    }

    /// A name of letters, digits, `_` and `-`.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        self.while_char(is_name_part)
    }

    /// A value without quotes. AWS asks for quotes around all but letters, digits and `_`; here it ends with a space or a sign of the syntax.
    pub(super) fn bare_value(&mut self) -> Option<&'a str> {
        self.while_char(|char| !char.is_whitespace() && !"\"%&|(){}[],=<>!".contains(char))
    }

    /// A term without quotes: up to the next space.
    pub(super) fn bare_term(&mut self) -> Option<&'a str> {
        self.while_char(|char| !char.is_whitespace() && char != '"')
    }

    pub(super) fn unexpected(&self, expected: &str) -> PatternError {
        self.0.unexpected(expected).into()
    }

    fn while_char(&mut self, is_part: impl Fn(char) -> bool) -> Option<&'a str> {
        let word = self.0.take_while(is_part);
        (!word.is_empty()).then_some(word)
    }
}

pub(super) fn is_name_part(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '-'
}
