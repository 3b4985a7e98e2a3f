//! Which resource a value refers to.
//!
//! A link in Terraform is a value like any other: `aws_lb.main.arn`. Before apply it is unknown and remembers the resource it comes from,
//! so the answer is exact. Where an attribute is known (`aws_ecs_cluster.main.name`) the resource with that name is meant.

use karma_terraform::{Address, AttributePath, Mode, PathStep, ResourceInstance, Stack, Unknown, Value};

/// A family of resources that links lead to: the resource types that are one and the same to AWS.
pub(crate) type Kinds = &'static [&'static str];

pub(crate) const CLUSTER: Kinds = &["aws_ecs_cluster"];
pub(crate) const CLUSTER_CAPACITY_PROVIDERS: Kinds = &["aws_ecs_cluster_capacity_providers"];
pub(crate) const SUBNET: Kinds = &["aws_subnet", "aws_default_subnet"];
pub(crate) const TASK_DEFINITION: Kinds = &["aws_ecs_task_definition"];
pub(crate) const SERVICE: Kinds = &["aws_ecs_service"];
pub(crate) const LOAD_BALANCER: Kinds = &["aws_lb", "aws_alb"];
pub(crate) const LISTENER: Kinds = &["aws_lb_listener", "aws_alb_listener"];
pub(crate) const LISTENER_RULE: Kinds = &["aws_lb_listener_rule", "aws_alb_listener_rule"];
pub(crate) const TARGET_GROUP: Kinds = &["aws_lb_target_group", "aws_alb_target_group"];
pub(crate) const REPOSITORY: Kinds = &["aws_ecr_repository"];
pub(crate) const LOG_GROUP: Kinds = &["aws_cloudwatch_log_group"];
pub(crate) const SAMPLING_RULE: Kinds = &["aws_xray_sampling_rule"];
pub(crate) const SECRET: Kinds = &["aws_secretsmanager_secret"];
pub(crate) const SECRET_VERSION: Kinds = &["aws_secretsmanager_secret_version"];
pub(crate) const PARAMETER: Kinds = &["aws_ssm_parameter"];
pub(crate) const SCALABLE_TARGET: Kinds = &["aws_appautoscaling_target"];
pub(crate) const SCALING_POLICY: Kinds = &["aws_appautoscaling_policy"];
pub(crate) const SCHEDULED_ACTION: Kinds = &["aws_appautoscaling_scheduled_action"];
pub(crate) const SCHEDULE: Kinds = &["aws_scheduler_schedule"];
pub(crate) const METRIC_ALARM: Kinds = &["aws_cloudwatch_metric_alarm"];
pub(crate) const COMPOSITE_ALARM: Kinds = &["aws_cloudwatch_composite_alarm"];
pub(crate) const METRIC_FILTER: Kinds = &["aws_cloudwatch_log_metric_filter"];
pub(crate) const NAMESPACE: Kinds = &[
    "aws_service_discovery_http_namespace",
    "aws_service_discovery_private_dns_namespace",
    "aws_service_discovery_public_dns_namespace",
];

/// Attributes that stand for the whole resource where another one asks for it.
const IDENTITIES: &[&str] = &["arn", "arn_without_revision", "family", "id", "name"];

/// Attributes by whose known text a resource is found.
const NAMES: &[&str] = &["name", "family", "id", "arn"];

/// The resource or data source of one of these kinds that the value stands for.
pub(crate) fn resolve<'a>(stack: &'a Stack, value: &Value, kinds: Kinds) -> Option<&'a ResourceInstance> {
    match value.unmarked() {
        Value::String(text) => resource_named(stack, text, kinds),
        Value::Unknown(unknown) => {
            let of = match unknown.as_ref() {
                Unknown::Attribute { of, path } if is_identity(path) => of,
                Unknown::Template(parts) => only_reference(parts)?,
                _ => return None,
            };
            let resource = stack.resources.get(of)?;
            kinds.contains(&of.kind.as_str()).then_some(resource)
        }
        _ => None,
    }
}

/// The resource that an unknown value begins with, whichever of its attributes is taken.
pub(crate) fn origin(value: &Value) -> Option<&Address> {
    match value.as_unknown()? {
        Unknown::Attribute { of, .. } => Some(of),
        Unknown::Template(parts) => parts.iter().find_map(origin),
        _ => None,
    }
}

/// The resource's name. Where AWS completes it the given prefix, and where AWS decides all of it the address: both tell resources apart,
/// and neither pretends to be what AWS will choose.
pub(crate) fn name_of(resource: &ResourceInstance) -> String {
    let known = |attribute| {
        resource
            .attributes
            .get(attribute)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    known("name")
        .or_else(|| known("name_prefix"))
        .unwrap_or_else(|| resource.address.to_string())
}

fn is_identity(path: &AttributePath) -> bool {
    matches!(path.0.as_slice(), [PathStep::Attribute(name)] if IDENTITIES.contains(&name.as_str()))
}

/// `"${aws_x.y.arn}"`, and the one other way to spell a link: `"${aws_ecs_task_definition.x.family}:${aws_ecs_task_definition.x.revision}"`,
/// whose family is known.
fn only_reference(parts: &[Value]) -> Option<&Address> {
    match parts {
        [whole] => match whole.as_unknown()? {
            Unknown::Attribute { of, path } => is_identity(path).then_some(of),
            _ => None,
        },
        [family, revision] => match revision.as_unknown()? {
            Unknown::Attribute { of, path } if path.to_string() == "revision" => {
                family.as_str()?.ends_with(':').then_some(of)
            }
            _ => None,
        },
        _ => None,
    }
}

/// The only managed resource of these kinds that is known by this text; two of them are as bad as none.
fn resource_named<'a>(stack: &'a Stack, text: &str, kinds: Kinds) -> Option<&'a ResourceInstance> {
    let mut candidates = stack.resources.values().filter(|resource| {
        let address = &resource.address;
        address.mode == Mode::Managed && kinds.contains(&address.kind.as_str()) && is_called(resource, text)
    });
    let first = candidates.next()?;
    candidates.next().is_none().then_some(first)
}

fn is_called(resource: &ResourceInstance, text: &str) -> bool {
    let known = |name: &&str| resource.attributes.get(*name).and_then(Value::as_str);
    NAMES.iter().filter_map(known).any(|name| name == text)
}
