//! Sending clients elsewhere.
//!
//! The authorities are [redirect actions][actions] and [`RedirectActionConfig`][api].
//!
//! [actions]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#redirect-actions
//! [api]: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html

use std::convert::Infallible;
use std::str::FromStr;

use http::StatusCode;

use crate::rule::view::RequestView;

/// Where a client is sent: each part of the URL is made of text and of parts of the URL it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// For now or for good.
    pub permanence: Permanence,
    /// `HTTP`, `HTTPS` or `#{protocol}`.
    pub protocol: Template,
    /// A host without its port.
    pub host: Template,
    /// A number or `#{port}`.
    pub port: Template,
    /// With its leading `/`, which `#{path}` does not have.
    pub path: Template,
    /// Without the leading `?`.
    pub query: Template,
}

/// Whether a client may remember where it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permanence {
    /// 301
    Permanent,
    /// 302
    Temporary,
}

/// A text in which `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}` stand for parts of a URL. Anything
/// else in braces is plain text (AWS is silent on that).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

/// Where a request was sent to, as far as its head does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entrance {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The port of the listener.
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Protocol,
    Host,
    Port,
    Path,
    Query,
}

impl Redirect {
    /// A redirect that keeps every part of the URL.
    pub fn new(permanence: Permanence) -> Self {
        Self {
            permanence,
            protocol: Template(vec![Piece::Protocol]),
            host: Template(vec![Piece::Host]),
            port: Template(vec![Piece::Port]),
            path: Template(vec![Piece::Text("/".to_owned()), Piece::Path]),
            query: Template(vec![Piece::Query]),
        }
    }

    /// The URL to go to, with its port always written out, as an Application Load Balancer has it.
    pub fn location(&self, request: &RequestView<'_>, entrance: Entrance) -> String {
        let fill = |template: &Template| template.fill(request, entrance);
        let scheme = fill(&self.protocol).to_ascii_lowercase();
        let (host, port, path) = (fill(&self.host), fill(&self.port), fill(&self.path));
        let query = fill(&self.query);
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{host}:{port}{path}{mark}{query}")
    }
}

impl Permanence {
    /// The status of the answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Permanent => StatusCode::MOVED_PERMANENTLY,
            Self::Temporary => StatusCode::FOUND,
        }
    }
}

impl Template {
    fn fill(&self, request: &RequestView<'_>, entrance: Entrance) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Protocol => filled.push_str(entrance.scheme),
                Piece::Host => filled.push_str(request.host_name()),
                Piece::Port => filled.push_str(&entrance.port.to_string()),
                Piece::Path => filled.push_str(without_slash(request.uri.path())),
                Piece::Query => filled.push_str(request.query()),
            }
        }
        filled
    }
}

impl FromStr for Template {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let mut pieces = Vec::new();
        let (mut rest, mut plain) = (text, String::new());
        while let Some(start) = rest.find("#{") {
            plain.push_str(&rest[..start]);
            rest = &rest[start..];
            if let Some((piece, length)) = keyword(rest) {
                pieces.extend(Piece::text(std::mem::take(&mut plain)));
                pieces.push(piece);
                rest = &rest[length..];
            } else {
                plain.push_str("#{");
                rest = &rest["#{".len()..];
            }
        }
        plain.push_str(rest);
        pieces.extend(Piece::text(plain));
        Ok(Self(pieces))
    }
}

impl From<&str> for Template {
    fn from(text: &str) -> Self {
        let Ok(template) = text.parse();
        template
    }
}

impl Piece {
    fn text(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self::Text(text))
    }
}

/// The keyword a text begins with, and its length.
fn keyword(text: &str) -> Option<(Piece, usize)> {
    let keywords = [
        ("#{protocol}", Piece::Protocol),
        ("#{host}", Piece::Host),
        ("#{port}", Piece::Port),
        ("#{path}", Piece::Path),
        ("#{query}", Piece::Query),
    ];
    let found = keywords.into_iter().find(|(keyword, _)| text.starts_with(keyword));
    found.map(|(keyword, piece)| (piece, keyword.len()))
}

fn without_slash(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// What becomes of a request for `http://api.example.com:8080/a/b?c=d` at a listener on port 8080.
    #[track_caller]
    fn check(redirect: &Redirect, expected: &str) {
        check_request("/a/b?c=d", redirect, expected);
    }

    #[track_caller]
    fn check_request(uri: &str, redirect: &Redirect, expected: &str) {
        let request = Request::get(uri)
            .header("host", "api.example.com:8080")
            .body(())
            .unwrap();
        let (head, ()) = request.into_parts();
        let view = RequestView::new(&head, [192, 0, 2, 7].into());
        let entrance = Entrance {
            scheme: "http",
            port: 8080,
        };
        assert_eq!(redirect.location(&view, entrance), expected);
    }

    fn same() -> Redirect {
        Redirect::new(Permanence::Temporary)
    }

    #[test]
    fn what_is_not_changed_is_kept() {
        check(&same(), "http://api.example.com:8080/a/b?c=d");
        check_request("/", &same(), "http://api.example.com:8080/");
        let path = Redirect {
            path: "/new/#{path}".into(),
            ..same()
        };
        check(&path, "http://api.example.com:8080/new/a/b?c=d");
    }

    /// The examples of AWS's page.
    #[test]
    fn to_https_at_another_port() {
        let secure = Redirect {
            protocol: "HTTPS".into(),
            port: "40443".into(),
            host: "#{host}".into(),
            path: "/#{path}".into(),
            query: "#{query}".into(),
            ..same()
        };
        check(&secure, "https://api.example.com:40443/a/b?c=d");
    }

    #[test]
    fn every_part_may_be_made_of_others() {
        let all = Redirect {
            host: "www.#{host}".into(),
            path: "/#{host}/#{port}/#{path}".into(),
            query: "from=#{protocol}:#{path}&#{query}".into(),
            ..same()
        };
        check(
            &all,
            "http://www.api.example.com:8080/api.example.com/8080/a/b?from=http:a/b&c=d",
        );
        let none = Redirect {
            query: "".into(),
            ..same()
        };
        check(&none, "http://api.example.com:8080/a/b");
    }

    #[test]
    fn what_is_no_keyword_is_text() {
        let odd = Redirect {
            path: "/#{#{path}#{Path}#{path".into(),
            ..same()
        };
        check(&odd, "http://api.example.com:8080/#{a/b#{Path}#{path?c=d");
    }

    #[test]
    fn the_status_tells_for_how_long() {
        assert_eq!(Permanence::Permanent.status(), 301);
        assert_eq!(Permanence::Temporary.status(), 302);
    }
}
