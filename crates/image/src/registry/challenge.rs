//! What a registry asks for when it answers 401: [RFC 9110, section 11.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1).

use std::collections::BTreeMap;

/// One way to say who one is: a scheme in lower case, and its parameters by their names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) scheme: String,
    pub(super) parameters: BTreeMap<String, String>,
}

/// The challenges of one `WWW-Authenticate` header. What cannot be read ends the list: a client can only use what it understands.
pub(super) fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            return challenges;
        }
        if let Some(after_equals) = equals(after) {
            let Some((value, after)) = value(after_equals) else {
                return challenges;
            };
            if let Some(challenge) = challenges.last_mut() {
                challenge.parameters.insert(word.to_ascii_lowercase(), value);
            }
            rest = after;
        } else {
            challenges.push(Challenge {
                scheme: word.to_ascii_lowercase(),
                parameters: BTreeMap::new(),
            });
            rest = after;
        }
    }
}

/// A token in front, and what follows it: <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>.
fn token(text: &str) -> (&str, &str) {
    let is_in_token = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
    text.split_at(text.find(|letter| !is_in_token(letter)).unwrap_or(text.len()))
}

fn equals(text: &str) -> Option<&str> {
    text.trim_start_matches([' ', '\t']).strip_prefix('=')
}

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    if let Some(quoted) = text.strip_prefix('"') {
        return unquote(quoted);
    }
    let (word, after) = token(text);
    Some((word.to_owned(), after))
}

/// Up to the closing quote; a backslash takes the next letter as it is.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(header: &str, expected: &[(&str, &[(&str, &str)])]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(scheme, parameters)| Challenge {
                scheme: (*scheme).to_owned(),
                parameters: parameters
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            })
            .collect();
        assert_eq!(parse(header), expected, "{header}");
    }

    #[test]
    fn what_registries_say_is_understood() {
        check(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
            &[(
                "bearer",
                &[
                    ("realm", "https://auth.docker.io/token"),
                    ("service", "registry.docker.io"),
                    ("scope", "repository:a/b:pull,push"),
                ],
            )],
        );
        check(
            r#"Basic realm="https://123456789012.dkr.ecr.us-east-1.amazonaws.com/",service="ecr.amazonaws.com""#,
            &[(
                "basic",
                &[
                    ("realm", "https://123456789012.dkr.ecr.us-east-1.amazonaws.com/"),
                    ("service", "ecr.amazonaws.com"),
                ],
            )],
        );
        check(
            r#"Negotiate, BASIC Realm = "a \"b\", c" , Bearer realm=x"#,
            &[
                ("negotiate", &[]),
                ("basic", &[("realm", "a \"b\", c")]),
                ("bearer", &[("realm", "x")]),
            ],
        );
    }

    #[test]
    fn what_is_broken_ends_the_list() {
        check("", &[]);
        check("=", &[]);
        check("realm=x, Basic", &[("basic", &[])]);
        check(r#"Basic realm="x"#, &[("basic", &[])]);
        check(r#"Basic realm="x\"#, &[("basic", &[])]);
        check("Basic ???, Bearer realm=x", &[("basic", &[])]);
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_an_end_in_panic(header in "([ ,=\"\\\\a-zé]{0,30})|\\PC*") {
            for challenge in parse(&header) {
                prop_assert!(!challenge.scheme.is_empty());
            }
        }

        #[test]
        fn any_bytes_are_too(bytes: Vec<u8>) {
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_value_in_quotes_is_read(value in "\\PC*") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let read = parse(&format!("Bearer realm=\"{quoted}\", x=y"));
            prop_assert_eq!(&read[0].parameters["realm"], &value);
            prop_assert_eq!(&read[0].parameters["x"], "y");
        }
    }
}
