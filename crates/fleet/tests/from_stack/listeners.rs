//! How listeners and their rules are read.

use std::time::Duration;

use karma_fleet::{
    Action, AddressBlock, Condition, Forward, Listener, ListenerProtocol, ListenerRule, QueryStringPattern, Redirect,
    Rewrite, WeightedTargetGroup,
};
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet, read};

type Resources = Vec<(&'static str, Json)>;

fn around(rules: Resources) -> Resources {
    let mut resources = vec![
        ("aws_lb.main", json!({"name": "main"})),
        ("aws_lb_target_group.blue", json!({"name": "blue", "port": 80})),
        ("aws_lb_target_group.green", json!({"name": "green", "port": 80})),
        (
            "aws_lb_listener.http",
            json!({
                "load_balancer_arn": "${aws_lb.main.arn}",
                "port": 80,
                "protocol": "HTTP",
                "default_action": [{"type": "fixed-response", "fixed_response": [{"content_type": "text/plain", "status_code": "404"}]}],
            }),
        ),
    ];
    resources.extend(rules);
    resources
}

fn rule(priority: u32, path: &str) -> Json {
    json!({
        "listener_arn": "${aws_lb_listener.http.arn}",
        "priority": priority,
        "condition": [{"path_pattern": [{"values": [path]}], "host_header": [], "source_ip": []}],
        "action": [{"type": "forward", "target_group_arn": "${aws_lb_target_group.blue.arn}"}],
    })
}

fn with(mut rule: Json, name: &str, value: Json) -> Json {
    rule[name] = value;
    rule
}

fn listener(resources: &Resources) -> Listener {
    fleet(resources)
        .listeners
        .remove(&address("aws_lb_listener.http"))
        .expect("it was read")
}

/// What is read of a rule with this value in the place of another.
fn rule_with(name: &str, value: Json) -> ListenerRule {
    let resources = around(vec![("aws_lb_listener_rule.a", with(rule(1, "/"), name, value))]);
    listener(&resources).rules.remove(0)
}

/// Asserts what the only complaint about such a rule is.
#[track_caller]
fn check_rule_complaint(name: &str, value: Json, words: &[&str]) {
    let resources = around(vec![("aws_lb_listener_rule.a", with(rule(1, "/"), name, value))]);
    check_complaint(&resources, words);
}

fn forward(names: &[(&str, u32)]) -> Action {
    sticky_forward(names, None)
}

fn sticky_forward(names: &[(&str, u32)], stickiness: Option<Duration>) -> Action {
    let target = |(name, weight): &(&str, u32)| WeightedTargetGroup {
        target_group: address(&format!("aws_lb_target_group.{name}")),
        weight: *weight,
    };
    Action::Forward(Forward {
        target_groups: names.iter().map(target).collect(),
        stickiness,
    })
}

#[test]
fn rules_stand_in_the_order_of_their_priorities() {
    let rules = vec![
        ("aws_lb_listener_rule.a", rule(20, "/a")),
        ("aws_lb_listener_rule.b", rule(3, "/b")),
    ];
    let listener = listener(&around(rules));
    let order: Vec<u32> = listener.rules.iter().map(|rule| rule.priority).collect();
    assert_eq!(order, [3, 20]);
    assert_eq!(
        listener.rules[0].conditions,
        [Condition::PathPattern(vec!["/b".to_owned()])]
    );
    assert_eq!(listener.rules[0].action, forward(&[("blue", 1)]));
    assert_eq!(
        (listener.protocol, listener.load_balancer),
        (ListenerProtocol::Http, address("aws_lb.main"))
    );
    let Action::FixedResponse {
        status,
        content_type,
        body,
    } = listener.default_action
    else {
        panic!("a fixed response");
    };
    assert_eq!((status, content_type.as_str(), body.as_str()), (404, "text/plain", ""));
}

#[test]
fn weights_are_kept() {
    let group =
        |name: &str, weight: Json| json!({"arn": format!("${{aws_lb_target_group.{name}.arn}}"), "weight": weight});
    let action = |sticky: bool| {
        let stickiness = json!([{"duration": 60, "enabled": sticky}]);
        let target_groups = [group("blue", 9.into()), group("green", Json::Null)];
        json!([{"type": "forward", "forward": [{"target_group": target_groups, "stickiness": stickiness}]}])
    };
    let weights = [("blue", 9), ("green", 1)];
    assert_eq!(rule_with("action", action(false)).action, forward(&weights));
    assert_eq!(
        rule_with("action", action(true)).action,
        sticky_forward(&weights, Some(Duration::from_mins(1)))
    );
}

#[test]
fn one_priority_is_for_one_rule() {
    let rules = vec![
        ("aws_lb_listener_rule.a", rule(7, "/a")),
        ("aws_lb_listener_rule.b", rule(7, "/b")),
    ];
    check_complaint(
        &around(rules),
        &[
            "error @priority: Duplicate",
            "`priority` of `aws_lb_listener_rule.b` is 7",
            "`aws_lb_listener_rule.a`",
        ],
    );
}

#[test]
fn priorities_end_at_fifty_thousand() {
    for priority in [0, 50_001] {
        let rules = vec![("aws_lb_listener_rule.a", rule(priority, "/a"))];
        check_complaint(&around(rules), &["error @priority: Invalid value", "from 1 to 50000"]);
    }
}

#[test]
fn a_rule_with_a_condition_that_is_not_read_never_matches() {
    let block = json!([{"path_pattern": [{"values": ["/admin"]}], "moon_phase": [{"values": ["full"]}]}]);
    let resources = around(vec![
        ("aws_lb_listener_rule.a", with(rule(1, "/"), "condition", block)),
        ("aws_lb_listener_rule.b", rule(2, "/b")),
    ]);
    check_complaint(
        &resources,
        &["warning @condition: Not run locally yet", "`condition[0].moon_phase`"],
    );
    let (fleet, _) = read(&resources);
    let rules = &fleet.listeners[&address("aws_lb_listener.http")].rules;
    assert_eq!(rules.iter().map(|rule| rule.priority).collect::<Vec<_>>(), [2]);
    assert_eq!(fleet.unmodeled, [address("aws_lb_listener_rule.a")]);
}

#[test]
fn every_condition_is_read() {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let check = |block: Json, expected: Condition| {
        assert_eq!(rule_with("condition", json!([block])).conditions, [expected]);
    };
    check(
        json!({"path_pattern": [{"values": [], "regex_values": ["^/a$"]}]}),
        Condition::PathRegex(texts(&["^/a$"])),
    );
    check(
        json!({"host_header": [{"values": ["*.example.com"]}]}),
        Condition::HostHeader(texts(&["*.example.com"])),
    );
    check(
        json!({"host_header": [{"regex_values": ["^a"]}]}),
        Condition::HostRegex(texts(&["^a"])),
    );
    let agent = |values| Condition::HttpHeader {
        name: "User-Agent".to_owned(),
        values,
    };
    check(
        json!({"http_header": [{"http_header_name": "User-Agent", "values": ["*Chrome*"]}]}),
        agent(texts(&["*Chrome*"])),
    );
    check(
        json!({"http_header": [{"http_header_name": "X", "regex_values": ["v1|v2"]}]}),
        Condition::HttpHeaderRegex {
            name: "X".to_owned(),
            values: texts(&["v1|v2"]),
        },
    );
    check(
        json!({"http_request_method": [{"values": ["GET", "CUSTOM-METHOD"]}]}),
        Condition::HttpRequestMethod(texts(&["GET", "CUSTOM-METHOD"])),
    );
    let parameter = |key: Option<&str>, value: &str| QueryStringPattern {
        key: key.map(str::to_owned),
        value: value.to_owned(),
    };
    check(
        json!({"query_string": [{"key": "version", "value": "v1"}, {"key": "", "value": "*example*"}]}),
        Condition::QueryString(vec![parameter(Some("version"), "v1"), parameter(None, "*example*")]),
    );
    let block = |address: &str, prefix_length| AddressBlock {
        address: address.parse().expect("an address"),
        prefix_length,
    };
    check(
        json!({"source_ip": [{"values": ["192.0.2.0/24", "2001:db8::/32"]}]}),
        Condition::SourceIp(vec![block("192.0.2.0", 24), block("2001:db8::", 32)]),
    );
}

#[test]
fn conditions_keep_to_the_limits_of_aws() {
    let check = |blocks: Json, words: &[&str]| check_rule_complaint("condition", blocks, words);
    let invalid = "error @condition: Invalid value";
    check(
        json!([{"path_pattern": [{"values": ["a".repeat(129)]}]}]),
        &[invalid, "128 characters"],
    );
    check(
        json!([{"path_pattern": [{"values": []}]}]),
        &["Missing required argument", "values"],
    );
    check(
        json!([{"http_request_method": [{"values": ["get"]}]}]),
        &[invalid, "\"get\""],
    );
    let header = |name: &str| json!([{"http_header": [{"http_header_name": name, "values": ["x"]}]}]);
    for name in ["Host", "a b", &"a".repeat(41)] {
        check(header(name), &[invalid, "other than `Host`"]);
    }
    for block in ["10.0.0.0", "10.0.0.0/33", "::/129", "x/8", "255.255.255.255/32"] {
        check(
            json!([{"source_ip": [{"values": [block]}]}]),
            &[invalid, "`10.0.0.0/8`"],
        );
    }
    check(
        json!([{"path_pattern": [{"values": ["1", "2", "3"]}]}, {"http_request_method": [{"values": ["A", "B", "C"]}]}]),
        &["error @condition: Too many condition values", "6 values", "at most 5"],
    );
    check(
        json!([{"path_pattern": [{"values": ["/*/*/?/*", "/*/*/*"]}]}]),
        &["Too many condition values", "7 wildcards", "at most 6"],
    );
    check(
        json!([{"path_pattern": [{"values": ["/a"]}]}, {"path_pattern": [{"values": ["/b"]}]}]),
        &["error @condition: Duplicate condition", "`path_pattern`"],
    );
}

fn redirect(members: &Json) -> Json {
    json!([{"type": "redirect", "redirect": [members]}])
}

#[test]
fn redirects_are_read_and_keep_what_is_not_said() {
    let action = redirect(&json!({"status_code": "HTTP_301", "port": "443", "protocol": "HTTPS"}));
    let expected = Redirect {
        status: 301,
        protocol: "HTTPS".to_owned(),
        host: "#{host}".to_owned(),
        port: "443".to_owned(),
        path: "/#{path}".to_owned(),
        query: "#{query}".to_owned(),
    };
    assert_eq!(rule_with("action", action).action, Action::Redirect(expected));
}

#[test]
fn redirects_lead_somewhere_else() {
    let check = |members: Json, words: &[&str]| check_rule_complaint("action", redirect(&members), words);
    check(
        json!({"status_code": "HTTP_302", "query": "a=b"}),
        &["error @action: Redirect loop", "come back for ever"],
    );
    check(
        json!({"status_code": "303", "path": "/x"}),
        &["error @action: Invalid value", "`HTTP_301`"],
    );
}

#[test]
fn transforms_are_read() {
    let rewrite = |kind: &str, config: &str| json!({"type": kind, config: [{"rewrite": [{"regex": "^/api/(.*)$", "replace": "/$1"}]}]});
    let host = rewrite("host-header-rewrite", "host_header_rewrite_config");
    let url = rewrite("url-rewrite", "url_rewrite_config");
    let read = rule_with("transform", json!([host, url])).transforms;
    let expected = Rewrite {
        regex: "^/api/(.*)$".to_owned(),
        replace: "/$1".to_owned(),
    };
    assert_eq!(
        (read.host_header.as_ref(), read.url.as_ref()),
        (Some(&expected), Some(&expected))
    );
    check_rule_complaint(
        "transform",
        json!([url, url]),
        &["error @transform: Duplicate transform"],
    );
    check_rule_complaint(
        "transform",
        json!([{"type": "x"}]),
        &["error @transform: Invalid value", "`url-rewrite`"],
    );
}

#[test]
fn a_rule_with_an_action_that_is_not_read_still_takes_its_requests() {
    let login = json!([
        {"type": "authenticate-oidc"},
        {"type": "forward", "target_group_arn": "${aws_lb_target_group.blue.arn}"},
    ]);
    let resources = around(vec![("aws_lb_listener_rule.a", with(rule(1, "/"), "action", login))]);
    check_complaint(
        &resources,
        &["warning @action: Not run locally yet", "authenticate-oidc"],
    );
    let (fleet, _) = read(&resources);
    let rules = &fleet.listeners[&address("aws_lb_listener.http")].rules;
    assert_eq!(rules[0].action, Action::Unmodeled("authenticate-oidc".to_owned()));
}

#[test]
fn forwarding_to_a_function_is_an_action_that_is_not_read() {
    let mut resources = around(vec![("aws_lb_listener_rule.a", rule(1, "/a"))]);
    resources[1].1 = json!({"name": "blue", "target_type": "lambda"});
    check_complaint(
        &resources,
        &[
            "warning @action: Not run locally yet",
            "forward to aws_lb_target_group.blue",
        ],
    );
}

#[test]
fn links_say_what_was_found_and_what_was_expected() {
    let wrong = with(rule(1, "/"), "listener_arn", "${aws_lb.main.arn}".into());
    check_complaint(
        &around(vec![("aws_lb_listener_rule.a", wrong)]),
        &[
            "error @listener_arn: Unresolved reference",
            "an `aws_lb_listener` of this stack, but `aws_lb.main.arn` does not",
        ],
    );
}

#[test]
fn https_listeners_are_kept_and_others_are_not_modeled() {
    let mut resources = around(Vec::new());
    resources[3].1["protocol"] = "HTTPS".into();
    assert_eq!(listener(&resources).protocol, ListenerProtocol::Https);
    resources[3].1["protocol"] = "TCP".into();
    resources.push(("aws_lb_listener_rule.a", rule(1, "/a")));
    assert_eq!(
        fleet(&resources).unmodeled,
        [address("aws_lb_listener.http"), address("aws_lb_listener_rule.a")]
    );
}

#[test]
fn a_listener_without_protocol_speaks_http() {
    let mut resources = around(Vec::new());
    resources[3].1["protocol"] = "${aws_lb_listener.http.protocol}".into();
    assert_eq!(listener(&resources).protocol, ListenerProtocol::Http);
}

#[test]
fn the_older_names_of_the_types_mean_the_same() {
    let text = serde_json::to_string(&around(vec![("aws_lb_listener_rule.a", rule(1, "/a"))])).expect("JSON");
    let renamed: Vec<(String, Json)> = serde_json::from_str(&text.replace("aws_lb", "aws_alb")).expect("JSON");
    let resources: Vec<(&str, Json)> = renamed
        .iter()
        .map(|(name, attributes)| (name.as_str(), attributes.clone()))
        .collect();
    assert_eq!(
        fleet(&resources).listeners[&address("aws_alb_listener.http")]
            .rules
            .len(),
        1
    );
}
