//! Laws of the scheduler.

use karma_ops::{DeploymentId, DeploymentStatus};

use super::*;
use crate::task::tests::new_task;

/// A service of which a container health check speaks for the tasks. It has an earlier deployment.
pub(crate) fn service(desired_count: usize, maximum_percent: u32) -> ServiceView {
    let watched = Watched {
        by_container_health_check: true,
        by_load_balancer: false,
    };
    let deployment = || Deployment::new(DeploymentId::random(), "hello:1".into(), watched, Duration::ZERO);
    let mut earlier = deployment();
    earlier.status = DeploymentStatus::Active;
    earlier.rollout_state = RolloutState::Completed;
    ServiceView {
        desired_count,
        configuration: DeploymentConfiguration {
            minimum_healthy_percent: 100,
            maximum_percent,
            circuit_breaker: None,
        },
        alarms: None,
        in_alarm: BTreeSet::new(),
        health_check_grace_period: Duration::ZERO,
        capacity: Capacity::default(),
        rebalances: false,
        deployments: vec![deployment(), earlier],
        back_off: BackOff::default(),
    }
}

fn with_minimum(desired_count: usize, minimum: u32, maximum: u32) -> ServiceView {
    let mut service = service(desired_count, maximum);
    service.configuration.minimum_healthy_percent = minimum;
    service
}

fn task(deployment: &Deployment, last_status: TaskStatus, health_status: HealthStatus) -> Task {
    let mut task = new_task();
    task.deployment = deployment.id.clone();
    task.last_status = last_status;
    task.health_status = health_status;
    task.started_at = (last_status >= TaskStatus::Running).then_some(Duration::ZERO);
    task
}

/// Tasks by one letter each: `h`ealthy, `u`nhealthy, `p`ending; a capital for one of the earlier deployment.
pub(crate) fn tasks(service: &ServiceView, letters: &str) -> Vec<Task> {
    let make = |letter: char| {
        let deployment = &service.deployments[usize::from(letter.is_uppercase())];
        match letter.to_ascii_lowercase() {
            'h' => task(deployment, TaskStatus::Running, HealthStatus::Healthy),
            'u' => task(deployment, TaskStatus::Running, HealthStatus::Unhealthy),
            _ => task(deployment, TaskStatus::Activating, HealthStatus::Unknown),
        }
    };
    letters.chars().map(make).collect()
}

/// The answer: the letter of each task that is stopped, `+` for each start.
fn check(service: &ServiceView, letters: &str, now: u64, expected: &str) {
    let built = tasks(service, letters);
    let letter = |action: Action| match action {
        Action::Start { .. } => '+',
        Action::Stop { task, .. } => letters
            .chars()
            .nth(built.iter().position(|known| known.id == task).unwrap())
            .unwrap(),
    };
    let answer: String = decide(service, &built, Duration::from_secs(now))
        .into_iter()
        .map(letter)
        .collect();
    assert_eq!(answer, expected, "{letters} with {service:?}");
}

#[test]
fn missing_tasks_are_started() {
    check(&service(3, 200), "", 0, "+++");
    check(&service(3, 200), "hp", 0, "+");
    check(&service(0, 200), "", 0, "");
}

#[test]
fn a_stable_service_needs_nothing() {
    check(&service(2, 200), "hh", 0, "");
    check(&service(2, 200), "hp", 0, "");
    check(&service(2, 100), "hh", 0, "");
}

#[test]
fn the_replacement_of_an_unhealthy_task_comes_first_where_there_is_room() {
    check(&service(1, 200), "u", 0, "+");
    check(&service(1, 200), "up", 0, "");
    check(&service(1, 200), "uh", 0, "u");
    check(&service(3, 150), "uuh", 0, "+");
}

#[test]
fn without_room_unhealthy_tasks_are_stopped_one_at_a_time() {
    check(&service(1, 100), "u", 0, "u+");
    check(&service(3, 100), "uuh", 0, "u+");
    check(&service(3, 100), "uph", 0, "");
}

#[test]
fn the_grace_period_protects_unhealthy_tasks() {
    let mut service = service(1, 200);
    service.health_check_grace_period = Duration::from_mins(1);
    check(&service, "u", 59, "");
    check(&service, "u", 60, "+");
    assert_eq!(
        wake_at(&service, &tasks(&service, "u"), Duration::from_secs(30)),
        Some(Duration::from_mins(1))
    );
}

#[test]
fn of_too_many_tasks_the_worst_go() {
    check(&service(1, 200), "hhp", 0, "ph");
    check(&service(0, 200), "hu", 0, "uh");
    let mut service = service(1, 200);
    service.health_check_grace_period = Duration::from_mins(1);
    check(&service, "hu", 0, "u");
}

#[test]
fn after_a_failure_nothing_is_started_until_the_wait_is_over() {
    let mut service = service(1, 200);
    service.back_off.record(&new_task(), Duration::from_secs(10));
    check(&service, "", 10, "");
    check(&service, "", 11, "+");
    assert_eq!(
        wake_at(&service, &[], Duration::from_secs(10)),
        Some(Duration::from_secs(11))
    );
}

/// A service whose tasks nobody watches.
fn unwatched(desired_count: usize) -> ServiceView {
    let mut service = service(desired_count, 200);
    for deployment in &mut service.deployments {
        deployment.watched = Watched::default();
    }
    service
}

#[test]
fn a_task_that_nobody_watches_is_in_service_after_a_second() {
    let service = unwatched(1);
    let running = tasks(&service, "h");
    assert!(!service.is_steady(&running, Duration::from_millis(999)));
    assert!(service.is_steady(&running, Duration::from_secs(1)));
    assert_eq!(
        wake_at(&service, &running, Duration::ZERO),
        Some(Duration::from_secs(1))
    );
}

#[test]
fn a_task_that_nobody_watches_replaces_another_after_forty_seconds() {
    let service = unwatched(1);
    check(&service, "hH", 39, "");
    check(&service, "hH", 40, "H");
    assert_eq!(
        wake_at(&service, &tasks(&service, "hH"), Duration::from_secs(2)),
        Some(Duration::from_secs(40))
    );
}

/// The guide's own examples: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html>
#[test]
fn the_percentages_are_rounded_in_favour_of_what_runs() {
    check(&with_minimum(4, 50, 100), "HHHH", 50, "HH++");
    check(&with_minimum(2, 75, 100), "HH", 50, "");
    check(&with_minimum(4, 100, 200), "HHHH", 50, "++++");
    check(&with_minimum(3, 100, 125), "HHH", 50, "");
    check(&with_minimum(1, 100, 100), "H", 50, "");
    check(&with_minimum(1, 0, 100), "H", 50, "H+");
    check(&with_minimum(1, 100, 200), "H", 50, "+");
    check(&with_minimum(3, 50, 100), "HHH", 50, "H+");
    check(&with_minimum(0, 100, 200), "HH", 50, "HH");
}

#[test]
fn each_task_that_serves_lets_one_of_the_earlier_go() {
    check(&service(4, 200), "pppp HHHH".replace(' ', "").as_str(), 50, "");
    check(&service(4, 200), "hpppHHHH", 50, "H");
    check(&service(4, 200), "hhhhHHHH", 50, "HHHH");
    check(&service(4, 200), "hhhhHHPU", 50, "PUHH");
    check(&service(2, 150), "hHH", 50, "H+");
    check(&service(2, 200), "hhh", 50, "h");
}

#[test]
fn earlier_tasks_that_do_not_serve_make_room_first() {
    check(&service(2, 100), "HU", 50, "U+");
    check(&service(2, 100), "UU", 50, "UU++");
    check(&with_minimum(4, 50, 100), "hHHU", 50, "UH++");
}

#[test]
fn a_new_task_that_is_unhealthy_gives_its_place_to_another() {
    check(&service(1, 200), "uH", 50, "u+");
    check(&service(2, 150), "uHH", 50, "u+");
    check(&service(2, 200), "uhHH", 50, "uH+");
}

#[test]
fn a_failed_deployment_starts_nothing_any_more() {
    let mut service = service(2, 200);
    service.deployments[0].rollout_state = RolloutState::Failed;
    check(&service, "HH", 50, "");
    check(&service, "uuHH", 50, "uu");
    check(&service, "hHH", 50, "H");
    check(&service, "", 50, "");
}

#[test]
fn a_deployment_without_room_is_a_deadlock_and_one_that_waits_is_none() {
    let check = |service: &ServiceView, letters: &str, expected: bool| {
        let now = Duration::from_secs(50);
        let found = service.is_deadlocked(&tasks(service, letters), now);
        assert_eq!(found, expected, "{letters} with {service:?}");
    };
    check(&with_minimum(1, 100, 100), "H", true);
    check(&with_minimum(2, 75, 100), "HH", true);
    check(&with_minimum(3, 100, 125), "HHH", true);
    check(&with_minimum(3, 100, 134), "HHH", false);
    check(&with_minimum(1, 0, 100), "H", false);
    check(&with_minimum(3, 100, 134), "pHHH", false);
    check(&with_minimum(1, 100, 100), "U", false);
    check(&with_minimum(1, 100, 100), "h", false);
    let mut waiting = with_minimum(1, 100, 100);
    waiting.back_off.record(&new_task(), Duration::from_secs(50));
    check(&waiting, "H", false);
}

#[test]
fn tasks_are_taken_from_the_fullest_zone_and_then_the_youngest() {
    let service = service(2, 200);
    let mut tasks = tasks(&service, "hhhh");
    for (age, (task, zone)) in tasks.iter_mut().zip(["a", "b", "b", "c"]).enumerate() {
        task.created_at = Duration::from_secs(age as u64);
        task.placement.availability_zone = Some(zone.into());
    }
    let stopped: Vec<_> = decide(&service, &tasks, Duration::from_secs(9))
        .into_iter()
        .map(|action| match action {
            Action::Stop { task, .. } => tasks.iter().position(|known| known.id == task).unwrap(),
            Action::Start { .. } => panic!("there are too many"),
        })
        .collect();
    assert_eq!(stopped, [2, 3]);
}

#[test]
fn a_service_at_rest_moves_tasks_until_no_zone_holds_two_more_than_another() {
    let check = |zones: &str, maximum: u32, expected: Option<&str>| {
        let mut service = service(zones.len(), maximum);
        service.rebalances = true;
        service.capacity.zones = ["a", "b", "c"].map(Into::into).to_vec();
        service.deployments[0].rollout_state = RolloutState::Completed;
        let mut tasks = tasks(&service, &"h".repeat(zones.len()));
        for (task, zone) in tasks.iter_mut().zip(zones.chars()) {
            task.placement.availability_zone = Some(zone.to_string().into());
        }
        let now = Duration::from_secs(9);
        let placement = decide(&service, &tasks, now)
            .into_iter()
            .next()
            .map(|action| match action {
                Action::Start {
                    placement,
                    purpose: Purpose::Rebalancing,
                } => placement.availability_zone,
                other => panic!("{other:?}"),
            });
        let zone = placement.flatten();
        assert_eq!(zone.as_deref(), expected, "{zones}");
        let Some(zone) = zone else { return };
        let mut moved = self::tasks(&service, "p");
        moved[0].purpose = Purpose::Rebalancing;
        moved[0].placement.availability_zone = Some(zone);
        tasks.append(&mut moved);
        assert_eq!(decide(&service, &tasks, now), vec![], "until it serves");
        let last = tasks.last_mut().unwrap();
        (last.last_status, last.health_status) = (TaskStatus::Running, HealthStatus::Healthy);
        last.started_at = Some(Duration::from_secs(8));
        let [Action::Stop { task, cause, .. }] = &decide(&service, &tasks, now)[..] else {
            panic!("one is stopped");
        };
        let stopped = tasks.iter().find(|known| known.id == *task).unwrap();
        assert_eq!(
            (stopped.placement.availability_zone.as_deref(), *cause),
            (Some("a"), Cause::Rebalancing)
        );
    };
    check("abc", 200, None);
    check("aabbc", 200, None);
    check("aabb", 200, Some("c"));
    check("aab", 200, Some("c"));
    check("aab", 100, None);
}

#[test]
fn the_reason_names_who_found_the_task_unhealthy() {
    let service = service(1, 100);
    let mut unhealthy = tasks(&service, "h").remove(0);
    unhealthy.targets = Some(TargetsHealth::Unhealthy {
        target_group: "hello".to_owned(),
        description: "Request timed out".to_owned(),
    });
    let [Action::Stop { reason, .. }, _] = &decide(&service, &[unhealthy], Duration::ZERO)[..] else {
        panic!("one is stopped and one started");
    };
    assert_eq!(reason, "Task failed ELB health checks in (target-group hello)");
}

mod laws;
