//! Reading format strings: `%` flags, width, precision, argument number, verb.

use unicode_segmentation::UnicodeSegmentation as _;

/// A part of a format string.
pub(super) enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// To be replaced.
    Verb(Specification<'a>),
}

/// One `%-8.2[1]f`.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent flags, by their characters"
)]
pub(super) struct Specification<'a> {
    /// The flags `#`, `+`, `-`, space and `0`.
    pub(super) sharp: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    pub(super) width: usize,
    pub(super) precision: Option<usize>,
    /// Counted from one.
    pub(super) argument: Option<usize>,
    pub(super) verb: char,
    /// As it is written, and where.
    pub(super) text: &'a str,
    pub(super) offset: usize,
}

/// The pieces of a format string, up to the first mistake.
pub(super) fn pieces(format: &str) -> impl Iterator<Item = Result<Piece<'_>, String>> {
    let mut position = 0;
    std::iter::from_fn(move || {
        let rest = &format[position..];
        let start = position;
        if rest.is_empty() {
            return None;
        }
        let piece = if rest.starts_with("%%") {
            position += 2;
            Ok(Piece::Text(&rest[..1]))
        } else if rest.starts_with('%') {
            let read = Reader {
                format,
                position: start + 1,
            }
            .specification(start);
            position = read
                .as_ref()
                .map_or(format.len(), |specification| start + specification.text.len());
            read.map(Piece::Verb)
        } else {
            let length = rest.find('%').unwrap_or(rest.len());
            position += length;
            Ok(Piece::Text(&rest[..length]))
        };
        Some(piece)
    })
}

impl Specification<'_> {
    /// The text at its width, as a reader counts characters.
    pub(super) fn padded(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.graphemes(true).count());
        match (self.minus, self.zero) {
            _ if missing == 0 => text,
            (true, _) => text + &" ".repeat(missing),
            (false, true) => "0".repeat(missing) + &text,
            (false, false) => " ".repeat(missing) + &text,
        }
    }
}

struct Reader<'a> {
    format: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    fn specification(mut self, offset: usize) -> Result<Specification<'a>, String> {
        let mut specification = Specification {
            offset,
            ..Specification::default()
        };
        self.flags(&mut specification);
        specification.width = self.number().unwrap_or(0);
        if self.accept('.') {
            specification.precision = Some(self.number().unwrap_or(0));
        }
        if self.accept('[') {
            specification.argument = Some(self.argument()?);
        }
        specification.verb = self
            .peek()
            .filter(char::is_ascii_alphabetic)
            .ok_or_else(|| self.unexpected())?;
        specification.text = &self.format[offset..=self.position];
        Ok(specification)
    }

    fn flags(&mut self, specification: &mut Specification<'_>) {
        while let Some(flag) = self.peek() {
            match flag {
                '#' => specification.sharp = true,
                '+' => specification.plus = true,
                '-' => specification.minus = true,
                ' ' => specification.space = true,
                '0' => specification.zero = true,
                _ => return,
            }
            self.position += 1;
        }
    }

    /// A count of characters; what would fill the memory is cut short.
    fn number(&mut self) -> Option<usize> {
        const MOST: usize = 10_000;
        let digits = self.format[self.position..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let text = &self.format[self.position..self.position + digits];
        self.position += digits;
        (digits > 0).then(|| text.parse().unwrap_or(MOST).min(MOST))
    }

    fn argument(&mut self) -> Result<usize, String> {
        if self.peek() == Some('0') {
            return Err(self.unexpected());
        }
        let index = self.number().ok_or_else(|| self.unexpected())?;
        if self.accept(']') {
            Ok(index)
        } else {
            Err(self.unexpected())
        }
    }

    fn peek(&self) -> Option<char> {
        self.format[self.position..].chars().next()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.position += usize::from(found);
        found
    }

    fn unexpected(&self) -> String {
        let position = self.position;
        match self.peek() {
            Some(character) => format!("unrecognized format character '{character}' at offset {position}"),
            None => format!("invalid format string starting at offset {position}"),
        }
    }
}
