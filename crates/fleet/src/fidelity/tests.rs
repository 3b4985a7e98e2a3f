use std::collections::BTreeSet;
use std::path::Path;

use karma_terraform::{Inputs, Sources, evaluate, parse};

use super::*;
use crate::provider;

fn stack_of(sources: &Sources) -> Stack {
    let (module, diagnostics) = parse(sources);
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    let (stack, diagnostics) = evaluate(&module, &Inputs::default(), &provider());
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    stack
}

/// The product's own stack.
fn default_stack() -> Stack {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../terraform");
    stack_of(&karma_terraform::read(&directory).unwrap())
}

/// Every block that a reader goes into, so that it asks for all it knows.
fn stack_of_everything() -> Stack {
    stack_of(&Sources::from_iter([("main.tf", include_str!("everything.tf"))]))
}

/// Every treatment of every resource type, with the type's first name.
fn treatments() -> impl Iterator<Item = (&'static str, &'static Treatment)> {
    TABLES.iter().flat_map(|(kinds, _)| {
        let table = table(kinds[0]).unwrap();
        table.treatments().map(move |treatment| (kinds[0], treatment))
    })
}

fn acts(treatment: &Treatment) -> bool {
    matches!(treatment.fidelity, Fidelity::Enforced | Fidelity::Simulated)
}

#[test]
fn what_the_readers_read_is_in_the_tables() {
    let mut strange = BTreeSet::new();
    for stack in [stack_of_everything(), default_stack()] {
        let (_, context) = Fleet::read(&stack);
        for (kind, path) in context.reads.borrow().iter() {
            let table = table(kind);
            if !table.is_some_and(|table| table.nearest(path).is_some() || table.has_below(path)) {
                strange.insert(format!("{kind}.{path}"));
            }
        }
    }
    assert!(strange.is_empty(), "read and in no table: {strange:#?}");
}

#[test]
fn what_the_tables_call_enforced_is_read() {
    let stack = stack_of_everything();
    let (_, context) = Fleet::read(&stack);
    let reads = context.reads.borrow();
    let unread: Vec<_> = treatments()
        .filter(|(kind, treatment)| acts(treatment) && !reads.contains(kind, treatment.attribute))
        .map(|(kind, treatment)| format!("{kind}.{}", treatment.attribute))
        .collect();
    assert!(unread.is_empty(), "nothing reads {unread:#?}");
}

/// What is read only to warn of it, or only to leave out what it stands in.
const READ_AND_IGNORED: &[&str] = &[
    "aws_ecs_task_definition.container_definitions.logConfiguration",
    "aws_lb.enable_tls_version_and_cipher_suite_headers",
    "aws_lb_target_group.load_balancing_anomaly_mitigation",
    "aws_cloudwatch_metric_alarm.threshold_metric_id",
    "aws_cloudwatch_composite_alarm.actions_suppressor",
];

/// A reader that has come must be told of.
#[test]
fn what_the_tables_call_ignored_is_not_acted_on() {
    let stack = stack_of_everything();
    let (_, context) = Fleet::read(&stack);
    let reads = context.reads.borrow();
    let read: Vec<_> = treatments()
        .filter(|(kind, treatment)| {
            treatment.fidelity == Fidelity::Ignored && reads.contains(kind, treatment.attribute)
        })
        .map(|(kind, treatment)| format!("{kind}.{}", treatment.attribute))
        .collect();
    assert_eq!(read, READ_AND_IGNORED);
}

/// Else a table could call a whole block enforced of which only a part is.
#[test]
fn what_is_set_below_an_enforced_block_is_read() {
    for stack in [stack_of_everything(), default_stack()] {
        let (_, context) = Fleet::read(&stack);
        let reads = context.reads.borrow();
        for line in fidelity(&stack)
            .iter()
            .filter(|line| matches!(line.fidelity, Fidelity::Enforced | Fidelity::Simulated))
        {
            let path = line.attribute.as_deref().unwrap();
            for leaf in line
                .resources
                .iter()
                .flat_map(|address| leaves(&stack.resources[address], path))
            {
                assert!(
                    reads.contains(&line.resource_type, &leaf),
                    "{}: `{leaf}` is not read",
                    line.resource_type
                );
            }
        }
    }
}

/// Maps, whose members have names that no reader can know.
const MAPS: &[&str] = &["dimensions"];

/// The members of a block or of a list of blocks, as deep as they go; a plain value or a map is its own leaf.
fn leaves(resource: &ResourceInstance, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (argument, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = &resource.attributes[argument];
    let parsed = (argument == container_definitions::ARGUMENT)
        .then(|| container_definitions::definitions(value))
        .flatten();
    descend(
        parsed.as_deref().unwrap_or_else(|| collection(value)),
        argument,
        rest,
        &mut found,
    );
    found
}

fn descend(value: &Value, path: &str, rest: &str, found: &mut BTreeSet<String>) {
    let elements = value.as_elements().unwrap_or(std::slice::from_ref(value));
    let (next, further) = rest.split_once('.').unwrap_or((rest, ""));
    for element in elements {
        let is_map = MAPS.iter().any(|map| path.ends_with(map));
        match element.as_object() {
            Some(members) if !is_map => {
                let wanted = members.iter().filter(|(name, member)| {
                    (next.is_empty() || *name == next) && !member.is_null() && member.as_str() != Some("")
                });
                for (name, member) in wanted {
                    descend(member, &format!("{path}.{name}"), further, found);
                }
            }
            _ => drop(found.insert(path.to_owned())),
        }
    }
}

#[test]
fn no_attribute_has_two_treatments() {
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = treatments()
        .filter(|(kind, treatment)| !seen.insert((*kind, treatment.attribute)))
        .map(|(kind, treatment)| format!("{kind}.{}", treatment.attribute))
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn every_attribute_of_the_default_stack_is_known() {
    let lines = fidelity(&default_stack());
    let strange = lines
        .iter()
        .filter(|line| [UNKNOWN.remark, UNREAD.remark].contains(&line.remark));
    let strange: Vec<_> = strange
        .map(|line| (&line.resource_type, &line.attribute, line.remark))
        .collect();
    assert!(strange.is_empty(), "{strange:#?}");
    let services = lines
        .iter()
        .find(|line| line.attribute.as_deref() == Some("desired_count"))
        .unwrap();
    assert_eq!(services.resources.len(), 5);
}

#[test]
fn an_attribute_that_nobody_knows_is_ignored_and_named() {
    let text = r#"
        resource "aws_ecr_repository" "x" { name = "x" }
        resource "aws_ecs_task_definition" "x" {
          family                = "x"
          container_definitions = jsonencode([{ name = "x", image = aws_ecr_repository.x.repository_url, sparkles = true }])
        }
        resource "aws_sqs_queue" "q" {}
    "#;
    let lines = fidelity(&stack_of(&Sources::from_iter([("main.tf", text)])));
    let strange = |line: &&FidelityLine| line.remark == UNKNOWN.remark || line.attribute.is_none();
    let shown: Vec<_> = lines
        .iter()
        .filter(strange)
        .map(|line| (line.attribute.as_deref().unwrap_or(&line.resource_type), line.fidelity))
        .collect();
    let expected = [
        ("container_definitions.sparkles", Fidelity::Ignored),
        ("aws_sqs_queue", Fidelity::NotApplicable),
    ];
    assert_eq!(shown, expected);
}
