//! A task's updates as server-sent events, whichever task of the service works on it.

use std::convert::Infallible;
use std::time::Duration;

use ::a2a::{JsonRpcId, JsonRpcResponse, StreamResponse, Task};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::A2a;
use super::record::updates;
use super::run::rests;

/// How often the store is asked for what others have written.
const LOOK: Duration = Duration::from_secs(1);

/// How long one stream lasts; who wants more subscribes again.
const LONGEST: Duration = Duration::from_mins(15);

/// The task as it is, and every update until it rests.
pub(super) fn of(a2a: A2a, id: JsonRpcId, task: Task) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let first = StreamResponse::Task(task.clone());
    let follower = Follower {
        changes: a2a.0.tasks.changes(),
        a2a,
        known: task,
    };
    let later = stream::unfold(follower, Follower::next).flat_map(stream::iter);
    let events = stream::iter([first]).chain(later);
    let ending = events.take_until(Box::pin(sleep(LONGEST)));
    Sse::new(ending.map(move |update| Ok(event(&id, &update)))).keep_alive(KeepAlive::default())
}

struct Follower {
    a2a: A2a,
    changes: watch::Receiver<u64>,
    known: Task,
}

impl Follower {
    async fn next(mut self) -> Option<(Vec<StreamResponse>, Follower)> {
        if rests(&self.known) {
            return None;
        }
        loop {
            // The store's own trouble is no end: the next look may find it well again.
            if let Ok(record) = self.a2a.0.tasks.find(&self.known.id).await {
                let news = updates(&self.known, &record.task);
                self.known = record.task;
                if !news.is_empty() {
                    return Some((news, self));
                }
            }
            // Either somebody here has written, or it is time to look what others have.
            let _ = timeout(LOOK, self.changes.changed()).await;
        }
    }
}

fn event(id: &JsonRpcId, update: &StreamResponse) -> Event {
    let result = serde_json::to_value(update).expect("an update is JSON");
    let answer = JsonRpcResponse::success(id.clone(), result);
    Event::default().data(serde_json::to_string(&answer).expect("an answer is JSON"))
}
