//! One line of an access log, with all the fields an Application Load Balancer has, in its order and with its quotes.
//!
//! The authority is [access log entries][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html#access-log-entry-format

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// What is written down of a request. A field that is not known, or makes no sense for the request, is a `-`.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// When the answer was complete.
    pub(crate) time: SystemTime,
    pub(crate) load_balancer: Arc<str>,
    pub(crate) client: SocketAddr,
    pub(crate) target: Option<SocketAddr>,
    /// None if the request never got to a target, or got no answer there.
    pub(crate) times: Option<ProcessingTimes>,
    pub(crate) elb_status: u16,
    pub(crate) target_status: Option<u16>,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) request: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) tls: Option<Arc<TlsFacts>>,
    /// On AWS an ARN.
    pub(crate) target_group: Option<String>,
    pub(crate) trace_id: Option<String>,
    /// Zero for the default rule.
    pub(crate) rule_priority: Option<u32>,
    pub(crate) created: SystemTime,
    pub(crate) action: Option<&'static str>,
    pub(crate) redirect_url: Option<String>,
    /// The class of a request that does not comply with RFC 7230, and why.
    pub(crate) classification: Option<(String, String)>,
    pub(crate) connection: u64,
    pub(crate) transformed: Option<Transformed>,
}

/// The type of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Https,
    Http2,
    Grpc,
    WebSocket,
    SecureWebSocket,
}

/// How long each part of the way took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProcessingTimes {
    pub(crate) request: Duration,
    pub(crate) target: Duration,
    pub(crate) response: Duration,
}

/// What two sides have agreed on.
#[derive(Debug, Clone)]
pub(crate) struct TlsFacts {
    pub(crate) cipher: String,
    pub(crate) protocol: String,
    /// The name that the client asked for.
    pub(crate) domain: Option<String>,
}

/// What transforms made of a request.
#[derive(Debug, Clone)]
pub(crate) struct Transformed {
    pub(crate) host: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) status: &'static str,
}

/// The longest user agent, in bytes.
const MOST_USER_AGENT: usize = 8 * 1_024;

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_traffic(formatter)?;
        self.write_request(formatter)?;
        self.write_decision(formatter)
    }
}

impl Entry {
    fn write_traffic(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.times;
        write!(
            out,
            "{} {} {} {} {} {} {} {} {} {} {} {} ",
            self.kind.as_str(),
            instant(self.time),
            self.load_balancer,
            self.client,
            or_dash(self.target),
            seconds(times.map(|times| times.request)),
            seconds(times.map(|times| times.target)),
            seconds(times.map(|times| times.response)),
            self.elb_status,
            or_dash(self.target_status),
            self.received_bytes,
            self.sent_bytes,
        )
    }

    fn write_request(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = self.tls.as_deref();
        write!(
            out,
            "{} {} {} {} {} {} {} \"-\" ",
            Quoted(Some(&self.request)),
            Quoted(
                self.user_agent
                    .as_deref()
                    .map(|agent| shortened(agent, MOST_USER_AGENT))
            ),
            or_dash(tls.map(|tls| &tls.cipher)),
            or_dash(tls.map(|tls| &tls.protocol)),
            or_dash(self.target_group.as_ref()),
            Quoted(self.trace_id.as_deref()),
            Quoted(tls.and_then(|tls| tls.domain.as_deref())),
        )
    }

    fn write_decision(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, reason) = self.classification.as_ref().map_or((None, None), |(class, reason)| {
            (Some(class.as_str()), Some(reason.as_str()))
        });
        let transformed = self.transformed.as_ref();
        write!(
            out,
            "{} {} {} {} \"-\" \"{}\" \"{}\" {} {} TID_{:016x} {} {} {}",
            or_dash(self.rule_priority),
            instant(self.created),
            Quoted(self.action),
            Quoted(self.redirect_url.as_deref()),
            or_dash(self.target),
            or_dash(self.target_status),
            Quoted(class),
            Quoted(reason),
            self.connection,
            Quoted(transformed.and_then(|transformed| transformed.host.as_deref())),
            Quoted(transformed.and_then(|transformed| transformed.uri.as_deref())),
            Quoted(transformed.map(|transformed| transformed.status)),
        )
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Http2 => "h2",
            Self::Grpc => "grpcs",
            Self::WebSocket => "ws",
            Self::SecureWebSocket => "wss",
        }
    }

    /// The type of the same request once it has changed to WebSocket.
    pub(crate) fn upgraded(self) -> Self {
        match self {
            Self::Http | Self::WebSocket => Self::WebSocket,
            _ => Self::SecureWebSocket,
        }
    }
}

/// A text in quotes. What would end the quotes or the line is written in hexadecimal digits, `\x22`: AWS does not say
/// what it does with such characters.
struct Quoted<'a>(Option<&'a str>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_char('"')?;
        for character in self.0.unwrap_or("-").chars() {
            match character {
                '"' | '\\' => write!(out, "\\x{:02x}", u32::from(character))?,
                _ if character.is_control() => write!(out, "\\x{:02x}", u32::from(character))?,
                _ => out.write_char(character)?,
            }
        }
        out.write_char('"')
    }
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// In ISO 8601, with microseconds.
fn instant(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "-".to_owned(), |time| format!("{time:.6}"))
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "-1".to_owned(), |time| format!("{:.3}", time.as_secs_f64()))
}

fn shortened(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    /// The request of AWS's first example.
    fn entry() -> Entry {
        let at =
            |text: &str| UNIX_EPOCH + Duration::try_from(text.parse::<Timestamp>().unwrap().as_duration()).unwrap();
        Entry {
            kind: Kind::Http,
            time: at("2018-07-02T22:23:00.186641Z"),
            load_balancer: "app/my-loadbalancer/50dc6c495c0c9188".into(),
            client: "192.168.131.39:2817".parse().unwrap(),
            target: Some("10.0.0.1:80".parse().unwrap()),
            times: Some(ProcessingTimes {
                target: Duration::from_millis(1),
                ..ProcessingTimes::default()
            }),
            elb_status: 200,
            target_status: Some(200),
            received_bytes: 34,
            sent_bytes: 366,
            request: "GET http://www.example.com:80/ HTTP/1.1".to_owned(),
            user_agent: Some("curl/7.46.0".to_owned()),
            tls: None,
            target_group: Some("my-targets".to_owned()),
            trace_id: Some("Root=1-58337262-36d228ad5d99923122bbe354".to_owned()),
            rule_priority: Some(0),
            created: at("2018-07-02T22:22:48.364000Z"),
            action: Some("forward"),
            redirect_url: None,
            classification: None,
            connection: 0x1234_abcd_5678_ef90,
            transformed: None,
        }
    }

    #[track_caller]
    fn check(entry: &Entry, expected: &[&str]) {
        assert_eq!(entry.to_string(), expected.join(" "));
    }

    #[test]
    fn a_request_is_written_as_in_the_example_of_aws() {
        check(
            &entry(),
            &[
                "http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188",
                "192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366",
                "\"GET http://www.example.com:80/ HTTP/1.1\" \"curl/7.46.0\" - - my-targets",
                "\"Root=1-58337262-36d228ad5d99923122bbe354\" \"-\" \"-\"",
                "0 2018-07-02T22:22:48.364000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\"",
                "TID_1234abcd5678ef90 \"-\" \"-\" \"-\"",
            ],
        );
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        let entry = Entry {
            target: None,
            times: None,
            elb_status: 400,
            target_status: None,
            user_agent: None,
            target_group: None,
            trace_id: None,
            rule_priority: None,
            action: None,
            classification: Some(("Severe".to_owned(), "BadUri".to_owned())),
            ..entry()
        };
        check(
            &entry,
            &[
                "http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188",
                "192.168.131.39:2817 - -1 -1 -1 400 - 34 366",
                "\"GET http://www.example.com:80/ HTTP/1.1\" \"-\" - - - \"-\" \"-\" \"-\"",
                "- 2018-07-02T22:22:48.364000Z \"-\" \"-\" \"-\" \"-\" \"-\" \"Severe\" \"BadUri\"",
                "TID_1234abcd5678ef90 \"-\" \"-\" \"-\"",
            ],
        );
    }

    #[test]
    fn tls_redirects_and_transforms_have_their_fields() {
        let entry = Entry {
            kind: Kind::Https.upgraded(),
            tls: Some(Arc::new(TlsFacts {
                cipher: "ECDHE-RSA-AES128-GCM-SHA256".to_owned(),
                protocol: "TLSv1.2".to_owned(),
                domain: Some("www.example.com".to_owned()),
            })),
            redirect_url: Some("https://example.com:80/".to_owned()),
            transformed: Some(Transformed {
                host: None,
                uri: Some("/b".to_owned()),
                status: "TransformSuccess",
            }),
            ..entry()
        };
        let line = entry.to_string();
        for part in [
            "wss ",
            " ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 my-targets ",
            " \"www.example.com\" \"-\" 0 ",
            " \"https://example.com:80/\" \"-\" ",
            " \"-\" \"/b\" \"TransformSuccess\"",
        ] {
            assert!(line.contains(part), "{part:?} is not in {line}");
        }
    }

    #[test]
    fn nobody_breaks_out_of_the_quotes_or_the_line() {
        let entry = Entry {
            user_agent: Some("a\" \"b\\\n\u{7f}é".to_owned()),
            ..entry()
        };
        let line = entry.to_string();
        assert!(line.contains(r#" "a\x22 \x22b\x5c\x0a\x7fé" "#), "{line}");
        let long = Entry {
            user_agent: Some("é".repeat(MOST_USER_AGENT)),
            ..entry
        };
        assert!(long.to_string().len() < 2 * MOST_USER_AGENT);
    }
}
