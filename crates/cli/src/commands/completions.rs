//! `karma completions SHELL`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;

/// Print the completions of a shell
///
/// They go to stdout; where to put them is the shell's business.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma completions bash > ~/.local/share/bash-completion/completions/karma"
)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, printer: Printer) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    let mut command = crate::args::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "karma", &mut script);
    printer.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Yes)
}
