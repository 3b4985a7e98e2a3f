use karma_fleet::Span;
use karma_fleet::metric::MetricTransformation;
use karma_fleet::metric::filter_pattern::FilterPattern;
use proptest::prelude::*;

use super::*;
use crate::metrics::Statistic;

fn matches(pattern: &str, message: &str) -> bool {
    let pattern = FilterPattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    Matcher::new(&pattern).find(&Event::new(message)).is_some()
}

fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    for message in matching {
        assert!(matches(pattern, message), "{pattern} should match {message}");
    }
    for message in others {
        assert!(!matches(pattern, message), "{pattern} should not match {message}");
    }
}

#[test]
fn terms() {
    let error = "[ERROR 400] BAD REQUEST";
    let both = "[ERROR 419] MISSING ARGUMENTS";
    check("ERROR", &[error, both], &["[error 400]", "all well"]);
    check("ERROR ARGUMENTS", &[both], &[error]);
    check("?ERROR ?ARGUMENTS", &[error, both, "INVALID ARGUMENTS"], &["all well"]);
    check("ERROR -ARGUMENTS", &[error], &[both]);
    check("-ERROR", &["all well"], &[error]);
    check("?REQUEST ERROR", &[error, both], &["BAD REQUEST"]);
    check("\"BAD REQUEST\"", &[error], &["REQUEST BAD"]);
    check("%4[0-9]{2}%", &[error, both], &["500", "4x4"]);
    check("\" \"", &["anything", ""], &[]);
    check("", &["anything"], &[]);
}

const EVENT: &str = r#"{"level":"error","code":503,"ratio":-0.5,"text":"200","tags":["a",{"name":"b"}],"on":true,
    "nothing":null,"user":{"id":1,"name":"John Stiles","first name":"John"},"empty":{}}"#;

#[test]
fn members_of_json() {
    let check = |pattern: &str, expected: bool| assert_eq!(matches(pattern, EVENT), expected, "{pattern}");
    check("{ $.level = \"error\" }", true);
    check("{ $.level = error }", true);
    check("{ $.level = \"err*\" }", true);
    check("{ $.level = \"*rr*\" }", true);
    check("{ $.level = \"*x*\" }", false);
    check("{ $.level = %^err.r$% }", true);
    check("{ $.level != \"info\" }", true);
    check("{ $.level != \"e*\" }", false);
    check("{ $.missing != \"info\" }", false);
    check("{ $.code = 503 }", true);
    check("{ $.code = 503.0 }", true);
    check("{ $.code = 50* }", true);
    check("{ $.code >= 500 && $.code < 504 }", true);
    check("{ $.code > 503 }", false);
    check("{ $.ratio < -0.4 }", true);
    check("{ $.text = 200 }", true);
    check("{ $.level > 1 }", false);
    check("{ $.tags[0] = \"a\" }", true);
    check("{ $.tags[1].name = \"b\" }", true);
    check("{ $.tags[2] NOT EXISTS }", true);
    check("{ $.tags[*].name = \"b\" }", true);
    check("{ $.user.* = \"John\" }", true);
    check("{ $.user.\"first name\" = \"John\" }", true);
    check("{ $.user.name = \"John Stiles\" }", true);
    check("{ $.user = \"*\" }", false);
    check("{ $.empty NOT EXISTS }", false);
    check("{ $.on IS TRUE }", true);
    check("{ $.on IS FALSE }", false);
    check("{ $.nothing IS NULL }", true);
    check("{ $.missing IS NULL }", false);
    check("{ $.code = 1 || ($.on IS TRUE && $.user.id = 1) }", true);
    check("{ ($.code = 1 || $.on IS TRUE) && $.user.id = 2 }", false);
    assert!(!matches("{ $.level NOT EXISTS }", "no JSON"));
    assert!(!matches("{ $.level NOT EXISTS }", "[1]"));
}

#[test]
fn fields_one_after_the_other() {
    let found = "127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";
    let fine = "127.0.0.2 Prod frank [10/Oct/2000:13:35:22 -0700] \"GET /about-us/index.html HTTP/1.0\" 200 500";
    check(
        "[ip, user, username, timestamp, request, status_code, bytes]",
        &[found, fine],
        &["a b"],
    );
    check(
        "[ip, user, username, timestamp, request, status_code = 4*, bytes]",
        &[found],
        &[fine],
    );
    check("[..., status_code = 4*, bytes]", &[found], &[fine, "404"]);
    check("[ip = %127\\.0\\.0\\.[1-9]%, ...]", &[found, fine], &["10.0.0.1 x"]);
    check("[..., request =*about*, status_code, bytes]", &[fine], &[found]);
    check("[..., size > 1000]", &[found], &[fine, "a b"]);
    check("[..., code = 200 || code = 404, size]", &[found, fine], &[]);
    check("[..., code != 200 && code != 500, size]", &[found], &[fine]);
    check("[ip != 127.0.0.1, ...]", &[fine], &[found]);
    check("[...]", &[found, ""], &[]);
}

fn filters(pattern: &str, transformation: MetricTransformation) -> LogFilters {
    let definition = MetricFilter {
        name: "errors".to_owned(),
        log_group: "/ecs/app".to_owned(),
        log_group_address: None,
        pattern: FilterPattern::parse(pattern).unwrap(),
        transformation,
        declared_at: Span {
            file: "main.tf".into(),
            start: 0,
            end: 0,
        },
    };
    let filter = Filter {
        matcher: Matcher::new(&definition.pattern),
        definition,
        minute: Minute::default(),
    };
    LogFilters {
        groups: [(("app".to_owned(), "main".to_owned()), "/ecs/app".to_owned())].into(),
        filters: [("/ecs/app".to_owned(), vec![filter])].into(),
    }
}

fn counting(value: &str) -> MetricTransformation {
    MetricTransformation {
        namespace: "karma".to_owned(),
        name: "errors".to_owned(),
        value: value.parse().unwrap(),
        default_value: None,
        dimensions: BTreeMap::new(),
        unit: "Count".to_owned(),
    }
}

/// What is in the store after each of these minutes of messages.
fn sums(mut filters: LogFilters, minutes: &[&[&str]], dimensions: &[(&str, &str)]) -> Vec<Option<f64>> {
    let directory = tempfile::tempdir().unwrap();
    let begin: Timestamp = "2026-11-23T15:00:00Z".parse().unwrap();
    let store = MetricStore::open(directory.path(), begin).unwrap();
    let minute = |index: usize| begin + std::time::Duration::from_mins(index as u64);
    for (index, messages) in minutes.iter().enumerate() {
        for message in *messages {
            filters.note("app", "main", message, minute(index), &store);
            filters.note("other", "main", message, minute(index), &store);
        }
        filters.end_minute(minute(index), &store);
    }
    let mut metric = MetricId::new("karma", "errors", []);
    metric.dimensions = dimensions
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let period = std::time::Duration::from_mins(1);
    let found = store.query(&metric, Statistic::Sum, begin, minute(minutes.len()), period);
    let at = |index| {
        found
            .iter()
            .find(|point| point.at == minute(index))
            .map(|point| point.value)
    };
    (0..minutes.len()).map(at).collect()
}

#[test]
fn events_that_match_are_counted_by_the_minute() {
    let (bad, good) = ("{\"level\":\"error\"}", "{\"level\":\"info\"}");
    let transformation = MetricTransformation {
        default_value: Some(0.0),
        ..counting("1")
    };
    let filters = filters("{ $.level = \"error\" }", transformation);
    let minutes: [&[&str]; 4] = [&[bad, good, bad], &[good], &[], &[bad]];
    assert_eq!(sums(filters, &minutes, &[]), [Some(2.0), Some(0.0), None, Some(1.0)]);
}

#[test]
fn values_and_dimensions_come_from_the_event() {
    let transformation = MetricTransformation {
        dimensions: [("Path".to_owned(), "$.path".parse().unwrap())].into(),
        ..counting("$.ms")
    };
    let minutes: [&[&str]; 1] = [&[
        "{\"path\":\"/a\",\"ms\":5}",
        "{\"path\":\"/a\",\"ms\":7.5}",
        "{\"path\":\"/b\",\"ms\":1}",
        "{\"path\":\"/a\",\"ms\":\"slow\"}",
        "{\"ms\":100}",
    ]];
    let sums =
        |dimensions: &[(&str, &str)]| sums(filters("{ $.ms = * }", transformation.clone()), &minutes, dimensions);
    assert_eq!(sums(&[("Path", "/a")]), [Some(12.5)]);
    assert_eq!(sums(&[("Path", "/b")]), [Some(1.0)]);
    assert_eq!(sums(&[]), [Some(100.0)]);
}

#[test]
fn a_value_may_be_a_field() {
    let check = |pattern: &str, value: &str, expected: Option<f64>| {
        let filters = filters(pattern, counting(value));
        assert_eq!(
            sums(filters, &[&["GET 200 17 1024"]], &[]),
            [expected],
            "{pattern} {value}"
        );
    };
    check("[verb, code, ms, bytes]", "$ms", Some(17.0));
    check("[verb, ..., bytes]", "$bytes", Some(1024.0));
    check("[..., code = 200, ms, bytes]", "$code", Some(200.0));
    check("[verb, ...]", "$verb", None);
}

proptest! {
    #[test]
    fn whatever_is_logged_nothing_panics(
        message in "[{}\\[\\]\":,a-c0-9 .é*%-]{0,60}",
        pattern in proptest::sample::select(vec!["a -b", "{ $.a > 1 }", "[..., x = a*, y]", "%a.c%", "{ $.* = \"*a\" }"]),
    ) {
        matches(pattern, &message);
    }

    #[test]
    fn a_text_matches_what_was_cut_from_it(parts in proptest::collection::vec("[ab]{1,3}", 1..4), between in "[abc]{0,3}") {
        let pattern = format!("{{ $.x = \"{}\" }}", parts.join("*"));
        let message = serde_json::json!({ "x": parts.join(&between) }).to_string();
        prop_assert!(matches(&pattern, &message));
    }
}
