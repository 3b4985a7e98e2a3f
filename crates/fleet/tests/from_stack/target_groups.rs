//! How target groups are read.

use std::time::Duration;

use karma_fleet::{Algorithm, HealthCheckPort, MinimumHealthy, ProtocolVersion, Stickiness, TargetGroup};
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet};

const ADDRESS: &str = "aws_lb_target_group.app";

fn target_group(attributes: Json) -> TargetGroup {
    fleet(&[(ADDRESS, attributes)])
        .target_groups
        .remove(&address(ADDRESS))
        .expect("it was read")
}

fn minimum(count: u32, percentage: Option<u8>) -> MinimumHealthy {
    MinimumHealthy { count, percentage }
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
    assert_eq!(
        (group.protocol_version, group.stickiness),
        (ProtocolVersion::Http1, None)
    );
    assert_eq!(
        (group.slow_start, group.minimum_healthy),
        (Duration::ZERO, minimum(1, None))
    );
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

fn sticky(members: &Json) -> Json {
    json!({"name": "app", "port": 80, "stickiness": [members]})
}

#[test]
fn sticky_sessions_are_read() {
    let check = |members: Json, expected| assert_eq!(target_group(sticky(&members)).stickiness, expected);
    let duration = Duration::from_hours(24);
    check(
        json!({"type": "lb_cookie"}),
        Some(Stickiness::LoadBalancerCookie { duration }),
    );
    check(json!({"type": "lb_cookie", "enabled": false}), None);
    let expected = Stickiness::ApplicationCookie {
        name: "session".to_owned(),
        duration: Duration::from_mins(1),
    };
    check(
        json!({"type": "app_cookie", "cookie_name": "session", "cookie_duration": 60}),
        Some(expected),
    );
}

#[test]
fn sticky_sessions_have_a_cookie_of_their_own() {
    check_complaint(
        &[(
            ADDRESS,
            sticky(&json!({"type": "app_cookie", "cookie_name": "AWSALBTG-x"})),
        )],
        &["error @stickiness: Invalid value", "does not begin with `AWSALB`"],
    );
    check_complaint(
        &[(ADDRESS, sticky(&json!({"type": "app_cookie"})))],
        &["error @stickiness: Missing required argument", "cookie_name"],
    );
}

#[test]
fn slow_start_and_the_minimum_of_healthy_targets_are_read() {
    let routing = |count: Json, percentage: Json| {
        let routing =
            json!([{"minimum_healthy_targets_count": count, "minimum_healthy_targets_percentage": percentage}]);
        target_group(json!({
            "name": "app",
            "port": 80,
            "slow_start": 30,
            "target_group_health": [{"unhealthy_state_routing": routing}],
        }))
    };
    let group = routing(3.into(), "50".into());
    assert_eq!(
        (group.slow_start, group.minimum_healthy),
        (Duration::from_secs(30), minimum(3, Some(50)))
    );
    assert_eq!(routing(Json::Null, "off".into()).minimum_healthy, minimum(1, None));
}

#[test]
fn slow_start_keeps_to_what_aws_takes() {
    let group = |seconds: u32, algorithm: &str| json!({"name": "app", "port": 80, "slow_start": seconds, "load_balancing_algorithm_type": algorithm});
    check_complaint(
        &[(ADDRESS, group(29, "round_robin"))],
        &["error @slow_start: Invalid value", "30 to 900"],
    );
    check_complaint(
        &[(ADDRESS, group(30, "least_outstanding_requests"))],
        &["error @slow_start: Slow start without round robin", "`round_robin`"],
    );
}

#[test]
fn checks_over_grpc_have_codes_of_their_own() {
    let group = |check: &Json| json!({"name": "app", "port": 80, "protocol_version": "GRPC", "health_check": [check]});
    let bare = target_group(group(&json!({})));
    assert_eq!(bare.protocol_version, ProtocolVersion::Grpc);
    assert_eq!(
        (bare.health_check.path.as_str(), bare.health_check.matcher.0),
        ("/AWS.ALB/healthcheck", vec![12..=12])
    );
    let written = target_group(group(&json!({"matcher": "0,5-9"})));
    assert_eq!(written.health_check.matcher.0, [0..=0, 5..=9]);
    check_complaint(
        &[(ADDRESS, group(&json!({"matcher": "200"})))],
        &["error @health_check: Invalid value", "gRPC"],
    );
}

#[test]
fn anomaly_mitigation_is_warned_of() {
    check_complaint(
        &[(
            ADDRESS,
            json!({"port": 80, "name": "app", "load_balancing_anomaly_mitigation": "on"}),
        )],
        &[
            "warning @load_balancing_anomaly_mitigation: Not run locally yet",
            ADDRESS,
        ],
    );
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
