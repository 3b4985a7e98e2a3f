//! The images that a deploy builds, pins and pushes, and the repositories that take them.

use std::collections::{BTreeMap, BTreeSet};

use karma_fleet::{Container, Fleet};

use super::check::Check;
use super::seen::{Buildable, Seen};
use crate::karma_toml::FILE_NAME;

/// The check of what karma.toml describes.
const ENTRIES: &str = "images";

/// The check of what builds it.
const TOOLCHAIN: &str = "toolchain";

/// What a deploy need not have that leaves the images as they are.
pub(super) const NAMES: [&str; 2] = [ENTRIES, TOOLCHAIN];

pub(super) fn check(fleet: &Fleet, seen: &Seen) -> Vec<Check> {
    let own: BTreeSet<&str> = fleet.repositories.values().map(|one| one.name.as_str()).collect();
    let definitions = fleet.task_definitions.values();
    let containers = definitions.flat_map(|definition| &definition.containers);
    let containers: Vec<&Container> = containers
        .filter(|container| own.contains(container.image.repository.as_str()))
        .collect();
    if containers.is_empty() {
        return vec![Check::skipped(
            ENTRIES,
            "no task runs an image of the stack's own repositories",
        )];
    }
    let mut checks = match &seen.images {
        Ok(described) => vec![entries(&containers, described), toolchain(described)],
        Err(why) => vec![Check::missing(
            ENTRIES,
            why,
            "describe them in karma.toml: [image.\"REPOSITORY\"] with program and path",
        )],
    };
    checks.extend([digests(&containers), repositories(&own, seen)]);
    checks
}

/// Which program is in which image.
fn entries(containers: &[&Container], described: &BTreeMap<String, Buildable>) -> Check {
    let used: BTreeSet<&str> = containers
        .iter()
        .map(|container| container.image.repository.as_str())
        .collect();
    let without: Vec<&str> = used
        .iter()
        .copied()
        .filter(|name| !described.contains_key(*name))
        .collect();
    match without.first() {
        None => Check::ok(ENTRIES, format!("{FILE_NAME} has an entry for each of {}", used.len())),
        Some(first) => Check::missing(
            ENTRIES,
            format!("{FILE_NAME} has no entry for {}", without.join(", ")),
            format!("add [image.\"{first}\"] with program and path"),
        ),
    }
}

/// Whether this machine can build for what the stack's tasks run on.
fn toolchain(described: &BTreeMap<String, Buildable>) -> Check {
    let platforms: BTreeSet<&str> = described.values().map(|image| image.platform.as_str()).collect();
    let platforms = Vec::from_iter(platforms).join(" and ");
    let lacks = described.values().flat_map(|image| &image.lacks);
    let lacks: BTreeMap<&str, &str> = lacks.map(|lack| (lack.what.as_str(), lack.remedy.as_str())).collect();
    if lacks.is_empty() {
        return Check::ok(TOOLCHAIN, format!("builds for {platforms}"));
    }
    let (what, remedies): (Vec<&str>, Vec<&str>) = lacks.into_iter().unzip();
    let finding = format!("to build for {platforms}, {} is missing", what.join(" and "));
    Check::missing(TOOLCHAIN, finding, remedies.join(" && "))
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
    use super::super::seen::{Account, Told};
    use super::*;
    use crate::toolchain::Missing;

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

    fn seen(images: Told<BTreeMap<String, Buildable>>) -> Seen {
        Seen {
            terraform: None,
            has_lock: false,
            images,
            region: None,
            account: Account::Unknown {
                why: "AWS was not asked".to_owned(),
                mend: None,
            },
        }
    }

    fn verdicts(version: &str, described: &[(&str, &[Missing])]) -> Vec<Verdict> {
        let buildable = |lacks: &[Missing]| Buildable {
            platform: "linux/arm64".to_owned(),
            lacks: lacks.to_vec(),
        };
        let described = described
            .iter()
            .map(|(name, lacks)| ((*name).to_owned(), buildable(lacks)));
        let checks = check(&fleet(version), &seen(Ok(described.collect())));
        checks.iter().map(|check| check.verdict).collect()
    }

    #[test]
    fn every_image_has_an_entry_a_toolchain_and_a_digest() {
        use Verdict::{Missing as No, Ok, Skipped};
        let digest = format!("@sha256:{}", "0".repeat(64));
        let linker = Missing {
            what: "the linker".to_owned(),
            remedy: "apt-get install it".to_owned(),
        };
        assert_eq!(verdicts(&digest, &[("k/a", &[])]), [Ok, Ok, Ok, Skipped]);
        assert_eq!(verdicts(":1", &[("k/a", &[])]), [Ok, Ok, Skipped, Skipped]);
        assert_eq!(verdicts(":1", &[("k/b", &[])]), [No, Ok, Skipped, Skipped]);
        assert_eq!(verdicts(&digest, &[("k/a", &[linker])]), [Ok, No, Ok, Skipped]);
    }

    #[test]
    fn what_karma_toml_does_not_describe_is_missing() {
        let checks = check(&fleet(":1"), &seen(Err("it describes no image".to_owned())));
        assert!(checks[0].is_missing());
        assert_eq!(checks[0].finding, "it describes no image");
    }

    #[test]
    fn a_stack_of_foreign_images_needs_none() {
        let checks = check(&Fleet::default(), &seen(Err(String::new())));
        assert_eq!(checks[0].verdict, Verdict::Skipped);
    }
}
