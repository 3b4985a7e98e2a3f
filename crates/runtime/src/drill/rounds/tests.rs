use karma_ops::{
    DeploymentObservation, DeploymentStatus, DiscoveryMechanism, HealthStatus, Observation, ServiceHealth,
};

use super::*;

/// A task id from a letter.
fn id(letter: &str) -> TaskId {
    let letter = u32::from(letter.bytes().next().unwrap());
    TaskId::parse(&format!("{letter:032x}")).unwrap()
}

/// A task from `a RUNNING us-east-1a FARGATE_SPOT`; what is not said is not known. `a STOPPING` is one that shall stop.
fn task(text: &str) -> TaskObservation {
    let words: Vec<&str> = text.split(' ').collect();
    let last_status: TaskStatus = serde_json::from_value(words[1].into()).unwrap();
    let word = |position: usize| words.get(position).map(|&word| word.to_owned());
    TaskObservation {
        task_id: id(words[0]),
        task_definition: "web:1".to_owned(),
        deployment: DeploymentId::random(),
        capacity_provider: word(3),
        availability_zone: word(2).filter(|zone| zone != "-"),
        last_status,
        desired_status: if last_status <= TaskStatus::Running {
            DesiredStatus::Running
        } else {
            DesiredStatus::Stopped
        },
        health_status: HealthStatus::Unknown,
        target_health: (last_status == TaskStatus::Running).then_some(TargetsHealth::Healthy),
        address: None,
        started_at: None,
        stopped_at: None,
        stopped_reason: None,
        stop_code: None,
        exit_code: None,
        containers: Vec::new(),
        log_path: Some("log".into()),
        last_lines: Vec::new(),
    }
}

/// A service that wants as many tasks as there are live ones.
pub(in crate::drill) fn service(tasks: &[&str]) -> ServiceObservation {
    let tasks: Vec<_> = tasks.iter().map(|text| task(text)).collect();
    let live = tasks
        .iter()
        .filter(|task| task.desired_status == DesiredStatus::Running);
    ServiceObservation {
        service: "fleet-web".to_owned(),
        label: "web".to_owned(),
        desired_count: live.count(),
        running_count: 0,
        pending_count: 0,
        health: ServiceHealth::Healthy,
        url: Some("http://127.0.0.1:8080/web".to_owned()),
        health_check_path: None,
        task_definition: "web:1".to_owned(),
        capacity_provider_strategy: Vec::new(),
        deployments: Vec::new(),
        autoscaling: None,
        tasks,
        events: [].into(),
    }
}

pub(in crate::drill) fn observation(services: Vec<ServiceObservation>) -> Observation {
    Observation {
        stack: "stack".into(),
        pid: Some(1),
        started_at: Some(jiff::Timestamp::UNIX_EPOCH),
        listeners: Vec::new(),
        services,
        aliases: Vec::new(),
        discovery: DiscoveryMechanism::HostsFile,
        notes: Vec::new(),
    }
}

fn deployment(id: &DeploymentId, rollout_state: RolloutState) -> DeploymentObservation {
    DeploymentObservation {
        id: id.clone(),
        status: DeploymentStatus::Primary,
        rollout_state,
        rollout_state_reason: "tasks failed to start.".to_owned(),
        task_definition: "web:1".to_owned(),
        desired_count: 1,
        running_count: 1,
        pending_count: 0,
        failed_tasks: 0,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        updated_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// The victims of each round, as letters.
fn victims(plan: &Plan) -> Vec<String> {
    let letters = |round: &Round| {
        ('a'..='z')
            .filter(|&one| round.victims.contains(&id(&one.to_string())))
            .collect()
    };
    plan.rounds.iter().map(letters).collect()
}

#[test]
fn tasks_break_one_after_another_or_at_once() {
    let check = |scenario, pace, tasks: &[&str], expected: &[&str]| {
        let plan = plan(scenario, pace, &service(tasks)).unwrap();
        assert_eq!(victims(&plan), expected);
        assert_eq!(plan.mend, None);
    };
    let two = ["a RUNNING", "b RUNNING", "c STOPPED"];
    for scenario in [Scenario::Spot, Scenario::Crash, Scenario::Oom] {
        check(scenario, Pace::OneByOne, &two, &["a", "b"]);
        check(scenario, Pace::AtOnce, &two, &["ab"]);
    }
    check(Scenario::Deploy, Pace::OneByOne, &two, &["ab"]);
    let mixed = ["a RUNNING - FARGATE", "b RUNNING - FARGATE_SPOT"];
    check(Scenario::Spot, Pace::OneByOne, &mixed, &["b"]);
    check(Scenario::Crash, Pace::OneByOne, &mixed, &["a", "b"]);
}

#[test]
fn the_fullest_zone_is_lost_and_given_back() {
    let check = |tasks: &[&str], zone: &str, expected: &str| {
        let plan = plan(Scenario::Az, Pace::OneByOne, &service(tasks)).unwrap();
        let zone = || zone.to_owned();
        assert_eq!(plan.rounds[0].acts, [Act::Inject(Fault::LoseZone { zone: zone() })]);
        assert_eq!(plan.mend, Some(Fault::RestoreZone { zone: zone() }));
        assert_eq!(victims(&plan), [expected]);
    };
    check(&["a RUNNING east", "b RUNNING west", "c RUNNING west"], "west", "bc");
    check(&["a RUNNING west", "b RUNNING east"], "east", "b");
}

#[test]
fn what_cannot_break_is_told() {
    let check = |scenario, tasks: &[&str], expected: &str| {
        let error = plan(scenario, Pace::OneByOne, &service(tasks)).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().is_some());
    };
    check(
        Scenario::Spot,
        &["a RUNNING - FARGATE"],
        "service web has no task on Spot capacity",
    );
    check(
        Scenario::Az,
        &["a RUNNING"],
        "service web has no task in an availability zone",
    );
}

#[test]
fn a_service_has_recovered_when_all_that_serve_are_new() {
    let crash = plan(Scenario::Crash, Pace::OneByOne, &service(&["a RUNNING", "b RUNNING"])).unwrap();
    let check = |tasks: &[&str], expected: &Recovery| {
        assert_eq!(crash.rounds[0].recovery(&service(tasks)), *expected, "{tasks:?}");
    };
    check(&["a RUNNING", "b RUNNING"], &Recovery::UnderWay);
    check(&["a STOPPED", "b RUNNING", "c PENDING"], &Recovery::UnderWay);
    check(&["a STOPPED", "b RUNNING", "c RUNNING"], &Recovery::Steady);
    check(&["a DEACTIVATING", "b RUNNING", "c RUNNING"], &Recovery::Steady);
}

#[test]
fn a_task_serves_when_the_load_balancer_says_so() {
    let crash = plan(Scenario::Crash, Pace::OneByOne, &service(&["a RUNNING"])).unwrap();
    let mut replaced = service(&["a STOPPED", "b RUNNING"]);
    replaced.tasks[1].target_health = Some(TargetsHealth::Initial);
    assert_eq!(crash.rounds[0].recovery(&replaced), Recovery::UnderWay);
}

#[test]
fn a_deployment_is_over_when_it_says_so() {
    let (old, new) = (DeploymentId::random(), DeploymentId::random());
    let with = |tasks: &[&str], deployments: &[(&DeploymentId, RolloutState)]| ServiceObservation {
        deployments: deployments.iter().map(|(id, state)| deployment(id, *state)).collect(),
        ..service(tasks)
    };
    let before = with(&["a RUNNING"], &[(&old, RolloutState::Completed)]);
    let plan = plan(Scenario::Deploy, Pace::OneByOne, &before).unwrap();
    let check = |tasks: &[&str], state: RolloutState, expected: Recovery| {
        let service = with(tasks, &[(&new, state), (&old, RolloutState::Completed)]);
        assert_eq!(plan.rounds[0].recovery(&service), expected);
    };
    assert_eq!(plan.rounds[0].recovery(&before), Recovery::UnderWay);
    check(&["b RUNNING"], RolloutState::InProgress, Recovery::UnderWay);
    check(&["b RUNNING"], RolloutState::Completed, Recovery::Steady);
    check(
        &["a RUNNING"],
        RolloutState::Failed,
        Recovery::Failed("tasks failed to start.".to_owned()),
    );
}
