//! Whole stacks: each directory here has Terraform in it and `fleet.txt`, which says what it is read as.
//!
//! `BLESS=1 cargo test -p karma-fleet --test cases` writes the texts anew.

#![expect(
    clippy::disallowed_methods,
    reason = "the cases are read from the disk; the crate itself takes them as a parameter"
)]

mod render;

use std::path::{Path, PathBuf};
use std::{env, fs};

use karma_fleet::Fleet;
use karma_terraform::{Diagnostics, Inputs, Sources};

/// Everything from the directory to the fleet.
fn load(directory: &Path) -> (Sources, Fleet, Diagnostics) {
    let sources = karma_terraform::read(directory).expect("the directory can be read");
    let (module, mut diagnostics) = karma_terraform::parse(&sources);
    let (stack, found) = karma_terraform::evaluate(&module, &Inputs::default(), &karma_fleet::provider());
    diagnostics.extend(found);
    let (fleet, found) = Fleet::from_stack(&stack);
    diagnostics.extend(found);
    (sources, fleet, diagnostics)
}

fn cases() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(directory).expect("the cases stand beside this file");
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

#[test]
fn each_case_is_read_as_its_text_says() {
    let bless = env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let (sources, fleet, diagnostics) = load(&case);
        let actual = render::render(&sources, &fleet, &diagnostics);
        let file = case.join("fleet.txt");
        if bless {
            fs::write(&file, &actual).expect("the text can be written");
        } else if fs::read_to_string(&file).unwrap_or_default() != actual {
            wrong.push(format!("{}\n{actual}", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "read otherwise than the text says:\n\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_products_own_stack_is_read_without_a_word() {
    let (sources, fleet, diagnostics) = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../terraform"));
    assert_eq!(render::diagnostics(&sources, &diagnostics), "");
    let labels: Vec<&str> = fleet.services.values().map(|service| service.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "abracadabra",
            "karma-hello",
            "skill-extractor",
            "validator",
            "voice-extractor"
        ]
    );
    assert!(
        fleet
            .services
            .values()
            .all(|service| fleet.task_definitions.contains_key(&service.task_definition))
    );
}
