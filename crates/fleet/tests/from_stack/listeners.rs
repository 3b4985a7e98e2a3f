//! How listeners and their rules are read.

use karma_fleet::{Action, Condition, Listener, ListenerProtocol, WeightedTargetGroup};
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

fn forward(names: &[(&str, u32)]) -> Action {
    let target = |(name, weight): &(&str, u32)| WeightedTargetGroup {
        target_group: address(&format!("aws_lb_target_group.{name}")),
        weight: *weight,
    };
    Action::Forward(names.iter().map(target).collect())
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
    let resources = |sticky| {
        around(vec![(
            "aws_lb_listener_rule.a",
            with(rule(1, "/"), "action", action(sticky)),
        )])
    };
    assert_eq!(
        listener(&resources(false)).rules[0].action,
        forward(&[("blue", 9), ("green", 1)])
    );
    check_complaint(
        &resources(true),
        &["warning @action: Not run locally yet", "forward[0].stickiness"],
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
    let block = json!([{"path_pattern": [{"values": ["/admin"]}], "source_ip": [{"values": ["10.0.0.0/8"]}]}]);
    let resources = around(vec![
        ("aws_lb_listener_rule.a", with(rule(1, "/"), "condition", block)),
        ("aws_lb_listener_rule.b", rule(2, "/b")),
    ]);
    check_complaint(
        &resources,
        &["warning @condition: Not run locally yet", "`condition[0].source_ip`"],
    );
    let (fleet, _) = read(&resources);
    let rules = &fleet.listeners[&address("aws_lb_listener.http")].rules;
    assert_eq!(rules.iter().map(|rule| rule.priority).collect::<Vec<_>>(), [2]);
    assert_eq!(fleet.unmodeled, [address("aws_lb_listener_rule.a")]);
}

#[test]
fn regular_expressions_are_a_condition_that_is_not_read() {
    let block = json!([{"path_pattern": [{"values": [], "regex_values": ["^/a$"]}]}]);
    let resources = around(vec![("aws_lb_listener_rule.a", with(rule(1, "/"), "condition", block))]);
    check_complaint(&resources, &["warning @condition: Not run locally yet"]);
}

#[test]
fn a_rule_with_an_action_that_is_not_read_still_takes_its_requests() {
    let redirect = json!([{"type": "redirect", "redirect": [{"status_code": "HTTP_301"}]}]);
    let login = json!([
        {"type": "authenticate-oidc"},
        {"type": "forward", "target_group_arn": "${aws_lb_target_group.blue.arn}"},
    ]);
    for (action, name) in [(redirect, "redirect"), (login, "authenticate-oidc")] {
        let resources = around(vec![("aws_lb_listener_rule.a", with(rule(1, "/"), "action", action))]);
        check_complaint(&resources, &["warning @action: Not run locally yet", name]);
        let (fleet, _) = read(&resources);
        let rules = &fleet.listeners[&address("aws_lb_listener.http")].rules;
        assert_eq!(rules[0].action, Action::Unmodeled(name.to_owned()));
    }
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
