//! The service of `xtask/bench/fastapi` on the data that karma-hello has in its store.

use std::path::Path;
use std::process::{Command, Stdio};

use super::super::programs::{Cores, Running, wait_for};
use super::super::{Result, fleet};
use crate::process::typed;
use crate::{python, workspace};

const DIRECTORY: &str = "xtask/bench/fastapi";

/// The service, ready to answer.
pub(super) struct FastApi {
    pub(super) port: u16,
    running: Running,
}

impl FastApi {
    /// Makes its database in `scratch` from karma-hello's store, and starts it. `None` where its packages could not be installed.
    pub(super) fn start(scratch: &Path, store: &Path, cores: &Cores) -> Result<Option<Self>> {
        let Some(python) = python::with_packages_of(DIRECTORY) else {
            return Ok(None);
        };
        let directory = workspace::root().join(DIRECTORY);
        let database = scratch.join("messages.sqlite");
        let mut fill = Command::new(&python);
        fill.arg(directory.join("fill.py"))
            .arg(store.join("karma-hello/journal/messages"))
            .arg(&database)
            .stdin(Stdio::null());
        if !fill.status()?.success() {
            return Err(format!("`{}` failed", typed(&fill)).into());
        }
        let port = fleet::free_port()?;
        let text = |path: &Path| path.display().to_string();
        let words = [
            &text(&python),
            "-m",
            "uvicorn",
            "--no-access-log",
            "--app-dir",
            &text(&directory),
            "--port",
            &port.to_string(),
            "service:app",
        ];
        let mut serve = Cores::command(&cores.tested, &words.map(str::to_owned));
        serve.env("DATABASE", &database);
        let running = Running::start(serve)?;
        wait_for(port)?;
        Ok(Some(Self { port, running }))
    }

    /// Bytes resident.
    pub(super) fn memory(&self) -> u64 {
        self.running.memory()
    }
}
