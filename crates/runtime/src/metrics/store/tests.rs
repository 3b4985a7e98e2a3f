#![expect(clippy::float_cmp, reason = "sums of whole numbers are exact")]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::time::Instant;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn cpu() -> MetricId {
    MetricId::new(
        "AWS/ECS",
        "CPUUtilization",
        [("ClusterName", "main"), ("ServiceName", "hello")],
    )
}

/// So many seconds after a full hour.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn open(directory: &TempDir, seconds: i64) -> MetricStore {
    MetricStore::open(directory.path(), at(seconds)).unwrap()
}

/// The sums of each minute, by their minute.
fn sums(store: &MetricStore, minutes: i64) -> Vec<(i64, f64)> {
    let found = store.query(&cpu(), Statistic::Sum, at(-3600), at(minutes * 60), MINUTE);
    let minute = |point: &Datapoint| (point.at.as_second() - at(0).as_second()) / 60;
    found.iter().map(|point| (minute(point), point.value)).collect()
}

#[test]
fn values_of_one_minute_are_told_as_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 0);
    store.put(&cpu(), at(1), StatisticSet::of(10.0));
    store.put(&cpu(), at(59), StatisticSet::of(30.0));
    store.put(&cpu(), at(60), StatisticSet::of(5.0));
    let check = |statistic, expected: &[f64]| {
        let found = store.query(&cpu(), statistic, at(0), at(120), MINUTE);
        assert_eq!(
            found.iter().map(|point| point.value).collect::<Vec<_>>(),
            expected,
            "{statistic}"
        );
    };
    check(Statistic::Average, &[20.0, 5.0]);
    check(Statistic::Sum, &[40.0, 5.0]);
    check(Statistic::Minimum, &[10.0, 5.0]);
    check(Statistic::Maximum, &[30.0, 5.0]);
    check(Statistic::SampleCount, &[2.0, 1.0]);
    check(Statistic::Percentile(100.0), &[30.0, 5.0]);
}

#[test]
fn only_a_metric_with_exactly_these_dimensions_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 0);
    store.put(&cpu(), at(1), StatisticSet::of(10.0));
    let check = |dimensions: &[(&str, &str)], found: usize| {
        let pairs = dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let metric = MetricId {
            dimensions: pairs.collect(),
            ..cpu()
        };
        let points = store.query(&metric, Statistic::Sum, at(0), at(60), MINUTE);
        assert_eq!(points.len(), found, "{dimensions:?}");
    };
    check(&[("ClusterName", "main"), ("ServiceName", "hello")], 1);
    check(&[("ClusterName", "main")], 0);
    check(&[("ClusterName", "main"), ("ServiceName", "hello"), ("More", "x")], 0);
    check(&[("ClusterName", "main"), ("ServiceName", "other")], 0);
}

#[test]
fn metrics_are_listed_by_what_they_have_among_other_things() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 0);
    let of_cluster = MetricId::new("ECS/ContainerInsights", "TaskCount", [("ClusterName", "main")]);
    store.put(&cpu(), at(1), StatisticSet::of(1.0));
    store.put(&of_cluster, at(1), StatisticSet::of(1.0));
    let check = |filter: MetricFilter, expected: &[MetricId]| assert_eq!(store.list(&filter), expected);
    check(MetricFilter::default(), &[cpu(), of_cluster.clone()]);
    let namespace = Some("AWS/ECS".to_owned());
    check(
        MetricFilter {
            namespace,
            ..MetricFilter::default()
        },
        &[cpu()],
    );
    let dimensions = of_cluster.dimensions.clone();
    check(
        MetricFilter {
            dimensions,
            ..MetricFilter::default()
        },
        &[cpu(), of_cluster],
    );
}

#[test]
fn what_was_written_outlives_a_kill_and_a_torn_line_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 0);
    for minute in 0..3 {
        store.put(&cpu(), at(minute * 60), StatisticSet::of(7.0));
    }
    // The minute that goes on is not written yet.
    store.flush(at(125)).unwrap();
    drop(store);
    let file = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    OpenOptions::new()
        .append(true)
        .open(&file)
        .unwrap()
        .write_all(b"0 2 1 9")
        .unwrap();

    let store = open(&directory, 130);
    assert_eq!(sums(&store, 5), [(0, 7.0), (1, 7.0)]);
    store.put(&cpu(), at(130), StatisticSet::of(3.0));
    store.flush_all().unwrap();
    assert_eq!(sums(&open(&directory, 140), 5), [(0, 7.0), (1, 7.0), (2, 3.0)]);
}

#[test]
fn a_minute_that_goes_on_after_a_restart_is_one_minute() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 0);
    store.put(&cpu(), at(1), StatisticSet::of(7.0));
    store.flush_all().unwrap();
    let store = open(&directory, 30);
    store.put(&cpu(), at(31), StatisticSet::of(2.0));
    store.flush_all().unwrap();
    assert_eq!(sums(&open(&directory, 60), 5), [(0, 9.0)]);
}

#[test]
fn times_that_are_yet_to_come_were_of_a_faster_clock() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 0);
    for minute in [0, 5, 90] {
        store.put(&cpu(), at(minute * 60), StatisticSet::of(7.0));
    }
    store.flush_all().unwrap();
    let store = open(&directory, 60);
    assert_eq!(sums(&store, 100), [(0, 7.0)]);
    store.put(&cpu(), at(5 * 60), StatisticSet::of(1.0));
    store.flush_all().unwrap();
    assert_eq!(sums(&open(&directory, 100 * 60), 100), [(0, 7.0), (5, 1.0)]);
}

#[test]
fn garbage_in_a_file_costs_no_more_than_itself() {
    let check = |text: &[u8], expected: &[(i64, f64)]| {
        let directory = tempfile::tempdir().unwrap();
        let name = format!("{}.metrics", at(0).as_second() / 3600);
        fs::write(directory.path().join(name), text).unwrap();
        let store = open(&directory, 60);
        assert_eq!(sums(&store, 5), expected);
        store.put(&cpu(), at(60), StatisticSet::of(1.0));
        store.flush_all().unwrap();
        assert_eq!(sums(&open(&directory, 120), 5), [expected, &[(1, 1.0)]].concat());
    };
    let name = serde_json::to_string(&cpu()).unwrap();
    let good = format!("karma metrics 1\n= 0 {name}\n0 0 1 4 4 4\n");
    check(good.as_bytes(), &[(0, 4.0)]);
    check(
        &[good.as_bytes(), b"\xff\xfe\n7 1 1 1 1 1\n0 x\n= 9 {}\n\n"].concat(),
        &[(0, 4.0)],
    );
    check(b"", &[]);
    check(b"karma metrics 2\n0 0 1 4 4 4\n", &[]);
    check(b"\0\0\0", &[]);
}

#[test]
fn what_cannot_be_written_is_kept_and_written_later() {
    let directory = tempfile::tempdir().unwrap();
    let in_the_way = directory.path().join(format!("{}.metrics", at(0).as_second() / 3600));
    let store = open(&directory, 0);
    fs::create_dir(&in_the_way).unwrap();
    store.put(&cpu(), at(0), StatisticSet::of(7.0));
    store.flush(at(60)).unwrap_err();
    store.put(&cpu(), at(60), StatisticSet::of(3.0));
    store.put(&cpu(), at(60), StatisticSet::of(f64::NAN));
    assert_eq!(sums(&store, 5), [(0, 7.0), (1, 3.0)]);
    fs::remove_dir(&in_the_way).unwrap();
    store.flush(at(120)).unwrap();
    assert_eq!(sums(&open(&directory, 120), 5), [(0, 7.0), (1, 3.0)]);
}

#[test]
fn old_hours_go_and_what_memory_has_no_more_is_read_from_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 0);
    store.put(&cpu(), at(0), StatisticSet::of(7.0));
    let days = |days: i64| at(days * 86_400);
    store.flush(days(3)).unwrap();
    let query = |store: &MetricStore| store.query(&cpu(), Statistic::Sum, at(0), at(60), MINUTE).len();
    assert_eq!((store.list(&MetricFilter::default()), query(&store)), (vec![], 1));
    store.flush(days(16)).unwrap();
    assert_eq!(query(&store), 0);
}

#[test]
fn a_hundred_thousand_points_are_quick() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory, 0);
    let metrics: Vec<_> = (0..100)
        .map(|task| MetricId::new("N", "M", [("TaskId", &*task.to_string())]))
        .collect();
    let begun = Instant::now();
    for minute in 0..1000 {
        for metric in &metrics {
            store.put(metric, at(minute * 60), StatisticSet::of(1.0));
        }
        store.flush(at(minute * 60)).unwrap();
    }
    for metric in &metrics {
        let hourly = store.query(metric, Statistic::Sum, at(0), at(60_000), Duration::from_hours(1));
        assert_eq!(hourly.iter().map(|point| point.value).sum::<f64>(), 1000.0);
    }
    drop(store);
    let again = open(&directory, 60_000);
    assert_eq!(again.list(&MetricFilter::default()).len(), 100);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However long the periods, nothing is lost or counted twice; and periods of periods are periods.
    #[test]
    fn sums_are_conserved(values in prop::collection::vec((0_i64..7200, 0_u32..1000), 1..80), period in 1_u64..30) {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory, 0);
        for (second, value) in &values {
            store.put(&cpu(), at(*second), StatisticSet::of(f64::from(*value)));
        }
        let total: f64 = values.iter().map(|(_, value)| f64::from(*value)).sum();
        let query = |statistic, minutes| {
            store.query(&cpu(), statistic, at(0), at(7200), Duration::from_mins(minutes))
        };
        let sum = |points: Vec<Datapoint>| points.iter().map(|point| point.value).sum::<f64>();
        prop_assert_eq!(sum(query(Statistic::Sum, period)), total);
        prop_assert_eq!(sum(query(Statistic::SampleCount, period)), f64::from(u32::try_from(values.len()).unwrap()));
        let largest = |points: Vec<Datapoint>| points.iter().map(|point| point.value).fold(0.0, f64::max);
        prop_assert_eq!(largest(query(Statistic::Maximum, 1)), largest(query(Statistic::Maximum, period)));
        for point in query(Statistic::Sum, period) {
            let end = point.at + jiff::SignedDuration::from_mins(i64::try_from(period).unwrap());
            let inner = store.query(&cpu(), Statistic::Sum, point.at, end.min(at(7200)), MINUTE);
            prop_assert_eq!(sum(inner), point.value);
        }
    }

    /// What is read again after any number of flushes is what was put.
    #[test]
    fn memory_and_disk_agree(values in prop::collection::vec((0_i64..7200, 0_u32..1000), 1..60), flushes in prop::collection::vec(0_i64..7200, 0..5)) {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory, 0);
        let mut flushes = flushes.into_iter();
        for (second, value) in &values {
            store.put(&cpu(), at(*second), StatisticSet::of(f64::from(*value)));
            if let Some(now) = flushes.next() {
                store.flush(at(now)).unwrap();
            }
        }
        store.flush_all().unwrap();
        prop_assert_eq!(sums(&open(&directory, 7200), 120), sums(&store, 120));
    }
}
