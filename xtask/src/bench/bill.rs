//! How long the bill of a thousand services takes, by the benchmark of the crate that makes it.

use std::time::Duration;

use super::{Measurement, Quantity, Result};
use crate::process::{cargo, typed};

const GOAL: Duration = Duration::from_millis(50);

pub(super) fn measure() -> Result<Measurement> {
    let mut command = cargo("bench --quiet --package karma-cost --bench thousand_services");
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{}` ended with {}\n{said}", typed(&command), output.status).into());
    }
    let micros = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    Ok(Measurement {
        what: "a bill for 1,000 services (median of 21)".to_owned(),
        measured: Quantity::Time(Duration::from_micros(micros)),
        goal: Quantity::Time(GOAL),
    })
}
