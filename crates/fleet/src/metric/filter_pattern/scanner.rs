//! The words and signs that a pattern is made of.

use super::{PatternError, RegexText};

/// So deep may parentheses stand. AWS tells no limit; this one keeps the reader off the end of its stack.
const DEEPEST: usize = 64;

/// What is left of a pattern; it never begins with a space.
#[derive(Clone)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text.trim(),
            depth: 0,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn stands_here(&self, sign: &str) -> bool {
        self.rest.starts_with(sign)
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        let stands_here = self.stands_here(sign);
        if stands_here {
            self.advance(sign.len());
        }
        stands_here
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let is_whole = |rest: &str| !rest.starts_with(is_name_part);
        let stands_here = self.rest.strip_prefix(word).is_some_and(is_whole);
        if stands_here {
            self.advance(word.len());
        }
        stands_here
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), PatternError> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}`")))
        }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), PatternError> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{word}`")))
        }
    }

    pub(super) fn expect_end(&self) -> Result<(), PatternError> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(self.unexpected("the end"))
        }
    }

    /// Reads something that stands in parentheses, one level down.
    pub(super) fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, PatternError>,
    ) -> Result<T, PatternError> {
        if self.depth == DEEPEST {
            return Err(PatternError(format!("it is nested deeper than {DEEPEST}")));
        }
        self.depth += 1;
        let inner = read(self);
        self.depth -= 1;
        inner
    }

    /// `"two words"`, in which `\"` stands for a quote and `\\` for a backslash; `None` where there is no quote.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, PatternError> {
        let Some(inside) = self.rest.strip_prefix('"') else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut characters = inside.char_indices().peekable();
        while let Some((position, char)) = characters.next() {
            match char {
                '"' => {
                    self.advance(1 + position + 1);
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
        let Some(inside) = self.rest.strip_prefix('%') else {
            return Ok(None);
        };
        let is_closing = |(position, _): &(usize, &str)| !inside[..*position].ends_with('\\');
        let Some((end, _)) = inside.match_indices('%').find(is_closing) else {
            return Err(PatternError("a regular expression is not closed by `%`".to_owned()));
        };
        let regex = RegexText::new(&inside[..end])?;
        self.advance(1 + end + 1);
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

    /// The same without taking the spaces behind it: what follows directly belongs to it.
    pub(super) fn take_close(&mut self, sign: &str) -> bool {
        let behind = self.rest.strip_prefix(sign);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    pub(super) fn unexpected(&self, expected: &str) -> PatternError {
        PatternError(match self.rest.chars().next() {
            Some(_) => format!("{expected} is expected at `{}`", self.rest),
            None => format!("{expected} is expected at the end"),
        })
    }

    fn while_char(&mut self, is_part: impl Fn(char) -> bool) -> Option<&'a str> {
        let end = self.rest.find(|char| !is_part(char)).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.advance(end);
        (!word.is_empty()).then_some(word)
    }

    fn advance(&mut self, length: usize) {
        self.rest = self.rest[length..].trim_start();
    }
}

pub(super) fn is_name_part(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '-'
}
