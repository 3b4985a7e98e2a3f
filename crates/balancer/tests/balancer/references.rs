//! Rules, patterns, redirects and rewrites against the simplest code that could say the same, on inputs nobody thought
//! of. The seed is fixed: what fails once fails again.

use std::net::IpAddr;

use http::request::Parts;
use http::{Method, Request};
use karma_balancer::{
    Action, Condition, ContentType, Entrance, IpNet, Pattern, Permanence, QueryPattern, Redirect, RequestView, Rewrite,
    Rule, Rules, StatusCode,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 1_000,
        rng_seed: RngSeed::Fixed(460),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The definition of wildcards, word for word, with no thought of speed; `\` is as in query strings if `escapes`.
fn fits(pattern: &[u8], text: &[u8], escapes: bool) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'\\', next @ (b'*' | b'?' | b'\\'), rest @ ..] if escapes => {
            text.first() == Some(next) && fits(rest, &text[1..], escapes)
        }
        [b'*', rest @ ..] => (0..=text.len()).any(|taken| fits(rest, &text[taken..], escapes)),
        [b'?', rest @ ..] => !text.is_empty() && fits(rest, &text[1..], escapes),
        [byte, rest @ ..] => text.first() == Some(byte) && fits(rest, &text[1..], escapes),
    }
}

fn fits_ignoring_case(pattern: &str, text: &str, escapes: bool) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    fits(pattern.as_bytes(), text.as_bytes(), escapes)
}

/// A condition, as text.
#[derive(Debug, Clone)]
enum Told {
    Path(Vec<String>),
    Host(Vec<String>),
    Header(String),
    Method(&'static str),
    Query(Option<String>, String),
    Source(&'static str),
}

/// A request, as text.
#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    path: String,
    query: Option<String>,
    host: String,
    port: Option<u16>,
    headers: Vec<String>,
    client: [u8; 4],
}

impl Told {
    fn condition(&self) -> Condition {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        match self {
            Self::Path(texts) => Condition::PathPattern(patterns(texts)),
            Self::Host(texts) => Condition::HostHeader(patterns(texts)),
            Self::Header(text) => Condition::HttpHeader {
                name: "x-test".parse().unwrap(),
                values: vec![Pattern::new(text)],
            },
            Self::Method(method) => Condition::HttpRequestMethod(vec![method.parse::<Method>().unwrap()]),
            Self::Query(key, value) => Condition::QueryString(vec![QueryPattern {
                key: key.as_deref().map(Pattern::with_escapes),
                value: Pattern::with_escapes(value),
            }]),
            Self::Source(network) => Condition::SourceIp(vec![network.parse::<IpNet>().unwrap()]),
        }
    }

    fn holds(&self, asked: &Asked) -> bool {
        match self {
            Self::Path(texts) => texts
                .iter()
                .any(|text| fits(text.as_bytes(), asked.path.as_bytes(), false)),
            Self::Host(texts) => {
                let with_port = asked.port.map(|port| format!("{}:{port}", asked.host));
                let hosts = [Some(asked.host.clone()), with_port];
                let fits = |text: &String| hosts.iter().flatten().any(|host| fits_ignoring_case(text, host, false));
                texts.iter().any(fits)
            }
            Self::Header(text) => asked.headers.iter().any(|sent| fits_ignoring_case(text, sent, false)),
            Self::Method(method) => asked.method == *method,
            Self::Query(key, value) => asked.query.iter().flat_map(|query| query.split('&')).any(|parameter| {
                let mut halves = parameter.splitn(2, '=');
                let (sent_key, sent_value) = (halves.next().unwrap(), halves.next().unwrap_or(""));
                !parameter.is_empty()
                    && key.as_ref().is_none_or(|key| fits_ignoring_case(key, sent_key, true))
                    && fits_ignoring_case(value, sent_value, true)
            }),
            Self::Source(network) => match *network {
                "10.0.0.0/8" => asked.client[0] == 10,
                "10.1.2.3/32" => asked.client == [10, 1, 2, 3],
                _ => true,
            },
        }
    }
}

impl Asked {
    fn head(&self) -> Parts {
        let query = self.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
        let port = self.port.map_or(String::new(), |port| format!(":{port}"));
        let request = Request::builder()
            .method(self.method)
            .uri(format!("{}{query}", self.path))
            .header("host", format!("{}{port}", self.host));
        let request = self
            .headers
            .iter()
            .fold(request, |request, value| request.header("x-test", value));
        request.body(()).unwrap().into_parts().0
    }

    fn client(&self) -> IpAddr {
        self.client.into()
    }
}

fn told() -> impl Strategy<Value = Told> {
    let texts = |of: &'static str| prop::collection::vec(of, 1..3);
    prop_oneof![
        texts("/[ab*?]{0,4}").prop_map(Told::Path),
        texts("[aB*?.]{0,3}(:8[0*])?").prop_map(Told::Host),
        "[aB*?]{0,3}".prop_map(Told::Header),
        prop_oneof![Just("GET"), Just("get"), Just("PUT")].prop_map(Told::Method),
        (prop::option::of("[aK*?]{1,2}"), r"[bV*?\\]{0,3}").prop_map(|(key, value)| Told::Query(key, value)),
        prop_oneof![Just("10.0.0.0/8"), Just("10.1.2.3/32"), Just("0.0.0.0/0")].prop_map(Told::Source),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let parts = (
        prop_oneof![Just("GET"), Just("PUT")],
        "/[ab/]{0,4}",
        prop::option::of("[aK=bV&*]{0,8}"),
        "[aAb.]{1,3}",
        prop::option::of(prop_oneof![Just(80_u16), Just(8_080)]),
        prop::collection::vec("[aAb]{1,3}", 0..3),
        prop_oneof![Just([10, 1, 2, 3]), Just([10, 9, 9, 9]), Just([192, 0, 2, 1])],
    );
    parts.prop_map(|(method, path, query, host, port, headers, client)| Asked {
        method,
        path,
        query,
        host,
        port,
        headers,
        client,
    })
}

fn says(number: u32) -> Action {
    Action::FixedResponse {
        status: StatusCode::OK,
        content_type: ContentType::TextPlain,
        body: number.to_string().into(),
    }
}

/// Puts the parts of a URL in, one character after the other.
fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    let mut rest = template;
    let mut out = String::new();
    while let Some(character) = rest.chars().next() {
        let keyword = parts.iter().find(|(keyword, _)| rest.starts_with(keyword));
        let (text, length) = keyword.map_or(
            (&rest[..character.len_utf8()], character.len_utf8()),
            |(keyword, text)| (*text, keyword.len()),
        );
        out += text;
        rest = &rest[length..];
    }
    out
}

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a#{}/]{0,3}",
        Just("#{protocol}".to_owned()),
        Just("#{host}".to_owned()),
        Just("#{port}".to_owned()),
        Just("#{path}".to_owned()),
        Just("#{query}".to_owned()),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_pattern_means_what_its_definition_says(pattern in r"[ab*?\\]{0,10}", text in r"[ab/\\*?]{0,12}") {
        let (plain, escaped) = (Pattern::new(&pattern), Pattern::with_escapes(&pattern));
        prop_assert_eq!(plain.matches(&text), fits(pattern.as_bytes(), text.as_bytes(), false));
        prop_assert_eq!(escaped.matches(&text), fits(pattern.as_bytes(), text.as_bytes(), true));
        prop_assert_eq!(plain.matches_ignoring_case(text.to_ascii_uppercase()), fits_ignoring_case(&pattern, &text, false));
    }

    #[test]
    fn any_text_is_a_pattern_and_any_bytes_may_be_compared(pattern in any::<String>(), value in any::<Vec<u8>>()) {
        let plain = Pattern::new(&pattern);
        prop_assert!(plain.matches(pattern.replace(['*', '?'], "x")));
        prop_assert!(!plain.matches(&value) || plain.matches_ignoring_case(&value));
        if let Ok(expression) = Pattern::regex(&pattern) {
            prop_assert!(!expression.matches(&value) || expression.matches_ignoring_case(&value));
        }
    }

    #[test]
    fn the_first_rule_by_priority_whose_conditions_all_hold_is_taken(
        told in prop::collection::vec(prop::collection::vec(told(), 0..3), 0..6),
        order in any::<u32>(),
        asked in asked(),
    ) {
        // Priorities in an order that is not that of the list.
        let priority = |index: usize| 1 + (u32::try_from(index).unwrap() * 7_919 + order % 50_000) % 50_000;
        let rules = Rules {
            rules: told
                .iter()
                .enumerate()
                .map(|(index, conditions)| {
                    let conditions = conditions.iter().map(Told::condition).collect();
                    Rule::new(priority(index), conditions, says(priority(index)))
                })
                .collect(),
            default_action: says(0),
        };
        let holding = told.iter().enumerate().filter(|(_, conditions)| conditions.iter().all(|told| told.holds(&asked)));
        let expected = holding.map(|(index, _)| priority(index)).min();
        let head = asked.head();
        let found = rules.rule_for(&RequestView::new(&head, asked.client()));
        prop_assert_eq!(found.map(|rule| rule.priority), expected);
    }

    #[test]
    fn a_redirect_puts_the_parts_of_the_url_where_their_names_are(
        host in template(),
        path in template(),
        query in template(),
        asked in asked(),
    ) {
        let redirect = Redirect {
            host: host.as_str().into(),
            path: path.as_str().into(),
            query: query.as_str().into(),
            ..Redirect::new(Permanence::Temporary)
        };
        let sent_query = asked.query.clone().unwrap_or_default();
        let parts = [
            ("#{protocol}", "https"),
            ("#{host}", &asked.host),
            ("#{port}", "8443"),
            ("#{path}", &asked.path[1..]),
            ("#{query}", &sent_query),
        ];
        let query = filled(&query, &parts);
        let mark = if query.is_empty() { "" } else { "?" };
        let expected = format!("https://{}:8443{}{mark}{query}", filled(&host, &parts), filled(&path, &parts));
        let head = asked.head();
        let entrance = Entrance { scheme: "https", port: 8_443 };
        prop_assert_eq!(redirect.location(&RequestView::new(&head, asked.client()), entrance), expected);
    }

    #[test]
    fn a_rewrite_puts_one_text_in_the_place_of_another(find in "[ab]{1,3}", replacement in "[xy_]{0,3}", text in "[abc]{0,12}") {
        let rewritten = Rewrite::new(&find, &replacement).unwrap().apply(&text);
        let expected = text.contains(&find).then(|| text.replacen(&find, &replacement, 1));
        prop_assert_eq!(rewritten, expected);
    }

    #[test]
    fn a_rewrite_puts_in_what_its_groups_found(find in "[ab]{1,3}", replacement in "[xy_]{0,3}", text in "[abc]{0,12}") {
        let rewrite = Rewrite::new(&format!("({find})"), &format!("$1$$$1{replacement}")).unwrap();
        let expected = format!("{find}${find}{replacement}");
        prop_assert_eq!(rewrite.apply(&text), text.contains(&find).then(|| text.replacen(&find, &expected, 1)));
    }

    #[test]
    fn any_rewrite_of_any_text_does_no_harm(expression in "[(a|b)*+?.$^]{0,8}", replacement in any::<String>(), text in any::<String>()) {
        if let Ok(rewrite) = Rewrite::new(&expression, &replacement) {
            let _ = rewrite.apply(&text);
        }
    }
}
