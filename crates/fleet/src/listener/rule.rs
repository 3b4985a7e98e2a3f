//! `aws_lb_listener_rule`

use karma_terraform::{Address, Span, Value};

use crate::Fleet;
use crate::attributes::{Attributes, Read};
use crate::from_value::FromValue;
use crate::links::LISTENER;
use crate::listener::Listener;
use crate::listener::action::Action;
use crate::listener::condition::{Condition, conditions};

/// A listener rule: where all conditions hold, the action is taken.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenerRule {
    /// Which resource it is.
    pub address: Address,
    /// 1 to 50000; lower is evaluated earlier.
    pub priority: u32,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// What is changed in a request before it is forwarded.
    pub transforms: Transforms,
    /// What happens then.
    pub action: Action,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// What a rule changes in a request on its way to the target.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html>
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transforms {
    /// `host-header-rewrite`
    pub host_header: Option<Rewrite>,
    /// `url-rewrite`: path and query.
    pub url: Option<Rewrite>,
}

/// Puts one text in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The regular expression that finds the text.
    pub regex: String,
    /// What comes in its place; `$1` is what the first group found.
    pub replace: String,
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
        let transforms = Transforms::read(from);
        let action = Action::read(from, "action");
        let (Priority(priority), transforms, action) = (priority?, transforms?, action?);
        Ok(conditions?.map(|conditions| Self {
            address: from.address().clone(),
            priority,
            conditions,
            transforms,
            action,
            declared_at: from.declared_at(),
        }))
    }
}

impl Transforms {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let mut transforms = Self::default();
        for (kind, rewrite) in from.each("transform", Rewrite::read)? {
            let place = match kind {
                TransformType::HostHeaderRewrite => &mut transforms.host_header,
                TransformType::UrlRewrite => &mut transforms.url,
            };
            if place.replace(rewrite).is_some() {
                let called = from.called("transform");
                let detail = format!("{called} has more than one of a type, but AWS takes one of each in a rule.");
                return Err(from.error("transform", "Duplicate transform", detail));
            }
        }
        Ok(transforms)
    }
}

enum TransformType {
    HostHeaderRewrite,
    UrlRewrite,
}

impl FromValue for TransformType {
    const EXPECTED: &'static str = "`host-header-rewrite` or `url-rewrite`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "host-header-rewrite" => Some(Self::HostHeaderRewrite),
            "url-rewrite" => Some(Self::UrlRewrite),
            _ => None,
        }
    }
}

impl Rewrite {
    fn read(transform: &Attributes<'_>) -> Read<(TransformType, Self)> {
        let kind = transform.required("type")?;
        let config = transform.required_block(match kind {
            TransformType::HostHeaderRewrite => "host_header_rewrite_config",
            TransformType::UrlRewrite => "url_rewrite_config",
        })?;
        let rewrite = config.required_block("rewrite")?;
        let (regex, replace) = (rewrite.required("regex"), rewrite.required("replace"));
        let rewrite = Self {
            regex: regex?,
            replace: replace?,
        };
        Ok((kind, rewrite))
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
