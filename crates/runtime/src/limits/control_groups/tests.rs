//! What is written into control groups, on a directory that stands for a hierarchy, and on this machine's own where it lets us.

use std::process::Command;

use super::settings::{Membership, memberships, of_container, of_task};
use super::*;

const TASK: TaskLimits = TaskLimits {
    cpu_units: Some(256),
    memory: Some(512 << 20),
    storage: 20 << 30,
};
const CONTAINER: ContainerLimits = ContainerLimits {
    cpu_units: Some(128),
    memory: Some(64 << 20),
};

#[test]
fn memberships_are_read_in_both_versions() {
    let check = |text: &str, expected: &[(Version, &[Controller], &str)]| {
        let seen = memberships(text);
        let seen: Vec<_> = seen
            .iter()
            .map(|it| {
                (
                    it.version,
                    it.controllers.as_slice(),
                    it.path_below(Path::new("/c")).display().to_string(),
                )
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(version, controllers, path)| (*version, *controllers, (*path).to_owned()))
            .collect();
        assert_eq!(seen, expected);
    };
    let all = &[Controller::Memory, Controller::Cpu][..];
    check(
        "0::/user.slice/run.scope\n",
        &[(Version::Two, all, "/c/user.slice/run.scope")],
    );
    check(
        "4:memory:/engine/1\n2:cpu,cpuacct:/\n9:name=systemd:/\n0::/\n",
        &[
            (Version::One, &[Controller::Memory], "/c/memory/engine/1"),
            (Version::One, &[Controller::Cpu], "/c/cpu,cpuacct/"),
            (Version::One, &[], "/c/name=systemd/"),
            (Version::Two, all, "/c/unified/"),
        ],
    );
    check("", &[]);
}

#[test]
fn a_group_of_somebody_elses_is_not_divided() {
    let directory = tempfile::tempdir().unwrap();
    let check = |text: &str, members: &str, expected: bool| {
        fs::write(directory.path().join("cgroup.procs"), members).unwrap();
        let membership: Membership = memberships(text).remove(0);
        assert_eq!(
            membership.may_be_divided(directory.path()),
            expected,
            "{text} {members}"
        );
    };
    let own = std::process::id();
    check("0::/mine\n", &format!("{own}\n"), true);
    check("0::/session\n", &format!("1\n{own}\n"), false);
    check("4:memory:/engine/1\n", &format!("{own}\n"), false);
    check("4:memory:/\n", "1\n2\n", true);
}

#[test]
fn limits_are_written_as_each_version_wants_them() {
    let text = |settings: Vec<(Controller, &'static str, String)>| {
        let lines: Vec<_> = settings
            .into_iter()
            .map(|(_, file, value)| format!("{file}={value}"))
            .collect();
        lines.join(" ")
    };
    assert_eq!(
        text(of_task(Version::One, &TASK)),
        "memory.limit_in_bytes=536870912 cpu.cfs_period_us=100000 cpu.cfs_quota_us=25000"
    );
    assert_eq!(
        text(of_task(Version::Two, &TASK)),
        "memory.max=536870912 cpu.max=25000 100000"
    );
    assert_eq!(
        text(of_container(Version::One, &CONTAINER)),
        "memory.limit_in_bytes=67108864 cpu.shares=128"
    );
    assert_eq!(
        text(of_container(Version::Two, &CONTAINER)),
        "memory.max=67108864 cpu.weight=5"
    );
    assert_eq!(text(of_container(Version::Two, &ContainerLimits::default())), "");
}

#[test]
fn groups_lie_in_one_another_and_only_ours_are_written() {
    let directory = tempfile::tempdir().unwrap();
    let root = Root::make(Version::Two, vec![Controller::Memory], directory.path(), "karma-1")
        .unwrap()
        .unwrap();
    let (groups, task) = (ControlGroups { roots: vec![root] }, TaskId::random());
    groups.make((&task, &TASK), ("web", &CONTAINER)).unwrap();
    let outer = directory.path().join("karma-1").join(task.as_str());
    assert_eq!(groups.of(&task, "web"), [outer.join("web")]);
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    assert_eq!(read(directory.path().join("cgroup.subtree_control")), "+memory");
    assert_eq!(read(outer.join("cgroup.subtree_control")), "+memory");
    assert_eq!(read(outer.join("memory.max")), "536870912");
    assert_eq!(read(outer.join("web/memory.max")), "67108864");
    assert!(!outer.join("cpu.max").exists());
    fs::write(outer.join("web/memory.events"), "low 0\noom 3\noom_kill 2\n").unwrap();
    assert_eq!(groups.killed_for_memory(&task, "web"), 2);
    assert_eq!(groups.killed_for_memory(&task, "other"), 0);
    // A directory that only stands for groups cannot be removed as they are.
    std::mem::forget(groups);
}

#[test]
fn what_a_killed_run_left_in_its_groups_is_ended() {
    let state = Path::new("/nowhere/control-groups/.karma");
    let groups = ControlGroups::take(state);
    if !groups.limit_cpu() {
        println!("SKIPPED what_a_killed_run_left_in_its_groups_is_ended: no control group here is ours to divide");
        return;
    }
    let task = TaskId::random();
    groups
        .make((&task, &TASK), ("web", &ContainerLimits::default()))
        .unwrap();
    let joined = groups.of(&task, "web");
    let mut left = Command::new("sleep").arg("600").spawn().unwrap();
    fs::write(joined[0].join("cgroup.procs"), left.id().to_string()).unwrap();
    std::mem::forget(groups);
    let again = ControlGroups::take(state);
    assert!(!left.wait().unwrap().success());
    assert!(!joined[0].exists());
    let root = again.roots[0].path.clone();
    drop(again);
    assert!(!root.exists());
}
