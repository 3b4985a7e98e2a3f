//! Every metric that an alarm or the dashboard of the project's own stack asks for exists, whatever Container Insights does; and the metric filters
//! count what the agents log.

use karma_e2e::karma::{StackCopy, agents, repository, wait_until};
use karma_e2e::metrics::ContainerInsights::{self, Off, On};
use karma_e2e::{dashboard, evaluation, metrics, readable};
use karma_terraform::Stack;
use serde_json::Value as Json;

const MODES: [(ContainerInsights, &str); 3] = [
    (Off, ""),
    (
        On,
        "enable_container_insights = true\ncontainer_insights_mode = \"enabled\"",
    ),
    (
        On,
        "enable_container_insights = true\ncontainer_insights_mode = \"enhanced\"",
    ),
];

fn stack(variables: &str) -> Stack {
    evaluation::stack(&repository().join("terraform"), "variables.tfvars", variables).expect("the stack is right")
}

/// Namespace and name of what the metric filters count.
fn own_metrics(stack: &Stack) -> Vec<(String, String)> {
    let filters = readable::resources(stack, "aws_cloudwatch_log_metric_filter").into_values();
    filters
        .map(|filter| {
            let transformation = &filter["metric_transformation"][0];
            (text(&transformation["namespace"]), text(&transformation["name"]))
        })
        .collect()
}

fn text(value: &Json) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
        .to_owned()
}

/// A dimension is what the resource of that name will be known by.
fn is_of_the_stack(stack: &Stack, (name, value): (&str, &str)) -> bool {
    let named = |kind: &str| {
        readable::resources(stack, kind)
            .into_values()
            .any(|resource| resource["name"] == value)
    };
    match name {
        "ClusterName" => named("aws_ecs_cluster"),
        "ServiceName" => named("aws_ecs_service"),
        "LoadBalancer" => value == "${aws_lb.main.arn_suffix}",
        "TargetGroup" => value.starts_with("${aws_lb_target_group.agents[") && value.ends_with("].arn_suffix}"),
        _ => false,
    }
}

fn check(
    stack: &Stack,
    insights: ContainerInsights,
    what: &str,
    namespace: &str,
    name: &str,
    dimensions: &[(String, String)],
) {
    let names: Vec<String> = dimensions.iter().map(|(name, _)| name.clone()).collect();
    let missing = metrics::missing(insights, &own_metrics(stack), namespace, name, &names);
    assert_eq!(missing, None, "{what} with Container Insights {insights:?}");
    for (name, value) in dimensions {
        assert!(is_of_the_stack(stack, (name, value)), "{what}: {name} = {value}");
    }
}

#[test]
fn every_alarm_watches_a_metric_that_exists() {
    for (insights, variables) in MODES {
        let stack = stack(variables);
        let alarms = readable::resources(&stack, "aws_cloudwatch_metric_alarm");
        assert_eq!(alarms.len(), 20);
        for (address, alarm) in alarms {
            let dimensions = alarm["dimensions"]
                .as_object()
                .unwrap_or_else(|| panic!("{address}: {alarm}"));
            let dimensions: Vec<(String, String)> = dimensions
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect();
            let (namespace, name) = (text(&alarm["namespace"]), text(&alarm["metric_name"]));
            check(&stack, insights, &address, &namespace, &name, &dimensions);
        }
    }
}

#[test]
fn few_tasks_are_counted_where_they_can_be() {
    for (insights, variables) in MODES {
        let alarms = readable::resources(&stack(variables), "aws_cloudwatch_metric_alarm");
        let alarm = &alarms["aws_cloudwatch_metric_alarm.low_task_count[\"validator\"]"];
        let expected = if insights == On {
            "RunningTaskCount"
        } else {
            "HealthyHostCount"
        };
        assert_eq!(
            (&alarm["metric_name"], &alarm["treat_missing_data"]),
            (&expected.into(), &"breaching".into())
        );
    }
}

#[test]
fn the_dashboard_is_one_that_cloudwatch_takes_and_all_its_metrics_exist() {
    for (insights, variables) in MODES {
        let stack = stack(variables);
        let dashboards = readable::resources(&stack, "aws_cloudwatch_dashboard");
        let body = readable::document(&dashboards["aws_cloudwatch_dashboard.main"]["dashboard_body"]);
        assert_eq!(dashboard::faults(&body), Vec::<String>::new());
        let shown = dashboard::metrics(&body);
        assert_eq!(shown.len(), 7 * agents().len(), "seven graphs of each agent");
        for metric in shown {
            check(
                &stack,
                insights,
                "the dashboard",
                &metric.namespace,
                &metric.name,
                &metric.dimensions,
            );
        }
    }
}

/// The pattern counts JSON lines with that level. An agent that lacks a setting writes one: here nobody says where karma-hello is.
#[test]
fn the_metric_filters_count_the_agents_own_errors() {
    let filters = readable::resources(&stack(""), "aws_cloudwatch_log_metric_filter");
    for (address, filter) in filters {
        assert_eq!(filter["pattern"], "{ $.level = \"error\" }", "{address}");
    }

    let stack = StackCopy::new();
    let _up = stack.up(&["--var", "enable_service_connect=false"]);
    let error = wait_until("a line of the level error", || {
        let logs = stack.run(&["logs", "skill-extractor"]).stdout;
        logs.lines().find_map(|line| {
            let json: Json = serde_json::from_str(&line[line.find('{')?..]).ok()?;
            (json["level"] == "error").then_some(json)
        })
    });
    assert!(error.to_string().contains("KARMA_HELLO_URL"), "{error}");
}
