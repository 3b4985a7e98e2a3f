//! `karma cost`: the bill and every question about it, through the binary.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{karma, karma_with, stack};

const SMALL: &str = r#"
provider "aws" { region = "us-east-1" }
variable "secrets" {
  type    = number
  default = 2
}
variable "cpu_architecture" {
  type    = string
  default = "X86_64"
}
resource "aws_secretsmanager_secret" "this" {
  count = var.secrets + (var.cpu_architecture == "ARM64" ? 0 : 1)
  name  = "s${count.index}"
}
resource "aws_cloudwatch_log_group" "this" { name = "logs" }
resource "aws_rare_thing" "this" {}
"#;

/// The small stack, with a profile that has more of it.
fn small() -> tempfile::TempDir {
    stack(&[
        ("main.tf", SMALL),
        ("profiles/many.tfvars", "secrets = 9\n"),
        ("busy.toml", "logs_gb = 40\n"),
    ])
}

fn json(answer: &str) -> serde_json::Value {
    let stdout = answer.split("--- stdout\n").nth(1).unwrap();
    serde_json::from_str(stdout.split("--- stderr").next().unwrap()).unwrap_or_else(|_| panic!("no JSON: {answer}"))
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The prices that come with the program, with Spot prices that never grow old: the answer must not depend on the day of the test.
fn fresh_prices(directory: &Path) -> String {
    let data = repository().join("crates/cost/data/prices");
    let files = ["us-east-1.csv", "global.csv"].map(|file| fs::read_to_string(data.join(file)).unwrap());
    let path = directory.join("prices.csv");
    let lines = files.iter().flat_map(|text| text.lines());
    let fresh = lines.map(|line| {
        if line.starts_with("fargate_spot.") {
            line.replace("2026-09-28", "2099-01-01") + "\n"
        } else {
            format!("{line}\n")
        }
    });
    fs::write(&path, fresh.collect::<String>()).unwrap();
    path.display().to_string()
}

/// The project's own stack, asked something.
fn own(arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let prices = fresh_prices(directory.path());
    let given = ["cost", "terraform", "--prices", &prices];
    karma(&repository(), &[&given, arguments].concat())
}

#[test]
fn the_bill_says_what_it_counts_and_assumes() {
    let stack = small();
    insta::assert_snapshot!(karma(stack.path(), &["cost"]));
    insta::assert_snapshot!(
        "with_its_resources_and_reasons",
        karma(stack.path(), &["cost", "-v", "--usage", "busy.toml"])
    );
}

#[test]
fn the_four_profiles_have_these_bills() {
    insta::assert_snapshot!("defaults", own(&[]));
    for profile in ["lean", "resilient", "seed"] {
        let file = format!("terraform/profiles/{profile}.tfvars");
        insta::assert_snapshot!(profile, own(&["--var-file", &file]));
    }
}

#[test]
fn what_differs_is_shown_by_line() {
    insta::assert_snapshot!(own(&["--compare", "lean"]));
    let stack = small();
    let other = stack.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("main.tf"), SMALL.replace("default = 2", "default = 0")).unwrap();
    for (from, change) in [("many", "-2.80"), ("other", "+0.80"), (".", "0.00")] {
        let answer = karma(stack.path(), &["cost", "--compare", from]);
        let said = format!("At list price: {change} USD a month");
        assert!(
            answer.starts_with("exit: 0") && answer.contains(&said),
            "{from}: {answer}"
        );
    }
}

#[test]
fn a_plan_costs_what_its_stack_costs() {
    let stack = small();
    let plan = karma(stack.path(), &["plan", "--json", "--var", "secrets=5"]);
    fs::write(stack.path().join("plan.json"), json(&plan).to_string()).unwrap();
    let of_plan = json(&karma(
        stack.path(),
        &["cost", "--plan", "plan.json", "--json", "--region", "us-east-1"],
    ));
    let of_stack = json(&karma(stack.path(), &["cost", "--var", "secrets=5", "--json"]));
    assert_eq!(of_plan["totals"], of_stack["totals"]);
    let answer = karma(stack.path(), &["cost", "--compare", "plan.json"]);
    assert!(answer.contains("-1.20 USD a month"), "{answer}");
}

#[test]
fn a_budget_is_kept_or_not() {
    let within = own(&["--budget", "96"]);
    assert!(
        within.starts_with("exit: 0")
            && within.contains("Within the budget of 96.00 USD at list price, with 1.79 left."),
        "{within}"
    );
    let over = own(&["--budget", "80", "--by", "free-tier", "--json"]);
    assert!(over.starts_with("exit: 1"), "{over}");
    let budget = &json(&over)["budget"];
    assert_eq!(
        (&budget["verdict"], &budget["figure"]),
        (&"over".into(), &"with_free_tier".into())
    );
    let ways = budget["ways_back"].as_array().unwrap();
    assert_eq!(ways.len(), 3, "{budget}");
    let markdown = own(&["--budget", "80", "--format", "markdown"]);
    assert!(
        markdown.contains("**Over the budget of 80.00 USD at list price, by 14.21.**"),
        "{markdown}"
    );
}

#[test]
fn nothing_helps_a_stack_that_is_not_ours() {
    let stack = small();
    let over = karma(
        stack.path(),
        &["cost", "--budget", "0", "--var", "cpu_architecture=ARM64"],
    );
    assert!(
        over.starts_with("exit: 1") && over.contains("Nothing that is known here brings it back."),
        "{over}"
    );
    let answer = karma(stack.path(), &["cost", "--what-if", "--var", "cpu_architecture=ARM64"]);
    assert!(
        answer.starts_with("exit: 0") && answer.contains("None of the variables"),
        "{answer}"
    );
}

#[test]
fn every_change_says_what_it_saves_and_costs() {
    insta::assert_snapshot!(own(&["--what-if"]));
}

#[test]
fn the_cheapest_variables_cost_what_is_said() {
    insta::assert_snapshot!(own(&["--optimise", "--keep", "alb,private,nights"]));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cheap.tfvars").display().to_string();
    own(&["--optimise", "--by", "free-tier", "-o", &path]);
    let said = fs::read_to_string(&path).unwrap();
    let bill = json(&own(&["--var-file", &path, "--json"]));
    let cost: f64 = bill["totals"]["with_free_tier"]["expected"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        said.starts_with(&format!("# {cost:.2} USD with the free tier a month")),
        "{cost}: {said}"
    );
}

#[test]
fn json_is_the_schema_that_is_promised() {
    let stack = small();
    let bill = json(&karma(stack.path(), &["cost", "--json"]));
    assert_eq!(bill["schema"], 1);
    for total in ["list", "with_free_tier"] {
        for estimate in ["low", "expected", "high"] {
            assert!(bill["totals"][total][estimate].is_string(), "{total} {estimate}");
        }
    }
    let line = &bill["components"][0];
    for name in ["group", "resource", "name", "quantity", "rate", "basis", "because"] {
        assert!(!line[name].is_null(), "{name}: {line}");
    }
    assert_eq!(bill["unpriced"][0]["resource"], "aws_rare_thing.this");
    let comparison = json(&karma(stack.path(), &["cost", "--compare", "many", "--json"]));
    assert_eq!(
        (&comparison["schema"], &comparison["from"]),
        (&1.into(), &"many".into())
    );
}

#[test]
fn a_bill_is_written_in_every_format() {
    let stack = small();
    for (format, beginning) in [
        ("table", "., us-east-1, USD a month"),
        ("markdown", "| USD a month |"),
        ("csv", "group,resource,"),
        ("svg", "<svg "),
    ] {
        let path = stack.path().join("bill");
        fs::write(&path, "old").unwrap();
        let answer = karma(
            stack.path(),
            &["cost", "--format", format, "-o", "bill", "--color", "always"],
        );
        assert!(answer.starts_with("exit: 0\n--- stdout\n---"), "{answer}");
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(beginning) && !text.contains('\x1b'),
            "{format}: {text}"
        );
    }
}

#[test]
fn what_cannot_be_answered_says_why_and_what_to_do() {
    let stack = small();
    fs::write(stack.path().join("no-plan.json"), "{}").unwrap();
    fs::write(stack.path().join("typo.toml"), "request = 1\n").unwrap();
    fs::write(stack.path().join("book.csv"), "# region: eu-west-1\n").unwrap();
    let answers = [
        &["--region", "mars-north-1"][..],
        &["--compare", "sparse"],
        &["--compare", "many", "--format", "csv"],
        &["--plan", "no-plan.json"],
        &["--usage", "typo.toml"],
        &["--prices", "book.csv"],
        &["-o", "no/such/place"],
    ];
    let said = answers.map(|arguments| {
        format!(
            "{arguments:?}\n{}",
            karma(stack.path(), &[&["cost", "-q"], arguments].concat())
        )
    });
    insta::assert_snapshot!(said.join("\n"));
    let plan = karma(stack.path(), &["plan", "--json"]);
    fs::write(stack.path().join("plan.json"), json(&plan).to_string()).unwrap();
    for question in ["--what-if", "--optimise"] {
        let answer = karma(
            stack.path(),
            &["cost", "--plan", "plan.json", question, "--region", "us-east-1"],
        );
        assert!(
            answer.starts_with("exit: 2") && answer.contains("cannot be planned again"),
            "{answer}"
        );
    }
}

#[test]
fn a_stack_without_a_region_is_asked_for_one() {
    let stack = stack(&[("main.tf", "resource \"aws_secretsmanager_secret\" \"this\" {}\n")]);
    let answer = karma(stack.path(), &["cost"]);
    assert!(
        answer.starts_with("exit: 2") && answer.contains("hint: say it: karma cost --region"),
        "{answer}"
    );
    let answer = karma_with(stack.path(), &["cost", "--json"], &[("KARMA_REGION", "sa-east-1")]);
    assert_eq!(json(&answer)["region"], "sa-east-1");
}

#[test]
fn spot_prices_that_are_out_of_date_are_marked() {
    let answer = karma(&repository(), &["cost", "terraform", "--region", "us-west-2"]);
    assert!(answer.contains("Fargate Spot, x86: vCPU (price of 2021)"), "{answer}");
    assert!(
        answer.contains("rest on Spot prices that are out of date: karma prices refresh us-west-2"),
        "{answer}"
    );
}

#[test]
fn a_wrong_command_line_is_refused() {
    let stack = small();
    for arguments in [
        &["--keep", "alb"][..],
        &["--optimise", "--keep", "sport"],
        &["--what-if", "--compare", "many"],
        &["--budget", "-1"],
        &["--budget", "much"],
        &["--format", "json"],
    ] {
        let answer = karma(stack.path(), &[&["cost"], arguments].concat());
        assert!(answer.starts_with("exit: 64"), "{arguments:?}: {answer}");
    }
}
