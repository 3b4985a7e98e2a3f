//! Requests that two readers could read differently, and so disagree on where the next one begins.
//!
//! The classes and their names are those of [Application Load Balancers][aws] and of the library AWS has published for
//! it, [http-desync-guardian][guardian]. What the balancer cannot read at all it refuses in every mode, where AWS may
//! let some of it pass: headers over several lines, without a colon or with blanks in their name, lengths that
//! contradict each other, codings it does not know.
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#desync-mitigation-mode
//! [guardian]: https://github.com/aws/http-desync-guardian/tree/main/docs

/// How strictly requests are taken that do not comply with [RFC 7230](https://www.rfc-editor.org/rfc/rfc7230).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DesyncMitigationMode {
    /// All pass, and are counted.
    Monitor,
    /// What is dangerous is refused; after what may be, both connections are closed.
    #[default]
    Defensive,
    /// Only what complies passes.
    Strictest,
}

/// How far a request complies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DesyncClass {
    /// Entirely.
    Compliant,
    /// Not entirely, and without risk.
    Acceptable,
    /// Servers may differ in how they read it.
    Ambiguous,
    /// Malformed, or made to deceive.
    Severe,
}

/// What is done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    Pass,
    /// It passes, and nothing else is sent on either connection after it.
    PassAndClose,
    Refuse,
}

/// A mark on a request after which the connection to the target is not used again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastOnItsConnection;

/// Why a request is in its class, by the names that [access logs][logs] have.
///
/// [logs]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html#classification-reasons
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are AWS's, and its page says what they mean")]
pub enum DesyncReason {
    Compliant,
    NonCompliantHeader,
    SpaceInUri,
    NonCompliantVersion,
    NonCrLfLineTermination,
    GetHeadZeroContentLength,
    EmptyHeader,
    AmbiguousUri,
    UndefinedContentLengthSemantics,
    UndefinedTransferEncodingSemantics,
    DuplicateContentLength,
    BothTeClPresent,
    SuspiciousHeader,
    MultilineHeader,
    MissingHeaderColon,
    MissingUri,
    BadHeader,
    BadUri,
    BadVersion,
    BadMethod,
    MultipleContentLength,
    BadContentLength,
    MultipleTransferEncodingChunked,
    BadTransferEncoding,
}

/// What has been seen of a head so far.
struct Findings<'h> {
    worst: DesyncReason,
    /// `GET` and `HEAD`, whose bodies have no meaning.
    is_read: bool,
    is_http_1_0: bool,
    length: Option<&'h [u8]>,
    coding: Option<Coding>,
}

/// What the transfer codings are, as far as they have been seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Chunked,
    Other,
}

impl DesyncMitigationMode {
    pub(crate) fn treatment(self, class: DesyncClass) -> Treatment {
        match (self, class) {
            (Self::Monitor, _) | (_, DesyncClass::Compliant) | (Self::Defensive, DesyncClass::Acceptable) => {
                Treatment::Pass
            }
            (Self::Defensive, DesyncClass::Ambiguous) => Treatment::PassAndClose,
            (Self::Defensive, DesyncClass::Severe) | (Self::Strictest, _) => Treatment::Refuse,
        }
    }
}

impl DesyncReason {
    /// The class of requests with this reason.
    pub fn class(self) -> DesyncClass {
        match self {
            Self::Compliant => DesyncClass::Compliant,
            Self::NonCompliantHeader
            | Self::SpaceInUri
            | Self::NonCompliantVersion
            | Self::NonCrLfLineTermination
            | Self::GetHeadZeroContentLength => DesyncClass::Acceptable,
            Self::EmptyHeader
            | Self::AmbiguousUri
            | Self::UndefinedContentLengthSemantics
            | Self::UndefinedTransferEncodingSemantics
            | Self::DuplicateContentLength
            | Self::BothTeClPresent
            | Self::SuspiciousHeader
            | Self::MultilineHeader
            | Self::MissingHeaderColon
            | Self::MissingUri => DesyncClass::Ambiguous,
            Self::BadHeader
            | Self::BadUri
            | Self::BadVersion
            | Self::BadMethod
            | Self::MultipleContentLength
            | Self::BadContentLength
            | Self::MultipleTransferEncodingChunked
            | Self::BadTransferEncoding => DesyncClass::Severe,
        }
    }
}

/// Says what is wrong with a request's head, given as it came; of several things the worst, of equals the first.
pub(crate) fn examine(head: &[u8]) -> DesyncReason {
    let mut lines = Lines(head);
    let Some(first) = lines.next() else {
        return DesyncReason::MissingUri;
    };
    let mut findings = Findings::begin(&first);
    for line in lines {
        if line.text.is_empty() {
            break;
        }
        findings.see_line(&line);
    }
    findings.end()
}

/// Lines of a head.
struct Lines<'h>(&'h [u8]);

struct Line<'h> {
    text: &'h [u8],
    has_return: bool,
}

impl<'h> Iterator for Lines<'h> {
    type Item = Line<'h>;

    fn next(&mut self) -> Option<Line<'h>> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.0);
        let (line, rest) = end.map_or((self.0, &[][..]), |end| (&self.0[..end], &self.0[end + 1..]));
        self.0 = rest;
        let stripped = line.strip_suffix(b"\r");
        Some(Line {
            text: stripped.unwrap_or(line),
            has_return: stripped.is_some(),
        })
    }
}

impl<'h> Findings<'h> {
    fn begin(line: &Line<'h>) -> Self {
        let mut parts = line.text.splitn(2, |&byte| byte == b' ');
        let (method, rest) = (parts.next().unwrap_or_default(), parts.next());
        let mut findings = Self {
            worst: DesyncReason::Compliant,
            is_read: matches!(method, b"GET" | b"HEAD"),
            is_http_1_0: false,
            length: None,
            coding: None,
        };
        findings.see_end(line);
        if method.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
            findings.note(DesyncReason::BadMethod);
        }
        let rest = rest.unwrap_or_default();
        match rest.iter().rposition(|&byte| byte == b' ') {
            Some(blank) => {
                findings.see_version(&rest[blank + 1..]);
                findings.see_uri(&rest[..blank]);
            }
            None if rest.starts_with(b"HTTP/") => findings.note(DesyncReason::MissingUri),
            None => {
                // A request of HTTP/0.9 has no version.
                findings.note(DesyncReason::NonCompliantVersion);
                findings.see_uri(rest);
            }
        }
        findings
    }

    fn see_version(&mut self, version: &[u8]) {
        match version {
            b"HTTP/1.1" => {}
            b"HTTP/1.0" => self.is_http_1_0 = true,
            b"HTTP/0.9" | [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => {
                self.note(DesyncReason::NonCompliantVersion);
            }
            _ => self.note(DesyncReason::BadVersion),
        }
    }

    fn see_uri(&mut self, uri: &[u8]) {
        if !uri.is_empty() && uri.iter().all(|&byte| byte > b' ' && byte != 0x7f) {
            return;
        }
        match () {
            () if uri.is_empty() => self.note(DesyncReason::MissingUri),
            () if has_breaker(uri) => self.note(DesyncReason::BadUri),
            () if uri.iter().any(|byte| matches!(byte, 0..0x20 | 0x7f)) => self.note(DesyncReason::AmbiguousUri),
            () => self.note(DesyncReason::SpaceInUri),
        }
    }

    fn see_line(&mut self, line: &Line<'h>) {
        self.see_end(line);
        if matches!(line.text, [b' ' | b'\t', ..]) {
            let is_blank = line.text.trim_ascii().is_empty();
            self.note(if is_blank {
                DesyncReason::EmptyHeader
            } else {
                DesyncReason::MultilineHeader
            });
        }
        match memchr::memchr(b':', line.text) {
            None => self.note(DesyncReason::MissingHeaderColon),
            Some(0) => self.note(DesyncReason::EmptyHeader),
            Some(colon) => self.see_header(&line.text[..colon], line.text[colon + 1..].trim_ascii()),
        }
        if !is_visible(line.text) {
            let breaks = has_breaker(line.text);
            self.note(if breaks {
                DesyncReason::BadHeader
            } else {
                DesyncReason::NonCompliantHeader
            });
        }
    }

    fn see_header(&mut self, name: &[u8], value: &'h [u8]) {
        match framing_header(name) {
            None => {}
            Some(Framing::Length) => self.see_length(value),
            Some(Framing::Coding) => self.see_coding(value),
            Some(Framing::Like) => self.note(DesyncReason::SuspiciousHeader),
        }
    }

    fn see_length(&mut self, value: &'h [u8]) {
        match self.length {
            _ if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) => {
                self.note(DesyncReason::BadContentLength);
            }
            Some(earlier) if earlier == value => self.note(DesyncReason::DuplicateContentLength),
            Some(_) => self.note(DesyncReason::MultipleContentLength),
            None if self.is_read && value.iter().all(|&digit| digit == b'0') => {
                self.note(DesyncReason::GetHeadZeroContentLength);
            }
            None if self.is_read => self.note(DesyncReason::UndefinedContentLengthSemantics),
            None => {}
        }
        self.length = Some(value);
    }

    fn see_coding(&mut self, value: &[u8]) {
        let codings = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        for coding in codings {
            if coding.eq_ignore_ascii_case(b"chunked") {
                if self.coding == Some(Coding::Chunked) {
                    self.note(DesyncReason::MultipleTransferEncodingChunked);
                }
                self.coding = Some(Coding::Chunked);
            } else if !KNOWN_CODINGS.iter().any(|known| coding.eq_ignore_ascii_case(known)) {
                self.note(DesyncReason::BadTransferEncoding);
            }
        }
        self.coding = self.coding.or(Some(Coding::Other));
        if self.is_read || self.is_http_1_0 {
            self.note(DesyncReason::UndefinedTransferEncodingSemantics);
        }
    }

    fn see_end(&mut self, line: &Line<'_>) {
        if !line.has_return {
            self.note(DesyncReason::NonCrLfLineTermination);
        }
    }

    fn end(mut self) -> DesyncReason {
        if self.coding.is_some() && self.length.is_some() {
            self.note(DesyncReason::BothTeClPresent);
        }
        self.worst
    }

    fn note(&mut self, reason: DesyncReason) {
        if reason.class() > self.worst.class() {
            self.worst = reason;
        }
    }
}

/// Transfer codings there are, beside `chunked`.
const KNOWN_CODINGS: [&[u8]; 4] = [b"identity", b"gzip", b"deflate", b"compress"];

/// The headers that say where a body ends.
enum Framing {
    Length,
    Coding,
    /// Neither, and some reader takes it for one of them.
    Like,
}

/// Whether a header is, or looks like, one that says where a body ends: another sign for the hyphen, blanks around the
/// name, signs in it that some leave out.
fn framing_header(name: &[u8]) -> Option<Framing> {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let (known, framing) = match letters {
        13 => (&b"content-length"[..], Framing::Length),
        16 => (&b"transfer-encoding"[..], Framing::Coding),
        _ => return None,
    };
    if name.eq_ignore_ascii_case(known) {
        return Some(framing);
    }
    let lower = name
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .map(u8::to_ascii_lowercase);
    lower
        .eq(known.iter().copied().filter(u8::is_ascii_alphabetic))
        .then_some(Framing::Like)
}

/// The signs that may stand in a method ([RFC 9110 §5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether there is nothing but visible ASCII, blanks and tabs.
fn is_visible(bytes: &[u8]) -> bool {
    // Counted and not searched: that way several are looked at in one step.
    let visible = |byte: &&u8| matches!(**byte, b'\t' | b' '..=b'~');
    bytes.iter().filter(visible).count() == bytes.len()
}

/// Whether there is a sign at which some reader stops.
fn has_breaker(bytes: &[u8]) -> bool {
    bytes.iter().any(|&byte| byte == 0 || byte == b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(head: &str, expected: DesyncReason) {
        assert_eq!(examine(format!("{head}\r\n\r\n").as_bytes()), expected, "{head:?}");
    }

    #[track_caller]
    fn check_get(headers: &str, expected: DesyncReason) {
        check(&format!("GET /a?b=c HTTP/1.1\r\nHost: a{headers}"), expected);
    }

    #[track_caller]
    fn check_post(headers: &str, expected: DesyncReason) {
        check(&format!("POST / HTTP/1.1\r\nHost: a{headers}"), expected);
    }

    #[test]
    fn what_complies() {
        check_get("\r\nAccept: */*\r\nX-Empty:\r\nX-Tab: a\tb", DesyncReason::Compliant);
        check_post("\r\nContent-Length: 5", DesyncReason::Compliant);
        check_post("\r\nTransfer-Encoding: gzip, chunked", DesyncReason::Compliant);
        check("POST /x HTTP/1.0\r\nContent-Length: 5", DesyncReason::Compliant);
        check("OPTIONS * HTTP/1.1", DesyncReason::Compliant);
        check_get("\r\nContent-Type: x\r\nX-Content-Lengths: 5", DesyncReason::Compliant);
    }

    #[test]
    fn what_is_acceptable() {
        check_get("\r\nX-Name: J\u{f6}rg", DesyncReason::NonCompliantHeader);
        check_get("\r\nX-Bell: \x07", DesyncReason::NonCompliantHeader);
        check("GET /a b HTTP/1.1", DesyncReason::SpaceInUri);
        check("GET / HTTP/1.3", DesyncReason::NonCompliantVersion);
        check("GET /", DesyncReason::NonCompliantVersion);
        check("GET / HTTP/1.1\nHost: a", DesyncReason::NonCrLfLineTermination);
        check_get("\r\nContent-Length: 0", DesyncReason::GetHeadZeroContentLength);
    }

    #[test]
    fn what_is_ambiguous() {
        check_get("\r\n: x", DesyncReason::EmptyHeader);
        check_get("\r\n ", DesyncReason::EmptyHeader);
        check("GET /\x01 HTTP/1.1", DesyncReason::AmbiguousUri);
        check_get("\r\nContent-Length: 5", DesyncReason::UndefinedContentLengthSemantics);
        check_get(
            "\r\nTransfer-Encoding: chunked",
            DesyncReason::UndefinedTransferEncodingSemantics,
        );
        check(
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked",
            DesyncReason::UndefinedTransferEncodingSemantics,
        );
        check_post(
            "\r\nContent-Length: 5\r\nContent-Length: 5",
            DesyncReason::DuplicateContentLength,
        );
        check_post(
            "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            DesyncReason::BothTeClPresent,
        );
        for name in [
            "Content_Length",
            "content length",
            "Content-Length ",
            "Transfer.Encoding",
            "Transfer-Encoding\t",
        ] {
            check_post(&format!("\r\n{name}: 5"), DesyncReason::SuspiciousHeader);
        }
        check_get("\r\nX-Long: a\r\n b", DesyncReason::MultilineHeader);
        check_get("\r\nno colon", DesyncReason::MissingHeaderColon);
        check("GET HTTP/1.1", DesyncReason::MissingUri);
    }

    #[test]
    fn what_is_severe() {
        check_get("\r\nX-Nul: a\0b", DesyncReason::BadHeader);
        check_get("\r\nX-Return: a\rb", DesyncReason::BadHeader);
        check("GET /a\0 HTTP/1.1", DesyncReason::BadUri);
        check("GET / HTTP/x", DesyncReason::BadVersion);
        check("G\x01T / HTTP/1.1", DesyncReason::BadMethod);
        check_post(
            "\r\nContent-Length: 5\r\nContent-Length: 6",
            DesyncReason::MultipleContentLength,
        );
        for length in ["+5", "5, 5", "0x5", "-1", "99999999999999999999"] {
            check_post(&format!("\r\nContent-Length: {length}"), DesyncReason::BadContentLength);
        }
        check_post(
            "\r\nTransfer-Encoding: chunked, chunked",
            DesyncReason::MultipleTransferEncodingChunked,
        );
        check_post("\r\nTransfer-Encoding: xchunked", DesyncReason::BadTransferEncoding);
    }

    #[test]
    fn the_worst_counts() {
        check_get(
            "\r\nX-Name: \u{f6}\r\nContent-Length: 5\r\nX-Nul: \0",
            DesyncReason::BadHeader,
        );
    }

    #[test]
    fn the_mode_decides_what_passes() {
        use DesyncClass::{Acceptable, Ambiguous, Compliant, Severe};
        use DesyncMitigationMode::{Defensive, Monitor, Strictest};
        use Treatment::{Pass, PassAndClose, Refuse};
        for (mode, expected) in [
            (Monitor, [Pass, Pass, Pass, Pass]),
            (Defensive, [Pass, Pass, PassAndClose, Refuse]),
            (Strictest, [Pass, Refuse, Refuse, Refuse]),
        ] {
            let treated = [Compliant, Acceptable, Ambiguous, Severe].map(|class| mode.treatment(class));
            assert_eq!(treated, expected, "{mode:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(head in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = examine(&head);
        }

        /// One byte changed in a good head: whatever it makes of it, what reads as another framing is not compliant.
        #[test]
        fn a_changed_framing_is_noticed(at in 0_usize..17, byte in any::<u8>()) {
            let mut name = *b"Transfer-Encoding";
            name[at] = byte;
            let head = [b"POST / HTTP/1.1\r\nContent-Length: 5\r\n", &name[..], b": chunked\r\n\r\n"].concat();
            let read_by_some = name.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase);
            // A colon would end the name there.
            if byte != b':' && read_by_some.eq(b"transferencoding".iter().copied()) {
                prop_assert!(examine(&head).class() >= DesyncClass::Ambiguous);
            }
        }
    }
}
