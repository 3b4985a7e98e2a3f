//! `aws_lb_listener`

pub(crate) mod action;
pub(crate) mod condition;
mod path;
pub(crate) mod rule;

use karma_terraform::{Address, Span, Value};

use crate::LoadBalancer;
use crate::attributes::{Attributes, Read};
use crate::from_value::FromValue;
use crate::links::{self, LOAD_BALANCER};
use crate::listener::action::Action;
use crate::listener::rule::ListenerRule;

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

impl Listener {
    /// Whether it listens for HTTP requests; others are the listeners of network and gateway load balancers.
    pub(crate) fn is_modeled(from: &Attributes<'_>) -> bool {
        let protocol = from.get("protocol").and_then(Value::as_str);
        let load_balancer = from.get("load_balancer_arn");
        let load_balancer = load_balancer.and_then(|value| links::resolve(from.stack(), value, LOAD_BALANCER));
        matches!(protocol, Some("HTTP" | "HTTPS") | None)
            && load_balancer.is_none_or(|resource| LoadBalancer::is_modeled(&from.of_other(resource)))
    }

    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let load_balancer = from.link("load_balancer_arn", LOAD_BALANCER);
        let port = from.required("port");
        let default_action = Action::read(from, "default_action");
        Ok(Self {
            load_balancer: load_balancer?,
            port: port?,
            protocol: from.optional("protocol").unwrap_or(ListenerProtocol::Http),
            default_action: default_action?,
            rules: Vec::new(),
            declared_at: from.declared_at(),
        })
    }

    /// Puts a rule in its place, unless another has its priority.
    pub(crate) fn insert(&mut self, rule: ListenerRule) -> Result<(), &ListenerRule> {
        match self.rules.binary_search_by_key(&rule.priority, |other| other.priority) {
            Ok(taken) => Err(&self.rules[taken]),
            Err(place) => {
                self.rules.insert(place, rule);
                Ok(())
            }
        }
    }
}

impl FromValue for ListenerProtocol {
    const EXPECTED: &'static str = "`HTTP` or `HTTPS`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "HTTP" => Some(Self::Http),
            "HTTPS" => Some(Self::Https),
            _ => None,
        }
    }
}
