//! What the provider rewrites while it plans.
//!
//! Most of it is the same for every resource: how collections are kept, and `tags_all`. The rest is by type.

mod certificate;
mod collections;
mod container_definitions;
mod container_shape;
mod documents;
mod instance;
mod load_balancer;
mod object_sets;
mod protocol;
mod record;
mod tags;

use karma_terraform::Object;
use karma_terraform::provider::Context;

pub(super) use tags::default_tags;

/// Resources written with the newer Terraform Plugin Framework, which keeps what the user wrote instead of reshaping it.
/// <https://developer.hashicorp.com/terraform/plugin/framework-benefits>
const PLUGIN_FRAMEWORK: &[&str] = &[
    "aws_s3_bucket_lifecycle_configuration",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
];

/// Rewrites a planned resource of any type this crate has a schema of.
pub(super) fn normalise(context: Context<'_>, attributes: &mut Object) -> Result<(), String> {
    let kind = context.address.kind.as_str();
    let Some(schema) = super::SCHEMAS.resources.get(kind) else {
        return Ok(());
    };
    let framework = PLUGIN_FRAMEWORK.contains(&kind);
    if !framework {
        collections::settle(context.address, schema, attributes);
        object_sets::fill(schema, attributes);
    }
    if schema.attributes.contains_key("tags_all") {
        let style = if framework {
            tags::Style::Framework
        } else {
            tags::Style::Sdk
        };
        tags::fill_tags_all(context.address, context.provider, attributes, style);
    }
    documents::sort_keys(kind, attributes);
    match kind {
        "aws_acm_certificate" => certificate::normalise(context.address, attributes),
        "aws_default_security_group" | "aws_security_group" => protocol::normalise_group(attributes),
        "aws_ecs_task_definition" => container_definitions::normalise(attributes)?,
        "aws_iam_role" => documents::sort_inline_policies(attributes),
        "aws_iam_role_policy" => documents::sort_role_policy(attributes),
        "aws_instance" => instance::normalise(attributes),
        "aws_lb" => load_balancer::normalise(attributes),
        "aws_route53_record" => record::normalise(attributes),
        "aws_security_group_rule" => protocol::normalise_rule(attributes),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
