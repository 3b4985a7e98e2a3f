//! What a task may use, and who is ended where it uses more.
//!
//! The kernel keeps the limits where this process may make control groups ([`ControlGroups`](crate::limits::control_groups)). Where it may not, memory is
//! measured once a second and a container beyond its limit is killed, as the kernel would have done at once; CPU time is only measured.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>

pub(crate) mod control_groups;
pub(crate) mod register;
pub(crate) mod storage;
pub(crate) mod usage;

use std::sync::{Arc, Weak};
use std::time::Duration;

use karma_fleet::{Container, TaskDefinition};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::limits::register::Register;
use crate::limits::usage::ProcessTable;
use crate::progress::{Announcer, Progress};
use crate::task::TaskId;

/// CPU units in one vCPU.
pub(crate) const CPU_UNITS_PER_CPU: u64 = 1024;

/// Why a container was ended, in ECS's words.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>
pub(crate) const OUT_OF_MEMORY: &str = "OutOfMemoryError: Container killed due to memory usage";

/// Between two looks at memory.
const LOOK: Duration = Duration::from_secs(1);

/// Disks are looked at once in so many looks at memory: it takes longer, and nobody is killed for it.
const LOOKS_PER_DISK: u64 = 30;

/// What a task may use; what is `None` is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TaskLimits {
    pub(crate) cpu_units: Option<u32>,
    /// In bytes.
    pub(crate) memory: Option<u64>,
    /// Of its disk, in bytes.
    pub(crate) storage: u64,
}

/// What a container may use within its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ContainerLimits {
    /// Its weight among the containers of the task.
    pub(crate) cpu_units: Option<u32>,
    /// In bytes.
    pub(crate) memory: Option<u64>,
}

/// Who keeps a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// The kernel, at once.
    Kernel,
    /// This program, where it looks.
    Measurement,
}

/// The limits of a definition's tasks.
pub(crate) fn of_task(definition: &TaskDefinition) -> TaskLimits {
    TaskLimits {
        cpu_units: definition.cpu,
        memory: definition.memory.map(mebibytes),
        storage: u64::from(definition.ephemeral_storage) << 30,
    }
}

/// The limits of a container.
pub(crate) fn of_container(container: &Container) -> ContainerLimits {
    ContainerLimits {
        cpu_units: container.limits.cpu,
        memory: container.limits.memory.map(mebibytes),
    }
}

/// What is said of limits that the kernel does not keep.
pub(crate) fn note(memory: Keeper, cpu: Keeper) -> Option<String> {
    let measured = match (memory, cpu) {
        (Keeper::Kernel, Keeper::Kernel) => return None,
        (Keeper::Kernel, Keeper::Measurement) => "limits on CPU time are measured",
        (Keeper::Measurement, Keeper::Kernel) => "limits on memory are measured once a second",
        (Keeper::Measurement, Keeper::Measurement) => "limits on memory and CPU time are measured",
    };
    Some(format!(
        "{measured}, not enforced by the kernel: no control group is ours to divide (`systemd-run --user --scope -p Delegate=yes karma up` gives one)"
    ))
}

/// Which container is ended where their memory, in bytes, is what is given: one beyond its own limit, or else the largest where all of them
/// are beyond the task's.
pub(crate) fn excess<Name: Copy>(task: &TaskLimits, containers: &[(Name, ContainerLimits, u64)]) -> Option<Name> {
    let is_beyond = |limit: Option<u64>, used: u64| limit.is_some_and(|limit| used > limit);
    let beyond_own = containers
        .iter()
        .find(|(_, limits, used)| is_beyond(limits.memory, *used));
    let all = containers.iter().map(|(.., used)| used).sum();
    let largest = || {
        containers
            .iter()
            .max_by_key(|(.., used)| *used)
            .filter(|_| is_beyond(task.memory, all))
    };
    beyond_own.or_else(largest).map(|(name, ..)| *name)
}

/// Looks at what runs until nobody holds the register any more.
pub(crate) async fn watch(register: Weak<Register>, memory: Keeper, announcer: Announcer) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for look in 0_u64.. {
        looks.tick().await;
        let Some(register) = register.upgrade() else { return };
        let announcer = announcer.clone();
        let looked = spawn_blocking(move || {
            if memory == Keeper::Measurement {
                look_at_memory(&register);
            }
            if look % LOOKS_PER_DISK == 0 {
                look_at_disks(&register, &announcer);
            }
        });
        // A look that failed is followed by the next.
        let _ = looked.await;
    }
}

fn look_at_memory(register: &Register) {
    let limited = register.memory_limits();
    if limited.is_empty() {
        return;
    }
    let table = ProcessTable::read();
    for task in limited {
        let used = |measure: &dyn Fn(u32) -> u64| -> Vec<_> {
            task.containers
                .iter()
                .map(|(name, limits, pid)| (name, *limits, measure(*pid)))
                .collect()
        };
        // The estimate is never too low: who is below his limit by it is not looked at closely.
        if excess(&task.limits, &used(&|pid| table.usage([pid]).memory)).is_none() {
            continue;
        }
        if let Some(container) = excess(&task.limits, &used(&|pid| table.exact_memory([pid]))) {
            register.kill(&task.id, container, OUT_OF_MEMORY);
        }
    }
}

/// Looks at a task as if it had no memory at all, so that what uses most of it is killed. `false` where nothing of it runs.
///
/// This is the way by which measured limits are kept, also where the kernel keeps them: it takes no limit below what is used already.
/// <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html#usage-of-memory-limit-in-bytes>
pub(crate) fn exhaust(register: &Register, task: &TaskId) -> bool {
    let table = ProcessTable::read();
    let nothing = TaskLimits {
        memory: Some(0),
        ..TaskLimits::default()
    };
    let containers = register.task(task).into_iter().flat_map(|task| task.containers);
    let used: Vec<_> = containers
        .filter_map(|container| Some((container.definition, container.pid?)))
        .map(|(definition, pid)| (definition, table.usage([pid]).memory))
        .collect();
    let used: Vec<_> = used
        .iter()
        .map(|(definition, used)| (&definition.name, ContainerLimits::default(), *used))
        .collect();
    let container = excess(&nothing, &used);
    container
        .inspect(|container| register.kill(task, container, OUT_OF_MEMORY))
        .is_some()
}

fn look_at_disks(register: &Register, announcer: &Announcer) {
    for (id, service, limit, disk) in register.disks() {
        let used = storage::size(&disk);
        if register.note_storage(&id, used) && used > limit {
            announcer.announce(Progress::Note {
                message: too_large(&id, &service, used, limit),
            });
        }
    }
}

/// On Fargate the disk would be full. Here nothing keeps the task from writing.
fn too_large(task: &TaskId, service: &Arc<str>, used: u64, limit: u64) -> String {
    format!(
        "task {service}/{} has written {} GiB to its disk of {} GiB: on Fargate it could not",
        task.short(),
        used >> 30,
        limit >> 30
    )
}

fn mebibytes(size: u32) -> u64 {
    u64::from(size) << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_beyond_his_limit_is_ended_before_who_is_largest() {
        let check = |task: Option<u64>, containers: &[(&str, Option<u64>, u64)], expected: Option<&str>| {
            let limits = |memory| ContainerLimits {
                memory,
                ..ContainerLimits::default()
            };
            let containers: Vec<_> = containers
                .iter()
                .map(|(name, limit, used)| (*name, limits(*limit), *used))
                .collect();
            let task = TaskLimits {
                memory: task,
                ..TaskLimits::default()
            };
            assert_eq!(excess(&task, &containers), expected);
        };
        check(None, &[("web", None, 900)], None);
        check(Some(100), &[("web", None, 100)], None);
        check(Some(100), &[("web", None, 101)], Some("web"));
        check(Some(100), &[("web", None, 40), ("worker", None, 61)], Some("worker"));
        check(Some(100), &[("web", Some(30), 40), ("worker", None, 61)], Some("web"));
        check(Some(100), &[("web", Some(30), 31)], Some("web"));
        check(Some(100), &[], None);
    }
}
