//! The task metadata endpoint, version 4: what a container asks to learn what and where it is.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html>
//!
//! ```text
//! GET ${ECS_CONTAINER_METADATA_URI_V4}                the container
//! GET ${ECS_CONTAINER_METADATA_URI_V4}/task           its task; /taskWithTags
//! GET ${ECS_CONTAINER_METADATA_URI_V4}/stats          what the container uses, as Docker says it
//! GET ${ECS_CONTAINER_METADATA_URI_V4}/task/stats     what each container of the task uses
//! ```
//! Every container has an address of its own that cannot be guessed. There are no credentials here: a task has those that its own definition
//! gives it, or none.

mod documents;
mod stats;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::limits::register::{ContainerRecord, Register, TaskRecord};
use documents::{arn_of, container_document, task_document};
use stats::{Sample, stats_document};

/// The region that tasks believe to be in.
#[derive(Debug, Clone)]
pub(crate) struct Region(pub(crate) Option<String>);

/// Answers until it is dropped.
#[derive(Debug)]
pub(crate) struct MetadataServer {
    address: SocketAddr,
    _job: JoinSet<()>,
}

/// What the answers are made of.
#[derive(Debug)]
struct Answers {
    register: Arc<Register>,
    region: Region,
    /// What was measured when a container's statistics were asked for last.
    samples: Mutex<HashMap<String, Sample>>,
}

impl MetadataServer {
    /// Listens on any port of the machine's own address.
    pub(crate) fn start(register: Arc<Register>, region: Region) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let answers = Arc::new(Answers {
            register,
            region,
            samples: Mutex::default(),
        });
        let mut job = JoinSet::new();
        job.spawn(serve(listener, answers));
        Ok(Self { address, _job: job })
    }

    /// `ECS_CONTAINER_METADATA_URI_V4` of the container that has a key.
    pub(crate) fn uri(&self, key: &str) -> String {
        format!("http://{}/v4/{key}", self.address)
    }
}

async fn serve(listener: tokio::net::TcpListener, answers: Arc<Answers>) {
    let mut connections = JoinSet::new();
    loop {
        // A connection that fails to be accepted is the client's to try again.
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(converse(stream, Arc::clone(&answers)));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, answers: Arc<Answers>) {
    let service = service_fn(move |request| {
        let answer = answers.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    // A client that goes away is no concern of ours.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Answers {
    fn answer<Body>(&self, request: &Request<Body>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET {
            return respond(
                StatusCode::METHOD_NOT_ALLOWED,
                &Value::from("only GET is answered here"),
            );
        }
        match self.document(request.uri().path()) {
            Some(document) => respond(StatusCode::OK, &document),
            None => respond(
                StatusCode::NOT_FOUND,
                &Value::from("there is no such container, or no such document"),
            ),
        }
    }

    fn document(&self, path: &str) -> Option<Value> {
        let path = path.strip_prefix("/v4/")?.trim_end_matches('/');
        let (key, what) = path.split_once('/').unwrap_or((path, ""));
        let (task, container) = self.register.by_key(key)?;
        let (arn, now) = (arn_of(&self.region, &task), Timestamp::now());
        match what {
            "" => Some(container_document(&arn, &task, &container)),
            // Tags of services and task definitions are not kept here, so that there are none to add.
            "task" | "taskWithTags" => Some(task_document(&arn, &task, now)),
            "stats" => Some(self.stats(&task, &container)),
            "task/stats" => Some(self.task_stats(&task)),
            _ => None,
        }
    }

    fn task_stats(&self, task: &TaskRecord) -> Value {
        let stats = |container: &ContainerRecord| (documents::docker_id(task, container), self.stats(task, container));
        task.containers.iter().map(stats).collect()
    }

    fn stats(&self, task: &TaskRecord, container: &ContainerRecord) -> Value {
        let sample = Sample::take(container.pid);
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.retain(|key, _| self.register.by_key(key).is_some());
        let before = samples.insert(container.key.clone(), sample).unwrap_or_default();
        stats_document(task, container, (&before, &sample))
    }
}

fn respond(status: StatusCode, document: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(document.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
