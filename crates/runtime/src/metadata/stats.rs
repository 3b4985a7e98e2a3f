//! What a container uses, in the shape that Docker gives it.
//! <https://docs.docker.com/reference/api/engine/version/v1.43/#tag/Container/operation/ContainerStats>

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::documents::docker_id;
use crate::limits::register::{ContainerRecord, TaskRecord};
use crate::limits::usage::{self, Usage};

/// What was measured at one instant. The default is what Docker says before it has measured anything.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    at: Timestamp,
    usage: Usage,
    /// CPU time of the whole machine.
    machine: Duration,
}

impl Sample {
    /// Measures a container, or one that does not run.
    pub(super) fn take(pid: Option<u32>) -> Self {
        Self {
            at: Timestamp::now(),
            usage: usage::of_tree(pid),
            machine: usage::machine_cpu_time(),
        }
    }

    fn cpu(&self) -> Value {
        json!({
            "cpu_usage": { "total_usage": nanoseconds(self.usage.cpu_time) },
            "system_cpu_usage": nanoseconds(self.machine),
            "online_cpus": available_parallelism().map_or(1, NonZeroUsize::get),
        })
    }
}

/// `/stats`. Whoever wants a rate takes the difference of `cpu_stats` and `precpu_stats`, which was measured when this was asked for last.
pub(super) fn stats_document(
    task: &TaskRecord,
    container: &ContainerRecord,
    (before, now): (&Sample, &Sample),
) -> Value {
    let limit = container.definition.limits.memory.or(task.service.limits.memory);
    let storage = |operation: &str, value: u64| json!({ "major": 0, "minor": 0, "op": operation, "value": value });
    json!({
        "id": docker_id(task, container),
        "name": *container.definition.name,
        "read": now.at,
        "preread": before.at,
        "cpu_stats": now.cpu(),
        "precpu_stats": before.cpu(),
        "memory_stats": { "usage": now.usage.memory, "limit": limit, "stats": {} },
        "blkio_stats": {
            "io_service_bytes_recursive": [
                storage("Read", now.usage.storage_read),
                storage("Write", now.usage.storage_written),
            ],
        },
    })
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
