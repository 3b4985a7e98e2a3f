//! `karma docs`: what it writes, what it only says, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use support::{karma, karma_with, stack};

const STACK: &str = "variable \"size\" {\n  description = \"How large.\"\n  default     = 1\n}\nresource \"aws_ecr_repository\" \"this\" {\n  count = var.size\n  name  = \"demo/${count.index}\"\n}\n";
const DOCUMENT: &str = "# Title\n\n<!-- karma docs: summary -->\n<!-- end -->\n\nThe end.\n";
const SUMMARY: &str = "With its defaults the stack is **1 resource** of 1 type, for 0 services. It declares 1 variable and 0 outputs, and reads 0 data sources.";

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap()
}

#[test]
fn blocks_are_written_in_place_once() {
    let stack = stack(&[("main.tf", STACK), ("README.md", DOCUMENT), ("docs/MORE.md", DOCUMENT)]);
    insta::assert_snapshot!(karma(stack.path(), &["docs"]));
    let written = format!("# Title\n\n<!-- karma docs: summary -->\n\n{SUMMARY}\n\n<!-- end -->\n\nThe end.\n");
    assert_eq!(read(stack.path(), "README.md"), written);
    assert_eq!(read(stack.path(), "docs/MORE.md"), written);
    let again = karma(stack.path(), &["docs"]);
    assert_eq!(again, "exit: 0\n--- stdout\n--- stderr\nall is up to date: 2 blocks\n");
    assert_eq!(fs::read_dir(stack.path()).unwrap().count(), 3, "nothing is left beside");
}

#[test]
fn check_names_stale_blocks_and_writes_nothing() {
    let stack = stack(&[("main.tf", STACK), ("README.md", DOCUMENT)]);
    insta::assert_snapshot!(karma(stack.path(), &["docs", "--check"]));
    assert_eq!(read(stack.path(), "README.md"), DOCUMENT);
    karma(stack.path(), &["docs"]);
    assert!(karma(stack.path(), &["docs", "--check"]).starts_with("exit: 0"));
}

#[test]
fn json_says_the_same() {
    let stack = stack(&[("main.tf", STACK), ("README.md", DOCUMENT)]);
    let check = karma(stack.path(), &["docs", "--check", "--json", "-q"]);
    let document = |stale: &str| {
        format!(
            "--- stdout\n{{\"documents\":[{{\"file\":\"README.md\",\"blocks\":1,\"stale\":[{stale}]}}]}}\n--- stderr\n"
        )
    };
    let stale = document("{\"line\":3,\"name\":\"summary\"}");
    assert_eq!(check, format!("exit: 1\n{stale}"));
    assert_eq!(
        karma(stack.path(), &["docs", "--json", "-q"]),
        format!("exit: 0\n{stale}")
    );
    let done = karma(stack.path(), &["docs", "--check", "--json", "-q"]);
    assert_eq!(done, format!("exit: 0\n{}", document("")));
}

#[test]
fn a_mistake_in_one_document_leaves_all_alone() {
    let broken = "\n<!-- karma docs: sumary -->\n<!-- end -->\n";
    let stack = stack(&[("main.tf", STACK), ("A.md", DOCUMENT), ("B.md", broken)]);
    insta::assert_snapshot!(karma(stack.path(), &["docs"]));
    assert_eq!(read(stack.path(), "A.md"), DOCUMENT);
}

#[test]
fn a_block_without_an_end_is_named_by_its_line() {
    let stack = stack(&[
        ("main.tf", STACK),
        ("A.md", "\n\n<!-- karma docs: summary -->\nmy own text\n"),
    ]);
    let answer = karma(stack.path(), &["docs"]);
    assert!(
        answer.starts_with("exit: 2") && answer.contains("A.md:3: the block `summary` has no end"),
        "{answer}"
    );
}

#[test]
fn documents_say_the_defaults_whatever_is_set_here() {
    let files = [
        ("main.tf", STACK),
        ("README.md", DOCUMENT),
        ("terraform.tfvars", "size = 7\n"),
    ];
    let stack = stack(&[&files[..], &[("x.auto.tfvars", "size = 8\n")]].concat());
    karma_with(stack.path(), &["docs"], &[("TF_VAR_size", "9")]);
    assert!(read(stack.path(), "README.md").contains(SUMMARY));
    let given = karma(stack.path(), &["docs", "--check", "--var", "size=2"]);
    assert!(
        given.starts_with("exit: 1"),
        "what is given on the command line counts: {given}"
    );
}

#[test]
fn nothing_to_write_says_how_to_begin() {
    let stack = stack(&[("main.tf", STACK), ("README.md", "# Title\n")]);
    insta::assert_snapshot!(karma(stack.path(), &["docs"]));
}

#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    let stack = stack(&[("main.tf", STACK), ("real/text.txt", DOCUMENT)]);
    let (link, real) = (stack.path().join("README.md"), stack.path().join("real/text.txt"));
    symlink("real/text.txt", &link).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(karma(stack.path(), &["docs"]).starts_with("exit: 0"));
    assert!(link.is_symlink() && read(stack.path(), "real/text.txt").contains(SUMMARY));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn the_help_lists_every_block() {
    let stack = stack(&[
        ("main.tf", STACK),
        ("README.md", "<!-- karma docs: x -->\n<!-- end -->\n"),
    ]);
    let refusal = karma(stack.path(), &["docs"]);
    let known = refusal.split("the blocks are ").nth(1).unwrap().trim();
    let help = karma(stack.path(), &["docs", "--help"]);
    assert!(help.contains(&format!("Blocks: {known}")), "{known}: {help}");
}

#[test]
fn the_documents_of_the_projects_own_stack_are_up_to_date() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let answer = karma(&repository, &["docs", "--check"]);
    assert!(
        answer.starts_with("exit: 0\n--- stdout\n---"),
        "run `karma docs`: {answer}"
    );
    for block in [
        "agents",
        "bill",
        "diagram",
        "files",
        "outputs",
        "price",
        "profile-prices",
        "resources",
        "savings",
        "summary",
        "variables",
    ] {
        let marker = format!("<!-- karma docs: {block} -->");
        let pages = ["README.md", "TERRAFORM_STACK_SUMMARY.md", "COST_ANALYSIS.md"];
        let used = pages
            .iter()
            .any(|page| read(&repository.join("terraform"), page).contains(&marker));
        assert!(used, "no page shows {block}");
    }
}

/// A price that somebody typed is wrong after the next change. The announced one is history.
#[test]
fn no_document_of_the_projects_own_stack_has_a_price_written_by_hand() {
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../terraform");
    let pages = fs::read_dir(&stack).unwrap().map(|entry| entry.unwrap().path());
    for page in pages.filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(&page).unwrap().replace("USD 79–96", "");
        let mut is_generated = false;
        for line in text.lines() {
            is_generated = (is_generated || line.starts_with("<!-- karma docs:")) && line != "<!-- end -->";
            let after = |mark: &str| {
                line.split(mark)
                    .skip(1)
                    .any(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
            };
            let is_price = after("USD ") || after("$");
            assert!(is_generated || !is_price, "{}: {line}", page.display());
        }
    }
}
