use std::os::unix::fs::PermissionsExt as _;

use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::elf::tests::static_program;
use crate::platform::Platform;
use crate::recipe::{Origin, Package};
use crate::{Inspection, inspect};

/// A directory with a program, a directory of data, and a place for a layout.
struct Bench {
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::write(bench.path("program"), static_program()).unwrap();
        fs::create_dir(bench.path("data")).unwrap();
        fs::write(bench.path("data/one.json"), "1").unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn recipe(&self, argument: &str) -> Recipe {
        Recipe {
            program: self.path("program"),
            path: "/usr/local/bin/agent".to_owned(),
            args: vec![argument.to_owned()],
            files: BTreeMap::from([("/app/data".to_owned(), self.path("data"))]),
            platform: Platform::LinuxAmd64,
            labels: BTreeMap::from([("org.opencontainers.image.title".to_owned(), "agent".to_owned())]),
            created: Timestamp::UNIX_EPOCH,
            origin: Origin::default(),
        }
    }

    fn layout(&self) -> Layout {
        Layout::create(&self.path("images")).unwrap()
    }

    fn build(&self, images: &[(&str, Recipe)]) -> Result<BTreeMap<String, Built>, BuildError> {
        let images = images.iter().map(|(name, recipe)| ((*name).to_owned(), recipe.clone()));
        build(&images.collect(), &mut self.layout(), |_, _| ())
    }

    fn inspect(&self, name: &str) -> Inspection {
        inspect(&self.layout(), name).unwrap().unwrap()
    }
}

/// The digest is of the bytes alone. It changes with the compressor and with Mozilla's certificates, and with nothing else that is not in the
/// recipe: if this fails and neither was updated, every image of every user would be another.
#[test]
fn the_digest_of_an_image_is_known_beforehand() {
    let bench = Bench::new();
    let built = bench.build(&[("k/a", bench.recipe("a"))]).unwrap();
    assert_eq!(
        built["k/a"].digest.to_string(),
        "sha256:2a15cd4bc4d90be48e5f48e24e40b0d47a2548ed8f66e9ef8a170ae7b5518b47"
    );
}

#[test]
fn images_of_one_program_share_its_layer() {
    let bench = Bench::new();
    let built = bench
        .build(&[("k/a", bench.recipe("a")), ("k/b", bench.recipe("b"))])
        .unwrap();
    assert_ne!(built["k/a"].digest, built["k/b"].digest);
    assert_eq!(bench.inspect("k/a").layers, bench.inspect("k/b").layers);
}

#[test]
fn neither_the_place_nor_the_rights_here_nor_the_origin_make_another_image() {
    let (one, two) = (Bench::new(), Bench::new());
    fs::set_permissions(two.path("data/one.json"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(two.path("data"), fs::Permissions::from_mode(0o700)).unwrap();
    let mut recipe = two.recipe("a");
    recipe.origin.commit = Some("0123".to_owned());
    let built = one.build(&[("k/a", one.recipe("a"))]).unwrap();
    assert_eq!(built, two.build(&[("k/a", recipe)]).unwrap());
}

#[test]
fn what_is_in_it_makes_another_image() {
    let bench = Bench::new();
    let digest = |recipe: Recipe| bench.build(&[("k/a", recipe)]).unwrap()["k/a"].digest;
    let first = digest(bench.recipe("a"));
    let changes: [fn(&mut Recipe); 5] = [
        |recipe| recipe.args.push("more".to_owned()),
        |recipe| recipe.path = "/bin/agent".to_owned(),
        |recipe| recipe.files.clear(),
        |recipe| recipe.labels.clear(),
        |recipe| recipe.created = Timestamp::from_second(1).unwrap(),
    ];
    for change in changes {
        let mut recipe = bench.recipe("a");
        change(&mut recipe);
        assert_ne!(digest(recipe), first);
    }
    fs::write(bench.path("data/one.json"), "2").unwrap();
    assert_ne!(digest(bench.recipe("a")), first);
}

#[test]
fn an_image_says_what_it_is() {
    let bench = Bench::new();
    let mut recipe = bench.recipe("a");
    recipe.origin.packages.push(Package {
        name: "p".to_owned(),
        version: "1.0.0".to_owned(),
        licence: Some("MIT/Apache-2.0".to_owned()),
        checksum: None,
    });
    let built = bench.build(&[("k/a", recipe)]).unwrap();
    let image = bench.inspect("k/a");
    assert_eq!((image.digest, image.size), (built["k/a"].digest, built["k/a"].size));
    assert_eq!(
        (image.platform.as_str(), image.user.as_deref()),
        ("linux/amd64", Some("65532:65532"))
    );
    assert_eq!(
        (&image.entrypoint[..], &image.command[..]),
        (&["/usr/local/bin/agent".to_owned()][..], &["a".to_owned()][..])
    );
    let names: Vec<_> = image
        .layers
        .iter()
        .map(|layer| layer.created_by.as_deref().unwrap())
        .collect();
    assert_eq!(names, ["certificates and user", "files", "program"]);
    // The program, the file of data, certificates, passwd and group.
    assert_eq!((image.packages, image.files), (1, 5));
    assert_eq!(image.attachments.len(), 2);
}

#[test]
fn what_is_built_again_replaces_its_own_and_leaves_the_others() {
    let bench = Bench::new();
    let both = bench
        .build(&[("k/a", bench.recipe("a")), ("k/b", bench.recipe("b"))])
        .unwrap();
    let stale = bench.inspect("k/a").digest;
    bench.build(&[("k/a", bench.recipe("changed"))]).unwrap();
    assert_eq!(bench.inspect("k/b").digest, both["k/b"].digest);
    assert_eq!(bench.inspect("k/b").attachments.len(), 2);
    assert!(matches!(bench.layout().blob(&stale), Err(LayoutError::NoBlob { .. })));
}

#[test]
fn a_failed_build_leaves_what_was_there() {
    let bench = Bench::new();
    let built = bench.build(&[("k/a", bench.recipe("a"))]).unwrap();
    fs::remove_file(bench.path("program")).unwrap();
    let error = bench.build(&[("k/a", bench.recipe("changed"))]).unwrap_err();
    assert!(
        matches!(
            error,
            BuildError::Image {
                problem: Problem::NoProgram { .. },
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(bench.inspect("k/a").digest, built["k/a"].digest);
}

#[test]
fn two_things_at_one_place_are_refused() {
    let bench = Bench::new();
    for place in [
        "/usr/local/bin/agent",
        "/usr/local/bin/agent/data",
        "/usr/local",
        "/etc/passwd",
        "/tmp",
    ] {
        let mut recipe = bench.recipe("a");
        recipe.files = BTreeMap::from([(place.to_owned(), bench.path("data/one.json"))]);
        let error = bench.build(&[("k/a", recipe)]).unwrap_err();
        assert!(
            matches!(
                error,
                BuildError::Image {
                    problem: Problem::Collision { .. },
                    ..
                }
            ),
            "{place}: {error:?}"
        );
    }
}

/// Every blob that the index leads to, by way of manifests.
fn check_blobs(layout: &Layout) {
    for image in layout.images().values() {
        let digest = layout.digest_of(image).unwrap();
        for descriptor in layout.referrers(&digest).unwrap().iter().chain([image]) {
            let manifest = layout.manifest(&layout.digest_of(descriptor).unwrap()).unwrap();
            for part in manifest.layers().iter().chain([manifest.config(), descriptor]) {
                let blob = layout.blob(&layout.digest_of(part).unwrap()).unwrap();
                assert_eq!(blob.len() as u64, part.size());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_digest_is_true_whatever_the_files(
        files in prop::collection::btree_map("[a-z]{1,9}", prop::collection::vec(any::<u8>(), 0..2000), 0..6),
    ) {
        let bench = Bench::new();
        for (name, bytes) in &files {
            fs::write(bench.path("data").join(name), bytes).unwrap();
        }
        bench.build(&[("k/a", bench.recipe("a"))]).unwrap();
        check_blobs(&bench.layout());
    }
}
