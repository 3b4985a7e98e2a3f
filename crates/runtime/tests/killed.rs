//! An orchestrator that is killed at any moment leaves nothing that the next one does not clean up, and loses nothing that it has said.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the tests of processes use more of it")]
mod support;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use karma_runtime::{FleetHealth, LocalOrchestrator, LocalSecrets, Run, Urgency, log_files};
use support::fleet::{TestFleet, service, shell};
use support::{PATIENCE, new_fleet, options, processes_of, stand_in};

/// How far a run has come when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    Spawned,
    HasTheLock,
    AnswersControl,
    HasWrittenTasksDown,
    HasGivenATaskItsDisk,
    HasStartedAProcess,
    HasWrittenALog,
    IsSteady,
}

const POINTS: [Point; 8] = [
    Point::Spawned,
    Point::HasTheLock,
    Point::AnswersControl,
    Point::HasWrittenTasksDown,
    Point::HasGivenATaskItsDisk,
    Point::HasStartedAProcess,
    Point::HasWrittenALog,
    Point::IsSteady,
];

impl Point {
    fn is_reached(self, state: &Path, printed: &Path) -> bool {
        let has_entries =
            |directory: PathBuf| fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
        match self {
            Self::Spawned => true,
            Self::HasTheLock => fs::read_to_string(state.join("lock")).is_ok_and(|pid| !pid.is_empty()),
            Self::AnswersControl => state.join("control.sock").exists(),
            Self::HasWrittenTasksDown => {
                fs::read_to_string(state.join("tasks.json")).is_ok_and(|text| text.contains("task_id"))
            }
            Self::HasGivenATaskItsDisk => has_entries(state.join("run")),
            Self::HasStartedAProcess => !processes_of(state).is_empty(),
            Self::HasWrittenALog => has_entries(state.join("logs")),
            Self::IsSteady => fs::read_to_string(printed).is_ok_and(|text| text.contains("Steady")),
        }
    }
}

/// A run in a process of its own. What it prints goes to a file.
fn up(directory: &Path, printed: &Path) -> Child {
    let output = fs::File::create(printed).unwrap();
    let mut command = Command::new(stand_in());
    command
        .arg("up")
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::inherit());
    command.spawn().unwrap()
}

/// Kills a run when it has come so far, and a little later: numbers that look random, and are the same each time.
fn kill_at(directory: &Path, point: Point, seed: u32) {
    let (state, printed) = (directory.join(".karma"), directory.join("printed"));
    let mut run = up(directory, &printed);
    let deadline = Instant::now() + PATIENCE;
    while !point.is_reached(&state, &printed) {
        assert!(Instant::now() < deadline, "it never came to {point:?}");
        assert!(run.try_wait().unwrap().is_none(), "it ended before {point:?}");
        std::thread::yield_now();
    }
    let moment = Instant::now() + Duration::from_micros(u64::from(seed.wrapping_mul(2_654_435_761) >> 17));
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
    run.kill().unwrap();
    run.wait().unwrap();
}

/// A small fleet that ends at once when it is told to.
fn fleet() -> TestFleet {
    new_fleet().with(&service("sleeper", shell("echo here; exec sleep 600")))
}

/// Starts and ends a run in order, and looks what it has found and what it leaves.
async fn check_nothing_is_left(directory: &Path, point: Point) {
    let fleet = fleet();
    let secrets = LocalSecrets::default();
    let local = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets, options(directory))
        .await
        .unwrap();
    if point == Point::IsSteady {
        assert_eq!(
            local.cleaned_up().unwrap().tasks.len(),
            2,
            "what was said to be steady was written down"
        );
        let previous = log_files(&directory.join(".karma"), Run::Previous).unwrap();
        let has_line = |path: &Path| {
            let mut text = String::new();
            fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
            text.contains("listening on")
        };
        assert!(previous.iter().any(|file| has_line(&file.path)), "{previous:?}");
    }
    assert_eq!(
        local.wait_until_steady(PATIENCE).await,
        FleetHealth::Steady,
        "after {point:?}"
    );
    let state = directory.join(".karma").canonicalize().unwrap();
    assert_eq!(local.observe().await.services[0].running_count, 1);
    local.stop(Urgency::AtOnce).await;
    assert_eq!(processes_of(&state), Vec::<String>::new(), "after {point:?}");
    assert_eq!(control_groups(&state), Vec::<PathBuf>::new(), "after {point:?}");
    let mut left: Vec<_> = fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.retain(|name| {
        ![
            "alarms.json",
            "lock",
            "logs",
            "logs.previous",
            "metrics",
            "programs",
            "revisions.json",
            "traces",
        ]
        .iter()
        .any(|known| name == known)
    });
    assert!(left.is_empty(), "after {point:?}: {left:?}");
}

/// The control groups of a state directory's tasks, on a machine that lets us make some.
fn control_groups(state: &Path) -> Vec<PathBuf> {
    let bytes = state.as_os_str().as_encoded_bytes();
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let name = format!("karma-{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash));
    let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    hierarchies
        .map(|hierarchy| hierarchy.path().join(&name))
        .filter(|group| group.exists())
        .collect()
}

#[tokio::test]
async fn whenever_it_is_killed_the_next_run_finds_a_clean_place() {
    for (point, seed) in POINTS.into_iter().zip(1..) {
        let directory = tempfile::tempdir().unwrap();
        kill_at(directory.path(), point, seed);
        check_nothing_is_left(directory.path(), point).await;
    }
}

#[tokio::test]
async fn runs_that_are_killed_one_after_the_other_add_nothing_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut last = Point::Spawned;
    for seed in 1..=12 {
        last = POINTS[(seed as usize * 5) % POINTS.len()];
        kill_at(directory.path(), last, seed);
    }
    check_nothing_is_left(
        directory.path(),
        if last == Point::IsSteady { last } else { Point::Spawned },
    )
    .await;
}
