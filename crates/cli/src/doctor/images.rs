//! The images that a deploy builds, pins and pushes, and the repositories that take them.

use std::collections::BTreeSet;

use karma_fleet::{Container, Fleet};

use super::check::Check;
use super::seen::Seen;
use crate::karma_toml::FILE_NAME;

pub(super) fn check(fleet: &Fleet, seen: &Seen) -> Vec<Check> {
    let own: BTreeSet<&str> = fleet.repositories.values().map(|one| one.name.as_str()).collect();
    let definitions = fleet.task_definitions.values();
    let containers = definitions.flat_map(|definition| &definition.containers);
    let containers: Vec<&Container> = containers
        .filter(|container| own.contains(container.image.repository.as_str()))
        .collect();
    if containers.is_empty() {
        return vec![Check::skipped(
            "images",
            "no task runs an image of the stack's own repositories",
        )];
    }
    vec![
        entries(&containers, &seen.entries),
        digests(&containers),
        repositories(&own, seen),
    ]
}

/// Which program is in which image.
fn entries(containers: &[&Container], entries: &BTreeSet<String>) -> Check {
    let used: BTreeSet<&str> = containers
        .iter()
        .map(|container| container.image.repository.as_str())
        .collect();
    let without: Vec<&str> = used.iter().copied().filter(|name| !entries.contains(*name)).collect();
    match without.first() {
        None => Check::ok("images", format!("{FILE_NAME} has an entry for each of {}", used.len())),
        Some(first) => Check::missing(
            "images",
            format!("{FILE_NAME} has no entry for {}", without.join(", ")),
            format!("add [image.\"{first}\"] with program and path"),
        ),
    }
}

fn digests(containers: &[&Container]) -> Check {
    let name = "digests";
    let pinned = containers
        .iter()
        .filter(|container| container.image.version.starts_with("@sha256:"))
        .count();
    let all = containers.len();
    if pinned == all {
        Check::ok(name, format!("all {all} images are pinned"))
    } else {
        Check::skipped(
            name,
            format!("{pinned} of {all} images are pinned; a deploy pins them in images.auto.tfvars.json"),
        )
    }
}

fn repositories(own: &BTreeSet<&str>, seen: &Seen) -> Check {
    let name = "repositories";
    let Some(known) = seen.known() else {
        return Check::skipped(name, "AWS cannot be asked");
    };
    let there = match &known.repositories {
        Ok(there) => there,
        Err(why) => return Check::skipped(name, why),
    };
    match own.iter().filter(|name| there.contains_key(**name)).count() {
        count if count == own.len() => Check::ok(name, format!("all {count} are there")),
        count => Check::skipped(
            name,
            format!("{count} of {} are there; a deploy makes the others first", own.len()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use karma_terraform::{Inputs, Sources, evaluate, parse};

    use super::super::check::Verdict;
    use super::*;

    fn fleet(version: &str) -> Fleet {
        let text = format!(
            r#"
            resource "aws_ecr_repository" "a" {{ name = "k/a" }}
            resource "aws_ecs_task_definition" "a" {{
              family                = "a"
              container_definitions = jsonencode([
                {{ name = "a", image = "${{aws_ecr_repository.a.repository_url}}{version}" }},
                {{ name = "proxy", image = "public.ecr.aws/nginx/nginx:1" }},
              ])
            }}
            "#
        );
        let (module, _) = parse(&Sources::from_iter([("main.tf", text.as_str())]));
        let (stack, _) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
        Fleet::from_stack(&stack).0
    }

    fn verdicts(version: &str, entries: &[&str]) -> Vec<Verdict> {
        let seen = Seen {
            entries: entries.iter().map(ToString::to_string).collect(),
            ..Seen::default()
        };
        check(&fleet(version), &seen)
            .iter()
            .map(|check| check.verdict)
            .collect()
    }

    #[test]
    fn every_image_has_an_entry_and_a_digest() {
        use Verdict::{Missing, Ok, Skipped};
        let digest = format!("@sha256:{}", "0".repeat(64));
        assert_eq!(verdicts(&digest, &["k/a"]), [Ok, Ok, Skipped]);
        assert_eq!(verdicts(":1", &["k/a"]), [Ok, Skipped, Skipped]);
        assert_eq!(verdicts(":1", &["k/b"]), [Missing, Skipped, Skipped]);
    }

    #[test]
    fn a_stack_of_foreign_images_needs_none() {
        assert_eq!(check(&Fleet::default(), &Seen::default())[0].verdict, Verdict::Skipped);
    }
}
