//! [`ProcessRunner`]: a container is a process of this machine, started through the launcher.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::environment::Surroundings;
use super::lodging::{self, House, Lodging};
use super::{Exit, Launched, Place, Probe, RunningContainer, Spawner, StartFailure, StopSignal, TaskRunner};
use crate::addresses::AddressBlock;
use crate::launcher::{self, LAUNCH_FAILED, Namespaces, Preparation, Streams};
use crate::limits::control_groups::ControlGroups;
use crate::limits::register::Register;
use crate::limits::{self, Keeper, OUT_OF_MEMORY};
use crate::listening::{self, Reach};
use crate::local::{LocalContainer, LocalHealthCheck, LocalService};
use crate::survivors;
use crate::task::{ContainerState, TaskId, TaskStatus};

/// The exit code of a program that never came to run.
const NEVER_RAN: i32 = LAUNCH_FAILED as i32;

/// The exit code of a program that was killed.
const KILLED: i32 = 128 + Signal::SIGKILL as i32;

/// When a program has ended, what it printed last is read for at most so long.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// So much of the end of a health check's output is kept.
const PROBE_OUTPUT: usize = 1024;

/// What a [`ProcessRunner`] is made of.
#[derive(Debug)]
pub(crate) struct ProcessSettings {
    /// The binary that is the launcher where its first argument says so.
    pub(crate) launcher: PathBuf,
    pub(crate) namespaces: Namespaces,
    pub(crate) control_groups: Arc<ControlGroups>,
}

/// Starts containers as processes.
#[derive(Debug)]
pub(crate) struct ProcessRunner {
    settings: ProcessSettings,
    spawner: Spawner,
    lodging: Lodging,
    /// Looks after limits; aborted with the runner.
    _watch: JoinSet<()>,
}

/// A process, and the jobs that read what it prints.
#[derive(Debug)]
pub(crate) struct ProcessContainer {
    child: Child,
    /// The process's id, which is its group's too.
    pid: Pid,
    output: JoinSet<()>,
    task: TaskId,
    name: Arc<str>,
    register: Arc<Register>,
    control_groups: Arc<ControlGroups>,
    /// So many of it the kernel had killed for memory before it was started.
    killed_before: u64,
    end_reason: Option<&'static str>,
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
        command.args(launcher::arguments(namespaces, &etc, &Preparation::default(), None));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if spawner.spawn(command).await?.wait().await?.success() {
            best = namespaces;
        }
    }
    fs::remove_dir_all(&etc)?;
    Ok(best)
}

impl ProcessRunner {
    /// Begins to look after limits, and to answer containers that ask what they are.
    pub(crate) fn new(settings: ProcessSettings, house: House, spawner: Spawner, addresses: AddressBlock) -> Self {
        let lodging = Lodging::new(house, addresses);
        let mut watch = JoinSet::new();
        watch.spawn(limits::watch(
            Arc::downgrade(&lodging.register),
            keeper(settings.control_groups.limit_memory()),
            lodging.house.announcer.clone(),
        ));
        Self {
            spawner,
            lodging,
            _watch: watch,
            settings,
        }
    }

    /// What runs now.
    pub(crate) fn register(&self) -> &Arc<Register> {
        &self.lodging.register
    }

    /// What is not as it would be on AWS; one sentence each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let (memory, cpu) = (
            self.settings.control_groups.limit_memory(),
            self.settings.control_groups.limit_cpu(),
        );
        let limits = limits::note(keeper(memory), keeper(cpu));
        limits.into_iter().chain(self.lodging.notes()).collect()
    }

    /// A program as the child of the launcher: in the place of a container, with its environment and no other.
    pub(crate) fn command(
        &self,
        place: &Place,
        container: &LocalContainer,
        (program, args): (&Path, &[String]),
        streams: Streams,
    ) -> Command {
        let directory = self.lodging.directory(&place.task);
        let surroundings = self.surroundings(&directory, place, container);
        let preparation = self.preparation(place, container, streams);
        let etc = directory.join("etc");
        let mut command = Command::new(&self.settings.launcher);
        command
            .args(launcher::arguments(
                self.settings.namespaces,
                &etc,
                &preparation,
                Some(program),
            ))
            .args(args)
            .env_clear()
            .envs(surroundings.variables(place, container))
            .current_dir(surroundings.working_directory(container));
        if streams == Streams::Plain {
            command.process_group(0);
        }
        command
    }

    /// Starts a command that [`Self::command`] has made.
    pub(crate) async fn spawn_command(&self, command: Command) -> io::Result<Child> {
        self.spawner.spawn(command).await
    }

    /// The same with nothing to read, and all that it prints to be read by us.
    fn observed_command(&self, place: &Place, container: &LocalContainer, run: (&Path, &[String])) -> Command {
        let mut command = self.command(place, container, run, Streams::Plain);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn preparation(&self, place: &Place, container: &LocalContainer, streams: Streams) -> Preparation {
        let groups = self.settings.control_groups.of(&place.task, &container.name);
        Preparation {
            control_groups: groups.iter().map(|group| group.display().to_string()).collect(),
            ulimits: container.ulimits.iter().map(launcher::limit).collect(),
            files: container.files,
            writable: self.writable(container),
            streams,
        }
    }

    /// What stands for a service of AWS in the state directory, which may be given by a relative path or through a link.
    fn writable(&self, container: &LocalContainer) -> Vec<PathBuf> {
        let state = &self.lodging.house.state_directory;
        let state = fs::canonicalize(state).unwrap_or_else(|_| state.clone());
        container.directories_of_state(&state).into_iter().collect()
    }

    fn surroundings<'a>(&'a self, directory: &'a Path, place: &Place, container: &LocalContainer) -> Surroundings<'a> {
        Surroundings {
            state_directory: &self.lodging.house.state_directory,
            task_directory: directory,
            region: self.lodging.house.region.as_deref(),
            metadata: self.lodging.metadata_uri(place, container),
        }
    }

    fn make_directories(&self, place: &Place, service: &LocalService) -> io::Result<()> {
        let directory = self.lodging.directory(&place.task);
        for container in &service.containers {
            let surroundings = self.surroundings(&directory, place, container);
            fs::create_dir_all(surroundings.working_directory(container))?;
            fs::create_dir_all(surroundings.temporary(container))?;
            for directory in self.writable(container) {
                fs::create_dir_all(directory)?;
            }
        }
        fs::create_dir_all(directory.join("etc"))?;
        for (name, text) in self.lodging.house.names.etc(service.service_connect.as_ref()) {
            fs::write(directory.join("etc").join(name), text)?;
        }
        Ok(())
    }

    /// Its output goes to its task's log from now on.
    fn read_output(&self, place: &Place, container: &LocalContainer, child: &mut Child) -> JoinSet<()> {
        let mut output = JoinSet::new();
        let Some(sink) = self.lodging.sink(place, container) else {
            return output;
        };
        if let Some(stdout) = child.stdout.take() {
            output.spawn(sink.clone().copy(stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            output.spawn(sink.copy(stderr));
        }
        output
    }

    async fn spawn(&self, place: &Place, container: &LocalContainer) -> io::Result<Child> {
        if let Some(task) = self.lodging.register.task(&place.task) {
            let of_task = (&place.task, &task.service.limits);
            self.settings
                .control_groups
                .make(of_task, (&container.name, &container.limits))?;
        }
        let command = self.observed_command(place, container, (&container.program, &container.args));
        self.spawner.spawn(command).await
    }
}

impl TaskRunner for ProcessRunner {
    type Container = ProcessContainer;

    fn provision(&self, task: &TaskId, service: &LocalService) -> Result<Place, StartFailure> {
        let (place, log) = self.lodging.take(task, service)?;
        if let Err(error) = self.make_directories(&place, service) {
            self.deprovision(&place);
            return Err(lodging::failure(&error));
        }
        self.lodging.enter(&place, service, log);
        Ok(place)
    }

    async fn start(&self, place: &Place, container: &LocalContainer) -> Result<ProcessContainer, StartFailure> {
        if self.lodging.register.has_run(&place.task, &container.name) {
            // What it left behind when it ended would be in the way of what is started again.
            survivors::kill_all(&survivors::container_mark(
                &self.lodging.house.state_directory,
                &place.task,
                &container.name,
            ));
        }
        let killed_before = self
            .settings
            .control_groups
            .killed_for_memory(&place.task, &container.name);
        let mut child = self.spawn(place, container).await.map_err(|error| {
            StartFailure(format!(
                "CannotStartContainerError: cannot start {}: {error}",
                container.name
            ))
        })?;
        let pid = child.id().expect("a child that nobody has waited for has an id");
        self.lodging
            .register
            .note_start(&place.task, &container.name, Some(pid));
        Ok(ProcessContainer {
            output: self.read_output(place, container, &mut child),
            child,
            pid: Pid::from_raw(pid.cast_signed()),
            task: place.task.clone(),
            name: Arc::clone(&container.name),
            register: Arc::clone(&self.lodging.register),
            control_groups: Arc::clone(&self.settings.control_groups),
            killed_before,
            end_reason: None,
        })
    }

    fn reach(&self, place: &Place, port: u16) -> Reach {
        listening::reach(place.address, port)
    }

    async fn probe(&self, place: &Place, container: &LocalContainer, check: &LocalHealthCheck) -> Probe {
        let command = self.observed_command(place, container, (Path::new(&check.program), &check.args));
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
        survivors::kill_all(&survivors::mark(&self.lodging.house.state_directory, &place.task));
        self.settings.control_groups.remove(&place.task);
        self.lodging.leave(place);
        // What cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(self.lodging.directory(&place.task));
    }

    fn note_status(&self, task: &TaskId, status: TaskStatus) {
        self.lodging.register.note_status(task, status);
    }

    fn note_containers(&self, task: &TaskId, containers: &[ContainerState]) {
        self.lodging.register.note_containers(task, containers);
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
        self.end_reason = self.note_end(code);
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

    fn end_reason(&self) -> Option<&'static str> {
        self.end_reason
    }
}

impl ProcessContainer {
    /// Returns why it was killed, where that was for a limit.
    fn note_end(&self, code: i32) -> Option<&'static str> {
        let killed = self.register.note_end(&self.task, &self.name, code);
        let by_kernel = || self.control_groups.killed_for_memory(&self.task, &self.name) > self.killed_before;
        killed.or_else(|| (code == KILLED && by_kernel()).then_some(OUT_OF_MEMORY))
    }
}

fn keeper(is_kernel: bool) -> Keeper {
    if is_kernel { Keeper::Kernel } else { Keeper::Measurement }
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
