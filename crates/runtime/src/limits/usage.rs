//! [`Usage`]: what the processes of a task have used of this machine.
//!
//! `/proc` is read once for all tasks that are asked about. A task's processes are the descendants of its containers' first processes; who
//! makes himself a daemon stays among them, because the launcher makes each first process adopt its orphans, as process 1 of a container does.
//!
//! Memory is what ECS counts on Fargate: the working set without the cache of files, which is `usage - inactive_file` of a control group
//! there and `RssAnon + RssShmem` of each process here. Pages that processes share after a fork are counted for each of them; where it matters,
//! [`ProcessTable::exact_memory`] counts them once, at a higher price.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::AddAssign;
use std::time::Duration;

/// `USER_HZ`: the kernel counts CPU time for `/proc` in hundredths of a second on every architecture that ECS knows.
/// <https://man7.org/linux/man-pages/man7/time.7.html>
const TICK: Duration = Duration::from_millis(10);

/// What a tree of processes uses and has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// CPU time so far, also that of children who have ended.
    pub(crate) cpu_time: Duration,
    /// Memory now, in bytes, without the cache of files.
    pub(crate) memory: u64,
    /// Bytes read from disks so far.
    pub(crate) storage_read: u64,
    /// Bytes written to disks so far.
    pub(crate) storage_written: u64,
}

/// The processes of this machine at one instant.
#[derive(Debug, Default)]
pub(crate) struct ProcessTable {
    cpu_times: BTreeMap<u32, Duration>,
    children: BTreeMap<u32, Vec<u32>>,
}

/// What the processes and all their descendants use. A process that is gone counts nothing.
pub(crate) fn of_tree(pids: impl IntoIterator<Item = u32>) -> Usage {
    ProcessTable::read().usage(pids)
}

/// The same for many trees, for the price of one look at the machine.
pub(crate) fn of_trees<Key>(
    trees: impl IntoIterator<Item = (Key, impl IntoIterator<Item = u32>)>,
) -> Vec<(Key, Usage)> {
    let table = ProcessTable::read();
    trees.into_iter().map(|(key, pids)| (key, table.usage(pids))).collect()
}

/// CPU time of the whole machine since it was started, idle or not.
/// <https://man7.org/linux/man-pages/man5/proc_stat.5.html>
pub(crate) fn machine_cpu_time() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let all = text.lines().next().unwrap_or_default();
    // After `cpu`: user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of user and nice.
    let ticks = all
        .split_ascii_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

impl ProcessTable {
    /// Looks at every process once. Where there is no `/proc`, nothing is seen.
    pub(crate) fn read() -> Self {
        let mut table = Self::default();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        for pid in processes.filter_map(|process| process.file_name().to_str()?.parse().ok()) {
            let status = fs::read_to_string(format!("/proc/{pid}/stat"));
            if let Some(status) = status.ok().as_deref().and_then(Status::parse) {
                table.cpu_times.insert(pid, status.cpu_time);
                table.children.entry(status.parent).or_default().push(pid);
            }
        }
        table
    }

    /// What the processes and all their descendants use.
    pub(crate) fn usage(&self, pids: impl IntoIterator<Item = u32>) -> Usage {
        let mut usage = Usage::default();
        for pid in self.tree(pids) {
            usage += self.usage_of(pid);
        }
        usage
    }

    /// Their memory where each shared page counts once. It costs the kernel a walk through all of it.
    pub(crate) fn exact_memory(&self, pids: impl IntoIterator<Item = u32>) -> u64 {
        let memory = |pid: u32| {
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
            sum_of_kibibytes(&rollup, &["Pss_Anon:", "Pss_Shmem:"])
        };
        self.tree(pids).into_iter().map(memory).sum()
    }

    /// The processes and all their descendants, each once, as far as they are there.
    fn tree(&self, pids: impl IntoIterator<Item = u32>) -> BTreeSet<u32> {
        let mut waiting: Vec<u32> = pids.into_iter().collect();
        let mut tree = BTreeSet::new();
        while let Some(pid) = waiting.pop() {
            if self.cpu_times.contains_key(&pid) && tree.insert(pid) {
                waiting.extend(self.children.get(&pid).into_iter().flatten());
            }
        }
        tree
    }

    fn usage_of(&self, pid: u32) -> Usage {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let io = read("io");
        Usage {
            cpu_time: self.cpu_times.get(&pid).copied().unwrap_or_default(),
            memory: sum_of_kibibytes(&read("status"), &["RssAnon:", "RssShmem:"]),
            storage_read: number_after(&io, "read_bytes:").unwrap_or_default(),
            storage_written: number_after(&io, "write_bytes:").unwrap_or_default(),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.cpu_time += other.cpu_time;
        self.memory += other.memory;
        self.storage_read += other.storage_read;
        self.storage_written += other.storage_written;
    }
}

/// What is needed of `/proc/PID/stat`.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
#[derive(Debug, PartialEq, Eq)]
struct Status {
    parent: u32,
    cpu_time: Duration,
}

impl Status {
    /// The second field is the program's name in parentheses and may hold any character; what follows its last parenthesis are numbers,
    /// after one letter.
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        let parent = fields.nth(1)?.parse().ok()?;
        // utime, stime, and the same of children that have been waited for.
        let mut times = fields.skip(9).map(|field| field.parse::<u32>().ok());
        let mut ticks = 0;
        for _ in 0..4 {
            ticks += times.next()??;
        }
        Some(Self {
            parent,
            cpu_time: TICK * ticks,
        })
    }
}

fn sum_of_kibibytes(text: &str, names: &[&str]) -> u64 {
    names.iter().filter_map(|name| number_after(text, name)).sum::<u64>() * 1024
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let check = |text: &str, expected: Option<(u32, u128)>| {
            let status = Status::parse(text);
            let seen = status.map(|status| (status.parent, status.cpu_time.as_millis()));
            assert_eq!(seen, expected, "{text}");
        };
        check("7 (sh) S 3 7 7 0 -1 0 0 0 0 0 12 5 2 1 20 0 1", Some((3, 200)));
        check("7 (a) b) S 1) R 3 7 7 0 -1 0 0 0 0 0 1 0 0 0 20", Some((3, 10)));
        check("7 (sh) S 3 7", None);
        check("", None);
    }

    #[test]
    fn what_a_grandchild_uses_is_counted_and_what_is_gone_is_not() {
        let mut busy =
            shell("sh -c 'head -c 40000000 /dev/zero | tail -c 40000000 >/dev/null; sleep 600' & echo; wait");
        let mut gone = shell("exit 0");
        gone.wait().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let usage = loop {
            let usage = of_tree([busy.id(), busy.id(), gone.id()]);
            if usage.cpu_time > Duration::ZERO {
                break usage;
            }
            assert!(Instant::now() < deadline, "its CPU time is never seen: {usage:?}");
            std::thread::yield_now();
        };
        assert!(usage.memory > 0, "{usage:?}");
        assert_eq!(of_trees([("gone", [gone.id()])]), [("gone", Usage::default())]);
        kill_group(&mut busy);
    }

    #[test]
    fn shared_pages_are_counted_once_where_that_is_asked_for() {
        let table = ProcessTable::read();
        let ours = std::process::id();
        let (estimate, exact) = (table.usage([ours]).memory, table.exact_memory([ours]));
        assert!(exact > 0 && estimate > 0, "{exact} of {estimate}");
    }

    fn shell(line: &str) -> Child {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("sh");
        command.args(["-c", line]).process_group(0).stdout(Stdio::null());
        command.spawn().unwrap()
    }

    fn kill_group(child: &mut Child) {
        let group = nix::unistd::Pid::from_raw(child.id().cast_signed());
        nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL).unwrap();
        child.wait().unwrap();
    }
}
