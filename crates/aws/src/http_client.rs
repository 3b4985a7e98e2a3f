//! [`LentClient`]: our connections, lent to the SDK as its HTTP client, so that it brings no TLS and no proxy rules of its own, and goes where a
//! [`Resolve`](crate::Resolve) says.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::timeout;
use tower_service::Service;

use crate::connection::{Network, Stream};
use crate::error::ConnectError;

/// How long a connection and an answer may take; none is no limit.
type Limits = (Option<Duration>, Option<Duration>);

/// The HTTP client of every call, and of every provider of credentials.
#[derive(Debug, Clone)]
pub(crate) struct LentClient {
    network: Arc<Network>,
    /// One pool of connections for each pair of limits that is asked for: those of the services, and those of the metadata of machines.
    connectors: Arc<Mutex<HashMap<Limits, SharedHttpConnector>>>,
}

impl LentClient {
    pub(crate) fn new(network: Arc<Network>) -> Self {
        Self {
            network,
            connectors: Arc::default(),
        }
    }

    fn connector(&self, (connect, read): Limits) -> SharedHttpConnector {
        let dial = Dial {
            network: Arc::clone(&self.network),
            limit: connect,
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(dial);
        SharedHttpConnector::new(Pool { client, limit: read })
    }
}

impl HttpClient for LentClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let limits = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self
            .connectors
            .lock()
            .expect("nothing panics while it holds the connectors");
        connectors
            .entry(limits)
            .or_insert_with(|| self.connector(limits))
            .clone()
    }
}

/// Connections that are kept for the next request.
#[derive(Debug)]
struct Pool {
    client: Client<Dial, SdkBody>,
    /// How long an answer may take.
    limit: Option<Duration>,
}

impl HttpConnector for Pool {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, limit) = (self.client.clone(), self.limit);
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let answer = in_time(limit, client.request(request)).await;
            let answer = answer.map_err(|error| ConnectorError::timeout(error.into()))?;
            let answer = answer.map_err(connector_error)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What the SDK tries again, and what not.
fn connector_error(error: ClientError) -> ConnectorError {
    if error.is_connect() {
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<ConnectError>());
        return match source {
            Some(ConnectError::Unreachable { .. }) | None => ConnectorError::io(error.into()),
            Some(_) => ConnectorError::user(error.into()),
        };
    }
    ConnectorError::io(error.into())
}

async fn in_time<T>(limit: Option<Duration>, step: impl Future<Output = T>) -> io::Result<T> {
    match limit {
        None => Ok(step.await),
        Some(limit) => timeout(limit, step).await.map_err(|_| io::ErrorKind::TimedOut.into()),
    }
}

/// Opens connections for a pool.
#[derive(Debug, Clone)]
struct Dial {
    network: Arc<Network>,
    limit: Option<Duration>,
}

impl Service<Uri> for Dial {
    type Response = Wire;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { network, limit } = self.clone();
        Box::pin(async move {
            let unreachable = |source| ConnectError::Unreachable {
                host: uri.authority().map(ToString::to_string).unwrap_or_default(),
                source,
            };
            let stream = in_time(limit, network.connect(&uri)).await.map_err(unreachable)??;
            Ok(Wire(TokioIo::new(stream)))
        })
    }
}

/// A connection, as a pool wants it.
struct Wire(TokioIo<Box<dyn Stream>>);

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
