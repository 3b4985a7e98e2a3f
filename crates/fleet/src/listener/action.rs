//! What listeners and their rules do with requests.

use std::time::Duration;

use karma_terraform::{Address, Value};

use crate::TargetGroup;
use crate::attributes::{Attributes, NOT_RUN_YET, Read};
use crate::from_value::FromValue;
use crate::links::TARGET_GROUP;

/// What a listener does with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// To a target of one of several groups.
    Forward(Forward),
    /// Somewhere else.
    Redirect(Redirect),
    /// A fixed answer.
    FixedResponse {
        /// The status code.
        status: u16,
        /// `text/plain`, `application/json`, …
        content_type: String,
        /// At most 1024 characters.
        body: String,
    },
    /// Of a type that this model does not read: `authenticate-oidc`, … What such a request should get is not told here, so nothing else
    /// may be done with it either.
    Unmodeled(String),
}

/// The groups a request may go to, one of which is chosen by weight.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#forward-actions>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// At least one.
    pub target_groups: Vec<WeightedTargetGroup>,
    /// How long a client stays with its group.
    pub stickiness: Option<Duration>,
}

/// A target group and its share of the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedTargetGroup {
    /// The target group.
    pub target_group: Address,
    /// 0 to 999.
    pub weight: u32,
}

/// Where a client is sent. `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}` stand for what it asked for.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// 301 or 302.
    pub status: u16,
    /// `HTTP`, `HTTPS` or `#{protocol}`
    pub protocol: String,
    /// `#{host}`
    pub host: String,
    /// `443`, `#{port}`
    pub port: String,
    /// `/#{path}`
    pub path: String,
    /// `#{query}`
    pub query: String,
}

impl Action {
    /// Reads `action` or `default_action`. Of several the last one answers, and those before it are of types that are not modeled.
    pub(crate) fn read(from: &Attributes<'_>, argument: &'static str) -> Read<Self> {
        let mut actions = from.at_least_one(argument, Self::read_block)?;
        let unmodeled = actions.iter().position(|action| matches!(action, Self::Unmodeled(_)));
        Ok(actions.swap_remove(unmodeled.unwrap_or(actions.len() - 1)))
    }

    fn read_block(block: &Attributes<'_>) -> Read<Self> {
        let kind: String = block.required("type")?;
        match kind.as_str() {
            "forward" => Self::read_forward(block),
            "redirect" => Redirect::read(&block.required_block("redirect")?).map(Self::Redirect),
            "fixed-response" => Self::read_fixed_response(&block.required_block("fixed_response")?),
            other => Ok(Self::unmodeled(block, "type", other)),
        }
    }

    fn read_forward(block: &Attributes<'_>) -> Read<Self> {
        let forward = match block.block("forward") {
            Some(forward) => Forward::read(&forward)?,
            None => Forward::from(WeightedTargetGroup::alone(block)?),
        };
        let other = forward.target_groups.iter().find(|target| !target.is_modeled(block));
        Ok(match other {
            Some(other) => Self::unmodeled(block, "type", &format!("forward to {}", other.target_group)),
            None => Self::Forward(forward),
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

impl Forward {
    fn read(forward: &Attributes<'_>) -> Read<Self> {
        let stickiness = forward.at_most_one("stickiness", |block| {
            let is_enabled = block.optional("enabled").unwrap_or(false);
            let seconds: u32 = block.required("duration")?;
            Ok(is_enabled.then(|| Duration::from_secs(seconds.into())))
        });
        let target_groups = forward.at_least_one("target_group", WeightedTargetGroup::read);
        Ok(Self {
            target_groups: target_groups?,
            stickiness: stickiness?.flatten(),
        })
    }
}

impl From<WeightedTargetGroup> for Forward {
    fn from(only: WeightedTargetGroup) -> Self {
        Self {
            target_groups: vec![only],
            stickiness: None,
        }
    }
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

/// 301 or 302, as `HTTP_301` or `HTTP_302`.
struct RedirectStatus(u16);

impl FromValue for RedirectStatus {
    const EXPECTED: &'static str = "`HTTP_301` or `HTTP_302`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "HTTP_301" => Some(Self(301)),
            "HTTP_302" => Some(Self(302)),
            _ => None,
        }
    }
}

impl Redirect {
    /// What keeps every part of the URL: `HTTP_301` alone.
    fn same(status: u16) -> Self {
        Self {
            status,
            protocol: "#{protocol}".to_owned(),
            host: "#{host}".to_owned(),
            port: "#{port}".to_owned(),
            path: "/#{path}".to_owned(),
            query: "#{query}".to_owned(),
        }
    }

    fn read(block: &Attributes<'_>) -> Read<Self> {
        let RedirectStatus(status) = block.required("status_code")?;
        let same = Self::same(status);
        let redirect = Self {
            status,
            protocol: block.optional("protocol").unwrap_or_else(|| same.protocol.clone()),
            host: block.optional("host").unwrap_or_else(|| same.host.clone()),
            port: block.optional("port").unwrap_or_else(|| same.port.clone()),
            path: block.optional("path").unwrap_or_else(|| same.path.clone()),
            query: block.optional("query").unwrap_or_else(|| same.query.clone()),
        };
        let unchanged = Self {
            query: redirect.query.clone(),
            ..same
        };
        if redirect == unchanged {
            let called = block.called("status_code");
            let detail = format!(
                "The redirect with {called} changes none of protocol, host, port and path: clients would come back for ever."
            );
            return Err(block.error("status_code", "Redirect loop", detail));
        }
        Ok(redirect)
    }
}
