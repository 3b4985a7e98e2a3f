//! How long the bill of a thousand services takes, in microseconds: the median of several, as one number on standard output.
//!
//! `cargo xtask bench` runs it and holds the number against its goal.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::print_stdout, reason = "the number is what it is run for")]

use std::time::Instant;

use karma_cost::{PriceBook, Usage, price};
use karma_terraform::{Inputs, Sources, Stack, evaluate, parse};

const SERVICES: &str = r#"
resource "aws_ecs_cluster" "main" {
  name = "main"
  setting {
    name  = "containerInsights"
    value = "enhanced"
  }
}
resource "aws_ecs_task_definition" "it" {
  count                 = 1000
  family                = "it-${count.index}"
  cpu                   = 256
  memory                = 512
  container_definitions = jsonencode([{ name = "it", image = "it", healthCheck = { command = ["CMD", "it"] } }])
}
resource "aws_ecs_service" "it" {
  count           = 1000
  name            = "it-${count.index}"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.it[count.index].arn
  desired_count   = 2
  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = 1
    weight            = 1
  }
  capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = 4
  }
}
resource "aws_appautoscaling_target" "it" {
  count              = 1000
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/main/it-${count.index}"
  min_capacity       = 1
  max_capacity       = 10
}
resource "aws_appautoscaling_scheduled_action" "night" {
  count              = 1000
  name               = "night"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/main/it-${count.index}"
  schedule           = "cron(0 20 ? * MON-FRI *)"
  scalable_target_action {
    min_capacity = 0
    max_capacity = 1
  }
}
resource "aws_appautoscaling_scheduled_action" "day" {
  count              = 1000
  name               = "day"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/main/it-${count.index}"
  schedule           = "cron(0 8 ? * MON-FRI *)"
  scalable_target_action {
    min_capacity = 1
    max_capacity = 10
  }
}
resource "aws_cloudwatch_log_group" "it" {
  count = 1000
  name  = "it-${count.index}"
}
"#;

fn main() {
    let stack = stack();
    let prices = PriceBook::embedded("us-east-1").expect("it came with the program");
    let mut times: Vec<u128> = (0..21).map(|_| time(&stack, &prices)).collect();
    times.sort_unstable();
    println!("{}", times[times.len() / 2]);
}

fn time(stack: &Stack, prices: &PriceBook) -> u128 {
    let start = Instant::now();
    let bill = price(stack, &Usage::default(), prices);
    let micros = start.elapsed().as_micros();
    assert!(
        bill.components.len() > 6_000,
        "the bill has {} lines",
        bill.components.len()
    );
    micros
}

fn stack() -> Stack {
    let (module, problems) = parse(&Sources::from_iter([("main.tf", SERVICES)]));
    assert!(problems.is_empty(), "{problems:?}");
    let (stack, problems) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
    assert!(problems.is_empty(), "{problems:?}");
    stack
}
