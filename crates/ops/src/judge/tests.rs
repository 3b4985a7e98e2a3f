use super::*;
use crate::testing::{id, observation_of};

/// What the service `api` with these deployments is judged to be, following the deployment `1`.
fn check(deployments: &str, expected: &str) {
    let until = Until::Stable {
        deployment: Some(id("1")),
    };
    let found = match judge(&observation_of(deployments), "api", &until) {
        Verdict::UnderWay(progress) => format!("under way: {}", progress.tasks),
        Verdict::Stable(stable) => format!("stable: {} of {}", stable.running_count, stable.task_definition),
        Verdict::NotStable(why) => why.to_string(),
    };
    assert_eq!(found, expected, "{deployments}");
}

#[test]
fn a_deployment_is_followed_to_its_own_end() {
    check("1 PRIMARY IN_PROGRESS 1/2", "under way: 1/2 running");
    check("1 PRIMARY IN_PROGRESS 2/2", "under way: 2/2 running");
    check("1 PRIMARY COMPLETED 2/2", "stable: 2 of api:1");
    check("1 PRIMARY COMPLETED 1/2", "under way: 1/2 running");
    check("1 PRIMARY COMPLETED 0/0", "stable: 0 of api:1");
    check("1 PRIMARY FAILED 0/2", "the deployment of api:1 has failed: reason 1");
}

#[test]
fn a_deployment_that_is_replaced_is_not_stable() {
    let superseded = "a deployment of api:2 has taken its place";
    check("2 PRIMARY IN_PROGRESS 0/2\n1 ACTIVE IN_PROGRESS 1/2", superseded);
    check("2 PRIMARY COMPLETED 2/2\n1 INACTIVE COMPLETED 0/0", superseded);
    check("2 PRIMARY COMPLETED 2/2", superseded);
}

#[test]
fn a_rollback_is_followed_to_its_end_too() {
    check(
        "0 PRIMARY IN_PROGRESS 1/2\n1 ACTIVE FAILED 0/0",
        "under way: 1/2 running",
    );
    check(
        "0 PRIMARY COMPLETED 2/2\n1 INACTIVE FAILED 0/0",
        "the deployment of api:1 has failed and was rolled back to api:0: reason 1",
    );
    check(
        "0 PRIMARY FAILED 0/2\n1 INACTIVE FAILED 0/0",
        "the deployment of api:0 has failed: reason 0",
    );
}

#[test]
fn only_tasks_of_the_deployment_tell_why_it_failed() {
    let seen = observation_of("0 PRIMARY COMPLETED 2/2 stopped\n1 INACTIVE FAILED 0/0 stopped");
    let until = Until::Stable {
        deployment: Some(id("1")),
    };
    let Verdict::NotStable(NotStable::RolledBack { stopped, .. }) = judge(&seen, "fleet-api", &until) else {
        panic!("it was rolled back");
    };
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0].deployment, id("1"));
}

#[test]
fn health_is_a_matter_of_the_service_alone() {
    let check = |deployments: &str, healthy: bool| {
        let verdict = judge(&observation_of(deployments), "api", &Until::Healthy);
        assert_eq!(matches!(verdict, Verdict::Stable(_)), healthy, "{deployments}");
    };
    check("2 PRIMARY IN_PROGRESS 2/2\n1 ACTIVE COMPLETED 1/0", true);
    check("2 PRIMARY COMPLETED 1/2", false);
}

#[test]
fn an_unknown_service_is_told_which_there_are() {
    let verdict = judge(&observation_of("1 PRIMARY COMPLETED 1/1"), "apy", &Until::stable());
    let known = vec!["api".to_owned()];
    let service = "apy".to_owned();
    assert_eq!(
        verdict,
        Verdict::NotStable(NotStable::UnknownService { service, known })
    );
}

#[test]
fn a_deployment_without_room_does_not_come_to_an_end() {
    let mut seen = observation_of("1 PRIMARY IN_PROGRESS 1/2");
    let reason = format!("ECS deployment 1 {}", crate::deployment::DEADLOCK);
    seen.services[0].deployments[0].rollout_state_reason = reason;
    let verdict = judge(&seen, "api", &Until::stable());
    assert!(
        matches!(&verdict, Verdict::NotStable(NotStable::Deadlocked { .. })),
        "{verdict:?}"
    );
}

/// What the service `api` with these deployments is judged to be, following the revision `api:2`.
fn check_revision(deployments: &str, expected: &str) {
    let until = Until::Revision {
        task_definition: "api:2".to_owned(),
    };
    let found = match judge(&observation_of(deployments), "api", &until) {
        Verdict::UnderWay(progress) => format!("under way: {}", progress.tasks),
        Verdict::Stable(stable) => format!("stable: {} of {}", stable.running_count, stable.task_definition),
        Verdict::NotStable(why) => why.to_string(),
    };
    assert_eq!(found, expected, "{deployments}");
}

#[test]
fn a_revision_is_followed_by_whichever_deployment_has_it() {
    check_revision(
        "2 PRIMARY IN_PROGRESS 1/2\n1 ACTIVE COMPLETED 2/2",
        "under way: 1/2 running",
    );
    check_revision("2 PRIMARY COMPLETED 2/2", "stable: 2 of api:2");
    check_revision("2 PRIMARY FAILED 0/2", "the deployment of api:2 has failed: reason 2");
}

#[test]
fn an_older_revision_in_its_place_is_a_rollback() {
    let rolled_back = "the deployment of api:2 has failed and was rolled back to api:1: reason";
    check_revision(
        "1 PRIMARY IN_PROGRESS 1/2\n2 ACTIVE FAILED 0/0",
        "under way: 1/2 running",
    );
    check_revision(
        "1 PRIMARY COMPLETED 2/2\n2 INACTIVE FAILED 0/0",
        &format!("{rolled_back} 2"),
    );
    check_revision("1 PRIMARY IN_PROGRESS 1/2", "under way: 1/2 running");
    check_revision("1 PRIMARY COMPLETED 2/2", &format!("{rolled_back} 1"));
}

#[test]
fn a_newer_revision_in_its_place_is_somebody_elses() {
    check_revision("3 PRIMARY COMPLETED 2/2", "a deployment of api:3 has taken its place");
    check_revision(
        "10 PRIMARY IN_PROGRESS 0/2",
        "a deployment of api:10 has taken its place",
    );
}
