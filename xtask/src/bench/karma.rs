//! The release build of `karma`, and how long its plan takes.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{Measurement, Quantity, Result, median};
use crate::process::{as_typed_in, cargo, typed};
use crate::workspace;

const PLAN_GOAL: Duration = Duration::from_millis(30);
const PLAN_RUNS: usize = 21;

/// The program under test.
pub(super) struct Karma {
    program: PathBuf,
}

impl Karma {
    /// Builds it, optimised.
    pub(super) fn build() -> Result<Self> {
        let status = cargo("build --release --package karma").status()?;
        if !status.success() {
            return Err("karma does not build".into());
        }
        Ok(Self {
            program: workspace::target().join("release/karma"),
        })
    }

    /// Runs it at the workspace's root, and answers with what it printed and how long it took.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<(Output, Duration)> {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(workspace::root())
            .stdin(Stdio::null());
        as_typed_in(&mut command);
        let start = Instant::now();
        let output = command.output()?;
        let took = start.elapsed();
        if output.status.success() {
            return Ok((output, took));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("`{}` ended with {}\n{said}", typed(&command), output.status).into())
    }

    /// The whole process: start, read, evaluate, print, end.
    pub(super) fn plan(&self) -> Result<Measurement> {
        let times = (0..PLAN_RUNS)
            .map(|_| Ok(self.run(&["plan"])?.1))
            .collect::<Result<Vec<_>>>()?;
        Ok(Measurement {
            what: format!("karma plan, whole process (median of {PLAN_RUNS})"),
            measured: Quantity::Time(median(times)),
            goal: Quantity::Time(PLAN_GOAL),
        })
    }
}
