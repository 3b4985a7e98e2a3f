//! `karma image build` and `inspect` on a small stack, with a program of a hundred bytes.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

mod support;

use std::fs;
use std::path::Path;

use support::{karma, stack};

/// Two images, the second for a processor of its own where `architecture` says so.
fn main_tf(architecture: &str) -> String {
    let resources = ["a", "b"].map(|name| {
        let platform = if name == "b" { architecture } else { "X86_64" };
        format!(
            r#"
resource "aws_ecr_repository" "{name}" {{
  name = "shop/{name}"
}}
resource "aws_ecs_task_definition" "{name}" {{
  family                   = "{name}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  runtime_platform {{
    cpu_architecture = "{platform}"
  }}
  container_definitions = jsonencode([{{ name = "{name}", image = "${{aws_ecr_repository.{name}.repository_url}}:1" }}])
}}
"#
        )
    });
    resources.concat()
}

const KARMA_TOML: &str = r#"
[defaults]
program = "program"
path = "/bin/program"
files = { "/data" = "data" }
[image."shop/a"]
args = ["a"]
[image."shop/b"]
args = ["b"]
"#;

/// The header of a static program for amd64: enough to be packed.
fn program() -> Vec<u8> {
    let mut bytes = vec![0; 64];
    for (at, part) in [(0, &b"\x7fELF\x02\x01"[..]), (16, b"\x02\0\x3e\0"), (24, b"\x01")] {
        bytes[at..at + part.len()].copy_from_slice(part);
    }
    bytes
}

fn shop(architecture: &str, karma_toml: &str) -> tempfile::TempDir {
    let stack = stack(&[
        ("main.tf", &main_tf(architecture)),
        ("karma.toml", karma_toml),
        ("data/one.json", "1"),
    ]);
    fs::write(stack.path().join("program"), program()).unwrap();
    stack
}

/// What it says about a stack that this was done to.
fn check(change: impl FnOnce(&Path), arguments: &[&str], code: i32, expected: &[&str]) {
    let stack = shop("X86_64", KARMA_TOML);
    change(stack.path());
    let answer = karma(stack.path(), arguments);
    assert!(answer.starts_with(&format!("exit: {code}\n")), "{answer}");
    for text in expected {
        assert!(answer.contains(text), "{text}: {answer}");
    }
}

fn digests(answer: &str) -> serde_json::Value {
    let line = answer.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn two_machines_build_the_same_and_inspect_shows_it() {
    let (one, two) = (shop("X86_64", KARMA_TOML), shop("X86_64", KARMA_TOML));
    let built = digests(&karma(one.path(), &["image", "build", "--json"]));
    assert_eq!(built, digests(&karma(two.path(), &["image", "build", "--json"])));
    let inspected = digests(&karma(one.path(), &["image", "inspect", "--json"]));
    for image in ["shop/a", "shop/b"] {
        let digest = built["images"][image]["digest"].as_str().unwrap();
        assert!(digest.starts_with("sha256:"), "{built}");
        assert_eq!(inspected["images"][image]["digest"], digest);
        assert_eq!(inspected["images"][image]["entrypoint"][0], "/bin/program");
        assert_eq!(inspected["images"][image]["layers"].as_array().map(Vec::len), Some(3));
    }
}

#[test]
fn an_image_is_chosen_by_the_end_of_its_name() {
    let stack = shop("X86_64", KARMA_TOML);
    let built = digests(&karma(stack.path(), &["image", "build", "--json", "b"]));
    assert_eq!(
        built["images"].as_object().map(serde_json::Map::len),
        Some(1),
        "{built}"
    );
    let answer = karma(stack.path(), &["image", "inspect", "a", "b"]);
    assert!(
        answer.starts_with("exit: 1\n") && answer.contains("shop/a\n  not built"),
        "{answer}"
    );
    let answer = karma(stack.path(), &["image", "inspect", "c"]);
    assert!(
        answer.contains("the stack has no image c\nhint: it has shop/a, shop/b"),
        "{answer}"
    );
}

#[test]
fn what_cannot_be_built_says_why_and_what_to_do() {
    let build = &["image", "build"][..];
    let replace = |from: &'static str, to: &'static str| {
        move |stack: &Path| fs::write(stack.join("karma.toml"), KARMA_TOML.replace(from, to)).unwrap()
    };
    let no_program = |stack: &Path| fs::remove_file(stack.join("program")).unwrap();
    check(
        no_program,
        build,
        2,
        &[
            "cannot build the image shop/a: there is no program",
            "hint: `program` in karma.toml",
        ],
    );
    let script = |stack: &Path| fs::write(stack.join("program"), "#!/bin/sh\n").unwrap();
    check(script, build, 2, &["is not a Linux program"]);
    let for_arm = |stack: &Path| {
        let mut program = program();
        program[18] = 183;
        fs::write(stack.join("program"), program).unwrap();
    };
    check(
        for_arm,
        build,
        2,
        &[
            "it is for arm64, and the image is for linux/amd64",
            "hint: build it with `--target",
        ],
    );
    check(
        replace("\"data\"", "\"dat\""),
        build,
        2,
        &["cannot read", "dat: No such file"],
    );
    check(
        replace("/data\"", "/../data\""),
        build,
        2,
        &["it has a part that is empty, `.` or `..`"],
    );
    check(
        replace("/data\"", "/bin/program\""),
        build,
        2,
        &["is in the image twice"],
    );
    check(
        replace("shop/", "other/"),
        build,
        2,
        &["describes no image that a task definition of the stack names"],
    );
}

#[test]
fn an_image_for_another_processor_is_refused_or_skipped_with_the_commands_to_make_it() {
    let karma_toml = format!("{KARMA_TOML}build = [\"cargo\", \"build\", \"--target\", \"{{target}}\"]\n");
    let stack = shop("ARM64", &karma_toml);
    // Nothing is on the path here: no rustc that could have the target, and no linker.
    let remedy = "apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross";
    let answer = karma(stack.path(), &["image", "build", "b"]);
    assert!(
        answer.starts_with("exit: 2\n") && answer.contains(&format!("hint: {remedy}")),
        "{answer}"
    );
    let answer = karma(stack.path(), &["image", "inspect", "b"]);
    assert!(answer.contains("SKIPPED") && answer.contains(remedy), "{answer}");
}
