//! Protocols of security group rules: by name in lower case where they have one, and `-1` for all.
//! <https://www.iana.org/assignments/protocol-numbers/protocol-numbers.xhtml>

use karma_terraform::{Object, Value};

use super::documents::rewrite;

/// Those that EC2 knows by name.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>
const BY_NUMBER: &[(&str, &str)] = &[("1", "icmp"), ("6", "tcp"), ("17", "udp"), ("58", "icmpv6")];

/// The rules inside a security group.
pub(super) fn normalise_group(attributes: &mut Object) {
    for rules in ["ingress", "egress"] {
        if let Some(Value::Set(elements)) = attributes.get_mut(rules) {
            let mut elements = std::mem::take(elements);
            for element in &mut elements {
                if let Value::Object(rule) = element {
                    normalise_rule(rule);
                }
            }
            attributes.insert(rules.to_owned(), Value::set(elements));
        }
    }
}

/// A rule of its own.
pub(super) fn normalise_rule(rule: &mut Object) {
    if let Some(protocol) = rule.get_mut("protocol") {
        rewrite(protocol, |written| Some(by_name(&written.to_lowercase())));
    }
}

fn by_name(protocol: &str) -> String {
    let known = BY_NUMBER.iter().find(|(number, _)| *number == protocol);
    match known {
        _ if protocol == "all" => "-1",
        Some((_, name)) => name,
        None => protocol,
    }
    .to_owned()
}
