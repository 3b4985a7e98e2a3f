//! The stack of this project, up: how long it takes, and how much memory each agent holds when nobody asks it anything.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;

use super::karma::Karma;
use super::{Measurement, Quantity, Result, median};

const UP_GOAL: Duration = Duration::from_secs(2);
const UP_RUNS: usize = 5;
/// Bytes resident, for one idle agent.
const MEMORY_GOAL: u64 = 15_000_000;

/// Start-up first, then the memory of each agent of the last run.
pub(super) fn measure(karma: &Karma) -> Result<Vec<Measurement>> {
    up(karma)?; // builds the agents
    down(karma)?;
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..UP_RUNS {
        times.push(up(karma)?);
        memory = self::memory(karma)?;
        down(karma)?;
    }
    let mut measurements = vec![Measurement {
        what: format!("karma up, to all healthy (median of {UP_RUNS})"),
        measured: Quantity::Time(median(times)),
        goal: Quantity::Time(UP_GOAL),
    }];
    measurements.append(&mut memory);
    Ok(measurements)
}

/// A port nobody listens on now.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// `--detach` comes back when every service is healthy.
fn up(karma: &Karma) -> Result<Duration> {
    let port = free_port()?.to_string();
    Ok(karma.run(&["up", "--detach", "--port", &port])?.1)
}

fn down(karma: &Karma) -> Result<()> {
    karma.run(&["down"]).map(drop)
}

fn memory(karma: &Karma) -> Result<Vec<Measurement>> {
    let (status, _) = karma.run(&["status", "--json"])?;
    let status: Value = serde_json::from_slice(&status.stdout)?;
    let services = status["services"]
        .as_array()
        .ok_or("`karma status --json` has no `services`")?;
    let mut measurements = Vec::new();
    for service in services {
        for task in service["tasks"].as_array().into_iter().flatten() {
            let (Some(label), Some(id)) = (service["label"].as_str(), task["task_id"].as_str()) else {
                return Err("`karma status --json` has a task without a name".into());
            };
            measurements.push(Measurement {
                what: format!("idle memory of {label}"),
                measured: Quantity::Bytes(resident_bytes(id)?),
                goal: Quantity::Bytes(MEMORY_GOAL),
            });
        }
    }
    Ok(measurements)
}

/// What the processes of a task hold in memory, by [`VmRSS`](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html).
/// They are those whose environment has the task's id.
fn resident_bytes(task_id: &str) -> Result<u64> {
    let mut bytes = 0;
    for process in fs::read_dir("/proc")?.flatten().map(|entry| entry.path()) {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        if environment
            .windows(task_id.len())
            .any(|window| window == task_id.as_bytes())
        {
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            bytes += resident(&status).unwrap_or(0);
        }
    }
    if bytes == 0 {
        Err(format!("task {task_id} has no process").into())
    } else {
        Ok(bytes)
    }
}

/// `VmRSS:  5120 kB`, in bytes; the kernel's kB are 1024 bytes.
pub(super) fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_a_process_status() {
        assert_eq!(
            resident("Name:\tkarma-agent\nVmRSS:\t    5120 kB\nThreads:\t2\n"),
            Some(5_242_880)
        );
        assert_eq!(resident("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn a_task_without_a_process_is_an_error() {
        assert!(resident_bytes("no task has this id").is_err());
    }
}
