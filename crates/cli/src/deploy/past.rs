//! What services ran before, as ECS remembers it: the revisions of their task definitions.

use std::collections::BTreeMap;

use karma_aws::Revision;

use super::digests::ImageKeys;
use crate::failure::Failure;

/// The digests of one task definition, by the keys of the stack's variable.
pub(crate) type Images = BTreeMap<String, String>;

/// The digests that a revision pins. An image of another registry, or one that is named by its tag, is none of them.
pub(crate) fn images(revision: &Revision, keys: &ImageKeys) -> Images {
    let references = revision.images.values();
    references.filter_map(|reference| pinned(reference, keys)).collect()
}

/// `validator` and its digest, of `123456789012.dkr.ecr.us-east-1.amazonaws.com/karmacadabra/validator@sha256:…`
fn pinned(reference: &str, keys: &ImageKeys) -> Option<(String, String)> {
    let (name, digest) = reference.split_once('@')?;
    let (_, path) = name.split_once('/')?;
    let repository = path.split(':').next().unwrap_or(path);
    Some((keys.key(repository)?.to_owned(), digest.to_owned()))
}

/// The revision to go back to: this one, or the newest before the one that is wanted now whose images are others.
pub(crate) fn earlier<'a>(
    service: &str,
    revisions: &'a [Revision],
    now: u32,
    to: Option<u32>,
    keys: &ImageKeys,
) -> Result<&'a Revision, Failure> {
    let find = |number: u32| revisions.iter().find(|revision| revision.revision == number);
    if let Some(number) = to {
        return find(number).filter(|it| !images(it, keys).is_empty()).ok_or_else(|| {
            none(
                service,
                &format!("{service} has no revision {number} with an image that is pinned"),
                revisions,
            )
        });
    }
    let current = find(now).map(|revision| images(revision, keys)).unwrap_or_default();
    let mut before: Vec<&Revision> = revisions.iter().filter(|revision| revision.revision < now).collect();
    before.sort_by_key(|revision| std::cmp::Reverse(revision.revision));
    let is_other = |revision: &&Revision| {
        let before = images(revision, keys);
        !before.is_empty() && before != current
    };
    before
        .into_iter()
        .find(is_other)
        .ok_or_else(|| none(service, &format!("{service} has never run another image"), revisions))
}

fn none(service: &str, message: &str, revisions: &[Revision]) -> Failure {
    let failure = Failure::no(message);
    if revisions.is_empty() {
        return failure;
    }
    failure.hint(format!("see what there is: karma history {service}"))
}

#[cfg(test)]
mod tests {
    use karma_aws::RevisionStatus;

    use super::*;

    const REGISTRY: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/karma";

    fn keys() -> ImageKeys {
        ImageKeys::for_tests(&[("karma/a", "a"), ("karma/b", "b")])
    }

    /// A revision whose containers run these images: `a@sha256:1`, each in the registry of the stack.
    fn revision(number: u32, images: &[&str]) -> Revision {
        let images = images
            .iter()
            .map(|image| ((*image).to_owned(), format!("{REGISTRY}/{image}")));
        Revision {
            revision: number,
            arn: format!("arn:aws:ecs:us-east-1:123456789012:task-definition/a:{number}"),
            registered_at: None,
            registered_by: None,
            status: RevisionStatus::Active,
            images: images.collect(),
            tags: BTreeMap::new(),
        }
    }

    fn check(revisions: &[(u32, &[&str])], now: u32, to: Option<u32>, expected: Option<u32>) {
        let revisions: Vec<_> = revisions
            .iter()
            .map(|(number, images)| revision(*number, images))
            .collect();
        let found = earlier("a", &revisions, now, to, &keys()).ok().map(|it| it.revision);
        assert_eq!(found, expected, "from {now} to {to:?}");
    }

    #[test]
    fn the_last_revision_with_another_image_is_the_one_to_go_back_to() {
        let one: (u32, &[&str]) = (1, &["a@sha256:1"]);
        check(&[(3, &["a@sha256:2"]), (2, &["a@sha256:2"]), one], 3, None, Some(1));
        check(&[(2, &["a@sha256:2"]), one], 2, None, Some(1));
        check(&[(3, &["a@sha256:3"]), (2, &["a:0.1.0"]), one], 3, None, Some(1));
        check(&[one], 1, None, None);
        check(&[(2, &["a@sha256:1"]), one], 2, None, None);
    }

    #[test]
    fn a_revision_that_is_named_is_taken_if_its_image_is_pinned() {
        let revisions: &[(u32, &[&str])] = &[(3, &["a@sha256:3"]), (2, &["a:0.1.0"]), (1, &["a@sha256:1"])];
        check(revisions, 3, Some(1), Some(1));
        check(revisions, 1, Some(3), Some(3));
        check(revisions, 3, Some(2), None);
        check(revisions, 3, Some(7), None);
    }

    #[test]
    fn only_pinned_images_of_the_stacks_repositories_count() {
        let revision = revision(1, &["a@sha256:1", "b:1.0@sha256:2", "other@sha256:3", "a:1.0"]);
        let found = images(&revision, &keys());
        let expected = [("a", "sha256:1"), ("b", "sha256:2")];
        assert_eq!(
            found,
            expected.map(|(key, digest)| (key.to_owned(), digest.to_owned())).into()
        );
    }
}
