use std::num::NonZeroU32;

use karma_balancer::ListenerStatistics;
use karma_fleet::{Address, Mode};
use tokio::time::sleep_until;

use super::*;
use crate::metrics::{MetricId, Statistic};

/// The only listener.
fn http() -> Address {
    Address {
        module: vec![],
        mode: Mode::Managed,
        kind: "aws_lb_listener".to_owned(),
        name: "http".to_owned(),
        key: None,
    }
}

/// The sums of each minute of a run in which a request comes every second of real time.
async fn minutes(began: &str, speed: u32, real: Duration) -> Vec<(String, f64)> {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::start(began.parse().unwrap(), NonZeroU32::new(speed).unwrap());
    let store = MetricStore::open(directory.path(), clock.began()).unwrap();
    let mut sampler = Sampler::new(clock, store.clone());
    let start = Instant::now();
    while start.elapsed() < real {
        sleep_until(sampler.next_look()).await;
        let requests = start.elapsed().as_secs();
        let listener = ListenerStatistics {
            requests,
            ..ListenerStatistics::default()
        };
        let sample = Sample {
            at: clock.now(),
            load_balancers: [("app/main/1".to_owned(), [(http(), listener)].into())].into(),
            ..Sample::default()
        };
        sampler.note(sample).unwrap();
    }
    let metric = MetricId::new("AWS/ApplicationELB", "RequestCount", [("LoadBalancer", "app/main/1")]);
    let end = clock.at(clock.now()).saturating_add(MINUTE).unwrap();
    let found = store.query(&metric, Statistic::Sum, clock.began(), end, MINUTE);
    found.iter().map(|point| (point.at.to_string(), point.value)).collect()
}

async fn check(began: &str, speed: u32, real: u64, expected: &[(&str, f64)]) {
    let found = minutes(began, speed, Duration::from_secs(real)).await;
    let expected: Vec<_> = expected.iter().map(|(at, value)| ((*at).to_owned(), *value)).collect();
    assert_eq!(found, expected);
}

#[tokio::test(start_paused = true)]
async fn minutes_are_those_of_the_calendar() {
    let expected = [("2026-01-02T03:04:00Z", 20.0), ("2026-01-02T03:05:00Z", 60.0)];
    check("2026-01-02T03:04:40Z", 1, 80, &expected).await;
}

#[tokio::test(start_paused = true)]
async fn minutes_are_those_of_the_runs_clock() {
    let expected = [
        ("2026-01-02T03:04:00Z", 6.0),
        ("2026-01-02T03:05:00Z", 6.0),
        ("2026-01-02T03:06:00Z", 6.0),
    ];
    check("2026-01-02T03:04:00Z", 10, 18, &expected).await;
}

#[tokio::test(start_paused = true)]
async fn minutes_that_are_too_short_to_look_at_are_told_as_one() {
    // Fifty minutes a second: at most ten looks.
    let found = minutes("2026-01-02T03:04:00Z", 3000, Duration::from_secs(4)).await;
    assert!(found.iter().map(|(_, value)| value).sum::<f64>() >= 3.0, "{found:?}");
}
