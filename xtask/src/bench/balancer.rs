//! The balancer beside nginx, in one run and in turns: what is compared is what both did in the same minute on the same cores.
//!
//! Each row is the balancer's number divided by nginx's; below 1 the balancer is the better one. Two targets, connections to
//! both kept, no access log on either side.

mod events;
mod idle;
mod load;
mod programs;

use std::time::Duration;

use super::programs::missing;
use super::{Measurement, Quantity, Result, middle};
use load::Load;
use programs::{Bench, Proxy};

pub(crate) use idle::hold;

/// Turns; the middle one of each number counts.
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);

/// Rows for the table; none, with a word on why, where a program is missing.
pub(super) fn measure() -> Result<Vec<Measurement>> {
    if let Some(missing) = missing(&["nginx", "wrk", "taskset"]) {
        println!("SKIPPED balancer beside nginx: {missing} is not installed (apt install nginx wrk util-linux)");
        return Ok(Vec::new());
    }
    let bench = Bench::start()?;
    let mut rows = Vec::new();
    for (what, path) in [("1 KB answers", "/1k"), ("64 KB answers", "/64k")] {
        rows.extend(answers(&bench, what, path)?);
    }
    rows.push(streams(&bench)?);
    rows.extend(idle::measure(&bench)?);
    Ok(rows)
}

/// Time per request, its slowest hundredth, and the processor time it costs.
fn answers(bench: &Bench, what: &str, path: &str) -> Result<Vec<Measurement>> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let ours = load::run(bench, &bench.karma, path, ROUND)?;
        rounds.push((ours, load::run(bench, &bench.nginx, path, ROUND)?));
    }
    let row = |name: &str, number: fn(&Load) -> f64| {
        let ratios = rounds
            .iter()
            .map(|(ours, theirs)| number(ours) / number(theirs))
            .collect();
        ratio(format!("{what}, {name}"), ratios)
    };
    Ok(vec![
        row("time per request", |load| 1.0 / load.per_second),
        row("slowest hundredth", |load| load.slowest_hundredth),
        row("processor time", |load| load.processor_time),
    ])
}

/// How late an event of a stream comes, in the slowest hundredth.
fn streams(bench: &Bench) -> Result<Measurement> {
    let late = |proxy: &Proxy| events::slowest_hundredth(proxy.port);
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        ratios.push(late(&bench.karma)?.as_secs_f64() / late(&bench.nginx)?.as_secs_f64());
    }
    Ok(ratio("event streams, slowest hundredth".to_owned(), ratios))
}

fn ratio(what: String, ratios: Vec<f64>) -> Measurement {
    Measurement {
        what,
        measured: Quantity::OfNginx(middle(ratios)),
        goal: Quantity::OfNginx(1.0),
    }
}
