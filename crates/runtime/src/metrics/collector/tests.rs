#![expect(clippy::float_cmp, reason = "sums of whole numbers are exact")]

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use karma_balancer::{ListenerStatistics, TargetGroupStatistics};
use karma_fleet::{Address, ContainerInsights, Mode};
use proptest::prelude::*;

use super::super::sample::{DiscoveryNames, Hosts, NameStatistics, ServiceNames, ServiceSample, TargetGroupNames};
use super::*;
use crate::limits::usage::Usage;
use crate::metrics::Statistic;

const SPEED: u32 = 60;

fn collector() -> Collector {
    let speed = NonZeroU32::new(SPEED).unwrap();
    Collector::new(Clock::start(Timestamp::UNIX_EPOCH, speed))
}

fn task(number: u8) -> TaskId {
    TaskId::parse(&format!("{number:032x}")).unwrap()
}

/// Half a vCPU and a GiB.
fn service(insights: ContainerInsights, tasks: &[(u8, Usage)]) -> ServiceSample {
    ServiceSample {
        names: ServiceNames {
            cluster: "main".to_owned(),
            service: "hello".to_owned(),
            family: "hello-family".to_owned(),
        },
        cpu: Some(512),
        memory: Some(1024),
        insights,
        desired_count: 3,
        running_count: tasks.len(),
        pending_count: 1,
        deployment_count: 2,
        tasks: tasks.iter().map(|(number, usage)| (task(*number), *usage)).collect(),
    }
}

fn usage(cpu_milliseconds: u64, mebibytes: u64) -> Usage {
    Usage {
        cpu_time: Duration::from_millis(cpu_milliseconds),
        memory: mebibytes << 20,
        storage_read: 10,
        storage_written: 20,
    }
}

/// So many seconds of real time after the start.
fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds) * SPEED
}

fn seen(seconds: f64, services: Vec<ServiceSample>) -> Sample {
    Sample {
        at: at(seconds),
        services,
        ..Sample::default()
    }
}

fn value(measured: &[Measurement], metric: &MetricId, statistic: Statistic) -> Option<f64> {
    let (_, values) = measured.iter().find(|(known, _)| known == metric)?;
    values.value(statistic)
}

fn of_service(name: &str) -> MetricId {
    MetricId::new("AWS/ECS", name, [("ClusterName", "main"), ("ServiceName", "hello")])
}

#[test]
fn utilization_is_what_tasks_use_of_what_they_have_reserved() {
    let mut collector = collector();
    let look = |seconds, tasks: &[(u8, Usage)]| seen(seconds, vec![service(ContainerInsights::Disabled, tasks)]);
    collector.note(look(0.0, &[(1, usage(0, 256)), (2, usage(500, 512))]));
    collector.note(look(0.5, &[(1, usage(125, 256)), (2, usage(750, 512))]));
    collector.note(look(1.0, &[(1, usage(250, 256)), (2, usage(1000, 512))]));
    let measured = collector.end_minute();
    let check = |name, statistic, expected| assert_eq!(value(&measured, &of_service(name), statistic), Some(expected));
    // A quarter and a half of a vCPU, of half a vCPU each.
    check("CPUUtilization", Statistic::Minimum, 50.0);
    check("CPUUtilization", Statistic::Maximum, 100.0);
    check("CPUUtilization", Statistic::Average, 75.0);
    check("CPUUtilization", Statistic::SampleCount, 2.0);
    check("MemoryUtilization", Statistic::Average, 37.5);
    assert_eq!(measured.len(), 2, "{measured:?}");
}

#[test]
fn a_minute_begins_where_the_one_before_ended() {
    let mut collector = collector();
    let look = |seconds, cpu| {
        seen(
            seconds,
            vec![service(ContainerInsights::Disabled, &[(1, usage(cpu, 1))])],
        )
    };
    for (seconds, cpu) in [(0.5, 100), (1.0, 200)] {
        collector.note(look(seconds, cpu));
    }
    let cpu = |measured: &[Measurement]| value(measured, &of_service("CPUUtilization"), Statistic::Average);
    assert_eq!(cpu(&collector.end_minute()), Some(40.0));
    collector.note(look(2.0, 700));
    assert_eq!(cpu(&collector.end_minute()), Some(100.0));
    assert_eq!(cpu(&collector.end_minute()), None);
}

#[test]
fn a_task_that_was_seen_once_has_memory_and_no_cpu_time_yet() {
    let mut collector = collector();
    collector.note(seen(
        0.5,
        vec![service(ContainerInsights::Disabled, &[(1, usage(400, 512))])],
    ));
    let measured = collector.end_minute();
    assert_eq!(
        value(&measured, &of_service("CPUUtilization"), Statistic::Average),
        None
    );
    assert_eq!(
        value(&measured, &of_service("MemoryUtilization"), Statistic::Average),
        Some(50.0)
    );
}

#[test]
fn container_insights_tell_what_their_setting_says() {
    let dimensions = |insights| {
        let mut collector = collector();
        for (seconds, cpu) in [(0.0, 0), (1.0, 250)] {
            collector.note(seen(seconds, vec![service(insights, &[(1, usage(cpu, 256))])]));
        }
        let measured = collector.end_minute();
        let insights = measured
            .into_iter()
            .filter(|(metric, _)| metric.namespace == "ECS/ContainerInsights");
        insights
            .map(|(metric, values)| {
                let dimensions: Vec<_> = metric.dimensions.into_keys().collect();
                format!("{} {} = {}", metric.name, dimensions.join(","), values.sum)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(dimensions(ContainerInsights::Disabled), [""; 0]);
    let enabled = dimensions(ContainerInsights::Enabled);
    for line in [
        "CpuUtilized ClusterName = 256",
        "CpuUtilized ClusterName,ServiceName = 256",
        "CpuUtilized ClusterName,TaskDefinitionFamily = 256",
        "CpuReserved ClusterName,ServiceName = 512",
        "MemoryUtilized ClusterName,ServiceName = 256",
        "MemoryReserved ClusterName = 1024",
        "StorageReadBytes ClusterName,ServiceName = 10",
        "StorageWriteBytes ClusterName,ServiceName = 20",
        "DesiredTaskCount ClusterName,ServiceName = 3",
        "RunningTaskCount ClusterName,ServiceName = 1",
        "PendingTaskCount ClusterName,ServiceName = 1",
        "DeploymentCount ClusterName,ServiceName = 2",
        "TaskCount ClusterName = 1",
        "ServiceCount ClusterName = 1",
    ] {
        assert!(enabled.iter().any(|known| known == line), "{line}: {enabled:#?}");
    }
    let enhanced = dimensions(ContainerInsights::Enhanced);
    assert!(enabled.iter().all(|line| enhanced.contains(line)));
    assert!(
        enhanced
            .iter()
            .any(|line| line == "TaskCpuUtilization ClusterName,ServiceName,TaskId = 50")
    );
}

fn group() -> TargetGroupNames {
    TargetGroupNames {
        load_balancer: "app/main/1".to_owned(),
        target_group: "targetgroup/hello/2".to_owned(),
    }
}

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

fn requests(seconds: f64, listener: ListenerStatistics, targets: TargetGroupStatistics) -> Sample {
    Sample {
        at: at(seconds),
        load_balancers: [("app/main/1".to_owned(), [(http(), listener)].into())].into(),
        target_groups: [(group(), targets)].into(),
        ..Sample::default()
    }
}

fn of_load_balancer(name: &str) -> MetricId {
    MetricId::new("AWS/ApplicationELB", name, [("LoadBalancer", "app/main/1")])
}

fn of_group(name: &str) -> MetricId {
    let dimensions = [("LoadBalancer", "app/main/1"), ("TargetGroup", "targetgroup/hello/2")];
    MetricId::new("AWS/ApplicationELB", name, dimensions)
}

#[test]
fn a_minute_of_requests_is_the_difference_of_two_looks() {
    let mut collector = collector();
    let listener = |requests, bytes| ListenerStatistics {
        requests,
        processed_bytes: bytes,
        elb_5xx: 2,
        ..ListenerStatistics::default()
    };
    let targets = |requests, errors| TargetGroupStatistics {
        requests,
        target_5xx: errors,
        healthy_hosts: 2,
        unhealthy_hosts: 1,
        ..TargetGroupStatistics::default()
    };
    collector.note(requests(1.0, listener(100, 1000), targets(90, 3)));
    collector.end_minute();
    collector.note(requests(2.0, listener(160, 4000), targets(150, 3)));
    let measured = collector.end_minute();
    let sum = |metric: MetricId| value(&measured, &metric, Statistic::Sum);
    assert_eq!(sum(of_load_balancer("RequestCount")), Some(60.0));
    assert_eq!(
        value(&measured, &of_load_balancer("RequestCount"), Statistic::Maximum),
        Some(1.0)
    );
    assert_eq!(sum(of_load_balancer("ProcessedBytes")), Some(3000.0));
    assert_eq!(sum(of_group("RequestCount")), Some(60.0));
    assert_eq!(sum(of_group("RequestCountPerTarget")), Some(30.0));
    let usage = collector.usage();
    assert_eq!(
        (usage.requests, usage.processed_bytes, usage.duration),
        (160, 4000, at(2.0))
    );
    // What did not happen in this minute is not told.
    assert_eq!(sum(of_load_balancer("HTTPCode_ELB_5XX_Count")), None);
    assert_eq!(sum(of_group("HTTPCode_Target_5XX_Count")), None);
    assert_eq!(
        value(&measured, &of_group("HealthyHostCount"), Statistic::Average),
        Some(2.0)
    );
    assert_eq!(
        value(&measured, &of_group("UnHealthyHostCount"), Statistic::Minimum),
        Some(1.0)
    );
}

#[test]
fn targets_are_counted_in_their_zones() {
    let mut collector = collector();
    let hosts = |healthy, unhealthy| Hosts { healthy, unhealthy };
    for (seconds, healthy) in [(0.5, 2), (1.0, 1)] {
        collector.note(Sample {
            at: at(seconds),
            zones: [((group(), "us-east-1a".to_owned()), hosts(healthy, 1))].into(),
            ..Sample::default()
        });
    }
    let measured = collector.end_minute();
    let mut metric = of_group("HealthyHostCount");
    metric
        .dimensions
        .insert("AvailabilityZone".to_owned(), "us-east-1a".to_owned());
    assert_eq!(value(&measured, &metric, Statistic::Average), Some(1.5));
    assert_eq!(
        value(&measured, &of_group("HealthyHostCount"), Statistic::Average),
        None
    );
}

#[test]
fn a_counter_that_is_begun_anew_counts_from_zero() {
    let mut collector = collector();
    let listener = |requests| ListenerStatistics {
        requests,
        ..ListenerStatistics::default()
    };
    collector.note(requests(1.0, listener(100), TargetGroupStatistics::default()));
    collector.end_minute();
    collector.note(requests(2.0, listener(7), TargetGroupStatistics::default()));
    let sum = value(
        &collector.end_minute(),
        &of_load_balancer("RequestCount"),
        Statistic::Sum,
    );
    assert_eq!(sum, Some(7.0));
}

#[test]
fn capacity_units_are_the_highest_of_four_measures() {
    let check = |listener: ListenerStatistics, expected: f64| {
        let mut collector = collector();
        collector.note(requests(1.0, listener, TargetGroupStatistics::default()));
        let measured = collector.end_minute();
        let told = value(&measured, &of_load_balancer("ConsumedLCUs"), Statistic::Maximum).unwrap_or_default();
        assert!((told - expected).abs() < 1e-9, "{told} instead of {expected}");
    };
    let nothing = ListenerStatistics::default();
    check(nothing.clone(), 0.0);
    // 25 new connections a second for a minute.
    check(
        ListenerStatistics {
            new_connections: 1500,
            ..nothing.clone()
        },
        1.0,
    );
    check(
        ListenerStatistics {
            active_connections: 6000,
            ..nothing.clone()
        },
        2.0,
    );
    // A GB an hour is a sixtieth of it in a minute.
    check(
        ListenerStatistics {
            processed_bytes: 1_000_000_000,
            new_connections: 1500,
            ..nothing.clone()
        },
        60.0,
    );
    // 1000 rules a second beside the ten that are free for each request.
    check(
        ListenerStatistics {
            rule_evaluations: 61_000,
            requests: 100,
            ..nothing
        },
        1.0,
    );
}

#[test]
fn a_service_connect_name_is_told_by_itself_and_with_who_offers_it() {
    let names = DiscoveryNames {
        discovery_name: "hello-http".to_owned(),
        offered_by: Some(("main".to_owned(), "hello".to_owned())),
    };
    let mut counted = NameStatistics::default();
    (counted.listener.requests, counted.targets.target_2xx) = (7, 6);
    let mut collector = collector();
    collector.note(Sample {
        at: at(1.0),
        names: [(names, counted)].into(),
        ..Sample::default()
    });
    let measured = collector.end_minute();
    let check = |metric, expected| assert_eq!(value(&measured, &metric, Statistic::Sum), Some(expected));
    let name = ("DiscoveryName", "hello-http");
    check(MetricId::new("AWS/ECS", "RequestCount", [name]), 7.0);
    let dimensions = [name, ("ClusterName", "main"), ("ServiceName", "hello")];
    check(MetricId::new("AWS/ECS", "RequestCount", dimensions), 7.0);
    let called = MetricId::new(
        "AWS/ECS",
        "HTTPCode_Target_2XX_Count",
        [("TargetDiscoveryName", "hello-http")],
    );
    check(called, 6.0);
}

proptest! {
    /// However the looks fall, each request is told in one minute.
    #[test]
    fn no_request_is_lost_or_told_twice(steps in prop::collection::vec((0_u64..50, any::<bool>()), 1..40)) {
        let mut collector = collector();
        let (mut total, mut told) = (0, 0.0);
        let sum = |measured: &[Measurement]| value(measured, &of_load_balancer("RequestCount"), Statistic::Sum);
        for (second, (more, ends)) in steps.into_iter().enumerate() {
            total += more;
            let listener = ListenerStatistics { requests: total, ..ListenerStatistics::default() };
            let seconds = f64::from(u32::try_from(second).unwrap());
            collector.note(requests(seconds, listener, TargetGroupStatistics::default()));
            if ends {
                told += sum(&collector.end_minute()).unwrap_or_default();
            }
        }
        told += sum(&collector.end_minute()).unwrap_or_default();
        prop_assert_eq!(told, f64::from(u32::try_from(total).unwrap()));
    }
}
