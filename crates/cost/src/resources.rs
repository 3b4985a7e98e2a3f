//! One resource type, one file: what AWS charges for it.

mod alarm;
mod bucket;
mod cluster;
mod dashboard;
mod elastic_address;
mod free;
mod hosted_zone;
mod instance;
mod load_balancer;
mod log_group;
mod metric_filter;
mod nat_gateway;
mod repository;
mod sampling_rule;
mod scaling_policy;
mod secret;
mod service;
mod subscription;
mod vpc;
mod vpc_endpoint;

use crate::biller::Biller;
use crate::inventory::Resource;

/// Puts what one resource costs on the bill.
type Price = fn(&Resource<'_>, &mut Biller<'_>);

/// Every resource type that costs something.
const PRICED: &[(&str, Price)] = &[
    ("aws_alb", load_balancer::price),
    ("aws_appautoscaling_policy", scaling_policy::price),
    ("aws_cloudwatch_composite_alarm", alarm::price_composite),
    ("aws_cloudwatch_dashboard", dashboard::price),
    ("aws_cloudwatch_log_group", log_group::price),
    ("aws_cloudwatch_log_metric_filter", metric_filter::price),
    ("aws_cloudwatch_metric_alarm", alarm::price),
    ("aws_ecr_repository", repository::price),
    ("aws_ecs_cluster", cluster::price),
    ("aws_ecs_service", service::price),
    ("aws_eip", elastic_address::price),
    ("aws_instance", instance::price),
    ("aws_lb", load_balancer::price),
    ("aws_nat_gateway", nat_gateway::price),
    ("aws_route53_zone", hosted_zone::price),
    ("aws_s3_bucket", bucket::price),
    ("aws_secretsmanager_secret", secret::price),
    ("aws_sns_topic_subscription", subscription::price),
    ("aws_vpc", vpc::price),
    ("aws_vpc_endpoint", vpc_endpoint::price),
    ("aws_xray_sampling_rule", sampling_rule::price),
];

/// Puts every resource on the bill: with its price, as free, or as one that has no price here.
pub(crate) fn price_all(bill: &mut Biller<'_>) {
    for resource in bill.inventory.resources() {
        let kind = resource.address.kind.as_str();
        if let Some((_, price)) = PRICED.iter().find(|(priced, _)| *priced == kind) {
            price(&resource, bill);
        } else if free::is_free(&resource) {
            bill.free(resource.address);
        } else {
            bill.unpriced(
                resource.address,
                format!("no price is known for a resource of type {kind}"),
            );
        }
    }
}
