//! What holds of every bill.

use karma_cost::{Bill, Totals, Usage, Usd};
use proptest::prelude::*;

use crate::resources::bill_of;

/// So many tasks of this size, between these limits, with so many of other things.
#[derive(Debug, Clone)]
struct Shape {
    desired: u32,
    min: u32,
    more: u32,
    base: u32,
    weights: (u32, u32),
    close_hour: u32,
    others: u32,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let weights = (0_u32..5, 1_u32..5);
    (0_u32..20, 0_u32..10, 0_u32..10, 0_u32..4, weights, 9_u32..23, 0_u32..30).prop_map(
        |(desired, min, more, base, weights, close_hour, others)| Shape {
            desired,
            min,
            more,
            base,
            weights,
            close_hour,
            others,
        },
    )
}

impl Shape {
    fn bill(&self) -> Bill {
        let Self {
            desired,
            min,
            more,
            base,
            weights: (on_demand, spot),
            close_hour,
            others,
        } = self;
        let max = min + more;
        bill_of(
            &format!(
                r#"
                resource "aws_ecs_cluster" "it" {{
                  name = "it"
                  setting {{
                    name  = "containerInsights"
                    value = "enhanced"
                  }}
                }}
                resource "aws_ecs_task_definition" "it" {{
                  family                = "it"
                  cpu                   = 512
                  memory                = 1024
                  container_definitions = jsonencode([{{ name = "it", image = "it" }}])
                }}
                resource "aws_ecs_service" "it" {{
                  name            = "it"
                  cluster         = aws_ecs_cluster.it.id
                  task_definition = aws_ecs_task_definition.it.arn
                  desired_count   = {desired}
                  capacity_provider_strategy {{
                    capacity_provider = "FARGATE"
                    base              = {base}
                    weight            = {on_demand}
                  }}
                  capacity_provider_strategy {{
                    capacity_provider = "FARGATE_SPOT"
                    weight            = {spot}
                  }}
                  network_configuration {{
                    subnets          = ["subnet-a"]
                    assign_public_ip = true
                  }}
                }}
                resource "aws_appautoscaling_target" "it" {{
                  service_namespace  = "ecs"
                  scalable_dimension = "ecs:service:DesiredCount"
                  resource_id        = "service/it/it"
                  min_capacity       = {min}
                  max_capacity       = {max}
                }}
                resource "aws_appautoscaling_scheduled_action" "it" {{
                  for_each           = {{ "0 8" = [{min}, {max}], "0 {close_hour}" = [0, 0] }}
                  name               = each.key
                  service_namespace  = "ecs"
                  scalable_dimension = "ecs:service:DesiredCount"
                  resource_id        = "service/it/it"
                  schedule           = "cron(${{each.key}} ? * MON-FRI *)"
                  scalable_target_action {{
                    min_capacity = each.value[0]
                    max_capacity = each.value[1]
                  }}
                }}
                resource "aws_cloudwatch_log_group" "it" {{
                  count = {others}
                  name  = "it-${{count.index}}"
                }}
                resource "aws_secretsmanager_secret" "it" {{
                  count = {others}
                  name  = "it-${{count.index}}"
                }}
                "#
            ),
            &Usage::default(),
        )
    }
}

fn is_in_order(totals: &Totals) -> bool {
    let (list, free) = (totals.list, totals.with_free_tier);
    let rises = |low: Usd, expected: Usd, high: Usd| Usd::ZERO <= low && low <= expected && expected <= high;
    let is_cheaper = free.low <= list.low && free.expected <= list.expected && free.high <= list.high;
    rises(list.low, list.expected, list.high) && rises(free.low, free.expected, free.high) && is_cheaper
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bill_is_the_sum_of_its_lines(shape in shapes()) {
        let bill = shape.bill();
        let sum: Totals = bill.components.iter().map(|line| line.cost).sum();
        prop_assert_eq!(sum, bill.totals);
        let subtotals: Totals = bill.subtotals.iter().map(|it| it.cost).sum();
        prop_assert_eq!(subtotals, bill.totals);
        for line in &bill.components {
            prop_assert_eq!(line.quantity.expected.at(line.rate.usd), line.cost.list.expected);
        }
    }

    #[test]
    fn low_is_at_most_expected_and_that_at_most_high(shape in shapes()) {
        let bill = shape.bill();
        prop_assert!(is_in_order(&bill.totals), "{:?}", bill.totals);
        for line in &bill.components {
            // Of one line more tasks may be fewer: the next task may fall to another provider.
            let cost = line.cost;
            prop_assert!(cost.with_free_tier.expected <= cost.list.expected, "{line:?}");
        }
    }

    #[test]
    fn more_tasks_longer_hours_and_more_of_anything_cost_no_less(shape in shapes(), more in 1_u32..5) {
        let before = shape.bill().totals;
        for larger in [
            Shape { desired: shape.desired + more, ..shape.clone() },
            Shape { min: shape.min + more, ..shape.clone() },
            Shape { more: shape.more + more, ..shape.clone() },
            Shape { close_hour: (shape.close_hour + more).min(23), ..shape.clone() },
        ] {
            let after = larger.bill().totals;
            prop_assert!(after.list.low >= before.list.low, "{larger:?}");
            prop_assert!(after.list.expected >= before.list.expected, "{larger:?}");
            prop_assert!(after.list.high >= before.list.high, "{larger:?}");
        }
        let secrets = |shape: &Shape| {
            let bill = shape.bill();
            bill.components.iter().filter(|line| line.name == "Secret").map(|line| line.cost.list.expected).sum::<Usd>()
        };
        let more_secrets = Shape { others: shape.others + more, ..shape.clone() };
        prop_assert!(secrets(&more_secrets) > secrets(&shape));
    }

    /// Any use that a file may name gives a bill, and more use no smaller one.
    #[test]
    fn no_use_makes_it_panic(requests in 0_u64..1_000_000_000_000_000, kilobytes in 0_u64..1_000_000_000_000_000) {
        let text = "resource \"aws_lb\" \"it\" {}\nresource \"aws_nat_gateway\" \"it\" { subnet_id = \"s\" }";
        let usage = |requests: u64| Usage::from_toml(&format!("requests = {requests}\nrequest_kb = {kilobytes}\ninternet_gb = {requests}")).unwrap();
        let (less, more) = (bill_of(text, &usage(requests / 2)), bill_of(text, &usage(requests)));
        prop_assert!(less.totals.list.expected <= more.totals.list.expected);
        prop_assert!(is_in_order(&more.totals));
    }
}
