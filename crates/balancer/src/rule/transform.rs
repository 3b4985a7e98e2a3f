//! Rewriting the host and the URL of a request on its way to the target.
//!
//! A rewrite does not change which rule is taken. The authority is [rule transforms][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri, header};
use regex::Regex;

use crate::error::Error;
use crate::headers;
use crate::rule::pattern::InvalidRegex;

/// What is rewritten; by default nothing.
#[derive(Debug, Clone, Default)]
pub struct Transforms {
    /// Rewrites the host. Its port, if it has one, stays (AWS is silent on the port).
    pub host_header: Option<Rewrite>,
    /// Rewrites the path and the query, which it gets as one text.
    pub url: Option<Rewrite>,
}

/// Puts one text in the place of another: of the first that the expression finds (AWS does not say that it would
/// replace more).
#[derive(Debug, Clone)]
pub struct Rewrite {
    find: Regex,
    replacement: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Transforms {
    /// Rewrites a request's head.
    pub(crate) fn apply(&self, head: &mut Parts) -> Result<(), Error> {
        if let Some(host) = self
            .host_header
            .as_ref()
            .and_then(|rewrite| rewritten_host(rewrite, head))
        {
            let host = HeaderValue::try_from(host).map_err(|_invalid| Error::TransformFailed)?;
            head.headers.insert(header::HOST, host);
            // A host in the request target would come before the header.
            head.uri = head.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
        }
        if let Some(url) = self.url.as_ref().and_then(|rewrite| rewrite.apply(url(&head.uri))) {
            head.uri = with_url(&head.uri, url)?;
        }
        Ok(())
    }
}

impl Rewrite {
    /// Finds `expression` and puts `replacement` there, in which `$1` to `$9` stand for what the groups of the
    /// expression found, `$0` for all of it, and `$$` for a dollar sign.
    pub fn new(expression: &str, replacement: &str) -> Result<Self, InvalidRegex> {
        Ok(Self {
            find: Regex::new(expression).map_err(|error| InvalidRegex::new(expression, &error))?,
            replacement: pieces(replacement),
        })
    }

    /// The text after the replacement; none if the expression finds nothing in it.
    pub fn apply(&self, text: &str) -> Option<String> {
        let found = self.find.captures(text)?;
        let all = found.get(0)?;
        let mut rewritten = text[..all.start()].to_owned();
        for piece in &self.replacement {
            rewritten.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Group(group) => found.get(*group).map_or("", |group| group.as_str()),
            });
        }
        rewritten.push_str(&text[all.end()..]);
        Some(rewritten)
    }
}

fn rewritten_host(rewrite: &Rewrite, head: &Parts) -> Option<String> {
    let (name, port) = headers::split_port(headers::host(head));
    rewrite.apply(name).map(|name| name + port)
}

fn url(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", PathAndQuery::as_str)
}

fn with_url(uri: &Uri, url: String) -> Result<Uri, Error> {
    let url = Some(url).filter(|url| url.starts_with('/'));
    let url = url.and_then(|url| PathAndQuery::try_from(url).ok());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(url.ok_or(Error::TransformFailed)?);
    Uri::from_parts(parts).map_err(|_invalid| Error::TransformFailed)
}

fn pieces(replacement: &str) -> Vec<Piece> {
    let (mut pieces, mut plain) = (Vec::new(), String::new());
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        let special = |next: &char| next.is_ascii_digit() || *next == '$';
        let next = (character == '$').then(|| characters.next_if(special)).flatten();
        match next.map(|next| next.to_digit(10)) {
            Some(Some(group)) => {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(Piece::Group(group as usize));
            }
            Some(None) | None => plain.push(character),
        }
    }
    pieces.push(Piece::Text(plain));
    pieces
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(expression: &str, replacement: &str, text: &str, expected: Option<&str>) {
        let rewrite = Rewrite::new(expression, replacement).unwrap();
        assert_eq!(rewrite.apply(text).as_deref(), expected);
    }

    /// The examples of AWS's page and of its controller for Kubernetes.
    #[test]
    fn groups_are_put_in() {
        check(
            "^mywebsite-(.+).com$",
            "internal.dev.$1.myweb.com",
            "mywebsite-example.com",
            Some("internal.dev.example.myweb.com"),
        );
        check(r"^\/api\/(.+)$", "/$1", "/api/v1/x?y=z", Some("/v1/x?y=z"));
        check("(a)(b)?", "$2$1_x$$$0$", "cab", Some("cba_x$ab$"));
        check("(a)", "$9", "a", Some(""));
    }

    #[test]
    fn the_first_find_is_replaced_and_no_find_changes_nothing() {
        check("a", "b", "aaa", Some("baa"));
        check("x", "b", "aaa", None);
    }

    fn transformed(transforms: &Transforms, uri: &str) -> Result<(String, String), u16> {
        let (mut head, ()) = Request::get(uri)
            .header("host", "a.test:81")
            .body(())
            .unwrap()
            .into_parts();
        let applied = transforms.apply(&mut head);
        applied.map_err(|error| error.status().as_u16())?;
        Ok((head.uri.to_string(), headers::host(&head).to_owned()))
    }

    #[test]
    fn the_host_keeps_its_port() {
        let transforms = Transforms {
            host_header: Some(Rewrite::new("^(.+).test$", "$1.internal").unwrap()),
            url: None,
        };
        let expected = Ok(("/x".to_owned(), "a.internal:81".to_owned()));
        assert_eq!(transformed(&transforms, "/x"), expected);
        assert_eq!(transformed(&transforms, "http://a.test:81/x"), expected);
    }

    #[test]
    fn a_url_that_is_none_is_our_failure() {
        let to = |replacement| Transforms {
            host_header: None,
            url: Some(Rewrite::new("^/x(.*)", replacement).unwrap()),
        };
        let host = || "a.test:81".to_owned();
        assert_eq!(transformed(&to("/y$1?z"), "/x/w"), Ok(("/y/w?z".to_owned(), host())));
        assert_eq!(transformed(&to("y"), "/other"), Ok(("/other".to_owned(), host())));
        for broken in ["", "y", "/a b"] {
            assert_eq!(transformed(&to(broken), "/x"), Err(500), "{broken:?}");
        }
        let host = Transforms {
            host_header: Some(Rewrite::new("a", "\n").unwrap()),
            url: None,
        };
        assert_eq!(transformed(&host, "/"), Err(500));
    }
}
