//! `/health`: is the process alive, and with `?deep=1`, does it reach what it needs.
//!
//! The load balancer asks without `deep`: an agent must not be killed because its neighbour is down.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::agents::Agent;
use crate::input::Input;
use crate::limits;
use crate::settings::{SettingError, address_to_check};
use crate::trace::Trace;

/// The path, without an agent's prefix.
pub(crate) const PATH: &str = "/health";

/// Something an agent needs in order to answer.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// What it is called.
    pub name: &'static str,
    /// Its base address; its own `/health` is asked.
    pub url: Url,
    /// The client to ask it with.
    pub client: reqwest::Client,
}

/// The running agent could not be asked, or did not answer well.
#[derive(Debug, Error)]
pub enum HealthError {
    /// Where to ask is not set.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Nobody answers.
    #[error("no answer: {0}")]
    Silent(#[from] io::Error),
    /// The answer is not a 200.
    #[error("the answer is `{0}`")]
    Unwell(String),
}

/// Asks the agent at `HOST` and `PORT` for its health, as a container's own health check does.
pub fn check_health(lookup: impl Fn(&str) -> Option<OsString>) -> Result<(), HealthError> {
    let (host, port) = address_to_check(lookup)?;
    let mut stream = TcpStream::connect_timeout(&(host, port).into(), limits::HEALTH_PATIENCE)?;
    stream.set_read_timeout(Some(limits::HEALTH_PATIENCE))?;
    stream.set_write_timeout(Some(limits::HEALTH_PATIENCE))?;
    write!(
        stream,
        "GET {PATH} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    match status.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(HealthError::Unwell(status.trim_end().to_owned())),
    }
}

/// The route.
pub(crate) fn routes(agent: &'static Agent, dependencies: Vec<Dependency>) -> Router {
    let state = Arc::new(Health {
        agent,
        dependencies,
        started: Instant::now(),
    });
    Router::new().route(PATH, get(health)).with_state(state)
}

struct Health {
    agent: &'static Agent,
    dependencies: Vec<Dependency>,
    started: Instant,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    deep: Option<u8>,
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    agent: &'static str,
    version: &'static str,
    uptime_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dependencies: Option<Vec<Reach>>,
}

#[derive(Serialize)]
struct Reach {
    name: &'static str,
    url: String,
    reachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

async fn health(
    State(health): State<Arc<Health>>,
    trace: Trace,
    Input(question): Input<Question>,
) -> (StatusCode, Json<Report>) {
    let deep = question.deep.is_some_and(|deep| deep != 0);
    let dependencies = if deep {
        Some(reach_all(&health.dependencies, &trace).await)
    } else {
        None
    };
    let well = dependencies.iter().flatten().all(|dependency| dependency.reachable);
    let report = Report {
        status: if well { "ok" } else { "degraded" },
        agent: health.agent.name,
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: health.started.elapsed().as_secs(),
        dependencies,
    };
    (
        if well {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        Json(report),
    )
}

async fn reach_all(dependencies: &[Dependency], trace: &Trace) -> Vec<Reach> {
    let mut reaches = Vec::new();
    for dependency in dependencies {
        let error = reach(dependency, trace).await.err();
        reaches.push(Reach {
            name: dependency.name,
            url: dependency.url.to_string(),
            reachable: error.is_none(),
            error,
        });
    }
    reaches
}

async fn reach(dependency: &Dependency, trace: &Trace) -> Result<(), String> {
    let url = format!("{}{PATH}", dependency.url.as_str().trim_end_matches('/'));
    let request = dependency.client.get(url).timeout(limits::HEALTH_PATIENCE);
    let answer = trace
        .send(request)
        .await
        .map_err(|error| crate::error::chain(&error.without_url()))?;
    match answer.status() {
        StatusCode::OK => Ok(()),
        status => Err(format!("its health check answered {status}")),
    }
}
