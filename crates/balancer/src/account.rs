//! What a request leaves behind: a count, and a line in the access log.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::{HeaderMap, Response, Version, header};
use tokio::time::Instant;

use crate::access_log::AccessLog;
use crate::access_log::entry::{Entry, Kind, ProcessingTimes};
use crate::answer::AnswerBody;
use crate::connection::Visit;
use crate::desync::DesyncReason;
use crate::headers;
use crate::protocol;
use crate::request_body::Upload;
use crate::statistics::ListenerCounters;

/// Sees to it that each request is counted and written down once. One that is dropped unsettled was left by its client.
pub(crate) struct Account<'a> {
    counters: &'a ListenerCounters,
    /// None where there is no log.
    draft: Option<Box<Draft>>,
    is_settled: bool,
}

/// An entry of the access log that is not complete. It is written when it is dropped.
pub(crate) struct Draft {
    log: AccessLog,
    /// None when it is written.
    entry: Option<Box<Entry>>,
    began: Instant,
    upload: Option<Arc<Upload>>,
}

/// What ALB writes down of a client that closed its connection before it got an answer; nobody ever receives it.
const CLIENT_CLOSED: u16 = 460;

impl<'a> Account<'a> {
    /// Of a request with this head.
    pub(crate) fn open(visit: &'a Visit, head: &Parts) -> Self {
        Self::new(visit, Some(head))
    }

    /// Of a request that could not be read.
    pub(crate) fn open_unreadable(visit: &'a Visit) -> Self {
        Self::new(visit, None)
    }

    fn new(visit: &'a Visit, head: Option<&Parts>) -> Self {
        let log = visit.front.attributes.access_log.as_ref();
        Self {
            counters: &visit.front.counters,
            draft: log.map(|log| Box::new(Draft::new(log, visit, head))),
            is_settled: false,
        }
    }

    /// Writes something down, if there is a log.
    pub(crate) fn note(&mut self, note: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.draft.as_mut().and_then(|draft| draft.entry.as_mut()) {
            note(entry);
        }
    }

    /// Takes note of a body that is still to be sent.
    pub(crate) fn note_upload(&mut self, upload: Option<&Arc<Upload>>) {
        if let Some(draft) = &mut self.draft {
            draft.upload = upload.cloned();
        }
    }

    /// Takes note of how long a target took for the head of its answer, up to now.
    pub(crate) fn note_times(&mut self, target: Duration) {
        let Some(draft) = &mut self.draft else { return };
        let request = draft.began.elapsed().saturating_sub(target);
        if let Some(entry) = &mut draft.entry {
            entry.times = Some(ProcessingTimes {
                request,
                target,
                response: Duration::ZERO,
            });
        }
    }

    /// Counts an answer if it is our own, those of targets are counted with their group; and lets it take the entry
    /// along, to be written when the answer is complete.
    pub(crate) fn settle(mut self, mut answer: Response<AnswerBody>) -> Response<AnswerBody> {
        self.is_settled = true;
        if answer.body().is_ours() {
            self.counters.answered(answer.status());
        }
        if let Some(mut draft) = self.draft.take() {
            draft.settle(answer.status().as_u16(), answer.headers());
            answer.body_mut().accompany(draft);
        }
        answer
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.counters.elb_4xx.increment();
        }
    }
}

impl Draft {
    fn new(log: &AccessLog, visit: &Visit, head: Option<&Parts>) -> Self {
        let now = SystemTime::now();
        let entrance = visit.front.entrance();
        let text = |name| {
            let value = head.and_then(|head| head.headers.get(name));
            value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let reason = head.and_then(|head| head.extensions.get::<DesyncReason>());
        let entry = Entry {
            kind: kind(visit, head),
            time: now,
            load_balancer: log.load_balancer(),
            client: visit.client,
            target: None,
            times: None,
            elb_status: CLIENT_CLOSED,
            target_status: None,
            received_bytes: head.map_or(0, head_length),
            sent_bytes: 0,
            request: head.map_or_else(
                || format!("- {}://-:{}- -", entrance.scheme, entrance.port),
                |head| request_line(head, entrance.scheme, entrance.port),
            ),
            user_agent: text(header::USER_AGENT),
            tls: visit.tls.clone(),
            target_group: None,
            trace_id: None,
            rule_priority: None,
            created: now,
            action: None,
            redirect_url: None,
            classification: reason.map(|reason| (format!("{:?}", reason.class()), format!("{reason:?}"))),
            connection: visit.number,
            transformed: None,
        };
        Self {
            log: log.clone(),
            entry: Some(Box::new(entry)),
            began: Instant::now(),
            upload: None,
        }
    }

    fn settle(&mut self, status: u16, headers: &HeaderMap) {
        if let Some(entry) = &mut self.entry {
            entry.elb_status = status;
            entry.sent_bytes = ("HTTP/1.1 200 OK\r\n\r\n".len() + headers::size(headers)) as u64;
            if status == 101 {
                entry.kind = entry.kind.upgraded();
            }
        }
    }

    /// Counts bytes of the body that go to the client.
    pub(crate) fn add_sent(&mut self, bytes: u64) {
        if let Some(entry) = &mut self.entry {
            entry.sent_bytes += bytes;
        }
    }

    /// Counts bytes that came from the client after the request.
    pub(crate) fn add_received(&mut self, bytes: u64) {
        if let Some(entry) = &mut self.entry {
            entry.received_bytes += bytes;
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.add_received(self.upload.as_ref().map_or(0, |upload| upload.bytes()));
        if let Some(mut entry) = self.entry.take() {
            entry.time = SystemTime::now();
            self.log.write(entry);
        }
    }
}

fn kind(visit: &Visit, head: Option<&Parts>) -> Kind {
    match head {
        Some(head) if head.version == Version::HTTP_2 && protocol::is_grpc(head) => Kind::Grpc,
        Some(head) if head.version == Version::HTTP_2 => Kind::Http2,
        _ if visit.tls.is_some() => Kind::Https,
        _ => Kind::Http,
    }
}

/// Method, whole URL and version: the URL as the client sent it, with the listener's port if it named none.
fn request_line(head: &Parts, scheme: &str, port: u16) -> String {
    let (host, own_port) = headers::split_port(headers::host(head));
    let port = own_port
        .strip_prefix(':')
        .map_or_else(|| port.to_string(), str::to_owned);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{} {scheme}://{host}:{port}{path} {:?}", head.method, head.version)
}

/// The bytes of a request's head, as it is written in HTTP/1.1.
fn head_length(head: &Parts) -> u64 {
    let line = head.method.as_str().len() + headers::uri_length(&head.uri) + "  HTTP/1.1\r\n\r\n".len();
    (line + headers::size(&head.headers)) as u64
}
