//! Where tasks send their spans: OTLP over HTTP/1.1, as protocol buffers or JSON, not compressed.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::interval;

use super::export::Export;
use super::{TraceStore, json, protobuf};

const PATH: &str = "/v1/traces";

/// The largest body that is read. SDKs send 512 spans at once.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// So often is looked whether something has waited long enough.
const TICK: Duration = Duration::from_secs(1);

/// Takes spans until it is dropped.
#[derive(Debug)]
pub(crate) struct TraceReceiver {
    address: SocketAddr,
    _jobs: JoinSet<()>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

/// A request is not taken.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl TraceReceiver {
    /// Listens on any port of the machine's own address. To be called within an async runtime.
    pub(crate) fn start(store: TraceStore) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let mut jobs = JoinSet::new();
        jobs.spawn(serve(tokio::net::TcpListener::from_std(listener)?, store.clone()));
        jobs.spawn(tick(store));
        Ok(Self { address, _jobs: jobs })
    }

    /// What tasks of a service are told, for OpenTelemetry's SDKs. There is nobody here to send metrics and logs to.
    /// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>
    pub(crate) fn variables(&self, service: &str) -> Vec<(&'static str, String)> {
        vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", self.address)),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
            ("OTEL_LOGS_EXPORTER", "none".to_owned()),
            ("OTEL_METRICS_EXPORTER", "none".to_owned()),
            ("OTEL_SERVICE_NAME", service.to_owned()),
        ]
    }
}

/// Lets go of what has waited long enough.
async fn tick(store: TraceStore) {
    let mut ticks = interval(TICK);
    loop {
        ticks.tick().await;
        take(&store, Vec::new()).await;
    }
}

async fn serve(listener: tokio::net::TcpListener, store: TraceStore) {
    let mut connections = JoinSet::new();
    loop {
        // A connection that fails to be accepted is the client's to try again.
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(converse(stream, store.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, store: TraceStore) {
    let service = service_fn(move |request| {
        let store = store.clone();
        async move { Ok::<_, Infallible>(answer(request, &store).await) }
    });
    // A client that goes away is no concern of ours.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer<B>(request: Request<B>, store: &TraceStore) -> Response<Full<Bytes>>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    match receive(request, store).await {
        Ok((encoding, rejected)) => accepted(encoding, rejected),
        Err(Refusal(status, message)) => {
            let body = json!({ "code": 3, "message": message }).to_string();
            respond(status, "application/json", body.into())
        }
    }
}

/// Takes the spans of a request in. Returns how it was written, and how many of its spans were none.
async fn receive<B>(request: Request<B>, store: &TraceStore) -> Result<(Encoding, u64), Refusal>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    if request.uri().path() != PATH {
        return Err(refuse(
            StatusCode::NOT_FOUND,
            "only traces are taken here, at /v1/traces",
        ));
    }
    if request.method() != Method::POST {
        return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "only POST is answered here"));
    }
    let encoding = encoding(request.headers())?;
    let body = Limited::new(request.into_body(), MOST_BYTES).collect().await;
    let body = body.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 4 MiB")
        } else {
            refuse(StatusCode::BAD_REQUEST, "the body has no end")
        }
    })?;
    let Export { spans, rejected } = read(encoding, &body.to_bytes())?;
    take(store, spans).await;
    Ok((encoding, rejected))
}

/// What cannot be written to the disk is in memory all the same, so that nobody has to send it again.
async fn take(store: &TraceStore, spans: Vec<karma_ops::TraceSpan>) {
    let store = store.clone();
    let _ = spawn_blocking(move || store.take(spans, Timestamp::now())).await;
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        let message = "a compressed body is not read: unset OTEL_EXPORTER_OTLP_COMPRESSION";
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => {
            let message = "send application/x-protobuf or application/json";
            Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

fn read(encoding: Encoding, body: &[u8]) -> Result<Export, Refusal> {
    match encoding {
        Encoding::Protobuf => protobuf::read(body).map_err(|error| error.to_string()),
        Encoding::Json => {
            json::read(body).map_err(|error| format!("the body is no ExportTraceServiceRequest: {error}"))
        }
    }
    .map_err(|message| Refusal(StatusCode::BAD_REQUEST, message))
}

/// An `ExportTraceServiceResponse`, which tells of spans that were none.
fn accepted(encoding: Encoding, rejected: u64) -> Response<Full<Bytes>> {
    match (encoding, rejected) {
        (Encoding::Json, 0) => respond(StatusCode::OK, "application/json", "{}".into()),
        (Encoding::Json, _) => {
            let body = json!({ "partialSuccess": { "rejectedSpans": rejected.to_string() } }).to_string();
            respond(StatusCode::OK, "application/json", body.into())
        }
        (Encoding::Protobuf, _) => respond(
            StatusCode::OK,
            "application/x-protobuf",
            protobuf::response(rejected).into(),
        ),
    }
}

fn respond(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn refuse(status: StatusCode, message: &str) -> Refusal {
    Refusal(status, message.to_owned())
}

#[cfg(test)]
mod tests;
