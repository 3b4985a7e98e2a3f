//! Runs steps one after the other, keeps on after a failure, and sums up: a table, what was skipped, one closing line.

use std::fmt;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::process;
use crate::test_output::{Tally, TestOutput};

/// What the steps so far came to.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    tally: Tally,
}

impl Report {
    /// Runs a command that either succeeds or fails as a whole: it counts as one check.
    pub(crate) fn check(&mut self, name: &'static str, command: Command) {
        self.step(name, command, |mut command| {
            let passed = usize::from(command.status()?.success());
            Ok(Tally {
                passed,
                failed: 1 - passed,
                skipped: Vec::new(),
            })
        });
    }

    /// Runs `cargo test`, where each test counts. With `--show-output`, what a test says it skipped counts too.
    pub(crate) fn tests(&mut self, name: &'static str, command: Command) {
        self.step(name, command, |mut command| {
            let mut child = command.stdout(Stdio::piped()).spawn()?;
            let tally = read_tests(&mut child)?;
            let at_least = usize::from(!child.wait()?.success());
            let failed = tally.failed.max(at_least);
            Ok(Tally { failed, ..tally })
        });
    }

    /// Notes a step that could not be made here.
    pub(crate) fn skip(&mut self, name: &'static str, reason: impl fmt::Display) {
        let skip = format!("{name}: {reason}");
        println!("SKIPPED {skip}");
        let tally = Tally {
            skipped: vec![skip],
            ..Tally::default()
        };
        self.steps.push(Step {
            name,
            took: Duration::ZERO,
            tally,
        });
    }

    /// Prints the summary. Success means: nothing failed, and in CI nothing was skipped either.
    pub(crate) fn finish(&self) -> ExitCode {
        let total = self.total();
        let skipped_in_ci = process::is_ci() && !total.skipped.is_empty();
        print!("\n{self}");
        if skipped_in_ci {
            println!("what is skipped counts as failed here: CI=true");
        }
        println!(
            "{} passed, {} failed, {} skipped",
            total.passed,
            total.failed,
            total.skipped.len()
        );
        if total.failed > 0 || skipped_in_ci {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }

    fn step(&mut self, name: &'static str, command: Command, run: impl FnOnce(Command) -> io::Result<Tally>) {
        let typed = process::typed(&command);
        println!("── {name}: {typed}");
        let start = Instant::now();
        let tally = run(command).unwrap_or_else(|error| {
            println!("cannot run `{typed}`: {error}");
            Tally {
                failed: 1,
                ..Tally::default()
            }
        });
        let took = start.elapsed();
        let verdict = if tally.failed == 0 { "ok" } else { "FAILED" };
        println!("── {name}: {verdict} after {:.1} s\n", took.as_secs_f64());
        self.steps.push(Step { name, took, tally });
    }

    fn total(&self) -> Tally {
        let mut total = Tally::default();
        for Step { tally, .. } in &self.steps {
            total.passed += tally.passed;
            total.failed += tally.failed;
            total.skipped.extend_from_slice(&tally.skipped);
        }
        total
    }
}

/// The table of steps, then a line for each skip.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{:<14} {:>9} {:>7} {:>7} {:>8}",
            "step", "took", "passed", "failed", "skipped"
        )?;
        for Step { name, took, tally } in &self.steps {
            let (seconds, skipped) = (took.as_secs_f64(), tally.skipped.len());
            writeln!(
                out,
                "{name:<14} {seconds:>7.1} s {:>7} {:>7} {skipped:>8}",
                tally.passed, tally.failed
            )?;
        }
        self.total()
            .skipped
            .iter()
            .try_for_each(|skip| writeln!(out, "SKIPPED {skip}"))
    }
}

/// Shows and counts what a test run prints, while it runs.
fn read_tests(child: &mut Child) -> io::Result<Tally> {
    let stdout = child.stdout.take().expect("its caller asked for a pipe");
    let mut output = TestOutput::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if let Some(line) = output.read(&line) {
            println!("{line}");
        }
    }
    Ok(output.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn total(fill: impl FnOnce(&mut Report)) -> (usize, usize, usize) {
        let mut report = Report::default();
        fill(&mut report);
        let total = report.total();
        (total.passed, total.failed, total.skipped.len())
    }

    #[test]
    fn a_check_counts_once() {
        assert_eq!(total(|report| report.check("good", shell("true"))), (1, 0, 0));
        assert_eq!(total(|report| report.check("bad", shell("exit 3"))), (0, 1, 0));
    }

    #[test]
    fn a_program_that_is_not_there_fails() {
        assert_eq!(
            total(|report| report.check("absent", Command::new("no-such-program"))),
            (0, 1, 0)
        );
    }

    #[test]
    fn tests_count_each() {
        let verdict = "echo 'test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured'; exit 101";
        assert_eq!(total(|report| report.tests("mixed", shell(verdict))), (4, 2, 0));
    }

    #[test]
    fn tests_that_do_not_even_compile_fail() {
        assert_eq!(total(|report| report.tests("broken", shell("exit 101"))), (0, 1, 0));
    }

    #[test]
    fn a_run_that_fails_in_its_second_half_fails() {
        let verdict = "echo 'test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured'; exit 101";
        assert_eq!(total(|report| report.tests("half", shell(verdict))), (4, 1, 0));
    }

    #[test]
    fn what_is_skipped_is_named_in_the_summary() {
        let mut report = Report::default();
        report.skip("moto", "python3 is not installed");
        assert!(
            report
                .to_string()
                .ends_with("\nSKIPPED moto: python3 is not installed\n"),
            "{report}"
        );
    }
}
