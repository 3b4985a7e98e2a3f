//! [`ControlGroups`]: limits that the kernel keeps, where this process may make control groups.
//!
//! A group that somebody else made is not ours to divide: systemd, a container engine or whoever else keeps its books by it
//! (<https://systemd.io/CGROUP_DELEGATION/>). So groups are made only below one that holds this process and nobody else, which is what
//! `systemd-run --user --scope --property=Delegate=yes karma up` gives, or below the root of a hierarchy of version 1, which is no group of anybody's.
//! Everywhere else limits are measured instead.
//!
//! ```text
//! <own group>/karma-5f1c…/<task id>/<container>      the task's limits are the outer group's, the container's the inner one's
//! <own group>/karma-orchestrator                      this process itself: version 2 has processes in leaves only
//! ```

mod settings;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::addresses;
use crate::limits::{ContainerLimits, TaskLimits};
use crate::logs;
use crate::task::TaskId;
use settings::{Controller, Version};

/// Where the hierarchies are mounted.
const MOUNTED: &str = "/sys/fs/cgroup";

/// The group of version 2 that this process itself moves to.
const OWN_LEAF: &str = "karma-orchestrator";

/// How often, and how long after one another, a group is tried to be removed whose processes are just ending.
const ROUNDS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// The control groups of one stack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ControlGroups {
    roots: Vec<Root>,
}

/// The group of one hierarchy that the tasks' groups are made in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Root {
    version: Version,
    /// What it can limit.
    controllers: Vec<Controller>,
    path: PathBuf,
}

impl ControlGroups {
    /// Makes the groups of a stack where that is possible, and ends what a run of it that was killed has left there.
    pub(crate) fn take(state_directory: &Path) -> Self {
        let name = format!("karma-{:016x}", addresses::seed(state_directory));
        let memberships = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut groups = Self::default();
        for membership in settings::memberships(&memberships) {
            let own = membership.path_below(Path::new(MOUNTED));
            if !membership.may_be_divided(&own) {
                continue;
            }
            remove(&own.join(&name));
            let controllers = groups.missing(membership.controllers);
            // Where the kernel refuses there is nothing to enforce with.
            if let Ok(Some(root)) = Root::make(membership.version, controllers, &own, &name) {
                groups.roots.push(root);
            }
        }
        groups
    }

    /// Whether the kernel keeps limits on memory.
    pub(crate) fn limit_memory(&self) -> bool {
        self.have(Controller::Memory)
    }

    /// Whether the kernel keeps limits on CPU time.
    pub(crate) fn limit_cpu(&self) -> bool {
        self.have(Controller::Cpu)
    }

    /// Makes the groups of a container in its task's, and sets their limits.
    pub(crate) fn make(
        &self,
        (task, of_task): (&TaskId, &TaskLimits),
        (container, of_container): (&str, &ContainerLimits),
    ) -> io::Result<()> {
        for root in &self.roots {
            let outer = root.path.join(task.as_str());
            root.make_group(&outer, &settings::of_task(root.version, of_task))?;
            root.divide(&outer)?;
            root.make_group(
                &outer.join(logs::file_name(container)),
                &settings::of_container(root.version, of_container),
            )?;
        }
        Ok(())
    }

    /// The groups of a container, which its processes join.
    pub(crate) fn of(&self, task: &TaskId, container: &str) -> Vec<PathBuf> {
        let group = |root: &Root| root.path.join(task.as_str()).join(logs::file_name(container));
        self.roots.iter().map(group).collect()
    }

    /// How many processes of a container the kernel has killed because memory ran out.
    pub(crate) fn killed_for_memory(&self, task: &TaskId, container: &str) -> u64 {
        let root = self
            .roots
            .iter()
            .find(|root| root.controllers.contains(&Controller::Memory));
        root.map_or(0, |root| {
            settings::killed_for_memory(
                root.version,
                &root.path.join(task.as_str()).join(logs::file_name(container)),
            )
        })
    }

    /// Ends whatever is left in a task's groups, and removes them.
    pub(crate) fn remove(&self, task: &TaskId) {
        for root in &self.roots {
            remove(&root.path.join(task.as_str()));
        }
    }

    fn have(&self, controller: Controller) -> bool {
        self.roots.iter().any(|root| root.controllers.contains(&controller))
    }

    fn missing(&self, controllers: Vec<Controller>) -> Vec<Controller> {
        controllers
            .into_iter()
            .filter(|controller| !self.have(*controller))
            .collect()
    }
}

impl Drop for ControlGroups {
    fn drop(&mut self) {
        for root in &self.roots {
            remove(&root.path);
        }
    }
}

impl Root {
    /// `None` where there is nothing that it could limit.
    fn make(version: Version, controllers: Vec<Controller>, own: &Path, name: &str) -> io::Result<Option<Self>> {
        let root = Self {
            version,
            controllers,
            path: own.join(name),
        };
        if root.controllers.is_empty() {
            return Ok(None);
        }
        if version == Version::Two {
            let leaf = own.join(OWN_LEAF);
            make_directory(&leaf)?;
            fs::write(leaf.join("cgroup.procs"), std::process::id().to_string())?;
            root.divide(own)?;
        }
        make_directory(&root.path)?;
        root.divide(&root.path)?;
        Ok(Some(root))
    }

    fn make_group(&self, path: &Path, settings: &[(Controller, &'static str, String)]) -> io::Result<()> {
        make_directory(path)?;
        let ours = settings
            .iter()
            .filter(|(controller, ..)| self.controllers.contains(controller));
        for (_, file, value) in ours {
            fs::write(path.join(file), value)?;
        }
        Ok(())
    }

    /// Version 2 passes controllers on to the groups inside only where it is told to.
    fn divide(&self, path: &Path) -> io::Result<()> {
        if self.version == Version::One {
            return Ok(());
        }
        let words: Vec<_> = self
            .controllers
            .iter()
            .map(|controller| format!("+{}", controller.as_str()))
            .collect();
        fs::write(path.join("cgroup.subtree_control"), words.join(" "))
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Kills what is in a group and the groups inside, and removes them. What cannot be removed is left to the next run.
fn remove(group: &Path) {
    for _ in 0..ROUNDS {
        if !group.exists() {
            return;
        }
        remove_once(group);
        if group.exists() {
            thread::sleep(PAUSE);
        }
    }
}

fn remove_once(group: &Path) {
    for inside in fs::read_dir(group).into_iter().flatten().flatten() {
        if inside.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_once(&inside.path());
        }
    }
    let members = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for pid in members.lines().filter_map(|line| line.parse().ok()) {
        // An error means that it is gone.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    // An error means that somebody is still ending in it.
    let _ = fs::remove_dir(group);
}

#[cfg(test)]
mod tests;
