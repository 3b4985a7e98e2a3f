//! Limits of the kernel's on each process of a container.

use std::io;

use karma_fleet::{Ulimit, UlimitName};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// A limit as the launcher is told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limit {
    name: String,
    soft: u64,
    hard: u64,
}

/// What the launcher is told of a container's limit.
pub(crate) fn limit(ulimit: &Ulimit) -> Limit {
    Limit {
        name: ulimit.name.as_str().to_owned(),
        soft: ulimit.soft,
        hard: ulimit.hard,
    }
}

/// Sets them. Who is not privileged cannot go beyond what he has; then he keeps that.
pub(super) fn set(limits: &[Limit]) -> io::Result<()> {
    for limit in limits {
        let Some(resource) = resource(&limit.name) else {
            return Err(io::Error::other(format!("no limit is named {}", limit.name)));
        };
        match setrlimit(resource, limit.soft, limit.hard) {
            Err(Errno::EPERM) => {
                let (_, most) = getrlimit(resource)?;
                setrlimit(resource, limit.soft.min(most), limit.hard.min(most))?;
            }
            done => done?,
        }
    }
    Ok(())
}

fn resource(name: &str) -> Option<Resource> {
    let (_, resource) = RESOURCES.iter().find(|(known, _)| known.as_str() == name)?;
    Some(*resource)
}

const RESOURCES: &[(UlimitName, Resource)] = &[
    (UlimitName::Core, Resource::RLIMIT_CORE),
    (UlimitName::Cpu, Resource::RLIMIT_CPU),
    (UlimitName::Data, Resource::RLIMIT_DATA),
    (UlimitName::FileSize, Resource::RLIMIT_FSIZE),
    (UlimitName::Locks, Resource::RLIMIT_LOCKS),
    (UlimitName::LockedMemory, Resource::RLIMIT_MEMLOCK),
    (UlimitName::MessageQueues, Resource::RLIMIT_MSGQUEUE),
    (UlimitName::Nice, Resource::RLIMIT_NICE),
    (UlimitName::OpenFiles, Resource::RLIMIT_NOFILE),
    (UlimitName::Processes, Resource::RLIMIT_NPROC),
    (UlimitName::ResidentMemory, Resource::RLIMIT_RSS),
    (UlimitName::RealTimePriority, Resource::RLIMIT_RTPRIO),
    (UlimitName::RealTime, Resource::RLIMIT_RTTIME),
    (UlimitName::PendingSignals, Resource::RLIMIT_SIGPENDING),
    (UlimitName::Stack, Resource::RLIMIT_STACK),
];
