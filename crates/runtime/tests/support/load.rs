//! Clients that ask without a pause, and remember what they were not given.

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::try_get;

/// So many clients ask at once.
const CLIENTS: usize = 4;

/// Clients at work.
pub(crate) struct Load {
    ends: watch::Sender<bool>,
    answered: watch::Sender<usize>,
    clients: JoinSet<Vec<String>>,
}

impl Load {
    /// Begins to ask.
    pub(crate) fn on(url: &str) -> Self {
        let (ends, answered) = (watch::Sender::new(false), watch::Sender::new(0));
        let client = |_| ask(url.to_owned(), answered.clone(), ends.subscribe());
        let clients = (0..CLIENTS).map(client).collect();
        Self {
            ends,
            answered,
            clients,
        }
    }

    /// Waits until so many more requests have been answered.
    pub(crate) async fn until_answered(&self, more: usize) {
        let target = *self.answered.borrow() + more;
        self.answered
            .subscribe()
            .wait_for(|answered| *answered >= target)
            .await
            .unwrap();
    }

    /// Ends, and tells what came instead of answers with status 200.
    pub(crate) async fn end(self) -> Vec<String> {
        self.ends.send_replace(true);
        self.clients.join_all().await.concat()
    }
}

async fn ask(url: String, answered: watch::Sender<usize>, ends: watch::Receiver<bool>) -> Vec<String> {
    let mut lost = Vec::new();
    while !*ends.borrow() {
        match try_get(&url).await {
            Ok((200, _)) => answered.send_modify(|count| *count += 1),
            other => lost.push(format!("{other:?}")),
        }
    }
    lost
}
