//! The wildcard patterns of rule conditions.
//!
//! `*` stands for any run of characters, an empty one and `/` included; `?` for exactly one. There is no escape.
//! The authority is [rule condition types][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#rule-condition-types

/// A text with wildcards, compared with a whole path or host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
}

impl Pattern {
    /// Takes any text: the limits on a pattern's length and alphabet belong to whoever reads the configuration.
    pub fn new(text: &str) -> Self {
        let mut compact = String::with_capacity(text.len());
        for character in text.chars() {
            if character != '*' || !compact.ends_with('*') {
                compact.push(character);
            }
        }
        Self { text: compact.into() }
    }

    /// Whether the whole of `text` fits, letter case included: the way of paths.
    pub fn matches(&self, text: &str) -> bool {
        fits(self.text.as_bytes(), text.as_bytes(), |a, b| a == b)
    }

    /// Whether the whole of `text` fits, letter case ignored: the way of host names.
    pub fn matches_ignoring_case(&self, text: &str) -> bool {
        fits(self.text.as_bytes(), text.as_bytes(), |a, b| a.eq_ignore_ascii_case(&b))
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Walks both texts once, and on a mismatch goes back to the latest `*` only, letting it take one byte more. An
/// earlier `*` never has to be tried again, so the work is bounded by the product of the two lengths.
fn fits(pattern: &[u8], text: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut latest_star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                latest_star = Some((at, read));
            }
            Some(&wanted) if wanted == b'?' || same(wanted, text[read]) => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after_star, taken)) = latest_star else {
                    return false;
                };
                latest_star = Some((after_star, taken + 1));
                (at, read) = (after_star, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let pattern = Pattern::new(pattern);
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
    }

    #[test]
    fn hosts_ignore_letter_case() {
        let pattern = Pattern::new("*.Example.com");
        assert!(pattern.matches_ignoring_case("TEST.example.COM"));
        assert!(!pattern.matches_ignoring_case("example.com"));
        assert!(!pattern.matches("test.example.com"));
    }

    #[test]
    fn many_stars_do_not_blow_up() {
        let pattern = Pattern::new(&"a*".repeat(64));
        assert!(!pattern.matches(&format!("{}b", "b".repeat(16_000))));
        assert!(!Pattern::new(&format!("{}b", "*a".repeat(60))).matches(&"a".repeat(16_000)));
    }

    /// The definition, word for word, with no thought of speed.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), None) => naive(rest, text),
            (Some((b'*', rest)), Some((_, shorter))) => naive(rest, text) || naive(pattern, shorter),
            (Some((wanted, rest)), Some((found, shorter))) if *wanted == b'?' || wanted == found => {
                naive(rest, shorter)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?]{0,10}", text in "[ab/]{0,12}") {
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), naive(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
