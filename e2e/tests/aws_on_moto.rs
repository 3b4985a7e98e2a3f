//! The stack is applied by real Terraform, against a server that speaks AWS's API: once, twice without a change, with a new image, and away again.

use std::collections::BTreeSet;

use karma_e2e::karma::repository;
use karma_e2e::moto::Moto;
use karma_e2e::skip;
use karma_e2e::terraform::Terraform;
use serde_json::Value as Json;

/// Fewer resources than this are not the stack that was promised.
const LEAST_RESOURCES: usize = 130;

/// `plan -detailed-exitcode` for a plan with changes.
const CHANGES: i32 = 2;

/// What must be listed while the stack is there, so that it means something when it is not listed afterwards.
const KINDS: [&str; 14] = [
    "alarm",
    "bucket",
    "cluster",
    "dashboard",
    "load balancer",
    "log group",
    "namespace",
    "repository",
    "role",
    "scalable target",
    "secret",
    "service",
    "target group",
    "vpc",
];

/// Nothing is kept for later: without these a stack that was destroyed comes back only when its secrets' names are free again, and one with
/// images or data is not destroyed at all.
const DISPOSABLE: [&str; 3] = [
    "-var=secret_recovery_window_days=0",
    "-var=ecr_force_delete=true",
    "-var=data_bucket_force_destroy=true",
];

/// Most of the time goes into waiting for what the provider waits for.
const PARALLELISM: &str = "-parallelism=30";

#[test]
fn the_defaults_are_applied_and_destroyed() {
    check("the_defaults_are_applied_and_destroyed", None);
}

#[test]
fn the_seed_profile_is_applied_and_destroyed() {
    check("the_seed_profile_is_applied_and_destroyed", Some("seed.tfvars"));
}

fn check(test: &str, profile: Option<&str>) {
    match Account::new(test, profile) {
        Ok(account) => account.lives_through_it_all().unwrap_or_else(|error| panic!("{error}")),
        Err(reason) => skip(test, &reason),
    }
}

/// A stack, and an account to make it in.
struct Account {
    moto: Moto,
    terraform: Terraform,
    /// The flag that chooses the profile, if one is chosen.
    profile: Option<String>,
}

impl Account {
    fn new(test: &str, profile: Option<&str>) -> Result<Self, String> {
        let moto = Moto::start()?;
        let stack = repository().join("terraform");
        let terraform = Terraform::with_stack_at(test, &stack, moto.endpoint())?;
        let file = |name| format!("-var-file={}", stack.join("profiles").join(name).display());
        Ok(Self {
            moto,
            terraform,
            profile: profile.map(file),
        })
    }

    fn lives_through_it_all(&self) -> Result<(), String> {
        let before = self.inventory();
        self.terraform(&["apply", "-auto-approve"])?;
        self.is_all_there(&before)?;
        self.changes_nothing(&[])?;
        self.changes_only_the_agent_with_a_new_image()?;
        self.terraform(&["destroy", "-auto-approve"])?;
        assert_eq!(self.inventory(), before, "destroy leaves something, or takes too much");
        self.terraform(&["apply", "-auto-approve"])?;
        self.changes_nothing(&[])
    }

    fn is_all_there(&self, before: &BTreeSet<String>) -> Result<(), String> {
        let state = String::from_utf8_lossy(&self.terraform.succeed(&["state", "list"])?).into_owned();
        let resources = state.lines().filter(|address| !address.starts_with("data.")).count();
        assert!(resources >= LEAST_RESOURCES, "{resources} resources:\n{state}");
        let made: Vec<String> = self.inventory().difference(before).cloned().collect();
        for kind in KINDS {
            let is_there = made.iter().any(|thing| thing.starts_with(&format!("{kind} ")));
            assert!(is_there, "no {kind} is listed:\n{}", made.join("\n"));
        }
        Ok(())
    }

    fn changes_nothing(&self, variables: &[&str]) -> Result<(), String> {
        let output = self.run(&[&["plan", "-detailed-exitcode"], variables].concat())?;
        let plan = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "the next plan has changes:\n{plan}");
        Ok(())
    }

    fn changes_only_the_agent_with_a_new_image(&self) -> Result<(), String> {
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        let image = format!("-var=image_digests={{ validator = \"{digest}\" }}");
        let output = self.run(&["plan", "-detailed-exitcode", "-out=image.tfplan", &image])?;
        assert_eq!(
            output.status.code(),
            Some(CHANGES),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let plan = self.terraform.succeed(&["show", "-json", "image.tfplan"])?;
        let plan: Json = serde_json::from_slice(&plan).map_err(|error| error.to_string())?;
        assert_eq!(
            changed(&plan),
            [
                "aws_ecs_service.agents[\"validator\"]: update",
                "aws_ecs_task_definition.agents[\"validator\"]: delete create",
            ]
        );
        self.terraform
            .succeed(&["apply", "-input=false", "-no-color", PARALLELISM, "image.tfplan"])?;
        self.changes_nothing(&[&image])
    }

    fn terraform(&self, words: &[&str]) -> Result<(), String> {
        self.terraform.succeed(&self.arguments(words)).map(drop)
    }

    fn run(&self, words: &[&str]) -> Result<std::process::Output, String> {
        self.terraform.run(&self.arguments(words))
    }

    fn arguments<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let more = ["-input=false", "-no-color", PARALLELISM].into_iter().chain(DISPOSABLE);
        words
            .iter()
            .copied()
            .chain(more)
            .chain(self.profile.as_deref())
            .collect()
    }

    fn inventory(&self) -> BTreeSet<String> {
        self.moto.inventory("us-east-1")
    }
}

/// `address: actions` of every resource that a plan changes.
fn changed(plan: &Json) -> Vec<String> {
    let changes = plan["resource_changes"].as_array().into_iter().flatten();
    let told = |change: &Json| {
        let actions = change["change"]["actions"].as_array()?.iter().filter_map(Json::as_str);
        let actions = actions.collect::<Vec<_>>().join(" ");
        let is_change = !["no-op", "read"].contains(&actions.as_str());
        is_change.then(|| format!("{}: {actions}", change["address"].as_str().unwrap_or_default()))
    };
    changes.filter_map(told).collect()
}
