//! A server on this machine that speaks AWS's API: [moto](https://docs.getmoto.org), with what `e2e/moto/` adds to it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::karma::repository;
use crate::python;

/// A server with an empty account. It ends with this value, or with the test's process.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    endpoint: String,
}

impl Moto {
    /// Starts a server on a free port and waits until it listens. `Err` is the reason why that cannot be done on this machine.
    pub fn start() -> Result<Self, String> {
        let mut process = script("server.py")?
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
        Ok(Self { process, endpoint })
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
