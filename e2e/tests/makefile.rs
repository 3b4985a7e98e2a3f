//! The stack's Makefile: every target, as far as this machine has what it needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use karma_e2e::karma::{StackCopy, agents, karma_binary, repository};
use karma_e2e::moto::Moto;
use karma_e2e::skip;
use karma_e2e::terraform::Terraform;

/// What makes a directory with a stack one that `make` works in.
const TOOLS: [&str; 2] = ["Makefile", "operations.sh"];

/// Every target; a pattern with the agent it is tried with.
const TARGETS: [&str; 24] = [
    "help",
    "init",
    "plan",
    "cost",
    "apply",
    "destroy",
    "output",
    "validate",
    "fmt",
    "repositories",
    "deploy",
    "ecr-login",
    "build-validator",
    "push-validator",
    "push-images",
    "update-services",
    "logs-validator",
    "dashboard",
    "scale-up",
    "scale-down",
    "scale-zero",
    "health-check",
    "clean",
    "plan PROFILE=lean",
];

/// `make` in a directory, with an environment that has only what is given.
struct Make {
    directory: PathBuf,
    environment: Vec<(&'static str, String)>,
}

/// How it ended, and all that it said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    text: String,
}

impl Make {
    fn new(directory: &Path) -> Self {
        let kept = ["PATH", "HOME"].map(|name| Some((name, std::env::var(name).ok()?)));
        // The user's own account and settings must not show in a test.
        let nothing = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|name| (name, "/dev/null".to_owned()));
        Self {
            directory: directory.to_owned(),
            environment: kept.into_iter().flatten().chain(nothing).collect(),
        }
    }

    /// Where Terraform was initialised for this stack, with the Makefile beside it.
    fn beside(terraform: &Terraform) -> Self {
        let mut make = Self::new(terraform.directory());
        for tool in TOOLS {
            fs::copy(repository().join("terraform").join(tool), make.directory.join(tool)).expect("it can be copied");
        }
        let configuration = make.directory.with_extension("tfrc").display().to_string();
        make.environment.push(("TF_CLI_CONFIG_FILE", configuration));
        make
    }

    fn run(&self, arguments: &str) -> Said {
        let mut command = Command::new("make");
        command
            .args(["--no-print-directory"])
            .args(arguments.split(' '))
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.output().expect("make runs").into()
    }

    /// Runs what has to succeed and returns what it said.
    fn succeed(&self, arguments: &str) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "make {arguments}: {}", said.text);
        said.text
    }

    /// Runs what has to fail, and with this reason.
    fn fail(&self, arguments: &str, reason: &str) {
        let said = self.run(arguments);
        assert!(
            said.code == Some(2) && said.text.contains(reason),
            "make {arguments}: {said:?}"
        );
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            text: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        }
    }
}

/// The reason why a test cannot run on this machine, if a program is missing.
fn missing(programs: &[&str]) -> Option<String> {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let missing = programs.iter().find(|program| !runs(program))?;
    Some(format!("{missing} is not installed"))
}

#[test]
fn help_lists_every_target() {
    if let Some(reason) = missing(&["make"]) {
        return skip("help_lists_every_target", &reason);
    }
    let make = Make::new(&repository().join("terraform"));
    let help = make.succeed("help");
    let listed: Vec<&str> = help.lines().filter_map(|line| line.split(' ').next()).collect();
    let expected = TARGETS.iter().filter(|target| !target.contains(' '));
    let expected: Vec<String> = expected.map(|target| target.replace("-validator", "-%")).collect();
    assert_eq!(listed, expected);
}

#[test]
fn every_target_has_a_recipe() {
    if let Some(reason) = missing(&["make"]) {
        return skip("every_target_has_a_recipe", &reason);
    }
    let make = Make::new(&repository().join("terraform"));
    for target in TARGETS {
        assert!(!make.succeed(&format!("-n {target}")).is_empty(), "{target}");
    }
    let lean = make.succeed("-n plan PROFILE=lean");
    assert!(lean.contains("-var-file=profiles/lean.tfvars"), "{lean}");
    assert!(repository().join("terraform/profiles/lean.tfvars").is_file());
    make.fail("-n no-such-target", "No rule to make target");
}

#[test]
fn cost_prices_what_would_be_applied() {
    if let Some(reason) = missing(&["make"]) {
        return skip("cost_prices_what_would_be_applied", &reason);
    }
    let mut make = Make::new(&repository().join("terraform"));
    make.environment.push(("KARMA", karma_binary().display().to_string()));
    let (defaults, lean) = (make.succeed("cost"), make.succeed("cost PROFILE=lean"));
    assert!(
        defaults.contains("NAT gateway") && !lean.contains("NAT gateway"),
        "{lean}"
    );
    let mut with_a_variable = make;
    with_a_variable
        .environment
        .push(("VAR_FLAGS", "-var cpu_architecture=ARM64".to_owned()));
    assert!(with_a_variable.succeed("cost").contains("Fargate Spot, ARM"));
}

#[test]
fn health_check_asks_what_runs_here() {
    if let Some(reason) = missing(&["make", "curl"]) {
        return skip("health_check_asks_what_runs_here", &reason);
    }
    let stack = StackCopy::new();
    let make = Make::new(&repository().join("terraform"));
    let check = format!("health-check BASE_URL=http://127.0.0.1:{}", stack.port());
    assert_ne!(make.run(&check).code, Some(0), "nothing runs yet");

    let up = stack.run(&["up", "--detach", "--port", &stack.port().to_string()]);
    assert_eq!(up.code, Some(0), "{up:?}");
    let said = make.succeed(&check);
    for agent in agents() {
        assert!(said.contains(&format!("/{agent}/health\n")), "{agent}: {said}");
    }
    assert_eq!(said.matches("healthy    http").count(), agents().len(), "{said}");
}

#[test]
fn what_is_not_applied_is_not_guessed() {
    let test = "what_is_not_applied_is_not_guessed";
    let terraform = Terraform::with_stack("makefile_unapplied", &repository().join("terraform"));
    let terraform = match (terraform, missing(&["make"])) {
        (Ok(terraform), None) => terraform,
        (Err(reason), _) | (_, Some(reason)) => return skip(test, &reason),
    };
    let make = Make::beside(&terraform);
    make.succeed("fmt");
    assert!(make.succeed("validate").contains("valid"));
    for target in [
        "scale-up",
        "update-services",
        "dashboard",
        "logs-validator",
        "health-check",
    ] {
        make.fail(target, "not applied yet");
    }
    make.fail("logs-nobody", "The agents are: abracadabra karma-hello");
    make.fail("build-nobody", "There is no agent 'nobody'");
    make.fail(
        "build-validator DOCKER=no-such-docker",
        "no-such-docker is not installed",
    );
    make.fail(
        "scale-up TERRAFORM=no-such-terraform",
        "no-such-terraform is not installed",
    );
    let blind = make.succeed("apply AWS=no-such-aws APPLY_FLAGS=-help");
    assert!(
        blind.contains("nobody can tell whether the images are in the registry"),
        "{blind}"
    );

    make.succeed("clean");
    make.fail("scale-up", "Run 'make init' first");
    make.succeed("init");
    make.fail("scale-up", "not applied yet");
}

/// Fewer agents than the stack has: each costs a second for every question that is asked about it.
const TWO_AGENTS: &str = "agents = {
  validator   = { port = 9001, priority = 100 }
  karma-hello = { port = 9002, priority = 200, max_capacity = 5 }
}
";

/// The targets that talk to AWS, against a server that speaks its API: the repositories first, then all of it.
#[test]
fn a_stack_is_applied_scaled_and_put_back() {
    let test = "a_stack_is_applied_scaled_and_put_back";
    if let Some(reason) = missing(&["make", "aws"]) {
        return skip(test, &reason);
    }
    match Moto::start().and_then(|moto| Account::new(test, moto)) {
        Ok(account) => account.lives(),
        Err(reason) => skip(test, &reason),
    }
}

/// A stack, and an account to make it in.
struct Account {
    make: Make,
    moto: Moto,
}

impl Account {
    fn new(test: &str, moto: Moto) -> Result<Self, String> {
        let terraform = Terraform::with_stack_at(test, &repository().join("terraform"), moto.endpoint())?;
        let mut make = Make::beside(&terraform);
        fs::write(make.directory.join("two.auto.tfvars"), TWO_AGENTS).map_err(|error| error.to_string())?;
        make.environment.extend([
            ("AWS_ENDPOINT_URL", moto.endpoint().to_owned()),
            ("AWS_ACCESS_KEY_ID", "not-a-key".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "not-a-secret".to_owned()),
        ]);
        Ok(Self { make, moto })
    }

    fn lives(&self) {
        self.repositories_come_first();
        let said = self.make.succeed("apply APPLY_FLAGS=-auto-approve");
        assert!(
            said.contains("validator: karmacadabra/validator at "),
            "no warning: {said}"
        );
        assert!(self.make.succeed("output").contains("alb_dns_name"));
        assert!(self.make.succeed("dashboard").starts_with("https://"));
        self.scaling_moves_the_limits_and_puts_them_back();
        let restarted = self.make.succeed("update-services");
        assert_eq!(restarted.matches("karmacadabra-").count(), 2, "{restarted}");
    }

    fn repositories_come_first(&self) {
        self.make.succeed("repositories APPLY_FLAGS=-auto-approve");
        let made = self.moto.inventory("us-east-1");
        let repositories = made.iter().filter(|thing| thing.starts_with("repository")).count();
        let services = made.iter().filter(|thing| thing.starts_with("service ")).count();
        assert_eq!((repositories, services), (2, 0), "{made:?}");
    }

    fn scaling_moves_the_limits_and_puts_them_back(&self) {
        let declared = self.limits();
        assert_eq!(declared, ["1 3", "1 5"]);
        self.make.fail("scale-up COUNT=many", "COUNT is a whole number");
        for (target, expected) in [("scale-up COUNT=4", ["4 4", "4 5"]), ("scale-zero", ["0 0"; 2])] {
            let said = self.make.succeed(target);
            assert!(
                said.contains("'make scale-down' or 'make apply' puts them back"),
                "{said}"
            );
            assert_eq!(self.limits(), expected, "{target}");
        }
        self.make.succeed("scale-down");
        assert_eq!(self.limits(), declared);
    }

    /// The limits of autoscaling, as AWS has them, in order.
    fn limits(&self) -> Vec<String> {
        let mut command = Command::new("aws");
        let output = command
            .args([
                "--region",
                "us-east-1",
                "application-autoscaling",
                "describe-scalable-targets",
            ])
            .args(["--service-namespace", "ecs", "--output", "text"])
            .args(["--query", "ScalableTargets[].[MinCapacity, MaxCapacity]"])
            .env_clear()
            .envs(self.make.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("aws runs: make ran it");
        let said = String::from_utf8_lossy(&output.stdout).replace('\t', " ");
        let mut limits: Vec<String> = said.lines().map(str::to_owned).collect();
        limits.sort();
        limits
    }
}
