//! How targets see where a request came from, and what it was for.

/// What becomes of the `Host` header.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#host-header-preservation>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostHeader {
    /// It has the port of the listener where that is not 80 or 443, and none where it is.
    #[default]
    Adjusted,
    /// It is as the client sent it.
    Preserved,
}

/// What becomes of the `X-Forwarded-For` header.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedFor {
    /// The client's address is added at its end.
    #[default]
    Append,
    /// The client's address and port are added at its end.
    AppendWithPort,
    /// It is as the client sent it.
    Preserve,
    /// It is taken out.
    Remove,
}
