//! One agent, as it runs in a task.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::super::programs::{Cores, Running};
use super::super::{Result, fleet, http};
use crate::process::{cargo, typed};
use crate::workspace;

/// All five.
pub(super) const NAMES: [&str; 5] = [
    "validator",
    "karma-hello",
    "abracadabra",
    "skill-extractor",
    "voice-extractor",
];

/// A million messages are read before an agent says that it is healthy.
const PATIENCE: Duration = Duration::from_mins(1);
/// As the stack has it.
const TUNABLES: &str = "glibc.malloc.arena_max=1:glibc.malloc.trim_threshold=65536:glibc.malloc.mmap_threshold=65536";
/// Looked at so often, a start is not measured much longer than it takes.
const PAUSE: Duration = Duration::from_micros(200);

/// An agent that answers.
pub(super) struct Agent {
    pub(super) port: u16,
    /// From the start of the process to its first good answer.
    pub(super) started_in: Duration,
    running: Running,
}

/// The program, built as karma.toml has it built.
pub(super) fn build() -> Result<PathBuf> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = cargo("build --release --package karma-agents --target");
    let flags = format!("target.{target}.rustflags = [\"-Ctarget-feature=+crt-static\"]");
    command.args([&target, "--config", &flags]);
    if !command.status()?.success() {
        return Err(format!("`{}` failed", typed(&command)).into());
    }
    Ok(workspace::target().join(target).join("release/karma-agent"))
}

impl Agent {
    /// Starts it and waits until it is healthy.
    pub(super) fn start(program: &Path, name: &str, store: &Path, cores: &Cores) -> Result<Self> {
        let port = fleet::free_port()?;
        let mut command = Cores::command(&cores.tested, &[program.display().to_string(), name.to_owned()]);
        command
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("DATA_DIR", workspace::root().join("crates/agents/data"))
            .env("STORE_URL", format!("file://{}", store.display()))
            // Only asked when there is something to compute.
            .env("KARMA_HELLO_URL", "http://127.0.0.1:1")
            .env("DRAIN_QUIET_SECONDS", "0")
            .env("GLIBC_TUNABLES", TUNABLES);
        let begun = Instant::now();
        let running = Running::start(command)?;
        while http::get(port, "/health").is_err() {
            if begun.elapsed() > PATIENCE {
                return Err(format!("{name} is not healthy after {} s", PATIENCE.as_secs()).into());
            }
            thread::sleep(PAUSE);
        }
        Ok(Self {
            port,
            started_in: begun.elapsed(),
            running,
        })
    }

    /// Bytes resident.
    pub(super) fn memory(&self) -> u64 {
        self.running.memory()
    }
}
