//! A task as it is kept, and how it changes. Everything here is pure: times and ids are arguments.

use std::collections::HashMap;

use ::a2a::{
    A2AError, Artifact, Message, Part, Role, StreamResponse, Task, TaskArtifactUpdateEvent, TaskState, TaskStatus,
    TaskStatusUpdateEvent,
};
use chrono::{DateTime, Utc};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A task, and how often somebody has begun to work on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) task: Task,
    pub(super) attempt: u32,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// The skill answered.
    Done { artifact: Artifact, metadata: Metadata },
    /// The caller has to add something: a payment.
    InputRequired { note: Vec<Part>, metadata: Metadata },
    /// What was asked cannot be answered, however often it is asked.
    Rejected { note: Vec<Part>, metadata: Metadata },
    /// It went wrong here.
    Failed { note: Vec<Part>, metadata: Metadata },
}

/// What extensions say beside the standard fields.
pub(super) type Metadata = HashMap<String, Value>;

impl Record {
    /// A task that is being worked on from its beginning.
    pub(super) fn begin(id: String, context_id: String, message: Message, now: Timestamp) -> Record {
        let message = Message {
            task_id: Some(id.clone()),
            context_id: Some(context_id.clone()),
            ..message
        };
        let task = Task {
            id,
            context_id,
            status: status(TaskState::Working, None, now),
            artifacts: None,
            history: Some(vec![message]),
            metadata: None,
        };
        Record { task, attempt: 1 }
    }

    /// The same task with what the caller has added, being worked on again.
    pub(super) fn resume(&self, message: Message, now: Timestamp) -> Result<Record, A2AError> {
        let state = &self.task.status.state;
        if *state != TaskState::InputRequired {
            let reason = if state.is_terminal() {
                "has ended"
            } else {
                "is being worked on"
            };
            let reason = format!("the task {reason} and takes no message");
            return Err(A2AError::unsupported_operation(reason));
        }
        let mut next = self.retry(now);
        let message = Message {
            task_id: Some(self.task.id.clone()),
            context_id: Some(self.task.context_id.clone()),
            ..message
        };
        next.task.history.get_or_insert_default().push(message);
        Ok(next)
    }

    /// The same task, begun once more.
    pub(super) fn retry(&self, now: Timestamp) -> Record {
        let mut next = self.clone();
        next.attempt += 1;
        next.task.status = status(TaskState::Working, None, now);
        next
    }

    /// The same task with the outcome of this attempt; `None` where it was cancelled or begun again meanwhile.
    pub(super) fn finish(
        &self,
        attempt: u32,
        outcome: Outcome,
        ids: &dyn Fn() -> String,
        now: Timestamp,
    ) -> Option<Record> {
        if self.attempt != attempt || self.task.status.state != TaskState::Working {
            return None;
        }
        let mut next = self.clone();
        let (state, note, metadata) = match outcome {
            Outcome::Done { artifact, metadata } => {
                next.task.artifacts.get_or_insert_default().push(artifact);
                (TaskState::Completed, Vec::new(), metadata)
            }
            Outcome::InputRequired { note, metadata } => (TaskState::InputRequired, note, metadata),
            Outcome::Rejected { note, metadata } => (TaskState::Rejected, note, metadata),
            Outcome::Failed { note, metadata } => (TaskState::Failed, note, metadata),
        };
        let said = !note.is_empty() || !metadata.is_empty();
        let message = said.then(|| Message {
            message_id: ids(),
            context_id: Some(next.task.context_id.clone()),
            task_id: Some(next.task.id.clone()),
            role: Role::Agent,
            parts: note,
            metadata: (!metadata.is_empty()).then_some(metadata),
            extensions: None,
            reference_task_ids: None,
        });
        next.task.status = status(state, message, now);
        Some(next)
    }

    /// The same task, cancelled.
    pub(super) fn cancel(&self, now: Timestamp) -> Result<Record, A2AError> {
        if self.task.status.state.is_terminal() {
            return Err(A2AError::task_not_cancelable(&self.task.id));
        }
        let mut next = self.clone();
        next.task.status = status(TaskState::Canceled, None, now);
        Ok(next)
    }

    /// The last message of the caller, which is what is worked on.
    pub(super) fn asked(&self) -> Option<&Message> {
        let history = self.task.history.as_deref().unwrap_or_default();
        history.iter().rev().find(|message| message.role != Role::Agent)
    }

    /// When its state changed last, in milliseconds since 1970.
    pub(super) fn changed_at(&self) -> i64 {
        self.task
            .status
            .timestamp
            .map_or(0, |timestamp| timestamp.timestamp_millis())
    }
}

/// The task with no more than so many messages of its history. None asked for are none left out.
pub(super) fn with_history(mut task: Task, length: Option<i32>) -> Task {
    let Some(length) = length.map(|length| usize::try_from(length).unwrap_or_default()) else {
        return task;
    };
    task.history = task
        .history
        .filter(|_| length > 0)
        .map(|history| history[history.len().saturating_sub(length)..].to_vec());
    task
}

/// What a subscriber who knows `before` is told of `after`.
pub(super) fn updates(before: &Task, after: &Task) -> Vec<StreamResponse> {
    let known = before.artifacts.as_ref().map_or(0, Vec::len);
    let artifacts = after.artifacts.iter().flatten().skip(known);
    let mut updates: Vec<StreamResponse> = artifacts.map(|artifact| artifact_update(after, artifact)).collect();
    if before.status != after.status {
        updates.push(status_update(after));
    }
    updates
}

/// The state of a task as an event.
pub(super) fn status_update(task: &Task) -> StreamResponse {
    StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
        task_id: task.id.clone(),
        context_id: task.context_id.clone(),
        status: task.status.clone(),
        metadata: None,
    })
}

fn artifact_update(task: &Task, artifact: &Artifact) -> StreamResponse {
    StreamResponse::ArtifactUpdate(TaskArtifactUpdateEvent {
        task_id: task.id.clone(),
        context_id: task.context_id.clone(),
        artifact: artifact.clone(),
        append: None,
        last_chunk: Some(true),
        metadata: None,
    })
}

/// Whether a stream of the task's updates ends here: nothing more happens, or nothing before the caller adds something.
pub(super) fn is_at_rest(state: &TaskState) -> bool {
    state.is_terminal() || matches!(state, TaskState::InputRequired | TaskState::AuthRequired)
}

fn status(state: TaskState, message: Option<Message>, now: Timestamp) -> TaskStatus {
    TaskStatus {
        state,
        message,
        timestamp: DateTime::<Utc>::from_timestamp_millis(now.as_millisecond()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn begun() -> Record {
        let message = Message::new(Role::User, vec![Part::text("ana")]);
        Record::begin("t".to_owned(), "c".to_owned(), message, now(1))
    }

    fn done() -> Outcome {
        let artifact = Artifact {
            artifact_id: "a".to_owned(),
            name: None,
            description: None,
            parts: vec![Part::data(json!({ "answer": 42 }))],
            metadata: None,
            extensions: None,
        };
        Outcome::Done {
            artifact,
            metadata: Metadata::new(),
        }
    }

    fn finish(record: &Record, attempt: u32, outcome: Outcome) -> Option<Record> {
        record.finish(attempt, outcome, &|| "m".to_owned(), now(2))
    }

    #[test]
    fn a_task_ends_once() {
        let ended = finish(&begun(), 1, done()).unwrap();
        assert_eq!(ended.task.status.state, TaskState::Completed);
        assert_eq!(finish(&ended, 1, done()), None, "it has ended already");
        assert_eq!(
            ended.cancel(now(3)).unwrap_err().code,
            ::a2a::error_code::TASK_NOT_CANCELABLE
        );
        let message = Message::new(Role::User, Vec::new());
        let refused = ended.resume(message, now(3)).unwrap_err();
        assert_eq!(refused.code, ::a2a::error_code::UNSUPPORTED_OPERATION);
    }

    #[test]
    fn what_was_cancelled_or_begun_anew_is_not_finished_by_the_old_attempt() {
        let cancelled = begun().cancel(now(2)).unwrap();
        assert_eq!(finish(&cancelled, 1, done()), None);
        let again = begun().retry(now(2));
        assert_eq!(finish(&again, 1, done()), None);
        assert!(finish(&again, 2, done()).is_some());
    }

    #[test]
    fn a_task_that_waits_for_its_caller_goes_on_with_the_new_message() {
        let note = vec![Part::text("pay first")];
        let metadata = Metadata::from([("x402.payment.status".to_owned(), json!("payment-required"))]);
        let waiting = finish(&begun(), 1, Outcome::InputRequired { note, metadata }).unwrap();
        assert!(is_at_rest(&waiting.task.status.state));
        let said = waiting.task.status.message.as_ref().unwrap();
        assert_eq!(
            said.metadata.as_ref().unwrap()["x402.payment.status"],
            "payment-required"
        );
        let resumed = waiting
            .resume(Message::new(Role::User, vec![Part::text("paid")]), now(3))
            .unwrap();
        assert_eq!((resumed.attempt, &resumed.task.status.state), (2, &TaskState::Working));
        assert_eq!(resumed.asked().unwrap().text(), Some("paid"));
        assert_eq!(resumed.asked().unwrap().context_id.as_deref(), Some("c"));
    }

    #[test]
    fn updates_are_what_is_new() {
        let (before, after) = (begun(), finish(&begun(), 1, done()).unwrap());
        assert_eq!(updates(&before.task, &before.task), []);
        let told = updates(&before.task, &after.task);
        assert!(matches!(
            told.as_slice(),
            [StreamResponse::ArtifactUpdate(_), StreamResponse::StatusUpdate(_)]
        ));
    }

    #[test]
    fn history_is_cut_from_its_beginning() {
        let waiting = finish(
            &begun(),
            1,
            Outcome::InputRequired {
                note: Vec::new(),
                metadata: Metadata::new(),
            },
        );
        let resumed = waiting
            .unwrap()
            .resume(Message::new(Role::User, vec![Part::text("two")]), now(3));
        let task = resumed.unwrap().task;
        let lengths = |length| with_history(task.clone(), length).history.map(|history| history.len());
        assert_eq!(lengths(None), Some(2));
        assert_eq!(lengths(Some(0)), None);
        assert_eq!(lengths(Some(1)), Some(1));
        assert_eq!(lengths(Some(9)), Some(2));
        let last = with_history(task, Some(1)).history.unwrap();
        assert_eq!(last[0].text(), Some("two"));
    }
}
