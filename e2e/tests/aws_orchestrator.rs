//! `--on aws` against a server that speaks AWS's API: a small stack, applied by real Terraform, is seen and changed as one that runs here.
//!
//! The server keeps what ECS knows of a service but runs no task, so a deployment is completed as soon as it has begun.

use std::process::{Command, Output};

use karma_e2e::karma::{karma_binary, target_directory};
use karma_e2e::moto::Moto;
use karma_e2e::skip;
use karma_e2e::terraform::Terraform;
use serde_json::Value;

const TEST: &str = "a_fleet_on_aws_is_seen_and_changed";

const STACK: &str = r#"
provider "aws" {
  region = "eu-west-1"
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "main" {
  for_each          = { a = "10.0.0.0/24", b = "10.0.1.0/24" }
  vpc_id            = aws_vpc.main.id
  cidr_block        = each.value
  availability_zone = "eu-west-1${each.key}"
}

resource "aws_lb" "main" {
  name    = "main"
  subnets = [for subnet in aws_subnet.main : subnet.id]
}

resource "aws_lb_target_group" "api" {
  name        = "api"
  port        = 8080
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = aws_vpc.main.id
}

resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }
}

resource "aws_ecs_cluster" "main" {
  name = "main"
}

resource "aws_cloudwatch_log_group" "api" {
  name = "/ecs/main/api"
}

resource "aws_ecs_task_definition" "api" {
  family                   = "api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions = jsonencode([{
    name         = "app"
    image        = "main/api:1"
    portMappings = [{ containerPort = 8080 }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.api.name
        awslogs-region        = "eu-west-1"
        awslogs-stream-prefix = "api"
      }
    }
  }])
}

resource "aws_ecs_service" "services" {
  for_each        = toset(["api"])
  name            = "main-${each.key}"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.api.arn
  desired_count   = 1
  launch_type     = "FARGATE"

  network_configuration {
    subnets = [for subnet in aws_subnet.main : subnet.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.api.arn
    container_name   = "app"
    container_port   = 8080
  }

  depends_on = [aws_lb_listener.main]
}

resource "aws_appautoscaling_target" "api" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.services["api"].name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = 1
  max_capacity       = 4
}

resource "aws_cloudwatch_metric_alarm" "cpu" {
  alarm_name          = "main-high-cpu"
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  dimensions          = { ClusterName = "main", ServiceName = "main-api" }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 1
  threshold           = 80
  comparison_operator = "GreaterThanThreshold"
}
"#;

#[test]
fn a_fleet_on_aws_is_seen_and_changed() {
    match Account::new() {
        Ok(account) => account.lives_through_it_all(),
        Err(reason) => skip(TEST, &reason),
    }
}

/// A stack, and an account that it is in.
struct Account {
    moto: Moto,
    terraform: Terraform,
}

impl Account {
    fn new() -> Result<Self, String> {
        let moto = Moto::start()?;
        let files = tempfile::tempdir_in(target_directory()).map_err(|error| error.to_string())?;
        std::fs::write(files.path().join("main.tf"), STACK).map_err(|error| error.to_string())?;
        let terraform = Terraform::with_stack_at(TEST, files.path(), moto.endpoint())?;
        Ok(Self { moto, terraform })
    }

    fn lives_through_it_all(&self) {
        let before = self.karma(&["status"]);
        assert_eq!(before.status.code(), Some(1), "{before:?}");
        assert!(
            text(&before.stderr).contains("there is no cluster main in eu-west-1 on AWS"),
            "{before:?}"
        );
        let apply = ["apply", "-auto-approve", "-input=false", "-no-color"];
        self.terraform.succeed(&apply).expect("the stack can be applied");
        self.is_seen();
        self.is_changed();
        self.says_what_it_lacks();
    }

    fn is_seen(&self) {
        let status = self.json(&["status"]);
        let api = &status["services"][0];
        assert_eq!(api["label"], "api");
        assert_eq!(api["service"], "main-api");
        assert_eq!(api["health"], "healthy");
        assert_eq!(api["task_definition"], "api:1");
        assert_eq!(api["autoscaling"]["max_capacity"], 4);
        assert_eq!(api["deployments"][0]["rollout_state"], "COMPLETED");
        let url = api["url"].as_str().unwrap_or_default();
        assert!(url.starts_with("http://main-1.eu-west-1.elb"), "{url}");
        assert_eq!(self.json(&["tasks"]), Value::from(Vec::<Value>::new()));
        assert_eq!(self.json(&["wait", "api"])[0]["outcome"], "stable");
        assert_eq!(self.json(&["metrics"])["series"], Value::from(Vec::<Value>::new()));
        let alarm = &self.json(&["alarms"])["alarms"][0];
        assert_eq!(alarm["name"], "main-high-cpu");
        assert_eq!(
            alarm["watches"],
            "Average of AWS/ECS CPUUtilization (ClusterName=main, ServiceName=main-api)"
        );
    }

    fn is_changed(&self) {
        let deployments = |status: &Value| status["services"][0]["deployments"][0]["id"].clone();
        let before = deployments(&self.json(&["status"]));
        // Beyond the maximum, which moves.
        self.json(&["scale", "api=6", "--no-wait"]);
        let status = self.json_of(&self.karma(&["status", "--json"]));
        assert_eq!(status["services"][0]["desired_count"], 6);
        assert_eq!(status["services"][0]["autoscaling"]["max_capacity"], 6);
        self.json(&["scale", "api=1", "--no-wait"]);
        let begun = self.json(&["restart", "api", "--no-wait"]);
        assert!(
            begun[0]["deployment"]
                .as_str()
                .is_some_and(|id| id.starts_with("ecs-svc/")),
            "{begun}"
        );
        assert!(before.is_string());
    }

    fn says_what_it_lacks(&self) {
        let check = |mut command: Command, code: i32, expected: &str| {
            let output = command.output().expect("karma can be started");
            assert_eq!(output.status.code(), Some(code), "{output:?}");
            assert!(text(&output.stderr).contains(expected), "{output:?}");
        };
        check(self.command(&["restart", "apu"]), 2, "did you mean `api`?");
        check(
            self.command(&["status", "--region", "us-west-2"]),
            1,
            "there is no cluster main in us-west-2 on AWS",
        );
        let mut without_credentials = self.command(&["status"]);
        without_credentials
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY");
        check(without_credentials, 2, "there are no usable AWS credentials");
        let mut dead = self.command(&["status"]);
        dead.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        check(dead, 2, "cannot reach 127.0.0.1:1");
        let port = self.moto.endpoint().rsplit(':').next().unwrap_or_default();
        let there = format!("aws.example:80:127.0.0.1:{port}");
        let mut elsewhere = self.command(&["status", "--resolve", &there]);
        elsewhere.env("AWS_ENDPOINT_URL", "http://aws.example");
        let output = elsewhere.output().expect("karma can be started");
        assert!(text(&output.stdout).contains("main-1.eu-west-1.elb"), "{output:?}");
        assert!(
            text(&output.stderr).contains("aws.example:80 is taken to be at 127.0.0.1"),
            "{output:?}"
        );
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.karma(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        self.json_of(&output)
    }

    fn json_of(&self, output: &Output) -> Value {
        let parsed = serde_json::from_slice(&output.stdout);
        parsed.unwrap_or_else(|error| panic!("{error} from {}: {output:?}", self.moto.endpoint()))
    }

    fn karma(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("karma can be started")
    }

    /// `karma` with credentials that the server takes, and nothing else of this machine's.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(karma_binary());
        command
            .args(arguments)
            .args(["--on", "aws"])
            .env_clear()
            .env("HOME", self.terraform.directory())
            .env("KARMA_DIR", self.terraform.directory())
            .env("AWS_ENDPOINT_URL", self.moto.endpoint())
            .env("AWS_ACCESS_KEY_ID", "not-a-key")
            .env("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
