//! [`Mechanisms`]: by which means this machine does what AWS does by others.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::launcher::Namespaces;
use crate::limits::control_groups::ControlGroups;
use crate::runner::{Spawner, probe_namespaces};
use karma_ops::DiscoveryMechanism;

/// By which means this machine does what AWS does by others. It depends on what the kernel lets the user do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mechanisms {
    /// How tasks find Service Connect names.
    pub discovery: DiscoveryMechanism,
    /// Who keeps limits on memory.
    pub memory: LimitKeeper,
    /// Who keeps limits on CPU time.
    pub cpu: LimitKeeper,
}

/// Who keeps a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKeeper {
    /// The kernel, at once.
    Kernel,
    /// This program, where it looks. CPU time is only measured.
    Measurement,
}

impl Mechanisms {
    /// Tries what is possible here, without starting a fleet. The launcher is the one of [`Options`](crate::Options).
    pub async fn probe(launcher: &Path) -> io::Result<Self> {
        let directory = std::env::temp_dir().join(format!("karma-probe-{}", std::process::id()));
        let namespaces = probe_namespaces(&Spawner::start()?, launcher, &directory).await;
        // What is left of an empty directory does no harm.
        let _ = fs::remove_dir_all(&directory);
        let groups = ControlGroups::take(&directory);
        Ok(Self {
            discovery: discovery(namespaces?),
            memory: LimitKeeper::of(groups.limit_memory()),
            cpu: LimitKeeper::of(groups.limit_cpu()),
        })
    }
}

impl LimitKeeper {
    fn of(is_kernel: bool) -> Self {
        if is_kernel { Self::Kernel } else { Self::Measurement }
    }
}

/// How names are found where the launcher may do so much.
pub(crate) fn discovery(namespaces: Namespaces) -> DiscoveryMechanism {
    match namespaces {
        Namespaces::Mount | Namespaces::UserAndMount => DiscoveryMechanism::HostsFile,
        Namespaces::None => DiscoveryMechanism::HttpProxy,
    }
}
