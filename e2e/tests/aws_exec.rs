//! `karma exec --on aws` as a user types it: ECS is a server that speaks its API, and the agent in the task is played over a real WebSocket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use karma_e2e::exec_agent::ExecAgent;
use karma_e2e::karma::{Answer, karma_binary, target_directory};
use karma_e2e::moto::Moto;
use karma_e2e::skip;
use karma_e2e::terraform::Terraform;
use serde_json::{Value, json};

const TEST: &str = "commands_run_in_tasks_on_aws";

const STACK: &str = r#"
provider "aws" {
  region = "eu-west-1"
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "main" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.0.0.0/24"
}

resource "aws_ecs_cluster" "main" {
  name = "main"
}

resource "aws_ecs_task_definition" "api" {
  family                   = "api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "app", image = "main/api:1" }])
}

resource "aws_ecs_service" "services" {
  for_each               = toset(["api"])
  name                   = "main-${each.key}"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.api.arn
  desired_count          = 1
  launch_type            = "FARGATE"
  enable_execute_command = true

  network_configuration {
    subnets = [aws_subnet.main.id]
  }
}
"#;

#[test]
fn commands_run_in_tasks_on_aws() {
    let account = match Account::new() {
        Ok(account) => account,
        Err(reason) => return skip(TEST, &reason),
    };
    account.prints_what_the_command_prints();
    account.types_what_is_typed();
    account.hands_on_an_interrupt();
    account.says_what_it_cannot_do();
    account.agent.keep_exit_codes();
    let untold = account.exec(&["sh", "-c", "exit 3"]);
    assert_eq!(untold.code, Some(0), "{untold:?}");
}

/// A stack, an account that it is in, and the agent of its task.
struct Account {
    agent: ExecAgent,
    moto: Moto,
    terraform: Terraform,
}

impl Account {
    fn new() -> Result<Self, String> {
        let agent = ExecAgent::start();
        let moto = Moto::with_agent(&agent.address())?;
        let files = tempfile::tempdir_in(target_directory()).map_err(|error| error.to_string())?;
        std::fs::write(files.path().join("main.tf"), STACK).map_err(|error| error.to_string())?;
        let terraform = Terraform::with_stack_at(TEST, files.path(), moto.endpoint())?;
        let apply = ["apply", "-auto-approve", "-input=false", "-no-color"];
        terraform.succeed(&apply).expect("the stack can be applied");
        Ok(Self { agent, moto, terraform })
    }

    fn prints_what_the_command_prints(&self) {
        let script = "echo out; echo oh >&2; exit 3";
        let answer = self.exec(&["sh", "-c", script]);
        assert_eq!((answer.code, answer.stdout.as_str()), (Some(3), "out\n"), "{answer:?}");
        assert!(answer.stderr.contains("oh\n"), "{answer:?}");
        let words = self.exec(&["printf", "%s|", "a b", "it's", "$HOME", ""]);
        assert_eq!(
            (words.code, words.stdout.as_str()),
            (Some(0), "a b|it's|$HOME||"),
            "{words:?}"
        );
        let data = self.run(&["--json", "exec", "--on", "aws", "main-api", "--", "sh", "-c", script]);
        let data: Value = serde_json::from_str(&data.stdout).unwrap_or_else(|error| panic!("{error}: {data:?}"));
        assert_eq!(data, json!({ "exit_code": 3, "output": "out\n", "errors": "oh\n" }));
        let long = self.exec(&["seq", "20000"]);
        assert_eq!((long.code, long.stdout.lines().count()), (Some(0), 20_000));
        assert!(long.stdout.ends_with("\n20000\n"));
    }

    fn types_what_is_typed(&self) {
        let mut command = self.command(&["exec", "--on", "aws", "api", "--", "sort"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("karma can be started");
        let mut stdin = child.stdin.take().expect("it was asked for");
        stdin.write_all(b"b\na\n").expect("it reads");
        drop(stdin);
        let answer = Answer::from(child.wait_with_output().expect("it is our child"));
        assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), "a\nb\n"), "{answer:?}");
    }

    fn hands_on_an_interrupt(&self) {
        let script = "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.1; done";
        let mut command = self.command(&["exec", "--on", "aws", "api", "--", "sh", "-c", script]);
        // An input that does not end: its end would be typed.
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("karma can be started");
        let mut printed = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        let mut line = || printed.next().and_then(Result::ok);
        assert_eq!(line().as_deref(), Some("ready"));
        let status = Command::new("kill")
            .args(["-s", "INT", &child.id().to_string()])
            .status();
        assert!(status.is_ok_and(|status| status.success()));
        assert_eq!(line().as_deref(), Some("caught"));
        assert_eq!(line(), None);
        assert_eq!(child.wait().expect("it is our child").code(), Some(7));
    }

    fn says_what_it_cannot_do(&self) {
        let check = |arguments: &[&str], expected: &str| {
            let answer = self.run(&[&["exec", "--on", "aws"], arguments].concat());
            assert_eq!(answer.code, Some(2), "{answer:?}");
            assert!(answer.stderr.contains(expected), "{answer:?}");
        };
        check(&["apu", "--", "env"], "no service `apu`");
        check(
            &["api", "--container", "web", "--", "env"],
            "has no container `web`\nhint: choose one with --container: app",
        );
    }

    fn exec(&self, command: &[&str]) -> Answer {
        self.run(&[&["exec", "--on", "aws", "api", "--"], command].concat())
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        self.command(arguments).output().expect("karma can be started").into()
    }

    /// `karma` with credentials that the server takes, and nothing else of this machine's.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(karma_binary());
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.terraform.directory())
            .env("KARMA_DIR", self.terraform.directory())
            .env("AWS_ENDPOINT_URL", self.moto.endpoint())
            .env("AWS_ACCESS_KEY_ID", "not-a-key")
            .env("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }
}
