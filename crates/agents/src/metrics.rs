//! `/metrics`: what the agent counts, as Prometheus reads it.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>
//!
//! The path stands without the agent's prefix only, so that the load balancer, which chooses by prefix, sends nobody there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

/// The path.
pub(crate) const PATH: &str = "/metrics";

/// The upper bounds of the histogram's buckets, in microseconds.
const BOUNDS: [(u64, &str); 9] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (10_000_000, "10"),
];

/// Everything that is counted. Clones count together.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    answers: Mutex<BTreeMap<Answer, u64>>,
    durations: Mutex<BTreeMap<String, Durations>>,
    sources: Mutex<Vec<Source>>,
}

/// Asks somebody who counts.
type Source = Box<dyn Fn() -> Vec<Figure> + Send + Sync>;

/// One figure of somebody who counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    /// In Prometheus's style: `llm_calls_total`.
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: Kind,
    pub(crate) value: u128,
}

/// What a figure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    method: String,
    route: String,
    status: u16,
}

/// How long the answers of one route took.
#[derive(Clone, Copy, Debug, Default)]
struct Durations {
    /// By bound, each without those before it; the last takes what is above all bounds.
    buckets: [u64; BOUNDS.len() + 1],
    microseconds: u64,
}

impl Metrics {
    /// Counts one answer. The route is ours, so that nobody can make up labels.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, duration: Duration) {
        let method = if matches!(method, "GET" | "HEAD" | "POST" | "OPTIONS") {
            method
        } else {
            "other"
        };
        let answer = Answer {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        *lock(&self.0.answers).entry(answer).or_default() += 1;
        lock(&self.0.durations)
            .entry(route.to_owned())
            .or_default()
            .add(duration);
    }

    /// Shows the figures of somebody else too.
    pub(crate) fn show(&self, source: impl Fn() -> Vec<Figure> + Send + Sync + 'static) {
        lock(&self.0.sources).push(Box::new(source));
    }

    /// The route.
    pub(crate) fn routes(&self) -> Router {
        Router::new().route(PATH, get(page)).with_state(self.clone())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        heading(&mut text, "http_requests_total", "Requests answered.", "counter");
        for (answer, count) in lock(&self.0.answers).iter() {
            let Answer { method, route, status } = answer;
            line(
                &mut text,
                &format!("http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"),
            );
        }
        heading(
            &mut text,
            "http_request_duration_seconds",
            "How long answers took.",
            "histogram",
        );
        for (route, durations) in lock(&self.0.durations).iter() {
            durations.write(&mut text, route);
        }
        let sources = lock(&self.0.sources);
        for figure in sources.iter().flat_map(|source| source()).chain(resident_memory()) {
            heading(&mut text, figure.name, figure.help, figure.kind.name());
            line(&mut text, &format!("{} {}", figure.name, figure.value));
        }
        text
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        }
    }
}

impl Durations {
    fn add(&mut self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|(bound, _)| microseconds <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS.len())] += 1;
        self.microseconds = self.microseconds.saturating_add(microseconds);
    }

    fn write(&self, text: &mut String, route: &str) {
        const NAME: &str = "http_request_duration_seconds";
        let bounds = BOUNDS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        let mut sum = 0;
        for (bound, count) in bounds.zip(self.buckets) {
            sum += count;
            line(
                text,
                &format!("{NAME}_bucket{{route=\"{route}\",le=\"{bound}\"}} {sum}"),
            );
        }
        let (seconds, rest) = (self.microseconds / 1_000_000, self.microseconds % 1_000_000);
        line(text, &format!("{NAME}_sum{{route=\"{route}\"}} {seconds}.{rest:06}"));
        line(text, &format!("{NAME}_count{{route=\"{route}\"}} {sum}"));
    }
}

async fn page(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.text())
}

fn heading(text: &mut String, name: &str, help: &str, kind: &str) {
    line(text, &format!("# HELP {name} {help}"));
    line(text, &format!("# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: &str) {
    // A String takes everything.
    let _ = writeln!(text, "{line}");
}

/// The memory that this process has, where the kernel tells.
fn resident_memory() -> Option<Figure> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u128 = field.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(Figure {
        name: "process_resident_memory_bytes",
        help: "Memory held.",
        kind: Kind::Gauge,
        value: kibibytes * 1024,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_shown_in_order() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/x", 200, Duration::from_micros(700));
        metrics.answered("GET", "/x", 200, Duration::from_secs(20));
        metrics.answered("BREW", "/x", 405, Duration::ZERO);
        metrics.show(|| {
            vec![Figure {
                name: "spent",
                help: "Base units.",
                kind: Kind::Counter,
                value: u128::MAX,
            }]
        });
        let text = metrics.text();
        for line in [
            "# TYPE http_requests_total counter",
            r#"http_requests_total{method="GET",route="/x",status="200"} 2"#,
            r#"http_requests_total{method="other",route="/x",status="405"} 1"#,
            r#"http_request_duration_seconds_bucket{route="/x",le="0.0005"} 1"#,
            r#"http_request_duration_seconds_bucket{route="/x",le="0.001"} 2"#,
            r#"http_request_duration_seconds_bucket{route="/x",le="10"} 2"#,
            r#"http_request_duration_seconds_bucket{route="/x",le="+Inf"} 3"#,
            r#"http_request_duration_seconds_sum{route="/x"} 20.000700"#,
            r#"http_request_duration_seconds_count{route="/x"} 3"#,
            "spent 340282366920938463463374607431768211455",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
