//! What neither rustfmt nor clippy looks at: sizes, first lines, leftovers, links.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of one file of code: what is longer has two subjects.
const LONGEST_FILE: usize = 600;
/// Lines of a `lib.rs`: it is a table of contents.
const LONGEST_CONTENTS: usize = 120;

/// Marks of unfinished work, in two halves so that this file does not find itself.
const UNFINISHED: &[[&str; 2]] = &[["TO", "DO"], ["FIX", "ME"], ["XX", "X"]];

/// Where the paths of one particular machine begin.
const MACHINE_PATHS: &[[&str; 2]] = &[["/ro", "ot/"], ["/Us", "ers/"], ["/op", "t/"], ["/wo", "rk/"]];

#[test]
fn files_are_short() {
    check(&["rs", "tf", "toml", "yml", "py"], |file| {
        let lines = file.text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("has {lines} lines: more than {LONGEST_FILE} are two files"))
    });
}

#[test]
fn a_librarys_first_file_is_a_table_of_contents() {
    check(&["rs"], |file| {
        let lines = file.text.lines().count();
        (file.path.ends_with("src/lib.rs") && lines > LONGEST_CONTENTS)
            .then(|| format!("has {lines} lines: lib.rs is doc, `mod` in reading order, `pub use`"))
    });
}

/// `tests.rs` is the rest of a file that has its doc.
#[test]
fn every_module_says_what_it_is() {
    check(&["rs"], |file| {
        let exempt = file.path.ends_with("tests.rs") || file.text.starts_with("//!");
        (!exempt).then(|| "does not begin with a `//!` doc".to_owned())
    });
}

#[test]
fn nothing_is_left_for_later() {
    check(CODE_AND_PROSE, |file| {
        let marks = UNFINISHED.iter().map(|halves| halves.concat());
        marks
            .into_iter()
            .find(|mark| file.words().any(|word| word == mark))
            .map(|mark| format!("says {mark}"))
    });
}

#[test]
fn no_path_of_one_machine() {
    check(CODE_AND_PROSE, |file| {
        let paths = MACHINE_PATHS.iter().map(|halves| halves.concat());
        paths
            .into_iter()
            .find(|path| file.text.contains(path))
            .map(|path| format!("names `{path}`"))
    });
}

#[test]
fn lints_are_expected_not_allowed_and_tests_not_ignored() {
    let banned = [["#[all", "ow("], ["#![all", "ow("], ["#[ign", "ore"]].map(|halves| halves.concat());
    check(&["rs"], |file| {
        let line = file
            .text
            .lines()
            .find(|line| banned.iter().any(|it| line.trim_start().starts_with(it)))?;
        Some(format!("says `{}`", line.trim()))
    });
}

#[test]
fn lines_end_where_they_seem_to() {
    check(CODE_AND_PROSE, |file| {
        let blanks_at_end = |line: &&str| line.ends_with([' ', '\t', '\r']);
        let line = file.text.split('\n').position(|line| blanks_at_end(&line));
        match line {
            Some(line) => Some(format!("has blanks at the end of line {}", line + 1)),
            None => (!file.text.ends_with('\n') && !file.text.is_empty()).then(|| "has no last newline".to_owned()),
        }
    });
}

#[test]
fn links_between_documents_lead_somewhere() {
    check(&["md"], |file| {
        let dir = file.path.parent()?;
        let is_here =
            |link: &&str| !link.contains("://") && !link.starts_with(['#', '<']) && !link.starts_with("mailto:");
        let path = |link: &str| dir.join(link.split('#').next().unwrap_or_default());
        let broken = links(&file.text)
            .filter(is_here)
            .find(|link| !root().join(path(link)).exists());
        broken.map(|link| format!("links to {link}, which is not there"))
    });
}

/// `crates/fleet/src/fleet.rs`, or `fleet/src/fleet.rs` for short.
#[test]
fn paths_in_documents_are_there() {
    check(&["md"], |file| {
        let tree = [
            "crates/",
            "e2e/",
            "xtask/",
            "terraform/",
            "fleet/",
            "balancer/",
            "runtime/",
            "agents/",
            "cli/",
        ];
        let is_path =
            |code: &&str| tree.iter().any(|dir| code.starts_with(dir)) && !code.contains(['<', '{', '*', ' ']);
        let is_there = |path: &str| {
            [root().join(path), root().join("crates").join(path)]
                .iter()
                .any(|it| it.exists())
        };
        let gone = file
            .text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(is_path)
            .find(|path| !is_there(path));
        gone.map(|path| format!("speaks of {path}, which is not there"))
    });
}

#[test]
fn both_licences_lie_at_the_root() {
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        assert!(root().join(licence).is_file(), "{licence} is missing");
    }
}

const CODE_AND_PROSE: &[&str] = &["rs", "tf", "toml", "md", "yml", "sh", "py", "example", "run"];

/// A file of the project, by its path from the root.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split(|char: char| !char.is_alphanumeric() && char != '_')
    }
}

/// Asks about every file with one of these endings, and fails with all complaints at once.
fn check(endings: &[&str], complaint: impl Fn(&File) -> Option<String>) {
    let ends = |path: &PathBuf| {
        endings
            .iter()
            .any(|ending| path.extension().or(path.file_name()).is_some_and(|it| it == *ending))
    };
    let mut looked_at = 0;
    let mut complaints = Vec::new();
    for path in paths().into_iter().filter(ends) {
        let text = fs::read_to_string(root().join(&path)).expect("code and prose is UTF-8");
        let file = File { path, text };
        complaints.extend(complaint(&file).map(|it| format!("{} {it}", file.path.display())));
        looked_at += 1;
    }
    assert!(looked_at > 0, "no file ends with {endings:?}: this test tests nothing");
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The targets of `[text](target)` in a Markdown text.
fn links(markdown: &str) -> impl Iterator<Item = &str> {
    markdown
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ', '\n']).next())
}

/// Every file of the project, from the root; not what git ignores, and not test data, which is bad on purpose.
fn paths() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(root().join(&dir)).expect("the tree can be read").flatten() {
            let path = dir.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !is_skipped(&path) => dirs.push(path),
                Ok(kind) if kind.is_file() => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn is_skipped(dir: &Path) -> bool {
    let skipped = [
        "target",
        ".git",
        ".terraform",
        ".karma",
        "tests/cases",
        "tests/errors",
        "e2e/stacks",
        "snapshots",
        "data",
    ];
    skipped.iter().any(|end| dir.ends_with(end))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a directory of the workspace")
}
