use karma_ops::MetricId;

use super::*;
use crate::printer::{ColorChoice, Verbosity};

fn plain() -> Printer {
    Printer::new(ColorChoice::Never, Verbosity::Normal)
}

/// Five minutes from 12:00.
fn answer(series: Vec<MetricSeries>) -> MetricAnswer {
    MetricAnswer {
        from: "2026-01-02T12:00:00Z".parse().unwrap(),
        to: "2026-01-02T12:05:00Z".parse().unwrap(),
        period: MINUTE,
        series,
        usage: None,
    }
}

/// A series whose values are of these minutes after 12:00.
fn series(metric: MetricId, service: &str, statistic: Statistic, values: &[(i64, f64)]) -> MetricSeries {
    let start: Timestamp = "2026-01-02T12:00:00Z".parse().unwrap();
    let point = |(minute, value): &(i64, f64)| Datapoint {
        at: start + SignedDuration::from_mins(*minute),
        value: *value,
    };
    MetricSeries {
        unit: metric.unit(),
        metric,
        service: Some(service.to_owned()),
        statistic,
        datapoints: values.iter().map(point).collect(),
    }
}

fn of_ecs(name: &str, service: &str, values: &[(i64, f64)]) -> MetricSeries {
    let metric = MetricId::new("AWS/ECS", name, [("ClusterName", "main"), ("ServiceName", service)]);
    series(metric, service, Statistic::Average, values)
}

fn of_group(name: &str, service: &str, statistic: Statistic, values: &[(i64, f64)]) -> MetricSeries {
    let dimensions = [("LoadBalancer", "app/main/1"), ("TargetGroup", service)];
    series(
        MetricId::new("AWS/ApplicationELB", name, dimensions),
        service,
        statistic,
        values,
    )
}

#[test]
fn a_metric_is_a_bar_for_each_period_and_a_gap_where_there_is_nothing() {
    let series = of_ecs("CPUUtilization", "hello", &[(1, 10.0), (2, 40.0), (4, 20.0)]);
    insta::assert_snapshot!(chart(&answer(vec![]), &series, plain()));
}

#[test]
fn services_have_a_line_each() {
    let answer = answer(vec![
        of_ecs("CPUUtilization", "hello", &[(0, 5.0), (1, 50.0), (2, 25.5)]),
        of_ecs("MemoryUtilization", "hello", &[(0, 40.0), (1, 40.0), (2, 41.0)]),
        of_ecs("CPUUtilization", "quiet", &[(0, 0.0), (1, 0.0), (2, 0.0)]),
        of_group("RequestCount", "hello", Statistic::Sum, &[(0, 600.0), (1, 1200.0)]),
        of_group(
            "TargetResponseTime",
            "hello",
            Statistic::Percentile(50.0),
            &[(0, 0.0042), (1, 0.005)],
        ),
        of_group(
            "TargetResponseTime",
            "hello",
            Statistic::Percentile(99.0),
            &[(0, 0.1), (1, 1.25)],
        ),
        of_group("HTTPCode_Target_5XX_Count", "hello", Statistic::Sum, &[(1, 3.0)]),
    ]);
    insta::assert_snapshot!(overview::table(&answer, &["hello", "quiet", "new"]).render(plain()));
}

#[test]
fn durations_periods_and_statistics_are_read_as_people_type_them() {
    assert_eq!(duration("1h 30m"), Ok(Duration::from_mins(90)));
    assert_eq!(period("5m"), Ok(Duration::from_mins(5)));
    assert_eq!(statistic("avg"), Ok(Statistic::Average));
    assert_eq!(statistic("Maximum"), Ok(Statistic::Maximum));
    assert_eq!(statistic("p99.9"), Ok(Statistic::Percentile(99.9)));
    assert!(duration("-5m").is_err() && duration("soon").is_err());
    assert!(period("90s").is_err() && period("0s").is_err());
    assert!(statistic("mean").is_err() && statistic("p101").is_err());
}
