//! HTTP/2 with a client: many requests at once on one connection.
//!
//! The authorities are [HTTPS listeners][aws] and [RFC 9113](https://www.rfc-editor.org/rfc/rfc9113).
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#listener-configuration

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::Notify;

use crate::client::stream::ClientStream;
use crate::connection::{Visit, retired};
use crate::forward;
use crate::request_body::ClientBody;

/// Requests a client may have under way at once.
const MOST_STREAMS: u32 = 128;
/// Requests on one connection; after so many it is ended with a GOAWAY.
const MOST_REQUESTS: u32 = 10_000;
/// Largest sum of all headers, in bytes, as they are without compression. AWS's limit is on 8 KB of compressed ones, for
/// which there is no equal here.
const MOST_HEADERS: u32 = 64 * 1_024;

/// Serves a connection to its end.
pub(crate) async fn converse(visit: Arc<Visit>, stream: ClientStream) {
    let exhausted = Arc::new(Notify::new());
    let requests = Arc::new(AtomicU32::new(0));
    let service = service_fn({
        let (visit, exhausted) = (Arc::clone(&visit), Arc::clone(&exhausted));
        move |request: Request<Incoming>| {
            if requests.fetch_add(1, Ordering::Relaxed) + 1 == MOST_REQUESTS {
                exhausted.notify_one();
            }
            let visit = Arc::clone(&visit);
            async move { Ok::<_, Infallible>(forward::answer(&visit, adapt(request)).await) }
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(MOST_HEADERS);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut retired = pin!(async {
        tokio::select! {
            () = retired(&visit.front) => {}
            () = exhausted.notified() => {}
        }
    });
    let mut is_retired = false;
    loop {
        tokio::select! {
            biased;
            // An error here is the client's going away, or its breaking the protocol.
            _ = connection.as_mut() => return,
            () = &mut retired, if !is_retired => {
                is_retired = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The request as HTTP/1.1 would have it.
fn adapt(request: Request<Incoming>) -> Request<ClientBody> {
    let (mut head, body) = request.into_parts();
    join_cookies(&mut head.headers);
    Request::from_parts(head, ClientBody::Http2(body))
}

/// Cookies may come one by one, which HTTP/1.1 does not know ([RFC 9113 §8.2.3][cookies]).
///
/// [cookies]: https://www.rfc-editor.org/rfc/rfc9113#section-8.2.3
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crumbs_become_one_cookie() {
        let mut headers = HeaderMap::new();
        for crumb in ["a=1", "b=2; c=3"] {
            headers.append(COOKIE, HeaderValue::from_static(crumb));
        }
        join_cookies(&mut headers);
        assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2; c=3"]);
    }
}
