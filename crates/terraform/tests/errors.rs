//! Every directory below `tests/errors` is a stack that the real Terraform refuses; `expected.txt` holds what we say about it.
//!
//! With `KARMA_BLESS` in the environment the test writes these files instead of comparing them.
//!
//! One line is one diagnostic: `file:line:column: summary: detail | help`. Warnings begin with `warning: `.

#![expect(clippy::disallowed_methods, reason = "tests find their cases on the disk")]

use std::fmt::Write as _;
use std::path::Path;

use karma_terraform::{Diagnostic, Inputs, Provider, Severity, Sources, evaluate, parse, read};

#[test]
fn every_error_is_explained() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let entries = std::fs::read_dir(directory).expect("the cases are there");
    let mut cases: Vec<_> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    cases.sort();
    assert!(cases.len() >= 40, "only {} cases found", cases.len());
    let differences: Vec<String> = cases.iter().filter_map(|case| check(case)).collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// What is said about a case, if it is not what is expected.
fn check(case: &Path) -> Option<String> {
    let sources = read(case).expect("the case can be read");
    let (module, mut problems) = parse(&sources);
    let (_, more) = evaluate(&module, &Inputs::default(), &Provider::default());
    problems.extend(more);
    assert!(problems.has_errors(), "{}: no error", case.display());
    let said: String = problems.iter().map(|problem| line(problem, &sources)).collect();
    if std::env::var_os("KARMA_BLESS").is_some() {
        std::fs::write(case.join("expected.txt"), &said).expect("the case can be written");
    }
    let expected = std::fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
    (said != expected).then(|| format!("{}\nexpected:\n{expected}said:\n{said}", case.display()))
}

fn line(problem: &Diagnostic, sources: &Sources) -> String {
    let mut line = String::new();
    if let Some(span) = &problem.span {
        let position = sources
            .position(&span.file, span.start)
            .expect("a span stands in the sources");
        sources
            .position(&span.file, span.end)
            .expect("a span ends in the sources");
        write!(line, "{}:{}:{}: ", span.file, position.line, position.column).expect("a string takes all");
    }
    if problem.severity == Severity::Warning {
        line.push_str("warning: ");
    }
    write!(line, "{}: {}", problem.summary, problem.detail).expect("a string takes all");
    problem
        .help
        .iter()
        .for_each(|help| write!(line, " | {help}").expect("a string takes all"));
    line.push('\n');
    line
}
