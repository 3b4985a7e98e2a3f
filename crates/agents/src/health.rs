//! `/health`: is the process alive, and with `?deep=1`, does it reach what it needs.
//!
//! The load balancer asks without `deep`: an agent must not be killed because its neighbour is down. Whoever asks deeply, and however often,
//! what others run and count the calls of (a node of the chain, a language model) is asked once in a while only.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use futures_util::future::{BoxFuture, FutureExt, TryFutureExt, join_all};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::agents::Agent;
use crate::error::chain;
use crate::input::Input;
use crate::limits;
use crate::llm::Llm;
use crate::settings::{SettingError, address_to_check};
use crate::store::Store;
use crate::trace::Trace;

/// The path, without an agent's prefix.
pub(crate) const PATH: &str = "/health";

/// Something an agent needs in order to answer.
#[derive(Clone)]
pub struct Dependency {
    name: &'static str,
    /// What stands beside the name: where it is.
    facts: Map<String, Value>,
    probe: Probe,
    /// The last answer, for what is not asked each time.
    last: Option<Arc<Mutex<Option<Answer>>>>,
}

/// What a dependency said, and when.
#[derive(Clone)]
struct Answer {
    at: Instant,
    said: Result<Map<String, Value>, String>,
}

/// Asks it, with the trace of who asks for the health; gives what there is to say of it, or why it is out of reach.
type Probe = Arc<dyn Fn(Trace) -> BoxFuture<'static, Result<Map<String, Value>, String>> + Send + Sync>;

impl Dependency {
    /// Anything that can be asked, once in [`limits::HEALTH_KEPT`]. Its answer stands in the report.
    pub(crate) fn new<F>(
        name: &'static str,
        facts: Value,
        probe: impl Fn(Trace) -> F + Send + Sync + 'static,
    ) -> Dependency
    where
        F: Future<Output = Result<Value, String>> + Send + 'static,
    {
        Dependency {
            name,
            facts: object(facts),
            probe: Arc::new(move |trace| probe(trace).map_ok(object).boxed()),
            last: Some(Arc::default()),
        }
    }

    /// It is our own, and asked each time.
    fn each_time(self) -> Dependency {
        Dependency { last: None, ..self }
    }

    /// Another agent; its own `/health` is asked.
    pub(crate) fn peer(name: &'static str, base: Url, client: reqwest::Client) -> Dependency {
        let facts = json!({ "url": base.as_str() });
        Dependency::new(name, facts, move |trace| {
            let (base, client) = (base.clone(), client.clone());
            async move { reach(&base, &client, &trace).await }
        })
        .each_time()
    }

    /// The language model.
    pub(crate) fn llm(llm: Llm) -> Dependency {
        Dependency::new("llm", Value::Null, move |_| {
            let llm = llm.clone();
            async move { llm.check().await.map(|()| Value::Null).map_err(|error| chain(&error)) }
        })
    }

    /// The store.
    pub(crate) fn store(store: Store) -> Dependency {
        let facts = json!({ "place": store.place().name() });
        Dependency::new("store", facts, move |_| {
            let store = store.clone();
            async move { store.check().await.map(|()| Value::Null).map_err(|error| chain(&error)) }
        })
        .each_time()
    }
}

impl fmt::Debug for Dependency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Dependency")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
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
    #[serde(flatten)]
    facts: Map<String, Value>,
    reachable: bool,
    /// Where the answer is an earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_seconds_ago: Option<u64>,
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
    join_all(dependencies.iter().map(|dependency| ask(dependency, trace.clone()))).await
}

async fn ask(dependency: &Dependency, trace: Trace) -> Reach {
    let (answer, is_earlier) = answer(dependency, trace).await;
    let (said, error) = match answer.said {
        Ok(said) => (said, None),
        Err(error) => (Map::new(), Some(error)),
    };
    let mut facts = dependency.facts.clone();
    facts.extend(said);
    Reach {
        name: dependency.name,
        facts,
        reachable: error.is_none(),
        asked_seconds_ago: is_earlier.then(|| answer.at.elapsed().as_secs()),
        error,
    }
}

/// The answer, and whether it is an earlier one. Who asks while somebody else does waits for that answer.
async fn answer(dependency: &Dependency, trace: Trace) -> (Answer, bool) {
    let Some(last) = &dependency.last else {
        return (fresh(dependency, trace).await, false);
    };
    let mut last = last.lock().await;
    if let Some(earlier) = last
        .as_ref()
        .filter(|earlier| earlier.at.elapsed() < limits::HEALTH_KEPT)
    {
        return (earlier.clone(), true);
    }
    let now = fresh(dependency, trace).await;
    *last = Some(now.clone());
    (now, false)
}

async fn fresh(dependency: &Dependency, trace: Trace) -> Answer {
    let asked = timeout(limits::HEALTH_PATIENCE, (dependency.probe)(trace)).await;
    let late = || {
        Err(format!(
            "no answer within {} seconds",
            limits::HEALTH_PATIENCE.as_secs()
        ))
    };
    Answer {
        at: Instant::now(),
        said: asked.unwrap_or_else(|_| late()),
    }
}

async fn reach(base: &Url, client: &reqwest::Client, trace: &Trace) -> Result<Value, String> {
    let url = format!("{}{PATH}", base.as_str().trim_end_matches('/'));
    let request = client.get(url).timeout(limits::HEALTH_PATIENCE);
    let answer = trace.send(request).await.map_err(|error| chain(&error.without_url()))?;
    match answer.status() {
        StatusCode::OK => Ok(Value::Null),
        status => Err(format!("its health check answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A dependency that counts how often it is asked.
    fn counter() -> (Dependency, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let dependency = Dependency::new("chain", json!({ "chain_id": 1 }), move |_| {
            let block = counted.fetch_add(1, Ordering::Relaxed);
            async move { Ok(json!({ "block": block })) }
        });
        (dependency, count)
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_count_is_asked_once_in_a_while() {
        let (dependency, count) = counter();
        let all = [dependency.clone(), dependency.clone(), dependency];
        let block = |reach: &Reach| (reach.facts["block"].clone(), reach.asked_seconds_ago);
        let first: Vec<_> = reach_all(&all, &Trace::default()).await.iter().map(block).collect();
        assert_eq!(first, [(json!(0), None), (json!(0), Some(0)), (json!(0), Some(0))]);
        tokio::time::advance(limits::HEALTH_KEPT / 2).await;
        let age = (limits::HEALTH_KEPT / 2).as_secs();
        assert_eq!(block(&ask(&all[0], Trace::default()).await), (json!(0), Some(age)));
        tokio::time::advance(limits::HEALTH_KEPT / 2).await;
        assert_eq!(block(&ask(&all[0], Trace::default()).await), (json!(1), None));
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_our_own_is_asked_each_time() {
        let (dependency, count) = counter();
        let dependency = dependency.each_time();
        for _ in 0..3 {
            assert_eq!(ask(&dependency, Trace::default()).await.asked_seconds_ago, None);
        }
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_kept_as_well_and_silence_is_one() {
        let silent = Dependency::new("llm", Value::Null, |_| std::future::pending::<Result<Value, String>>());
        for earlier in [None, Some(0)] {
            let reach = ask(&silent, Trace::default()).await;
            assert_eq!((reach.reachable, reach.asked_seconds_ago), (false, earlier));
            assert_eq!(reach.error.as_deref(), Some("no answer within 2 seconds"));
        }
    }
}
