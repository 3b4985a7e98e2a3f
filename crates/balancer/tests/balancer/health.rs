//! Health checks against targets that are well, ill, or absent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http::{Response, StatusCode};
use karma_balancer::{Attributes, HealthCheck, HealthState, Matcher, TargetGroup, TargetGroupSettings, TargetHealth};
use tokio::time::timeout;

use crate::support::{DEADLINE, all_to, get, listener, named, nobody, silent, target};

pub(crate) fn check() -> HealthCheck {
    HealthCheck {
        path: "/health?deep=1".to_owned(),
        port: None,
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(500),
        healthy_threshold: 2,
        unhealthy_threshold: 2,
        matcher: Matcher::default(),
    }
}

pub(crate) fn checked(check: HealthCheck, targets: &[SocketAddr]) -> TargetGroup {
    let group = TargetGroup::new(TargetGroupSettings {
        health_check: Some(check),
        deregistration_delay: DEADLINE,
        ..TargetGroupSettings::named("checked")
    });
    for target in targets {
        group.register(*target);
    }
    group
}

/// Waits for the target to get to this state, by the notices of the group alone.
async fn wait_for(group: &TargetGroup, target: SocketAddr, state: HealthState) -> TargetHealth {
    let mut changes = group.subscribe();
    let reached = async {
        while group.health(target).state != state {
            changes.changed().await.unwrap();
        }
    };
    timeout(DEADLINE, reached)
        .await
        .unwrap_or_else(|_| panic!("still {:?}", group.health(target)));
    group.health(target)
}

/// A target whose health is what the number says, and which insists on being asked as AWS asks.
async fn patient(status: &Arc<AtomicU16>) -> SocketAddr {
    let status = Arc::clone(status);
    target(move |request| {
        let headers = request.headers();
        let host = headers["host"].to_str().unwrap();
        let as_aws = request.uri() == "/health?deep=1"
            && headers["user-agent"] == "ELB-HealthChecker/2.0"
            && headers["connection"] == "close"
            && host.parse::<SocketAddr>().is_ok();
        let status = if as_aws { status.load(Ordering::SeqCst) } else { 599 };
        async move {
            let mut answer = Response::default();
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            answer
        }
    })
    .await
}

#[tokio::test]
async fn a_target_falls_ill_and_recovers() {
    let status = Arc::new(AtomicU16::new(200));
    let target = patient(&status).await;
    let group = checked(check(), &[target]);
    assert_eq!(group.health(target).state, HealthState::Initial);
    assert_eq!(group.health(target).reason, Some("Elb.InitialHealthChecking"));
    assert_eq!(wait_for(&group, target, HealthState::Healthy).await.reason, None);
    status.store(500, Ordering::SeqCst);
    let ill = wait_for(&group, target, HealthState::Unhealthy).await;
    assert_eq!(ill.reason, Some("Target.ResponseCodeMismatch"));
    assert_eq!(
        ill.description.as_deref(),
        Some("Health checks failed with these codes: [500]")
    );
    status.store(200, Ordering::SeqCst);
    wait_for(&group, target, HealthState::Healthy).await;
    group.deregister(target).await;
    assert_eq!(group.health(target).reason, Some("Target.NotRegistered"));
}

#[tokio::test]
async fn the_reason_tells_absent_from_silent_from_nonsense() {
    let silent = silent();
    let (absent, silent, well) = (nobody().await, silent.await, named("it").await);
    let impatient = HealthCheck {
        timeout: Duration::from_millis(50),
        ..check()
    };
    let group = checked(impatient, &[absent, silent]);
    assert_eq!(
        wait_for(&group, absent, HealthState::Unhealthy).await.reason,
        Some("Target.FailedHealthChecks")
    );
    let silent = wait_for(&group, silent, HealthState::Unhealthy).await;
    assert_eq!(
        (silent.reason, silent.description.as_deref()),
        (Some("Target.Timeout"), Some("Request timed out"))
    );
    let nonsense = checked(
        HealthCheck {
            path: "no path".to_owned(),
            ..check()
        },
        &[well],
    );
    assert_eq!(
        wait_for(&nonsense, well, HealthState::Unhealthy).await.reason,
        Some("Elb.InternalError")
    );
}

#[tokio::test]
async fn another_port_may_answer_for_the_target() {
    let (doctor, target) = (named("doctor").await, nobody().await);
    let group = checked(
        HealthCheck {
            port: Some(doctor.port()),
            ..check()
        },
        &[target],
    );
    wait_for(&group, target, HealthState::Healthy).await;
}

#[tokio::test]
async fn the_first_success_is_enough_and_comes_at_once() {
    let target = named("it").await;
    let slow = HealthCheck {
        interval: Duration::from_hours(1),
        healthy_threshold: 10,
        ..check()
    };
    wait_for(&checked(slow, &[target]), target, HealthState::Healthy).await;
}

#[tokio::test]
async fn only_the_healthy_serve_and_if_none_is_all_do() {
    let status = Arc::new(AtomicU16::new(200));
    let well = patient(&status).await;
    let ill = target(|request| async move {
        let mut answer = Response::new("ill".into());
        if request.uri().path() == "/health" {
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        answer
    });
    let ill = ill.await;
    let group = checked(check(), &[well, ill]);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    wait_for(&group, well, HealthState::Healthy).await;
    wait_for(&group, ill, HealthState::Unhealthy).await;
    for _ in 0..4 {
        assert_eq!(
            get(&balancer, "/").await.status,
            599,
            "only the healthy one, which dislikes this path"
        );
    }
    status.store(500, Ordering::SeqCst);
    wait_for(&group, well, HealthState::Unhealthy).await;
    let answers = [get(&balancer, "/").await.body, get(&balancer, "/").await.body];
    assert!(
        answers.contains(&"ill".to_owned()) && answers.contains(&String::new()),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_target_that_is_not_judged_yet_serves_if_it_is_alone() {
    let target = target(|request| async move {
        if request.uri().path() == "/health" {
            std::future::pending::<()>().await;
        }
        Response::new("early".into())
    });
    let target = target.await;
    let group = checked(
        HealthCheck {
            timeout: DEADLINE,
            ..check()
        },
        &[target],
    );
    let balancer = listener(all_to(&group), Attributes::default()).await;
    assert_eq!(get(&balancer, "/").await.body, "early");
    assert_eq!(group.health(target).state, HealthState::Initial);
}

#[tokio::test]
async fn checks_end_with_the_group() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let target = target(move |_| {
        let _ = tell.send(());
        async { Response::default() }
    });
    let group = checked(
        HealthCheck {
            interval: Duration::from_hours(1),
            ..check()
        },
        &[target.await],
    );
    let changes = group.subscribe();
    told.recv().await.unwrap();
    drop(group);
    assert!(changes.has_changed().is_err(), "the group should be gone");
}
