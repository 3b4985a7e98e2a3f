//! The patterns of rule conditions: texts with wildcards, or regular expressions.
//!
//! `*` stands for any run of characters, an empty one and `/` included; `?` for exactly one. The authority is
//! [rule condition types][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

/// What a value of a request is compared with.
#[derive(Clone)]
pub struct Pattern {
    text: Box<str>,
    kind: Kind,
}

/// A text that is no regular expression, or one that asks for what AWS does not support either: looking around and
/// references back, for two.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no regular expression: {reason}")]
pub struct InvalidRegex {
    text: String,
    reason: String,
}

#[derive(Clone)]
enum Kind {
    /// Has to fit the whole value.
    Wildcards(Box<[Piece]>),
    /// Has to be found somewhere in the value. AWS does not say whether its expressions have to fit the whole; its
    /// examples are anchored with `^` and `$`, which makes no difference.
    Regex(Box<Expression>),
}

#[derive(Clone)]
struct Expression {
    exact: Regex,
    ignoring_case: Regex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Run,
}

impl Pattern {
    /// A text with wildcards that cannot be escaped, as in paths, host names and headers. Takes any text: the limits
    /// on a pattern's length and alphabet belong to whoever reads the configuration.
    pub fn new(text: &str) -> Self {
        Self::from_pieces(text, text.bytes().map(Piece::from))
    }

    /// A text in which a backslash takes their meaning from `*`, `?` and itself, as in query strings. Before any
    /// other character it is a backslash (AWS is silent on that).
    pub fn with_escapes(text: &str) -> Self {
        let mut bytes = text.bytes().peekable();
        let pieces = std::iter::from_fn(|| match bytes.next()? {
            b'\\' => Some(Piece::Byte(
                bytes.next_if(|next| b"*?\\".contains(next)).unwrap_or(b'\\'),
            )),
            other => Some(Piece::from(other)),
        });
        Self::from_pieces(text, pieces)
    }

    /// A regular expression.
    pub fn regex(text: &str) -> Result<Self, InvalidRegex> {
        let compile = |ignoring_case| RegexBuilder::new(text).case_insensitive(ignoring_case).build();
        let compiled = compile(false).and_then(|exact| {
            Ok(Expression {
                exact,
                ignoring_case: compile(true)?,
            })
        });
        match compiled {
            Ok(expression) => Ok(Self {
                text: text.into(),
                kind: Kind::Regex(Box::new(expression)),
            }),
            Err(error) => Err(InvalidRegex::new(text, &error)),
        }
    }

    /// Whether `value` fits, letter case included: the way of paths.
    pub fn matches(&self, value: impl AsRef<[u8]>) -> bool {
        match &self.kind {
            Kind::Wildcards(pieces) => fits(pieces, value.as_ref(), |a, b| a == b),
            Kind::Regex(expression) => expression.exact.is_match(value.as_ref()),
        }
    }

    /// Whether `value` fits, letter case ignored: the way of host names, headers and query strings. (AWS says so of
    /// texts with wildcards; of regular expressions it says nothing.)
    pub fn matches_ignoring_case(&self, value: impl AsRef<[u8]>) -> bool {
        match &self.kind {
            Kind::Wildcards(pieces) => fits(pieces, value.as_ref(), |a, b| a.eq_ignore_ascii_case(&b)),
            Kind::Regex(expression) => expression.ignoring_case.is_match(value.as_ref()),
        }
    }

    fn from_pieces(text: &str, pieces: impl Iterator<Item = Piece>) -> Self {
        let mut compact: Vec<Piece> = pieces.collect();
        compact.dedup_by(|next, last| (*next, *last) == (Piece::Run, Piece::Run));
        Self {
            text: text.into(),
            kind: Kind::Wildcards(compact.into()),
        }
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl InvalidRegex {
    pub(crate) fn new(text: &str, error: &regex::Error) -> Self {
        Self {
            text: text.to_owned(),
            reason: error.to_string(),
        }
    }
}

impl From<u8> for Piece {
    fn from(byte: u8) -> Self {
        match byte {
            b'*' => Self::Run,
            b'?' => Self::One,
            other => Self::Byte(other),
        }
    }
}

/// Walks both texts once, and on a mismatch goes back to the latest `*` only, letting it take one byte more. An
/// earlier `*` never has to be tried again, so the work is bounded by the product of the two lengths.
fn fits(pattern: &[Piece], value: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut latest_run = None;
    while read < value.len() {
        let takes_one = match pattern.get(at) {
            Some(Piece::Run) => {
                at += 1;
                latest_run = Some((at, read));
                continue;
            }
            Some(Piece::One) => true,
            Some(&Piece::Byte(wanted)) => same(wanted, value[read]),
            None => false,
        };
        if takes_one {
            at += 1;
            read += 1;
        } else if let Some((after_run, taken)) = latest_run {
            latest_run = Some((after_run, taken + 1));
            (at, read) = (after_run, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&piece| piece == Piece::Run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        check_pattern(&Pattern::new(pattern), matching, others);
    }

    #[track_caller]
    fn check_pattern(pattern: &Pattern, matching: &[&str], others: &[&str]) {
        for text in matching {
            assert!(pattern.matches(text), "{pattern:?} should match {text:?}");
        }
        for text in others {
            assert!(!pattern.matches(text), "{pattern:?} should not match {text:?}");
        }
    }

    #[test]
    fn star_takes_any_run_and_crosses_slashes() {
        check(
            "/img/*",
            &["/img/", "/img/a", "/img/a/b"],
            &["/img", "/IMG/a", "/imgs/a", "x/img/"],
        );
        check(
            "/img/*/pics",
            &["/img/a/pics", "/img//pics", "/img/a/b/pics"],
            &["/img/pics", "/img/a/pics/"],
        );
        check("*", &["", "/", "/a/b"], &[]);
        check("*a*a*", &["aa", "xaxax"], &["a", "xax"]);
    }

    #[test]
    fn question_mark_takes_exactly_one() {
        check("/v?/x", &["/v1/x", "/v//x"], &["/v/x", "/v10/x"]);
        check("a?*", &["ab", "abc"], &["a", ""]);
    }

    #[test]
    fn without_wildcards_the_texts_are_equal() {
        check("/health", &["/health"], &["/healthz", "/healt", "/Health", ""]);
        check("", &[""], &["/"]);
        check(r"a\*", &[r"a\", r"a\b"], &["a*"]);
    }

    #[test]
    fn hosts_ignore_letter_case() {
        let pattern = Pattern::new("*.Example.com");
        assert!(pattern.matches_ignoring_case("TEST.example.COM"));
        assert!(!pattern.matches_ignoring_case("example.com"));
        assert!(!pattern.matches("test.example.com"));
    }

    #[test]
    fn an_escaped_wildcard_is_a_character() {
        check_pattern(&Pattern::with_escapes(r"a\*b"), &["a*b"], &["ab", "axb", r"a\*b"]);
        check_pattern(&Pattern::with_escapes(r"\?*"), &["?", "?x"], &["", "x?"]);
        check_pattern(&Pattern::with_escapes(r"\\*"), &[r"\", r"\x"], &["*", ""]);
        check_pattern(&Pattern::with_escapes(r"\n\"), &[r"\n\"], &["n", r"\n"]);
    }

    #[test]
    fn a_regular_expression_is_found_anywhere_unless_it_is_anchored() {
        let versions = Pattern::regex(r"^\/api\/v\d+(\/|$)").unwrap();
        check_pattern(
            &versions,
            &["/api/v1", "/api/v12/x"],
            &["/api/v", "/api/v1x", "/x/api/v1", "/API/v1"],
        );
        assert!(versions.matches_ignoring_case("/API/V1"));
        check_pattern(&Pattern::regex("b+").unwrap(), &["abbc"], &["ac", ""]);
        check_pattern(&Pattern::regex("(?-u)\\xff").unwrap(), &[], &["ÿ"]);
    }

    #[test]
    fn what_aws_does_not_support_is_refused() {
        for text in ["(", "a(?=b)", "(?<!a)b", r"(a)\1", "(?>a)"] {
            assert!(Pattern::regex(text).is_err(), "{text}");
        }
    }

    #[test]
    fn many_stars_do_not_blow_up() {
        let pattern = Pattern::new(&"a*".repeat(64));
        assert!(!pattern.matches(format!("{}b", "b".repeat(16_000))));
        assert!(!Pattern::new(&format!("{}b", "*a".repeat(60))).matches("a".repeat(16_000)));
    }
}
