//! A stack with three secrets, for tests.

use karma_fleet::Fleet;
use karma_terraform::{Inputs, Sources, evaluate, parse};

use super::StackSecrets;

const STACK: &str = r#"
    resource "aws_secretsmanager_secret" "agents" {
      for_each = toset(["validator", "hello"])
      name     = "main/${each.key}"
    }
    resource "aws_secretsmanager_secret" "token" { name = "main.token" }
    resource "aws_ecs_task_definition" "validator" {
      family = "validator"
      container_definitions = jsonencode([{
        name  = "app"
        image = "app:1"
        secrets = [
          { name = "A", valueFrom = "${aws_secretsmanager_secret.agents["validator"].arn}:OPENAI_API_KEY::" },
          { name = "B", valueFrom = "${aws_secretsmanager_secret.agents["validator"].arn}:WALLET::" },
          { name = "T", valueFrom = aws_secretsmanager_secret.token.arn },
        ]
      }])
    }
"#;

/// Of `validator` two keys are read, of `token` all, of `hello` nothing.
pub(crate) fn secrets() -> StackSecrets {
    let (module, _) = parse(&Sources::from_iter([("main.tf", STACK)]));
    let (stack, _) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
    StackSecrets::of(&Fleet::from_stack(&stack).0)
}
