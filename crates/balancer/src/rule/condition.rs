//! The conditions of rules, and whether a request meets them.
//!
//! The authority is [rule condition types][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html

use http::{HeaderName, Method};
use ipnet::IpNet;

use crate::rule::pattern::Pattern;
use crate::rule::view::RequestView;

/// A test of a request; it holds when one of its values fits.
#[derive(Debug, Clone)]
pub enum Condition {
    /// The path without the query, as the client wrote it. Letter case counts.
    PathPattern(Vec<Pattern>),
    /// The `Host` header, without its port and, failing that, with it (AWS is silent on the port, but
    /// [Terraform's documentation][port] has regular expressions for it). Letter case does not count.
    ///
    /// [port]: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb_listener_rule
    HostHeader(Vec<Pattern>),
    /// A header of any name; where it comes several times, each is looked at. Letter case does not count.
    HttpHeader {
        /// Which header.
        name: HeaderName,
        /// What its value has to fit.
        values: Vec<Pattern>,
    },
    /// The method. Letter case counts.
    HttpRequestMethod(Vec<Method>),
    /// A parameter of the query string, as the client wrote it. Letter case does not count.
    QueryString(Vec<QueryPattern>),
    /// The address at the other end of the connection; what `X-Forwarded-For` says is not looked at.
    SourceIp(Vec<IpNet>),
}

/// What a parameter of a query string is compared with.
#[derive(Debug, Clone)]
pub struct QueryPattern {
    /// Without, any key will do.
    pub key: Option<Pattern>,
    /// What the value has to fit. A parameter without `=` has an empty one (AWS is silent on that).
    pub value: Pattern,
}

impl Condition {
    /// Whether the request meets the condition.
    pub fn holds(&self, request: &RequestView<'_>) -> bool {
        match self {
            Self::PathPattern(patterns) => patterns.iter().any(|pattern| pattern.matches(request.uri.path())),
            Self::HostHeader(patterns) => {
                let fits = |host: &str| patterns.iter().any(|pattern| pattern.matches_ignoring_case(host));
                let name = request.host_name();
                fits(name) || (name.len() < request.host.len() && fits(request.host))
            }
            Self::HttpHeader { name, values } => {
                let mut sent = request.headers.get_all(name).iter();
                sent.any(|sent| values.iter().any(|pattern| pattern.matches_ignoring_case(sent)))
            }
            Self::HttpRequestMethod(methods) => methods.contains(request.method),
            Self::QueryString(patterns) => {
                let mut parameters = parameters(request.query());
                parameters.any(|(key, value)| patterns.iter().any(|pattern| pattern.fits(key, value)))
            }
            Self::SourceIp(networks) => networks.iter().any(|network| network.contains(&request.client)),
        }
    }
}

impl QueryPattern {
    fn fits(&self, key: &str, value: &str) -> bool {
        let key_fits = self.key.as_ref().is_none_or(|wanted| wanted.matches_ignoring_case(key));
        key_fits && self.value.matches_ignoring_case(value)
    }
}

/// The keys and values of a query string.
fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| Pattern::new(text)).collect()
    }

    /// Looks at `GET` requests from 192.0.2.7 with these URIs and headers.
    #[track_caller]
    fn check(condition: &Condition, expected: bool, requests: &[(&str, &[(&str, &str)])]) {
        for (uri, headers) in requests {
            let request = headers.iter().fold(Request::get(*uri), |request, (name, value)| {
                request.header(*name, *value)
            });
            let (head, ()) = request.body(()).unwrap().into_parts();
            let view = RequestView::new(&head, [192, 0, 2, 7].into());
            assert_eq!(condition.holds(&view), expected, "{condition:?} {uri} {headers:?}");
        }
    }

    #[test]
    fn paths_come_without_their_query() {
        let condition = Condition::PathPattern(patterns(&["/a", "/b/*"]));
        check(&condition, true, &[("/a", &[]), ("/a?b=/c", &[]), ("/b/c", &[])]);
        check(&condition, false, &[("/A", &[]), ("/c?x=/a", &[]), ("/b", &[])]);
    }

    #[test]
    fn hosts_come_with_and_without_their_port() {
        let condition = Condition::HostHeader(patterns(&["*.example.com", "a.test:81"]));
        check(
            &condition,
            true,
            &[
                ("/", &[("host", "API.example.com")]),
                ("/", &[("host", "api.example.com:8080")]),
                ("/", &[("host", "A.test:81")]),
                ("http://api.example.com/", &[("host", "other.test")]),
                ("/", &[("host", "x.example.com"), ("host", "other.test")]),
            ],
        );
        check(
            &condition,
            false,
            &[
                ("/", &[]),
                ("/", &[("host", "example.com")]),
                ("/", &[("host", "a.test:82")]),
                ("/", &[("host", "other.test"), ("host", "x.example.com")]),
            ],
        );
    }

    #[test]
    fn any_of_several_headers_will_do() {
        let condition = Condition::HttpHeader {
            name: HeaderName::from_static("user-agent"),
            values: patterns(&["*Chrome*", "*Safari*"]),
        };
        check(
            &condition,
            true,
            &[
                ("/", &[("User-Agent", "chrome/1")]),
                ("/", &[("user-agent", "x"), ("user-agent", "A Safari B")]),
            ],
        );
        check(&condition, false, &[("/", &[]), ("/", &[("agent", "chrome")])]);
    }

    #[test]
    fn methods_are_exact() {
        let method = |text: &str| Method::from_bytes(text.as_bytes()).unwrap();
        check(&Condition::HttpRequestMethod(vec![method("GET")]), true, &[("/", &[])]);
        let others = Condition::HttpRequestMethod(vec![method("get"), method("CUSTOM-METHOD")]);
        check(&others, false, &[("/", &[])]);
    }

    /// The example of AWS's page, and an escape.
    #[test]
    fn parameters_are_compared_by_key_and_value() {
        let parameter = |key: Option<&str>, value| QueryPattern {
            key: key.map(Pattern::with_escapes),
            value: Pattern::with_escapes(value),
        };
        let condition = Condition::QueryString(vec![
            parameter(Some("version"), "v1"),
            parameter(None, "*example*"),
            parameter(Some("a?c"), r"\*"),
        ]);
        let matching = [
            "/?version=v1",
            "/?x&Version=V1",
            "/?k=an-example-",
            "/?abc=*",
            "/?x=example=y",
        ];
        let others = [
            "/",
            "/version=v1",
            "/?version=v2",
            "/?version",
            "/?example",
            "/?abc=x",
            "/?xversion=v1",
        ];
        check(&condition, true, &matching.map(|uri| (uri, &[] as &[_])));
        check(&condition, false, &others.map(|uri| (uri, &[] as &[_])));
        let flag = Condition::QueryString(vec![parameter(Some("flag"), "")]);
        check(&flag, true, &[("/?flag", &[]), ("/?a=b&flag=", &[])]);
    }

    #[test]
    fn the_source_is_the_other_end_of_the_connection() {
        let forwarded: &[_] = &[("x-forwarded-for", "198.51.100.10")];
        let source =
            |networks: &[&str]| Condition::SourceIp(networks.iter().map(|network| network.parse().unwrap()).collect());
        check(
            &source(&["198.51.100.10/32", "192.0.2.0/24"]),
            true,
            &[("/", forwarded)],
        );
        check(&source(&["198.51.100.10/32", "::/0"]), false, &[("/", forwarded)]);
    }
}
