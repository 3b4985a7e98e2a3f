//! The law of the rooms: which crate may know which. The table is ARCHITECTURE.md's; a new edge is a change of it, in a commit
//! of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A crate by its directory, and what it may know.
struct Room {
    dir: &'static str,
    /// Crates of ours it may depend on, also in tests.
    may_use: &'static [&'static str],
    /// Crates of others it must not depend on, by the beginning of their names.
    must_not_know: &'static [&'static str],
}

/// What a pure crate has no use for, nor a chore.
const WORLD: &[&str] = &["tokio", "hyper", "axum", "reqwest", "aws-", "clap", "miette", "nix"];

const ROOMS: &[Room] = &[
    room("crates/terraform", &[], WORLD),
    room("crates/fleet", &["karma-terraform"], WORLD),
    // To wait takes a clock: tokio's, which a test can set.
    room(
        "crates/ops",
        &["karma-fleet"],
        &["hyper", "axum", "reqwest", "aws-", "clap", "miette", "nix"],
    ),
    room("crates/cost", &["karma-fleet", "karma-terraform"], WORLD),
    room(
        "crates/aws",
        &["karma-fleet", "karma-ops"],
        &["axum", "reqwest", "hcl", "clap", "miette", "nix"],
    ),
    room("crates/balancer", &[], &["aws-", "hcl", "clap", "miette"]),
    room(
        "crates/runtime",
        &["karma-fleet", "karma-ops", "karma-balancer"],
        &["aws-", "hcl", "toml", "clap", "miette"],
    ),
    room(
        "crates/image",
        &[],
        &["axum", "reqwest", "aws-", "hcl", "clap", "miette", "nix"],
    ),
    room("crates/agents", &[], &["aws-", "hcl", "miette"]),
    room(
        "crates/cli",
        &[
            "karma-terraform",
            "karma-fleet",
            "karma-cost",
            "karma-aws",
            "karma-image",
            "karma-ops",
            "karma-runtime",
        ],
        &["aws-", "axum", "hcl", "hyper", "reqwest"],
    ),
    room(
        "e2e",
        &[
            "karma-terraform",
            "karma-fleet",
            "karma-cost",
            "karma-balancer",
            "karma-ops",
            "karma-runtime",
            "karma-agents",
        ],
        &[],
    ),
    room("xtask", &[], WORLD),
];

const fn room(dir: &'static str, may_use: &'static [&'static str], must_not_know: &'static [&'static str]) -> Room {
    Room {
        dir,
        may_use,
        must_not_know,
    }
}

#[test]
fn every_crate_is_in_the_table() {
    let mut crates: BTreeSet<PathBuf> = ["e2e", "xtask"].map(PathBuf::from).into();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        crates.insert(Path::new("crates").join(entry.unwrap().file_name()));
    }
    assert_eq!(crates, ROOMS.iter().map(|room| PathBuf::from(room.dir)).collect());
}

#[test]
fn rooms_know_only_whom_they_may() {
    for Room { dir, may_use, .. } in ROOMS {
        let ours: Vec<_> = dependencies(dir).into_iter().filter(|name| is_ours(name)).collect();
        for name in ours {
            assert!(
                may_use.contains(&name.as_str()),
                "{dir} depends on {name}, which the table does not allow"
            );
        }
    }
}

#[test]
fn rooms_do_not_know_what_they_must_not() {
    for Room { dir, must_not_know, .. } in ROOMS {
        for name in dependencies(dir) {
            let forbidden = must_not_know.iter().any(|beginning| name.starts_with(beginning));
            assert!(!forbidden, "{dir} depends on {name}, which it must not know");
        }
    }
}

#[test]
fn every_version_is_chosen_once_in_the_root_manifest() {
    for Room { dir, .. } in ROOMS {
        for (name, specification) in dependency_lines(dir) {
            let inherited = name.ends_with(".workspace") || specification.contains("workspace = true");
            assert!(
                inherited,
                "{dir} chooses its own {name}: put it into [workspace.dependencies]"
            );
        }
    }
}

#[test]
fn every_crate_takes_the_workspaces_lints() {
    for Room { dir, .. } in ROOMS {
        let manifest = manifest(dir);
        let lints: Vec<_> = section(&manifest, "lints").collect();
        assert_eq!(
            lints,
            [("workspace".to_owned(), "true".to_owned())],
            "{dir}/Cargo.toml, [lints]"
        );
    }
}

#[test]
fn pure_crates_ban_the_world_outside() {
    for dir in ["crates/terraform", "crates/fleet", "crates/cost"] {
        let lints = fs::read_to_string(root().join(dir).join("clippy.toml")).unwrap();
        for banned in [
            "std::env::var",
            "std::fs::read_to_string",
            "std::net::TcpStream::connect",
            "std::time::Instant::now",
        ] {
            assert!(
                lints.contains(&format!("path = \"{banned}\"")),
                "{dir}/clippy.toml does not ban {banned}"
            );
        }
    }
}

#[test]
fn the_language_knows_no_cloud() {
    let mut files = 0;
    for path in sources(&root().join("crates/terraform/src")) {
        let text = fs::read_to_string(&path).expect("sources are text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().lines();
        let named = code
            .filter(|line| !line.trim_start().starts_with("//"))
            .find(|line| line.contains("\"aws_"));
        assert_eq!(named, None, "{} knows a resource type of AWS", path.display());
        files += 1;
    }
    assert!(files > 0, "this test read nothing");
}

/// The Rust files below a directory that are not tests.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a crate has sources").flatten() {
        let path = entry.path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some("tests" | "tests.rs") => {}
            _ if path.is_dir() => found.append(&mut sources(&path)),
            _ if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
            _ => {}
        }
    }
    found
}

/// Names of all dependencies of a crate, of whatever kind.
fn dependencies(dir: &str) -> Vec<String> {
    let name = |(name, _): (String, String)| name.split('.').next().unwrap_or_default().to_owned();
    dependency_lines(dir).into_iter().map(name).collect()
}

/// The `name = specification` lines of `[dependencies]`, `[dev-dependencies]`, `[target.….build-dependencies]` and so on.
fn dependency_lines(dir: &str) -> Vec<(String, String)> {
    section(&manifest(dir), "dependencies").collect()
}

/// The `key = value` lines of every section whose header ends with `name`. Sections of one dependency
/// (`[dependencies.serde]`) are not this project's way to write one, and are refused.
fn section<'a>(manifest: &'a str, name: &'a str) -> impl Iterator<Item = (String, String)> + use<'a> {
    let mut inside = false;
    manifest.lines().filter_map(move |line| {
        if let Some(header) = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            assert!(
                !header.contains("dependencies."),
                "write [{header}] as one line of its section"
            );
            inside = header.ends_with(name);
            return None;
        }
        let (key, value) = line.split_once('=')?;
        (inside && !line.starts_with('#')).then(|| (key.trim().to_owned(), value.trim().to_owned()))
    })
}

fn is_ours(name: &str) -> bool {
    name == "xtask" || name == "karma" || name.starts_with("karma-")
}

fn manifest(dir: &str) -> String {
    fs::read_to_string(root().join(dir).join("Cargo.toml")).expect("every crate has a manifest")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a directory of the workspace")
}
