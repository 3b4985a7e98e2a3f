//! `karma alarms [NAME]`

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use karma_ops::{AlarmAnswer, AlarmObservation, AlarmOrigin, AlarmState};

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::printer::{Printer, Style};
use crate::settings::StackDirectory;
use crate::table::{Cell, Table};
use crate::wiring;

/// So much of a reason stands in the table; all of it is told where one alarm is asked about.
const REASON: usize = 60;

/// From here on two names are taken for a slip of the fingers.
const ALIKE: f64 = 0.8;

/// Show how the alarms stand, and what autoscaling did
///
/// Asks the `karma up` of this stack, which judges its alarms as CloudWatch does and notifies nobody, or with --on aws CloudWatch itself and
/// Application Auto Scaling. It changes nothing. Exits with 1 where an alarm rings.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma alarms --history")]
pub(crate) struct Arguments {
    /// Only this alarm, with all that is known of it
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// Also the alarms of policies that track a target
    #[arg(short, long)]
    all: bool,

    /// Also what has happened: changes of alarms, and what autoscaling did
    #[arg(long)]
    history: bool,

    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(long, env = "KARMA_DIR")]
    dir: Option<PathBuf>,

    #[command(flatten)]
    on: OnArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    let answer = arguments.select(wiring::ask(&directory, &arguments.on, printer)?.alarms()?)?;
    if json {
        let text = serde_json::to_string_pretty(&answer).expect("an answer is plain data");
        printer.line(&text)?;
    } else {
        arguments.print(&answer, printer)?;
    }
    Ok(arguments.status(&answer))
}

impl Arguments {
    /// The answer without the alarms that were not asked about.
    fn select(&self, mut answer: AlarmAnswer) -> Result<AlarmAnswer, Failure> {
        let Some(name) = &self.name else {
            return Ok(answer);
        };
        if !answer.alarms.iter().any(|alarm| alarm.name == *name) {
            return Err(no_such_alarm(&answer, name));
        }
        answer.alarms.retain(|alarm| alarm.name == *name);
        answer.history.retain(|change| change.alarm == *name);
        answer
            .activities
            .retain(|activity| activity.cause.contains(name.as_str()));
        Ok(answer)
    }

    /// An alarm that somebody asks about by name counts whoever made it.
    fn status(&self, answer: &AlarmAnswer) -> ExitStatus {
        let counts = |alarm: &AlarmObservation| match self.name {
            Some(_) => alarm.state == AlarmState::Alarm,
            None => alarm.rings(),
        };
        if answer.alarms.iter().any(counts) {
            ExitStatus::No
        } else {
            ExitStatus::Yes
        }
    }

    fn print(&self, answer: &AlarmAnswer, printer: Printer) -> Result<(), Failure> {
        match (&self.name, answer.alarms.as_slice()) {
            (Some(_), [alarm]) => printer.data(&details(answer, alarm, printer))?,
            _ => self.print_table(answer, printer)?,
        }
        if self.history {
            printer.data(&history(answer))?;
            for note in &answer.notes {
                printer.talk(&printer.paint_talk(Style::Yellow, &format!("note: {note}")));
            }
        }
        Ok(())
    }

    fn print_table(&self, answer: &AlarmAnswer, printer: Printer) -> Result<(), Failure> {
        let is_shown = |alarm: &&AlarmObservation| self.all || alarm.origin == AlarmOrigin::Stack;
        let shown: Vec<&AlarmObservation> = answer.alarms.iter().filter(is_shown).collect();
        let hidden = answer.alarms.len() - shown.len();
        if shown.is_empty() {
            printer.talk("this stack has no alarms");
        } else {
            printer.data(&table(answer, &shown).render(printer))?;
        }
        if hidden > 0 {
            let note = format!("note: {hidden} alarms of scaling policies are not shown; `karma alarms --all` does");
            printer.talk(&printer.paint_talk(Style::Dim, &note));
        }
        Ok(())
    }
}

fn no_such_alarm(answer: &AlarmAnswer, name: &str) -> Failure {
    let likeness = |alarm: &AlarmObservation| strsim::jaro_winkler(&alarm.name, name);
    let mut alike: Vec<_> = answer.alarms.iter().filter(|alarm| likeness(alarm) > ALIKE).collect();
    alike.sort_by(|one, other| likeness(other).total_cmp(&likeness(one)));
    let failure = Failure::no(format!("there is no alarm {name}"));
    match alike.first() {
        Some(nearest) => failure.hint(format!("did you mean `{}`?", nearest.name)),
        None => failure.hint("`karma alarms --all` lists them"),
    }
}

fn table(answer: &AlarmAnswer, alarms: &[&AlarmObservation]) -> Table {
    let mut table = Table::new(["NAME", "STATE", "SINCE", "WATCHES", "REASON"]);
    for alarm in alarms {
        table.row([
            Cell::from(&alarm.name),
            state(alarm),
            Cell::from(ago(answer.at, alarm.since)),
            Cell::from(without_dimensions(&alarm.watches)),
            Cell::from(shortened(&alarm.reason)),
        ]);
    }
    table
}

/// `Average of AWS/ECS CPUUtilization`: in a table the name tells whose it is.
fn without_dimensions(watches: &str) -> String {
    let words: Vec<_> = watches.split(' ').take_while(|word| !word.contains('=')).collect();
    words.join(" ")
}

fn state(alarm: &AlarmObservation) -> Cell {
    let style = match alarm.state {
        AlarmState::Ok => Style::Green,
        AlarmState::Alarm if alarm.rings() => Style::Red,
        AlarmState::Alarm | AlarmState::InsufficientData => Style::Dim,
    };
    Cell::styled(alarm.state.as_str(), style)
}

fn details(answer: &AlarmAnswer, alarm: &AlarmObservation, printer: Printer) -> String {
    let mut text = format!("{}  {}\n", printer.paint(Style::Bold, &alarm.name), alarm.state);
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<9}{value}");
    };
    let since = format!("{} ({} ago)", time(alarm.since), ago(answer.at, alarm.since));
    line("since", &since);
    line("watches", &alarm.watches);
    if let Some(description) = &alarm.description {
        line("is for", description);
    }
    line("reason", &alarm.reason);
    text
}

/// What has happened, oldest first, one paragraph each.
fn history(answer: &AlarmAnswer) -> String {
    let changes = answer.history.iter().map(|change| {
        let mut text = format!("{} {} -> {}: {}\n", change.alarm, change.from, change.to, change.reason);
        for action in &change.actions {
            let _ = writeln!(text, "    {action}");
        }
        (change.at, text)
    });
    let activities = answer.activities.iter().map(|activity| {
        let (service, cause) = (&activity.service, &activity.cause);
        let text = format!(
            "{service} {} Cause: {cause}\n    {}\n",
            sentence(&activity.description),
            activity.status_message
        );
        (activity.at, text)
    });
    let mut all: Vec<(Timestamp, String)> = changes.chain(activities).collect();
    all.sort_by_key(|(at, _)| *at);
    let paragraphs = all.iter().map(|(at, text)| format!("\n{} {text}", time(*at)));
    paragraphs.collect::<Vec<_>>().concat()
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `45s`, `12m`, `3h`, `2d`
fn ago(now: Timestamp, since: Timestamp) -> String {
    match now.duration_since(since).as_secs().max(0) {
        seconds if seconds < 60 => format!("{seconds}s"),
        seconds if seconds < 3_600 => format!("{}m", seconds / 60),
        seconds if seconds < 86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn shortened(reason: &str) -> String {
    let reason = reason.trim_start_matches("Threshold Crossed: ");
    match reason.char_indices().nth(REASON) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
