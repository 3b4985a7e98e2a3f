//! What the tests with real processes share.

pub(crate) mod fleet;
pub(crate) mod load;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use karma_runtime::{Applied, FleetHealth, LocalOrchestrator, LocalSecrets, Observation, Options, TaskStatus, Urgency};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use fleet::TestFleet;

/// Nothing here takes so long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A fleet that runs, and the directory it has to itself.
pub(crate) struct Running {
    pub(crate) local: LocalOrchestrator,
    pub(crate) directory: TempDir,
}

/// The program that is the tests' launcher and server; cargo builds examples before it runs tests.
pub(crate) fn stand_in() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples/stand_in");
    assert!(
        path.is_file(),
        "{} is missing: cargo build -p karma-runtime --examples",
        path.display()
    );
    path
}

pub(crate) fn new_fleet() -> TestFleet {
    TestFleet::default()
        .program("server", stand_in(), &["serve"])
        .program("polite", stand_in(), &["serve-politely"])
        .program("shell", "/bin/sh", &[])
}

pub(crate) fn options(directory: &Path) -> Options {
    Options {
        port: 0,
        launcher: stand_in(),
        region: Some("us-east-1".to_owned()),
        ..Options::new(directory)
    }
}

/// One secret, `vault`, with one key, `token`.
pub(crate) fn secrets() -> LocalSecrets {
    LocalSecrets::new([(("vault".to_owned(), Some("token".to_owned())), "hush".to_owned())].into())
}

pub(crate) async fn start(fleet: TestFleet) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let local = start_in(directory.path(), fleet).await;
    Running { local, directory }
}

pub(crate) async fn start_in(directory: &Path, fleet: TestFleet) -> LocalOrchestrator {
    let (secrets, options) = (secrets(), options(directory));
    LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets, options)
        .await
        .unwrap()
}

/// Starts a fleet that is expected to become steady.
pub(crate) async fn start_steady(fleet: TestFleet) -> Running {
    let running = start(fleet).await;
    let health = running.local.wait_until_steady(PATIENCE).await;
    assert_eq!(health, FleetHealth::Steady, "{:#?}", running.local.observe().await);
    running
}

impl Running {
    /// Runs another definition from now on.
    pub(crate) async fn apply(&self, fleet: TestFleet) -> Vec<Applied> {
        self.local.apply(fleet.fleet, fleet.programs, secrets()).await.unwrap()
    }

    pub(crate) async fn stop(self) -> TempDir {
        self.local.stop(Urgency::Graceful).await;
        self.directory
    }

    /// Observes until the answer is as wanted.
    pub(crate) async fn observe_until(&self, wanted: impl Fn(&Observation) -> bool) -> Observation {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let observation = self.local.observe().await;
            if wanted(&observation) {
                return observation;
            }
            assert!(Instant::now() < deadline, "it never came: {observation:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The URL of a service.
    pub(crate) async fn url(&self, label: &str) -> String {
        let observation = self.local.observe().await;
        let service = observation
            .services
            .into_iter()
            .find(|service| service.label == label)
            .unwrap();
        service.url.unwrap()
    }
}

/// Tasks of a service in an observation that have stopped.
pub(crate) fn stopped<'o>(observation: &'o Observation, label: &str) -> Vec<&'o karma_runtime::TaskObservation> {
    let service = observation
        .services
        .iter()
        .find(|service| service.label == label)
        .unwrap();
    service
        .tasks
        .iter()
        .filter(|task| task.last_status == TaskStatus::Stopped)
        .collect()
}

/// A GET request: status and body.
pub(crate) async fn get(url: &str) -> (u16, String) {
    try_get(url).await.unwrap()
}

/// The same where the answer may not come.
pub(crate) async fn try_get(url: &str) -> io::Result<(u16, String)> {
    let rest = url.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(authority).await?;
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let malformed = || io::Error::other(format!("not an answer: {answer:?}"));
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    status.zip(body).ok_or_else(malformed)
}

/// Processes that carry the mark of a state directory.
pub(crate) fn processes_of(state_directory: &Path) -> Vec<String> {
    let mark = format!("KARMA_TASK={}/", state_directory.display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|process| {
            let variables = std::fs::read(process.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&variables)
                .split('\0')
                .any(|variable| variable.starts_with(&mark))
        })
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}
