//! Resources that the project's own stack does not have, or has in another way: each alone, with what it costs in us-east-1.

use karma_cost::{Bill, Usage, price};
use karma_terraform::{Inputs, Severity, Sources};

use crate::support::prices;

/// The bill of a stack of one file.
pub(crate) fn bill_of(text: &str, usage: &Usage) -> Bill {
    let (module, problems) = karma_terraform::parse(&Sources::from_iter([("main.tf", text)]));
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let (stack, problems) = karma_terraform::evaluate(&module, &Inputs::default(), &karma_fleet::provider());
    let errors: Vec<_> = problems.iter().filter(|it| it.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{text}: {errors:?}");
    price(&stack, usage, &prices())
}

fn check(text: &str, list: &str, with_free_tier: &str) {
    let bill = bill_of(text, &Usage::default());
    let totals = (
        bill.totals.list.expected.to_string(),
        bill.totals.with_free_tier.expected.to_string(),
    );
    assert_eq!(
        totals,
        (list.to_owned(), with_free_tier.to_owned()),
        "{text}\n{:#?}",
        bill.components
    );
    assert_eq!(bill.unpriced, [], "{text}");
}

/// What is listed as having no price.
fn check_unpriced(text: &str, list: &str, why: &str) {
    let bill = bill_of(text, &Usage::default());
    assert_eq!(bill.totals.list.expected.to_string(), list, "{text}");
    let reasons: Vec<&str> = bill.unpriced.iter().map(|it| it.why.as_str()).collect();
    assert!(reasons.iter().any(|it| it.contains(why)), "{text}\n{reasons:?}");
}

/// A service of these arguments, and its task definition.
fn service(service: &str, definition: &str) -> String {
    format!(
        r#"
        resource "aws_ecs_cluster" "main" {{ name = "main" }}
        resource "aws_ecs_task_definition" "it" {{
          family                   = "it"
          requires_compatibilities = ["FARGATE"]
          network_mode             = "awsvpc"
          container_definitions    = jsonencode([{{ name = "it", image = "it" }}])
          {definition}
        }}
        resource "aws_ecs_service" "it" {{
          name            = "it"
          cluster         = aws_ecs_cluster.main.id
          task_definition = aws_ecs_task_definition.it.arn
          {service}
        }}
        "#
    )
}

const ONE_VCPU: &str = "cpu = 1024\nmemory = 2048";

#[test]
fn services() {
    // 730 × (0.04048 + 2 × 0.004445)
    check(&service("desired_count = 1", ONE_VCPU), "36.04", "36.04");
    check(&service("desired_count = 0", ONE_VCPU), "0.00", "0.00");
    check(
        &service("desired_count = 2\nlaunch_type = \"FARGATE\"", ONE_VCPU),
        "72.08",
        "72.08",
    );
    // 20 of the 50 GB come with the task: 730 × 30 × 0.000111
    let storage = format!("{ONE_VCPU}\nephemeral_storage {{ size_in_gib = 50 }}");
    check(&service("desired_count = 1", &storage), "38.47", "38.47");
    let arm = format!("{ONE_VCPU}\nruntime_platform {{ cpu_architecture = \"ARM64\" }}");
    check(&service("desired_count = 1", &arm), "28.84", "28.84");
    // Of five tasks two run on demand, as the base, and of the other three two on Spot: 2 × 36.04 + 36.04 + 2 × 11.47
    let shares = r#"
        desired_count = 5
        capacity_provider_strategy {
          capacity_provider = "FARGATE"
          base              = 2
          weight            = 1
        }
        capacity_provider_strategy {
          capacity_provider = "FARGATE_SPOT"
          weight            = 2
        }
    "#;
    check(&service(shares, ONE_VCPU), "131.07", "131.07");
}

#[test]
fn a_services_cluster_may_choose_for_it() {
    let default = r#"
        resource "aws_ecs_cluster_capacity_providers" "any" {
          cluster_name       = aws_ecs_cluster.main.name
          capacity_providers = ["FARGATE_SPOT"]
          default_capacity_provider_strategy {
            capacity_provider = "FARGATE_SPOT"
            weight            = 1
          }
        }
    "#;
    let text = format!("{default}{}", service("desired_count = 1", ONE_VCPU));
    check(&text, "11.48", "11.48"); // 730 × (0.01288871 + 2 × 0.00141527)
}

#[test]
fn services_without_a_price() {
    check_unpriced(
        &service("desired_count = 1\nlaunch_type = \"EC2\"", ONE_VCPU),
        "0.00",
        "machines that are not Fargate's",
    );
    let windows = format!("{ONE_VCPU}\nruntime_platform {{ operating_system_family = \"WINDOWS_SERVER_2022_CORE\" }}");
    check_unpriced(&service("desired_count = 1", &windows), "0.00", "Windows");
    check_unpriced(&service("desired_count = 1", ""), "0.00", "cpu and memory");
    let unknown = service("desired_count = aws_ecs_task_definition.it.revision", ONE_VCPU);
    check_unpriced(&unknown, "0.00", "its desired count is not known");
}

#[test]
fn schedules_that_cannot_be_averaged_are_said() {
    let scaling = r#"
        resource "aws_appautoscaling_target" "it" {
          service_namespace  = "ecs"
          scalable_dimension = "ecs:service:DesiredCount"
          resource_id        = "service/main/it"
          min_capacity       = 1
          max_capacity       = 1
        }
        resource "aws_appautoscaling_scheduled_action" "it" {
          name               = "it"
          service_namespace  = "ecs"
          scalable_dimension = "ecs:service:DesiredCount"
          resource_id        = "service/main/it"
          schedule           = "at(2027-01-01T00:00:00)"
          scalable_target_action {
            min_capacity = 0
            max_capacity = 0
          }
        }
    "#;
    let text = format!("{scaling}{}", service("desired_count = 1", ONE_VCPU));
    check_unpriced(&text, "36.04", "`at(2027-01-01T00:00:00)` does not repeat");
}

#[test]
fn load_balancers() {
    let balancer = |more: &str| format!("resource \"aws_lb\" \"it\" {{\n{more}\n}}");
    // 16.425 and 0.08, two addresses for 7.30, and 0.90 for 10 GB
    check(&balancer(r#"subnets = ["subnet-a", "subnet-b"]"#), "24.71", "23.81");
    check(
        &balancer(r#"subnets = ["subnet-a", "subnet-b", "subnet-c"]"#),
        "28.36",
        "27.46",
    );
    check(&balancer("internal = true"), "16.51", "16.51");
    check(
        &format!(
            "data \"aws_subnets\" \"it\" {{}}\n{}",
            balancer("subnets = data.aws_subnets.it.ids")
        ),
        "24.71",
        "23.81",
    );
    check(
        &balancer(r#"ip_address_type = "dualstack-without-public-ipv4""#),
        "17.41",
        "16.51",
    );
    check_unpriced(
        &balancer(r#"load_balancer_type = "network""#),
        "0.00",
        "only Application Load Balancers",
    );
}

#[test]
fn many_rules_and_many_connections_cost_capacity() {
    let text = r#"
        resource "aws_lb" "it" { internal = true }
        resource "aws_lb_listener" "it" {
          load_balancer_arn = aws_lb.it.arn
          default_action {
            type = "fixed-response"
            fixed_response { content_type = "text/plain" }
          }
        }
        resource "aws_lb_listener_rule" "it" {
          count        = 50
          listener_arn = aws_lb_listener.it.arn
          priority     = count.index + 1
          condition {
            path_pattern { values = ["/${count.index}"] }
          }
          action {
            type = "fixed-response"
            fixed_response { content_type = "text/plain" }
          }
        }
    "#;
    let units = |usage: &str| {
        let bill = bill_of(text, &Usage::from_toml(usage).unwrap());
        let line = bill
            .components
            .iter()
            .find(|line| line.name.contains("capacity units"))
            .unwrap()
            .clone();
        (line.quantity.expected.to_string(), line.because)
    };
    for (usage, quantity, dimension) in [
        ("request_kb = 1000", "1000", "processed bytes"),
        // Of 50 rules ten are free: 100 million × 40 / 3.6 million
        (
            "requests = 100_000_000\nrequest_kb = 0.1",
            "1111.111111",
            "evaluated rules",
        ),
        // 100 million / 90,000
        (
            "requests = 100_000_000\nrequest_kb = 0.1\nrequests_per_connection = 1",
            "1111.111111",
            "new connections",
        ),
        // 10 million open for an hour / 180,000
        (
            "requests = 100_000_000\nrequest_kb = 0.1\nconnection_minutes = 60",
            "3333.333333",
            "open connections",
        ),
    ] {
        let (found, because) = units(usage);
        assert_eq!(found, quantity, "{usage}: {because}");
        let is_tie = quantity == "1111.111111";
        assert!(is_tie || because.contains(dimension), "{usage}: {because}");
    }
}

#[test]
fn observability() {
    let composite =
        "resource \"aws_cloudwatch_composite_alarm\" \"it\" {\nalarm_name = \"a\"\nalarm_rule = \"ALARM(b)\"\n}";
    check(composite, "0.50", "0.50");
    let alarm = |more: &str| {
        format!(
            "resource \"aws_cloudwatch_metric_alarm\" \"it\" {{\nalarm_name = \"a\"\ncomparison_operator = \"GreaterThanThreshold\"\nevaluation_periods = 1\n{more}\n}}"
        )
    };
    check(
        &alarm("metric_name = \"m\"\nnamespace = \"n\"\nperiod = 60\nstatistic = \"Sum\"\nthreshold = 1"),
        "0.10",
        "0.00",
    );
    check(
        &alarm("metric_name = \"m\"\nnamespace = \"n\"\nperiod = 10\nstatistic = \"Sum\"\nthreshold = 1"),
        "0.30",
        "0.30",
    );
    let query = |id: &str| {
        format!(
            "metric_query {{\nid = \"{id}\"\nmetric {{\nmetric_name = \"m\"\nnamespace = \"n\"\nperiod = 60\nstat = \"Sum\"\n}}\n}}"
        )
    };
    let math = "metric_query {\nid = \"e\"\nexpression = \"a / b\"\nreturn_data = true\n}";
    check(
        &alarm(&format!("threshold = 1\n{}\n{}\n{math}", query("a"), query("b"))),
        "0.20",
        "0.00",
    );
    let band = "metric_query {\nid = \"e\"\nexpression = \"ANOMALY_DETECTION_BAND(a)\"\nreturn_data = true\n}";
    check(
        &alarm(&format!("threshold_metric_id = \"e\"\n{}\n{band}", query("a"))),
        "0.30",
        "0.00",
    );

    let group = |more: &str| format!("resource \"aws_cloudwatch_log_group\" \"it\" {{\nname = \"g\"\n{more}\n}}");
    check(&group("retention_in_days = 7"), "7.60", "5.10"); // 15 GB at 0.50 and 0.10 for a week of them
    check(&group(""), "12.90", "10.40"); // for ever: after a year, 15 × 12 × 0.03
    check(
        &group("retention_in_days = 7\nlog_group_class = \"INFREQUENT_ACCESS\""),
        "3.85",
        "2.60",
    );
}

#[test]
fn a_dashboard_of_more_than_fifty_metrics_is_not_free() {
    let dashboard = |metrics: u32| {
        format!(
            r#"resource "aws_cloudwatch_dashboard" "it" {{
              dashboard_name = "d"
              dashboard_body = jsonencode({{ widgets = [{{ type = "metric", properties = {{
                metrics = [for i in range({metrics}) : ["n", "m${{i}}"]]
              }} }}] }})
            }}"#
        )
    };
    check(&dashboard(50), "3.00", "0.00");
    check(&dashboard(51), "3.00", "3.00");
}

#[test]
fn storage_and_secrets() {
    check(
        "resource \"aws_secretsmanager_secret\" \"it\" {\nname = \"s\"\nreplica { region = \"us-west-2\" }\n}",
        "0.80",
        "0.80",
    );
    check(
        "resource \"aws_ecr_repository\" \"it\" { name = \"r\" }",
        "0.25",
        "0.25",
    );
    check("resource \"aws_eip\" \"it\" { domain = \"vpc\" }", "3.65", "3.65");
}

#[test]
fn what_no_price_is_known_of_is_named() {
    check_unpriced(
        "resource \"aws_kms_key\" \"it\" {}",
        "0.00",
        "no price is known for a resource of type aws_kms_key",
    );
}

#[test]
fn tiers_are_the_accounts() {
    let usage = Usage::from_toml("requests = 1\nrequest_kb = 60_000_000_000").unwrap(); // 60,000 GB
    let bill = bill_of(
        "resource \"aws_lb\" \"it\" {}\nresource \"aws_lb\" \"other\" {}",
        &usage,
    );
    let egress: Vec<String> = bill
        .components
        .iter()
        .filter(|line| line.name == "Data to the internet")
        .map(|line| {
            format!(
                "{} {} {}",
                line.resource.name,
                line.quantity.expected,
                line.rate.usd.exact()
            )
        })
        .collect();
    assert_eq!(
        egress,
        [
            "it 10240 0.09",
            "it 19760 0.085",
            "other 21200 0.085",
            "other 8800 0.07"
        ]
    );
}
