//! What we say of a stack's directory, without Terraform.

use std::path::Path;

use karma_terraform::{CommandLine, Inputs, Stack, evaluate, parse, plan_json, read};
use serde_json::Value as Json;

/// Our plan of the files in this directory with a file of variables: its name, which tells its notation, and its text. `Err` is every diagnostic
/// there is, a warning included.
pub fn plan(directory: &Path, name: &str, variables: &str) -> Result<Json, Vec<String>> {
    stack(directory, name, variables).map(|stack| plan_json(&stack))
}

/// The same, with what every unknown value is made of.
pub fn stack(directory: &Path, name: &str, variables: &str) -> Result<Stack, Vec<String>> {
    let sources = read(directory).map_err(|error| vec![error.to_string()])?;
    let (module, parsing) = parse(&sources);
    let command_line = vec![CommandLine::File {
        name: name.to_owned(),
        text: variables.to_owned(),
    }];
    let inputs = Inputs {
        command_line,
        ..Inputs::default()
    };
    let (stack, evaluation) = evaluate(&module, &inputs, &karma_fleet::provider());
    let said: Vec<String> = parsing
        .iter()
        .chain(evaluation.iter())
        .map(|diagnostic| format!("{}: {}", diagnostic.summary, diagnostic.detail))
        .collect();
    if said.is_empty() { Ok(stack) } else { Err(said) }
}
