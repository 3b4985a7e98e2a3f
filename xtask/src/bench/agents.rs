//! The agents as karma.toml builds them: how soon each is healthy, what it holds while nobody asks, and karma-hello with a million
//! messages beside a service in Python that answers the same question over the same messages in the same run.

mod agent;
mod archive;
mod fastapi;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::programs::{Cores, missing};
use super::wrk::Report;
use super::{Measurement, Quantity, Result, http, median, middle};
use crate::workspace;
use agent::{Agent, NAMES};
use fastapi::FastApi;

const STARTS: usize = 21;
const START_GOAL: Duration = Duration::from_millis(50);
/// Bytes resident.
const MEMORY_GOAL: u64 = 15_000_000;

const ROUNDS: usize = 5;
const ROUND: &str = "3s";
/// Callers at once where the two are held against each other.
const CALLERS: usize = 32;
/// Callers at once where one answer's time counts.
const FEW_CALLERS: usize = 4;
const SLOWEST_GOAL: Duration = Duration::from_millis(10);

pub(super) fn measure() -> Result<Vec<Measurement>> {
    let program = agent::build()?;
    let scratch = Scratch::new()?;
    let mut rows = Vec::new();
    for name in NAMES {
        rows.extend(alone(&program, name, &scratch)?);
    }
    match missing(&["wrk", "taskset", "python3"]) {
        Some(missing) => println!("SKIPPED karma-hello beside FastAPI: {missing} is not installed"),
        None => rows.extend(with_a_million_messages(&program, &scratch)?),
    }
    Ok(rows)
}

/// From the start of the process to its first good answer, and what it holds then.
fn alone(program: &Path, name: &str, scratch: &Scratch) -> Result<[Measurement; 2]> {
    let cores = Cores::of_this_machine();
    let (mut times, mut memory) = (Vec::new(), 0);
    for start in 0..STARTS {
        let store = scratch.directory.join(format!("{name}-{start}"));
        let agent = Agent::start(program, name, &store, &cores)?;
        times.push(agent.started_in);
        memory = agent.memory();
    }
    Ok([
        Measurement {
            what: format!("{name}, start to healthy (median of {STARTS})"),
            measured: Quantity::Time(median(times)),
            goal: Quantity::Time(START_GOAL),
        },
        Measurement {
            what: format!("{name}, idle memory"),
            measured: Quantity::Bytes(memory),
            goal: Quantity::Bytes(MEMORY_GOAL),
        },
    ])
}

fn with_a_million_messages(program: &Path, scratch: &Scratch) -> Result<Vec<Measurement>> {
    let cores = Cores::of_this_machine();
    let store = scratch.directory.join("store");
    archive::fill(Agent::start(program, "karma-hello", &store, &cores)?.port)?;
    // Both open what is there already.
    let agent = Agent::start(program, "karma-hello", &store, &cores)?;
    http::get(agent.port, &archive::question(0))?;
    let Some(fast_api) = FastApi::start(&scratch.directory, &store, &cores)? else {
        println!("SKIPPED karma-hello beside FastAPI: its packages could not be installed");
        return Ok(Vec::new());
    };
    same_answers(agent.port, fast_api.port)?;

    let script = scratch.directory.join("questions.lua");
    fs::write(&script, archive::questions())?;
    let load = |port, callers| load(&cores, port, callers, &script);
    let few = (0..ROUNDS)
        .map(|_| load(agent.port, FEW_CALLERS))
        .collect::<Result<Vec<_>>>()?;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        ratios.push(load(fast_api.port, CALLERS)?.per_second / load(agent.port, CALLERS)?.per_second);
    }
    #[expect(clippy::cast_precision_loss, reason = "a process has far less than 2^52 bytes")]
    let memory = agent.memory() as f64 / fast_api.memory() as f64;
    println!(
        "karma-hello holds {} bytes, FastAPI {}",
        agent.memory(),
        fast_api.memory()
    );
    let beside = |what: &str, measured, goal| Measurement {
        what: what.to_owned(),
        measured: Quantity::OfFastApi(measured),
        goal: Quantity::OfFastApi(goal),
    };
    Ok(vec![
        Measurement {
            what: "a user's of 1,000,000 messages, slowest 1/100".to_owned(),
            measured: Quantity::Time(Duration::from_secs_f64(middle(
                few.iter().map(|report| report.slowest_hundredth).collect(),
            ))),
            goal: Quantity::Time(SLOWEST_GOAL),
        },
        beside("  time per request beside FastAPI's", middle(ratios), 0.1),
        beside("  memory beside FastAPI's", memory, 1.0 / 3.0),
    ])
}

/// It would be no comparison otherwise.
fn same_answers(ours: u16, theirs: u16) -> Result<()> {
    for user in [0, 1, archive::USERS - 1] {
        let question = archive::question(user);
        let (ours, theirs) = (http::get(ours, &question)?, http::get(theirs, &question)?);
        if ours != theirs {
            return Err(format!("{question} is answered with\n{ours}\nand by FastAPI with\n{theirs}").into());
        }
    }
    Ok(())
}

fn load(cores: &Cores, port: u16, callers: usize, script: &Path) -> Result<Report> {
    let (callers, script) = (callers.to_string(), script.display().to_string());
    let url = format!("http://127.0.0.1:{port}");
    let words = [
        "wrk",
        "-t1",
        "-c",
        &callers,
        "-d",
        ROUND,
        "--latency",
        "-s",
        &script,
        &url,
    ];
    let output = Cores::command(&cores.others, &words.map(str::to_owned)).output()?;
    Report::read(&output.stdout)
}

/// What the measurement leaves lies below target, and is removed.
struct Scratch {
    directory: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self> {
        let directory = workspace::target().join("bench-agents");
        // What an interrupted run has left.
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
