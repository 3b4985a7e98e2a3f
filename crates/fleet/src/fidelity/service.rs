//! `aws_ecs_service`

use super::{Treatment, enforced, ignored, not_applicable, simulated};

const TERRAFORM: &str = "a matter between Terraform and AWS";
const LOOPBACK: &str = "tasks have loopback addresses, and nothing is filtered between them";
const NOT_ON_FARGATE: &str = "Fargate has none";

pub(super) const SERVICE: &[Treatment] = &[
    enforced("name"),
    enforced("cluster"),
    enforced("task_definition"),
    enforced("desired_count"),
    enforced("deployment_minimum_healthy_percent"),
    enforced("deployment_maximum_percent"),
    enforced("health_check_grace_period_seconds"),
    enforced("load_balancer.target_group_arn"),
    enforced("load_balancer.container_name"),
    enforced("load_balancer.container_port"),
    not_applicable(
        "load_balancer.elb_name",
        "a Classic Load Balancer does not take Fargate tasks",
    ),
    ignored("load_balancer.advanced_configuration", "deployments are rolling"),
    enforced("deployment_circuit_breaker"),
    enforced("alarms"),
    simulated("deployment_controller", "deployments are ECS's own, and rolling"),
    ignored("deployment_configuration", "deployments are rolling"),
    simulated(
        "capacity_provider_strategy",
        "tasks are shared out; Spot capacity does not run out by itself",
    ),
    enforced("launch_type"),
    simulated("availability_zone_rebalancing", "zones are names, and one machine"),
    simulated(
        "network_configuration.subnets",
        "tasks are spread over their zones, which are names",
    ),
    not_applicable("network_configuration.security_groups", LOOPBACK),
    not_applicable("network_configuration.assign_public_ip", LOOPBACK),
    enforced("enable_execute_command"),
    ignored("service_registries", "only the names of Service Connect are served"),
    ignored("volume_configuration", "there are no EBS volumes"),
    ignored("vpc_lattice_configurations", "there is no VPC Lattice"),
    not_applicable("scheduling_strategy", "Fargate runs replicas only"),
    not_applicable("ordered_placement_strategy", NOT_ON_FARGATE),
    not_applicable("placement_constraints", NOT_ON_FARGATE),
    not_applicable("iam_role", "no AWS role is taken"),
    not_applicable("platform_version", "there is no Fargate platform"),
    not_applicable("propagate_tags", "labels of objects in AWS"),
    not_applicable("enable_ecs_managed_tags", "labels of objects in AWS"),
    enforced("force_new_deployment"),
    not_applicable("wait_for_steady_state", "`karma wait` does that"),
    not_applicable("triggers", TERRAFORM),
    not_applicable("force_delete", TERRAFORM),
    not_applicable("sigint_rollback", TERRAFORM),
];

pub(super) const SERVICE_CONNECT: &[Treatment] = &[
    enforced("service_connect_configuration.enabled"),
    enforced("service_connect_configuration.namespace"),
    enforced("service_connect_configuration.service.port_name"),
    enforced("service_connect_configuration.service.discovery_name"),
    enforced("service_connect_configuration.service.client_alias.dns_name"),
    enforced("service_connect_configuration.service.client_alias.port"),
    ignored(
        "service_connect_configuration.service.ingress_port_override",
        "the proxy stands on the client's side",
    ),
    enforced("service_connect_configuration.service.timeout"),
    ignored(
        "service_connect_configuration.service.tls",
        "names are served without TLS",
    ),
    not_applicable(
        "service_connect_configuration.log_configuration",
        "there is no proxy container that logs",
    ),
    not_applicable(
        "service_connect_configuration.access_log_configuration",
        "there is no proxy container that logs",
    ),
];
