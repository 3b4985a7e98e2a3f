//! `karma down [DIR]`

use std::path::PathBuf;

use clap::Args;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress;
use crate::settings::StackDirectory;
use crate::wiring;

/// Stop what runs here, after what it has begun
///
/// The load balancer sends nothing new to a task, waits for the answers under way, and only then is the task told to stop. It does not touch AWS.
/// Exits with 1 where nothing runs.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma down terraform")]
pub(crate) struct Arguments {
    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(env = "KARMA_DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    wiring::stop(&directory, |progress| progress::print(&progress, printer))?;
    if json {
        printer.line("{\"stopped\":true}")?;
    }
    printer.talk("all down");
    Ok(ExitStatus::Yes)
}
