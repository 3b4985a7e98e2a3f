use std::collections::BTreeSet;

use aws_sdk_applicationautoscaling::operation::describe_scalable_targets::DescribeScalableTargetsOutput;
use aws_sdk_applicationautoscaling::operation::register_scalable_target::RegisterScalableTargetOutput;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalableTarget, ServiceNamespace};
use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::OutputLogEvent;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::operation::describe_services::{DescribeServicesError, DescribeServicesOutput};
use aws_sdk_ecs::operation::describe_tasks::DescribeTasksOutput;
use aws_sdk_ecs::operation::list_service_deployments::ListServiceDeploymentsOutput;
use aws_sdk_ecs::operation::list_tasks::ListTasksOutput;
use aws_sdk_ecs::operation::update_service::UpdateServiceOutput;
use aws_sdk_ecs::types::error::ClusterNotFoundException;
use aws_sdk_ecs::types::{Deployment, DeploymentRolloutState, DesiredStatus, Service, Task, TaskStopCode};
use aws_sdk_elasticloadbalancingv2::operation::describe_load_balancers::DescribeLoadBalancersOutput;
use aws_sdk_elasticloadbalancingv2::operation::describe_target_health::DescribeTargetHealthOutput;
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;
use karma_ops::{RolloutState, ServiceHealth};

use super::scope::{LogPlace, ScopedContainer, ScopedListener};
use super::*;
use crate::testing::answering;

const DENIED: &str = r#"{"__type":"AccessDeniedException","message":"User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ecs:DescribeServices on resource: arn:aws:ecs:us-east-1:123456789012:service/main/main-api"}"#;

/// A stack with these services, each behind a load balancer.
pub(super) fn scope(labels: &[&str]) -> Scope {
    Scope {
        directory: "stack".into(),
        region: "us-east-1".to_owned(),
        services: labels.iter().map(|label| scoped(label)).collect(),
        listeners: vec![ScopedListener {
            load_balancer: "main".to_owned(),
            scheme: "http",
            port: 80,
            paths: labels
                .iter()
                .map(|label| ((*label).to_owned(), format!("/{label}")))
                .collect(),
        }],
        alarms: BTreeSet::from(["high-cpu".to_owned()]),
        namespaces: BTreeSet::from(["Main/Logs".to_owned()]),
    }
}

pub(super) fn scoped(label: &str) -> ScopedService {
    ScopedService {
        name: format!("main-{label}"),
        label: label.to_owned(),
        cluster: "main".to_owned(),
        family: label.to_owned(),
        containers: vec![ScopedContainer {
            name: "app".to_owned(),
            essential: true,
            has_health_check: false,
            log: Some(LogPlace {
                group: format!("/ecs/{label}"),
                stream_prefix: "ecs".to_owned(),
            }),
        }],
        target_groups: vec![format!("tg-{label}")],
        discovery_names: Vec::new(),
        health_check_path: Some("/health".to_owned()),
        is_scalable: true,
    }
}

/// A service of which `running` of two tasks run.
fn service(label: &str, running: i32, deployments: Vec<Deployment>) -> Service {
    Service::builder()
        .service_name(format!("main-{label}"))
        .status("ACTIVE")
        .desired_count(2)
        .running_count(running)
        .task_definition(format!("arn:aws:ecs:us-east-1:123456789012:task-definition/{label}:3"))
        .set_deployments(Some(deployments))
        .build()
}

fn deployment(id: &str, status: &str, rollout_state: DeploymentRolloutState) -> Deployment {
    Deployment::builder()
        .id(id)
        .status(status)
        .rollout_state(rollout_state)
        .task_definition("arn:aws:ecs:us-east-1:123456789012:task-definition/api:3")
        .desired_count(2)
        .running_count(2)
        .created_at(DateTime::from_secs(1_000))
        .build()
}

fn primary(rollout_state: DeploymentRolloutState) -> Vec<Deployment> {
    vec![deployment("ecs-svc/1", "PRIMARY", rollout_state)]
}

/// Answers of ECS: services, arns of tasks that run and that have stopped, tasks.
struct Ecs {
    services: Rule,
    running: Rule,
    stopped: Rule,
    tasks: Rule,
    deployments: Rule,
}

impl Ecs {
    fn new(services: Vec<Service>, tasks: Vec<Task>) -> Self {
        let arns = |wanted: &str| {
            let of_it = tasks.iter().filter(|task| task.desired_status() == Some(wanted));
            of_it.filter_map(Task::task_arn).map(str::to_owned).collect::<Vec<_>>()
        };
        let (running, stopped) = (arns("RUNNING"), arns("STOPPED"));
        Self {
            services: mock!(aws_sdk_ecs::Client::describe_services).then_output(move || {
                DescribeServicesOutput::builder()
                    .set_services(Some(services.clone()))
                    .build()
            }),
            running: mock!(aws_sdk_ecs::Client::list_tasks)
                .match_requests(|asked| asked.desired_status() == Some(&DesiredStatus::Running))
                .then_output(move || ListTasksOutput::builder().set_task_arns(Some(running.clone())).build()),
            stopped: mock!(aws_sdk_ecs::Client::list_tasks)
                .match_requests(|asked| asked.desired_status() == Some(&DesiredStatus::Stopped))
                .then_output(move || ListTasksOutput::builder().set_task_arns(Some(stopped.clone())).build()),
            tasks: mock!(aws_sdk_ecs::Client::describe_tasks)
                .then_output(move || DescribeTasksOutput::builder().set_tasks(Some(tasks.clone())).build()),
            deployments: mock!(aws_sdk_ecs::Client::list_service_deployments)
                .then_output(|| ListServiceDeploymentsOutput::builder().build()),
        }
    }

    fn client(&self) -> aws_sdk_ecs::Client {
        let rules = [
            &self.services,
            &self.running,
            &self.stopped,
            &self.tasks,
            &self.deployments,
        ];
        answering!(aws_sdk_ecs, rules)
    }
}

/// Neighbours of ECS that know nothing but the load balancer's address.
pub(super) fn clients(ecs: aws_sdk_ecs::Client) -> Clients {
    let address = mock!(aws_sdk_elasticloadbalancingv2::Client::describe_load_balancers).then_output(|| {
        let balancer = aws_sdk_elasticloadbalancingv2::types::LoadBalancer::builder().dns_name("main.example");
        DescribeLoadBalancersOutput::builder()
            .load_balancers(balancer.build())
            .build()
    });
    let health = mock!(aws_sdk_elasticloadbalancingv2::Client::describe_target_health)
        .then_output(|| DescribeTargetHealthOutput::builder().build());
    let line = mock!(aws_sdk_cloudwatchlogs::Client::get_log_events).then_output(|| {
        let event = OutputLogEvent::builder().timestamp(1).message("cannot bind\n").build();
        GetLogEventsOutput::builder().events(event).build()
    });
    let alarms = mock!(aws_sdk_cloudwatch::Client::describe_alarms)
        .then_output(|| aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput::builder().build());
    Clients {
        ecs,
        load_balancing: answering!(aws_sdk_elasticloadbalancingv2, [&address, &health]),
        autoscaling: answering!(
            aws_sdk_applicationautoscaling,
            [&targets(vec![target("service/main/main-api")])]
        ),
        cloudwatch: answering!(aws_sdk_cloudwatch, [&alarms]),
        logs: answering!(aws_sdk_cloudwatchlogs, [&line]),
    }
}

fn target(id: &str) -> ScalableTarget {
    ScalableTarget::builder()
        .service_namespace(ServiceNamespace::Ecs)
        .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
        .resource_id(id)
        .min_capacity(1)
        .max_capacity(6)
        .role_arn("arn")
        .creation_time(DateTime::from_secs(0))
        .build()
        .unwrap()
}

fn targets(found: Vec<ScalableTarget>) -> Rule {
    mock!(aws_sdk_applicationautoscaling::Client::describe_scalable_targets).then_output(move || {
        DescribeScalableTargetsOutput::builder()
            .set_scalable_targets(Some(found.clone()))
            .build()
    })
}

fn task(number: u32) -> aws_sdk_ecs::types::builders::TaskBuilder {
    Task::builder()
        .task_arn(format!("arn:aws:ecs:us-east-1:123456789012:task/main/{number:032x}"))
        .task_definition_arn("arn:aws:ecs:us-east-1:123456789012:task-definition/api:3")
        .group("service:main-api")
        .started_by("ecs-svc/1")
        .last_status("RUNNING")
        .desired_status("RUNNING")
}

fn orchestrator(labels: &[&str], ecs: aws_sdk_ecs::Client) -> EcsOrchestrator {
    EcsOrchestrator::with(clients(ecs), scope(labels))
}

#[tokio::test]
async fn a_service_is_seen_with_its_tasks_its_limits_and_its_address() {
    let ecs = Ecs::new(
        vec![service("api", 2, primary(DeploymentRolloutState::Completed))],
        vec![
            task(1).build(),
            task(2).build(),
            task(3).group("service:other").started_by("x").build(),
        ],
    );
    let seen = orchestrator(&["api"], ecs.client()).observe().await.unwrap();
    let api = seen.service("main-api").unwrap();
    assert_eq!(api.label, "api");
    assert_eq!(api.health, ServiceHealth::Healthy);
    assert_eq!(api.task_definition, "api:3");
    assert_eq!(api.url.as_deref(), Some("http://main.example/api"));
    assert_eq!(api.autoscaling.unwrap().to_string(), "1–6");
    // Not that of another service, which a server that acts like ECS answers too.
    assert_eq!(api.tasks.len(), 2);
    assert_eq!(seen.notes, [""; 0]);
}

#[tokio::test]
async fn services_are_described_ten_at_a_time_and_what_is_not_there_is_noted() {
    let labels: Vec<String> = (0..12).map(|number| format!("s{number:02}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let described = mock!(aws_sdk_ecs::Client::describe_services)
        .match_requests(|asked| asked.services().len() <= 10)
        .then_compute_output(|asked| {
            let names = asked.services().iter().filter(|name| *name != "main-s11");
            let services = names.map(|name| {
                let status = if name == "main-s10" { "INACTIVE" } else { "ACTIVE" };
                Service::builder().service_name(name).status(status).build()
            });
            DescribeServicesOutput::builder()
                .set_services(Some(services.collect()))
                .build()
        });
    let none = mock!(aws_sdk_ecs::Client::list_tasks).then_output(|| ListTasksOutput::builder().build());
    let seen = orchestrator(&labels, answering!(aws_sdk_ecs, [&described, &none]))
        .observe()
        .await
        .unwrap();
    assert_eq!(described.num_calls(), 2);
    let found: Vec<&str> = seen.services.iter().map(|service| service.label.as_str()).collect();
    assert_eq!(found, labels[..10]);
    assert_eq!(
        seen.notes,
        ["s10 was deleted on AWS", "s11 is not on AWS yet: karma deploy"]
    );
}

#[tokio::test]
async fn tasks_are_listed_page_by_page_and_described_a_hundred_at_a_time() {
    let page = |number: u32, next: Option<&'static str>| {
        let arns = (0..100).map(move |one| format!("arn:aws:ecs:us-east-1:1:task/main/{:032x}", number * 100 + one));
        let arns: Vec<String> = arns.collect();
        move || {
            ListTasksOutput::builder()
                .set_task_arns(Some(arns.clone()))
                .set_next_token(next.map(str::to_owned))
                .build()
        }
    };
    let is_running = |asked: &aws_sdk_ecs::operation::list_tasks::ListTasksInput| {
        asked.desired_status() == Some(&DesiredStatus::Running)
    };
    let first = mock!(aws_sdk_ecs::Client::list_tasks)
        .match_requests(move |asked| is_running(asked) && asked.next_token().is_none())
        .then_output(page(0, Some("more")));
    let second = mock!(aws_sdk_ecs::Client::list_tasks)
        .match_requests(move |asked| is_running(asked) && asked.next_token() == Some("more"))
        .then_output(page(1, None));
    let stopped = mock!(aws_sdk_ecs::Client::list_tasks)
        .match_requests(move |asked| !is_running(asked))
        .then_output(|| ListTasksOutput::builder().build());
    let described = mock!(aws_sdk_ecs::Client::describe_tasks)
        .match_requests(|asked| asked.tasks().len() <= 100)
        .then_compute_output(|asked| {
            let tasks = asked.tasks().iter().map(|arn| task(0).task_arn(arn).build());
            DescribeTasksOutput::builder().set_tasks(Some(tasks.collect())).build()
        });
    let services = Ecs::new(
        vec![service("api", 2, primary(DeploymentRolloutState::Completed))],
        vec![],
    )
    .services;
    let rules = [&services, &first, &second, &stopped, &described];
    let seen = orchestrator(&["api"], answering!(aws_sdk_ecs, rules))
        .observe()
        .await
        .unwrap();
    assert_eq!(seen.services[0].tasks.len(), 200);
    assert_eq!(described.num_calls(), 2);
}

#[tokio::test]
async fn a_service_in_trouble_shows_the_last_lines_of_the_task_that_stopped() {
    let dead = task(7)
        .last_status("STOPPED")
        .desired_status("STOPPED")
        .stop_code(TaskStopCode::EssentialContainerExited)
        .stopped_reason("Essential container in task exited")
        .stopped_at(DateTime::from_secs(2_000))
        .containers(
            aws_sdk_ecs::types::Container::builder()
                .name("app")
                .exit_code(3)
                .build(),
        );
    let ecs = Ecs::new(
        vec![service("api", 0, primary(DeploymentRolloutState::Failed))],
        vec![dead.build()],
    );
    let seen = orchestrator(&["api"], ecs.client()).observe().await.unwrap();
    let (api, dead) = (&seen.services[0], &seen.services[0].tasks[0]);
    assert_eq!(api.health, ServiceHealth::Failing);
    assert_eq!(dead.exit_code, Some(3));
    assert_eq!(dead.stop_code, Some(karma_ops::StopCode::EssentialContainerExited));
    assert_eq!(dead.last_lines, ["cannot bind"]);
}

#[tokio::test]
async fn a_deployment_that_ecs_forgets_is_remembered() {
    let failed = deployment("ecs-svc/2", "ACTIVE", DeploymentRolloutState::Failed);
    let both = vec![
        deployment("ecs-svc/3", "PRIMARY", DeploymentRolloutState::InProgress),
        failed,
    ];
    let later = vec![deployment("ecs-svc/3", "PRIMARY", DeploymentRolloutState::Completed)];
    let described = mock!(aws_sdk_ecs::Client::describe_services)
        .sequence()
        .output(move || {
            DescribeServicesOutput::builder()
                .services(service("api", 2, both.clone()))
                .build()
        })
        .output(move || {
            DescribeServicesOutput::builder()
                .services(service("api", 2, later.clone()))
                .build()
        })
        .build();
    let none = mock!(aws_sdk_ecs::Client::list_tasks).then_output(|| ListTasksOutput::builder().build());
    let orchestrator = orchestrator(&["api"], answering!(aws_sdk_ecs, [&described, &none]));
    orchestrator.observe().await.unwrap();
    let seen = orchestrator.observe().await.unwrap();
    let states: Vec<_> = seen.services[0]
        .deployments
        .iter()
        .map(|one| (one.id.as_str(), one.rollout_state))
        .collect();
    let expected = [
        ("ecs-svc/3", RolloutState::Completed),
        ("ecs-svc/2", RolloutState::Failed),
    ];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let throttled = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    let described = mock!(aws_sdk_ecs::Client::describe_services)
        .sequence()
        .http_status(400, Some(throttled.to_owned()))
        .times(2)
        .output(|| {
            DescribeServicesOutput::builder()
                .services(Service::builder().service_name("main-api").build())
                .build()
        })
        .build();
    let none = mock!(aws_sdk_ecs::Client::list_tasks).then_output(|| ListTasksOutput::builder().build());
    let client = answering!(aws_sdk_ecs, [&described, &none]);
    let soon = RetryConfig::standard()
        .with_max_attempts(5)
        .with_initial_backoff(Duration::from_millis(1));
    let client = aws_sdk_ecs::Client::from_conf(client.config().to_builder().retry_config(soon).build());
    let seen = orchestrator(&["api"], client).observe().await.unwrap();
    assert_eq!(seen.services.len(), 1);
    assert_eq!(described.num_calls(), 3);
}

#[tokio::test]
async fn who_may_not_look_is_told_what_he_lacks() {
    let check = async |body: &'static str, expected: &str, hint: &str| {
        let refused = mock!(aws_sdk_ecs::Client::describe_services)
            .sequence()
            .http_status(400, Some(body.to_owned()))
            .build();
        let error = orchestrator(&["api"], answering!(aws_sdk_ecs, [&refused]))
            .observe()
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
    };
    check(
        DENIED,
        "not permitted: ecs:DescribeServices on arn:aws:ecs:us-east-1:123456789012:service/main/main-api",
        "in a policy of arn:aws:iam::123456789012:user/ann",
    )
    .await;
    check(
        r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#,
        "the AWS credentials have expired",
        "aws sso login",
    )
    .await;
    check(
        r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
        "AWS does not accept the credentials: The security token included in the request is invalid",
        "karma doctor",
    )
    .await;
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_an_answer() {
    let missing = mock!(aws_sdk_ecs::Client::describe_services).then_error(|| {
        let error = ClusterNotFoundException::builder().message("Cluster not found.");
        let metadata = aws_sdk_ecs::error::ErrorMetadata::builder()
            .code("ClusterNotFoundException")
            .build();
        DescribeServicesError::ClusterNotFoundException(error.meta(metadata).build())
    });
    let error = orchestrator(&["api"], answering!(aws_sdk_ecs, [&missing]))
        .observe()
        .await
        .unwrap_err();
    assert!(matches!(error, OrchestratorError::NotThere { .. }), "{error:?}");
    assert_eq!(error.to_string(), "there is no cluster main in us-east-1 on AWS");
}

#[tokio::test]
async fn what_is_nice_to_have_and_not_permitted_leaves_a_note() {
    let ecs = Ecs::new(
        vec![service("api", 2, primary(DeploymentRolloutState::Completed))],
        vec![],
    );
    let mut clients = clients(ecs.client());
    let denied = mock!(aws_sdk_applicationautoscaling::Client::describe_scalable_targets)
        .sequence()
        .http_status(
            400,
            Some(r#"{"__type":"AccessDeniedException","message":"no"}"#.to_owned()),
        )
        .build();
    clients.autoscaling = answering!(aws_sdk_applicationautoscaling, [&denied]);
    let seen = EcsOrchestrator::with(clients, scope(&["api"])).observe().await.unwrap();
    let note = "limits of autoscaling are not shown: not permitted: application-autoscaling:DescribeScalableTargets on the services";
    assert_eq!(seen.notes, [note]);
    assert_eq!(seen.services[0].health, ServiceHealth::Healthy);
}

#[tokio::test]
async fn a_restart_is_the_deployment_that_it_begins() {
    let updated = mock!(aws_sdk_ecs::Client::update_service)
        .match_requests(|asked| asked.force_new_deployment() == Some(true) && asked.service() == Some("main-api"))
        .then_output(|| {
            let begun = vec![
                deployment("ecs-svc/9", "PRIMARY", DeploymentRolloutState::InProgress),
                deployment("ecs-svc/1", "ACTIVE", DeploymentRolloutState::Completed),
            ];
            UpdateServiceOutput::builder().service(service("api", 2, begun)).build()
        });
    let orchestrator = orchestrator(&["api"], answering!(aws_sdk_ecs, [&updated]));
    assert_eq!(orchestrator.restart("api").await.unwrap().as_str(), "ecs-svc/9");
    let error = orchestrator.restart("other").await.unwrap_err();
    assert_eq!(error.to_string(), "no service `other` in the stack");
    let error = orchestrator.rollback("api", None).await.unwrap_err();
    assert_eq!(
        error.hint().as_deref(),
        Some("go back through Terraform: karma rollback --on aws")
    );
}

#[tokio::test]
async fn a_count_is_no_deployment() {
    let updated = mock!(aws_sdk_ecs::Client::update_service)
        .match_requests(|asked| asked.desired_count() == Some(4) && asked.force_new_deployment().is_none())
        .then_output(|| UpdateServiceOutput::builder().build());
    let orchestrator = orchestrator(&["api"], answering!(aws_sdk_ecs, [&updated]));
    orchestrator.scale("main-api", 4).await.unwrap();
    assert_eq!(updated.num_calls(), 1);
}

#[tokio::test]
async fn autoscaling_changes_only_where_it_is() {
    let registered = mock!(aws_sdk_applicationautoscaling::Client::register_scalable_target)
        .match_requests(|asked| asked.min_capacity() == Some(0) && asked.max_capacity() == Some(9))
        .then_output(|| RegisterScalableTargetOutput::builder().build());
    let change = AutoscalingChange::Limits {
        min_capacity: 0,
        max_capacity: 9,
    };
    for (found, is_there) in [(vec![target("service/main/main-api")], true), (vec![], false)] {
        let ecs = Ecs::new(vec![], vec![]);
        let mut clients = clients(ecs.client());
        clients.autoscaling = answering!(aws_sdk_applicationautoscaling, [&targets(found), &registered]);
        let changed = EcsOrchestrator::with(clients, scope(&["api"]))
            .change_autoscaling("api", change)
            .await;
        assert_eq!(changed.is_ok(), is_there, "{changed:?}");
    }
    assert_eq!(registered.num_calls(), 1);
}

#[tokio::test]
async fn a_task_that_no_cluster_has_is_not_there() {
    let refused = mock!(aws_sdk_ecs::Client::stop_task)
        .sequence()
        .http_status(
            400,
            Some(r#"{"__type":"InvalidParameterException","message":"The referenced task was not found."}"#.to_owned()),
        )
        .build();
    let orchestrator = orchestrator(&["api"], answering!(aws_sdk_ecs, [&refused]));
    let id = TaskId::parse("0123456789abcdef0123456789abcdef").unwrap();
    let error = orchestrator.stop_task(&id, "drill").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no task 0123456789abcdef0123456789abcdef on AWS"
    );
}
