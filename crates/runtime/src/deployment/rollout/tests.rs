//! Laws of deployments.

use std::collections::BTreeSet;

use karma_fleet::{CircuitBreaker, DeploymentAlarms};

use super::*;
use crate::decide::tests::{service, tasks};

const NOW: Duration = Duration::from_secs(50);

fn with_breaker(desired_count: usize, rollback: bool) -> ServiceView {
    let mut service = service(desired_count, 200);
    service.configuration.circuit_breaker = Some(CircuitBreaker { rollback });
    service
}

fn fail_to_start(service: &mut ServiceView, times: usize) {
    let deployment = service.primary().id.clone();
    (0..times).for_each(|_| service.note_failed_start(&deployment));
}

fn states(service: &ServiceView) -> Vec<String> {
    let state = |one: &Deployment| format!("{} {}", one.status, one.rollout_state);
    service.deployments.iter().map(state).collect()
}

#[test]
fn a_deployment_is_completed_when_the_service_comes_to_rest_with_it() {
    let mut service = service(2, 200);
    let id = service.primary().id.clone();
    for letters in ["ppHH", "hhHH", "hh H"] {
        let tasks = tasks(&service, &letters.replace(' ', ""));
        assert_eq!(advance(&mut service, &tasks, NOW), []);
    }
    let rest = tasks(&service, "hh");
    assert_eq!(advance(&mut service, &rest, NOW), [Milestone::Completed(id.clone())]);
    assert_eq!(states(&service), ["PRIMARY COMPLETED", "INACTIVE COMPLETED"]);
    assert_eq!(service.primary().reason, format!("ECS deployment {id} completed."));
    assert_eq!(advance(&mut service, &rest, NOW), [], "it is told once");
}

#[test]
fn a_deployment_that_is_replaced_is_active_until_its_last_task_is_gone() {
    let mut service = service(1, 200);
    let mut old = tasks(&service, "hH");
    advance(&mut service, &old, NOW);
    assert_eq!(states(&service)[1], "ACTIVE COMPLETED");
    old[1].last_status = TaskStatus::Stopping;
    advance(&mut service, &old, NOW);
    assert_eq!(states(&service)[1], "ACTIVE COMPLETED");
    old[1].last_status = TaskStatus::Stopped;
    advance(&mut service, &old, NOW);
    assert_eq!(states(&service)[1], "INACTIVE COMPLETED");
}

#[test]
fn the_breaker_gives_a_deployment_up_and_the_last_completed_one_is_wanted_again() {
    let mut service = with_breaker(1, true);
    let (failed, earlier) = (service.deployments[0].id.clone(), service.deployments[1].id.clone());
    let tasks = tasks(&service, "H");
    fail_to_start(&mut service, 2);
    assert_eq!(advance(&mut service, &tasks, NOW), []);
    fail_to_start(&mut service, 1);
    let expected = [
        Milestone::Failed {
            deployment: failed,
            why: "tasks failed to start".to_owned(),
        },
        Milestone::RollingBack { to: earlier.clone() },
    ];
    assert_eq!(advance(&mut service, &tasks, NOW), expected);
    assert_eq!(states(&service), ["PRIMARY IN_PROGRESS", "ACTIVE FAILED"]);
    assert_eq!(service.primary().id, earlier);
    let rolling_back =
        format!("ECS deployment circuit breaker: tasks failed to start. Rolling back to deploymentId {earlier}.");
    assert_eq!(service.deployments[1].reason, rolling_back);
    assert_eq!(advance(&mut service, &tasks, NOW), [Milestone::Completed(earlier)]);
    assert_eq!(states(&service), ["PRIMARY COMPLETED", "INACTIVE FAILED"]);
}

#[test]
fn without_a_completed_deployment_a_failed_one_stalls() {
    let check = |rollback: bool, earlier: RolloutState| {
        let mut service = with_breaker(1, rollback);
        service.deployments[1].rollout_state = earlier;
        fail_to_start(&mut service, 3);
        let tasks = tasks(&service, "H");
        assert_eq!(advance(&mut service, &tasks, NOW).len(), 1);
        assert_eq!(states(&service)[0], "PRIMARY FAILED");
        assert_eq!(advance(&mut service, &tasks, NOW), [], "it stays so");
        assert_eq!(
            service.primary().reason,
            "ECS deployment circuit breaker: tasks failed to start."
        );
        assert_eq!(service.health(&tasks, NOW), karma_ops::ServiceHealth::Failing);
    };
    check(true, RolloutState::Failed);
    check(true, RolloutState::InProgress);
    check(false, RolloutState::Completed);
}

#[test]
fn without_a_breaker_nothing_is_given_up_and_a_completed_deployment_is_not_watched() {
    let mut service = service(1, 200);
    fail_to_start(&mut service, 99);
    assert_eq!(advance(&mut service, &[], NOW), []);
    let mut service = with_breaker(1, true);
    let rest = tasks(&service, "h");
    advance(&mut service, &rest, NOW);
    fail_to_start(&mut service, 99);
    assert_eq!(advance(&mut service, &rest, NOW), []);
}

#[test]
fn a_task_that_serves_sets_the_breaker_back() {
    let mut service = with_breaker(2, true);
    let deployment = service.primary().id.clone();
    service.note_running(&deployment);
    let serving = tasks(&service, "hp");
    for _ in 0..2 {
        service.note_failed_health_check(&deployment);
    }
    advance(&mut service, &serving, NOW);
    assert_eq!(service.primary().failures.in_a_row(), 0);
    for _ in 0..3 {
        service.note_failed_health_check(&deployment);
    }
    let failed = advance(&mut service, &serving, NOW);
    assert!(matches!(&failed[0], Milestone::Failed { why, .. } if why == "tasks failed health checks"));
}

#[test]
fn an_alarm_ends_a_deployment_unless_it_was_in_alarm_before() {
    let check = |before: &[&str], later: &[&str], expected: &str| {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
        let mut service = service(1, 200);
        service.alarms = Some(DeploymentAlarms {
            alarm_names: vec!["errors".to_owned(), "latency".to_owned()],
            rollback: false,
        });
        service.in_alarm = set(before);
        let deployment = service.deployments.remove(0);
        begin(&mut service, deployment);
        service.in_alarm = set(later);
        let tasks = tasks(&service, "pH");
        advance(&mut service, &tasks, NOW);
        assert_eq!(
            service.primary().rollout_state.as_str(),
            expected,
            "{before:?} {later:?}"
        );
    };
    check(&[], &["latency"], "FAILED");
    check(&[], &["another"], "IN_PROGRESS");
    check(&["latency"], &["latency", "errors"], "IN_PROGRESS");
    check(&[], &[], "IN_PROGRESS");
}

#[test]
fn a_deployment_without_room_says_so_once_and_stays_in_progress() {
    let mut service = service(1, 100);
    let id = service.primary().id.clone();
    let stuck = tasks(&service, "H");
    assert_eq!(advance(&mut service, &stuck, NOW), [Milestone::Deadlocked]);
    assert_eq!(advance(&mut service, &stuck, NOW), []);
    assert!(service.primary().reason.contains("was unable to stop or start tasks"));
    assert_eq!(states(&service)[0], "PRIMARY IN_PROGRESS");
    assert_eq!(service.health(&stuck, NOW), karma_ops::ServiceHealth::Failing);
    service.configuration.maximum_percent = 200;
    advance(&mut service, &stuck, NOW);
    assert_eq!(service.primary().reason, in_progress(&id));
}
