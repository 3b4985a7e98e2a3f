//! The fleet's listener rules in the balancer's terms.

use std::collections::BTreeMap;
use std::fmt::Display;

use karma_balancer as balancer;
use karma_balancer::{ContentType, IpNet, Pattern, Permanence, StatusCode};
use karma_fleet::{
    Action, Address, AddressBlock, Condition, Forward, Listener, ListenerRule, QueryStringPattern, Redirect, Rewrite,
    Transforms, WeightedTargetGroup,
};

use super::target_groups::Groups;
use crate::error::StartError;

/// Where the ports of a load balancer's listeners are on this machine.
pub(super) type LocalPorts = BTreeMap<u16, u16>;

/// What rules refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) groups: &'a Groups,
    pub(super) local_ports: &'a LocalPorts,
}

/// One resource of the stack that is turned into the balancer's terms.
struct Subject<'a> {
    address: &'a Address,
    surroundings: Surroundings<'a>,
}

/// All rules of a listener.
pub(super) fn rules(
    address: &Address,
    listener: &Listener,
    surroundings: Surroundings<'_>,
) -> Result<balancer::Rules, StartError> {
    let rule = |rule: &ListenerRule| {
        let address = &rule.address;
        Subject { address, surroundings }.rule(rule)
    };
    let default = Subject { address, surroundings };
    Ok(balancer::Rules {
        rules: listener.rules.iter().map(rule).collect::<Result<_, _>>()?,
        default_action: default.action(&listener.default_action)?,
    })
}

impl Subject<'_> {
    fn rule(&self, rule: &ListenerRule) -> Result<balancer::Rule, StartError> {
        let conditions = rule.conditions.iter().map(|condition| self.condition(condition));
        Ok(balancer::Rule {
            priority: rule.priority,
            conditions: conditions.collect::<Result<_, _>>()?,
            transforms: self.transforms(&rule.transforms)?,
            action: self.action(&rule.action)?,
        })
    }

    fn condition(&self, condition: &Condition) -> Result<balancer::Condition, StartError> {
        Ok(match condition {
            Condition::PathPattern(texts) => balancer::Condition::PathPattern(patterns(texts)),
            Condition::PathRegex(texts) => balancer::Condition::PathPattern(self.expressions(texts)?),
            Condition::HostHeader(texts) => balancer::Condition::HostHeader(patterns(texts)),
            Condition::HostRegex(texts) => balancer::Condition::HostHeader(self.expressions(texts)?),
            Condition::HttpHeader { name, values } => balancer::Condition::HttpHeader {
                name: self.valid(name.parse())?,
                values: patterns(values),
            },
            Condition::HttpHeaderRegex { name, values } => balancer::Condition::HttpHeader {
                name: self.valid(name.parse())?,
                values: self.expressions(values)?,
            },
            Condition::HttpRequestMethod(methods) => {
                let methods = methods.iter().map(|method| self.valid(method.parse()));
                balancer::Condition::HttpRequestMethod(methods.collect::<Result<_, _>>()?)
            }
            Condition::QueryString(patterns) => {
                balancer::Condition::QueryString(patterns.iter().map(query_pattern).collect())
            }
            Condition::SourceIp(blocks) => {
                let networks = blocks.iter().map(|block| self.network(*block));
                balancer::Condition::SourceIp(networks.collect::<Result<_, _>>()?)
            }
        })
    }

    fn expressions(&self, texts: &[String]) -> Result<Vec<Pattern>, StartError> {
        texts.iter().map(|text| self.valid(Pattern::regex(text))).collect()
    }

    fn network(&self, block: AddressBlock) -> Result<IpNet, StartError> {
        self.valid(IpNet::new(block.address, block.prefix_length))
    }

    fn transforms(&self, transforms: &Transforms) -> Result<balancer::Transforms, StartError> {
        let rewrite = |rewrite: &Option<Rewrite>| {
            let rewrite = rewrite.as_ref();
            let rewrite = rewrite.map(|rewrite| balancer::Rewrite::new(&rewrite.regex, &rewrite.replace));
            self.valid(rewrite.transpose())
        };
        Ok(balancer::Transforms {
            host_header: rewrite(&transforms.host_header)?,
            url: rewrite(&transforms.url)?,
        })
    }

    fn action(&self, action: &Action) -> Result<balancer::Action, StartError> {
        match action {
            Action::Forward(forward) => self.forward(forward).map(balancer::Action::Forward),
            Action::Redirect(redirect) => Ok(balancer::Action::Redirect(self.redirect(redirect))),
            Action::FixedResponse {
                status,
                content_type,
                body,
            } => Ok(balancer::Action::FixedResponse {
                status: self.valid(StatusCode::from_u16(*status))?,
                content_type: self.valid(content_type.parse::<ContentType>())?,
                body: body.clone().into(),
            }),
            Action::Unmodeled(kind) => Ok(self.not_run(kind)),
        }
    }

    fn forward(&self, forward: &Forward) -> Result<balancer::Forward, StartError> {
        let weighted = |target: &WeightedTargetGroup| {
            let group = self.surroundings.groups.get(&target.target_group);
            let group = group.ok_or_else(|| format!("{} is not in the stack", target.target_group));
            Ok((self.valid(group)?.clone(), target.weight))
        };
        Ok(balancer::Forward {
            groups: forward
                .target_groups
                .iter()
                .map(weighted)
                .collect::<Result<_, StartError>>()?,
            stickiness: forward.stickiness,
        })
    }

    /// A port of the load balancer is where it is on this machine.
    fn redirect(&self, redirect: &Redirect) -> balancer::Redirect {
        let local = redirect.port.parse().ok();
        let local = local.and_then(|port: u16| self.surroundings.local_ports.get(&port));
        let port = local.map_or_else(|| redirect.port.clone(), ToString::to_string);
        balancer::Redirect {
            permanence: match redirect.status {
                301 => Permanence::Permanent,
                _ => Permanence::Temporary,
            },
            protocol: redirect.protocol.as_str().into(),
            host: redirect.host.as_str().into(),
            port: port.as_str().into(),
            path: redirect.path.as_str().into(),
            query: redirect.query.as_str().into(),
        }
    }

    fn not_run(&self, kind: &str) -> balancer::Action {
        balancer::Action::FixedResponse {
            status: StatusCode::NOT_IMPLEMENTED,
            content_type: ContentType::TextPlain,
            body: format!(
                "{}: a listener action of type {kind} is not run on this machine\n",
                self.address
            )
            .into(),
        }
    }

    /// The value, or the error that says where it comes from.
    fn valid<T, E: Display>(&self, value: Result<T, E>) -> Result<T, StartError> {
        value.map_err(|error| StartError::Definition {
            subject: self.address.to_string(),
            reason: error.to_string(),
        })
    }
}

fn patterns(texts: &[String]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(text)).collect()
}

fn query_pattern(pattern: &QueryStringPattern) -> balancer::QueryPattern {
    balancer::QueryPattern {
        key: pattern.key.as_deref().map(Pattern::with_escapes),
        value: Pattern::with_escapes(&pattern.value),
    }
}

#[cfg(test)]
mod tests {
    use karma_fleet::{ListenerProtocol, Mode, Span};

    use super::*;

    fn address(name: &str) -> Address {
        Address {
            module: Vec::new(),
            mode: Mode::Managed,
            kind: "aws_lb_listener".to_owned(),
            name: name.to_owned(),
            key: None,
        }
    }

    fn nowhere() -> Span {
        Span {
            file: "main.tf".into(),
            start: 0,
            end: 0,
        }
    }

    /// A listener with one rule of this condition, whose default is to redirect to this port.
    fn listener(condition: Condition, port: &str) -> Listener {
        let action = Action::Redirect(Redirect {
            status: 301,
            protocol: "HTTPS".to_owned(),
            host: "#{host}".to_owned(),
            port: port.to_owned(),
            path: "/#{path}".to_owned(),
            query: "#{query}".to_owned(),
        });
        Listener {
            load_balancer: address("main"),
            port: 80,
            protocol: ListenerProtocol::Http,
            default_action: action.clone(),
            rules: vec![ListenerRule {
                address: address("rule"),
                priority: 1,
                conditions: vec![condition],
                transforms: Transforms::default(),
                action,
                declared_at: nowhere(),
            }],
            declared_at: nowhere(),
        }
    }

    fn translated(listener: &Listener) -> Result<balancer::Rules, StartError> {
        let (groups, local_ports) = (Groups::new(), LocalPorts::from([(80, 8080), (443, 8081)]));
        let surroundings = Surroundings {
            groups: &groups,
            local_ports: &local_ports,
        };
        rules(&address("http"), listener, surroundings)
    }

    #[test]
    fn a_redirect_leads_to_the_port_on_this_machine() {
        for (port, expected) in [("443", "8081"), ("9000", "9000"), ("#{port}", "#{port}")] {
            let condition = Condition::PathPattern(vec!["/".to_owned()]);
            let rules = translated(&listener(condition, port)).unwrap();
            let balancer::Action::Redirect(redirect) = rules.default_action else {
                panic!("a redirect");
            };
            assert_eq!(redirect.port, expected.into());
        }
    }

    #[test]
    fn what_cannot_be_is_told_with_its_resource() {
        let told = |condition| match translated(&listener(condition, "443")) {
            Err(StartError::Definition { subject, reason }) => (subject, reason),
            other => panic!("{other:?}"),
        };
        let (subject, reason) = told(Condition::PathRegex(vec!["(".to_owned()]));
        assert_eq!(subject, "aws_lb_listener.rule");
        assert!(reason.contains("`(` is no regular expression"), "{reason}");
        told(Condition::HttpHeader {
            name: "a b".to_owned(),
            values: Vec::new(),
        });
    }
}
