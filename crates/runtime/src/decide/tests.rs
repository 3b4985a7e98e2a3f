//! Laws of the scheduler.

use proptest::prelude::*;

use super::*;
use crate::task::{DesiredStatus, Stop, StopCode};

/// A service of which a container health check speaks for the tasks.
fn service(desired_count: usize, maximum_percent: u32) -> ServiceView {
    ServiceView {
        desired_count,
        deployment: DeploymentConfiguration {
            minimum_healthy_percent: 100,
            maximum_percent,
        },
        health_check_grace_period: Duration::ZERO,
        has_container_health_check: true,
        has_load_balancer: false,
        back_off: BackOff::default(),
    }
}

fn task(last_status: TaskStatus, health_status: HealthStatus) -> Task {
    let mut task = Task::new(TaskId::random(), Duration::ZERO, "log".into());
    task.last_status = last_status;
    task.health_status = health_status;
    task.started_at = (last_status >= TaskStatus::Running).then_some(Duration::ZERO);
    task
}

fn healthy() -> Task {
    task(TaskStatus::Running, HealthStatus::Healthy)
}

fn unhealthy() -> Task {
    task(TaskStatus::Running, HealthStatus::Unhealthy)
}

fn pending() -> Task {
    task(TaskStatus::Activating, HealthStatus::Unknown)
}

/// Tasks by one letter each: `h`ealthy, `u`nhealthy, `p`ending. The answer: `+` for a start, the letter of a task that is stopped.
fn check(service: &ServiceView, tasks: &str, now: u64, expected: &str) {
    let make = |letter| match letter {
        'h' => healthy(),
        'u' => unhealthy(),
        _ => pending(),
    };
    let built: Vec<Task> = tasks.chars().map(make).collect();
    let letter = |action: Action| match action {
        Action::Start => '+',
        Action::Stop { task, .. } => tasks
            .chars()
            .nth(built.iter().position(|known| known.id == task).unwrap())
            .unwrap(),
    };
    let answer: String = decide(service, &built, Duration::from_secs(now))
        .into_iter()
        .map(letter)
        .collect();
    assert_eq!(answer, expected, "{tasks} with {service:?}");
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
        wake_at(&service, &[unhealthy()], Duration::from_secs(30)),
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
    let mut crashed = task(TaskStatus::Stopped, HealthStatus::Unknown);
    crashed.desired_status = DesiredStatus::Stopped;
    let (code, reason) = (StopCode::EssentialContainerExited, String::new());
    crashed.stop = Some(Stop { code, reason });
    service.back_off.record(&crashed, Duration::from_secs(10));
    check(&service, "", 10, "");
    check(&service, "", 11, "+");
    assert_eq!(
        wake_at(&service, &[], Duration::from_secs(10)),
        Some(Duration::from_secs(11))
    );
}

#[test]
fn a_task_that_nobody_watches_is_in_service_after_a_second() {
    let mut service = service(1, 200);
    service.has_container_health_check = false;
    let running = [task(TaskStatus::Running, HealthStatus::Unknown)];
    assert!(!service.is_steady(&running, Duration::from_millis(999)));
    assert!(service.is_steady(&running, Duration::from_secs(1)));
    assert_eq!(
        wake_at(&service, &running, Duration::ZERO),
        Some(Duration::from_secs(1))
    );
}

#[test]
fn the_reason_names_who_found_the_task_unhealthy() {
    let mut unhealthy = healthy();
    unhealthy.targets = Some(TargetsHealth::Unhealthy {
        target_group: "hello".to_owned(),
        description: "Request timed out".to_owned(),
    });
    let [Action::Stop { reason, .. }, _] = &decide(&service(1, 100), &[unhealthy], Duration::ZERO)[..] else {
        panic!("one is stopped and one started");
    };
    assert_eq!(reason, "Task failed ELB health checks in (target-group hello)");
}

fn any_task() -> impl Strategy<Value = Task> {
    let status = proptest::sample::select(TaskStatus::ALL.to_vec());
    let health = proptest::sample::select(vec![
        HealthStatus::Unknown,
        HealthStatus::Healthy,
        HealthStatus::Unhealthy,
    ]);
    (status, health, any::<bool>(), 0_u64..100).prop_map(|(status, health, stops, age)| {
        let mut task = task(status, health);
        task.created_at = Duration::from_secs(age);
        task.started_at = task.started_at.map(|_| task.created_at);
        if stops {
            task.desired_status = DesiredStatus::Stopped;
        }
        task
    })
}

fn any_service() -> impl Strategy<Value = ServiceView> {
    (
        0_usize..8,
        proptest::sample::select(vec![100_u32, 125, 150, 200]),
        0_u64..60,
    )
        .prop_map(|(desired, most, grace)| {
            let mut service = service(desired, most);
            service.health_check_grace_period = Duration::from_secs(grace);
            service
        })
}

/// Does what was decided, as an obedient runner would: whatever starts becomes healthy, whatever stops is gone.
fn obey(tasks: &mut Vec<Task>, actions: Vec<Action>, now: Duration) {
    for action in actions {
        match action {
            Action::Start => tasks.push(Task::new(TaskId::random(), now, "log".into())),
            Action::Stop { task, .. } => tasks.retain(|known| known.id != task),
        }
    }
}

/// Whatever is on its way comes to run, and whatever is not judged yet turns out healthy.
fn come_to_run(tasks: &mut Vec<Task>, now: Duration) {
    tasks.retain(Task::is_live);
    for task in tasks.iter_mut() {
        task.last_status = TaskStatus::Running;
        task.started_at.get_or_insert(now);
        if task.health_status == HealthStatus::Unknown {
            task.health_status = HealthStatus::Healthy;
        }
    }
}

proptest! {
    #[test]
    fn never_more_tasks_than_the_maximum(service in any_service(), tasks in prop::collection::vec(any_task(), 0..16)) {
        let now = Duration::from_secs(100);
        let before = tasks.iter().filter(|task| task.is_live()).count();
        let mut after = tasks.clone();
        obey(&mut after, decide(&service, &tasks, now), now);
        let after = after.iter().filter(|task| task.is_live()).count();
        prop_assert!(after <= before.max(service.most()));
    }

    #[test]
    fn only_live_tasks_are_stopped_and_each_once(service in any_service(), tasks in prop::collection::vec(any_task(), 0..16)) {
        let mut stopped = std::collections::BTreeSet::new();
        for action in decide(&service, &tasks, Duration::from_secs(100)) {
            if let Action::Stop { task, .. } = action {
                prop_assert!(tasks.iter().any(|known| known.id == task && known.is_live()));
                prop_assert!(stopped.insert(task));
            }
        }
    }

    #[test]
    fn an_obedient_runner_comes_to_rest(service in any_service(), tasks in prop::collection::vec(any_task(), 0..16)) {
        let (mut tasks, mut now) = (tasks, Duration::from_secs(100));
        for _ in 0..40 {
            let actions = decide(&service, &tasks, now);
            obey(&mut tasks, actions, now);
            come_to_run(&mut tasks, now);
            now += Duration::from_mins(1);
        }
        prop_assert!(service.is_steady(&tasks, now), "{:?}", tasks);
        prop_assert_eq!(decide(&service, &tasks, now), vec![]);
    }

    #[test]
    fn a_steady_service_is_left_alone(service in any_service(), now in 0_u64..1000) {
        let now = Duration::from_secs(now);
        let tasks: Vec<_> = (0..service.desired_count).map(|_| healthy()).collect();
        prop_assert!(service.is_steady(&tasks, now));
        prop_assert_eq!(decide(&service, &tasks, now), vec![]);
    }

    #[test]
    fn until_the_wake_up_nothing_changes(
        service in any_service(),
        tasks in prop::collection::vec(any_task(), 0..8),
        now in 0_u64..200,
    ) {
        let now = Duration::from_secs(now);
        let until = wake_at(&service, &tasks, now).unwrap_or(now + Duration::from_secs(1000));
        let later = until.saturating_sub(Duration::from_millis(1));
        prop_assert_eq!(decide(&service, &tasks, now), decide(&service, &tasks, later.max(now)));
    }
}
