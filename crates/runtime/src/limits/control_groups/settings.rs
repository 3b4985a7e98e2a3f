//! What is written into the files of control groups, in both versions, and how the kernel tells which groups a process is in.
//! <https://docs.kernel.org/admin-guide/cgroup-v2.html>, <https://docs.kernel.org/admin-guide/cgroup-v1/index.html>

use std::fs;
use std::path::{Path, PathBuf};

use crate::limits::{CPU_UNITS_PER_CPU, ContainerLimits, TaskLimits};

/// Over so many microseconds a task's share of CPU time is counted.
const PERIOD: u64 = 100_000;

/// The two forms of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// One hierarchy for each controller.
    One,
    /// One for all.
    Two,
}

/// What can be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Cpu,
}

/// A group that this process is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) version: Version,
    /// Those of the hierarchy that we have a use for.
    pub(super) controllers: Vec<Controller>,
    /// Where the hierarchy is mounted, below the place of all.
    mount: PathBuf,
    group: PathBuf,
}

/// One file of a group and what is written to it.
type Setting = (Controller, &'static str, String);

impl Controller {
    const ALL: [Self; 2] = [Self::Memory, Self::Cpu];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }
}

impl Membership {
    /// The group's directory.
    pub(super) fn path_below(&self, mounted: &Path) -> PathBuf {
        mounted.join(&self.mount).join(&self.group)
    }

    /// Whether nobody else keeps his books by the group.
    pub(super) fn may_be_divided(&self, own: &Path) -> bool {
        match self.version {
            Version::One => self.group == Path::new(""),
            Version::Two => {
                let members = fs::read_to_string(own.join("cgroup.procs")).unwrap_or_default();
                members.trim() == std::process::id().to_string()
            }
        }
    }
}

/// Reads `/proc/self/cgroup`: `4:memory:/path` in version 1, `0::/path` in version 2.
/// <https://man7.org/linux/man-pages/man7/cgroups.7.html>
pub(super) fn memberships(text: &str) -> Vec<Membership> {
    let has_version_one = text.lines().any(|line| !line.starts_with("0::"));
    let read = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (names, group) = (fields.next()?, fields.next()?);
        let group = group.strip_prefix('/')?.into();
        if names.is_empty() {
            // Beside hierarchies of version 1 it is mounted one level lower, and has what those leave to it.
            let mount = if has_version_one { "unified" } else { "" };
            return Some(Membership {
                version: Version::Two,
                controllers: Controller::ALL.to_vec(),
                mount: mount.into(),
                group,
            });
        }
        let controllers = Controller::ALL
            .into_iter()
            .filter(|controller| names.split(',').any(|name| name == controller.as_str()));
        Some(Membership {
            version: Version::One,
            controllers: controllers.collect(),
            mount: names.into(),
            group,
        })
    };
    text.lines().filter_map(read).collect()
}

/// A task's memory is a hard limit on Fargate, and so is its share of CPU time.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>
pub(super) fn of_task(version: Version, limits: &TaskLimits) -> Vec<Setting> {
    let memory = limits.memory.map(|bytes| memory(version, bytes));
    let quota = limits
        .cpu_units
        .map(|units| u64::from(units) * PERIOD / CPU_UNITS_PER_CPU);
    let cpu = quota.into_iter().flat_map(|quota| match version {
        Version::One => vec![
            (Controller::Cpu, "cpu.cfs_period_us", PERIOD.to_string()),
            (Controller::Cpu, "cpu.cfs_quota_us", quota.to_string()),
        ],
        Version::Two => vec![(Controller::Cpu, "cpu.max", format!("{quota} {PERIOD}"))],
    });
    memory.into_iter().chain(cpu).collect()
}

/// A container's memory is a hard limit, its CPU units are a weight among the containers of its task.
pub(super) fn of_container(version: Version, limits: &ContainerLimits) -> Vec<Setting> {
    let memory = limits.memory.map(|bytes| memory(version, bytes));
    let cpu = limits.cpu_units.map(|units| weight(version, units));
    memory.into_iter().chain(cpu).collect()
}

/// How many processes of a group the kernel has killed because memory ran out.
pub(super) fn killed_for_memory(version: Version, group: &Path) -> u64 {
    let file = match version {
        Version::One => "memory.oom_control",
        Version::Two => "memory.events",
    };
    let text = fs::read_to_string(group.join(file)).unwrap_or_default();
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

fn memory(version: Version, bytes: u64) -> Setting {
    let file = match version {
        Version::One => "memory.limit_in_bytes",
        Version::Two => "memory.max",
    };
    (Controller::Memory, file, bytes.to_string())
}

/// Shares go from 2 to 262144, weights from 1 to 10000; container engines take one for the other like this.
/// <https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md>
fn weight(version: Version, units: u32) -> Setting {
    let shares = u64::from(units).clamp(2, 262_144);
    match version {
        Version::One => (Controller::Cpu, "cpu.shares", shares.to_string()),
        Version::Two => (
            Controller::Cpu,
            "cpu.weight",
            (1 + (shares - 2) * 9_999 / 262_142).to_string(),
        ),
    }
}
