//! The project's own stack, evaluated and priced.

use std::fs;
use std::path::{Path, PathBuf};

use karma_cost::{Bill, PriceBook, Usage, price};
use karma_terraform::{CommandLine, Inputs, Module, Severity, Stack};

/// The prices of the stack's own region.
pub(crate) fn prices() -> PriceBook {
    PriceBook::embedded("us-east-1").expect("it came with the program")
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The project's own stack, parsed once.
pub(crate) fn own_module() -> Module {
    let sources = karma_terraform::read(&root().join("terraform")).expect("the stack is there");
    karma_terraform::parse(&sources).0
}

/// A variable file that sets one of the stack's profiles; the defaults need none.
pub(crate) fn profile(name: &str) -> Vec<CommandLine> {
    if name == "default" {
        return Vec::new();
    }
    let path = root().join(format!("terraform/profiles/{name}.tfvars"));
    let text = fs::read_to_string(path).expect("the profile is there");
    vec![CommandLine::File {
        name: format!("{name}.tfvars"),
        text,
    }]
}

/// A variable as it would be typed.
pub(crate) fn variable(name: &str, value: &str) -> CommandLine {
    CommandLine::Variable {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// The stack with these variables, if it allows them.
pub(crate) fn evaluate(module: &Module, command_line: &[CommandLine]) -> Stack {
    let inputs = Inputs {
        command_line: command_line.to_vec(),
        ..Inputs::default()
    };
    let (stack, diagnostics) = karma_terraform::evaluate(module, &inputs, &karma_fleet::provider());
    let errors: Vec<_> = diagnostics.iter().filter(|it| it.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{command_line:?}: {errors:?}");
    stack
}

/// What it costs with these variables and the default use.
pub(crate) fn bill(module: &Module, command_line: &[CommandLine]) -> Bill {
    price(&evaluate(module, command_line), &Usage::default(), &prices())
}
