//! Which blob goes where: a pure function of what is wanted and what was seen.

use std::collections::BTreeMap;

use super::survey::Seen;
use super::wanted::Wanted;
use crate::registry::upload::Blob;

/// A blob, and the repositories that want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) blob: Blob,
    /// Those that have it.
    pub(super) has: Vec<String>,
    /// Those that have not.
    pub(super) lacks: Vec<String>,
}

/// A delivery for each blob, the largest first: it takes the longest.
pub(super) fn plan(wanted: &[Wanted], seen: &[Seen]) -> Vec<Delivery> {
    // Whether each repository that wants a blob has it.
    let mut blobs: BTreeMap<&Blob, BTreeMap<&str, bool>> = BTreeMap::new();
    for (wanted, seen) in wanted.iter().zip(seen) {
        for blob in wanted.documents().flat_map(|document| &document.blobs) {
            let has = blobs.entry(blob).or_default().entry(&wanted.repository).or_default();
            *has |= seen.blobs.contains(&blob.digest);
        }
    }
    let mut deliveries: Vec<_> = blobs
        .into_iter()
        .map(|(blob, repositories)| delivery(blob, &repositories))
        .collect();
    deliveries.sort_by_key(|delivery| std::cmp::Reverse(delivery.blob.size));
    deliveries
}

fn delivery(blob: &Blob, repositories: &BTreeMap<&str, bool>) -> Delivery {
    let those = |having: bool| {
        let those = repositories.iter().filter(|(_, has)| **has == having);
        those.map(|(repository, _)| (*repository).to_owned()).collect()
    };
    Delivery {
        blob: blob.clone(),
        has: those(true),
        lacks: those(false),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::digest::Digest;
    use crate::reference::Reference;
    use crate::registry::manifests::Manifest;
    use crate::registry::push::wanted::Document;

    /// Blob `n` has the size `n`.
    fn blob(n: u8) -> Blob {
        Blob {
            digest: Digest::of(&[n]),
            size: n.into(),
            file: n.to_string().into(),
        }
    }

    fn wanted(repository: &str, blobs: &[u8]) -> Wanted {
        let to = Reference::new("r.example", repository).unwrap();
        let manifest = Manifest {
            digest: Digest::of(repository.as_bytes()),
            media_type: String::new(),
            bytes: Bytes::new(),
        };
        Wanted {
            repository: repository.to_owned(),
            to,
            tag: None,
            image: Document {
                manifest,
                blobs: blobs.iter().map(|n| blob(*n)).collect(),
            },
            attached: Vec::new(),
        }
    }

    fn seen(blobs: &[u8]) -> Seen {
        Seen {
            blobs: blobs.iter().map(|n| blob(*n).digest).collect(),
            ..Seen::default()
        }
    }

    fn check(cases: &[(&str, &[u8], &[u8])], expected: &[(u8, &[&str], &[&str])]) {
        let wants: Vec<_> = cases
            .iter()
            .map(|(repository, wants, _)| wanted(repository, wants))
            .collect();
        let sees: Vec<_> = cases.iter().map(|(_, _, sees)| seen(sees)).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, has, lacks)| Delivery {
                blob: blob(*n),
                has: has.iter().map(|name| (*name).to_owned()).collect(),
                lacks: lacks.iter().map(|name| (*name).to_owned()).collect(),
            })
            .collect();
        assert_eq!(plan(&wants, &sees), expected);
    }

    #[test]
    fn a_blob_goes_where_it_is_missing() {
        check(&[], &[]);
        check(&[("a", &[1, 2], &[1])], &[(2, &[], &["a"]), (1, &["a"], &[])]);
        check(
            &[("a", &[1, 9], &[]), ("b", &[2, 9], &[9]), ("c", &[9], &[])],
            &[(9, &["b"], &["a", "c"]), (2, &[], &["b"]), (1, &[], &["a"])],
        );
    }

    #[test]
    fn a_repository_of_two_images_gets_a_blob_once() {
        check(&[("a", &[1], &[]), ("a", &[1], &[])], &[(1, &[], &["a"])]);
    }

    proptest! {
        #[test]
        fn who_wants_a_blob_is_named_once(cases in proptest::collection::vec(
            ("[a-c]", proptest::collection::vec(0_u8..6, 0..6), proptest::collection::vec(0_u8..6, 0..6)), 0..6,
        )) {
            let wants: Vec<_> = cases.iter().map(|(repository, wants, _)| wanted(repository, wants)).collect();
            let sees: Vec<_> = cases.iter().map(|(_, _, sees)| seen(sees)).collect();
            let mut named = BTreeSet::new();
            for delivery in plan(&wants, &sees) {
                for repository in delivery.has.iter().chain(&delivery.lacks) {
                    prop_assert!(named.insert((repository.clone(), delivery.blob.digest)));
                }
            }
            let all: BTreeSet<_> = cases
                .iter()
                .flat_map(|(repository, wants, _)| wants.iter().map(|n| (repository.clone(), blob(*n).digest)))
                .collect();
            prop_assert_eq!(named, all);
        }
    }
}
