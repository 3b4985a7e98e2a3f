//! How target groups are read.

use std::time::Duration;

use karma_fleet::{Algorithm, HealthCheckPort, TargetGroup};
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet, read};

const ADDRESS: &str = "aws_lb_target_group.app";

fn target_group(attributes: Json) -> TargetGroup {
    fleet(&[(ADDRESS, attributes)])
        .target_groups
        .remove(&address(ADDRESS))
        .expect("it was read")
}

fn with_check(check: &Json) -> Json {
    json!({"name": "app", "port": 80, "protocol": "HTTP", "health_check": [check]})
}

#[test]
fn a_bare_group_takes_the_defaults_of_aws() {
    let group = target_group(json!({
        "name": "${aws_lb_target_group.app.name}",
        "name_prefix": "app-",
        "port": 80,
        "health_check": "${aws_lb_target_group.app.health_check}",
    }));
    let check = &group.health_check;
    assert_eq!(
        (group.name.as_str(), group.port, group.algorithm),
        ("app-", 80, Algorithm::RoundRobin)
    );
    assert_eq!(group.deregistration_delay, Duration::from_mins(5));
    assert_eq!(
        (check.path.as_str(), check.port, check.matcher.to_string()),
        ("/", HealthCheckPort::TrafficPort, "200".to_owned())
    );
    assert_eq!((check.interval.as_secs(), check.timeout.as_secs()), (30, 5));
    assert_eq!((check.healthy_threshold, check.unhealthy_threshold), (5, 2));
}

#[test]
fn what_is_written_is_read() {
    let mut attributes =
        with_check(&json!({"path": "/health", "port": "8081", "timeout": 3, "matcher": "200-299,301"}));
    attributes["deregistration_delay"] = "30".into();
    attributes["load_balancing_algorithm_type"] = "least_outstanding_requests".into();
    let group = target_group(attributes);
    assert_eq!(group.deregistration_delay, Duration::from_secs(30));
    assert_eq!(group.algorithm, Algorithm::LeastOutstandingRequests);
    assert_eq!(
        (group.health_check.path.as_str(), group.health_check.port),
        ("/health", HealthCheckPort::Port(8081))
    );
    assert_eq!(group.health_check.matcher.0, [200..=299, 301..=301]);
}

#[test]
fn matchers_keep_to_the_codes_a_check_may_ask_for() {
    for matcher in ["", "ok", "199", "500", "299-200", "200,", "200--299"] {
        check_complaint(
            &[(ADDRESS, with_check(&json!({"matcher": matcher})))],
            &[
                "error @health_check: Invalid value: `health_check[0].matcher` of `aws_lb_target_group.app`",
                "200,202",
            ],
        );
    }
}

#[test]
fn groups_without_http_are_not_modeled() {
    for attributes in [json!({"target_type": "lambda"}), json!({"port": 53, "protocol": "UDP"})] {
        let fleet = fleet(&[(ADDRESS, attributes)]);
        assert_eq!(fleet.unmodeled, [address(ADDRESS)]);
    }
}

#[test]
fn sticky_sessions_are_warned_of() {
    let sticky = |enabled: bool| json!({"port": 80, "stickiness": [{"type": "lb_cookie", "enabled": enabled}]});
    check_complaint(
        &[(ADDRESS, sticky(true))],
        &["warning @stickiness: Not run locally yet", ADDRESS],
    );
    assert_eq!(read(&[(ADDRESS, sticky(false))]).1, Vec::<String>::new());
}

proptest::proptest! {
    #[test]
    fn a_matcher_prints_as_it_was_written(ranges in proptest::collection::vec((200u16..=499, 200u16..=499), 1..4)) {
        let written: Vec<String> = ranges
            .iter()
            .map(|&(a, b)| if a == b { a.to_string() } else { format!("{}-{}", a.min(b), a.max(b)) })
            .collect();
        let group = target_group(with_check(&json!({"matcher": written.join(",")})));
        proptest::prop_assert_eq!(group.health_check.matcher.to_string(), written.join(","));
    }
}
