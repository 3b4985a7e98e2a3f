//! [`Journal`]: tells what a long command is doing: for people on standard error, with `--json` as events on standard output.

use std::cell::Cell;
use std::pin::Pin;
use std::time::Instant;

use super::event::{Event, Step};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::settings::StackDirectory;
use crate::wiring::Interrupts;

/// A step that is told.
type Told<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + 'a>>;

/// The story of one run.
#[derive(Debug)]
pub(crate) struct Journal {
    steps: &'static [&'static str],
    began: Instant,
    /// How many steps have begun.
    number: Cell<usize>,
    json: bool,
    pub(crate) printer: Printer,
}

impl Journal {
    /// Begins the story of a command with these steps.
    pub(crate) fn begin(
        command: &'static str,
        steps: &'static [&'static str],
        stack: &StackDirectory,
        json: bool,
        printer: Printer,
    ) -> Result<Self, Failure> {
        let journal = Self {
            steps,
            began: Instant::now(),
            number: Cell::new(0),
            json,
            printer,
        };
        journal.event(&Event::started(command, stack.path().display().to_string()))?;
        Ok(journal)
    }

    /// A step of our own: Ctrl-C ends it. It answers with what it has done, in a few words.
    pub(crate) fn step<'a, T: 'a>(
        &'a self,
        work: impl Future<Output = Result<(T, String), Failure>> + 'a,
    ) -> Told<'a, T> {
        self.long_step(async {
            let mut interrupts = Interrupts::listen()?;
            tokio::select! {
                done = work => done,
                () = interrupts.next() => {
                    Err(Failure::unable("interrupted").hint("run it again: it goes on where it stopped"))
                }
            }
        })
    }

    /// A step that knows by itself what to do about Ctrl-C.
    pub(crate) fn long_step<'a, T: 'a>(
        &'a self,
        work: impl Future<Output = Result<(T, String), Failure>> + 'a,
    ) -> Told<'a, T> {
        Box::pin(self.told(work))
    }

    async fn told<T>(&self, work: impl Future<Output = Result<(T, String), Failure>>) -> Result<T, Failure> {
        let step = self.next();
        let began = Instant::now();
        let head = format!("[{}/{}] {:<12} …", step.number, step.of, step.name);
        self.printer.talk(&self.printer.paint_talk(Style::Bold, &head));
        self.event(&Event::StepStarted { step })?;
        let (answer, what) = work.await?;
        let seconds = began.elapsed().as_secs_f64();
        self.printer.talk(&format!(
            "{} {seconds:.1} s  {what}",
            self.printer.paint_talk(Style::Bold, &head)
        ));
        self.event(&Event::StepFinished {
            step,
            seconds,
            what: &what,
        })?;
        Ok(answer)
    }

    /// The next step has nothing to do.
    pub(crate) async fn skip(&self, why: &str) -> Result<(), Failure> {
        self.long_step(std::future::ready(Ok(((), why.to_owned())))).await
    }

    /// For programs.
    pub(crate) fn event(&self, event: &Event<'_>) -> Result<(), Failure> {
        if self.json {
            self.printer.line(&event.line())?;
        }
        Ok(())
    }

    /// Data for people; programs have events.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        if !self.json {
            self.printer.data(text)?;
        }
        Ok(())
    }

    /// For people.
    pub(crate) fn say(&self, text: &str) {
        self.printer.talk(&format!("      {text}"));
    }

    /// The end of it, in a word.
    pub(crate) fn finish(&self, outcome: &str, status: ExitStatus) -> Result<ExitStatus, Failure> {
        let seconds = self.began.elapsed().as_secs_f64();
        self.event(&Event::Finished {
            outcome,
            seconds,
            exit_code: status.code(),
        })?;
        self.printer
            .talk(&format!("{} after {seconds:.1} s", outcome.replace('_', " ")));
        Ok(status)
    }

    /// The end of it, if it was one that was not foreseen.
    pub(crate) fn close(&self, end: Result<ExitStatus, Failure>) -> Result<ExitStatus, Failure> {
        if let Err(failure) = &end {
            self.event(&Event::Failed {
                reason: failure.message(),
                hints: failure.all_hints(),
                exit_code: failure.status().code(),
            })?;
        }
        end
    }

    fn next(&self) -> Step<'static> {
        let number = self.number.get();
        self.number.set(number + 1);
        Step {
            name: self.steps[number],
            number: number + 1,
            of: self.steps.len(),
        }
    }
}
