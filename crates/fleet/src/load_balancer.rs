//! `aws_lb`

use std::time::Duration;

use karma_terraform::{Span, Value};

use crate::attributes::{Attributes, NOT_RUN_YET};
use crate::from_value::FromValue;

/// An Application Load Balancer.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#load-balancer-attributes>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its name; the prefix or the address where AWS decides it.
    pub name: String,
    /// How long a connection may be silent; 60 seconds where nothing is said.
    pub idle_timeout: Duration,
    /// How long a client's connection may be used for further requests; an hour where nothing is said.
    pub client_keep_alive: Duration,
    /// What becomes of requests that a target might understand otherwise.
    pub desync_mitigation_mode: DesyncMitigationMode,
    /// Whether clients may speak HTTP/2 at its HTTPS listeners.
    pub http2: Http2,
    /// What becomes of headers whose names are not valid.
    pub invalid_headers: InvalidHeaders,
    /// What becomes of the `Host` header.
    pub host_header: HostHeader,
    /// What becomes of the `X-Forwarded-For` header.
    pub forwarded_for: ForwardedFor,
    /// Whether it writes down each request.
    pub access_logs: AccessLogs,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// `desync_mitigation_mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DesyncMitigationMode {
    /// `monitor`
    Monitor,
    /// `defensive`
    #[default]
    Defensive,
    /// `strictest`
    Strictest,
}

/// `enable_http2`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http2 {
    /// Offered to clients.
    Enabled,
    /// Not offered.
    Disabled,
}

/// `drop_invalid_header_fields`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidHeaders {
    /// They are passed on.
    Forward,
    /// They are taken out.
    Drop,
}

/// `preserve_host_header`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostHeader {
    /// It has the port of the listener where that is not 80 or 443.
    Adjusted,
    /// It is as the client sent it.
    Preserved,
}

/// `xff_header_processing_mode` and `enable_xff_client_port`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedFor {
    /// `append`
    #[default]
    Append,
    /// `append`, with the client's port
    AppendWithPort,
    /// `preserve`
    Preserve,
    /// `remove`
    Remove,
}

/// `access_logs`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLogs {
    /// Requests are written down.
    Enabled,
    /// They are not.
    Disabled,
}

impl LoadBalancer {
    /// Whether it is an Application Load Balancer; network and gateway load balancers know no requests.
    pub(crate) fn is_modeled(from: &Attributes<'_>) -> bool {
        matches!(
            from.get("load_balancer_type").and_then(Value::as_str),
            Some("application") | None
        )
    }

    pub(crate) fn read(from: &Attributes<'_>) -> Self {
        warn_of_unmodeled(from);
        let is_logged = from.block("access_logs").and_then(|block| block.optional("enabled"));
        Self {
            name: from.name(),
            idle_timeout: from.seconds("idle_timeout").unwrap_or(Duration::from_mins(1)),
            client_keep_alive: from.seconds("client_keep_alive").unwrap_or(Duration::from_hours(1)),
            desync_mitigation_mode: from.optional("desync_mitigation_mode").unwrap_or_default(),
            http2: match from.optional("enable_http2") {
                Some(false) => Http2::Disabled,
                Some(true) | None => Http2::Enabled,
            },
            invalid_headers: match from.optional("drop_invalid_header_fields") {
                Some(true) => InvalidHeaders::Drop,
                Some(false) | None => InvalidHeaders::Forward,
            },
            host_header: match from.optional("preserve_host_header") {
                Some(true) => HostHeader::Preserved,
                Some(false) | None => HostHeader::Adjusted,
            },
            forwarded_for: ForwardedFor::read(from),
            access_logs: match is_logged {
                Some(true) => AccessLogs::Enabled,
                Some(false) | None => AccessLogs::Disabled,
            },
            declared_at: from.declared_at(),
        }
    }
}

/// What targets would see on AWS, and do not here.
fn warn_of_unmodeled(from: &Attributes<'_>) {
    const NAME: &str = "enable_tls_version_and_cipher_suite_headers";
    if from.optional(NAME) == Some(true) {
        let detail = format!(
            "{} is not followed: targets get no headers about TLS.",
            from.called(NAME)
        );
        from.warning(NAME, NOT_RUN_YET, detail);
    }
}

impl ForwardedFor {
    fn read(from: &Attributes<'_>) -> Self {
        let mode = from.optional("xff_header_processing_mode").unwrap_or_default();
        match (mode, from.optional("enable_xff_client_port")) {
            (Self::Append, Some(true)) => Self::AppendWithPort,
            _ => mode,
        }
    }
}

impl FromValue for ForwardedFor {
    const EXPECTED: &'static str = "`append`, `preserve` or `remove`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "append" => Some(Self::Append),
            "preserve" => Some(Self::Preserve),
            "remove" => Some(Self::Remove),
            _ => None,
        }
    }
}

impl FromValue for DesyncMitigationMode {
    const EXPECTED: &'static str = "`monitor`, `defensive` or `strictest`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "monitor" => Some(Self::Monitor),
            "defensive" => Some(Self::Defensive),
            "strictest" => Some(Self::Strictest),
            _ => None,
        }
    }
}
