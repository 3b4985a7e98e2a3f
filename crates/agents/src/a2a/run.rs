//! Working on tasks: a message becomes a task, a skill's route answers it, and what was left by tasks that died is taken over.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::a2a::{
    A2AError, Artifact, Message, Part, SendMessageRequest, StreamResponse, Task, TaskPushNotificationConfig, TaskState,
    new_context_id, new_task_id,
};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::{AbortHandle, JoinHandle};
use tower::ServiceExt;

use super::A2a;
use super::ask::{Ask, check_output_modes};
use super::error::bad_field;
use super::record::{Metadata, Outcome, Record, is_at_rest, updates, with_history};
use crate::agents::Route;
use crate::limits;
use crate::logging::Level;
use crate::store::{Claim, StoreError};
use crate::trace::Trace;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// An attempt of which nothing was heard for so long has died with its task.
const LOST: Duration = Duration::from_secs(90);

/// How often a task is begun.
const ATTEMPTS: u32 = 3;

/// How often somebody looks for lost attempts. Each look is a listing, which S3 charges for.
pub(super) const HOUSEKEEPING: Duration = Duration::from_mins(2);

/// How long a task is remembered.
const MEMORY: Duration = Duration::from_hours(24 * 7);

/// Payments over A2A: <https://github.com/coinbase/x402/blob/main/specs/transports-v2/a2a.md>.
const PAYMENT_HEADER: HeaderName = HeaderName::from_static("payment-signature");
const PAYMENT_STATUS: &str = "x402.payment.status";
const PAYMENT_REQUIRED: &str = "x402.payment.required";
const PAYMENT_PAYLOAD: &str = "x402.payment.payload";
const PAYMENT_RECEIPTS: &str = "x402.payment.receipts";

/// The attempts of this process, by task.
#[derive(Debug, Default)]
pub(super) struct Runs(Mutex<HashMap<String, AbortHandle>>);

impl A2a {
    /// Works on a message, and answers when it is done or as the caller wants it.
    pub(super) async fn send(&self, request: SendMessageRequest, trace: Trace) -> Result<Task, A2AError> {
        let configuration = request.configuration.as_ref();
        let length = configuration.and_then(|configuration| configuration.history_length);
        let at_once = configuration.and_then(|configuration| configuration.return_immediately) == Some(true);
        let (record, attempt) = self.begin_attempt(request, trace).await?;
        if at_once {
            return Ok(with_history(record.task, length));
        }
        // An attempt that was cancelled ends without having said so.
        let _ = attempt.await;
        let record = self.0.tasks.find(&record.task.id).await?;
        Ok(with_history(record.task, length))
    }

    /// Begins to work on a message; the task as it is then.
    pub(super) async fn begin(&self, request: SendMessageRequest, trace: Trace) -> Result<Task, A2AError> {
        self.begin_attempt(request, trace).await.map(|(record, _)| record.task)
    }

    /// Ends a task that nobody needs any more.
    pub(super) async fn cancel(&self, id: &str) -> Result<Task, A2AError> {
        let before = self.0.tasks.find(id).await?;
        let now = Timestamp::now();
        let record = self
            .0
            .tasks
            .change(id, move |known| known.cancel(now).map(Some))
            .await?;
        self.0.runs.abort(id);
        self.tell(&before.task, &record.task).await;
        Ok(record.task)
    }

    /// Goes on with what other tasks of the service began and did not finish.
    pub(super) async fn take_over(&self) {
        let now = Timestamp::now();
        let lost = self.0.tasks.unfinished(now - LOST).await;
        for record in lost.unwrap_or_default() {
            // Who loses the claim has nothing to do, and who cannot ask tries again at the next look.
            let _ = self.retry(&record, now).await;
        }
    }

    /// Forgets what is too old to be asked for.
    pub(super) async fn forget(&self) {
        if let Err(error) = self.0.tasks.forget(MEMORY).await {
            let reason = crate::error::chain(&error);
            self.0
                .log
                .write(Level::Warn, "old tasks stay in the store", json!({ "reason": reason }));
        }
    }

    async fn begin_attempt(
        &self,
        request: SendMessageRequest,
        trace: Trace,
    ) -> Result<(Record, JoinHandle<()>), A2AError> {
        check_output_modes(request.configuration.as_ref())?;
        let push = request
            .configuration
            .and_then(|configuration| configuration.task_push_notification_config);
        let (record, ask) = match request.message.task_id.clone() {
            Some(id) => self.resume(&id, request.message).await?,
            None => self.begin_new(request.message, push).await?,
        };
        let attempt = self.work(record.clone(), ask, trace);
        Ok((record, attempt))
    }

    async fn begin_new(
        &self,
        message: Message,
        push: Option<TaskPushNotificationConfig>,
    ) -> Result<(Record, Ask), A2AError> {
        let ask = Ask::of(self.0.agent, &message)?;
        let context = message.context_id.clone().filter(|context| !context.is_empty());
        if let Some(context) = context
            .as_ref()
            .filter(|context| context.len() > limits::NAME_CHARACTERS)
        {
            return Err(bad_field(
                "message.contextId",
                format!("has {} characters", context.len()),
            ));
        }
        let id = new_task_id();
        let push = match push {
            Some(config) => {
                let config = TaskPushNotificationConfig {
                    task_id: id.clone(),
                    ..config
                };
                Some(self.0.push.accept(config).await?)
            }
            None => None,
        };
        let context = context.unwrap_or_else(new_context_id);
        let record = Record::begin(id, context, message, Timestamp::now());
        self.0.tasks.begin(record.clone(), push).await?;
        Ok((record, ask))
    }

    async fn resume(&self, id: &str, message: Message) -> Result<(Record, Ask), A2AError> {
        let known = self.0.tasks.find(id).await?;
        if message
            .context_id
            .as_ref()
            .is_some_and(|context| *context != known.task.context_id)
        {
            return Err(bad_field("message.contextId", "is not the context of the task"));
        }
        // A message that only adds a payment asks what was asked before.
        let asked = if message.parts.is_empty() {
            known.asked()
        } else {
            Some(&message)
        };
        let ask = asked.map(|asked| Ask::of(self.0.agent, asked));
        let ask = ask.ok_or_else(|| bad_field("message.parts", "ask nothing"))??;
        let now = Timestamp::now();
        let record = self
            .0
            .tasks
            .change(id, move |known| known.resume(message.clone(), now).map(Some))
            .await?;
        Ok((record, ask))
    }

    async fn retry(&self, record: &Record, now: Timestamp) -> Result<(), StoreError> {
        let (id, next) = (record.task.id.clone(), record.attempt + 1);
        if self.0.tasks.claim(&id, next).await? == Claim::Theirs {
            return Ok(());
        }
        let seen = record.attempt;
        let again = move |known: &Record| {
            let is_lost = known.attempt == seen && known.task.status.state == TaskState::Working;
            Ok(match seen {
                _ if !is_lost => None,
                ATTEMPTS.. => known.finish(seen, lost(), &new_task_id, now),
                _ => Some(known.retry(now)),
            })
        };
        let Ok(begun) = self.0.tasks.change(&id, again).await else {
            return Ok(());
        };
        let ask = begun.asked().map(|asked| Ask::of(self.0.agent, asked));
        match ask {
            Some(Ok(ask)) if begun.attempt == next => drop(self.work(begun, ask, Trace::default())),
            _ => self.tell(&record.task, &begun.task).await,
        }
        Ok(())
    }

    /// Works on a task until it ends, whether its caller waits or not.
    fn work(&self, record: Record, ask: Ask, trace: Trace) -> JoinHandle<()> {
        let a2a = self.clone();
        let id = record.task.id.clone();
        // A stopping agent finishes what it has begun.
        let answering = self.0.activity.begin();
        let job = tokio::spawn(async move {
            let payment = record.asked().and_then(payment);
            let asked = run(a2a.0.skills.clone(), ask, payment, trace);
            let outcome = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| slow());
            a2a.finish(&record, outcome).await;
            drop(answering);
        });
        self.0.runs.add(id, job.abort_handle());
        job
    }

    async fn finish(&self, record: &Record, outcome: Outcome) {
        let (id, attempt, now) = (record.task.id.clone(), record.attempt, Timestamp::now());
        let end = move |known: &Record| Ok(known.finish(attempt, outcome.clone(), &new_task_id, now));
        match self.0.tasks.change(&id, end).await {
            Ok(ended) => self.tell(&record.task, &ended.task).await,
            // It will be taken over.
            Err(error) => {
                let reason = error.to_string();
                self.0.log.write(
                    Level::Error,
                    "a task's end could not be kept",
                    json!({ "reason": reason }),
                );
            }
        }
        self.0.runs.remove(&id);
    }

    /// Tells whoever wants to be told how a task has changed.
    async fn tell(&self, before: &Task, after: &Task) {
        let news: Vec<StreamResponse> = updates(before, after);
        let configs = self.0.tasks.pushes(&after.id).await.unwrap_or_default();
        for config in configs {
            let (a2a, news) = (self.clone(), news.clone());
            tokio::spawn(async move {
                if let Err(reason) = a2a.0.push.deliver(&config, &news).await {
                    a2a.0.log.write(
                        Level::Warn,
                        "a push notification was not delivered",
                        json!({ "reason": reason }),
                    );
                }
            });
        }
    }
}

impl Runs {
    fn add(&self, id: String, handle: AbortHandle) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|_, handle| !handle.is_finished());
        runs.insert(id, handle);
    }

    fn remove(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn abort(&self, id: &str) {
        if let Some(handle) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
            handle.abort();
        }
    }
}

/// Whether nothing happens to a task before somebody asks again.
pub(super) fn rests(task: &Task) -> bool {
    is_at_rest(&task.status.state)
}

/// Asks a skill's route, as a caller over HTTP would.
async fn run(skills: Router, ask: Ask, payment: Option<HeaderValue>, trace: Trace) -> Outcome {
    let skill = ask.skill.id;
    let answer = match skills.oneshot(request(&ask, payment, trace)).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, limits::ANSWER_BYTES).await.unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    outcome(skill, head.status, &head.headers, body)
}

fn request(ask: &Ask, payment: Option<HeaderValue>, trace: Trace) -> Request<Body> {
    let (method, path, body) = match ask.skill.route {
        Route::Get(path) => ("GET", path, Body::empty()),
        Route::Post(path) => ("POST", path, Body::from(ask.input.to_string())),
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .expect("a route of ours is a path");
    request
        .headers_mut()
        .extend(payment.map(|payment| (PAYMENT_HEADER, payment)));
    request.extensions_mut().insert(trace);
    request
}

/// What a route's answer means for the task.
fn outcome(skill: &str, status: StatusCode, headers: &HeaderMap, body: Value) -> Outcome {
    let metadata = receipts(headers);
    match status {
        _ if status.is_success() => Outcome::Done {
            artifact: Artifact {
                artifact_id: ::a2a::new_artifact_id(),
                name: Some(skill.to_owned()),
                description: None,
                parts: vec![Part::data(body).with_media_type("application/json")],
                metadata: None,
                extensions: None,
            },
            metadata,
        },
        StatusCode::PAYMENT_REQUIRED => Outcome::InputRequired {
            note: vec![Part::data(body)],
            metadata: price(headers, metadata),
        },
        _ if status.is_client_error() => Outcome::Rejected {
            note: vec![Part::data(body)],
            metadata,
        },
        _ => Outcome::Failed {
            note: vec![Part::data(body)],
            metadata,
        },
    }
}

/// What is to be paid, as the route says it in a header.
fn price(headers: &HeaderMap, mut metadata: Metadata) -> Metadata {
    if let Some(required) = decoded(headers, "payment-required") {
        let refused = metadata.contains_key(PAYMENT_RECEIPTS);
        let status = if refused { "payment-failed" } else { "payment-required" };
        metadata.insert(PAYMENT_STATUS.to_owned(), json!(status));
        metadata.insert(PAYMENT_REQUIRED.to_owned(), required);
    }
    metadata
}

fn receipts(headers: &HeaderMap) -> Metadata {
    let receipt = decoded(headers, "payment-response").map(|receipt| {
        Metadata::from([
            (PAYMENT_STATUS.to_owned(), json!("payment-completed")),
            (PAYMENT_RECEIPTS.to_owned(), json!([receipt])),
        ])
    });
    receipt.unwrap_or_default()
}

/// The payment that a message carries, as the header that a route expects.
fn payment(message: &Message) -> Option<HeaderValue> {
    let payload = message.metadata.as_ref()?.get(PAYMENT_PAYLOAD)?;
    HeaderValue::try_from(STANDARD.encode(payload.to_string())).ok()
}

fn decoded(headers: &HeaderMap, name: &str) -> Option<Value> {
    let bytes = STANDARD.decode(headers.get(name)?.as_bytes()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn slow() -> Outcome {
    let reason = format!("the skill took longer than {} seconds", PATIENCE.as_secs());
    failed("too_slow", &reason)
}

fn lost() -> Outcome {
    failed("lost", "the tasks that worked on this stopped, time after time")
}

fn failed(error: &str, reason: &str) -> Outcome {
    Outcome::Failed {
        note: vec![Part::data(
            json!({ "error": error, "reason": reason, "help": "send the message again" }),
        )],
        metadata: Metadata::new(),
    }
}
