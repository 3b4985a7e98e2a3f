//! [`ProcessRunner`]: a container is a process of this machine, started through the launcher.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Exit, Launched, Place, Probe, RunningContainer, Spawner, StartFailure, StopSignal, TaskRunner};
use crate::addresses::AddressBlock;
use crate::discovery::Names;
use crate::launcher::{self, LAUNCH_FAILED, Namespaces};
use crate::listening::{self, Reach};
use crate::local::{LocalContainer, LocalHealthCheck, LocalService};
use crate::logs::{self, LogSink};
use crate::progress::Announcer;
use crate::secrets::SecretValue;
use crate::state::StateDirectory;
use crate::survivors;
use crate::task::TaskId;

/// The exit code of a program that never came to run.
const NEVER_RAN: i32 = LAUNCH_FAILED as i32;

/// When a program has ended, what it printed last is read for at most so long.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// So much of the end of a health check's output is kept.
const PROBE_OUTPUT: usize = 1024;

/// What a [`ProcessRunner`] is made of.
#[derive(Debug)]
pub(crate) struct ProcessSettings {
    pub(crate) state_directory: PathBuf,
    /// The binary that is the launcher where its first argument says so.
    pub(crate) launcher: PathBuf,
    pub(crate) namespaces: Namespaces,
    pub(crate) region: Option<String>,
    pub(crate) names: Arc<Names>,
    pub(crate) announcer: Announcer,
}

/// Starts containers as processes.
#[derive(Debug)]
pub(crate) struct ProcessRunner {
    settings: ProcessSettings,
    spawner: Spawner,
    addresses: Mutex<AddressBlock>,
}

/// A process, and the jobs that read what it prints.
#[derive(Debug)]
pub(crate) struct ProcessContainer {
    child: Child,
    /// The process's id, which is its group's too.
    pid: Pid,
    output: JoinSet<()>,
}

/// The processes of one run of a health check. They end with it, also when it is given up.
struct ProbeGroup(Pid);

impl Drop for ProbeGroup {
    fn drop(&mut self) {
        // An error means that they are gone already.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

/// Tries what the kernel lets the launcher do. The best comes last: fewer namespaces change less.
pub(crate) async fn probe_namespaces(spawner: &Spawner, launcher: &Path, directory: &Path) -> io::Result<Namespaces> {
    let etc = directory.join("run").join("probe");
    fs::create_dir_all(&etc)?;
    fs::write(etc.join("hosts"), "127.0.0.1 localhost karma-probe\n")?;
    let mut best = Namespaces::None;
    for namespaces in [Namespaces::UserAndMount, Namespaces::Mount] {
        let mut command = Command::new(launcher);
        command.args(launcher::arguments(namespaces, &etc, None));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if spawner.spawn(command).await?.wait().await?.success() {
            best = namespaces;
        }
    }
    fs::remove_dir_all(&etc)?;
    Ok(best)
}

impl ProcessRunner {
    pub(crate) fn new(settings: ProcessSettings, spawner: Spawner, addresses: AddressBlock) -> Self {
        Self {
            settings,
            spawner,
            addresses: Mutex::new(addresses),
        }
    }

    /// A program as the child of the launcher: in the task's place, with the task's environment and no other.
    fn command(&self, place: &Place, container: &LocalContainer, program: &Path, args: &[String]) -> Command {
        let directory = self.directory(&place.task);
        let mut command = Command::new(&self.settings.launcher);
        command
            .args(launcher::arguments(
                self.settings.namespaces,
                &directory.join("etc"),
                Some(program),
            ))
            .args(args)
            .env_clear()
            .envs(self.environment(place, container))
            .current_dir(disk(&directory, container))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What a container sees: `PATH` and the region, what its definition says, and above all the address that it is to listen on.
    fn environment(&self, place: &Place, container: &LocalContainer) -> BTreeMap<String, String> {
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned());
        let secret = |(name, value): (&String, &SecretValue)| (name.clone(), value.expose().to_owned());
        let mark = survivors::mark(&self.settings.state_directory, &place.task);
        let mut environment = BTreeMap::from([("PATH".to_owned(), path)]);
        environment.extend(
            self.settings
                .region
                .iter()
                .map(|region| ("AWS_REGION".to_owned(), region.clone())),
        );
        environment.extend(
            place
                .variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        environment.extend(container.environment.clone());
        environment.extend(container.secrets.iter().map(secret));
        environment.insert("HOST".to_owned(), place.address.to_string());
        environment.insert(survivors::MARKER.to_owned(), mark.display().to_string());
        environment
    }

    fn directory(&self, task: &TaskId) -> PathBuf {
        StateDirectory::task_directory(&self.settings.state_directory, task)
    }

    fn make_directories(&self, task: &TaskId, service: &LocalService) -> io::Result<()> {
        let directory = self.directory(task);
        for container in &service.containers {
            fs::create_dir_all(disk(&directory, container))?;
        }
        fs::create_dir_all(directory.join("etc"))?;
        for (name, text) in self.settings.names.etc(service.service_connect.as_ref()) {
            fs::write(directory.join("etc").join(name), text)?;
        }
        Ok(())
    }

    fn take_address(&self, service: &LocalService) -> Result<Ipv4Addr, StartFailure> {
        let ports: Vec<u16> = service
            .containers
            .iter()
            .flat_map(|container| &container.ports)
            .map(|port| port.0)
            .collect();
        self.addresses().take(&ports).map_err(|port| {
            let owner = listening::owner(Ipv4Addr::UNSPECIFIED, port).unwrap_or_else(|| "another program".to_owned());
            StartFailure(format!(
                "port {port} is taken on all addresses of this machine by {owner}; a program that heeds HOST takes one address only"
            ))
        })
    }

    fn addresses(&self) -> std::sync::MutexGuard<'_, AddressBlock> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sink(&self, place: &Place, container: &LocalContainer) -> LogSink {
        LogSink {
            service: Arc::clone(&place.service),
            task: place.task.clone(),
            container: Arc::clone(&container.name),
            announcer: self.settings.announcer.clone(),
            file: Arc::clone(&place.log),
        }
    }
}

impl TaskRunner for ProcessRunner {
    type Container = ProcessContainer;

    fn provision(&self, task: &TaskId, service: &LocalService) -> Result<Place, StartFailure> {
        let failure = |error: io::Error| StartFailure(format!("ResourceInitializationError: {error}"));
        self.make_directories(task, service).map_err(failure)?;
        let log = logs::create(&logs::path(&self.settings.state_directory, &service.label, task)).map_err(failure)?;
        Ok(Place {
            task: task.clone(),
            service: Arc::clone(&service.label),
            address: self.take_address(service)?,
            log: Arc::new(log),
            variables: self.settings.names.proxy_variables(service.service_connect.as_ref()),
        })
    }

    async fn start(&self, place: &Place, container: &LocalContainer) -> Result<ProcessContainer, StartFailure> {
        let command = self.command(place, container, &container.program, &container.args);
        let spawned = self.spawner.spawn(command).await;
        let mut child = spawned.map_err(|error| {
            StartFailure(format!(
                "CannotStartContainerError: cannot start {}: {error}",
                container.name
            ))
        })?;
        let pid = child.id().expect("a child that nobody has waited for has an id");
        let mut output = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            output.spawn(self.sink(place, container).copy(stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            output.spawn(self.sink(place, container).copy(stderr));
        }
        Ok(ProcessContainer {
            child,
            pid: Pid::from_raw(pid.cast_signed()),
            output,
        })
    }

    fn reach(&self, place: &Place, port: u16) -> Reach {
        listening::reach(place.address, port)
    }

    async fn probe(&self, place: &Place, container: &LocalContainer, check: &LocalHealthCheck) -> Probe {
        let command = self.command(place, container, Path::new(&check.program), &check.args);
        let mut child = match self.spawner.spawn(command).await {
            Ok(child) => child,
            Err(error) => return Probe::Failed(error.to_string()),
        };
        let _group = child.id().map(|pid| ProbeGroup(Pid::from_raw(pid.cast_signed())));
        match timeout(check.timeout, finish_probe(&mut child)).await {
            Ok(probe) => probe,
            Err(_) => Probe::Failed(format!("no answer within {:?}", check.timeout)),
        }
    }

    fn deprovision(&self, place: &Place) {
        // A program that made itself a daemon has left its group, but not its mark.
        survivors::kill_all(&survivors::mark(&self.settings.state_directory, &place.task));
        self.addresses().release(place.address);
        // What cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(self.directory(&place.task));
    }
}

impl RunningContainer for ProcessContainer {
    fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    async fn wait(&mut self) -> Exit {
        let status = self.child.wait().await;
        // As with a container, nothing of it outlives its first process.
        let _ = killpg(self.pid, Signal::SIGKILL);
        let _ = timeout(LAST_WORDS, async { while self.output.join_next().await.is_some() {} }).await;
        let code = status.map_or(NEVER_RAN, exit_code);
        Exit {
            code,
            launched: if code == NEVER_RAN { Launched::No } else { Launched::Yes },
        }
    }

    /// An error means that the process is gone already.
    fn signal(&mut self, signal: StopSignal) {
        let _ = match (self.child.id(), signal) {
            (None, _) => Ok(()),
            (Some(_), StopSignal::Terminate) => kill(self.pid, Signal::SIGTERM),
            (Some(_), StopSignal::Kill) => killpg(self.pid, Signal::SIGKILL),
        };
    }
}

/// Where a container's program begins; containers of one task share nothing else either.
fn disk(task_directory: &Path, container: &LocalContainer) -> PathBuf {
    task_directory.join("disk").join(logs::file_name(&container.name))
}

fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or_else(|| Some(128 + status.signal()?))
        .unwrap_or(NEVER_RAN)
}

async fn finish_probe(child: &mut Child) -> Probe {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (status, stdout, stderr) = tokio::join!(child.wait(), read_tail(stdout), read_tail(stderr));
    let last_line = |text: &str| text.lines().next_back().map(str::to_owned);
    match status.map(exit_code) {
        Ok(0) => Probe::Passed,
        Ok(code) => Probe::Failed(match last_line(&stderr).or_else(|| last_line(&stdout)) {
            Some(line) => format!("exit code {code}: {line}"),
            None => format!("exit code {code}"),
        }),
        Err(error) => Probe::Failed(error.to_string()),
    }
}

/// The end of a stream, however much it is.
async fn read_tail(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut tail = Vec::new();
    if let Some(mut stream) = stream {
        while matches!(stream.read_buf(&mut tail).await, Ok(read) if read > 0) {
            let surplus = tail.len().saturating_sub(PROBE_OUTPUT);
            tail.drain(..surplus);
        }
    }
    String::from_utf8_lossy(&tail).into_owned()
}
