//! A server on this machine that speaks AWS's API: [moto](https://docs.getmoto.org), with what `e2e/moto/` adds to it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::karma::{repository, target_directory};
use crate::python;

/// A server with an empty account. It ends with this value, or with the test's process.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    endpoint: String,
    /// What says how deployments end, where a test says it.
    deployments: Option<tempfile::NamedTempFile>,
}

/// How far deployments of a service come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// They are under way.
    InProgress,
    /// The circuit breaker takes them back.
    Failed,
}

impl Moto {
    /// Starts a server on a free port and waits until it listens. `Err` is the reason why that cannot be done on this machine.
    pub fn start() -> Result<Self, String> {
        Self::with(None)
    }

    /// The same with deployments that end as it is told: moto runs no task that could make them end well or badly.
    pub fn driven() -> Result<Self, String> {
        let deployments = tempfile::NamedTempFile::new_in(target_directory()).map_err(|error| error.to_string())?;
        let moto = Self::with(Some(deployments))?;
        moto.drive(&[]);
        Ok(moto)
    }

    /// An empty account whose services run a task each, with an agent in it that listens at this address: `ws://127.0.0.1:<port>`.
    pub fn with_agent(address: &str) -> Result<Self, String> {
        Self::spawned(script("server.py")?.env("EXEC_AGENT", address), None)
    }

    /// How far the deployments of these services come; those of all others are completed.
    pub fn drive(&self, rollouts: &[(&str, Rollout)]) {
        let member = |(service, rollout): &(&str, Rollout)| {
            let rollout = match rollout {
                Rollout::InProgress => "IN_PROGRESS",
                Rollout::Failed => "FAILED",
            };
            ((*service).to_owned(), rollout.into())
        };
        let rollouts: serde_json::Map<String, serde_json::Value> = rollouts.iter().map(member).collect();
        let deployments = self.deployments.as_ref().expect("this server can be driven");
        let text = serde_json::Value::from(rollouts).to_string();
        // In one step: the server may be reading it.
        let beside = deployments.path().with_extension("new");
        let replaced = fs::write(&beside, text).and_then(|()| fs::rename(&beside, deployments.path()));
        replaced.expect("the target directory can be written");
    }

    fn with(deployments: Option<tempfile::NamedTempFile>) -> Result<Self, String> {
        let mut server = script("server.py")?;
        server.envs(deployments.iter().map(|file| ("DEPLOYMENTS", file.path())));
        Self::spawned(&mut server, deployments)
    }

    fn spawned(server: &mut Command, deployments: Option<tempfile::NamedTempFile>) -> Result<Self, String> {
        let mut process = server
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("moto's server cannot be started: {error}"))?;
        let stdout = process.stdout.take().expect("it was asked for");
        let port = BufReader::new(stdout).lines().next();
        let port = port
            .expect("moto's server says where it listens")
            .expect("a port is UTF-8");
        let endpoint = format!("http://127.0.0.1:{port}");
        Ok(Self {
            process,
            endpoint,
            deployments,
        })
    }

    /// Where it listens, as in `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What there is in the account's region as the API lists it: `kind name`, one for each thing.
    pub fn inventory(&self, region: &str) -> BTreeSet<String> {
        let listed = script("inventory.py")
            .expect("the environment is there: the server runs")
            .args([&self.endpoint, region])
            .stderr(Stdio::piped())
            .output()
            .expect("Python can be started: the server runs");
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        let text = String::from_utf8_lossy(&listed.stdout);
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn script(name: &str) -> Result<Command, String> {
    let mut command = Command::new(python::program("moto", "python")?);
    command
        .arg(repository().join("e2e/moto").join(name))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stderr(Stdio::inherit());
    Ok(command)
}
