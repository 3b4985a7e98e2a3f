//! Definitions that change while real processes serve real requests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "other tests use more of it")]
mod support;

use std::path::{Path, PathBuf};

use karma_fleet::{Container, EnvironmentValue};
use karma_runtime::{FleetHealth, Observation, RolloutState, ServiceChange, StopCode, TaskStatus};
use support::fleet::{TestFleet, TestService, server, service};
use support::load::Load;
use support::{PATIENCE, Running, get, new_fleet, start_steady, stopped};

/// Two tasks behind the load balancer that answer to the end, and `GREETING`.
fn polite(greeting: &str) -> TestService {
    let greeting = ("GREETING".to_owned(), EnvironmentValue::Known(greeting.to_owned()));
    let mut container = server();
    "polite".clone_into(&mut container.image.repository);
    container.environment.extend([greeting]);
    behind_load_balancer("hello", container, 2)
}

fn behind_load_balancer(name: &str, container: Container, desired_count: u32) -> TestService {
    TestService {
        desired_count,
        behind_load_balancer: true,
        ..service(name, container)
    }
}

/// Whether a service has come to rest with a deployment of this revision, and nothing of another is left.
fn has_completed(seen: &Observation, task_definition: &str) -> bool {
    let service = &seen.services[0];
    let primary = &service.deployments[0];
    let is_over = |task: &karma_runtime::TaskObservation| {
        task.last_status == TaskStatus::Stopped || task.deployment == primary.id
    };
    primary.rollout_state == RolloutState::Completed
        && primary.task_definition == task_definition
        && service.tasks.iter().all(is_over)
}

#[tokio::test]
async fn a_rolling_deployment_under_load_loses_nothing() {
    let running = start_steady(new_fleet().with(&polite("one"))).await;
    let url = running.url("hello").await;
    assert_eq!(get(&format!("{url}/env?GREETING")).await.1, "one");
    let load = Load::on(&format!("{url}/slow?20"));
    load.until_answered(20).await;
    running.apply(new_fleet().with(&polite("two"))).await;
    running.observe_until(|seen| has_completed(seen, "hello:2")).await;
    load.until_answered(20).await;
    assert_eq!(load.end().await, Vec::<String>::new());
    assert_eq!(get(&format!("{url}/env?GREETING")).await.1, "two");
    running.stop().await;
}

#[tokio::test]
async fn an_interruption_of_one_of_two_tasks_under_load_loses_nothing() {
    let running = start_steady(new_fleet().with(&polite("one"))).await;
    let load = Load::on(&format!("{}/slow?20", running.url("hello").await));
    load.until_answered(20).await;
    let task = running.local.observe().await.services[0].tasks[0].task_id.clone();
    running.local.interrupt(task).await.unwrap();
    running.observe_until(|seen| stopped(seen, "hello").len() == 1).await;
    assert_eq!(running.local.wait_until_steady(PATIENCE).await, FleetHealth::Steady);
    load.until_answered(20).await;
    assert_eq!(load.end().await, Vec::<String>::new());
    let observation = running.local.observe().await;
    let task = stopped(&observation, "hello")[0];
    assert_eq!(
        (task.stop_code, task.exit_code),
        (Some(StopCode::SpotInterruption), Some(0))
    );
    running.stop().await;
}

/// A shell script in the place of a build's result.
fn build(directory: &Path, says: &str) -> PathBuf {
    let path = directory.join("program");
    let script = format!("#!/bin/sh\necho built {says}\nexec sleep 600\n");
    std::fs::write(&path, script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, executable).unwrap();
    path
}

/// Waits until the newest task has printed a line.
async fn until_printed(running: &Running, line: &str) {
    let has_printed = |seen: &Observation| {
        let log = std::fs::read_to_string(seen.services[0].tasks[0].log_path.as_ref().unwrap());
        log.is_ok_and(|log| log.contains(line))
    };
    running.observe_until(has_printed).await;
}

#[tokio::test]
async fn a_new_build_is_a_new_revision_and_a_rollback_starts_the_old_bytes() {
    let builds = tempfile::tempdir().unwrap();
    let fleet = |says: &str| {
        let container = support::fleet::container("main", "built");
        let mut service = service("hello", container);
        service.minimum_healthy_percent = 0;
        service.maximum_percent = 100;
        TestFleet::default()
            .program("built", build(builds.path(), says), &[])
            .with(&service)
    };
    let running = start_steady(fleet("first")).await;
    until_printed(&running, "built first").await;
    let applied = running.apply(fleet("second")).await;
    assert!(
        matches!(&applied[0].change, ServiceChange::Deploying { task_definition, .. } if task_definition == "hello:2")
    );
    until_printed(&running, "built second").await;
    let unchanged = running.apply(fleet("second")).await;
    assert_eq!(unchanged[0].change, ServiceChange::Unchanged);

    let deployed = running.local.rollback("hello", Some(1)).await.unwrap();
    assert_eq!(deployed.task_definition, "hello:1");
    until_printed(&running, "built first").await;
    let directory = running.stop().await;

    let programs = || {
        std::fs::read_dir(directory.path().join(".karma/programs"))
            .unwrap()
            .count()
    };
    assert_eq!(programs(), 2);
    let running = support::start_in(directory.path(), fleet("third")).await;
    running.wait_until_steady(PATIENCE).await;
    assert_eq!(
        running.observe().await.services[0].task_definition,
        "hello:3",
        "the count goes on"
    );
    assert_eq!(programs(), 1, "nobody needs the others any more");
    running.stop(karma_runtime::Urgency::Graceful).await;
}

#[tokio::test]
async fn services_rules_and_names_follow_the_definition() {
    let one = behind_load_balancer("one", server(), 1);
    let two = TestService {
        alias_port: Some(8191),
        ..behind_load_balancer("two", server(), 1)
    };
    let running = start_steady(new_fleet().with(&one)).await;
    let url = running.url("one").await;
    let root = url.strip_suffix("/one").unwrap();
    assert_eq!(get(&format!("{root}/two/")).await.0, 404);

    let applied = running.apply(new_fleet().with(&one).with(&two)).await;
    let changes: Vec<_> = applied.iter().map(|one| (one.service.as_str(), &one.change)).collect();
    assert!(matches!(
        changes[..],
        [
            ("one", ServiceChange::Unchanged),
            ("two", ServiceChange::Started { .. })
        ]
    ));
    let fleet = running.local.fleet();
    assert_eq!(fleet.borrow().services.len(), 2);
    running.observe_until(Observation::is_steady).await;
    assert_eq!(get(&format!("{root}/two/")).await.0, 200);
    assert_eq!(running.local.observe().await.aliases[0].dns_name, "two");
    assert_eq!(running.url("two").await, format!("{root}/two"));

    running.apply(new_fleet().with(&two)).await;
    running.observe_until(|seen| seen.services.len() == 1).await;
    assert_eq!(get(&format!("{root}/one/")).await.0, 404);
    assert_eq!(get(&format!("{root}/two/")).await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn a_definition_that_cannot_run_here_changes_nothing() {
    let running = start_steady(new_fleet().with(&polite("one"))).await;
    let broken = new_fleet()
        .program("polite", "/no/such/program", &[])
        .with(&polite("two"));
    let secrets = support::secrets();
    let refused = running.local.apply(broken.fleet, broken.programs, secrets).await;
    assert!(refused.unwrap_err().to_string().contains("/no/such/program"));
    let observation = running.local.observe().await;
    assert_eq!(observation.services[0].deployments.len(), 1);
    assert!(observation.is_steady());
    running.stop().await;
}

#[tokio::test]
async fn a_target_group_takes_other_settings_under_load_and_loses_nothing() {
    let running = start_steady(new_fleet().with(&polite("one"))).await;
    let load = Load::on(&format!("{}/slow?20", running.url("hello").await));
    load.until_answered(20).await;
    let with_path = |path: &str| {
        let mut fleet = new_fleet().with(&polite("one"));
        for group in fleet.fleet.target_groups.values_mut() {
            path.clone_into(&mut group.health_check.path);
        }
        fleet
    };
    let applied = running.apply(with_path("/other/health")).await;
    assert_eq!(applied[0].change, ServiceChange::Unchanged, "a group is not a service");
    running.observe_until(Observation::is_steady).await;
    load.until_answered(20).await;
    assert_eq!(load.end().await, Vec::<String>::new());
    running.stop().await;
}
