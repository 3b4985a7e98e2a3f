use aws_smithy_types::DateTime;
use jiff::Timestamp;
use karma_ops::DeploymentId;

use super::*;

fn deployment(id: &str, status: DeploymentStatus, rollout_state: RolloutState) -> DeploymentObservation {
    DeploymentObservation {
        id: DeploymentId::new(id),
        status,
        rollout_state,
        rollout_state_reason: String::new(),
        task_definition: "api:3".to_owned(),
        desired_count: 2,
        running_count: 2,
        pending_count: 0,
        failed_tasks: 0,
        created_at: Timestamp::from_second(1_000).unwrap(),
        updated_at: Timestamp::from_second(1_000).unwrap(),
    }
}

#[test]
fn what_is_told_no_more_is_inactive_and_behind_what_is() {
    let told = [deployment("2", DeploymentStatus::Primary, RolloutState::InProgress)];
    let known = [
        deployment("2", DeploymentStatus::Primary, RolloutState::InProgress),
        deployment("1", DeploymentStatus::Active, RolloutState::Failed),
    ];
    let all = completed(&told, &known);
    let seen: Vec<_> = all
        .iter()
        .map(|one| (one.id.as_str(), one.status, one.running_count))
        .collect();
    assert_eq!(
        seen,
        [
            ("2", DeploymentStatus::Primary, 2),
            ("1", DeploymentStatus::Inactive, 0)
        ]
    );
    assert_eq!(all[1].rollout_state, RolloutState::Failed);
}

#[test]
fn only_the_last_few_are_remembered() {
    let told: Vec<_> = (0..9)
        .map(|number| deployment(&number.to_string(), DeploymentStatus::Active, RolloutState::Completed))
        .collect();
    assert_eq!(completed(&told[..1], &told).len(), KEPT);
    assert_eq!(completed(&told, &[]).len(), 9);
}

#[test]
fn what_became_of_it_is_learnt_from_the_one_that_began_then() {
    let check = |begun: i64, status: ServiceDeploymentStatus, expected: RolloutState| {
        let fate = ServiceDeploymentBrief::builder()
            .created_at(DateTime::from_secs(begun))
            .status(status.clone())
            .status_reason("circuit breaker")
            .build();
        let mut open = deployment("1", DeploymentStatus::Inactive, RolloutState::InProgress);
        learn(&mut open, &[fate]);
        assert_eq!(open.rollout_state, expected, "{status:?} at {begun}");
        let is_settled = expected != RolloutState::InProgress;
        assert_eq!(open.rollout_state_reason == "circuit breaker", is_settled);
    };
    check(1_003, ServiceDeploymentStatus::RollbackSuccessful, RolloutState::Failed);
    check(990, ServiceDeploymentStatus::Successful, RolloutState::Completed);
    check(1_003, ServiceDeploymentStatus::Stopped, RolloutState::Failed);
    check(1_003, ServiceDeploymentStatus::InProgress, RolloutState::InProgress);
    check(
        2_000,
        ServiceDeploymentStatus::RollbackSuccessful,
        RolloutState::InProgress,
    );
}
