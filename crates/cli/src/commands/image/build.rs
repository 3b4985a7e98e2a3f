//! `karma image build [IMAGE…]`

use std::collections::BTreeMap;

use clap::Args;
use karma_image::Built;
use karma_ops::Unit;
use serde_json::json;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::images;
use crate::printer::Printer;
use crate::quantity::quantity;
use crate::settings::StackDirectory;
use crate::stack::{self, Reporter, StackArguments};
use crate::table::{Cell, Table};

/// Build images as karma.toml says, the same digest for the same input
///
/// Runs the build commands of karma.toml for the stack's CPU architecture, and packs each program with its files, certificates to trust and a user
/// who is not root. There is nothing else in an image. The images lie in .karma/images beside the stack, as an OCI image layout that other tools read
/// as well; attached to each are its bill of materials and its provenance. `SOURCE_DATE_EPOCH` sets the instant that images say they were made at.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    // Its arguments are images, as those of `push` are.
    mut_arg("dir", |dir| dir.long("dir")),
    after_long_help = "Example: karma image build validator"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: StackArguments,

    /// Only these images: a repository's name, or the part behind its last slash [default: all]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, reporter: Reporter) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.stack.dir.as_deref())?;
    let loaded = stack::load(&arguments.stack, reporter)?;
    let fleet = stack::fleet(&loaded, reporter)?;
    let built = images::build(&directory, &fleet, &arguments.images, reporter.printer)?;
    print(&built, reporter)?;
    Ok(ExitStatus::Yes)
}

fn print(built: &BTreeMap<String, Built>, reporter: Reporter) -> Result<(), Failure> {
    if reporter.json {
        return Ok(reporter.printer.line(&json!({ "images": built }).to_string())?);
    }
    Ok(reporter.printer.data(&table(built, reporter.printer))?)
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn table(built: &BTreeMap<String, Built>, printer: Printer) -> String {
    let mut table = Table::new(["IMAGE", "SIZE", "DIGEST"]);
    for (repository, built) in built {
        table.row([
            Cell::from(repository.as_str()),
            Cell::number(quantity(built.size as f64, Unit::Bytes)),
            Cell::from(built.digest.to_string()),
        ]);
    }
    table.render(printer)
}
