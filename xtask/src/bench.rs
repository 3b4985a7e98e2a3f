//! `cargo xtask bench`: the numbers the project promises, measured on this machine. No test depends on them: a busy machine is
//! not a broken program.

mod agents;
mod balancer;
mod bill;
mod cold;
mod fleet;
mod http;
mod images;
mod karma;
mod many;
mod programs;
mod wrk;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

/// Why something could not be measured.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One number, and what it should not exceed.
struct Measurement {
    what: String,
    measured: Quantity,
    goal: Quantity,
}

/// A number with its unit.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Quantity {
    Time(Duration),
    Bytes(u64),
    /// What nginx had in the same run is 1.
    OfNginx(f64),
    /// The same of buildah.
    OfBuildah(f64),
    /// The same of the service in Python.
    OfFastApi(f64),
}

/// Measures and prints. A goal that is missed is printed, not failed; failing means that nothing could be measured.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let scope = match () {
        () if has("--agents") => Scope::Agents,
        () if has("--balancer") => Scope::Balancer,
        () if has("--images") => Scope::Images,
        () if has("--cold") => Scope::AllAndCold,
        () => Scope::All,
    };
    match measure(scope) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Holds many connections open, for the measurement of what they cost.
pub(crate) fn hold(arguments: &[String]) -> ExitCode {
    match balancer::hold(arguments.first().map_or("", String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The agents, and one of them beside a service in Python; nothing else.
    Agents,
    /// The balancer beside nginx, and nothing else.
    Balancer,
    /// The images, beside buildah's, and nothing else.
    Images,
    All,
    /// A first build too, which takes minutes.
    AllAndCold,
}

fn measure(scope: Scope) -> Result<()> {
    let busy = busy(&std::fs::read_to_string("/proc/loadavg")?);
    let measurements = match scope {
        Scope::Agents => agents::measure()?,
        Scope::Balancer => balancer::measure()?,
        Scope::Images => images::measure(&karma::Karma::build()?)?,
        Scope::All => everything()?,
        Scope::AllAndCold => [everything()?, cold::measure()?].into_iter().flatten().collect(),
    };
    println!("{:<44} {:>10} {:>10}", "", "measured", "goal");
    for measurement in &measurements {
        println!("{measurement}");
    }
    if let Some(busy) = busy {
        println!("\n{busy}");
    }
    Ok(())
}

fn everything() -> Result<Vec<Measurement>> {
    let karma = karma::Karma::build()?;
    let mut measurements = vec![karma.plan()?];
    measurements.extend(fleet::measure(&karma)?);
    measurements.extend(images::measure(&karma)?);
    measurements.push(bill::measure()?);
    measurements.extend(many::measure(&karma)?);
    measurements.extend(agents::measure()?);
    measurements.extend(balancer::measure()?);
    Ok(measurements)
}

/// Above this many jobs that want a core, times tell more about the others.
const BUSY: f64 = 0.5;

/// The line to print when others use this machine, from its
/// [load average](https://man7.org/linux/man-pages/man5/proc_loadavg.5.html).
fn busy(load_average: &str) -> Option<String> {
    let last_minute = load_average.split(' ').next()?;
    let jobs: f64 = last_minute.parse().ok()?;
    (jobs > BUSY).then(|| format!("this machine is busy (load {last_minute}): measure again when it is not"))
}

impl fmt::Display for Measurement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (measured, goal) = (self.measured.to_string(), self.goal.to_string());
        let verdict = if self.measured <= self.goal { "met" } else { "MISSED" };
        write!(out, "{:<44} {measured:>10} {goal:>10}  {verdict}", self.what)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if *time < Duration::from_secs(1) => write!(out, "{:.1} ms", time.as_secs_f64() * 1e3),
            Self::Time(time) => write!(out, "{:.2} s", time.as_secs_f64()),
            #[expect(clippy::cast_precision_loss, reason = "a process has far less than 2^52 bytes")]
            Self::Bytes(bytes) if *bytes < 1_000_000 => write!(out, "{:.1} kB", *bytes as f64 / 1e3),
            #[expect(clippy::cast_precision_loss, reason = "a process has far less than 2^52 bytes")]
            Self::Bytes(bytes) => write!(out, "{:.1} MB", *bytes as f64 / 1e6),
            Self::OfNginx(ratio) | Self::OfBuildah(ratio) | Self::OfFastApi(ratio) => write!(out, "{ratio:.2} x"),
        }
    }
}

/// The middle of several runs: one slow run does not move it.
fn median(mut times: Vec<Duration>) -> Duration {
    assert!(!times.is_empty(), "a median of nothing");
    times.sort();
    times[times.len() / 2]
}

/// The same of ratios.
fn middle(mut ratios: Vec<f64>) -> f64 {
    assert!(!ratios.is_empty(), "a median of nothing");
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_run_does_not_move_the_median() {
        let times = [4, 900, 5].map(Duration::from_millis).to_vec();
        assert_eq!(median(times), Duration::from_millis(5));
    }

    #[test]
    fn a_measurement_says_whether_its_goal_is_met() {
        let measurement = |millis| Measurement {
            what: "karma plan".to_owned(),
            measured: Quantity::Time(Duration::from_millis(millis)),
            goal: Quantity::Time(Duration::from_millis(30)),
        };
        assert!(measurement(30).to_string().ends_with("30.0 ms    30.0 ms  met"));
        assert!(measurement(31).to_string().ends_with("31.0 ms    30.0 ms  MISSED"));
    }

    #[test]
    fn a_busy_machine_is_said_to_be_busy() {
        assert_eq!(busy("0.31 4.00 4.00 1/100 1234"), None);
        assert!(busy("11.23 9.55 7.44 5/300 1234").is_some_and(|note| note.contains("11.23")));
    }

    #[test]
    fn quantities_carry_their_unit() {
        assert_eq!(Quantity::Time(Duration::from_millis(2_346)).to_string(), "2.35 s");
        assert_eq!(Quantity::Bytes(20_000_000).to_string(), "20.0 MB");
    }
}
