//! Resource types that the model does not read.

use super::{Treatment, ignored, not_applicable, simulated};

/// By what the type begins with; the longest that fits counts. What ECS, its load balancer and its alarms act on is ignored; the rest of AWS is not
/// a matter of running the fleet.
const BY_BEGINNING: &[Treatment] = &[
    not_applicable(
        "",
        "no AWS service but ECS and its load balancer is run here; a task's own calls go where AWS_ENDPOINT_URL points",
    ),
    ignored("aws_ecs_", "not read by this version of karma"),
    ignored("aws_lb", "not read by this version of karma"),
    ignored("aws_alb", "not read by this version of karma"),
    ignored("aws_elb", "Classic Load Balancers do not take Fargate tasks"),
    ignored("aws_appautoscaling_", "not read by this version of karma"),
    ignored("aws_cloudwatch_", "not read by this version of karma"),
    not_applicable("aws_cloudwatch_dashboard", "a drawing of what `karma status` shows"),
    ignored("aws_service_discovery_", "only the names of Service Connect are served"),
    not_applicable(
        "aws_service_discovery_http_namespace",
        "the names of Service Connect need no registry here",
    ),
    ignored("aws_scheduler_", "only services of the stack are updated at set times"),
    not_applicable("aws_scheduler_schedule_group", "schedules are told by their names"),
    ignored("aws_xray_", "not read by this version of karma"),
    ignored("aws_wafv2_web_acl_association", "there is no WAF"),
    not_applicable(
        "aws_iam_",
        "programs run as you, and no AWS credentials are given to them",
    ),
    not_applicable(
        "aws_secretsmanager_",
        "values of secrets stand in secrets.local.toml or in the environment",
    ),
    not_applicable(
        "aws_ssm_parameter",
        "values of parameters stand in secrets.local.toml or in the environment",
    ),
    not_applicable("aws_ecr_", "no images are kept here"),
    not_applicable(
        "aws_vpc",
        "there is no network to lay out: tasks have loopback addresses",
    ),
    not_applicable(
        "aws_subnet",
        "there is no network to lay out: tasks have loopback addresses",
    ),
    not_applicable(
        "aws_route",
        "there is no network to lay out: tasks have loopback addresses",
    ),
    not_applicable("aws_internet_gateway", "programs reach the internet as you do"),
    not_applicable("aws_nat_gateway", "programs reach the internet as you do"),
    not_applicable("aws_eip", "programs reach the internet as you do"),
    not_applicable("aws_security_group", "nothing is filtered between loopback addresses"),
    not_applicable(
        "aws_default_security_group",
        "nothing is filtered between loopback addresses",
    ),
    not_applicable(
        "aws_vpc_security_group_",
        "nothing is filtered between loopback addresses",
    ),
    not_applicable("aws_network_acl", "nothing is filtered between loopback addresses"),
    simulated(
        "aws_acm_certificate",
        "HTTPS is served with a certificate of this machine's own, for the same names",
    ),
    not_applicable("aws_acm_certificate_validation", "nobody asks who owns a name"),
    not_applicable("aws_route53_", "names of the stack are not served to this machine"),
];

/// What becomes of a resource of this type.
pub(super) fn treatment(kind: &str) -> Treatment {
    let fitting = BY_BEGINNING
        .iter()
        .filter(|treatment| kind.starts_with(treatment.attribute));
    let longest = fitting.max_by_key(|treatment| treatment.attribute.len());
    *longest.expect("every text begins with the empty one")
}

#[cfg(test)]
mod tests {
    use super::super::Fidelity;
    use super::*;

    #[test]
    fn the_longest_beginning_counts() {
        let check = |kind: &str, expected: Fidelity| assert_eq!(treatment(kind).fidelity, expected, "{kind}");
        check("aws_cloudwatch_dashboard", Fidelity::NotApplicable);
        check("aws_cloudwatch_event_rule", Fidelity::Ignored);
        check("aws_dynamodb_table", Fidelity::NotApplicable);
        check("aws_ecs_task_set", Fidelity::Ignored);
        check("random_id", Fidelity::NotApplicable);
    }
}
