//! `aws_lb_listener` and `aws_lb_listener_rule`

use karma_terraform::{Address, Span, Value};

use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::from_value::FromValue;
use crate::links::{self, LISTENER, LOAD_BALANCER, TARGET_GROUP};
use crate::{Fleet, LoadBalancer, TargetGroup};

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
    /// Of a type that this model does not read yet: `redirect`, `authenticate-oidc`, … What such a request should get is not told here, so
    /// nothing else may be done with it either.
    Unmodeled(String),
}

/// A target group and its share of the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedTargetGroup {
    /// The target group.
    pub target_group: Address,
    /// 0 to 999.
    pub weight: u32,
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

    fn insert(&mut self, rule: ListenerRule) -> Result<(), &ListenerRule> {
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

/// Reads a rule and gives it to its listener.
pub(crate) fn attach_rule(from: &Attributes<'_>, fleet: &mut Fleet) {
    let address = from.link("listener_arn", LISTENER);
    let rule = ListenerRule::read(from);
    let (Ok(address), Ok(rule)) = (address, rule) else {
        return;
    };
    match rule {
        // Why a listener is in neither table has been said where it was read.
        Some(rule) if !fleet.unmodeled.contains(&address) => {
            if let Some(listener) = fleet.listeners.get_mut(&address) {
                attach(from, rule, listener);
            }
        }
        _ => fleet.unmodeled.push(from.address().clone()),
    }
}

fn attach(from: &Attributes<'_>, rule: ListenerRule, listener: &mut Listener) {
    if let Err(taken) = listener.insert(rule) {
        let (called, priority, by) = (from.called("priority"), taken.priority, &taken.address);
        let detail =
            format!("{called} is {priority}, but `{by}` has it already; a listener has one rule for each priority.");
        from.error("priority", "Duplicate listener rule priority", detail);
    }
}

impl ListenerRule {
    /// `None` where a condition is not modeled. A rule of which only a part is known would match too much, so it is left out as one that
    /// never matches, and a warning says so.
    fn read(from: &Attributes<'_>) -> Read<Option<Self>> {
        let priority = from.required::<Priority>("priority");
        let conditions = conditions(from);
        let action = match from.block("transform") {
            Some(_) => Ok(Action::unmodeled(from, "transform", "transform")),
            None => Action::read(from, "action"),
        };
        let (Priority(priority), action) = (priority?, action?);
        Ok(conditions?.map(|conditions| Self {
            address: from.address().clone(),
            priority,
            conditions,
            action,
            declared_at: from.declared_at(),
        }))
    }
}

struct Priority(u32);

impl FromValue for Priority {
    const EXPECTED: &'static str = "a whole number from 1 to 50000";
    fn from_value(value: &Value) -> Option<Self> {
        u32::from_value(value)
            .filter(|priority| (1..=50_000).contains(priority))
            .map(Self)
    }
}

/// All conditions; `None` where one of them is not modeled.
fn conditions(from: &Attributes<'_>) -> Read<Option<Vec<Condition>>> {
    let blocks = from.at_least_one("condition", |block| Ok(conditions_of_block(block)))?;
    let all: Option<Vec<_>> = blocks.into_iter().collect();
    Ok(all.map(|blocks| blocks.concat()))
}

fn conditions_of_block<'a>(block: &Attributes<'a>) -> Option<Vec<Condition>> {
    let is_set = |name: &&'a str| block.glance(name).is_some_and(|value| value.as_elements() != Some(&[]));
    block
        .names()
        .filter(is_set)
        .map(|name| Condition::read(block, name))
        .collect()
}

impl Condition {
    /// Reads one member of a `condition` block; `None` where it is not modeled.
    fn read(block: &Attributes<'_>, name: &str) -> Option<Self> {
        let patterns = |field| {
            let patterns: Vec<String> = block.block(field)?.optional("values")?;
            (!patterns.is_empty()).then_some(patterns)
        };
        let condition = match name {
            "path_pattern" => patterns("path_pattern").map(Self::PathPattern),
            "host_header" => patterns("host_header").map(Self::HostHeader),
            _ => None,
        };
        if condition.is_none() {
            let called = block.called(name);
            let detail =
                format!("{called} is not read: the rule never matches here, and its requests go on to the next rule.");
            block.warning(name, NOT_RUN_YET, detail);
        }
        condition
    }
}

impl Action {
    /// Reads `action` or `default_action`. Of several the last one answers, and those before it are of types that are not modeled.
    fn read(from: &Attributes<'_>, argument: &'static str) -> Read<Self> {
        let mut actions = from.at_least_one(argument, Self::read_block)?;
        let unmodeled = actions.iter().position(|action| matches!(action, Self::Unmodeled(_)));
        Ok(actions.swap_remove(unmodeled.unwrap_or(actions.len() - 1)))
    }

    fn read_block(block: &Attributes<'_>) -> Read<Self> {
        let kind: String = block.required("type")?;
        match kind.as_str() {
            "forward" => Self::read_forward(block),
            "fixed-response" => Self::read_fixed_response(&block.required_block("fixed_response")?),
            other => Ok(Self::unmodeled(block, "type", other)),
        }
    }

    fn read_forward(block: &Attributes<'_>) -> Read<Self> {
        let targets = match block.block("forward") {
            Some(forward) => weighted_target_groups(&forward)?,
            None => vec![WeightedTargetGroup::alone(block)?],
        };
        let other = targets.iter().find(|target| !target.is_modeled(block));
        Ok(match other {
            Some(other) => Self::unmodeled(block, "type", &format!("forward to {}", other.target_group)),
            None => Self::Forward(targets),
        })
    }

    fn read_fixed_response(block: &Attributes<'_>) -> Read<Self> {
        let status = block.required("status_code");
        let content_type = block.required("content_type");
        let body = block.optional("message_body").unwrap_or_default();
        Ok(Self::FixedResponse {
            status: status?,
            content_type: content_type?,
            body,
        })
    }

    fn unmodeled(from: &Attributes<'_>, name: &str, kind: &str) -> Self {
        let address = from.address();
        let detail = format!("The action `{kind}` of `{address}` is not carried out: its requests get an error.");
        from.warning(name, NOT_RUN_YET, detail);
        Self::Unmodeled(kind.to_owned())
    }
}

fn weighted_target_groups(forward: &Attributes<'_>) -> Read<Vec<WeightedTargetGroup>> {
    let sticky = forward.block("stickiness").and_then(|block| block.optional("enabled"));
    if sticky == Some(true) {
        let called = forward.called("stickiness");
        let detail = format!("{called} is not kept: each request is given to a target group anew.");
        forward.warning("stickiness", NOT_RUN_YET, detail);
    }
    forward.at_least_one("target_group", WeightedTargetGroup::read)
}

impl WeightedTargetGroup {
    fn read(block: &Attributes<'_>) -> Read<Self> {
        let target_group = block.link("arn", TARGET_GROUP)?;
        Ok(Self {
            target_group,
            weight: block.optional("weight").unwrap_or(1),
        })
    }

    /// The only one of an action.
    fn alone(action: &Attributes<'_>) -> Read<Self> {
        let target_group = action.link("target_group_arn", TARGET_GROUP)?;
        Ok(Self {
            target_group,
            weight: 1,
        })
    }

    fn is_modeled(&self, from: &Attributes<'_>) -> bool {
        let resource = from.stack().resources.get(&self.target_group);
        resource.is_some_and(|resource| TargetGroup::is_modeled(&from.of_other(resource)))
    }
}
