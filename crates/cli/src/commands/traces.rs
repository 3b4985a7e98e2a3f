//! `karma traces [TRACE_ID]`

mod waterfall;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use karma_ops::{Outcomes, Trace, TraceAnswer, TraceId, TraceQuery, Unit};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::quantity::quantity;
use crate::service_names::ServiceNames;
use crate::settings::StackDirectory;
use crate::table::{Cell, Table};
use crate::wiring;

/// Show what X-Ray would: which way requests took through the services, and where their time went
///
/// Asks the `karma up` of this stack for the spans that tasks have sent it over OTLP, of the requests that the stack's sampling rules chose. It
/// does not ask X-Ray, and a service that sends no spans is not seen.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma traces --service validator --slow 500ms"
)]
pub(crate) struct Arguments {
    /// Only this one, span by span: `1-58337262-36d228ad5d99923122bbe354`, or the same digits without dashes
    #[arg(value_name = "TRACE_ID", conflicts_with_all = ["service", "since", "slow", "errors"])]
    id: Option<TraceId>,

    /// Only those that this service took part in, by map key or ECS name
    #[arg(short, long, value_name = "SERVICE")]
    service: Option<String>,

    /// How far to look back
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    since: Duration,

    /// Only those that took so long at least
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    slow: Duration,

    /// Only those in which something failed
    #[arg(long)]
    errors: bool,

    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(long, env = "KARMA_DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    let answer = wiring::traces(&directory, arguments.query(&directory)?)?;
    if let (Some(id), []) = (arguments.id, answer.traces.as_slice()) {
        let hint =
            "it may not have been sampled, or its spans are still on their way; `karma traces` lists what there is";
        return Err(Failure::no(format!("there is no trace {id}")).hint(hint));
    }
    if json {
        let text = serde_json::to_string_pretty(&answer).expect("an answer is plain data");
        printer.line(&text)?;
    } else if let (Some(_), [trace]) = (arguments.id, answer.traces.as_slice()) {
        printer.data(&waterfall::render(trace, printer))?;
    } else {
        print_table(&answer, printer)?;
    }
    Ok(ExitStatus::Yes)
}

impl Arguments {
    fn query(&self, directory: &StackDirectory) -> Result<TraceQuery, Failure> {
        let resolve = |name: &String| wiring::block_on(ServiceNames::of(directory))?.resolve(name);
        Ok(TraceQuery {
            id: self.id,
            service: self.service.as_ref().map(resolve).transpose()?,
            since: self.since,
            slow: self.slow,
            outcomes: if self.errors { Outcomes::Errors } else { Outcomes::All },
        })
    }
}

fn print_table(answer: &TraceAnswer, printer: Printer) -> Result<(), Failure> {
    if answer.traces.is_empty() {
        printer.talk("there are no such traces");
    } else {
        printer.data(&table(&answer.traces).render(printer))?;
    }
    if answer.not_sampled > 0 {
        let note = format!(
            "note: {} traces were not sampled; the stack's sampling rules say which are",
            answer.not_sampled
        );
        printer.talk(&printer.paint_talk(Style::Dim, &note));
    }
    Ok(())
}

fn table(traces: &[Trace]) -> Table {
    let mut table = Table::new(["TRACE", "START", "DURATION", "STATUS", "REQUEST", "SERVICES"]);
    for trace in traces {
        let first = trace.spans.first();
        table.row([
            Cell::from(trace.id.to_string()),
            Cell::from(trace.start.strftime("%Y-%m-%d %H:%M:%S").to_string()),
            Cell::from(time(trace.duration)),
            status(trace),
            Cell::from(first.map_or("-", |placed| placed.span.name.as_str())),
            Cell::from(trace.services.join(" > ")),
        ]);
    }
    table
}

fn status(trace: &Trace) -> Cell {
    if trace.has_errors {
        Cell::styled("error", Style::Red)
    } else {
        Cell::styled("ok", Style::Green)
    }
}

/// `4.56 ms`
fn time(duration: Duration) -> String {
    quantity(duration.as_secs_f64(), Unit::Seconds)
}

/// `15m`, `1h 30m`, `500ms`
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| "give a duration such as `15m` or `500ms`".to_owned())
}

#[cfg(test)]
mod tests;
