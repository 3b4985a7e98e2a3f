//! A plan that Terraform made costs what the same stack costs by our own evaluation.

use std::fs;
use std::path::PathBuf;

use karma_cost::{Bill, PriceBook, Usage, price, read_plan};
use karma_e2e::karma::repository;
use karma_e2e::terraform::Terraform;
use karma_e2e::{evaluation, skip};
use karma_terraform::Stack;

/// The image of a NAT instance is asked for from AWS where nobody says which.
const NAT_INSTANCE_IMAGE: &str = "nat_instance_ami = \"ami-0123456789abcdef0\"";

/// The profiles, and further variables that change what a plan can know.
fn variations() -> Vec<(&'static str, String)> {
    let profile = |name: &str| {
        let text = fs::read_to_string(stack().join(format!("profiles/{name}.tfvars"))).expect("the profile is there");
        text + NAT_INSTANCE_IMAGE
    };
    vec![
        ("default", String::new()),
        ("seed", profile("seed")),
        ("lean", profile("lean")),
        ("resilient", profile("resilient")),
        (
            "public-tasks",
            "enable_nat_gateway = false\nbusiness_hours = {}".to_owned(),
        ),
    ]
}

#[test]
fn a_plan_costs_what_the_stack_costs() {
    let test = "a_plan_costs_what_the_stack_costs";
    let terraform = match Terraform::with_stack(test, &stack()) {
        Ok(terraform) => terraform,
        Err(reason) => return skip(test, &reason),
    };
    for (name, variables) in variations() {
        let file = format!("{name}.tfvars");
        let plan = terraform
            .plan_with_file(name, &file, &variables)
            .expect("Terraform plans it");
        let theirs = bill(&read_plan(&plan.to_string()).expect("it is a plan"));
        let ours = evaluation::stack(terraform.directory(), &file, &variables).expect("it evaluates");
        assert_eq!(lines(&theirs), lines(&bill(&ours)), "{name}");
    }
}

fn bill(stack: &Stack) -> Bill {
    let prices = PriceBook::embedded("us-east-1").expect("it came with the program");
    price(stack, &Usage::default(), &prices)
}

/// What is paid for and how much; but for Container Insights, whose metrics depend on containers that a plan does not show.
fn lines(bill: &Bill) -> Vec<String> {
    let lines = bill
        .components
        .iter()
        .filter(|line| line.resource.kind != "aws_ecs_cluster");
    let text = |line: &karma_cost::CostComponent| {
        let quantity = line.quantity;
        let (low, expected, high) = (quantity.low, quantity.expected, quantity.high);
        format!(
            "{} {}: {low}, {expected}, {high} at {}",
            line.resource,
            line.name,
            line.rate.usd.exact()
        )
    };
    let unpriced = bill.unpriced.iter().map(|it| format!("{}: {}", it.resource, it.why));
    lines.map(text).chain(unpriced).collect()
}

fn stack() -> PathBuf {
    repository().join("terraform")
}
