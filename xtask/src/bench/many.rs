//! 500 tasks of a trivial program: how long they take to come up, and how much memory `karma` itself holds then.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::fleet::resident;
use super::karma::Karma;
use super::{Measurement, Quantity, Result};
use crate::workspace;

/// Bytes resident.
const MEMORY_GOAL: u64 = 100_000_000;
const UP_GOAL: Duration = Duration::from_secs(10);

const STACK: &str = r#"
resource "aws_ecs_cluster" "main" { name = "many" }
resource "aws_ecr_repository" "sleeper" { name = "many/sleeper" }
resource "aws_ecs_task_definition" "sleeper" {
  family                   = "sleeper"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions = jsonencode([{
    name        = "sleeper"
    image       = "${aws_ecr_repository.sleeper.repository_url}:1"
    essential   = true
    stopTimeout = 2
  }])
}
resource "aws_ecs_service" "sleeper" {
  name            = "sleeper"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.sleeper.arn
  desired_count   = 500
  launch_type     = "FARGATE"
}
"#;

const PROGRAMS: &str = r#"
[image."many/sleeper"]
program = "/bin/sleep"
path = "/bin/sleep"
args = ["86400"]
"#;

pub(super) fn measure(karma: &Karma) -> Result<Vec<Measurement>> {
    let directory = workspace::target().join("bench-many");
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("main.tf"), STACK)?;
    fs::write(directory.join("karma.toml"), PROGRAMS)?;
    let directory = directory.to_str().ok_or("the target directory's path is not text")?;
    let (_, took) = karma.run(&["up", directory, "--detach", "--port", "0"])?;
    let memory = memory(karma, directory);
    karma.run(&["down", directory])?;
    Ok(vec![
        Measurement {
            what: "karma up of 500 tasks, to all running".to_owned(),
            measured: Quantity::Time(took),
            goal: Quantity::Time(UP_GOAL),
        },
        Measurement {
            what: "memory of karma with 500 tasks".to_owned(),
            measured: Quantity::Bytes(memory?),
            goal: Quantity::Bytes(MEMORY_GOAL),
        },
    ])
}

/// Of `karma` itself, without its tasks.
fn memory(karma: &Karma, directory: &str) -> Result<u64> {
    let (status, _) = karma.run(&["status", directory, "--json"])?;
    let status: Value = serde_json::from_slice(&status.stdout)?;
    let pid = status["pid"].as_u64().ok_or("`karma status --json` has no `pid`")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(resident(&status).ok_or("a process without resident memory")?)
}
