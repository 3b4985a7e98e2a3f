//! Stacks mean to us what they mean to Terraform: every address, every known value, every output.

use std::path::{Path, PathBuf};
use std::thread;

use karma_e2e::agreement::disagreements;
use karma_e2e::karma::repository;
use karma_e2e::terraform::Terraform;
use karma_e2e::{evaluation, skip};
use serde_json::{Value as Json, json};

/// The stack with some of its variables set.
struct Variation {
    name: &'static str,
    variables: Json,
}

fn variations() -> Vec<Variation> {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    [
        ("defaults", json!({})),
        ("no-nat-gateway", json!({ "enable_nat_gateway": false, "enable_vpc_endpoints": false })),
        (
            "nat-gateway-per-zone",
            json!({ "single_nat_gateway": false, "availability_zones": ["us-east-1c", "us-east-1a", "us-east-1b"] }),
        ),
        ("on-demand", json!({ "use_fargate_spot": false, "desired_count_per_service": 2, "autoscaling_min_capacity": 2 })),
        ("no-service-connect", json!({ "enable_service_connect": false, "enable_execute_command": false })),
        ("digests", json!({ "image_digests": { "validator": digest, "karma-hello": digest }, "image_tag": "1.2.3" })),
        ("sixth-agent", json!({ "agents": sixth_agent() })),
        ("one-agent", json!({ "agents": { "only": { "port": 8080, "priority": 1, "health_check_path": "/healthz" } } })),
        (
            "another-region",
            json!({
                "aws_region": "eu-west-1",
                "availability_zones": ["eu-west-1a", "eu-west-1b"],
                "project_name": "other",
                "vpc_cidr": "172.20.0.0/20",
            }),
        ),
        ("tags", json!({ "tags": { "Owner": "platform", "Project": "overridden", "Empty": "" } })),
        (
            "larger",
            json!({
                "task_cpu": 1024, "task_memory": 4096, "cpu_architecture": "ARM64", "log_retention_days": 30, "log_level": "debug",
                "autoscaling_max_capacity": 10, "autoscaling_cpu_target": 62.5, "alb_idle_timeout": 300,
                "alb_ingress_cidr_blocks": ["203.0.113.0/24", "198.51.100.0/24"],
            }),
        ),
    ]
    .map(|(name, variables)| Variation { name, variables })
    .into()
}

fn sixth_agent() -> Json {
    json!({
        "validator": { "port": 9001, "priority": 100, "secrets": ["PRIVATE_KEY", "OPENAI_API_KEY"] },
        "karma-hello": { "port": 9002, "priority": 200, "cpu": 512, "memory": 1024, "desired_count": 2 },
        "abracadabra": { "port": 9003, "priority": 300, "calls": ["karma-hello", "sixth"] },
        "skill-extractor": { "port": 9004, "priority": 400, "calls": ["karma-hello"], "health_check_path": "/ready" },
        "voice-extractor": { "port": 9005, "priority": 500, "environment": { "LOG_LEVEL": "trace", "A": "<&>" } },
        "sixth": { "port": 9006, "priority": 50, "secrets": null },
    })
}

#[test]
fn our_plan_of_the_projects_stack_is_terraforms() {
    check("our_plan_of_the_projects_stack_is_terraforms", &stack(), &variations());
}

#[test]
fn our_plan_of_every_resource_type_is_terraforms() {
    let name = "our_plan_of_every_resource_type_is_terraforms";
    check(name, &repository().join("e2e/stacks/every_resource"), &[unchanged()]);
}

#[test]
fn our_plan_knows_the_providers_habits() {
    check(
        "our_plan_knows_the_providers_habits",
        &repository().join("e2e/stacks/provider_habits"),
        &[unchanged()],
    );
}

fn unchanged() -> Variation {
    Variation {
        name: "defaults",
        variables: json!({}),
    }
}

fn check(test: &str, stack: &Path, variations: &[Variation]) {
    let terraform = match Terraform::with_stack(test, stack) {
        Ok(terraform) => terraform,
        Err(reason) => return skip(test, &reason),
    };
    let found = disagreements_of_all(&terraform, variations);
    assert!(found.is_empty(), "{} disagreements:\n{}", found.len(), found.join("\n"));
}

/// Two at a time: most of the time is Terraform's and its provider's start.
fn disagreements_of_all(terraform: &Terraform, variations: &[Variation]) -> Vec<String> {
    let some = |some: &[Variation]| -> Vec<String> { some.iter().flat_map(|one| compared(terraform, one)).collect() };
    thread::scope(|scope| {
        let halves = variations.chunks(variations.len().div_ceil(2));
        let workers: Vec<_> = halves.map(|half| scope.spawn(move || some(half))).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a comparison does not panic"))
            .collect()
    })
}

/// What Terraform and we do not agree on for one variation.
fn compared(terraform: &Terraform, Variation { name, variables }: &Variation) -> Vec<String> {
    let variables = variables.to_string();
    let theirs = match terraform.plan(name, &variables) {
        Ok(plan) => plan,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    match evaluation::plan(terraform.directory(), "variables.tfvars.json", &variables) {
        Ok(ours) => {
            let found = disagreements(&theirs, &ours, &karma_fleet::provider().schemas);
            found
                .into_iter()
                .map(|disagreement| format!("{name}: {disagreement}"))
                .collect()
        }
        Err(said) => vec![format!("{name}: karma says: {}", said.join("; "))],
    }
}

fn stack() -> PathBuf {
    repository().join("terraform")
}
