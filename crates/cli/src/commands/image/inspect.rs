//! `karma image inspect [IMAGE…]`

use clap::Args;
use karma_image::{Inspection, Layout, LayoutError};
use karma_ops::Unit;
use serde_json::{Value, json};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::images::{self, StackImage};
use crate::printer::{Printer, Style};
use crate::quantity::quantity;
use crate::settings::StackDirectory;
use crate::stack::{self, Reporter, StackArguments};
use crate::table::{Cell, Table};

/// Show what is in the images that were built, and which cannot be built here
///
/// Exits with 1 where an image is not built.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    // Its arguments are images, as those of `push` are.
    mut_arg("dir", |dir| dir.long("dir")),
    after_long_help = "Example: karma image inspect validator"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: StackArguments,

    /// Only these images: a repository's name, or the part behind its last slash [default: all]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
}

/// How it is with an image.
enum Found {
    Built(Box<Inspection>),
    NotBuilt,
    /// With the commands that would make it possible.
    Skipped(Vec<String>),
}

pub(crate) fn run(arguments: &Arguments, reporter: Reporter) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.stack.dir.as_deref())?;
    let loaded = stack::load(&arguments.stack, reporter)?;
    let images = images::of_stack(&directory, &stack::fleet(&loaded, reporter)?)?;
    let chosen = images::choose(images.keys(), &arguments.images)?;
    let layout = open(&directory)?;
    let mut found = Vec::new();
    for repository in chosen {
        let image = look(layout.as_ref(), &repository, &images[&repository])?;
        found.push((repository, image));
    }
    print(&found, reporter)?;
    let all_built = found.iter().all(|(_, found)| matches!(found, Found::Built(_)));
    Ok(if all_built { ExitStatus::Yes } else { ExitStatus::No })
}

fn open(directory: &StackDirectory) -> Result<Option<Layout>, Failure> {
    match Layout::open(&images::layout(directory)) {
        Ok(layout) => Ok(Some(layout)),
        Err(LayoutError::Absent { .. }) => Ok(None),
        Err(error) => Err(images::layout_failure(error)),
    }
}

fn look(layout: Option<&Layout>, repository: &str, image: &StackImage) -> Result<Found, Failure> {
    let inspection = layout
        .map(|layout| karma_image::inspect(layout, repository))
        .transpose();
    if let Some(inspection) = inspection.map_err(images::layout_failure)?.flatten() {
        return Ok(Found::Built(Box::new(inspection)));
    }
    let remedies: Vec<_> = image.missing().into_iter().map(|missing| missing.remedy).collect();
    Ok(if remedies.is_empty() {
        Found::NotBuilt
    } else {
        Found::Skipped(remedies)
    })
}

fn print(found: &[(String, Found)], reporter: Reporter) -> Result<(), Failure> {
    let printer = reporter.printer;
    if reporter.json {
        let images: serde_json::Map<_, _> = found
            .iter()
            .map(|(name, found)| (name.clone(), to_json(found)))
            .collect();
        return Ok(printer.line(&json!({ "images": images }).to_string())?);
    }
    let texts: Vec<_> = found.iter().map(|(name, found)| text(name, found, printer)).collect();
    Ok(printer.data(&texts.join("\n"))?)
}

fn to_json(found: &Found) -> Value {
    match found {
        Found::Built(inspection) => json!(inspection),
        Found::NotBuilt => Value::Null,
        Found::Skipped(remedies) => json!({ "skipped": remedies }),
    }
}

fn text(name: &str, found: &Found, printer: Printer) -> String {
    let name = printer.paint(Style::Bold, name);
    match found {
        Found::Built(image) => format!("{name}\n{}{}", facts(image, printer), layers(image, printer)),
        Found::NotBuilt => format!("{name}\n  not built: karma image build\n"),
        Found::Skipped(remedies) => format!("{name}\n  SKIPPED: to be able to build it, {}\n", remedies.join(" && ")),
    }
}

fn facts(image: &Inspection, printer: Printer) -> String {
    let command: Vec<_> = image
        .entrypoint
        .iter()
        .chain(&image.command)
        .map(String::as_str)
        .collect();
    let kinds: Vec<_> = image
        .attachments
        .iter()
        .map(|attachment| attachment.kind.as_str())
        .collect();
    let labels: Vec<_> = image
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut table = Table::new([]);
    for (name, value) in [
        ("digest", image.digest.to_string()),
        ("size", bytes(image.size)),
        ("platform", image.platform.clone()),
        ("created", image.created.clone().unwrap_or_default()),
        ("user", image.user.clone().unwrap_or_default()),
        ("command", command.join(" ")),
        ("environment", image.environment.join(" ")),
        ("labels", labels.join(" ")),
        (
            "materials",
            format!("{} packages, {} files", image.packages, image.files),
        ),
        ("attached", kinds.join(", ")),
    ] {
        if !value.is_empty() {
            table.row([Cell::from(format!("  {name}")), Cell::from(value)]);
        }
    }
    table.render(printer)
}

fn layers(image: &Inspection, printer: Printer) -> String {
    let mut table = Table::new(["  LAYER", "SIZE", "DIGEST"]);
    for layer in &image.layers {
        table.row([
            Cell::from(format!("  {}", layer.created_by.as_deref().unwrap_or("?"))),
            Cell::number(bytes(layer.size)),
            Cell::from(layer.digest.to_string()),
        ]);
    }
    table.render(printer)
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn bytes(size: u64) -> String {
    quantity(size as f64, Unit::Bytes)
}
