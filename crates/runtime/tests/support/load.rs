//! Clients that ask without a pause, and remember what they were not given.

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::try_get;

/// So many clients ask at once.
const CLIENTS: usize = 4;

/// Clients at work.
pub(crate) struct Load {
    ends: watch::Sender<bool>,
    clients: JoinSet<Report>,
}

/// What became of the requests.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) answered: usize,
    /// What came instead of an answer with status 200.
    pub(crate) lost: Vec<String>,
}

impl Load {
    /// Begins to ask.
    pub(crate) fn on(url: &str) -> Self {
        let ends = watch::Sender::new(false);
        let client = |_| ask(url.to_owned(), ends.subscribe());
        let clients = (0..CLIENTS).map(client).collect();
        Self { ends, clients }
    }

    /// Ends, and tells.
    pub(crate) async fn end(self) -> Report {
        self.ends.send_replace(true);
        let reports = self.clients.join_all().await;
        let mut whole = Report::default();
        for mut report in reports {
            whole.answered += report.answered;
            whole.lost.append(&mut report.lost);
        }
        whole
    }
}

async fn ask(url: String, ends: watch::Receiver<bool>) -> Report {
    let mut report = Report::default();
    while !*ends.borrow() {
        match try_get(&url).await {
            Ok((200, _)) => report.answered += 1,
            other => report.lost.push(format!("{other:?}")),
        }
    }
    report
}
