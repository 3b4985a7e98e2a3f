//! What deploys from a pipeline: the action and the workflows are what GitHub reads, and the commands in them are what karma takes. They have
//! not run on GitHub.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use karma_e2e::karma::{karma_binary, repository};
use karma_e2e::{python, skip};

#[test]
fn the_action_is_one() {
    check("the_action_is_one", "vendor.github-actions", &[action()]);
}

#[test]
fn the_workflows_are_some() {
    let directory = repository().join(".github").join("workflows");
    let entries = fs::read_dir(directory).expect("the workflows can be listed");
    let files: Vec<_> = entries.map(|entry| entry.expect("as above").path()).collect();
    check("the_workflows_are_some", "vendor.github-workflows", &files);
}

fn action() -> PathBuf {
    repository().join("action.yml")
}

fn check(test: &str, schema: &str, files: &[PathBuf]) {
    match python::program("pipelines", "check-jsonschema") {
        Ok(program) => assert_fits(&program, schema, files),
        Err(reason) => skip(test, &reason),
    }
}

fn assert_fits(program: &Path, schema: &str, files: &[PathBuf]) {
    let output = Command::new(program)
        .args(["--builtin-schema", schema])
        .args(files)
        .output()
        .expect("it was found a moment ago");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn karma_takes_the_commands_of_the_action() {
    let text = fs::read_to_string(action()).expect("the action can be read");
    let commands: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("karma "))
        .collect();
    assert!(!commands.is_empty(), "the action does nothing");
    for command in commands {
        let words = command.split(['|', '>']).next().unwrap_or_default().split_whitespace();
        let flags = words.filter(|word| !word.contains('$'));
        // Asked for help after all else, it first refuses what it does not know.
        let output = Command::new(karma_binary())
            .args(flags)
            .arg("--help")
            .output()
            .expect("karma can be started");
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

#[test]
fn karma_reads_the_variables_of_the_action() {
    let help = Command::new(karma_binary())
        .arg("--help")
        .output()
        .expect("karma can be started");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let known = variables(&help);
    let text = fs::read_to_string(action()).expect("the action can be read");
    let set = variables(&text);
    assert!(!set.is_empty() && set.is_subset(&known), "{set:?} of {known:?}");
}

/// Every `KARMA_…` in a text.
fn variables(text: &str) -> BTreeSet<&str> {
    let words = text.split(|char: char| !char.is_ascii_uppercase() && char != '_');
    words.filter(|word| word.starts_with("KARMA_")).collect()
}
