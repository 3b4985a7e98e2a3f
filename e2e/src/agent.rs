//! One `karma-agent`, without a stack around it.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::karma::{Reply, agent_binary, free_port, repository, request, wait_until};

/// An agent that runs until this is dropped.
pub struct Agent {
    child: Child,
    port: u16,
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `karma-agent` with an environment that tells it nothing.
pub fn command() -> Command {
    let mut command = Command::new(agent_binary());
    command.env_clear();
    command
}

/// An agent at this port with the data of the repository and nothing else.
pub fn serving(name: &str, port: u16) -> Command {
    let mut command = command();
    command
        .arg(name)
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("DATA_DIR", repository().join("crates/agents/data"))
        .stdout(Stdio::null());
    command
}

impl Agent {
    /// Starts an agent with these variables, and waits until it answers.
    pub fn with(name: &str, variables: &[(&str, &str)]) -> Self {
        let port = free_port();
        let mut command = serving(name, port);
        command.envs(variables.iter().copied());
        Self::start(command, port)
    }

    /// Starts the agent that the command serves at a port, and waits until it answers.
    pub fn start(mut command: Command, port: u16) -> Self {
        let child = command.spawn().expect("karma-agent can be started");
        let agent = Self { child, port };
        wait_until("an agent's health", || {
            request(port, "GET", "/health", "").ok().filter(|it| it.status == 200)
        });
        agent
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its base address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `POST` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        request(self.port, "POST", path, &body.to_string()).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// `GET`
    pub fn get(&self, path: &str) -> Reply {
        request(self.port, "GET", path, "").unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }
}
