//! `karma doctor [DIR]`

use clap::Args;
use karma_fleet::Fleet;
use serde_json::json;

use crate::doctor::{self, Check, Subject, Verdict};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::AwsArguments;
use crate::printer::{Printer, Style};
use crate::stack::{self, Reporter, StackArguments};
use crate::table::{Cell, Table};
use crate::wiring;

/// Say what a deploy of the stack needs, and what of it is missing
///
/// Looks at this machine and asks AWS who you are, which repositories and secrets there are. It changes nothing. What a deploy makes itself
/// is SKIPPED, and so is what only AWS or Terraform can say. Exits with 1 where something is MISSING; below the table stands what mends it.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma doctor terraform --region us-east-1"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: StackArguments,

    #[command(flatten)]
    aws: AwsArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let loaded = stack::load(&arguments.stack, Reporter { json, printer })?;
    let (fleet, _) = Fleet::from_stack(&loaded.stack);
    let checks = wiring::block_on(async {
        let session = arguments.aws.session(loaded.region(), printer).await;
        let subject = Subject {
            loaded: &loaded,
            fleet: &fleet,
            session: session.as_ref(),
        };
        doctor::examine(subject).await
    })?;
    let is_ready = !checks.iter().any(Check::is_missing);
    if json {
        printer.line(&json!({ "ready": is_ready, "checks": checks }).to_string())?;
    } else {
        print(&checks, printer)?;
    }
    Ok(if is_ready { ExitStatus::Yes } else { ExitStatus::No })
}

/// The table, and what mends what is missing.
fn print(checks: &[Check], printer: Printer) -> Result<(), Failure> {
    let mut table = Table::new(["CHECK", "VERDICT", "FINDING"]);
    for check in checks {
        let style = match check.verdict {
            Verdict::Ok => Style::Green,
            Verdict::Missing => Style::Red,
            Verdict::Skipped => Style::Dim,
        };
        table.row([
            Cell::from(&check.name),
            Cell::styled(check.verdict.as_str(), style),
            Cell::from(&check.finding),
        ]);
    }
    printer.data(&table.render(printer))?;
    let mends = checks.iter().filter(|check| check.verdict != Verdict::Ok);
    let lines = mends.filter_map(|check| {
        let mend = check.mend.as_ref()?;
        Some(format!("{}: {mend}\n", printer.paint(Style::Bold, &check.name)))
    });
    let lines: String = lines.collect();
    if !lines.is_empty() {
        printer.data(&format!("\n{lines}"))?;
    }
    Ok(())
}
