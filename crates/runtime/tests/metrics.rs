//! What is measured of real processes, in a run whose minutes are seconds.

#![expect(clippy::float_cmp, reason = "sums of whole numbers are exact")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the other tests use more of it")]
mod support;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use karma_ops::{MetricAnswer, MetricQuery, MetricSeries};
use karma_runtime::{Control, LocalOrchestrator, Options, Urgency};
use support::fleet::{TestFleet, TestService, server, service, shell};
use support::{PATIENCE, get, new_fleet, options, secrets};
use tempfile::TempDir;

/// A service that answers requests, and one that keeps a processor busy for a while.
fn fleet() -> TestFleet {
    let hello = TestService {
        behind_load_balancer: true,
        ..service("hello", server())
    };
    let busy = shell("end=$(($(date +%s) + 5)); while [ $(date +%s) -lt $end ]; do :; done; exec sleep 60");
    let mut fleet = new_fleet().with(&hello).with(&service("busy", busy));
    for definition in fleet.fleet.task_definitions.values_mut() {
        (definition.cpu, definition.memory) = (Some(256), Some(512));
    }
    fleet
}

async fn start(directory: &TempDir) -> LocalOrchestrator {
    let options = Options {
        speed: NonZeroU32::new(60).unwrap(),
        ..options(directory.path())
    };
    let fleet = fleet();
    let started = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets(), options).await;
    let local = started.unwrap();
    local.wait_until_steady(PATIENCE).await;
    local
}

fn everything() -> MetricQuery {
    MetricQuery {
        metrics: vec![],
        namespace: None,
        service: None,
        since: Duration::from_hours(1),
        period: Duration::from_mins(1),
    }
}

fn find<'a>(answer: &'a MetricAnswer, service: &str, name: &str) -> Option<&'a MetricSeries> {
    let is_meant = |series: &&MetricSeries| series.service.as_deref() == Some(service) && series.metric.name == name;
    answer.series.iter().find(is_meant)
}

fn sum(answer: &MetricAnswer, service: &str, name: &str) -> f64 {
    let points = find(answer, service, name)
        .into_iter()
        .flat_map(|series| &series.datapoints);
    points.map(|point| point.value).sum()
}

/// Asks until the answer is as wanted.
async fn ask_until(local: &LocalOrchestrator, wanted: impl Fn(&MetricAnswer) -> bool) -> MetricAnswer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = local.metrics(everything()).await;
        if wanted(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "it never came: {answer:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn tasks_and_requests_are_measured_and_outlive_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let local = start(&directory).await;
    let observation = local.observe().await;
    let hello = observation
        .services
        .iter()
        .find(|service| service.label == "hello")
        .unwrap();
    let url = hello.url.clone().unwrap();
    for _ in 0..5 {
        assert_eq!(get(&format!("{url}/host")).await.0, 200);
    }
    let answer = ask_until(&local, |answer| {
        sum(answer, "hello", "RequestCount") >= 5.0 && sum(answer, "busy", "CPUUtilization") > 10.0
    })
    .await;
    assert_eq!(sum(&answer, "hello", "HTTPCode_Target_2XX_Count"), 5.0);
    assert!(sum(&answer, "hello", "TargetResponseTime") > 0.0);
    let dimensions = &find(&answer, "hello", "HTTPCode_Target_2XX_Count")
        .unwrap()
        .metric
        .dimensions;
    assert!(
        dimensions["LoadBalancer"].starts_with("app/main/local-"),
        "{dimensions:?}"
    );
    assert!(
        dimensions["TargetGroup"].starts_with("targetgroup/hello/local-"),
        "{dimensions:?}"
    );
    assert!(find(&answer, "hello", "HealthyHostCount").unwrap().last().unwrap() > 0.0);
    assert!(find(&answer, "hello", "MemoryUtilization").unwrap().last().unwrap() > 0.0);
    assert_eq!(answer.usage.unwrap().requests, 5);
    assert!(answer.usage.unwrap().processed_bytes > 100);

    // Another process is told the same.
    let query = MetricQuery {
        service: Some("hello".to_owned()),
        ..everything()
    };
    let control = Control::connect(&directory.path().join(".karma")).await.unwrap();
    let told = control.metrics(query).await.unwrap();
    assert_eq!(sum(&told, "hello", "RequestCount"), 5.0);
    assert_eq!(find(&told, "busy", "CPUUtilization"), None);

    local.stop(Urgency::AtOnce).await;
    assert!(
        directory
            .path()
            .join(".karma/metrics")
            .read_dir()
            .unwrap()
            .next()
            .is_some()
    );
}
