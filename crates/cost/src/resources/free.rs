//! What AWS does not charge for by itself.

use crate::inventory::Resource;

/// Resource types that only describe, connect or permit. What they bring about is paid for where it happens.
const FREE: &[&str] = &[
    // Permissions: https://aws.amazon.com/iam/faqs/
    "aws_iam_instance_profile",
    "aws_iam_policy",
    "aws_iam_policy_attachment",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_service_linked_role",
    // The network's shape: https://aws.amazon.com/vpc/pricing/
    "aws_default_security_group",
    "aws_egress_only_internet_gateway",
    "aws_eip_association",
    "aws_internet_gateway",
    "aws_main_route_table_association",
    "aws_network_acl",
    "aws_network_acl_rule",
    "aws_route",
    "aws_route_table",
    "aws_route_table_association",
    "aws_security_group",
    "aws_security_group_rule",
    "aws_subnet",
    "aws_vpc_endpoint_route_table_association",
    "aws_vpc_endpoint_subnet_association",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
    // Parts of a load balancer: https://aws.amazon.com/elasticloadbalancing/pricing/
    "aws_alb_listener",
    "aws_alb_listener_rule",
    "aws_alb_target_group",
    "aws_lb_listener",
    "aws_lb_listener_certificate",
    "aws_lb_listener_rule",
    "aws_lb_target_group",
    "aws_lb_target_group_attachment",
    // Public certificates: https://aws.amazon.com/certificate-manager/pricing/
    "aws_acm_certificate",
    "aws_acm_certificate_validation",
    // Parts of ECS and its scaling: https://aws.amazon.com/ecs/pricing/, https://aws.amazon.com/autoscaling/pricing/
    "aws_appautoscaling_scheduled_action",
    "aws_appautoscaling_target",
    "aws_ecs_cluster_capacity_providers",
    "aws_ecs_task_definition",
    // Service Connect and Cloud Map by ECS: no price was found for either; queries of DNS are not made.
    "aws_service_discovery_http_namespace",
    "aws_service_discovery_service",
    // Settings of what is paid for elsewhere.
    "aws_ecr_lifecycle_policy",
    "aws_ecr_repository_policy",
    "aws_cloudwatch_log_resource_policy",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_secretsmanager_secret_policy",
    "aws_secretsmanager_secret_version",
    "aws_sns_topic",
    "aws_sns_topic_policy",
    "aws_xray_group",
    // A budget that only tells: https://aws.amazon.com/aws-cost-management/aws-budgets/pricing/
    "aws_budgets_budget",
    // 14 million invocations a month are always free: https://aws.amazon.com/eventbridge/pricing/
    "aws_scheduler_schedule",
    "aws_scheduler_schedule_group",
];

pub(super) fn is_free(resource: &Resource<'_>) -> bool {
    let kind = resource.address.kind.as_str();
    FREE.contains(&kind) || is_alias(resource) || kind.starts_with("terraform_data") || !kind.starts_with("aws_")
}

/// Queries for a name that stands for a load balancer are free; others are paid for by the million.
fn is_alias(resource: &Resource<'_>) -> bool {
    resource.address.kind == "aws_route53_record" && !resource.attributes.blocks("alias").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_both_free_and_priced() {
        for kind in FREE {
            assert!(super::super::PRICED.iter().all(|(priced, _)| priced != kind), "{kind}");
        }
    }
}
