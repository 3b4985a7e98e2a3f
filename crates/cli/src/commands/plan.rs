//! `karma plan [DIR]`

use std::collections::BTreeMap;

use clap::Args;
use karma_terraform::{Address, Mode, ResourceInstance, Stack, Value};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::stack::{self, Loaded, Reporter, StackArguments};

/// Print the resources that a stack describes
///
/// Evaluates the .tf files offline, as `terraform plan` does for a stack that is not there yet. It does not ask AWS, run a provisioner or read
/// Terraform's state. With -v every attribute is shown; with --json, the shape of `terraform show -json`.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma plan terraform --var use_fargate_spot=false"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: StackArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let loaded = stack::load(&arguments.stack, Reporter { json, printer })?;
    if json {
        printer.line(&karma_terraform::plan_json(&loaded.stack).to_string())?;
    } else {
        printer.data(&tree(&loaded, printer))?;
    }
    Ok(ExitStatus::Yes)
}

/// The resources by type, then the outputs, then how many there are.
fn tree(loaded: &Loaded, printer: Printer) -> String {
    let managed = by_kind(&loaded.stack);
    let count: usize = managed.values().map(Vec::len).sum();
    let mut text = format!("{}\n", loaded.directory.path().display());
    for (kind, instances) in &managed {
        text.push_str(&format!("├─ {}\n", printer.paint(Style::Bold, kind)));
        for (position, instance) in instances.iter().enumerate() {
            let last = position + 1 == instances.len();
            text.push_str(&branch(loaded, instance, last, printer));
        }
    }
    if !loaded.stack.outputs.is_empty() {
        text.push_str(&outputs(&loaded.stack, printer));
    }
    text.push_str(&format!("\nPlan: {count} to add, 0 to change, 0 to destroy.\n"));
    text
}

/// The managed resource instances under their type, module path included.
fn by_kind(stack: &Stack) -> BTreeMap<&str, Vec<&ResourceInstance>> {
    let mut kinds: BTreeMap<&str, Vec<&ResourceInstance>> = BTreeMap::new();
    for instance in stack
        .resources
        .values()
        .filter(|instance| instance.address.mode == Mode::Managed)
    {
        kinds.entry(&instance.address.kind).or_default().push(instance);
    }
    kinds
}

fn branch(loaded: &Loaded, instance: &ResourceInstance, last: bool, printer: Printer) -> String {
    let (knee, stem) = if last { ("└─", "   ") } else { ("├─", "│  ") };
    let mut line = format!(
        "│  {knee} {}  {}\n",
        printer.paint(Style::Green, &short(&instance.address)),
        printer.paint(Style::Dim, &loaded.place(&instance.declared_at)),
    );
    if printer.is_verbose() {
        for (name, value) in instance.attributes.iter().filter(|(_, value)| !value.is_null()) {
            line.push_str(&format!("│  {stem}   {name} = {}\n", shown(value)));
        }
    }
    line
}

/// The address without the type that stands above it.
fn short(address: &Address) -> String {
    address.to_string().replacen(&format!("{}.", address.kind), "", 1)
}

fn outputs(stack: &Stack, printer: Printer) -> String {
    let mut text = format!("└─ {}\n", printer.paint(Style::Bold, "outputs"));
    let count = stack.outputs.len();
    for (position, (name, output)) in stack.outputs.iter().enumerate() {
        let knee = if position + 1 == count { "└─" } else { "├─" };
        let value = if output.sensitive {
            "(sensitive value)".to_owned()
        } else {
            shown(&output.value)
        };
        text.push_str(&format!("   {knee} {name} = {value}\n"));
    }
    text
}

/// A value on one line.
fn shown(value: &Value) -> String {
    value.to_string().replace('\n', " ")
}
