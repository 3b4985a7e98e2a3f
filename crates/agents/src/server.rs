//! One agent on one socket: its routes at `/x` and at `/<agent>/x`, the request log, and the way down.
//!
//! The load balancer chooses an agent by the first part of the path and does not take it away, while other agents call
//! it without; so every route stands twice.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::any;
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::a2a::A2a;
use crate::agents::{Agent, Start};
use crate::data::DataError;
use crate::error::ApiError;
use crate::health::Dependency;
use crate::llm::{Counters, Llm};
use crate::logging::{Level, Log};
use crate::metrics::{Figure, Kind, Metrics};
use crate::patience::{self, PatientListener, Peer};
use crate::payments::{Paid, Payments, PaymentsError, paywall};
use crate::rate::{Caller, Rates};
use crate::settings::{SettingError, Settings};
use crate::shutdown::{Activity, Drained, Stop};
use crate::store::{OpenError, Store, StoreError, View};
use crate::telemetry::{Asked, Collector, Exporter, Exporting};
use crate::trace::{self, Trace};
use crate::{card, health, limits};

/// How long requests that had begun may still take once the agent has stopped accepting.
const LAST_ANSWERS: Duration = Duration::from_secs(8);

/// An agent that listens but does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    a2a: A2a,
    activity: Activity,
    exporting: Exporting,
    log: Log,
    drain_quiet: Duration,
    stop_timeout: Duration,
}

/// An agent could not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A setting is missing or bad.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A file below `DATA_DIR` cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The store of `STORE_URL` cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The index of the store could not be made.
    #[error(transparent)]
    Index(#[from] StoreError),
    /// The chain or the token are not what the settings say, or cannot be asked.
    #[error(transparent)]
    Payments(#[from] PaymentsError),
    /// The client for calls to other agents could not be made.
    #[error("could not prepare calls to other agents")]
    Client(#[source] reqwest::Error),
    /// Nobody can be found to sign as for X-Ray.
    #[error("could not prepare to send traces to X-Ray")]
    Traces(#[source] object_store::Error),
    /// The address is taken, or not ours.
    #[error("could not listen on {address}: {reason}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// Why it could not.
        reason: io::Error,
    },
}

impl Server {
    /// Loads the agent's data and takes its port.
    pub async fn bind(agent: &'static Agent, settings: &Settings) -> Result<Server, StartError> {
        let activity = Activity::new();
        let log = Log::new(agent.name, settings.log_level);
        let service = settings.service_name.clone().unwrap_or_else(|| agent.name.to_owned());
        let (exporter, exporting) = Exporter::start(Collector::of(settings)?, service, log);
        let watch = Watch {
            activity: activity.clone(),
            exporter,
            metrics: Metrics::default(),
            rates: Rates::new(settings.rate_limit),
            log,
        };
        let (router, a2a) = router(agent, settings, &watch).await?;
        let address = SocketAddr::new(settings.host, settings.port);
        let listener = TcpListener::bind(address)
            .await
            .map_err(|reason| StartError::Listen { address, reason })?;
        let address = listener
            .local_addr()
            .map_err(|reason| StartError::Listen { address, reason })?;
        let (drain_quiet, stop_timeout) = (settings.drain_quiet, settings.stop_timeout);
        Ok(Server {
            listener,
            address,
            router,
            a2a,
            activity,
            exporting,
            log,
            drain_quiet,
            stop_timeout,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until told to stop: the first stop drains (see the module `shutdown`), the second ends it at once.
    pub async fn run(self, mut stops: mpsc::Receiver<Stop>) -> io::Result<()> {
        let Server {
            listener,
            address,
            router,
            a2a,
            activity,
            exporting,
            log,
            drain_quiet,
            stop_timeout,
        } = self;
        let (close, closed) = oneshot::channel();
        let listener = PatientListener(listener);
        let serving = axum::serve(listener, router.into_make_service_with_connect_info::<Peer>())
            // An error means that nobody will ever close: then that is a reason to close as well.
            .with_graceful_shutdown(async move { drop(closed.await) });
        log.write(Level::Info, "listening", json!({ "address": address }));
        let house = tokio::spawn(a2a.keep_house());

        let stopping = async {
            let Some(stop) = stops.recv().await else {
                return std::future::pending().await;
            };
            log.write(Level::Info, "draining", json!({ "stop": stop }));
            let at_once = stops.recv();
            let in_peace = async {
                let drained = activity.quiet_for(drain_quiet, stop_timeout).await;
                log.write(Level::Info, "closing", json!({ "quiet": drained == Drained::Quiet }));
                let _ = close.send(());
                sleep(LAST_ANSWERS).await;
                "requests that take too long"
            };
            tokio::select! {
                Some(stop) = at_once => stop,
                reason = in_peace => reason,
            }
        };
        tokio::select! {
            ended = serving.into_future() => {
                house.abort();
                exporting.end().await;
                log.write(Level::Info, "stopped", json!({}));
                ended
            }
            reason = stopping => {
                log.write(Level::Warn, "stopped at once", json!({ "reason": reason }));
                Ok(())
            }
        }
    }
}

/// Who looks at each request.
#[derive(Clone, Debug)]
struct Watch {
    activity: Activity,
    exporter: Option<Exporter>,
    metrics: Metrics,
    rates: Rates,
    log: Log,
}

async fn router(agent: &'static Agent, settings: &Settings, watch: &Watch) -> Result<(Router, A2a), StartError> {
    let store = Store::open(settings.store_url.as_ref(), agent.name)?;
    let payments = Payments::begin_if_set(settings, agent, &store, &watch.rates, watch.log).await?;
    let paying = payments.clone();
    let llm = Llm::new(settings.llm.as_ref(), &store)?;
    let start = Start {
        settings,
        store: store.clone(),
        metrics: watch.metrics.clone(),
        rates: watch.rates.clone(),
        llm,
        payments,
    };
    let mut service = (agent.start)(&start)?;
    let mut terms = None;
    if let Some(Payments { seller, .. }) = &paying {
        terms = Some(seller.terms());
        let sold = service
            .routes
            .route_layer(from_fn_with_state(Arc::clone(seller), paywall));
        service.routes = sold;
    }
    if let Some(llm) = start.llm {
        let counters = llm.counters();
        tokio::spawn(llm.clone().keep_house());
        watch.metrics.show(move || llm_figures(&counters));
        service.dependencies.push(Dependency::llm(llm));
    }
    service.dependencies.push(Dependency::store(store.clone()));
    service
        .dependencies
        .extend(paying.iter().flat_map(Payments::dependencies));
    read_ahead(service.views).await;
    let (activity, log) = (watch.activity.clone(), watch.log);
    let a2a = A2a::new(agent, service.routes.clone(), store, settings, activity, log)?;
    let routes = Router::new()
        .merge(service.routes)
        .merge(a2a.routes())
        .merge(health::routes(agent, service.dependencies))
        .merge(card::routes(agent, settings.public_url.clone(), terms))
        .merge(paying.as_ref().map(Payments::routes).unwrap_or_default());
    let prefix = format!("/{}", agent.name);
    let whole = Router::new()
        .merge(routes.clone())
        .merge(watch.metrics.routes())
        .route(&format!("{prefix}/"), any(Redirect::permanent(&prefix)))
        .nest(&prefix, routes)
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES))
        .layer(from_fn_with_state(watch.clone(), observe));
    Ok((whole, a2a))
}

/// Reads what stands in the store, so that the first question does not wait for it. A store that is out of reach keeps no agent from
/// starting: those who ask are told.
async fn read_ahead(views: Vec<View>) {
    let reading = tokio::spawn(async move {
        for view in views {
            let _ = view.catch_up().await;
        }
    });
    let _ = timeout(limits::READING_AHEAD, reading).await;
}

fn llm_figures(counters: &Counters) -> Vec<Figure> {
    let figure = |(name, help, value): (_, _, u64)| Figure {
        name,
        help,
        kind: Kind::Counter,
        value: value.into(),
    };
    counters.all().map(figure).into()
}

/// Counts the request as activity, writes its line and sends its span. The path is the route's, not the caller's, so that nothing a
/// user wrote gets into the log.
async fn observe(State(watch): State<Watch>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let (method, asked_bytes) = (name_of(request.method()), request.body().size_hint().exact());
    let host = trace::host(request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(String::new, |path| path.as_str().to_owned());
    let is_health_check = route.ends_with(health::PATH);
    let peer = peer(&request);
    let caller = Caller::of(request.headers(), peer.as_ref().map(|peer| peer.address));
    let sent = peer.as_ref().map(Peer::begin);
    let answering = (!is_health_check).then(|| watch.activity.begin());
    let asked = Asked {
        host: host.as_deref().unwrap_or_default(),
        method,
        path: &route,
    };
    let trace = watch.trace(&request, asked, is_health_check);
    request.extensions_mut().insert(trace.clone());
    let request = request.map(patience::in_time);

    let response = match watch.admit(caller, is_health_check) {
        Ok(()) => timeout(limits::REQUEST_PATIENCE, next.run(request))
            .await
            .unwrap_or_else(|_| too_slow().into_response()),
        Err(refusal) => refusal.into_response(),
    };

    drop(answering);
    watch
        .metrics
        .answered(method, &route, response.status().as_u16(), begun.elapsed());
    trace.end(
        format!("{method} {route}"),
        response.status(),
        [
            ("http.request.method", Some(method.to_string())),
            ("http.route", Some(route.clone())),
            ("server.address", host),
            ("url.path", Some(route.clone())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect(),
    );
    let mut fields = json!({
        "method": method,
        "route": route,
        "status": response.status().as_u16(),
        "asked_bytes": asked_bytes,
        "answered_bytes": response.body().size_hint().exact(),
        "duration_us": u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        "trace_id": trace.as_str(),
    });
    if let Some(paid) = response.extensions().get::<Paid>() {
        fields["paid"] = json!(paid);
    }
    watch.log.write(
        if is_health_check { Level::Debug } else { Level::Info },
        "request",
        fields,
    );
    match sent {
        Some(sent) => sent(response),
        None => response,
    }
}

/// A method that somebody has made up is none of ours, and no text for a log.
fn name_of(method: &Method) -> &'static str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let names = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let found = known.iter().zip(names).find(|(known, _)| *known == method);
    found.map_or("other", |(_, name)| name)
}

fn peer(request: &Request) -> Option<Peer> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<Peer>>()?;
    Some(peer.clone())
}

impl Watch {
    /// Health checks are never too many: a task would be replaced for its callers' fault.
    fn admit(&self, caller: Option<Caller>, is_health_check: bool) -> Result<(), ApiError> {
        match caller {
            Some(caller) if !is_health_check => self.rates.check(caller, tokio::time::Instant::now()),
            _ => Ok(()),
        }
    }

    /// A health check of the load balancer or the container has no trace id, and is no span: there would be little else to see.
    fn trace(&self, request: &Request, asked: Asked<'_>, is_health_check: bool) -> Trace {
        let trace = Trace::of(request.headers());
        match &self.exporter {
            Some(exporter) if !is_health_check || trace.as_str().is_some() => trace.begin(exporter, asked),
            _ => trace,
        }
    }
}

fn too_slow() -> ApiError {
    let reason = format!("it took longer than {} seconds", limits::REQUEST_PATIENCE.as_secs());
    ApiError::new(
        StatusCode::GATEWAY_TIMEOUT,
        "too_slow",
        reason,
        "ask for less at once, or again later",
    )
}

async fn no_such_route() -> ApiError {
    ApiError::not_found(
        "no_such_route",
        "this agent has nothing at that path",
        "see `/` for what it has",
    )
}

async fn no_such_method() -> ApiError {
    let reason = "this path does not answer that method";
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no_such_method",
        reason,
        "see the Allow header",
    )
}
