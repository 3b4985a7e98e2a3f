//! JSON documents that the provider keeps with sorted keys and without white space.
//!
//! What is not JSON stays as it is, for the provider to refuse.

use karma_terraform::{Object, Value};

use crate::provider::go_json;

/// Type and attribute. An event target's and a schedule's input are kept as they were written.
const KEPT_SORTED: &[(&str, &str)] = &[
    ("aws_cloudwatch_dashboard", "dashboard_body"),
    ("aws_cloudwatch_event_rule", "event_pattern"),
    ("aws_ecr_lifecycle_policy", "policy"),
    ("aws_iam_policy", "policy"),
    ("aws_iam_role", "assume_role_policy"),
    ("aws_kms_key", "policy"),
    ("aws_s3_bucket_policy", "policy"),
    ("aws_secretsmanager_secret", "policy"),
    ("aws_sns_topic", "policy"),
    ("aws_sns_topic_policy", "policy"),
    ("aws_sqs_queue", "policy"),
    ("aws_vpc_endpoint", "policy"),
];

/// Where the policies of a role have their version.
const VERSION_AT_THE_END: &str = ",\"Version\":\"2012-10-17\"}";

/// Sorts the documents of a resource.
pub(super) fn sort_keys(kind: &str, attributes: &mut Object) {
    for (_, attribute) in KEPT_SORTED.iter().filter(|(name, _)| *name == kind) {
        if let Some(value) = attributes.get_mut(*attribute) {
            rewrite(value, go_json::sorted);
        }
    }
}

/// Sorts the policy in a role's `inline_policy` blocks or in an `aws_iam_role_policy`. These keep the current version of the policy
/// language in front.
pub(super) fn sort_role_policy(block: &mut Object) {
    if let Some(policy) = block.get_mut("policy") {
        rewrite(policy, |text| go_json::sorted(text).map(with_version_in_front));
    }
}

/// The same for each block of a set.
pub(super) fn sort_inline_policies(attributes: &mut Object) {
    if let Some(Value::Set(blocks)) = attributes.get_mut("inline_policy") {
        let mut blocks = std::mem::take(blocks);
        for block in &mut blocks {
            if let Value::Object(block) = block {
                sort_role_policy(block);
            }
        }
        attributes.insert("inline_policy".into(), Value::set(blocks));
    }
}

fn with_version_in_front(sorted: String) -> String {
    match sorted
        .strip_suffix(VERSION_AT_THE_END)
        .and_then(|rest| rest.strip_prefix('{'))
    {
        Some(rest) => format!("{{\"Version\":\"2012-10-17\",{rest}}}"),
        None => sorted,
    }
}

/// Rewrites a known text, under whatever marks it has.
pub(super) fn rewrite(value: &mut Value, rewritten: impl Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = rewritten(text) {
                *text = new;
            }
        }
        Value::Sensitive(inner) => rewrite(inner, rewritten),
        _ => {}
    }
}
