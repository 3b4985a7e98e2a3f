//! Running agents inside the test, each on a port of its own.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use karma_agents::{Server, Settings, Stop, find_agent};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::mpsc;

/// The data the agents are shipped with.
pub(crate) fn shipped_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// A file of the shipped data.
pub(crate) fn shipped(file: &str) -> Value {
    serde_json::from_slice(&fs::read(shipped_data().join(file)).unwrap()).unwrap()
}

/// A client for agents on this machine. It follows no redirect, and trusts nobody who speaks TLS.
pub(crate) fn client() -> reqwest::Client {
    // reqwest asks for the process's provider even where no TLS is spoken; a second one changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().tls_certs_only([]);
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// An agent that answers until this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    client: reqwest::Client,
    /// Dropping it stops nothing, but the agent must not see its end as a stop.
    _stop: mpsc::Sender<Stop>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Starts an agent with the shipped data.
pub(crate) async fn start(agent: &str, settings: &[(&str, &str)]) -> Running {
    start_with_data(agent, &shipped_data(), settings).await
}

/// Starts an agent with the data below a directory.
pub(crate) async fn start_with_data(agent: &str, data: &Path, settings: &[(&str, &str)]) -> Running {
    let lookup = |name: &str| match name {
        "HOST" => Some(OsString::from("127.0.0.1")),
        "PORT" => Some("1".into()),
        "LOG_LEVEL" => Some("error".into()),
        "DATA_DIR" => Some(data.into()),
        name => settings
            .iter()
            .find(|(variable, _)| *variable == name)
            .map(|(_, value)| value.into()),
    };
    let settings = Settings {
        port: 0,
        ..Settings::read(lookup).unwrap()
    };
    let server = Server::bind(find_agent(agent).unwrap(), &settings).await.unwrap();
    let address = server.address();
    let (stop, stops) = mpsc::channel(1);
    Running {
        address,
        client: client(),
        _stop: stop,
        serving: tokio::spawn(server.run(stops)),
    }
}

impl Running {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.ask(Method::POST, path, Some(body.to_string())).await
    }

    /// The answer's status and JSON; null where the body is none.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<String>) -> (StatusCode, Value) {
        let request = self.client.request(method, format!("{}{path}", self.url()));
        let answer = request.body(body.unwrap_or_default()).send().await.unwrap();
        let status = answer.status();
        (
            status,
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null),
        )
    }
}
