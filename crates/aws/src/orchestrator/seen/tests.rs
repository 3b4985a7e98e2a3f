use aws_sdk_ecs::types::{Attachment, Container, HealthStatus, KeyValuePair, Task};
use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealth as Said, TargetHealthDescription, TargetHealthStateEnum,
};
use aws_smithy_types::DateTime;
use karma_ops::{DesiredStatus, TargetsHealth, TaskStatus};

use super::*;
use crate::orchestrator::scope::ScopedContainer;
use crate::orchestrator::tests::{scope, scoped};

const ADDRESS: &str = "10.0.1.7";

fn at(address: &str) -> Attachment {
    let detail = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
    Attachment::builder()
        .details(detail("subnetId", "subnet-1"))
        .details(detail("privateIPv4Address", address))
        .build()
}

fn said(address: &str, state: TargetHealthStateEnum) -> TargetHealthDescription {
    let target = TargetDescription::builder().id(address).port(8080).build();
    let health = Said::builder().state(state).description("Health checks failed").build();
    TargetHealthDescription::builder()
        .target(target)
        .target_health(health)
        .build()
}

#[test]
fn a_task_is_read_whole() {
    let from = Task::builder()
        .task_arn("arn:aws:ecs:us-east-1:123456789012:task/main/0123456789abcdef0123456789abcdef")
        .task_definition_arn("arn:aws:ecs:us-east-1:123456789012:task-definition/api:3")
        .started_by("ecs-svc/1")
        .last_status("RUNNING")
        .desired_status("RUNNING")
        .health_status(HealthStatus::Healthy)
        .capacity_provider_name("FARGATE_SPOT")
        .availability_zone("us-east-1a")
        .attachments(at(ADDRESS))
        .started_at(DateTime::from_secs(60))
        .containers(
            Container::builder()
                .name("app")
                .health_status(HealthStatus::Healthy)
                .build(),
        )
        .build();
    let healthy = target_health("tg-api", &[said(ADDRESS, TargetHealthStateEnum::Healthy)]);
    let unhealthy = target_health("tg-other", &[said(ADDRESS, TargetHealthStateEnum::Unhealthy)]);
    let seen = task(&from, &scoped("api"), &[unhealthy, healthy]).unwrap();
    assert_eq!(seen.task_id.short(), "01234567");
    assert_eq!(seen.task_definition, "api:3");
    assert_eq!(seen.deployment.as_str(), "ecs-svc/1");
    assert_eq!(seen.capacity_provider.as_deref(), Some("FARGATE_SPOT"));
    assert_eq!(seen.address.unwrap().to_string(), ADDRESS);
    assert_eq!(seen.started_at.unwrap().as_second(), 60);
    // The worst counts.
    assert!(
        matches!(seen.target_health, Some(TargetsHealth::Unhealthy { target_group, .. }) if target_group == "tg-other")
    );
    assert_eq!(task(&Task::builder().build(), &scoped("api"), &[]), None);
}

#[test]
fn words_of_ecs_are_understood() {
    let check = |last: &str, desired: &str, expected: (TaskStatus, DesiredStatus)| {
        let from = Task::builder()
            .task_arn("x/0123456789abcdef0123456789abcdef")
            .last_status(last)
            .desired_status(desired)
            .build();
        let seen = task(&from, &scoped("api"), &[]).unwrap();
        assert_eq!((seen.last_status, seen.desired_status), expected, "{last}");
    };
    check("PENDING", "RUNNING", (TaskStatus::Pending, DesiredStatus::Running));
    check(
        "DEACTIVATING",
        "STOPPED",
        (TaskStatus::Deactivating, DesiredStatus::Stopped),
    );
    check("DELETED", "STOPPED", (TaskStatus::Stopped, DesiredStatus::Stopped));
    check("NEWER", "RUNNING", (TaskStatus::Provisioning, DesiredStatus::Running));
}

#[test]
fn only_an_essential_container_ends_a_task() {
    let mut of = scoped("api");
    of.containers.push(ScopedContainer {
        name: "sidecar".to_owned(),
        essential: false,
        has_health_check: false,
        log: None,
    });
    let ended = |name: &str, code| Container::builder().name(name).exit_code(code).build();
    let check = |containers: Vec<Container>, expected: Option<i32>| {
        let from = Task::builder()
            .task_arn("x/0123456789abcdef0123456789abcdef")
            .set_containers(Some(containers));
        assert_eq!(task(&from.build(), &of, &[]).unwrap().exit_code, expected);
    };
    check(vec![ended("sidecar", 1), ended("app", 3)], Some(3));
    check(vec![ended("sidecar", 1)], None);
    check(vec![ended("forgotten", 4)], Some(4));
}

#[test]
fn what_leaves_or_is_not_asked_for_says_nothing_of_health() {
    let check = |state: TargetHealthStateEnum, expected: Option<TargetsHealth>| {
        assert_eq!(
            target_health("tg", &[said(ADDRESS, state)]).get(ADDRESS),
            expected.as_ref()
        );
    };
    check(TargetHealthStateEnum::Healthy, Some(TargetsHealth::Healthy));
    check(TargetHealthStateEnum::Initial, Some(TargetsHealth::Initial));
    check(TargetHealthStateEnum::Draining, None);
    check(TargetHealthStateEnum::Unused, None);
}

#[test]
fn a_service_is_found_where_its_first_rule_leads() {
    let mut scope = scope(&["api"]);
    let addresses = Addresses::from([("main".to_owned(), "main.example".to_owned())]);
    let mut check = |scheme, port, expected: &str| {
        (scope.listeners[0].scheme, scope.listeners[0].port) = (scheme, port);
        assert_eq!(url(&scope, "api", &addresses).as_deref(), Some(expected));
        assert_eq!(url(&scope, "other", &addresses), None);
        assert_eq!(url(&scope, "api", &Addresses::new()), None);
    };
    check("http", 80, "http://main.example/api");
    check("https", 443, "https://main.example/api");
    check("http", 8080, "http://main.example:8080/api");
}

mod health {
    use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, Service};
    use karma_ops::ServiceHealth;

    use super::*;

    /// A service of which so many of two tasks run, with the state of its deployment and what the load balancer says of one of them.
    fn check(
        running: i32,
        state: DeploymentRolloutState,
        failed: i32,
        target: Option<TargetHealthStateEnum>,
        expected: ServiceHealth,
    ) {
        let primary = Deployment::builder()
            .id("1")
            .status("PRIMARY")
            .rollout_state(state)
            .failed_tasks(failed)
            .build();
        let service = Service::builder()
            .desired_count(2)
            .running_count(running)
            .deployments(primary)
            .build();
        let from = Task::builder()
            .task_arn("x/0123456789abcdef0123456789abcdef")
            .last_status("RUNNING")
            .attachments(at(ADDRESS))
            .build();
        let (scope, of) = (scope(&["api"]), scoped("api"));
        let targets: Vec<_> = target
            .into_iter()
            .map(|state| target_health("tg", &[said(ADDRESS, state)]))
            .collect();
        let seen = SeenService {
            of: &of,
            tasks: task(&from, &of, &targets).into_iter().collect(),
            autoscaling: None,
            service,
        };
        let seen = observation(&scope, vec![seen], &Addresses::new());
        assert_eq!(seen.services[0].health, expected);
    }

    #[test]
    fn counts_and_whoever_looks_at_tasks_make_it() {
        use DeploymentRolloutState::{Completed, Failed, InProgress};
        use ServiceHealth::{Failing, Healthy, Starting};
        check(2, Completed, 0, None, Healthy);
        check(2, Completed, 0, Some(TargetHealthStateEnum::Healthy), Healthy);
        check(2, InProgress, 0, Some(TargetHealthStateEnum::Initial), Starting);
        check(1, InProgress, 0, None, Starting);
        check(1, InProgress, 2, None, Failing);
        check(2, Completed, 0, Some(TargetHealthStateEnum::Unhealthy), Failing);
        check(2, Failed, 3, None, Failing);
    }
}
