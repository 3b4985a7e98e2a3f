//! `karma demo [DIR]`

mod between;
mod event;
mod program;
mod report;
mod story;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use karma_ops::{LogQuery, Observation, Orchestrator, Outcomes, ServiceHealth, Trace, TraceQuery};
use karma_runtime::Control;
use tokio::time::{Instant, sleep};

use self::between::{Asked, Names};
use self::event::{Call, Event};
use self::program::Program;
use self::report::{Chapter, Outcome, Report, Told};
use self::story::Layout;
use crate::chain;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::karma_toml;
use crate::printer::Printer;
use crate::settings::StackDirectory;
use crate::terminal;
use crate::wiring::{self, Interrupts};

/// Who wants no terminal's width gets this one.
const COLUMNS: usize = 80;

/// Spans come a second after what they are of; those that have not come after so long are not waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Have the running services deal with each other, and tell it as a story
///
/// Runs the program that karma.toml names below `[demo]`, as a visitor who comes through the load balancer of the running stack: it asks services,
/// pays where `karma up --chain` has them ask for money, and tells each call. What services asked of each other for it is taken from their traces,
/// and what they paid from their logs. It needs the `karma up` of this stack, spends nothing but tokens of that run's own chain, and never
/// touches AWS. Exits with 1 where it cannot be told to its end.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma demo --json")]
pub(crate) struct Arguments {
    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(env = "KARMA_DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    wiring::block_on(async {
        let running = wiring::control(&directory).await?;
        let observation = running
            .observe()
            .await
            .map_err(|error| wiring::failure(&error.into()))?;
        let url = way_in(&observation)?;
        let mut teller = Teller {
            running,
            observation,
            report: Report::new(url),
            began: Timestamp::now(),
            json,
            printer,
        };
        let program = teller.program(&directory)?;
        let mut interrupts = Interrupts::listen()?;
        let told = tokio::select! {
            told = teller.follow(program) => told,
            () = interrupts.next() => Ok(()),
        };
        told?;
        teller.finish()
    })
}

/// The address of the load balancer that leads to the services, all of which must be well.
fn way_in(observation: &Observation) -> Result<String, Failure> {
    let unwell = |health| observation.services.iter().find(|service| service.health == health);
    if let Some(service) = unwell(ServiceHealth::Failing) {
        return Err(Failure::no(format!("{} is not healthy", service.label)).hint("`karma status` says why"));
    }
    if let Some(service) = unwell(ServiceHealth::Starting) {
        let failure = Failure::no(format!("{} is not there yet", service.label));
        return Err(failure.hint("`karma wait` comes back when it is"));
    }
    let leads = |url: &String| {
        observation
            .services
            .iter()
            .filter_map(|service| service.url.as_ref())
            .any(|it| it.starts_with(url))
    };
    let urls = || observation.listeners.iter().map(|listener| listener.url.clone());
    urls()
        .find(leads)
        .or_else(|| urls().next())
        .ok_or_else(|| Failure::unable("the stack has no load balancer that a visitor could come through"))
}

fn no_command() -> Failure {
    Failure::unable(format!("{} does not say who visits the stack", karma_toml::FILE_NAME)).hint(
        "write `run = [\"program\", \"argument\"]` below [demo]; it is given the load balancer's URL, and prints an event as JSON a line",
    )
}

/// Follows the visitor, and tells what happens.
struct Teller {
    running: Control,
    observation: Observation,
    report: Report,
    began: Timestamp,
    json: bool,
    printer: Printer,
}

impl Teller {
    fn program(&self, directory: &StackDirectory) -> Result<Program, Failure> {
        let toml = karma_toml::read(directory.path())?;
        let command = toml.demo.ok_or_else(no_command)?;
        Program::start(&command, &toml.root, &self.report.url, chain::visitor(directory)?)
    }

    /// To the end of what it tells.
    async fn follow(&mut self, mut program: Program) -> Result<(), Failure> {
        while let Some((at, event)) = program.next().await? {
            self.take(at, event).await?;
        }
        let (status, complaint) = program.end().await?;
        match (&self.report.refusal, status.success()) {
            (Some(_), _) => self.report.outcome = Outcome::Refused,
            (None, true) => self.report.outcome = Outcome::Done,
            (None, false) => return Err(Failure::unable(format!("the visitor gave up ({status}): {complaint}"))),
        }
        Ok(())
    }

    async fn take(&mut self, at: Instant, event: Event) -> Result<(), Failure> {
        match event {
            Event::Begin(beginning) => {
                self.report.beginning = beginning;
                self.show(|layout, report| layout.beginning(&report.beginning, &report.url))
            }
            Event::Chapter { title, about } => {
                let calls = Vec::new();
                self.report.chapters.push(Chapter { title, about, calls });
                self.show(|layout, report| report.chapters.last().map_or_else(String::new, |it| layout.chapter(it)))
            }
            Event::Call(call) => {
                let between = self.between(at, &call).await?;
                let told = Told { call: *call, between };
                let chapter = self
                    .report
                    .chapters
                    .last_mut()
                    .ok_or_else(|| Failure::unable("the visitor tells of a call before the story begins"))?;
                chapter.calls.push(told);
                self.show(|layout, report| {
                    let number = report.calls().count();
                    report
                        .calls()
                        .last()
                        .map_or_else(String::new, |told| layout.call(number, told))
                })
            }
            Event::Account(holding) => {
                self.report.accounts.push(holding);
                Ok(())
            }
            Event::Refused(refusal) => {
                self.report.refusal = Some(refusal);
                Ok(())
            }
        }
    }

    /// What services asked of each other for a call, when it has come in; none where its trace does not come.
    async fn between(&self, at: Instant, call: &Call) -> Result<Option<Vec<Asked>>, Failure> {
        let names = Names(&self.observation);
        // Who is asked for money asks twice.
        let requests = if call.paid.is_some() { 2 } else { 1 };
        loop {
            let is_late = at.elapsed() >= PATIENCE;
            let trace = self.trace(call).await?;
            let whole = trace.filter(|trace| is_late || between::is_whole(trace, requests, &names));
            if let Some(trace) = whole {
                let mut asked = between::asked(&trace, &names);
                self.add_payments(&trace, &mut asked).await?;
                if is_late || !asked.iter().any(Asked::misses_its_price) {
                    return Ok(Some(asked));
                }
            }
            if is_late {
                return Ok(None);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn trace(&self, call: &Call) -> Result<Option<Trace>, Failure> {
        let query = TraceQuery {
            id: Some(call.trace_id),
            service: None,
            since: Duration::ZERO,
            slow: Duration::ZERO,
            outcomes: Outcomes::All,
        };
        let answer = self.running.traces(query).await;
        let answer = answer.map_err(|error| wiring::failure(&error.into()))?;
        Ok(answer.traces.into_iter().next())
    }

    async fn add_payments(&self, trace: &Trace, asked: &mut [Asked]) -> Result<(), Failure> {
        if !asked.iter().any(Asked::misses_its_price) {
            return Ok(());
        }
        let query = LogQuery {
            since: Some(self.began),
            ..LogQuery::default()
        };
        let read = async { self.running.logs(query).await?.read().await };
        let lines = read.await.map_err(|error| wiring::failure(&error))?;
        between::add_payments(asked, trace.id, &lines);
        Ok(())
    }

    /// Prints a piece of the story, unless it is to be one document.
    fn show(&self, piece: impl FnOnce(Layout<'_>, &Report) -> String) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        let columns = terminal::columns().unwrap_or(COLUMNS);
        let layout = Layout::new(columns, self.report.beginning.currency.as_ref(), self.printer);
        self.printer.data(&piece(layout, &self.report))?;
        Ok(())
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method of a layout of one lifetime is no function for layouts of every lifetime"
    )]
    fn show_end(&self) -> Result<(), Failure> {
        self.show(|layout, report| layout.end(report))
    }

    /// What it came to.
    fn finish(&self) -> Result<ExitStatus, Failure> {
        if self.json {
            let text = serde_json::to_string_pretty(&self.report).expect("a report is plain data");
            self.printer.line(&text)?;
        } else if self.report.calls().next().is_some() {
            self.show_end()?;
        }
        match (self.report.outcome, &self.report.refusal) {
            (Outcome::Done, _) => Ok(ExitStatus::Yes),
            (_, Some(refusal)) => Err(Failure::no(&refusal.reason).hints(refusal.hint.clone())),
            (_, None) => Err(
                Failure::no("interrupted: the visitor has left, and what was paid stays paid")
                    .hint("`karma demo` tells it from the beginning"),
            ),
        }
    }
}
