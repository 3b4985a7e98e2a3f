//! `.karma/`, beside the stack: who runs it, what runs, and what it printed.
//!
//! ```text
//! lock            held while the stack runs; the process id of who holds it
//! tasks.json      the tasks that run, for whoever comes after a crash
//! revisions.json  how many revisions each task definition has had; outlives the run, see `revisions`
//! programs/       the programs of the revisions, see `pinned`
//! control.sock    see `control`
//! run/<task id>/  each task's own disk and files of /etc; gone with the task
//! logs/           see `logs`
//! metrics/        see `metrics`
//! traces/         see `traces`
//! alarms.json     what alarms and autoscaling did; outlives the run, see `scaling`
//! tls/            the certificate of the HTTPS listeners here, and its key
//! access-logs/    what load balancers write down of requests, where the stack has them do so
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::StartError;
use crate::logs::{self, Run};
use crate::survivors;
use crate::task::TaskId;

/// So long the last children of a run that was killed may take to follow it.
const LAST_CHILDREN: Duration = Duration::from_secs(2);

/// The form of `tasks.json`.
const VERSION: u32 = 1;

/// The state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file is not what this version of the program writes.
    #[error("{} is not what this version of karma writes", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A file was written by another version of the program.
    #[error("{} was written by another version of karma (its form is {version}, here it is {VERSION})", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The form it has.
        version: u32,
    },
}

/// What the last run left behind because it was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanedUp {
    /// The process id of that run.
    pub pid: u32,
    /// The tasks that it had, by their services' labels.
    pub tasks: Vec<(String, TaskId)>,
    /// So many of their processes still ran, and have been killed.
    pub processes_killed: usize,
}

/// A state directory that this process has to itself.
#[derive(Debug)]
pub(crate) struct StateDirectory {
    path: PathBuf,
    /// `None` when the directory has been given back.
    lock: Mutex<Option<File>>,
}

/// A task that runs, as `tasks.json` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunningTask {
    pub(crate) service: String,
    pub(crate) task_id: TaskId,
}

#[derive(Debug, Serialize, Deserialize)]
struct TasksFile {
    version: u32,
    pid: u32,
    tasks: Vec<RunningTask>,
}

/// Read first, so that a file of another form is told from a broken one.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

impl StateError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::Foreign { path, .. } | Self::OtherVersion { path, .. } => Some(format!(
                "move {} away; the logs beside it stay where they are",
                path.display()
            )),
        }
    }
}

impl std::fmt::Display for CleanedUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (pid, tasks) = (self.pid, self.tasks.len());
        write!(
            f,
            "the last run (process {pid}) was killed with {tasks} tasks: cleaned up after it"
        )?;
        match self.processes_killed {
            0 => Ok(()),
            1 => write!(f, ", 1 process still ran and was killed"),
            count => write!(f, ", {count} processes still ran and were killed"),
        }
    }
}

impl StateDirectory {
    /// Takes the directory, cleans up after a run that was killed, and sets the logs of the last run aside.
    pub(crate) fn take(path: &Path) -> Result<(Self, Option<CleanedUp>), StartError> {
        let state = Self::lock(path)?;
        let cleaned_up = state.clean_up()?;
        state.set_logs_aside()?;
        state.write_tasks(&[])?;
        Ok((state, cleaned_up))
    }

    /// The directory, as an absolute path without symbolic links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a task has its disk and its files of `/etc`.
    pub(crate) fn task_directory(state_directory: &Path, task: &TaskId) -> PathBuf {
        state_directory.join("run").join(task.as_str())
    }

    /// Writes down what runs.
    pub(crate) fn write_tasks(&self, tasks: &[RunningTask]) -> Result<(), StateError> {
        let file = TasksFile {
            version: VERSION,
            pid: std::process::id(),
            tasks: tasks.to_vec(),
        };
        let text = serde_json::to_vec_pretty(&file).expect("names and numbers are JSON");
        let path = self.tasks_path();
        replace(&path, &text).map_err(io_error("write", &path))
    }

    /// Gives the directory back; the logs stay. From here on it may be somebody else's.
    pub(crate) fn release(&self) -> Result<(), StateError> {
        let Some(lock) = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        remove(&self.path.join("run"))?;
        remove(&self.path.join("control.sock"))?;
        remove(&self.tasks_path())?;
        let lock_path = self.path.join("lock");
        lock.set_len(0).map_err(io_error("empty", &lock_path))?;
        // Closing it is not enough: a child that has not become its program yet has it too.
        lock.unlock().map_err(io_error("unlock", &lock_path))
    }

    fn lock(path: &Path) -> Result<Self, StartError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(io_error("create", path))?;
        let path = fs::canonicalize(path).map_err(io_error("open", path))?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(io_error("open", &lock_path))?;
        take_lock(&mut lock, &lock_path)?;
        write_pid(&mut lock).map_err(io_error("write", &lock_path))?;
        Ok(Self {
            path,
            lock: Mutex::new(Some(lock)),
        })
    }

    /// A run that ended in order leaves no `tasks.json`.
    fn clean_up(&self) -> Result<Option<CleanedUp>, StateError> {
        let last_run = read_tasks(&self.tasks_path())?;
        let processes_killed = survivors::kill_all(&self.path);
        remove(&self.path.join("run"))?;
        remove(&self.path.join("control.sock"))?;
        Ok(last_run.map(|file| CleanedUp {
            pid: file.pid,
            tasks: file
                .tasks
                .into_iter()
                .map(|task| (task.service, task.task_id))
                .collect(),
            processes_killed,
        }))
    }

    /// One run's logs are kept besides the present ones.
    fn set_logs_aside(&self) -> Result<(), StateError> {
        let (latest, previous) = (
            logs::directory(&self.path, Run::Latest),
            logs::directory(&self.path, Run::Previous),
        );
        if !latest.is_dir() {
            return Ok(());
        }
        remove(&previous)?;
        fs::rename(&latest, &previous).map_err(io_error("set aside", &latest))
    }

    fn tasks_path(&self) -> PathBuf {
        self.path.join("tasks.json")
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        // Nobody is left to tell; the next run cleans up.
        let _ = self.release();
    }
}

fn read_tasks(path: &Path) -> Result<Option<TasksFile>, StateError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", path)(error)),
    };
    let foreign = |source| StateError::Foreign {
        path: path.to_owned(),
        source,
    };
    let VersionOnly { version } = serde_json::from_slice(&text).map_err(foreign)?;
    if version != VERSION {
        let path = path.to_owned();
        return Err(StateError::OtherVersion { path, version });
    }
    serde_json::from_slice(&text).map(Some).map_err(foreign)
}

/// Takes the lock, unless somebody runs who has it. A run that was killed may have left children that were about to become programs; they have
/// its lock, too, and follow it at once.
fn take_lock(lock: &mut File, path: &Path) -> Result<(), StartError> {
    let deadline = Instant::now() + LAST_CHILDREN;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(io_error("lock", path)(source).into()),
            Err(TryLockError::WouldBlock) => {}
        }
        let pid = read_pid(lock);
        let is_gone = pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists());
        if !is_gone || Instant::now() > deadline {
            return Err(StartError::AlreadyRunning { pid });
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn read_pid(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.rewind().ok()?;
    lock.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

/// Whoever reads the file sees the old text or the new one, never half of it.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}

/// Removes a file or a directory; what is not there need not be removed.
fn remove(path: &Path) -> Result<(), StateError> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_of_the_same_stack_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (first, _) = StateDirectory::take(directory.path()).unwrap();
        let second = StateDirectory::take(directory.path()).unwrap_err();
        assert_eq!(
            second.to_string(),
            format!("this stack is running already, as process {}", std::process::id())
        );
        first.release().unwrap();
        StateDirectory::take(directory.path()).unwrap();
    }

    #[test]
    fn what_a_killed_run_left_is_told_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let (task_id, service) = (TaskId::random(), "hello".to_owned());
        let disk = StateDirectory::task_directory(directory.path(), &task_id);
        fs::create_dir_all(&disk).unwrap();
        let killed = format!(r#"{{"version":1,"pid":7,"tasks":[{{"service":"hello","task_id":"{task_id}"}}]}}"#);
        fs::write(directory.path().join("tasks.json"), killed).unwrap();
        let (_state, cleaned_up) = StateDirectory::take(directory.path()).unwrap();
        assert_eq!(cleaned_up.unwrap().tasks, [(service, task_id)]);
        assert!(!disk.exists());
    }

    #[test]
    fn a_run_that_ended_in_order_leaves_nothing_but_its_logs() {
        let directory = tempfile::tempdir().unwrap();
        let (state, _) = StateDirectory::take(directory.path()).unwrap();
        fs::create_dir_all(state.path().join("logs/hello")).unwrap();
        drop(state);
        let (state, cleaned_up) = StateDirectory::take(directory.path()).unwrap();
        assert_eq!(cleaned_up, None);
        assert!(state.path().join("logs.previous/hello").is_dir());
    }

    #[test]
    fn garbage_and_other_versions_are_named_and_the_logs_stay() {
        let check = |text: &str, expected: &str| {
            let directory = tempfile::tempdir().unwrap();
            fs::create_dir(directory.path().join("logs")).unwrap();
            fs::write(directory.path().join("tasks.json"), text).unwrap();
            let error = StateDirectory::take(directory.path()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().is_some());
            assert!(directory.path().join("logs").is_dir());
        };
        check("{", "is not what this version of karma writes");
        check("{\"version\":1}", "is not what this version of karma writes");
        check("{\"version\":9,\"new\":true}", "its form is 9, here it is 1");
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "").unwrap();
        assert!(matches!(
            StateDirectory::take(&path),
            Err(StartError::State(StateError::Io { .. }))
        ));
    }
}
