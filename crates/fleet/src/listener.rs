//! `aws_lb_listener` and `aws_lb_listener_rule`

use karma_terraform::{Address, Span};

/// A port of a load balancer and what happens to the requests that come in.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html>
#[derive(Debug, Clone, PartialEq)]
pub struct Listener {
    /// The load balancer it belongs to.
    pub load_balancer: Address,
    /// The port clients connect to.
    pub port: u16,
    /// Plain or over TLS.
    pub protocol: ListenerProtocol,
    /// What happens where no rule matches.
    pub default_action: Action,
    /// The rules, lowest priority number (evaluated first) first.
    pub rules: Vec<ListenerRule>,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// Plain or over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerProtocol {
    /// HTTP
    Http,
    /// HTTPS
    Https,
}

/// A listener rule: where all conditions hold, the action is taken.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenerRule {
    /// Which resource it is.
    pub address: Address,
    /// 1 to 50000; lower is evaluated earlier.
    pub priority: u32,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// What happens then.
    pub action: Action,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// One condition; any of its values will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `path_pattern`: case-sensitive, `*` and `?`.
    PathPattern(Vec<String>),
    /// `host_header`: case-insensitive, `*` and `?`.
    HostHeader(Vec<String>),
}

/// What a listener does with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// To a target of one of these groups, chosen by weight.
    Forward(Vec<WeightedTargetGroup>),
    /// A fixed answer.
    FixedResponse {
        /// The status code.
        status: u16,
        /// `text/plain`, `application/json`, …
        content_type: String,
        /// At most 1024 characters.
        body: String,
    },
}

/// A target group and its share of the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedTargetGroup {
    /// The target group.
    pub target_group: Address,
    /// 0 to 999.
    pub weight: u32,
}
